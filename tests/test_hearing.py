"""Songs are heard as wholes: votes, what changes in a song, confidence, agreement, what is no music."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_features import AM, RATE, C, F, G, tone, triads

from musicbench import InputError
from musicbench.hearing import song as song_module
from musicbench.hearing.agreement import agreed, beat_f, same_chords
from musicbench.hearing.confidence import CURVES, confidence
from musicbench.hearing.detectors import DETECTORS, load_detector
from musicbench.hearing.evidence import Evidence, nothing_found, proposed_tempi
from musicbench.hearing.heard import LABELS, Heard, HeardClip
from musicbench.hearing.kinds import kind_of, no_music, sound_facts
from musicbench.hearing.song import SURE, Hearing, Listened, Pace, hear_song
from musicbench.hearing.voting import Beat, best_path, voted_beats, voted_keys
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter

EVERYTHING = {"least": {}, "only_music": False}


class Told:
    """A detector that is told how well each (tempo, beats a bar) explains a clip; the evidence's fps is the clip's number."""

    name, licence, may_be_sold, least_strength, beats_a_bar = "madmom", "", True, 0.0, (2, 3, 4, 6)

    def __init__(self, clips):
        self.clips = clips

    def proposals(self, evidence):
        return [(bpm, 1.0) for bpm, _ in self.clips[int(evidence.fps)]]

    def scores(self, evidence, bpm, beats_a_bar):
        told = self.clips[int(evidence.fps)]
        return np.array([max((s for (b, n), s in told.items() if abs(b / bpm - 1) < 0.02 and n == beats), default=-500.0)
                         for beats in beats_a_bar])  # fmt: skip


def evidence(number=0, key_scores=None, chords=(), times=()):
    scores = np.zeros(24) if key_scores is None else key_scores
    return Evidence(10.0, np.ones((1000, 2)), float(number), scores, tuple(Chord.parse(c) for c in chords), times)


def vote(clips):
    return [(beat.bpm, beat.beats) for beat in voted_beats(Told(clips), [evidence(i) for i in range(len(clips))])]


def test_one_clip_at_twice_the_tempo_or_in_another_meter_is_outvoted():
    right, doubled, waltz = {(120, 4): 0.0}, {(120, 4): -70.0, (240, 4): 0.0}, {(120, 4): -50.0, (120, 3): 0.0}
    assert vote([right, doubled, right, waltz, right]) == [(120, 4)] * 5


def test_a_change_of_tempo_or_meter_survives():
    slow, fast, waltz = {(90, 4): 0.0, (130, 4): -90.0}, {(90, 4): -90.0, (130, 4): 0.0}, {(90, 4): -90.0, (90, 3): 0.0}
    assert vote([slow] * 3 + [fast] * 3) == [(90, 4)] * 3 + [(130, 4)] * 3
    assert vote([slow] * 3 + [waltz] * 3 + [slow] * 3) == [(90, 4)] * 3 + [(90, 3)] * 3 + [(90, 4)] * 3


def test_what_resembles_four_beats_a_bar_must_explain_a_song_better():
    assert vote([{(120, 4): 0.0, (120, 6): 15.0, (120, 2): 3.0}] * 6) == [(120, 4)] * 6
    assert vote([{(200, 4): 0.0, (200, 6): 60.0}] * 6) == [(200, 6)] * 6


def test_a_clip_without_a_pulse_has_no_vote():
    silent = replace(evidence(), pulse=np.zeros((0, 2)))
    assert voted_beats(Told([{(120, 4): 0.0}]), [silent, silent]) == [None, None]


def loop(*chords):
    return evidence(chords=chords, times=tuple(2.5 * i for i in range(len(chords))))


def keys(found):
    return [Key.of(key.root, key.mode) for key in voted_keys(found, [10.0] * len(found))]


def test_a_key_is_voted_over_the_song_and_a_modulation_survives():
    home, odd, up = loop("C", "F", "G", "C"), loop("Am", "Dm", "Em", "Am"), loop("D", "G", "A", "D")
    assert {str(key) for key in keys([home, home, odd, home, home])} == {"C major"}
    heard = [str(key) for key in keys([home] * 4 + [up] * 4)]
    assert heard == ["C major"] * 4 + ["D major"] * 4


def test_a_clip_without_chords_has_a_key_by_its_tones_alone():
    scores = np.zeros(24)
    scores[7] = 5.0
    (voted,) = keys([evidence(key_scores=scores)])
    assert str(voted) == "G major"


@pytest.mark.parametrize(
    ("voted", "pace", "wanted"),
    [
        ((60.0, 4), Pace(120.0, None), (120.0, 4)),
        ((60.0, 4), Pace(None, 3), (60.0, 3)),
        ((60.0, 4), Pace(None, 6), (180.0, 6)),  # three eighths to each of them
        ((180.0, 6), Pace(60.0, None), (180.0, 6)),
        ((180.0, 6), Pace(None, 4), (60.0, 4)),
        ((110.0, 6), Pace(None, 6), (110.0, 6)),
        ((60.0, 4), None, (60.0, 4)),
    ],
)
def test_beats_are_sought_at_the_pace_that_is_given(voted, pace, wanted):
    beat = song_module._paced(Beat(*voted, 0.1, 0.2, 3), pace)
    assert (beat.bpm, beat.beats) == wanted
    assert (beat.pace_margin, beat.meter_margin) == (SURE if pace and pace.bpm else 0.1, SURE if pace and pace.beats else 0.2)


def test_what_was_listened_to_goes_to_json_and_back():
    for found in (evidence(3, np.arange(24, dtype=np.float32), ("Am", "N", "F#7"), (0.0, 1.5, 2.25)), nothing_found(2.5, "quiet")):
        clip = Listened(1.25, 10.0, None, (found,))
        again = Listened.of_json(json.loads(json.dumps(clip.to_json())))
        (other,) = again.found
        assert replace(again, found=()) == replace(clip, found=()) and other.chords == found.chords
        assert other.pulse.dtype == found.pulse.dtype and np.array_equal(other.pulse, found.pulse)
        assert np.array_equal(other.key_scores, found.key_scores) and other.chord_times == found.chord_times
        assert (other.fps, other.duration_s, other.reasons) == (found.fps, found.duration_s, found.reasons)


def test_a_path_changes_only_where_that_pays():
    scores = np.array([[0, -4.0], [-1, 0], [0, -4], [-9, 0], [-9, 0]])
    assert best_path(scores, 3 * (1 - np.eye(2))) == [0, 0, 0, 1, 1]


def test_tempi_are_proposed_where_a_pulse_repeats():
    pulse = np.zeros((1000, 2))
    pulse[::40, 0] = 1
    bpm = [bpm for bpm, _ in proposed_tempi(pulse, 100.0)]
    assert any(value == pytest.approx(150, rel=0.01) for value in bpm) and all(54 < value < 310 for value in bpm)
    assert proposed_tempi(np.zeros((1000, 2)), 100.0) == []


chords = st.sampled_from(["C:maj", "F#:min7", "Bb:7", "Eb:maj7/3", "A:min/b3", "N"]).map(Chord.parse)


@given(st.lists(chords, max_size=5), st.booleans(), st.floats(20, 300), st.sampled_from([None, Meter(6, 8), Meter(4, 4)]))
def test_what_is_heard_goes_to_json_and_back(names, is_known, bpm, meter):
    clip = HeardClip(
        start_s=10.0, duration_s=12.5, beat_times=(0.25, 0.75), beat_positions=(4, 1), bpm=bpm, meter=meter, chords=tuple(names),
        chord_times=tuple(float(i) for i in range(len(names))), key=Key.parse("Eb minor") if is_known else None,
        confidence={"tempo": 0.913}, reasons={"key": "no clear key"}, no_music=None,
    )  # fmt: skip
    assert HeardClip.of_json(json.loads(json.dumps(clip.to_json()))) == clip


def test_in_six_eight_the_pace_is_the_dotted_beat():
    assert Heard(bpm=180.0, meter=Meter(6, 8)).pace_bpm == 60 and Heard(bpm=180.0, meter=Meter(3, 4)).pace_bpm == 180


def heard(**changes):
    times = tuple(np.arange(0.0, 10.0, 0.5))
    return replace(
        Heard(beat_times=times, beat_positions=tuple(i % 4 + 1 for i in range(20)), bpm=120.0, meter=Meter(4, 4),
              chords=(Chord.parse("C"), Chord.parse("G")), chord_times=(0.0, 5.0), key=Key.parse("C"),
              confidence=dict.fromkeys(LABELS, 0.9)),
        **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({}, set()), ({"bpm": 123.0}, set()), ({"bpm": 240.0}, {"tempo"}), ({"bpm": None}, {"tempo"}),
        ({"meter": Meter(3, 4)}, {"meter", "beats"}), ({"meter": Meter(2, 4)}, set()), ({"key": Key.parse("Am")}, {"key"}),
        ({"chords": (Chord.parse("C7"), Chord.parse("G"))}, set()), ({"chords": (Chord.parse("Cm"), Chord.parse("F"))}, {"chords"}),
        ({"beat_times": tuple(np.arange(0.25, 10.0, 0.5))}, {"beats"}),
    ],
)  # fmt: skip
def test_labels_on_which_another_detector_does_not_agree_are_left_out(changes, lost):
    left = agreed(heard(), heard(**changes), "librosa", 10.0)
    assert set(left.reasons) == lost == set(LABELS) - set(left.confidence)
    assert all("librosa does not agree" in reason for reason in left.reasons.values())
    assert (left.bpm is None) == ("tempo" in lost) and (left.beat_times == ()) == ("beats" in lost)


def test_shares_of_beats_and_chords():
    assert beat_f((0.0, 1.0, 2.0), (0.05, 1.0, 3.0)) == pytest.approx(2 / 3) and beat_f((), ()) == 0
    assert same_chords(heard(), heard(chord_times=(0.0, 7.5)), 10.0) == pytest.approx(0.75, abs=0.02)


def test_confidence_grows_with_what_speaks_for_a_label():
    for detector in ("madmom", "librosa"):
        assert set(CURVES[detector]) == set(LABELS)
    facts = {"odds": 3.0, "clips": 2.0, "odds by clips": 6.0}
    sure, unsure = (confidence("madmom", "key", {**facts, "odds": odds}) for odds in (4.0, -1.0))
    assert 0 < unsure < sure < 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"detector": "ears"}, "unknown detector 'ears'"), ({"agree": "madmom"}, "cannot check"), ({"agree": "none"}, "cannot check"),
        ({"least": {"mood": 0.5}}, "mood"), ({"least": {"key": 2}}, "0 to 1"),
    ],
)  # fmt: skip
def test_bad_settings(settings, words):
    with pytest.raises(InputError, match=words):
        Hearing(**settings)
    assert json.loads(json.dumps(asdict(Hearing())))["detector"] == "madmom"


def test_none_hears_nothing_and_says_so():
    (clip,) = hear_song([(0.0, triads([C, F], 120), RATE)], Hearing("none", only_music=False))
    assert clip.bpm is None and clip.chords == () and "none" in clip.reasons["chords"] and clip.confidence == {}


def test_the_samples_of_a_song_are_not_kept(monkeypatch):
    import weakref

    alive = []
    monkeypatch.setattr(song_module, "load_detector", lambda name: DETECTORS["none"]())

    def clips():
        for start in range(0, 200, 10):
            samples = np.full(RATE, 0.1, np.float32)
            alive.append(weakref.ref(samples))
            assert sum(ref() is not None for ref in alive) <= 3
            yield float(start), samples, RATE

    assert [clip.start_s for clip in hear_song(clips(), Hearing("none"))] == list(range(0, 200, 10))


@pytest.mark.slow
def test_what_may_be_sold_is_heard_without_madmom(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "madmom", None)
    detector = load_detector("librosa")
    assert detector.may_be_sold and not DETECTORS["madmom"].may_be_sold
    (clip,) = hear_song([(0.0, triads([C, AM, F, G], 120), RATE)], Hearing("librosa", **EVERYTHING))
    assert clip.bpm == pytest.approx(120, rel=0.03) and str(clip.key) in ("C major", "A minor")
    assert {"tempo", "key", "chords"} <= set(clip.confidence)


def glided(seconds=8.0, rate=22050):
    """Tones that glide in syllables of a fifth of a second, with pauses, as speech does."""
    rng, parts = np.random.default_rng(0), []
    while sum(map(len, parts)) < seconds * rate:
        count = round(rng.uniform(0.08, 0.25) * rate)
        hz = np.linspace(rng.uniform(90, 160), rng.uniform(90, 220), count) * (1 + 0.4 * np.sin(np.linspace(0, 3, count)))
        wave = sum(np.sin(2 * np.pi * k * np.cumsum(hz) / rate) / k for k in range(1, 12))
        parts += [wave * np.hanning(count), np.zeros(round(rng.choice([0.02, 0.3]) * rate))]
    return np.concatenate(parts)[: round(seconds * rate)].astype(np.float32)


def clicks_in_silence(seconds=8.0, rate=22050):
    rng, samples = np.random.default_rng(1), 1e-5 * np.random.default_rng(2).normal(size=round(seconds * rate))
    for place in rng.integers(0, len(samples) - 200, 6):
        samples[place : place + 60] += rng.normal(size=60) * np.exp(-np.arange(60) / 15)
    return samples.astype(np.float32)


def thunder(seconds=8.0, rate=22050):
    noise = np.cumsum(np.random.default_rng(3).normal(size=round(seconds * rate)))
    noise -= np.convolve(noise, np.ones(2001) / 2001, "same")
    return (noise / np.abs(noise).max() * np.exp(-np.arange(len(noise)) / rate)).astype(np.float32)


def test_speech_thunder_noise_and_clicks_are_no_music():
    noise = np.random.default_rng(4).normal(0, 0.1, 8 * 22050).astype(np.float32)
    for samples, word in ((glided(), "speech"), (thunder(), "noise"), (noise, "noise"), (clicks_in_silence(), "clicks")):
        assert word in no_music(samples, 22050)
        assert word in kind_of(sound_facts(samples, 22050))


def test_quiet_and_odd_music_is_music():
    drone = 0.1 * sum(tone(hz, 8.0, 22050) for hz in (110, 165, 220)) * (1 + 0.3 * tone(0.2, 8.0, 22050))
    stroke = np.random.default_rng(5).normal(size=11025) * np.exp(-np.arange(11025) / 700)
    drums = np.tile(np.concatenate([stroke, 0.4 * stroke[:5512], 0.7 * stroke[:5513]]), 8).astype(np.float32)
    band = triads([C, AM, F, G], 120)
    for samples, rate in ((drone, 22050), (drums, 22050), (band, RATE), (0.01 * band, RATE)):
        assert no_music(samples, rate) is None


def test_a_clip_that_is_no_music_has_no_labels_and_the_reason():
    (clip,) = hear_song([(0.0, thunder(), 22050)], Hearing("none"))
    assert "noise" in clip.no_music and clip.bpm is None and set(clip.reasons.values()) == {clip.no_music}


@pytest.mark.slow
def test_a_song_that_changes_key_tempo_and_meter_is_heard_by_madmom():
    pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
    first = triads([C, AM, F, G] * 3, 120)[: 20 * RATE]
    up = [tuple(note + 2 for note in chord) for chord in (C, F, G, C)]
    second = triads(up * 5, 150, beats=3)[: 20 * RATE]
    samples = np.concatenate([first, second])
    clips = ((float(s), samples[s * RATE : (s + 10) * RATE], RATE) for s in range(0, 40, 10))
    found = hear_song(clips, Hearing(**EVERYTHING))
    for clip in found:
        bpm, beats, key = (120, 4, "C major") if clip.start_s < 20 else (150, 3, "D major")
        assert clip.bpm == pytest.approx(bpm, rel=0.02) and clip.meter.beats == beats and str(clip.key) == key
        assert clip.no_music is None and set(clip.confidence) == set(LABELS)
