"""What of a pipeline can be saved, and how its index names it."""

from pathlib import Path

from musicbench import InputError
from mustango.release.files import read_json

# What to do with a LoRA adapter that is to be saved, by what the component it is in can do: diffusers', peft's, transformers'.
ADAPTER_REMEDIES = {
    "unload_lora": "call its fuse_lora() and then unload_lora() to keep the adapter in the weights, "
    "or unload_lora() alone to leave it out",
    "merge_and_unload": "set the pipeline's {0} to what its merge_and_unload() returns, or its unload() to leave the adapter out",
    "modules": "write the adapter with {0}.save_pretrained(FOLDER) and set the pipeline's {0} to what peft's "
    "PeftModel.from_pretrained(OTHER, FOLDER).merge_and_unload() returns, OTHER a {0} without it; or to OTHER, to leave it out",
}  # fmt: skip


# What `DiffusionPipeline.from_pretrained(FOLDER, custom_pipeline=FOLDER, trust_remote_code=True)` runs.
CODE = '''"""For diffusers' own from_pretrained, with custom_pipeline and trust_remote_code; needs the package mustango."""

from mustango import MustangoPipeline  # noqa: F401
'''
CARD = """---
library_name: diffusers
pipeline_tag: text-to-audio
tags: [text-to-music, music-generation]
---

# {name}

A model for [Mustango](https://github.com/AMAAI-Lab/mustango)'s architecture: words, chords, tempo and meter -> music of up to {longest_s:g} s at {rate} Hz.

```python
from mustango import load_pipeline

pipeline = load_pipeline("{name}")
audio = pipeline("calm piano", chords="C G Am F", tempo=90).audios[0]
```
"""


def write_card(folder, pipeline, name):
    """Write a model's card for the hub, unless the folder has one: the loaded model's, or a new one."""
    place = Path(folder) / "README.md"
    if place.exists():
        return
    own = pipeline._folder and pipeline._folder / "README.md"
    card = CARD.format(name=name, longest_s=pipeline.longest_s, rate=pipeline.mel.config.sample_rate)
    place.write_text(own.read_text(encoding="utf-8") if own and own.is_file() else card, encoding="utf-8")


def check_saveable(name, component):
    """Raise InputError for a component whose weights are not as its class names them, or are not there."""
    if any(hasattr(module, "base_layer") for module in component.modules()):
        remedy = next(remedy for method, remedy in ADAPTER_REMEDIES.items() if hasattr(component, method))
        raise InputError(f"the {name} has a LoRA adapter, which a model folder does not hold; {remedy.format(name)}")
    if any(getattr(module, "fused_projections", False) for module in component.modules()):
        raise InputError(f"the {name}'s projections are fused; call unfuse_qkv_projections() before you save the pipeline")
    if any(parameter.is_meta for parameter in component.parameters()):
        raise InputError(f"the {name} is offloaded; call remove_all_hooks() before you save the pipeline")


def entry_of(name, folder):
    """Return a predictor part's entry in a model's index, for an older folder whose index does not list it."""
    if name.endswith("tokenizer"):
        return ["transformers", read_json(folder / "tokenizer_config.json").get("tokenizer_class", "AutoTokenizer")]
    return ["mustango", "BeatPredictor" if name == "beat_predictor" else "ChordPredictor"]
