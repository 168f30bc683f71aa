"""The page: type a prompt with chords and a tempo, hear it, see that it obeyed. python app.py, then open the address it prints."""

import argparse
import os
import re
import signal
import socket
import sys
import tempfile
from dataclasses import fields, replace
from threading import Thread
from types import SimpleNamespace
from typing import Literal

from musicbench import InputError, Parser, __version__, whole
from musicbench.theory import Key
from mustango import DTYPES, PREDICTORS, SCHEDULERS
from mustango.requests import check_device_named
from mustango.studio import AUTO_DURATION, Progress, Request, Studio, Take
from mustango.uploads import KINDS, MAX_SONG_S, MAX_SONGS, RECIPES, Builder
from mustango.web import (
    AUTO,
    KEPT,
    KEPT_S,
    MAX_UPLOAD,
    Files,
    Gate,
    cards_in,
    page_remedies,
    plan_html,
    progress_html,
    render,
    report_html,
    save_card,
    say_same,
    script,
    stated_in,
    status_html,
    style,
    sweep,
)

KEYS = [AUTO, *(str(Key.of(pc, mode)) for mode in ("major", "minor") for pc in range(12))]
METERS = [AUTO, "4/4", "3/4", "2/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
PRESETS = ["I V vi IV", "I vi IV V", "vi IV I V", "ii7 V7 Imaj7", "i bVII bVI V", "I bVII IV I", "I IV | ii V", "i iv V i"]
EXAMPLES = [
    {"prompt": "upbeat piano pop with drums", "chords": "C G Am F", "tempo": "120", "key": "C major", "meter": "4/4"},
    {"prompt": "calm harp lullaby", "chords": "I vi | IV V", "tempo": "80", "key": "G major", "meter": "3/4"},
    {"prompt": "jazz trio with double bass and brushes", "chords": "ii7 V7 Imaj7", "tempo": "140", "key": "Bb major", "meter": "4/4"},
    {"prompt": "dark synth arpeggios, driving techno beat", "chords": "Am F C G", "tempo": "128", "key": "A minor", "meter": "4/4"},
]  # fmt: skip
LOUDNESS = {"-14 LUFS": -14.0, "As made": None}


def port(text):
    """Read a command-line option that is a TCP port; 0 is any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is outside 0-65535; give a port within it")
    return int(text)


def build_parser():
    parser = Parser("app.py", description="Open the page: prompt, chords and tempo in, music out.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--model", action="append", metavar="MODEL",
        help="a model the page offers: mustango-mini, a folder or a hub id; may be repeated (default mustango-mini)",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default %(default)s)")
    parser.add_argument("--port", type=port, default=7860, help="(default %(default)s)")
    parser.add_argument("--share", action="store_true", help="also open a public address through gradio.live")
    parser.add_argument("--auth", metavar="USER:PASS", help="ask for a name and password, on the page and in the API")
    parser.add_argument("--queue", type=whole, default=40, metavar="N", help="requests that may wait (default %(default)s)")
    parser.add_argument("--low-memory", action="store_true", help="load text encoder, denoiser and decoder one after the other")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default %(default)s)")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="(default %(default)s)")
    return parser


# ---------------------------------------------------------------------------------------------------- the page

FAILED = "The server is full or failed; try again."
RESTORED = "Your takes are below."
RELOADED = "The reload stopped the work. Press Generate to start again."
TAP = "tempo => mustango.tap(tempo)"
# A dropdown has input when it is left, too: it is emptied when it was read, and empty it changes nothing.
CHOOSE = "line => { if (line) mustango.set({chords: line}); return null; }"
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}  # small things, done at once
ONE_PLAYS = {"concurrency_limit": 1, "concurrency_id": "studio"}


class Desk:
    """The status of one kind of work, the buttons that start it, off while it goes on, and the one that stops it.

    `shown` are the components that `waiting` and `idle` give values for; these are for events: called while the page is built they
    would place their buttons on it.
    """

    def __init__(self, status, stop, *starts):
        self.status, self.stop, self.shown = status, stop, [status, stop, *starts]
        self._state = f"window['state of {stop.elem_id}']"  # 'running', 'stopping' or 'over'

    def _with_buttons(self, html, working):
        import gradio as gr

        return [html, gr.Button(interactive=working), *(gr.Button(interactive=not working) for _ in self.shown[2:])]

    def waiting(self):
        """Return what is shown while a request waits for its turn."""
        return self._with_buttons(status_html("Waiting for its turn"), True)

    def idle(self, text, kind="note", remedies=()):
        """Return what is shown when nothing is done (any more)."""
        return self._with_buttons(status_html(text, kind, remedies), False)

    def begin(self, also=""):
        """Return the script of the event that asks for work, which may be stopped from then on; also: a statement more."""
        return f"(...values) => {{ {self._state} = 'running'; {also}; return values; }}"

    @property
    def stopping(self):
        """What tells in a script whether the work was stopped."""
        return f"{self._state} == 'stopping'"

    def stoppable(self, runs):
        """Let the stop button end `runs`, the events of `begin` or after it, and say how a run ended that could not say so itself.

        Gradio takes a cancelled run for done or for failed, whichever it hears of first, and until then may show another step.
        """
        import gradio as gr

        clicked, state = gr.Checkbox(visible=False, label="Cancelled"), self._state
        end = {"js": f"() => {{ const clicked = {self.stopping}; {state} = 'over'; return clicked; }}", **QUIET}
        for run in runs:
            run.failure(
                lambda clicked: self.idle("Cancelled.") if clicked else self.idle(FAILED, "error"), clicked, self.shown, **end
            )
            run.success(
                lambda clicked: self.idle("Cancelled.") if clicked else [gr.skip()] * len(self.shown), clicked, self.shown, **end
            )
        stopping = f"now => {state} == 'running' ? ({state} = 'stopping', `{status_html('Stopping')}`) : now"
        self.stop.click(None, self.status, self.status, js=stopping, cancels=runs, **QUIET)


def inputs_column(studio):
    """Place what is asked for; returns the widgets by name."""
    import gradio as gr

    w = SimpleNamespace()
    w.prompt = gr.Textbox(label="Prompt", placeholder="upbeat piano pop with drums", lines=2, max_lines=6, elem_id="prompt")
    w.chords = gr.Textbox(
        label="Chords", placeholder="C G Am F   or   C | G Am   or   I V vi IV", lines=1, elem_id="chords",
        info="One a bar; bars with | share their beats. Empty: from the prompt, or chosen.",
    )  # fmt: skip
    w.plan = gr.HTML(elem_id="plan")
    with gr.Row(elem_id="pulse"):
        w.tempo = gr.Textbox(
            label="Tempo (bpm)", placeholder="Auto, 120, Allegro", max_lines=1, scale=4, min_width=180, elem_id="tempo"
        )
        w.tap = gr.Button("Tap", scale=1, min_width=90, elem_id="tap")
    with gr.Row():
        w.key = gr.Dropdown(KEYS, value=AUTO, label="Key", allow_custom_value=True, min_width=110, elem_id="key")
        w.meter = gr.Dropdown(METERS, value=AUTO, label="Meter", allow_custom_value=True, min_width=90, elem_id="meter")
        w.preset = gr.Dropdown(PRESETS, value=None, label="Progressions", scale=2, min_width=160, elem_id="preset")
    with gr.Row():
        w.length = gr.Textbox(
            label="Length", placeholder="as long as the chords", max_lines=1, scale=2, min_width=150, elem_id="length",
            info="Empty: the chords once.",
        )  # fmt: skip
        w.unit = gr.Dropdown(["bars", "seconds"], value="bars", label="Unit", min_width=100, elem_id="unit")
        w.count = gr.Number(1, label="Takes", min_width=80, elem_id="count")
    with gr.Row(elem_id="seeds"):
        w.seed = gr.Number(
            0, label="Seed", scale=3, min_width=150, elem_id="seed",
            info="The same seed and settings give the same take. After each take a new one is drawn.",
        )  # fmt: skip
        w.dice = gr.Button("Dice", scale=1, min_width=70, elem_id="dice")
        w.lock = gr.Checkbox(False, label="Lock the seed", scale=1, min_width=120, elem_id="lock")
    advanced(w, studio)
    with gr.Row(elem_id="go"):  # stays in sight, see page.css
        w.go = gr.Button("Generate", variant="primary", scale=4, min_width=150, elem_id="generate")
        w.stop = gr.Button("Cancel", variant="stop", interactive=False, scale=2, min_width=90, elem_id="cancel")
    # Nobody sees these: what the server read, on its way into the controls, and what the browser knows: whether the page is dark,
    # whether Cancel was quicker, the tab's secret, its inputs before a reload, the request of a take to be made again.
    w.stated = gr.JSON(visible="hidden", label="Controls read")
    w.dark = gr.Checkbox(visible=False, label="Dark page")
    w.cancelled = gr.Checkbox(visible=False, label="Cancelled before it began")
    w.token = gr.Textbox(visible=False, label="Secret of the tab")
    w.kept = gr.JSON(visible=False, label="Inputs before a reload")
    w.request = gr.JSON(visible=False, label="Request of a take")
    w.set, w.again = gr.Button("Set", visible="hidden", elem_id="set"), gr.Button("Again", visible="hidden", elem_id="again")
    return w


def advanced(w, studio):
    """Place what few people change, each with a plain sentence."""
    import gradio as gr

    with gr.Accordion("Advanced", open=False):
        with gr.Row():
            w.steps = gr.Number(20, label="Steps", min_width=150, info="More steps take longer and sound cleaner; 20 is usual.")
            w.guidance = gr.Number(
                3, label="Guidance", min_width=150,
                info="How closely the music follows what you ask: 3 is usual, 1 is loose, high values sound harsh.",
            )  # fmt: skip
        w.negative = gr.Textbox(label="Negative prompt", placeholder="what it should not sound like")
        w.scheduler = gr.Dropdown(
            SCHEDULERS, value="dpm", label="Solver", elem_id="solver",
            info="How noise is turned into music step by step: dpm needs about 20 steps, ddim and ddpm about 100.",
        )  # fmt: skip
        w.model = gr.Dropdown(list(studio.models), value=studio.default, label="Model", elem_id="model")
        w.predictors = gr.Dropdown(
            PREDICTORS, value="auto", label="Predictors", elem_id="predictors",
            info="Who chooses the tempo and chords you leave out: reader follows rules, neural asks a released model, auto takes "
            "neural where the model has it.",
        )  # fmt: skip
        w.loudness = gr.Dropdown(
            list(LOUDNESS), value="-14 LUFS", label="Loudness of downloads", elem_id="loudness",
            info="-14 LUFS is as loud as streaming services play; as made leaves the level alone.",
        )  # fmt: skip
        w.listen = gr.Checkbox(True, label="Listen back and score what is heard")


def takes_column():
    """Place what comes out; returns the widgets by name. The takes themselves are placed by `page.js`."""
    import gradio as gr

    v = SimpleNamespace()
    start = status_html("Your takes appear here. Try an example, or write your own.")
    v.status = gr.HTML(start, elem_id="status", min_height=64)
    gr.HTML(render("takes", KEPT))
    gr.HTML(render("examples", EXAMPLES))
    v.arrived = gr.JSON(visible="hidden", label="Takes on their way")
    return v


CONTROLS = (
    "prompt", "chords", "tempo", "key", "meter", "length", "unit", "seed", "lock", "count", "steps", "guidance", "negative_prompt",
    "scheduler", "model", "predictors", "loudness", "listen",
)  # fmt: skip
NUMBERS, CHECKS = ("seed", "count", "steps", "guidance"), ("lock", "listen")


def asked_for(*values):
    """Return the Request of what stands in the page's widgets, in the order of CONTROLS."""
    asked = dict(zip(CONTROLS, values, strict=True))
    length, unit = str(asked.pop("length") or "").strip(), asked.pop("unit")
    plain = re.fullmatch(r"[-+]?[\d.,]+", length)
    asked["duration"] = f"{length} bars" if plain and unit == "bars" else length or AUTO_DURATION
    asked["loudness"] = LOUDNESS.get(asked["loudness"])
    del asked["lock"]
    return Request(**{name: "" if value == AUTO else value for name, value in asked.items()})


def kept_inputs(kept, models):
    """Return the values of CONTROLS that a tab kept over a reload, each None where it kept nothing that fits."""
    kept = kept if isinstance(kept, dict) else {}
    choices = {
        "unit": ["bars", "seconds"],
        "scheduler": SCHEDULERS,
        "model": models,
        "predictors": PREDICTORS,
        "loudness": LOUDNESS,
    }
    values = []
    for name in CONTROLS:
        value, kind = kept.get(name), str
        if name in NUMBERS:
            kind = (int, float)
        elif name in CHECKS:
            kind = bool
        fits = isinstance(value, kind) and value in choices.get(name, [value])
        values.append(value if fits else None)
    return values


def music_tab(page, studio, files):
    """Place the tab that makes music, and let its widgets act."""
    import gradio as gr

    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            w = inputs_column(studio)
        with gr.Column(scale=6, min_width=320):
            v = takes_column()
    controls = [
        w.prompt, w.chords, w.tempo, w.key, w.meter, w.length, w.unit, w.seed, w.lock, w.count, w.steps, w.guidance, w.negative,
        w.scheduler, w.model, w.predictors, w.loudness, w.listen,
    ]  # fmt: skip
    desk = Desk(v.status, w.stop, w.go)

    def make(asked, token, request):
        """Make the takes that are asked for, showing progress and each take as it comes."""
        still, cards, folder = [gr.skip()] * len(desk.shown), {}, files.tab(token, request)
        try:
            same = say_same(studio.check(asked), cards_in(folder))
            for event in studio.play(asked, folder):
                if isinstance(event, Progress):
                    yield progress_html(event, same), *still[1:], gr.skip()
                else:
                    cards[event.id] = save_card(event, folder)
                    yield *still, {"cards": [*cards.values()]}  # all: the browser may see only the last of two values
        except InputError as error:
            remedies = page_remedies(studio.remedies(asked))
            yield *desk.idle(str(error), "input error", remedies), gr.skip()
        else:
            yield *desk.idle(f"Done. Press play. {same}".strip(), "done"), gr.skip()

    def play(request: gr.Request, *values):
        """Make what the page's controls ask for; the last three values come from the browser."""
        *asked, dark, cancelled, token = values
        if cancelled:
            yield *desk.idle("Cancelled."), gr.skip()
            return
        yield from make(replace(asked_for(*asked), dark=dark), token, request)

    def play_again(asked, dark, cancelled, token, request: gr.Request):
        """Make what a take's request asks for, whatever the controls say now."""
        if cancelled:
            yield *desk.idle("Cancelled."), gr.skip()
            return
        known = {field.name for field in fields(Request)}
        asked = asked if isinstance(asked, dict) else {}
        asked = {name: value for name, value in asked.items() if name in known}
        yield from make(Request(**asked | {"dark": dark, "count": 1}), token, request)

    def restore(kept, token, request: gr.Request):
        """Return the inputs and takes that a tab had before it was reloaded."""
        values = kept_inputs(kept, list(studio.models))
        cards = cards_in(files.tab(token, request))
        status = status_html(RESTORED) if cards else gr.skip()
        return [*(gr.skip() if value is None else value for value in values), {"cards": cards, "restored": True}, status]

    def plan(*asked):
        return plan_html(asked_for(*asked), studio)

    page.load(
        restore, [w.kept, w.token], [*controls, v.arrived, v.status], preprocess=False, js="() => mustango.begin()", **QUIET
    ).then(None, v.status, v.status, js=f"status => mustango.restored(status, `{status_html(RELOADED)}`)", **QUIET)  # fmt: skip
    changes = [c.change for c in controls]
    planned = gr.on([page.load, *changes], plan, controls, w.plan, trigger_mode="always_last", preprocess=False, **QUIET)
    planned.then(None, v.status, v.status, js="status => mustango.withoutOldError(status, '#status')", **QUIET)
    v.status.change(None, None, None, js="() => mustango.sayOnce()", **QUIET)
    gr.on(changes, None, controls, None, js="(...values) => mustango.keep(values)", **QUIET)
    read = w.prompt.change(stated_in, w.prompt, w.stated, trigger_mode="always_last", **QUIET)
    filled = [w.chords, w.tempo, w.key, w.meter]
    read.then(None, [w.stated, w.key, w.meter], filled, js="(...values) => mustango.fill(...values)", **QUIET)
    w.preset.input(None, w.preset, w.preset, js=CHOOSE, **QUIET)
    w.set.click(None, controls, controls, js="(...values) => mustango.merged(values)", **QUIET)
    w.tap.click(None, w.tempo, w.tempo, js=TAP, **QUIET)
    w.dice.click(None, None, w.seed, js="() => mustango.drawSeed()", **QUIET)
    v.arrived.change(None, [v.arrived, w.seed, w.lock], w.seed, js="(...values) => mustango.arrive(...values)", **QUIET)
    begin = {"js": desk.begin("mustango.lookAtStatus()"), **QUIET}
    asked = gr.on([w.go.click, w.tempo.submit], desk.waiting, None, desk.shown, **begin)
    asked_again = w.again.click(desk.waiting, None, desk.shown, **begin)
    browser = [w.dark, w.cancelled, w.token]
    run = {
        "outputs": [*desk.shown, v.arrived], "show_progress": "full", "show_progress_on": v.status, "api_visibility": "private",
        **ONE_PLAYS,
    }  # fmt: skip
    runs = [
        asked.then(play, [*controls, *browser], js=f"(...values) => mustango.ask(values, {desk.stopping})", **run),
        asked_again.then(play_again, [w.request, *browser], js=f"() => mustango.askAgain({desk.stopping})", **run),
    ]
    desk.stoppable(runs)


def dataset_tab(files):
    """Place the tab that builds a dataset of uploaded songs, and let its widgets act."""
    import gradio as gr

    gr.Markdown(
        f"Songs in, captioned training clips out: as `musicbench build`. Up to {MAX_SONGS} songs of {MAX_UPLOAD >> 20} MiB and "
        f"{MAX_SONG_S // 60} minutes; uploads and results are deleted after {KEPT_S // 60} minutes."
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            songs = gr.File(label="Songs", file_count="multiple", file_types=list(KINDS), elem_id="songs")
            recipe = gr.Dropdown(
                list(RECIPES), value=RECIPES[0], label="Recipe", elem_id="recipe",
                info="musicbench: 11 copies of a clip with pitch, tempo or loudness changed; plain: none",
            )  # fmt: skip
            with gr.Row():
                go = gr.Button("Build", variant="primary", scale=2, min_width=150, elem_id="build")
                stop = gr.Button("Cancel", variant="stop", interactive=False, min_width=100, elem_id="cancel-build")
        with gr.Column(scale=6, min_width=320):
            status = gr.HTML(status_html("The rows and their report appear here."), elem_id="build-status", min_height=64)
            rows = gr.DownloadButton("Download the rows (ZIP)", visible=False, elem_id="rows")
            report = gr.HTML(elem_id="report")
    builder, desk = Builder(), Desk(status, stop, go)

    def build(songs, recipe, request: gr.Request):
        """Build the rows of uploaded songs, showing progress."""
        try:
            for event in builder.build(files.songs(songs), recipe, files.session(request)):
                if isinstance(event, Progress):
                    yield progress_html(event), *[gr.skip()] * 4
                else:
                    text = f"Songs: {event.songs}. Rejected: {event.rejected}. Rows: {event.rows}."
                    text += "".join(f" {reason}" for reason in event.reasons[:1]) + " ..." * (len(event.reasons) > 1)
                    done = desk.idle(f"Done. {text}", "done") if event.rows else desk.idle(f"Nothing was built. {text}", "error")
                    yield *done, gr.DownloadButton(value=event.zip and str(event.zip), visible=bool(event.zip)), report_html(event)
        except InputError as error:
            yield *desk.idle(str(error), "input error"), gr.skip(), gr.skip()

    building = go.click(desk.waiting, None, desk.shown, **QUIET).then(
        build, [songs, recipe], [*desk.shown, rows, report], preprocess=False, js=desk.begin(), show_progress="full", show_progress_on=status,
        concurrency_limit=1, concurrency_id="builder", api_visibility="private",
    )  # fmt: skip
    desk.stoppable([building])
    old = "status => mustango.withoutOldError(status, '#build-status')"
    gr.on([songs.change, recipe.change], None, status, status, js=old, **QUIET)


def endpoint(studio, files):
    """Return the function behind the API's `/generate`."""
    import gradio as gr

    def file(path):
        return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def generate(
        prompt: str, chords: str = "", tempo: float | str | None = None, key: str = "", meter: str = "", duration: float | str | None = None,
        seed: int = 0, count: int = 1, steps: int = 20, guidance: float = 3.0, negative_prompt: str = "",
        scheduler: Literal[SCHEDULERS] = "dpm", model: str = "", predictors: Literal[PREDICTORS] = "auto",
        listen: bool = True, loudness: float | None = None, tail: float = 0.0, beats: str = "", request: gr.Request = None,
    ) -> list[dict]:  # fmt: skip
        """Make music. What is left empty is read from the prompt, else chosen.

        chords: a chord line ("C G Am F", "C | G Am | F:2 G:2", "0:C 2.5:G", "I V vi IV"). tempo: beats per minute or a word,
        "Allegro". key: "A minor". meter: "3/4". beats: "[[0, 0.5, 1, 1.5], [1, 2, 3, 4]]", JSON text of times in seconds and positions in
        the bar. duration: seconds, "1:30", "8 bars", "chart" (the chords once) or "auto" (the chords as often as four bars need), the
        model's window when None, or the chords once where they last longer. count: takes, with seeds seed, seed + 1, ... listen: hear each take and score it. loudness: of the files, in LUFS;
        None leaves the level as it was made. tail: seconds, 0 to 10, in which the ending rings out after the duration. Returns a dictionary for each take: the files wav, flac, midi, json and picture; seed; scores (asked and
        heard tempo and key, share of the time the heard chord is the asked one); note (why it was not heard); notes (what is played
        otherwise than asked).
        """
        asked = Request(
            prompt, chords, tempo, key, meter, duration, seed, count, steps, guidance, negative_prompt, scheduler, model, predictors,
            listen, loudness, tail, beats,
        )  # fmt: skip
        finished = []
        try:
            if prompt is None:
                raise InputError("prompt is null; give text, or empty text for none")
            for event in studio.play(asked, files.session(request)):
                if isinstance(event, Take) and event.picture:
                    scores = event.scores and {
                        "tempo": [event.scores.bpm_asked, event.scores.bpm_heard],
                        "key": [
                            event.scores.key_asked and str(event.scores.key_asked),
                            event.scores.key_heard and str(event.scores.key_heard),
                        ],
                        "chords_matched": event.scores.chords_matched,
                    }
                    parts = {name: file(getattr(event, name)) for name in ("wav", "flac", "midi", "json", "picture")}
                    finished.append(
                        {**parts, "seed": event.seed, "scores": scores, "note": event.remedy, "notes": [*event.controls.notes]}
                    )
                yield finished
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return generate


def build_page(studio, files):
    """Return the Blocks: the page and its API."""
    import gradio as gr

    with gr.Blocks(title="Mustango", analytics_enabled=False, delete_cache=(60, KEPT_S)) as page:
        gr.Markdown("# Mustango\nType a prompt, chords and a tempo. Hear music that obeys them.", elem_id="head")
        with gr.Tab("Music"):
            music_tab(page, studio, files)
        with gr.Tab("Dataset"):
            dataset_tab(files)
        gr.api(endpoint(studio, files), api_name="generate", **ONE_PLAYS)
    return page


def theme():
    """Return the page's colours and fonts, with readable small print; the fonts are the reader's own."""
    import gradio as gr

    base = gr.themes.Default(primary_hue="teal", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return base.set(
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300", input_placeholder_color="*neutral_500",
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_background_fill_hover_dark="*primary_800",
        input_placeholder_color_dark="*neutral_400",
    )  # fmt: skip


def name_and_password(text):
    """Return (name, password) of --auth, None where it is left out. Raises InputError for anything but USER:PASS."""
    if text is None:
        return None
    name, _, password = text.partition(":")
    if not name.strip() or not password.strip():
        raise InputError(f"--auth {text!r} is not USER:PASS; give a name, a colon and a password")
    return name, password


def check_address(host, port):
    """Raise InputError unless this machine can listen on an address now."""
    if not host.strip():
        raise InputError("--host is empty; give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except (OSError, UnicodeError) as error:  # a name that is none
        raise InputError(f"cannot listen on {host}:{port} ({error}); choose another --port or --host") from None


def serve(options, root, **more):
    """Open the page for `options`, keeping files in the folder `root`; returns the running Blocks. Raises InputError."""
    auth = name_and_password(options.auth)
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    check_address(options.host, options.port)
    check_device_named(options.device, options.dtype)
    if options.device != "cpu":  # whose check would only load torch early
        from mustango.pipeline import check_device

        check_device(options.device)
    studio, files = Studio(options.model or ["mustango-mini"], options.device, options.dtype, options.low_memory), Files(root)
    os.environ["GRADIO_TEMP_DIR"] = str(files.root)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from starlette.middleware import Middleware

    page = build_page(studio, files).queue(max_size=options.queue)
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, auth=auth, ssr_mode=False, run_history=False,
            enable_monitoring=False, footer_links=["api"], max_file_size=MAX_UPLOAD, state_session_capacity=200,
            css=style(), head=script(CONTROLS), theme=theme(),
            app_kwargs={"middleware": [Middleware(Gate, files=files)]}, prevent_thread_lock=True, **more,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"cannot listen on {options.host}:{options.port} ({error}); choose another --port or --host") from None
    studio.warm_up().add_done_callback(lambda job: job.exception() and print(f"app.py: {job.exception()}", file=sys.stderr))
    Thread(target=sweep, args=[files.root], daemon=True).start()
    return page


def main(arguments=None):
    """Run the page until it is stopped; returns the exit status."""
    options = build_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the files are deleted then as well
    with tempfile.TemporaryDirectory(prefix="mustango-page-", ignore_cleanup_errors=True) as root:
        try:
            serve(options, root).block_thread()
        except InputError as error:
            print(f"app.py: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
