"""HTML by Jinja2 templates: everything that a template shows is escaped."""

import base64
from functools import cache

# What a browser may do in a report: show the pictures and play the sounds that are in it. Nothing is run, loaded or sent.
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@cache
def template(package, folder, name):
    """Return the template `name` in a folder of a package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(package, folder)
    how = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return Environment(loader=loader, undefined=StrictUndefined, **how).get_template(name)


def data_address(kind, data):
    """Return the address that holds bytes itself; kind: "image/png" and the like."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
