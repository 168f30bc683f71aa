"""What metadata.csv and its like say about songs: read in any usual form, matched to the files; what is not used is told."""

import csv
import html
import io
import json
import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from musicbench.build.charsets import decoded, twice_decoded
from musicbench.files import printable

FILE_FIELDS = (
    "file_name", "filename", "location", "file", "path", "file_path", "filepath", "audio", "audio_file", "audio_path", "audio_filepath",
    "audio_filename", "fname", "wav", "song", "track", "clip", "name", "id",
)  # fmt: skip
CAPTION_FIELDS = ("caption", "text", "main_caption", "prompt", "description", "captions", "caption_text", "sentence", "desc")
CAPTION_WORDS = re.compile(r"caption|prompt|descri|(?<![a-z])text(?![a-z])")
NEVER_CAPTIONS = {  # words of columns that say something else
    "note", "notes", "comment", "comments", "remark", "remarks", "license", "licence", "licenses", "licences", "copyright", "rights",
    "lyric", "lyrics", "transcript", "transcripts", "transcription", "transcriptions", "title", "titles", "artist", "artists", "album",
    "composer", "author", "annotator", "date", "created", "year", "size", "bytes", "kind", "type", "format", "split", "subset", "fold",
    "path", "url", "uri", "link", "source", "origin", "credit", "credits", "id", "ids", "hash", "md5", "sha1", "sha256", "checksum",
    "length", "count", "num", "duration", "language", "lang", "model", "score", "rating", "status", "negative", "ch", "bt", "bpm", "key", "user", "file",
    "encoder", "tokenizer", "embedding", "template", "dataset", "version", "prefix", "suffix", "seed", "review", "reviewer",
}  # fmt: skip
NO_CAPTION = {  # values as `_bare` spells them
    "", "nan", "none", "n a", "na", "null", "nil", "undefined", "unknown", "missing", "empty", "tbd", "tba", "tbc", "todo", "fixme", "no caption",
    "no captions", "no description", "no text", "no prompt", "not available", "not applicable", "true", "false", "value", "ref", "name", "div 0",
}  # fmt: skip
INVISIBLE = re.compile(
    r"\x1b\[[0-9;]*[A-Za-z]|[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb", "\u201e": "\u201c", "`": "`"}
TABLES, NOT_READ = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"), (".xlsx", ".xls", ".ods")
OF_CAPTIONS = re.compile(r"caption|prompt|descri")  # in a file's name
OF_MANIFESTS = re.compile(
    r"caption|prompt|descri|metadata|manifest|annotation|musicbench|musiccaps"
    r"|(?<![a-z])(?:labels?|rows|index|list|train|test|val|valid|validation|dev|eval|data|dataset)(?![a-z])"
)
OF_OTHERS = re.compile(
    r"(?<![a-z])(?:logs?|checksums?|md5|sha\d*|splits?|licen[cs]es?|notes?|comments?|readme|setup|config|concat|requirements|credits|lyrics"
    r"|transcripts?|todo|changes|changelog|titles?|artists?)(?![a-z])"
)
DELIMITERS = ",;\t|"
ESCAPED_QUOTE = re.compile(r'\\"(?!\s*(?:[,;\t|]|$))', re.MULTILINE)
BLANK = "\x1f"  # stands for the blank after a delimiter
MAX_CAPTION = 2000  # characters; what is longer is cut at the end of a sentence or a word
TAG = re.compile(r"</?(?:a|b|i|u|p|br|em|strong|span|div)(?:\s[^<>]*)?/?>", re.IGNORECASE)
FORMULA = re.compile(r"=[^=\s]|[@+-][A-Z.]+\(")  # as spreadsheets write it
LANGUAGES = {"fr", "de", "es", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "da", "no", "fi", "tr", "ar", "he", "hi", "ja", "jp", "ko", "kr", "zh", "cn", "th", "vi"} | {
    "french", "german", "spanish", "italian", "portuguese", "dutch", "polish", "russian", "turkish", "arabic", "hindi", "japanese", "korean", "chinese",
}  # fmt: skip
SAMPLE_ROWS = 500  # by which the form of a table is chosen
MAX_BYTES = 1 << 28  # of a manifest
EXPECTED = "expected file_name and caption"


@dataclass
class Manifest:
    """What was read from one file: {song: caption}, how many rows it has, the caption column's name, and notes on what was not used.

    is_guess: no column is named as captions are.
    """

    name: str
    captions: dict = field(default_factory=dict)
    rows: int = 0
    column: str = ""
    is_guess: bool = False
    notes: list = field(default_factory=list)

    def line(self, songs):
        """Say in one line what was read of it and what was not used."""
        read = f"captions of {len(self.captions)} of {songs} songs" if self.captions else "not used"
        column = [f"captions from column {self.column}"] if self.captions else []
        line = " ".join("; ".join([f"{self.name}: {read}", *column, *self.notes]).split())
        return printable("".join(letter if letter.isprintable() else "?" for letter in line))


class _Unread(Exception):
    """A manifest that cannot be read; says why."""


def read_manifests(folder, songs, leave_out=()):
    """Return ({song: caption}, [line for each manifest]) of what is said about `songs`, paths relative to `folder`.

    Manifests are tables (.csv, .tsv, .jsonl, .parquet), and .json and .txt files that are no song's own, at any depth. A file that
    is not named like a manifest is used only if a column is named like captions. Where two speak of a song, the one with such a column
    holds, then the one that is named like a manifest, then the first by depth and name. A row names a song by its path, its file's name
    or its stem, if only one song has it. The folders `leave_out` are not entered.
    """
    names = _Names(songs)
    manifests, lost = [], []
    for path in _candidates(folder, songs, leave_out):
        manifest = _read(Path(folder), path, names)
        is_known = path.suffix.lower() in (*TABLES, *NOT_READ) or _is_manifest_name(path)
        if is_known or manifest.captions or manifest.is_guess:
            manifests.append((manifest.is_guess, not _is_manifest_name(path), manifest))
        else:
            lost.append(manifest.name)
    manifests = [manifest for _, _, manifest in sorted(manifests, key=lambda entry: entry[:2])]
    captions = {}
    for manifest in manifests:
        again = sum(song in captions for song in manifest.captions)
        if again:
            manifest.notes.append(f"{counted(again, 'song')} captioned by an earlier manifest, which holds")
        captions = manifest.captions | captions
    lines = [manifest.line(len(songs)) for manifest in manifests]
    if lost:
        lines.append(f"{counted(len(lost), '.txt or .json file')} belong{'s' if len(lost) == 1 else ''} to no song: {some(lost)}")
    return captions, lines


def is_caption(text):
    """Tell whether a value says something in words; "nan", "None", "N/A", "TBD" and the like do not."""
    return isinstance(text, str) and bool(re.search(r"[^\W\d_]", text)) and _bare(text) not in NO_CAPTION


def _bare(text):
    return re.sub(r"[\W_]+", " ", INVISIBLE.sub("", text[:100])).strip().casefold()


def caption_text(value):
    """Return a value's caption in one line, without control characters, HTML and outer quotes, of a list its first; "" where it has none."""
    value = value[0] if isinstance(value, list) and value else value
    if not is_caption(value):
        return ""
    plain = html.unescape(TAG.sub("", twice_decoded(value)))
    text = " ".join(INVISIBLE.sub("", plain).encode("utf-8", "replace").decode().split())
    if FORMULA.match(text):
        return ""
    quotes = text[0], QUOTES.get(text[0])
    if text[-1] == quotes[1] and not any(quote in text[1:-1] for quote in quotes):
        text = text[1:-1].strip()
    return text


def shortened(caption):
    """Return a caption of up to `MAX_CAPTION` characters, cut at the end of a sentence or a word."""
    if len(caption) <= MAX_CAPTION:
        return caption
    cut = caption[: MAX_CAPTION + 1]
    sentence = max(cut.rfind(mark) for mark in (". ", "! ", "? ", "。"))
    return cut[: sentence + 1] if sentence > MAX_CAPTION / 2 else cut[:MAX_CAPTION].rsplit(" ", 1)[0]


def caption_names(names):
    """Return those of some names that captions have, best first: all that are usual, or else the first that contains "caption" or so."""
    usual, likely = _caption_names(names)
    return usual or likely[:1]


def _caption_names(names):
    """Return (names that captions usually have, names that contain "caption" or so), best first, English before other languages."""
    by_plain = {}
    for name in names:
        by_plain.setdefault(_plain(name), name)
    usual = [by_plain[plain] for plain in CAPTION_FIELDS if plain in by_plain]
    likely = []
    for plain, name in by_plain.items():
        found = CAPTION_WORDS.search(plain)
        if found and name not in usual and not _is_never(plain):
            likely.append((found[0], not LANGUAGES.isdisjoint(plain.split("_")), name))
    return usual, [name for _, _, name in sorted(likely, key=lambda entry: entry[:2])]


def _is_never(plain):
    return not NEVER_CAPTIONS.isdisjoint(plain.split("_"))


def composed(name):
    return unicodedata.normalize("NFC", name)


# ---------------------------------------------------------------------------------------------------- finding


def _candidates(folder, songs, leave_out):
    """Return the paths of files that may be manifests, those near the top first."""
    stems = {composed(os.path.splitext(song)[0]) for song in songs}
    left_out, found = set(map(os.path.realpath, leave_out)), []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and os.path.realpath(os.path.join(place, name)) not in left_out]
        for name in names:
            path, suffix = Path(place) / name, os.path.splitext(name)[1].lower()
            own = composed(os.path.splitext(os.path.relpath(path, folder))[0])
            may_be = suffix in (*TABLES, *NOT_READ) or _is_manifest_name(path) or (suffix in (".json", ".txt") and own not in stems)
            if name[0] != "." and may_be and os.path.relpath(path, folder) not in songs:
                found.append(path)
    return sorted(found, key=lambda path: (len(path.parts), str(path)))


def _is_manifest_name(path):
    stem = path.name.split(".")[0].lower()
    return bool(OF_MANIFESTS.search(stem)) and not OF_OTHERS.search(stem)


class _Names:
    """Songs by the names that rows may give them: exact first, then ever looser, each only where one song has it."""

    def __init__(self, songs):
        self.levels = [{}, {}, {}, {}, {}, {}]
        for song in songs:
            for level, key in zip(self.levels, _keys(song), strict=True):
                level[key] = song if level.get(key, song) == song else None

    def find(self, name, folders):
        """Return (level, song) of what a row in a manifest calls a song, relative to one of `folders`.

        None where it names none; (level, None) where it fits more than one.
        """
        paths = dict.fromkeys(path for folder in folders for path in _as_paths(name, *folder))
        unclear = None
        for number, level in enumerate(self.levels):
            for path in paths:
                keys = [_keys(path)[number], *([composed(os.path.basename(path)).casefold()] if number == 4 else [])]
                for key in keys:
                    if level.get(key):
                        return number, level[key]
                    if key in level:
                        unclear = number, None
        return unclear


def _keys(path):
    whole = composed(path)
    name = os.path.basename(whole)
    stem = _without_suffix(name).casefold()
    return whole, whole.casefold(), _without_suffix(whole).casefold(), name.casefold(), stem, re.sub(r"\d+", _without_zeros, stem)


def _without_zeros(number):
    return number[0].lstrip("0") or "0"


def _without_suffix(name):
    return re.sub(r"(?<=[^/])\.\w{1,8}$", "", name)


def _as_paths(name, root, inner):
    """Yield the paths, relative to the songs' folder, that a row's name can mean in a manifest in its folder `inner`."""
    url = re.sub(r"[?#].*", "", name, flags=re.DOTALL) if "://" in name else name
    for text in (name, unquote(url.removeprefix("file://")).replace("\\", "/")):
        text = text.strip().strip("\"'")
        if text:
            yield os.path.relpath(text, root) if os.path.isabs(text) else os.path.normpath(os.path.join(inner, text))


# ---------------------------------------------------------------------------------------------------- reading


def _read(folder, path, names):
    inner = os.path.relpath(path.parent, folder)
    manifest = Manifest(printable(os.path.relpath(path, folder)))
    folders = [(os.path.abspath(folder), place) for place in dict.fromkeys((inner, "."))]
    found = {}

    def find(name):
        if name not in found:
            found[name] = names.find(name, folders)
        return found[name]

    try:
        header, rows = _table(path, find, manifest.notes)
        if header == ["", ""] and OF_CAPTIONS.search(path.name.lower()):
            header = ["file_name", "caption"]
        _match(manifest, header, rows, find)
    except _Unread as error:
        manifest.notes = [f"{error}; {EXPECTED}"]
    if manifest.is_guess and not _is_manifest_name(path):
        manifest.captions = {}
        manifest.notes = [
            f"it has no caption column and is not named like a manifest; {EXPECTED}, or the name captions{path.suffix}"
        ]
    return manifest


def _table(path, find, notes):
    """Return (names of the columns or None, rows) of a manifest. Raises _Unread."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise _Unread("it is no regular file")
    if path.stat().st_size > MAX_BYTES:
        raise _Unread(f"it holds more than {MAX_BYTES >> 20} MiB; split it")
    if suffix == ".parquet":
        return _parquet_table(path)
    if suffix not in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt"):
        raise _Unread(f"a {suffix or 'file without a suffix'} is not read; save it as .csv, .jsonl, .json or .parquet")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _Unread(f"it cannot be read ({error.strerror})") from None
    if data.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise _Unread("it is a spreadsheet or an archive, whatever its name; save it as .csv")
    text, encoding = decoded(data)
    if text is None:
        raise _Unread("it is no text, or in an encoding that is not clear; save it as UTF-8")
    if not text.strip():
        raise _Unread("it is empty")
    notes += [f"read as {encoding}"] if encoding else []
    if suffix in (".jsonl", ".ndjson", ".json"):
        return _json_table(text, notes)
    return _text_table(text, find, notes)


def _parquet_table(path):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise _Unread("Parquet needs pyarrow; pip install pyarrow") from None
    try:
        schema = pyarrow.parquet.read_schema(path)
        columns = [name for name in schema.names if not pyarrow.types.is_nested(schema.field(name).type)]
        columns += [f"{name}.path" for name in schema.names if pyarrow.types.is_struct(schema.field(name).type)]  # no sound's bytes
        rows = pyarrow.parquet.read_table(path, columns=columns).to_pylist()
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _Unread(f"it is no Parquet file ({str(error).splitlines()[0][:100]})") from None
    return _from_objects(rows)


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
        raise _Unread(f"it is neither JSON nor JSON Lines ({str(fault)[:80]})")
    if bad:
        notes.append(f"{counted(len(bad), 'line')} that {'is' if len(bad) == 1 else 'are'} not JSON: {some(bad)}")
    return _json_rows(values)


def _json_rows(value):
    """Return a table of a JSON value: a list of rows, an object of columns, of one row, with lists of rows in it, or of rows by name."""
    if isinstance(value, dict):
        return _object_rows(value)
    if not isinstance(value, list):
        raise _Unread(f"it holds {json.dumps(value)[:40]}")
    if value and all(isinstance(row, list) for row in value):
        return None, value
    return _from_objects(value)


def _object_rows(value):
    file, captions = _file_field(value), caption_names(value)
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
    with_files = [rows for rows in lists if any(_file_field(row) is not None for row in rows)]
    with_captions = [rows for rows in with_files if any(caption_names(row) for row in rows)]
    if with_files or len(lists) == 1:
        return _from_objects([row for rows in with_captions or with_files or lists for row in rows])
    if is_row:
        return _from_objects([value])
    if isinstance(value.get(file), (list, dict)):
        return _columns_table(value, file)
    return _by_name(value)


def _file_field(row):
    by_plain = {_plain(name): name for name in row}
    return next((by_plain[name] for name in FILE_FIELDS if name in by_plain), None)


def _lists_of_objects(value, depth=3):
    """Yield the lists of objects in an object, and in those in it."""
    for inner in value.values():
        if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner):
            yield inner
        elif isinstance(inner, dict) and depth:
            yield from _lists_of_objects(inner, depth - 1)


def _columns_table(value, file):
    """Return the table of an object of columns, each a list or an object by the rows' keys; what is no column is left out."""
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
    return header, [[row.get(name) if isinstance(row, dict) else None for name in header] for row in rows]


def _text_table(text, find, notes):
    """Return the table of a text by the delimiter and quoting with which most of its rows name a song and have a caption."""
    if ESCAPED_QUOTE.search(text):  # as C and JSON write it, not CSV
        text = text.replace('\\"', '""')
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    if said := re.fullmatch(r"sep=(.)", lines[0].strip()):  # as Excel writes it
        lines = lines[1:]
    while len(lines) > 1 and _is_remark(lines[0]):
        lines = lines[1:]
    forms = [
        (delimiter, quoting) for delimiter in (said[1] if said else DELIMITERS) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    ]
    sample = lines[:SAMPLE_ROWS]
    best = max([*forms, None], key=lambda form: _score(*_split(sample, form)[:2], find))
    header, rows, mended = _split(lines, best)
    if header and mended:
        notes.append(f"{len(mended)} of {len(rows)} rows have commas without quotes, taken as their captions': {some(mended)}")
    return header, rows


def _is_remark(line):
    """Tell whether a line begins with # and is no header."""
    return line.startswith("#") and {_plain(cell) for cell in re.split(f"[{DELIMITERS}]", line)}.isdisjoint(FILE_FIELDS)


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
        rows += [[_marked_cell(cell) for cell in row] for row in read if any(cell.strip(BLANK + " \n\t") for cell in row)]
    except csv.Error:
        return None, [], []
    if form[1] == csv.QUOTE_NONE:
        rows = [[cell.strip('"') for cell in row] for row in rows]
    if rows:
        rows[0] = [cell.strip(BLANK) for cell in rows[0]]
    is_header = (
        rows and {_plain(cell) for cell in rows[0]} & {*FILE_FIELDS, *CAPTION_FIELDS} and not any(map(_looks_like_file, rows[0]))
    )
    header, rows = (rows[0], rows[1:]) if is_header else (None, rows)
    return header, *_with_commas(header, rows, form[0])


def _marked_cell(cell):
    """Return a cell without outer blanks, but for the mark that it stood after a delimiter and a blank."""
    mark = BLANK if cell.startswith(BLANK) else ""
    return mark + cell.replace(BLANK, " ").strip()


def _looks_like_file(cell):
    return bool(re.search(r"\.\w{2,4}$", cell))


def _with_commas(header, rows, delimiter):
    """Give rows with too many cells back the delimiters that their texts hold without quotes; return them and their first cells.

    A cell after a delimiter and a blank goes on with the one before it, if that makes the row as long as the others; else the
    cells too many are the caption's.
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


def _score(header, rows, find):
    """Tell how well a table is read: by a header that names files and something else, then by rows with a song and a caption."""
    is_known = bool(header) and len(header) > 1 and _file_field(header) is not None
    try:
        header, rows, file_column, caption_columns, is_guess = _columns(header, rows, find)
    except _Unread:
        return is_known, 0, 0
    good = 0
    for row in rows:
        good += bool(find(_name(_cell(row, file_column))) and _first_caption(row, caption_columns))
    return is_known, good, bool(header)


# ---------------------------------------------------------------------------------------------------- matching


def _columns(header, rows, find):
    """Return (header, rows, place of the files' names, places of captions, whether these are a guess). Raises _Unread."""
    width = max([len(header or ()), *(len(row) for row in rows[:SAMPLE_ROWS])], default=0)
    file_column = _file_column(header, rows[:SAMPLE_ROWS], width, find)
    if header is None and len(rows) > 1 and file_column is not None and _is_header(rows[0], file_column, find):
        header, rows = rows[0], rows[1:]
    names = list(header or ())
    usual, likely = ([names.index(name) for name in found] for found in _caption_names(names))
    captions = [place for place in usual if place != file_column]
    if not captions:
        songs = _rows_of_songs(rows, file_column, find)
        captions = [place for place in likely if place != file_column and _is_varied(songs, place)][:1]
    guess = [] if captions else _wordy_columns(names, _rows_of_songs(rows, file_column, find), width, file_column)
    if file_column is None or not captions + guess:
        raise _Unread(_found(header, rows))
    return header, rows, file_column, captions or guess, bool(guess)


def _file_column(header, rows, width, find):
    plain = [_plain(name) for name in header or ()]
    hits = [sum(bool(find(_name(_cell(row, place)))) for row in rows) for place in range(width)]
    known = [plain.index(name) for name in FILE_FIELDS if name in plain]
    column = max(known, key=lambda place: hits[place], default=None)
    if (column is None or not hits[column]) and any(hits):
        return hits.index(max(hits))
    return column


def _is_header(row, file_column, find):
    """Tell whether a table's first row holds words where others hold a file's name."""
    first = _name(_cell(row, file_column))
    return not find(first) and not any(_looks_like_file(_name(cell)) for cell in row)


def _rows_of_songs(rows, file_column, find):
    return [row for row in rows[:SAMPLE_ROWS] if find(_name(_cell(row, file_column)))]


def _wordy_columns(names, rows, width, file_column):
    """Return the place, in a list, of the column with most words, if each row has some and not all the same; [] where there is none."""
    least = 3 if any(names) else 2
    words = {}
    for place in range(len(names) or width):
        texts = [caption_text(_cell(row, place)) for row in rows]
        is_other = place == file_column or (place < len(names) and _is_never(_plain(names[place])))
        if not is_other and _is_varied(rows, place):
            words[place] = sum(len(text.split()) for text in texts)
    most = max(words, key=words.get, default=None)
    return [most] if most is not None and words[most] >= max(least * len(rows), 1) else []


def _is_varied(rows, place):
    """Tell whether not all rows say the same in a column; what they share is about all of them, not about a song."""
    return len(rows) < 2 or len({caption_text(_cell(row, place)) for row in rows}) > 1 or not caption_text(_cell(rows[0], place))


def _found(header, rows):
    if any(header or ()):
        return f"its columns are {', '.join(map(str, header))[:100]}"
    return f"its first row is {str(rows[0])[:100]}" if rows else "it holds no rows"


def _match(manifest, header, rows, find):
    """Put the captions of a table's rows into a manifest, with notes on rows that are not used. Raises _Unread."""
    header, rows, file_column, caption_columns, manifest.is_guess = _columns(header, rows, find)
    if not rows:
        raise _Unread("it holds no rows")
    name = header[caption_columns[0]] if header else ""
    manifest.column = str(name or caption_columns[0] + 1)
    best, told = {}, {what: [] for what in ROW_FAULTS}
    for row in rows:
        name, caption = _name(_cell(row, file_column)), _first_caption(row, caption_columns)
        found = find(name)
        if not found:
            told["name no song"].append(name or "(no file name)")
        elif not found[1]:
            told["fit more than one song; write their folders and endings"].append(name)
        elif not caption:
            told["hold a formula" if _has_formula(row, caption_columns) else "have no caption"].append(name)
        elif found[1] in best and best[found[1]][0] == found[0]:
            told["name a song again, whose first row holds"].append(name)
        elif found[1] in best:  # the row that names it more exactly has it
            worse = max(best[found[1]], (found[0], name, caption), key=lambda row: row[0])
            told["name no song"].append(worse[1])
            best[found[1]] = min(best[found[1]], (found[0], name, caption), key=lambda row: row[0])
        else:
            best[found[1]] = found[0], name, caption
    manifest.rows, manifest.captions = len(rows), {song: caption for song, (_, _, caption) in best.items()}
    told[f"have a caption of more than {MAX_CAPTION} characters, whose beginning is used"] = [
        name for _, name, caption in best.values() if len(caption) > MAX_CAPTION
    ]
    manifest.notes += [f"{len(names)} of {len(rows)} rows {what}: {some(names)}" for what, names in told.items() if names]
    if len(best) > 1 and len(set(manifest.captions.values())) == 1:
        manifest.notes.append(f"all {len(best)} captions are the same: is column {manifest.column} the right one?")
    others = _other_captions(header, rows, file_column, caption_columns)
    if others and manifest.captions:
        manifest.notes.append(f"not used: column{'s' if len(others) > 1 else ''} {', '.join(others)}")


ROW_FAULTS = (
    "name no song", "fit more than one song; write their folders and endings", "have no caption", "hold a formula",
    "name a song again, whose first row holds",
)  # fmt: skip


def _has_formula(row, places):
    return any(isinstance(cell, str) and FORMULA.match(cell.strip()) for cell in (_cell(row, place) for place in places))


def _other_captions(header, rows, file_column, used):
    """Return the names of columns that hold captions, too, and are not among those used."""
    names = list(header or ())
    places = [names.index(name) for name in _caption_names(names)[1]]
    return [str(names[place]) for place in places if place not in (*used, file_column) and _is_varied(rows[:SAMPLE_ROWS], place)]


def _cell(row, place):
    return row[place] if place is not None and place < len(row) else None


def _name(cell):
    """Return the file's name in a cell, "" where there is none."""
    if isinstance(cell, dict):
        cell = cell.get("path") or cell.get("file_name")
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    return cell if isinstance(cell, str) else ""


def _first_caption(row, places):
    """Return the first caption in a row's columns; "" where there is none in words."""
    return next((text for text in (caption_text(_cell(row, place)) for place in places) if text), "")


def _plain(name):
    """Return a column's name as the lists above spell it."""
    return re.sub(r"[\W_]+", "_", str(name)).strip("_").lower()


def some(names):
    shown = ", ".join(printable(name) for name in names[:3])
    return f"{shown} ..." if len(names) > 3 else shown


def counted(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
