"""Bad input gets one line, exit status 2 and leaves nothing behind; good input writes audio and a sidecar that makes it again."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from conftest import ROOT, read_chords, resolve
from safetensors.torch import load_file, save_file

from musicbench import InputError
from musicbench.__main__ import build_parser as build_musicbench_parser
from musicbench.__main__ import main as musicbench_main
from musicbench.hearing import by_madmom, detectors
from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from musicbench.sound.master import loudness_of
from mustango.__main__ import build_parser, main
from mustango.cli.generate import summary
from mustango.pipeline import load_pipeline
from mustango.request.knows import read_knows


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(*arguments, model):
    return main(["generate", *arguments, "--model", str(model)])


def fails(capsys, here, *arguments, model, says):
    before = sorted(os.listdir(here))
    assert generate(*arguments, model=model) == 2
    out, err = capsys.readouterr()
    assert err.startswith("mustango: ") and err.count("\n") == 1 and "Traceback" not in err, err
    assert says in err, err
    assert out == "" and sorted(os.listdir(here)) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--chords", "C H"], "'H'"),
        (["--chords", "C xyz"], "'xyz'"),
        (["--chords", "|"], "no chords"),
        (["--keep-going"], "--keep-going goes on with the prompts of a file"),
        (["--chords", "C | Q | G"], "at character 5"),
        (["--chords", "C:3 G:3 |"], "beats"),
        (["--chords", "0:C G"], "start time"),
        (["--chords", " ".join(["C", "G"] * 40), "--tempo", "60"], "fewer chords"),
        (["--tempo", "0"], "20"),
        (["--tempo", "1000"], "300"),
        (["--tempo", "fast"], "'fast'"),
        (["--tempo", "nan"], "'nan'"),
        (["--key", "H"], "'H'"),
        (["--key", "C blues"], "major or minor"),
        (["--meter", "0/4"], "'0/4'"),
        (["--meter", "4"], "4/4"),
        (["--duration", "0"], "1-10.24"),
        (["--duration", "-2"], "-2"),
        (["--duration", "1e9"], "10.24"),
        (["--duration", "long"], "'long'"),
        (["--duration", "1:30"], "duration 90 s is outside 1-10.24 s"),
        (["--steps", "0"], "1-1000"),
        (["--steps", "ten"], "'ten'"),
        (["--guidance", "-1"], "0-30"),
        (["--guidance", "nan"], "nan"),
        (["--count", "0"], "1-64"),
        (["--pick", "best"], "--takes 2"),
        (["--takes", "100"], "takes 100 is outside 1-64"),
        (["--loudness", "0"], "-40 to -5 LUFS"),
        (["--loudness", "-50"], "loudness '-50' is outside"),
        (["--loudness", "loud"], "'loud'"),
        (["--tail", "-1"], "0 to 10 s"),
        (["--tail", "long"], "'long'"),
        (["--tail", "1"], "a duration of 10.24 s and a tail of 1 s make 11.24 s, above the model's 10.24"),
        (["--chords", "C | G", "--tempo", "60", "--duration", "chart", "--tail", "4"], "12 s, above the model's 10.24"),
        (["--seed", "-1"], "seed -1"),
        (["--seed", "1.5"], "'1.5'"),
        (["-o", "missing/x.wav"], "does not exist"),
        (["-o", "x.mp3"], ".wav"),
        (["-o", "."], "."),
        (["-o", "/proc/x.wav"], "the folder /proc cannot be written"),
        (["-o", "x.wav/"], "x.wav/ is the name of a folder; give a file"),
        (["--device", "gpu"], "unknown device 'gpu'; choose cpu, cuda, mps, xpu"),
        (["--device", "cuda:first"], "unknown device 'cuda:first'"),
        (["--dtype", "float16"], "float16 needs a GPU"),
        (["--dtype", "float16", "--dry-run"], "float16 needs a GPU"),
        (["-o", "/proc/x.wav", "--dry-run"], "the folder /proc cannot be written"),
        (["-o", "x.wav/", "--dry-run"], "is the name of a folder"),
        (["-o", "x" * 260 + ".wav"], "264 bytes"),
        (["-o", "x" * 251 + ".wav"], "256 bytes"),
        (["-o", "x" * 249 + ".ogg", "--takes", "10"], "256 bytes"),
        (["--guidance", "inf"], "0-30"),
        (["--seed", "9" * 5000], "seed '9999"),
        (["--device", "gpu9"], "gpu9"),
        (["--prompts", "none.jsonl"], "none.jsonl"),
        (["--prompts", "/dev/zero"], "a pipe or a device"),
        (["--prompts", "pipe"], "a pipe or a device"),
    ],
)  # fmt: skip
def test_bad_options(capsys, here, tiny_folder, arguments, says):
    prompt = [] if "--prompts" in arguments else ["piano"]
    if "pipe" in arguments:
        os.mkfifo("pipe")
    fails(capsys, here, *prompt, *arguments, model=tiny_folder, says=says)


COMMANDS = {"mustango": build_parser, "musicbench": build_musicbench_parser}


def wrong_options():
    """Yield (program, arguments, the option's name) with a value that is wrong, for each option that cannot take any text."""
    for program, build in COMMANDS.items():
        commands = [action.choices for action in build()._actions if hasattr(action.choices, "items")]
        for command, parser in commands[0].items() if commands else [("", build())]:
            needed = [word for action in parser._actions if not action.option_strings for word in [(action.choices or ["x"])[0]]]
            for action in parser._actions:
                if action.option_strings and (action.choices or action.type):
                    yield (
                        program,
                        [*filter(None, [command]), *needed, action.option_strings[-1], "float7"],
                        action.option_strings[-1],
                    )
                elif action.option_strings and action.nargs == 0 and action.option_strings[-1] not in ("--help", "--version"):
                    yield program, [*filter(None, [command]), *needed, action.option_strings[-1] + "=3"], action.option_strings[-1]
            yield program, [*filter(None, [command]), "--no-such-option"], ""
        yield program, ["no such command"] * 99, ""


@pytest.mark.slow
@pytest.mark.parametrize(("program", "arguments", "name"), wrong_options())
def test_a_wrong_option_is_told_in_one_line(capsys, program, arguments, name):
    with pytest.raises(SystemExit, match="2"):
        COMMANDS[program]().parse_args(arguments)
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"{program}: ") and err.count("\n") == 1 and name in err and len(err) < 400, err


@pytest.mark.parametrize("name", ["out.wav", "out.mp3", "out.json"])
def test_many_prompts_go_into_a_folder(capsys, here, tiny_folder, name):
    (here / "many.jsonl").write_text("{}")
    fails(capsys, here, "--prompts", "many.jsonl", "--dry-run", "-o", name, model=tiny_folder, says="is the name of a file")
    assert generate("--prompts", "many.jsonl", "--dry-run", "-o", f"{name}/", model=tiny_folder) == 0


def test_picking_is_checked_in_a_dry_run(capsys, here, tiny_folder, monkeypatch):
    def missing(meters):
        raise InputError("madmom is not installed")

    monkeypatch.setattr("musicbench.hearing.by_madmom.madmom", missing)
    fails(capsys, here, "x", "--pick", "best", "--takes", "2", "--dry-run", model=tiny_folder, says="madmom is not installed")
    monkeypatch.setattr("musicbench.hearing.by_madmom.madmom", lambda meters: None)
    monkeypatch.setitem(sys.modules, "mir_eval.beat", None)
    fails(capsys, here, "x", "--pick", "best", "--takes", "2", "--dry-run", model=tiny_folder, says="need mir_eval")


MAY_BE_EMPTY = ("prompt", "chords", "tempo", "key", "meter", "duration", "negative_prompt")


def empty_values():
    """Yield (program, arguments, name) with an empty value for each option and argument that is no text of the music."""
    for program, build in COMMANDS.items():
        commands = [action.choices for action in build()._actions if hasattr(action.choices, "items")]
        for command, parser in commands[0].items() if commands else [("", build())]:
            places = [action for action in parser._actions if not action.option_strings]
            needed = {action.dest: (action.choices or ["x"])[0] for action in places}
            for action in parser._actions:
                start = [*filter(None, [command])]
                if action.nargs == 0 or action.dest in MAY_BE_EMPTY:
                    continue
                if action.option_strings:
                    values = [""] * (action.nargs or 1)
                    yield program, [*start, *needed.values(), action.option_strings[0], *values], action.option_strings[0]
                else:
                    yield program, [*start, *(needed | {action.dest: ""}).values()], action.metavar or action.dest


@pytest.mark.slow
@pytest.mark.parametrize(("program", "arguments", "name"), empty_values())
def test_an_empty_path_or_number_is_refused(capsys, here, program, arguments, name):
    with pytest.raises(SystemExit, match="2"):
        COMMANDS[program]().parse_args(arguments)
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"{program}: ") and err.count("\n") == 1 and name in err, err
    assert os.listdir(here) == []


def test_text_of_the_music_may_be_empty():
    options = [f"--{name.replace('_', '-')}=" for name in MAY_BE_EMPTY[1:]]
    given = build_parser().parse_args(["generate", "", *options])
    assert all(getattr(given, name) == "" for name in MAY_BE_EMPTY)


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        ("mustango", ["--model", "x", "generate", "hi"], "--model stands before the command; options stand after it"),
        ("mustango", ["--bf16", "train"], "mustango train ... --bf16"),
        ("musicbench", ["--count=3", "compose"], "musicbench compose ... --count"),
        ("mustango", ["--verson"], "unknown option --verson"),
        ("musicbench", ["-x", "build"], "unknown option -x"),
        ("mustango", ["generate", "", ""], "unknown: ''"),
        ("mustango", ["generate", "x", "--fas"], "unknown option --fas"),
        ("musicbench", ["build", "a", "b", "--over"], "unknown option --over"),
        ("mustango", ["page", "--shar"], "unknown option --shar"),
    ],
)
def test_options_are_written_in_full_after_the_command(capsys, program, arguments, says):
    with pytest.raises(SystemExit, match="2"):
        COMMANDS[program]().parse_args(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["generate", "x", "--dtype", "float7"], "--dtype 'float7' is unknown (choose from 'float32', 'float16', 'bfloat16')"),
        (["generate", "--chord", "C G", "calm piano"], "unknown option --chord; did you mean --chords? mustango generate --help"),
        (["generate", "\u2014tempo", "90", "x"], "unknown option \u2014tempo; did you mean --tempo? mustango generate --help"),
        (["--modle", "x"], "unknown option --modle; "),
        (["generate", "calm", "piano"], "unknown: piano; put text of several words in quotes"),
        (["generate", "x", "--steps", "3", "--fast"], "--fast and --steps exclude each other"),
        (["train", "vae", "-o", "r", "--steps", "0"], "--steps 0 is below 1; give a whole number from 1"),
        (["train", "vae", "-o", "r", "--lr", "nan"], "--lr 'nan' is not a number"),
        (["evaluate", "--compare", "one"], "--compare takes 2 values"),
        (["evaluate", "--limit", "1.5"], "--limit '1.5' is not a whole number"),
        (["generate", "x", "--tempo"], "--tempo lacks its value"),
        (["convert"], "missing: source, target"),
        ([], "missing: COMMAND"),
    ],
)
def test_a_wrong_option_names_what_would_be_right(capsys, arguments, says):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "composed:2", "-o", "file"], "file is a file"), (["--set", "composed:2", "-o", "/proc/x"], "cannot be written"),
        (["--set", "nope.jsonl", "-o", "ev"], "cannot read nope.jsonl"), (["--set", "/dev/zero", "-o", "ev"], "a pipe or a device"), (["--words", "8", "-o", "file/x"], "file is a file"),
        (["--set", "composed:0", "-o", "ev"], "unknown set"), (["--set", "composed:2", "-o", "ev", "--model", "nope"], "no model folder"),
        (["--set", "composed:2", "-o", "ev", "--device", "gpu"], "unknown device 'gpu'"),
    ],
)  # fmt: skip
def test_an_evaluation_is_checked_before_torch_is_loaded(capsys, here, monkeypatch, arguments, says):
    (here / "file").touch()
    monkeypatch.setitem(sys.modules, "mustango.evaluate.run", None)
    monkeypatch.setitem(sys.modules, "mustango.evaluate.words", None)
    assert main(["evaluate", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and os.listdir(here) == ["file"]


def test_an_evaluation_tells_a_wrong_device_before_it_begins(capsys, here):
    assert main(["evaluate", "--set", "composed:2", "-o", "ev", "--device", "gpu9"]) == 2
    err = capsys.readouterr().err
    assert "'gpu9'" in err and err.count("\n") == 1 and os.listdir(here) == []


@pytest.mark.parametrize(
    "arguments", [["--set", "composed:2"], ["--set", "rows.jsonl", "--embedding", "none", "--columns", "model"], ["--words", "8"]]
)
@pytest.mark.parametrize(("model", "says"), [("nope", "no model folder nope"), (".", "model_index.json")])
def test_an_evaluation_of_a_model_that_is_not_there_leaves_nothing(capsys, here, monkeypatch, arguments, model, says):
    (here / "rows.jsonl").write_text('{"prompt": "x", "chords": ["C"], "chords_time": [0], "duration": 2}')
    for place in ("words.find_soundfont", "words.musicnn", "words.madmom", "clips.find_soundfont", "setup.embedder"):
        monkeypatch.setattr(f"mustango.evaluate.{place}", lambda *_: None)
    monkeypatch.setattr("mustango.evaluate.setup.DEFAULT_JUDGES", ())
    assert main(["evaluate", *arguments, "-o", "ev", "--model", model]) == 2
    out, err = capsys.readouterr()
    assert out == "" and says in err and err.count("\n") == 1 and os.listdir(here) == ["rows.jsonl"]


@pytest.mark.parametrize("option", [["--model", "x"], ["--steps", "5"], ["--takes", "2"], ["--guidance", "1"], ["--words-only"]])
def test_options_that_given_audio_has_no_use_for_are_refused(capsys, here, option):
    assert main(["evaluate", "--set", "composed:2", "-o", "ev", "--audio", ".", *option]) == 2
    err = capsys.readouterr().err
    assert f"{option[0]} says nothing beside --audio" in err and os.listdir(here) == []


TRAINING_MISTAKES = [
    (["vae"], "no --data"),
    (["vae", "--data", "nope"], "no rows.jsonl in nope"),
    (["munet", "--data", "data", "--held-out", "nope"], "no rows.jsonl in nope"),
    (["start"], "no --from"),
    (["text", "--text-encoder", "nope"], "no folder nope"),
    (["bundle", "--to", "file/x"], "file is a file"),
    (["vae", "--data", "data", "--to", "y"], "--to says nothing to `mustango train vae`"),
    (["vae", "--data", "data", "--text-encoder", "z"], "--text-encoder says nothing to `mustango train vae`"),
    (["munet", "--data", "data", "--from", "z"], "--from says nothing to `mustango train munet`"),
    (["vocoder", "--data", "data", "--remember", "z"], "--remember says nothing"),
    (["postfilter", "--data", "data", "--bf16"], "--bf16 says nothing"),
    (["sharpen", "--data", "data", "--steps", "3"], "--steps says nothing"),
    (["vae", "--data", "file"], "file is a file; give a dataset folder"),
    (["munet", "--data", "data", "--remember", "file"], "file is a file; give a dataset folder"),
    (["bundle", "--to", "x"], "run has no mel yet; begin with a model (`mustango train start -o run --from mustango-mini`)"),
    (["start", "--from", "nope"], "no model folder nope"),
    (["start", "--from", "data"], "data holds no model_index.json"),
    (["text", "--text-encoder", "data"], "no text encoder in data"),
    (["vae", "--data", "data", "-o", "/proc/run"], "the folder /proc cannot be written"),
    (["bundle", "--to", "x", "--held-out", "y"], "--held-out says nothing"),
    (["text", "--text-encoder", "data", "--seed", "3"], "--seed says nothing"),
]


@pytest.fixture(scope="module")
def told_of_training(tmp_path_factory):
    """What `mustango train` does about each of TRAINING_MISTAKES: (status, stderr, files, whether torch is loaded); one process for all."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "file").touch()
    (folder / "data").mkdir()
    (folder / "data" / "rows.jsonl").touch()
    code = """
import contextlib, io, json, os, sys
from mustango.__main__ import main
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(["train", arguments[0], "-o", "run", *arguments[1:]])
    print(json.dumps([status, err.getvalue(), sorted(os.listdir()), "torch" in sys.modules]))
"""
    asked = json.dumps([arguments for arguments, _ in TRAINING_MISTAKES])
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], input=asked, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(TRAINING_MISTAKES)), ids=lambda number: TRAINING_MISTAKES[number][1])
def test_training_is_checked_before_torch_is_loaded(told_of_training, number):
    status, err, files, with_torch = told_of_training[number]
    assert status == 2 and TRAINING_MISTAKES[number][1] in err and err.count("\n") == 1, err
    assert files == ["data", "file"] and not with_torch


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope", "x"], "no model folder nope"),
        ([".", "no/x"], "does not exist"),
        ([".", "."], "exists"),
        ([".", "x"], ". is not in the released layout"),
        (["mustango-mini", "x"], "mustango-mini is in our layout already, and needs no conversion; give it as --model"),
        ([str(ROOT / "checkpoints" / "mustango-mini"), "x"], "needs no conversion"),
        ([".", "/proc/x"], "the folder /proc cannot be written"),
        ([".", "x", "--without-predictors", "--beat-tokenizer", "y"], "--beat-tokenizer says nothing beside --without-predictors"),
    ],
)
def test_a_conversion_that_cannot_be_is_told(capsys, here, arguments, says):
    assert main(["convert", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and os.listdir(here) == []


def test_parquet_is_checked_before_the_build(capsys, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("musicbench.build.build.build", lambda *_, **__: pytest.fail("it was built"))
    assert musicbench_main(["build", ".", "out", "--parquet"]) == 2
    assert "pip install pyarrow" in capsys.readouterr().err and os.listdir(here) == []


@pytest.mark.parametrize(
    ("arguments", "lacks", "says"),
    [
        (["build", "songs", "out"], "madmom.features", "madmom is needed to hear"),
        (["compose", "-o", "out"], "fluidsynth", "composing needs FluidSynth"),
    ],
)
def test_what_hears_and_what_composes_is_asked_for_before_anything_is_written(capsys, here, monkeypatch, arguments, lacks, says):
    (here / "songs").mkdir()
    soundfile.write(here / "songs" / "a.wav", np.zeros(8000), 8000)
    monkeypatch.setattr("musicbench.build.composed.find_soundfont", lambda path: path)
    for loaded in (detectors.load_detector, by_madmom.networks):  # what another test loaded
        loaded.cache_clear()
    monkeypatch.setitem(sys.modules, lacks, None)
    assert musicbench_main(arguments) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and os.listdir(here) == ["songs"]


@pytest.mark.parametrize("raised", [InputError("wrong"), KeyboardInterrupt(), BrokenPipeError()])
@pytest.mark.parametrize("run", [main, musicbench_main])
def test_a_command_ends_in_one_line(capfd, here, monkeypatch, raised, run):
    def stop(options):
        raise raised

    name, arguments = ("mustango", ["generate", "x"]) if run is main else ("musicbench", ["compose", "-o", "x"])
    monkeypatch.setattr("mustango.cli.generate.run" if run is main else "musicbench.__main__.compose", stop)
    monkeypatch.setattr(sys, "stdout", (here / "out").open("w"))  # which a broken pipe closes
    assert run(arguments) == {InputError: 2, KeyboardInterrupt: 130, BrokenPipeError: 1}[type(raised)]
    err = capfd.readouterr().err
    assert err == "" if isinstance(raised, BrokenPipeError) else err.startswith(f"{name}: ") and err.count("\n") == 1


def test_long_and_foreign_prompts(capsys, here, tiny_folder):
    fails(capsys, here, "la " * 33_334, model=tiny_folder, says="100002")
    fails(capsys, here, "caf\udce9", model=tiny_folder, says="UTF-8")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that root cannot write either")
def test_unwritable_folder(capsys, here, tiny_folder):
    assert generate("piano", "--chords", "C", "--duration", "2", "--steps", "1", "-o", "/proc/x.wav", model=tiny_folder) == 2
    out, err = capsys.readouterr()
    assert out == "" and "/proc" in err and "choose" in err
    assert err.strip().splitlines()[-1].startswith("mustango: ")


def broken(tiny_folder, here, change):
    copy = here / "model"
    shutil.copytree(tiny_folder, copy)
    change(copy)
    return copy


def cut(folder):
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def foreign(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"GIF89a" * 100)


def without_sharpening(folder):
    config = json.loads((folder / "mel" / "config.json").read_text())
    (folder / "mel" / "config.json").write_text(json.dumps(config | {"sharpening_taps": 3}))


def without_a_tensor(folder):
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["conv_in.weight"]
    save_file(tensors, path)


def with_another_tensor(folder):
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(load_file(path) | {"extra.weight": load_file(path)["conv_in.weight"]}, path)


def of_another_size(folder):
    path = folder / "conditioner" / "config.json"
    path.write_text(path.read_text().replace('"dim": 24', '"dim": 28'))


def of_another_fold(folder):
    config = json.loads((folder / "mel" / "config.json").read_text())
    (folder / "mel" / "config.json").write_text(json.dumps(config | {"fold": [3, 3]}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (cut, "cut short"),
        (foreign, "cannot read"),
        (without_a_tensor, "conv_in.weight"),
        (without_sharpening, "lacks tensor sharpening"),
        (lambda f: next((f / "mel").glob("*.safetensors")).write_bytes(b"torn"), "cut short"),
        (with_another_tensor, "extra.weight"),
        (of_another_size, "asks for"),
        (lambda f: shutil.rmtree(f / "vocoder"), "vocoder"),
        (lambda f: (f / "unet" / "diffusion_pytorch_model.safetensors").unlink(), "lacks"),
        (lambda f: (f / "unet" / "config.json").unlink(), "unet"),
        (lambda f: (f / "unet" / "config.json").write_text("{"), "unet"),
        (lambda f: (f / "model_index.json").write_text("{"), "model_index.json"),
        (lambda f: (f / "model_index.json").unlink(), "model_index.json"),
        (of_another_fold, "the mel's fold is 9, the vae's in_channels 32"),
    ],
)
def test_broken_models(capsys, here, tiny_folder, change, says):
    fails(capsys, here, "piano", model=broken(tiny_folder, here, change), says=says)


def test_missing_model(capsys, here):
    fails(capsys, here, "piano", model="nowhere", says="no model folder nowhere")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"prompt": "a"}\n{oops', "line 2"), ("[1]", "line 1"), ('{"promt": "a"}', "'promt'"), ("", "no line"),
        ('{"id": "a"}\n{"id": "a"}', "'a'"), ('{"id": "../x"}', "'../x'"), ('{"prompt": "a", "tempo": 5000}', "5000"),
        ('{"prompt": 5}', "give text"), ('{"seed": "x"}', "'x'"), ('{"chords": ["C", "Q"]}', "'Q'"),
        ('{"seed": 1.9}', "line 1: seed 1.9 is not a whole number"), ('{"seed": 1e999}', "seed inf"), ('{"seed": true}', "seed True"),
        ('{"duration": true}', "line 1: duration True"), ('{"id": "x", "duration": "long"}', "line 1: duration 'long'"), ('{"id": {"a": 1}}', "id {'a': 1} is no name"),
        ('{"chords": ["C"], "chords_time": [-1]}', "chords_time -1"), ('{"chords": ["C"], "chords_time": ["x"]}', "chords_time 'x'"),
        ("[" * 100000, "line 1 is not JSON"),
        ('{"id": "a\\u0000"}', "plain file name"), ('{"id": "\\ud800"}', "plain file name"), ('{"id": "' + "x" * 300 + '"}', "200 bytes"),
        ('{"chords": ["C"], "chords_time": 5}', "lists of one length"), ('{"chords": ["C"], "chords_time": [0, 1]}', "lists of one length"),
        ('{"loudness": -2}', "line 1: loudness '-2'"), ('{}\n{"tail": "x"}', "line 2: tail 'x'"), ('{"tail": true}', "tail 'True'"),
        ('{"steps": 0}', "steps 0"), ('{"steps": 2.5}', "steps 2.5"), ('{"guidance": "x"}', "guidance 'x'"), ('{"scheduler": ["dpm"]}', "unknown scheduler"),
        ('{"model": 5}', "model 5 is no text"), ('{"dtype": ["float16"]}', "dtype ['float16'] is no text"),
        ('{}\n{"predictors": "neural"}', "no neural predictors"), ('{"negative_prompt": 5}', "negative prompt"),
        ('{"chords": 5}', "chord line"), ('{"key": 5}', "unknown key"), ('{"meter": []}', "meter"), ('{"tempo": [1]}', "tempo"), ('{"prompt": null}', "give text"),
    ],
)  # fmt: skip
def test_bad_prompt_files(capsys, here, tiny_folder, text, says):
    (here / "many.jsonl").write_text(text)
    (here / "out").mkdir()
    fails(capsys, here, "--prompts", "many.jsonl", "-o", "out", model=tiny_folder, says=says)
    assert os.listdir(here / "out") == []


@pytest.mark.parametrize("arguments", [["piano", "-o", "x.wav"], ["--prompts", "many.jsonl", "-o", "."]])
def test_a_folder_in_the_sidecars_place_is_told_before_anything_is_made(capsys, here, tiny_folder, arguments):
    (here / "many.jsonl").write_text('{"id": "x"}')
    (here / "x.json").mkdir()
    fails(capsys, here, *arguments, model=tiny_folder, says="x.json is a folder")


@pytest.mark.slow
def test_lines_are_named_by_their_number_and_chords_begin_when_they_say(here, tiny_folder):
    (here / "many.jsonl").write_text('{"id": null, "chords": ["C", "G"], "chords_time": [0, 0.00002], "duration": 2}')
    assert generate("--prompts", "many.jsonl", "--steps", "1", "-o", "out", model=tiny_folder) == 0
    assert json.loads((here / "out" / "00001.json").read_text())["chords_time"] == [0, 2e-5]


def test_prompt_file_must_be_utf8(capsys, here, tiny_folder):
    (here / "many.jsonl").write_bytes(b'{"prompt": "caf\xe9"}')
    fails(capsys, here, "--prompts", "many.jsonl", "-o", ".", model=tiny_folder, says="UTF-8")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_writes_audio_and_sidecar(capsys, here, tiny_folder, suffix):
    arguments = ["piano at 90 bpm", "--chords", "C | G Am", "--key", "C", "--duration", "5", "--steps", "2", "--seed", "3"]
    assert generate(*arguments, "-o", f"x.{suffix}", model=tiny_folder) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "90 bpm (prompt)" in out and "C G Am" in out and "seed 3" in out
    samples, rate = soundfile.read(f"x.{suffix}")
    about = json.loads((here / "x.json").read_text())
    assert rate == about["sample_rate"] == 8000 and abs(len(samples) - 40000) <= (2000 if suffix == "ogg" else 0)
    assert about["chords"] == ["C:maj", "G:maj", "A:min"] and about["bpm"] == 90 and about["meter"] == "4/4"
    assert about["beats"][1][:5] == [1, 2, 3, 4, 1] and about["key"] == ["C", "major"] and about["origin"]["tempo"] == "prompt"
    assert {"prompt", "chords_time", "duration", "seed", "steps", "guidance", "model", "versions"} <= set(about)
    assert sorted(os.listdir(here)) == sorted([f"x.{suffix}", "x.json"])


@pytest.mark.slow
def test_fast_is_fewer_steps(capsys, here, tiny_folder):
    assert generate("calm piano", "--duration", "2", "--fast", model=tiny_folder) == 0
    assert json.loads((here / "music.json").read_text())["steps"] == 10
    with pytest.raises(SystemExit, match="2"):
        generate("calm piano", "--fast", "--steps", "5", model=tiny_folder)
    assert "--steps" in capsys.readouterr().err


@pytest.mark.slow
def test_same_command_same_bytes(here, tiny_folder):
    for name in ("a.wav", "b.wav"):
        assert generate("calm piano", "--duration", "3", "--steps", "2", "-o", name, model=tiny_folder) == 0
    assert (here / "a.wav").read_bytes() == (here / "b.wav").read_bytes()
    assert generate("calm piano", "--duration", "3", "--steps", "2", "--seed", "1", "-o", "c.wav", model=tiny_folder) == 0
    assert (here / "a.wav").read_bytes() != (here / "c.wav").read_bytes()


@pytest.mark.slow
def test_empty_prompt_and_no_controls(here, tiny_folder, capsys):
    assert generate("", "--chords", "Am F", "--duration", "5", "--steps", "2", model=tiny_folder) == 0
    assert generate("--steps", "2", "-o", "b.wav", model=tiny_folder) == 0
    assert "(chosen)" in capsys.readouterr().out.splitlines()[1]
    assert (here / "music.wav").exists() and (here / "b.json").exists()


@pytest.mark.slow
def test_what_is_played_otherwise_than_asked_is_said(here, tiny_folder, capsys):
    assert generate("in D dorian, chords Am G7alt", "--duration", "5", "--steps", "1", model=tiny_folder) == 0
    line, *notes = capsys.readouterr().out.splitlines()
    assert "D minor (prompt), Am G7" in line
    assert len(notes) == 2 and "dorian" in notes[0] and "G7alt" in notes[1]


@pytest.mark.slow
def test_takes_that_nobody_named_are_numbered_on(here, tiny_folder):
    quick, first = ("piano", "--duration", "1", "--steps", "1"), None
    for arguments, made in (([], [""]), ([], ["-2"]), (["--takes", "2"], ["-3", "-4"]), (["--seed", "1"], ["-5"])):
        before = set(os.listdir(here))
        assert generate(*quick, *arguments, model=tiny_folder) == 0
        assert set(os.listdir(here)) - before == {f"music{n}.{kind}" for n in made for kind in ("wav", "json")}
        first = first or (here / "music.wav").read_bytes()
    assert (here / "music.wav").read_bytes() == first == (here / "music-2.wav").read_bytes()


@pytest.mark.slow
def test_what_is_replaced_is_told(capsys, here, tiny_folder):
    (here / "many.jsonl").write_text('{"id": "x"}')
    for arguments in (["piano", "-o", "x.wav"], ["--prompts", "many.jsonl", "-o", "."], ["--prompts", "many.jsonl", "-o", "out"]):
        existed = (here / ("out/x.wav" if "out" in arguments else "x.wav")).exists()
        assert generate(*arguments, "--duration", "1", "--steps", "1", model=tiny_folder) == 0
        assert ("x.wav (replaced): " in capsys.readouterr().out) == existed


@pytest.mark.slow
def test_midi_lies_beside_each_take(here, tiny_folder):
    quick = ("piano", "--duration", "4", "--steps", "1", "--tempo", "120", "--chords", "Am F", "--midi")
    assert generate(*quick, "--takes", "2", "-o", "x.flac", model=tiny_folder) == 0
    assert sorted(os.listdir(here)) == [f"x-{n}.{kind}" for n in (1, 2) for kind in ("flac", "json", "mid")]
    chords, times = read_chords("x-1.mid")
    assert [str(c) for c in chords] == ["Am", "F"] and times == pytest.approx([0, 2], abs=2e-3)
    (here / "y.mid").mkdir()
    assert generate(*quick, "-o", "y.wav", model=tiny_folder) == 2 and not (here / "y.wav").exists()


@pytest.mark.slow
def test_several_takes(here, tiny_folder):
    assert generate("piano", "--count", "2", "--duration", "2", "--steps", "2", "--tempo", "120", model=tiny_folder) == 0
    assert sorted(os.listdir(here)) == ["music-1.json", "music-1.wav", "music-2.json", "music-2.wav"]
    assert json.loads((here / "music-2.json").read_text())["seed"] == 1


@pytest.mark.slow
def test_takes_in_bars_are_as_long_as_their_tempo_makes_them(here, tiny_folder):
    assert generate("piano", "--takes", "3", "--duration", "1 bar", "--steps", "1", model=tiny_folder) == 0
    for path in map(Path, ("music-1.wav", "music-2.wav", "music-3.wav")):
        about = json.loads(path.with_suffix(".json").read_text())
        assert soundfile.info(path).duration == pytest.approx(about["duration"], abs=1e-3)
        assert about["duration"] == pytest.approx(240 / about["bpm"], abs=1e-5)
    assert main(["generate", "--prompts", "music-3.json", "-o", "again", "--model", str(tiny_folder)]) == 0
    assert (here / "again" / "00001.wav").read_bytes() == (here / "music-3.wav").read_bytes()


@pytest.mark.slow
def test_the_best_of_several_takes(here, tiny_folder, monkeypatch, capsys):
    heard = iter([Heard(), Heard(chords=(Chord.parse("C"),), chord_times=(0.0,))])
    monkeypatch.setattr("mustango.hear.obeyed.hear", lambda *_: next(heard))
    monkeypatch.setattr("musicbench.hearing.by_madmom.madmom", lambda *_: None)
    options = ("--takes", "2", "--pick", "best", "--chords", "C", "--duration", "2", "--steps", "2")
    assert generate("piano", *options, model=tiny_folder) == 0
    assert "heard of what was asked: 0%, 33%; take 2 is kept" in capsys.readouterr().out
    assert sorted(os.listdir(here)) == ["music.json", "music.wav"]
    made = json.loads((here / "music.json").read_text())
    assert made["seed"] == 1 and made["picked"] == {"of": 2, "shares": [0.0, pytest.approx(1 / 3, abs=1e-3)]}


@pytest.mark.slow
def test_many_prompts_and_replay_from_a_sidecar(here, tiny_folder):
    lines = [
        {
            "prompt": "piano",
            "chords": ["C", "G"],
            "tempo": 120,
            "meter": "3/4",
            "key": "C major",
            "duration": 4.0,
            "seed": 7,
            "id": "one",
        },
        {"prompt": "calm", "chords": "I V | vi IV", "key": "D"},
        {"prompt": "solo drums"},
    ]
    (here / "many.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert generate("--prompts", "many.jsonl", "-o", "no/out", model=tiny_folder) == 2
    assert generate("--prompts", "many.jsonl", "-o", "out", "--steps", "2", model=tiny_folder) == 0
    assert sorted(os.listdir(here / "out")) == ["00002.json", "00002.wav", "00003.json", "00003.wav", "one.json", "one.wav"]
    about = json.loads((here / "out" / "one.json").read_text())
    assert about["meter"] == "3/4" and about["chords_time"][:2] == [0, 1.5] and about["seed"] == 7
    (here / "again.jsonl").write_text(json.dumps(about | {"id": "again"}))
    assert generate("--prompts", "again.jsonl", "-o", ".", "--steps", "2", model=tiny_folder) == 0
    assert np.array_equal(soundfile.read("again.wav")[0], soundfile.read("out/one.wav")[0])
    assert json.loads((here / "again.json").read_text())["chords_time"] == about["chords_time"]
    (here / "out" / "one.wav").unlink()
    kept = (here / "out" / "00002.wav").stat().st_mtime_ns
    assert generate("--prompts", "many.jsonl", "-o", "out", "--steps", "2", "--resume", model=tiny_folder) == 0
    assert (here / "out" / "one.wav").is_file() and (here / "out" / "00002.wav").stat().st_mtime_ns == kept
    assert generate("--prompts", "many.jsonl", "-o", "out", "--resume", model="nowhere") == 2
    assert generate("piano", "--resume", model=tiny_folder) == 2
    alone = json.loads((here / "out" / "00003.json").read_text())
    (here / "again.jsonl").write_text(json.dumps(alone | {"id": "drums"}))
    assert generate("--prompts", "again.jsonl", "-o", ".", model=tiny_folder) == 0
    assert alone["key"] is None and (here / "drums.wav").read_bytes() == (here / "out" / "00003.wav").read_bytes()


@pytest.mark.slow
def test_a_sidecar_as_it_lies_there_makes_its_take_again(here, tiny_folder):
    made = (
        "--duration",
        "2",
        "--steps",
        "3",
        "--guidance",
        "2",
        "--negative-prompt",
        "drums",
        "--scheduler",
        "ddim",
        "--seed",
        "4",
    )
    assert generate("calm piano", *made, "--predictors", "reader", "-o", "a.wav", model=tiny_folder) == 0
    about = json.loads((here / "a.json").read_text())
    (here / "bom.json").write_text("\ufeff" + json.dumps(about | {"id": "b"}), encoding="utf-8")
    for name, take in (("a.json", "00001"), ("bom.json", "b")):
        assert generate("--prompts", name, "-o", "out", model=tiny_folder) == 0
        assert (here / "out" / f"{take}.wav").read_bytes() == (here / "a.wav").read_bytes()
        again = json.loads((here / "out" / f"{take}.json").read_text())
        same = ("steps", "guidance", "negative_prompt", "scheduler", "predictors", "seed", "bpm", "chords", "chords_time")
        assert [again[field] for field in same] == [about[field] for field in same]
    assert generate("--prompts", "a.json", "--steps", "2", "--negative-prompt", "", "-o", "out", model=tiny_folder) == 0
    again = json.loads((here / "out" / "00001.json").read_text())
    assert (again["steps"], again["negative_prompt"], again["scheduler"]) == (2, "", "ddim")  # options come first


@pytest.mark.slow
def test_a_sidecar_of_exact_beats_gives_the_same_bytes_and_the_same_sidecar(here, tiny_folder):
    line = {"prompt": "calm piano, chords C13 G Am", "beats": [[0.13, 0.66, 1.2, 1.71], [2, 3, 1, 2]], "duration": "3", "id": "a"}
    (here / "many.jsonl").write_text(json.dumps(line))
    assert generate("--prompts", "many.jsonl", "--steps", "2", "-o", ".", model=tiny_folder) == 2  # Am would begin after the end
    (here / "many.jsonl").write_text(json.dumps(line | {"prompt": "calm piano", "chords": "C13 C Am |"}))
    assert generate("--prompts", "many.jsonl", "--steps", "2", "-o", ".", model=tiny_folder) == 0
    about = json.loads((here / "a.json").read_text())
    assert about["beats"] == line["beats"] and about["meter"] == "3/4" and about["bpm"] == pytest.approx(114, abs=1)
    assert about["asked"]["chords"] == "C13 C Am |" and about["asked"]["duration"] == "3" and about["chords"][0] == "C:7"
    assert any("C13" in note for note in about["notes"])
    (here / "neural.jsonl").write_text(json.dumps(about | {"predictors": "neural"}))  # whoever told the beats is not needed again
    for name in ("a.json", "neural.jsonl"):
        assert generate("--prompts", name, "-o", "out", model=tiny_folder) == 0
        assert (here / "out" / "00001.wav").read_bytes() == (here / "a.wav").read_bytes()
        again = json.loads((here / "out" / "00001.json").read_text())
        assert again | {"predictors": "auto"} == about


def test_midi_holds_what_is_played_and_says_what_was_asked(here, tiny_folder):
    assert (
        generate("piano", "--chords", "C7#9 G", "--tempo", "120", "--duration", "4", "--steps", "1", "--midi", model=tiny_folder)
        == 0
    )
    about = json.loads((here / "music.json").read_text())
    chords, _ = read_chords("music.mid")
    assert [c.harte() for c in chords] == about["chords"] and "#9" not in about["chords"][0]
    texts = [message.text for message in mido.MidiFile("music.mid").tracks[0] if message.type == "text"]
    assert texts == [f"asked: {json.dumps({'chords': 'C7#9 G', 'tempo': '120', 'duration': '4'})}"]


@pytest.mark.slow
def test_loudness_and_tail_are_in_the_sidecar_which_makes_the_take_again(here, tiny_folder):
    made = ("piano", "--chords", "C | G", "--tempo", "120", "--meter", "2/4", "--duration", "chart", "--steps", "2")
    assert generate(*made, "--loudness", "-30", "--tail", "1.5", "-o", "a.wav", model=tiny_folder) == 0
    assert generate(*made, "-o", "plain.wav", model=tiny_folder) == 0
    about, plain = (json.loads((here / name).read_text()) for name in ("a.json", "plain.json"))
    assert (about["loudness"], about["tail"], about["duration"]) == (-30.0, 1.5, 2.0) and (plain["loudness"], plain["tail"]) == (
        None,
        0,
    )
    samples, rate = soundfile.read(here / "a.wav")
    assert len(samples) == 3.5 * rate and soundfile.info(here / "plain.wav").frames == 2 * rate
    assert loudness_of(samples, rate) == pytest.approx(-30, abs=0.5) and abs(samples.mean()) < 1e-4
    (here / "many.jsonl").write_text(
        "\n".join(json.dumps(line) for line in (about, plain, about | {"loudness": None, "tail": None}))
    )
    assert generate("--prompts", "many.jsonl", "-o", "out", model=tiny_folder) == 0
    again = [(here / "out" / f"0000{i}.wav").read_bytes() for i in (1, 2, 3)]
    assert again == [(here / name).read_bytes() for name in ("a.wav", "plain.wav", "plain.wav")]


@pytest.mark.slow
def test_a_sidecars_model_and_dtype_are_taken(capsys, here, tiny_folder):
    short = ("--duration", "1", "--steps", "1")
    assert generate("calm piano", *short, "--dtype", "bfloat16", "-o", "a.wav", model=tiny_folder) == 0
    about = json.loads((here / "a.json").read_text())
    assert main(["generate", "--prompts", "a.json", "-o", "out"]) == 0
    assert (here / "out" / "00001.wav").read_bytes() == (here / "a.wav").read_bytes()
    again = json.loads((here / "out" / "00001.json").read_text())
    assert (again["model"], again["dtype"]) == (about["model"], about["dtype"]) == (str(tiny_folder), "bfloat16")
    assert main(["generate", "--prompts", "a.json", "--dtype", "float32", "-o", "out"]) == 0  # options come first
    assert json.loads((here / "out" / "00001.json").read_text())["dtype"] == "float32"

    shutil.copytree(tiny_folder, here / "other")
    lines = [about, {"prompt": "piano"} | dict.fromkeys(("model", "dtype")), about | {"model": "other"}]
    (here / "two.jsonl").write_text("\n".join(map(json.dumps, lines)))
    capsys.readouterr()
    assert main(["generate", "--prompts", "two.jsonl", "-o", "two"]) == 2
    err = capsys.readouterr().err
    assert "two.jsonl line 1" in err and "two.jsonl line 3" in err and "give --model" in err and not (here / "two").exists()
    assert main(["generate", "--prompts", "two.jsonl", "--model", "other", *short, "-o", "two"]) == 0
    (here / "odd.jsonl").write_text(json.dumps(about | {"dtype": "int8"}))
    capsys.readouterr()
    assert main(["generate", "--prompts", "odd.jsonl", "-o", "two"]) == 2
    assert "unknown dtype 'int8'" in capsys.readouterr().err


@pytest.mark.slow
def test_progress_counts_the_parts_that_takes_are_made_in(here, tiny_folder, monkeypatch):
    import tqdm

    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **options | {"disable": False})
            bars.append(self)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    monkeypatch.setattr("mustango.pipeline.TOGETHER_S", 4)
    assert generate("piano", "--takes", "3", "--duration", "2", "--steps", "2", model=tiny_folder) == 0
    assert [(bar.n, bar.total) for bar in bars] == [(4, 4)]


def test_a_summary_names_no_key_where_there_are_no_chords():
    drums, band = (
        summary("a.wav", False, resolve(prompt, duration=4.0), 1) for prompt in ("solo drums, 90 bpm", "rock, chords C G")
    )
    assert "90 bpm (prompt), 4/4 (chosen), N (prompt), seed 1" in drums and "C major (chosen), C" in band


def test_a_summary_says_how_long_the_file_is_and_no_note_twice():
    controls = replace(resolve("rock", duration=4.0), notes=("told before", "new"))
    told = summary("a.wav", False, controls, 1, 2.5, ("told before",))
    assert "a.wav: 4 s and a tail of 2.5 s, 6.5 s in all, " in told and "told before" not in told and told.endswith("\n  new")


def test_a_summary_says_where_the_duration_comes_from():
    controls = resolve("rock, chords C G", tempo=120, duration=4.0)
    assert "a.wav: 4 s, 120 bpm" in summary("a.wav", False, controls, 1)
    stated = replace(controls, origin=controls.origin | {"duration": "prompt"})
    assert "a.wav: 4 s (prompt), 120 bpm" in summary("a.wav", False, stated, 1)


@pytest.mark.slow
def test_what_the_model_lacks_is_told_before_anything_is_made(capsys, here, tiny_folder, monkeypatch):
    told = []
    monkeypatch.setattr(
        "mustango.pipeline.load_pipeline", lambda *a, **k: told.append(capsys.readouterr().err) or load_pipeline(*a, **k)
    )
    shutil.copytree(tiny_folder, here / "composers")
    read_knows(ROOT / "checkpoints" / "mustango-mini").save(here / "composers")
    short = ("--duration", "1", "--steps", "1", "-o", "a.wav")
    assert generate("solo sitar", *short, model=here / "composers") == 0
    note = "this model has no sitar; nearest: acoustic guitar"
    about = json.loads((here / "a.json").read_text())
    assert told == [note + "\n"] and about["notes"] == [note] and note not in capsys.readouterr().out
    assert (about["prompt"], about["text"]) == ("solo sitar", "solo sitar, no drums")
    assert main(["generate", "--prompts", "a.json", "-o", "out"]) == 0
    assert (here / "out" / "00001.wav").read_bytes() == (here / "a.wav").read_bytes()
    assert note in told[1] and "a.json" in told[1]
    assert generate("solo sitar", *short, model=tiny_folder) == 0, "a model that does not say what it knows"
    about = json.loads((here / "a.json").read_text())
    assert told[2] == "" and about["notes"] == [] and about["text"] == "solo sitar"


@pytest.mark.parametrize(
    ("command", "lacks", "extra"),
    [
        (["mustango", "page"], "gradio", "page"),
        (["mustango", "evaluate", "--set", "composed:1", "-o", "out"], "threadpoolctl", "evaluate"),
        (["musicbench", "inspect", "folder"], "jinja2", "build"),
    ],
)
def test_what_an_extra_would_bring_is_named(command, lacks, extra, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("musicbench.find_spec", lambda name: None if name == lacks else name)
    monkeypatch.setattr("mustango.cli.evaluate.check_evaluation", lambda options: None)
    program = main if command[0] == "mustango" else musicbench_main
    assert program(command[1:]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"needs {lacks}; pip install 'mustango[{extra}]'")
