"""Where the page's files lie, how long they live, and what is let in."""

import json
import re
import secrets
import shutil
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from musicbench import InputError
from mustango.page.uploads import MAX_SONGS

KEPT_S = 3600  # seconds; files of takes and uploads are deleted after it
MAX_UPLOAD = 50 * 2**20  # bytes of a file
MAX_DISK = 8 * 2**30  # bytes of all files and of the uploads that are coming in; above it uploads are refused
UPLOAD, LOGIN = "/gradio_api/upload", ("/login", "/login/")  # what takes forms; all else takes JSON


class Files:
    """The folder that holds everything of this server; each session's part has a name that nobody can guess."""

    def __init__(self, root):
        self.root, self._secret = Path(root).resolve(), secrets.token_bytes(32)
        self.served = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{32}/[0-9a-f]{32}/[A-Za-z0-9_-][A-Za-z0-9._-]*")
        self.uploaded = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{64}/[^/]+")

    def session(self, request):
        """Return the folder of the session that a Gradio request comes from."""
        return self._folder(f"session {request.session_hash}")

    def tab(self, token, request):
        """Return the folder of a browser's tab, which keeps its secret token over a reload; of the session where it has none."""
        if isinstance(token, str) and re.fullmatch("[0-9a-f]{32}", token):
            return self._folder(f"tab {token}")
        return self.session(request)

    def _folder(self, name):
        return self.root / blake2b(name.encode(), key=self._secret, digest_size=16).hexdigest()

    def songs(self, uploads):
        """Return the paths of uploads (Gradio's file records). Raises InputError for what no upload wrote."""
        paths = [Path(str(upload.get("path"))) if isinstance(upload, dict) else Path() for upload in uploads or []]
        for path in paths:
            if not self.uploaded.fullmatch(str(path)) or path.is_symlink() or not path.is_file():
                raise InputError(f"{path.name!r} was not uploaded or is deleted already; upload it again")
        return paths

    def named_in(self, data):
        """True when every file that a request's JSON names is one that this server wrote."""
        if isinstance(data, dict):
            path, is_file = str(data.get("path")), isinstance(data.get("meta"), dict) and "_type" in data["meta"]
            written = not is_file or self.uploaded.fullmatch(path) or self.served.fullmatch(path)
            return bool(written) and all(map(self.named_in, data.values()))
        return not isinstance(data, list) or all(map(self.named_in, data))

    def size(self):
        """Return how many bytes all files hold."""
        held = 0
        for path in self.root.rglob("*"):
            with suppress(OSError):  # deleted meanwhile
                held += path.lstat().st_size
        return held


class Gate:
    """ASGI middleware: serves only files of takes, bounds what is sent, keeps the page to this server's own scripts and fonts."""

    POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; object-src 'none'"
    CLOSED = ("/gradio_api/proxy", "/gradio_api/deep_link", "/gradio_api/stream", "/gradio_api/process_recording", "/monitoring")

    def __init__(self, app, files):
        self.app, self.files = app, files
        self.coming = 0  # bytes of uploads under way; what is written of them already counts twice

    def refusal(self, scope):
        """Return (status, reason) when a request is not let in, else None."""
        path, headers = scope["path"], dict(scope["headers"])
        at = path.find("/gradio_api/file")
        if at >= 0 and not self.files.served.fullmatch(path[at:].removeprefix("/gradio_api/file=")):
            return 403, "no such file"
        if any(closed in path for closed in self.CLOSED):
            return 403, "not offered here"
        if scope["method"] == "POST":
            length, upload = headers.get(b"content-length", b""), path == UPLOAD
            if not length.isdigit() or b"transfer-encoding" in headers:
                return 411, "give the length of what you send"
            if int(length) > (MAX_UPLOAD * MAX_SONGS if upload else 2**20):
                return 413, f"too much; a file may have {MAX_UPLOAD >> 20} MiB, a request without files 1 MiB"
            if upload and self.files.size() + self.coming + int(length) > MAX_DISK:
                return 507, "this server holds too many files now; try again later"
        return None

    async def read(self, receive):
        """Read a body that ought to be JSON; returns what gives it again, and whether it names only files that this server wrote."""
        messages, more = [], True
        while more:
            messages.append(await receive())
            more = messages[-1].get("more_body", False)
        try:
            named = self.files.named_in(json.loads(b"".join(message.get("body", b"") for message in messages) or b"null"))
        except (ValueError, RecursionError):
            named = False

        async def again():
            return messages.pop(0) if messages else await receive()

        return again, named

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        from starlette.responses import PlainTextResponse

        if refused := self.refusal(scope):
            return await PlainTextResponse(refused[1], refused[0])(scope, receive, send)

        upload = scope["method"] == "POST" and scope["path"] == UPLOAD
        if scope["method"] == "POST" and not upload and scope["path"] not in LOGIN:
            receive, named = await self.read(receive)
            if not named:
                return await PlainTextResponse("no such file", 403)(scope, receive, send)

        async def send_guarded(message):
            if message["type"] == "http.response.start":
                extra = {
                    "content-security-policy": self.POLICY,
                    "x-content-type-options": "nosniff",
                    "referrer-policy": "same-origin",
                }
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in extra.items())]
            await send(message)

        length = int(dict(scope["headers"])[b"content-length"]) if upload else 0
        self.coming += length
        try:
            await self.app(scope, receive, send_guarded)
        finally:
            self.coming -= length


def sweep_once(root):
    """Delete what is older than KEPT_S: in the sessions' folders in `root` each take and dataset as a whole; then empty sessions, and
    uploads that broke off, which lie in `root` itself.
    """
    for held in root.glob("*/*"):
        with suppress(OSError):
            newest = max(path.stat().st_mtime for path in (held, *held.rglob("*")))
            if time.time() - newest > KEPT_S:
                shutil.rmtree(held) if held.is_dir() else held.unlink()
    for held in root.iterdir():
        with suppress(OSError):  # in use
            if time.time() - held.stat().st_mtime > KEPT_S:
                held.rmdir() if held.is_dir() else held.unlink()


def sweep(root):
    """Sweep once a minute, as long as there is the folder; what is deleted meanwhile by others is no reason to end."""
    while root.is_dir():
        with suppress(OSError):
            sweep_once(root)
        time.sleep(60)
