"""How the page bears many users, and bad ones: python benchmarks/page_load.py [--hostile]

Starts `app.py` on the bundled model and prints: seconds until the first page and until the model answers; then 20 users at once
through gradio_client (all answered with their own take, told what goes on, one with bad input, one who cancels); then
100 requests one after the other, with the server's resident memory on the way.

--hostile: five users each ask for takes of their own while, one after the other, floods come from other addresses of this machine: of work
that nobody waits for and of work with a listener, of uploads that are promised, of small files, of sessions. Printed are how many users were
answered, the longest and the usual time of the page's first answer, the server's memory and the bytes in its folder.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from gradio_client import Client
from gradio_client.exceptions import AppError

ROOT = Path(__file__).resolve().parent.parent


def memory_mib(process):
    """Return the resident memory of a process in MiB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def user(address, number, request, folder):
    """Be one user: returns (what came of it, seconds, what was told meanwhile, the take's digest)."""
    started, told = time.monotonic(), []
    own = Path(folder) / str(number)
    own.mkdir()
    chords = "C H" if request == "bad" else "C G Am F"
    job = Client(address, download_files=own, verbose=False).submit(
        "piano", chords, 120, seed=number, duration=8.0, steps=STEPS, listen=LISTEN, api_name="/generate"
    )
    while not job.done():
        told += [unit.desc for unit in job.status().progress_data or [] if unit.desc not in told]
        if request == "cancel" and time.monotonic() - started > 5:
            job.cancel()
            return "cancelled", time.monotonic() - started, told, None
        time.sleep(0.2)
    try:
        (take,) = job.result()
    except AppError as error:
        return str(error), time.monotonic() - started, told, None
    about = json.loads(Path(take["json"]).read_text())
    assert about["seed"] == number, f"user {number} got the take of seed {about['seed']}"
    return "answered", time.monotonic() - started, told, hashlib.sha256(Path(take["wav"]).read_bytes()).hexdigest()


# ---------------------------------------------------------------------------------------------------- floods

ENEMY, RIVAL = "127.0.0.66", "127.0.0.77"  # addresses of this machine that are not its users'
HUGE = {"prompt": "piano", "duration": 120.0, "count": 8, "steps": 200, "listen": False}


def send(address, method, path, body=b"", kind="application/json", source=ENEMY):
    """Send one request from an address; returns (status, text), (0, "") for a connection that was refused."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60, source_address=(source, 0))
    try:
        connection.request(method, path, body, {"content-type": kind})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def flood_of_work(address, over):
    """Ask for the most work that there is, again and again, and listen to none."""
    said = Counter()
    body = json.dumps(HUGE).encode()
    while not over.is_set():
        said[send(address, "POST", "/gradio_api/call/v2/generate", body)[0]] += 1
    return said


def flood_of_listened_work(address, over):
    """Ask for it 30 times, and listen to all."""
    jobs = [send(address, "POST", "/gradio_api/call/v2/generate", json.dumps(HUGE).encode(), source=RIVAL) for _ in range(30)]
    connections = []
    for status, text in jobs:
        if status == 200:
            connections.append(http.client.HTTPConnection(address.removeprefix("http://"), source_address=(RIVAL, 0)))
            connections[-1].request("GET", f"/gradio_api/call/v2/generate/{json.loads(text)['event_id']}")
    over.wait()
    for connection in connections:
        connection.close()
    return Counter(status for status, _ in jobs)


def flood_of_promises(address, over):
    """Promise 100 uploads of 1 GB, and send none."""
    head = "POST /gradio_api/upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n"
    port, said = int(address.rpartition(":")[2]), Counter()
    with contextlib.ExitStack() as held:
        for _ in range(100):
            with contextlib.suppress(OSError):
                connection = held.enter_context(socket.create_connection(("127.0.0.1", port), source_address=(ENEMY, 0)))
                connection.sendall(head.encode())
                said["promised"] += 1
        over.wait()
    return said


def upload(address, size, source, parts=1):
    """Upload new files of random bytes; returns the status."""
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n%b\r\n'
    body = b"".join(part % os.urandom(size) for _ in range(parts)) + b"--x--\r\n"
    return send(address, "POST", "/gradio_api/upload", body, "multipart/form-data; boundary=x", source)[0]


def flood_of_files(address, over):
    """Upload small files, 20 at once, and large ones."""
    said = Counter()
    while not over.is_set():
        said[upload(address, 100, ENEMY, 20)] += 1
        said[upload(address, 2**20, ENEMY)] += 1
    return said


def flood_of_sessions(address, over):
    """Open sessions by names that nobody uses again."""
    said, number = Counter(), 0
    while not over.is_set():
        number += 1
        body = json.dumps({"data": ["piano"], "session_hash": f"junk{number}", "fn_index": 6})
        said[send(address, "POST", "/gradio_api/run/predict", body.encode())[0]] += 1
    return said


def no_flood(address, over):
    """Send nothing, so that there is something to compare with."""
    over.wait()
    return Counter()


FLOODS = (no_flood, flood_of_work, flood_of_listened_work, flood_of_promises, flood_of_files, flood_of_sessions)


def watch(address, process, over):
    """Ask for the page once a second; returns the seconds that each answer took and the most memory in MiB."""
    times, most = [], 0.0
    while not over.wait(1):
        began = time.monotonic()
        assert send(address, "GET", "/", source="127.0.0.1")[0] == 200
        times.append(time.monotonic() - began)
        most = max(most, memory_mib(process))
    return times, most


def held_mib(process):
    """Return how many MiB and files a server's folder holds (Linux)."""
    locks = [os.readlink(entry) for entry in Path(f"/proc/{process.pid}/fd").iterdir() if entry.exists()]
    root = Path(next(path for path in locks if path.endswith("/.lock"))).parent
    sizes = [path.lstat().st_size for path in root.rglob("*") if path.is_file()]
    return sum(sizes) / 2**20, len(sizes)


def bear_floods(address, server, folder, users):
    """Print how users fare while each flood goes on."""
    number = 100
    for flood in FLOODS:
        over = Event()
        with ThreadPoolExecutor(users + 5) as crowd:
            floods = [crowd.submit(flood, address, over) for _ in range(2)]
            watching = crowd.submit(watch, address, server, over)
            began, uploads = time.monotonic(), []
            answers = list(crowd.map(lambda n: user(address, n, "good", folder), range(number, number + users)))
            uploads = [upload(address, 2**16, "127.0.0.1") for _ in range(users)]
            over.set()
        number += users
        times, memory = watching.result()
        served, mib_files = sum(a[0] == "answered" for a in answers), held_mib(server)
        print(
            f"{flood.__name__.replace('_', ' ')}: {served} of {users} users answered, the last after {max(a[1] for a in answers):.1f} s"
        )
        print(f"  their uploads: {Counter(uploads)}; the floods' answers: {sum((f.result() for f in floods), Counter())}")
        print(
            f"  the page after {statistics.median(times or [0]):.2f} s, {max(times or [0]):.2f} s at most; memory {memory:.0f} MiB"
        )
        print(f"  folder {mib_files[0]:.0f} MiB in {mib_files[1]} files; {time.monotonic() - began:.0f} s in all", flush=True)
        assert served == users and set(uploads) == {200}


def main():
    global STEPS, LISTEN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20, help="denoising steps (default %(default)s)")
    parser.add_argument("--hostile", action="store_true", help="five users beside floods")
    parser.add_argument("--listen", action="store_true", help="hear each take again, as the page does")
    options = parser.parse_args()
    STEPS, LISTEN = options.steps, options.listen

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    server = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(address) as page:
                page.read()
                break
            time.sleep(0.05)
        print(f"first page after {time.monotonic() - started:.1f} s", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            user(address, 10**6, "warm", folder)
            print(f"first take after {time.monotonic() - started:.1f} s, memory {memory_mib(server):.0f} MiB", flush=True)

            if options.hostile:
                return bear_floods(address, server, folder, 5)
            kinds = ["good"] * (options.users - 2) + ["bad", "cancel"]
            began = time.monotonic()
            with ThreadPoolExecutor(options.users) as crowd:
                answers = list(crowd.map(lambda n: user(address, n, kinds[n], folder), range(options.users)))
            outcomes = {kind: sum(a[0] == kind for a in answers) for kind in ("answered", "cancelled")}
            digests = [a[3] for a in answers if a[3]]
            print(f"{options.users} users at once, {time.monotonic() - began:.1f} s in all: {outcomes}")
            print(f"bad input was answered: {answers[kinds.index('bad')][0]}")
            waited = sum(any("before it" in text for text in a[2]) for a in answers)
            print(f"longest wait {max(a[1] for a in answers):.1f} s; told how many are before them: {waited} users")
            print(f"takes that differ: {len(set(digests))} of {len(digests)}", flush=True)
            assert outcomes["answered"] == options.users - 2 and len(set(digests)) == len(digests)

            print(f"memory after {options.users} users: {memory_mib(server):.0f} MiB")
            for number in range(options.requests):
                assert user(address, 1000 + number, "good", folder)[0] == "answered"
                if (number + 1) % 10 == 0:
                    print(f"memory after {number + 1} more requests: {memory_mib(server):.0f} MiB", flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
