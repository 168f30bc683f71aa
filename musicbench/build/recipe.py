"""How songs become rows: the length and rate of clips, which copies are made of them, how many songs are for tests."""

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.sound import augment

MOST_BYTES = 1 << 16  # of a recipe's file


def _text_of(path):
    """Return the text of a recipe's file. Raises OSError or ValueError, also for a pipe and for more than a recipe can hold."""
    if Path(path).exists() and not Path(path).is_file():
        raise OSError("it is no file")
    with Path(path).open("rb") as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    return text.decode("utf-8")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Recipe:
    """How songs become rows; the defaults are MusicBench's (11 copies of a clip). Times in seconds.

    A song is cut into clips of `clip_s` every `hop_s`; what is left at its end is a clip if it lasts `min_s`. A clip is
    kept if a tenth of it sounds. `combined_copies` change pitch, tempo and dynamics together. `test_share` of the songs
    go to the test set, `validation_share` to the validation set.
    """

    clip_s: float = 10.0
    hop_s: float = 10.0
    min_s: float = 5.0
    sample_rate: int = 24000
    semitones: tuple = (-3, -2, -1, 1, 2, 3)
    tempo_copies: int = 4
    tempo_range: tuple = (1.05, 1.25)
    dynamics_copies: int = 1
    floor_range: tuple = (0.1, 0.5)
    combined_copies: int = 0
    test_share: float = 0.05
    validation_share: float = 0.0
    keep_poor_sound: bool = False

    def __post_init__(self):
        for name in ("semitones", "tempo_range", "floor_range"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        bounds = {
            "clip_s": (1, 600), "hop_s": (0.1, 3600), "min_s": (1, self.clip_s), "sample_rate": (8000, 192000),
            "tempo_copies": (0, 1000),
            "dynamics_copies": (0, 1000), "combined_copies": (0, 1000), "test_share": (0, 1),
            "validation_share": (0, 1),
        }  # fmt: skip
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not _is_number(value) or not low <= value <= high:
                raise InputError(f"recipe: {name} {value!r:.40} is outside {low:g}-{high:g}; give a number within it")
            if (name.endswith("_copies") or name == "sample_rate") and not isinstance(value, int):
                raise InputError(f"recipe: {name} {value!r:.40} is no whole number; give one without a point")
        if self.test_share + self.validation_share > 1:
            raise InputError(
                f"recipe: test_share {self.test_share:g} and validation_share {self.validation_share:g} are above 1 together; "
                f"give smaller ones"
            )
        for name, low, high in (("tempo_range", 1, augment.MAX_RATE), ("floor_range", 0.001, 1)):
            span = getattr(self, name)
            if len(span) != 2 or not all(map(_is_number, span)) or not low <= span[0] <= span[1] <= high:
                raise InputError(f"recipe: {name} {list(span)} is no range; give [low, high] within {low:g}-{high:g}")
        shifts, most = self.semitones, augment.MAX_SEMITONES
        if not all(type(s) is int and 1 <= abs(s) <= most for s in shifts) or len(set(shifts)) < len(shifts):
            raise InputError(
                f"recipe: semitones {list(shifts)} are not different whole numbers from -{most} to {most} without 0; "
                f"give such a list"
            )
        if not isinstance(self.keep_poor_sound, bool):
            raise InputError(f"recipe: keep_poor_sound {self.keep_poor_sound!r:.40} is neither true nor false; give one of them")

    @classmethod
    def of(cls, name: str) -> "Recipe":
        """Return a built-in recipe, or that of a TOML file, whose name ends in .toml. Raises InputError."""
        return cls.load(name) if name.endswith(".toml") else cls.named(name)

    @classmethod
    def named(cls, name: str) -> "Recipe":
        """Return a built-in recipe: "musicbench", or "plain" (no copies). Raises InputError."""
        recipes = {"musicbench": {}, "plain": {"semitones": (), "tempo_copies": 0, "dynamics_copies": 0}}
        if name not in recipes:
            raise InputError(f"unknown recipe {name!r:.40}; give {' or '.join(recipes)}, or a TOML file")
        return cls(**recipes[name])

    @classmethod
    def load(cls, path: Path | str) -> "Recipe":
        """Read a recipe from a TOML file of this class's fields; those left out are MusicBench's. Raises InputError."""
        try:
            settings = tomllib.loads(_text_of(path))
        except RecursionError:
            raise InputError(
                f"cannot read the recipe {path} (it is nested too deeply); give a TOML file of the recipe's fields"
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the recipe {path} ({error}); give a TOML file") from None
        unknown = set(settings) - {f.name for f in fields(cls)}
        if unknown:
            raise InputError(f"{path}: unknown field {min(unknown)!r:.40}; known: {', '.join(f.name for f in fields(cls))}")
        try:
            return cls(**settings)
        except InputError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{path}: {error}; see the fields in docs/dataset.md") from None

    @property
    def context_s(self) -> float:
        """How much sound after a clip is read, so that its fastest copy is as long as the clip."""
        changes_tempo = self.tempo_copies or self.combined_copies
        return self.clip_s * (self.tempo_range[1] - 1) if changes_tempo else 0.0

    def draw_copies(self, rng: np.random.Generator, available_s: float) -> list[list[dict]]:
        """Draw the steps of each copy of a clip that has `available_s` of sound, its context included."""
        copies = [[{"transform": "pitch", "semitones": s}] for s in self.semitones]
        copies += [[augment.draw_tempo(rng, *self.tempo_range)] for _ in range(self.tempo_copies)]
        lasting_s = min(self.clip_s, available_s)
        copies += [[augment.draw_dynamics(rng, lasting_s, *self.floor_range)] for _ in range(self.dynamics_copies)]
        for _ in range(self.combined_copies):
            pitch = {"transform": "pitch", "semitones": int(rng.choice(self.semitones or (-3, -2, -1, 1, 2, 3)))}
            tempo = augment.draw_tempo(rng, *self.tempo_range)
            lasting_s = min(self.clip_s, available_s / tempo["rate"])
            copies.append([pitch, tempo, augment.draw_dynamics(rng, lasting_s, *self.floor_range)])
        return copies

    def starts(self, duration_s: float) -> list[float]:
        """Return where the clips of a song of `duration_s` begin."""
        return [i * self.hop_s for i in range(math.floor((duration_s - self.min_s) / self.hop_s + 1e-6) + 1)]
