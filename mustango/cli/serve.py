"""mustango serve: the page's API without the page, until it is stopped."""

from mustango.cli import page
from mustango.cli.options import add_table

ABOUT = {"help": "the same for programs", "description": "Serve the page's API without the page, with /health and /metrics."}
OPTIONS = {name: how for name, how in page.OPTIONS.items() if name != "--share"}


def add_options(parser):
    """Put the command's options on its parser."""
    add_table(parser, OPTIONS)
    parser.set_defaults(share=False)


def run(options):
    """Serve the API until it is stopped; returns the exit status. Raises InputError."""
    return page.run(options, with_page=False)
