"""The columns of a table about songs: which names a song, which hold its captions."""

import re
from dataclasses import dataclass

from musicbench.build.texts import FORMULA, caption_text

FILE_FIELDS = (
    "file_name", "filename", "location", "file", "path", "file_path", "filepath", "audio", "audio_file", "audio_path",
    "audio_filepath", "audio_filename", "fname", "wav", "song", "track", "clip", "name", "id",
)  # fmt: skip
CAPTION_FIELDS = ("caption", "text", "main_caption", "prompt", "description", "captions", "caption_text", "sentence", "desc")
CAPTION_WORDS = re.compile(r"caption|prompt|descri|(?<![a-z])text(?![a-z])")
NEVER_CAPTIONS = {  # words of columns that say something else
    "note", "notes", "comment", "comments", "remark", "remarks", "license", "licence", "licenses", "licences",
    "copyright", "rights", "lyric", "lyrics", "transcript", "transcripts", "transcription", "transcriptions", "title",
    "titles", "artist", "artists", "album", "composer", "author", "annotator", "date", "created", "year", "size",
    "bytes", "kind", "type", "format", "split", "subset", "fold", "path", "url", "uri", "link", "source", "origin",
    "credit", "credits", "id", "ids", "hash", "md5", "sha1", "sha256", "checksum", "length", "count", "num", "duration",
    "language", "lang", "model", "score", "rating", "status", "negative", "ch", "bt", "bpm", "key", "user", "file",
    "encoder", "tokenizer", "embedding", "template", "dataset", "version", "prefix", "suffix", "seed", "review",
    "reviewer",
}  # fmt: skip
LANGUAGES = {
    "fr", "de", "es", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "da", "no", "fi", "tr", "ar", "he", "hi", "ja",
    "jp", "ko", "kr", "zh", "cn", "th", "vi",
    "french", "german", "spanish", "italian", "portuguese", "dutch", "polish", "russian", "turkish", "arabic", "hindi",
    "japanese", "korean", "chinese",
}  # fmt: skip
NO_WORDS = {"chords", "chord", "chord_progression", "chord_sequence", "chord_labels", "beats", "downbeats", "tempo", "meter"}
SAMPLE_ROWS = 500  # by which the form of a table is chosen


class Unread(Exception):
    """A manifest that cannot be read; says why."""


@dataclass(frozen=True)
class CaptionTable:
    """A table of which is known where its rows name songs and where they hold captions.

    header: the columns' names, None where it has none. is_guess: no column is named as captions are.
    """

    header: list | None
    rows: list
    file_column: int
    caption_columns: list
    is_guess: bool

    @property
    def column(self):
        """The name of the captions' column, or its number; "" where there is none."""
        if not self.caption_columns:
            return ""
        first = self.caption_columns[0]
        return str((self.header[first] if self.header else "") or first + 1)

    def name_of(self, row):
        """Return the file's name in a row, "" where there is none."""
        return file_name(cell_of(row, self.file_column))

    def caption_of(self, row):
        """Return the first caption in a row; "" where there is none in words."""
        cells = (cell_of(row, place) for place in self.caption_columns)
        return next((text for text in map(caption_text, cells) if text), "")

    def others_of(self, row):
        """Return a row's other cells by their columns' names."""
        used = (*self.caption_columns, self.file_column)
        return {str(name): cell_of(row, place) for place, name in enumerate(self.header or ()) if place not in used and name}

    def has_formula(self, row):
        """Tell whether a row holds a spreadsheet's formula where a caption should be."""
        cells = (cell_of(row, place) for place in self.caption_columns)
        return any(isinstance(cell, str) and FORMULA.match(cell.strip()) for cell in cells)

    def other_captions(self):
        """Return the names of columns that hold captions, too, and are not used."""
        names, used = list(self.header or ()), (*self.caption_columns, self.file_column)
        places = [names.index(name) for name in usual_and_likely(names)[1]]
        return [str(names[place]) for place in places if place not in used and _is_varied(self.rows[:SAMPLE_ROWS], place)]


def caption_names(names):
    """Return those of some names that captions have, best first: all that are usual, or else the first that contains
    "caption" or so."""
    usual, likely = usual_and_likely(names)
    return usual or likely[:1]


def usual_and_likely(names):
    """Return (names that captions usually have, names that contain "caption" or so), best first, English before
    other languages."""
    by_plain = {}
    for name in names:
        by_plain.setdefault(plain_name(name), name)
    usual = [by_plain[plain] for plain in CAPTION_FIELDS if plain in by_plain]
    likely = []
    for plain, name in by_plain.items():
        found = CAPTION_WORDS.search(plain)
        if found and name not in usual and not _is_never(plain):
            likely.append((found[0], not LANGUAGES.isdisjoint(plain.split("_")), name))
    return usual, [name for _, _, name in sorted(likely, key=lambda entry: entry[:2])]


def _is_never(plain):
    return not NEVER_CAPTIONS.isdisjoint(plain.split("_"))


def plain_name(name):
    """Return a column's name as the lists above spell it."""
    return re.sub(r"[\W_]+", "_", str(name)).strip("_").lower()


def file_field(row):
    """Return that of some names that a file's name usually has, None where there is none."""
    by_plain = {plain_name(name): name for name in row}
    return next((by_plain[name] for name in FILE_FIELDS if name in by_plain), None)


def caption_table(header, rows, find):
    """Return the CaptionTable of a table: a header or None, and rows. Raises Unread."""
    width = max([len(header or ()), *(len(row) for row in rows[:SAMPLE_ROWS])], default=0)
    file_column = _file_column(header, rows[:SAMPLE_ROWS], width, find)
    if header is None and len(rows) > 1 and file_column is not None and _is_header(rows[0], file_column, find):
        header, rows = rows[0], rows[1:]
    names = list(header or ())
    usual, likely = ([names.index(name) for name in found] for found in usual_and_likely(names))
    captions = [place for place in usual if place != file_column]
    if not captions:
        songs = _rows_of_songs(rows, file_column, find)
        captions = [place for place in likely if place != file_column and _is_varied(songs, place)][:1]
    guess = [] if captions else _wordy_columns(names, _rows_of_songs(rows, file_column, find), width, file_column)
    if file_column is None or not (captions + guess or _names_songs(names)):
        raise Unread(found_text(header, rows))
    return CaptionTable(header, rows, file_column, captions or guess, bool(guess))


def _names_songs(names):
    """Tell whether a header has a column for a file's name, and others."""
    return len(names) > 1 and file_field(names) is not None


def _file_column(header, rows, width, find):
    plain = [plain_name(name) for name in header or ()]
    hits = [sum(bool(find(file_name(cell_of(row, place)))) for row in rows) for place in range(width)]
    known = [plain.index(name) for name in FILE_FIELDS if name in plain]
    column = max(known, key=lambda place: hits[place], default=None)
    if (column is None or not hits[column]) and any(hits):
        return hits.index(max(hits))
    return column


def _is_header(row, file_column, find):
    """Tell whether a table's first row holds words where others hold a file's name."""
    first = file_name(cell_of(row, file_column))
    return not find(first) and not any(looks_like_file(file_name(cell)) for cell in row)


def _rows_of_songs(rows, file_column, find):
    return [row for row in rows[:SAMPLE_ROWS] if find(file_name(cell_of(row, file_column)))]


def _wordy_columns(names, rows, width, file_column):
    """Return the place, in a list, of the column with most words, if each row has some and not all the same.

    [] where there is none.
    """
    least = 3 if any(names) else 2
    words = {}
    for place in range(len(names) or width):
        texts = [caption_text(cell_of(row, place)) for row in rows]
        name = plain_name(names[place]) if place < len(names) else ""
        is_other = place == file_column or _is_never(name) or name in NO_WORDS
        if not is_other and _is_varied(rows, place):
            words[place] = sum(len(text.split()) for text in texts)
    most = max(words, key=words.get, default=None)
    return [most] if most is not None and words[most] >= max(least * len(rows), 1) else []


def _is_varied(rows, place):
    """Tell whether not all rows say the same in a column; what they share is about all of them, not about a song."""
    return (
        len(rows) < 2 or len({caption_text(cell_of(row, place)) for row in rows}) > 1 or not caption_text(cell_of(rows[0], place))
    )


def found_text(header, rows):
    """Say what a table holds in place of captions."""
    if any(header or ()):
        return f"its columns are {', '.join(map(str, header))[:100]}"
    return f"its first row is {str(rows[0])[:100]}" if rows else "it holds no rows"


def looks_like_file(cell):
    """Tell whether a cell ends as a file's name does."""
    return bool(re.search(r"\.\w{2,4}$", cell))


def cell_of(row, place):
    """Return a row's cell at a place, None where there is none."""
    return row[place] if place is not None and place < len(row) else None


def file_name(cell):
    """Return the file's name in a cell, "" where there is none."""
    if isinstance(cell, dict):
        cell = cell.get("path") or cell.get("file_name")
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    return cell if isinstance(cell, str) else ""
