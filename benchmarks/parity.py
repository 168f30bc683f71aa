"""Same weights in, same numbers out: compare ours with a folder of golden tensors made by the original.

    python benchmarks/parity.py tests/golden

Prints a line a file: name, largest absolute difference, tolerance, pass or fail. All sizes come from the folder's config
files, so any folder of the same kind can be given: model_config.json + model_weights.safetensors with munet_io, beats_chords,
trajectory and training; vae_config.json + vae_weights.safetensors with vae_io; stft; scheduler; beats_model; predictor; control_metrics. Files
that are not there are skipped.

    python benchmarks/parity.py --full ../shared/reference/golden_full

The same at the released sizes, with weights drawn by a rule from the released names and shapes (keys_*.json in --keys, else beside the
folder or in tests/golden/keys): a few minutes and about 7 GB. See benchmarks/full_width.py.
"""

import argparse
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from diffusers import DDPMScheduler
from diffusers.schedulers import scheduling_ddpm
from safetensors.torch import load_file

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from mustango.hear.metrics import Labels
from mustango.hear.metrics import control_metrics as metrics
from mustango.model.conditioning import Conditioning
from mustango.release import released
from mustango.release.predictors import beats_from_outputs, chord_prompt, parse_chords
from mustango.train.munet import min_snr_weight, v_prediction_error

# The released model's configs at full size, beside `keys` in the golden folder, which holds its tensors' shapes.
FULL_MUNET = {
    "in_channels": 8, "out_channels": 8, "block_out_channels": [320, 640, 1280, 1280], "layers_per_block": 2,
    "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "norm_num_groups": 32, "norm_eps": 1e-5,
    "down_block_types": ["CrossAttnDownBlock2DMusic"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2DMusic"] * 3,
}  # fmt: skip
FULL_VAE = {
    "embed_dim": 8, "scale_factor": 0.9227914214134216,
    "ddconfig": {"double_z": True, "z_channels": 8, "resolution": 256, "in_channels": 1, "out_ch": 1, "ch": 128, "ch_mult": [1, 2, 4], "num_res_blocks": 2},
}  # fmt: skip


class Golden:
    """A golden folder: its JSON and tensors, and our components with its weights."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def json(self, name):
        return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))

    def tensors(self, name):
        return load_file(self.folder / f"{name}.safetensors")

    def cases(self, name):
        """Group tensors `case/x/y` by their first part."""
        groups = {}
        for key, value in self.tensors(name).items():
            case, _, rest = key.partition("/")
            groups.setdefault(case, {})[rest] = value
        return groups

    def munet(self):
        return released.convert_munet(self.tensors("model_weights"), self.json("model_config")["unet"])

    def text_encoder(self):
        config = self.json("model_config").get("text_encoder", {})
        names = ("relative_attention_max_distance", "layer_norm_epsilon", "feed_forward_proj")
        return released.convert_text_encoder(self.tensors("model_weights"), **{k: config[k] for k in names if k in config})

    def conditioner(self):
        config = self.json("model_config").get("embedding", {})
        model = released.convert_conditioner(
            self.tensors("model_weights"), config.get("fme_base", 1.0), config.get("pe_time_base", 10001.0)
        )
        model.register_to_config(max_beats=10_000, max_chords=10_000)  # the golden set goes beyond what users may ask
        return model


def _difference(ours, theirs):
    return (ours - theirs).abs().max().item() if ours.numel() else 0.0


def symbols(names):
    """Chords of released symbols; a slash always means inverted there, even over the root or nothing."""
    chords = []
    for name in names:
        head, slash, _ = name.partition("/")
        chord = Chord.parse(head)
        chords.append(Chord(chord.root, chord.quality, (chord.root + 4) % 12) if slash and chord.root is not None else chord)
    return chords


def condition_of(t):
    """Return the Conditioning that golden tensors hold."""
    masks = [t[f"{name}_attention_mask"] for name in ("encoder", "beat", "chord")]
    return Conditioning(t["encoder_hidden_states"], masks[0], t["beat_features"], masks[1], t["chord_features"], masks[2])


def text_states(golden, ids):
    """Return the T5 states (B, L, D) and mask (B, L) of rows of token ids, padded with 0."""
    longest = max(map(len, ids))
    mask = torch.tensor([[i < len(row) for i in range(longest)] for row in ids])
    tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
    return golden.text_encoder()(input_ids=tokens, attention_mask=mask.long()).last_hidden_state, mask


# Each check yields (what, difference, tolerance). Tolerances are those of the golden README.


@torch.no_grad()
def munet_io(golden):
    model = golden.munet()
    for case, t in golden.cases("munet_io").items():
        condition = condition_of(t)
        masks = (condition.text_mask, condition.beat_mask, condition.chord_mask)
        empty = any(m.dtype == torch.bool and not m.any(dim=1).all() for m in masks)
        yield case, _difference(model(t["sample"], t["timestep"], condition), t["out"]), 2e-3 if empty else 1e-4


@torch.no_grad()
def beats_chords(golden):
    model, inputs, outputs = golden.conditioner(), golden.json("beats_chords"), golden.tensors("beats_chords")
    names = {"pad": 0, "None": 1}
    for entry in inputs["beats"]:
        times, positions = entry["input"]
        if any(p in names for p in positions):
            continue  # the original's own tokens, which no user gives
        ours = model([(times, positions)], [([], [])], beat_length=inputs["beat_len"])
        yield f"beats {entry['id']}", _difference(ours["beats"], outputs[f"beats/{entry['id']}/embedded"]), 1e-5
        yield f"beats {entry['id']} mask", float(ours["beat_mask"][0].tolist() != entry["mask"]), 0.0
    for entry in inputs["chords"]:
        if "pad" in entry["chords"]:
            continue
        try:
            chords = symbols(entry["chords"])
        except InputError:
            continue
        ours = model([([], [])], [(chords, entry["times"])], chord_length=inputs["chord_len"])
        # "N/C" is a major chord on no root to the original; to us it is no chord.
        kept = [i for i in range(ours["chords"].shape[1]) if not (i < len(chords) and entry["chords"][i].startswith("N/"))]
        theirs = outputs[f"chords/{entry['id']}/embedded"]
        yield f"chords {entry['id']}", _difference(ours["chords"][:, kept], theirs[:, kept]), 1e-5
        yield f"chords {entry['id']} mask", float(ours["chord_mask"][0].tolist() != entry["mask"]), 0.0
    null = model([([], [])], [([], [])], inputs["beat_len"], inputs["chord_len"])
    for name, mask in (("beats", "beat_mask"), ("chords", "chord_mask")):
        yield f"null {name}", _difference(null[name], outputs[f"cfg/{name}/embedded"][:1]), 1e-5
        yield f"null {name} mask", float(not torch.equal(null[mask], outputs[f"cfg/{name}/mask"][:1])), 0.0


def _condition(golden, beats, chords, times, text, mask):
    items = [(symbols(c), t) for c, t in zip(chords, times, strict=True)]
    return Conditioning(text=text, text_mask=mask, **golden.conditioner()([tuple(b) for b in beats], items))


@torch.no_grad()
def trajectory(golden):
    about, t = golden.json("trajectory"), golden.tensors("trajectory")
    guidance, prompts = about["guidance"], about["prompts"]
    guided = guidance > 1
    ids = [[*about["token_ids_without_eos"][p], 1] for p in prompts]
    ids = ([[1]] * len(prompts) if guided else []) + ids
    text, mask = text_states(golden, ids)
    repeats = about.get("num_samples_per_prompt", 1)
    text, mask = text.repeat_interleave(repeats, 0), mask.repeat_interleave(repeats, 0)
    yield "prompt_embeds", _difference(text, t["prompt_embeds"]), 1e-4
    null = [([], [])] * len(prompts) if guided else []
    beats = null + [tuple(b) for b in about["beats"]]
    chords = [[]] * len(null) + about["chords"]
    times = [[]] * len(null) + about["chords_time"]
    beats, chords, times = ([x for x in items for _ in range(repeats)] for items in (beats, chords, times))
    unet = golden.munet()
    condition = unet.project(_condition(golden, beats, chords, times, text, mask))
    scheduler = DDPMScheduler(**{k: v for k, v in about["scheduler"].items() if k != "cls"})
    scheduler.set_timesteps(about["steps"])
    yield "timesteps", _difference(scheduler.timesteps, t["timesteps"]), 0.0
    original_randn = scheduling_ddpm.randn_tensor
    latents = t["init_latents"]
    try:
        for i, step in enumerate(scheduler.timesteps):
            output = unet(torch.cat([latents, latents]) if guided else latents, step, condition)
            if guided:
                without, full = output.chunk(2)
                output = without + guidance * (full - without)
            if f"guided_model_output/{i}" in t:
                yield f"model output {i}", _difference(output, t[f"guided_model_output/{i}"]), 1e-3
            noise = t.get(f"noise/{i}", torch.zeros_like(latents))
            scheduling_ddpm.randn_tensor = lambda *_, noise=noise, **__: noise
            latents = scheduler.step(output, step, latents).prev_sample
            yield f"latents after step {i}", _difference(latents, t[f"latents_after_step/{i}"]), 1e-3
            last, latents = latents, t[f"latents_after_step/{i}"]  # rounding is not handed on: random weights blow it up
    finally:
        scheduling_ddpm.randn_tensor = original_randn
    yield "final_latents", _difference(last, t["final_latents"]), 1e-3


@torch.no_grad()
def training(golden):
    about, t = golden.json("training"), golden.tensors("training")
    tokens_of = golden.json("trajectory")["token_ids_without_eos"]
    ids = [[*tokens_of.get(p, []), 1] for p in about["prompts"]]
    text, mask = text_states(golden, ids)
    condition = _condition(golden, about["beats"], about["chords"], about["chords_time"], text, mask)
    scheduler = DDPMScheduler(**golden.json("scheduler")["config"])
    yield "alphas_cumprod", _difference(scheduler.alphas_cumprod, t["alphas_cumprod"]), 1e-5
    noisy = scheduler.add_noise(t["latents"], t["noise"], t["timesteps"])
    yield "noisy_latents", _difference(noisy, t["noisy_latents"]), 1e-5
    yield "v_target", _difference(scheduler.get_velocity(t["latents"], t["noise"], t["timesteps"]), t["v_target"]), 1e-5
    unet = golden.munet()
    error = v_prediction_error(unet, scheduler, t["latents"], t["noise"], t["timesteps"], condition)
    weight = min_snr_weight(scheduler.alphas_cumprod, t["timesteps"])
    yield "loss, gamma 5", abs((weight * error).mean().item() - about["loss"]["5.0"]), 1e-3
    yield "loss, plain", abs(error.mean().item() - about["loss"]["None"]), 1e-3
    middle = torch.full_like(t["timesteps"], 500)
    error = v_prediction_error(unet, scheduler, t["latents"], t["noise"], middle, condition)
    weight = min_snr_weight(scheduler.alphas_cumprod, middle)
    yield "loss, validation", abs((weight * error).mean().item() - about["loss"]["validation_mode(t=500),gamma5"]), 1e-3


def scheduler(golden):
    about = golden.json("scheduler")
    ours = DDPMScheduler(**about["config"])
    for steps, wanted in about["timesteps"].items():
        ours.set_timesteps(int(steps))
        got = ours.timesteps.tolist()
        if isinstance(wanted, dict):
            n = len(wanted["first"])
            got, wanted = [got[:n], got[-n:], len(got)], [wanted["first"], wanted["last"], wanted["len"]]
        yield f"{steps} steps", float(got != wanted), 0.0
    for index, value in about["alphas_cumprod"].items():
        yield f"alphas_cumprod[{index}]", abs(ours.alphas_cumprod[int(index)].item() - value), 1e-6


@torch.no_grad()
def vae_io(golden):
    config, weights, t = golden.json("vae_config"), golden.tensors("vae_weights"), golden.tensors("vae_io")
    vae = released.convert_vae(weights, config["vae"])
    vocoder = released.convert_vocoder(weights, config.get("vocoder"))
    posterior = vae.encode(t["enc/mel"]).latent_dist
    yield "encoder mean", _difference(posterior.mean, t["enc/mean"]), 1e-4
    yield "encoder logvar", _difference(posterior.logvar, t["enc/logvar"]), 1e-4
    mel = vae.decode(t["dec/latents"] / vae.config.scaling_factor).sample
    yield "decoder", _difference(mel, t["dec/mel"]), 1e-4
    for name, mels in (("dec", t["dec/mel"]), ("voc", t["voc/mel"])):
        wave = vocoder(mels.squeeze(1)).reshape(len(mels), -1)
        yield f"{name} waveform", _difference(wave, t[f"{name}/wav_float"].squeeze(1)), 1e-4
        int16 = (wave.double() * 32768).clamp(-32768, 32767).to(torch.int16)
        yield f"{name} int16", _difference(int16.int(), t[f"{name}/wav_int16"].int()), 1.0


def stft(golden):
    about, t = golden.json("stft"), golden.tensors("stft")
    mel = released.convert_mel(about["config"])
    yield "mel_basis", _difference(mel.mel_basis, t["mel_basis"]), 1e-6
    yield "raw_mel", _difference(mel(t["raw_wave"].reshape(1, -1).clamp(-1, 1)), t["raw_mel"].transpose(1, 2)), 1e-3
    length = about["target_length"] * about["config"]["hop_length"]
    wave = torch.zeros(1, length)
    wave[0, : about["wave_len"]] = t["norm_wave_tail"].flatten()[: about["wave_len"]]
    fbank = mel(wave)[:, : about["target_length"]]
    yield "fbank", _difference(fbank, t["fbank"].reshape(fbank.shape)), 1e-3


@torch.no_grad()
def beats_model(golden):
    t = golden.tensors("beats_model")
    weights = {k.removeprefix("weights/"): v for k, v in t.items() if k.startswith("weights/")}
    model = released.convert_beat_predictor(weights, golden.json("beats_model")["config"])
    logits, values = model(t["input_ids"], t["attention_mask"])
    yield "logits", _difference(logits, t["logits"]), 1e-4
    yield "values", _difference(values, t["values"]), 1e-4


def predictor(golden):
    """Where the original raises, ours gives what can be read, and a note."""
    about = golden.json("predictor")
    for i, case in enumerate(about["beats"]):
        times, positions, max_beat = beats_from_outputs(case["logits_token0"], case["values"])
        wanted = case["predicted_beats"][0] if case["times"] else [[], []]
        yield f"beats {i}", float([times, positions] != wanted or max_beat != case["max_beat"]), 0.0
    for i, case in enumerate(about["chords"]):
        stamps = re.search(r"Timestamps: (.*) \\n Max Beat: (\d+)$", case["model_input"])
        times = [float(x) for x in stamps[1].split(" , ")] if stamps[1] else []
        yield f"chord prompt {i}", float(chord_prompt(case["prompt"], times, int(stamps[2])) != case["model_input"]), 0.0
        heard = parse_chords(case["decoded"])
        if "exception" in case:
            yield f"chords {i}", float(not heard.notes), 0.0
        else:
            ours = [c.harte() for c in heard.chords], list(heard.times)
            readable = [(c, t) for c, t in zip(case["chords"], case["times"], strict=True) if _readable(c)]
            theirs = [Chord.parse(c).harte() for c, _ in readable], [t for _, t in readable]
            yield f"chords {i}", float(ours != theirs and not heard.notes), 0.0


def row_labels(row, suffix=""):
    """Read the Labels of a row of extracted features: fields bpm, key2, chords, beats, with `suffix` ("_ext" for heard)."""
    key, beats = row.get(f"key2{suffix}"), row.get(f"beats{suffix}")
    return Labels(
        bpm=row.get(f"bpm{suffix}"),
        key=Key(key[0], key[1]) if key else None,
        chords=tuple(row.get(f"chords{suffix}") or ()),
        beats_a_bar=int(max(beats[1])) if beats and beats[1] else None,
    )


def control_metrics(golden):
    """Where the original is right; it counts a missing asked tempo as 1000 bpm, which is done here for the comparison only."""
    about = golden.json("control_metrics")
    pairs = [(row_labels(row | {"bpm": row["bpm"] or 1000.0}), row_labels(row, "_ext")) for row in about["rows"]]
    ours, printed = metrics(pairs), " ".join(about["printed"])
    for name, label in {
        "TB": "TB",
        "TBT": "TBT",
        "CK": "CK",
        "PCM": "PCM",
        "ECM": "ECM",
        "CMO": "CMAO",
        "CMOT": "CMAOMM",
        "BM": "BC",
    }.items():
        theirs = float(re.search(rf"\b{label}\):\s+([\d.]+)", printed)[1])
        yield name, abs(100 * ours[name] - theirs), 1e-6


def _readable(symbol):
    try:
        Chord.parse(symbol)
    except InputError:
        return False
    return True


CHECKS = (munet_io, beats_chords, trajectory, training, scheduler, vae_io, stft, beats_model, predictor, control_metrics)


def compare(folder):
    """Yield (file, difference and tolerance of its worst item, whether all items pass, the worst item, how many) for every file there."""
    golden = Golden(folder)
    for check in CHECKS:
        name = check.__name__
        if not any((golden.folder / f"{name}.{suffix}").exists() for suffix in ("safetensors", "json")):
            continue
        results = list(check(golden))
        worst = max(results, key=lambda r: r[1] / r[2] if r[2] else (float("inf") if r[1] else 0.0))
        yield name, worst[1], worst[2], all(d <= tolerance for _, d, tolerance in results), worst[0], len(results)


def keys_folder(full, keys=None):
    """Return where the released names and shapes are listed: as given, beside the golden folder, or in this repository."""
    own = Path(__file__).resolve().parent.parent / "tests" / "golden" / "keys"
    places = [Path(keys)] if keys else [Path(full).resolve().parent, own]
    for place in places:
        if (place / "keys_ldm.json").is_file():
            return place
    sys.exit(f"no keys_ldm.json in {places[0]}; give the folder that lists the released names and shapes with --keys")


def print_full(folder, keys):
    """Print a line a component at the released sizes; returns whether one failed."""
    from full_width import compare_full

    failed = False
    for name, difference, tolerance, passed, item, count, seconds, peak_gb in compare_full(folder, keys_folder(folder, keys)):
        print(
            f"{name:14} max difference / max {difference:.2e}  tolerance {tolerance:.0e}  {'pass' if passed else 'FAIL'}  "
            f"({count} checks, worst: {item}; {seconds:.0f} s, peak so far {peak_gb:.1f} GB)",
            flush=True,
        )
        failed = failed or not passed
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--full", metavar="FOLDER", help="a folder of golden numbers at the released sizes")
    parser.add_argument("--keys", metavar="DIR", help="with --full: where keys_ldm.json and the others are")
    options, failed = parser.parse_args(), None
    if options.full:
        if not (Path(options.full) / "munet_io.safetensors").is_file():
            sys.exit(f"no munet_io.safetensors in {options.full}; give the folder of golden numbers at the released sizes")
        sys.exit(print_full(options.full, options.keys))
    if not options.folder:
        sys.exit("no folder; give one with golden files, or --full FOLDER")
    folder = options.folder
    for name, difference, tolerance, passed, item, count in compare(folder):
        print(
            f"{name:14} max abs difference {difference:.2e}  tolerance {tolerance:.0e}  {'pass' if passed else 'FAIL'}  ({count} checks, worst: {item})"
        )
        failed = bool(failed) or not passed
    if failed is None:
        sys.exit(f"no golden file in {folder}; give a folder with any of {', '.join(check.__name__ for check in CHECKS)}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
