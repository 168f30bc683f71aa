"""Keys and their scales; the key that chords are likely in."""

import re
from collections import Counter
from dataclasses import dataclass

from musicbench import InputError, quoted
from musicbench.music.chordtypes import notes_of
from musicbench.music.notes import NOTE, ascii_accidentals, pitch_class, spell_above

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_KEY_NAMES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}


_MAJOR_MODES = "lydian|mixolydian|ionian|major pentatonic|pentatonic major"
MODES = f"{_MAJOR_MODES}|dorian|phrygian|aeolian|locrian|(?:harmonic|melodic|natural|pentatonic) minor|m(?:inor)? pentatonic"


@dataclass(frozen=True)
class Key:
    """A key: `tonic` a note name as the user wrote it, `mode` "major" or "minor"."""

    tonic: str
    mode: str = "major"

    @classmethod
    def parse(cls, text):
        """Read `C`, `Am`, `bb`, `F sharp minor`, `A:min`; `D dorian` and other modes as the key nearest to them. Raises InputError."""
        plain = ascii_accidentals(" ".join(str(text).split()))
        plain = re.sub(r"(?i)(?<=^[A-G])[- ]?(sharp|flat)\b", lambda match: "#" if match[1][0] in "sS" else "b", plain)
        match = re.fullmatch(rf"(?i:({NOTE})[- :]*(|maj|major|m|min|minor|{MODES}))", plain)
        if not match:
            raise InputError(
                f"unknown key {quoted(text)}; write a tonic A to G with # or b and major or minor, such as 'A minor' or 'Bb'"
            )
        is_major = match[2] in ("", "M") or re.fullmatch(rf"(?i:maj|major|{_MAJOR_MODES})", match[2])
        return cls(match[1][0].upper() + match[1][1:].lower(), "major" if is_major else "minor")

    @classmethod
    def of(cls, pc, mode):
        """Return the key on a pitch class under its usual name."""
        return cls(_KEY_NAMES[mode][pc % 12], mode)

    @property
    def pitch_class(self):
        return pitch_class(self.tonic)

    @property
    def scale(self):
        """The seven pitch classes of the scale (natural minor), tonic first."""
        return tuple((self.pitch_class + s) % 12 for s in SCALES[self.mode])

    @property
    def relative(self):
        """The relative minor or major, spelled with the same signature: A minor of C major, Gb major of Eb minor."""
        if self.mode == "major":
            return Key(spell_above(self.tonic, 9), "minor")
        return Key(spell_above(self.tonic, 3, minor=True), "major")

    def transposed(self, semitones):
        return Key.of(self.pitch_class + semitones, self.mode)

    def same_as(self, other):
        """True when both name the same key, enharmonics equal."""
        return self.pitch_class == other.pitch_class and self.mode == other.mode

    def __str__(self):
        return f"{self.tonic} {self.mode}"


def _resolves(dominant, chord):
    """Return whether a dominant seventh falls a fifth to a chord that is none itself."""
    notes, after = notes_of(dominant.quality), notes_of(chord.quality)
    is_dominant = notes.seventh == 10 and notes.third in (4, 5)
    return is_dominant and (dominant.root + 5) % 12 == chord.root and after.seventh != 10


def likely_key(chords):
    """Guess the key of a chord list: most chord notes in the scale, then where a dominant seventh resolves to, the first chord, the last, and the
    one played most.

    In a blues, where dominant sevenths stand on the tonic and the fourth, sevenths do not count; chords without a third fit both
    modes, and power chords alone make a minor key. Returns None when no chord sounds.
    """
    sounding = [c for c in chords if c.root is not None]
    if not sounding:
        return None
    times = Counter(sounding)
    thirds = {c: notes_of(c.quality).third for c in times}
    dominant_roots = {c.root for c in times if thirds[c] == 4 and notes_of(c.quality).seventh == 10}
    is_blues = {sounding[0].root, (sounding[0].root + 5) % 12} <= dominant_roots
    count = Counter()
    for c, n in times.items():
        dropped = (c.root + 10) % 12 if is_blues and c.root in dominant_roots else None
        for pc in c.pitch_classes:
            count[pc] += n * (pc != dropped)
    homes = {
        c.root for before, c in zip(sounding, sounding[1:] + sounding[:1], strict=True) if _resolves(before, c) and not is_blues
    }
    only_power = all(c.quality == "5" for c in times)

    def is_tonic(chord, key):
        wanted = 3 if key.mode == "minor" else 4
        return chord.root == key.pitch_class and thirds[chord] in (wanted, 2, 5, None)

    def fit(key):
        inside = sum(count[pc] for pc in key.scale) / count.total()
        home = sum(n for c, n in times.items() if is_tonic(c, key)) / len(sounding)
        first, last = is_tonic(sounding[0], key), sounding[-1].root == key.pitch_class
        resolved = key.pitch_class in homes and any(is_tonic(c, key) for c in times)
        return 10 * inside + 2 * home + 2 * resolved + 1.5 * first + 0.5 * last + 0.1 * (only_power and key.mode == "minor")

    return max((Key.of(pc, mode) for mode in SCALES for pc in range(12)), key=fit)
