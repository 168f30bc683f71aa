"""The columns of a manifest that hold no captions: labels and facts of its songs."""

import json

from musicbench.build.columns import cell_of, plain_name
from musicbench.build.label_columns import LABEL_COLUMNS, read_labels
from musicbench.build.metadata import MOST_CHARACTERS, is_long, plain_value
from musicbench.build.stretches import ENDS, STARTS, seconds, timed_text
from musicbench.build.texts import is_missing

VAGUE = ("from", "time", "timestamp", "t", "at", "to", "offset", "until")  # columns of a table that may hold other times


def json_text(fields: dict) -> str:
    """Return a song's columns as text, which takes a tenth of their memory."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _is_nothing(key, value):
    return value is None or (plain_name(key) in LABEL_COLUMNS and is_missing(value))


def timed_rows(table, find):
    """Return {song: caption with times} of a table whose rows each caption a stretch of a song; {} of other tables.

    It has a column for where a stretch starts, and some song has several rows. Of one row a song, these are times of
    something else, from which the song was cut.
    """
    starts, ends = (_column(table, names) for names in (STARTS, ENDS))
    said: dict[str, list] = {}
    for row in table.rows if starts is not None else ():
        _, song = find(table.name_of(row)) or (0, None)
        start_s, end_s = (seconds(cell_of(row, place)) for place in (starts, ends))
        caption = table.caption_of(row)
        if song and caption and start_s is not None:
            said.setdefault(song, []).append({"start": start_s, "end": end_s, "caption": caption})
    return {song: timed_text(rows) for song, rows in said.items()} if any(len(rows) > 1 for rows in said.values()) else {}


def _column(table, names):
    plain = [plain_name(name) for name in table.header or ()]
    return next((plain.index(name) for name in names if name in plain and name not in VAGUE), None)


def other_columns(table, find):
    """Return ({song: its other columns as JSON}, {fault: names in the rows that have it}) of a `columns.CaptionTable`.

    Of rows that name one song the most exact holds, of these the first.
    """
    best = {}
    for row in table.rows:
        name = table.name_of(row)
        level, song = find(name) or (0, None)
        if song and (song not in best or best[song][0] > level):
            fields = plain_value(table.others_of(row)) or {}
            best[song] = level, name, {key: value for key, value in fields.items() if not _is_nothing(key, value)}
    columns, faults = {}, {}
    for song, (_, name, fields) in best.items():
        for key in [key for key, value in fields.items() if plain_name(key) not in LABEL_COLUMNS and is_long(value)]:
            faults.setdefault(f"hold {key} of more than {MOST_CHARACTERS} characters, which is left out", []).append(name)
            del fields[key]
        for fault in read_labels({plain_name(key): value for key, value in fields.items()}).faults:
            said = f"hold {fault.column} that cannot be used, as {fault.why}"
            faults.setdefault(said, []).append(f"{name} ({fault.value})" if fault.value else name)
        if fields:
            columns[song] = json_text(fields)
    return columns, faults
