import numpy as np
import pytest
import torch

from musicbench import InputError
from musicbench.compose import instruments
from musicbench.music.chords import Chord
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression, beat_grid
from mustango.model.conditioning import Conditioner, pooled, sinusoid
from mustango.model.control import CONTROL_CHANNELS, DRUMS, Notes, control_signal, drum_class


def parsed(symbols):
    return [Chord.parse(s) for s in symbols]


def test_limits_are_named():
    model = Conditioner(dim=4, root_dim=4, time_dim=4, max_beats=8, max_chords=2)
    with pytest.raises(InputError, match="9 beats"):
        model.beat_tokens(list(range(9)), [1] * 9)
    with pytest.raises(InputError, match="position 6 is outside the model's 1-5"):
        model.beat_tokens([0, 1], [5, 6])
    with pytest.raises(InputError, match="position 0 is outside"):
        model.beat_tokens([0, 1], [1, 0])
    with pytest.raises(InputError, match="3 chords"):
        model.chord_tokens(parsed(["C", "G", "C"]), [0, 1, 2])


def test_unknown_qualities_become_the_nearest():
    model = Conditioner(dim=4, root_dim=4, time_dim=4)
    ids, _ = model.chord_tokens(parsed(["A9", "A7", "Asus4", "A/C#", "N"]), [0, 1, 2, 3, 4])
    assert ids[0] == ids[1] and ids[0][0] == 2
    assert ids[3][2] == 2 and ids[4] == (1, 1, 1)


def test_sinusoid_interleaves():
    code = sinusoid(torch.tensor([0.5]), 4, 100.0)
    expected = [np.sin(0.5), np.cos(0.5), np.sin(0.05), np.cos(0.05)]
    np.testing.assert_allclose(code[0], expected, rtol=1e-5)


def test_control_signal_draws_what_is_asked():
    meter, duration, frames = Meter(3), 4.0, 400
    chords, times = Progression.parse("Am7/G | N", meter).lay_out(90, duration)
    signal = control_signal(beat_grid(90, meter, duration), (chords, times), frames, 0.01)
    assert signal.shape == (CONTROL_CHANNELS, frames)
    assert set(np.flatnonzero(signal[:12, 100])) == {9, 0, 4, 7} and np.flatnonzero(signal[12:24, 100]) == 9
    assert np.flatnonzero(signal[24:36, 100]) == 7
    assert not signal[:36, 250].any() and signal[36].all()
    beats = np.flatnonzero(signal[38] > 0.4) * 0.01
    for t in np.arange(6) * 60 / 90:
        assert np.abs(beats - t).min() < 0.011
    assert signal[39].sum() == pytest.approx(2, abs=0.01)  # downbeats at 0 and 2 s
    assert signal[44].all()
    accented = control_signal(beat_grid(90, meter, duration), (chords, times), frames, 0.01, accents=(2.0, 5.0))
    np.testing.assert_allclose(accented[38], 2 * signal[38] + 3 * signal[39], rtol=1e-6)
    assert np.array_equal(np.delete(accented, 38, axis=0), np.delete(signal, 38, axis=0))
    nothing = control_signal(([], []), ([], []), frames, 0.01)
    assert not nothing.any()


def test_control_signal_draws_parts_melody_and_hits():
    nothing = ([], []), ([], [])
    parts = control_signal(*nothing, 100, 0.01, notes=Notes(parts=("bass", "lead")))
    assert parts[45:50].mean(axis=1).tolist() == [0, 1, 0, 1, 1] and not np.delete(parts, range(45, 50), axis=0).any()
    melody = control_signal(*nothing, 100, 0.01, notes=Notes(melody=[(0.1, 0.3, 61), (0.25, 0.5, 72)]))
    assert not melody[:50].any() and melody[74].all() and not melody[75:].any()
    assert [np.flatnonzero(melody[50:62, t]).tolist() for t in (5, 15, 27, 45, 55)] == [[], [1], [0], [0], []]
    assert [np.flatnonzero(melody[62:73, t]).tolist() for t in (15, 45)] == [[5], [6]]
    assert np.flatnonzero(melody[73] > 0.5).tolist() == [10, 25]
    hits = control_signal(
        *nothing, 100, 0.01, notes=Notes(hits=[(0.2, "kick"), (0.2, "closed_hat"), (0.4, "conga_low"), (0.6, "snare")])
    )
    assert {place: np.flatnonzero(hits[75 + place] > 0.5).tolist() for place in range(7) if hits[75 + place].any()} == {
        0: [20], 1: [60], 2: [20], 5: [40], 6: list(range(100)),
    }  # fmt: skip
    for name, given in (("parts", 49), ("melody", 74), ("hits", 81)):
        none = control_signal(*nothing, 10, 0.01, notes=Notes(**{name: ()}))
        assert np.flatnonzero(none.any(axis=1)).tolist() == [given]


def test_every_drum_of_the_composers_has_a_class():
    assert {drum_class(name) for name in instruments.DRUMS} == set(DRUMS)
    assert drum_class("ride_bell") == "cymbals" and drum_class("cajon_low") == "percussion"


def test_a_clip_shorter_than_its_bar_has_the_bars_phase():
    short, whole = (
        control_signal(beat_grid(60, Meter(4), seconds), ([], []), 250, 0.01, bar) for seconds, bar in ((2.5, 4), (8.0, None))
    )
    np.testing.assert_allclose(short[42:44], whole[42:44], atol=1e-6)


def test_pooled_counts_real_tokens_only():
    states, mask = torch.tensor([[[1.0], [3.0], [100.0]]]), torch.tensor([[True, True, False]])
    assert pooled(states, mask).item() == 2


def test_time_codes_begin_anew_after_a_cycle():
    torch.manual_seed(0)
    beats, chords = ([0.5, 1.5, 8.5, 9.5], [1, 2, 1, 2]), (parsed(["C", "G", "C", "G"]), [0.5, 1.5, 8.5, 9.5])
    cyclic = Conditioner(dim=4, root_dim=4, time_dim=4, cycle_s=8.0)
    fields = cyclic([beats], [chords])
    for name in ("beats", "chords"):
        assert torch.allclose(fields[name][0, :2], fields[name][0, 2:], atol=1e-6) and not torch.allclose(*fields[name][0, :2])
    assert fields["beat_times"][0].tolist() == beats[0]  # which rotary attention goes by
    endless = Conditioner(dim=4, root_dim=4, time_dim=4)([beats], [chords])
    assert not torch.allclose(endless["beats"][0, :2], endless["beats"][0, 2:], atol=1e-3)
