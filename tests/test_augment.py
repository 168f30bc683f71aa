"""Labels move with the sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.dynamics import Dynamics
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.sound import augment
from musicbench.sound.clip import Clip
from musicbench.sound.features import loudness_db

RATE = 24000


def tone(hz=440.0, seconds=5.0, rate=RATE):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def clicks(times, seconds=5.0, rate=RATE):
    samples, width = np.zeros(round(seconds * rate), np.float32), round(0.004 * rate)
    for t in times:
        samples[round(t * rate) : round(t * rate) + width] = np.hanning(width)
    return samples


def click_times(samples, near, rate=RATE):
    found = []
    for t in near:
        first = round((t - 0.05) * rate)
        found.append((first + np.argmax(np.abs(samples[first : round((t + 0.05) * rate)]))) / rate - 0.002)
    return np.array(found)


def frequency_hz(samples, rate=RATE):
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 16 * len(middle)))
    return np.argmax(spectrum) * rate / (16 * len(middle))


def labelled(samples=None, rate=RATE):
    return Clip(
        tone(rate=rate) if samples is None else samples, rate, beat_times=(0.0, 0.5, 1.0), beat_positions=(1, 2, 3), bpm=120.0,
        meter=Meter(3, 4), chords=(Chord.parse("C"), Chord.parse("F#m7b5/A")), chord_times=(0.0, 1.5), key=Key("A", "minor"),
        dynamics=Dynamics("crescendo", "end", 2.0, 0.3),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("semitones", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_pitch_is_exact_and_nothing_else_moves(semitones, rate):
    shifted = augment.shift_pitch(labelled(rate=rate), semitones)
    cents = 1200 * np.log2(frequency_hz(shifted.samples, rate) / (440 * 2 ** (semitones / 12)))
    assert abs(cents) < 2
    assert len(shifted.samples) == 5 * rate and shifted.samples.dtype == np.float32
    times = np.arange(0.5, 4.6, 0.5)
    moved = augment.shift_pitch(Clip(clicks(times, rate=rate), rate), semitones).samples
    np.testing.assert_allclose(click_times(moved, times, rate), times, atol=0.005)
    assert (shifted.bpm, shifted.beat_times, shifted.chord_times) == (120.0, (0.0, 0.5, 1.0), (0.0, 1.5))


def test_pitch_moves_chords_and_key():
    shifted = augment.shift_pitch(labelled(), 3)
    assert [c.lead_sheet(shifted.key) for c in shifted.chords] == ["Eb", "Am7b5/C"]
    assert str(shifted.key) == "C minor"
    assert frequency_hz(shifted.samples) == pytest.approx(523.25, abs=0.6)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.8, 1 / 1.07, 1.07, 1.2, 1.25])
def test_tempo_divides_every_time(rate):
    times = np.arange(0.5, 4.6, 0.5)
    faster = augment.change_tempo(labelled(clicks(times)), rate)
    np.testing.assert_allclose(click_times(faster.samples, times / rate), times / rate, atol=0.005)
    assert faster.bpm == pytest.approx(120 * rate, abs=0.01)
    np.testing.assert_allclose(faster.beat_times, np.array([0, 0.5, 1]) / rate, atol=1e-6)
    assert faster.chord_times[1] == pytest.approx(1.5 / rate) and faster.dynamics.turn_s == pytest.approx(2 / rate)
    assert faster.duration_s == pytest.approx(5 / rate, abs=0.001)
    assert abs(1200 * np.log2(frequency_hz(augment.change_tempo(Clip(tone(), RATE), rate).samples) / 440)) < 2


@pytest.mark.parametrize("kind", ["crescendo", "decrescendo"])
@pytest.mark.parametrize("where", ["start", "end"])
def test_dynamics_follow_the_ramp(kind, where):
    dynamics = Dynamics(kind, where, 3.0, 0.2)
    changed = augment.change_dynamics(Clip(tone(), RATE), dynamics)
    envelope = loudness_db(changed.samples, RATE) - loudness_db(tone(), RATE)
    middles = (np.arange(len(envelope)) + 0.5) * 0.1
    first, last = (0, 3) if where == "start" else (3, 5)
    share = np.clip((middles - first) / (last - first), 0, 1)
    ramp = 20 * np.log10(0.2) * (1 - share if kind == "crescendo" else share)
    np.testing.assert_allclose(envelope, ramp, atol=0.5)
    assert envelope.min() == pytest.approx(-14, abs=0.6) and envelope.max() == pytest.approx(0, abs=0.6)


def test_steps_are_replayed_to_the_byte_and_can_be_joined():
    steps = [
        {"transform": "pitch", "semitones": -2},
        {"transform": "tempo", "rate": 1.1},
        {"transform": "dynamics", "kind": "decrescendo", "where": "end", "turn_s": 2.0, "floor": 0.3},
    ]
    one, two = augment.apply(labelled(), steps), augment.apply(labelled(), steps)
    assert one.samples.tobytes() == two.samples.tobytes()
    assert (one.bpm, str(one.key), one.dynamics.kind) == (132.0, "G minor", "decrescendo")


@settings(max_examples=30)
@given(st.floats(1.0, 1.25), st.integers(0, 10**6))
def test_drawn_steps_lie_in_their_ranges(high, seed):
    rng = np.random.default_rng(seed)
    rate = augment.draw_tempo(rng, 1.0, high)["rate"]
    assert 1 / high - 1e-4 <= rate <= high + 1e-4
    step = augment.draw_dynamics(rng, 10.0, 0.1, 0.5)
    assert 0 <= step["turn_s"] <= 10 and 0.1 <= step["floor"] <= 0.5


def test_turns_lie_around_the_middle():
    turns = [augment.draw_dynamics(np.random.default_rng(s), 10.0, 0.1, 0.5)["turn_s"] for s in range(800)]
    assert np.mean(turns) == pytest.approx(5, abs=0.3) and np.mean(np.abs(np.array(turns) - 5) < 2.5) > 0.6


@pytest.mark.parametrize(
    "step",
    [
        {"transform": "pitch", "semitones": 13},
        {"transform": "pitch", "semitones": 0.5},
        {"transform": "tempo", "rate": 3},
        {"transform": "tempo", "speed": 1},
        {"transform": "reverb"},
        {"semitones": 1},
        {"transform": "dynamics", "kind": "crescendo", "where": "end", "turn_s": 2.0, "floor": 0.3, "depth": 1},
        {"transform": "dynamics", "kind": "crescendo", "where": "end", "turn_s": 9.0, "floor": 0.3},
        {"transform": "dynamics", "kind": "crescendo", "where": "end", "turn_s": 1.0, "floor": 0.0},
    ],
)
def test_bad_steps(step):
    with pytest.raises(InputError):
        augment.apply(labelled(), [step])


def test_a_fault_within_a_step_is_not_taken_for_an_unknown_step(monkeypatch):
    def fault(*_):
        raise TypeError("fault")

    monkeypatch.setattr(augment, "_stretched", fault)
    with pytest.raises(TypeError, match="fault"):
        augment.apply(labelled(), [{"transform": "pitch", "semitones": 1}])
