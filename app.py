"""The page: type a prompt with chords and a tempo, hear it, see that it obeyed.

Run python app.py, then open the address it prints. It is `mustango page`.
"""

import sys

from mustango.__main__ import main as mustango


def main(arguments=None):
    """Run the page until it is stopped; returns the exit status."""
    return mustango(["page", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
