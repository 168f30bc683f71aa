"""Distances on hand-made embeddings; MusiCNN, where its weights are, on sounds."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from safetensors.numpy import load_file

from musicbench import InputError
from musicbench.hearing.tagger import MODELS, MusiCNN, musicnn_file
from mustango.hear.embeddings import CLAP, frechet_distance, kernel_distance, load_embedder, tag_divergence

sys.path.insert(0, str(ROOT / "benchmarks"))
import convert_musicnn

needs_musicnn = pytest.mark.skipif(not musicnn_file().is_file(), reason="MusiCNN's weights are not there (make judges)")


@pytest.fixture
def frames():
    return np.random.default_rng(0).normal(size=(300, 8)) * np.arange(1, 9)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_distances_grow_with_noise(distance, frames):
    noise = np.random.default_rng(1).normal(size=frames.shape)
    values = [distance(frames + amount * noise, frames) for amount in (0, 1, 3, 10, 30)]
    assert abs(values[0]) < 0.5 and all(a < b for a, b in zip(values, values[1:], strict=False))


def test_frechet_distance_of_itself_is_0_and_of_gaussians_is_known(frames):
    assert frechet_distance(frames, frames) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(frames + 2, frames) == pytest.approx(8 * 4)
    assert frechet_distance(3 * frames[:, :1], frames[:, :1]) == pytest.approx(
        4 * frames[:, :1].var(ddof=1) + 4 * frames[:, 0].mean() ** 2
    )
    few = frechet_distance(frames[:3], frames)  # singular covariance: real and finite all the same
    assert np.isfinite(few) and few > 0


def test_kernel_distance_does_not_depend_on_the_number_of_frames():
    rng = np.random.default_rng(2)
    small = [kernel_distance(*rng.normal(size=(2, 20, 4))) for _ in range(200)]
    large = [kernel_distance(*rng.normal(size=(2, 200, 4))) for _ in range(20)]
    assert abs(np.mean(small)) < 4 * np.std(small) / np.sqrt(200) and abs(np.mean(large)) < 0.2
    assert kernel_distance(rng.normal(size=(20, 4)) + 9, rng.normal(size=(20, 4))) > 50


def test_too_few_frames(frames):
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(InputError, match="at least 2"):
            distance(frames[:1], frames)


def test_divergence_of_tags():
    sure, unsure = np.array([0.9, 0.05, 0.05]), np.array([0.4, 0.3, 0.3])
    assert tag_divergence(sure, sure) == pytest.approx(0, abs=1e-12)
    assert tag_divergence(unsure, sure) == pytest.approx(np.sum(sure * np.log(sure / unsure)), rel=1e-4)
    assert tag_divergence(np.array([0.0, 1.0, 0.0]), sure) > tag_divergence(unsure, sure)


def test_unknown_and_absent_embeddings(tmp_path, monkeypatch):
    for name in ("vgg", "panns"):
        with pytest.raises(InputError, match="choose one of musicnn, clap, or none"):
            load_embedder(name)
    with pytest.raises(InputError, match="clap"):
        load_embedder(f"clap={tmp_path}")
    with pytest.raises(InputError, match="no weights .*; run: make judges"):
        load_embedder(f"musicnn={tmp_path}")
    (tmp_path / musicnn_file().name).write_bytes(b"torn")
    with pytest.raises(InputError, match="cannot read .*; run: make judges"):
        load_embedder(f"musicnn={tmp_path}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="no weights .*cache.*mustango"):
        load_embedder("musicnn")


@pytest.mark.skipif(find_spec("musicnn") is None, reason="musicnn is not installed (make judges)")
def test_musicnns_checkpoint_is_converted(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["convert_musicnn.py"])
    convert_musicnn.main()
    assert capsys.readouterr().out == "".join(f"{musicnn_file(model)}\n" for model in MODELS)
    assert load_file(musicnn_file("msd"))["dense_1/kernel"].shape == (200, 50)
    tensors = load_file(musicnn_file())
    assert tensors["conv2d/kernel"].shape == (7, 38, 1, 204) and tensors["dense_1/kernel"].shape == (200, 50)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values()) and not any("Adam" in n or "beta1" in n for n in tensors)
    assert tensors["batch_normalization_3/moving_variance"].min() > 0
    read = convert_musicnn.read_tensorflow(f"{Path(find_spec('musicnn').origin).parent}/MTT_musicnn/")
    assert all(np.array_equal(tensor, read[name]) for name, tensor in tensors.items())
    assert MusiCNN()(np.zeros(16000, np.float32), 16000)[0].shape == (1, 200)


@pytest.mark.parametrize("checkpoint", [None, "empty"])
def test_a_package_without_its_checkpoint_is_told_in_one_line(tmp_path, monkeypatch, checkpoint):
    from importlib.machinery import ModuleSpec

    found = checkpoint and ModuleSpec("musicnn", None, origin=str(tmp_path / "musicnn" / "__init__.py"))
    monkeypatch.setattr(convert_musicnn, "find_spec", lambda name: found)
    monkeypatch.setattr("sys.argv", ["convert_musicnn.py", str(tmp_path / "new" / "x.safetensors")])
    with pytest.raises(SystemExit, match="convert_musicnn.py: .*musicnn") as stop:
        convert_musicnn.main()
    assert "\n" not in stop.value.code and not (tmp_path / "new").exists()


def plucked(pitches, rate=16000, seconds=6):
    """Decaying harmonic tones, two a second."""
    t = np.arange(rate * seconds) / rate
    sound = np.zeros_like(t)
    for i in range(2 * seconds):
        hz = 440 * 2 ** ((pitches[i % len(pitches)] - 69) / 12)
        after = np.clip(t - i / 2, 0, None)
        sound += (after > 0) * np.exp(-5 * after) * sum(np.sin(2 * np.pi * hz * k * after) / k for k in range(1, 6))
    return (0.2 * sound).astype(np.float32)


@pytest.fixture(scope="module")
def musicnn():
    return MusiCNN()


@pytest.mark.slow
@needs_musicnn
def test_musicnn_hears_what_sort_of_sound_it_is(musicnn):
    rng = np.random.default_rng(0)
    t = np.arange(16000 * 6) / 16000
    beats = (np.exp(-30 * (t % 0.5)) * rng.normal(size=t.size) * 0.3).astype(np.float32)  # bursts of noise, 120 bpm
    (frames, melodic), (_, percussive) = musicnn(plucked([60, 64, 67, 72]), 16000), musicnn(beats, 16000)
    drums, piano = 5, 9  # places among MagnaTagATune's tags
    assert frames.shape == (2, 200) and melodic.shape == (2, 50)
    assert melodic.mean(axis=0).argmax() == piano and percussive.mean(axis=0).argmax() == drums


@pytest.mark.slow
@needs_musicnn
def test_musicnn_is_the_same_at_other_rates_and_takes_short_clips(musicnn):
    import soxr

    sound = plucked([60, 64, 67, 72])
    frames, _ = musicnn(sound, 16000)
    again, _ = musicnn(soxr.resample(sound, 16000, 24000), 24000)
    assert np.corrcoef(frames.ravel(), again.ravel())[0, 1] > 0.98
    assert musicnn(sound[:8000], 16000)[0].shape == (1, 200)


@pytest.mark.slow
@needs_musicnn
def test_musicnns_distance_grows_with_noise(musicnn):
    rng = np.random.default_rng(0)
    clips = [plucked(rng.integers(50, 80, 8)) for _ in range(5)]

    def embedded(noise):
        noisy = [clip + rng.normal(0, noise, clip.size).astype(np.float32) for clip in clips]
        return np.concatenate([musicnn(clip, 16000)[0] for clip in noisy])

    clean = embedded(0)
    values = [frechet_distance(embedded(noise), clean) for noise in (0, 0.01, 0.03, 0.1)]
    assert values[0] == pytest.approx(0, abs=1e-6) and all(a < b for a, b in zip(values, values[1:], strict=False))


@pytest.fixture(scope="module")
def tiny_clap(tmp_path_factory):
    """A CLAP folder, random and tiny: it proves the way through transformers, not what CLAP hears."""
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizer

    folder = tmp_path_factory.mktemp("clap")
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghijklmnopqrstuvwxyz", "\u0120"]
    (folder / "vocab.json").write_text(str({c: i for i, c in enumerate(letters)}).replace("'", '"'), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n")
    text = dict(vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    audio = dict(
        patch_embeds_hidden_size=16, depths=[1, 1], num_attention_heads=[2, 2], hidden_size=32,
        window_size=4, num_classes=4,
    )  # fmt: skip
    config = ClapConfig(text_config=text, audio_config=audio, projection_dim=8)
    ClapModel(config).save_pretrained(folder)
    tokenizer = RobertaTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer).save_pretrained(folder)
    return folder


def test_clap_compares_sound_and_words(tiny_clap):
    clap = CLAP(tiny_clap)
    frames, classes = clap(np.random.default_rng(0).normal(size=24000 * 12).astype(np.float32), 24000)
    words = clap.words("calm piano")
    assert classes is None and frames.shape == (1, 8) and words.shape == (8,)
    assert np.linalg.norm(frames[0]) == pytest.approx(1, rel=1e-4) and -1 <= float(frames[0] @ words) <= 1
    assert clap(np.zeros(48000 * 16, np.float32), 48000)[0].shape == (2, 8)
