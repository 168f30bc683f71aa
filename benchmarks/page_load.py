"""How the page bears many users: python benchmarks/page_load.py

Starts `app.py` on the bundled model and prints: seconds until the first page and until the model answers; then 20 users at once
through gradio_client (all answered with their own take, places in the queue told, one with bad input, one who cancels); then
100 requests one after the other, with the server's resident memory on the way.
"""

import argparse
import contextlib
import hashlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client
from gradio_client.exceptions import AppError

ROOT = Path(__file__).resolve().parent.parent


def memory_mib(process):
    """Return the resident memory of a process in MiB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def user(address, number, request, folder):
    """Be one user: returns (what came of it, seconds, the places that were told, the take's digest)."""
    started, places = time.monotonic(), []
    own = Path(folder) / str(number)
    own.mkdir()
    chords = "C H" if request == "bad" else "C G Am F"
    job = Client(address, download_files=own, verbose=False).submit(
        "piano", chords, 120, seed=number, duration=8.0, steps=STEPS, listen=LISTEN, api_name="/generate"
    )
    while not job.done():
        rank = job.status().rank
        if rank is not None and rank not in places[-1:]:
            places.append(rank)
        if request == "cancel" and time.monotonic() - started > 5:
            job.cancel()
            return "cancelled", time.monotonic() - started, places, None
        time.sleep(0.2)
    try:
        (take,) = job.result()
    except AppError as error:
        return str(error), time.monotonic() - started, places, None
    about = json.loads(Path(take["json"]).read_text())
    assert about["seed"] == number, f"user {number} got the take of seed {about['seed']}"
    return "answered", time.monotonic() - started, places, hashlib.sha256(Path(take["wav"]).read_bytes()).hexdigest()


def main():
    global STEPS, LISTEN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20, help="denoising steps (default %(default)s)")
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

            kinds = ["good"] * (options.users - 2) + ["bad", "cancel"]
            began = time.monotonic()
            with ThreadPoolExecutor(options.users) as crowd:
                answers = list(crowd.map(lambda n: user(address, n, kinds[n], folder), range(options.users)))
            outcomes = {kind: sum(a[0] == kind for a in answers) for kind in ("answered", "cancelled")}
            digests = [a[3] for a in answers if a[3]]
            print(f"{options.users} users at once, {time.monotonic() - began:.1f} s in all: {outcomes}")
            print(f"bad input was answered: {answers[kinds.index('bad')][0]}")
            print(
                f"longest wait {max(a[1] for a in answers):.1f} s; told a place in the queue: {sum(bool(a[2]) for a in answers)} users"
            )
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
