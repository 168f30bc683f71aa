"""The model that ships: whole, small, and it plays what is asked."""

import numpy as np
import pytest
import torch
from conftest import ROOT

from musicbench.music.chords import Chord
from musicbench.sound.master import true_peak_db
from mustango.release.folder import BUNDLED, model_folder, verify

FOLDER = ROOT / "checkpoints" / BUNDLED
pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def pipeline():
    from mustango.pipeline import load_pipeline

    return load_pipeline()


def test_is_whole_and_small():
    assert model_folder(BUNDLED) == FOLDER
    verify(FOLDER)
    sizes = [p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()]
    assert max(sizes) < 90e6 and sum(sizes) < 120e6
    assert (FOLDER / "README.md").is_file() and (FOLDER / "text_encoder" / "LICENSE").is_file()


def chord_accuracy(audio, rate, chords, bar_s):
    """Share of bars in which the asked chord's notes are louder than those of the other chords asked (constant-Q chroma)."""
    import librosa

    chroma = librosa.feature.chroma_cqt(y=audio, sr=rate, hop_length=512)
    asked = [Chord.parse(c) for c in chords]
    hits = []
    for k in range(int(len(audio) / rate / bar_s)):
        span = slice(int((k + 0.1) * bar_s * rate / 512), int((k + 0.9) * bar_s * rate / 512))
        energy = chroma[:, span].mean(axis=1)
        loudness = [energy[list(c.pitch_classes)].mean() for c in asked]
        hits.append(int(np.argmax(loudness)) == k % len(asked))
    return np.mean(hits)


def test_plays_the_chords(pipeline):
    scores = []
    for seed, chords in enumerate((["C", "F#m", "Bb", "E"], ["Am", "Ebm", "D", "G#m"])):
        out = pipeline("piano and acoustic bass, no drums", chords=chords, tempo=120, seed=seed)
        scores.append(chord_accuracy(out.audios[0], out.sample_rate, chords, 2.0))
    assert np.mean(scores) >= 0.9


def test_long_clips_play_the_chords_to_their_end(pipeline):
    chords = ["C", "F#m", "Bb", "E"]
    out = pipeline("piano and acoustic bass, no drums", chords=chords, tempo=120, duration=40, seed=0, steps=10)
    assert out.audios.shape[1] == 40 * out.sample_rate and pipeline.longest_s == 120
    assert pipeline.conditioner.config.cycle_s == pipeline.config.window_s
    assert chord_accuracy(out.audios[0, -16 * out.sample_rate :], out.sample_rate, chords, 2.0) >= 0.8


def test_keeps_the_beat(pipeline):
    """Onsets are stronger on the asked beats than between them."""
    import librosa

    out = pipeline("rock with electric guitar and drums", chords="Am F C G", tempo=100, seed=3)
    strength = librosa.onset.onset_strength(y=out.audios[0], sr=out.sample_rate, hop_length=240)

    def at(times):
        frames = np.round(np.asarray(times) * out.sample_rate / 240).astype(int)
        return np.mean([strength[max(f - 5, 0) : f + 6].max() for f in frames if f < len(strength)])

    beats = np.asarray(out.controls[0].beat_times)
    assert at(beats) > 1.5 * at(beats + 0.25 * 60 / 100)


def test_the_first_attack_is_as_clear_as_later_ones(pipeline):
    """The first 10 ms beside those of the next downbeat, with the lead-in and without it."""
    prompts = ["upbeat piano pop with drums", "rock with electric guitar and drums", "solo piano, no drums", "funk with drums"]

    def first_beside_next_db():
        out = pipeline(prompts, chords="C Am", tempo=120, meter="4/4", duration=4.1, seed=0, steps=10)
        size = round(0.01 * out.sample_rate)
        first, later = (out.audios[:, round(t * out.sample_rate) :][:, :size] for t in (0, 2.0))
        return 10 * np.log10(np.mean(first**2, axis=1) / np.mean(later**2, axis=1))

    with_lead_in, lead_in_s = first_beside_next_db(), pipeline.sampling.lead_in_s
    pipeline.set_sampling(lead_in_s=0.0)
    try:
        without = first_beside_next_db()
    finally:
        pipeline.set_sampling(lead_in_s=lead_in_s)
    assert np.median(with_lead_in) > -8 and np.median(with_lead_in - without) > 6


def test_an_ending_rings_out(pipeline):
    out = pipeline("solo piano, no drums", chords="C G | C", tempo=120, duration="chart", tail=1.5, seed=0, steps=10)
    audio, rate = out.audios[0], out.sample_rate
    assert len(audio) == round(5.5 * rate) and true_peak_db(audio) <= -1 and abs(audio.mean()) < 1e-5
    levels = 10 * np.log10(np.mean(audio[round(3.5 * rate) :].reshape(-1, rate // 20) ** 2, axis=1) + 1e-9)
    assert np.diff(levels[10:]).max() < 6 and levels[-1] < levels[:10].max() - 35
    before, after = levels[:10].max(), levels[10:]
    assert after[:4].mean() > before - 10 and after[14] > before - 45  # at full level where the duration ends, and heard until late


def test_is_audible(pipeline):
    out = pipeline("", chords="Dm7 G7 Cmaj7", seed=1)
    assert np.sqrt(np.mean(out.audios**2)) > 0.02


def test_latents_are_of_unit_spread_and_decode_to_the_mels(pipeline):
    sound = pipeline("piano ballad", chords="C Am", tempo=90, seed=2, steps=6).audios
    mels = pipeline.mel(torch.from_numpy(sound))[:, :640]
    with torch.no_grad():
        latents = pipeline.latents_of(mels)
        again = pipeline.decode(latents)
    assert abs(latents.mean()) < 0.3 and 0.7 < latents.std() < 1.3
    assert (again - mels).abs().mean() < 0.2 * (mels - mels.mean()).abs().mean()
