"""mustango train: dataset rows -> a part of the model."""

from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from musicbench import InputError, number, positive, whole
from musicbench.files import alone_in
from mustango.cli.options import add_table, defaults_of

ABOUT = {"help": "train a part of the model on dataset rows"}
OPTIONS = {
    "part": dict(
        choices=("start", "vae", "sharpen", "vocoder", "refiner", "postfilter", "text", "munet", "bundle"),
        help="to fine-tune: start (copies a model into a run), munet (trains it), bundle (makes a model of the run); "
        "from nothing: vae, sharpen (measures what the VAE softens), vocoder, refiner and postfilter (of the vocoder), "
        "text (takes a text encoder in), munet, bundle",
    ),
    "-o --out": dict(
        required=True, metavar="RUN", help="run folder: states, curves and parts; run again to go on"
    ),
    "--data": dict(metavar="DIR", help="dataset folder, as `musicbench compose` and `build` write it"),
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
    "--batch-size": dict(type=positive, default=8, help="clips a step (default %(default)s)"),
    "--lr": dict(type=number, default=5e-4, help="peak learning rate (default %(default)s)"),
    "--seed": dict(type=whole, default=0, help="(default %(default)s)"),
    "--threads": dict(type=positive, help="CPU threads"),
    "--device": dict(default="cpu", choices=("cpu", "cuda"), help="where to train (default %(default)s)"),
    "--bf16": dict(
        action="store_true",
        help="munet, refiner, vocoder: matrix products in bfloat16, faster on a CPU that has AVX512_BF16 or AMX (munet "
        "on a GPU: always)",
    ),
    "--loaders": dict(type=positive, default=0, help="processes that draw batches ahead (default: none)"),
    "--text-encoder": dict(metavar="DIR", help="text: folder of the frozen encoder and its tokenizer"),
    "--from": dict(dest="source", metavar="MODEL", help="start: the model to go on from or to fine-tune"),
    "--to": dict(metavar="DIR", help="bundle: the model folder to write"),
}  # fmt: skip


TELL = {
    "start": "{run} begins with that model; go on with: mustango train munet -o {run} --data DATASET",
    "bundle": 'the model is written to {model}; try: mustango generate "calm piano" --model {model}',
}


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)


def run(options):
    """Run `mustango train`; what can be checked without torch is checked before it is loaded."""
    from mustango.train.checks import check_training

    check_training(options, defaults_of(OPTIONS, options.part, "-o", "x"))

    with _run_folder(options.out):
        train_part(options)
    if options.part in TELL:
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


def train_part(options):
    """Do what is asked in a run's folder that nobody else writes meanwhile. Raises InputError."""
    import torch

    from mustango.train.loop import bundle, take_text_encoder
    from mustango.train.parts import mend_run, start_from
    from mustango.train.remembering import check_remembering
    from mustango.train.vocoder import measure_sharpening

    mend_run(options.out)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.part == "munet":
        check_remembering(options.out, options.remember, options.held_out)
    at_once = {
        "start": lambda: start_from(options.out, options.source),
        "text": lambda: take_text_encoder(options.out, options.text_encoder),
        "sharpen": lambda: measure_sharpening(options.data, options.out, options.seed),
        "bundle": lambda: bundle(options.out, options.to),
    }
    at_once.get(options.part, lambda: fit_part(options))()


def fit_part(options):
    """Train a part by many steps. Raises InputError."""
    import torch

    from mustango.train.loop import Course, fit
    from mustango.train.munet import TrainMuNet
    from mustango.train.remembering import Remembering
    from mustango.train.vae import TrainVAE
    from mustango.train.vocoder import TrainPostfilter, TrainRefiner, TrainVocoder

    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; leave --device out to train on the CPU")
    torch.set_float32_matmul_precision("high")  # TF32 where there is a GPU
    torch.manual_seed(options.seed)  # of new weights
    tasks = {
        "vae": TrainVAE, "vocoder": TrainVocoder, "refiner": TrainRefiner, "postfilter": TrainPostfilter,
        "munet": TrainMuNet,
    }  # fmt: skip
    task_of = partial(tasks[options.part], bf16=True) if options.bf16 else tasks[options.part]
    task = task_of(options.data, options.out, device)
    if options.remember:
        task = Remembering(task, task_of(options.remember, options.out, device), options.out)
    course = Course(options.steps, options.lr, options.batch_size, options.seed, minutes=options.minutes, loaders=options.loaders)
    fit(task, options.out, course, options.held_out and task_of(options.held_out, options.out, device))
