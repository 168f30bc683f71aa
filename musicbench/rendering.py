"""Plan -> sound: each voice played, shaped by its effects and brought to its level, added up by part; with exact labels."""

from dataclasses import replace

import numpy as np

from musicbench.arranging import BEFORE_S, sounding
from musicbench.clip import Clip
from musicbench.features import loudness_db
from musicbench.instruments import PARTS
from musicbench.piece_words import HEARD_S, describe
from musicbench.soundfonts import check_sample_rate, font_named, font_player

LEVEL_DB = {"drums": 0.0, "bass": -1.0, "chords": -2.0, "lead": 0.0}
ROOM_SHARE = {"drums": 0.5, "bass": 0.25, "chords": 1.0, "lead": 1.0}  # of a piece's reverb
MOST_GAIN = 100.0  # of a short clip that is all break, whose reverb is not made music of


def render(piece, duration_s=10.24, sample_rate=24000, soundfont=None):
    """Play a plan: a Clip of `duration_s` with exact labels, at 8000 to 96000 Hz. Needs FluidSynth; raises InputError without it."""
    return render_parts(piece, duration_s, sample_rate, soundfont)[0]


def render_parts(piece, duration_s=10.24, sample_rate=24000, soundfont=None):
    """Play a plan: (its Clip as `render` has it, {part: samples}) of those parts that sound; the clip is their sum in order."""
    check_sample_rate(sample_rate)
    notes = sounding(piece, duration_s)
    stems, sources = _play(piece, notes, duration_s, sample_rate, soundfont)
    mix = sum(stems.values(), np.zeros(round(duration_s * sample_rate), np.float32))
    level, peak = _level(mix, sample_rate), np.abs(mix).max() + 1e-9
    gain = np.float32(min((0.07 + 0.06 * piece.energy) / level, 0.95 / peak, MOST_GAIN))
    stems = {part: samples * gain for part, samples in stems.items()}
    mix = sum(stems.values(), np.zeros_like(mix))
    tags = describe(piece, duration_s, notes)
    return _labelled(piece, [one for one in notes if one.end_s > HEARD_S], mix, sample_rate, {**tags, "sources": sources}), stems


def _labelled(piece, heard, samples, sample_rate, tags):
    """Return the Clip of a plan's samples with all of its labels."""
    seconds_a_beat, duration_s = 60 / piece.bpm, len(samples) / sample_rate
    start_s = piece.start_beat * seconds_a_beat
    chords, times = piece.progression.lay_out(piece.bpm, start_s + duration_s, whole=False)
    beats = range(piece.start_beat + int(np.ceil(duration_s / seconds_a_beat)) + 1)
    lead = [voice for voice in range(len(piece.voices)) if piece.voices[voice].part == "lead"][:1]
    clip = Clip(
        np.zeros(0, np.float32), sample_rate, tuple(i * seconds_a_beat for i in beats),
        tuple(i % piece.meter.beats + 1 for i in beats), piece.bpm, piece.meter, tuple(chords), tuple(times), piece.key,
    ).cropped(start_s, duration_s)  # fmt: skip
    melody = tuple(
        (max(one.start_s, 0.0), min(one.end_s, duration_s), one.note.pitch) for one in heard if one.note.voice in lead
    )
    hits = tuple((one.start_s, one.note.drum) for one in heard if one.note.drum and one.start_s >= 0)
    key = clip.key if any(chord.root is not None for chord in clip.chords) else None
    return replace(clip, samples=samples, key=key, tags=tags, melody=melody, hits=hits)


# ---------------------------------------------------------------------------------------------------- voices


def _play(piece, notes, duration_s, sample_rate, soundfont):
    """Return ({part: samples} at their levels, what they were played with: {"fonts": [...], "patches": [...]})."""
    whole_s, before = duration_s + BEFORE_S, round(BEFORE_S * sample_rate)
    stems, fonts, patches = {}, set(), set()
    players = [(voice, number) for number, voice in enumerate(piece.voices)] + ([(None, None)] if piece.drums else [])
    for voice, number in players:
        own = [one for one in notes if one.note.voice == number]
        if not own:
            continue
        rng = np.random.default_rng([piece.seed, 4, 99 if number is None else number])
        font = piece.fonts[len(piece.voices) if number is None else number] if piece.fonts else "FluidR3_GM"
        if voice is None:
            samples, used = _drum_sound(piece, own, whole_s, sample_rate, font, soundfont, rng)
        else:
            samples, used = _voice_sound(voice, own, whole_s, sample_rate, font, soundfont, rng)
        (fonts if used[0] == "font" else patches).add(used[1])
        part = "drums" if voice is None else voice.part
        samples = samples[before:]
        stem = stems.setdefault(part, np.zeros(len(samples), np.float32))
        stem += samples * np.float32(_voice_gain(piece, voice, part, samples, sample_rate, rng))
    rooms = {part: _in_room(piece, stems[part], part, sample_rate) for part in PARTS if part in stems}
    return rooms, {"fonts": sorted(fonts), "patches": sorted(patches)}


def _voice_gain(piece, voice, part, samples, sample_rate, rng):
    """Return the factor that brings a voice to its part's level, some dB up or down."""
    alike = sum(other.part == part for other in piece.voices) or 1
    wanted_db = LEVEL_DB[part] + float(rng.normal(0, 1.5)) - 7 * np.log10(alike) + (voice.gain_db if voice else 0.0)
    level = _level(samples, sample_rate)
    return min(0.1 * 10 ** (wanted_db / 20) / level, MOST_GAIN) if level > 1e-6 else 0.0


def _voice_sound(voice, own, whole_s, sample_rate, font, soundfont, rng):
    """Return (samples of a voice from BEFORE_S before the clip, ("font", file) or ("patch", name))."""
    kind, *place = voice.sound.source
    if kind == "synth":
        from musicbench.synths import Tone, play

        tones = [_tone(Tone, one) for one in own]
        return play(place[0], tones, whole_s, sample_rate, rng), ("patch", place[0])
    path = font_named(font, soundfont)
    notes = [(one.start_s + BEFORE_S, one.end_s + BEFORE_S, one.note.pitch, one.note.velocity) for one in own]
    return font_player(path, sample_rate).play(*place, notes, whole_s), ("font", path.rsplit("/", 1)[-1])


def _tone(make, one):
    note = one.note
    glide_s = 0.08 if note.glide else 0.0
    return make(one.start_s + BEFORE_S, one.end_s - one.start_s, float(note.pitch), note.velocity / 127, glide_s=glide_s)


def _drum_sound(piece, own, whole_s, sample_rate, font, soundfont, rng):
    kit = piece.drums.source
    pitches = kit[3] if len(kit) > 3 else {}
    path = font_named(font, soundfont)
    notes = [
        (one.start_s + BEFORE_S, one.end_s + BEFORE_S, pitches.get(one.note.drum, _nearest_pitch(one.note, pitches)), one.note.velocity)
        for one in own
    ]
    player = font_player(path, sample_rate)
    program = kit[2] if player.has(kit[1], kit[2]) else 0
    return player.play(kit[1], program, notes, whole_s), ("font", path.rsplit("/", 1)[-1])


def _nearest_pitch(note, pitches):
    """Return the pitch of a drum that a kit of pitched drums has not: low ones low, others high."""
    if not pitches:
        return note.pitch
    return pitches["kick" if "low" in note.drum or note.drum in ("surdo", "crash") else "tom_high"]


# ---------------------------------------------------------------------------------------------------- levels and room


def _level(samples, sample_rate):
    """Return the root-mean-square level of what sounds: of windows of 0.1 s no more than 20 dB softer than all together.

    So that silence makes nothing louder: how loud a clip is played tells its energy.
    """
    powers = 10 ** (loudness_db(samples, sample_rate) / 10)
    return np.sqrt(powers[powers >= powers.mean() / 100].mean())


def _in_room(piece, samples, part, sample_rate):
    """Return samples with the piece's room: noise that dies away, by convolution; the same room for all parts."""
    from scipy.signal import oaconvolve

    wet = piece.room * ROOM_SHARE[part]
    seconds = 0.3 + 2.2 * piece.room
    rng = np.random.default_rng([piece.seed, 5])
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    impulse = rng.standard_normal(len(times)) * np.exp(-6.9 * times / seconds)
    impulse = np.convolve(impulse, np.ones(4) / 4, "same")
    impulse *= wet / np.sqrt(np.sum(impulse**2))
    return samples + oaconvolve(samples, impulse.astype(np.float32))[: len(samples)].astype(np.float32)
