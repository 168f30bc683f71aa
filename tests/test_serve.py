"""`mustango serve`: the API without the page, its health and its metrics."""

import json
import re

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from test_app import QUICK, answer, free_port

from mustango.__main__ import build_parser, main
from mustango.page import server as server_of
from mustango.page.counts import METRICS
from mustango.page.studio import Studio

pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}


def served(folder, root, *arguments):
    """Serve without loading the model; returns (the Blocks, the address)."""
    port = free_port()
    options = build_parser().parse_args(["serve", "--model", str(folder), "--port", str(port), *arguments])
    return server_of.serve(options, root, with_page=False), f"http://127.0.0.1:{port}"


def metrics(address):
    """Return {name and labels: value}; each metric has one HELP and one TYPE line before its values."""
    status, text = answer(address, "GET", "/metrics")
    assert status == 200 and text.endswith("\n")
    assert re.findall(r"^# TYPE (\S+)", text, re.M) == re.findall(r"^# HELP (\S+) \S", text, re.M) == list(METRICS)
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M))
    values = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in values}


def moved(before, after):
    return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}


@pytest.fixture
def address(tiny_folder, tmp_path, monkeypatch):
    """A server whose model is loaded by its first take."""
    load = Studio.warm_up
    monkeypatch.setattr(Studio, "warm_up", lambda studio: studio._worker.submit(lambda: None))
    page, address = served(tiny_folder, tmp_path)
    monkeypatch.setattr(Studio, "warm_up", load)
    yield address
    page.close(verbose=False)


def test_the_api_without_the_page(address, tiny_folder, tmp_path):
    status, text = answer(address, "GET", "/health")
    assert status == 503 and json.loads(text)["status"] == "not loaded"
    before = metrics(address)
    client = Client(address, verbose=False, download_files=False)
    (take,) = client.predict(**QUICK, api_name="/generate")
    change = moved(before, metrics(address))
    assert change.pop("mustango_compute_seconds_total") > 0
    assert change == {'mustango_takes_total{outcome="done"}': 1, "mustango_sound_seconds_total": 4.0}
    status, text = answer(address, "POST", "/gradio_api/call/v2/generate", json.dumps(QUICK).encode(), JSON)  # as curl asks
    assert status == 200
    status, text = answer(address, "GET", f"/gradio_api/call/generate/{json.loads(text)['event_id']}")
    assert status == 200 and "event: complete" in text and ".wav" in text
    status, text = answer(address, "GET", "/health")
    told = json.loads(text)
    assert status == 200 and told["status"] == "ready" and told["model"] == tiny_folder.name and told["version"]

    before = metrics(address)
    with pytest.raises(AppError, match="'H'"):
        client.predict(**QUICK | {"chords": "C H"}, api_name="/generate")
    assert moved(before, metrics(address)) == {'mustango_requests_refused_total{reason="input"}': 1}

    assert answer(address, "GET", f"/gradio_api/file={take['wav']['path']}")[0] == 200
    status, text = answer(address, "GET", "/")
    assert status == 200 and json.loads(text)["make a take"] == "POST /gradio_api/call/generate"
    before = metrics(address)
    closed = ["/static/img/logo.svg", "/assets/index.js", "/theme.css", "/favicon.ico", "/logout", "/gradio_api/upload_progress"]
    for path in closed:
        assert answer(address, "GET", path) == (403, "not offered here")
    for path in ("/gradio_api/upload", "/health", "/metrics", "/"):
        assert answer(address, "POST", path, b"{}") == (403, "not offered here")
    assert moved(before, metrics(address)) == {'mustango_http_refused_total{status="403"}': len(closed) + 4}


def test_metrics_ask_for_a_login_and_health_does_not(tiny_folder, tmp_path):
    page, address = served(tiny_folder, tmp_path, "--auth", "me:secret")
    try:
        assert answer(address, "GET", "/metrics")[0] == 401 and answer(address, "GET", "/health")[0] in (200, 503)
        assert answer(address, "POST", "/gradio_api/call/generate", b'{"data": ["piano"]}')[0] == 401
    finally:
        page.close(verbose=False)


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--queue", "0"], "--queue 0 is below 1"), (["--work", "0"], "below 1"), (["--share"], "--share")]
)
def test_bad_options(capsys, arguments, says):
    try:
        status = main(["serve", *arguments])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2 and says in capsys.readouterr().err
