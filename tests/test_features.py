import numpy as np
import pytest

from musicbench.hearing.by_madmom import hear
from musicbench.sound.features import bpm_of, loudness_db

madmom = pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
RATE = 44100


def tone(hz, seconds, rate=RATE):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def triads(chords, bpm, beats=4):
    """Plucked triads, one a bar, with a click on each beat, a drum on the first."""
    beat_s = 60 / bpm
    out = np.zeros(round(len(chords) * beats * beat_s * RATE), np.float32)
    noise = np.random.default_rng(0).normal(size=round(0.03 * RATE)).astype(np.float32)
    drum = 0.8 * tone(60, 0.15) * np.exp(-20 * np.arange(round(0.15 * RATE)) / RATE)
    for bar, notes in enumerate(chords):
        for beat in range(beats):
            start = round((bar * beats + beat) * beat_s * RATE)
            seconds = min(beat_s, (len(out) - start) / RATE)
            decay = np.exp(-3 * np.arange(round(seconds * RATE)) / RATE)
            for note in (notes[0] - 12, *notes):
                for partial in (1, 2, 3):
                    hz = 440 * 2 ** ((note - 69) / 12) * partial
                    out[start : start + len(decay)] += 0.08 / partial * tone(hz, seconds)[: len(decay)] * decay
            hit = drum if beat == 0 else 0.15 * noise
            out[start : start + len(hit)] += hit[: len(out) - start]
    return out


C, G, AM, F = (60, 64, 67), (55, 59, 62), (57, 60, 64), (53, 57, 60)


@pytest.mark.slow
def test_beats_chords_and_key_are_heard():
    heard = hear(triads([C, AM, F, G, C], 120), RATE)
    assert heard.bpm == pytest.approx(120, rel=0.02)
    assert heard.meter.beats == 4
    assert [c.lead_sheet() for c in heard.chords if c.root is not None] == ["C", "Am", "F", "G", "C"]
    assert str(heard.key) == "C major" and heard.key_probability > 0.3
    assert heard.reasons == {}


@pytest.mark.slow
def test_a_waltz_counts_three():
    assert hear(triads([C, F, G, C, AM, F], 140, beats=3), RATE).meter.beats == 3


@pytest.mark.slow
def test_what_cannot_be_heard_is_none_with_a_reason():
    silence = hear(np.zeros(5 * RATE, np.float32), RATE)
    short = hear(tone(440, 0.5), RATE)
    noise = hear(0.1 * np.random.default_rng(1).normal(size=8 * RATE).astype(np.float32), RATE)
    for heard, word in ((silence, "silence"), (short, "lasts"), (noise, "below")):
        assert heard.bpm is None and heard.key is None and heard.beat_times == () and heard.chords == ()
        assert set(heard.reasons) == {"beats", "chords", "key"} and word in heard.reasons["beats"]


def test_tempo_by_least_squares():
    assert bpm_of([0.0, 0.5, 1.0, 1.5]) == 120
    assert bpm_of([0.0, 0.49, 1.01, 1.5]) == pytest.approx(119.5, abs=1)
    assert bpm_of([0.0, 0.5]) is None
    assert bpm_of([0.0, 0.01, 0.02]) is None


def test_loudness():
    assert loudness_db(np.full(RATE, 0.1, np.float32), RATE) == pytest.approx(-20)
    assert loudness_db(np.zeros(10, np.float32), RATE)[0] < -100
