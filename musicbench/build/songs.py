"""A folder of songs: find them, name them, read what is said about them, cut them into clips."""

import hashlib
import json
import os
import re
import unicodedata
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.build.charsets import decoded
from musicbench.build.columns import caption_names
from musicbench.build.song_names import composed
from musicbench.build.texts import MAX_CAPTION, caption_text, counted, shortened, some
from musicbench.files import path_text, printable
from musicbench.prompt.facts import Stated, read_prompt
from musicbench.sound.features import SILENCE_DB, loudness_db
from musicbench.sound.formats import is_sound_by_content

# The last lines cannot be read; they are rejected by name rather than passed over.
SUFFIXES = {
    ".wav", ".wave", ".bwf", ".flac", ".fla", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mp1", ".mpga", ".mpa", ".aif",
    ".aiff", ".aifc", ".au",
    ".snd", ".caf", ".w64", ".rf64", ".voc", ".ircam", ".sf", ".nist", ".sph", ".paf", ".pvf", ".avr", ".svx", ".8svx",
    ".wve", ".sds",
    ".m4a", ".m4b", ".aac", ".ac3", ".eac3", ".dts", ".wma", ".mp4", ".mka", ".mkv", ".webm", ".weba", ".mov", ".3gp",
    ".ape", ".wv", ".tta", ".mpc",
    ".amr", ".dsf", ".dff", ".ra", ".spx", ".sd2", ".gsm", ".vox", ".pcm", ".xi", ".shn", ".tak", ".ofr", ".oma",
    ".aax",
}  # fmt: skip
LEAST_DC = 0.01  # of full scale
MAY_BE_SOUND = {".raw", ".mat", ".htk", ".iff"}  # other things, too
MAX_PEAK = 8  # times full scale; what is above would be cut to noise
MAX_SIDECAR_BYTES = 1 << 24


def datasets_in(folder):
    """Return the folders below `folder` that `musicbench build` wrote, whose clips are no songs."""
    found = []
    for place, folders, names in os.walk(folder):
        if place != str(folder) and "build.json" in names and "parts" in folders:
            found.append(Path(place))
            folders.clear()
    return sorted(found)


def find_songs(folder, leave_out=()):
    """Return the paths of the audio files below `folder`, by name or else by content, relative to it, sorted.

    Linked folders and the folders `leave_out` are not entered; hidden files are left (`passed_over` tells them). What
    has an audio file's name and is no file, such as a pipe or a linked folder, is named as a song that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {folder}; give a folder of audio files")
    left_out, found = set(map(os.path.realpath, leave_out)), []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if name[0] != "." and os.path.realpath(os.path.join(place, name)) not in left_out]
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*names, *links):
            path = os.path.join(place, name)
            if name[0] != "." and _is_song(path):
                found.append(os.path.relpath(path, folder))
    if not found:
        raise InputError(f"no audio file in {folder}; looked for {' '.join(sorted(SUFFIXES))}")
    return sorted(found)


def passed_over(folder, leave_out=()):
    """Return (the hidden sound files below `folder`, relative to it; lines on these, and on folders that are not
    entered)."""
    left_out = {os.path.realpath(other) for other in leave_out}
    hidden, errors, dotted, linked, unclear = [], [], [], [], []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if os.path.realpath(os.path.join(place, name)) not in left_out]
        hidden += [os.path.join(place, name) for name in names if name[0] == "." and _is_hidden_song(os.path.join(place, name))]
        unclear += [os.path.join(place, name) for name in names if os.path.splitext(name)[1].lower() in MAY_BE_SOUND]
        linked += [os.path.join(place, name) for name in folders if os.path.islink(os.path.join(place, name))]
        dotted += [os.path.join(place, name) for name in folders if name[0] == "." and _has_songs(os.path.join(place, name))]
        folders[:] = [name for name in folders if name[0] != "."]
    unclear = [path for path in unclear if not is_sound_by_content(path)]
    hidden, dotted, linked, unclear = (
        sorted(os.path.relpath(path, folder) for path in paths) for paths in (hidden, dotted, linked, unclear)
    )
    linked = [path for path in linked if os.path.splitext(path)[1].lower() not in SUFFIXES]  # else they are named as songs
    lines = [
        f"{printable(os.path.relpath(error.filename, folder))}: a folder that cannot be read ({error.strerror}); allow reading it"
        for error in errors
    ]
    told = {
        "hidden sound file(s), not used, as the name begins with a dot": hidden,
        "hidden folder(s) with sound, not entered, as the name begins with a dot": dotted,
        "file(s) not used that may be sound without a header; convert to WAV": unclear,
        "linked folder(s), not entered; give the folder itself": linked,
    }
    for what, paths in told.items():
        if paths:
            lines.append(f"{len(paths)} {what.replace('(s)', '' if len(paths) == 1 else 's')}: {some(paths)}")
    return hidden, lines


def _is_hidden_song(path):
    """Tell whether a hidden file is a song, and not what macOS keeps beside one."""
    is_named = os.path.splitext(path)[1].lower() in SUFFIXES and not os.path.basename(path).startswith("._")
    return os.path.isfile(path) and (is_named or is_sound_by_content(path))


def _has_songs(folder):
    return any(os.path.splitext(name)[1].lower() in SUFFIXES for _, _, names in os.walk(folder) for name in names)


def _is_song(path):
    suffix = os.path.splitext(path)[1].lower()
    return suffix in SUFFIXES or (os.path.isfile(path) and is_sound_by_content(path))


def song_id(path):
    """Name a song by its file's name, in plain letters, and a digest of its path, so that no two are equal."""
    plain = unicodedata.normalize("NFKD", path_text(Path(path).stem)).encode("ascii", "ignore").decode()
    digest = hashlib.sha1(os.fsencode(path)).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', plain)[:48].strip('-') or 'song'}-{digest}"


def song_text(path, manifest_caption, tags):
    """Return (caption, genre) from a song's own text: a sidecar .txt or .json, the manifest, or the file's genre tag.

    "" where none.
    """
    for sidecar in sidecars(path):
        text, _, _ = _sidecar_text(sidecar)
        if text:
            return shortened(text), ""
    if manifest_caption:
        return shortened(caption_text(manifest_caption)), ""
    return "", _genre(tags.get("genre", ""))


def caption_lines(folder, songs, captions):
    """Return lines on what the songs' own .txt and .json files say beside `captions`, those of the manifests, and on
    songs without any."""
    lines, bare, other, long, encodings = [], [], [], [], {}
    for song in songs:
        own = ""
        for sidecar in sidecars(Path(folder) / song):
            name = os.path.relpath(sidecar, folder)
            text, fault, encoding = _sidecar_text(sidecar)
            if fault:
                lines.append(f"{printable(name)}: not used; {fault}")
            if encoding:
                encodings.setdefault(encoding, []).append(name)
            if len(text) > MAX_CAPTION:
                long.append(name)
            own = own or text
        if own and captions.get(song, own) != own:
            other.append(song)
        if not own and song not in captions:
            bare.append(song)
    lines += [f"{counted(len(names), 'text')} read as {encoding}: {some(names)}" for encoding, names in encodings.items()]
    told = {
        f"with a text of more than {MAX_CAPTION} characters, whose beginning is used": long,
        "with a text of its own and another caption in a manifest: its own holds": other,
        "without a caption, which gets one of what is heard": bare if len(bare) < len(songs) else [],
    }
    return lines + [f"{counted(len(names), 'song')} {what}: {some(names)}" for what, names in told.items() if names]


def sidecars(path):
    """Yield the .txt and .json files that are named like a song, in the order in which they count."""
    place, stem, seen = os.path.dirname(path), Path(path).stem, []
    for suffix in (".txt", ".TXT", ".json", ".JSON"):
        for name in dict.fromkeys((stem, composed(stem), unicodedata.normalize("NFD", stem))):
            sidecar = os.path.join(place, name + suffix)
            if os.path.isfile(sidecar) and not any(os.path.samefile(sidecar, other) for other in seen):
                seen.append(sidecar)
                yield Path(sidecar)


def _sidecar_text(path):
    """Return (caption, "", encoding) of a song's own .txt or .json file, or ("", why it has none, "")."""
    try:
        with path.open("rb") as file:
            text, encoding = decoded(file.read(MAX_SIDECAR_BYTES))
    except OSError as error:
        return "", f"it cannot be read ({error.strerror})", ""
    if text is None:
        return "", "it is no text, or in an encoding that is not clear; save it as UTF-8", ""
    if path.suffix.lower() == ".txt":
        caption = caption_text(text)
    else:
        try:
            caption = _json_caption(json.loads(text))
        except (ValueError, RecursionError) as error:
            return "", f"it is no JSON ({str(error)[:80]}); mend it", ""
    return caption, "" if caption else 'it holds no caption; write {"caption": "..."} or a .txt file', encoding if caption else ""


def _json_caption(value, depth=3):
    """Return the caption in a JSON value: a text, an object with a field for it, or a list or object with one of
    these; "" if none."""
    if isinstance(value, dict):
        names = caption_names(value)
        texts = [_json_caption(value[name], depth - 1) for name in names] if depth else []
        inner = [each for each in value.values() if isinstance(each, dict)]
        return next(filter(None, texts), "") or (_json_caption(inner, depth - 1) if depth else "")
    if isinstance(value, list) and depth:
        return next(filter(None, (_json_caption(each, depth - 1) for each in value)), "")
    return caption_text(value) if isinstance(value, str) else ""


def _genre(tag):
    """Return the first genre of a tag in plain words; "" where it names none, or a tempo or key besides."""
    genre = re.split(r"[;,/\0]", re.sub(r"^(\(\d+\))+", "", tag.strip()))[0]
    genre = " ".join(re.sub(r"[^\w '&-]|_", " ", genre).split())
    no_genre = re.match(r"[\W\d]*$|(?:other|unknown|misc(?:ellaneous)?)\b", genre, re.IGNORECASE)
    return "" if no_genre or len(genre) > 40 or read_prompt(genre) != Stated() else genre


def segments(file, recipe):
    """Yield (start in seconds, mono samples of a clip with its context, its loudest channel) of an open SoundFile,
    block by block.

    No clip goes over a place where sound is lost; after it they begin anew.
    """
    stretch = None
    for block in file.blocks():
        if stretch is None or block.is_after_damage:
            yield from stretch.rest() if stretch else ()
            stretch = _Stretch(block.first, file.sample_rate, recipe)
        yield from stretch.clips(block.samples)
    yield from stretch.rest() if stretch else ()


class _Stretch:
    """Cuts sound without gaps into clips as it comes."""

    def __init__(self, first, rate, recipe):
        self.rate, self.next_clip = rate, first
        times_s = recipe.clip_s + recipe.context_s, recipe.hop_s, recipe.min_s
        self.length, self.hop, self.least = (round(s * rate) for s in times_s)
        self.held = np.zeros((2, 0), np.float32)  # mono, and the loudest channel, from the next clip on
        self.missing = 0  # samples still to come before the next clip

    def clips(self, samples):
        """Add a block (n, channels); yield the clips that are full now."""
        passed = min(self.missing, len(samples))
        self.missing -= passed
        self.held = np.concatenate([self.held, _mono_and_loudest(samples[passed:])], axis=1)
        while self.held.shape[1] >= self.length:
            yield self._clip()

    def rest(self):
        """Yield the clips that are not full and last long enough."""
        while self.held.shape[1] >= self.least:
            yield self._clip()

    def _clip(self):
        clip = self.next_clip / self.rate, *self.held[:, : self.length].copy()
        self.missing = max(self.hop - self.held.shape[1], 0)
        self.held = self.held[:, self.hop :]
        self.next_clip += self.hop
        return clip


def _mono_and_loudest(samples):
    loudest = np.argmax(np.square(samples, dtype=np.float64).sum(axis=0)) if len(samples) else 0
    return np.stack([samples.mean(axis=1), samples[:, loudest]])


def without_dc(samples):
    """Return (samples without the level about which they swing, that level).

    One below `LEAST_DC` is left, and 0 returned.
    """
    level = float(samples.mean(dtype=np.float64)) if len(samples) else 0.0
    return (samples, 0.0) if abs(level) < LEAST_DC else ((samples - level).astype(np.float32), round(level, 4))


def clipped_share(samples):
    """Return the share of samples that lie at the highest or lowest level, three or more in a row."""
    if not len(samples):
        return 0.0
    is_flat = (samples >= samples.max() - 1e-6) | (samples <= samples.min() + 1e-6)
    alone = is_flat[:-2] & is_flat[1:-1] & is_flat[2:]
    in_runs = np.zeros(len(samples), bool)
    for shift in range(3):
        in_runs[shift : len(samples) - 2 + shift] |= alone
    return round(float(in_runs.mean()), 4)


def fault_of(samples, rate):
    """Say why a clip cannot be used, or return None. A level that never changes (DC) is no sound."""
    if np.isnan(samples).any():
        return f"{np.count_nonzero(~np.isfinite(samples))} samples are not numbers (NaN or infinite)"
    if not np.isfinite(samples).all():
        return f"{np.count_nonzero(~np.isfinite(samples))} samples are infinite or above 3e38, where 1 is full scale; scale it"
    peak = np.abs(samples).max(initial=0)
    if peak > MAX_PEAK:
        return f"its samples reach {peak:.3g}, where 1 is full scale; scale it"
    levels = loudness_db(samples - samples.mean(dtype=np.float64), rate)
    if np.mean(levels > SILENCE_DB) < 0.1:
        return f"silence: less than a tenth of it is louder than {SILENCE_DB:g} dB"
    return None
