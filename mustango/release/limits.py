"""What a model's settings may ask for: bounds, held before anything is built, that no model needs to leave."""

from pathlib import Path

from musicbench import InputError
from musicbench.model_folders import check_settings, check_tokenizer
from musicbench.music.chordtypes import notes_of
from mustango.release.files import read_json

COUNT, WIDTH, HEADS = (1, 64), (1, 1 << 16), (1, 1024)  # of layers and the like; of a layer
SPREAD = (1e-6, 1e6)
# Part -> {setting: (lowest, highest)}. Whole numbers bound whole numbers; lists are bounded item by item.
BOUNDS = {
    "model_index": {"window_s": (1.0, 600.0), "longest_s": (1.0, 3600.0)},
    "sampling": {
        "guidance_db": (0.0, 40.0), "restart": (0.0, 1.0), "extra_noise": (0.0, 100.0), "slow_bpm": (0.0, 1000.0),
        "beat_accent": (0.0, 100.0), "downbeat_accent": (0.0, 100.0), "postfilter_strength": (0.0, 100.0), "lead_in_s": (0.0, 10.0),
    },
    "mel": {
        "sample_rate": (4000, 192_000), "n_fft": (16, 1 << 16), "hop_length": (1, 1 << 14), "n_mels": (1, 1 << 12),
        "f_min": (0.0, 96_000.0), "f_max": (1.0, 96_000.0), "floor": (1e-12, 1.0), "mean": (-100.0, 100.0), "std": (1e-3, 1e3),
        "fold": COUNT, "sharpening_taps": (0, 1 << 10),
    },
    "conditioner": {
        "dim": WIDTH, "root_dim": WIDTH, "time_dim": WIDTH, "root_base": (1.0, 1e9), "time_base": (1.0, 1e9), "n_beat_types": (3, 64),
        "n_inversions": (4, 4), "max_beats": (1, 1 << 16), "max_chords": (1, 1 << 16), "cycle_s": (0.1, 3600.0),
    },
    "unet": {
        "in_channels": HEADS, "out_channels": HEADS, "block_out_channels": WIDTH, "layers_per_block": COUNT, "num_heads": HEADS,
        "cross_attention_dim": WIDTH, "norm_num_groups": HEADS, "norm_eps": (0.0, 1.0), "ff_mult": COUNT,
        "rotary_seconds": (1e-3, 60.0), "control_channels": (0, 1024), "frames_per_row": (1, 1024), "columns": (1, 1024),
    },
    "vae": {
        "in_channels": HEADS, "out_channels": HEADS, "latent_channels": HEADS, "block_out_channels": WIDTH, "layers_per_block": COUNT,
        "norm_num_groups": HEADS, "scaling_factor": SPREAD, "shift_factor": (-1e6, 1e6),
    },
    "vocoder": {
        "sample_rate": (4000, 192_000), "n_mels": (1, 1 << 12), "n_fft": (16, 1 << 16), "hop_length": (1, 1 << 14),
        "channels": WIDTH, "hidden": WIDTH, "layers": COUNT, "refiner_bins": (0, 1 << 15), "refiner_channels": (0, 1 << 16),
        "postfilter_channels": (0, 1 << 16), "f_max": (1.0, 96_000.0), "mean": (-100.0, 100.0), "std": (1e-3, 1e3),
        "model_in_dim": (1, 1 << 12), "sampling_rate": (4000, 192_000), "upsample_initial_channel": WIDTH, "upsample_rates": COUNT,
        "upsample_kernel_sizes": COUNT, "resblock_kernel_sizes": COUNT, "resblock_dilation_sizes": (1, 1024),
        "leaky_relu_slope": (0.0, 1.0),
    },
    "vae_config": {"embed_dim": HEADS, "scale_factor": SPREAD},  # the released VAE's
    "ddconfig": {
        "in_channels": HEADS, "out_ch": HEADS, "z_channels": HEADS, "ch": WIDTH, "ch_mult": COUNT, "num_res_blocks": COUNT,
        "resolution": (1, 1 << 16),
    },
    "scheduler": {
        "num_train_timesteps": (2, 100_000), "beta_start": (0.0, 1.0), "beta_end": (0.0, 1.0), "solver_order": (1, 3),
        "steps_offset": (0, 1000), "trained_betas": (0.0, 1.0),
    },
}  # fmt: skip
MAY_BE_NONE = ("longest_s", "cycle_s", "rotary_seconds", "shift_factor", "trained_betas")
MOST_ITEMS = 100_000  # of a list


def check_settings_of(part: str, config: dict, where: Path | str) -> None:
    """Raise InputError for a setting of a part, such as "unet", that is of the wrong kind or out of bounds."""
    for name, (low, high) in BOUNDS.get(part, {}).items():
        if name not in config or (config[name] is None and name in MAY_BE_NONE):
            continue
        for value in _items(config[name]):
            kinds = int if isinstance(low, int) else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                what = "a whole number" if kinds is int else "a number"
                raise InputError(
                    f"{where} has {name} = {str(config[name])[:40]}, where {what} within {low:g} and {high:g} belongs; "
                    "get the model whole again"
                )
    check_settings(config, where)


def check_configs(folder: Path) -> None:
    """Raise InputError for a setting out of bounds in a model's index and its parts' configs. Nothing is built, torch is not loaded."""
    index = read_json(folder / "model_index.json")
    check_settings_of("model_index", index, folder / "model_index.json")
    sampling = index.get("sampling") or {}
    if not isinstance(sampling, dict):
        raise InputError(f"{folder / 'model_index.json'} has a sampling that is no object of settings; get the model whole again")
    check_settings_of("sampling", sampling, folder / "model_index.json")
    for path in sorted(folder.glob("*/*config.json")):
        check_settings_of(path.parent.name, read_json(path), path)
    for path in sorted(folder.glob("*/tokenizer.json")):
        check_tokenizer(read_json(path), path)
    conditioner = folder / "conditioner" / "config.json"
    if conditioner.is_file():
        _check_chord_types(read_json(conditioner), conditioner)


def _check_chord_types(config, path):
    types = config.get("chord_types", ["pad", "N", "maj"])
    try:
        known = isinstance(types, list) and types[:2] == ["pad", "N"] and 3 <= len(types) <= 1000 and [*map(notes_of, types[2:])]
    except (ValueError, LookupError, AttributeError, TypeError):
        known = False
    if not known:
        raise InputError(f"{path} has chord_types that are no list of pad, N and chord types; get the model whole again")


def _items(value):
    """Yield what a setting holds: itself, or what is in its lists."""
    if not isinstance(value, list):
        yield value
        return
    for item in value[:MOST_ITEMS]:
        yield from _items(item)
    if not value or len(value) > MOST_ITEMS:
        yield None
