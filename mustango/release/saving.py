"""What of a pipeline can be saved, and how its index names it."""

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


def check_saveable(name, component):
    """Raise InputError for a component whose weights are not as its class names them, or are not there."""
    if any(hasattr(module, "base_layer") for module in component.modules()):
        remedy = next(remedy for method, remedy in ADAPTER_REMEDIES.items() if hasattr(component, method))
        raise InputError(f"the {name} has a LoRA adapter, which a model folder does not hold; {remedy.format(name)}")
    if any(parameter.is_meta for parameter in component.parameters()):
        raise InputError(f"the {name} is offloaded; call remove_all_hooks() before you save the pipeline")


def entry_of(name, folder):
    """Return a predictor part's entry in a model's index, for an older folder whose index does not list it."""
    if name.endswith("tokenizer"):
        return ["transformers", read_json(folder / "tokenizer_config.json").get("tokenizer_class", "AutoTokenizer")]
    return ["mustango", "BeatPredictor" if name == "beat_predictor" else "ChordPredictor"]
