"""Write docs/options.md, which lists every option, from the programs' own parsers: python docs/options.py"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "options.md"
HEAD = """# All options

Every command and option, as `--help` prints them. How the options work together is explained in
[generate.md](generate.md), [page.md](page.md), [dataset.md](dataset.md), [training.md](training.md) and [evaluation.md](evaluation.md).

`python docs/options.py` writes this page. Do not edit it by hand: change the help text in the code, then run the script.
"""


def commands():
    """Yield (the words that start it, what `--help` says of it in a line, its parser) for each command of each program."""
    sys.path.insert(0, str(ROOT))
    from musicbench.__main__ import build_parser as musicbench_parser
    from mustango.__main__ import build_parser as mustango_parser

    for parser in (mustango_parser(), musicbench_parser()):
        listed = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        summaries = {action.dest: action.help for action in listed._choices_actions}
        for name, command in listed.choices.items():
            yield f"{parser.prog} {name}", summaries[name], command


def cell(text):
    """Return text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def option_row(action, prog):
    """Return the table row of an option or argument: how it is written, what it takes, what it does."""
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
    values = ""
    if action.choices:
        values = ", ".join(map(str, action.choices))
    elif action.nargs != 0 and action.metavar:
        values = action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    help_text = (action.help or "") % {**vars(action), "prog": prog}
    return f"| {' '.join(filter(None, (names, cell(values))))} | {cell(help_text)} |"


def options_page():
    """Return the text of docs/options.md."""
    parts = [HEAD]
    for words, summary, parser in commands():
        rows = [option_row(action, parser.prog) for action in parser._actions if action.dest not in ("help", "version")]
        about = parser.description or f"{summary[0].upper()}{summary[1:]}."
        parts.append(f"## {words}\n\n{about}\n\n| option | what it does |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(options_page(), encoding="utf-8")
