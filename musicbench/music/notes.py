"""Notes and pitch classes (0..11, C = 0): read, spelled along the line of fifths."""

import re

from musicbench import InputError, quoted

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS = ["F", "C", "G", "D", "A", "E", "B"]  # the line of fifths: each note is a fifth above the one before
PLAIN_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
NOTE = r"[A-G](?:##|bb|#|b)?"
_UNICODE = str.maketrans({"♯": "#", "♭": "b", "–": "-", "−": "-", "△": "Δ", "º": "°", "Ø": "ø", "’": "'"})
_UNICODE.update(str.maketrans({"∆": "Δ", "▲": "Δ", "▵": "Δ", "˚": "°", "∘": "°", "○": "°", "∅": "ø", "⌀": "ø", "⦰": "ø"}))
_UNICODE.update({ord("𝄪"): "##", ord("𝄫"): "bb"})


def ascii_accidentals(text):
    """Replace unicode sharps, flats and their look-alikes by ASCII ones."""
    return text.translate(_UNICODE)


def pitch_class(note):
    """Return the pitch class of a note name: `pitch_class("Bb") == 10`."""
    note = ascii_accidentals(note)
    if not re.fullmatch(NOTE, note):
        raise InputError(f"unknown note {quoted(note)}; write a letter A to G with # or b, such as F# or Bb")
    return (LETTERS[note[0]] + note.count("#") - note.count("b")) % 12


def _note_at(position):
    """Name the note at a place on the line of fifths (C = 0, G = 1, F = -1, F# = 6)."""
    octave, letter = divmod(position + 1, 7)
    return FIFTHS[letter] + ("#" * octave if octave >= 0 else "b" * -octave)


def _place(note):
    return FIFTHS.index(note[0]) - 1 + 7 * (note.count("#") - note.count("b"))


def spell_note(pc, key=None):
    """Name a pitch class as it is written in `key` (in no key: C C# D Eb E F F# G Ab A Bb B)."""
    if key is None:
        return PLAIN_NAMES[pc % 12]
    # Twelve consecutive places on the line of fifths around the key: Db..F# in C major, Eb..G# in A minor.
    lowest = _place(key.tonic) - (5 if key.mode == "major" else 6)
    return next(_note_at(p) for p in range(lowest, lowest + 12) if p * 7 % 12 == pc % 12)


def spell_above(note, semitones, minor=False):
    """Name the note so many semitones above `note` as its scale does: `spell_above("E", 4) == "G#"`, third of E major."""
    steps = (0, -5, 2, -3, 4, -1, -6 if minor else 6, 1, -4 if minor else 8, 3, -2, 5)  # along the line of fifths
    name = _note_at(_place(note) + steps[semitones % 12])
    return name if len(name) < 3 else spell_note(pitch_class(note) + semitones)
