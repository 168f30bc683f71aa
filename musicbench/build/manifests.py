"""What metadata.csv and its like say about songs: read in any usual form, matched to the files.

What is not used is told.
"""

import json
import os
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from musicbench.build.columns import Unread, caption_table, found_text
from musicbench.build.other_columns import json_text, other_columns, timed_rows
from musicbench.build.song_names import Names, composed
from musicbench.build.tables import NOT_READ, TABLES, read_table
from musicbench.build.texts import MAX_CAPTION, counted, some
from musicbench.build.timed_captions import longest_caption
from musicbench.files import printable

OF_CAPTIONS = re.compile(r"caption|prompt|descri")  # in a file's name
OF_MANIFESTS = re.compile(
    r"caption|prompt|descri|metadata|manifest|annotation|musicbench|musiccaps"
    r"|(?<![a-z])(?:labels?|rows|index|list|train|test|val|valid|validation|dev|eval|data|dataset)(?![a-z])"
)
OF_OTHERS = re.compile(
    r"(?<![a-z])(?:logs?|checksums?|md5|sha\d*|splits?|licen[cs]es?|notes?|comments?|readme|setup|config|concat|requirements"
    r"|credits|lyrics|transcripts?|todo|changes|changelog|titles?|artists?)(?![a-z])"
)
EXPECTED = "expected file_name and caption"
SHOWN, MAX_LINE = 20, 300  # songs whose columns are named; characters in which they are


@dataclass
class Manifest:
    """What was read from one file: {song: caption}, {song: its other columns as JSON}, how many rows it has, the caption
    column's name, and notes on what was not used.

    is_guess: no column is named as captions are.
    """

    name: str
    captions: dict = field(default_factory=dict)
    columns: dict = field(default_factory=dict)
    rows: int = 0
    column: str = ""
    is_guess: bool = False
    notes: list = field(default_factory=list)

    def line(self, songs):
        """Say in one line what was read of it and what was not used."""
        read = f"no captions, {EXPECTED}" if self.columns else "not used"
        read = f"captions of {len(self.captions)} of {songs} songs" if self.captions else read
        told = [f"captions from column {self.column}"] if self.captions else []
        if self.columns:
            names = dict.fromkeys(name for text in islice(self.columns.values(), SHOWN) for name in json.loads(text))
            told.append(f"columns of {len(self.columns)} of {songs} songs: {', '.join(names)}"[:MAX_LINE])
        line = " ".join("; ".join([f"{self.name}: {read}", *told, *self.notes]).split())
        return printable("".join(letter if letter.isprintable() else "?" for letter in line))


def read_manifests(folder, songs, leave_out=()):
    """Return ({song: caption}, {song: other columns as JSON}, [line for each manifest]) of what is said about `songs`,
    paths relative to `folder`.

    Manifests are tables (.csv, .tsv, .jsonl, .parquet), and .json and .txt files that are no song's own, at any depth.
    A file that is not named like a manifest is used only if a column is named like captions. Where two speak of a song,
    the one with such a column holds, then the one that is named like a manifest, then the first by depth and name. A
    row names a song by its path, its file's name or its stem, if only one song has it. The folders `leave_out` are not
    entered.
    """
    names = Names(songs)
    manifests, lost = [], []
    for path in manifest_paths(folder, songs, leave_out):
        manifest = _read(Path(folder), path, names)
        is_known = path.suffix.lower() in (*TABLES, *NOT_READ) or _is_manifest_name(path)
        if is_known or manifest.captions or manifest.columns or manifest.is_guess:
            manifests.append((manifest.is_guess, not _is_manifest_name(path), manifest))
        else:
            lost.append(manifest.name)
    manifests = [manifest for _, _, manifest in sorted(manifests, key=lambda entry: entry[:2])]
    captions, columns = {}, {}
    for manifest in manifests:
        for song, text in manifest.columns.items():
            columns[song] = json_text(json.loads(text) | json.loads(columns[song])) if song in columns else text
        again = sum(song in captions for song in manifest.captions)
        if again:
            manifest.notes.append(f"{counted(again, 'song')} captioned by an earlier manifest, which holds")
        captions = manifest.captions | captions
    lines = [manifest.line(len(songs)) for manifest in manifests]
    if lost:
        lines.append(f"{counted(len(lost), '.txt or .json file')} belong{'s' if len(lost) == 1 else ''} to no song: {some(lost)}")
    return captions, columns, lines


def manifest_paths(folder, songs, leave_out):
    """Return the paths of files that may be manifests, those near the top first."""
    stems, known = {composed(os.path.splitext(song)[0]) for song in songs}, set(songs)
    left_out, found = set(map(os.path.realpath, leave_out)), []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and os.path.realpath(os.path.join(place, name)) not in left_out]
        for name in names:
            path, suffix = Path(place) / name, os.path.splitext(name)[1].lower()
            own = composed(os.path.splitext(os.path.relpath(path, folder))[0])
            may_be = suffix in (*TABLES, *NOT_READ) or _is_manifest_name(path) or (suffix in (".json", ".txt") and own not in stems)
            if name[0] != "." and may_be and os.path.relpath(path, folder) not in known:
                found.append(path)
    return sorted(found, key=lambda path: (len(path.parts), str(path)))


def _is_manifest_name(path):
    stem = path.name.split(".")[0].lower()
    return bool(OF_MANIFESTS.search(stem)) and not OF_OTHERS.search(stem)


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
        header, rows = read_table(path, find, manifest.notes)
        if header == ["", ""] and OF_CAPTIONS.search(path.name.lower()):
            header = ["file_name", "caption"]
        _match(manifest, header, rows, find)
    except Unread as error:
        manifest.notes = [f"{error}; {EXPECTED}"]
    if manifest.is_guess and not _is_manifest_name(path):
        manifest.captions, manifest.columns = {}, {}
        manifest.notes = [
            f"it has no caption column and is not named like a manifest; {EXPECTED}, or the name captions{path.suffix}"
        ]
    return manifest


def _match(manifest, header, rows, find):
    """Put the captions of a table's rows into a manifest, with notes on rows that are not used. Raises Unread."""
    table = caption_table(header, rows, find)
    manifest.is_guess = table.is_guess
    if not table.rows:
        raise Unread("it holds no rows")
    manifest.column, manifest.rows = table.column, len(table.rows)
    best, told = _best_rows(table, find)
    if timed := timed_rows(table, find):
        best |= {song: (level, name, timed[song]) for song, (level, name, _) in best.items() if song in timed}
        told["name a song again, whose first row holds"] = []
    manifest.columns, faults = other_columns(table, find)
    told |= faults
    if not table.caption_columns and not manifest.columns:
        raise Unread(found_text(table.header, table.rows))
    manifest.captions = {song: caption for song, (_, _, caption) in best.items()}
    told[f"have a caption of more than {MAX_CAPTION} characters, whose beginning is used"] = [
        name for _, name, caption in best.values() if len(caption) > longest_caption(caption)
    ]
    manifest.notes += [f"{len(names)} of {manifest.rows} rows {what}: {some(names)}" for what, names in told.items() if names]
    if len(best) > 1 and len(set(manifest.captions.values())) == 1:
        manifest.notes.append(f"all {len(best)} captions are the same: is column {manifest.column} the right one?")
    others = table.other_captions()
    if others and manifest.captions:
        manifest.notes.append(f"not used: column{'s' if len(others) > 1 else ''} {', '.join(others)}")


ROW_FAULTS = (
    "name no song", "fit more than one song; write their folders and endings", "have no caption", "hold a formula",
    "name a song again, whose first row holds",
)  # fmt: skip


def _best_rows(table, find):
    """Return ({song: (level, name, caption)} of the rows that name it most exactly, {fault: names in the rows that
    have it})."""
    best, told = {}, {what: [] for what in ROW_FAULTS}
    for row in table.rows:
        name, caption = table.name_of(row), table.caption_of(row)
        found = find(name)
        if not found:
            told["name no song"].append(name or "(no file name)")
            continue
        level, song = found
        if not song:
            told["fit more than one song; write their folders and endings"].append(name)
        elif not caption and not table.caption_columns:
            continue
        elif not caption:
            told["hold a formula" if table.has_formula(row) else "have no caption"].append(name)
        elif song not in best:
            best[song] = level, name, caption
        elif best[song][0] == level:
            told["name a song again, whose first row holds"].append(name)
        else:
            best[song], (_, worse, _) = sorted([best[song], (level, name, caption)], key=lambda row: row[0])
            told["name no song"].append(worse)
    return best, told
