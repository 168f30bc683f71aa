"""What is measured of notes and strokes in the sound: a melody heard again, rhythms bar by bar, onsets side by side; areas under curves."""

import numpy as np

from musicbench import InputError

HOP = 128  # samples from one frame of onset strength to the next


def area_under_curve(of_these, of_others):
    """Return how often a score of these lies above one of others, ties counted half: the area under the ROC curve, 0 to 1.

    Raises InputError where one of the two is empty.
    """
    if not len(of_these) or not len(of_others):
        raise InputError(f"{len(of_these)} scores and {len(of_others)} of others tell nothing apart; give one or more of each")
    differences = np.subtract.outer(np.asarray(of_these, float), np.asarray(of_others, float))
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def melody_f_measure(asked, heard, tolerance_s=0.1):
    """Return the F-measure, 0 to 1, of notes (start s, end s, MIDI pitch) heard where they were asked.

    A note is right that begins within `tolerance_s` of one of its pitch class; each counts once.
    """
    left, right = sorted(tuple(note) for note in heard), 0
    for start_s, _, pitch in sorted(tuple(note) for note in asked):
        fits = [note for note in left if abs(note[0] - start_s) <= tolerance_s and (note[2] - pitch) % 12 == 0]
        if fits:
            left.remove(min(fits, key=lambda note: abs(note[0] - start_s)))
            right += 1
    return 2 * right / (len(asked) + len(heard)) if len(asked) + len(heard) else 1.0


def onset_strength(samples, sample_rate):
    """Return how strongly something begins (frames,), a frame every HOP samples (spectral flux of mel bands)."""
    import librosa

    return librosa.onset.onset_strength(y=samples, sr=sample_rate, hop_length=HOP, n_fft=1024, n_mels=80)


def bar_pattern(strength, sample_rate, bar_s, steps=16):
    """Return the mean onset strength (steps,) at each step of a bar, over the whole bars from the first sample on.

    strength: as `onset_strength` returns it. Raises InputError where it holds no whole bar.
    """
    times = np.arange(len(strength)) * HOP / sample_rate
    whole = int((len(strength) * HOP / sample_rate + 1e-6) // bar_s)
    if not whole:
        raise InputError(f"{times[-1]:.1f} s hold no bar of {bar_s:g} s; give a longer clip")
    step = np.round(times / bar_s * steps).astype(int) % steps
    inside = times < whole * bar_s
    sums = np.bincount(step[inside], strength[inside], steps)
    return sums / np.maximum(np.bincount(step[inside], minlength=steps), 1)


def mean_correlation(patterns):
    """Return the mean correlation of each two of patterns (N, steps), -1 to 1; one without change correlates with none."""
    patterns = np.asarray(patterns, float)
    centred = patterns - patterns.mean(axis=1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return float((unit @ unit.T)[np.triu_indices(len(unit), 1)].mean())


def onset_times(samples, sample_rate):
    """Return when something begins (seconds)."""
    import librosa

    return librosa.onset.onset_detect(
        onset_envelope=onset_strength(samples, sample_rate), sr=sample_rate, hop_length=HOP, units="time"
    )


def nearest_gaps(times, others, within_s=0.04):
    """Return how far (s) from each time the nearest of `others` lies, for those that have one within `within_s`."""
    if not len(times) or not len(others):
        return np.zeros(0)
    gaps = np.abs(np.subtract.outer(np.asarray(times, float), np.asarray(others, float))).min(axis=1)
    return gaps[gaps <= within_s]
