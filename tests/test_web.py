"""What the page shows is text, and what a request names stays within takes."""

import asyncio
import json
import re
import time
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import resolve
from test_knows import COMPOSER

from musicbench import InputError
from musicbench.files import LOCK
from musicbench.hearing.heard import Heard
from musicbench.music.chords import VOCABULARIES
from musicbench.music.keys import Key
from mustango.hear.obeyed import compare
from mustango.page.asked import PageRequest as Request
from mustango.page.bodies import Refused
from mustango.page.gate import Asked, Gate
from mustango.page.guard import KEPT_S, Ages, Files, sweep, sweep_once
from mustango.page.studio import Studio, Take
from mustango.page.web import (
    CARD,
    bar_starts,
    card,
    cards_in,
    picture_html,
    plan_html,
    progress_html,
    save_card,
    say_same,
    scores_html,
    stated_in,
    status_html,
    take_name,
)
from mustango.page.work import Progress
from mustango.request.model_facts import read_facts
from mustango.request.reader import read

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


BUNDLED = replace(read_facts("mustango-mini"), knows=None)


def offering(facts):
    """Return a Studio whose one model has these facts; it is never loaded."""
    studio = Studio(["mustango-mini"])
    studio._facts = {studio.default: facts}
    return studio


def plan(chords="", prompt="piano", tempo="120", facts=BUNDLED, **more):
    return plan_html(Request(prompt, chords, tempo, **more), offering(facts))


def boxes(shown):
    """Return the names of the chords in a plan's boxes."""
    return re.findall("<span[^>]*>(.*?)</span>", shown)


def test_the_plan_is_what_the_model_plays():
    shown = plan(prompt="calm piano, 5 minutes long", tempo="", duration="auto")
    assert "300 s in the prompt is outside 1-120 s, what this model makes; 120 s is played" in shown and "= 300" not in shown
    few = replace(BUNDLED, chord_types=VOCABULARIES["triads"])
    for line, all_played, few_played in (
        ("C13 | Fmaj7#11 G9", ["C9", "Fmaj7", "G9"], ["C", "F", "G"]), ("0:C13 2:Dm7b5", ["0 s: C9", "2 s: Dm7b5"], ["0 s: C", "2 s: Ddim"]),
        ("ii7 V7", ["Dm7", "G7"], ["Dm", "G"]),
    ):  # fmt: skip
        assert boxes(plan(line)) == all_played and boxes(plan(line, facts=few)) == few_played
        assert "is played as" in plan(line, facts=few) and "the model has no" in plan(line, facts=few)
    assert boxes(plan("", "jazz, chords C13 G7#9", facts=few)) == ["C", "G"]


@pytest.mark.parametrize(
    ("facts", "asked", "says"),
    [
        ({"max_position": 5}, {"meter": "7/8"}, "outside the model&#39;s 1-5"), ({"max_position": 5}, {"meter": "6/8"}, "at most 5 beats"),
        ({"max_chords": 3}, {"chords": "C G Am F"}, "above the model&#39;s 3"), ({"max_beats": 10}, {"tempo": "200"}, "above the model&#39;s 10"),
        ({"longest_s": 10.24}, {"duration": 11}, "1-10.24"), ({}, {"predictors": "neural"}, "no neural predictors"), ({}, {"scheduler": "lms"}, "unknown scheduler"),
        ({}, {"tail": 11}, "outside 0 to 10"), ({}, {"tail": 5, "duration": 118}, "above the model&#39;s 120"), ({}, {"beats": "[[0]"}, "no JSON"), ({}, {"beats": "[[0], []]"}, "1 times"),
    ],
)  # fmt: skip
def test_the_plan_refuses_what_the_model_cannot_play(facts, asked, says):
    shown = plan(facts=replace(BUNDLED, **facts), **asked)
    assert 'role="alert"' in shown and says in shown


def test_the_plan_does_not_show_what_predictors_will_tell():
    heard = replace(BUNDLED, has_predictors=True)
    shown = plan("", tempo="", facts=heard)
    assert boxes(shown) == [] and "predictors tell chords, meter, tempo when the music is made" in shown and "bpm" not in shown
    shown = plan("C G", tempo="", facts=heard)
    assert boxes(shown) == ["C", "G"] and "predictors tell meter, tempo" in shown and "bpm" not in shown
    assert "predictors tell" not in plan(facts=heard, predictors="reader") and boxes(plan(facts=heard, predictors="reader"))
    assert "120 bpm" in plan("C G", facts=heard) and "predictors tell" not in plan("C G", facts=heard)


@pytest.mark.slow
@pytest.mark.parametrize("chords", ["C G " * 48, "C G\nAm F\n" * 20])
@pytest.mark.parametrize("tempo", ["", "60"])
@pytest.mark.parametrize("duration", ["auto", None])
def test_a_chart_that_is_too_long_is_refused_for_its_length_with_a_remedy(chords, tempo, duration):
    shown = plan(chords, tempo=tempo, duration=duration)
    bars = len(chords.split())
    assert f"the chords fill {bars} bars of 4/4" in shown and "above the 120 s that this model makes" in shown
    assert "10.24" not in shown and f">Fit to the chart at {2 * bars} bpm</button>" in shown


def test_two_that_ask_differently_are_noted():
    prompt = "jazz in D major at 140 bpm in 3/4, chords D A Bm G"
    said = plan("C G Am F", prompt, "120", key="C major", meter="4/4", duration="auto")
    for note in (
        "the prompt says 140 bpm; 120 bpm is played", "the prompt says 3/4; 4/4 is played", "the prompt says D major; C major is played",
        "the prompt says the chords D A Bm G; the given chords are played",
    ):  # fmt: skip
        assert f"<p>{note}</p>" in said
    filled = {name: "" if value == "Auto" else value for name, value in stated_in(prompt).items()}
    assert "the prompt says" not in plan(prompt=prompt, duration="auto", **filled)


def test_long_names_may_wrap():
    shown = plan("C#m7b5/G Ebmaj9/Bb C G | F")
    assert re.findall('class="long">(.*?)<', shown) == ["C#m7b5/G", "Ebmaj9/Bb"]


def test_the_same_request_is_said_to_give_the_same_sound(tmp_path):
    studio = offering(BUNDLED)
    asked = studio.settle(Request("piano", "C", "120", duration=4, seed=3)).request
    made = replace(take(), request=asked, wav=tmp_path / "x.wav")
    (tmp_path / made.id).mkdir()
    (tmp_path / made.id / "x.wav").write_bytes(b"RIFF")
    save_card(made, tmp_path)
    cards = cards_in(tmp_path)
    for same in ({}, {"dark": True}, {"listen": False}, {"seed": 2, "count": 2}):
        assert "those of take 1, so the sound is the same" in say_same(studio.settle(replace(asked, **same)).request, cards)
    for other in ({"seed": 4}, {"prompt": "harp"}, {"tempo": "121"}, {"steps": 21}, {"seed": 4, "count": 2}):
        assert say_same(studio.settle(replace(asked, **other)).request, cards) == ""
    assert say_same(asked, []) == ""


def test_sweeping_goes_on_after_a_folder_has_gone(tmp_path, monkeypatch):
    calls, root = [], tmp_path / "held"
    root.mkdir()

    def once(folder, ages):
        calls.append(folder)
        if len(calls) == 3:
            folder.rmdir()
        raise FileNotFoundError

    monkeypatch.setattr("mustango.page.guard.sweep_once", once)
    monkeypatch.setattr("mustango.page.guard.time.sleep", lambda seconds: None)
    sweep(root)
    assert calls == [root] * 3


def test_plan_shows_bars():
    shown = plan("C | G Am | F:3 G:1")
    assert re.findall("<li><b[^>]*>(.)</b>", shown) == ["1", "2", "3"] and "3 bars = 6.0 s of 10.24 s; 120 bpm" in shown
    assert '<span style="flex:3">F</span><span style="flex:1">G</span>' in shown
    assert all(f">{name}<" in plan("I V vi IV", key="A major") for name in ("A", "E", "F#m", "D"))
    assert "2.5 s: G" in plan("0:C 2.5:G") and "<b" not in plan("0:C 2.5:G")
    assert "4 bars = 8.0 s; 120 bpm" in plan("C G Am F", duration="auto")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prompt", ["piano", "jazz in 3/4", "sad waltz", "pop, chords Am F C G"])
def test_plan_names_chords_that_were_chosen_or_read(prompt, seed):
    shown = plan(prompt=prompt, tempo="", seed=seed)
    made = resolve(prompt, duration=10.24, seed=seed)
    assert {chord.lead_sheet(made.key) for chord in made.chords} == set(re.findall(">([^<>]+)</span>", shown))
    assert f"chords ({made.origin['chords']})" in shown


@pytest.mark.slow
def test_plan_says_what_is_chosen_and_what_is_wrong():
    assert "140 bpm (prompt)" in plan(prompt="jazz at 140 bpm", tempo="") and "(chosen)" in plan(tempo="")
    assert "each further take" in plan(count=2) and "each further take" in plan("C", tempo="", count=2)
    assert "each further take" not in plan() and "each further take" not in plan("C", count=2)
    assert "of 10.24 s" in plan(duration=None)
    assert "major" not in plan("", prompt="funky drum loop") and "major" in plan("C N")
    for line, says in (("C H", "&#39;H&#39;"), ("C | Q | G", "at character 5"), ("C G " * 20, "fewer chords")):
        assert 'role="alert"' in plan(line, duration=10) and says in plan(line, duration=10)
    for typed, says in (
        ({"seed": -5}, "seed -5"), ({"seed": 1.7}, "whole number"), ({"seed": None}, "seed is empty"), ({"duration": 0.2}, "0.2 s"),
        ({"duration": 500}, "500 s is outside 1-120"), ({"duration": "0"}, "duration 0 s is outside 1-120"), ({"duration": "-4"}, "duration -4 s is outside 1-120"),
        ({"duration": "3 minutes"}, "duration 180 s is outside 1-120"), ({"duration": "0 bars"}, "a duration of 0 bars is below 1"), ({"duration": "-4 bars"}, "a duration of -4 bars is below 1"),
        ({"duration": "2,5 bars"}, "2,5 bars is not whole"), ({"tempo": "9"}, "below 20"), ({"tempo": "999"}, "above 300"),
        ({"steps": None}, "steps is empty"), ({"count": 99}, "takes 99 is outside 1-8"), ({"count": 0}, "takes 0 is outside 1-8"), ({"steps": 0}, "steps 0 is outside 1-200"), ({"seed": 10**20}, "seed is outside 0-"),
    ):  # fmt: skip
        assert 'role="alert"' in plan(**typed) and says in plan(**typed)


def test_plan_tells_notes(monkeypatch):
    monkeypatch.setattr("mustango.request.settled.read", lambda *a: replace(read(*a), notes=(f"'{EVIL}' was not read",)))
    assert "was not read" in plan("C") and "<script" not in plan("C")


def test_what_a_prompt_states_is_read_as_the_controls_show_it():
    read = {"chords": "ii7 V7", "tempo": "92.5", "key": "Bb major", "meter": "3/4"}
    assert stated_in("jazz, chords ii7 V7 in Bb in 3/4 at 92.5 bpm") == read
    assert stated_in("Allegro jig in 6/8")["tempo"] == "Allegro"  # what it means depends on the meter
    assert stated_in("rock drum solo")["chords"] == "" and stated_in("drum solo in A minor")["chords"] == ""
    assert stated_in("piano") == stated_in(None) == {"chords": "", "tempo": "", "key": "Auto", "meter": "Auto"}


def take(prompt=EVIL, remedy=EVIL, bpm=121.0, asked=None, share=None, **heard):
    controls = resolve("piano", **({"chords": "C G", "tempo": 120} if asked is None else asked), duration=4.0)
    heard = {"chords": controls.chords, "chord_times": controls.chord_times, "reasons": {"key": EVIL}} | heard
    scores = compare(controls, Heard(bpm=bpm, **heard))
    scores = scores if share is None else replace(scores, chords_matched=share)
    files = {name: Path(f"{EVIL.replace('/', '')}.{name}") for name in ("wav", "flac", "midi", "json", "picture")}
    return Take("0" * 32, **files, request=Request(prompt, chords=EVIL), controls=controls, seed=1, scores=scores,
                heard_chords=(EVIL,), remedy=remedy)  # fmt: skip


def test_nothing_is_shown_as_html():
    shown = [
        plan(EVIL), plan(prompt=EVIL), plan(tempo=EVIL), plan(key=EVIL), plan(meter=EVIL), status_html(EVIL, "error"),
        progress_html(Progress(EVIL, 0.5, time.monotonic())), scores_html(take()), picture_html(take()), card(take(), 1, 0.0)["html"],
        status_html("x", "error", [(EVIL, {EVIL: EVIL})]),
    ]  # fmt: skip
    for text in shown:
        assert "<script" not in text and "<img src=x" not in text and "onerror=alert(1)>" not in text, text


def cells(shown):
    """Return {row: {column: text}} of a table of scores."""
    head, *rows = re.findall("<tr>(.*?)</tr>", shown, re.DOTALL)
    columns = re.findall('scope="col">(.*?)</th>', head)
    rows = [[re.sub("<.*?>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in rows]
    return {name: dict(zip(columns, values, strict=True)) for name, *values in rows}


def marks(shown):
    return re.findall('<i class="(.*?)">', shown)


def test_asked_is_only_what_was_asked():
    all_asked = cells(scores_html(take(asked={"chords": "C G", "tempo": 120, "key": "C"})))
    assert {name: row["Asked"] for name, row in all_asked.items()} == {"Tempo": "120 bpm", "Key": "C major", "Chords": "C G"}
    assert all("Chosen" not in row for row in all_asked.values())
    some = cells(scores_html(take(asked={"tempo": 120})))
    assert some["Tempo"]["Asked"] == "120 bpm" and some["Tempo"]["Chosen"] == some["Chords"]["Asked"] == some["Key"]["Asked"] == ""
    assert some["Chords"]["Chosen"] and some["Key"]["Chosen"]
    none = cells(scores_html(take(asked={}, bpm=100.0)))
    assert all("Asked" not in row and row["Chosen"] for row in none.values())
    assert "obeyed" not in marks(scores_html(take(asked={}))) and "as chosen" in marks(scores_html(take(asked={})))
    assert "Chosen chords" in picture_html(take(asked={})) and "Asked chords" in picture_html(take())


@pytest.mark.parametrize(
    ("share", "mark"), [(0.95, "obeyed"), (0.9, "mostly"), (0.75, "mostly"), (0.5, "differs"), (0.1, "differs")]
)
def test_chords_are_obeyed_above_nine_tenths(share, mark):
    assert marks(scores_html(take(share=share)))[-1] == mark


@pytest.mark.parametrize(("key", "mark"), [("C", "obeyed"), ("A minor", None), ("G", "differs")])
def test_a_relative_key_is_not_obeyed(key, mark):
    shown = scores_html(take(asked={"chords": "C G", "tempo": 120, "key": "C"}, key=Key.parse(key)))
    assert marks(shown) == ["obeyed", *([mark] if mark else []), "obeyed"] and ("relative" in shown) == (key == "A minor")


def test_what_cannot_be_played_has_a_button_for_its_remedy():
    refused = Request("piano", "C G Am F", "60", duration=10.0)
    studio = offering(BUNDLED)
    studio.remedies = lambda asked: [("Fit to the chart", {"duration": "auto", "tempo": "90"})]
    shown = plan_html(refused, studio)
    assert "give fewer chords" in shown and ">Fit to the chart</button>" in shown
    (values,) = re.findall('data-do="set" data-values="(.*?)"', shown)
    assert json.loads(unescape(values)) == {"length": "", "tempo": "90"}  # the page's boxes


def test_takes_of_a_session_come_back_as_long_as_their_files_live(tmp_path):
    takes = []
    for name in ("a", "b", "c"):
        folder = tmp_path / (name * 32)
        folder.mkdir()
        (folder / "x.wav").write_bytes(b"RIFF")
        takes.append(replace(take(), id=name * 32))
        save_card(takes[-1], tmp_path)
    again = save_card(takes[1], tmp_path)  # when it has been heard
    assert again["number"] == 2 and [shown["id"][0] for shown in cards_in(tmp_path)] == ["a", "b", "c"]
    assert all(0 < shown["left_ms"] <= 1000 * KEPT_S for shown in cards_in(tmp_path))
    (tmp_path / takes[0].id / "x.wav").unlink()
    (tmp_path / takes[2].id / CARD).write_text("{")
    assert [shown["id"] for shown in cards_in(tmp_path)] == [again["id"]] and cards_in(tmp_path / "none") == []


def test_a_tab_keeps_its_folder_and_no_other_gets_it(tmp_path):
    files, token = Files(tmp_path), "0123456789abcdef" * 2
    own = files.tab(token, session("a"))
    assert own == files.tab(token, session("b")) and own.parent == files.root and own != files.tab(token[::-1], session("a"))
    for none in (None, "", "x", token.upper(), token + "0", "../" + token, [token], {"a": 1}, token + "\n"):
        assert files.tab(none, session("a")) == files.session(session("a")) != own
    assert files.session(session(f"tab {token}")).parent == files.root


def test_scores_and_names():
    shown = scores_html(take("p", ""))
    assert "121 bpm" in shown and "100% of the time" in shown and marks(shown) == ["obeyed", "obeyed"]
    assert "240 bpm, twice as fast" in scores_html(take(bpm=240.0)) and "60 bpm, half as fast" in scores_html(take(bpm=60.0))
    assert "differs" not in scores_html(take(bpm=240.0)) and "differs" in scores_html(take(bpm=180.0))
    assert take_name(3, take("calm  piano\nsong")) == "3. calm piano song, 120 bpm, seed 1"
    assert "no prompt" in take_name(1, take(" ")) and len(take_name(1, take("x" * 500))) < 80


# ---------------------------------------------------------------------------------------------------- files


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def session(hash_):
    return SimpleNamespace(session_hash=hash_)


def test_sessions_have_folders_nobody_can_guess(files, tmp_path):
    one, other = files.session(session("a")), files.session(session("b"))
    assert one == files.session(session("a")) != other and one.parent == files.root and len(one.name) == 32
    assert Files(tmp_path).session(session("a")) != one  # another server, another secret
    for hostile in ("../..", "/etc", None, "a/b"):
        assert files.session(session(hostile)).parent == files.root


def requests(files):
    """Return paths that must not be served, among files that exist."""
    own = files.session(session("me")) / ("1" * 32)
    own.mkdir(parents=True)
    (own / "take.wav").write_bytes(b"RIFF")
    (own / ".hidden").write_text("x")
    upload = files.root / ("a" * 64)
    upload.mkdir()
    (upload / "song.wav").write_bytes(b"RIFF")
    return own, [
        "/etc/passwd", "../../etc/passwd", "..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd",
        f"{own}/../../../../etc/passwd", f"{own}/../{own.name}/take.wav", f"{own}/take.wav/..", f"{own}//take.wav", f"{own}/./take.wav",
        f"{own}/take.wav\x00.png", f"{own}/take.wav\n", f"{own}/.hidden", str(own), str(files.root), f"{own.parent}/take.wav",
        "file:///etc/passwd", "http://127.0.0.1/x", "//etc/passwd", "~/.bashrc", "/proc/self/environ", "C:\\Windows\\win.ini",
        "\\\\host\\share", "．．/．．/etc/passwd", f"{upload}/song.wav", str(own / "take.wav").upper(), "",
    ]  # fmt: skip


def test_only_files_of_takes_are_served(files):
    gate, (own, hostile) = Gate(None, files), requests(files)

    assert refusal(gate, "GET", f"/gradio_api/file={own}/take.wav") is None
    for path in hostile:
        for before in ("/gradio_api/file=", "/gradio_api/file/", "//gradio_api/file="):
            assert refusal(gate, "GET", before + path) == (403, "no such file"), path
    for closed in (
        "/gradio_api/proxy=http://x",
        "/gradio_api/deep_link",
        "/monitoring/summary",
        "/gradio_api/custom_component/x/client/y/z",
    ):
        assert refusal(gate, "GET", closed)[0] == 403
    assert refusal(gate, "GET", "/config") is None


def scope_of(method, path, **headers):
    headers = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
    headers = [(name.encode(), str(value).encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": headers, "client": ("127.0.0.1", 1), "query_string": b""}


def refusal(gate, method, path, **headers):
    """Return (status, reason) of a request that is not let in, else None."""
    asked = Asked(scope_of(method, path, **headers))
    asked.who = gate.visitors.who(asked.scope, {})
    try:
        gate.check(asked)
    except Refused as refused:
        return refused.status, refused.reason


def test_sizes_are_bounded(files):
    gate = Gate(None, files)

    def post(path, length):
        return (refusal(gate, "POST", path, **({} if length is None else {"content_length": length})) or (None,))[0]

    assert post("/gradio_api/queue/join", 1000) is None and post("/gradio_api/queue/join", 2**21) == 413
    assert post("/gradio_api/upload", 2**21) is None and post("/gradio_api/upload", 2**31) == 413
    for wrong in (None, "-5", "1, 2", "9" * 5000):
        assert post("/gradio_api/upload", wrong) == 411
    for path in LIKE_FORMS:
        assert post(path, 2**21) in (403, 413), path
    files.room.add("127.0.0.1", files.room.total // 2 - 100)
    assert post("/gradio_api/upload", 1000) == 507 and post("/gradio_api/upload", 10) is None


# Gradio runs a function by the number in the body, whatever name the address ends in.
LIKE_FORMS = [
    f"{before}{name}{after}"
    for before in ("/gradio_api/run/", "/gradio_api/api/", "/gradio_api/call/x/", "/gradio_api//")
    for name in ("upload", "login")
    for after in ("", "/")
]


def sent(gate, path, body, app):
    """Post `body` through `gate` before `app`; returns the status, None where the app sent none."""
    statuses = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        statuses.append(message.get("status"))

    gate.app = app
    asyncio.run(gate(scope_of("POST", path, content_length=len(body)), receive, send))
    return statuses[0] if statuses else None


@pytest.mark.slow
def test_only_the_routes_of_forms_take_what_is_no_json(files):
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["path"])

    gate = Gate(None, files)
    for path in LIKE_FORMS:
        for body in (b"--x", b'[{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]'):
            assert sent(gate, path, body, app) == 403, path
    for path in ("/gradio_api/upload", "/login", "/login/"):
        sent(gate, path, b"--x", app)
    assert passed == ["/gradio_api/upload", "/login", "/login/"]


def test_what_has_come_counts_at_once_and_what_is_promised_does_not(files):
    gate = Gate(None, files)
    free = files.room.free

    async def app(scope, receive, send):
        assert files.room.free == free
        await receive()
        assert files.room.free == free - 60
        raise ConnectionError

    assert sent(gate, "/gradio_api/upload", bytes(60), app) == 400
    files.room.add("127.0.0.1", free // 2)
    assert sent(gate, "/gradio_api/upload", bytes(60), app) == 507  # an answer, no reset


def test_only_uploads_are_songs(files, tmp_path):
    own, hostile = requests(files)
    song = files.root / ("a" * 64) / "song.wav"
    assert files.songs([{"path": str(song)}]) == [song] and files.songs(None) == []
    link = song.with_name("link.wav")
    link.symlink_to("/etc/passwd")
    for path in (*hostile, str(own / "take.wav"), str(link), f"{song}/../song.wav", str(song.with_name("gone.wav")), None, 5):
        if path != str(song):
            with pytest.raises(InputError, match="upload it again"):
                files.songs([{"path": path}])
    for records in (["x"], [{}], [[str(song)]]):
        with pytest.raises(InputError, match="upload it again"):
            files.songs(records)


def test_old_files_are_deleted_whatever_the_clock_says(files, monkeypatch):
    old, new = (files.session(session(name)) / ("2" * 32) / "x.wav" for name in ("old", "new"))
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    broken_off, lock = files.root / "tmpold", files.root / LOCK  # an upload, as Gradio writes it
    for path in (broken_off, lock):
        path.write_bytes(b"x")
    ages = Ages()
    sweep_once(files.root, ages)
    monkeypatch.setattr("time.time", lambda: 2e9)  # somebody sets the clock
    sweep_once(files.root, ages)
    assert old.exists() and new.exists() and broken_off.exists()
    beside = new.with_name("y.wav")  # of a dataset that is still being built
    beside.write_bytes(b"y")
    ages.grow(KEPT_S)
    sweep_once(files.root, ages)  # deleting the file makes its folder young again
    assert not old.exists() and new.exists() and beside.exists()
    assert not broken_off.exists() and lock.exists()
    for _ in range(4):
        ages.grow(KEPT_S)
        sweep_once(files.root, ages)
    assert [path.name for path in files.root.iterdir()] == [LOCK]


def test_the_plan_tells_what_the_model_lacks():
    asked = {"prompt": "jazz with a female singer", "tempo": "120"}
    assert "this model has no female singer; nearest: choir" in plan(facts=replace(BUNDLED, knows=COMPOSER), **asked)
    assert "singer" not in plan(**asked)


@pytest.mark.parametrize(
    ("prompt", "pace"),
    [
        ("slow harp", "slow"),
        ("Very slow organ", "very slow"),
        ("a fast-paced trio", "fast paced"),
        ("not slow", ""),
        ("sad harp", ""),
    ],
)
def test_a_pace_in_words_is_asked(prompt, pace):
    row = cells(scores_html(take(prompt, "", asked={})))["Tempo"]
    assert row.get("Asked", "") == pace and row["Chosen"].endswith(" bpm")


def test_drums_alone_put_no_chords_into_the_box():
    assert stated_in("drum solo")["chords"] == "" and stated_in("harp, chords C G")["chords"] == "C G"


@pytest.mark.parametrize(
    ("times", "positions", "bars"),
    [
        ((0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), (1, 2, 3, 4) * 2, [0, 2, 4]), ((0, 0.5, 1, 1.5, 2, 2.5), (3, 4, 1, 2, 3, 4), [-1, 1, 3]),
        ((0, 0.5), (2, 3), [0, 2]), ((), (), [0, 2]),
    ],
)  # fmt: skip
def test_bars_begin_at_or_before_the_take_and_end_after_it(times, positions, bars):
    controls = resolve("piano", tempo=120, meter="4/4", duration=4.0)
    assert bar_starts(replace(controls, beat_times=times, beat_positions=positions)) == bars
