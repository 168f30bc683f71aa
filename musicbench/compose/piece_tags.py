"""What sounds in the clip of a composed piece, as tags: for captions, rows and what a model knows."""

from musicbench.compose.arranging import sounding
from musicbench.compose.instruments import PARTS, drum_kind

HEARD_S = 0.05  # what sounds less than this in a clip is not named


def describe(piece, duration_s=10.24, notes=None):
    """Return what can be said about a plan's clip, as tags for `caption` and the dataset.

    A voice that does not sound in it is left out. notes: the Soundings of the clip, if they are known.
    """
    notes = sounding(piece, duration_s) if notes is None else notes
    heard = [one.note for one in notes if one.end_s > HEARD_S and one.start_s < duration_s - HEARD_S]
    numbers = sorted({note.voice for note in heard if note.voice is not None})
    voices = [piece.voices[number] for number in numbers]
    drums = sorted({note.drum for note in heard if note.drum})
    kinds = {part: next((voice.sound.kind for voice in voices if voice.part == part), None) for part in PARTS}
    kit = piece.drums if drums else None
    return {
        "style": piece.style,
        "comping": kinds["chords"],
        "bass": kinds["bass"],
        "lead": kinds["lead"],
        "drums": piece.groove if drums else None,
        "moods": _moods(piece, voices),
        "parts": [part for part in PARTS if (drums if part == "drums" else kinds[part])],
        "voices": [[voice.part, voice.instrument] for voice in voices],
        "kit": kit.name if kit else None,
        "percussion": sorted({drum_kind(drum, kit) for drum in drums}),
        "feel": {4: "12/8", 3: "9/8"}.get(piece.meter.beats) if piece.feel == "triplet" else None,
        "form": piece.form.name,
        "noise": piece.noise[0] if piece.noise and voices + drums else None,
    }


def _moods(piece, voices):
    moods = []
    if piece.energy < 0.3 and piece.bpm < 110:
        moods.append("calm")
    if piece.energy > 0.7 and piece.bpm > 95:
        moods.append("energetic")
    if piece.density < 0.25:
        moods.append("sparse")
    if piece.density > 0.75:
        moods.append("busy")
    colors = [voice.sound.color for voice in voices if voice.part != "bass"]
    if colors and (piece.register > 0 or (piece.register == 0 and min(colors) > 0)):
        moods.append("bright")
    if colors and (piece.register < 0 or (piece.register == 0 and max(colors) < 0)):
        moods.append("dark")
    return moods
