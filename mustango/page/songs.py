"""The page's second tab: uploaded songs become a dataset."""

import gradio as gr

from musicbench import InputError
from mustango.page.desk import IN_LINE, QUIET, Desk
from mustango.page.guard import KEPT_S, MAX_UPLOAD, asker
from mustango.page.uploads import KINDS, MAX_SONG_S, MAX_SONGS, RECIPES
from mustango.page.web import progress_html, report_html, status_html
from mustango.page.work import Progress


def dataset_tab(builder, files):
    """Place the tab that builds a dataset of uploaded songs, and let its widgets act."""
    gr.Markdown(
        f"Songs in, captioned training clips out: as `musicbench build`. Up to {MAX_SONGS} songs of {MAX_UPLOAD >> 20} "
        f"MiB and {MAX_SONG_S // 60} minutes; uploads and results are deleted after {KEPT_S // 60} minutes."
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
    desk = Desk(status, stop, go)

    def build(songs, recipe, request: gr.Request):
        """Build the rows of uploaded songs, showing progress."""
        try:
            work = builder.build(files.songs(songs), recipe, files.session(request), *asker(request))
            for event in files.counted(request, work):
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
        build, [songs, recipe], [*desk.shown, rows, report], preprocess=False, js=desk.begin(), show_progress="full",
        show_progress_on=status,
        api_visibility="private", **IN_LINE,
    )  # fmt: skip
    desk.stoppable([building])
    old = "status => mustango.withoutOldError(status, '#build-status')"
    gr.on([songs.change, recipe.change], None, status, status, js=old, **QUIET)
