"""The page: type a prompt with chords and a tempo, hear it, see that it obeyed.

Run python app.py, then open the address it prints.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
from threading import Thread

from musicbench import InputError, Parser, __version__, whole
from mustango import DTYPES
from mustango.cli.options import check_device
from mustango.page.inputs import CONTROLS
from mustango.page.studio import Studio
from mustango.page.web import KEPT_S, MAX_UPLOAD, Files, Gate, script, style, sweep


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


def serve(options, root, **more):
    """Open the page for `options`, keeping files in the folder `root`; returns the running Blocks.

    Raises InputError.
    """
    auth = name_and_password(options.auth)
    if options.queue < 1:
        raise InputError(f"--queue {options.queue} is below 1; give how many requests may wait")
    check_address(options.host, options.port)
    check_device(options.device, options.dtype)
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
