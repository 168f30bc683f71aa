"""Songs by the names that tables give them."""

import os
import re
import unicodedata
from urllib.parse import unquote


def composed(name):
    """Return a name with each letter and its accents as one character, as some systems write them and others do not."""
    return unicodedata.normalize("NFC", name)


class Names:
    """Songs by the names that rows may give them: exact first, then ever looser, each only where one song has it."""

    def __init__(self, songs):
        self._songs, self._levels = songs, {}

    def level(self, number):
        """Return {key: song, or None where several have it} of a level; made when it is first asked for."""
        if number not in self._levels:
            level = self._levels[number] = {}
            for song in self._songs:
                key = KEYS[number](song)
                level[key] = song if level.get(key, song) == song else None
        return self._levels[number]

    def find(self, name, folders):
        """Return (level, song) of what a row in a manifest calls a song, relative to one of `folders`.

        None where it names none; (level, None) where it fits more than one.
        """
        paths = dict.fromkeys(path for folder in folders for path in _as_paths(name, *folder))
        unclear = None
        for number, key_of in enumerate(KEYS):
            level = self.level(number)
            for path in paths:
                keys = [key_of(path), *([composed(os.path.basename(path)).casefold()] if number == 4 else [])]
                for key in keys:
                    if level.get(key):
                        return number, level[key]
                    if key in level:
                        unclear = number, None
        return unclear


def _name(path):
    return os.path.basename(composed(path))


def _stem(path):
    return _without_suffix(_name(path)).casefold()


def _without_zeros(number):
    return number[0].lstrip("0") or "0"


def _without_suffix(name):
    return re.sub(r"(?<=[^/])\.\w{1,8}$", "", name)


KEYS = (
    composed,
    lambda path: composed(path).casefold(),
    lambda path: _without_suffix(composed(path)).casefold(),
    lambda path: _name(path).casefold(),
    _stem,
    lambda path: re.sub(r"\d+", _without_zeros, _stem(path)),
)


def _as_paths(name, root, inner):
    """Yield the paths, relative to the songs' folder, that a row's name can mean in a manifest in its folder
    `inner`."""
    url = re.sub(r"[?#].*", "", name, flags=re.DOTALL) if "://" in name else name
    for text in (name, unquote(url.removeprefix("file://")).replace("\\", "/")):
        text = text.strip().strip("\"'")
        if text:
            yield os.path.relpath(text, root) if os.path.isabs(text) else os.path.normpath(os.path.join(inner, text))
