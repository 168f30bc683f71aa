"""HTML by Jinja2 templates: everything that a template shows is escaped."""

import base64
import re
from functools import cache

# What a browser may do in a report: show the pictures and play the sounds that are in it. Nothing is run, loaded or sent.
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@cache
def template(package, folder, name):
    """Return the template `name` in a folder of a package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(package, folder)
    how = {"autoescape": True, "finalize": _shown, "trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return Environment(loader=loader, undefined=StrictUndefined, **how).get_template(name)


def _shown(value):
    """Return what a template shows; of text the control characters and half letters, which no page may hold, are spelled out."""
    if not isinstance(value, str) or not UNSHOWN.search(value):
        return value
    return type(value)(UNSHOWN.sub(lambda match: match[0].encode("unicode_escape").decode(), value))


def data_address(kind, data):
    """Return the address that holds bytes itself; kind: "image/png" and the like."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
