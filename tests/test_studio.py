"""The studio plays requests one after the other, tells how far it is, and stops when nobody watches."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import read_chords
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.sound.master import loudness_of
from mustango.page.asked import PageRequest as Request
from mustango.page.studio import Studio, Take
from mustango.page.work import Progress, watched
from mustango.request.model_facts import read_facts

QUICK = Request("piano", chords="C G", tempo=120, duration=4.0, steps=3, listen=False)


@pytest.fixture(scope="module")
def studio(tiny_folder):
    return Studio([str(tiny_folder)])


def takes_of(studio, request, folder):
    return [event for event in studio.play(request, folder) if isinstance(event, Take)]


@pytest.mark.slow
def test_progress_and_takes(studio, tmp_path):
    events = list(studio.play(replace(QUICK, count=2, seed=5), tmp_path))
    told = [event for event in events if isinstance(event, Progress)]
    assert [p.share for p in told] == sorted(p.share for p in told) and told[-1].share == 1
    assert any("step 2 of 3" in p.text for p in told) and any(p.left_s is not None for p in told)
    heard, drawn = [e for e in events if isinstance(e, Take)][::2], [e for e in events if isinstance(e, Take)][1::2]
    assert [t.seed for t in drawn] == [5, 6] and [t.id for t in heard] == [t.id for t in drawn] and heard[0].picture is None
    assert len({t.wav.parent for t in drawn}) == 2 and all(t.wav.is_relative_to(tmp_path) and len(t.id) == 32 for t in drawn)


def test_files_of_a_take(studio, tmp_path):
    take = takes_of(studio, QUICK, tmp_path)[-1]
    wav, flac = soundfile.read(take.wav)[0], soundfile.read(take.flac)[0]
    assert len(wav) == 4 * 8000 and np.abs(wav - flac).max() < 2**-14
    about = json.loads(take.json.read_text())
    assert about["chords"] == ["C:maj", "G:maj"] and about["bpm"] == 120 and about["steps"] == 3
    assert read_chords(take.midi)[0] == list(take.controls.chords)
    assert take.picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_files_of_takes_are_told_apart(studio, tmp_path):
    prompts = ("Lo-fi beat, D minor", "Lo-fi beat, D minor", "忧伤的钢琴曲", "x" * 500)
    stems = [takes_of(studio, replace(QUICK, prompt=prompt, steps=1), tmp_path)[-1].wav.stem for prompt in prompts]
    assert len(set(stems)) == 4 and stems[0].startswith("lo-fi-beat-d-minor-120bpm-seed0-")
    assert stems[2].startswith("mustango-120bpm-seed0-") and all(len(stem) < 80 and stem.isascii() for stem in stems)


def test_what_is_blank_is_open(studio):
    asked = studio.settle(Request(None, "  ", " ", "\t", None)).request
    assert (asked.prompt, set(asked.given.values())) == ("", {None})


@pytest.mark.slow
def test_same_request_same_sound(studio, tmp_path):
    first, second, other = (takes_of(studio, replace(QUICK, seed=s), tmp_path)[-1] for s in (1, 1, 2))
    assert first.wav.read_bytes() == second.wav.read_bytes() != other.wav.read_bytes()


@pytest.mark.slow
def test_low_memory_gives_the_same_sound(studio, tiny_folder, tmp_path):
    small = Studio([str(tiny_folder)], low_memory=True)
    one, other = (takes_of(s, QUICK, tmp_path)[-1] for s in (studio, small))
    assert one.wav.read_bytes() == other.wav.read_bytes()


@pytest.mark.slow
def test_closing_stops_within_one_step(studio, tmp_path, monkeypatch):
    pipeline, seen = studio.warm_up().result(), []
    real = pipeline.denoise

    def denoise(condition, latents, steps, guidance, generators, on_step, *others):
        def watch(step, of):
            seen.append(step)
            on_step(step, of)

        return real(condition, latents, steps, guidance, generators, watch, *others)

    monkeypatch.setattr(pipeline, "denoise", denoise)
    watching = studio.play(replace(QUICK, steps=200), tmp_path)
    for event in watching:
        if "2 of 200" in event.text or len(seen) >= 2:
            break
    watching.close()
    at_close = len(seen)
    assert takes_of(studio, QUICK, tmp_path)  # the next one plays
    monkeypatch.undo()
    assert seen[at_close:] in ([at_close + 1, 1, 2, 3], [1, 2, 3])
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chords": "C H"}, "'H'"), ({"tempo": 5}, "below 20"), ({"tempo": 0}, "below 20"), ({"tempo": "quick"}, "'quick'"), ({"key": "X"}, "'X'"),
        ({"meter": "4"}, "4/4"), ({"duration": 99}, "10.24"), ({"duration": "long"}, "'long'"), ({"duration": float("nan")}, "nan"),
        ({"seed": -1}, "seed"), ({"seed": 1.5}, "whole number"), ({"seed": None}, "whole number"), ({"count": 9}, "takes 9 is outside 1-8"),
        ({"steps": 10**6}, "steps 1000000 is outside 1-200"), ({"listen": "maybe"}, "neither true nor false"), ({"listen": None}, "neither"), ({"steps": True}, "whole number"), ({"guidance": []}, "a number"), ({"prompt": 5}, "give text"),
        ({"chords": ["C"]}, "give text"), ({"negative_prompt": "x" * 20000}, "shorten"), ({"model": "/etc"}, "unknown model"),
        ({"chords": "C " * 20_000}, "above 20000"), ({"tempo": "9" * 20_001}, "above 20000"), ({"key": "A" * 20_001}, "above 20000"),
        ({"meter": "4" * 20_001}, "above 20000"), ({"prompt": "x" * 10_001}, "above 10000"), ({"tempo": [1]}, "'[1]'"),
        ({"model": ["x"]}, "unknown model"), ({"loudness": -90}, "outside -40"), ({"loudness": "loud"}, "loudness"), ({"scheduler": "lms"}, "unknown scheduler"), ({"predictors": "x"}, "unknown predictors"),
    ],
)  # fmt: skip
def test_bad_requests(studio, tmp_path, change, says):
    with pytest.raises(InputError, match=".*") as caught:
        list(studio.play(replace(QUICK, **change), tmp_path))
    assert says in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_madmom_the_asked_chords_are_drawn(studio, tmp_path, monkeypatch):
    def hear(samples, sample_rate):
        raise InputError("madmom is needed; pip install it")

    monkeypatch.setattr("musicbench.hearing.by_madmom.hear", hear)
    take = takes_of(studio, replace(QUICK, listen=True), tmp_path)[-1]
    assert take.scores is None and "pip install" in take.remedy and take.picture.exists()


def test_work_that_catches_errors_stops_all_the_same():
    stopped = []

    def work(emit):
        try:
            while True:
                try:
                    emit(Progress("on"))
                except Exception:
                    stopped.append("caught")
        finally:
            stopped.append("over")

    with ThreadPoolExecutor(1) as worker:
        events = watched(worker, work, Progress("first"))
        assert [next(events).text, next(events).text] == ["first", "on"]
        events.close()
    assert stopped == ["over"]


def test_watched_raises_what_the_work_raises():
    def work(emit):
        emit(Progress("half", 0.5))
        raise InputError("no")

    with ThreadPoolExecutor(1) as worker:
        events = watched(worker, work, Progress("first"))
        assert [next(events).text, next(events).text] == ["first", "half"]
        with pytest.raises(InputError, match="no"):
            next(events)


def test_duration_is_the_window_unless_given(studio):
    assert studio.settle(replace(QUICK, duration=None)).takes[0].duration_s == 10.24


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")])
def test_watched_ends_whatever_the_work_raises(error):
    def work(emit):
        raise error

    with ThreadPoolExecutor(1) as worker:
        events = watched(worker, work, Progress("first"))
        next(events)
        with pytest.raises(RuntimeError, match=f"the work ended with {type(error).__name__}") as caught:
            next(events)
        assert caught.value.__cause__ is error


@pytest.mark.slow
def test_a_tail_rings_out_and_given_beats_are_played(studio, tmp_path):
    beats = [[0.1, 0.8, 1.5, 2.2], [1, 2, 3, 1]]
    asked = replace(QUICK, tempo="", duration=3.0, beats=json.dumps(beats), tail="1.5")
    assert studio.settle(asked).request.beats == beats
    take = takes_of(studio, asked, tmp_path)[-1]
    samples, rate = soundfile.read(take.wav)
    about = json.loads(take.json.read_text())
    assert len(samples) == 4.5 * rate and about["tail"] == 1.5 and about["beats"] == beats and about["meter"] == "3/4"
    assert takes_of(studio, take.request, tmp_path)[-1].wav.read_bytes() == take.wav.read_bytes()


BUNDLED = replace(read_facts("mustango-mini"), knows=None)
SHORT = replace(BUNDLED, longest_s=10.24)


@pytest.mark.parametrize(
    ("asked", "duration"),
    [
        ({"chords": "C G Am F", "tempo": 60}, "4 bars"), ({"chords": "C", "tempo": 120}, "4 bars"), ({"chords": "C G Am", "tempo": 90}, "6 bars"),
        ({"chords": "C | G Am | F G | C | F", "tempo": 90}, "5 bars"), ({"chords": "C G " * 20, "tempo": 90, "meter": "3/4"}, "40 bars"),
        ({}, "4 bars"), ({"chords": "0:C 4:G"}, 10.24), ({"chords": "0:C 4:G 19.5:C"}, 22.0),
    ],
)  # fmt: skip
def test_auto_is_as_long_as_the_chords(asked, duration):
    settled = Request("piano", duration="auto", **asked).settled(BUNDLED)
    assert settled.request.duration == duration and len(settled.takes[0].chords) >= len(
        set(str(asked.get("chords", "")).split("|"))
    )


@pytest.mark.slow
@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(20, 300), st.sampled_from(["4/4", "3/4", "6/8", "2/4", "7/8"]), st.integers(0, 50))
def test_auto_plays_every_bar_or_names_a_tempo_that_does(bars, bpm, meter, seed):
    roots = ["C", "G", "Am", "F", "Dm", "Em", "Bb"]
    line = " ".join(roots[(i * 3) % 7] for i in range(bars))
    request = Request("piano", line, bpm, meter=meter, duration="auto", seed=seed)
    try:
        (plan,) = request.settled(BUNDLED).takes
    except InputError as error:
        faster = int(re.search(r"(\d+) bpm or more", str(error))[1])
        assert bpm < faster and replace(request, tempo=faster).settled(BUNDLED)
    else:
        bar_s = plan.meter.beats * 60 / bpm
        assert plan.duration_s >= bars * bar_s - 1e-6 and plan.duration_s / (bars * bar_s) == pytest.approx(
            max(round(plan.duration_s / (bars * bar_s)), 1)
        )


def test_a_model_with_a_short_window_fills_it():
    assert Request("piano", tempo=20, duration="auto").settled(SHORT).takes[0].duration_s == 10.24
    assert Request("slow drone", duration="auto").settled(SHORT).takes[0].duration_s <= 10.24
    with pytest.raises(InputError, match="8 bars of 4/4, 32 s at 60 bpm, above the 10.24 s .*, or 188 bpm or more"):
        Request("", "C G Am F C G F C", 60, duration="auto").settled(SHORT)


def test_what_the_prompt_says_of_its_length_comes_first():
    for duration, seconds, origin in (("auto", 16, "prompt"), (None, 16, "prompt"), (3, 3, "given")):
        (controls,) = Request("piano, 8 bars", "C", 120, duration=duration).settled(BUNDLED).takes
        assert (controls.duration_s, controls.origin["duration"]) == (seconds, origin)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"chords": "C G Am F", "tempo": 96, "duration": 4}, "Fit to the chart"), ({"chords": "C G Am F", "duration": "2 bars"}, "Fit to the chart"),
        ({"chords": "C G " * 4, "tempo": 60, "duration": 4}, "Fit to the chart at 188 bpm"), ({"chords": "C G " * 4, "tempo": 60, "duration": "auto"}, "Fit to the chart at 188 bpm"),
        ({"chords": "C H", "duration": 4}, None), ({"chords": "C G " * 40, "duration": 4}, None), ({"seed": None, "duration": 4}, None),
        ({"seed": -1, "duration": "x"}, None), ({"model": "x", "duration": 4}, None), ({"model": ["x"], "chords": 5}, None),
    ],
)  # fmt: skip
def test_a_remedy_is_one_that_helps(studio, asked, text):
    request = replace(QUICK, **asked)
    remedies = studio.remedies(request)
    assert [name for name, _ in remedies] == ([text] if text else [])
    for _, changes in remedies:
        assert studio.settle(replace(request, **changes))


def test_the_files_of_a_take_have_the_loudness_that_is_asked_for(studio, tmp_path):
    take = takes_of(studio, replace(QUICK, loudness=-30.0), tmp_path)[-1]
    for path in (take.wav, take.flac):
        assert loudness_of(*soundfile.read(path)) == pytest.approx(-30, abs=0.5)
    assert json.loads(take.json.read_text())["loudness"] == -30


def test_unknown_and_equal_models_are_refused_at_the_start(tiny_folder, tmp_path):
    (tmp_path / tiny_folder.name).symlink_to(tiny_folder)
    with pytest.raises(InputError, match="have one name"):
        Studio([str(tiny_folder), str(tmp_path / tiny_folder.name)])
    with pytest.raises(InputError, match="no model folder"):
        Studio(["nowhere"])


@pytest.mark.slow
def test_a_take_tells_what_its_model_lacks(tiny_folder, tmp_path):
    model = tmp_path / "composers"
    shutil.copytree(tiny_folder, model)
    known = read_facts("mustango-mini").knows
    known.save(model)
    studio = Studio([str(tiny_folder), str(model)])
    asked = replace(QUICK, prompt="solo theremin", duration=1.0, chords="C")
    assert studio.facts_of(asked).knows is None
    named = replace(asked, model="composers")
    assert studio.facts_of(named).knows == known
    take = takes_of(studio, named, tmp_path / "takes")[-1]
    assert take.controls.notes == ("this model has no theremin; nearest: synth lead",)
    assert json.loads(take.json.read_text())["text"] == "solo theremin, no drums"


def test_a_model_that_cannot_be_loaded_is_told_without_the_server_s_folders(tiny_folder, tmp_path, capsys):
    model = tmp_path / "broken"
    shutil.copytree(tiny_folder, model)
    studio = Studio([str(model)])
    next((model / "unet").glob("*.safetensors")).write_bytes(b"no weights")
    with pytest.raises(InputError, match="the model broken cannot be loaded") as caught:
        list(studio.play(QUICK, tmp_path / "takes"))
    assert str(tmp_path) not in str(caught.value) and str(tmp_path) in capsys.readouterr().err
