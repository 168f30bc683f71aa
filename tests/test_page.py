"""The page in a real browser (chromium, headless), on the bundled model."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from test_app import free_port
from test_features import AM, RATE, C, F, G, triads

from mustango.midi import read_chords

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium; on Debian: apt-get install chromium")


@pytest.fixture(scope="module")
def address():
    port = free_port()
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in server.stdout:
        if "Running on" in line:
            break
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, address):
    """Return a function that opens the page; afterwards no request may have left this machine and no script have failed."""
    contexts, foreign, failed = [], [], []

    def go(**settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(address)
        page.locator("#generate").wait_for()
        page.get_by_text("chords (chosen)").wait_for()
        return page

    yield go
    for context in contexts:
        context.close()
    assert foreign == [] and failed == []


def fill(page, name, value):
    field = box(page, name)
    field.fill(str(value))
    field.press("Tab")


def box(page, name):
    return page.locator(f"#{name} :is(textarea, input)")


AUDIO_S = """() => {
  const all = root => [...root.querySelectorAll('*')].flatMap(e => [...(e.tagName == 'AUDIO' ? [e] : []), ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  return all(document.querySelector('#player')).concat(all(document)).map(e => e.duration).find(s => s > 0) || 0;
}"""


def test_from_prompt_to_take(opened, tmp_path):
    page = opened()
    fill(page, "prompt", "upbeat piano pop with drums")
    fill(page, "chords", "I V | vi IV")
    fill(page, "tempo", 130)
    fill(page, "duration", 4)
    page.locator("#plan").get_by_text("2 bars = 3.7 s of 4 s; 130 bpm").wait_for()
    fill(page, "key", "D major")
    page.locator("#plan li span", has_text=re.compile("^Bm$")).wait_for()
    page.locator("#generate").click()
    bar = page.get_by_role("progressbar", name="Progress")
    page.locator("#status").get_by_text(re.compile(r"Step \d+ of 20")).wait_for()
    assert 0 < int(bar.get_attribute("aria-valuenow")) < 100 and "s left" in page.locator("#status").inner_text()
    page.get_by_text("Done. Press play.").wait_for()
    page.wait_for_function(f"({AUDIO_S})() > 0")
    assert page.evaluate(AUDIO_S) == pytest.approx(4.0, abs=0.01)
    picture = page.locator("#picture img")
    page.wait_for_function("document.querySelector('#picture img').naturalWidth > 500")
    assert "Asked chords: D A Bm G" in picture.get_attribute("alt")
    assert "130 bpm" in page.locator("#scores").inner_text() and "D A Bm G" in page.locator("#scores").inner_text()
    for name, start in (("wav", b"RIFF"), ("flac", b"fLaC"), ("json", b"{"), ("midi", b"MThd")):
        with page.expect_download() as download:
            page.locator(f"#download-{name}").click()
        assert download.value.suggested_filename.startswith("upbeat-piano-pop-with-drums-130bpm-seed0-")
        download.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    chords, times = read_chords(tmp_path / "midi")
    beat_s = 60 / 130
    assert [str(c) for c in chords] == ["D", "A", "Bm", "G", "D"] and times == pytest.approx(
        [i * 2 * beat_s for i in range(5)], abs=2e-3
    )
    page.locator("#reuse").click()
    page.wait_for_function("document.querySelector('#chords :is(textarea, input)').value.startsWith('D A | Bm G')")
    page.locator("#again").click()
    page.locator("#again:disabled").wait_for()  # one request of a page at a time
    page.locator("#cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#again:enabled").wait_for()


def test_wrong_chord_is_named_at_once(opened):
    page = opened()
    box(page, "chords").press_sequentially("C Hm7 F")
    alert = page.locator("#plan [role=alert]")
    alert.get_by_text("unknown chord 'Hm7'").wait_for()
    page.locator("#generate").click()
    page.locator("#status [role=alert]", has_text="Hm7").wait_for()
    colors = "[...document.querySelectorAll('.error, .error p')].map(e => getComputedStyle(e).color)"
    assert len(set(page.evaluate(colors))) == 1 and page.evaluate(colors)[0] != page.evaluate(
        "getComputedStyle(document.body).color"
    )
    page.locator("#generate:enabled").wait_for()


def test_an_emptied_box_is_open_and_a_wrong_number_stays_and_is_named(opened):
    page = opened()
    for name, value, says in (
        ("tempo", "92.5", "; 92.5 bpm, "), ("tempo", "", " bpm (chosen), "), ("tempo", "999", "tempo 999 bpm is above 300"),
        ("tempo", "Allegro", "; 125 bpm, "), ("duration", "", " s of 10.24 s; "), ("duration", "500", "duration 500 s is outside 1-120"),
        ("duration", "", " s of 10.24 s; "), ("duration", "1 bar", "1 bar = "), ("duration", "", " s of 10.24 s; "), ("seed", "1.7", "seed 1.7 is not a whole number"), ("seed", "", "seed is empty"),
        ("seed", "2", "4/4"), ("count", "9", "above 8"), ("count", "", "count is empty"), ("count", "2", "each further take chooses anew"),
    ):  # fmt: skip
        fill(page, name, value)
        page.locator("#plan", has_text=says).wait_for()
        assert box(page, name).input_value() == value
    fill(page, "count", "9")
    page.locator("#generate").click()
    page.locator("#status [role=alert]", has_text="count 9 is above 8").wait_for()


def test_prompt_fills_empty_controls_only(opened):
    page = opened()
    fill(page, "chords", "Am F")
    fill(page, "prompt", "jazz trio, ii7 V7 Imaj7 in Bb at 140 bpm")
    page.wait_for_function("document.querySelector('#key input').value == 'Bb major'")
    assert (box(page, "tempo").input_value(), box(page, "chords").input_value()) == ("140", "Am F")
    fill(page, "chords", "")
    fill(page, "prompt", "jazz trio, ii7 V7 Imaj7 in Eb at 150 bpm")
    page.wait_for_function("document.querySelector('#key input').value == 'Eb major'")
    assert (box(page, "tempo").input_value(), box(page, "chords").input_value()) == ("150", "ii7 V7 Imaj7")
    fill(page, "tempo", "96")
    fill(page, "prompt", "jazz trio in E at 160 bpm")
    page.wait_for_function("document.querySelector('#key input').value == 'E major'")
    assert (box(page, "tempo").input_value(), box(page, "chords").input_value()) == ("96", "")


def test_an_example_keeps_the_chords_that_the_prompt_before_stated(opened):
    page = opened()
    fill(page, "prompt", "pop song, chords C G Am F in C major 4/4")
    page.wait_for_function("document.querySelector('#key input').value == 'C major'")
    page.get_by_role("button", name="upbeat piano pop").click()
    page.locator("#plan").get_by_text("4 bars = 8.0 s of 10.24 s; 120 bpm, 4/4, C major").wait_for()
    page.wait_for_function("window.filled.chords === ''")  # what the example's prompt states has come
    assert box(page, "chords").input_value() == "C G Am F"


def test_cancel_and_the_next_in_the_queue(opened):
    first, second = opened(), opened()
    first.get_by_role("button", name="Advanced").click()
    first.get_by_label("Steps").fill("200")
    first.get_by_label("Steps").press("Tab")
    first.locator("#generate").click()
    first.get_by_text(re.compile(r"Step \d+ of 200")).wait_for()
    fill(second, "duration", 2)
    second.locator("#generate").click()
    second.locator("#status").get_by_text(re.compile(r"queue: 1/1")).wait_for()
    second.locator("#cancel").click()  # before its turn
    second.get_by_text("Cancelled.").wait_for()
    second.locator("#generate:enabled").click()
    second.locator("#status").get_by_text(re.compile(r"queue: 1/1")).wait_for()
    first.locator("#cancel").click()
    first.get_by_text("Cancelled.").wait_for()
    first.locator("#generate:enabled").wait_for()
    second.get_by_text("Done. Press play.").wait_for()
    assert first.locator("#status").inner_text().strip() == "Cancelled."  # and no late step or failure over it
    assert first.locator("#player").count() == 0 and second.locator("#player").is_visible()


AT_ONCE = """() => {
  const cancel = document.querySelector('#cancel');
  new MutationObserver((_, observer) => { if (!cancel.disabled) { observer.disconnect(); cancel.click(); } }).observe(cancel, {attributes: true});
}"""


def test_cancel_before_the_work_has_begun(opened):
    """Cancel is pressed as soon as it can be, when the server has not heard of the request yet."""
    page = opened()
    quick(page)
    page.evaluate(AT_ONCE)
    page.locator("#generate").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#generate:enabled").click()
    page.get_by_text("Done. Press play.").wait_for()
    page.evaluate(AT_ONCE)
    page.locator("#again").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#again:enabled").wait_for()
    assert page.locator("#history input[type=radio]").count() == 1


def test_tap_dice_presets_and_examples(opened):
    page = opened()
    page.clock.install()
    for _ in range(9):
        page.locator("#tap").click()
        page.clock.run_for(400)
    assert 60 < float(box(page, "tempo").input_value()) <= 150
    page.locator("#dice").click()
    page.wait_for_function("document.querySelector('#seed input').value != '0'")
    page.locator("#preset input").click()
    page.get_by_role("option", name="vi IV I V").click()
    page.locator("#plan li", has_text="Am").wait_for()
    fill(page, "chords", "Bb Eb F7")
    page.locator("#preset input").click()
    page.keyboard.press("Escape")
    page.locator("#prompt textarea").click()  # leaving the list chooses nothing
    page.locator("#plan li", has_text="Eb").wait_for()
    assert box(page, "chords").input_value() == "Bb Eb F7"
    page.get_by_role("button", name="calm harp lullaby").click()
    page.locator("#plan").get_by_text("80 bpm, 3/4, G major").wait_for()


def quick(page):
    """Ask for one second in one step, without listening back."""
    fill(page, "duration", 1)
    page.get_by_role("button", name="Advanced").click()
    page.get_by_label("Steps").fill("1")
    page.get_by_label("Steps").press("Tab")
    page.get_by_label("Listen back and score what is heard").uncheck()


def test_takes_of_the_session(opened):
    page = opened()
    fill(page, "prompt", "<img src=x onerror='window.hacked = 1'>")
    fill(page, "chords", "Am F")
    fill(page, "tempo", 300)
    quick(page)
    page.locator("#generate").click()
    takes = page.locator("#history input[type=radio]")
    page.get_by_text("Done. Press play.").wait_for()
    fill(page, "chords", "C")
    fill(page, "tempo", 100)
    page.locator("#again").click()  # as the take was, whatever the controls say now
    page.wait_for_function("document.querySelectorAll('#history input').length == 2")
    page.get_by_text("Done. Press play.").wait_for()
    assert box(page, "chords").input_value() == "Am F"
    assert box(page, "tempo").input_value() == "300"
    assert page.locator("#seed input").input_value() != "0" and "seed 0" not in page.locator("#history label").first.inner_text()
    assert page.get_by_text("<img src=x").count() >= 2 and page.evaluate("window.hacked") is None  # text stays text
    newest = page.locator("#picture img").get_attribute("src")
    takes.last.check()
    page.wait_for_function("newest => document.querySelector('#picture img').getAttribute('src') != newest", arg=newest)


NAMELESS = """() => [...document.querySelectorAll('input, textarea, select, button, [role=slider], audio, img')].filter(e =>
  e.checkVisibility() && !(e.getAttribute('aria-label') || e.innerText?.trim() || e.alt || e.title || e.getAttribute('aria-labelledby')
    || [...(e.labels || [])].some(l => l.innerText.trim()))).map(e => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("desktop", 1280, "light"), ("phone", 390, "light"), ("dark", 1280, "dark"), ("small", 320, "dark")],
)
def test_fits_and_is_labelled(opened, name, width, scheme):
    """With SCREENSHOTS=docs the README's pictures are made."""
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.get_by_role("button", name="upbeat piano pop").click()
    page.locator("#plan").get_by_text("4 bars = 8.0 s of 10.24 s; 120 bpm, 4/4, C major").wait_for()
    if name == "small":
        fill(page, "chords", "C")
        quick(page)
    page.locator("#generate").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Done. Press play.").wait_for()
    page.locator("#picture img").wait_for()
    assert page.evaluate(NAMELESS) == [] and page.get_by_role("button", name="Run").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    if folder := os.environ.get("SCREENSHOTS"):
        page.locator("#generate").blur()
        page.screenshot(path=f"{folder}/page-{name}.png", full_page=True)


def test_a_long_take_has_a_picture_to_scroll(opened):
    page = opened(viewport={"width": 390, "height": 800})
    quick(page)
    fill(page, "duration", 40)
    page.locator("#plan").get_by_text("chords (chosen)").wait_for()
    page.locator("#generate").click()
    page.get_by_text("Done. Press play.").wait_for()
    page.wait_for_function("document.querySelector('#picture img').naturalWidth > 1500")
    hidden = "(() => { const p = document.querySelector('#picture'); p.scrollLeft = 1e4; return [p.scrollLeft, p.scrollWidth - p.clientWidth]; })()"
    scrolled, beyond = page.evaluate(hidden)
    assert beyond > 300 and scrolled == pytest.approx(beyond, abs=2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_songs_become_a_dataset(opened, tmp_path):
    pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
    page = opened()
    soundfile.write(tmp_path / "tune.wav", triads([C, AM, F, G], 120)[: 7 * RATE], RATE)
    page.get_by_role("tab", name="Dataset").click()
    page.locator("#build").click()
    page.locator("#build-status [role=alert]", has_text="0 songs; give 1 to 20").wait_for()
    page.locator("#songs input[type=file]").set_input_files(tmp_path / "tune.wav")
    page.locator("#songs", has_text="tune").get_by_text("KB").wait_for()
    page.locator("#recipe input").click()
    page.get_by_role("option", name="plain").click()
    assert page.evaluate(NAMELESS) == []
    page.locator("#build").click()
    page.locator("#build-status").get_by_role("progressbar").wait_for()
    page.locator("#cancel-build").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#build:enabled").click()
    page.get_by_text("Done. Songs: 1. Rejected: 0. Rows: 1.").wait_for()
    page.frame_locator("#report iframe").get_by_text("1 random rows").wait_for()
    with page.expect_download() as download:
        page.locator("#rows").click()
    download.value.save_as(tmp_path / "rows.zip")
    assert "rows.jsonl" in zipfile.ZipFile(tmp_path / "rows.zip").namelist()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/page-dataset.png", full_page=True)
    soundfile.write(tmp_path / "silence.wav", np.zeros(7 * RATE), RATE)
    page.get_by_label("Clear").click()
    page.locator("#songs input[type=file]").set_input_files(tmp_path / "silence.wav")
    page.locator("#songs", has_text="silence").get_by_text("KB").wait_for()
    page.locator("#build").click()
    page.locator("#build-status [role=alert]", has_text="silence.wav: no clip of it can be used").wait_for()
    assert page.locator("#rows").count() == 0
