"""The widgets of the page's first tab: what is asked for, what comes out; the page's colours and fonts."""

from types import SimpleNamespace

import gradio as gr

from mustango import GUIDANCE, PREDICTORS, SCHEDULERS, STEPS
from mustango.page.inputs import EXAMPLES, KEYS, LOUDNESS, METERS, NO_LORA, PRESETS
from mustango.page.web import AUTO, KEPT, render, status_html


def inputs_column(studio):
    """Place what is asked for; returns the widgets by name."""
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
    # Nobody sees these: what the server read, on its way into the controls, and what the browser knows: whether the
    # page is dark, whether Cancel was quicker, the tab's secret, its inputs before a reload, the request of a take to
    # be made again.
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
    with gr.Accordion("Advanced", open=False):
        with gr.Row():
            w.steps = gr.Number(
                STEPS,
                label="Steps",
                min_width=150,
                info=f"More steps take longer and sound cleaner; {STEPS} is usual.",
            )
            w.guidance = gr.Number(
                GUIDANCE, label="Guidance", min_width=150,
                info="How closely the music follows what you ask: 3 is usual, 1 is loose, high values sound harsh.",
            )  # fmt: skip
        with gr.Row():
            w.guidance_interval = gr.Textbox(
                label="Guidance interval", placeholder="0:1", max_lines=1, min_width=150, elem_id="guidance-interval",
                info="The part of the way from noise to music in which guidance acts, such as 0.2:0.8: the rest is faster.",
            )  # fmt: skip
            w.cache_interval = gr.Number(
                1, label="Cache interval", min_width=150, elem_id="cache-interval",
                info="2 computes the deeper half of the network at every second step: faster, and rougher.",
            )  # fmt: skip
        w.negative_prompt = gr.Textbox(label="Negative prompt", placeholder="what it should not sound like")
        w.scheduler = gr.Dropdown(
            SCHEDULERS, value=SCHEDULERS[0], label="Solver", elem_id="solver",
            info="How noise is turned into music step by step: dpm needs about 20 steps, ddim and ddpm about 100.",
        )  # fmt: skip
        w.model = gr.Dropdown(list(studio.models), value=studio.default, label="Model", elem_id="model")
        with gr.Row(visible=bool(studio.loras)):
            w.lora = gr.Dropdown(
                [NO_LORA, *studio.loras], value=NO_LORA, label="Adapter", elem_id="lora",
                info="A small addition to the model that learnt from some songs.",
            )  # fmt: skip
            w.lora_scale = gr.Number(
                1.0, label="Strength of the adapter", min_width=110, elem_id="lora-scale", info="1 is as trained."
            )
        w.predictors = gr.Dropdown(
            PREDICTORS, value="auto", label="Predictors", elem_id="predictors",
            info="Who chooses the tempo and chords you leave out: reader follows rules, neural asks a released model, "
            "auto takes neural where the model has it.",
        )  # fmt: skip
        w.loudness = gr.Dropdown(
            list(LOUDNESS), value="-14 LUFS", label="Loudness of downloads", elem_id="loudness",
            info="-14 LUFS is as loud as streaming services play; as made leaves the level alone.",
        )  # fmt: skip
        w.listen = gr.Checkbox(True, label="Listen back and score what is heard")


def takes_column():
    """Place what comes out; returns the widgets by name. The takes themselves are placed by `page.js`."""
    v = SimpleNamespace()
    start = status_html("Your takes appear here. Try an example, or write your own.")
    v.status = gr.HTML(start, elem_id="status", min_height=64)
    gr.HTML(render("takes", KEPT))
    gr.HTML(render("examples", EXAMPLES))
    v.arrived = gr.JSON(visible="hidden", label="Takes on their way")
    return v


def theme():
    """Return the page's colours and fonts, with readable small print; the fonts are the reader's own."""
    base = gr.themes.Default(primary_hue="teal", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return base.set(
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_background_fill_hover_dark="*primary_800",
        input_placeholder_color_dark="*neutral_400",
    )  # fmt: skip
