"""What the server writes on its terminal: text without control characters, whoever sent it."""

import re

CONTROLS = re.compile(r"(?!\A)\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Clean:
    """A text stream that shows control characters as escapes, but for new lines, tabs and a carriage return before a text."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        """Write a text."""
        return self._stream.write(CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text))

    def writelines(self, lines):
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._stream, name)
