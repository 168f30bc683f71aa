"""A folder of songs: find them, name them, read what is said about them, cut them into clips."""

import hashlib
import json
import os
import re
import unicodedata
from pathlib import Path

import numpy as np

from musicbench import InputError
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


def read_manifest(folder):
    """Return {file name: caption} of a folder's metadata.csv, metadata.jsonl or rows as MusicBench publishes them, if there is one."""
    captions = {}
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
        for row in rows:
            fields = row if isinstance(row, dict) else {}
            name = fields.get("file_name") or fields.get("location") or fields.get("file")
            caption = fields.get("caption") or fields.get("text") or fields.get("main_caption")
            if not isinstance(row, dict) or (name and not isinstance(name, str)):
                raise InputError(f"{path}: {str(row)[:80]} names no file; give rows with file_name and caption")
            if name and caption:
                captions[os.path.normpath(name)] = str(caption)
    return captions


def song_text(path, manifest_caption, tags):
    """Return (caption, genre) from a song's own text: a sidecar .txt or .json, the manifest, or the file's tags; "" where none."""
    for suffix in (".txt", ".json"):
        sidecar = Path(path).with_suffix(suffix)
        if not sidecar.is_file():
            continue
        text = sidecar.read_text(encoding="utf-8", errors="replace").strip()
        if suffix == ".json":
            try:
                data = json.loads(text)
            except ValueError:
                continue
            text = (
                next((str(data[k]) for k in ("caption", "text", "prompt", "description") if data.get(k)), "")
                if isinstance(data, dict)
                else ""
            )
        if text:
            return " ".join(text.split())[:2000], ""
    if manifest_caption:
        return " ".join(manifest_caption.split())[:2000], ""
    described = tags.get("comment", "")
    return (described if len(described.split()) >= 4 and "http" not in described else ""), tags.get("genre", "")[:40]


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
