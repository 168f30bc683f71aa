"""What is no music: speech, thunder and other noise, clicks in silence; told apart by plain facts of the sound.

Music has tones that stay at one pitch, or strokes that come back in time. Speech has tones that glide and pauses between
its syllables; noise has no tones and no time. benchmarks/kinds.py prints the shares of errors.
"""

from collections.abc import Mapping

import numpy as np

RATE, WINDOW, HOP = 22050, 4096, 1024
LOWEST_HZ, HIGHEST_HZ = 60.0, 5000.0
PEAK_DB = 10.0  # by which a tone stands above what lies around it
AROUND = 31  # bins in which that is measured
STEADY_FRAMES = 6  # for which a tone stays at its pitch (a quarter of a second)
ACTIVE_DB = 40.0  # below the loudest: what is softer is a pause
ONSET_WINDOW, ONSET_HOP = 1024, 256
LEAST = 0.1  # probability below which a clip is no music
# A logistic curve; "" is what is always added.
WEIGHTS: Mapping[str, float] = {
    "": -8.34, "steady": 10.94, "gliding": -0.85, "tonal": 3.69, "active": -0.41, "regular": 13.83, "syllables": 11.83,
    "bright": -1.97, "changing": -1.28,
}  # fmt: skip


def no_music(samples: np.ndarray, sample_rate: int) -> str | None:
    """Say why mono samples are no music, or return None for music, silence and what is too short to tell."""
    if len(samples) < 2 * sample_rate or not np.abs(samples).max(initial=0) > 1e-4:
        return None
    facts = sound_facts(samples, sample_rate)
    if music_probability(facts) >= LEAST:
        return None
    return f"no music: {kind_of(facts)}"


def music_probability(facts: Mapping[str, float]) -> float:
    """Return the probability that sound with such facts is music."""
    return float(1 / (1 + np.exp(-sum(weight * (facts[name] if name else 1.0) for name, weight in WEIGHTS.items()))))


def kind_of(facts: Mapping[str, float]) -> str:
    """Name what sound is that is no music."""
    if facts["active"] < 0.5 and facts["gliding"] + facts["steady"] < 0.1:
        return "clicks in silence"
    if facts["gliding"] + facts["steady"] > 0.3:
        return "speech, or sounds that glide and pause as it does"
    return "noise without tones or a pulse"


def sound_facts(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return what tells music, each 0 to 1 or so.

    steady: the share of energy in tones that stay; gliding: that in tones that do not; tonal: the share of the sounding
    time with a tone that stays; active: the share of the time in which something sounds; regular: how exactly onsets
    come back; syllables: the share of changes of loudness at 3 to 8 Hz; bright: the middle of the spectrum, in octaves
    over 100 Hz, divided by 6; changing: how much loudness changes.
    """
    import soxr

    wave = samples if sample_rate == RATE else soxr.resample(samples, sample_rate, RATE)
    wave = np.asarray(wave, np.float32) / (np.abs(wave).max() + 1e-9)
    power = _power(wave, WINDOW, HOP)
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    first, end = (int(place) for place in np.searchsorted(hz, (LOWEST_HZ, HIGHEST_HZ)))
    power, hz = power[:, first:end], hz[first:end]
    loud = power.sum(axis=1)
    active = loud > loud.max() * 10 ** (-ACTIVE_DB / 10)
    steady, peaks = _tones(power)
    energy = power[active].sum() + 1e-12
    per_frame = (power * steady).sum(axis=1) / (loud + 1e-12)
    middle = (power[active].sum(axis=0) * hz).sum() / energy
    regular, syllables, changing = _rhythm(wave)
    return {
        "steady": float((power * steady)[active].sum() / energy),
        "gliding": float((power * (peaks & ~steady))[active].sum() / energy),
        "tonal": float((per_frame[active] > 0.15).mean()),
        "active": float(active.mean()),
        "regular": regular,
        "syllables": syllables,
        "bright": float(np.log2(max(middle, 100) / 100) / 6),
        "changing": changing,
    }


def _power(wave, window, hop):
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(wave, (0, window)), window)[::hop]
    return np.abs(np.fft.rfft(frames * np.hanning(window).astype(np.float32), axis=1)) ** 2


def _tones(power):
    """Return (in tones that stay, in any tone) for each frame and bin."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

    db = 10 * np.log10(power + 1e-10)
    tops = (db == maximum_filter1d(db, 3, axis=1)) & (db > uniform_filter1d(db, AROUND, axis=1) + PEAK_DB)
    wide = maximum_filter1d(tops.astype(np.uint8), 3, axis=1)  # a tone may lie between two bins
    kept = maximum_filter1d(minimum_filter1d(wide, STEADY_FRAMES, axis=0), STEADY_FRAMES, axis=0, origin=-1)
    return np.minimum(kept, wide).astype(bool), wide.astype(bool)


def _rhythm(wave):
    """Return (how exactly onsets come back, the share of changes of loudness at 3 to 8 Hz, how much loudness changes)."""
    power = _power(wave, ONSET_WINDOW, ONSET_HOP)
    fps = RATE / ONSET_HOP
    bands = np.log10(np.add.reduceat(power, [2, 6, 12, 24, 48, 96, 192], axis=1) + 1e-7)
    onsets = np.maximum(np.diff(bands, axis=0), 0).sum(axis=1)
    onsets = onsets - onsets.mean()
    count = len(onsets)
    spectrum = np.abs(np.fft.rfft(onsets, 2 * count)) ** 2
    again = np.fft.irfft(spectrum)[:count] / (np.square(onsets).sum() + 1e-9) * count / (count - np.arange(count))
    lags = np.arange(round(0.18 * fps), min(round(2 * fps), count // 3))
    regular = max((float(min(again[k - 1 : k + 2].max(), again[2 * k - 2 : 2 * k + 3].max())) for k in lags), default=0.0)
    level = np.log10(power.sum(axis=1) + 1e-5)
    moves = np.abs(np.fft.rfft(level - level.mean())) ** 2
    third, eighth, slowest, fastest = np.searchsorted(np.fft.rfftfreq(len(level), 1 / fps), (3, 8, 0.3, 20))
    share = moves[third:eighth].sum() / (moves[slowest:fastest].sum() + 1e-9)
    return float(np.clip(regular, 0, 1)), float(share), float(min(level.std(), 2.0) / 2)
