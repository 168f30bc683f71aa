"""How MuNet is trained, as a TOML file's settings. The defaults are the bundled model's; recipes/mustango.toml has the original's."""

import json
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from musicbench import InputError
from musicbench.files import make_folder, save_json
from mustango.release.files import read_json

SECTIONS = {
    "sound": ("centred", "peak", "rows", "padding_counts", "halves", "posterior"),
    "captions": ("wordings", "main_share", "drop_sentences", "text_dropout"),
    "conditions": ("drop_all", "drop_text", "drop_beats", "drop_chords", "drop_control"),
    "steps": ("order", "batch_size", "lr", "schedule", "betas", "weight_decay", "clip_norm", "ema", "snr_gamma"),
}
CHOICES = {"posterior": ("mode", "sample"), "order": ("drawn", "epochs"), "schedule": ("trapezoid", "linear")}
BOUNDS = {
    "peak": (0, 1), "rows": (0, 4096), "halves": (0, 1), "wordings": (0, 64), "main_share": (0, 1), "drop_sentences": (0, 1), "text_dropout": (0, 0.9),
    "drop_all": (0, 1), "drop_text": (0, 1), "drop_beats": (0, 1), "drop_chords": (0, 1), "drop_control": (0, 1),
    "batch_size": (1, 65536), "lr": (0, 1), "betas": (0, 0.999999), "weight_decay": (0, 10), "clip_norm": (0, 1e6), "ema": (0, 0.999999),
    "snr_gamma": (0, 1e6),
}  # fmt: skip
KEPT = "recipe.json"  # of a run's task: what it was begun with


@dataclass(frozen=True)
class Recipe:
    """Settings of a training of MuNet, see recipes/mustango.toml; shares are 0 to 1.

    peak, clip_norm, ema, snr_gamma: 0 is none. rows: 0 is as many as the longest clip has. wordings: how many captions of a clip are
    encoded beforehand; 0: main_caption and alt_caption are drawn between. drop_control is of frame-aligned control.
    """

    centred: bool = False
    peak: float = 0.0
    rows: int = 0
    padding_counts: bool = False
    halves: float = 0.3
    posterior: str = "mode"
    wordings: int = 3
    main_share: float = 0.85
    drop_sentences: float = 0.0
    text_dropout: float = 0.0
    drop_all: float = 0.1
    drop_text: float = 0.1
    drop_beats: float = 0.1
    drop_chords: float = 0.1
    drop_control: float = 0.15
    order: str = "drawn"
    batch_size: int = 8
    lr: float = 5e-4
    schedule: str = "trapezoid"
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    snr_gamma: float = 5.0

    @classmethod
    def read(cls, path: Path | str | None) -> Self:
        """Return the recipe of a TOML file, the bundled model's where there is no path. Raises InputError."""
        if path is None:
            return cls()
        try:
            told = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"no recipe {path}; give a TOML file, such as recipes/mustango.toml") from None
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"cannot read the recipe {path} ({' '.join(str(error).split())[:160]}); mend it") from None
        values = {}
        for section, settings in told.items():
            if section not in SECTIONS or not isinstance(settings, dict):
                raise InputError(f"{path} has the unknown section {section[:40]!r}; known: {', '.join(SECTIONS)}")
            for name, value in settings.items():
                if name not in SECTIONS[section]:
                    known = ", ".join(SECTIONS[section])
                    raise InputError(f"{path} has the unknown setting {name[:40]!r} in {section}; known: {known}")
                values[name] = _checked(name, value, getattr(cls, name), path)
        return replace(cls(), **values)

    @property
    def encodes_texts_at_each_step(self) -> bool:
        """Whether captions differ from step to step, so that their states cannot be kept."""
        return bool(self.drop_sentences or self.text_dropout)


def _checked(name, value, default, path):
    """Return a setting's value in the type of its default. Raises InputError."""
    where = f"{path} has {name} = {str(value)[:40]}"
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise InputError(f"{where}; give one of {', '.join(CHOICES[name])}")
        return value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise InputError(f"{where}; give true or false")
        return value
    kinds = int if isinstance(default, int) else (int, float)
    numbers = value if isinstance(default, tuple) and isinstance(value, list) else [value]
    low, high = BOUNDS[name]
    fits = len(numbers) == (len(default) if isinstance(default, tuple) else 1)
    if not fits or any(isinstance(n, bool) or not isinstance(n, kinds) or not low <= n <= high for n in numbers):
        what = "whole number" if kinds is int else "number"
        raise InputError(
            f"{where}; give {'two of them, each ' if isinstance(default, tuple) else ''}a {what} within {low}-{high:g}"
        )
    return tuple(map(float, numbers)) if isinstance(default, tuple) else type(default)(value)


def check_recipe(folder: Path, recipe: Recipe) -> None:
    """Raise InputError where a run's task was begun by another recipe. Its lr and batch_size may change, as --lr and --batch-size may."""
    folder = Path(folder)
    if not (folder / "state.pt").is_file():
        return
    now, begun = _as_json(recipe), folder / KEPT
    then = read_json(begun) if begun.is_file() else _as_json(Recipe())  # the state of a version that knew no recipes
    differs = next((name for name in now if name not in ("lr", "batch_size") and then.get(name) != now[name]), None)
    if differs:
        raise InputError(
            f"{folder} was begun with {differs} = {then.get(differs)}, the recipe has {now[differs]}; go on as it began, "
            "or use a new run folder"
        )


def keep_recipe(folder: Path, recipe: Recipe) -> None:
    """Write what a run's task is trained by."""
    make_folder(folder)
    save_json(Path(folder) / KEPT, _as_json(recipe))


def _as_json(recipe):
    return json.loads(json.dumps(asdict(recipe)))
