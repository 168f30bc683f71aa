"""How drums and percussion are struck: each function takes a Note without a pitch and gives one hit, samples (count,)
of any size.

Times are in seconds: t60_s is how long a sound takes to fade by 60 dB. Frequencies are those at the note's hz = 1;
other values tune the drum.
"""

import numpy as np

from musicbench.synth.waves import HIGHEST, Note, fading, hiss, kept, modes, read_table, risen, sine, wave_table

MEMBRANE = ((1.0, 1.0), (1.59, 0.45), (2.14, 0.3), (2.3, 0.2), (2.65, 0.18), (2.92, 0.14), (3.5, 0.1))
HAT_HZ = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)  # the six squares of an analogue machine's metal
CRASH_HZ = (342.1, 517.3, 611.9, 841.7, 1130.6, 1427.1, 1844.9, 2311.4)


def burst(note, t60_s, low_hz=None, high_hz=None, attack_s=0.0005, order=1):
    """Return filtered noise (count,) that fades."""
    wave = kept(hiss(note.rng, note.count), note.rate, low_hz, high_hz, order) * fading(note, t60_s)
    return wave * risen(note, attack_s)


def driven(wave, drive):
    """Return a wave overdriven, peaks at 1; drive 0 leaves it."""
    return np.tanh(drive * wave) / np.tanh(drive) if drive else wave


def kick(note, hz=50.0, drop=5.0, drop_s=0.02, t60_s=0.5, click=0.2, drive=0.0, hold=1.0):
    """Strike a bass drum: a sine that falls from (1 + drop) * hz to hz, and a click."""
    falling = note.hz * hz * (1 + drop * (0.5 + 0.5 * note.velocity) * np.exp(note.time / np.float32(-drop_s)))
    body = sine(falling, note) * np.minimum(hold * fading(note, t60_s), 1)
    clicks = click * note.velocity * burst(note, 0.02, 800.0, 6000.0)
    return driven(body, drive) * risen(note, 0.0008) + clicks


def snare(note, hz=(185.0, 330.0), shell=(0.6, 0.16), t60_s=0.28, band=(1200.0, None), snap=0.3, gate_s=None, drive=0.0):
    """Strike a snare drum: two falling sines and the rattle of wires.

    shell: level and t60_s of the sines; t60_s and band: of the rattle; gate_s: where it is cut off.
    """
    bend = note.hz * (1 + 0.25 * np.exp(note.time / np.float32(-0.012)))
    tone = (sine(hz[0] * bend, note) + 0.6 * sine(hz[1] * bend, note)) * fading(note, shell[1])
    wires = kept(hiss(note.rng, note.count), note.rate, *band, 1)
    level = fading(note, t60_s) * (0.35 + 0.65 * note.velocity)
    if gate_s is not None:
        level = (0.25 + 0.75 * level) * np.clip((gate_s - note.time) / 0.02, 0, 1)
    clicks = snap * burst(note, 0.015, 2000.0)
    return driven(shell[0] * tone + 0.55 * wires * level + clicks, drive)


def clap(note, bursts=(0.0, 0.011, 0.021, 0.031), t60_s=0.25, band=(700.0, 3000.0), t60_burst_s=0.02):
    """Clap: a few bursts of noise close together, and a room."""
    gains = np.zeros(note.count, np.float32)
    for start_s in bursts:
        late = note.time - np.float32(start_s * note.rng.uniform(0.9, 1.1))
        last = start_s == bursts[-1]
        t60 = t60_s if last else t60_burst_s
        gains = np.maximum(gains, np.where(late >= 0, np.exp(-6.9 * np.maximum(late, 0) / t60), 0) * (1.0 if not last else 0.8))
    return kept(hiss(note.rng, note.count), note.rate, *band) * gains


def rim(note, hz=(490.0, 1710.0), t60_s=0.05, noise=0.2):
    """Strike a rim, or sticks on each other."""
    wave = sum(sine(f * note.hz, note) for f in hz) * fading(note, t60_s)
    return driven(wave, 1.5) + noise * burst(note, 0.015, 1500.0)


def metal(note, hz=HAT_HZ, band=(6500.0, None), t60_s=0.12, noise=0.3, attack_s=0.0005, slow=0.0):
    """Strike metal made of squares out of tune and noise: hats, rides, crashes.

    slow: a second, longer fade and its level.
    """
    wave = np.zeros(note.count, np.float32)
    for f in hz:
        f = f * note.hz
        wave += read_table(wave_table("square", round(f, 1), note.rate), f, note, note.rng.random())
    wave = wave / len(hz) ** 0.5 + noise * hiss(note.rng, note.count)
    level = fading(note, t60_s) * (1 - slow) + slow * fading(note, 4 * t60_s)
    return kept(wave, note.rate, *band) * level * risen(note, attack_s)


def tom(note, hz=120.0, drop=0.5, drop_s=0.05, t60_s=0.5, noise=0.1):
    """Strike a tom of a machine: a sine that falls a little, and breath."""
    falling = hz * note.hz * (1 + drop * np.exp(note.time / np.float32(-drop_s)))
    return sine(falling, note) * fading(note, t60_s) * risen(note, 0.001) + noise * burst(note, 0.12, 200.0, 2500.0)


def membrane(note, hz=200.0, t60_s=0.4, drop=0.15, slap=0.2, partials=MEMBRANE, slap_hz=1500.0, damped=1.0):
    """Strike a skin by hand or stick: partials of a membrane, the higher the shorter, and a slap of noise."""
    bend = note.hz * hz * (1 + drop * note.velocity * np.exp(note.time / np.float32(-0.025)))
    part = Note(bend, note.count, note.gate, note.velocity, note.rate, note.rng)
    bright = 0.3 + 0.7 * note.velocity
    wave = modes(part, [(ratio, level * (bright if ratio > 1 else 1.0), t60_s / ratio**damped) for ratio, level in partials])
    return wave * risen(note, 0.0012) + slap * bright * burst(note, 0.05, slap_hz)


def tabla(note, hz=300.0, t60_s=0.6, bend=0.0, slap=0.25, partials=((1.0, 0.5), (2.0, 1.0), (3.0, 0.6), (4.0, 0.3), (5.0, 0.15))):
    """Strike a tabla, whose loaded skin has harmonic partials.

    bend: in octaves, how far the palm then pushes the pitch up.
    """
    rising = note.hz * hz * np.exp2(bend * (1 - np.exp(note.time / np.float32(-0.12))))
    part = Note(rising, note.count, note.gate, note.velocity, note.rate, note.rng)
    wave = modes(part, [(ratio, level, t60_s / ratio**0.3) for ratio, level in partials])
    return wave * risen(note, 0.001) + slap * burst(note, 0.02, 1500.0)


def wood(note, hz=2500.0, t60_s=0.06, second=0.0, knock=0.1):
    """Strike wood or a shell: one partial or two."""
    partials = [(hz, 1.0, t60_s)] + ([(hz * second, 0.5, 0.6 * t60_s)] if second else [])
    return modes(note, partials) * risen(note, 0.0006) + knock * burst(note, 0.01, 1000.0)


def bell(note, hz=(540.0, 800.0), t60_s=0.25, band=(400.0, 5000.0), wave="square", slow=0.25):
    """Strike a cowbell or the like: two squares, a short and a long fade."""
    out = sum(read_table(wave_table(wave, round(f * note.hz, 1), note.rate), f * note.hz, note, 0.1 * f % 1) for f in hz)
    level = (1 - slow) * fading(note, 0.35 * t60_s) + slow * fading(note, t60_s)
    return kept(out, note.rate, *band, 1) * level * risen(note, 0.0008)


def tuned_metal(note, hz=900.0, t60_s=0.5, partials=((1.0, 1.0), (2.3, 0.5), (3.6, 0.3), (5.4, 0.2))):
    """Strike a small bell, agogo, triangle or anvil: inharmonic partials."""
    wave = modes(note, [(hz * ratio, level, t60_s / ratio**0.5) for ratio, level in partials])
    return wave * risen(note, 0.0008) + 0.1 * burst(note, 0.01, 2000.0)


def shaken(note, t60_s=0.12, band=(4500.0, None), attack_s=0.025, grains=0.0):
    """Shake seeds in a shell; grains: how rough, 0 to 1."""
    wave = kept(hiss(note.rng, note.count), note.rate, *band)
    if grains:
        rough = kept(np.abs(hiss(note.rng, note.count)) ** 3, note.rate, None, 900.0, 1)
        wave = wave * (1 - grains + grains * rough)
    rising = np.minimum(note.time / np.float32(attack_s), 1) ** 2
    return wave * rising * np.exp(-np.maximum(note.time - attack_s, 0) * np.float32(6.9 / t60_s))


def jingled(note, t60_s=0.3, hz=(5200.0, 6700.0, 8100.0, 9400.0), slaps=(0.0, 0.018)):
    """Strike a tambourine: jingles in a few knocks, and noise."""
    gains = sum((note.time >= late_s) * np.exp(-6.9 / t60_s * np.maximum(note.time - late_s, 0)) for late_s in slaps)
    wave = 0.6 * kept(hiss(note.rng, note.count), note.rate, min(4500.0, 0.3 * note.rate))
    for f in hz:
        if f < HIGHEST * note.rate:
            trembling = 0.5 + 0.5 * np.abs(sine(31.0, note, note.rng.random()))
            wave = wave + 0.4 * sine(f * note.rng.uniform(0.97, 1.03), note) * trembling
    return wave * gains * risen(note, 0.001)


def scraped(note, strokes=9, length_s=0.12, band=(2200.0, 7000.0)):
    """Scrape a guiro: so many ticks within length_s, ever closer together."""
    wave = kept(hiss(note.rng, note.count), note.rate, *band)
    place = np.clip(note.time / length_s, 0, 1) ** 0.85 * strokes
    level = np.exp(-5 * (place % 1)) * (note.time < length_s)
    return wave * level * (0.4 + 0.6 * note.time / length_s)


def brushed(note, length_s=0.22, band=(1500.0, 7000.0), shape=0.4):
    """Sweep a brush over a snare's skin; shape: where within length_s it is loudest."""
    part = np.clip(note.time / length_s, 0, 1)
    level = np.minimum(part / shape, (1 - part) / (1 - shape))
    return kept(hiss(note.rng, note.count), note.rate, *band, 1) * level**1.5


def zap(note, hz=2200.0, low_hz=120.0, t60_s=0.25, wave="triangle"):
    """Shoot: a wave that falls fast, as synthesised drums of the eighties and eight-bit games do."""
    falling = low_hz + (hz - low_hz) * np.exp(note.time / np.float32(-0.12 * t60_s - 0.02))
    return read_table(wave_table(wave, round(hz * note.hz, 1), note.rate), falling * note.hz, note) * fading(note, t60_s)


def bits(note, t60_s=0.15, clock_hz=8000.0, short=False):
    """Play a sound chip's noise in steps of a 60th of a second; short: a period of 93 bits, which sounds like metal."""
    count = 93 if short else 32767
    register = np.where(np.random.default_rng(93).random(count) < 0.5, -1.0, 1.0)
    clock_hz = min(clock_hz, 0.9 * note.rate)
    held = np.cumsum(np.concatenate([[0.0], register[np.arange(int(note.time[-1] * clock_hz) + 3) % count]]))
    total = np.interp(np.arange(note.count + 1) * (clock_hz / note.rate), np.arange(len(held)), held)
    steps = np.round(15 * np.exp(-6.9 * np.floor(note.time * 60) / 60 / t60_s)) / 15
    return np.diff(total) * steps


def chip_kick(note, hz=190.0, low_hz=40.0, t60_s=0.18):
    """Play a sound chip's bass drum: a triangle that falls in steps."""
    frames = np.floor(note.time * 60) / 60
    falling = low_hz + (hz - low_hz) * np.exp(-frames / 0.035)
    steps = np.round(15 * np.exp(-6.9 * frames / t60_s)) / 15
    return read_table(wave_table("chip triangle", round(hz * note.hz, 1), note.rate), falling * note.hz, note) * steps


def blown(note, hz=2350.0, t60_s=0.5):
    """Blow a referee's whistle: a sine that a ball makes tremble, and breath."""
    trembling = 1 + 0.5 * sine(38.0, note)
    level = np.minimum(risen(note, 0.02), np.clip((t60_s - note.time) / 0.05, 0, 1))
    return (sine(hz * note.hz * (1 + 0.02 * sine(38.0, note)), note) * trembling + 0.1 * burst(note, 9.0, 1500.0)) * level


def scratched(note, length_s=0.16, hz=500.0):
    """Move a record by hand: noise and a tone that rise and fall."""
    part = np.clip(note.time / length_s, 0, 1)
    speed = np.abs(np.sin(2 * np.pi * part)) + 0.05
    tone = read_table(wave_table("saw", round(hz * 1.1, 1), note.rate), hz * speed, note)
    return (tone + 0.4 * kept(hiss(note.rng, note.count), note.rate, 500.0, 4000.0, 1)) * speed * (part < 1)


def layered(note, layers):
    """Strike several at once: layers of (level, function, settings)."""
    return sum(level * function(note, **settings) for level, function, settings in layers)
