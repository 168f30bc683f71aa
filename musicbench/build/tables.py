"""Files about songs read as tables: CSV and its like in any delimiter, JSON in any usual form, Parquet."""

import csv
import io
import json
import re
from itertools import accumulate

from musicbench.build.charsets import decoded
from musicbench.build.columns import (
    CAPTION_FIELDS,
    FILE_FIELDS,
    SAMPLE_ROWS,
    Unread,
    caption_names,
    caption_table,
    file_field,
    looks_like_file,
    plain_name,
)
from musicbench.build.stretches import timed_text
from musicbench.build.texts import counted, some

TABLES, NOT_READ = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"), (".xlsx", ".xls", ".ods")
DELIMITERS = ",;\t|"
ESCAPED_QUOTE = re.compile(r'\\"(?!\s*(?:[,;\t|]|$))', re.MULTILINE)
BLANK = "\x1f"  # stands for the blank after a delimiter
MAX_BYTES = 1 << 28  # of a manifest
MAX_LINE, MAX_COLUMNS = 1 << 18, 1000  # in letters, of a cell, too
SAMPLE_LETTERS = 1 << 20  # of lines by which the form of a text is chosen


def read_table(path, find, notes):
    """Return (names of the columns or None, rows) of a manifest. Raises Unread."""
    header, rows = _read(path, find, notes)
    if max([len(header or ()), *(len(row) for row in rows if isinstance(row, list))]) > MAX_COLUMNS:
        raise Unread(f"it has more than {MAX_COLUMNS} columns; leave those out that are not needed")
    return header, rows


def _read(path, find, notes):
    suffix = path.suffix.lower()
    if not path.is_file():
        raise Unread("it is no regular file")
    if path.stat().st_size > MAX_BYTES:
        raise Unread(f"it holds more than {MAX_BYTES >> 20} MiB; split it")
    if suffix == ".parquet":
        return _parquet_table(path)
    if suffix not in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt"):
        raise Unread(f"a {suffix or 'file without a suffix'} is not read; save it as .csv, .jsonl, .json or .parquet")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unread(f"it cannot be read ({error.strerror})") from None
    if data.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise Unread("it is a spreadsheet or an archive, whatever its name; save it as .csv")
    text, encoding = decoded(data)
    if text is None:
        raise Unread("it is no text, or in an encoding that is not clear; save it as UTF-8")
    if not text.strip():
        raise Unread("it is empty")
    notes += [f"read as {encoding}"] if encoding else []
    if suffix in (".jsonl", ".ndjson", ".json"):
        return _json_table(text, notes)
    return _text_table(text, find, notes)


def _parquet_table(path):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise Unread("Parquet needs pyarrow; pip install pyarrow") from None
    try:
        schema = pyarrow.parquet.read_schema(path)
        columns = [name for name in schema.names if _is_plain(schema.field(name).type)]
        columns += [f"{name}.path" for name in schema.names if pyarrow.types.is_struct(schema.field(name).type)]  # no sound's bytes
        rows = pyarrow.parquet.read_table(path, columns=columns).to_pylist()
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise Unread(f"it is no Parquet file ({str(error).splitlines()[0][:100]})") from None
    return _from_objects(rows)


def _is_plain(kind):
    """Tell whether a column holds single values, or lists of such."""
    import pyarrow

    while pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        kind = kind.value_type
    return not pyarrow.types.is_nested(kind)


def _json_table(text, notes):
    try:
        return _json_rows(json.loads(text))
    except (ValueError, RecursionError) as error:
        fault = error
    values, bad = [], []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError):
            bad.append(str(number))
    if not values:
        raise Unread(f"it is neither JSON nor JSON Lines ({str(fault)[:80]})")
    if bad:
        notes.append(f"{counted(len(bad), 'line')} that {'is' if len(bad) == 1 else 'are'} not JSON: {some(bad)}")
    return _json_rows(values)


def _json_rows(value):
    """Return a table of a JSON value: a list of rows, an object of columns, of one row, with lists of rows in it, or
    of rows by name."""
    if isinstance(value, dict):
        return _object_rows(value)
    if not isinstance(value, list):
        raise Unread(f"it holds {json.dumps(value)[:40]}")
    if value and all(isinstance(row, list) for row in value):
        return None, value
    return _from_objects(value)


def _object_rows(value):
    file, captions = file_field(value), caption_names(value)
    is_row = isinstance(value.get(file), str)
    if captions and is_row:
        return _from_objects([value])
    if captions and isinstance(value[captions[0]], (list, dict)) and isinstance(value.get(file), (list, dict)):
        return _columns_table(value, file)
    if captions and isinstance(value[captions[0]], dict):
        return ["file_name", captions[0]], [list(pair) for pair in value[captions[0]].items()]
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):  # as pandas writes "split"
        return value["columns"], [row for row in value["data"] if isinstance(row, list)]
    lists = list(_lists_of_objects(value))
    with_files = [rows for rows in lists if any(file_field(row) is not None for row in rows)]
    with_captions = [rows for rows in with_files if any(caption_names(row) for row in rows)]
    if with_files or len(lists) == 1:
        return _from_objects([row for rows in with_captions or with_files or lists for row in rows])
    if is_row:
        return _from_objects([value])
    if isinstance(value.get(file), (list, dict)):
        return _columns_table(value, file)
    return _by_name(value)


def _lists_of_objects(value, depth=3):
    """Yield the lists of objects in an object, and in those in it."""
    for inner in value.values():
        if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner) and not timed_text(inner):
            yield inner
        elif isinstance(inner, dict) and depth:
            yield from _lists_of_objects(inner, depth - 1)


def _columns_table(value, file):
    """Return the table of an object of columns, each a list or an object by the rows' keys.

    What is no column is left out.
    """
    columns = {}
    for name, cells in value.items():
        if isinstance(cells, list):
            columns[name] = {str(number): cell for number, cell in enumerate(cells)}
        elif isinstance(cells, dict):
            columns[name] = cells
    return list(columns), [[cells.get(key) for cells in columns.values()] for key in columns[file]]


def _by_name(value):
    """Return the table of an object of rows, or of mere texts, by their songs' names."""
    if not any(isinstance(inner, dict) for inner in value.values()):
        return ["", ""], [list(pair) for pair in value.items()]
    return _from_objects(
        [{"file_name": name, **(inner if isinstance(inner, dict) else {"caption": inner})} for name, inner in value.items()]
    )


def _from_objects(rows):
    objects = [row for row in rows if isinstance(row, dict)]
    header = list(dict.fromkeys(name for row in objects for name in row))
    if len(header) > MAX_COLUMNS:
        return header, []
    return header, [[row.get(name) if isinstance(row, dict) else None for name in header] for row in rows]


def _text_table(text, find, notes):
    """Return the table of a text by the delimiter and quoting with which most of its rows name a song and have a
    caption."""
    if ESCAPED_QUOTE.search(text):  # as C and JSON write it, not CSV
        text = text.replace('\\"', '""')
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    if said := re.fullmatch(r"sep=(.)", lines[0].strip()):  # as Excel writes it
        lines = lines[1:]
    while len(lines) > 1 and _is_remark(lines[0]):
        lines = lines[1:]
    if too_long := next((number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE), None):
        raise Unread(f"its line {too_long} is longer than {MAX_LINE} letters; cut it")
    forms = [
        (delimiter, quoting) for delimiter in (said[1] if said else DELIMITERS) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    ]
    ends = list(accumulate(map(len, lines[:SAMPLE_ROWS])))
    sample = lines[: sum(end <= SAMPLE_LETTERS for end in ends)]
    best = max([*forms, None], key=lambda form: _score(*_split(sample, form), find))
    header, rows, mended = _split(lines, best)
    if header and mended:
        notes.append(f"{len(mended)} of {len(rows)} rows have commas without quotes, taken as their captions: {some(mended)}")
    return header, rows


def _is_remark(line):
    """Tell whether a line begins with # and is no header."""
    return line.startswith("#") and {plain_name(cell) for cell in re.split(f"[{DELIMITERS}]", line)}.isdisjoint(FILE_FIELDS)


def _split(lines, form):
    """Return (header or None, rows, the first cells of rows with delimiters without quotes) of lines in a form.

    A form is (delimiter, quoting), or None for a name, blanks or a colon, and a text.
    """
    if form is None:
        rows = [re.split(r"\s*:\s+|\s+", line.strip(), maxsplit=1) for line in lines if line.strip()]
        return None, rows, []
    csv.field_size_limit(MAX_BYTES)
    marked = (
        re.sub(rf'{re.escape(form[0])} +(?![" ])', f"{form[0]}{BLANK}", "\n".join(lines)) if form[0] != "\t" else "\n".join(lines)
    )
    read = csv.reader(io.StringIO(marked), delimiter=form[0], quoting=form[1], skipinitialspace=True)
    rows = []
    try:
        rows += [
            [_marked_cell(cell) for cell in _narrowed(row, form[0])]
            for row in read
            if any(cell.strip(BLANK + " \n\t") for cell in row)
        ]
    except csv.Error:
        return None, [], []
    if form[1] == csv.QUOTE_NONE:
        rows = [[cell.strip('"') for cell in row] for row in rows]
    if rows:
        rows[0] = [cell.strip(BLANK) for cell in rows[0]]
    is_header = (
        rows and {plain_name(cell) for cell in rows[0]} & {*FILE_FIELDS, *CAPTION_FIELDS} and not any(map(looks_like_file, rows[0]))
    )
    header, rows = (rows[0], rows[1:]) if is_header else (None, rows)
    return header, *_with_commas(header, rows, form[0])


def _narrowed(row, delimiter):
    """Return a row whose cells beyond the most that there may be are one, without empty ones at the end."""
    while len(row) > MAX_COLUMNS and not row[-1].strip(BLANK + " "):
        row.pop()
    return row if len(row) <= MAX_COLUMNS else [*row[:MAX_COLUMNS], delimiter.join(row[MAX_COLUMNS:])]


def _marked_cell(cell):
    """Return a cell without outer blanks, but for the mark that it stood after a delimiter and a blank."""
    cell = cell[:MAX_LINE]
    mark = BLANK if cell.startswith(BLANK) else ""
    return mark + cell.replace(BLANK, " ").strip()


def _with_commas(header, rows, delimiter):
    """Give rows with too many cells back the delimiters that their texts hold without quotes.

    Return them and their first cells. A cell after a delimiter and a blank goes on with the one before it, if that
    makes the row as long as the others; else the cells too many are the caption's.
    """
    width = len(header) if header else min((len(row) for row in rows if len(row) > 1), default=0)
    captions = caption_names(header or [])
    place = header.index(captions[0]) if captions else width - 1
    glue = delimiter if delimiter == "\t" else delimiter + " "
    whole, mended = [], []
    for row in rows:
        while len(row) > width and not row[-1].strip(BLANK):
            row = row[:-1]
        more = len(row) - width
        if more > 0 and width > 1:
            mended.append(row[0])
            row = _glued(row, glue) if sum(cell.startswith(BLANK) for cell in row) == more else row
            row = [*row[:place], glue.join(row[place : place + len(row) - width + 1]), *row[place + len(row) - width + 1 :]]
        whole.append([cell.replace(BLANK, "") for cell in row])
    return whole, [cell.replace(BLANK, "") for cell in mended]


def _glued(row, glue):
    cells = row[:1]
    for cell in row[1:]:
        if cell.startswith(BLANK):
            cells[-1] += glue + cell
        else:
            cells.append(cell)
    return cells


def _score(header, rows, mended, find):
    """Tell how well a table is read: by a header that names files and something else, then by rows with a song and a
    caption that need no mending."""
    is_known = bool(header) and len(header) > 1 and file_field(header) is not None
    try:
        table = caption_table(header, rows, find)
    except Unread:
        return is_known, 0, 0
    has_captions = bool(table.caption_columns)
    good = sum(bool(find(table.name_of(row)) and (table.caption_of(row) or not has_captions)) for row in table.rows)
    return is_known, good - len(mended), bool(table.header)
