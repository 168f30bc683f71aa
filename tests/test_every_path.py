"""Every option on every path: a setting that Python takes is taken by the command, prompts files, sidecars, --resume, the page and its API."""

import inspect
import json
from dataclasses import fields, replace

import pytest

from musicbench import InputError
from mustango import PRESETS
from mustango.__main__ import build_parser, main
from mustango.page.asked import PageRequest
from mustango.request.model_facts import ModelFacts, read_facts
from mustango.request.request import SETTINGS, Request
from mustango.request.settled import resolve
from mustango.request.sidecar import LOADED, difference, sidecars_of

# Of each setting a value that is not its default, as the command has it, and as sidecars tell it.
VALUES = {
    "steps": ("7", 7), "guidance": ("2.5", 2.5), "negative_prompt": ("drums", "drums"), "scheduler": ("ddim", "ddim"),
    "predictors": ("reader", "reader"), "loudness": ("-16", -16.0), "tail": ("1.5", 1.5), "stems": (None, True),
    "guidance_interval": (".2:.80", "0.2:0.8"), "cache_interval": ("3", 3),
}  # fmt: skip
NOT_ON_THE_PAGE = {"stems"}  # it says so
FACTS = ModelFacts(10.24, 120, takes_notes=True)


def dry(capsys, *arguments):
    """Return the sidecars that the command would write."""
    assert main(["generate", "--dry-run", *map(str, arguments)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def option(name, text):
    flag = f"--{name.replace('_', '-')}"
    return [flag] if text is None else [f"{flag}={text}"]


def test_each_setting_has_its_row_here():
    assert {*VALUES, "lora"} == set(SETTINGS) <= {field.name for field in fields(Request)}  # adapters: tests/test_adapters.py


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_taken_on_every_path(name, tiny_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, told = VALUES[name]
    model = ["--model", tiny_folder, "--duration=2"]
    (plain,) = dry(capsys, "piano", *model)
    (given,) = dry(capsys, "piano", *option(name, text), *model)
    assert given[name] == told and plain.get(name) != told

    (tmp_path / "lines.jsonl").write_text(json.dumps({"prompt": "piano", name: told}))
    (line,) = dry(capsys, "--prompts", "lines.jsonl", *model)
    assert line[name] == told
    (tmp_path / "take.json").write_text(json.dumps(given))
    assert dry(capsys, "--prompts", "take.json")[0][name] == told

    assert difference(plain, given) == difference(given, plain) == name  # so that --resume makes it anew
    assert difference(given, given) is None

    facts = replace(read_facts(tiny_folder), has_predictors=False)
    ours = sidecars_of(
        resolve(Request("piano", duration="2", **{"scheduler": "dpm"} | {name: told}), facts),
        facts,
        LOADED | {"model": str(tiny_folder)},
    )[0]
    ours = json.loads(json.dumps(ours))
    assert ours == given | {"versions": ours["versions"]}


@pytest.mark.parametrize("name", VALUES)
def test_the_page_and_its_api_take_it_or_say_that_they_do_not(name):
    from mustango.page.api import endpoint

    text, told = VALUES[name]
    if name in NOT_ON_THE_PAGE:
        with pytest.raises(InputError, match=name):
            PageRequest("piano", **{name: told}).settled(FACTS)
        return
    for value in (text, told):
        numeric = name in ("loudness", "tail")
        request = PageRequest("piano", **{name: float(value) if numeric else value}).settled(FACTS).request
        assert getattr(request, name) == told
    assert name in inspect.signature(endpoint(None, None)).parameters


def test_the_api_hands_on_all_that_it_takes():
    """Each of its parameters is a field of what is asked, by the same default."""
    from mustango.page.api import endpoint

    known = {field.name: field for field in fields(PageRequest)}
    source = inspect.getsource(endpoint)
    for name, parameter in inspect.signature(endpoint(None, None)).parameters.items():
        if name == "request":
            continue
        assert name in known and f"{name}={name}" in source
        if name not in ("prompt", "chords", "key", "meter", "parts", "melody", "drums", "beats", "guidance_interval", "lora"):
            assert parameter.default == known[name].default, name


def test_presets_hold_settings_and_options_set_them(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for preset, settings in PRESETS.items():
        assert set(settings) <= set(SETTINGS)
        (made,) = dry(capsys, "piano", f"--{preset}")
        for name, value in settings.items():
            assert made[name] == value
    (made,) = dry(capsys, "piano", "--draft", "--cache-interval", "4")
    assert made["cache_interval"] == 4 and made["steps"] == PRESETS["draft"]["steps"]


def test_the_kernel_of_attention_is_told_and_taken_again(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (made,) = dry(capsys, "piano", "--attention", "math")
    assert made["attention"] == "math" and "attention" not in dry(capsys, "piano")[0]
    (tmp_path / "take.json").write_text(json.dumps(made))
    assert dry(capsys, "--prompts", "take.json")[0]["attention"] == "math"
    assert difference(made, dry(capsys, "piano")[0]) == "attention"
    page = build_parser().parse_args(["page", "--attention", "flash"])
    assert page.attention == "flash"
