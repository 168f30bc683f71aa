"""Text, chords and tempo -> music. The names below are loaded when first used; importing this does nothing else."""

from importlib import import_module

from musicbench import InputError, __version__

_WHERE = {
    "MustangoPipeline": "mustango.pipeline",
    "MuNet": "mustango.model.munet",
    "ISTFTVocoder": "mustango.model.vocoder",
    "LogMel": "mustango.model.mel",
    "Conditioner": "mustango.model.conditioning",
    "BeatPredictor": "mustango.release.predictors",
    "ChordPredictor": "mustango.release.predictors",
    "Request": "mustango.request.request",
    "load_pipeline": "mustango.pipeline",
}
_BASES = {"ModelMixin": "diffusers", "PreTrainedModel": "transformers"}  # looked for here by diffusers when it loads one of ours
DEVICES = ("cpu", "cuda", "mps", "xpu")  # a number may follow: "cuda:1"
DTYPES = ("float32", "float16", "bfloat16")
SCHEDULERS = ("dpm", "ddim", "ddpm", "unipc", "euler")
ATTENTION = ("auto", "native", "flash", "flex", "sage", "xformers", "math")  # kernels by name
PREDICTORS = ("auto", "neural", "reader")  # who tells what nobody states
STEPS, GUIDANCE = 20, 3.0  # of denoising, and how strictly to follow, where nobody says
# Settings that take less time; `draft` is for trying things out (benchmarks/steps.py).
PRESETS = {
    "fast": {"steps": 10},
    "draft": {"steps": 8, "guidance_interval": "0.2:0.8", "cache_interval": 2},
}
__all__ = [
    "ATTENTION",
    "DEVICES",
    "DTYPES",
    "GUIDANCE",
    "PREDICTORS",
    "PRESETS",
    "SCHEDULERS",
    "STEPS",
    "InputError",
    "__version__",
    *_WHERE,
]


def __getattr__(name):
    where = _WHERE.get(name) or _BASES.get(name)
    if where:
        return getattr(import_module(where), name)
    raise AttributeError(f"module 'mustango' has no attribute {name!r}")
