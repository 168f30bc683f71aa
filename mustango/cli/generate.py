"""mustango generate: prompt, chords and tempo -> audio."""

import json
import sys
from contextlib import nullcontext

from musicbench import InputError
from mustango import ATTENTION, DTYPES, GUIDANCE, PREDICTORS, PRESETS, SCHEDULERS, STEPS
from mustango.cli.options import add_table, check_device
from mustango.cli.takes import left_to_make, next_paths, places_of, stem_path

WRITTEN_S = 3600  # what is older and still has a temporary name is a killed run's
ABOUT = {
    "help": "prompt, chords and tempo -> audio",
    "description": "Make music. What you give as options overrides what the prompt says; anything you leave out is "
    "drawn from the seed and reported.",
    "may_be_empty": ("prompt", "chords", "tempo", "key", "meter", "duration", "negative_prompt"),
}
WHAT = {
    "prompt": dict(nargs="?", help="what it should sound like, in words"),
    "--chords": dict(help="'C G Am F' (one a bar), 'C | G Am | F:2 G:2', '0:C 2.5:G' or 'I V vi IV'"),
    "--tempo": dict(help="beats per minute (20-300) or a word such as Allegro"),
    "--key": dict(help="such as 'A minor', 'Bb' or 'F#m'"),
    "--meter": dict(help="such as 4/4, 3/4 or 6/8"),
    "--parts": dict(metavar="A,B", help="which sound, of drums, bass, chords and lead (default: what suits the prompt)"),
    "--melody": dict(metavar="FILE", help="what the lead plays: a MIDI file, or sound in which it is heard"),
    "--drums": dict(metavar="FILE.mid", help="when the drums are struck: a MIDI file"),
    "--duration": dict(
        help="seconds, the bundled model 1 to 120, '1:30', '2 minutes', '8 bars', or chart (the chords once); "
        "default: what the prompt says, or 10.24"
    ),
    "--seed": dict(help="whole number; the same seed gives the same music (default 0)"),
}
HOW_MANY_STEPS = {"--steps": dict(help=f"denoising steps (default {STEPS})")} | {  # one of them
    f"--{name}": dict(
        dest="preset", action="store_const", const=name,
        help=" ".join(f"--{field.replace('_', '-')} {value}" for field, value in settings.items()),
    )
    for name, settings in PRESETS.items()
}  # fmt: skip
HOW = {
    "--guidance-interval": dict(metavar="A:B", help="the shares of the way from noise to music in which guidance acts, such as 0.2:0.8 (default 0:1)"),
    "--cache-interval": dict(help="compute the denoiser's lower levels at every so-many-th step, 1 to 10 (default 1)"),
    "--guidance": dict(help=f"how strictly to follow, 1 to about 5 (default {GUIDANCE:g})"),
    "--takes --count": dict(dest="count", help="how many; each has the next seed (default 1)"),
    "--pick": dict(
        default="all", choices=("all", "best"),
        help="best keeps the take in which madmom hears most of what was asked (default %(default)s)",
    ),
    "--loudness": dict(help="in LUFS, -40 to -5; -14 is usual for streaming (default: as it comes)"),
    "--tail": dict(help="seconds (0-10) in which the ending rings out after the duration (default 0, for loops)"),
    "--negative-prompt": dict(help="what it should not sound like"),
    "--model": dict(help="the bundled model, a model folder or a hub id (default mustango-mini, or the sidecars')"),
    "--lora": dict(
        action="append", metavar="FOLDER[:SCALE]",
        help="an adapter to make it with, a folder or the name of one that ships with the model; scale 1 if none is given; "
        "may be repeated",
    ),
    "--revision": dict(help="of a hub id: branch, tag or commit"),
    "--device": dict(default="cpu", help="cpu, cuda, cuda:1, mps (default %(default)s)"),
    "--dtype": dict(choices=DTYPES, help="(default float32, or the sidecars')"),
    "--attention": dict(choices=ATTENTION, help="the kernel of attention (default auto: torch chooses)"),
    "--prompts": dict(
        metavar="FILE.jsonl",
        help="many, written to the folder -o as ID.wav (00001.wav, ... by line), without -o into the current one: "
        "a line each with prompt, chords, tempo, meter, key, beats, duration, seed, id; or sidecars",
    ),
    "--resume": dict(
        action="store_true",
        help="with --prompts: leave out those whose files are there and made as they would be now",
    ),
    "--keep-going": dict(
        action="store_true", help="with --prompts: name the lines that cannot be played and make the others"
    ),
    "--dry-run": dict(
        action="store_true",
        help="load no model and write nothing: print the .json that each take would have, one a line, or what is wrong",
    ),
    "--scheduler": dict(choices=SCHEDULERS, help="ddpm is the original's (default dpm)"),
    "--predictors": dict(
        choices=PREDICTORS,
        help="auto asks the released predictors, if the model has them, for what nobody states; with neural they "
        "overrule the prompt, but not your options; reader chooses by rule (default auto)",
    ),
    "--low-memory": dict(action="store_true", help="load text encoder, denoiser and decoder one after the other"),
    "--stems": dict(
        action="store_const", const=True,
        help="make the parts one by one and write each beside their sum, as NAME-drums.wav and so on",
    ),
    "--midi": dict(action="store_true", help="also write chords and beats, as a .mid beside the sound"),
    "-o --out": dict(
        help="out.wav, .flac or .ogg; what is there is replaced (default: music.wav, then music-2.wav, ...); "
        "with --prompts a folder (default: the current one)"
    ),
}  # fmt: skip


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, WHAT)
    add_table(parser.add_mutually_exclusive_group(), HOW_MANY_STEPS)
    add_table(parser, HOW)


def takes_of(options):
    """Return how many takes of each prompt are asked for. Raises InputError for options that do not go together."""
    from mustango.request.request import MAX_COUNT, read_whole

    if (options.resume or options.keep_going) and not options.prompts:
        name = "--resume" if options.resume else "--keep-going"
        raise InputError(f"{name} goes on with the prompts of a file; give --prompts FILE.jsonl")
    takes = read_whole("takes", 1 if options.count is None else options.count, 1, MAX_COUNT)
    if options.pick == "best" and takes < 2:
        raise InputError(f"--pick best has {takes} take to choose from; give --takes 2 or more")
    return takes


def run(options):
    """Run `mustango generate`; everything that can be checked without the model is checked before it is loaded.

    Returns the exit status: 0; 1 if --keep-going left something out; 2 if something cannot be played and nothing was
    made.
    """
    from musicbench.hearing.by_madmom import madmom
    from musicbench.hearing.heard import METERS
    from mustango.hear.metrics import load_mir_eval
    from mustango.request.lines import lines_of

    for name, value in PRESETS.get(options.preset, {}).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    takes = takes_of(options)
    lines, loaded, facts = lines_of(options, takes)
    wanted = [line for line in lines if not line.error]
    places = places_of([line.id for line in wanted], options, 1 if options.pick == "best" else takes)
    check_device(options.device, loaded["dtype"])
    if options.pick == "best":
        madmom(tuple(METERS))
        load_mir_eval()
    todo = list(zip(wanted, places, strict=True))
    failed = 1 if options.keep_going and wanted else 2
    left_out = len(lines) - len(wanted)
    if not options.dry_run:
        for line in lines:
            if line.error:
                tell(line.error)
        if left_out and failed == 2:
            return failed
    if options.resume:
        todo = left_to_make(todo, facts, loaded, options, takes)
    if options.dry_run:
        ids = {line.id for line, _ in todo}
        dry_run([line for line in lines if line.error or line.id in ids], facts, loaded)
        return failed if left_out else 0
    if todo:
        told = tell_lacks([line for line, _ in todo], facts.knows)
        left_out += make(todo, loaded, options, told)
    return failed if left_out else 0


# ---------------------------------------------------------------------------------------------------- told


def tell(error):
    """Write what cannot be made to standard error, a line each."""
    print(f"mustango: {error}", file=sys.stderr, flush=True)


def dry_run(lines, facts, loaded):
    """Print the sidecars that would be written, a line each, or what is wrong.

    Those of a prompts file have the line's id, too.
    """
    from mustango.request.sidecar import sidecars_of

    for line in lines:
        name = {"id": line.id} if line.where else {}
        if line.error:
            print(json.dumps(name | {"prompt": line.fields.get("prompt") or "", "error": line.error}))
            tell(line.error)
            continue
        for sidecar in sidecars_of(line.asked, facts, loaded):
            print(json.dumps(name | sidecar))


def tell_lacks(lines, knows):
    """Say what the prompts ask that the model lacks; returns what was told."""
    told = set()
    for line in lines:
        notes = knows.notes_on(line.asked.request.prompt, line.asked.takes[0].meter) if knows else ()
        for note in notes:
            print(f"{line.where}: {note}" if line.where else note, file=sys.stderr, flush=True)
        told.update(notes)
    return told


def summary(path, replaced, controls, seed, tail_s=0.0, told=()):
    """Say in one line what was made and where each control came from.

    Below it stands each note on what is played otherwise than asked.
    told: notes that were told before.
    """
    from mustango.request.controls import SAID

    names = [c.lead_sheet(controls.key) for c in controls.chords]
    shown = " ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    tags = {name: SAID[value] for name, value in controls.origin.items()}
    key = f"{controls.key}{tags['key']}, " if controls.key_heard_in else ""
    lasts = f"{controls.duration_s:g} s{tags['duration'] if controls.origin['duration'] == 'prompt' else ''}"
    if tail_s:
        lasts += f" and a tail of {tail_s:g} s, {controls.duration_s + tail_s:g} s in all"
    return (
        f"{path}{' (replaced)' if replaced else ''}: {lasts}, {controls.bpm:g} bpm{tags['tempo']}, "
        f"{controls.meter}{tags['meter']}, {key}{shown}{tags['chords']}, seed {seed}"
        + "".join(f"\n  {note}" for note in controls.notes if note not in told)
    )


# ---------------------------------------------------------------------------------------------------- made


def make(todo, loaded, options, told):
    """Load the model and make the takes of [(line, paths), ...]; returns how many --keep-going left out.

    loaded: what the model is loaded with. told: notes that were told before.
    """
    from tqdm import tqdm

    from musicbench.files import alone_in, sweep_torn
    from mustango.pipeline import load_pipeline

    left_out = 0
    for folder in {path.parent for _, paths in todo for path in paths}:
        sweep_torn(folder, older_s=WRITTEN_S)
    pipeline = load_pipeline(
        loaded["model"], options.device, loaded["dtype"], quiet=True, low_memory=options.low_memory, attention=loaded["attention"],
        revision=loaded["revision"], fetch_predictors=any(line.asked.asks_predictors for line, _ in todo),
    )  # fmt: skip
    steps = sum(line.asked.request.steps for line, _ in todo)
    with (
        alone_in(options.out or ".") if options.prompts else nullcontext(),
        tqdm(total=steps, desc="composing", unit="step", disable=None) as bar,
    ):
        for line, paths in todo:
            try:
                output = play(pipeline, line.asked, bar)
                if not options.out and not options.prompts:
                    paths = next_paths(len(paths))  # another run may have taken the names meanwhile
                write(output, line.asked.request, loaded, paths, options, told, bar)
            except InputError as error:
                if not options.keep_going:
                    raise
                bar.write(f"mustango: {line.where}: {error}", file=sys.stderr)
                left_out += 1
    return left_out


def play(pipeline, asked, bar):
    """Make the takes of a settled request, its steps shown on the bar."""

    def on_step(step, steps):
        if step == 1:
            bar.total += steps - asked.request.steps  # many or long takes are made in parts
        bar.update()

    return pipeline.play([asked], on_step)


def write(output, request, loaded, paths, options, told, bar):
    """Write the takes of an output that are kept to `paths`, each with its sidecar, and say so."""
    from musicbench.files import save_json
    from musicbench.scores.midi import save_midi
    from musicbench.sound.audio import save_audio
    from mustango.hear.obeyed import best_take
    from mustango.pipeline import sidecar
    from mustango.request.sidecar import made_with

    how, kept = made_with(request, loaded), range(len(output.seeds))
    if options.pick == "best":
        best, scores = best_take(output)
        kept, how["picked"] = [best], {"of": len(scores), "shares": [round(s.share, 3) for s in scores]}
        heard = ", ".join(f"{s.share:.0%}" for s in scores)
        bar.write(f"heard of what was asked: {heard}; take {best + 1} is kept", file=sys.stdout)
    for i, path in zip(kept, paths, strict=True):
        replaced = path.exists()
        save_audio(path, output.audios[i], output.sample_rate)
        for part, samples in (output.stems[i] if output.stems else {}).items():
            save_audio(stem_path(path, part), samples, output.sample_rate)
        if options.midi:
            save_midi(path.with_suffix(".mid"), output.controls[i])
        save_json(path.with_suffix(".json"), sidecar(output, i, request.prompt, how))
        bar.write(summary(path, replaced, output.controls[i], output.seeds[i], request.tail, told), file=sys.stdout)
