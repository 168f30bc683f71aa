"""Of a caption with times a clip gets what belongs to it, on the clip's own clock."""

import json

import pytest

from musicbench.build.manifests import read_manifests
from musicbench.build.moved_captions import moved_caption
from musicbench.build.songs import song_text
from musicbench.build.texts import MAX_CAPTION, caption_text
from musicbench.build.timed_captions import caption_of_stretch
from musicbench.music.annotation import Annotation

MARKS = "[0:00] Piano intro [0:30] Verse with voice [1:00] Chorus, loud"
CASES = [
    ("At 0:45 the drums enter.", 40, "At 0:05 the drums enter."),
    ("At 0:45 the drums enter.", 0, ""),
    ("At 45 seconds the drums enter.", 40, "At 5 seconds the drums enter."),
    ("A calm piece. At 0:45 the drums enter, then the bass follows.", 0, "A calm piece."),
    ("At 0:45 drums enter, and at 1:20 the guitar.", 75, "At 0:05 the guitar."),
    ("🎵 at 0:45, drums.", 0, ""),
    ("A calm piece, with drums from 0:45 on.", 0, "A calm piece."),
    ("A calm piece, with drums from 0:45 on.", 40, "A calm piece, with drums from 0:05 on."),
    ("A calm piece, with drums from 0:45 on.", 75, "A calm piece, with drums."),
    ("A guitar solo from 1:20 to 1:50.", 75, "A guitar solo from 0:05 on."),
    ("A guitar solo from 1:20 to 1:50.", 80, "A guitar solo."),
    ("A guitar solo from 1:20 to 1:50.", 105, "A guitar solo until 0:05."),
    ("A guitar solo from 1:20 to 1:50.", 120, ""),
    ("From 32 to 36 seconds there is a crescendo.", 30, "From 2 seconds until 6 seconds there is a crescendo."),
    ("Until 0:35 only strings play.", 30, "Until 0:05 only strings play."),
    ("After a minute, brass.", 55, "From 5 seconds on, brass."),
    ("Drums enter (0:45). Solo (1:20-1:50).", 40, "Drums enter at 0:05."),
    ("The drums, which enter at 0:45, are loud.", 0, "The drums are loud."),
    ("The drums come in 45 seconds into the song.", 40, "The drums come in 5 seconds into the song."),
    (MARKS, 0, "Piano intro."),
    (MARKS, 25, "Until 5 seconds: Piano intro. From 5 seconds on: Verse with voice."),
    (MARKS, 70, "Chorus, loud."),
    ("A film score. [0:30-0:36] Brass.", 28, "A film score. From 2 seconds until 8 seconds: Brass."),
    ("A film score. [0:30-0:36] Brass.", 60, "A film score."),
    # what is no time of the song
    ("An 80s synth track from the 80s at 120 bpm in 4/4.", 30, None),
    ("A loop of 30 seconds in E minor at 90 beats per minute.", 30, None),
    ("It lasts about 30 seconds, for 30 seconds or so.", 20, None),
    ("It pulses every 2 seconds, between 90 and 100 bpm.", 20, None),
    ("Op. 3 No. 2 [live], track 12 (remix).", 30, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start_s", "wanted"), CASES)
def test_a_clip_takes_what_belongs_to_it(text, start_s, wanted):
    assert caption_of_stretch(text, start_s, start_s + 10) == (text if wanted is None else wanted)


def test_a_copy_has_the_times_of_its_own_clock():
    text, labels = "A calm piece. At 0:48 the drums enter.", Annotation()
    for rate, wanted in ((1.25, "A calm piece. At 0:06 the drums enter."), (0.8, "A calm piece.")):
        here = caption_of_stretch(text, 40, 40 + 10 * rate)
        assert moved_caption(here, labels, [{"transform": "tempo", "rate": rate}], 10.0) == wanted
    marks = caption_of_stretch("[0:00] Piano. [0:15] Drums.", 10, 22.5)
    assert (
        moved_caption(marks, labels, [{"transform": "tempo", "rate": 1.25}]) == "Until 4 seconds: Piano. From 4 seconds on: Drums."
    )


LISTS = {
    "objects": [{"start": 0, "end": 30, "caption": "Piano"}, {"start": 30, "end": 45.5, "caption": "Drums!"}],
    "clocks": [{"time": "0:00", "duration": 30, "text": "Piano"}, {"time": "0:30", "duration": "15.5", "text": "Drums!"}],
    "triples": [[0, 30, "Piano"], [30, 45.5, "Drums!"]],
    "pairs": {"timestamps": [[0, 30], [30, 45.5]], "captions": ["Piano", "Drums!"]},
}  # fmt: skip


@pytest.mark.parametrize("form", LISTS)
def test_lists_of_captions_with_times(tmp_path, form):
    wanted = "[0-30] Piano. [30-45.5] Drums!"
    if form != "pairs":
        assert caption_text(LISTS[form]) == wanted == caption_text(json.dumps(LISTS[form]))
        (tmp_path / "a.json").write_text(json.dumps({"bpm": 90, "segments": LISTS[form]}))
        assert song_text(tmp_path / "a.wav", "", {})[0] == wanted
    (tmp_path / "b.json").write_text(json.dumps(LISTS[form]))
    assert song_text(tmp_path / "b.wav", "", {})[0] == wanted


def test_rows_that_each_caption_a_stretch_of_a_song(tmp_path):
    rows = "a.wav,0,10,Piano alone\na.wav,10,20.5,Drums enter\nb.wav,5,10,Strings\n"
    (tmp_path / "metadata.csv").write_text("file_name,start_s,end_s,caption\n" + rows)
    captions, _, (line,) = read_manifests(tmp_path, ["a.wav", "b.wav"])
    assert captions == {"a.wav": "[0-10] Piano alone. [10-20.5] Drums enter.", "b.wav": "[5-10] Strings."} and "again" not in line
    (tmp_path / "metadata.csv").write_text("file_name,start_s,end_s,caption\na.wav,30,40,Piano alone\n")  # cut from elsewhere
    assert read_manifests(tmp_path, ["a.wav", "b.wav"])[0] == {"a.wav": "Piano alone"}


def test_lines_that_begin_with_a_time_are_marks(tmp_path):
    (tmp_path / "a.txt").write_text("A ballad:\n0:00 Intro\n0:30 - 0:45 Verse with voice\n[1:00] Chorus")
    assert song_text(tmp_path / "a.wav", "", {})[0] == "A ballad. [0 s] Intro. [30-45] Verse with voice. [1:00] Chorus."


def test_lists_of_labels_and_of_texts_are_no_captions_with_times(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"chords": [[0.0, "C"], [2.0, "G"]], "beats": [[0.5, 1], [1.0, 2]]}))
    assert song_text(tmp_path / "a.wav", "", {})[0] == ""
    assert caption_text(["A harp.", "A lyre."]) == "A harp."


def test_a_long_caption_with_times_is_cut_only_after_its_clip_is(tmp_path):
    (tmp_path / "a.txt").write_text(" ".join(f"[{i}:00] Part {i} has a harp and two flutes." for i in range(99)))
    text, _ = song_text(tmp_path / "a.wav", "", {})
    assert len(text) > MAX_CAPTION and caption_of_stretch(text, 90 * 60, 90 * 60 + 10) == "Part 90 has a harp and two flutes."
