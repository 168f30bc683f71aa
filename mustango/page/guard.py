"""Where the page's files lie, how many there may be, and how long they live; who asks for them."""

import re
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from musicbench import InputError, quoted
from musicbench.files import LOCK, alone_in
from mustango.page.line import Who
from mustango.page.shares import Shares

KEPT_S = 3600  # seconds; files of takes and uploads are deleted after it
MAX_UPLOAD = 50 * 2**20  # bytes of a file
MAX_DISK = 8 * 2**30  # bytes of all files; above it nothing is taken in
MAX_FILES = 20_000
LEFT_FREE = 256 * 2**20  # bytes of the disk that are left alone
BROKEN_OFF_S = 300  # seconds; an upload that has not grown for so long broke off
PREFIX = "mustango-page-"  # of a server's folder
FULL = "this server holds too many files now; try again later"


def who_asks(request):
    """Return the Who of a Gradio request."""
    return getattr(getattr(request, "state", None), "who", Who())


def asker(request):
    """Return (who, listened) of a Gradio request: who asks, and what tells whether they still listen."""
    visitors = getattr(getattr(request, "state", None), "visitors", None)
    if visitors is None:
        return Who(), lambda: True
    return who_asks(request), lambda: visitors.listens(request.session_hash)


class Files:
    """The folder that holds everything of this server; each session's part has a name that nobody can guess.

    room, number: bytes and files that were written in the last hour, by address. They are sums; no folder is walked for them.
    """

    def __init__(self, root):
        self.root, self._secret = Path(root).resolve(), secrets.token_bytes(32)
        self.room, self.number = Shares(MAX_DISK, KEPT_S + 120), Shares(MAX_FILES, KEPT_S + 120)
        self.served = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{32}/[0-9a-f]{32}/[A-Za-z0-9_-][A-Za-z0-9._-]*")
        self.uploaded = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{64}/[^/]+")

    def session(self, request):
        """Return the folder of the session that a Gradio request comes from."""
        return self._folder(f"session {request.session_hash}")

    def tab(self, token, request):
        """Return the folder of a browser's tab, which keeps its secret token over a reload; of the session where it has none.

        The token is worth nothing to a client of another name than the server gave its owner.
        """
        if isinstance(token, str) and re.fullmatch("[0-9a-f]{32}", token):
            who = who_asks(request)
            return self._folder(f"tab {who.user} {who.client or who.address} {token}")
        return self.session(request)

    def _folder(self, name):
        return self.root / blake2b(name.encode(), key=self._secret, digest_size=16).hexdigest()

    def songs(self, uploads):
        """Return the paths of uploads (Gradio's file records). Raises InputError for what no upload wrote."""
        paths = [Path(str(upload.get("path"))) if isinstance(upload, dict) else Path() for upload in uploads or []]
        for path in paths:
            if not self.uploaded.fullmatch(str(path)) or path.is_symlink() or not path.is_file():
                raise InputError(f"{quoted(path.name)} was not uploaded or is deleted already; upload it again")
        return paths

    def named_in(self, data):
        """True when every file that a request's JSON names is one that this server wrote."""
        if isinstance(data, dict):
            path, is_file = str(data.get("path")), isinstance(data.get("meta"), dict) and "_type" in data["meta"]
            written = not is_file or self.uploaded.fullmatch(path) or self.served.fullmatch(path)
            return bool(written) and all(map(self.named_in, data.values()))
        return not isinstance(data, list) or all(map(self.named_in, data))

    def takes_in(self, who, size=0):
        """True when there is room for so many bytes of one who asks, and disk left beside."""
        left = shutil.disk_usage(self.root).free - size > LEFT_FREE
        return left and self.room.may_take(who.address, size) and self.number.may_take(who.address)

    def counted(self, request, events):
        """Yield the events of work that writes files, and count what was written when a take or a dataset is done.

        Raises InputError where there is no room.
        """
        who = who_asks(request)
        for event in events:
            if folder := getattr(event, "finished_in", None):
                sizes = [path.stat().st_size for path in folder.iterdir()]
                self.room.add(who.address, sum(sizes))
                self.number.add(who.address, len(sizes))
            elif not self.takes_in(who):
                raise InputError(FULL)
            yield event


class Ages:
    """How long things have been as they are, by a clock that nobody can set."""

    def __init__(self):
        self._seen = {}

    def of(self, path, changed):
        """Return for how many seconds a path has been seen with this mark of its last change."""
        now = time.monotonic()
        if self._seen.get(path, (None, 0.0))[0] != changed:
            self._seen[path] = changed, now
        return now - self._seen[path][1]

    def grow(self, seconds):
        """Let all that is remembered be older by so many seconds."""
        self._seen = {path: (changed, at - seconds - 1) for path, (changed, at) in self._seen.items()}

    def forget(self, *paths):
        """Forget what is deleted."""
        for path in paths:
            self._seen.pop(path, None)

    def known(self):
        """Return all paths that are remembered."""
        return list(self._seen)


def sweep_once(root, ages):
    """Delete what is older than KEPT_S: in the sessions' folders in `root` each take and dataset as a whole; then empty sessions, and
    uploads that broke off, which lie in `root` itself.
    """
    for held in root.glob("*/*"):
        with suppress(OSError):
            newest = max(path.stat().st_mtime_ns for path in (held, *held.rglob("*")))
            if ages.of(held, newest) > KEPT_S:
                shutil.rmtree(held) if held.is_dir() else held.unlink()
    for held in root.iterdir():
        with suppress(OSError):  # in use
            about, is_dir = held.stat(), held.is_dir()
            if held.name != LOCK and ages.of(held, (about.st_mtime_ns, about.st_size)) > (KEPT_S if is_dir else BROKEN_OFF_S):
                held.rmdir() if is_dir else held.unlink()
    ages.forget(*(path for path in ages.known() if not path.exists()))


def sweep(root, remembered=()):
    """Sweep once a minute, as long as there is the folder; what is deleted meanwhile by others is no reason to end.

    remembered: sets of paths as text, from which those of files that have gone are taken.
    """
    ages = Ages()
    while root.is_dir():
        with suppress(OSError):
            sweep_once(root, ages)
        for paths in remembered:
            for path in list(paths):
                if not Path(path).exists():
                    paths.discard(path)
        time.sleep(60)


def delete_leftovers(place=None):
    """Delete the folders that killed servers left in `place`, the system's folder for temporary files; those of others are left alone."""
    for folder in Path(place or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, InputError):  # a server that runs
            if (folder / LOCK).is_file() and not folder.is_symlink():
                with alone_in(folder):
                    shutil.rmtree(folder, ignore_errors=True)
