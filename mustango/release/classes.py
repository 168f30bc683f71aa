"""The classes that a model's folder may name; no others are imported, and none runs code of the folder's own."""

from importlib import import_module
from typing import Any

from musicbench import InputError

# Part -> (library, class) that it may be of.
CLASSES = {
    "conditioner": {("mustango", "Conditioner")},
    "unet": {("mustango", "MuNet")},
    "mel": {("mustango", "LogMel")},
    "vae": {("diffusers", "AutoencoderKL")},
    "vocoder": {("mustango", "ISTFTVocoder"), ("transformers", "SpeechT5HifiGan")},
    "beat_predictor": {("mustango", "BeatPredictor")},
    "chord_predictor": {("mustango", "ChordPredictor")},
}
TEXT_ENCODERS = {
    "AlbertModel", "BertModel", "CamembertModel", "CLIPTextModel", "DebertaV2Model", "DistilBertModel", "ElectraModel",
    "MPNetModel", "MT5EncoderModel", "ModernBertModel", "RobertaModel", "T5EncoderModel", "UMT5EncoderModel",
    "XLMRobertaModel",
}  # fmt: skip

# Those of these encoders and of the released predictors.
TOKENIZERS = {
    "AlbertTokenizer", "BertTokenizer", "CamembertTokenizer", "CLIPTokenizer", "DebertaV2Tokenizer", "DistilBertTokenizer",
    "ElectraTokenizer", "MPNetTokenizer", "MT5Tokenizer", "RobertaTokenizer", "T5Tokenizer", "XLMRobertaTokenizer",
}  # fmt: skip
TOKENIZERS |= {f"{name}Fast" for name in TOKENIZERS} | {"PreTrainedTokenizerFast", "TokenizersBackend"}


def class_of(part: str, library: object, name: object) -> Any:
    """Return the class of a model's part, as its index names it. Raises InputError for one that is not known."""
    if not isinstance(library, str) or not isinstance(name, str):
        known = False
    elif part == "text_encoder":
        known = library == "transformers" and name in TEXT_ENCODERS
    elif part.endswith("tokenizer"):
        known = library == "transformers" and name in TOKENIZERS
    elif part == "scheduler":
        known = library == "diffusers" and _is_scheduler(name)
    else:
        known = (library, name) in CLASSES.get(part, set())
    if not known:
        raise InputError(
            f"the model's {part} is a {str(library)[:40]}.{str(name)[:40]}, which is not known; get the model whole again"
        )
    return getattr(import_module(str(library)), str(name))


def _is_scheduler(name):
    """Tell whether diffusers has a scheduler class of that name."""
    if not isinstance(name, str) or not name.isidentifier() or not name.endswith("Scheduler"):
        return False
    import diffusers

    kind = getattr(diffusers, name, None)
    return isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)
