"""Who may log in to the page: names and passwords from options, a file or the environment."""

import os
from pathlib import Path

from musicbench import InputError

VARIABLE = "MUSTANGO_AUTH"
FORM = "give a name, a colon and a password"


def users(given: list[str], file: str | None = None, environ=os.environ) -> list[tuple[str, str]]:
    """Return [(name, password), ...] of `--auth`, of the lines of `--auth-file`, and of MUSTANGO_AUTH's lines; [] where there is none.

    Raises InputError for what is not USER:PASS and for a name that has two passwords; it shows no password.
    """
    lines = [(f"--auth number {number}", text) for number, text in enumerate(given, 1)]
    lines += [(f"line {number} of {file}", text) for number, text in enumerate(_lines_of(file), 1)] if file else []
    lines += [(f"line {number} of {VARIABLE}", text) for number, text in enumerate(environ.get(VARIABLE, "").splitlines(), 1)]
    found = {}
    for place, text in lines:
        if not text.strip() and not place.startswith("--auth"):
            continue
        name, _, password = text.partition(":")
        name = name.strip()
        if not name or not password.strip():
            raise InputError(f"{place} is not USER:PASS; {FORM}")
        if found.setdefault(name, password) != password:
            raise InputError(f"{place} gives {name!r} another password; give each name once")
    if file and not found:
        raise InputError(f"{file} has no line USER:PASS; {FORM} on each line")
    return list(found.items())


def _lines_of(file):
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"cannot read --auth-file {file} ({getattr(error, 'strerror', None) or 'no UTF-8'}); give a file of lines USER:PASS"
        ) from None
