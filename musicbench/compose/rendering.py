"""Plan -> sound: each voice played, shaped by its effects and brought to its level, added up by part.

With exact labels.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from musicbench.compose.arranging import sounding
from musicbench.compose.instruments import MACHINE_DRUMS, PARTS
from musicbench.compose.piece_tags import HEARD_S, describe
from musicbench.compose.soundfonts import FontPlayers, check_sample_rate, font_named
from musicbench.sound.clip import Clip
from musicbench.sound.features import loudness_db
from musicbench.synth.drum_machines import play_kit
from musicbench.synth.effects import apply
from musicbench.synth.noises import make_noise
from musicbench.synth.synths import Tone, play

LEVEL_DB = {"drums": -2.5, "bass": -2.0, "chords": -1.0, "lead": -1.0}
VOICE_LEVEL = 0.1
ROOM_SHARE = {"drums": 0.5, "bass": 0.25, "chords": 1.0, "lead": 1.0}  # of a piece's reverb
MOST_GAIN = 100.0  # of a short clip that is all break, whose reverb is not made music of


def render(piece, duration_s=10.24, sample_rate=24000, soundfont=None):
    """Play a plan: a Clip of `duration_s` with exact labels, at 8000 to 96000 Hz.

    Needs FluidSynth; raises InputError without it.
    """
    return render_parts(piece, duration_s, sample_rate, soundfont)[0]


def render_parts(piece, duration_s=10.24, sample_rate=24000, soundfont=None):
    """Play a plan: (its Clip as `render` has it, {part: samples}) of those parts that sound.

    The clip is their sum in order.
    """
    check_sample_rate(sample_rate)
    notes = sounding(piece, duration_s)
    with FontPlayers(sample_rate) as players:
        stems, sources = _play(piece, notes, duration_s, players, soundfont)
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
        np.zeros(0, np.float32),
        sample_rate,
        beat_times=tuple(i * seconds_a_beat for i in beats),
        beat_positions=tuple(i % piece.meter.beats + 1 for i in beats),
        bpm=piece.bpm,
        meter=piece.meter,
        chords=tuple(chords),
        chord_times=tuple(times),
        key=piece.key,
    ).cropped(start_s, duration_s)
    melody = tuple((max(one.start_s, 0.0), min(one.end_s, duration_s), one.note.pitch) for one in heard if one.note.voice in lead)
    hits = tuple((one.start_s, one.note.drum) for one in heard if one.note.drum and one.start_s >= 0)
    key = clip.key if any(chord.root is not None for chord in clip.chords) else None
    return replace(clip, samples=samples, key=key, tags=tags, melody=melody, hits=hits)


# ---------------------------------------------------------------------------------------------------- voices


def _play(piece, notes, duration_s, fonts, soundfont):
    """Return ({part: samples} at their levels, what they were played with: {"fonts": [...], "patches": [...]})."""
    stems, used, sample_rate = {}, {"fonts": set(), "patches": set()}, fonts.sample_rate
    players = [(voice, number) for number, voice in enumerate(piece.voices)] + ([(None, None)] if piece.drums else [])
    hits_s = tuple(one.start_s + piece.before_s for one in notes if one.note.drum == "kick")
    for voice, number in players:
        own = [one for one in notes if one.note.voice == number]
        if not own:
            continue
        rng = np.random.default_rng([piece.seed, 4, 99 if number is None else number])
        part = "drums" if voice is None else voice.part
        samples, source = _sound(piece, voice, own, duration_s, (fonts, _font_of(piece, number, soundfont)), rng)
        used[source[0]].add(source[1])
        chain = piece.drum_effects if voice is None else voice.effects
        samples = apply(chain, samples, sample_rate, rng, bpm=piece.bpm, hits_s=hits_s)
        samples = samples[round(piece.before_s * sample_rate) :][: round(duration_s * sample_rate)]
        stem = stems.setdefault(part, np.zeros(len(samples), np.float32))
        stem += samples * np.float32(_voice_gain(piece, voice, part, samples, sample_rate, rng))
    _add_noises(piece, stems, duration_s, sample_rate)
    rooms = {part: _in_room(piece, stems[part], part, sample_rate) for part in PARTS if part in stems}
    return rooms, {name: sorted(files) for name, files in used.items()}


def _voice_gain(piece, voice, part, samples, sample_rate, rng):
    """Return the factor that brings a voice to its part's level, some dB up or down."""
    alike = sum(other.part == part for other in piece.voices) or 1
    wanted_db = LEVEL_DB[part] + float(rng.normal(0, 1.5)) - 7 * np.log10(alike) + (voice.gain_db if voice else 0.0)
    level = _level(samples, sample_rate)
    return min(VOICE_LEVEL * 10 ** (wanted_db / 20) / level, MOST_GAIN) if level > 1e-6 else 0.0


def _font_of(piece, number, soundfont):
    """Return the SoundFont's file that a voice, None the drums, is played from."""
    name = piece.fonts[-1 if number is None else number] if piece.fonts else "FluidR3_GM"
    return font_named(name, soundfont)


def _sound(piece, voice, own, duration_s, font, rng):
    """Return (samples of a voice, None the drums, from `before_s` before the clip, ("fonts", file) or ("patches",
    name)); font: (players, file)."""
    kind, *place = (voice.sound if voice else piece.drums).source
    fonts, path = font
    before_s, whole_s = piece.before_s, duration_s + piece.before_s
    if kind == "kit":
        hits = [(one.start_s + before_s, MACHINE_DRUMS.get(one.note.drum, one.note.drum), one.note.velocity / 127) for one in own]
        return play_kit(place[0], hits, whole_s, fonts.sample_rate, rng), ("patches", f"{place[0]} drums")
    if kind == "synth":
        tones = [
            Tone(
                one.start_s + before_s,
                one.end_s - one.start_s,
                float(one.note.pitch),
                one.note.velocity / 127,
                0.08 * one.note.glide,
            )
            for one in own
        ]
        return play(place[0], tones, whole_s, fonts.sample_rate, rng, bpm=piece.bpm), ("patches", place[0])
    bank, program, *keys = place
    notes = [(one.start_s + before_s, one.end_s + before_s, _pitch(one.note, keys, bank), one.note.velocity) for one in own]
    program = program if bank != 128 or fonts[path].has(bank, program) else 0
    return fonts[path].play(bank, program, notes, whole_s), ("fonts", Path(path).name)


def _pitch(note, keys, bank):
    """Return the key that plays a note.

    keys: [{drum: key}] of a kit, in a kit of pitched drums a low or a high one for those that it has not.
    """
    if not keys or bank == 128:
        return keys[0].get(note.drum, note.pitch) if keys else note.pitch
    is_low = note.drum.endswith(("low", "bass", "ge")) or note.drum in ("crash", "kick")
    return keys[0].get(note.drum, keys[0]["kick" if is_low else "tom_high"])


# ---------------------------------------------------------------------------------------------------- levels, noises and room


def _level(samples, sample_rate):
    """Return the root-mean-square level of what sounds: of windows of 0.1 s no more than 20 dB softer than all
    together.

    So that silence makes nothing louder: how loud a clip is played tells its energy.
    """
    powers = 10 ** (loudness_db(samples, sample_rate) / 10)
    return np.sqrt(powers[powers >= powers.mean() / 100].mean())


def _add_noises(piece, stems, duration_s, sample_rate):
    """Add to a stem what lies under all of the piece, and what rises where drums lead up to something."""
    rng = np.random.default_rng([piece.seed, 6])
    part = next((part for part in ("chords", "lead", "bass", "drums") if part in stems), None)
    if part and piece.noise:
        name, loudness = piece.noise
        stems[part] += make_noise(name, duration_s, sample_rate, rng)[: len(stems[part])] * np.float32(loudness)
    if "drums" in stems and piece.form.build and piece.rises:
        start_s, end_s = ((bar * piece.meter.beats - piece.start_beat) * 60 / piece.bpm for bar in piece.form.build)
        wave = make_noise("riser", end_s - start_s, sample_rate, rng) * np.float32(0.25)
        first = round(start_s * sample_rate)
        heard = wave[max(-first, 0) :][: max(len(stems["drums"]) - max(first, 0), 0)]
        stems["drums"][max(first, 0) :][: len(heard)] += heard


def _in_room(piece, samples, part, sample_rate):
    """Return samples with the piece's room, the same for all parts, more or less of it by part."""
    kind, mix = piece.room
    mix = round(mix * ROOM_SHARE[part], 3)
    return apply([("reverb", {"kind": kind, "mix": mix})], samples, sample_rate, np.random.default_rng([piece.seed, 5]))
