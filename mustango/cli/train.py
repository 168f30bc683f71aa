"""mustango train: dataset rows -> a part of the model."""

from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

from musicbench import InputError, number, positive, whole
from musicbench.files import alone_in
from mustango.cli.options import add_table, defaults_of

ABOUT = {"help": "train a part of the model on dataset rows"}
OPTIONS = {
    "part": dict(
        choices=("start", "vae", "sharpen", "vocoder", "refiner", "postfilter", "text", "munet", "adapter", "bundle"),
        help="to fine-tune: start (copies a model into a run), munet (trains it), bundle (makes a model of the run); "
        "adapter (a few MB beside a model, for generate --lora); "
        "from nothing: vae, sharpen (measures what the VAE softens), vocoder, refiner and postfilter (of the vocoder), "
        "text (takes a text encoder in), munet, bundle",
    ),
    "-o --out": dict(
        required=True, metavar="RUN", help="run folder: states, curves and parts; run again to go on"
    ),
    "--data": dict(
        metavar="DIR",
        help="dataset folder, as `musicbench compose` and `build` write it; for munet and adapter also a JSON Lines file "
        "such as MusicBench_train.json, tar shards ('data/*.tar', s3://...) or a hub id",
    ),
    "--audio": dict(metavar="DIR", help="munet, adapter: folder that the locations of a JSON Lines file are in (default: the file's)"),
    "--held-out": dict(
        metavar="DIR", help="dataset folder not to learn from, or DATASET/validation: the loss on it is logged as the run goes"
    ),
    "--remember": dict(
        metavar="DIR",
        help="munet: dataset folder of what the model knows already; on it the run keeps to what the model predicted "
        "when the run began",
    ),
    "--steps": dict(type=positive, default=10_000, help="optimizer steps in all (default %(default)s)"),
    "--minutes": dict(type=number, help="stop after so many minutes; run again to go on"),
    "--save-every": dict(type=positive, default=200, help="steps between two saved states (default %(default)s)"),
    "--batch-size": dict(type=positive, help="clips a step (default 8, or the recipe's)"),
    "--lr": dict(type=number, help="peak learning rate (default 5e-4, or the recipe's)"),
    "--recipe": dict(metavar="FILE.toml", help="munet: how it is trained; recipes/mustango.toml is as the paper's authors did"),
    "--seed": dict(type=whole, default=0, help="(default %(default)s)"),
    "--threads": dict(type=positive, help="CPU threads"),
    "--device": dict(default="cpu", choices=("cpu", "cuda"), help="where to train (default %(default)s)"),
    "--bf16": dict(
        action="store_true",
        help="munet, refiner, vocoder: matrix products in bfloat16, faster on a CPU that has AVX512_BF16 or AMX (munet "
        "on a GPU: always)",
    ),
    "--fp16": dict(action="store_true", help="munet, adapter: half precision on a GPU, in place of bfloat16"),
    "--accumulate": dict(
        type=positive, default=1, help="munet, adapter: parts in which a batch is learnt from, one after the other, to save memory (default none)"
    ),
    "--checkpointing": dict(
        action="store_true", help="munet, adapter: compute attention again on the way back, slower, to save memory"
    ),
    "--log": dict(
        choices=("tensorboard", "wandb", "none"),
        help="also log for TensorBoard (default, where it is installed) or Weights & Biases; the curve is always written",
    ),
    "--listen-every": dict(
        type=positive,
        help="munet, adapter: steps after which a few prompts are played with the averaged weights; the clips and how well they obey "
        "go into the run's folder and the log (default: never)",
    ),
    "--listen-to": dict(metavar="FILE.jsonl", help="with --listen-every: the prompts, as `mustango generate --prompts` takes them (default: four of our own)"),
    "--loaders": dict(type=positive, default=0, help="processes that draw batches ahead (default: none)"),
    "--rank": dict(type=positive, default=8, help="adapter: how many directions it changes in a layer (default %(default)s)"),
    "--licence": dict(help="adapter: of the songs that it learns from, told in its card beside what the rows say"),
    "--text-encoder": dict(metavar="DIR", help="text: folder of the frozen encoder and its tokenizer"),
    "--from": dict(dest="source", metavar="MODEL", help="start: the model to go on from or to fine-tune; adapter: its model (default mustango-mini)"),
    "--new-attentions": dict(
        choices=("fresh", "copied"),
        help="start from Tango's weights, which know no beats and chords: attention to them begins fresh and adds "
        "nothing at first (default), or copied from the text's",
    ),
    "--tokenizer": dict(metavar="DIR", help="start from Tango's weights: folder of its tokenizer (default: the one it names)"),
    "--to": dict(metavar="DIR", help="bundle: the model folder to write"),
}  # fmt: skip


TELL = {
    "start": "{run} begins with that model; go on with: mustango train munet -o {run} --data DATASET",
    "adapter": 'the adapter is written to {run}/adapter; try: mustango generate "calm piano" --lora {run}/adapter',
    "bundle": 'the model is written to {model}; try: mustango generate "calm piano" --model {model}',
}


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)


def run(options):
    """Run `mustango train`; what can be checked without torch is checked before it is loaded."""
    from mustango.train.checks import check_training, launched

    is_first = launched()[0] == 0  # of several processes, the one that checks, locks, writes and tells
    if is_first:
        check_training(options, defaults_of(OPTIONS, options.part, "-o", "x"))
    with _run_folder(options.out) if is_first else nullcontext():
        train_part(options, is_first)
    if options.part in TELL and is_first:
        print(TELL[options.part].format(run=options.out, model=options.to))
    return 0


@contextmanager
def _run_folder(run):
    """Keep other trainings out of a run's folder, which is made and, where nothing came of it, deleted."""
    is_new = not Path(run).exists()
    try:
        with alone_in(run):
            yield
    finally:
        if is_new:
            with suppress(OSError):  # something is in it
                Path(run).rmdir()


def train_part(options, is_first=True):
    """Do what is asked in a run's folder that nobody else writes meanwhile. Raises InputError."""
    import torch

    from mustango.train.loop import bundle, take_text_encoder
    from mustango.train.parts import mend_run, start_from
    from mustango.train.remembering import check_remembering
    from mustango.train.vocoder import measure_sharpening

    if is_first:
        mend_run(options.out)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.part == "munet":
        check_remembering(options.out, options.remember, options.held_out)
    at_once = {
        "start": lambda: start_from(options.out, options.source, options.new_attentions or "fresh", options.tokenizer),
        "text": lambda: take_text_encoder(options.out, options.text_encoder),
        "sharpen": lambda: measure_sharpening(options.data, options.out, options.seed),
        "bundle": lambda: bundle(options.out, options.to),
    }
    at_once.get(options.part, lambda: fit_part(options))()


def fit_part(options):
    """Train a part by many steps. Raises InputError."""
    import torch

    from mustango.release.folder import BUNDLED
    from mustango.train.adapter import TrainAdapter
    from mustango.train.listening import Listener
    from mustango.train.loop import Course, fit
    from mustango.train.munet import TrainMuNet
    from mustango.train.parts import start_from
    from mustango.train.processes import Processes
    from mustango.train.recipe import Recipe, check_recipe, keep_recipe
    from mustango.train.remembering import Remembering
    from mustango.train.vae import TrainVAE
    from mustango.train.vocoder import TrainPostfilter, TrainRefiner, TrainVocoder

    recipe = Recipe.read(options.recipe)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; leave --device out to train on the CPU")
    processes = Processes(options.device, "fp16" if options.fp16 else "no", options.accumulate)
    device = processes.device
    lr, size = options.lr if options.lr is not None else recipe.lr, options.batch_size or recipe.batch_size
    processes.check(size)
    torch.set_float32_matmul_precision("high")  # TF32 where there is a GPU
    torch.manual_seed(options.seed)  # of new weights
    tasks = {
        "vae": TrainVAE, "vocoder": TrainVocoder, "refiner": TrainRefiner, "postfilter": TrainPostfilter,
        "munet": TrainMuNet, "adapter": TrainAdapter,
    }  # fmt: skip
    kind, how = tasks[options.part], {"bf16": True} if options.bf16 else {}
    by_recipe, state = issubclass(kind, TrainMuNet), Path(options.out) / kind.name
    if by_recipe:
        check_recipe(state, recipe)
        how |= {"recipe": recipe, "audio": options.audio, "bf16": options.bf16 or (options.device == "cuda" and not options.fp16)}
    if kind is TrainAdapter:
        how |= {"rank": options.rank, "licence": options.licence}
    task_of = partial(kind, **how)
    with processes.first_alone():
        if kind is TrainAdapter and not (Path(options.out) / "parts").exists():
            start_from(options.out, options.source or BUNDLED)
        listener = None
        if options.listen_every:
            listener = Listener(options.out, options.listen_every, options.listen_to, str(device), kind is TrainAdapter)
            if listener.lacks and processes.writes:
                print(f"listening: {listener.lacks}", flush=True)
        task = task_of(options.data, options.out, device)
        if options.remember:
            task = Remembering(task, task_of(options.remember, options.out, device), options.out)
        held_out = options.held_out and task_of(options.held_out, options.out, device)
    if by_recipe and processes.writes:
        keep_recipe(state, recipe)
    if options.checkpointing:
        task.model["unet"].enable_gradient_checkpointing()
    course = Course(
        options.steps,
        lr,
        size,
        options.seed,
        minutes=options.minutes,
        loaders=options.loaders,
        recipe=recipe,
        save_every=options.save_every,
        log=options.log,
        plans=True,
    )
    fit(task, options.out, course, held_out, processes, listener)
