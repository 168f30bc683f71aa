"""The documents are true: links lead somewhere, commands are understood, Python runs, options and clips are as they say."""

import json
import re
import runpy
import shlex
from functools import partial
from pkgutil import resolve_name

import pytest
import soundfile
from conftest import ROOT

from musicbench.__main__ import build_parser as build_musicbench_parser
from mustango.__main__ import build_parser, main

README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("checkpoints/*/README.md")])
PARSERS = {"mustango": build_parser, "musicbench": build_musicbench_parser}
ELSEWHERE = ("git", "cd", ".", "mkdir", "pip", "torchrun", "accelerate", "curl")  # commands that are not this repository's
MAKEFILE = (ROOT / "Makefile").read_text()


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
    """Yield the words of each shell command of a page, `$NAME` replaced by what `NAME="..."` set."""
    for block in blocks(page, "sh"):
        values = dict(re.findall(r'^(\w+)="(.*)"$', block, re.MULTILINE))
        for name, value in values.items():
            block = block.replace(f"${name}", value)
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while "&&" in words:
                yield words[: words.index("&&")]
                words = words[words.index("&&") + 1 :]
            if words and not re.match(r"\w+=", words[0]):
                yield words


def generate_arguments(words):
    """Return the arguments of `mustango generate` that a command stands for; None if it makes no music."""
    if words[:2] == ["mustango", "generate"]:
        return words[1:]
    if words[:2] == ["make", "generate"]:
        given = dict(word.split("=", 1) for word in words[2:])
        prompt = given.pop("PROMPT")
        return ["generate", prompt, *(word for name, value in given.items() for word in (f"--{name.lower()}", value))]
    return None


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{link} leads nowhere"
            assert not anchor or anchor in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of)
def test_what_is_named_is_there(page):
    """Files and Python names that a page writes as code; a changelog may name what has gone."""
    text = page.read_text()
    for path in re.findall(r"`((?:musicbench|mustango|benchmarks|tests|docs|checkpoints)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`((?:musicbench|mustango)(?:\.\w+)+)`", text):
        assert resolve_name(name) is not None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_understood(page):
    for words in commands(page):
        if words[0] in PARSERS:
            PARSERS[words[0]]().parse_args(words[1:])  # exits where it does not understand
        elif words[0] == "make":
            assert re.search(rf"^{words[1]}:", MAKEFILE, re.MULTILINE), words
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), words
        else:
            assert words[0] in ELSEWHERE, words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_make_music_can_be_played(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many.jsonl").write_text('{"prompt": "calm piano"}\n')
    for words in commands(page):
        arguments = generate_arguments(words)
        if arguments and "--model" not in arguments:
            assert main([*arguments, "--dry-run"]) == 0, (words, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_runs(page, tiny_folder, monkeypatch):
    """With a tiny model in place of the bundled one, and without a server."""
    import gradio_client

    import mustango.pipeline

    class Client:
        def __init__(self, address):
            assert address == "http://127.0.0.1:7860"

        def predict(self, prompt, *, api_name, **controls):
            return [{"wav": prompt, "midi": api_name, "scores": controls}]

    monkeypatch.setattr(mustango.pipeline, "load_pipeline", partial(mustango.pipeline.load_pipeline, str(tiny_folder)))
    monkeypatch.setattr(gradio_client, "Client", Client)
    for block in blocks(page, "python"):
        exec(compile(block, name_of(page), "exec"), {})


def test_the_list_of_options_is_up_to_date():
    made = runpy.run_path(str(ROOT / "docs" / "options.py"))["options_page"]()
    assert (ROOT / "docs" / "options.md").read_text() == made, "run python docs/options.py"


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 120


def test_clips_are_what_their_commands_make(capsys):
    linked = set(re.findall(r"\(docs/clips/(\w+\.ogg)\)", README.read_text()))
    made = {words[-1]: words[1:] for words in commands(README) if words[-1].endswith(".ogg")}
    assert set(made) == linked == {path.name for path in (ROOT / "docs" / "clips").iterdir()}
    for name, arguments in made.items():
        assert main([*arguments[:-2], "--dry-run"]) == 0
        plan = json.loads(capsys.readouterr().out)
        clip = ROOT / "docs" / "clips" / name
        assert clip.stat().st_size < 150_000
        assert soundfile.info(clip).duration == pytest.approx(plan["duration"] + plan.get("tail", 0), abs=0.01)
