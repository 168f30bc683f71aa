"""What the server writes on its terminal: text without control characters, whoever sent it, and not without end."""

import re
import time

CONTROLS = re.compile(r"(?!\A)\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


MOST, WITHIN_S = 100_000, 60.0  # characters that are written within seconds


class Clean:
    """A text stream that shows control characters as escapes, but for new lines, tabs and a carriage return before a text.

    Of more than MOST characters within WITHIN_S the rest is left out.
    """

    def __init__(self, stream):
        self._stream, self._written, self._began = stream, 0, time.monotonic()

    def write(self, text):
        """Write a text."""
        if time.monotonic() - self._began > WITHIN_S:
            self._written, self._began = 0, time.monotonic()
        if self._written > MOST:
            return len(text)
        self._written += len(text)
        if self._written > MOST:
            text = "\nmustango: too much is said here; the rest of this minute is left out\n"
        return self._stream.write(CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text))

    def writelines(self, lines):
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._stream, name)
