"""The page in a real browser (chromium, headless), on the bundled model."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from conftest import HANG_S, ROOT, read_chords
from test_app import free_port
from test_features import AM, RATE, C, F, G, triads
from test_strangers import STRANGER, can_be, log_in

from musicbench.sound.picture import MARGIN_LEFT, MARGIN_RIGHT, PIECE_WIDTH

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium; on Debian: apt-get install chromium"),
]


@contextmanager
def served(*arguments):
    """Run the page's server; yields its address."""
    port = free_port()
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), *arguments]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in server.stdout:
        if "Running on" in line:
            break
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.communicate(timeout=HANG_S)


@pytest.fixture(scope="module")
def address():
    """The page with the bundled model."""
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def swift_address(tiny_folder, tmp_path_factory):
    """The page with a tiny model, which sounds like nothing and is quick."""
    folder = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("swift") / "tiny")
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"longest_s": 120}))
    with served("--model", str(folder)) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


@contextmanager
def opener(browser, address):
    """Yield a function that opens the page; afterwards no request may have left this machine and no script have failed."""
    contexts, foreign, failed = [], [], []

    def go(**settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * HANG_S)
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


@pytest.fixture
def opened(browser, address):
    with opener(browser, address) as go:
        yield go


@pytest.fixture
def swift(browser, swift_address):
    with opener(browser, swift_address) as go:
        yield go


def fill(page, name, value):
    field = box(page, name)
    field.fill(str(value))
    field.press("Tab")


def box(page, name):
    return page.locator(f"#{name} :is(textarea, input)")


def download(page, kind):
    with page.expect_download() as download:
        page.locator(".take .downloads a", has_text=re.compile(f"^{kind}$")).first.click()
    return download.value


def test_from_prompt_to_take(opened, tmp_path):
    page = opened()
    fill(page, "prompt", "upbeat piano pop with drums")
    fill(page, "chords", "I V | vi IV")
    fill(page, "tempo", 130)
    fill(page, "length", "4 s")
    page.locator("#plan").get_by_text("2 bars = 3.7 s of 4 s; 130 bpm").wait_for()
    fill(page, "key", "D major")
    page.locator("#plan li span", has_text=re.compile("^Bm$")).wait_for()
    page.locator("#generate").click()
    bar = page.get_by_role("progressbar", name="Progress")
    page.locator("#status").get_by_text(re.compile(r"Step \d+ of 20")).wait_for()
    assert 0 < int(bar.get_attribute("aria-valuenow")) < 100 and "s left" in page.locator("#status").inner_text()
    page.get_by_text("Done. Press play.").wait_for()
    page.wait_for_function("document.querySelector('.take audio').duration > 0")
    assert page.evaluate("document.querySelector('.take audio').duration") == pytest.approx(4.0, abs=0.01)
    page.wait_for_function("document.querySelector('.take img').naturalWidth > 500")
    assert "Asked chords: D A Bm G" in page.locator(".take img").get_attribute("alt")
    assert "130 bpm" in page.locator(".scores").inner_text() and "D A Bm G" in page.locator(".scores").inner_text()
    for kind, start in (("WAV", b"RIFF"), ("FLAC", b"fLaC"), ("JSON", b"{"), ("MIDI", b"MThd")):
        file = download(page, kind)
        assert file.suggested_filename.startswith("upbeat-piano-pop-with-drums-130bpm-seed0-")
        file.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(start)
    chords, times = read_chords(tmp_path / "MIDI")
    beat_s = 60 / 130
    assert [str(c) for c in chords] == ["D", "A", "Bm", "G", "D"] and times == pytest.approx(
        [i * 2 * beat_s for i in range(5)], abs=2e-3
    )
    page.get_by_role("button", name="Use these chords").click()
    page.get_by_role("button", name="Replace them").click()
    page.wait_for_function("document.querySelector('#chords :is(textarea, input)').value.startsWith('D A | Bm G')")
    page.get_by_role("button", name="Again with another seed").click()
    page.locator("#generate:disabled").wait_for()  # one request of a page at a time
    page.locator("#cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#generate:enabled").wait_for()


def test_wrong_chord_is_named_at_once(swift):
    page = swift()
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
    fill(page, "chords", "C Bm7 F")
    page.wait_for_function("!document.querySelector('.error')")  # it goes with its cause
    fill(page, "chords", "C Hm7 F")
    page.locator("#generate").click()
    page.locator("#status [role=alert]", has_text="Hm7").wait_for()  # the same once more


def test_an_emptied_box_is_open_and_a_wrong_number_stays_and_is_named(swift):
    page = swift()
    for name, value, says in (
        ("tempo", "92.5", "; 92.5 bpm, "), ("tempo", "", " bpm (chosen), "), ("tempo", "999", "tempo 999 bpm is above 300"),
        ("tempo", "Allegro", "; 125 bpm, "), ("length", "8", "4 bars = 7.7 s of 15.36 s; "), ("length", "500 s", "duration 500 s is outside 1-120"),
        ("length", "", "4 bars = 7.7 s; "), ("length", "1 bar", "1 bar = "), ("length", "x", "'x' is not a number"), ("length", "10 s", " s of 10 s; "),
        ("seed", "1.7", "seed 1.7 is not a whole number"), ("seed", "", "seed is empty"),
        ("seed", "2", "4/4"), ("count", "9", "takes 9 is outside 1-8"), ("count", "", "takes is empty"), ("count", "2", "each further take chooses anew"),
    ):  # fmt: skip
        fill(page, name, value)
        page.locator("#plan", has_text=says).wait_for()
        assert box(page, name).input_value() == value
    fill(page, "count", "9")
    page.locator("#generate").click()
    page.locator("#status [role=alert]", has_text="takes 9 is outside 1-8").wait_for()
    page.locator("#plan .error").wait_for(state="hidden")  # it is told once


def choose(page, name, option):
    page.locator(f"#{name} input").click()
    page.get_by_role("option", name=option).click()


def test_a_long_chart_has_a_button_that_fits_the_length(opened):
    page = opened()
    fill(page, "chords", "C G Am F")
    fill(page, "tempo", "60")
    page.locator("#plan", has_text="4 bars = 16.0 s; 60 bpm").wait_for()  # it fits by itself
    fill(page, "length", "10")
    choose(page, "unit", "seconds")
    page.locator("#plan [role=alert]", has_text="a duration of 16 s or more").wait_for()
    page.locator("#generate").click()
    page.locator("#status").get_by_role("button", name="Fit to the chart").click()
    page.locator("#plan", has_text="4 bars = 16.0 s; 60 bpm").wait_for()
    page.wait_for_function("!document.querySelector('.error')")
    assert box(page, "length").input_value() == ""
    fill(page, "chords", "C G " * 40)
    page.locator(
        "#plan [role=alert]", has_text="the chords fill 80 bars of 4/4, 320 s at 60 bpm, above the 120 s that this model makes"
    ).wait_for()
    page.locator("#plan").get_by_role("button", name="Fit to the chart at 160 bpm").click()
    page.locator("#plan", has_text="80 bars = 120.0 s; 160 bpm").wait_for()


def test_enter_is_a_new_line_in_a_chart(swift):
    page = swift()
    quick(page)
    for name in ("chords", "prompt"):
        box(page, name).press_sequentially("C G\nAm F" if name == "chords" else "calm\npiano")
        box(page, name).press("Shift+Enter")
    assert (box(page, "chords").input_value(), box(page, "prompt").input_value()) == ("C G\nAm F\n", "calm\npiano\n")
    assert page.locator("#status", has_text="Your takes appear here").count() == 1
    fill(page, "length", "")
    fill(page, "tempo", "300")
    page.locator("#plan li", has_text="Am").wait_for()
    assert page.locator("#plan li").count() == 4
    box(page, "chords").press("Control+Enter")
    page.wait_for_function("document.querySelectorAll('.take img').length == 1")
    assert "300 bpm" in page.locator(".take h3").inner_text()


SPILLED = """() => [...document.querySelectorAll('#plan li')].flatMap(bar => [...bar.querySelectorAll('span')].filter(name => {
  const inner = name.getBoundingClientRect(), outer = bar.getBoundingClientRect();
  return inner.right > outer.right + 0.5 || inner.left < outer.left || name.scrollWidth > name.clientWidth + 1;
}).map(name => name.textContent))"""


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (844, 390), (1280, 900)])
def test_long_names_stay_in_their_bars_and_the_bar_of_buttons_is_slim(opened, width, height):
    page = opened(viewport={"width": width, "height": height})
    fill(page, "chords", "C#m7b5/G | Ebmaj9/Bb C#m7b5/G | Bbsus4/Eb F#m7b5/C C G | Am")
    page.locator("#plan li", has_text="Ebmaj9/Bb").wait_for()
    assert page.evaluate(SPILLED) == []
    assert page.evaluate("document.querySelector('#go').getBoundingClientRect().height") < 0.13 * height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_prompt_fills_empty_controls_only(swift):
    page = swift()
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


def test_an_example_keeps_the_chords_that_the_prompt_before_stated(swift):
    page = swift()
    fill(page, "prompt", "pop song, chords C G Am F in C major 4/4")
    page.wait_for_function("document.querySelector('#key input').value == 'C major'")
    page.get_by_role("button", name="upbeat piano pop").click()
    page.locator("#plan").get_by_text("4 bars = 8.0 s; 120 bpm, 4/4, C major").wait_for()
    page.wait_for_function("JSON.parse(sessionStorage.mustango).filled.chords === ''")  # what the example's prompt states has come
    assert box(page, "chords").input_value() == "C G Am F"


def test_cancel_and_the_next_in_the_queue(opened):
    first, second = opened(), opened()
    steps(first, 200)
    first.locator("#generate").click()
    first.get_by_text(re.compile(r"Step \d+ of 200")).wait_for()
    quick(second)
    second.locator("#generate").click()
    second.locator("#status").get_by_text("Waiting for its turn").wait_for()
    assert not second.locator("#status .meta-text").is_visible()
    second.locator("#cancel").click()  # before its turn
    second.get_by_text("Cancelled.").wait_for()
    second.locator("#generate:enabled").click()
    second.locator("#status").get_by_text("Waiting for its turn").wait_for()
    assert not second.locator("#status .meta-text").is_visible()
    first.locator("#cancel").click()
    first.get_by_text("Cancelled.").wait_for()
    first.locator("#generate:enabled").wait_for()
    second.get_by_text("Done. Press play.").wait_for()
    assert first.locator("#status").inner_text().strip() == "Cancelled."  # and no late step or failure over it
    assert first.locator(".take").count() == 0 and second.locator(".take audio").is_visible()


def test_a_reload_says_that_it_stopped_the_work(opened):
    page = opened()
    steps(page, 200)
    page.locator("#generate").click()
    page.get_by_text(re.compile(r"Step \d+ of 200")).wait_for()
    page.reload()
    page.get_by_text("The reload stopped the work. Press Generate to start again.").wait_for()
    page.reload()
    page.get_by_text("Your takes appear here.").wait_for()


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
    page.get_by_role("button", name="Again with another seed").click()
    page.get_by_text("Cancelled.").wait_for()
    page.locator("#generate:enabled").wait_for()
    assert page.locator(".take").count() == 1


def test_tap_and_dice(swift):
    page = swift()
    page.clock.install()
    for _ in range(9):
        page.locator("#tap").click()
        page.clock.run_for(400)
    assert 60 < float(box(page, "tempo").input_value()) <= 150
    page.locator("#dice").click()
    page.wait_for_function("document.querySelector('#seed input').value != '0'")


def test_typed_chords_are_replaced_only_when_their_owner_agrees(swift):
    page, chords = swift(), lambda: box(page, "chords").input_value()
    choose(page, "preset", "vi IV I V")  # nothing was typed
    page.locator("#plan li", has_text="Am").wait_for()
    choose(page, "preset", "ii7 V7 Imaj7")  # nor was this
    page.locator("#plan li", has_text="Dm7").wait_for()
    fill(page, "chords", "Bb Eb F7")
    page.locator("#plan li", has_text="Eb").wait_for()
    page.locator("#preset input").click()
    page.keyboard.press("Escape")
    page.locator("#prompt textarea").click()  # leaving the list chooses nothing
    asked = page.get_by_role("dialog")
    for ask in (lambda: choose(page, "preset", "vi IV I V"), page.get_by_role("button", name="calm harp lullaby").click):
        ask()
        asked.get_by_text("Replace the chords you typed, “Bb Eb F7”").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Keep mine"
        page.keyboard.press("Escape")
        asked.wait_for(state="hidden")
        assert chords() == "Bb Eb F7" and box(page, "prompt").input_value() == ""
    choose(page, "preset", "vi IV I V")
    asked.get_by_role("button", name="Keep mine").click()
    assert chords() == "Bb Eb F7"
    page.get_by_role("button", name="calm harp lullaby").click()
    asked.get_by_role("button", name="Replace them").click()
    page.locator("#plan").get_by_text("80 bpm, 3/4, G major").wait_for()
    assert chords() == "I vi | IV V"


def steps(page, count):
    page.get_by_role("button", name="Advanced").click()
    page.get_by_label("Steps").fill(str(count))
    page.get_by_label("Steps").press("Tab")


def quick(page, length="1 s"):
    """Ask for one step, without listening back."""
    fill(page, "length", length)
    steps(page, 1)
    page.get_by_label("Listen back and score what is heard").uncheck()
    page.get_by_role("button", name="Advanced").click()


def make(page, number):
    """Press Generate, and wait for the take of this number with its picture."""
    page.locator("#generate:enabled").click()
    page.wait_for_function("n => document.querySelectorAll('.take img').length == n", arg=number)
    page.locator("#generate:enabled").wait_for()


def seeds(page):
    """Return the seeds of the takes, the oldest first."""
    return [int(name.rpartition("seed ")[2]) for name in page.locator(".take h3").all_inner_texts()][::-1]


def test_a_new_seed_is_drawn_unless_it_is_locked(swift):
    page = swift()
    quick(page)
    fill(page, "seed", "7")
    make(page, 1)
    page.wait_for_function("document.querySelector('#seed input').value != '7'")
    second = int(box(page, "seed").input_value())
    make(page, 2)
    page.get_by_label("Lock the seed").check()
    fill(page, "seed", "9")
    make(page, 3)
    make(page, 4)
    assert seeds(page) == [7, second, 9, 9] and box(page, "seed").input_value() == "9"


def test_takes_of_the_session(swift):
    page = swift()
    fill(page, "prompt", "<img src=x onerror='window.hacked = 1'>")
    fill(page, "chords", "Am F")
    fill(page, "tempo", 300)
    quick(page)
    make(page, 1)
    fill(page, "chords", "C")
    fill(page, "tempo", 100)
    page.get_by_role("button", name="Again with another seed").click()  # as the take was, whatever the controls say now
    page.wait_for_function("document.querySelectorAll('.take img').length == 2")
    page.locator("#generate:enabled").wait_for()
    assert (box(page, "chords").input_value(), box(page, "tempo").input_value()) == ("C", "100")  # and they stay
    assert all("300 bpm" in name for name in page.locator(".take h3").all_inner_texts()) and len(set(seeds(page))) == 2
    assert page.get_by_text("<img src=x").count() >= 2 and page.evaluate("window.hacked") is None  # text stays text
    page.locator(".take").last.get_by_role("button", name="Use all settings").click()
    page.get_by_role("button", name="Replace them").click()
    page.wait_for_function("document.querySelector('#seed input').value == '0'")
    assert (box(page, "chords").input_value(), box(page, "tempo").input_value()) == ("Am F", "300")
    page.locator("#takes").get_by_text("Each take is deleted one hour after it was made").wait_for()
    page.locator(".take").first.get_by_text(re.compile(r"Deleted at \d")).wait_for()
    page.evaluate("document.querySelector('.take').dataset.until = 1; mustango.expire()")
    gone = page.locator(".take").first
    assert "Its files were deleted." in gone.inner_text() and gone.locator("audio, img, a").count() == 0
    assert page.locator(".take").last.locator("audio").is_visible()


PLAYING = (
    "[...document.querySelectorAll('.take audio')].filter(a => !a.paused).map(a => a.closest('.take').getAttribute('aria-label'))"
)


def sound(page, number):
    return page.locator(f".take[aria-label='Take {number}'] audio")


def test_one_take_plays_at_a_time_and_none_is_rewound(swift):
    page = swift()
    quick(page, "60 s")
    fill(page, "tempo", 60)
    make(page, 1)
    sound(page, 1).evaluate("sound => { sound.loop = true; sound.currentTime = 20; return sound.play(); }")
    sound(page, 1).evaluate("sound => { window.first = sound; window.stops = 0; sound.onpause = () => window.stops++; }")
    make(page, 2)  # what arrives stops nothing
    assert page.evaluate("[first.isConnected, first.paused, stops]") == [True, False, 0] and page.evaluate(PLAYING) == ["Take 1"]
    place_s = page.evaluate("first.currentTime")
    sound(page, 2).evaluate("sound => sound.play()")
    page.wait_for_function(f"({PLAYING}).join() == 'Take 2'")
    left_s = page.evaluate("first.currentTime")
    assert left_s >= place_s > 20  # where it was
    page.locator("#compared", has_text="A: take 2, B: take 1; you hear A").wait_for()
    sound(page, 2).evaluate("sound => sound.currentTime = 41")
    page.get_by_role("button", name="Switch A/B").click()
    page.wait_for_function(f"({PLAYING}).join() == 'Take 1' && first.currentTime >= 41")
    page.locator("#compared", has_text="you hear B").wait_for()
    page.get_by_role("button", name="Switch A/B").click()
    page.wait_for_function(f"({PLAYING}).join() == 'Take 2'")
    assert sound(page, 2).evaluate("sound => sound.currentTime") >= 41
    fill(page, "tempo", 40)
    make(page, 3)
    assert "A: take 2, B: take 1" in page.locator("#compared").inner_text()  # compared until others are chosen
    page.get_by_role("button", name="Take 3 is B").click()
    page.locator("#compared", has_text="A: take 2, B: take 3").wait_for()
    sound(page, 2).evaluate("sound => sound.currentTime = 20")  # bar 6, which begins at 30 s where it is slower
    page.get_by_role("button", name="Switch A/B").click()
    page.wait_for_function(f"({PLAYING}).join() == 'Take 3'")
    assert 30 <= sound(page, 3).evaluate("sound => sound.currentTime") < 40
    sound(page, 3).evaluate("sound => sound.pause()")
    page.wait_for_function("!document.querySelector('#compared').textContent.includes('you hear')")


def test_a_click_on_the_picture_plays_from_there(swift):
    page = swift(viewport={"width": 390, "height": 844})
    quick(page, "15 bars")
    fill(page, "chords", "C G Am F")
    fill(page, "tempo", 120)
    page.locator("#plan").get_by_text("4 bars = 8.0 s of 30 s").wait_for()
    make(page, 1)
    picture = page.locator(".scrub")
    page.wait_for_function("document.querySelector('.take img').complete")
    frame = picture.bounding_box()
    assert 250 < frame["width"] < 390 and frame["height"] > 4 * 60  # four lines, each of them to be read
    left, right = MARGIN_LEFT / PIECE_WIDTH, 1 - MARGIN_RIGHT / PIECE_WIDTH  # where four bars lie
    for line, share in ((0, 0.25), (2, 0.5), (3, 0.6)):
        place = {"x": frame["width"] * (left + share * (right - left)), "y": frame["height"] * (line + 0.5) / 4}
        picture.click(position=place)
        at_s = 8 * (line + share)
        page.wait_for_function(f"(s => !s.paused && s.currentTime >= {at_s - 0.2})(document.querySelector('.take audio'))")
        sound(page, 1).evaluate("sound => sound.pause()")
        assert sound(page, 1).evaluate("sound => sound.currentTime") < at_s + 8
        page.wait_for_function(f"parseFloat(document.querySelector('.playhead').style.top) == {25 * line}")
    picture.focus()
    before_s = sound(page, 1).evaluate("sound => sound.currentTime")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"Math.abs(document.querySelector('.take audio').currentTime - {before_s - 0.5}) < 0.05")
    page.wait_for_function(f"Math.abs(document.querySelector('.scrub').getAttribute('aria-valuenow') - {before_s - 0.5}) <= 0.1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_reload_brings_inputs_and_takes_back(swift):
    page = swift()
    quick(page, "4 s")
    fill(page, "prompt", "calm guitar")
    fill(page, "chords", "Am F C G")
    fill(page, "tempo", "240")
    fill(page, "key", "A minor")
    page.get_by_label("Lock the seed").check()
    fill(page, "seed", "11")
    make(page, 1)
    make(page, 2)
    page.locator("#status", has_text="those of take 1, so the sound is the same").wait_for()  # the seed is locked
    names, files = (
        page.locator(".take h3").all_inner_texts(),
        page.locator(".take audio").evaluate_all("all => all.map(a => a.src)"),
    )
    page.reload()
    page.wait_for_function("document.querySelectorAll('.take audio').length == 2")
    page.locator("#status").get_by_text("Your takes are below.").wait_for()
    page.wait_for_function("document.querySelector('#chords :is(textarea, input)').value == 'Am F C G'")
    values = {name: box(page, name).input_value() for name in ("prompt", "tempo", "key", "length", "seed")}
    assert values == {"prompt": "calm guitar", "tempo": "240", "key": "A minor", "length": "4 s", "seed": "11"}
    assert page.get_by_label("Lock the seed").is_checked() and page.get_by_label("Steps").count() == 0
    page.get_by_role("button", name="Advanced").click()
    assert page.get_by_label("Steps").input_value() == "1"
    assert page.locator(".take h3").all_inner_texts() == names
    assert page.locator(".take audio").evaluate_all("all => all.map(a => a.src)") == files
    make(page, 3)  # and it goes on
    assert page.locator(".take h3").first.inner_text().startswith("3. ")
    assert swift().locator(".take").count() == 0  # another tab sees none of them


NAMELESS = """() => [...document.querySelectorAll('input, textarea, select, button, a[href], [role=slider], audio, img')].filter(e =>
  e.checkVisibility() && !(e.getAttribute('aria-label') || e.innerText?.trim() || e.alt || e.title || e.getAttribute('aria-labelledby')
    || [...(e.labels || [])].some(l => l.innerText.trim()))).map(e => e.outerHTML.slice(0, 200))"""
IN_SIGHT = """id => { const b = document.querySelector(id).getBoundingClientRect(), at = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
  return b.top >= 0 && b.bottom <= innerHeight && document.querySelector(id).contains(at); }"""


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"),
    [("desktop", 1366, 768, "light"), ("phone", 390, 844, "light"), ("dark", 1366, 768, "dark"), ("small", 320, 640, "dark")],
)
def test_fits_and_is_labelled(opened, name, width, height, scheme):
    """With SCREENSHOTS=docs the pictures in docs/ are made."""
    page = opened(viewport={"width": width, "height": height}, color_scheme=scheme)
    assert page.evaluate(IN_SIGHT, "#generate")
    page.get_by_role("button", name="upbeat piano pop").click()
    page.locator("#plan").get_by_text("4 bars = 8.0 s; 120 bpm, 4/4, C major").wait_for()
    page.wait_for_function(IN_SIGHT, arg="#prompt textarea")  # what the example filled
    assert page.evaluate(IN_SIGHT, "#generate")
    rows = page.locator("#plan li").evaluate_all("all => all.map(bar => bar.getBoundingClientRect().top)")
    assert len(rows) == 4 and len(set(rows)) == 1 and page.locator("#plan li b").all_inner_texts() == ["1", "2", "3", "4"]
    if name == "small":
        fill(page, "chords", "C")
        quick(page)
    page.locator("#generate").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Done. Press play.").wait_for()
    page.locator(".take img").wait_for()
    assert page.evaluate(NAMELESS) == [] and page.get_by_role("button", name="Run").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    if folder := os.environ.get("SCREENSHOTS"):
        page.locator("#generate").blur()
        page.wait_for_function("document.querySelector('.take img').complete")
        page.add_style_tag(content="#go { position: static !important }")  # where it stands on the whole page
        page.screenshot(path=f"{folder}/page-{name}.png", full_page=True)


def test_songs_become_a_dataset(opened, tmp_path):
    pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
    page = opened()
    soundfile.write(tmp_path / "tune.wav", triads([C, AM, F, G], 120)[: 7 * RATE], RATE)
    page.get_by_role("tab", name="Dataset").click()
    page.locator("#build").click()
    page.locator("#build-status [role=alert]", has_text="0 songs; give 1 to 20").wait_for()
    page.locator("#songs input[type=file]").set_input_files(tmp_path / "tune.wav")
    page.locator("#songs", has_text="tune").get_by_text("KB").wait_for()
    page.wait_for_function("!document.querySelector('#build-status .error')")  # it goes with its cause
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


needs_addresses = pytest.mark.skipif(not can_be(STRANGER), reason="this machine has one address only")


def requested(address, path, body=None, headers=None, source=STRANGER):
    """Be another client, at another address of this machine; returns (status, text)."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S, source_address=(source, 0))
    sent = json.dumps(body) if body is not None else None
    connection.request("POST" if sent else "GET", path, sent, {"content-type": "application/json", **(headers or {})})
    response = connection.getresponse()
    return response.status, response.read().decode()


@needs_addresses
def test_junk_sessions_of_others_and_a_stolen_token_do_nothing_to_a_tab_s_takes(swift, swift_address):
    page = swift()
    quick(page)
    page.locator("#generate").click()
    page.get_by_text("Done. Press play.").wait_for()
    token = page.evaluate("JSON.parse(sessionStorage.getItem('mustango')).token")
    config = json.loads(requested(swift_address, "/config")[1])
    numbers = {dependency["api_name"]: dependency["id"] for dependency in config["dependencies"]}
    for number in range(230):
        body = {"data": ["piano"], "session_hash": f"junk{number}", "fn_index": numbers["stated_in"]}
        assert requested(swift_address, "/gradio_api/run/predict", body)[0] == 200
    body = {"data": [None, token], "session_hash": "x", "fn_index": numbers["restore"]}
    stolen = json.loads(requested(swift_address, "/gradio_api/run/predict", body)[1])["data"]
    assert [value["cards"] for value in stolen if isinstance(value, dict) and "cards" in value] == [[]]
    page.reload()
    page.get_by_text("Your takes are below.").wait_for()
    assert page.locator(".take").count() == 1
    page.wait_for_function("document.querySelector('.take audio').duration > 0")


@needs_addresses
def test_one_who_logs_in_stays_so_whatever_foreign_pages_try(browser, tiny_folder, tmp_path):
    (tmp_path / "users").write_text("me:secret\nyou:other\n")
    with served("--model", str(tiny_folder), "--auth-file", str(tmp_path / "users")) as address:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(1000 * HANG_S)
        page.goto(address)
        page.get_by_label("username").fill("you")
        page.get_by_label("password").fill("other")
        page.get_by_role("button", name="Login").click()
        page.get_by_text("chords (chosen)").wait_for()
        foreign = address.replace("127.0.0.1", "localhost")  # another origin, of another site
        evil = context.new_page()
        evil.goto(f"{foreign}/robots.txt")
        tried = evil.evaluate(
            """async address => {
                const sent = async (path, how) => { try { return (await fetch(address + path, {credentials: 'include', ...how})).status; } catch { return 0; } };
                const image = new Image();
                await new Promise(over => { image.onload = image.onerror = over; image.src = `${address}/logout`; });
                const form = new FormData();
                form.append('files', new Blob(['RIFF']), 'a.wav');
                return [await sent('/logout', {mode: 'no-cors'}), await sent('/config'), await sent('/gradio_api/upload', {method: 'POST', body: form})];
            }""",
            address,
        )
        assert not {200, 302} & set(tried)
        page.reload()
        page.get_by_text("chords (chosen)").wait_for()
        statuses = [log_in(address, "me", f"wrong {n}", source=STRANGER)[0] for n in range(20)]
        assert statuses.count(429) == 10
        context.close()
