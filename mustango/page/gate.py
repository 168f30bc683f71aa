"""The page's gate: who is let in, to which routes, with what; every answer leaves through it."""

import asyncio
import json
import re
import sys
from collections import Counter
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from starlette.requests import ClientDisconnect

from mustango.page.bodies import Body, Refused, Upload, given_again
from mustango.page.counts import CONTENT_TYPE, HTTP_REFUSED, Counts
from mustango.page.guard import FULL, MAX_UPLOAD
from mustango.page.line import Who
from mustango.page.names import Names
from mustango.page.shares import Shares, Tries
from mustango.page.uploads import MAX_SONGS
from mustango.page.visitors import Visitors, cookies_in

API = "/gradio_api"
UPLOAD, LOGIN, LOGOUT, FILE = f"{API}/upload", ("/login", "/login/"), "/logout", f"{API}/file="
PROGRESS, CANCEL = f"{API}/upload_progress", f"{API}/cancel"
HEALTH, METRICS = "/health", "/metrics"  # answered here
NAME = r"[\w.-]+"
OPEN = re.compile(  # what needs no login: the page's frame and the login itself
    rf"/(login/?|logout|health|favicon\.ico|robots\.txt|manifest\.json|theme\.css|(static|assets|svelte)/.*|pwa_icon(/\d+)?)?"
    rf"|{API}/(theme\.css|startup-events|app_id/?|user/?|login_check/?)"
)
READ = re.compile(
    rf"/config/?|/metrics|{API}/(info/?|openapi\.json|file=.*|heartbeat/{NAME}|queue/(data|status)|call/(v2/)?{NAME}/{NAME}|upload_progress)"
)
SENT = re.compile(rf"{API}/(queue/join|(run|api)/{NAME}/?|call/(v2/)?{NAME}/?|cancel|reset/?|upload)")
API_ONLY = re.compile(  # of these, what is open where there is no page
    rf"/(login/?|health|metrics|config/?)?|{API}/(startup-events|info/?|openapi\.json|file=.*|heartbeat/{NAME}|queue/(data|status|join)"
    rf"|(run|api)/{NAME}/?|call/(v2/)?{NAME}(/{NAME}|/?)|cancel|reset/?)"
)
ROUTES = {
    "make a take": f"POST {API}/call/generate", "hear of it": f"GET {API}/call/generate/EVENT_ID", "arguments": f"GET {API}/info",
    "health": f"GET {HEALTH}", "metrics": f"GET {METRICS}",
}  # fmt: skip
STREAMS = re.compile(
    rf"{API}/(heartbeat/|queue/data$|call/(v2/)?{NAME}/{NAME}$|upload_progress$|upload$|file=)|/(static|assets|svelte)/"
)
JOINS = re.compile(rf"{API}/(queue/join|call/)")
EVENT = re.compile(rb'"event_id": *"([0-9a-f]{32})"')  # the answer to who joins
RANGE = re.compile(rb"bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})")  # one part; of more the whole file is sent
SHOWN = ("audio/", "image/png")  # in the browser; all else is downloaded
MAX_PATH = 1000  # characters
MAX_JSON, MAX_FORM, DRAINED = 2**19, 2**14, MAX_UPLOAD * (MAX_SONGS + 1)
AT_ONCE, EACH = 64, 4  # requests that are let in, but for streams and files; of those of one address, how many are answered at once
LOGINS, WORKS = 10, 120  # tries of an address in a minute: to log in, whether it succeeds or not; to have work done
TOLD_S = 30.0  # how long it is told that an upload is done
MAX_TOKENS = 100  # logins of a user that hold at once; the oldest end first
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; object-src 'none'; base-uri 'self'"
ANSWERED = {
    "content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}  # fmt: skip


class Gate:
    """ASGI middleware that lets in what belongs to the page.

    Routes that the page does not use are closed; a login is asked for on all others; foreign pages are refused; what is sent is bounded
    in size, time and number; files are sent from here, and what `studio` tells of its health and work. with_page: else only the API's
    routes are open.
    """

    def __init__(self, app, files, visitors=None, names=None, studio=None, with_page=True):
        self.app, self.files, self.studio, self.with_page = app, files, studio, with_page
        self.counts = studio.counts if studio else Counts()
        self.visitors, self.names = visitors or Visitors(), names or Names()
        self.answering, self.logins, self.works = Shares(AT_ONCE), Tries(LOGINS), Tries(WORKS)
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        asked = Asked(scope)
        asked.set_header(b"x-gradio-server", None)  # would name the page's address
        asked.who = self.visitors.who(scope, asked.cookies, asked.user)
        scope.setdefault("state", {}).update(who=asked.who, visitors=self.visitors)
        body = Body(receive, asked.length)
        send = Sender(scope, send, self._cookie(asked))
        try:
            self.check(asked)
            await self._answer(asked, body, send)
        except Refused as refused:
            await self._refuse(asked, refused, body, send)
        except ClientDisconnect:  # nobody is there to be answered
            return None
        except Exception as error:  # of Gradio, for what it cannot read
            if send.started:
                raise
            print(f"mustango: {asked.method} {asked.path[:80]} failed: {error!r:.200}", file=sys.stderr)
            await self._refuse(asked, Refused(400, "this page cannot answer what you sent"), body, send)

    # ---------------------------------------------------------------------------------------------- what is let in

    def check(self, asked):
        """Raise Refused for a request that is not let in."""
        hosts = asked.hosts
        if not hosts or not all(map(self.names.known, hosts)):
            shown = re.sub(r"[^\w.:-]", "?", " ".join(hosts))[:80]
            raise Refused(421, f"this page is not known as {shown!r}; whoever runs it may add --name")
        self._check_route(asked)
        self._check_origin(asked, hosts)
        if asked.auth and asked.user is None and not OPEN.fullmatch(asked.path):
            raise Refused(401, "log in first")
        if asked.method == "POST":
            self._check_length(asked)

    def _check_route(self, asked):
        path, at = asked.path, asked.path.find(f"{API}/file")
        if len(path) > MAX_PATH:
            raise Refused(414, "too long an address")
        if at >= 0 and not (at == 0 and self.files.served.fullmatch(path.removeprefix(FILE))):
            raise Refused(403, "no such file")
        reads = asked.method in ("GET", "HEAD") and (OPEN.fullmatch(path) or READ.fullmatch(path))
        sends = asked.method == "POST" and (path in LOGIN or SENT.fullmatch(path))
        if not reads and not sends or not (self.with_page or API_ONLY.fullmatch(path)):
            raise Refused(403, "not offered here")

    def _check_origin(self, asked, hosts):
        origin, site = asked.header("origin"), asked.header("sec-fetch-site")
        if origin is not None and not self.names.same(origin, hosts):
            raise Refused(403, "this was sent by another page")
        acts = asked.method == "POST" or asked.path == LOGOUT
        if acts and site not in (None, "same-origin", "none"):
            raise Refused(403, "this was sent by another page")
        if asked.path == LOGOUT and not (site or self.names.same(asked.header("referer") or "", hosts)):
            raise Refused(403, "log out on the page itself")

    def _check_length(self, asked):
        if asked.length < 0 or asked.header("transfer-encoding") is not None:
            raise Refused(411, "give the length of what you send")
        most = {UPLOAD: MAX_UPLOAD * MAX_SONGS}.get(asked.path, MAX_FORM if asked.path in LOGIN else MAX_JSON)
        if asked.length > most:
            raise Refused(413, f"too much; a file may have {MAX_UPLOAD >> 20} MiB, a request without files {MAX_JSON >> 10} KiB")
        if asked.path == UPLOAD and not self.files.takes_in(asked.who, asked.length):
            raise Refused(507, FULL)

    async def _refuse(self, asked, refused, body, send):
        from starlette.responses import JSONResponse, PlainTextResponse

        self.counts.add(HTTP_REFUSED, status=refused.status)
        if send.started:
            raise ConnectionError(refused.reason)
        with suppress(Refused):
            if refused.status in (413, 507):
                await body.drain(DRAINED if refused.status == 507 else MAX_JSON)
        headers = {} if body.over else {"connection": "close"}
        if refused.status in (408, 429):
            headers["retry-after"] = "60"
        answer = PlainTextResponse(refused.reason, refused.status, headers)
        if refused.status == 401:
            answer = JSONResponse({"detail": {"error": "Not authenticated", "auth_message": None}}, 401, headers)
        await answer(asked.scope, body.receive, send)

    # ---------------------------------------------------------------------------------------------- how it is answered

    async def _answer(self, asked, body, send):
        if asked.path.startswith(FILE):
            return await self._send_file(asked, body, send)
        if told := self._told(asked.path):
            return await told(asked.scope, body.receive, send)
        if STREAMS.match(asked.path):
            return await self._pass(asked, body, send)
        if not self.answering.take(asked.who.address):
            raise Refused(429, "too many requests at once; try again")
        turns = self._turns.setdefault(asked.who.address, asyncio.Semaphore(EACH))
        try:
            async with turns:
                await self._pass(asked, body, send)
        finally:
            self.answering.give(asked.who.address)
            if not self.answering.held(asked.who.address):
                self._turns.pop(asked.who.address, None)

    def _told(self, path):
        """Return the answer that is given here, None where Gradio gives it."""
        from starlette.responses import JSONResponse, Response

        if path == HEALTH and self.studio:
            return JSONResponse(self.studio.health(), 200 if self.studio.ready else 503)
        if path == METRICS and self.studio:
            return Response(self.studio.metrics(), headers={"content-type": CONTENT_TYPE})
        return None if path != "/" or self.with_page else JSONResponse(ROUTES)

    async def _pass(self, asked, body, send):
        receive, heard = body.receive, self._name_session(asked)
        if asked.path == UPLOAD and asked.method == "POST":
            receive = Upload(body, self.files, asked.who).receive
        elif asked.path in LOGIN:
            return await self._log_in(asked, body, send)
        elif asked.method == "POST":
            if JOINS.match(asked.path) and not self.works.allowed(asked.who.address):
                raise Refused(429, f"more than {WORKS} requests in a minute; wait a minute")
            receive = await self._read(asked, body, send)
        self.visitors.begin_to_listen(*heard)
        try:
            await self.app(asked.scope, receive, send)
        except RuntimeError:  # of Gradio, for a session that has gone; told in the stream already
            if not (heard and send.started):
                raise
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.visitors.end_listening(*heard)
            if asked.path in (UPLOAD, PROGRESS):
                self._forget_progress(asked)

    def _forget_progress(self, asked):
        """Forget how an upload went on, a while after its end: Gradio would remember it for ever."""
        from gradio.routes import file_upload_statuses as told

        for upload in (value for name, value in asked.query if name == "upload_id"):
            asyncio.get_running_loop().call_later(
                TOLD_S, lambda name=upload: (told.stop_tracking(name), told._signals.pop(name, None))
            )

    async def _log_in(self, asked, body, send):
        """Pass a login on, a few in a minute."""
        if asked.auth and asked.method == "POST" and not self.logins.allowed(asked.who.address):
            raise Refused(429, "too many logins; wait a minute")
        await self.app(asked.scope, body.receive, send)
        held = Counter()
        for token, user in reversed(list(asked.tokens.items())):
            held[user] += 1
            if held[user] > MAX_TOKENS:
                asked.tokens.pop(token)

    async def _read(self, asked, body, send):
        """Return a `receive` that gives a JSON body again, its session named by this server. Raises Refused for what names what is foreign."""
        try:
            data = json.loads(await body.whole() or b"null")
            named = self.files.named_in(data)
        except (ValueError, RecursionError):
            named = False
        if not named:
            raise Refused(403, "no such file")
        session = None
        if isinstance(data, dict) and asked.path == CANCEL:
            data["session_hash"] = self._session_of(asked, data.get("event_id"))
        elif isinstance(data, dict) and data.get("session_hash") is not None:
            session = data["session_hash"] = self.visitors.session(asked.who, data["session_hash"])
            if gradio := asked.scope.get("app"):
                self.visitors.used(asked.who, session, gradio.state_holder.session_data)
        if JOINS.match(asked.path):
            send.on_body = lambda answer: self._joined(asked, session, answer)
        text = json.dumps(data).encode()
        asked.set_header(b"content-length", str(len(text)).encode())
        return given_again(text, body.receive)

    def _joined(self, asked, session, answer):
        """Remember whose the event of an answer is; Gradio names the session of one after it that has none."""
        if found := EVENT.search(answer):
            event = found[1].decode()
            self.visitors.joined(asked.who, event, session or event)
            self.visitors.keep_forgetting(asked.scope["app"].get_blocks()._queue)

    def _session_of(self, asked, event):
        session = self.visitors.session_of(asked.who, event)
        if session is None:
            raise Refused(404, "no such event")
        return session

    def _name_session(self, asked):
        """Put this server's name for a session into the address of a stream; returns the names of what is listened to in it."""
        scope, path = asked.scope, asked.path
        if path == f"{API}/queue/data":
            query = [(k, self.visitors.session(asked.who, v) if k == "session_hash" else v) for k, v in asked.query]
            scope["query_string"] = urlencode(query).encode()
            return [v for k, v in query if k == "session_hash"]
        if path.startswith(f"{API}/heartbeat/"):
            scope["path"] = f"{API}/heartbeat/{self.visitors.session(asked.who, path.rpartition('/')[2])}"
            scope["raw_path"] = scope["path"].encode()
        elif asked.method == "GET" and path.startswith(f"{API}/call/"):
            return [self._session_of(asked, path.rpartition("/")[2])]
        return []

    async def _send_file(self, asked, body, send):
        """Send a file of a take, or one part of it."""
        from mimetypes import guess_type
        from pathlib import Path

        from starlette.responses import FileResponse

        path = Path(asked.path.removeprefix(FILE))
        if path.is_symlink() or not path.is_file():
            raise Refused(403, "no such file")
        if not RANGE.fullmatch((asked.header("range") or "").encode("latin-1")):
            asked.set_header(b"range", None)
        kind = guess_type(path.name)[0] or "application/octet-stream"
        how = "inline" if kind.startswith(SHOWN) else "attachment"
        response = FileResponse(path, media_type=kind, filename=path.name, content_disposition_type=how)
        await response(asked.scope, body.receive, send)

    def _cookie(self, asked):
        """Return the Set-Cookie header that names a client who opens the page, None for one who has a name."""
        if asked.who.client or asked.method != "GET" or asked.path not in ("/", "/config", "/config/"):
            return None
        return f"{self.visitors.cookie_name(asked.scope)}={self.visitors.new_cookie()}; Path=/; HttpOnly; SameSite=lax"


class Asked:
    """What a request asks: parts of its ASGI scope, read once."""

    def __init__(self, scope):
        self.scope, self.method, self.path = scope, scope["method"], scope["path"]
        self._headers = [(name.lower(), value) for name, value in scope["headers"]]
        self.cookies = cookies_in("; ".join(self.headers("cookie")))
        self.who = Who()
        gradio = scope.get("app")
        self.auth, self.tokens = getattr(gradio, "auth", None) is not None, getattr(gradio, "tokens", {})
        names = [f"access-token-{kind}{getattr(gradio, 'cookie_id', '')}" for kind in ("", "unsecure-")]
        self.user = next((self.tokens[self.cookies[name]] for name in names if self.cookies.get(name) in self.tokens), None)

    def headers(self, name):
        """Return the values of all headers of one name."""
        return [value.decode("latin-1") for key, value in self._headers if key == name.encode()]

    def header(self, name):
        """Return the value of a header, None where there is none."""
        return next(iter(self.headers(name)), None)

    def set_header(self, name, value):
        """Put a header into the scope in place of all of its name; None: put none."""
        kept = [(key, old) for key, old in self._headers if key != name]
        self._headers = [*kept, *([] if value is None else [(name, value)])]
        self.scope["headers"] = self._headers

    @property
    def hosts(self):
        """The names that the request was sent to: by its client and, where there is one, by the proxy before this server."""
        forwarded = [part for value in self.headers("x-forwarded-host") for part in value.split(",")]
        return [host.strip().lower() for host in (*self.headers("host"), *forwarded) if host.strip()]

    @property
    def query(self):
        """(name, value) of each part of the address after "?"."""
        return parse_qsl(self.scope.get("query_string", b"").decode("latin-1"))

    @property
    def length(self):
        """How many bytes are said to follow, 0 where nothing is said; -1 for a POST that does not say, and for what is no number."""
        lengths = self.headers("content-length")
        if not lengths:
            return -1 if self.method == "POST" else 0
        return int(lengths[0]) if len(lengths) == 1 and re.fullmatch("[0-9]{1,15}", lengths[0]) else -1


class Sender:
    """`send` that guards each answer: its policy, its cookies, and no word of this machine's paths in what failed."""

    def __init__(self, scope, send, cookie):
        self._scope, self._send, self._cookie = scope, send, cookie
        self.started, self.status, self.on_body = False, None, None

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            headers = [(key, self._guarded(value) if key.lower() == b"set-cookie" else value) for key, value in message["headers"]]
            headers += [(key.encode(), value.encode()) for key, value in ANSWERED.items()]
            if self._cookie and self.status == 200:
                headers.append((b"set-cookie", self._guarded(self._cookie.encode())))
            message = message | {"headers": headers}
        elif self.on_body:
            self.on_body(message.get("body", b""))
        await self._send(message)

    def _guarded(self, cookie):
        """Return a cookie that no other page can use and that does not leave HTTPS."""
        cookie = re.sub(rb"(?i);\s*samesite=\w+", b"", cookie) + b"; SameSite=lax"
        secure = self._scope.get("scheme") == "https" and not re.search(rb"(?i);\s*secure\b", cookie)
        return cookie + b"; Secure" if secure else cookie
