"""What a piece is before a note of it is written: its plan, its voices, its form; and the notes that are written."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from musicbench.compose.instruments import INSTRUMENTS, KITS
from musicbench.compose.rhythms import layout_of
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression


@dataclass(frozen=True)
class Voice:
    """One player. part: "bass", "chords" or "lead"; playing: a line of `musicbench.compose.playing`.

    note: which note of a chord it takes, None all. gain_db: beside its part's usual level; effects: a chain of
    `musicbench.synth.effects`.
    """

    part: str
    instrument: str
    playing: str
    note: int | None = None
    gain_db: float = 0.0
    effects: tuple = ()

    @property
    def sound(self):
        """The Instrument that plays."""
        return INSTRUMENTS[self.instrument]


@dataclass(frozen=True)
class Form:
    """When who plays; bars are counted from 0 at the beginning of the piece.

    name: "whole", "intro", "build-up", "drop-out" or "ending"; entries: {voice's number or "drums": bar in which it
    enters}; silent: ((voice's number or "drums", first bar, bar after the last), ...); fills: bars from one fill to the
    next, 0 for none; build: (first bar, bar after the last) in which drums lead up to something; final_bar: where all
    strike once more and let it ring.
    """

    name: str = "whole"
    entries: dict = field(default_factory=dict)
    silent: tuple = ()
    fills: int = 0
    build: tuple | None = None
    final_bar: int | None = None

    def plays(self, who, bar):
        """Return whether a voice (by its number, or "drums") plays in a bar."""
        if bar < self.entries.get(who, 0) or (self.final_bar is not None and bar > self.final_bar):
            return False
        return not any(who == silent and first <= bar < last for silent, first, last in self.silent)


@dataclass(frozen=True)
class Plan:
    """What a piece is, before a note is written."""

    seed: int
    style: str
    key: Key
    meter: Meter
    bpm: float
    progression: Progression
    voices: tuple[Voice, ...] = ()
    groove: str = "none"
    kit: str | None = None
    drum_effects: tuple = ()
    energy: float = 0.5  # 0 calm .. 1 energetic: loudness of the playing, drums
    density: float = 0.5  # 0 sparse .. 1 busy: below a half notes of the patterns are left out, above it more are put between
    register: int = 0  # octaves the chords move: -1, 0, +1
    start_beat: int = 0  # the clip begins on this beat of the piece
    feel: str = "even"  # or "triplet": 12/8, 9/8
    swing: float = 0.0  # by how much of a step the second of two steps is late
    swing_step: float = 0.5  # beats
    loose: float = 0.5  # how much rhythms are varied
    machine: bool = False  # notes lie exactly on the grid
    form: Form = field(default_factory=Form)
    mixed: bool = False  # instruments were drawn apart from the style
    room: tuple = ("room", 0.2)  # which, and how much of it
    noise: tuple | None = None  # what lies under it all, and how loud
    rises: bool = False  # noise rises where drums lead up to something
    fonts: tuple = ()  # SoundFonts by name, one a voice and one for the drums

    @cached_property
    def layout(self):
        """How a bar is felt."""
        return layout_of(self.meter, self.feel)

    @property
    def before_s(self):
        """How much is played before the clip begins, so that its first notes are in full sound: whole beats, two
        seconds or more."""
        return float(np.ceil(2.0 * self.bpm / 60)) * 60 / self.bpm

    def _kind_of(self, part):
        return next((voice.sound.kind for voice in self.voices if voice.part == part), None)

    @property
    def comping(self):
        """What plays the chords, None for nothing."""
        return self._kind_of("chords")

    @property
    def bass(self):
        """What plays the bass."""
        return self._kind_of("bass")

    @property
    def lead(self):
        """What plays the melody."""
        return self._kind_of("lead")

    @property
    def drums(self):
        """The Kit that plays, None for none."""
        return KITS[self.kit] if self.kit and self.groove != "none" else None


@dataclass(frozen=True)
class Note:
    """One note or stroke: start and length in beats from the start of the piece, MIDI pitch, velocity 1..127.

    part: drums, bass, chords or lead; voice: its number among the plan's; drum: which drum is struck; glide: it slides
    from the note before.
    """

    beat: float
    beats: float
    pitch: int
    velocity: int
    part: str
    voice: int | None = None
    drum: str | None = None
    glide: bool = False
