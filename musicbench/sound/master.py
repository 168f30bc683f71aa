"""Finished sound: no DC, true peaks below a ceiling, loudness as asked. Samples are mono floats (n,); no torch."""

from typing import Any, cast

import numpy as np

from musicbench import InputError

CEILING_DBTP = -1.0  # the highest true peak of a file
MARGIN_DB = 0.2  # kept free below it: meters differ a little, and 16 bits round
OVERSAMPLING = 4  # as ITU-R BS.1770-4 measures true peaks
LOOK_AHEAD_S = 0.025  # how long before and after a peak the limiter's gain moves
LOWEST_HZ = 15.0  # below this there is no music
FADE_IN_S, FADE_OUT_S = 0.001, 0.02  # against clicks
BACK_S, AHEAD_S = 0.025, 0.005  # a place's level in a tail is the highest amplitude from so much before it to so much after it
RING_DB = 60.0  # how much softer a tail is at its end than the loudest that came within BEFORE_S before it
BEFORE_S = 0.5
LONGEST_TAIL_S = 10.0
QUIETEST_LUFS, LOUDEST_LUFS, DOWNLOAD_LUFS = -40.0, -5.0, -14.0
SHORTEST_S = 0.4  # the window in which loudness is measured
MOST_LIMITED_DB = 12.0  # how far loudness may drive the highest peak into the limiter
NEAR_LU, CLOSE_LU = 0.5, 0.05  # how far from what was asked is told, and how close the search comes


def to_db(amplitude: float) -> float:
    """Return an amplitude in dB of full scale, -inf for 0."""
    with np.errstate(divide="ignore"):
        return 20 * float(np.log10(amplitude))


def _peaks(samples):
    """Return for each of the samples (n,) the highest amplitude within half a sample of it, of the wave oversampled
    four times.

    What is close to half the sample rate gets higher by one resampler or the other, so two are asked.
    """
    import soxr
    from scipy.signal import resample_poly

    samples, half = np.asarray(samples, np.float64), OVERSAMPLING // 2
    peaks = np.abs(samples)
    for wave in (soxr.resample(samples, 1, OVERSAMPLING, "VHQ"), resample_poly(samples, OVERSAMPLING, 1)):
        padded = np.pad(np.abs(wave), half + OVERSAMPLING)[OVERSAMPLING:]
        for i in range(OVERSAMPLING + 1):
            np.maximum(peaks, padded[i : i + OVERSAMPLING * len(samples) : OVERSAMPLING], out=peaks)
    return peaks


def true_peak_db(samples: np.ndarray) -> float:
    """Return the true peak of samples (n,) in dBTP, -inf for silence."""
    return to_db(_peaks(samples).max()) if len(samples) else -np.inf


def centred(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return samples (n,) without what lies below 15 Hz.

    The filter looks only back, so that nothing rings before an attack.
    """
    from scipy.signal import butter, sosfilt

    wave = np.asarray(samples, np.float64)
    if len(wave) == 0:
        return wave
    wave = wave - wave.mean()
    return _balanced(sosfilt(butter(2, LOWEST_HZ, "highpass", fs=sample_rate, output="sos"), wave), sample_rate)


def _ramps(count, sample_rate, in_s, out_s):
    """Return gains (count,) that rise from about 0 to 1 within `in_s` and fall to 0 within `out_s`, in straight
    lines."""
    places = np.arange(count)
    return np.minimum(np.minimum((places + 1) / (in_s * sample_rate), places[::-1] / (out_s * sample_rate)), 1)


def _balanced(wave, sample_rate):
    """Return a wave (n,) with mean 0: what is too much is taken off everywhere but at the ends, which stay where
    they are."""
    window = _ramps(len(wave), sample_rate, FADE_OUT_S, FADE_OUT_S)
    return wave - wave.sum() / max(window.sum(), 1e-9) * window


def rung_out(samples: np.ndarray, sample_rate: int, tail_s: float) -> np.ndarray:
    """Return samples (n,) whose last `tail_s` ring out: ever softer, and by 60 dB softer than what was before at the
    end.

    So what a model plays on in the tail, such as a drum, is held down to what rings there.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    wave = np.asarray(samples, np.float64)
    first = max(len(wave) - round(tail_s * sample_rate), 0)
    back, ahead = round(BACK_S * sample_rate), round(AHEAD_S * sample_rate)
    levels = maximum_filter1d(np.abs(wave), back + ahead + 1, mode="constant", origin=(back - ahead) // 2)
    loudest = levels[max(first - round(BEFORE_S * sample_rate), 0) : first + 1].max()
    allowed = loudest * 10 ** (-RING_DB / 20 * np.linspace(0, 1, len(wave) - first))
    gains = np.ones(len(wave))
    gains[first:] = np.minimum(allowed, np.minimum.accumulate(levels[first:])) / np.maximum(levels[first:], 1e-9)
    return wave * np.minimum(uniform_filter1d(gains, ahead + 1, mode="nearest"), 1)


def finished(
    samples: np.ndarray, sample_rate: int, tail_s: float = 0.0, lufs: float | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a take (n,) as float32 that begins and ends without a click, its true peaks below the ceiling, and notes.

    tail_s: how much at its end rings out. lufs: its loudness, see `at_loudness`; as it is when None.
    """
    wave = centred(samples, sample_rate)
    if tail_s:
        wave = rung_out(wave, sample_rate, tail_s)
    wave = _balanced(wave * _ramps(len(wave), sample_rate, FADE_IN_S, FADE_OUT_S), sample_rate)
    if lufs is None:
        return limited(wave, sample_rate), ()
    louder, note = at_loudness(wave, sample_rate, lufs)
    return louder, (note,) if note else ()


def limited(samples: np.ndarray, sample_rate: int, ceiling_dbtp: float = CEILING_DBTP) -> np.ndarray:
    """Return samples (n,) whose true peaks are at most the ceiling, in dBTP; far from peaks above it nothing changes.

    The gain that a peak needs is held for LOOK_AHEAD_S before and after it, then averaged over as long: so it moves
    smoothly and is nowhere above what is needed.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    ceiling = 10 ** ((ceiling_dbtp - MARGIN_DB) / 20)
    peaks = _peaks(samples) if len(samples) else np.zeros(1)
    if peaks.max() <= ceiling:
        return np.asarray(samples, np.float32)
    length = 2 * round(LOOK_AHEAD_S * sample_rate) + 1
    needed = minimum_filter1d(ceiling / np.maximum(peaks, ceiling), length, mode="nearest")
    wave = np.asarray(samples, np.float64) * np.minimum(uniform_filter1d(needed, length, mode="nearest"), 1)
    wave = _balanced(wave, sample_rate)
    return (wave * min(ceiling / _peaks(wave).max(), 1)).astype(np.float32)


def _number(value):
    """Return a number or its text as float, NaN for what is none."""
    try:
        return np.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def check_loudness(value: Any) -> float | None:
    """Return a loudness in LUFS as float, None as None. Raises InputError outside -40 to -5."""
    if value is None:
        return None
    lufs = _number(value)
    if not QUIETEST_LUFS <= lufs <= LOUDEST_LUFS:
        bounds = f"{QUIETEST_LUFS:g} to {LOUDEST_LUFS:g} LUFS"
        raise InputError(f"loudness {str(value)[:40]!r} is outside {bounds}; give a number such as -14, or leave it out")
    return lufs


def check_tail(value: Any, duration_s: float, longest_s: float) -> float:
    """Return a tail in seconds as float, None as 0.

    Raises InputError outside 0 to 10, or where it makes a clip longer than `longest_s`.
    """
    tail_s = 0.0 if value is None else _number(value)
    if not 0 <= tail_s <= LONGEST_TAIL_S:
        raise InputError(f"tail {str(value)[:40]!r} is outside 0 to {LONGEST_TAIL_S:g} s; give seconds within it, 0 for none")
    if duration_s + tail_s > longest_s + 1e-6:
        raise InputError(
            f"a duration of {duration_s:.4g} s and a tail of {tail_s:g} s make {duration_s + tail_s:.4g} s, above the model's "
            f"{longest_s:g}; shorten one of them"
        )
    return tail_s


def loudness_of(samples: np.ndarray, sample_rate: int) -> float | None:
    """Return the integrated loudness of samples (n,) in LUFS (ITU-R BS.1770-4).

    None where there is none: silence, or less than 0.4 s.
    """
    import pyloudnorm

    if len(samples) < SHORTEST_S * sample_rate:
        return None
    with np.errstate(divide="ignore"):
        lufs = float(pyloudnorm.Meter(sample_rate).integrated_loudness(np.asarray(samples, np.float64)))
    return lufs if np.isfinite(lufs) else None


def at_loudness(samples: np.ndarray, sample_rate: int, lufs: float) -> tuple[np.ndarray, str | None]:
    """Return samples (n,) at a loudness in LUFS with true peaks below the ceiling, and a note where that cannot be,
    else None."""
    quiet = limited(samples, sample_rate)
    measured = loudness_of(quiet, sample_rate)
    if measured is None:
        why = "it is silent" if len(samples) >= SHORTEST_S * sample_rate else f"it is shorter than {SHORTEST_S:g} s"
        return quiet, f"the loudness stays as it was: {why}"
    most_db = CEILING_DBTP + MOST_LIMITED_DB - true_peak_db(samples)
    gain_db = lufs - measured
    for _ in range(8):  # what the limiter takes is added again
        gain_db = min(gain_db, most_db)
        louder = limited(np.asarray(samples) * 10 ** (gain_db / 20), sample_rate)
        reached = cast(float, loudness_of(louder, sample_rate))
        if abs(lufs - reached) < CLOSE_LU or gain_db == most_db:
            break
        gain_db += lufs - reached
    if abs(lufs - reached) <= NEAR_LU:
        return louder, None
    return louder, (
        f"the loudness is {reached:.1f} LUFS, not {lufs:g}: to be louder, peaks would have to be turned down by more "
        f"than {MOST_LIMITED_DB:g} dB"
    )


def mastered(samples: np.ndarray, sample_rate: int, loudness_lufs: float | None = DOWNLOAD_LUFS) -> np.ndarray:
    """Return samples (n,) as float32 without DC, at a loudness in LUFS as near as can be, true peaks at most -1 dBTP.

    loudness_lufs: None leaves the loudness as it is. Raises InputError outside -40 to -5.
    """
    samples, lufs = centred(samples, sample_rate), check_loudness(loudness_lufs)
    if lufs is None:
        return limited(samples, sample_rate)
    return at_loudness(samples, sample_rate, lufs)[0]
