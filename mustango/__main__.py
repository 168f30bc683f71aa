"""Command line: python -m mustango generate | evaluate | train | convert. Asking for help does not load torch."""

import json
import os
import re
import sys
from functools import partial
from pathlib import Path

from musicbench import InputError, Parser, __version__, number, positive, run_command, whole
from mustango import DTYPES, PREDICTORS, SCHEDULERS

FAST_STEPS = 10  # half of the default's


def build_parser():
    parser = Parser("mustango", description="Make music from a prompt, chords and a tempo.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    generate = commands.add_parser(
        "generate",
        help="prompt, chords and tempo -> audio",
        description="Make music. What you give as options overrides what the prompt says; anything you leave out is "
        "drawn from the seed and reported.",
        may_be_empty=("prompt", "chords", "tempo", "key", "meter", "duration", "negative_prompt"),
    )
    generate.add_argument("prompt", nargs="?", help="what it should sound like, in words")
    generate.add_argument("--chords", help="'C G Am F' (one a bar), 'C | G Am | F:2 G:2', '0:C 2.5:G' or 'I V vi IV'")
    generate.add_argument("--tempo", help="beats per minute (20-300) or a word such as Allegro")
    generate.add_argument("--key", help="such as 'A minor', 'Bb' or 'F#m'")
    generate.add_argument("--meter", help="such as 4/4, 3/4 or 6/8")
    generate.add_argument(
        "--duration",
        help="seconds, the bundled model 1 to 120, '1:30', '2 minutes', '8 bars', or chart (the chords once); default: what the prompt says, or 10.24",
    )
    generate.add_argument("--seed", help="whole number; the same seed gives the same music (default 0)")
    steps = generate.add_mutually_exclusive_group()
    steps.add_argument("--steps", help="denoising steps (default 20)")
    steps.add_argument("--fast", dest="steps", action="store_const", const=FAST_STEPS, help=f"{FAST_STEPS} steps")
    generate.add_argument("--guidance", help="how strictly to follow, 1 to about 5 (default 3)")
    generate.add_argument("--takes", "--count", dest="count", help="how many; each has the next seed (default 1)")
    generate.add_argument(
        "--pick",
        default="all",
        choices=("all", "best"),
        help="best keeps the take in which madmom hears most of what was asked (default %(default)s)",
    )
    generate.add_argument("--loudness", help="in LUFS, -40 to -5; -14 is usual for streaming (default: as it comes)")
    generate.add_argument("--tail", help="seconds (0-10) in which the ending rings out after the duration (default 0, for loops)")
    generate.add_argument("--negative-prompt", help="what it should not sound like")
    generate.add_argument("--model", help="the bundled model, a model folder or a hub id (default mustango-mini, or the sidecars')")
    generate.add_argument("--revision", help="of a hub id: branch, tag or commit")
    generate.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default %(default)s)")
    generate.add_argument("--dtype", choices=DTYPES, help="(default float32, or the sidecars')")
    generate.add_argument(
        "--prompts",
        metavar="FILE.jsonl",
        help="many, written to the folder -o as ID.wav (00001.wav, ... by line), without -o into the current one: a line each with prompt, chords, tempo, meter, key, beats, duration, seed, id; or sidecars",
    )
    generate.add_argument(
        "--resume", action="store_true", help="with --prompts: leave out those whose files are there and made as they would be now"
    )
    generate.add_argument(
        "--keep-going", action="store_true", help="with --prompts: name the lines that cannot be played and make the others"
    )
    generate.add_argument(
        "--dry-run",
        action="store_true",
        help="load no model and write nothing: print the .json that each take would have, one a line, or what is wrong",
    )
    generate.add_argument("--scheduler", choices=SCHEDULERS, help="ddpm is the original's (default dpm)")
    generate.add_argument(
        "--predictors",
        choices=PREDICTORS,
        help="auto asks the released predictors, if the model has them, for what nobody states; neural asks them always, and they come "
        "before the prompt, not before options; reader chooses by rule (default auto)",
    )
    generate.add_argument("--low-memory", action="store_true", help="load text encoder, denoiser and decoder one after the other")
    generate.add_argument("--midi", action="store_true", help="also write chords and beats, as a .mid beside the sound")
    generate.add_argument(
        "-o",
        "--out",
        help="out.wav, .flac or .ogg; what is there is replaced (default: music.wav, then music-2.wav, ...); with --prompts a folder "
        "(default: the current one)",
    )

    train = commands.add_parser("train", help="train a part of the model on dataset rows")
    train.add_argument(
        "part",
        choices=("start", "vae", "sharpen", "vocoder", "refiner", "postfilter", "text", "munet", "bundle"),
        help="vae, sharpen (measures what the VAE softens), vocoder, refiner and postfilter (of the vocoder), text (takes a text encoder in), munet, "
        "bundle (makes a model); start begins from a model instead",
    )
    train.add_argument("-o", "--out", required=True, metavar="RUN", help="run folder: states, curves and parts; run again to go on")
    train.add_argument("--data", metavar="DIR", help="dataset folder, as `musicbench compose` and `build` write it")
    train.add_argument(
        "--held-out", metavar="DIR", help="dataset folder not to learn from: the loss on it is logged as the run goes"
    )
    train.add_argument(
        "--remember", metavar="DIR",
        help="munet: dataset folder of what the model knows already; on it the run keeps to what the model predicted when the run began",
    )  # fmt: skip
    train.add_argument("--steps", type=positive, default=10_000, help="optimizer steps in all (default %(default)s)")
    train.add_argument("--minutes", type=number, help="stop after so many minutes; run again to go on")
    train.add_argument("--batch-size", type=positive, default=8, help="clips a step (default %(default)s)")
    train.add_argument("--lr", type=number, default=5e-4, help="peak learning rate (default %(default)s)")
    train.add_argument("--seed", type=whole, default=0, help="(default %(default)s)")
    train.add_argument("--threads", type=positive, help="CPU threads")
    train.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where to train (default %(default)s)")
    train.add_argument(
        "--bf16",
        action="store_true",
        help="munet, refiner, vocoder: matrix products in bfloat16, faster on a CPU that has AVX512_BF16 or AMX (munet on a GPU: always)",
    )
    train.add_argument("--loaders", type=positive, default=0, help="processes that draw batches ahead (default: none)")
    train.add_argument("--text-encoder", metavar="DIR", help="text: folder of the frozen encoder and its tokenizer")
    train.add_argument("--from", dest="source", metavar="MODEL", help="start: the model to go on from or to fine-tune")
    train.add_argument("--to", metavar="DIR", help="bundle: the model folder to write")

    evaluate = commands.add_parser(
        "evaluate",
        help="how well the music obeys, and how it sounds",
        description="Generate for a test set (or take a folder of audio), let independent judges hear it, and print how much of "
        "what was asked they heard, beside what they hear in the set's own audio. Writes report.json, report.md and report.html; "
        "run again to go on.",
    )
    evaluate.add_argument(
        "--set", help="composed:N, composed:N:SEED (needs FluidSynth), or a JSON Lines file, such as MusicBench's"
    )
    evaluate.add_argument("-o", "--out", metavar="DIR", help="the evaluation's folder")
    evaluate.add_argument("--compare", nargs=2, metavar=("A", "B"), help="two evaluations' folders: B against A, paired by clip")
    evaluate.add_argument("--audio", metavar="FOLDER", help="judge these files, named after the set's clips, in place of a model")
    evaluate.add_argument("--real", metavar="FOLDER", help="the set's own audio, if it does not lie where its rows say")
    evaluate.add_argument("--model", default="mustango-mini", help="(default %(default)s)")
    evaluate.add_argument("--device", default="cpu", help="(default %(default)s)")
    evaluate.add_argument("--steps", type=whole, default=20, help="(default %(default)s)")
    evaluate.add_argument("--guidance", type=number, default=3.0, help="(default %(default)s)")
    evaluate.add_argument(
        "--takes", type=whole, default=1, help="judge the best of so many takes, picked by madmom as `generate --pick best` does"
    )
    evaluate.add_argument(
        "--words",
        type=whole,
        metavar="N",
        help="in place of --set: do instruments, drums, moods, breaks and contradictions in N prompts come true?",
    )
    evaluate.add_argument("--words-only", action="store_true", help="give the model the prompts without the rows' controls")
    evaluate.add_argument("--limit", type=whole, help="only the first N clips of the set")
    evaluate.add_argument("--columns", help="of model, real, round trip, shuffled, dropped, with commas (default: all)")
    evaluate.add_argument("--dropped", type=whole, default=30, help="clips made without controls (default %(default)s)")
    evaluate.add_argument("--judges", help="of madmom, chordino, librosa, essentia (default: the first three, as installed)")
    evaluate.add_argument(
        "--embedding",
        default="musicnn",
        help="musicnn or clap, =FOLDER for its weights, or none (default %(default)s)",
    )
    evaluate.add_argument(
        "--seed", type=whole, default=0, help="of shuffling and intervals, with --words of the clips too (default %(default)s)"
    )
    evaluate.add_argument("--workers", type=whole, help="processes that listen (default: as many as there are cores)")

    convert = commands.add_parser("convert", help="released checkpoint -> a folder in this layout")
    convert.add_argument("source", help="folder or hub id in the released layout")
    convert.add_argument("target", help="folder to write; must not exist")
    convert.add_argument("--revision", help="of a hub id: branch, tag or commit")
    convert.add_argument("--dtype", choices=DTYPES, help="store weights so (default: as they are)")
    convert.add_argument("--tokenizer", help="the text encoder's tokenizer, name or folder (default: the one the release names)")
    convert.add_argument("--beat-tokenizer", help="the beat predictor's tokenizer, name or folder")
    convert.add_argument("--chord-tokenizer", help="the chord predictor's tokenizer, name or folder")
    convert.add_argument("--without-predictors", action="store_true", help="leave the beat and chord predictors out")
    return parser


# ---------------------------------------------------------------------------------------------------- generate


def next_paths(count):
    """Return where takes go that nobody has named: music.wav, or music-1.wav and so on, after those that are there."""
    found = (re.fullmatch(r"music(?:-(\d+))?\.(wav|json|mid)", path.name) for path in Path().iterdir())
    first = max((int(match[1] or 1) for match in found if match), default=0) + 1
    return [Path("music.wav")] if first == count == 1 else [Path(f"music-{first + i}.wav") for i in range(count)]


def numbered(path, count):
    """Return where `count` takes go: `path`, numbered if they are several."""
    return [path.with_stem(f"{path.stem}-{i + 1}") for i in range(count)] if count > 1 else [path]


def check_places(paths, suffixes):
    """Raise InputError unless every file of takes can be written: the sound at `paths`, and what lies beside it."""
    for place in (path.with_suffix(suffix) for path in paths for suffix in (path.suffix, *suffixes)):
        size = len(os.fsencode(place.name))
        if size > 255:
            raise InputError(f"the name {place.name[:40]}... would have {size} bytes, above 255; choose a shorter one")
        if place.is_dir():
            raise InputError(f"{place} is a folder, where a file is to be written; choose another name or place")


def summary(path, replaced, controls, seed, tail_s=0.0, told=()):
    """Say in one line what was made and where each control came from; below it each note on what is played otherwise than asked.

    told: notes that were told before.
    """
    from mustango.reader import SAID

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


def places_of(requests, options, count):
    """Return where the takes of each request go, `count` each. Raises InputError unless all can be written there."""
    from musicbench.clip import check_audio_path, check_folder
    from musicbench.songs import SUFFIXES

    is_folder_name = str(options.out or "").endswith(("/", os.sep))
    if options.prompts:
        out = Path(options.out or ".")
        if out.suffix.lower() in (*SUFFIXES, ".json", ".mid") and not out.is_dir() and not is_folder_name:
            raise InputError(
                f"-o {options.out} is the name of a file; with --prompts give a folder, or {options.out}/ if you mean one"
            )
        check_folder(out)
        places = [numbered(out / f"{request['id']}.wav", count) for request in requests]
    else:
        out = Path("music.wav" if options.out is None else options.out)
        if is_folder_name:
            raise InputError(f"-o {options.out} is the name of a folder; give a file, such as {out / 'music.wav'}")
        check_audio_path(out)
        places = [next_paths(count) if options.out is None else numbered(out, count) for _ in requests]
    check_places([path for paths in places for path in paths], (".json", ".mid") if options.midi else (".json",))
    return places


def tell(error):
    """Write what cannot be made to standard error, a line each."""
    print(f"mustango: {error}", file=sys.stderr, flush=True)


def dry_run(requests, facts):
    """Print the sidecars that would be written, a line each, those of a prompts file with the line's id; or what is wrong."""
    from mustango.requests import sidecars_of

    for request in requests:
        name = {"id": request["id"]} if request["where"] else {}
        for sidecar in sidecars_of(request, facts):
            print(json.dumps(name | sidecar))
        if "error" in request:
            tell(request["error"])


def tell_lacks(requests, knows):
    """Say what the prompts ask that the model lacks, before anything is made, and note in each request what was "told"."""
    for request in requests:
        request["told"] = knows.notes_on(request["prompt"], request["plans"][0].meter) if knows else ()
        for note in request["told"]:
            print(f"{request['where']}: {note}" if request["where"] else note, file=sys.stderr, flush=True)


def check_device(device, dtype="float32"):
    """Raise InputError unless a device can be used; the CPU always can, and its check would only load torch early."""
    from mustango.requests import check_device_named

    check_device_named(device, dtype)
    if device != "cpu":
        from mustango.pipeline import check_device as check_with_torch

        check_with_torch(device)


def takes_of(options):
    """Return how many takes of each prompt are asked for. Raises InputError for options that do not go together."""
    from mustango.reader import MAX_COUNT, read_number

    if (options.resume or options.keep_going) and not options.prompts:
        name = "--resume" if options.resume else "--keep-going"
        raise InputError(f"{name} goes on with the prompts of a file; give --prompts FILE.jsonl")
    takes = read_number("takes", 1 if options.count is None else options.count, int, 1, MAX_COUNT)
    if options.pick == "best" and takes < 2:
        raise InputError(f"--pick best has {takes} take to choose from; give --takes 2 or more")
    return takes


def generate(options):
    """Run `mustango generate`; everything that can be checked without the model is checked before it is loaded.

    Returns the exit status: 0; 1 if --keep-going left something out; 2 if something cannot be played and nothing was made.
    """
    from musicbench.features import METERS, madmom
    from mustango.metrics import load_mir_eval
    from mustango.requests import requests_of

    takes = takes_of(options)
    requests, facts = requests_of(options, takes)
    wanted = [request for request in requests if "error" not in request]
    places = places_of(wanted, options, 1 if options.pick == "best" else takes)
    check_device(options.device, wanted[0]["dtype"] if wanted else "float32")
    if options.pick == "best":
        madmom(tuple(METERS))
        load_mir_eval()
    todo = list(zip(wanted, places, strict=True))
    failed = 1 if options.keep_going and wanted else 2
    left_out = len(requests) - len(wanted)
    if not options.dry_run:
        for request in requests:
            if "error" in request:
                tell(request["error"])
        if left_out and failed == 2:
            return failed
    if options.resume:
        todo = left_to_make(todo, facts, options, takes)
    if options.dry_run:
        ids = {request.get("id") for request, _ in todo}
        dry_run([request for request in requests if "error" in request or request.get("id") in ids], facts)
        return failed if left_out else 0
    if todo:
        tell_lacks([request for request, _ in todo], facts.knows)
        left_out += make(todo, takes, options)
    return failed if left_out else 0


def left_to_make(wanted, facts, options, takes):
    """Return those of [(settled request, paths), ...] whose files are not there, whole and as they would be now.

    Says how many are, and which were made otherwise.
    """
    todo, changed = [], []
    for request, paths in wanted:
        if not all(_is_written(path) and (not options.midi or path.with_suffix(".mid").is_file()) for path in paths):
            todo.append((request, paths))
        elif differs := made_otherwise(request, paths, facts, options, takes):
            todo.append((request, paths))
            changed.append(differs)
    told = f"{len(wanted) - len(todo)} of {len(wanted)} prompts are made already"
    if changed:
        shown = "; ".join(changed[:3]) + ("; ..." if len(changed) > 3 else "")
        told += f"; made otherwise, and made again: {len(changed)} ({shown})"
    print(told, file=sys.stderr if options.dry_run else sys.stdout, flush=True)
    return todo


def made_otherwise(request, paths, facts, options, takes):
    """Say which take at `paths`, all whole, is not what the settled request asks for now, and in what; None where all are."""
    from mustango.requests import difference, sidecars_of

    would = sidecars_of(request, facts)
    for i, path in enumerate(paths):
        there = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        expected = would[i]
        if options.pick == "best":
            picked = there.get("picked")
            if not isinstance(picked, dict) or picked.get("of") != takes:
                return f"{path} is not the best of {takes} takes"
            expected = next((sidecar for sidecar in would if sidecar["seed"] == there.get("seed")), would[0])
        name = difference(there, expected)
        if name:
            return f"{path} has another {name.replace('_', ' ')}"
    return None


def make(todo, takes, options):
    """Load the model and make the takes of [(settled request, paths), ...]; returns how many --keep-going left out."""
    from tqdm import tqdm

    from mustango.pipeline import load_pipeline
    from mustango.requests import asks_predictors

    how, left_out = todo[0][0], 0
    pipeline = load_pipeline(
        how["model"], options.device, how["dtype"], quiet=True, low_memory=options.low_memory, revision=how["revision"],
        fetch_predictors=any(asks_predictors(request) for request, _ in todo),
    )  # fmt: skip
    if options.prompts and options.out:
        Path(options.out).mkdir(exist_ok=True)
    with tqdm(total=sum(request["steps"] for request, _ in todo), desc="composing", unit="step", disable=None) as bar:
        for request, paths in todo:
            try:
                play(pipeline, request, takes, options, paths, bar)
            except InputError as error:
                if not options.keep_going:
                    raise
                bar.write(f"mustango: {request['where']}: {error}", file=sys.stderr)
                left_out += 1
    return left_out


def _is_written(path):
    """Return whether a take and its sidecar, which is written last, are there and whole."""
    from musicbench.clip import is_whole_audio

    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        lasts_s = float(about["duration"]) + float(about.get("tail") or 0)
        return is_whole_audio(path, lasts_s, tolerance_s=1e-4)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def play(pipeline, request, takes, options, paths, bar):
    """Make the takes of a settled request and write those that are kept to `paths`, each with its sidecar."""
    from musicbench.clip import save_audio, save_json
    from mustango.midi import save_midi
    from mustango.obeyed import best_take
    from mustango.pipeline import sidecar
    from mustango.requests import CONTROLS, SETTINGS, made_with

    asked = {name: request.get(name) for name in (*CONTROLS, "seed")}
    if request["exact"]:
        asked = {"controls": request["plans"][0], "seed": request["seed"]}
    how = made_with(request)
    pipeline.set_scheduler(request["scheduler"])
    called = {name: request[name] for name in SETTINGS if name != "scheduler"}

    def on_step(step, steps):
        if step == 1:
            bar.total += steps - request["steps"]  # many or long takes are made in parts
        bar.update()

    output = pipeline(request["prompt"], **asked, **called, count=takes, on_step=on_step)
    if not options.out and not options.prompts:
        paths = next_paths(len(paths))  # another run may have taken the names meanwhile
    kept = range(takes)
    if options.pick == "best":
        best, scores = best_take(output)
        kept, how["picked"] = [best], {"of": len(scores), "shares": [round(s.share, 3) for s in scores]}
        heard = ", ".join(f"{s.share:.0%}" for s in scores)
        bar.write(f"heard of what was asked: {heard}; take {best + 1} is kept", file=sys.stdout)
    for i, path in zip(kept, paths, strict=True):
        replaced = path.exists()
        save_audio(path, output.audios[i], output.sample_rate)
        if options.midi:
            save_midi(path.with_suffix(".mid"), output.controls[i])
        save_json(path.with_suffix(".json"), sidecar(output, i, request["prompt"], how))
        told = request.get("told", ())
        bar.write(summary(path, replaced, output.controls[i], output.seeds[i], request["tail"], told), file=sys.stdout)


# ---------------------------------------------------------------------------------------------------- train


def train(options):
    """Run `mustango train`; what can be checked without torch is checked before it is loaded."""
    from mustango.training_checks import check_training

    check_training(options, vars(build_parser().parse_args(["train", options.part, "-o", "x"])))

    import torch

    from mustango import train as training
    from mustango.train_munet import Remembering, TrainMuNet, check_remembering
    from mustango.train_vocoder import TrainPostfilter, TrainRefiner, TrainVocoder, measure_sharpening

    if options.threads:
        torch.set_num_threads(options.threads)
    if options.part == "munet":
        check_remembering(options.out, options.remember, options.held_out)
    if options.part == "start":
        training.start_from(options.out, options.source)
        return 0
    if options.part == "text":
        training.take_text_encoder(options.out, options.text_encoder)
        return 0
    if options.part == "sharpen":
        measure_sharpening(options.data, options.out, options.seed)
        return 0
    if options.part == "bundle":
        training.bundle(options.out, options.to)
        return 0
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; leave --device out to train on the CPU")
    torch.set_float32_matmul_precision("high")  # TF32 where there is a GPU
    torch.manual_seed(options.seed)  # of new weights
    tasks = {
        "vae": training.TrainVAE, "vocoder": TrainVocoder, "refiner": TrainRefiner, "postfilter": TrainPostfilter, "munet": TrainMuNet,
    }  # fmt: skip
    task_of = partial(tasks[options.part], bf16=True) if options.bf16 else tasks[options.part]
    task = task_of(options.data, options.out, device)
    if options.remember:
        task = Remembering(task, task_of(options.remember, options.out, device), options.out)
    training.fit(
        task,
        options.out,
        steps=options.steps,
        lr=options.lr,
        batch_size=options.batch_size,
        held_out=options.held_out and task_of(options.held_out, options.out, device),
        seed=options.seed,
        minutes=options.minutes,
        loaders=options.loaders,
    )
    return 0


def refuse_beside(mode, options, used):
    """Raise InputError for an option of `mustango evaluate` beside --`mode`, which has no use for it."""
    for name, default in vars(build_parser().parse_args(["evaluate"])).items():
        if name not in (mode, "command", *used) and getattr(options, name) != default:
            raise InputError(f"--{name.replace('_', '-')} says nothing beside --{mode}; leave one of the two out")


def evaluate(options):
    """Run `mustango evaluate`."""
    from mustango.reader import MAX_COUNT, check_options, read_number
    from mustango.sidecar import read_facts
    from mustango.testsets import load_cases
    from mustango.training_checks import check_place

    if options.compare:
        refuse_beside("compare", options, ("seed",))
        from mustango.evaluate import compare
        from mustango.scorecard import compared_markdown

        print(compared_markdown(compare(*options.compare, seed=options.seed), *options.compare), end="")
        return 0
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
    read_number("takes", options.takes, int, 1, MAX_COUNT)
    check_options("", None, options.seed, options.takes, options.steps, options.guidance, longest_s=0)
    check_place(options.out)
    if options.set:
        load_cases(options.set, limit=1)
    if not options.audio:
        read_facts(options.model)
        check_device(options.device)
    if options.words is not None:
        from mustango.words import WordsSetup, evaluate_words, words_markdown

        setup = WordsSetup(
            count=options.words, seed=7 + options.seed, model=options.model, device=options.device, steps=options.steps,
            guidance=options.guidance, takes=options.takes,
        )  # fmt: skip
        print(words_markdown(evaluate_words(setup, options.out, options.workers or os.cpu_count() or 1)), end="")
        return 0

    from mustango.evaluate import COLUMNS, Setup
    from mustango.evaluate import evaluate as run
    from mustango.scorecard import markdown, write_reports

    def names(text):
        return tuple(name.strip().lower() for name in text.split(",") if name.strip()) if text else ()

    setup = Setup(
        set=options.set, model=options.model, audio=options.audio, real=options.real, steps=options.steps, guidance=options.guidance,
        takes=options.takes, device=options.device, given=not options.words_only, limit=options.limit, seed=options.seed, dropped=options.dropped,
        columns=names(options.columns) or COLUMNS, judges=names(options.judges), embedding=options.embedding,
    )  # fmt: skip
    report = run(setup, options.out, options.workers)
    paths = write_reports(report, options.out)
    print(markdown(report))
    print(f"{Path(options.out) / 'report.json'}, {', '.join(map(str, paths))} written")
    return 0


def convert(options):
    """Run `mustango convert`."""
    from mustango import checkpoint

    roles = {"tokenizer": options.tokenizer, "beat_tokenizer": options.beat_tokenizer, "chord_tokenizer": options.chord_tokenizer}
    for role in ("beat_tokenizer", "chord_tokenizer") if options.without_predictors else ():
        if roles[role]:
            raise InputError(f"--{role.replace('_', '-')} says nothing beside --without-predictors; leave one of the two out")
    checkpoint.check_target(options.target)
    checkpoint.check_released(checkpoint.model_folder(options.source, options.revision, "configs"), options.source)

    import torch

    checkpoint.convert(
        options.source,
        options.target,
        getattr(torch, options.dtype) if options.dtype else None,
        {role: name for role, name in roles.items() if name},
        not options.without_predictors,
        options.revision,
    )
    print(f"{options.source} converted into {options.target}")
    return 0


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    command = {"generate": generate, "evaluate": evaluate, "train": train, "convert": convert}[options.command]
    return run_command("mustango", command, options)


if __name__ == "__main__":
    sys.exit(main())
