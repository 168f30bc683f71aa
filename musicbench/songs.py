"""A folder of songs: find them, name them, read what is said about them, cut them into clips."""

import hashlib
import json
import os
import re
import sys
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.facts import Stated, read_prompt
from musicbench.features import SILENCE_DB, loudness_db

# The last four cannot be read; they are rejected by name rather than passed over.
SUFFIXES = {
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64",
    ".m4a", ".aac", ".wma", ".mp4",
}  # fmt: skip


def find_songs(folder, leave_out=None):
    """Return the paths of the audio files below `folder`, relative to it, sorted.

    Linked folders and the folder `leave_out` are not entered; hidden files and what is no regular file, such as a pipe, are left.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {folder}; give a folder of audio files")
    left_out, found = leave_out and os.path.realpath(leave_out), []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if name[0] != "." and os.path.realpath(os.path.join(place, name)) != left_out]
        for path in (os.path.join(place, name) for name in names if name[0] != "." and Path(name).suffix.lower() in SUFFIXES):
            if os.path.isfile(path) or not os.path.exists(path):  # a link to nothing is named as a song that cannot be read
                found.append(os.path.relpath(path, folder))
    if not found:
        raise InputError(f"no audio file in {folder}; looked for {' '.join(sorted(SUFFIXES))}")
    return sorted(found)


def path_text(path):
    """Return a path as valid text, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def song_id(path):
    """Name a song by its file's name, in plain letters, and a digest of its path, so that no two are equal."""
    plain = unicodedata.normalize("NFKD", path_text(Path(path).stem)).encode("ascii", "ignore").decode()
    digest = hashlib.sha1(os.fsencode(path)).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', plain)[:48].strip('-') or 'song'}-{digest}"


def read_manifest(folder, songs):
    """Return {song: caption} as a folder's metadata.csv, metadata.jsonl or rows as MusicBench publishes them say, if there is one.

    A row names one of `songs` by its path or, without a folder, by a file name that only one song has; accents in any Unicode form.
    How many captions and .txt files name no song is said on standard error. Raises InputError.
    """
    captions, bare = {}, [_composed(os.path.basename(song)) for song in songs]
    count = Counter(bare)
    named = {name: song for name, song in zip(bare, songs, strict=True) if count[name] == 1}
    named |= {_composed(song): song for song in songs} | {song: song for song in songs}
    for path in sorted(Path(folder).glob("*")):
        if path.name in ("metadata.csv", "manifest.csv"):
            import csv

            try:
                with path.open(encoding="utf-8-sig", newline="") as file:
                    rows = list(csv.DictReader(file))
            except (OSError, UnicodeDecodeError, csv.Error) as error:
                raise InputError(f"{path} is no CSV file in UTF-8 ({error}); mend it or take it away") from None
        elif path.name in ("metadata.jsonl", "manifest.jsonl", "rows.jsonl") or re.fullmatch(r"MusicBench_\w+\.json", path.name):
            try:
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
            except (OSError, ValueError) as error:
                raise InputError(f"{path} is not JSON Lines ({error}); mend it or take it away") from None
        else:
            continue
        given = []
        for row in rows:
            fields = row if isinstance(row, dict) else {}
            name = next((fields[field] for field in ("file_name", "filename", "location", "file") if fields.get(field)), "")
            if not isinstance(row, dict) or not isinstance(name, str):
                raise InputError(f"{path}: {str(row)[:80]} names no file; give rows with file_name and caption")
            if caption := _caption(fields):
                own = os.path.relpath(name, os.path.abspath(folder)) if os.path.isabs(name) else os.path.normpath(name)
                given.append((name or "(no file_name)", named.get(own) or named.get(_composed(own)), caption))
        captions |= {song: caption for _, song, caption in given if song}
        _tell_lost([name for name, song, _ in given if not song], len(given), f"captions of {path.name}")
    stems = {_composed(os.path.splitext(song)[0]) for song in songs}
    texts = [os.path.relpath(path, folder) for path in Path(folder).rglob("*") if path.suffix.lower() == ".txt"]
    _tell_lost(sorted(text for text in texts if _composed(os.path.splitext(text)[0]) not in stems), len(texts), ".txt files")
    return captions


def _tell_lost(lost, total, what):
    if lost:
        print(f"{len(lost)} of {total} {what} name no song: {', '.join(lost[:3])}", file=sys.stderr)


def _composed(name):
    return unicodedata.normalize("NFC", name)


def _caption(fields):
    """Return the caption among the fields of a row or sidecar, of several the first; "" where none is in words."""
    for name in ("caption", "text", "main_caption", "prompt", "description"):
        value = fields.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and re.search(r"[^\W\d_]", value):
            return value
    return ""


def song_text(path, manifest_caption, tags):
    """Return (caption, genre) from a song's own text: a sidecar .txt or .json, the manifest, or the file's genre tag; "" where none."""
    stem = Path(path).stem
    for suffix in (".txt", ".TXT", ".json", ".JSON"):
        for name in dict.fromkeys((stem, _composed(stem), unicodedata.normalize("NFD", stem))):
            sidecar = Path(path).with_name(name + suffix)
            if sidecar.is_file() and (text := _sidecar_text(sidecar)):
                return " ".join(text.split())[:2000], ""
    if manifest_caption:
        return " ".join(manifest_caption.split())[:2000], ""
    return "", _genre(tags.get("genre", ""))


def _sidecar_text(path):
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig", errors="replace")
    if path.suffix.lower() == ".txt":
        return text.strip()
    try:
        fields = json.loads(text)
    except ValueError:
        return ""
    return _caption(fields) if isinstance(fields, dict) else ""


def _genre(tag):
    """Return the first genre of a tag in plain words; "" where it names none, or a tempo or key besides."""
    genre = re.split(r"[;,/\0]", re.sub(r"^(\(\d+\))+", "", tag.strip()))[0]
    genre = " ".join(re.sub(r"[^\w '&-]|_", " ", genre).split())
    no_genre = re.match(r"[\W\d]*$|(?:other|unknown|misc(?:ellaneous)?)\b", genre, re.IGNORECASE)
    return "" if no_genre or len(genre) > 40 or read_prompt(genre) != Stated() else genre


def segments(file, recipe):
    """Yield (start in seconds, mono samples of a clip with its context) of an open sound file, read in order, block by block."""
    rate = file.samplerate
    clip, hop, context, least = (round(s * rate) for s in (recipe.clip_s, recipe.hop_s, recipe.context_s, recipe.min_s))

    def read(count):
        blocks = [np.zeros(0, np.float32)]
        while count > 0 and len(block := file.read(min(count, rate), dtype="float32", always_2d=True)):
            blocks.append(block.mean(axis=1))
            count -= len(block)
        return np.concatenate(blocks)

    samples, first = read(clip + context), 0
    while len(samples) >= least:
        yield first / rate, samples
        skipped = len(samples)
        while skipped < hop and (passed := len(read(min(hop - skipped, rate)))):
            skipped += passed
        samples, first = samples[hop:], first + hop
        samples = np.concatenate([samples, read(clip + context - len(samples))])


def fault_of(samples, rate):
    """Say why a clip cannot be used, or return None."""
    if not np.isfinite(samples).all():
        return f"{np.count_nonzero(~np.isfinite(samples))} samples are not numbers (NaN or infinite)"
    levels = loudness_db(samples, rate)
    if np.mean(levels > SILENCE_DB) < 0.1:
        return f"silence: less than a tenth of it is louder than {SILENCE_DB:g} dB"
    return None


def channels_cancel(path, start_s, duration_s):
    """Tell whether a stretch of a song that is silent when its channels are mixed sounds in one of them."""
    import soundfile

    with Path(path).open("rb") as opened, soundfile.SoundFile(opened) as file:
        file.seek(round(start_s * file.samplerate))
        samples = file.read(round(duration_s * file.samplerate), dtype="float32", always_2d=True)
        return any(fault_of(channel, file.samplerate) is None for channel in samples.T)
