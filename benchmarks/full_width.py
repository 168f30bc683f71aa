"""Parity at the released sizes: weights drawn by a rule from the released names and shapes, through our conversion, against golden numbers.

`python benchmarks/parity.py --full FOLDER` runs it. One component is in memory at a time; the largest needs about 7 GB.
Differences are relative to the largest golden number.
"""

import json
import math
import re
import resource
import time
import zlib
from pathlib import Path

import numpy as np
import torch
from parity import FULL_MUNET, FULL_VAE, Golden, condition_of, symbols

from mustango.release import released
from mustango.release.names import IGNORED

T5_TOLERANCE, TOLERANCE = 3e-4, 1e-4  # of the golden README: the weights magnify T5's rounding
# Tensors that a released file holds twice, and the name by which they are drawn.
DRAWN_AS = {
    "text_encoder.encoder.embed_tokens.weight": "text_encoder.shared.weight",
    "chord_embedding_layer.FME.translation_bias": "FME.translation_bias",
    "encoder.embed_tokens.weight": "shared.weight",
    "decoder.embed_tokens.weight": "shared.weight",
}
WIDE = ("unet.", "beat_embedding_layer.", "chord_embedding_layer.")


def factor_of(name, shape):
    """Return what a tensor's standard normal numbers are multiplied by, or None where it is all ones."""
    if name.endswith(".weight") and len(shape) == 1:
        return None
    if name.endswith("relative_attention_bias.weight"):
        return np.float32(1)
    if name.endswith("bias"):
        return np.float32(0.01)
    if len(shape) >= 3 or name.startswith(WIDE):
        return np.float32(1 / math.sqrt(math.prod(shape[1:])))
    return np.float32(0.02)


def drawn(name, shape):
    """Return the tensor of a released name and shape, by the golden README's rule."""
    factor = factor_of(name, shape)
    if factor is None:
        return torch.ones(shape)
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    values = generator.standard_normal(shape, dtype=np.float32)
    values *= factor
    return torch.from_numpy(values)


def drawn_weights(shapes, *prefixes):
    """Return {name: tensor} of those of {name: shape} that begin with one of the prefixes; twins are one tensor, buffers left out."""
    kept = {}
    for name, shape in shapes.items():
        source = DRAWN_AS.get(name, name)
        if not name.startswith(prefixes) or re.match(IGNORED, name):
            continue
        if source not in kept:
            kept[source] = drawn(source, shape)
        kept[name] = kept[source]
    return kept


def relative(ours, theirs):
    """Return the largest difference over the largest golden number."""
    return ((ours.float() - theirs.float()).abs().max() / theirs.abs().max()).item()


class Full(Golden):
    """The golden folder at full width, and the released names and shapes."""

    def __init__(self, folder, keys):
        super().__init__(folder)
        self.keys = Path(keys)

    def shapes(self, part):
        return json.loads((self.keys / f"keys_{part}.json").read_text(encoding="utf-8"))


# Each check yields (what, difference, tolerance).


@torch.no_grad()
def text_encoder(golden):
    model = released.convert_text_encoder(drawn_weights(golden.shapes("ldm"), "text_encoder."))
    for case, t in golden.cases("text_encoder").items():
        states = model(input_ids=t["input_ids"], attention_mask=t["attention_mask"]).last_hidden_state
        yield case, relative(states, t["states"]), T5_TOLERANCE
    about, t = golden.json("guided"), golden.tensors("guided")
    ids = torch.tensor([about["null_ids"], about["prompt_ids"]])
    states = model(input_ids=ids, attention_mask=t["encoder_attention_mask"].long()).last_hidden_state
    yield "guided", relative(states, t["encoder_hidden_states"]), T5_TOLERANCE


@torch.no_grad()
def conditioner(golden):
    prefixes = ("beat_embedding_layer.", "chord_embedding_layer.", "FME.")
    model = released.convert_conditioner(drawn_weights(golden.shapes("ldm"), *prefixes))
    about = golden.json("munet_io")["cases"]
    wanted = [(f"case{case['case']}", case, golden.cases("munet_io")[f"case{case['case']}"], []) for case in about]
    wanted.append(("guided", golden.json("guided"), golden.tensors("guided"), [([], [])]))  # the null half first
    for name, case, t, null in wanted:
        ours = model([*null, tuple(case["beats"])], [*null, (symbols(case["chords"]), case["chords_time"])], 50, 20)
        for stream, features, mask in (("beat", "beats", "beat_mask"), ("chord", "chords", "chord_mask")):
            yield f"{name} {features}", relative(ours[features], t[f"{stream}_features"]), TOLERANCE
            yield f"{name} {mask}", float(not torch.equal(ours[mask], t[f"{stream}_attention_mask"])), 0.0


@torch.no_grad()
def munet(golden):
    model = released.convert_munet(drawn_weights(golden.shapes("ldm"), "unet."), FULL_MUNET)
    for case, t in golden.cases("munet_io").items():
        yield case, relative(model(t["sample"], t["timestep"], condition_of(t)), t["out"]), TOLERANCE
    t = golden.tensors("guided")
    out = model(torch.cat([t["sample"]] * 2), t["timestep"], condition_of(t))
    null, full = out.chunk(2)
    yield "guided, both halves", relative(out, t["out"]), TOLERANCE
    yield "guided, guidance 3", relative(null + golden.json("guided")["guidance"] * (full - null), t["guided_out"]), TOLERANCE


@torch.no_grad()
def vae(golden):
    t = golden.tensors("vae_io")
    model = released.convert_vae(drawn_weights(golden.shapes("vae"), "encoder.", "decoder.", "quant", "post_quant"), FULL_VAE)
    posterior = model.encode(t["enc/mel"]).latent_dist
    yield "encoder", relative(torch.cat([posterior.mean, posterior.logvar], dim=1), t["enc/moments"]), TOLERANCE
    yield "decoder", relative(model.decode(t["dec/latents"] / model.config.scaling_factor).sample, t["dec/mel"]), TOLERANCE


@torch.no_grad()
def vocoder(golden):
    t = golden.tensors("vae_io")
    model = released.convert_vocoder(drawn_weights(golden.shapes("vae"), "vocoder."))
    wave = model(t["voc/mel"].squeeze(1)).reshape(1, -1)
    yield "waveform", relative(wave, t["voc/wav_float"].squeeze(1)), TOLERANCE
    int16 = (wave.double() * 32768).clamp(-32768, 32767).to(torch.int16)
    yield "int16", float((int16.int() - t["voc/wav_int16"].int()).abs().max()), 1.0


@torch.no_grad()
def beats_model(golden):
    tensors = drawn_weights(golden.shapes("beats"), "")
    model = released.convert_beat_predictor(tensors, {**released.DEBERTA, **released.deberta_sizes(tensors)})
    for case, t in golden.cases("beats_model").items():
        logits, values = model(t["input_ids"], t["attention_mask"])
        yield f"{case} logits", relative(logits, t["logits"]), TOLERANCE
        yield f"{case} values", relative(values, t["values"]), TOLERANCE


@torch.no_grad()
def chords_model(golden):
    t = golden.tensors("chords_model")
    model = released.convert_chord_predictor(drawn_weights(golden.shapes("chords"), ""))
    given = {"input_ids": t["input_ids"], "attention_mask": t["attention_mask"]}
    ids = t["greedy_ids"]
    logits = model(**given, decoder_input_ids=ids[:, :-1]).logits
    yield "logits", relative(logits[:, :2], t["logits"]), T5_TOLERANCE
    yield "greedy ids", float(not torch.equal(logits.argmax(-1), ids[:, 1:])), 0.0
    beams = model.generate(**given, num_beams=5, max_length=16)[0].tolist()
    wanted = golden.json("chords_model")["beams5_max16"]
    yield "ids of five beams", float(beams[: len(wanted)] != wanted), 0.0


CHECKS = (conditioner, text_encoder, vae, vocoder, beats_model, chords_model, munet)


def compare_full(folder, keys):
    """Yield (component, its worst difference, tolerance, whether all items pass, the worst item, how many, seconds, peak GB)."""
    golden = Full(folder, keys)
    for check in CHECKS:
        begun, results = time.monotonic(), list(check(golden))
        worst = max(results, key=lambda r: r[1] / r[2] if r[2] else (float("inf") if r[1] else 0.0))
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        passed = all(difference <= tolerance for _, difference, tolerance in results)
        yield check.__name__, worst[1], worst[2], passed, worst[0], len(results), time.monotonic() - begun, peak_gb
