"""Adapters: small files of low-rank changes (LoRA, 2106.09685) to the denoiser: named, checked, put on a model and taken off.

An adapter's folder holds pytorch_lora_weights.safetensors and adapter_config.json, as diffusers and peft name them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.model_folders import reason
from mustango.release.files import check_finite, check_no_stand_in, check_regular_in, read_json, tensor_shapes
from mustango.release.folder import bundled_folder

WEIGHTS, CONFIG, ABOUT = "pytorch_lora_weights.safetensors", "adapter_config.json", "about.json"
MOST_SCALE, MOST_RANK, MOST_STACKED, MOST_BYTES = 4.0, 1024, 8, 1 << 30
_NAME = re.compile(r"unet\.([\w.]+)\.lora_([AB])\.weight")
# What a peft config may ask for that is not played.
UNPLAYED = (
    "use_dora",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
    "auto_mapping",
    "use_bdlora",
    "use_qalora",
)


@dataclass(frozen=True)
class Lora:
    """An adapter that is asked for: its name, its folder, how strongly it changes the model, and a hash of its files."""

    name: str
    folder: Path
    scale: float
    sha256: str

    @property
    def told(self) -> dict:
        """What a sidecar tells of it."""
        return {"name": self.name, "scale": self.scale, "sha256": self.sha256}


# ---------------------------------------------------------------------------------------------------- named


def shipped_adapters() -> dict[str, Path]:
    """Return {name: folder} of the adapters that ship with the bundled model."""
    folder = bundled_folder().parent / "adapters"
    return {path.name: path for path in sorted(folder.glob("*/")) if (path / WEIGHTS).is_file()}


def read_loras(asked: Any, offered: Mapping[str, Path] | None = None) -> tuple[Lora, ...]:
    """Return the adapters that are asked for: "NAME:0.8, OTHER", a list of such texts, or what sidecars tell. Raises InputError.

    Those of a scale of 0 are left out, once they are checked: they change nothing. offered: {name: folder} of those that may be named;
    when None the shipped ones, and any folder.
    """
    if asked is None or (isinstance(asked, str) and not asked.strip()):
        return ()
    entries = asked.split(",") if isinstance(asked, str) else asked
    if not isinstance(entries, (list, tuple)):
        raise InputError(f"lora {repr(asked)[:40]} is no adapter; give FOLDER or NAME, with :scale behind it if it is not 1")
    loras = [entry if isinstance(entry, Lora) else _read_lora(entry, offered) for entry in entries]
    if len(loras) > MOST_STACKED:
        raise InputError(f"{len(loras)} adapters are above {MOST_STACKED}; leave some out")
    twice = next((lora.name for place, lora in enumerate(loras) if lora.folder in [other.folder for other in loras[:place]]), None)
    if twice:
        raise InputError(f"the adapter {twice} is given twice; give it once, with the sum of the scales")
    return tuple(lora for lora in loras if lora.scale)


def _read_lora(entry, offered):
    """Return the Lora of one text or sidecar's entry."""
    scale, sha256 = 1.0, None
    if isinstance(entry, dict):
        if set(entry) - {"name", "scale", "sha256"} or not isinstance(entry.get("name"), str):
            raise InputError(f"lora {repr(entry)[:60]} is not what a sidecar holds; give name, scale and sha256, or text")
        name, scale, sha256 = entry["name"], entry.get("scale", 1.0), entry.get("sha256")
    elif isinstance(entry, str) and entry.strip():
        name, _, number = entry.strip().rpartition(":")
        if name and re.fullmatch(r"[-+]?[\d.]+(e-?\d+)?", number.strip()):
            scale = number.strip()
        else:
            name = entry.strip()
    else:
        raise InputError(f"lora {repr(entry)[:40]} is no adapter; give FOLDER or NAME, with :scale behind it if it is not 1")
    scale = _read_scale(scale, name)
    folder = _folder_of(name, offered)
    read_adapter(folder)
    now = hash_of(folder)
    if sha256 is not None and now != sha256:
        raise InputError(
            f"the adapter {name} is another than the take was made with (sha256 {now[:12]}, not {str(sha256)[:12]}); "
            "get that one, or leave sha256 out"
        )
    return Lora(name, folder, scale, now)


def _read_scale(value, name):
    """Return a scale as a number. Raises InputError for none, and outside 0-MOST_SCALE."""
    try:
        scale = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        scale = float("nan")
    if not 0 <= scale <= MOST_SCALE:
        raise InputError(
            f"the scale {str(value)[:20]} of the adapter {name[:80]} is outside 0-{MOST_SCALE:g}; 1 is as it was trained"
        )
    return scale


def _folder_of(name, offered):
    """Return the folder of the adapter of a name. Raises InputError."""
    known = shipped_adapters() if offered is None else offered
    if name in known:
        return known[name]
    if offered is None and (Path(name) / WEIGHTS).is_file():
        return Path(name).resolve()
    here = f"{', '.join(known)} ship with the model" if known and offered is None else ", ".join(known) or "there are none here"
    folders = "give a folder that holds pytorch_lora_weights.safetensors; " if offered is None else ""
    raise InputError(f"no adapter {name[:200]!r}; {folders}{here}")


def hash_of(folder: Path) -> str:
    """Return the SHA-256 of an adapter's weights and config."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, CONFIG):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------- checked


@dataclass(frozen=True)
class AdapterFile:
    """What an adapter's files hold: its rank, the alpha that its changes are scaled by, and {module: (shape of A, shape of B)}."""

    rank: int
    alpha: float
    modules: dict


def read_adapter(folder: Path) -> AdapterFile:
    """Read an adapter's config and the names and shapes of its tensors; nothing else of it is believed. Raises InputError."""
    folder = Path(folder)
    check_regular_in(folder)
    config, weights = folder / CONFIG, folder / WEIGHTS
    check_no_stand_in(weights)
    if not config.is_file():
        raise InputError(f"{folder} lacks {CONFIG}; get the adapter whole again")
    if weights.stat().st_size > MOST_BYTES:
        raise InputError(f"{weights} has {weights.stat().st_size >> 20} MB, above {MOST_BYTES >> 20}; an adapter is small")
    told = read_json(config)
    rank, alpha = told.get("r"), told.get("lora_alpha")
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= MOST_RANK:
        raise InputError(f"{config} has r = {str(rank)[:40]}, where a whole number within 1-{MOST_RANK} belongs")
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha <= 1e4:
        raise InputError(f"{config} has lora_alpha = {str(alpha)[:40]}, where a number within 0-10000 belongs")
    if told.get("peft_type", "LORA") != "LORA" or told.get("bias", "none") != "none":
        raise InputError(
            f"{config} is of a {str(told.get('peft_type'))[:20]} with bias {str(told.get('bias'))[:20]}; only plain LoRA is played"
        )
    unplayed = next((name for name in UNPLAYED if told.get(name)), None)
    if unplayed:
        raise InputError(f"{config} has {unplayed}, which is not played; train the adapter without it")
    others = [path.name for path in folder.glob("*.safetensors") if path != weights]
    if others:
        raise InputError(f"{folder} holds {others[0]} beside {WEIGHTS}; keep an adapter in a folder of its own")
    return AdapterFile(rank, float(alpha), _modules(tensor_shapes(folder), rank, weights))


def _modules(shapes, rank, weights):
    """Return {module: (shape of A, shape of B)} of an adapter's tensors. Raises InputError."""
    found: dict = {}
    for name, shape in shapes.items():
        match = _NAME.fullmatch(name)
        if not match:
            raise InputError(
                f"{weights} has the unknown tensor {name[:80]!r}; an adapter holds unet.MODULE.lora_A.weight and lora_B"
            )
        found.setdefault(match[1], {})[match[2]] = shape
    if not found:
        raise InputError(f"{weights} holds no tensors; get the adapter whole again")
    for module, pair in found.items():
        if set(pair) != {"A", "B"} or len(pair["B"]) < 2 or not pair["A"] or pair["A"][0] != rank or pair["B"][1] != rank:
            raise InputError(f"{weights}: the tensors of {module[:80]} are no pair of rank {rank}; get the adapter whole again")
    return {module: (pair["A"], pair["B"]) for module, pair in found.items()}


def check_fits(unet: Any, adapter: AdapterFile, name: str) -> None:
    """Raise InputError unless a denoiser has the modules that an adapter changes, in their sizes."""
    from torch import nn

    own = dict(unet.named_modules())
    for module, shapes in adapter.modules.items():
        layer, rank = own.get(module), adapter.rank
        if isinstance(layer, nn.Linear):
            wanted = (rank, layer.in_features), (layer.out_features, rank)
        elif isinstance(layer, nn.Conv2d) and layer.groups == 1:
            wanted = (rank, layer.in_channels, *layer.kernel_size), (layer.out_channels, rank, 1, 1)
        else:
            raise InputError(f"the adapter {name} changes {module[:80]}, which this model does not have; it is of another model")
        if shapes != wanted:
            raise InputError(f"the adapter {name} has {module[:80]} as {shapes}, this model as {wanted}; it is of another model")


# ---------------------------------------------------------------------------------------------------- put on, taken off


def put_on(unet: Any, loras: Sequence[Lora]) -> None:
    """Put adapters on a denoiser that has none. Raises InputError, and leaves it without any, for one that does not fit."""
    from peft import LoraConfig, set_peft_model_state_dict
    from safetensors.torch import load_file

    files = [read_adapter(lora.folder) for lora in loras]
    for lora, file in zip(loras, files, strict=True):
        check_fits(unet, file, lora.name)
    if any(parameter.is_meta for parameter in unet.parameters()):
        raise InputError("the denoiser is offloaded part by part, where no adapter can be put on; use enable_model_cpu_offload()")
    names = [f"lora{place}" for place in range(len(loras))]
    try:
        for name, lora, file in zip(names, loras, files, strict=True):
            tensors = load_file(lora.folder / WEIGHTS)
            check_finite(tensors, lora.folder / WEIGHTS)
            own = {key.removeprefix("unet."): tensor.to(unet.dtype) for key, tensor in tensors.items()}
            unet.add_adapter(LoraConfig(r=file.rank, lora_alpha=file.alpha, target_modules=[*file.modules]), adapter_name=name)
            missed = set_peft_model_state_dict(unet, own, adapter_name=name)
            assert not getattr(missed, "unexpected_keys", None), missed
        unet.set_adapters(names, [lora.scale for lora in loras])
        unet.requires_grad_(False)
    except InputError:
        take_off(unet)
        raise
    except Exception as error:  # what the files of somebody's raise nobody foresees
        take_off(unet)
        raise InputError(f"cannot put on the adapter {loras[0].name} ({reason(error)}); get it whole again") from error


def take_off(unet: Any) -> None:
    """Take all adapters off a denoiser: its modules are then as before."""
    if getattr(unet, "peft_config", None):
        unet.unload_lora()


class WithAdapters:
    """What a pipeline can do with adapters of its denoiser; the names are diffusers'."""

    unet: Any
    _low_memory: bool
    _put_on: dict[str, Lora] = {}  # by the name that the caller gave them

    def load_lora_weights(self, folder: Path | str, adapter_name: str | None = None) -> None:
        """Put an adapter on the model: a folder, or a shipped one's name; beside those that are on it. Raises InputError."""
        (lora,) = read_loras([str(folder)]) or (None,)
        if lora is None:
            return
        name = adapter_name or Path(lora.name).name
        if name in self._put_on:
            raise InputError(f"an adapter {name} is on the model already; give another adapter_name")
        self._change({**self._put_on, name: lora})

    def set_adapters(self, adapter_names: str | Sequence[str], adapter_weights: float | Sequence[float] | None = None) -> None:
        """Choose which of the adapters change the model, and how strongly; the others rest. Raises InputError for an unknown name."""
        names = [adapter_names] if isinstance(adapter_names, str) else [*adapter_names]
        weights = adapter_weights if isinstance(adapter_weights, (list, tuple)) else [adapter_weights] * len(names)
        unknown = next((name for name in names if name not in self._put_on), None)
        if unknown is not None:
            raise InputError(f"no adapter {unknown!r} is on the model; load_lora_weights puts one on")
        if len(weights) != len(names):
            raise InputError(f"{len(names)} adapters have {len(weights)} weights; give one each")
        chosen = {name: _read_scale(1.0 if weight is None else weight, name) for name, weight in zip(names, weights, strict=True)}
        self._change({name: _scaled(lora, chosen.get(name, 0.0)) for name, lora in self._put_on.items()})

    def get_active_adapters(self) -> list[str]:
        """Return the names of the adapters that change the model."""
        return [name for name, lora in self._put_on.items() if lora.scale]

    def unload_lora_weights(self) -> None:
        """Take all adapters off the model."""
        self._change({})

    def fuse_lora(self) -> None:
        """Put the adapters' changes into the model's weights for good, as they are set; the pipeline can then be saved."""
        if self._low_memory:
            raise InputError("adapters are put into the weights of a model that is loaded whole; load it without low memory")
        self.unet.fuse_lora()
        take_off(self.unet)
        self._put_on = {}

    @contextmanager
    def wearing(self, loras: Sequence[Lora]) -> Iterator[None]:
        """Put adapters on the model for a while, in place of those that are on it; those stay where none is asked for."""
        if not loras:
            yield
            return
        before = self._put_on
        self._change({f"asked{place}": lora for place, lora in enumerate(loras)})
        try:
            yield
        finally:
            self._change(before)

    def _change(self, put_on_now):
        """Have those adapters on the model, or none where they do not fit. Raises InputError."""
        self._put_on = {}
        if self.unet is not None:
            take_off(self.unet)
            active = [lora for lora in put_on_now.values() if lora.scale]
            if active:
                put_on(self.unet, active)
        self._put_on = put_on_now

    def _dress(self):
        """Put the adapters on a denoiser that has just been loaded."""
        active = [lora for lora in self._put_on.values() if lora.scale]
        if active:
            put_on(self.unet, active)


def _scaled(lora, scale):
    return Lora(lora.name, lora.folder, scale, lora.sha256)
