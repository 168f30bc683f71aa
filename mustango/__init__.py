"""Text, chords and tempo -> music. The names below are loaded when first used; importing this does nothing else."""

from importlib import import_module

from musicbench import InputError, __version__

_WHERE = {
    "MustangoPipeline": "mustango.pipeline",
    "MuNet": "mustango.munet",
    "ISTFTVocoder": "mustango.vocoder",
    "LogMel": "mustango.mel",
    "Conditioner": "mustango.conditioning",
}
DEVICES = ("cpu", "cuda", "mps", "xpu")  # a number may follow: "cuda:1"
DTYPES = ("float32", "float16", "bfloat16")
SCHEDULERS = ("dpm", "ddim", "ddpm")
PREDICTORS = ("auto", "neural", "reader")  # who tells what nobody states
__all__ = ["DEVICES", "DTYPES", "PREDICTORS", "SCHEDULERS", "InputError", "__version__", *_WHERE]


def __getattr__(name):
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'mustango' has no attribute {name!r}")
