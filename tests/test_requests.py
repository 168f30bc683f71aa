"""What is asked of `mustango generate`, known without a model: the sidecars that would be written, and all that cannot be played."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from musicbench.hearing.heard import Heard
from musicbench.music.progression import Progression
from mustango.__main__ import main
from mustango.page.asked import PageRequest
from mustango.request.model_facts import ModelFacts


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, lines):
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def dry(capsys, *arguments, status=0):
    """Return what a dry run prints: (objects, lines of standard error)."""
    assert main(["generate", "--dry-run", *arguments]) == status
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err.splitlines()


def dry_file(capsys, name, *arguments, status=0):
    """Return what a dry run prints of a prompts file, without the lines' ids, which sidecars do not hold."""
    return [
        {field: told[field] for field in told if field != "id"}
        for told in dry(capsys, "--prompts", name, *arguments, status=status)[0]
    ]


@pytest.mark.slow
def test_a_dry_run_prints_the_sidecars_that_are_written(capsys, here, tiny_folder):
    lines = [
        {"prompt": "calm piano", "id": "one", "seed": 4, "duration": "1 bar"},
        {"prompt": "piano at 100 bpm, chords C7#9 G", "duration": 5},
        {"prompt": "pop", "beats": [[0.1, 0.7, 1.2, 1.9], [2, 3, 1, 2]], "duration": 3, "chords": "Am Dm |", "meter": "3/4"},
    ]
    write(here / "many.jsonl", lines)
    asked = ("--prompts", "many.jsonl", "--model", str(tiny_folder), "--steps", "1", "--takes", "2")
    would, err = dry(capsys, *asked)
    assert os.listdir(here) == ["many.jsonl"] and err == []
    assert main(["generate", *asked, "-o", "out"]) == 0
    names = [f"{name}-{take}.json" for name in ("one", "00002", "00003") for take in (1, 2)]
    assert [one.pop("id") for one in would] == [
        name for name in ("one", "00002", "00003") for _ in (1, 2)
    ]  # all else is the sidecar
    assert [json.loads((here / "out" / name).read_text()) for name in names] == would
    assert [(one["prompt"], one["seed"]) for one in would] == [
        (line["prompt"], line.get("seed", 0) + i) for line in lines for i in (0, 1)
    ]
    assert any("C7#9" in note for note in would[2]["notes"]) and would[2]["asked"]["chords"] == "C7#9 G"


def test_a_dry_run_names_every_line_that_cannot_be_played(capsys, here, tiny_folder):
    good = {"prompt": "piano", "chords": "C G", "tempo": 120, "duration": 4}
    lines = [
        good, "{oops", {"prompt": "flute", "tempo": 5000}, {"id": "x", "chords": "C H"}, {"id": "x"}, {"id": "../x"}, {"promt": ""}, good,
        {"prompt": "long", "duration": 99}, {"prompt": "trio", "predictors": "neural"}, "[1]", {"where": "here"}, {"beats": [[0], []]},
        {"prompt": "many", "chords": "C G " * 33 + "|", "meter": "4/4", "tempo": 300}, {"chords": "C", "chords_time": [0, 1]}, {"prompt": None},
    ]  # fmt: skip
    write(here / "many.jsonl", lines)
    for more, status in (((), 2), (("--keep-going",), 1)):
        told, err = dry(capsys, "--prompts", "many.jsonl", "--model", str(tiny_folder), *more, status=status)
        assert len(told) == len(lines)
        assert [i for i, line in enumerate(told) if "error" not in line] == [0, 7]
        errors = [line["error"] for line in told if "error" in line]
        assert err == [f"mustango: {error}" for error in errors]
        assert all(f"many.jsonl line {i}" in line["error"] for i, line in enumerate(told, 1) if "error" in line)
        assert told[2]["prompt"] == "flute" and told[2]["id"] == "00003" and told[3]["id"] == "x"
        assert all("\n" not in error for error in errors)
    says = ("is not JSON", "5000", "'H'", "'x' is taken", "'../x'", "'promt'", "1-10.24", "neural", "object", "'where'", "1 times", "chord", "one length", "give text")  # fmt: skip
    assert all(said in error for said, error in zip(says, errors, strict=True)), errors


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sample_rate": 0}, "sample_rate 0 is not the model's 8000 Hz"), ({"sample_rate": "8000"}, "sample_rate '8000'"),
        ({"sample_rate": True}, "sample_rate True"), ({"key": ["C", "locrian"]}, "key ['C', 'locrian'] is unknown"), ({"key": ["C"]}, "key ['C']"),
        ({"key": [5, "major"]}, "key [5, 'major']"), ({"chords": []}, "sidecar's chords cannot be empty"), ({"beats": [[], []]}, "sidecar's beats cannot be empty"),
        ({"chords_time": []}, "sidecar's chords_time cannot be empty"), ({"prompt": "loud metal"}, "text is of another prompt"),
    ],
)  # fmt: skip
def test_an_altered_sidecar_is_not_ignored(capsys, here, tiny_folder, change, says):
    (about,), _ = dry(capsys, "rock, chords C G", "--duration", "4", "--model", str(tiny_folder))
    write(here / "again.jsonl", [about | change])
    (told,), _ = dry(capsys, "--prompts", "again.jsonl", status=2)
    assert says in told["error"] and "again.jsonl line 1" in told["error"]


@pytest.mark.slow
def test_all_bad_lines_are_named_at_once_and_the_others_made_if_asked(capsys, here, tiny_folder):
    write(here / "many.jsonl", [{"id": "a", "duration": 1}, {"tempo": 5}, {"key": "H"}, {"id": "d", "duration": 1}])
    asked = ["generate", "--prompts", "many.jsonl", "--model", str(tiny_folder), "--steps", "1", "-o", "out"]
    assert main(asked) == 2
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert "many.jsonl line 2: tempo 5" in first and "many.jsonl line 3" in second and out == "" and not (here / "out").exists()
    assert main([*asked, "--keep-going"]) == 1
    assert sorted(os.listdir(here / "out")) == ["a.json", "a.wav", "d.json", "d.wav"]
    assert capsys.readouterr().err.splitlines()[:2] == [first, second]
    assert main([*asked, "--keep-going", "--resume"]) == 1
    write(here / "many.jsonl", [{"tempo": 5}])
    assert main([*asked, "--keep-going"]) == 2


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--steps", "ten"], "steps 'ten'"), (["--steps", "0"], "steps 0"), (["--guidance", "99"], "guidance 99"), (["--seed", "-1"], "seed -1"),
        (["--duration", "long"], "'long'"), (["--duration", "500"], "duration 500"), (["--loudness", "3"], "loudness '3'"),
        (["--tail", "x"], "tail 'x'"), (["--negative-prompt", "\udce9"], "negative prompt"), (["--predictors", "neural"], "no neural predictors"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", [["--dry-run"], [], ["--keep-going"]])
def test_an_option_that_is_wrong_is_told_once_and_not_of_every_line(capsys, here, tiny_folder, option, says, mode):
    write(here / "many.jsonl", [{"prompt": "piano"}, {"prompt": "harp", "seed": 3, "steps": 2, "duration": 2}, {"tempo": 5000}])
    asked = ["generate", "--prompts", "many.jsonl", "--model", str(tiny_folder), "-o", "out", *mode, *option]
    assert main(asked) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err and "line" not in err and os.listdir(here) == ["many.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "-o", "x.mp3"], ".wav"), (["x", "-o", "nope/x.wav"], "does not exist"), (["x", "--device", "gpu"], "'gpu'"), (["x", "-o", "x.wav/y.wav"], "does not exist"),
        (["--prompts", "many.jsonl", "-o", "many.jsonl"], "is a file"), (["--prompts", "many.jsonl", "-o", "no/out"], "does not exist"),
        (["--prompts", "many.jsonl", "--device", "cuda:99"], "cuda:99"),
    ],
)  # fmt: skip
def test_a_dry_run_checks_places_and_device(capsys, here, arguments, says):
    write(here / "many.jsonl", [{"prompt": "piano"}])
    assert main(["generate", "--dry-run", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err and os.listdir(here) == ["many.jsonl"]


def made(here):
    """Return {name: time of writing} of the takes in out/."""
    return {path.name: path.stat().st_mtime_ns for path in (here / "out").glob("*.wav")}


@pytest.mark.slow
def test_resume_makes_again_what_was_made_otherwise(capsys, here, tiny_folder):
    def run(*options, status=0):
        before = made(here) if (here / "out").exists() else {}
        assert (
            main(["generate", "--prompts", "many.jsonl", "-o", "out", "--model", str(tiny_folder), "--resume", *options]) == status
        )
        now = made(here)
        return sorted(name for name in now if now[name] != before.get(name)), capsys.readouterr().out.splitlines()[0]

    short = {"duration": 1, "steps": 1}
    lines = [
        {"prompt": "calm piano", **short},
        {"prompt": "pop", "chords": "C", **short},
        {"prompt": "guitar", "id": "g", **short},
    ]
    write(here / "many.jsonl", lines)
    assert run() == (["00001.wav", "00002.wav", "g.wav"], "0 of 3 prompts are made already")
    assert run() == ([], "3 of 3 prompts are made already")

    write(here / "many.jsonl", [{"prompt": "drums", **short}, *lines])  # a line comes before the others
    again, told = run()
    assert again == ["00001.wav", "00002.wav", "00003.wav"] and told.startswith(
        "1 of 4 prompts are made already; made otherwise, and made again: 2 (out/00001.wav has another prompt;"
    )
    assert "00001.wav has another prompt" in told
    assert [json.loads((here / "out" / f"{name}.json").read_text())["prompt"] for name in ("00001", "00002", "00003", "g")] == [
        "drums", "calm piano", "pop", "guitar",
    ]  # fmt: skip

    for change, field in (({"seed": 5}, "seed"), ({"steps": 2}, "steps"), ({"chords": "D"}, "chords"), ({"loudness": -20}, "loudness"),
                          ({"tempo": 99}, "tempo"), ({"negative_prompt": "pop"}, "negative prompt")):  # fmt: skip
        lines[2] |= change
        write(here / "many.jsonl", [{"prompt": "drums", **short}, lines[2]])
        again, told = run()
        assert again == ["g.wav"] and f"g.wav has another {field}" in told, told
        assert run()[0] == []
    assert run("--seed", "9", "--guidance", "2")[0] == ["00001.wav", "g.wav"]
    assert run("--seed", "9", "--guidance", "2", "--midi")[0] == ["00001.wav", "g.wav"] and (here / "out" / "g.mid").is_file()

    about = here / "out" / "g.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"versions": {"mustango": "0"}, "notes": ["?"]}))
    sound = here / "out" / "00001.wav"
    sound.write_bytes(sound.read_bytes()[:-100])
    assert run("--seed", "9", "--guidance", "2")[0] == ["00001.wav"]  # what was cut; other versions are no reason


@pytest.mark.slow
def test_a_dry_run_leaves_out_what_is_made(capsys, here, tiny_folder):
    short = {"duration": 1, "steps": 1}
    write(here / "many.jsonl", [{"prompt": "calm piano", **short}, {"prompt": "pop", **short}])
    asked = ("--prompts", "many.jsonl", "--model", str(tiny_folder), "-o", "out", "--resume")
    assert len(dry(capsys, *asked)[0]) == 2
    assert main(["generate", *asked]) == 0
    write(
        here / "many.jsonl",
        [{"prompt": "calm piano", **short}, {"prompt": "pop", "seed": 2, **short}, {"prompt": "new"}, {"tempo": 5}],
    )
    capsys.readouterr()
    told, err = dry(capsys, *asked, status=2)
    assert [line["id"] for line in told] == ["00002", "00003", "00004"] and "error" in told[2]
    assert err[0].startswith("1 of 3 prompts are made already; made otherwise, and made again: 1 (")


@pytest.mark.slow
def test_the_best_of_takes_is_made_already(capsys, here, tiny_folder, monkeypatch):
    monkeypatch.setattr("musicbench.hearing.by_madmom.madmom", lambda *_: None)
    monkeypatch.setattr("mustango.hear.obeyed.hear", lambda *_: Heard())
    write(here / "many.jsonl", [{"prompt": "piano", "duration": 1, "steps": 1}])
    asked = [
        "generate",
        "--prompts",
        "many.jsonl",
        "--model",
        str(tiny_folder),
        "-o",
        "out",
        "--resume",
        "--pick",
        "best",
        "--takes",
    ]
    for takes, told in (("2", "0 of 1"), ("2", "1 of 1"), ("3", "is not the best of 3 takes")):
        assert main([*asked, takes]) == 0
        assert told in capsys.readouterr().out.splitlines()[0]


def test_one_prompt_that_cannot_be_played(capsys, here):
    (told,), err = dry(capsys, "calm piano", "--tempo", "5000", status=2)
    assert told == {"prompt": "calm piano", "error": err[0].removeprefix("mustango: ")} and "5000" in told["error"]


@pytest.mark.parametrize("blank", ["", "  "])
def test_empty_text_gives_nothing(capsys, here, blank):
    free = dry(capsys, "calm piano")[0]
    names = ("chords", "tempo", "key", "meter", "duration")
    fields = (*names, "seed", "steps", "guidance", "scheduler", "model", "dtype", "beats", "id", "loudness", "tail")
    write(here / "many.jsonl", [{"prompt": "calm piano", **dict.fromkeys(fields, blank)}, {"prompt": "calm piano", "chords": []}])
    assert dry_file(capsys, "many.jsonl") == free * 2
    assert dry(capsys, "calm piano", *(part for name in names for part in (f"--{name}", blank)))[0] == free


def test_one_request_on_every_way_is_one_sidecar(capsys, here):
    options = {"chords": "C | Am7 G", "tempo": "Allegro", "key": "A minor", "meter": "3/4", "duration": "4 bars", "seed": "3"}
    (told,), _ = dry(capsys, "calm harp", *(part for name, value in options.items() for part in (f"--{name}", value)))
    write(here / "many.jsonl", [{"prompt": "calm harp", **options}])
    assert dry_file(capsys, "many.jsonl") == [told]
    assert told["asked"] == {name: options[name] for name in told["asked"]}  # as it was written
    assert set(told["asked"]) == {"chords", "tempo", "key", "meter", "duration"} == set(told["origin"])
    write(here / "again.jsonl", [told])
    assert dry_file(capsys, "again.jsonl") == [told]


def test_an_edited_sidecar_is_played_or_refused_never_half(capsys, here):
    (told,), _ = dry(capsys, "calm harp", "--tempo", "120", "--duration", "4")
    write(here / "edited.jsonl", [told | {"bpm": 90}, told | {"tempo": 90}, told | {"duration": 2.0}, told | {"meter": "2/4"}])
    refused, _ = dry(capsys, "--prompts", "edited.jsonl", status=2)
    assert all("error" in line for line in refused)
    assert "the beats go at 120 bpm, but the tempo is 90; leave one of the two out" in refused[0]["error"]
    write(
        here / "edited.jsonl",
        [told | {"bpm": 90, "beats": None}, told | {"asked": None}, told | {"notes": [5]}, told | {"asked": {}}],
    )
    slower, plain, *refused = dry(capsys, "--prompts", "edited.jsonl", status=2)[0]
    assert slower["bpm"] == 90 and slower["beats"][0][1] == pytest.approx(2 / 3, abs=1e-6)
    assert plain["beats"] == told["beats"] and plain["asked"]["tempo"] == 120
    assert "notes" in refused[0]["error"] and "asked" in refused[1]["error"]


def test_an_old_sidecar_still_asks_for_its_take(capsys, here):
    (told,), _ = dry(capsys, "calm harp", "--chords", "C G", "--tempo", "97", "--duration", "6.5")
    old = {name: value for name, value in told.items() if name != "asked"}
    old["origin"] = {name: value for name, value in old["origin"].items() if name != "duration"}
    write(here / "old.jsonl", [old])
    (again,) = dry_file(capsys, "old.jsonl")
    same = ("bpm", "meter", "key", "beats", "chords", "chords_time", "duration", "seed")
    assert [again[name] for name in same] == [told[name] for name in same]


def test_what_predictors_will_tell_is_left_open(capsys, here, tiny_folder):
    model = here / "model"
    shutil.copytree(tiny_folder, model)
    (model / "beat_predictor").mkdir()
    index = json.loads((model / "model_index.json").read_text())
    index["beat_predictor"] = ["mustango.release.predictors", "BeatPredictor"]
    (model / "model_index.json").write_text(json.dumps(index))
    asked = ("--model", str(model), "--duration", "4")
    (told,), _ = dry(capsys, "piano", *asked)
    assert [told[name] for name in ("bpm", "beats", "meter", "chords", "chords_time", "key")] == [None] * 6
    assert told["origin"] == {"duration": "given"} | dict.fromkeys(("tempo", "meter", "chords"), "predicted") | {"key": "chosen"}
    assert "predictors tell chords, meter, tempo" in told["notes"][-1]
    (told,), _ = dry(capsys, "piano in 3/4, chords C G", *asked)
    assert told["chords"][0] == "C:maj" and told["bpm"] and told["notes"] == []  # nothing is asked
    (told,), _ = dry(capsys, "piano in 3/4, chords C G", *asked, "--predictors", "neural")
    assert told["chords"] is told["bpm"] is told["meter"] is None and told["asked"]["chords"] == "C G"
    (told,), _ = dry(capsys, "piano", *asked, "--predictors", "neural", "--chords", "C", "--tempo", "90", "--meter", "3/4")
    assert told["bpm"] == 90 and told["chords"] == ["C:maj"] and told["notes"] == []
    (told,), _ = dry(capsys, "piano", *asked, "--predictors", "reader")
    assert told["bpm"] and told["origin"]["tempo"] == "chosen"
    (told,), _ = dry(capsys, "piano", "--model", str(model), "--duration", "2 bars", status=2)
    assert "predictors" in told["error"]


@pytest.mark.slow
def test_a_dry_run_needs_no_torch(tmp_path):
    code = """
import sys
from mustango.__main__ import main
status = main(["generate", "--dry-run", "calm piano"])
heavy = [m for m in ("torch", "diffusers", "transformers", "librosa") if m in sys.modules]
assert not heavy, heavy
sys.exit(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "" and json.loads(done.stdout)["prompt"] == "calm piano"


@pytest.mark.slow
def test_whoever_reads_only_the_first_lines_is_not_told_of_it(here):
    write(here / "many.jsonl", [{"prompt": "calm piano"}] * 150)
    command = [sys.executable, "-m", "mustango", "generate", "--dry-run", "--prompts", "many.jsonl"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, **streams) as run:
        assert json.loads(run.stdout.readline())["prompt"] == "calm piano"
        run.stdout.close()
        assert run.stderr.read() == b"" and run.wait() == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"text": "calm piano"}, "text is used of a whole sidecar alone; write 'prompt' instead"), ({"prompt": "x", "notes": ["?"]}, "notes is used"), ({"prompt": "x", "origin": {}}, "origin is used"),
        ({"prompt": "x", "picked": {"of": 2}}, "picked is used"), ({"prompt": "x", "asked": {}}, "asked is used"), ({"prompt": "x", "chords_time": [0]}, "chords_time without chords"),
        ({"prompt": "x", "bpm": 90, "tempo": 100}, "bpm 90 and tempo 100"),
    ],
)  # fmt: skip
def test_a_field_that_a_written_line_cannot_use_is_refused(capsys, here, tiny_folder, line, says):
    write(here / "lines.jsonl", [line])
    (told,), _ = dry(capsys, "--prompts", "lines.jsonl", "--model", str(tiny_folder), status=2)
    assert says in told["error"] and "lines.jsonl line 1" in told["error"]


def test_a_field_of_versions_lets_nothing_be_ignored(capsys, here, tiny_folder):
    write(here / "odd.jsonl", [{"prompt": "piano", "versions": 1, "text": "harp"}])
    (told,), _ = dry(capsys, "--prompts", "odd.jsonl", "--model", str(tiny_folder), status=2)
    assert "is used of a whole sidecar alone" in told["error"]


def test_a_list_of_too_many_chords_is_refused_before_it_is_read(here, capsys, monkeypatch):
    def read(*_):
        raise AssertionError("it was read")

    write(here / "p.jsonl", [{"prompt": "piano", "chords": ["C", "G"] * 50_000}])
    monkeypatch.setattr("musicbench.music.progression.sheet_of", read)
    monkeypatch.setattr("mustango.request.givenchords.read_prompt", read)
    _, errors = dry(capsys, "--prompts", "p.jsonl", status=2)
    assert "the chord line has 199999 characters, above 20000; shorten it" in errors[0]


def test_a_chord_line_is_read_once_for_all_steps_of_a_request():
    Progression.parse.cache_clear()
    PageRequest(prompt="piano", chords="C G Am F", tempo=120, duration="auto").settled(ModelFacts(10.24, 120.0))
    assert Progression.parse.cache_info().misses == 2  # as any line, and in its meter
