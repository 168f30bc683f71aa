"""What somebody asks: every field with its default and its bounds. The command, the page, the API and Python build the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from musicbench import InputError
from musicbench.music.sections import MAX_LINE
from musicbench.sound.master import check_loudness, check_tail
from mustango import GUIDANCE, PREDICTORS, SCHEDULERS, STEPS
from mustango.release.adapters import Lora, read_loras
from mustango.request.bounds import check_length, read_duration, read_interval, read_number
from mustango.request.controls import ASKED
from mustango.request.notes import Events, read_drums, read_melody, read_parts

MAX_CACHE = 10
MAX_PROMPT, MAX_STEPS, MAX_COUNT, MAX_SEED, MAX_GUIDANCE = 10_000, 1000, 64, 2**32 - 1 - 64, 30  # seed + take stays below 2**32
# Fields of what is played, and of how it is made.
MUSIC = ("chords", "chords_time", "tempo", "meter", "key", "beats", "duration", "parts", "melody", "drums")
SETTINGS = (
    "steps", "guidance", "negative_prompt", "scheduler", "predictors", "loudness", "tail", "stems", "guidance_interval",
    "cache_interval", "lora",
)  # fmt: skip
CHOICES = {"scheduler": SCHEDULERS, "predictors": PREDICTORS}


@dataclass(frozen=True)
class Request:
    """What is asked of one prompt's takes; a control that is None or empty text is read from the prompt, else chosen.

    prompt: what it should sound like, in words. chords: a chord line ("C | G Am | F:2 G:2", "0:C 2.5:G", "I V vi IV") or a list of
    symbols, one a bar or, with chords_time, each at its time (s). tempo: bpm or a tempo word. meter: "3/4". key: "A minor". beats:
    [[times (s)], [positions in the bar]], which tell tempo and meter too. duration: seconds, "8 bars", or "chart", the bars of the
    chord line once; what the prompt says when None, else the model's window.
    parts: which of drums, bass, chords, lead sound; all that suit the prompt when None. melody: what the lead plays: a MIDI file, in
    beats; a file of sound, in which it is heard; or a list of [start (s), end (s), MIDI pitch]. drums: when they are struck: a MIDI
    file, or a list of [time (s), one of DRUMS].
    count: takes; take i has seed `seed + i`. steps: of denoising. guidance: how strictly to follow, 1 turns it off. scheduler: one of
    SCHEDULERS; the pipeline's own when None.
    predictors: who settles what nobody stated: "reader" chooses by rule, "auto" asks the released predictors if the model has
    them. "neural" asks them always, as the paper's inference does: their beats and chords are played, whatever the prompt states,
    but for what is given here. loudness: LUFS, -40 to -5; as it comes when None. tail: seconds, 0 to 10, in which the ending rings
    out after the duration. stems: make the parts one by one; the take is their sum. lora: adapters to make it with, "NAME:0.8" or a
    list of such; a folder, or the name of one that ships with the model; without a scale it is 1.
    guidance_interval: "0.2:0.8", between which shares of the way from noise to music guidance acts; all the way when None. cache_interval:
    the denoiser's lower levels are computed at every so-many-th step, 1 to 10.
    """

    prompt: str = ""
    chords: str | Sequence[str] | None = None
    tempo: float | str | None = None
    key: str | Sequence[str] | None = None
    meter: str | None = None
    duration: float | str | None = None
    beats: Sequence[Sequence[float]] | None = None
    chords_time: Sequence[float] | None = None
    parts: str | Sequence[str] | None = None
    melody: str | Path | Sequence | Events | None = None
    drums: str | Path | Sequence | Events | None = None
    seed: int = 0
    count: int = 1
    steps: int = STEPS
    guidance: float = GUIDANCE
    negative_prompt: str = ""
    scheduler: str | None = None
    predictors: str = "auto"
    loudness: float | None = None
    tail: float = 0.0
    stems: bool = False
    guidance_interval: str | None = None
    cache_interval: int = 1
    lora: str | Sequence[str] | Sequence[Lora] | None = None

    @property
    def loras(self) -> tuple[Lora, ...]:
        """The adapters of a request that is checked."""
        return tuple(lora for lora in self.lora or () if isinstance(lora, Lora))

    @property
    def guided_between(self) -> tuple[float, float]:
        """Return the shares of the way between which guidance acts."""
        return read_interval(self.guidance_interval)

    @property
    def given(self) -> dict[str, Any]:
        """Return what is given of ASKED, each None where it is left open; chords as a line, the key as text."""
        given = {name: getattr(self, name) for name in ASKED} | {"chords": as_line(self.chords)}
        if isinstance(self.key, (list, tuple)):  # as a sidecar has it
            given["key"] = " ".join(map(str, self.key))
        return {name: None if is_blank(value) else value for name, value in given.items()}

    def checked(self, longest_s: float) -> Self:
        """Return the request with the settings of their types, and parts, melody and drums read. Raises InputError.

        longest_s: the longest clip the model makes. What else is asked of the music is read when the request is settled.
        """
        for name in ("prompt", "negative_prompt"):
            check_text(name.replace("_", " "), getattr(self, name))
        for name, known in CHOICES.items():
            if getattr(self, name) not in (*known, *((None,) if name == "scheduler" else ())):
                raise InputError(f"unknown {name} {repr(getattr(self, name))[:40]}; choose one of {', '.join(known)}")
        duration = read_duration(self.duration)
        if isinstance(duration, float):
            check_length(f"duration {duration:g} s", duration, longest_s)
        bounds = {"steps": (1, MAX_STEPS), "count": (1, MAX_COUNT), "seed": (0, MAX_SEED), "cache_interval": (1, MAX_CACHE)}
        numbers = {name: read_whole(name, getattr(self, name), *bound) for name, bound in bounds.items()}
        guidance = read_number("guidance", self.guidance)
        if guidance is None or not 0 <= guidance <= MAX_GUIDANCE:
            raise InputError(f"guidance {guidance} is outside 0-{MAX_GUIDANCE}; {GUIDANCE:g} is usual, 1 turns it off")
        loudness, tail_s = check_loudness(self.loudness), check_tail(self.tail, 0, longest_s)
        if not isinstance(self.stems, bool):
            raise InputError(f"stems {repr(self.stems)[:40]} is neither true nor false; give one of them")
        notes = {"parts": read_parts(self.parts), "melody": read_melody(self.melody), "drums": read_drums(self.drums)}
        if notes["parts"] is not None:
            for name, part in (("melody", "lead"), ("drums", "drums")):
                if notes[name] is not None and part not in notes["parts"]:
                    raise InputError(
                        f"{name} given, but no {part} among the parts {', '.join(notes['parts'])}; add it, or leave one out"
                    )
        between = read_interval(self.guidance_interval)
        interval = None if between == (0, 1) else "{:g}:{:g}".format(*between)
        loras = read_loras(self.lora)
        return replace(
            self, **numbers, **notes, lora=loras, guidance=guidance, loudness=loudness, tail=tail_s, guidance_interval=interval
        )


def is_blank(value: Any) -> bool:
    """Return whether a value is text without a letter in it."""
    return isinstance(value, str) and not value.strip()


def as_line(chords: Any) -> str | None:
    """Return chords as a chord line; None for none. Raises InputError, for one that is too long before it is read."""
    if not isinstance(chords, (str, list, tuple, type(None))):
        raise InputError(f"chords are {repr(chords)[:40]}; give a chord line such as 'C G Am F' or a list of symbols")
    line = " ".join(str(c) for c in chords) if isinstance(chords, (list, tuple)) else chords
    if line is not None and len(line) > MAX_LINE:
        raise InputError(f"the chord line has {len(line)} characters, above {MAX_LINE}; shorten it")
    return line


def check_text(name: str, text: Any) -> None:
    """Raise InputError unless `text` is UTF-8 text of at most MAX_PROMPT characters."""
    if not isinstance(text, str):
        raise InputError(f"the {name} is {type(text).__name__}; give text")
    if len(text) > MAX_PROMPT:
        raise InputError(f"the {name} has {len(text)} characters, above {MAX_PROMPT}; shorten it")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(f"the {name} is not UTF-8 text; write it in UTF-8")


def read_whole(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number or its text as int. Raises InputError for none, and outside `low`-`high`."""
    number = read_number(name, value, int)
    if number is None or not low <= number <= high:
        raise InputError(f"{name} {str(value)[:40]} is outside {low}-{high}; give a whole number within it")
    return int(number)
