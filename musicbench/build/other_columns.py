"""The columns of a manifest that hold no captions: labels and facts of its songs."""

import json

from musicbench.build.columns import plain_name
from musicbench.build.label_columns import LABEL_COLUMNS, read_labels
from musicbench.build.metadata import MOST_CHARACTERS, is_long, plain_value


def json_text(fields: dict) -> str:
    """Return a song's columns as text, which takes a tenth of their memory."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def other_columns(table, find):
    """Return ({song: its other columns as JSON}, {fault: names in the rows that have it}) of a `columns.CaptionTable`.

    Of rows that name one song the most exact holds, of these the first.
    """
    best = {}
    for row in table.rows:
        name = table.name_of(row)
        level, song = find(name) or (0, None)
        if song and (song not in best or best[song][0] > level):
            fields = {key: plain_value(cell) for key, cell in table.others_of(row).items()}
            best[song] = level, name, {key: value for key, value in fields.items() if value is not None}
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
