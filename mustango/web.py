"""The page without its widgets: what it shows of progress, plans and takes, where files lie and what is let in."""

import html
import json
import re
import secrets
import shutil
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from musicbench import InputError
from musicbench.facts import read_prompt
from musicbench.picture import pages
from musicbench.progression import Progression
from mustango.reader import MAX_PROMPT, SAID, chord_line, chords_stated
from mustango.uploads import MAX_SONGS

KEPT_S = 3600  # seconds; files of takes and uploads are deleted after it
MAX_UPLOAD = 50 * 2**20  # bytes of a file
MAX_DISK = 8 * 2**30  # bytes of all files and of the uploads that are coming in; above it uploads are refused
UPLOAD, LOGIN = "/gradio_api/upload", ("/login", "/login/")  # what takes forms; all else takes JSON
AUTO = "Auto"

# ---------------------------------------------------------------------------------------------------- what is shown


def progress_html(progress):
    """Draw a Progress as a bar with its text and the seconds left."""
    percent, text = round(100 * progress.share), html.escape(progress.text)
    left = "" if progress.left_s is None else f"about {progress.left_s:.0f} s left"
    return (
        f'<div class="status"><p><span>{text}</span><span>{left}</span></p><div class="track" role="progressbar" '
        f'aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" aria-valuetext="{text}, {left}">'
        f'<div style="width:{percent}%"></div></div></div>'
    )


def status_html(text, kind="note"):
    """Show one line; kind: note, done or error."""
    role = "alert" if kind == "error" else "status"
    return f'<div class="status {kind}" role="{role}"><p>{html.escape(text)}</p></div>'


def plan_html(asked, check, knows_for=lambda asked: None):
    """Show the bars that a Request's chords were read as, or that were chosen, and what will be played; or what is wrong with it.

    check: `Studio.check`. knows_for: `Studio.knows_for`, so that what the model lacks is told.
    """
    try:
        asked = check(asked)
        plan = asked.resolved(knows=knows_for(asked))
        key_known = plan.origin["key"] in ("given", "prompt")
        bars = Progression.parse(asked.chords or chord_line(plan), plan.meter, plan.key if key_known else None)
    except InputError as error:
        return f'<div class="plan error" role="alert">{html.escape(str(error))}</div>'
    facts = [("tempo", f"{plan.bpm:g} bpm"), ("meter", plan.meter)] + [("key", plan.key)] * (plan.key_heard_in is not None)
    if not asked.chords:
        facts.append(("chords", "chords"))
    text = ", ".join(f"{value}{SAID[plan.origin[name]]}" for name, value in facts)
    if asked.count > 1 and "chosen" in (plan.origin["tempo"], plan.origin["chords"]):
        text += "; each further take chooses anew"
    if bars.timed:
        boxes = [[(f"{t:g} s: {c.lead_sheet(plan.key)}", 1)] for t, c in bars.timed]
    else:
        boxes = [[(c.lead_sheet(plan.key), beats) for c, beats in bar] for bar in bars.bars]
        bars_s = len(boxes) * plan.meter.beats * 60 / plan.bpm
        text = f"{len(boxes)} bar{'s' * (len(boxes) > 1)} = {bars_s:.1f} s of {plan.duration_s:.4g} s; {text}"
    items = "".join(
        "<li>" + "".join(f'<span style="flex:{beats:g}">{html.escape(name)}</span>' for name, beats in bar) + "</li>"
        for bar in boxes
    )
    return f'<div class="plan"><ol aria-label="Chords, bar by bar">{items}</ol>{_paragraphs(text, *plan.notes)}</div>'


def _paragraphs(*texts):
    return "".join(f"<p>{html.escape(text)}</p>" for text in texts if text)


def stated_in(prompt):
    """Return what a prompt states of chords, tempo, key and meter, as the controls show it."""
    stated = read_prompt((prompt or "")[:MAX_PROMPT])
    return {
        "chords": chords_stated(prompt or "", stated) or "",
        "tempo": stated.tempo_word or ("" if stated.tempo is None else f"{stated.tempo:g}"),
        "key": str(stated.key or AUTO),
        "meter": str(stated.meter or AUTO),
    }


def _in_short(names, most=24):
    return " ".join(names[:most]) + (f" ... ({len(names)} chords)" if len(names) > most else "")


def scores_html(take):
    """Show a take's asked and heard tempo, key and chords, and whether it obeyed."""
    asked, scores = take.controls, take.scores
    names = _in_short([c.lead_sheet(asked.key) for c in asked.chords])
    key = str(asked.key_heard_in or "none")
    rows = [["Tempo", f"{asked.bpm:g} bpm", "", None], ["Key", key, "", None], ["Chords", names, "", None]]
    if scores:
        missing = [scores.reasons.get(name, "nothing") for name in ("beats", "key", "chords")]
        octave = scores.tempo_octave and f", {scores.tempo_octave}"
        rows[0][2:] = (f"{scores.bpm_heard:.0f} bpm{octave}" if scores.bpm_heard else missing[0]), scores.tempo_obeyed
        rows[1][2:] = str(scores.key_heard or missing[1]), scores.key_obeyed
        share = scores.chords_matched
        rows[2][2:] = missing[2] if share is None else f"{share:.0%} of the time as asked", scores.chords_obeyed
    marks = {True: '<i class="yes">obeyed</i>', False: '<i class="no">differs</i>', None: ""}
    heard = '<th scope="col">Heard</th>' if scores else ""
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{html.escape(a)}</td>'
        + (f"<td>{html.escape(h)} {marks[ok]}</td>" if scores else "")
        + "</tr>"
        for name, a, h, ok in rows
    )
    notes = _paragraphs(take.remedy, *asked.notes)
    return f'<div class="scores"><table><tr><td></td><th scope="col">Asked</th>{heard}</tr>{body}</table>{notes}</div>'


def picture_html(take):
    """Show a take's picture, with its chords in words."""
    if take.picture is None:
        return ""
    asked = _in_short([c.lead_sheet(take.controls.key) for c in take.controls.chords])
    words = f"Spectrogram with beats as lines. Asked chords: {asked}. Heard chords: {_in_short(take.heard_chords) or 'none'}."
    address = f"gradio_api/file={take.picture}"
    image = f'<img src="{address}" style="--pages: {pages(take.controls.duration_s):.3f}" alt="{html.escape(words)}">'
    return f'<a href="{address}" target="_blank" title="Open the picture">{image}</a>'


def report_html(built):
    """Show a dataset's report in a frame of its own, in which no script runs."""
    text = html.escape(built.report.read_text(encoding="utf-8"))
    return f'<iframe title="Report on the dataset" sandbox srcdoc="{text}"></iframe>'


def take_name(number, take):
    """Name a take in the list of takes."""
    prompt = " ".join(take.request.prompt.split())
    return f"{number}. {prompt[:40] + ' ...' if len(prompt) > 40 else prompt or 'no prompt'}, {take.controls.bpm:g} bpm, seed {take.seed}"


# ---------------------------------------------------------------------------------------------------- files and requests


class Files:
    """The folder that holds everything of this server; each session's part has a name that nobody can guess."""

    def __init__(self, root):
        self.root, self._secret = Path(root).resolve(), secrets.token_bytes(32)
        self.served = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{32}/[0-9a-f]{32}/[A-Za-z0-9_-][A-Za-z0-9._-]*")
        self.uploaded = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{64}/[^/]+")

    def session(self, request):
        """Return the folder of the session that a Gradio request comes from."""
        return self.root / blake2b(str(request.session_hash).encode(), key=self._secret, digest_size=16).hexdigest()

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
    """Sweep once a minute, as long as there is the folder."""
    while root.is_dir():
        sweep_once(root)
        time.sleep(60)


CSS = """
#head h1 { margin: 0 } #head p { margin: 0; opacity: .8 }
.status p, .plan p { margin: 0; display: flex; justify-content: space-between; gap: 1em }
.status { padding: 10px 2px; min-height: 44px }
.track { height: 10px; border-radius: 5px; margin-top: 8px; background: var(--border-color-primary); overflow: hidden }
.track div { height: 100%; background: var(--color-accent); transition: width .2s }
.error, .error p { color: #b42318 !important; font-weight: 600 } .dark :is(.error, .error p) { color: #ff9c8f !important }
.plan ol { display: flex; flex-wrap: wrap; gap: 4px; list-style: none; margin: 0 0 4px; padding: 0 }
.plan li { display: flex; min-width: 56px; margin: 0; border-radius: 6px; border: 1px solid var(--color-accent); background: var(--input-background-fill) }
.plan li span { padding: 4px 8px; text-align: center; font-weight: 600 }
.plan li span + span { border-left: 1px dashed var(--color-accent) }
.plan p { font-size: var(--text-sm); opacity: .85 }
#scores :is(table, tr) { width: 100%; border-collapse: collapse; border: 0 !important }
#scores :is(th, td) { text-align: left; padding: 5px 8px; border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important; vertical-align: top }
#scores i { font-style: normal; border-radius: 4px; padding: 0 6px; font-size: var(--text-sm); border: 1px solid currentColor; white-space: nowrap }
#scores p { margin: 6px 8px; font-size: var(--text-sm) }
#scores .yes { color: #1a7f37 } #scores .no { color: #9a5b00 } .dark #scores .yes { color: #4ac26b } .dark #scores .no { color: #f0a050 }
#picture { overflow-x: auto !important } #picture img { width: calc(var(--pages) * max(100%, 560px)); max-width: none; border-radius: 8px }
#scores table, #picture img { margin: 0 }
#player button, #player time { color: var(--body-text-color) !important }
#status [data-testid="status-tracker"] svg, footer .divider { display: none }
:is(#pulse, #go) button { align-self: end; height: 46px; padding: 0 8px; margin-bottom: 1px }
#report iframe { width: 100%; height: 70vh; border: 1px solid var(--border-color-primary); border-radius: 8px }
#songs a { pointer-events: none; color: inherit }
button[role=tab][aria-selected=true] { color: var(--body-text-color) !important }
#cancel:disabled, #cancel-build:disabled { filter: grayscale(1) }
"""
