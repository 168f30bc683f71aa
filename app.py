"""The page: type a prompt with chords and a tempo, hear it, see that it obeyed. python app.py, then open the address it prints."""

import argparse
import html
import os
import re
import secrets
import shutil
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from musicbench import InputError, __version__
from musicbench.theory import MAX_BPM, MIN_BPM, PLAIN_NAMES, Key, Progression, parse_tempo
from mustango.reader import MAX_GUIDANCE, chord_line, read_prompt, resolve
from mustango.studio import MAX_STEPS, MAX_TAKES, Progress, Request, Studio, Take

KEPT_S = 3600  # files of takes and uploads are deleted after it
MAX_UPLOAD, MAX_UPLOADS = 50 * 2**20, 20  # bytes a file, files
MAX_DISK = 8 * 2**30  # bytes of all sessions together; above it uploads are refused
AUTO = "Auto"
KEYS = [AUTO, *(str(Key.of(pc, mode)) for mode in ("major", "minor") for pc in range(12))]
METERS = [AUTO, "4/4", "3/4", "2/4", "5/4", "6/8", "7/8"]
PRESETS = ["I V vi IV", "I vi IV V", "vi IV I V", "ii7 V7 Imaj7", "i bVII bVI V", "I bVII IV I", "I IV | ii V", "i iv V i"]
EXAMPLES = [  # prompt, chords, tempo, key, meter
    ["upbeat piano pop with drums", "C G Am F", 120, "C major", "4/4"],
    ["calm harp lullaby", "I vi | IV V", 80, "G major", "3/4"],
    ["jazz trio with double bass and brushes", "ii7 V7 Imaj7", 140, "Bb major", "4/4"],
    ["dark synth arpeggios, driving techno beat", "Am F C G", 128, "A minor", "4/4"],
]


def build_parser():
    parser = argparse.ArgumentParser("app.py", description="Open the page: prompt, chords and tempo in, music out.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--model", action="append", metavar="MODEL",
        help="a model the page offers: mustango-mini, a folder or a hub id; may be repeated (default mustango-mini)",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default %(default)s)")
    parser.add_argument("--port", type=int, default=7860, help="(default %(default)s)")
    parser.add_argument("--share", action="store_true", help="also open a public address through gradio.live")
    parser.add_argument("--auth", metavar="USER:PASS", help="ask for a name and password, on the page and in the API")
    parser.add_argument("--queue", type=int, default=40, metavar="N", help="requests that may wait (default %(default)s)")
    parser.add_argument("--low-memory", action="store_true", help="load text encoder, denoiser and decoder one after the other")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default %(default)s)")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"), help="(default %(default)s)")
    return parser


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


def plan_html(prompt, chords, tempo, auto, key, meter, duration, seed):
    """Show the bars that a chord line was read as and what will be played, or what is wrong with them."""
    try:
        asked = {"chords": chords.strip() or None, "tempo": None if auto else tempo, "key": named(key), "meter": named(meter)}
        plan = resolve(prompt, **asked, duration_s=duration, seed=int(seed or 0))
        line = Progression.parse(chords, plan.meter, Key.parse(key) if named(key) else read_prompt(prompt).key) if chords.strip() else None
    except InputError as error:
        return f'<div class="plan error" role="alert">{html.escape(str(error))}</div>'
    said = {"given": "", "prompt": " (prompt)", "predicted": " (predicted)", "chosen": " (chosen)"}
    facts = [("tempo", f"{plan.bpm:g} bpm"), ("meter", plan.meter), ("key", plan.key)]
    text = ", ".join(f"{value}{said[plan.origin[name]]}" for name, value in facts)
    if line and line.timed:
        bars = [[(f"{t:g} s: {c.lead_sheet(plan.key)}", 1)] for t, c in line.timed]
    elif line:
        bars = [[(c.lead_sheet(plan.key), beats) for c, beats in bar] for bar in line.bars]
        text = f"{len(bars)} bar{'s' * (len(bars) > 1)} = {len(bars) * plan.meter.beats * 60 / plan.bpm:.1f} s of {duration:g} s; {text}"
    else:
        bars, text = [], f"{text}, chords {'from the prompt' if plan.origin['chords'] == 'prompt' else '(chosen)'}"
    boxes = "".join(
        '<li>' + "".join(f'<span style="flex:{beats:g}">{html.escape(name)}</span>' for name, beats in bar) + "</li>" for bar in bars
    )
    return f'<div class="plan"><ol aria-label="Chords, bar by bar">{boxes}</ol><p>{html.escape(text)}</p></div>'


def scores_html(take):
    """Show a take's asked and heard tempo, key and chords."""
    asked, scores = take.controls, take.scores
    names = " ".join(c.lead_sheet(asked.key) for c in asked.chords)
    rows = [["Tempo", f"{asked.bpm:g} bpm", "", None], ["Key", str(asked.key), "", None], ["Chords", names, "", None]]
    note = take.remedy or ("" if scores or not take.request.listen else "Listening back ...")
    if scores:
        missing = [scores.reasons.get(name, "nothing") for name in ("beats", "key", "chords")]
        rows[0][2:] = (f"{scores.bpm_heard:.0f} bpm" if scores.bpm_heard else missing[0]), scores.tempo_obeyed
        rows[1][2:] = str(scores.key_heard or missing[1]), scores.key_obeyed
        share = scores.chords_matched
        rows[2][2:] = missing[2] if share is None else f"{share:.0%} of the time as asked", None if share is None else share >= 0.7
    marks = {True: '<i class="yes">obeyed</i>', False: '<i class="no">differs</i>', None: ""}
    heard = '<th scope="col">Heard</th>' if scores else ""
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{html.escape(a)}</td>' + (f"<td>{html.escape(h)} {marks[ok]}</td>" if scores else "") + "</tr>"
        for name, a, h, ok in rows
    )
    notes = "".join(f"<p>{html.escape(text)}</p>" for text in (note, *asked.notes) if text)
    return f'<div class="scores"><table><tr><td></td><th scope="col">Asked</th>{heard}</tr>{body}</table>{notes}</div>'


def take_name(number, take):
    """Name a take in the list of takes."""
    prompt = " ".join(take.request.prompt.split())
    return f"{number}. {prompt[:40] + ' ...' if len(prompt) > 40 else prompt or 'no prompt'}, {take.controls.bpm:g} bpm, seed {take.seed}"


def named(choice):
    """Return a dropdown's choice, "" for Auto."""
    return "" if choice in (AUTO, None) else choice


# ---------------------------------------------------------------------------------------------------- files and requests


class Files:
    """The folder that holds everything of this server; each session's part has a name that nobody can guess."""

    def __init__(self, root):
        self.root, self._secret = Path(root).resolve(), secrets.token_bytes(32)
        self.served = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{32}/[0-9a-f]{32}/[A-Za-z0-9_-][A-Za-z0-9._-]*")
        self.uploaded = re.compile(re.escape(str(self.root)) + r"/[0-9a-f]{64}/[^/]+")

    def session(self, request):
        """Return the folder of the session that a request comes from."""
        name = blake2b(str(request.session_hash).encode(), key=self._secret, digest_size=16).hexdigest()
        return self.root / name

    def size(self):
        """Return how many bytes all files hold."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())


class Gate:
    """ASGI middleware: serves only files of takes, bounds what is sent, keeps the page to this server's own scripts and fonts."""

    POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; object-src 'none'"
    CLOSED = ("/gradio_api/proxy", "/gradio_api/deep_link", "/gradio_api/stream", "/gradio_api/process_recording", "/monitoring")

    def __init__(self, app, files):
        self.app, self.files = app, files

    def refusal(self, scope):
        """Return (status, reason) when a request is not let in, else None."""
        path, headers = scope["path"], dict(scope["headers"])
        at = path.find("/gradio_api/file")
        if at >= 0 and not self.files.served.fullmatch(path[at:].removeprefix("/gradio_api/file=")):
            return 403, "no such file"
        if any(closed in path for closed in self.CLOSED):
            return 403, "not offered here"
        if scope["method"] == "POST":
            length, upload = headers.get(b"content-length", b""), path.endswith("/upload")
            if not length.isdigit():
                return 411, "give the length of what you send"
            if int(length) > (MAX_UPLOAD * MAX_UPLOADS if upload else 2**20):
                return 413, f"too much; a file may have {MAX_UPLOAD >> 20} MiB, a request without files 1 MiB"
            if upload and self.files.size() + int(length) > MAX_DISK:
                return 507, "this server holds too many files now; try again later"
        return None

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if refused := self.refusal(scope):
            from starlette.responses import PlainTextResponse

            return await PlainTextResponse(refused[1], refused[0])(scope, receive, send)

        async def send_guarded(message):
            if message["type"] == "http.response.start":
                extra = {"content-security-policy": self.POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin"}
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in extra.items())]
            await send(message)

        return await self.app(scope, receive, send_guarded)


# ---------------------------------------------------------------------------------------------------- the page

TAP = """(tempo, auto) => {
  const now = performance.now(), taps = (window.taps || []).filter(t => now - t < 12000);
  window.taps = taps.length && now - taps[taps.length - 1] > 2500 ? [now] : [...taps, now];
  const n = window.taps.length - 1;
  return n < 1 ? [tempo, auto] : [Math.min(300, Math.max(20, Math.round(60000 * n / (now - window.taps[0])))), false];
}"""
DICE = "() => Math.floor(Math.random() * 100000)"
WITH_SHADE = "(...values) => [...values.slice(0, -1), document.body.classList.contains('dark')]"


def build_page(studio, files):
    """Return the Blocks: the page and its API."""
    import gradio as gr

    def fill(prompt, chords, tempo, auto, key, meter, filled):
        """Write what the prompt states into the controls that are empty or still hold what an earlier prompt stated."""
        stated = read_prompt(prompt or "")
        new = {"chords": stated.chords or "", "key": str(stated.key or AUTO), "meter": str(stated.meter or AUTO)}
        old = {"chords": chords, "key": key, "meter": meter}
        for name, value in old.items():
            if value not in ("", AUTO, filled.get(name)):
                new[name] = value
        tempo = stated.tempo if auto and stated.tempo else tempo
        keys = KEYS if new["key"] in KEYS else [*KEYS, new["key"]]
        meters = METERS if new["meter"] in METERS else [*METERS, new["meter"]]
        filled = {name: value for name, value in new.items() if value == str(getattr(stated, name))}
        return new["chords"], tempo, gr.Dropdown(keys, value=new["key"]), gr.Dropdown(meters, value=new["meter"]), filled

    def shown(take):
        """Return what the viewer shows of a take."""
        if take is None:
            return None, "", None, *([gr.DownloadButton(interactive=False)] * 4), gr.Button(interactive=False), gr.Button(interactive=False)
        paths = [gr.DownloadButton(value=str(path), interactive=True) for path in (take.wav, take.flac, take.midi, take.json)]
        picture = str(take.picture) if take.picture else None
        return str(take.wav), scores_html(take), picture, *paths, gr.Button(interactive=True), gr.Button(interactive=True)

    def play(prompt, chords, tempo, auto, key, meter, duration, seed, count, steps, guidance, negative, scheduler, model,
             predictors, listen, takes, dark, request: gr.Request):  # fmt: skip
        """Make the takes that the page asks for, showing progress and each take as it comes."""
        asked = Request(
            prompt or "", (chords or "").strip(), "" if auto else tempo, named(key), named(meter), duration,
            0 if seed is None else seed, count, steps, guidance, negative or "", scheduler, model, predictors, listen, dark,
        )  # fmt: skip
        idle, busy = (gr.Button(interactive=True), gr.Button(interactive=False)), (gr.Button(interactive=False), gr.Button(interactive=True))
        unchanged = [gr.skip()] * len(viewer)
        try:
            for event in studio.play(asked, files.session(request)):
                if isinstance(event, Progress):
                    yield progress_html(event), gr.skip(), gr.skip(), *busy, *unchanged
                else:
                    takes = [event, *(take for take in takes if take.id != event.id)][:20]
                    names = [(take_name(len(takes) - i, take), take.id) for i, take in enumerate(takes)]
                    yield gr.skip(), takes, gr.Radio(names, value=event.id, visible=True), *busy, *shown(event)
        except InputError as error:
            yield status_html(str(error), "error"), gr.skip(), gr.skip(), *idle, *unchanged
        else:
            yield status_html("Done. Press play.", "done"), gr.skip(), gr.skip(), *idle, *unchanged

    def generate(
        prompt: str, chords: str = "", tempo: float | None = None, key: str = "", meter: str = "", duration: float = 10.24,
        seed: int = 0, count: int = 1, steps: int = 20, guidance: float = 3.0, negative_prompt: str = "",
        scheduler: Literal["dpm", "ddim", "ddpm"] = "dpm", model: str = "", predictors: Literal["auto", "neural", "reader"] = "auto",
        listen: bool = True, request: gr.Request = None,
    ) -> list[dict]:  # fmt: skip
        """Make music. Returns a list with a dictionary for each take: the files wav, flac, midi, json and picture; the seed; scores."""

        def file(path):
            return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

        asked = Request(
            prompt, chords, tempo, key, meter, duration, seed, count, steps, guidance, negative_prompt, scheduler, model, predictors,
            listen,
        )  # fmt: skip
        finished = []
        try:
            for event in studio.play(asked, files.session(request)):
                if isinstance(event, Take) and event.picture:
                    scores = event.scores and {
                        "tempo": [event.scores.bpm_asked, event.scores.bpm_heard],
                        "key": [str(event.scores.key_asked), event.scores.key_heard and str(event.scores.key_heard)],
                        "chords_matched": event.scores.chords_matched,
                    }
                    parts = {name: file(getattr(event, name)) for name in ("wav", "flac", "midi", "json", "picture")}
                    finished.append({**parts, "seed": event.seed, "scores": scores, "note": event.remedy})
                yield finished
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None

    with gr.Blocks(title="Mustango", analytics_enabled=False, delete_cache=(60, KEPT_S)) as page:
        gr.Markdown("# Mustango\nType a prompt, chords and a tempo. Hear music that obeys them.", elem_id="head")
        with gr.Tab("Music"):
            takes, filled = gr.State([], time_to_live=KEPT_S), gr.State({})
            dark = gr.Checkbox(visible=False, label="Dark page")
            with gr.Row(equal_height=False):
                with gr.Column(scale=5, min_width=320):
                    prompt = gr.Textbox(label="Prompt", placeholder="upbeat piano pop with drums", lines=2, max_lines=6, elem_id="prompt")
                    chords = gr.Textbox(
                        label="Chords", placeholder="C G Am F   or   C | G Am | F:2 G:2   or   I V vi IV", lines=1, elem_id="chords",
                        info="One a bar; bars with | share their beats. Empty: from the prompt, or chosen.",
                    )  # fmt: skip
                    plan = gr.HTML(elem_id="plan")
                    preset = gr.Dropdown(PRESETS, label="Progression in the key", value=None, elem_id="preset")
                    with gr.Row(equal_height=True):
                        tempo = gr.Slider(MIN_BPM, MAX_BPM, 120, step=1, label="Tempo (bpm)", scale=4, min_width=180, elem_id="tempo")
                        with gr.Column(scale=1, min_width=90):
                            auto = gr.Checkbox(True, label="Auto", container=False, elem_id="auto")
                            tap = gr.Button("Tap", size="sm", elem_id="tap")
                    with gr.Row():
                        key = gr.Dropdown(KEYS, value=AUTO, label="Key", min_width=120, elem_id="key")
                        meter = gr.Dropdown(METERS, value=AUTO, label="Meter", min_width=120, elem_id="meter")
                    with gr.Row():
                        window_s = studio.windows[studio.default]
                        duration = gr.Slider(1, window_s, window_s, step=0.01, label="Duration (s)", min_width=160, elem_id="duration")
                        count = gr.Slider(1, MAX_TAKES, 1, step=1, label="Takes", min_width=160, elem_id="count")
                    with gr.Row(equal_height=True):
                        seed = gr.Number(0, label="Seed", precision=0, minimum=0, scale=3, min_width=120, elem_id="seed")
                        dice = gr.Button("Dice", size="sm", scale=1, min_width=90, elem_id="dice")
                    with gr.Accordion("Advanced", open=False):
                        with gr.Row():
                            steps = gr.Slider(1, MAX_STEPS, 20, step=1, label="Steps", min_width=160)
                            guidance = gr.Slider(0, MAX_GUIDANCE, 3, step=0.1, label="Guidance", min_width=160)
                        negative = gr.Textbox(label="Negative prompt", placeholder="what it should not sound like")
                        with gr.Row():
                            scheduler = gr.Dropdown(["dpm", "ddim", "ddpm"], value="dpm", label="Scheduler", min_width=120)
                            model = gr.Dropdown(list(studio.models), value=studio.default, label="Model", min_width=120)
                            predictors = gr.Dropdown(["auto", "neural", "reader"], value="auto", label="Predictors", min_width=120)
                        listen = gr.Checkbox(True, label="Listen back and score what is heard")
                    with gr.Row():
                        go = gr.Button("Generate", variant="primary", elem_id="generate")
                        stop = gr.Button("Cancel", variant="stop", interactive=False, elem_id="cancel")
                    gr.Examples(
                        EXAMPLES, [prompt, chords, tempo, key, meter], label="Examples", elem_id="examples",
                        example_labels=[f"{example[0]}: {example[1]}" for example in EXAMPLES],
                    )  # fmt: skip
                with gr.Column(scale=6, min_width=320):
                    status = gr.HTML(status_html("Your takes appear here."), elem_id="status", min_height=64)
                    player = gr.Audio(label="Take", type="filepath", interactive=False, buttons=[], elem_id="player")
                    scores = gr.HTML(elem_id="scores")
                    picture = gr.Image(label="Spectrogram, beats, asked and heard chords", type="filepath", interactive=False,
                                       buttons=["fullscreen"], elem_id="picture")  # fmt: skip
                    with gr.Row():
                        downloads = [
                            gr.DownloadButton(name, size="sm", min_width=70, interactive=False, elem_id=f"download-{name.lower()}")
                            for name in ("WAV", "FLAC", "MIDI", "JSON")
                        ]
                    with gr.Row():
                        again = gr.Button("Again with another seed", size="sm", interactive=False, elem_id="again")
                        reuse = gr.Button("Use these chords", size="sm", interactive=False, elem_id="reuse")
                    history = gr.Radio([], label="Takes of this session", visible=False, elem_id="history")

        controls = [prompt, chords, tempo, auto, key, meter, duration, seed]
        settings = [count, steps, guidance, negative, scheduler, model, predictors, listen]
        viewer = [player, scores, picture, *downloads, again, reuse]
        quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        gr.on([c.change for c in controls], plan_html, controls, plan, trigger_mode="always_last", **quiet)
        page.load(plan_html, controls, plan, **quiet)
        prompt.change(fill, [prompt, chords, tempo, auto, key, meter, filled], [chords, tempo, key, meter, filled],
                      trigger_mode="always_last", **quiet)  # fmt: skip
        preset.input(lambda line: line, preset, chords, **quiet)
        tempo.input(lambda: False, None, auto, **quiet)
        tap.click(None, [tempo, auto], [tempo, auto], js=TAP, **quiet)
        dice.click(None, None, seed, js=DICE, **quiet)
        model.change(lambda name: gr.Slider(maximum=studio.windows[name], value=studio.windows[name]), model, duration, **quiet)

        outputs = [status, takes, history, go, stop, *viewer]
        run = {
            "fn": play, "inputs": [*controls, *settings, takes, dark], "outputs": outputs, "js": WITH_SHADE, "show_progress": "full",
            "show_progress_on": status, "concurrency_limit": 1, "concurrency_id": "studio", "api_visibility": "private",
        }  # fmt: skip
        by_id = {"inputs": [history, takes]}

        def find(take_id, takes):
            return next((take for take in takes if take.id == take_id), None)

        def recall(take_id, takes):
            """Set the controls to those of a take."""
            take = find(take_id, takes)
            if take is None:
                return [gr.skip()] * len(controls + settings)
            r = take.request
            open_tempo = r.tempo in ("", None)
            return [
                r.prompt, r.chords, take.controls.bpm if open_tempo else parse_tempo(r.tempo), open_tempo, r.key or AUTO, r.meter or AUTO,
                r.duration, secrets.randbelow(100000), 1, r.steps, r.guidance, r.negative_prompt, r.scheduler, r.model, r.predictors,
                r.listen,
            ]  # fmt: skip

        def chords_of(take_id, takes):
            take = find(take_id, takes)
            return chord_line(take.controls) if take else gr.skip()

        history.input(lambda take_id, takes: shown(find(take_id, takes)), outputs=viewer, **by_id, **quiet)
        reuse.click(chords_of, outputs=chords, **by_id, **quiet)
        runs = [go.click(**run), prompt.submit(**run), again.click(recall, outputs=controls + settings, **by_id, **quiet).then(**run)]
        stop.click(
            lambda: (status_html("Cancelled."), gr.Button(interactive=True), gr.Button(interactive=False)), None, [status, go, stop],
            cancels=runs, **quiet,
        )  # fmt: skip
        gr.api(generate, api_name="generate", concurrency_limit=1, concurrency_id="studio")
    return page


CSS = """
#head h1 { margin: 0 } #head p { margin: 0; opacity: .8 }
.status p, .plan p { margin: 0; display: flex; justify-content: space-between; gap: 1em }
.status { padding: 10px 2px; min-height: 44px }
.track { height: 10px; border-radius: 5px; margin-top: 8px; background: var(--border-color-primary); overflow: hidden }
.track div { height: 100%; background: var(--color-accent); transition: width .2s }
.error { color: var(--error-text-color); font-weight: 600 }
.plan ol { display: flex; flex-wrap: wrap; gap: 4px; list-style: none; margin: 0 0 4px; padding: 0 }
.plan li { display: flex; border: 1px solid var(--border-color-primary); border-radius: 6px; margin: 0; min-width: 56px; background: var(--input-background-fill) }
.plan li span { padding: 4px 8px; text-align: center; font-weight: 600 } .plan li span + span { border-left: 1px dashed var(--border-color-primary) }
.plan p { font-size: var(--text-sm); opacity: .85 }
.scores table { width: 100%; border-collapse: collapse } .scores th, .scores td { text-align: left; padding: 4px 8px; border-bottom: 1px solid var(--border-color-primary); vertical-align: top }
.scores i { font-style: normal; border-radius: 4px; padding: 0 6px; font-size: var(--text-sm); border: 1px solid currentColor } .scores p { margin: 6px 8px; font-size: var(--text-sm) }
.yes { color: #1a7f37 } .no { color: #b35900 } .dark .yes { color: #4ac26b } .dark .no { color: #f0a050 }
"""


def launch(options, **more):
    """Serve the page; returns the Blocks when `prevent_thread_lock` is among `more`. Raises InputError."""
    auth = tuple(options.auth.split(":", 1)) if options.auth else None
    if auth and (len(auth) != 2 or not all(auth)):
        raise InputError(f"--auth {options.auth!r} is not USER:PASS; give a name, a colon and a password")
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    studio = Studio(options.model or ["mustango-mini"], options.device, options.dtype, options.low_memory)
    root = tempfile.mkdtemp(prefix="mustango-page-")
    os.environ.update(GRADIO_TEMP_DIR=root, GRADIO_ANALYTICS_ENABLED="False", GRADIO_EXAMPLES_CACHE=f"{root}/examples")
    import gradio as gr
    from starlette.middleware import Middleware

    files = Files(root)
    page = build_page(studio, files)
    page.queue(max_size=options.queue)
    font = ["system-ui", "sans-serif"]
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, auth=auth, ssr_mode=False, run_history=False,
            enable_monitoring=False, footer_links=["api"], max_file_size=MAX_UPLOAD, state_session_capacity=200, css=CSS,
            theme=gr.themes.Default(primary_hue="teal", font=font, font_mono=["ui-monospace", "monospace"]),
            app_kwargs={"middleware": [Middleware(Gate, files=files)]}, **{"prevent_thread_lock": True, **more},
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"cannot listen on {options.host}:{options.port} ({error}); choose another --port or --host") from None
    studio.warm_up()
    return page


def main(arguments=None):
    """Run the page until it is stopped; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        launch(options).block_thread()
    except InputError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    finally:
        if root := os.environ.get("GRADIO_TEMP_DIR", ""):
            shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
