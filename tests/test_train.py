"""The trainer goes on where it stopped, and its parts learn."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import needs_fluidsynth
from diffusers import DDPMScheduler
from safetensors.torch import load_file
from torch import nn

from musicbench import InputError
from musicbench.build.dataset import row_clip
from musicbench.files import save_json_lines
from musicbench.music.chords import Chord
from musicbench.sound.audio import save_audio
from musicbench.sound.clip import Clip
from mustango.__main__ import main
from mustango.model.conditioning import Conditioner, encode_text
from mustango.model.mel import LogMel
from mustango.model.sampling import BUNDLED_SAMPLING
from mustango.train import latents as encoding
from mustango.train import loop as train
from mustango.train import munet as train_munet
from mustango.train import vae as train_vae
from mustango.train import vocoder as train_vocoder
from mustango.train.checks import part as part_of
from mustango.train.latents import LatentGrid, encode_dataset
from mustango.train.loop import EMA, Course, fit, learning_rate_factor, take_text_encoder
from mustango.train.munet import CONDITIONER, NOTES_GIVEN, PARTS_GIVEN, NoteControls, TrainMuNet, min_snr_weight, v_prediction_error
from mustango.train.parts import save_part
from mustango.train.recipe import Recipe
from mustango.train.rows import MEL, read_crops, training_rows
from mustango.train.sources import open_source
from mustango.train.vae import VAE


class Toy:
    """Fit a line; the batch depends on the generator it is given."""

    name = "toy"

    def __init__(self):
        torch.manual_seed(0)
        self.model = nn.Linear(3, 1)

    def draw(self, rng, size, at=(0, 0)):
        x = torch.from_numpy(rng.normal(size=(size, 3)).astype(np.float32))
        return {"x": x, "y": x.sum(1, keepdim=True)}

    def loss(self, batch):
        x, y = batch["x"], batch["y"]
        return (self.model(x) - y + 0.01 * torch.randn(1)).square().mean(), {"extra": 1.0}

    def save(self, parts):
        parts.mkdir(exist_ok=True)
        torch.save(self.model.state_dict(), parts / "model.pt")


def final(folder):
    return torch.load(folder / "parts" / "model.pt", weights_only=True)


@pytest.mark.slow
def test_an_interrupted_run_ends_the_same(tmp_path):
    options = dict(lr=0.3, batch_size=8, save_every=10, log_every=5)
    fit(Toy(), tmp_path / "whole", Course(steps=60, **options), held_out=Toy())

    class Killed(Toy):
        def loss(self, batch):
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls > 27:
                raise KeyboardInterrupt
            return super().loss(batch)

    with pytest.raises(KeyboardInterrupt):
        fit(Killed(), tmp_path / "killed", Course(steps=60, **options), held_out=Toy())
    assert fit(Toy(), tmp_path / "killed", Course(steps=60, **options), held_out=Toy()) == 60
    for a, b in zip(final(tmp_path / "whole").values(), final(tmp_path / "killed").values(), strict=True):
        assert torch.equal(a, b)
    for way in ("whole", "killed"):
        rows = list(csv.DictReader((tmp_path / way / "toy" / "curve.csv").open()))
        assert [int(r["step"]) for r in rows] == list(range(5, 61, 5))
        unseen = (tmp_path / way / "toy" / "held_out.csv").read_text()
        assert [line.split(",")[0] for line in unseen.splitlines()[1:]] == [str(step) for step in range(0, 61, 10)]
    assert float(rows[-1]["loss"]) < 0.5 * float(rows[0]["loss"])


@pytest.mark.slow
@pytest.mark.parametrize("last", [1, 3])
@pytest.mark.parametrize("where", ["state", "parts", "held out"])
def test_a_run_killed_while_it_saves_ends_the_same(tmp_path, monkeypatch, where, last):
    options = dict(lr=0.3, batch_size=8, steps=40, save_every=10, log_every=5)
    fit(Toy(), tmp_path / "whole", Course(**options), held_out=Toy())
    calls = []

    def killing(call):
        def counted(*args, **kwargs):
            calls.append(1)
            if len(calls) == last:
                raise KeyboardInterrupt
            return call(*args, **kwargs)

        return counted

    with monkeypatch.context() as patch:
        owner, name = {"state": (train.torch, "save"), "parts": (Toy, "save"), "held out": (train, "held_out_loss")}[where]
        patch.setattr(owner, name, killing(getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            fit(Toy(), tmp_path / "killed", Course(**options), held_out=Toy())
    fit(Toy(), tmp_path / "killed", Course(**options), held_out=Toy())
    for a, b in zip(final(tmp_path / "whole").values(), final(tmp_path / "killed").values(), strict=True):
        assert torch.equal(a, b)
    unseen = [(tmp_path / way / "toy" / "held_out.csv").read_bytes() for way in ("whole", "killed")]
    assert unseen[0] == unseen[1]
    curves = [list(csv.DictReader((tmp_path / way / "toy" / "curve.csv").open())) for way in ("whole", "killed")]
    assert [{**row, "seconds": 0} for row in curves[0]] == [{**row, "seconds": 0} for row in curves[1]]


@pytest.mark.parametrize("left", [b"", b"step,sec", b"step,seconds,loss,grad_norm,extra\r\n5,0.1,1.0,1.0,1.0\r\n1"])
def test_a_curve_that_is_empty_or_torn_does_not_stop_a_run(tmp_path, left):
    options = dict(lr=0.3, batch_size=8, save_every=10, log_every=5)
    fit(Toy(), tmp_path, Course(steps=10, **options))
    (tmp_path / "toy" / "curve.csv").write_bytes(left)
    assert fit(Toy(), tmp_path, Course(steps=20, **options)) == 20
    rows = list(csv.DictReader((tmp_path / "toy" / "curve.csv").open()))
    assert [int(row["step"]) for row in rows] == ([5] if len(left) > 20 else []) + [15, 20]


class Shorts(TrainMuNet):
    """Three clips of 8 rows of latents, by default the second of them 3 rows long, without a network. A latent tells its clip and row."""

    def __init__(self, clip_rows=(8, 3, 8), **recipe):
        self.clip_rows, self.grid, self.bf16, self.rows = clip_rows, LatentGrid(24000, 8, 3072), False, 8
        self.learnable, self.notes, self.recipe = range(3), [NoteControls(None, False, False)] * 3, Recipe(**recipe)
        self.encoded = SimpleNamespace(
            latents=lambda index, first, count, generator: (100.0 * index + first + torch.arange(count))[None, :, None],
            states=lambda text: torch.full((1 + text, 4), float(text)),
            captions=[[1, 2, 3], [4, 5, 6], [7, 8, 9]],
            texts=["", *(f"One {n}. Two. Three. Four. Five." for n in range(9))],
        )
        self.text_encoder, self.scheduler = None, DDPMScheduler(prediction_type="v_prediction")
        self.clips = [
            Clip(np.zeros(0, np.float32), 44100, beat_times=(0.0,), beat_positions=(1,), chords=(Chord(0),), chord_times=(0.0,))
        ] * 3
        self.model = {
            "conditioner": Conditioner(**CONDITIONER | dict(dim=8, root_dim=4, time_dim=4)),
            "unet": SimpleNamespace(config={"control_channels": 1, "pooled_text": True}),
        }


def test_crops_lie_inside_their_clip():
    full, short = Shorts([8, 8, 8]), Shorts([8, 3, 8])
    for seed in range(30):
        batch = short.draw(np.random.default_rng(seed), 4)
        first = batch["latents"][:, 0, 0, 0]
        assert not (first[(first >= 100) & (first < 200)] % 100).any() and batch["inside"].any(dim=1).all()
    seen = {int(f) % 100 for seed in range(30) for f in full.draw(np.random.default_rng(seed), 4)["latents"][:, 0, 0, 0]}
    assert seen == {0, 1, 2, 3, 4}


def test_parts_that_lie_apart_are_always_told_and_notes_in_some_draws():
    clip = row_clip({"main_caption": "", "tags": {"parts": ["drums", "bass"]}, "melody": [[0, 1, 60]], "hits": [[0.5, "kick"]]})
    row = {"melody": [], "hits": [], "parts": ["drums"]}
    rng = np.random.default_rng(0)
    for told_row, dropped, shares in (
        (row, True, (1, 0, 0)),
        (row, False, (1, NOTES_GIVEN, NOTES_GIVEN)),
        (row | {"parts": ["drums", "bass"]}, False, (PARTS_GIVEN, NOTES_GIVEN, NOTES_GIVEN)),
        ({}, False, (0, 0, 0)),
    ):
        told = [NoteControls.of(told_row, clip).drawn(rng, clip, dropped) for _ in range(400)]
        for name, share in zip(("parts", "melody", "hits"), shares, strict=True):
            assert np.mean([getattr(one, name) is not None for one in told]) == pytest.approx(share, abs=0.08)
        assert all(one.melody in (None, clip.melody) for one in told)


def test_padding_is_not_learnt_from(monkeypatch):
    torch.manual_seed(0)
    scheduler, (latents, noise, ours) = DDPMScheduler(prediction_type="v_prediction"), torch.randn(3, 2, 4, 8, 5)
    t, inside = torch.tensor([5, 900]), torch.arange(8) < torch.tensor([[8], [3]])
    whole = v_prediction_error(lambda *_: ours, scheduler, latents, noise, t, None)
    error = v_prediction_error(lambda *_: ours, scheduler, latents, noise, t, None, inside)
    cut = v_prediction_error(lambda *_: ours[:, :, :3], scheduler, latents[:, :, :3], noise[:, :, :3], t, None)
    assert error[0] == whole[0] and error[1] == pytest.approx(cut[1].item(), rel=1e-5)

    task, seen = Shorts([8, 3, 8]), []
    monkeypatch.setattr(
        task.model["conditioner"], "embed", lambda batch: dict.fromkeys(("beats", "beat_mask", "chords", "chord_mask"))
    )
    monkeypatch.setattr(train_munet, "v_prediction_error", lambda *given: seen.append(given[-1]) or torch.zeros(len(given[-1])))
    batch = task.draw(np.random.default_rng(1), 6)
    task.loss(batch)
    clips, firsts = batch["latents"][:, 0, 0, 0].int() // 100, batch["latents"][:, 0, 0, 0].int() % 100
    assert torch.equal(seen[0].sum(dim=1), (torch.tensor([8, 3, 8])[clips] - firsts).clamp(max=batch["latents"].shape[2]))


@pytest.mark.slow
def test_batches_drawn_ahead_are_the_same(tmp_path):
    options = dict(lr=0.3, batch_size=8, steps=20)
    fit(Toy(), tmp_path / "here", Course(**options))
    fit(Toy(), tmp_path / "ahead", Course(loaders=2, **options))
    for a, b in zip(final(tmp_path / "here").values(), final(tmp_path / "ahead").values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_rows_held_out_are_judged_and_not_learnt_from(tmp_path):
    options = dict(lr=0.3, batch_size=8, save_every=10)
    fit(Toy(), tmp_path / "without", Course(steps=40, **options))
    fit(Toy(), tmp_path / "with", Course(steps=20, **options | {"lr": 0.0}), held_out=Toy())
    lines = (tmp_path / "with" / "toy" / "held_out.csv").read_text()
    losses = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(lines.splitlines())]
    assert [step for step, _ in losses] == [0, 10, 20]
    assert len({loss for _, loss in losses}) == 1  # the same batches and the same noise: what changes is the model

    fit(Toy(), tmp_path / "learning", Course(steps=40, **options), held_out=Toy())
    for a, b in zip(final(tmp_path / "without").values(), final(tmp_path / "learning").values(), strict=True):
        assert torch.equal(a, b)
    rows = list(csv.DictReader((tmp_path / "learning" / "toy" / "held_out.csv").open()))
    assert float(rows[0]["loss"]) == losses[0][1] and float(rows[-1]["loss"]) < 0.5 * losses[0][1]
    assert {"step", "loss", "extra"} == set(rows[0])


def test_a_gradient_that_is_not_finite_ends_the_run_and_is_not_saved(tmp_path):
    class Broken(Toy):
        def loss(self, batch):
            self.calls = getattr(self, "calls", 0) + 1
            loss, terms = super().loss(batch)
            return loss * (float("nan") if self.calls > 7 else 1.0), terms

    with pytest.raises(InputError, match="not finite at step .* lower --lr"):
        fit(Broken(), tmp_path, Course(steps=40, lr=0.1, batch_size=2, save_every=5, log_every=20))
    assert torch.load(tmp_path / "toy" / "state.pt", weights_only=True)["step"] == 5
    begun = Toy().model.state_dict()
    assert all(torch.isfinite(value).all() and not torch.equal(value, begun[name]) for name, value in final(tmp_path).items())


def test_a_save_that_fails_leaves_the_weights_that_learn(tmp_path):
    class Full(Toy):
        def save(self, parts):
            raise OSError("disk full")

    task = Full()
    with pytest.raises(OSError):
        fit(task, tmp_path, Course(steps=5, lr=0.3, batch_size=2))
    state = torch.load(tmp_path / "toy" / "state.pt", weights_only=True)
    assert torch.equal(task.model.weight, state["model"]["weight"]) and not torch.equal(task.model.weight, state["ema"][0])


def test_ema_follows():
    p = [nn.Parameter(torch.zeros(2))]
    ema = EMA(p, 0.9)
    p[0].data.fill_(1.0)
    for step in range(200):
        ema.update(p, step)
    assert torch.allclose(ema.values[0], torch.ones(2), atol=1e-3)


def test_learning_rate_warms_up_and_falls():
    factors = [learning_rate_factor(s, 1000, warmup=100) for s in range(1000)]
    assert factors[0] == 0.01 and factors[500] == 1 and 0 < factors[-1] < 0.01


def test_weights_are_one_up_to_gamma_and_fall_with_the_noise_gone():
    signal = torch.tensor([0.001, 0.5, 5 / 6, 10 / 11, 50 / 51])  # shares of the power: SNR .001, 1, 5, 10, 50
    weights = min_snr_weight(signal, torch.tensor([4, 3, 2, 1, 0]))
    torch.testing.assert_close(weights, torch.tensor([0.1, 0.5, 1.0, 1.0, 1.0]))


def test_a_run_of_another_model_is_refused(tmp_path):
    fit(Toy(), tmp_path, Course(steps=2, lr=0.1, batch_size=2))

    class Wider(Toy):
        def __init__(self):
            self.model = nn.Linear(4, 1)

    with pytest.raises(InputError, match="another model"):
        fit(Wider(), tmp_path, Course(steps=4, lr=0.1, batch_size=2))


def test_crops_come_at_the_models_rate_and_not_from_test_songs(tmp_path):
    rows = []
    for name, rate, hz in (("train/a.flac", 48000, 440), ("train/b.flac", 16000, 440), ("test/c.flac", 24000, 2000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_audio(tmp_path / name, (0.5 * np.sin(2 * np.pi * hz * np.arange(3 * rate) / rate)).astype(np.float32), rate)
        rows.append({"location": name})
    save_json_lines(tmp_path / "rows.jsonl", rows)
    kept = training_rows(tmp_path)
    assert [row["location"] for row in kept] == ["train/a.flac", "train/b.flac"]
    crops = read_crops(kept, tmp_path, np.random.default_rng(0), 8, 24000)
    assert crops.shape == (8, 24000)
    assert (torch.fft.rfft(crops).abs()[:, 1:].argmax(1) + 1).tolist() == [440] * 8  # a bin a hertz
    save_json_lines(tmp_path / "rows.jsonl", rows[2:])
    with pytest.raises(InputError, match="no rows to train on"):
        training_rows(tmp_path)


def test_rows_of_a_validation_split_are_held_out_by_its_folder(tmp_path):
    rows = []
    for name, hz in (("train/00/a.flac", 440), ("validation/00/b.flac", 1000), ("test/00/c.flac", 2000)):
        (tmp_path / name).parent.mkdir(parents=True)
        save_audio(tmp_path / name, (0.5 * np.sin(2 * np.pi * hz * np.arange(24000) / 24000)).astype(np.float32), 24000)
        rows.append({"location": name})
    save_json_lines(tmp_path / "rows.jsonl", rows)
    assert training_rows(tmp_path) == rows[:1]
    held_out = training_rows(tmp_path / "validation")
    assert held_out == [{"location": "00/b.flac"}]
    crops = read_crops(held_out, tmp_path / "validation", np.random.default_rng(0), 2, 24000)
    assert (torch.fft.rfft(crops).abs()[:, 1:].argmax(1) + 1).tolist() == [1000] * 2
    made = {"location": "validation/00/d.flac", "source_frames": 9}
    (tmp_path / "rows_only").mkdir()
    save_json_lines(tmp_path / "rows_only" / "rows.jsonl", [{"location": "train/00/a.flac"}, made])
    assert training_rows(tmp_path / "rows_only" / "validation", may_be_made=True) == [made]
    save_json_lines(tmp_path / "rows.jsonl", rows[:1])
    with pytest.raises(InputError, match="no rows of .*validation; build the dataset with a recipe that has a validation_share"):
        training_rows(tmp_path / "validation")
    with pytest.raises(InputError, match="no rows.jsonl in"):
        training_rows(tmp_path / "nowhere")


def test_the_same_rows_with_other_audio_or_other_captions_are_encoded_anew(tmp_path, monkeypatch):
    from diffusers import AutoencoderKL
    from transformers import BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "piano"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    text = BertConfig(vocab_size=6, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    blocks = dict(VAE, block_out_channels=(8, 8), norm_num_groups=4)
    parts = (LogMel(**MEL), AutoencoderKL(**blocks), BertTokenizer(vocab=str(tmp_path / "vocab.txt")), BertModel(text))
    parts[1].register_to_config(scaling_factor=1.0, shift_factor=0.0)
    (tmp_path / "train").mkdir()
    save_json_lines(
        tmp_path / "rows.jsonl", [{"location": "train/a.wav", "dataset": "mine", "main_caption": "piano", "duration": 1.0}]
    )
    latents, files = [], []

    def encoded():
        encode_dataset(open_source(tmp_path), tmp_path / "cache", parts)
        newest = max((tmp_path / "cache").glob("*/latents-*"), key=lambda path: path.stat().st_mtime_ns)
        return newest, newest.with_name(next(newest.parent.glob("texts-*")).name)

    for hz in (440, 880, 880):
        if len(latents) < 2:
            sound = 0.5 * np.sin(2 * np.pi * hz * np.arange(24000) / 24000)
            save_audio(tmp_path / "train" / "a.wav", sound.astype(np.float32), 24000)
        path, _ = encoded()
        files.append((path, path.stat().st_mtime_ns))
        latents.append(load_file(path)["latents"])
    assert not torch.equal(latents[0], latents[1]) and files[1] == files[2]
    monkeypatch.setattr(encoding, "captions_of", lambda row, recipe: ["piano piano", "piano", "piano piano"])
    path, texts = encoded()
    assert torch.equal(load_file(path)["latents"], latents[-1])
    assert load_file(texts)["lengths"].tolist() == [2, 4, 3]  # none, and each once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "arguments", "says"),
    [
        ('{"a": 1}', [], "row 1 of data has no location"), ("5", [], "line 1 is no object of fields"),
        ('{"location": "train/x.wav"}', [], "has no audio at train/x.wav"), ('{"location": "rows.jsonl"}', ["--steps", "1"], "as audio"),
        ("", ["--seed", "-1"], "seed -1"), ("", ["--lr", "-1"], "lr -1.0"), ("", ["--minutes", "-1"], "minutes"),
        ('{"location": "rows.jsonl"}', ["--steps", "1", "--loaders", "1"], "as audio"), ("", ["-o", "file"], "is a file"), ("", ["--held-out", "data/../data"], "is the training data"),
    ],
)  # fmt: skip
def test_bad_training_gets_one_line(tmp_path, monkeypatch, capsys, rows, arguments, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.jsonl").write_text(rows + "\n")
    assert main(["train", "vae", "-o", "run", "--data", "data", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err and err.startswith("mustango: ") and err.count("\n") == 1


def test_bad_text_encoders_and_bundles_get_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    run = ["-o", str(tmp_path / "run")]
    for arguments, says in (
        (["train", "text", *run, "--text-encoder", str(tmp_path / "empty")], "no text encoder in"),
        (["train", "bundle", *run, "--to", str(tmp_path / "file")], "is a file"),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert says in err and err.count("\n") == 1
    assert not (tmp_path / "run").exists()


class Part:
    """Stands for what saves itself, and may fail halfway."""

    def __init__(self, text, fails=False):
        self.text, self.fails = text, fails

    def save_pretrained(self, folder):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(self.text)
        if self.fails:
            raise OSError("disk full")


def test_a_text_encoder_is_taken_whole(tmp_path, monkeypatch):
    for fails in (True, False):
        for name, part in (("AutoTokenizer", Part("tokenizer")), ("AutoModel", Part("encoder", fails))):
            monkeypatch.setattr(train, name, SimpleNamespace(from_pretrained=lambda *_, part=part, **__: part))
        if fails:
            with pytest.raises(OSError):
                take_text_encoder(tmp_path / "run", tmp_path)
            with pytest.raises(InputError, match="has no text_encoder yet"):
                part_of(tmp_path / "run", "text_encoder")
    take_text_encoder(tmp_path / "run", tmp_path)
    assert (part_of(tmp_path / "run", "text_encoder") / "config.json").read_text() == "encoder"
    assert sorted(path.name for path in (tmp_path / "run" / "parts").iterdir()) == ["text_encoder", "tokenizer"]


def test_positions_beyond_what_a_text_encoder_was_trained_on_are_left_out(tmp_path):
    """Texts within are encoded as before; longer ones are cut there."""
    from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "piano", "drums"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    config = BertConfig(
        vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=64
    )
    BertModel(config).save_pretrained(tmp_path)
    BertTokenizer(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    take_text_encoder(tmp_path / "run", tmp_path)
    states, taken = [], tmp_path / "run" / "parts"
    for tokenizer, encoder in ((tmp_path, tmp_path), (taken / "tokenizer", taken / "text_encoder")):
        parts = AutoTokenizer.from_pretrained(tokenizer), AutoModel.from_pretrained(encoder, dtype=torch.float16).float()
        states.append([encode_text(*parts, ["piano drums " * count])[0] for count in (10, 40)])
    torch.testing.assert_close(states[0][0], states[1][0])
    assert states[0][1].shape[1] == 64 and states[1][1].shape[1] == 32


def test_a_part_is_replaced_whole(tmp_path):
    save_part(Part("1"), tmp_path / "vae")
    with pytest.raises(OSError):
        save_part(Part("2", fails=True), tmp_path / "vae")
    assert (tmp_path / "vae" / "config.json").read_text() == "1"
    save_part(Part("3"), tmp_path / "vae")
    assert (tmp_path / "vae" / "config.json").read_text() == "3" and [p.name for p in tmp_path.iterdir()] == ["vae"]


@pytest.mark.slow
@needs_fluidsynth
def test_every_part_trains_and_the_bundle_plays(tmp_path, capsys, monkeypatch):
    """A step of everything, through the command line: rows in, a model that generates out. Networks are narrower than the bundled model's."""
    from transformers import BertConfig, BertModel, BertTokenizer

    from musicbench.build.composed import write_composed
    from musicbench.build.dataset import read_rows
    from mustango.pipeline import load_pipeline
    from mustango.request.knows import Knows

    for module, name, narrower in (
        (train_vae, "VAE", {"block_out_channels": (16, 16)}),
        (train_vocoder, "VOCODER", {"channels": 16, "hidden": 32, "layers": 2, "postfilter_channels": 8, "refiner_channels": 8}),
        (train_munet, "MUNET", {"block_out_channels": (16, 16, 32), "num_heads": (1, 1, 2)}),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) | narrower)
    data, run = str(tmp_path / "data"), str(tmp_path / "run")
    write_composed(data, 3)
    assert main(["train", "munet", "-o", run, "--data", data]) == 2
    assert "mustango train vae" in capsys.readouterr().err
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "piano", "drums"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    config = BertConfig(vocab_size=len(words), hidden_size=384, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    BertModel(config).save_pretrained(tmp_path / "text")
    BertTokenizer(vocab=str(tmp_path / "vocab.txt"), model_max_length=64).save_pretrained(tmp_path / "text")
    step = ["-o", run, "--data", data, "--steps", "1", "--batch-size", "2"]
    if not torch.cuda.is_available():
        assert main(["train", "vae", *step, "--device", "cuda"]) == 2
        assert "no CUDA device" in capsys.readouterr().err
    assert main(["train", "vae", *step]) == 0
    assert main(["train", "postfilter", *step]) == 2
    assert "mustango train vocoder" in capsys.readouterr().err
    assert main(["train", "sharpen", "-o", run, "--data", data]) == 0
    assert main(["train", "vocoder", *step, "--bf16"]) == 0
    assert main(["train", "refiner", *step, "--bf16"]) == 0
    assert main(["train", "postfilter", *step]) == 0
    assert main(["train", "text", "-o", run, "--text-encoder", str(tmp_path / "text")]) == 0
    assert main(["train", "munet", *step]) == 0
    assert main(["train", "bundle", "-o", run, "--to", str(tmp_path / "model")]) == 0
    pipeline = load_pipeline(str(tmp_path / "model"))
    assert pipeline.knows == Knows.of_rows(read_rows(data)) and pipeline.knows.source == "3 rows"
    assert pipeline.sampling == BUNDLED_SAMPLING and pipeline.mel.config.sharpening_taps
    assert pipeline.spans(2.0)[0] * 0.128 == pipeline.sampling.lead_in_s  # whole rows
    out = pipeline("piano", chords="C", tempo=100, duration=2.0, steps=1)
    assert out.audios.shape == (1, 48000) and 0 < np.abs(out.audios).max() < 1

    further = str(tmp_path / "further")  # fine-tuning begins from a model
    assert main(["train", "start", "-o", further, "--from", str(tmp_path / "model")]) == 0
    assert main(["train", "munet", "-o", further, "--data", data, "--steps", "1", "--batch-size", "2", "--lr", "1e-9"]) == 0
    before, after = (load_file(f"{r}/parts/unet/diffusion_pytorch_model.safetensors") for r in (run, further))
    assert all(torch.allclose(before[k], after[k], atol=2e-3) for k in before)
    assert main(["train", "start", "-o", further, "--from", str(tmp_path / "model")]) == 2

    assert main(["train", "munet", "-o", further, "--data", data, "--steps", "2", "--batch-size", "2", "--bf16"]) == 0
    assert main(["train", "vae", *step, "--bf16"]) == 2
    assert "--bf16 says nothing" in capsys.readouterr().err

    keeping = ["-o", str(tmp_path / "keeping"), "--data", data]  # ... and may keep to what that predicted
    assert main(["train", "munet", *keeping, "--remember", data]) == 2
    assert main(["train", "start", *keeping, "--from", str(tmp_path / "model")]) == 0
    assert main(["train", "vae", *keeping, "--remember", data]) == 2
    assert "--remember says nothing" in capsys.readouterr().err
    kept, forgotten = tmp_path / "keeping" / "munet" / "before" / "unet" / "diffusion_pytorch_model.safetensors", []
    for steps in ("1", "3"):
        assert main(["train", "munet", *keeping, "--remember", data, "--steps", steps, "--batch-size", "5", "--lr", "1e-2"]) == 0
        rows = list(csv.DictReader((tmp_path / "keeping" / "munet" / "curve.csv").open()))
        forgotten.append(float(rows[-1]["forgotten"]))
        assert all(torch.equal(load_file(kept)[k].float(), before[k].half().float()) for k in before)
    assert forgotten[0] == 0 < forgotten[1]


@pytest.mark.parametrize(("part", "name"), [("vae", "WORLD_SIZE"), ("bundle", "WORLD_SIZE"), ("munet", "OMPI_COMM_WORLD_SIZE")])
def test_several_processes_are_refused_where_each_would_do_the_same(part, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "2")
    assert main(["train", part, "-o", "run", "--data", "data", "--to", "x"]) == 2
    err = capsys.readouterr().err
    assert f"{name} is 2" in err and err.count("\n") == 1 and list(tmp_path.iterdir()) == []
