"""The page: type a prompt with chords and a tempo, hear it, see that it obeyed. python app.py, then open the address it prints."""

import argparse
import os
import secrets
import signal
import sys
import tempfile
from threading import Thread
from typing import Literal

from musicbench import InputError, __version__
from musicbench.facts import read_prompt
from musicbench.theory import MAX_BPM, MIN_BPM, Key, parse_tempo
from mustango.reader import MAX_GUIDANCE, chord_line
from mustango.studio import MAX_STEPS, MAX_TAKES, Progress, Request, Studio, Take
from mustango.uploads import KINDS, MAX_SONG_S, MAX_SONGS, RECIPES, Builder
from mustango.web import (
    AUTO,
    CSS,
    KEPT_S,
    MAX_UPLOAD,
    Files,
    Gate,
    named,
    picture_html,
    plan_html,
    progress_html,
    report_html,
    scores_html,
    status_html,
    sweep,
    take_name,
)

KEYS = [AUTO, *(str(Key.of(pc, mode)) for mode in ("major", "minor") for pc in range(12))]
METERS = [AUTO, "4/4", "3/4", "2/4", "5/4", "6/8", "7/8"]
PRESETS = ["I V vi IV", "I vi IV V", "vi IV I V", "ii7 V7 Imaj7", "i bVII bVI V", "I bVII IV I", "I IV | ii V", "i iv V i"]
EXAMPLES = [  # prompt, chords, tempo, auto, key, meter
    ["upbeat piano pop with drums", "C G Am F", 120, False, "C major", "4/4"],
    ["calm harp lullaby", "I vi | IV V", 80, False, "G major", "3/4"],
    ["jazz trio with double bass and brushes", "ii7 V7 Imaj7", 140, False, "Bb major", "4/4"],
    ["dark synth arpeggios, driving techno beat", "Am F C G", 128, False, "A minor", "4/4"],
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


# ---------------------------------------------------------------------------------------------------- the page

FAILED = "The server is full or failed; try again."
TAP = """(tempo, auto) => {
  const now = performance.now(), taps = (window.taps || []).filter(t => now - t < 12000);
  window.taps = taps.length && now - taps[taps.length - 1] > 2500 ? [now] : [...taps, now];
  const n = window.taps.length - 1;
  return n < 1 ? [tempo, auto] : [Math.min(300, Math.max(20, Math.round(60000 * n / (now - window.taps[0])))), false];
}"""
# What comes back from the server may be late: what was typed meanwhile stays.
FILL = """(stated, chords, key, meter) => {
  const before = window.filled || {};
  window.filled = stated;
  const filled = (name, now, empty) => [empty, before[name]].includes(now) ? stated[name] : now;
  return [filled('chords', chords, ''), filled('key', key, 'Auto'), filled('meter', meter, 'Auto')];
}"""
SHOW_TEMPO = "(bpm, tempo, auto) => auto && bpm ? bpm : tempo"
DICE = "() => Math.floor(Math.random() * 100000)"
LOOK = "() => { document.querySelector('#status').scrollIntoView({block: 'nearest', behavior: 'smooth'}); return []; }"
WITH_SHADE = "(...values) => [...values.slice(0, -1), document.body.classList.contains('dark')]"


def build_page(studio, files):
    """Return the Blocks: the page and its API."""
    import gradio as gr

    builder, colors = Builder(), gr.WaveformOptions(waveform_color="#8fb3af", waveform_progress_color="#0f766e")

    def stated_in(prompt):
        """Return what a prompt states of the controls, as they show it."""
        stated = read_prompt(prompt or "")
        return {"chords": stated.chords or "", "key": str(stated.key or AUTO), "meter": str(stated.meter or AUTO)}

    def shown(take):
        """Return what the viewer shows of a take."""
        if take is None:
            return [gr.skip()] * len(viewer)
        paths = [str(path) for path in (take.wav, take.flac, take.midi, take.json)]
        return gr.Column(visible=True), str(take.wav), scores_html(take), picture_html(take), *paths

    def buttons(working):
        """Return Generate and Cancel as they are while working or not."""
        return gr.Button(interactive=not working), gr.Button(interactive=working)

    def play(prompt, chords, tempo, auto, key, meter, duration, seed, count, steps, guidance, negative, scheduler, model,
             predictors, listen, takes, dark, request: gr.Request):  # fmt: skip
        """Make the takes that the page asks for, showing progress and each take as it comes."""
        asked = Request(
            prompt or "", (chords or "").strip(), "" if auto else tempo, named(key), named(meter), duration,
            0 if seed is None else seed, count, steps, guidance, negative or "", scheduler, model, predictors, listen, dark,
        )  # fmt: skip
        idle, unchanged = buttons(False), [gr.skip()] * len(viewer)
        try:
            for event in studio.play(asked, files.session(request)):
                if isinstance(event, Progress):
                    yield progress_html(event), *[gr.skip()] * 4, *unchanged
                else:
                    takes = [event, *(take for take in takes if take.id != event.id)][:20]
                    names = [(take_name(len(takes) - i, take), take.id) for i, take in enumerate(takes)]
                    yield gr.skip(), takes, gr.Radio(names, value=event.id), gr.skip(), gr.skip(), *shown(event)
        except InputError as error:
            yield status_html(str(error), "error"), gr.skip(), gr.skip(), *idle, *unchanged
        else:
            yield status_html("Done. Press play.", "done"), gr.skip(), gr.skip(), *idle, *unchanged

    def generate(
        prompt: str, chords: str = "", tempo: float | None = None, key: str = "", meter: str = "", duration: float | None = None,
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

    def build(songs, recipe, request: gr.Request):
        """Build the rows of uploaded songs, showing progress."""
        try:
            for event in builder.build(files.songs(songs), recipe, files.session(request)):
                if isinstance(event, Progress):
                    yield progress_html(event), *[gr.skip()] * 4
                else:
                    text = f"Done. Songs: {event.songs}. Rejected: {event.rejected}. Rows: {event.rows}."
                    done = gr.DownloadButton(value=str(event.zip), visible=True), report_html(event)
                    yield status_html(text, "done"), *buttons(False), *done
        except InputError as error:
            yield status_html(str(error), "error"), *buttons(False), gr.skip(), gr.skip()

    def find(take_id, takes):
        return next((take for take in takes if take.id == take_id), None)

    def recall(take_id, takes):
        """Set the controls to those of a take, with another seed."""
        take = find(take_id, takes)
        if take is None:
            return [gr.skip()] * len([*controls, *settings, *here])
        r = take.request
        tempo = parse_tempo(r.tempo) if r.tempo else take.controls.bpm
        return [
            r.prompt, r.chords, tempo, not r.tempo, r.key or AUTO, r.meter or AUTO, r.duration, secrets.randbelow(100000),
            1, r.steps, r.guidance, r.negative_prompt, r.scheduler, r.model, r.predictors, r.listen,
            status_html("Waiting"), *buttons(True),
        ]  # fmt: skip

    def chords_of(take_id, takes):
        """Write the chords of a take as a chord line."""
        take = find(take_id, takes)
        return chord_line(take.controls) if take else gr.skip()

    with gr.Blocks(title="Mustango", analytics_enabled=False, delete_cache=(60, KEPT_S)) as page:
        gr.Markdown("# Mustango\nType a prompt, chords and a tempo. Hear music that obeys them.", elem_id="head")
        with gr.Tab("Music"):
            takes = gr.State([], time_to_live=KEPT_S)
            dark = gr.Checkbox(visible=False, label="Dark page")
            planned, stated = gr.Number(visible="hidden", label="Tempo"), gr.JSON(visible="hidden", label="Stated")
            with gr.Row(equal_height=False):
                with gr.Column(scale=5, min_width=320):
                    prompt = gr.Textbox(
                        label="Prompt", placeholder="upbeat piano pop with drums", lines=2, max_lines=6, elem_id="prompt"
                    )
                    chords = gr.Textbox(
                        label="Chords", placeholder="C G Am F   or   C | G Am   or   I V vi IV", lines=1, elem_id="chords",
                        info="One a bar; bars with | share their beats. Empty: from the prompt, or chosen.",
                    )  # fmt: skip
                    plan = gr.HTML(elem_id="plan")
                    with gr.Row(equal_height=True):
                        tempo = gr.Slider(
                            MIN_BPM, MAX_BPM, 120, step=1, label="Tempo (bpm)", buttons=[], scale=4, min_width=180, elem_id="tempo"
                        )
                        with gr.Column(scale=1, min_width=90):
                            auto = gr.Checkbox(True, label="Auto", elem_id="auto")
                            tap = gr.Button("Tap", size="sm", elem_id="tap")
                    with gr.Row():
                        key = gr.Dropdown(KEYS, value=AUTO, label="Key", allow_custom_value=True, min_width=110, elem_id="key")
                        meter = gr.Dropdown(
                            METERS, value=AUTO, label="Meter", allow_custom_value=True, min_width=90, elem_id="meter"
                        )
                        preset = gr.Dropdown(PRESETS, value=None, label="Progressions", scale=2, min_width=160, elem_id="preset")
                    with gr.Row():
                        window_s = studio.windows[studio.default]
                        duration = gr.Slider(
                            1, window_s, window_s, step=0.01, label="Duration (s)", buttons=[], min_width=200, elem_id="duration"
                        )
                        count = gr.Slider(1, MAX_TAKES, 1, step=1, label="Takes", buttons=[], min_width=200, elem_id="count")
                    with gr.Row(elem_id="go"):
                        seed = gr.Number(0, label="Seed", precision=0, minimum=0, scale=2, min_width=110, elem_id="seed")
                        dice = gr.Button("Dice", scale=1, min_width=70, elem_id="dice")
                        go = gr.Button("Generate", variant="primary", scale=4, min_width=150, elem_id="generate")
                        stop = gr.Button("Cancel", variant="stop", interactive=False, scale=2, min_width=90, elem_id="cancel")
                    with gr.Accordion("Advanced", open=False):
                        with gr.Row():
                            steps = gr.Slider(1, MAX_STEPS, 20, step=1, label="Steps", buttons=[], min_width=160)
                            guidance = gr.Slider(0, MAX_GUIDANCE, 3, step=0.1, label="Guidance", buttons=[], min_width=160)
                        negative = gr.Textbox(label="Negative prompt", placeholder="what it should not sound like")
                        with gr.Row():
                            scheduler = gr.Dropdown(["dpm", "ddim", "ddpm"], value="dpm", label="Scheduler", min_width=120)
                            model = gr.Dropdown(list(studio.models), value=studio.default, label="Model", scale=2, min_width=150)
                            predictors = gr.Dropdown(["auto", "neural", "reader"], value="auto", label="Predictors", min_width=120)
                        listen = gr.Checkbox(True, label="Listen back and score what is heard")
                with gr.Column(scale=6, min_width=320):
                    status = gr.HTML(
                        status_html("Your takes appear here. Try an example, or write your own."), elem_id="status", min_height=64
                    )
                    with gr.Column(visible=False) as result:
                        player = gr.Audio(
                            label="Take", type="filepath", interactive=False, buttons=[], elem_id="player", waveform_options=colors
                        )
                        scores = gr.HTML(elem_id="scores")
                        picture = gr.HTML(elem_id="picture")
                        with gr.Row():
                            downloads = [
                                gr.DownloadButton(name, size="sm", min_width=60, elem_id=f"download-{name.lower()}")
                                for name in ("WAV", "FLAC", "MIDI", "JSON")
                            ]
                        with gr.Row():
                            again = gr.Button("Again with another seed", size="sm", elem_id="again")
                            reuse = gr.Button("Use these chords", size="sm", elem_id="reuse")
                        history = gr.Radio([], label="Takes of this session", elem_id="history")
                    gr.Examples(
                        EXAMPLES, [prompt, chords, tempo, auto, key, meter], label="Examples", elem_id="examples",
                        example_labels=[f"{example[0]}: {example[1]}" for example in EXAMPLES],
                    )  # fmt: skip

        controls = [prompt, chords, tempo, auto, key, meter, duration, seed]
        settings = [count, steps, guidance, negative, scheduler, model, predictors, listen]
        viewer = [result, player, scores, picture, *downloads]
        quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        read = gr.on(
            [page.load, *(c.change for c in controls)], plan_html, controls, [plan, planned], trigger_mode="always_last", **quiet
        )
        read.then(None, [planned, tempo, auto], tempo, js=SHOW_TEMPO, **quiet)
        read = prompt.change(stated_in, prompt, stated, trigger_mode="always_last", **quiet)
        read.then(None, [stated, chords, key, meter], [chords, key, meter], js=FILL, **quiet)
        preset.input(None, preset, chords, js="line => line", **quiet)
        tempo.input(None, None, auto, js="() => false", **quiet)
        tap.click(None, [tempo, auto], [tempo, auto], js=TAP, **quiet)
        dice.click(None, None, seed, js=DICE, **quiet)
        model.change(lambda name: gr.Slider(maximum=studio.windows[name], value=studio.windows[name]), model, duration, **quiet)

        here, outputs = [status, go, stop], [status, takes, history, go, stop, *viewer]
        run = {
            "fn": play, "inputs": [*controls, *settings, takes, dark], "outputs": outputs, "js": WITH_SHADE, "show_progress": "full",
            "show_progress_on": status, "concurrency_limit": 1, "concurrency_id": "studio", "api_visibility": "private",
        }  # fmt: skip
        by_id = {"inputs": [history, takes], **quiet}
        history.input(lambda take_id, takes: shown(find(take_id, takes)), outputs=viewer, **by_id)
        reuse.click(chords_of, outputs=chords, **by_id)
        starts = [
            gr.on(
                [go.click, prompt.submit, chords.submit],
                lambda: (status_html("Waiting"), *buttons(True)),
                None,
                here,
                js=LOOK,
                **quiet,
            ),
            again.click(recall, outputs=[*controls, *settings, *here], **by_id),
        ]
        runs = [start.then(**run) for start in starts]
        for ran in runs:
            ran.failure(lambda: (status_html(FAILED, "error"), *buttons(False)), None, here, **quiet)
        stop.click(lambda: (status_html("Cancelled."), *buttons(False)), None, here, cancels=runs, **quiet)
        with gr.Tab("Dataset"):
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
                        make = gr.Button("Build", variant="primary", scale=2, min_width=150, elem_id="build")
                        halt = gr.Button("Cancel", variant="stop", interactive=False, min_width=100, elem_id="cancel-build")
                with gr.Column(scale=6, min_width=320):
                    state = gr.HTML(status_html("The rows and their report appear here."), elem_id="build-status", min_height=64)
                    rows = gr.DownloadButton("Download the rows (ZIP)", visible=False, elem_id="rows")
                    report = gr.HTML(elem_id="report")

        there = [state, make, halt]
        building = make.click(lambda: (status_html("Waiting"), *buttons(True)), None, there, **quiet).then(
            build, [songs, recipe], [*there, rows, report], preprocess=False, show_progress="full", show_progress_on=state,
            concurrency_limit=1, concurrency_id="builder", api_visibility="private",
        )  # fmt: skip
        building.failure(lambda: (status_html(FAILED, "error"), *buttons(False)), None, there, **quiet)
        halt.click(lambda: (status_html("Cancelled."), *buttons(False)), None, there, cancels=[building], **quiet)
        gr.api(generate, api_name="generate", concurrency_limit=1, concurrency_id="studio")
    return page


def theme():
    """Return the page's colours and fonts, with readable small print; the fonts are the reader's own."""
    import gradio as gr

    base = gr.themes.Default(primary_hue="teal", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return base.set(
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300", input_placeholder_color="*neutral_500",
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
    )  # fmt: skip


def serve(options, root, **more):
    """Open the page for `options`, keeping files in the folder `root`; returns the running Blocks. Raises InputError."""
    auth = tuple(options.auth.split(":", 1)) if options.auth else None
    if auth and (len(auth) != 2 or not all(auth)):
        raise InputError(f"--auth {options.auth!r} is not USER:PASS; give a name, a colon and a password")
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    studio, files = Studio(options.model or ["mustango-mini"], options.device, options.dtype, options.low_memory), Files(root)
    os.environ.update(GRADIO_TEMP_DIR=str(files.root), GRADIO_EXAMPLES_CACHE=str(files.root / "examples"))
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from starlette.middleware import Middleware

    page = build_page(studio, files).queue(max_size=options.queue)
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, auth=auth, ssr_mode=False, run_history=False,
            enable_monitoring=False, footer_links=["api"], max_file_size=MAX_UPLOAD, state_session_capacity=200, css=CSS,
            theme=theme(),
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
