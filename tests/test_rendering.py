"""What is rendered is what is labelled: stems, melody, drum hits, chords; the same for a seed each time."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import needs_fluidsynth

from musicbench import InputError
from musicbench.compose.compose import compose, find_soundfont, plan, render, render_parts
from musicbench.compose.pieces import Plan, Voice
from musicbench.compose.soundfonts import FontPlayer, font_named
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression
from musicbench.sound.features import loudness_db


def test_missing_soundfont_is_named(monkeypatch):
    monkeypatch.setenv("MUSICBENCH_SOUNDFONT", "/nowhere/at/all.sf2")
    with pytest.raises(InputError, match="/nowhere/at/all.sf2"):
        find_soundfont()


def test_what_is_no_soundfont_is_refused(tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    with pytest.raises(InputError, match="passwd is no SoundFont"):
        find_soundfont(tmp_path / "passwd")


@pytest.mark.slow
@needs_fluidsynth
def test_one_soundfont_that_is_given_is_the_only_one(monkeypatch):
    only = find_soundfont()
    assert {font_named(name, only) for name in ("FluidR3_GM", "TimGM6mb", "unknown")} == {only}
    clips = [compose(seed, 1.0, soundfont=only) for seed in range(8)]
    assert {font for clip in clips for font in clip.tags["sources"]["fonts"]} <= {only.rsplit("/", 1)[-1]}


@needs_fluidsynth
def test_what_fluidsynth_cannot_play_is_refused(tmp_path, monkeypatch):
    import fluidsynth

    (tmp_path / "hollow.sf2").write_bytes(b"RIFF\x04\0\0\0sfbk")
    with pytest.raises(InputError, match="cannot load the SoundFont"):
        render(made(), 1.0, soundfont=tmp_path / "hollow.sf2")
    for rate in (7999, 96001):
        with pytest.raises(InputError, match="outside 8000-96000"):
            compose(3, 1.0, rate)
    monkeypatch.setattr(fluidsynth.Synth, "program_select", lambda *_: -1)
    player = FontPlayer(find_soundfont(), 16000)
    with pytest.raises(InputError, match="no program"):
        player.play(0, 127, [], 1.0) if (0, 127) not in player.own.channels else pytest.fail("it was loaded")


def made(**changes):
    """Return a plain piece: piano, bass, flute and drums."""
    voices = (Voice("chords", "piano", "quarters"), Voice("bass", "fingered bass", "roots"), Voice("lead", "flute", "long"))
    base = Plan(
        1,
        "pop",
        Key("C"),
        Meter(),
        120.0,
        Progression.parse("C | G | Am | F"),
        voices,
        "rock",
        "standard",
        loose=0.1,
        room=("room", 0.1),
    )
    return replace(base, **changes)


@pytest.mark.slow
@needs_fluidsynth
def test_a_seed_is_a_piece_whatever_was_played_before():
    first, other, again = compose(3, 3.0), compose(4, 3.0), compose(3, 3.0)
    assert np.array_equal(first.samples, again.samples) and first.labels() == again.labels() and first.caption == again.caption
    assert first.note_labels() == again.note_labels() and first.tags == again.tags
    assert not np.array_equal(first.samples, other.samples)
    assert len(first.samples) == 72000 and np.abs(first.samples).max() <= 1


@pytest.mark.slow
@needs_fluidsynth
def test_the_clip_is_the_sum_of_its_stems():
    for seed in range(12):
        piece = plan(seed)
        clip, stems = render_parts(piece, 3.0, 16000)
        assert np.array_equal(sum(stems.values(), np.zeros_like(clip.samples)), clip.samples)
        assert set(clip.tags["parts"]) <= set(stems) and np.isfinite(clip.samples).all()
        for part in clip.tags["parts"]:
            assert np.abs(stems[part]).max() > 1e-4, (seed, part)


@pytest.mark.slow
@needs_fluidsynth
def test_pieces_of_which_some_parts_are_kept():
    for seed in range(8):
        whole, stems = render_parts(plan(seed), 3.0, 16000)
        clip = compose(seed, 3.0, 16000, apart=1.0)
        kept = clip.tags.get("kept", whole.tags["parts"])
        assert clip.caption == compose(seed, 3.0, 16000).caption and set(kept) <= set(whole.tags["parts"]) and kept
        expected = sum((stems[part] for part in kept), np.zeros_like(whole.samples)) if "kept" in clip.tags else whole.samples
        assert np.array_equal(clip.samples, expected)
        assert clip.melody == (whole.melody if "lead" in kept else ()) and clip.hits == (whole.hits if "drums" in kept else ())


@pytest.mark.slow
def test_silence_makes_nothing_louder():
    def loudest(chords, seed):
        piece = made(progression=Progression.parse(chords), seed=seed, groove="none", kit=None)
        return np.quantile(loudness_db(render(piece, 9.6).samples, 24000), 0.9)

    assert np.median([loudest("C | G | N | N", seed) - loudest("C | G | C | G", seed) for seed in range(1, 6)]) < 0.5


@needs_fluidsynth
def test_energy_is_heard():
    soft, loud = (np.median(loudness_db(render(made(energy=energy), 4.0).samples, 24000)) for energy in (0.1, 0.9))
    assert loud - soft > 3


@pytest.mark.slow
@needs_fluidsynth
def test_the_melody_label_is_what_is_played():
    import librosa

    piece = made(voices=(Voice("lead", "flute", "long"),), groove="none", room=("room", 0.0), fonts=("FluidR3_GM",) * 2)
    clip = render(piece, 8.0, 22050)
    heard, _, _ = librosa.pyin(clip.samples, fmin=200, fmax=1500, sr=22050, hop_length=256)
    times, right = np.arange(len(heard)) * 256 / 22050, []
    for start_s, end_s, pitch in clip.melody:
        frames = heard[(times > start_s + 0.12) & (times < end_s - 0.1)]
        frames = frames[np.isfinite(frames)]
        if len(frames) > 3:
            right.append(abs(np.median(12 * np.log2(frames / 440) + 69) - pitch) < 0.5)
    assert len(right) >= 3 and np.mean(right) > 0.9


@needs_fluidsynth
@pytest.mark.parametrize("kit", ["standard", "909"])
def test_hits_are_where_they_are_labelled(kit):
    clip = render(
        made(voices=(), kit=kit, progression=Progression.parse("N"), density=0.3, room=("booth", 0.0), machine=True), 6.0, 24000
    )
    envelope = np.abs(clip.samples).reshape(-1, 120).max(axis=1)  # of 5 ms
    kicks = [time for time, drum in clip.hits if drum in ("kick", "snare")]
    assert len(kicks) > 5 and not clip.chords[0].root and clip.key is None
    for time in [time for time in kicks if time > 0.1]:
        block = int(time * 200)
        assert envelope[block : block + 5].max() > 2 * envelope[max(block - 4, 0) : max(block - 1, 1)].max(initial=1e-3), time


@pytest.mark.slow
@needs_fluidsynth
def test_sound_agrees_with_labels():
    """Chroma of the render matches the labelled chord better than it matches others."""
    import librosa

    hits = []
    for seed in range(6):
        voices = (
            Voice(
                "chords", ("piano", "strings", "drawbar organ", "clean guitar", "tonewheel organ", "vibraphone")[seed], "quarters"
            ),
            *made().voices[1:],
        )
        clip = render(made(seed=seed, voices=voices, bpm=100.0, progression=Progression.parse("C | F#m | Bb | E7")), 8.0, 22050)
        chroma = librosa.feature.chroma_stft(y=clip.samples, sr=22050, hop_length=512, n_fft=4096)
        templates = [Chord.parse(c) for c in ("C", "F#m", "Bb", "E7")]
        for k, chord in enumerate(templates):
            energy = chroma[:, int((k * 2.4 + 0.3) * 22050 / 512) : int(min(k * 2.4 + 2.1, 7.9) * 22050 / 512)].mean(axis=1)
            scores = [energy[list(c.pitch_classes)].sum() / len(c.pitch_classes) for c in templates]
            hits.append(templates[int(np.argmax(scores))] == chord)
    assert np.mean(hits) > 0.9


@needs_fluidsynth
def test_labels_survive_crop_and_augmentation():
    pytest.importorskip("python_stretch")
    from musicbench.sound.augment import change_tempo, shift_pitch

    clip = render(made(), 6.0)
    cut = clip.cropped(1.0, 3.0)
    assert all(0 <= start < end <= 3.0 for start, end, _ in cut.melody) and all(0 <= time < 3.0 for time, _ in cut.hits)
    assert {round(time + 1.0, 4) for time, _ in cut.hits} <= {round(time, 4) for time, _ in clip.hits}
    higher, faster = shift_pitch(clip, 3), change_tempo(clip, 1.25)
    assert [pitch for *_, pitch in higher.melody] == [pitch + 3 for *_, pitch in clip.melody] and higher.hits == clip.hits
    assert faster.hits[-1][0] == pytest.approx(clip.hits[-1][0] / 1.25, abs=1e-5) and len(faster.melody) == len(clip.melody)
