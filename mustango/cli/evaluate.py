"""mustango evaluate: how well the music obeys, and how it sounds."""

import math
import os
from pathlib import Path

from musicbench import InputError, check_installed, number, whole
from musicbench.files import alone_in, sweep_torn
from mustango import GUIDANCE, STEPS
from mustango.cli.options import add_table, check_device, defaults_of

ABOUT = {
    "help": "how well the music obeys, and how it sounds",
    "description": "Generate for a test set (or take a folder of audio), let independent judges hear it, and print how "
    "much of what was asked they heard, beside what they hear in the set's own audio. Writes report.json, report.md "
    "and report.html; run again to go on.",
}
OPTIONS = {
    "--set": dict(help="composed:N, composed:N:SEED (needs FluidSynth), or a JSON Lines file, such as MusicBench's"),
    "-o --out": dict(metavar="DIR", help="the evaluation's folder"),
    "--compare": dict(nargs=2, metavar=("A", "B"), help="two evaluations' folders: B against A, paired by clip"),
    "--audio": dict(metavar="FOLDER", help="judge these files, named after the set's clips, in place of a model"),
    "--real": dict(metavar="FOLDER", help="the set's own audio, if it does not lie where its rows say"),
    "--model": dict(default="mustango-mini", help="(default %(default)s)"),
    "--device": dict(default="cpu", help="(default %(default)s)"),
    "--steps": dict(type=whole, default=STEPS, help="(default %(default)s)"),
    "--guidance": dict(type=number, default=GUIDANCE, help="(default %(default)s)"),
    "--takes": dict(
        type=whole, default=1, help="judge the best of so many takes, picked by madmom as `generate --pick best` does"
    ),
    "--words": dict(
        type=whole, metavar="N",
        help="in place of --set: do instruments, drums, moods, breaks and contradictions in N prompts come true?",
    ),
    "--words-only": dict(action="store_true", help="give the model the prompts without the rows' controls"),
    "--limit": dict(type=whole, help="only the first N clips of the set"),
    "--columns": dict(help="of model, real, round trip, shuffled, dropped, with commas (default: all)"),
    "--dropped": dict(type=whole, default=30, help="clips made without controls (default %(default)s)"),
    "--judges": dict(help="of madmom, chordino, librosa, essentia (default: the first three, as installed)"),
    "--embedding": dict(
        default="musicnn",
        help="musicnn or clap, =FOLDER for its weights, or none (default %(default)s)",
    ),
    "--seed": dict(
        type=whole, default=0, help="of shuffling and intervals, with --words of the clips too (default %(default)s)"
    ),
    "--workers": dict(type=whole, help="processes that listen (default: as many as there are cores)"),
}  # fmt: skip


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)


def run(options):
    """Run `mustango evaluate`; what can be checked without torch is checked before it is loaded."""
    if options.compare:
        refuse_beside("compare", options, ("seed",))
        from mustango.evaluate.comparison import compare
        from mustango.evaluate.scorecard import compared_markdown

        print(compared_markdown(compare(*options.compare, seed=options.seed), *options.compare), end="")
        return 0
    check_evaluation(options)
    check_installed("the evaluation", "evaluate", "mir_eval", "threadpoolctl", "jinja2", "matplotlib")
    with alone_in(options.out):
        for folder in (Path(options.out), *Path(options.out).glob("*/*/")):
            sweep_torn(folder)
        evaluate_in(options)
    return 0


def evaluate_in(options):
    """Run the evaluation that is asked for in its folder, in which nobody else writes. Raises InputError."""
    if options.words is not None:
        from mustango.evaluate.words import WordsSetup, evaluate_words, words_markdown

        setup = WordsSetup(
            count=options.words, seed=7 + options.seed, model=options.model, device=options.device, steps=options.steps,
            guidance=options.guidance, takes=options.takes,
        )  # fmt: skip
        print(words_markdown(evaluate_words(setup, options.out, options.workers or os.cpu_count() or 1)), end="")
        return

    from mustango.evaluate.run import evaluate
    from mustango.evaluate.scorecard import markdown, write_reports

    report = evaluate(setup_of(options), options.out, options.workers)
    paths = write_reports(report, options.out)
    print(markdown(report))
    print(f"{Path(options.out) / 'report.json'}, {', '.join(map(str, paths))} written")


def setup_of(options):
    """Return the Setup of the evaluation that is asked for."""
    from mustango.evaluate.setup import COLUMNS, Setup

    def names(text):
        return tuple(name.strip().lower() for name in text.split(",") if name.strip()) if text else ()

    return Setup(
        set=options.set, model=options.model, audio=options.audio, real=options.real, steps=options.steps,
        guidance=options.guidance, takes=options.takes, device=options.device, given=not options.words_only,
        limit=options.limit, seed=options.seed, dropped=options.dropped, columns=names(options.columns) or COLUMNS,
        judges=names(options.judges), embedding=options.embedding,
    )  # fmt: skip


def check_evaluation(options):
    """Raise InputError for options that do not go together, are out of bounds, or name what is not there."""
    from mustango.evaluate.testsets import load_cases
    from mustango.request.model_facts import read_facts
    from mustango.request.request import MAX_COUNT, Request, read_whole
    from mustango.train.checks import check_place

    if options.words is not None:
        refuse_beside("words", options, ("out", "model", "device", "steps", "guidance", "takes", "seed", "workers"))
    if options.audio:
        refuse_beside("audio", options, ("set", "out", "real", "limit", "columns", "judges", "embedding", "seed", "workers"))
    if not (options.set or options.words is not None) or not options.out:
        raise InputError(
            "no --set or no -o; write mustango evaluate --set composed:40 -o DIR, --words 200 -o DIR, or --compare A B"
        )
    for name, value, low in (("limit", options.limit, 1), ("dropped", options.dropped, 0), ("workers", options.workers, 1)):
        if value is not None and value < low:
            raise InputError(f"{name} {value} is below {low}; give a whole number from {low}")
    read_whole("takes", options.takes, 1, MAX_COUNT)
    Request(seed=options.seed, steps=options.steps, guidance=options.guidance).checked(math.inf)
    check_place(options.out)
    if options.set:
        load_cases(options.set, limit=1)
    if not options.audio:
        read_facts(options.model)
        check_device(options.device)


def refuse_beside(mode, options, used):
    """Raise InputError for an option of `mustango evaluate` beside --`mode`, which has no use for it."""
    for name, default in defaults_of(OPTIONS).items():
        if name not in (mode, *used) and getattr(options, name) != default:
            raise InputError(f"--{name.replace('_', '-')} says nothing beside --{mode}; leave one of the two out")
