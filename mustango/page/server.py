"""The page's server: its parts put together, the address and names it listens on, the files it keeps until it ends."""

import os
import socket
import sys
import threading
from functools import partial

from musicbench import InputError
from mustango.page.doors import careful, connections
from mustango.page.gate import Gate
from mustango.page.guard import MAX_UPLOAD, Files, sweep
from mustango.page.inputs import CONTROLS
from mustango.page.line import Line
from mustango.page.logins import users
from mustango.page.names import Names
from mustango.page.studio import Studio
from mustango.page.uploads import Builder
from mustango.page.visitors import SESSIONS, Visitors
from mustango.page.web import script, style

SPARE_THREADS = 40  # beside one for each request that waits
SHARED = (".gradio.live",)  # where --share opens an address


def build_page(studio, builder, files):
    """Return the Blocks: the page and its API; the API alone where there is no builder."""
    import gradio as gr

    from mustango.page.api import endpoint
    from mustango.page.desk import IN_LINE
    from mustango.page.music import music_tab
    from mustango.page.songs import dataset_tab

    with gr.Blocks(title="Mustango", analytics_enabled=False) as page:
        if builder:
            gr.Markdown("# Mustango\nType a prompt, chords and a tempo. Hear music that obeys them.", elem_id="head")
            with gr.Tab("Music"):
                music_tab(page, studio, files)
            with gr.Tab("Dataset"):
                dataset_tab(builder, files)
        gr.api(endpoint(studio, files), api_name="generate", **IN_LINE)
    return page


def check_address(host, port):
    """Raise InputError unless this machine can listen on an address now."""
    if not host.strip():
        raise InputError("--host is empty; give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except (OSError, UnicodeError) as error:  # a name that is none
        raise InputError(f"cannot listen on {host}:{port} ({error}); choose another --port or --host") from None


def own_names():
    """Return the names that this machine has for itself."""
    name = socket.gethostname()
    return name, f"{name.partition('.')[0]}.local", socket.getfqdn()


def _tell_failure(job, page):
    """Say why the first model could not be loaded, where that was not said; nothing when the page has been stopped meanwhile."""
    if job.exception() and not isinstance(job.exception(), InputError) and not page.server.should_exit:
        print(f"mustango: {job.exception()}", file=sys.stderr)


def serve(options, root, with_page=True):
    """Open the page for `options`, or its API alone, keeping files in the folder `root`; returns the running Blocks.

    Raises InputError.
    """
    auth = users(options.auth or [], options.auth_file)
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    if options.work < 1:
        raise InputError(f"--work {options.work} is below 1; give the seconds of work that a request may take")
    check_address(options.host, options.port)
    models = options.model or ["mustango-mini"]
    line = Line(options.queue + 1, options.work)
    studio = Studio(
        models, options.device, options.dtype, options.low_memory, line, options.lora or (), attention=options.attention
    )
    builder = Builder(Line(options.queue + 1, options.work)) if with_page else None
    files, visitors = Files(root), Visitors()
    names = Names(options.name or [], [options.host, *own_names()], SHARED if options.share else ())
    os.environ["GRADIO_TEMP_DIR"] = str(files.root)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # Gradio sums up all that it keeps after each event
    from starlette.middleware import Middleware

    from mustango.page.widgets import theme

    gate = {"files": files, "visitors": visitors, "names": names, "studio": studio, "with_page": with_page}
    threads = 2 * (options.queue + 1) + SPARE_THREADS
    page = build_page(studio, builder, files).queue(max_size=threads)
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, auth=auth or None, ssr_mode=False,
            run_history=False, max_threads=threads,
            enable_monitoring=False, quiet=True, footer_links=["api"], max_file_size=MAX_UPLOAD, state_session_capacity=2 * SESSIONS,
            css=style(), head=script(CONTROLS), theme=theme(),
            app_kwargs={"middleware": [Middleware(Gate, **gate)]}, prevent_thread_lock=True,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"cannot listen on {options.host}:{options.port} ({error}); choose another --port or --host") from None
    listening = page.server.config
    listening.http_protocol_class = careful(listening.http_protocol_class, connections())
    for url in filter(None, (page.local_url, page.share_url)):
        print(f"Running on {url}; Ctrl-C ends it", flush=True)
    studio.warm_up().add_done_callback(partial(_tell_failure, page=page))
    threading.Thread(target=sweep, args=[files.root, page.temp_file_sets], daemon=True).start()
    return page
