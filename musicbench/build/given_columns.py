"""Other columns of manifests than captions: artist, licence and whatever else a table says of songs."""

import os
import re
from pathlib import Path

from musicbench.build.columns import FILE_FIELDS, Unread, cell_of, file_name, plain_name
from musicbench.build.manifests import manifest_paths
from musicbench.build.song_names import Names
from musicbench.build.tables import read_table
from musicbench.build.texts import NO_CAPTION
from musicbench.files import printable

NO_VALUE = {"various", "various artists", "va", "v a", "unknown artist", "unknown album", "anonymous", "traditional", "untitled"}


def read_columns(folder: Path, songs: list[str], wanted: tuple[str, ...], leave_out: tuple = ()) -> dict[str, dict[str, str]]:
    """Return {name: {song: value}} of those columns `wanted` that manifests have, whatever their case and punctuation.

    Where two speak of a song, the first by depth and name holds. "Unknown", "N/A", "Various Artists" and the like are no
    values.
    """
    names, found = Names(songs), {}
    plain = {plain_name(name): name for name in wanted}
    for path in manifest_paths(folder, songs, leave_out):
        places = [(os.path.abspath(folder), inner) for inner in dict.fromkeys((os.path.relpath(path.parent, folder), "."))]
        known: dict[str, str | None] = {}

        def find(name, known=known, places=places):
            if name not in known:
                known[name] = (names.find(name, places) or (0, None))[1]
            return known[name]

        try:
            header, rows = read_table(path, find, [])
        except Unread:  # the captions' reading tells it
            continue
        columns = {plain_name(name): place for place, name in enumerate(header or ())}
        file_places = [columns[name] for name in FILE_FIELDS if name in columns]
        for name in plain.keys() & columns.keys():
            values = found.setdefault(plain[name], {})
            for row in rows:
                song = next(filter(None, (find(file_name(cell_of(row, place))) for place in file_places)), None)
                if song and (value := value_of(cell_of(row, columns[name]))):
                    values.setdefault(song, value)
    return found


def value_of(cell: object) -> str:
    """Return a value, or several of a list, in one line; "" where it says nothing."""
    if isinstance(cell, list):
        return ", ".join(filter(None, map(value_of, cell)))
    if cell is None or isinstance(cell, (bool, dict)):
        return ""
    text = " ".join(printable(str(cell)).split())
    bare = re.sub(r"[\W_]+", " ", text).strip().casefold()
    return "" if bare in NO_CAPTION | NO_VALUE else text
