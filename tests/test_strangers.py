"""The page's server among strangers: floods, foreign pages, foreign sessions, logins, logs."""

import http.client
import json
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import HANG_S
from gradio_client import Client
from test_app import QUICK, started

from musicbench import InputError
from mustango.page import server as server_of

pytestmark = pytest.mark.slow
STRANGER = "127.0.0.66"  # any address of 127.0.0.0/8 is this machine's on Linux
JSON = {"content-type": "application/json"}
HUGE = ["piano", "C G", 120, "", "", 10.0, 0, 8, 200, 3.0, "", "dpm", "", "auto", False, None, 0.0, "", "", "", ""]


def can_be(address):
    """True when this machine may speak from an address."""
    with socket.socket() as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return False
    return True


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not can_be(STRANGER), reason="this machine has one address only")]


@pytest.fixture(scope="module")
def server(tiny_folder, tmp_path_factory):
    page, address = started(tiny_folder, tmp_path_factory.mktemp("open"), "--queue", "6", "--name", "music.example.org")
    yield page, address
    page.close(verbose=False)


@pytest.fixture(scope="module")
def closed(tiny_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    (folder / "users").write_text("you:pass:word\n\nme:secret\n")
    page, address = started(tiny_folder, folder, "--auth-file", str(folder / "users"), "--auth", "they:third")
    yield page, address
    page.close(verbose=False)


def ask(address, method, path, body=None, headers=None, source="127.0.0.1"):
    """Ask a server from an address of this machine; returns (status, headers, text)."""
    body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body or b""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S, source_address=(source, 0))
    connection.request(method, path, body, {**(JSON if method == "POST" else {}), **(headers or {})})
    response = connection.getresponse()
    return response.status, response.headers, response.read().decode("utf-8", "replace")


def number_of(page, name):
    return next(fn._id for fn in page.fns.values() if fn.api_name == name)


def join(page, address, session, name="generate", data=HUGE, **more):
    body = {"data": data, "session_hash": session, "fn_index": number_of(page, name)}
    return ask(address, "POST", "/gradio_api/queue/join", body, **more)


def upload(address, data=b"RIFF", source="127.0.0.1", **headers):
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + data + b"\r\n--x--\r\n"
    return ask(address, "POST", "/gradio_api/upload", body, {"content-type": "multipart/form-data; boundary=x", **headers}, source)


# ---------------------------------------------------------------------------------------------------- floods


def test_a_flood_of_work_that_nobody_waits_for_stops_nobody(server, tmp_path):
    page, address = server
    for number in range(60):
        assert join(page, address, f"flood{number}", source=STRANGER)[0] in (200, 429, 503)
    (take,) = Client(address, verbose=False, download_files=tmp_path).predict(**QUICK, api_name="/generate")
    assert Path(take["wav"]).exists()


def test_promised_bytes_take_no_room_and_an_answer_comes_where_there_is_none(server):
    _, address = server
    port = int(address.rpartition(":")[2])
    head = "POST /gradio_api/upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n"
    with ExitStack() as held:
        for length in [1_000 * 2**20] * 9 + [10**7] * 25:
            connection = socket.create_connection(("127.0.0.1", port), source_address=(STRANGER, 0))
            held.enter_context(connection).sendall(head.format(length).encode())
        assert upload(address, bytes(11 * 10**6))[0] == 200


def test_an_upload_walks_no_files(server, monkeypatch):
    page, address = server

    def walk(*_):
        raise AssertionError("the files were walked")

    monkeypatch.setattr(Path, "rglob", walk)
    assert upload(address)[0] == 200


def test_slow_bodies_and_idle_connections_end(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("mustango.page.bodies.GAP_S", 0.3)
    monkeypatch.setattr("mustango.page.doors.careful.__defaults__", (0.3,))
    page, address = started(tiny_folder, tmp_path)
    port = int(address.rpartition(":")[2])
    try:
        for sent in (
            b"",
            b"GET / HTTP/1.1\r\nhost: loc",
            b"POST /gradio_api/upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n--x",
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=HANG_S) as connection:
                connection.sendall(sent)
                answer = connection.recv(10_000)
                assert answer == b"" or b" 408 " in answer.splitlines()[0]
        assert ask(address, "GET", "/config")[0] == 200
    finally:
        page.close(verbose=False)


# ---------------------------------------------------------------------------------------------------- other people's


def restored(page, address, token, session, source, cookie=""):
    """Return the takes that a tab gets back: what `restore` gives."""
    body = {"data": [None, token], "session_hash": session, "fn_index": number_of(page, "restore")}
    status, _, text = ask(address, "POST", "/gradio_api/run/predict", body, {"cookie": cookie}, source)
    assert status == 200, text
    return next(value["cards"] for value in json.loads(text)["data"] if isinstance(value, dict) and "cards" in value)


def test_a_tab_s_token_is_worth_nothing_to_another_client(server):
    page, address = server
    token = "0123456789abcdef" * 2
    _, headers, _ = ask(address, "GET", "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    cookie = cookie.partition(";")[0]
    values = dict.fromkeys(server_of.CONTROLS) | {
        "prompt": "piano", "chords": "C", "tempo": "120", "key": "Auto", "meter": "Auto", "length": "2 s", "unit": "seconds", "seed": 0,
        "lock": False, "count": 1, "steps": 2, "cache_interval": 1, "guidance": 3, "scheduler": "dpm", "model": "model", "predictors": "auto", "listen": False, "loudness": "As made",
    }  # fmt: skip
    data = [*values.values(), False, False, token]
    assert join(page, address, "mine", "play", data, headers={"cookie": cookie})[0] == 200
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S)
    connection.request("GET", "/gradio_api/queue/data?session_hash=mine", headers={"cookie": cookie})
    told = connection.getresponse().read().decode()
    assert "Done. Press play." in told, told[-2000:]
    assert len(restored(page, address, token, "mine", "127.0.0.1", cookie)) == 1
    assert len(restored(page, address, token, "reloaded", STRANGER, cookie)) == 1  # it is the name that counts
    forged = f"{cookie[:-1]}{'0' if cookie[-1] != '0' else '1'}"
    for other in ("", forged, f"{cookie.partition('=')[0]}={'a' * 64}"):
        assert restored(page, address, token, "mine", "127.0.0.1", other) == []


def test_nobody_hears_or_stops_the_session_of_another(server):
    page, address = server
    join(page, address, "overheard")
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S, source_address=(STRANGER, 0))
    connection.request("GET", "/gradio_api/queue/data?session_hash=overheard")
    assert 'session_not_found":true' in connection.getresponse().read().decode()


def told(address, path, source="127.0.0.1"):
    """Return (status, first line with words) of a stream; then nobody hears it any more."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S, source_address=(source, 0))
    connection.request("GET", path)
    response = connection.getresponse()
    line = next((line for line in iter(response.readline, b"") if line.strip()), b"")
    connection.close()
    return response.status, line.decode().strip()


def test_nobody_hears_or_cancels_the_event_of_another(server):
    _, address = server
    for route, body in (
        ("call", {"data": [None]}),
        ("call/v2", {"prompt": "piano", "model": "x"}),
        ("call", {"data": [None], "session_hash": "a"}),
    ):
        status, _, text = ask(address, "POST", f"/gradio_api/{route}/generate", body)
        event = json.loads(text)["event_id"]
        path, cancel = f"/gradio_api/{route}/generate/{event}", {"session_hash": "a", "fn_index": 0, "event_id": event}
        assert ask(address, "GET", path, source=STRANGER)[::2] == (404, "no such event")
        assert ask(address, "POST", "/gradio_api/cancel", cancel, source=STRANGER)[::2] == (404, "no such event")
        assert told(address, path) == (200, "event: error")
    for path in ("/gradio_api/call/generate/a", f"/gradio_api/call/generate/{'0' * 32}"):
        assert ask(address, "GET", path)[0] == 404


def test_one_may_cancel_one_s_own_event(server):
    page, address = server
    status, _, text = ask(address, "POST", "/gradio_api/call/v2/generate", {"prompt": "piano", "duration": 60.0, "steps": 200})
    event = json.loads(text)["event_id"]
    assert (
        ask(
            address, "POST", "/gradio_api/cancel", {"session_hash": "", "fn_index": number_of(page, "generate"), "event_id": event}
        )[0]
        == 200
    )


def test_sessions_of_one_address_push_out_their_own_only():
    from mustango.page.line import Who
    from mustango.page.visitors import SESSIONS, Visitors

    visitors, states = Visitors(), {}

    def use(address, name):
        who = Who(address=address)
        session = visitors.session(who, name)
        states[session] = name
        visitors.used(who, session, states)
        return session

    honest = [use(f"10.0.0.{n}", "own") for n in range(5)]
    for number in range(3 * SESSIONS):
        use(STRANGER, f"junk {number}")
    assert len(states) == SESSIONS and all(session in states for session in honest)
    assert len({visitors.session(Who(address=f"10.0.0.{n}"), "own") for n in range(5)}) == 5
    assert visitors.session(Who("me", "a", "c"), "own") != visitors.session(Who("you", "a", "c"), "own")


# ---------------------------------------------------------------------------------------------------- foreign pages


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Host": "localhost:1"}, 200), ({"Host": "192.168.1.5:7860"}, 200), ({"Host": "[::1]:7860"}, 200), ({"Host": "music.example.org"}, 200),
        ({"Host": socket.gethostname()}, 200),
        ({"Host": "evil.example.org"}, 421), ({"Host": "music.example.org.evil.org"}, 421), ({"Host": "localhost.evil.org"}, 421), ({"Host": ""}, 421), ({"Host": "["}, 421),
        ({"X-Forwarded-Host": "evil.example.org"}, 421), ({"X-Forwarded-Host": "music.example.org"}, 200),
        ({"Origin": "http://evil.example.org"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "https://music.example.org"}, 200),
    ],
)  # fmt: skip
def test_the_page_answers_to_its_own_names_and_to_no_foreign_page(server, headers, status):
    assert ask(server[1], "GET", "/config", headers=headers)[0] == status


def test_what_foreign_pages_send_is_refused(server):
    _, address = server
    own = address.removeprefix("http://")
    for headers in (
        {"Origin": "http://evil.org"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert upload(address, **headers)[0] == 403
        assert ask(address, "POST", "/gradio_api/queue/join", {"data": []}, headers)[0] == 403
    for headers in ({"Origin": f"http://{own}"}, {"Sec-Fetch-Site": "same-origin"}, {}):
        assert upload(address, **headers)[0] == 200


# ---------------------------------------------------------------------------------------------------- logins


def log_in(address, name, password, **more):
    form = f"username={name}&password={password}".encode()
    return ask(
        address, "POST", "/login", form, {"content-type": "application/x-www-form-urlencoded", **more.pop("headers", {})}, **more
    )


def cookies_of(headers):
    return "; ".join(value.partition(";")[0] for value in headers.get_all("set-cookie"))


def test_each_of_several_users_logs_in_with_their_own_password(closed):
    _, address = closed
    for name, password in (("me", "secret"), ("you", "pass:word"), ("they", "third")):
        assert log_in(address, name, password)[0] == 200
    for name, password in (("me", "pass:word"), ("you", "secret"), ("they", ""), ("nobody", "third")):
        assert log_in(address, name, password, source="127.0.0.7")[0] in (400, 422)


def test_logins_are_limited_by_address(closed):
    _, address = closed
    statuses = [log_in(address, "me", f"wrong{n}", source=STRANGER)[0] for n in range(40)]
    assert statuses.count(400) == 10 and statuses.count(429) == 30
    assert log_in(address, "me", "secret", source=STRANGER)[0] == 429 and log_in(address, "me", "secret")[0] == 200


def test_a_right_login_makes_no_room_for_guesses(closed):
    _, address = closed
    tries = [("me", "wrong"), ("me", "wrong"), ("you", "pass:word")] * 5
    statuses = [log_in(address, name, password, source="127.0.0.67")[0] for name, password in tries]
    assert statuses[:10] == ([400, 400, 200] * 4)[:10] and statuses[10:] == [429] * 5


def test_many_logins_of_one_end_that_user_s_oldest_only(closed, monkeypatch):
    page, address = closed
    monkeypatch.setattr("mustango.page.gate.MAX_TOKENS", 3)
    cookies = [
        cookies_of(log_in(address, name, word, source="127.0.0.68")[1])
        for name, word in [("me", "secret")] + 5 * [("they", "third")]
    ]
    assert [ask(address, "GET", "/config", headers={"cookie": cookie})[0] for cookie in cookies] == [200, 401, 401, 200, 200, 200]


def test_cookies_are_for_this_page_only_and_do_not_leave_https(closed):
    _, address = closed
    for proto, secure in (("https", True), ("http", False)):
        _, headers, _ = log_in(address, "me", "secret", headers={"X-Forwarded-Proto": proto, "X-Forwarded-For": "10.1.1.1"})
        cookies = headers.get_all("set-cookie")
        assert len(cookies) == 2 and all(
            "HttpOnly" in c and "SameSite=lax" in c and c.lower().count("samesite") == 1 for c in cookies
        )
        assert all("secure" in c.lower() for c in cookies if "unsecure" not in c)
        assert all(("; Secure" in c) == secure for c in cookies if "unsecure" in c)


def test_everything_but_the_login_asks_for_it(closed):
    page, address = closed
    for method, path in (
        ("POST", "/gradio_api/cancel"), ("GET", "/gradio_api/heartbeat/x"), ("POST", "/gradio_api/reset"), ("GET", "/gradio_api/queue/data?session_hash=x"),
        ("GET", "/gradio_api/upload_progress?upload_id=x"), ("GET", "/gradio_api/info"), ("POST", "/gradio_api/upload"), ("GET", "/config"),
    ):  # fmt: skip
        assert (
            ask(address, method, path, {"session_hash": "x", "fn_index": 0, "event_id": "x"} if method == "POST" else None)[0]
            == 401
        ), path
    for path in ("/gradio_api/token", "/gradio_api/dev/reload", "/gradio_api/vibe-code", "/monitoring", "/gradio_api/runs"):
        assert ask(address, "GET", path)[0] == 403, path
    cookie = {"cookie": cookies_of(log_in(address, "me", "secret")[1])}
    assert ask(address, "GET", "/config", headers=cookie)[0] == 200


def test_nobody_is_logged_out_by_a_foreign_page(closed):
    _, address = closed
    cookie = {"cookie": cookies_of(log_in(address, "me", "secret")[1])}
    for foreign in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "http://evil.org/"},
        {"Sec-Fetch-Site": "same-site", "Referer": address},
    ):
        assert ask(address, "GET", "/logout", headers=cookie | foreign)[0] == 403
        assert ask(address, "GET", "/config", headers=cookie)[0] == 200
    assert ask(address, "GET", "/logout", headers=cookie | {"Referer": f"{address}/"})[0] in (302, 307)
    assert ask(address, "GET", "/config", headers=cookie)[0] == 401


def test_passwords_come_from_a_file_or_the_environment(tmp_path):
    from mustango.page.logins import users

    file = tmp_path / "users"
    file.write_text("me:a\nyou:b:c\n")
    assert users(["they:d"], str(file), {"MUSTANGO_AUTH": "us:e\nme:a"}) == [
        ("they", "d"),
        ("me", "a"),
        ("you", "b:c"),
        ("us", "e"),
    ]
    assert users([], None, {}) == []
    for given, environ, says in (
        (["me:x"], {}, "line 1 of"), ([], {"MUSTANGO_AUTH": "secretword"}, "line 1 of MUSTANGO_AUTH is not USER:PASS"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=re.escape(says)) as caught:
            users(given, str(file), environ)
        assert "secretword" not in str(caught.value)
    file.write_text("\n")
    with pytest.raises(InputError, match="has no line"):
        users([], str(file), {})


# ---------------------------------------------------------------------------------------------------- logs, errors, ranges


def test_logs_show_no_control_characters(server, capfd):
    from mustango.page.logs import Clean

    _, address = server
    for path in ("/gradio_api/custom_component/%1b%5b31mred/client/x/y%0aINFO", "/%1b%5b2J", "/gradio_api/heartbeat/%1b%5b2J"):
        assert ask(address, "GET", path)[0] in (403, 404)
    out = "".join(capfd.readouterr())
    assert "\x1b" not in out and "INFO" not in out
    shown = []
    clean = Clean(type("Stream", (), {"write": lambda self, text: shown.append(text)})())
    clean.write("\r 50%\ta\x1b[31m\x9b\u202e b\rforged\r\n")
    assert shown == ["\r 50%\ta\\x1b[31m\\x9b\\u202e b\\rforged\r\n"]


def test_logs_grow_by_no_more_than_so_much_a_minute(monkeypatch):
    from mustango.page import logs

    now, shown = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clean = logs.Clean(type("Stream", (), {"write": lambda self, text: shown.append(text)})())
    for _ in range(3):
        for _ in range(300):
            clean.write("x" * 1000)
        now[0] += 2 * logs.WITHIN_S
    said = "".join(shown)
    assert len(said) < 3 * 1.1 * logs.MOST and said.count("too much is said here") == 3 and shown[0] == "x" * 1000


def test_what_gradio_cannot_read_is_answered_without_a_traceback(server, closed, capfd):
    for method, path, body, status in (
        ("GET", "/assets/" + "a" * 60_000, None, 414), ("GET", "/assets/" + "a" * 900, None, 400),
        ("POST", "/gradio_api/call/v2/nope", {}, 400), ("POST", "/gradio_api/run/nope", {"data": []}, 400),
        ("POST", "/gradio_api/call/v2/generate", {"nope": 1}, 400), ("POST", "/gradio_api/queue/join", {"data": [], "fn_index": 999, "session_hash": "x"}, 400),
    ):  # fmt: skip
        got, _, text = ask(server[1], method, path, body)
        assert got == status and len(text) < 100, (path[:50], got, text[:100])
    assert ask(closed[1], "GET", "/assets/" + "a" * 60_000)[0] == 414
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said and len(said) < 3000, said


def test_a_model_that_is_no_text_is_named(server):
    page, address = server
    for model in (["x"], {"a": 1}, "x" * 200_000):
        data = [*[""] * len(server_of.CONTROLS), False, False, "token"]
        data[server_of.CONTROLS.index("model")] = data[server_of.CONTROLS.index("loudness")] = model
        session = f"model {str(model)[:4]}"
        assert join(page, address, session, "play", data)[0] == 200
        _, _, text = ask(address, "GET", f"/gradio_api/queue/data?{urlencode({'session_hash': session})}")
        assert "unknown model" in text and len(text) < 20_000, text[:3000]
        body = {"data": data[:-3], "fn_index": number_of(page, "plan"), "session_hash": session}
        status, _, text = ask(address, "POST", "/gradio_api/run/predict", body)
        assert status == 200 and "unknown model" in text and len(text) < 20_000, text[:3000]


def test_errors_show_no_paths_of_the_server(server):
    page, address = server
    root = page.GRADIO_CACHE
    bodies = [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": [], "fn_index": 99999}',
        b'{"data": {}, "fn_index": "x"}',
        b"[" * 5000,
    ]
    for name in ("play", "plan", "build", "generate", "restore"):
        for data in ([], [None], [{"path": "x"}], [[]] * 21, ["x"] * 21, [{"a": 1}] * 18, [5, "x"], [["x"], "musicbench"]):
            bodies.append(json.dumps({"data": data, "fn_index": number_of(page, name), "session_hash": "x"}).encode())
    for route in ("/gradio_api/run/predict", "/gradio_api/call/generate", "/gradio_api/call/v2/generate", "/gradio_api/queue/join"):
        for body in bodies if route.endswith("predict") else bodies[:12]:
            status, _, text = ask(address, "POST", route, body)
            assert not any(word in text for word in (str(root), "site-packages", "/mustango/", "Traceback", ".py")), (
                route,
                body,
                text,
            )
    for path in (
        "/static/x",
        "/static/..%2f..%2froutes.py",
        "/assets/%2e%2e/x",
        "/svelte/x",
        f"/gradio_api/file={root}/x",
        "/favicon.ico/x",
    ):
        status, _, text = ask(address, "GET", path)
        assert str(root) not in text and "site-packages" not in text, (path, text)


def test_parts_of_files(server):
    _, address = server
    client = Client(address, verbose=False, download_files=False)
    (take,) = client.predict(**QUICK, api_name="/generate")
    path = f"/gradio_api/file={take['wav']['path']}"
    _, _, whole = ask(address, "GET", path)
    for asked, status in (
        ("bytes=0-9", 206), ("bytes=5-", 206), ("bytes=-7", 206), ("bytes=0-1,5-9", 200), ("bytes=0-1,x", 200), ("bytes=²-³", 200), ("bytes=" + "0-0," * 900, 200),
        ("x", 200), ("bytes=99999999-", 416),
    ):  # fmt: skip
        got, headers, _ = ask(
            address, "GET", path, headers={"Range": asked.encode("latin-1").decode("latin-1"), "Cookie": "a=secret"}
        )
        assert got == status, asked
        assert "secret" not in str(headers) and (status == 416 or headers["content-type"].startswith("audio/"))
    assert ask(address, "HEAD", path)[2] == "" and len(whole) > 100


# ---------------------------------------------------------------------------------------------------- what a killed server leaves


def test_leftovers_of_killed_servers_go_and_those_of_others_stay(tmp_path):
    from musicbench.files import LOCK, alone_in
    from mustango.page.guard import PREFIX, delete_leftovers

    killed, running, foreign, elsewhere = (tmp_path / name for name in (f"{PREFIX}a", f"{PREFIX}b", f"{PREFIX}c", "other"))
    for folder in (killed, running, foreign, elsewhere):
        (folder / "x").mkdir(parents=True)
        (folder / "x" / "take.wav").write_bytes(b"x")
    for folder in (killed, elsewhere):
        (folder / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    with alone_in(running):
        delete_leftovers(tmp_path)
    assert not killed.exists() and running.exists() and foreign.exists() and (elsewhere / "x" / "take.wav").exists()
