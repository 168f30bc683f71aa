"""Captions of a clip's sound by a model in a folder, by tags of the user's own with CLAP, or by a service.

None of it is installed with musicbench: models need torch and transformers. What comes back is text of somebody else's: it is
made one plain line of at most `MAX_CAPTION` characters, or nothing; it then counts as the song's own caption.
"""

import base64
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from musicbench import InputError, quoted
from musicbench.build import paraphrases
from musicbench.build.texts import caption_text, shortened
from musicbench.files import bytes_of
from musicbench.model_folders import LOCAL, loaded_within, reason

REQUEST = "Describe this music in one to three sentences: instruments, style, mood. Say only what can be heard."
CLAP_TAGS = "tags.txt"  # in CLAP's folder: a line each, "a sad violin"
MAX_TAGS, MAX_SAID = 2000, 3
MIN_SHARE = 0.05  # of a tag among all, where they are many


class Captioner:
    """Caption sound by an audio-to-text model's folder, by `clap=FOLDER`, or by the URL of an OpenAI-compatible service.

    A service is asked with the clip as WAV; its key is OPENAI_API_KEY, its model `model`. CLAP chooses among the lines of
    tags.txt in its folder. Raises InputError where the way given cannot work.
    """

    def __init__(self, way: str, model: str | None = None):
        self.way, self.model = way, model
        self.is_service = bool(re.match(r"https?://", way))
        folder = way.removeprefix("clap=")
        if not self.is_service and not os.path.isdir(folder):
            raise InputError(f"cannot caption by {quoted(way)}; give a model's folder, clap=FOLDER or the URL of a service")
        if self.is_service and not model:
            raise InputError("no model named for the captioning service; give --captioner-model")
        if model and not self.is_service:
            raise InputError(f"--captioner-model {model} is of a service; give its URL as --captioner, or leave it out")

    def check(self) -> None:
        """Load what captions here, if anything does. Raises InputError."""
        if self.way.startswith("clap="):
            _clap(self.way.removeprefix("clap="))
        elif not self.is_service:
            _model(self.way)

    def __call__(self, samples: np.ndarray, sample_rate: int, seed: int = 0) -> str:
        """Return a caption of mono samples, "" where what comes back is none. Raises InputError for a service without an answer."""
        if self.is_service:
            said = _ask_service(self.way, self.model, samples, sample_rate, seed)
        elif self.way.startswith("clap="):
            said = _said_by_clap(self.way.removeprefix("clap="), samples, sample_rate)
        else:
            said = _said_by_model(self.way, samples, sample_rate, seed)
        return shortened(caption_text(said[:20_000]))


def _resampled(samples, sample_rate, wanted):
    import soxr

    samples = np.asarray(samples, np.float32)
    return samples if sample_rate == wanted else soxr.resample(samples, sample_rate, wanted)


def _loaded(folder, load):
    """Return what `load` makes of a folder. Raises InputError in one line, whatever a folder of somebody's raises."""
    try:
        return load()
    except ImportError as error:
        raise InputError(f"captioning by a model needs torch and transformers ({error}); install them") from None
    except Exception as error:
        raise InputError(f"cannot load a captioning model from {folder} ({reason(error)}); give another folder") from None


@cache
def _model(folder) -> tuple[Any, Any]:
    def load():
        from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

        with loaded_within(folder):
            return AutoProcessor.from_pretrained(folder, **LOCAL), AutoModelForSpeechSeq2Seq.from_pretrained(folder, **LOCAL).eval()

    return _loaded(folder, load)


def _said_by_model(folder, samples, sample_rate, seed):
    import torch

    processor, model = _model(folder)
    extractor = getattr(processor, "feature_extractor", processor)
    sound = _resampled(samples, sample_rate, extractor.sampling_rate)
    inputs = processor(sound, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    torch.manual_seed(seed)
    with torch.no_grad():
        answer = model.generate(**inputs, max_new_tokens=128)
    return processor.batch_decode(answer, skip_special_tokens=True)[0]


@cache
def _clap(folder) -> tuple[Any, Any, list[str], Any]:
    """Return (processor, model, tags, their embeddings) of a folder."""
    path = Path(folder) / CLAP_TAGS
    try:
        lines = bytes_of(path, 1 << 20, "give a file of tags").decode("utf-8").splitlines()
    except ValueError as error:
        raise InputError(f"cannot read the tags {path} ({error}); write a file of UTF-8 text with one a line") from None
    tags = list(dict.fromkeys(filter(None, (" ".join(line.split())[:100] for line in lines))))
    if not 2 <= len(tags) <= MAX_TAGS:
        raise InputError(f"{path} holds {len(tags)} tags; give 2 to {MAX_TAGS}, one a line")

    def load():
        import torch
        from transformers import ClapModel, ClapProcessor

        with loaded_within(folder):
            model = ClapModel.from_pretrained(folder, **LOCAL).eval()
            processor: Any = ClapProcessor.from_pretrained(folder, **LOCAL)
        with torch.no_grad():
            words = processor(text=tags, return_tensors="pt", padding=True, truncation=True)
            return processor, model, tags, _normed(model.get_text_features(**words))

    return _loaded(folder, load)


def _normed(features):
    features = getattr(features, "pooler_output", features)
    return features / features.norm(dim=-1, keepdim=True)


def _said_by_clap(folder, samples, sample_rate):
    """Return the tags of a folder that fit best, at most three, in a sentence."""
    import torch

    processor, model, tags, words = _clap(folder)
    inputs = processor(audio=[_resampled(samples, sample_rate, 48000)], sampling_rate=48000, return_tensors="pt")
    with torch.no_grad():
        sound = _normed(model.get_audio_features(**inputs))
        shares = (model.logit_scale_a.exp() * sound @ words.T).softmax(dim=-1)[0]
    best = shares.argsort(descending=True)[:MAX_SAID].tolist()
    said = [tags[i] for i in best if i == best[0] or shares[i] >= MIN_SHARE]
    return f"Music with the sound of {', '.join(said[:-1])}{' and ' * (len(said) > 1)}{said[-1]}."


def _ask_service(url, model, samples, sample_rate, seed):
    from musicbench.sound.audio import encoded_audio

    sound = base64.b64encode(encoded_audio(np.asarray(samples, np.float32), sample_rate, "wav")).decode()
    content = [{"type": "text", "text": REQUEST}, {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}]
    try:
        return paraphrases._ask_service(url, model, content, seed)
    except InputError as error:
        raise InputError(str(error).replace("paraphrasing", "captioning").replace("--paraphrase", "--captioner")) from None
