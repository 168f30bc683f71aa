"""Sound -> the notes of its melody, heard by pYIN (Mauch and Dixon 2014)."""

import numpy as np

LOWEST_HZ, HIGHEST_HZ = 55.0, 1760.0  # A1 to A6
RATE, HOP = 22050, 256
SHORTEST_S = 0.08  # what lasts less is no note
SAME = 0.6  # semitones that a note may waver from its pitch


def hear_melody(samples: np.ndarray, sample_rate: int) -> tuple[tuple[float, float, int], ...]:
    """Return the notes (start in seconds, end, MIDI pitch) of the one voice in mono samples; () where none is heard."""
    import librosa

    if sample_rate != RATE:
        import soxr

        samples = soxr.resample(samples, sample_rate, RATE)
    pitches_hz, voiced, _ = librosa.pyin(np.asarray(samples, np.float32), fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=RATE, hop_length=HOP)
    pitches = np.where(voiced, librosa.hz_to_midi(np.where(voiced, pitches_hz, 440.0)), np.nan)
    notes, first = [], 0
    for frame in range(len(pitches) + 1):
        held = pitches[first:frame]
        goes_on = frame < len(pitches) and (
            np.isnan(pitches[frame]) if not len(held) or np.isnan(held[0]) else abs(pitches[frame] - np.median(held)) <= SAME
        )
        if frame > first and not goes_on:
            start_s, end_s = first * HOP / RATE, frame * HOP / RATE
            if not np.isnan(held[0]) and end_s - start_s >= SHORTEST_S:
                notes.append((round(start_s, 4), round(end_s, 4), int(round(float(np.median(held))))))
            first = frame
    return tuple(notes)
