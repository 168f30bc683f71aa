"""The tokenizers that the released model names, which its folder does not hold."""

from importlib import import_module
from pathlib import Path

from musicbench import InputError
from musicbench.model_folders import check_model_folder
from mustango.release.files import one_line, read_json
from mustango.release.folder import has_predictors

# Where the released model takes its tokenizers from; the text encoder's is named in configs/main_config.json.
TOKENIZERS = {
    "tokenizer": "google/flan-t5-large",
    "beat_tokenizer": "microsoft/deberta-v3-large",
    "chord_tokenizer": "google/flan-t5-large",
}


class MissingPackage(InputError):
    """A package is not installed."""


def load_tokenizer(folder, role, given=None):
    """Return a released model's tokenizer: `given` (a name, folder or tokenizer), else the one the release names.

    Raises InputError, MissingPackage where a package is missing.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    if isinstance(given, PreTrainedTokenizerBase):
        return given
    name = given or TOKENIZERS[role]
    if not given and role == "tokenizer":
        name = read_json(Path(folder) / "configs" / "main_config.json").get("text_encoder_name", name)
    if Path(name).is_dir():
        check_model_folder(name)
    try:
        return AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except OSError as error:
        raise InputError(
            f"cannot get the {role} {name} ({one_line(error)[:160]}); connect once, or name a folder that holds it"
        ) from None
    except Exception as error:  # what the files of somebody's raise nobody foresees
        check_sentencepiece(role, name)
        raise InputError(
            f"cannot read the {role} {name} ({one_line(error)[:160]}); get its files again, or name a folder that holds it"
        ) from None


def load_tokenizers(folder, given, predictors):
    """Return {role: tokenizer} of a released model, the predictors' too where those are wanted. Raises InputError."""
    roles = TOKENIZERS if predictors else ("tokenizer",)
    return {role: load_tokenizer(folder, role, given.get(role)) for role in roles}


def check_sentencepiece(role, name):
    """Raise MissingPackage unless what reads a tokenizer's spm.model is installed."""
    for module, package in (("sentencepiece", "sentencepiece"), ("google.protobuf", "protobuf")):
        try:
            import_module(module)
        except ImportError:
            raise MissingPackage(
                f"the {role} {name} needs the package {package}, which is not installed; pip install {package}"
            ) from None


def released_tokenizers(folder, hub_id, given, fetch_predictors):
    """Return {role: tokenizer} of a released folder before anything of it is converted.

    The predictors' are left for later where they cannot be had now and nobody has said that they will be asked. Raises InputError.
    """
    loaded = {"tokenizer": load_tokenizer(folder, "tokenizer", given.get("tokenizer"))}
    if fetch_predictors is False or not has_predictors(folder, hub_id):
        return loaded
    for role in ("beat_tokenizer", "chord_tokenizer"):
        try:
            loaded[role] = load_tokenizer(folder, role, given.get(role))
        except MissingPackage:
            raise
        except InputError:
            if fetch_predictors:
                raise
    return loaded
