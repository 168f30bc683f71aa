"""Synthesised leads, pads, organs, voices and winds: how each plays one note.

A voice takes a Note and gives samples (count,).
"""

import numpy as np

from musicbench.synth.basses import vowel_tables
from musicbench.synth.waves import (
    WAVES,
    beat_wave,
    drifting,
    formants,
    harmonic_numbers,
    hiss,
    kept,
    made_table,
    modulated,
    read_rows,
    read_table,
    risen,
    shaped,
    sine,
    swept,
    to_hz,
    vibrato,
    wave_table,
    wide,
)

SAWS_CENTS = (-19.0, -11.3, -3.6, 0.0, 3.9, 11.0, 18.7)  # how far a supersaw's oscillators are out of tune
FOUR_BITS = 15


def top(note, factor=1.02):
    """Return the highest pitch for which a note's tables are made, in Hz."""
    return round(note.top_hz * factor + 0.1, 1)


def supersaw(note, attack_s=0.004, spread=1.0, cutoff_hz=9000.0, sustain=0.9):
    """Play seven saws out of tune with each other; the middle one is the loudest."""
    table = wave_table("saw", top(note), note.rate, round(cutoff_hz * (0.35 + 0.65 * note.velocity), -2), 0.0)
    wave = 0
    for cents in SAWS_CENTS:
        part = read_table(table, note.hz * 2 ** (spread * cents / 1200), note, note.rng.random())
        wave = wave + (1.0 if cents == 0 else 0.75) * part
    return wave * shaped(note, attack_s, 0.8, sustain)


def classic_lead(note, wave="saw", cutoff_hz=1800.0, resonance=0.3, cents=16.0):
    """Play one oscillator through a ladder, with a vibrato that sets in late."""
    hz = vibrato(note, 5.6, cents, 0.3)
    cutoffs = cutoff_hz * np.exp2(1.6 * note.velocity * (0.4 + 0.6 * np.exp(note.time / np.float32(-0.25))))
    return swept(note, wave, cutoffs, resonance, hz=hz) * shaped(note, 0.006, 0.6, 0.85)


def chip(note, wave="square", decay_s=None, cents=0.0):
    """Play a sound chip's wave: steps of loudness in four bits, 60 a second, and no more than that."""
    hz = vibrato(note, 6.0, cents, 0.2) if cents else note.hz
    frames = np.floor(note.time * 60)
    level = np.ones(note.count, np.float32) if decay_s is None else 0.25 + 0.75 * np.exp(-frames / 60 / decay_s)
    return read_table(wave_table(wave, top(note), note.rate), hz, note) * np.round(level * FOUR_BITS) / FOUR_BITS


def chip_noise(note):
    """Play a sound chip's noise: bits of a shift register, held, so many a second as the pitch says; not tuned."""
    clock_hz = min(note.top_hz * 16, 0.9 * note.rate)
    bits = np.where(note.rng.random(int(note.count * clock_hz / note.rate) + 2) < 0.5, -1.0, 1.0)
    held = np.cumsum(np.concatenate([[0.0], bits]))  # what is held is averaged over each sample, so that it folds little back
    edges = np.arange(note.count + 1) * (clock_hz / note.rate)
    total = np.interp(edges, np.arange(len(held)), held)
    frames = np.floor(note.time * 60)
    return np.diff(total) / (clock_hz / note.rate) * np.round(FOUR_BITS * np.exp(-frames / 9)) / FOUR_BITS


def hoover(note, scoop=7.0):
    """Play the rave sound: saws and pulses out of tune and an octave above, that rise onto the pitch.

    Widths that wander.
    """
    bend = np.exp2(-scoop / 12 * np.exp(note.time / np.float32(-0.05)))
    hz = note.hz * bend * np.exp2(0.004 * sine(5.0, note))
    turn = 0.25 + 0.18 * sine(0.9, note, note.rng.random())
    table = wave_table("saw", top(note, 2.05), note.rate)
    wave = 0
    for ratio, level in ((2.0, 1.0), (2.016, 0.8), (1.0, 1.0), (0.994, 0.6)):
        start = note.rng.random()
        wave = wave + level * read_table(table, hz * ratio, note, start)
        wave = wave - 0.7 * level * read_table(table, hz * ratio + 0.5 * note.rate * np.gradient(turn), note, start + 0.3)
    wave = wave + 0.4 * read_table(wave_table("saw", top(note, 4.1), note.rate), hz * 4.008, note)
    return wave * shaped(note, 0.01, 0.8, 0.85)


def stab(note, cutoff_hz=500.0):
    """Play a house stab: saws in octaves through a filter that snaps shut."""
    cutoffs = cutoff_hz * np.exp2((2.0 + 2.0 * note.velocity) * np.exp(note.time / np.float32(-0.1)))
    wave = sum(swept(note, "saw", cutoffs, 0.4, "low", note.hz * ratio, note.rng.random()) for ratio in (0.994, 1.0, 1.006))
    return wave * shaped(note, 0.002, 0.3, 0.15)


def pluck(note, wave="saw", cutoff_hz=350.0):
    """Play two saws through a filter that shuts at once: the pluck of trance and house."""
    cutoffs = cutoff_hz * np.exp2((2.5 + 2.5 * note.velocity) * np.exp(note.time / np.float32(-0.07)))
    out = swept(note, wave, cutoffs, 0.25, "low", note.hz * 1.003) + swept(note, wave, cutoffs, 0.25, "low", note.hz / 1.003, 0.3)
    return out * shaped(note, 0.002, 0.45, 0.0)


def sweeping_pad(note):
    """Play a pad whose filter opens and shuts over four bars."""
    turn = beat_wave(note, 16, note.rng.random())
    cutoffs = 700 * np.exp2(1.5 * turn + 0.8 * note.velocity)
    wave = sum(swept(note, "saw", cutoffs, 0.5, "low", note.hz * ratio, note.rng.random()) for ratio in (0.995, 1.005))
    return wave * shaped(note, 0.35)


def many(note, wave="saw", width_cents=22.0, cutoff_hz=1600.0, attack_s=0.35, swell=0.1):
    """Play an ensemble as one band of noise a harmonic: pads, string machines, choirs from afar."""
    level = 1 + swell * sine(0.35, note, note.rng.random())
    return wide(note, wave, width_cents, cutoff_hz * (0.6 + 0.5 * note.velocity)) * level * shaped(note, attack_s)


def organ(note, wave="drawbars", percussion=0.5, speed_hz=6.4, cents=5.0):
    """Play drawbars, with a knock on the third harmonic, a key's click and a turning speaker."""
    hz = note.hz * np.exp2(cents / 1200 * sine(speed_hz, note, note.rng.random())) if cents else note.hz
    out = read_table(wave_table(wave, top(note), note.rate), hz, note)
    if percussion and 3 * note.top_hz < 0.45 * note.rate:
        out = out + percussion * sine(note.hz * 3.0, note) * np.exp(note.time / np.float32(-0.1))
    level = 1 + 0.12 * sine(speed_hz, note, note.rng.random()) if cents else 1.0
    return out * level * shaped(note, 0.004)


def theremin(note):
    """Play nearly a sine, with the hand's wide vibrato."""
    hz = vibrato(note, 6.2, 38.0, 0.12, 4.0)
    table = made_table(np.array([1.0, 0.22, 0.09, 0.03])[: len(harmonic_numbers(top(note, 1.05), note.rate, 4))])
    return read_table(table, hz, note) * shaped(note, 0.09)


def whistle(note, cents=24.0):
    """Play lips that whistle: a sine with breath around it, scooped from a little below."""
    hz = vibrato(note, 5.4, cents, 0.2, 5.0) * np.exp2(-0.1 * np.exp(note.time / np.float32(-0.04)))
    breath = kept(hiss(note.rng, note.count), note.rate, 0.7 * note.base_hz, min(2.2 * note.base_hz, 0.45 * note.rate))
    octave = 0.03 * sine(hz * 2, note) if note.top_hz < 0.2 * note.rate else 0.0
    return (sine(hz, note) + octave + 0.05 * breath) * shaped(note, 0.05)


# -- voices -----------------------------------------------------------------------------------------------------------


def throat_scale(note):
    """Return how much shorter than a man's the throat is that sings a pitch: 1 up to A3, 1.18 from C5 on."""
    return float(np.round(np.interp(np.log2(note.base_hz), np.log2([to_hz(57), to_hz(72)]), [1.0, 1.18]), 2))


def syllables(note, a_second, most):
    """Return seconds since the last syllable began (count,), and for each place in time a number from 0 to `most`,
    drawn for each.

    The first begins with the note; the others are so many a second, at random.
    """
    length_s = note.count / note.rate
    more = note.rng.uniform(0.15, max(length_s - 0.1, 0.16), max(int(length_s * a_second - 0.5), 0))
    starts = np.concatenate([[0.0], np.sort(more)])
    which = np.searchsorted(starts, note.time, side="right") - 1
    return (note.time - starts[which]).astype(np.float32), note.rng.integers(0, most + 1, len(starts))[which]


def singer(note, vowels=("oo", "oh", "ah", "eh", "ee"), a_second=3.0, cents=60.0, slope=0.9, breath=0.05, consonants=1.0):
    """Play one singer, whose syllables have vowels of `vowels` and begin with a scoop and some with a consonant's
    noise."""
    since_s, drawn = syllables(note, a_second, len(vowels) - 1)
    hz = vibrato(note, 5.6, cents, 0.3, 14.0) * np.exp2(-2 / 12 * np.exp(since_s / np.float32(-0.05)))
    places = drawn[0] + kept(drawn - drawn[0], note.rate, None, 8.0, 1)
    tables = vowel_tables(vowels, round(note.base_hz, 1), top(note, 1.05), note.rate, throat_scale(note), slope)
    wave = read_rows(tables, places, hz, note, note.rng.random()) * (1 + 0.1 * drifting(note, 0.07))
    air = kept(hiss(note.rng, note.count), note.rate, 1500.0, 7000.0, 1)
    spoken = air * np.exp(since_s / np.float32(-0.025)) * (drawn % 2 == 0)
    opened = 1 - 0.9 * np.exp(since_s / np.float32(-0.03))
    return ((wave + breath * air) * opened + 0.4 * consonants * spoken) * shaped(note, 0.02)


def choir(note, vowels=("oh", "ah"), singers=5, attack_s=0.18):
    """Play several singers, none quite in tune or time with the others."""
    tables = vowel_tables(vowels, round(note.base_hz, 1), top(note, 1.04), note.rate, throat_scale(note), 1.1)
    places = (len(vowels) - 1) * np.minimum(note.time / np.float32(0.5), 1)
    wave = 0
    for _ in range(singers):
        hz = vibrato(note, 5.1, 24.0, 0.2, 9.0) * 2 ** (note.rng.normal(0, 7) / 1200)
        wave = wave + read_rows(tables, places, hz, note, note.rng.random()) * risen(note, attack_s * note.rng.uniform(0.6, 1.4))
    return wave * shaped(note, 0.05)


def robot(note):
    """Play a vocoder's voice: saws in a throat, vowels that change from note to note and in tempo."""
    names = tuple(note.rng.permutation(["oo", "oh", "ah", "ee"])[:3])
    tables = vowel_tables(names, round(note.base_hz, 1), top(note), note.rate, 1.1, 0.2)
    places = 1 + beat_wave(note, 2, 0.75)
    wave = read_rows(tables, places, note.hz * 1.003, note) + read_rows(tables, places, note.hz / 1.003, note, 0.4)
    return wave * shaped(note, 0.01)


# -- winds and drones ---------------------------------------------------------------------------------------------------


def in_body(note, wave, peaks, hz, start=0.0):
    """Return a wave of WAVES in a body whose resonances are `peaks`, at pitches hz."""
    k = harmonic_numbers(top(note, 1.05), note.rate)
    spectrum = WAVES[wave](k) * (0.15 + formants(k * note.base_hz, peaks))
    return read_table(made_table(spectrum), hz, note, start)


def sho(note):
    """Play a mouth organ's pipe: a thin free reed that swells and fades slowly, with a second one beside it."""
    peaks = ((1800, 900, 1.0), (3800, 1600, 0.8))
    wave = in_body(note, "reed", peaks, note.hz * 1.0006) + 0.7 * in_body(note, "reed", peaks, note.hz * 0.9991, 0.4)
    return wave * (0.75 + 0.25 * sine(0.21, note, 0.75)) * shaped(note, 0.5)


def hichiriki(note):
    """Play a loud double reed that slides up into its notes and wavers."""
    hz = vibrato(note, 4.6, 32.0, 0.5, 12.0) * np.exp2(-1.1 / 12 * np.exp(note.time / np.float32(-0.11)))
    wave = in_body(note, "reed", ((1150, 350, 1.6), (2600, 700, 1.0), (4200, 1200, 0.4)), hz)
    return wave * (1 + 0.1 * drifting(note, 0.08)) * shaped(note, 0.07)


def didgeridoo(note):
    """Play a long wooden pipe's drone, whose overtones the mouth shapes in rhythm."""
    tables = vowel_tables(("oo", "oh", "ah", "ee"), round(note.base_hz, 1), top(note), note.rate, 0.9, 0.6)
    turn = 0.5 - 0.5 * beat_wave(note, note.rng.choice([1.0, 2.0, 0.5]), 0.25)
    wave = read_rows(tables, 2.6 * turn**1.5 + 0.2 * drifting(note), note.hz, note)
    breath = kept(hiss(note.rng, note.count), note.rate, 400.0, 1500.0, 1)
    return (wave * (0.7 + 0.3 * turn) + 0.6 * sine(note.hz, note) + 0.02 * breath) * shaped(note, 0.06)


def braam(note):
    """Play a trailer's brass hit: low saws in octaves that tear open, then sink back."""
    bite = np.minimum(note.time / np.float32(0.12), 1) * np.exp(note.time / np.float32(-1.6))
    cutoffs = 180 * np.exp2((3.2 + 1.5 * note.velocity) * bite)
    wave = 0
    for ratio, level in ((2.004, 1.0), (1.992, 1.0), (1.0, 1.0), (1.005, 0.7), (4.0, 0.35)):
        wave = wave + level * swept(note, "saw", cutoffs, 0.2, "low", note.hz * ratio, note.rng.random())
    return wave * shaped(note, 0.04, 2.5, 0.5)


def synth_brass(note):
    """Play two saws through a filter that opens like lips."""
    opening = risen(note, 0.09) * (0.65 + 0.35 * np.exp(note.time / np.float32(-0.4)))
    cutoffs = 250 * np.exp2((2.2 + 1.8 * note.velocity) * opening)
    hz = vibrato(note, 5.2, 8.0, 0.4)
    wave = swept(note, "saw", cutoffs, 0.15, "low", hz * 1.004) + swept(note, "saw", cutoffs, 0.15, "low", hz / 1.004, 0.6)
    return wave * shaped(note, 0.02, 0.6, 0.85)


def orchestra_hit(note):
    """Play a whole orchestra in one short chord of octaves and a fifth, with a drum, at a sampler's eight bits."""
    falling = np.exp(note.time / np.float32(-0.35))
    cutoffs = 600 * np.exp2((2.0 + 1.5 * note.velocity) * falling)
    wave = 0
    for ratio, level in ((2.01, 1.0), (1.99, 1.0), (4.0, 0.7), (1.0, 0.9), (2.9966, 0.35), (8.0, 0.3)):
        wave = wave + level * swept(note, "saw", cutoffs, 0.1, "low", note.hz * ratio, note.rng.random())
    drum = kept(hiss(note.rng, note.count), note.rate, 60.0, 500.0) * np.exp(note.time / np.float32(-0.09))
    return (wave + 1.5 * drum) * shaped(note, 0.006, 0.5, 0.0)


def glass_pad(note):
    """Play a glassy pad: two sines, one of which modulates the other slowly."""
    index = 1.0 + 0.7 * sine(0.3, note, note.rng.random()) + 0.6 * note.velocity
    wave = modulated(note, 1, 3, index) + 0.5 * modulated(note, 1, 2, 0.6 * index, 0.2)
    return wave * shaped(note, 0.25)


def overtone_singer(note):
    """Play a drone whose single overtones are picked out one after the other, as an overtone singer does."""
    steps = np.floor(note.time * note.bpm / 60)
    walk = note.rng.integers(5, 12, int(steps[-1]) + 1) if note.count else np.zeros(1)
    glide = kept(walk[steps.astype(int)].astype(np.float64), note.rate, None, 6.0, 1)
    out = swept(note, "saw", note.base_hz * np.maximum(glide, 3), 0.95, "band")
    return (out * 1.6 + 0.5 * in_body(note, "saw", ((400, 150, 1.0),), note.hz)) * shaped(note, 0.2)


def rounded(note, wave="triangle"):
    """Play a plain wave with a late vibrato: a flute of a synthesiser."""
    return read_table(wave_table(wave, top(note), note.rate), vibrato(note, 5.0, 12.0, 0.4), note) * shaped(note, 0.03)
