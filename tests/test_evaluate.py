"""A whole evaluation on sounds that are known, heard by a judge that is simple enough to be trusted."""

import json
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import soundfile
import torch
from odd_audio import encoded, flac_claiming, tone

from musicbench import InputError
from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from mustango.__main__ import main
from mustango.evaluate import hearing, setup
from mustango.evaluate import run as running
from mustango.evaluate.clips import results
from mustango.evaluate.comparison import compare
from mustango.evaluate.hearing import hear_clip, load_embeddings
from mustango.evaluate.run import evaluate
from mustango.evaluate.scorecard import markdown, page
from mustango.evaluate.scores import shuffled_onto
from mustango.evaluate.setup import Setup
from mustango.evaluate.sound import set_distance, sound_rows
from mustango.evaluate.testsets import load_cases
from mustango.hear.embeddings import frechet_distance
from mustango.hear.judges import JUDGES, load_judge

REAL_WORKERS = running.worker_pool
RATE, ROOTS = 8000, (0, 2, 4, 5, 7, 9)


class Tone:
    """Hears a major chord on the loudest pitch of each second."""

    name, licence, hears, calls = "Tone", "-", ("chords",), []

    def __call__(self, samples, sample_rate):
        Tone.calls.append(len(samples))
        seconds = samples[: len(samples) // sample_rate * sample_rate].reshape(-1, sample_rate)
        hz = np.abs(np.fft.rfft(seconds, axis=1)).argmax(axis=1)
        roots = [round(12 * np.log2(max(h, 1) / 440) + 9) % 12 for h in hz]
        return Heard(chords=tuple(map(Chord, roots)), chord_times=tuple(map(float, range(len(roots)))))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(JUDGES, "tone", Tone)
    for module in (running, hearing):
        monkeypatch.setattr(module, "worker_pool", lambda count: ThreadPoolExecutor(1))


def use_embedder(monkeypatch, kind):
    """Let `kind` embed clips, whatever embedding is asked for."""
    for module in (setup, hearing, running):
        monkeypatch.setattr(module, "embedder", kind)


def tones(roots, rate=RATE):
    t = np.arange(rate) / rate
    return np.concatenate([0.5 * np.sin(2 * np.pi * 440 * 2 ** ((root - 9) / 12) * t) for root in roots])


@pytest.fixture
def music(tmp_path):
    """A set of six clips of four chords each, and a folder in which all of them are played as asked."""
    rng, rows = np.random.default_rng(0), []
    (tmp_path / "played").mkdir()
    for i, root in enumerate(ROOTS):
        chords = [(root + int(step)) % 12 for step in (0, *rng.integers(1, 12, 3).cumsum())]
        rows.append(
            {
                "id": f"c{i}",
                "prompt": "tones",
                "chords": [Chord(c).harte() for c in chords],
                "chords_time": [0, 1, 2, 3],
                "duration": 4.0,
            }
        )
        soundfile.write(tmp_path / "played" / f"c{i}.wav", tones(chords), RATE)
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def run(music, folder="out", audio="played", **options):
    fixed = {"set": str(music / "set.jsonl"), "audio": audio and str(music / audio), "judges": ("tone",), "embedding": "none"}
    setup = Setup(**fixed | options)
    return evaluate(setup, music / folder, workers=1)


def value(report, metric, column="model"):
    return next(row["columns"][column] for row in report["rows"] if row["metric"] == metric)


def test_music_played_as_asked_scores_one_and_shuffled_less(music):
    report = run(music)
    assert value(report, "majmin") == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 6} and value(report, "PCM")["value"] == 1
    assert value(report, "majmin", "shuffled")["value"] < 0.5 and report["problems"][0]["column"] == "real"
    text = (music / "out" / "report.json").read_text()
    assert json.loads(text)["rows"] == report["rows"] and "NaN" not in text


def test_what_is_wrong_with_clips_is_reported_and_counts(music):
    played = music / "played"
    (played / "c0.wav").unlink()
    soundfile.write(played / "c1.wav", np.zeros(4 * RATE), RATE)
    soundfile.write(played / "c2.wav", tones([4, 4, 4, 4], 16000), 16000)
    (played / "c3.wav").write_bytes(b"no sound")
    soundfile.write(played / "c4.wav", np.zeros(0), RATE)
    soundfile.write(played / "stray.wav", tones([1]), RATE)
    report = run(music)
    said = {p["id"]: p["what"] for p in report["problems"] if p["column"] == "model"}
    assert "missing" in said["c0"] and "silent" in said["c1"] and "16000 Hz" in said["c2"] and "cannot read" in said["c3"]
    assert "no samples" in said["c4"] and "stray" in said["-"] and "c5" not in said
    found = value(report, "root")
    assert found["n"] == 3 and found["value"] == pytest.approx((0 + 0.25 + 1) / 3)  # silence is wrong
    assert (
        said["c3"].startswith("left out: ") and said["c4"].startswith("left out: ") and value(report, "root", "shuffled")["n"] == 3
    )
    assert set(report["scores"]["model"]) == {"c1", "c2", "c5"} and "model c3: left out" in markdown(report)
    assert " N=3 |" in markdown(report)


@pytest.mark.parametrize("column", ["model", "real"])
def test_a_clip_that_lasts_too_short_is_left_out(music, column):
    shutil.copytree(music / "played", music / "real")
    folder = music / ("played" if column == "model" else "real")
    for name, lasts_s in (("c0", 0.1), ("c1", 3.5), ("c2", 3.7), ("c3", 5)):
        soundfile.write(folder / f"{name}.wav", np.resize(tones([1, 2]), round(lasts_s * RATE)), RATE)
    report = run(music, real=str(music / "real"))
    said = {p["id"]: p["what"] for p in report["problems"] if p["column"] == column}
    assert said == {"c0": "left out: lasts 0.1 of 4 s", "c1": "left out: lasts 3.5 of 4 s"}
    assert set(report["scores"][column]) == {"c2", "c3", "c4", "c5"}


def test_of_a_set_without_durations_only_what_is_very_short_is_left_out(music):
    rows = [json.loads(line) for line in (music / "set.jsonl").read_text().splitlines()]
    (music / "set.jsonl").write_text("\n".join(json.dumps(row | {"duration": None}) for row in rows))
    for number in range(6):
        soundfile.write(music / "played" / f"c{number}.wav", np.resize(tones([1, 2]), (8 if number else 1) * RATE), RATE)
    report = run(music)
    assert [p["what"] for p in report["problems"] if p["id"] == "c0"] == ["left out: lasts 1 of 10 s"]
    assert len(report["scores"]["model"]) == 5


def test_a_damaged_clip_of_the_sets_own_is_left_out(music):
    shutil.copytree(music / "played", music / "real")
    cut = music / "real" / "c0.wav"
    cut.write_bytes(cut.read_bytes()[:30])
    report = run(music, real=str(music / "real"))
    said = {p["id"]: p["what"] for p in report["problems"] if p["column"] == "real"}
    assert set(said) == {"c0"} and said["c0"].startswith("left out: ")
    assert (value(report, "root")["n"], value(report, "root", "real")["n"], value(report, "root", "real")["value"]) == (6, 5, 1)


def test_an_evaluation_of_damaged_clips_alone_has_no_figures(music):
    for path in (music / "played").iterdir():
        path.write_bytes(b"no sound")
    report = run(music)
    assert report["rows"] == [] and sum(p["what"].startswith("left out: ") for p in report["problems"]) == 6
    assert "left out" in markdown(report) and "left out" in page(report, music / "out")


def test_no_file_stops_an_evaluation(music, monkeypatch):
    """A pipe, a folder, a link to itself, a cut file, a length that is a lie, a clip that breaks the judge: all are named."""
    played, real = music / "played", Tone.__call__
    for number in range(6):
        (played / f"c{number}.wav").unlink()
    os.mkfifo(played / "c0.wav")
    (played / "c1.wav").mkdir()
    (played / "c2.wav").symlink_to("c2.wav")
    (played / "c3.flac").write_bytes(encoded(tone(4), "FLAC")[:60000])
    (played / "c4.flac").write_bytes(flac_claiming(encoded(tone(4), "FLAC"), 2**36 - 1))
    (played / "c5.opus").write_bytes(encoded(tone(4, rate=48000), "OGG", "OPUS", 48000))

    def breaks(self, samples, rate):
        if rate == 48000:
            raise ZeroDivisionError("by zero")
        return real(self, samples, rate)

    monkeypatch.setattr(Tone, "__call__", breaks)
    said = {p["id"]: p["what"] for p in run(music)["problems"] if p["column"] == "model"}
    assert "no regular file" in said["c0"] and "missing" in said["c1"] and "symbolic links" in said["c2"]
    assert "ends after" in said["c3"] and "ends after" in said["c4"] and "ZeroDivisionError" in said["c5"]


def test_a_second_run_hears_only_what_is_new(music):
    first = run(music)
    Tone.calls.clear()
    assert run(music)["rows"] == first["rows"] and Tone.calls == []
    soundfile.write(music / "played" / "c5.wav", tones([0, 0, 0]), RATE)
    assert run(music)["rows"] != first["rows"] and Tone.calls == [3 * RATE]


def test_an_interrupted_run_goes_on(music, monkeypatch):
    heard, real = [], Tone.__call__

    def stops(self, samples, rate):
        if len(heard) == 3:
            raise KeyboardInterrupt
        heard.append(1)
        return real(self, samples, rate)

    monkeypatch.setattr(Tone, "__call__", stops)
    with pytest.raises(KeyboardInterrupt):
        run(music)
    monkeypatch.setattr(Tone, "__call__", real)
    Tone.calls.clear()
    assert value(run(music), "majmin")["value"] == 1 and len(Tone.calls) == 3


def test_bad_input(music):
    (music / "empty").mkdir()
    (music / "other").mkdir()
    soundfile.write(music / "other" / "x.wav", tones([0]), RATE)
    for options, says in (
        ({"audio": "empty"}, "no audio"), ({"audio": "other"}, "first: c0"), ({"audio": "nowhere"}, "no folder"),
        ({"judges": ("ears",)}, "unknown judge"), ({"columns": ("modle",)}, "unknown column"), ({"embedding": "ears"}, "unknown embedding"),
        ({"audio": None, "columns": ("shuffled",)}, "columns model,shuffled"), ({"audio": None, "columns": ("dropped",), "given": False}, "words-only"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            run(music, "bad", **options)
    assert not (music / "bad").exists()
    run(music)
    with pytest.raises(InputError, match="another evaluation"):
        run(music, audio=".")


def test_two_evaluations_are_compared_clip_by_clip(music):
    run(music, "a")
    (music / "worse").mkdir()
    for i, path in enumerate(sorted((music / "played").iterdir())):
        samples, _ = soundfile.read(path)
        soundfile.write(music / "worse" / path.name, np.roll(samples, RATE) if i < 3 else samples, RATE)
    run(music, "b", "worse")
    [row] = [row for row in compare(music / "a", music / "b") if row["metric"] == "PCM"]
    assert row["a"] == 1 and row["b"] == 0.5 and row["difference"].value == -0.5 and row["difference"].n == 6
    assert row["difference"].low < -0.5 < row["difference"].high <= 0
    same = compare(music / "a", music / "a")
    assert all(row["difference"].value == row["difference"].low == row["difference"].high == 0 for row in same)
    (music / "set.jsonl").write_text(json.dumps({"id": "c0", "chords": ["E"], "chords_time": [0]}))
    run(music, "c")
    with pytest.raises(InputError, match="same targets"):
        compare(music / "a", music / "c")
    with pytest.raises(InputError, match="no report.json"):
        compare(music / "a", music)
    (music / "c" / "targets.jsonl").unlink()
    with pytest.raises(InputError, match="cannot read .*targets.jsonl"):
        compare(music / "a", music / "c")


def test_comparing_needs_no_judge(music, monkeypatch):
    run(music, "a")

    def gone(self):
        raise InputError("the judge tone is not installed")

    monkeypatch.setattr(Tone, "__init__", gone)
    load_judge.cache_clear()
    assert any(row["metric"] == "majmin" and row["judge"] == "Tone" for row in compare(music / "a", music / "a"))


@pytest.mark.slow
def test_a_model_is_generated_dropped_and_sent_round(music, tiny_folder):
    setup = dict(audio=None, real=str(music / "played"), model=str(tiny_folder), steps=1, dropped=2)
    (music / "set.jsonl").write_text((music / "set.jsonl").read_text().splitlines()[0])
    report = run(music, **setup)
    assert {"model", "real", "round trip", "dropped"} <= set(report["scores"]) and value(report, "majmin", "real")["value"] == 1
    made = music / "out" / "audio"
    for column in ("model", "round-trip", "dropped"):
        samples, rate = soundfile.read(made / column / "c0.flac")
        assert rate == 8000 and len(samples) == 32000
    assert (made / "model" / "c0.flac").read_bytes() != (made / "dropped" / "c0.flac").read_bytes()
    before = (made / "model" / "c0.flac").stat().st_mtime_ns
    assert run(music, **setup)["rows"] == report["rows"] and (made / "model" / "c0.flac").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="steps 1, now 2"):
        run(music, **setup | {"steps": 2})


def test_round_trips_are_of_the_audio_that_is_named(music, tiny_folder):
    options = dict(audio=None, model=str(tiny_folder), steps=1, limit=1, columns=("real",))
    shutil.copytree(music / "played", music / "other")
    run(music, real=str(music / "played"), **options)
    options["columns"] = ("real", "round trip")
    run(music, real=str(music / "other"), **options)  # nothing was made of the first
    with pytest.raises(InputError, match=f"real {music / 'other'}, now {music / 'played'}"):
        run(music, real=str(music / "played"), **options)


def test_embeddings_of_two_sets_of_weights_do_not_mix(tmp_path, monkeypatch):
    class Level:
        def __init__(self, text):
            self.level = float(text.partition("=")[2] or 0)

        def __call__(self, samples, sample_rate):
            return np.full((1, 2), self.level), None

    use_embedder(monkeypatch, Level)
    soundfile.write(tmp_path / "a.wav", tones([0]), RATE)
    found = []
    for embedding in ("clap=1", "clap=2", "clap=1", "clap"):
        saved = tmp_path / "heard" / "model" / "a.json"
        record = hear_clip(tmp_path / "a.wav", saved, (), embedding)
        frames, _ = load_embeddings({"model": {"a": record}}, tmp_path, embedding)["model"]["a"]
        found.append(frames[0, 0])
    assert found == [1, 2, 1, 0] and record["embedded"] == ["clap=1", "clap=2", "clap"]


class Spectrum:
    """Embeds each second of sound as the levels of eight bands."""

    name, licence = "Spectrum", "-"

    def __init__(self, text):
        pass

    def __call__(self, samples, sample_rate):
        seconds = samples[: len(samples) // sample_rate * sample_rate].reshape(-1, sample_rate)
        return np.log(np.abs(np.fft.rfft(seconds, axis=1))[:, 250:1050].reshape(len(seconds), 8, -1).max(axis=2) + 1), None


@pytest.mark.slow
def test_fad_is_the_same_in_a_report_and_in_a_comparison(music, monkeypatch):
    use_embedder(monkeypatch, Spectrum)
    rng, rows = np.random.default_rng(1), []
    for folder in ("real", "better", "worse"):
        (music / folder).mkdir()
    for i in range(12):
        rows.append({"id": f"d{i}", "chords": ["C"], "chords_time": [0], "duration": 4.0})
        sound = tones(rng.integers(0, 12, 4))
        for folder, noise in (("real", 0), ("better", 0.01), ("worse", 0.3)):
            soundfile.write(music / folder / f"d{i}.wav", sound + noise * rng.uniform(-1, 1, len(sound)), RATE)
    (music / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reports = [run(music, f"out-{a}", a, real=str(music / "real"), embedding="musicnn") for a in ("better", "worse")]
    compared = {row["metric"]: row for row in compare(music / "out-better", music / "out-worse")}
    for metric in ("FAD", "KAD"):
        row = compared[metric]
        assert [row["a"], row["b"]] == pytest.approx([value(report, metric)["value"] for report in reports])
        assert row["difference"].value > 0 and row["difference"].n == value(reports[0], metric)["n"] == 6


def test_what_was_embedded_of_a_file_goes_with_it(tmp_path, monkeypatch):
    use_embedder(monkeypatch, Spectrum)
    saved, sound = tmp_path / "heard" / "model" / "a.json", tmp_path / "a.wav"
    soundfile.write(sound, tones([0]), RATE)
    hear_clip(sound, saved, (), "musicnn")
    assert load_embeddings({"model": ["a"]}, tmp_path, "musicnn")["model"]
    sound.write_bytes(sound.read_bytes()[:20])
    assert "fault" in hear_clip(sound, saved, (), "musicnn")
    assert not load_embeddings({"model": ["a"]}, tmp_path, "musicnn")["model"]


def test_what_a_job_refuses_is_no_result():
    job = Future()
    job.set_exception(InputError("cannot read a.wav"))
    with pytest.raises(InputError, match="cannot read a.wav"):
        results("timbre", {"a": job})


def test_a_killed_worker_is_told_in_one_line():
    job = Future()
    job.set_exception(BrokenProcessPool("x"))
    with pytest.raises(InputError, match="a worker was killed"), REAL_WORKERS(1):
        results("composing", {"a": job})


def test_nothing_is_composed_where_nothing_is_needed(music, tiny_folder, monkeypatch):
    def missing():
        raise InputError("no SoundFont")

    monkeypatch.setattr("mustango.evaluate.clips.find_soundfont", missing)
    options = dict(set="composed:1", audio=None, model=str(tiny_folder), steps=1)
    assert "model" in run(music, columns=("model",), **options)["scores"]
    for needs in (dict(columns=("model", "real")), dict(columns=("model",), embedding="musicnn")):
        use_embedder(monkeypatch, lambda name: None)
        with pytest.raises(InputError, match="no SoundFont"):
            run(music, **options | needs)


def test_the_best_take_is_judged(music, tiny_folder, monkeypatch):
    monkeypatch.setattr("mustango.evaluate.clips.best_take", lambda output: (len(output.audios) - 1, []))
    row, made = json.loads((music / "set.jsonl").read_text().splitlines()[0]), []
    for seed, takes in ((5, 3), (7, 1)):
        (music / "set.jsonl").write_text(json.dumps(row | {"seed": seed}))
        run(music, f"takes{takes}", None, model=str(tiny_folder), steps=1, columns=("model",), takes=takes)
        made.append(soundfile.read(music / f"takes{takes}" / "audio" / "model" / "c0.flac")[0])
    assert np.corrcoef(*made)[0, 1] > 0.999  # batches round otherwise, and phases depend on it


def test_a_case_the_model_refuses_is_reported(music, tiny_folder):
    rows = [json.loads(line) for line in (music / "set.jsonl").read_text().splitlines()[:2]]
    rows[0] |= {"duration": 2.0, "chords_time": [0, 0.5, 1, 1.9999999]}
    (music / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = run(music, audio=None, model=str(tiny_folder), steps=1, columns=("model",))
    refused = [p for p in report["problems"] if p["column"] == "model"]
    assert [p["id"] for p in refused] == ["c0"] and "not made" in refused[0]["what"] and value(report, "root")["n"] == 1


@pytest.mark.slow
def test_a_folder_keeps_to_its_targets_and_model(music, tiny_folder):
    shutil.copytree(tiny_folder, music / "model")
    options = dict(audio=None, model=str(music / "model"), steps=1, columns=("model",), limit=1)
    run(music, **options)
    index = music / "model" / "model_index.json"
    before = index.read_text()
    index.write_text(json.dumps(json.loads(before) | {"guidance_db": 3.0}))
    with pytest.raises(InputError, match="weights"):
        run(music, **options)
    index.write_text(before)
    run(music, **options | {"limit": 2})
    run(music, **options)  # the second clip's audio stays, and so does its target
    lines = (music / "set.jsonl").read_text().splitlines()
    (music / "set.jsonl").write_text("\n".join([lines[0], lines[1].replace("tones", "harp")]))
    run(music, **options)
    with pytest.raises(InputError, match="other targets"):
        run(music, **options | {"limit": 2})


@pytest.mark.slow
def test_workers_are_processes_of_their_own():
    with REAL_WORKERS(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid() and pool.submit(torch.get_num_threads).result() == 1


def test_every_clip_is_shuffled_onto_another():
    cases = load_cases("composed:9")
    others = shuffled_onto(cases, 0)
    assert set(others) == {case.id for case in others.values()} == {case.id for case in cases}
    assert all(others[case.id].id != case.id for case in cases) and shuffled_onto(cases[:1], 0) == {}


def test_distance_of_sets():
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(3, 4)) for _ in range(80)]
    near, far = (
        set_distance(frechet_distance, clips[:40], clips[40:]),
        set_distance(frechet_distance, [c + 1 for c in clips], clips),
    )
    assert set_distance(frechet_distance, clips, clips).value == pytest.approx(0, abs=1e-9)
    assert far.value == pytest.approx(4, abs=1e-6) and near.high < far.low and far.low < 4 < far.high and far.n == 80


@pytest.mark.slow
def test_without_a_held_out_reference_columns_are_halves_of_one_size():
    """Audio that is the set's own, and audio of the same kind, lie as far from the reference as the set's own other half does."""
    rng, cases = np.random.default_rng(0), load_cases("composed:40")
    real, model = ({case.id: (rng.normal(size=(3, 30)), np.zeros(0)) for case in cases} for _ in range(2))
    rows = sound_rows({"real": real, "model": model, "round trip": real}, cases, "normal", None)
    fad = next(row["columns"] for row in rows if row["metric"] == "FAD")
    assert fad["model"].n == fad["real"].n == 20 and fad["round trip"] == fad["real"]
    assert fad["model"].value == pytest.approx(fad["real"].value, rel=0.15)
    missing = {id_: clip for id_, clip in model.items() if id_ != cases[0].id}
    rows = sound_rows({"real": real, "model": missing}, cases, "normal", None)
    assert rows[0]["columns"]["model"].n == 19


@pytest.mark.slow
def test_command_line(music, capsys):
    arguments = [
        "evaluate",
        "--set",
        str(music / "set.jsonl"),
        "--audio",
        str(music / "played"),
        "--judges",
        "tone",
        "--embedding",
        "none",
    ]
    assert main([*arguments, "-o", str(music / "out"), "--workers", "1"]) == 0
    assert "| majmin | Tone | 1.000 [1.000, 1.000] |" in capsys.readouterr().out
    assert (music / "out" / "report.html").stat().st_size > 100_000
    assert main(["evaluate", "--compare", str(music / "out"), str(music / "out")]) == 0
    assert "+0.000 [+0.000, +0.000] | 6 |" in capsys.readouterr().out
    for bad in (
        ["evaluate"],
        ["evaluate", "--set", "x"],
        ["evaluate", "--compare", str(music / "out"), str(music / "out"), "--limit", "3"],
        [*arguments, "-o", "x", "--workers", "0"],
        [*arguments, "-o", "x", "--steps", "0"],
    ):
        assert main(bad) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("mustango: ") and err.count("\n") == 1
