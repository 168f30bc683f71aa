"""The released predictors: prompt -> beats (DeBERTa with two heads) and chords (T5), as Mustango's generate uses them."""

import re
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import nn
from transformers import DebertaV2Config, DebertaV2Model, DebertaV2PreTrainedModel, T5ForConditionalGeneration

from musicbench import InputError
from musicbench.music.chords import Chord

WINDOW_S = 10.0  # beats at or after it are dropped
MAX_BEATS, MAX_CHORDS = 50, 20


class FullPrecision:
    """A model that `to` moves and does not cast: in half precision beats and chords come out otherwise."""

    def to(self, *arguments, **options):
        device, _, non_blocking, _ = torch._C._nn._parse_to(*arguments, **options)
        return self if device is None else super().to(device, non_blocking=non_blocking)


class BeatPredictor(FullPrecision, DebertaV2PreTrainedModel):
    """DeBERTa-v3 body; one head's first token gives the beats in a bar (1-4), the other's tokens the beat intervals."""

    __module__ = "mustango"  # under which model folders name it

    def __init__(self, config: DebertaV2Config):
        super().__init__(config)
        size = config.hidden_size
        self.deberta = DebertaV2Model(config)
        self.deberta.encoder.get_rel_embedding = self._positions  # transformers reads the weight where no offloading hook sees it
        self.hidden1, self.classifier = nn.Linear(size, size), nn.Linear(size, 4)
        self.hidden2, self.regressor = nn.Linear(size, size), nn.Linear(size, 1)
        self.post_init()

    def _positions(self):
        """Return the embeddings of relative positions, asked of their module as every other layer is."""
        encoder = self.deberta.encoder
        if not encoder.relative_attention:
            return None
        positions = encoder.rel_embeddings(torch.arange(encoder.rel_embeddings.num_embeddings, device=execution_device(self)))
        return encoder.LayerNorm(positions) if "layer_norm" in encoder.norm_rel_ebd else positions

    def forward(self, input_ids, attention_mask):
        """Return logits (B, L, 4) and intervals (B, L, 1)."""
        keep = attention_mask[..., None]

        def silence(_module, _inputs, output):
            """A padded token attends to nothing, as in the transformers that the release used (later ones attend evenly)."""
            return (output[0] * keep.to(output[0]), *output[1:]) if isinstance(output, tuple) else output * keep.to(output)

        hooks = [layer.attention.self.register_forward_hook(silence) for layer in self.deberta.encoder.layer]
        try:
            h = self.deberta(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        return self.classifier(self.hidden1(h)), self.regressor(self.hidden2(h))


class ChordPredictor(FullPrecision, T5ForConditionalGeneration):
    """T5 whose head is its own, as flan-t5's is; transformers would tie it to the embeddings."""

    __module__ = "mustango"  # under which model folders name it

    _tied_weights_keys = {
        copy: name for copy, name in T5ForConditionalGeneration._tied_weights_keys.items() if copy != "lm_head.weight"
    }

    @apply_forward_hook  # offloading sees the call, not only those of `forward` from within, before which the encoder has run
    def generate(self, *arguments, **options):
        return super().generate(*arguments, **options)


def beats_from_outputs(logits, values):
    """Turn one prompt's head outputs (first token's logits (4,), values (L,)) into (times, positions, beats a bar)."""
    max_beat = 1 + int(np.argmax(np.asarray(logits, np.float32)))
    intervals = np.round(np.asarray(values, np.float32), 4)
    times = []
    for t in np.cumsum(intervals, dtype=np.float64):
        if t >= WINDOW_S:
            break
        times.append(round(float(t), 2))
    times = times[:MAX_BEATS]
    return times, [1.0 + i % max_beat for i in range(len(times))], max_beat


def chord_prompt(prompt, times, max_beat):
    """Write the chord model's input; the separator is a backslash and an n, as in training."""
    stamps = " , ".join(str(round(t, 2)) for t in times)
    return f"Caption: {prompt} \\n Timestamps: {stamps} \\n Max Beat: {max_beat}"


@dataclass(frozen=True)
class PredictedChords:
    """Chords with start times, and notes on what could not be taken as it was."""

    chords: tuple
    times: tuple
    notes: tuple = ()


def parse_chords(text, window_s=WINDOW_S):
    """Read the chord model's answer, "Am at 0.46 n C at 2.5": unreadable items are left out, with a note each."""
    chords, times, notes = [], [], []
    for item in re.split(r" (?:\\)?n ", text):
        symbol, separator, time = item.strip().partition(" at ")
        try:
            start_s = float(time)
            chord = Chord.parse(symbol)
        except (ValueError, InputError):
            notes.append(f"left out {item.strip()!r}, which is no chord at a time")
            continue
        if not separator or not 0 <= start_s < window_s or (times and start_s <= times[-1]):
            notes.append(f"left out {item.strip()!r}, whose time is outside the clip or not after the one before")
            continue
        chords.append(chord)
        times.append(start_s)
    if len(chords) > MAX_CHORDS:
        notes.append(f"left out the last {len(chords) - MAX_CHORDS} chords: the model takes {MAX_CHORDS}")
    return PredictedChords(tuple(chords[:MAX_CHORDS]), tuple(times[:MAX_CHORDS]), tuple(notes))


class NeuralPredictors:
    """Both released predictors with their tokenizers."""

    def __init__(self, beat_tokenizer, beat_model, chord_tokenizer, chord_model):
        self.beat_tokenizer, self.beat_model = beat_tokenizer, beat_model.eval()
        self.chord_tokenizer, self.chord_model = chord_tokenizer, chord_model.eval()

    @torch.no_grad()
    def __call__(self, prompt):
        """Return ((times, positions), PredictedChords) for a prompt."""
        tokens = self.beat_tokenizer([prompt], max_length=512, truncation=True, return_tensors="pt")
        tokens = tokens.to(execution_device(self.beat_model))
        logits, values = self.beat_model(tokens.input_ids, tokens.attention_mask)
        times, positions, max_beat = beats_from_outputs(logits[0, 0].float().cpu(), values[0, :, 0].float().cpu())
        tokens = self.chord_tokenizer([chord_prompt(prompt, times, max_beat)], max_length=512, truncation=True, return_tensors="pt")
        tokens = tokens.to(execution_device(self.chord_model))
        ids = self.chord_model.generate(
            input_ids=tokens.input_ids, attention_mask=tokens.attention_mask,
            num_beams=5, early_stopping=True, min_length=8, max_length=128, num_return_sequences=1,
        )  # fmt: skip
        return (times, positions), parse_chords(self.chord_tokenizer.decode(ids[0], skip_special_tokens=True))


def predictors_from(folder):
    """Yield (name, model) of the predictors in a folder in our layout, in full precision."""
    for name, kind in (("beat_predictor", BeatPredictor), ("chord_predictor", ChordPredictor)):
        yield name, kind.from_pretrained(folder / name, dtype=torch.float32, use_safetensors=True).eval()


def execution_device(model):
    """Return where a model runs: where its offloading hooks bring it, if it has any, else where its weights are."""
    for module in model.modules():
        device = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
        if device is not None:
            return torch.device(device)
        group = getattr(module, "_diffusers_hook", None) and module._diffusers_hook.get_hook("group_offloading")
        if group:
            return group.config.onload_device
    return model.device
