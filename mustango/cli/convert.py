"""mustango convert: a released model -> a folder in our layout."""

from musicbench import InputError
from mustango import DTYPES
from mustango.cli.options import add_table

ABOUT = {"help": "released checkpoint, or a model with adapters -> a folder in this layout"}
OPTIONS = {
    "source": dict(help="folder or hub id in the released layout; with --lora any model"),
    "target": dict(help="folder to write; must not exist"),
    "--revision": dict(help="of a hub id: branch, tag or commit"),
    "--dtype": dict(choices=DTYPES, help="store weights so (default: as they are)"),
    "--tokenizer": dict(help="the text encoder's tokenizer, name or folder (default: the one the release names)"),
    "--beat-tokenizer": dict(help="the beat predictor's tokenizer, name or folder"),
    "--chord-tokenizer": dict(help="the chord predictor's tokenizer, name or folder"),
    "--lora": dict(action="append", metavar="FOLDER[:SCALE]", help="put an adapter into the weights for good; may be repeated"),
    "--without-predictors": dict(action="store_true", help="leave the beat and chord predictors out"),
}


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)


def run(options):
    """Run `mustango convert`."""
    from mustango.release.conversion import check_released, convert
    from mustango.release.folder import check_target, model_folder

    roles = {"tokenizer": options.tokenizer, "beat_tokenizer": options.beat_tokenizer, "chord_tokenizer": options.chord_tokenizer}
    for role in ("beat_tokenizer", "chord_tokenizer") if options.without_predictors else ():
        if roles[role]:
            raise InputError(f"--{role.replace('_', '-')} says nothing beside --without-predictors; leave one of the two out")
    check_target(options.target)
    if options.lora:
        return merge(options)
    check_released(model_folder(options.source, options.revision, "configs"), options.source)

    import torch

    convert(
        options.source,
        options.target,
        getattr(torch, options.dtype) if options.dtype else None,
        {role: name for role, name in roles.items() if name},
        not options.without_predictors,
        options.revision,
    )
    print(f"{options.source} converted into {options.target}")
    return 0


def merge(options):
    """Write a model with adapters in its weights."""
    from mustango.pipeline import load_pipeline
    from mustango.release.adapters import read_loras

    loras = read_loras(options.lora)
    pipeline = load_pipeline(options.source, dtype=options.dtype or "float32", revision=options.revision)
    for place, lora in enumerate(loras):
        pipeline.load_lora_weights(lora.folder, f"lora{place}")
    pipeline.set_adapters([f"lora{place}" for place in range(len(loras))], [lora.scale for lora in loras])
    pipeline.fuse_lora()
    pipeline.save_pretrained(options.target)
    print(f"{options.source} with {', '.join(lora.name for lora in loras)} is written to {options.target}")
    return 0
