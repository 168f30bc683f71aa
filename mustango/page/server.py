"""The page's server: its parts put together, the address it listens on, the files it keeps until it ends."""

import os
import socket
import sys
import threading
from functools import partial

from musicbench import InputError
from mustango.page.guard import KEPT_S, MAX_UPLOAD, Files, Gate, sweep
from mustango.page.inputs import CONTROLS
from mustango.page.studio import Studio
from mustango.page.web import script, style


def build_page(studio, files):
    """Return the Blocks: the page and its API."""
    import gradio as gr

    from mustango.page.api import endpoint
    from mustango.page.desk import ONE_PLAYS
    from mustango.page.music import music_tab
    from mustango.page.songs import dataset_tab

    with gr.Blocks(title="Mustango", analytics_enabled=False, delete_cache=(60, KEPT_S)) as page:
        gr.Markdown("# Mustango\nType a prompt, chords and a tempo. Hear music that obeys them.", elem_id="head")
        with gr.Tab("Music"):
            music_tab(page, studio, files)
        with gr.Tab("Dataset"):
            dataset_tab(files)
        gr.api(endpoint(studio, files), api_name="generate", **ONE_PLAYS)
    return page


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


def _tell_failure(job, page):
    """Say why the first model could not be loaded; nothing when the page has been stopped meanwhile."""
    if job.exception() and not page.server.should_exit:
        print(f"mustango: {job.exception()}", file=sys.stderr)


def serve(options, root):
    """Open the page for `options`, keeping files in the folder `root`; returns the running Blocks.

    Raises InputError.
    """
    auth = name_and_password(options.auth)
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    check_address(options.host, options.port)
    studio, files = Studio(options.model or ["mustango-mini"], options.device, options.dtype, options.low_memory), Files(root)
    os.environ["GRADIO_TEMP_DIR"] = str(files.root)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from starlette.middleware import Middleware

    from mustango.page.widgets import theme

    page = build_page(studio, files).queue(max_size=options.queue)
    try:
        page.launch(
            server_name=options.host, server_port=options.port, share=options.share, auth=auth, ssr_mode=False,
            run_history=False,
            enable_monitoring=False, quiet=True, footer_links=["api"], max_file_size=MAX_UPLOAD, state_session_capacity=200,
            css=style(), head=script(CONTROLS), theme=theme(),
            app_kwargs={"middleware": [Middleware(Gate, files=files)]}, prevent_thread_lock=True,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"cannot listen on {options.host}:{options.port} ({error}); choose another --port or --host") from None
    for url in filter(None, (page.local_url, page.share_url)):
        print(f"Running on {url}; Ctrl-C ends it", flush=True)
    studio.warm_up().add_done_callback(partial(_tell_failure, page=page))
    threading.Thread(target=sweep, args=[files.root], daemon=True).start()
    return page
