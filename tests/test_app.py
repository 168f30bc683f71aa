"""The page's server and API, as a gradio_client and a hostile caller meet them."""

import http.client
import json
import socket
import subprocess
import sys
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import fields
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
import soundfile
from conftest import HANG_S, ROOT, read_chords, resolve
from gradio_client import Client
from gradio_client.exceptions import AppError

import app
from musicbench import InputError
from musicbench.music.keys import Key
from mustango.__main__ import build_parser
from mustango.model.munet import MuNet
from mustango.page import inputs, work
from mustango.page import server as server_of
from mustango.page.guard import KEPT_S, MAX_UPLOAD, Ages, sweep_once
from mustango.request.request import Request

pytestmark = pytest.mark.slow
QUICK = {"prompt": "piano", "chords": "C G", "tempo": 120, "duration": 4.0, "steps": 3, "listen": False}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def started(folder, root, *arguments):
    port = free_port()
    options = build_parser().parse_args(["page", "--model", str(folder), "--port", str(port), *arguments])
    page = server_of.serve(options, root)
    return page, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def server(tiny_folder, tmp_path_factory):
    page, address = started(tiny_folder, tmp_path_factory.mktemp("page"))
    yield address
    page.close(verbose=False)


@pytest.fixture
def client(server, tmp_path):
    return Client(server, download_files=tmp_path, verbose=False)


def answer(address, method, path, body=None, headers=None):
    """Ask exactly for `path`, as it is written; returns (status, text)."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=HANG_S)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in {"content-length": str(len(body or b"")), **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return response.status, response.read().decode("utf-8", "replace")


def test_api_is_named_and_typed(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/generate"}
    kinds = {p["parameter_name"]: p["python_type"]["type"] for p in endpoints["/generate"]["parameters"]}
    assert kinds["prompt"] == kinds["chords"] == "str" and kinds["seed"] == "int" and kinds["guidance"] == "float"
    assert kinds["scheduler"] == "Literal['dpm', 'ddim', 'ddpm', 'unipc', 'euler']" and kinds["listen"] == "bool"


def test_generate(client):
    one, two = client.predict(**QUICK | {"prompt": "piano, 120 bpm, then 90 bpm"}, count=2, seed=7, api_name="/generate")
    assert one["notes"] == ["'90 bpm' in the prompt is left out; 120 bpm is played"] and one["note"] == ""
    assert (one["seed"], two["seed"]) == (7, 8) and one["scores"] is None
    for suffix in ("wav", "flac"):
        samples, rate = soundfile.read(one[suffix])
        assert len(samples) == 4.0 * rate
    assert [str(chord) for chord in read_chords(one["midi"])[0]] == ["C", "G"]
    assert json.loads(Path(one["json"]).read_text())["seed"] == 7
    assert Path(one["picture"]).read_bytes().startswith(b"\x89PNG")
    assert Path(one["wav"]).read_bytes() != Path(two["wav"]).read_bytes()


def test_loudness_of_files(client):
    import pyloudnorm

    loudness = []
    for lufs in (-20.0, None):
        (take,) = client.predict(**QUICK, loudness=lufs, api_name="/generate")
        samples, rate = soundfile.read(take["wav"])
        loudness.append(pyloudnorm.Meter(rate).integrated_loudness(samples))
    assert loudness[0] == pytest.approx(-20, abs=0.5) and abs(loudness[1] + 20) > 1


def test_auto_leaves_a_control_open_and_a_prompt_alone():
    read = asked(prompt="Auto", tempo="auto")
    assert (read.prompt, read.tempo, read.key) == ("Auto", "", "")


def test_the_api_takes_what_the_pipeline_takes(client):
    known = {field.name for field in fields(Request)} - {"chords_time", "stems"}
    endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/generate"]
    assert known <= {parameter["parameter_name"] for parameter in endpoint["parameters"]}
    beats = [[0.1, 0.8, 1.5, 2.2], [1, 2, 3, 1]]
    asked = QUICK | {"tempo": None, "duration": 3.0, "beats": json.dumps(beats), "tail": 1.0}
    (take,) = client.predict(**asked, api_name="/generate")
    samples, rate = soundfile.read(take["wav"])
    assert len(samples) == 4.0 * rate and json.loads(Path(take["json"]).read_text())["beats"] == beats
    (take,) = client.predict(**QUICK | {"tempo": "Allegro"}, api_name="/generate")
    assert json.loads(Path(take["json"]).read_text())["bpm"] == 125


def test_auto_duration_is_that_of_the_chords(client):
    (take,) = client.predict(**QUICK | {"duration": "auto", "chords": "C G", "tempo": 240}, api_name="/generate")
    samples, rate = soundfile.read(take["wav"])
    assert len(samples) == 4.0 * rate  # twice two bars


def asked(**values):
    defaults = dict.fromkeys(inputs.CONTROLS) | {"unit": "bars", "key": "Auto", "meter": "Auto", "loudness": "As made"}
    return inputs.asked_for(*((defaults | values)[name] for name in inputs.CONTROLS))


@pytest.mark.parametrize(
    ("length", "unit", "duration"),
    [("", "bars", "auto"), (None, "seconds", "auto"), ("8", "bars", "8 bars"), ("8", "seconds", "8"), ("7.5", "seconds", "7.5"),
     ("0", "bars", "0 bars"), ("-4", "bars", "-4 bars"), ("-4", "seconds", "-4"), ("2,5", "seconds", "2,5"), ("1:30", "bars", "1:30"),
     ("2 minutes", "bars", "2 minutes"), (" 12 ", "bars", "12 bars"), ("30 s", "bars", "30 s"), ("2 bars", "seconds", "2 bars"), ("chart", "bars", "chart")],
)  # fmt: skip
def test_bars_are_the_unit_of_the_length(length, unit, duration):
    assert asked(length=length, unit=unit).duration == duration


def test_the_page_s_boxes_become_a_request():
    request = asked(prompt="piano", key="A minor", loudness="-14 LUFS", seed=3)
    assert (request.prompt, request.key, request.meter, request.loudness, request.seed) == ("piano", "A minor", "", -14.0, 3)
    assert asked().loudness is None and asked().lora == asked(lora="None", lora_scale=2).lora == ""
    assert asked(lora="bright").lora == "bright:1" and asked(lora="bright", lora_scale=0.5).lora == "bright:0.5"


def test_what_a_tab_kept_is_taken_where_it_fits():
    kept = {"prompt": "piano", "seed": 5, "lock": True, "unit": "seconds", "model": "mini", "listen": False}
    assert dict(zip(inputs.CONTROLS, inputs.kept_inputs(kept, ["mini"]), strict=True)) == dict.fromkeys(inputs.CONTROLS) | kept
    hostile = {
        "prompt": ["x"],
        "seed": "5",
        "lock": "yes",
        "unit": "miles",
        "model": "other",
        "steps": {},
        "loudness": 3,
        "key": None,
    }
    for nothing in (hostile, None, [], "x", {}):
        assert set(inputs.kept_inputs(nothing, ["mini"])) == {None}


@pytest.mark.parametrize(
    ("change", "says"),
    [({"chords": "C H"}, "'H'"), ({"loudness": "x"}, "'x'"), ({"loudness": 5}, "outside -40"), ({"model": "/etc"}, "unknown model"), ({"steps": "x"}, "'x'"), ({"duration": [1]}, "a number"),
     ({"count": 10**9}, "outside 1-8"), ({"listen": "maybe"}, "neither true nor false"), ({"prompt": None}, "prompt is null"), ({"tempo": "<b>"}, "<b>"), ({"prompt": {"path": "/etc/passwd"}}, "give text")],
)  # fmt: skip
def test_bad_input_is_answered_in_one_line(client, change, says):
    with pytest.raises(AppError) as caught:
        client.predict(**{**QUICK, **change}, api_name="/generate")
    assert says in str(caught.value) and "Traceback" not in str(caught.value)


def test_users_at_once_get_their_own(server, tmp_path):
    jobs = []
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        change = {"chords": "C nonsense"} if seed == 3 else {}
        job = Client(server, download_files=folder, verbose=False).submit(**{**QUICK, **change}, seed=seed, api_name="/generate")
        jobs.append(job)
    jobs[4].cancel()
    for seed, job in enumerate(jobs):
        if seed == 3:
            with pytest.raises(AppError, match="nonsense"):
                job.result(timeout=HANG_S)
        elif seed != 4:
            (take,) = job.result(timeout=HANG_S)
            assert json.loads(Path(take["json"]).read_text())["seed"] == seed
            assert Path(take["wav"]).is_relative_to(tmp_path / str(seed))


def held_at(step, until, monkeypatch):
    """Hold the denoiser at its `step`-th step from now on until an event; returns a list that has an entry a step."""
    forward, steps = MuNet.forward, []

    def held(*arguments, **options):
        steps.append(1)
        if len(steps) == step:
            assert until.wait(HANG_S)
        return forward(*arguments, **options)

    monkeypatch.setattr(MuNet, "forward", held)
    return steps


def test_cancel_stops_the_work(client, monkeypatch):
    """The step during which the server hears of it is the last one: the third at the latest, which waits for that."""
    heard = Event()

    class Stop(Event):
        def set(self):
            super().set()
            heard.set()

    monkeypatch.setattr(work, "Event", Stop)
    steps = held_at(3, heard, monkeypatch)
    job = client.submit(**{**QUICK, "steps": 200}, api_name="/generate")
    next(iter(job))  # it has begun
    job.cancel()
    (take,) = client.predict(**QUICK, seed=1, api_name="/generate")
    assert take["seed"] == 1 and len(steps) <= 3 + QUICK["steps"]


def served_path(client):
    """Make a take and return the path of its WAV on the server."""
    client.download_files = False
    (take,) = client.predict(**QUICK, api_name="/generate")
    return take["wav"]["path"]


def test_no_path_leads_out(server, client):
    wav = served_path(client)
    assert answer(server, "GET", f"/gradio_api/file={wav}")[0] == 200
    folder = wav.rpartition("/")[0]
    for path in (
        "/etc/passwd", "../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%252e%252e/etc/passwd",
        f"{folder}/../../../../../../etc/passwd", f"{folder}/%2e%2e/{wav.split('/')[-2]}/x", folder, f"{folder}/", f"{folder}/..",
        f"{wav}%00.png", f"{wav}%0a", f"/{wav}", "file:///etc/passwd", "http://127.0.0.1:1/x", "%2f%2fetc/passwd", "~/.bashrc",
        "/proc/self/environ", "..\\..\\windows\\win.ini", f"{ROOT}/app.py", f"{ROOT}/checkpoints/mustango-mini/model_index.json",
        "%ef%bc%8e%ef%bc%8e/etc/passwd",
    ):  # fmt: skip
        for route in ("/gradio_api/file=", "/gradio_api/file/", "/file="):
            status, text = answer(server, "GET", route + path)
            assert status in (400, 403, 404), (route + path, status)
            assert "root:" not in text and "import argparse" not in text and "PATH=" not in text


def test_no_file_is_named_into_a_request(server, tmp_path):
    for path in ("/etc/passwd", f"{ROOT}/app.py", "http://127.0.0.1:1/x", "../../etc/passwd", str(tmp_path)):
        record = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for data in ([record], ["piano", {"a": [record]}]):
            body = json.dumps({"data": data, "session_hash": "x", "fn_index": 0}).encode()
            for route in (
                "/gradio_api/call/generate", "/gradio_api/queue/join", "/gradio_api/run/generate", "/gradio_api/run/upload",
                "/gradio_api/run/login", "/gradio_api/api/upload", "/gradio_api/call/x/upload",
            ):  # fmt: skip
                for kind in ({"content-type": "application/json"}, {"content-type": "text/plain"}, {}):
                    assert answer(server, "POST", route, body, kind)[0] == 403


def upload(address, name, data):
    body = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n--x--\r\n"
    return answer(address, "POST", "/gradio_api/upload", body, {"content-type": "multipart/form-data; boundary=x"})


def test_uploads_stay_in_their_place_and_are_bounded(server, client):
    root = Path(served_path(client)).parents[2]
    outside = set(root.parent.iterdir())
    for name in (
        "song.wav",
        "../../evil.wav",
        "/etc/evil.wav",
        "..\\..\\evil.wav",
        "a/b/../../../../evil.wav",
        "\u202e.wav",
        "x" * 300 + ".wav",
    ):
        status, text = upload(server, name, b"RIFF" + name.encode())
        assert status == 200, text
        (path,) = json.loads(text)
        assert Path(path).resolve().parents[1] == root and Path(path).is_file()
        assert answer(server, "GET", f"/gradio_api/file={quote(path)}")[0] == 403  # not even the own one
    assert set(root.parent.iterdir()) == outside
    assert upload(server, "big.wav", bytes(MAX_UPLOAD + 2**20))[0] == 413


def test_an_upload_that_breaks_off_is_deleted_in_time(server, client):
    root = Path(served_path(client)).parents[2]
    before = set(root.iterdir())
    with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2]))) as connection:
        head = "POST /gradio_api/upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n"
        part = '--x\r\ncontent-disposition: form-data; name="files"; filename="song.wav"\r\n\r\n'
        connection.sendall((head + part).encode() + bytes(100_000))
        while not (left := set(root.iterdir()) - before):
            assert answer(server, "GET", "/config")[0] == 200  # the server goes on
    (path,) = left
    for _ in range(1000):  # the server may still write what it had received
        ages = Ages()
        sweep_once(root, ages)
        ages.grow(KEPT_S)
        sweep_once(root, ages)
        if not path.exists():
            break
        answer(server, "GET", "/config")
    assert not path.exists()


def test_answers_forbid_foreign_scripts(server):
    connection = http.client.HTTPConnection(server.removeprefix("http://"))
    connection.request("GET", "/")
    headers = connection.getresponse().headers
    assert "default-src 'self'" in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"


def test_who_finds_the_line_full_is_told(tiny_folder, tmp_path, monkeypatch):
    answered = Event()
    held_at(3, answered, monkeypatch)
    page, address = started(tiny_folder, tmp_path, "--queue", "1")
    try:
        first, *others = (Client(address, verbose=False, download_files=False) for _ in range(4))
        playing = first.submit(**QUICK, api_name="/generate")
        next(iter(playing))  # it has begun, and does not end before others are answered
        jobs = [client.submit(**QUICK, api_name="/generate") for client in others]
        assert wait([job.future for job in jobs], timeout=HANG_S, return_when=FIRST_COMPLETED).done
        answered.set()
        assert playing.exception(timeout=HANG_S) is None
        said = [str(job.exception(timeout=HANG_S)) for job in jobs]
        assert (
            said.count("None") >= 1
            and all("this server is full" in text for text in said if text != "None")
            and len(set(said)) == 2
        )
    finally:
        page.close(verbose=False)


def test_auth_protects_page_and_api(tiny_folder, tmp_path):
    page, address = started(tiny_folder, tmp_path, "--auth", "me:secret:word")
    try:
        generate = json.dumps({"data": ["piano"]}).encode()
        kind = {"content-type": "application/json"}
        for method, path in (
            ("GET", "/config"), ("GET", "/gradio_api/info"), ("GET", f"/gradio_api/file={tmp_path}/{'0' * 32}/{'0' * 32}/x.wav"),
            ("GET", "/gradio_api/queue/data?session_hash=x"), ("POST", "/gradio_api/call/generate"), ("POST", "/gradio_api/queue/join"),
            ("POST", "/gradio_api/upload"), ("POST", "/gradio_api/run/generate"), ("GET", "/gradio_api/openapi.json"),
        ):  # fmt: skip
            assert answer(address, method, path, generate if method == "POST" else None, kind)[0] == 401, path
        with pytest.raises(Exception, match="(?i)auth|credentials|401"):
            Client(address, verbose=False)
        (take,) = Client(address, auth=("me", "secret:word"), verbose=False, download_files=tmp_path).predict(
            **QUICK, api_name="/generate"
        )
        assert Path(take["wav"]).exists()
    finally:
        page.close(verbose=False)


# ---------------------------------------------------------------------------------------------------- command line


def test_an_address_that_cannot_be_had_is_refused_before_anything_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr(server_of, "Studio", lambda *a, **k: pytest.fail("a model was looked for"))
    with pytest.raises(InputError, match="cannot listen on 1.2.3.4:0"):
        server_of.serve(build_parser().parse_args(["page", "--host", "1.2.3.4", "--port", "0"]), tmp_path)
    for host in ("127.0.0.1", "0.0.0.0", "localhost"):
        assert server_of.check_address(host, 0) is None


def test_examples_and_presets_fit_the_bundled_model():
    for example in inputs.EXAMPLES:
        assert resolve(**example, duration="chart").duration_s <= 10.24
    for line in inputs.PRESETS:
        for key in inputs.KEYS[1:]:
            assert resolve("", chords=line, tempo=80, key=key, duration=10.24).key == Key.parse(key)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--auth", "nocolon"], "--auth number 1 is not USER:PASS"),
        (["--auth", "me:1", "--auth", "me:2"], "another password"),
        (["--auth-file", "nowhere"], "cannot read --auth-file nowhere"),
        (["--work", "0"], "below 1"),
        (["--auth", " : "], "USER:PASS"),
        (["--auth", "me:"], "USER:PASS"),
        (["--host", " "], "--host is empty"),
        (["--host", "1.2.3.4"], "choose another --port or --host"),
        (["--host", "nowhere.invalid"], "choose another --port or --host"),
        (["--host", "a..b"], "choose another --port or --host"),
        (["--queue", "0"], "below 1"),
        (["--device", "gpu9"], "unknown device"),
        (["--model", "nowhere"], "no model folder"),
    ],
)
def test_bad_options(capsys, arguments, says):
    assert app.main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("mustango: ") and err.count("\n") == 1 and says in err


@pytest.mark.parametrize("option", ["--auth", "--auth-file", "--host", "--model", "--name"])
def test_empty_options_are_refused(capsys, option):
    with pytest.raises(SystemExit) as stopped:
        app.main([option, ""])
    assert stopped.value.code == 2 and f"{option} is empty" in capsys.readouterr().err


def test_busy_port(capsys, server, tiny_folder):
    assert app.main(["--port", server.rpartition(":")[2], "--model", str(tiny_folder)]) == 2
    assert "choose another --port" in capsys.readouterr().err


def test_help_needs_neither_torch_nor_gradio():
    code = "import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: pass\nassert not {'torch', 'gradio'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "--low-memory" in done.stdout, done.stderr
