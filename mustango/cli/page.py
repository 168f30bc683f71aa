"""mustango page: the page and its API, until they are stopped."""

import argparse
import signal
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout

from musicbench import check_installed, whole
from musicbench.files import alone_in
from mustango import ATTENTION, DTYPES
from mustango.cli.options import add_table, check_device


def port(text):
    """Read a command-line option that is a TCP port; 0 is any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is outside 0-65535; give a port within it")
    return int(text)


ABOUT = {"help": "the same in a browser", "description": "Open the page: prompt, chords and tempo in, music out."}
OPTIONS = {
    "--model": dict(
        action="append", metavar="MODEL",
        help="a model on offer: mustango-mini, a folder or a hub id; may be repeated (default mustango-mini)",
    ),
    "--lora": dict(
        action="append", metavar="FOLDER", help="an adapter on offer beside those that ship with the model; may be repeated"
    ),
    "--host": dict(default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default %(default)s)"),
    "--port": dict(type=port, default=7860, help="(default %(default)s)"),
    "--share": dict(action="store_true", help="also open a public address through gradio.live"),
    "--auth": dict(
        action="append", metavar="USER:PASS",
        help="ask for a name and password, in the API too; may be repeated; others on this machine can read it",
    ),
    "--auth-file": dict(metavar="FILE", help="the same from a file with a line USER:PASS each; or from the variable MUSTANGO_AUTH"),
    "--name": dict(
        action="append", metavar="HOST", help="a name the server is reached under, as behind a proxy, beside this machine's own; may be repeated"
    ),
    "--queue": dict(type=whole, default=40, metavar="N", help="requests that may wait (default %(default)s)"),
    "--work": dict(
        type=whole, default=3600, metavar="SECONDS", help="work that a request may take, in seconds (default %(default)s)"
    ),
    "--low-memory": dict(action="store_true", help="load text encoder, denoiser and decoder one after the other"),
    "--device": dict(default="cpu", help="cpu, cuda, cuda:1, mps (default %(default)s)"),
    "--dtype": dict(default="float32", choices=DTYPES, help="(default %(default)s)"),
    "--attention": dict(default="auto", choices=ATTENTION, help="the kernel of attention (default %(default)s: torch chooses)"),
}  # fmt: skip


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)


def run(options, with_page=True):
    """Run the page, or its API alone, until it is stopped; returns the exit status. Raises InputError."""
    check_installed("the page" if with_page else "the API", "page", "gradio", "starlette", "jinja2", "matplotlib")
    from mustango.page.guard import PREFIX, delete_leftovers
    from mustango.page.logs import Clean
    from mustango.page.server import serve

    check_device(options.device, options.dtype)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the files are deleted then as well
    delete_leftovers()
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as root, alone_in(root),
        redirect_stdout(Clean(sys.stdout)), redirect_stderr(Clean(sys.stderr)),
    ):  # fmt: skip
        serve(options, root, with_page).block_thread()
    return 0
