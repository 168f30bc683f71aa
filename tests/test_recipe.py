"""A recipe trains as it says; the original's gives the original's numbers."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import GOLDEN, ROOT
from diffusers import DDPMScheduler
from safetensors.torch import load_file
from test_train import Shorts, Toy, final

from musicbench import InputError
from mustango.model.conditioning import Conditioning
from mustango.model.mel import LogMel
from mustango.train.latents import encoded_sound, prepared
from mustango.train.loop import Course, fit, learning_rate_factor
from mustango.train.munet import TrainMuNet
from mustango.train.recipe import Recipe, check_recipe, keep_recipe
from mustango.train.texts import captions_of, with_sentences_dropped

sys.path.insert(0, str(ROOT / "benchmarks"))
import parity

ORIGINAL = Recipe.read(ROOT / "recipes" / "mustango.toml")


def test_the_originals_recipe_gives_the_originals_loss(monkeypatch):
    golden = parity.Golden(GOLDEN)
    about, tensors = golden.json("training"), golden.tensors("training")
    ids = [[*golden.json("trajectory")["token_ids_without_eos"].get(prompt, []), 1] for prompt in about["prompts"]]
    text, mask = parity.text_states(golden, ids)
    condition = parity._condition(golden, about["beats"], about["chords"], about["chords_time"], text, mask)
    task = object.__new__(TrainMuNet)
    task.recipe, task.bf16, task.model = ORIGINAL, False, {"unet": golden.munet(), "conditioner": None}
    task.scheduler = DDPMScheduler(**golden.json("scheduler")["config"])
    monkeypatch.setattr(task, "condition", lambda batch, conditioner: condition)
    batch = {name: tensors[name] for name in ("latents", "noise", "timesteps")}
    batch["inside"] = torch.ones(2, batch["latents"].shape[2], dtype=torch.bool)
    with torch.no_grad():
        assert task.loss(batch)[0].item() == pytest.approx(about["loss"]["5.0"], abs=1e-4)
    assert isinstance(condition, Conditioning)


def test_the_originals_sound_is_centred_and_at_half_of_full_scale():
    golden, mel = load_file(GOLDEN / "stft.safetensors"), LogMel()
    sound = prepared(golden["raw_wave"].numpy(), 163840, ORIGINAL)
    tail = golden["norm_wave_tail"]
    torch.testing.assert_close(sound[: len(tail)], tail, atol=1e-4, rtol=0)
    assert not sound[len(golden["raw_wave"]) :].any() and sound.abs().max() == 0.5
    torch.testing.assert_close(mel(sound[None])[:, :-1], golden["fbank"], atol=2e-2, rtol=0)
    assert not prepared(np.zeros(100, np.float32), 200, ORIGINAL).any()  # silence has no peak
    plain = prepared(np.array([0.25, 0.5], np.float32), 3, Recipe())
    assert plain.tolist() == [0.25, 0.5, 0.0]


def test_latents_are_drawn_from_the_posterior(tmp_path):
    from diffusers import AutoencoderKL
    from safetensors.torch import save_file

    from mustango.train.latents import EncodedRows

    torch.manual_seed(0)
    vae = AutoencoderKL(in_channels=1, out_channels=1, latent_channels=2, norm_num_groups=4, block_out_channels=(4,))
    vae.register_to_config(scaling_factor=0.5, shift_factor=0.0)
    mel = LogMel(sample_rate=8000, n_fft=256, hop_length=128, n_mels=8, f_max=4000.0)
    waveforms = 0.1 * torch.randn(1, 16 * 128)
    with torch.no_grad():
        tensors = encoded_sound(waveforms, mel, vae, "sample")
        posterior = vae.encode(mel.folded(mel(waveforms)[:, :-1])).latent_dist
    save_file(tensors, tmp_path / "latents.safetensors")
    rows = EncodedRows([{}], [""], [[0]], [tmp_path / "latents.safetensors"], [])
    draws = torch.stack([rows.latents(0, 0, 16, torch.Generator().manual_seed(seed)) for seed in range(400)])
    torch.testing.assert_close(draws.std(0), 0.5 * posterior.std[0], rtol=0.25, atol=0)
    torch.testing.assert_close(draws.mean(0), 0.5 * posterior.mean[0], rtol=0, atol=0.1)
    assert (rows.latents(0, 12, 16, torch.Generator())[:, 4:] == 0).all() and rows.longest == 16


def test_each_clip_comes_once_an_epoch_in_another_order():
    task = Shorts(order="epochs", halves=0.0)
    seen = [int(task.draw(np.random.default_rng([5, step]), 1, (5, step))["latents"][0, 0, 0, 0]) // 100 for step in range(12)]
    epochs = [tuple(seen[first : first + 3]) for first in range(0, 12, 3)]
    assert all(sorted(epoch) == [0, 1, 2] for epoch in epochs) and len(set(epochs)) > 1
    batch = task.draw(np.random.default_rng([5, 1]), 2, (5, 1))  # steps of two go on through the same order
    assert [int(first) // 100 for first in batch["latents"][:, 0, 0, 0]] == seen[2:4]


def test_a_batch_draws_main_or_original_captions():
    row = {"main_caption": "said anew", "alt_caption": "said first"}
    assert (
        captions_of(row, ORIGINAL) == ["said anew", "said first"]
        and captions_of(row | {"alt_caption": ""}, ORIGINAL)[1] == "said anew"
    )
    task = Shorts(wordings=0, drop_all=0.0, drop_text=0.0)
    main = 0
    for seed in range(200):
        texts = task.draw(np.random.default_rng(seed), 3)["text"].amax(dim=(1, 2)).int().tolist()
        columns = {(text - 1) % 3 for text in texts}
        assert len(columns) == 1 and columns < {0, 1}
        main += columns == {0}
    assert main / 200 == pytest.approx(0.85, abs=0.08)


def test_conditions_are_left_out_as_often_as_the_recipe_says():
    task = Shorts(drop_all=0.05, drop_text=0.05, drop_beats=0.05, drop_chords=0.05, halves=0.0)
    batch = task.draw(np.random.default_rng(0), 4000)
    no_text, no_beats = batch["text_mask"].sum(1) == 1, ~batch["beat_mask"].any(1)
    no_chords = batch["chord_ids"][:, 0, 0] == 1
    for gone in (no_text, no_beats, no_chords):
        assert gone.float().mean().item() == pytest.approx(1 - 0.95 * 0.95, abs=0.02)
    assert (no_text & no_beats & no_chords).float().mean().item() == pytest.approx(0.05, abs=0.012)


def test_sentences_are_dropped_from_long_captions_less_often():
    rng, five = np.random.default_rng(0), "One a. Two b. Three c. Four d. Five e."
    told = [with_sentences_dropped(five, rng, 0.1, 5.0) for _ in range(4000)]
    cut = [text for text in told if text != five]
    assert len(cut) / 4000 == pytest.approx(0.1, abs=0.02)
    assert {text.count(".") for text in cut} == {2, 3}  # of five 20 to 50 %, rounded up, are gone
    assert "One a. Three c. Five e." in cut  # the others stay in order
    twice = sum(with_sentences_dropped(five, rng, 0.1, 2.5) != five for _ in range(4000))
    assert twice / 4000 == pytest.approx(0.05, abs=0.015)
    assert with_sentences_dropped("Only one.", np.random.default_rng(1), 1.1, 1.0) == "Only one."  # rounded down to none


def test_texts_are_encoded_at_each_step_where_they_change():
    task = Shorts(drop_sentences=0.9, wordings=0, halves=0.0)
    task.sentences, said = 5.0, []

    class Tokenizer:
        model_max_length = 16

        def __call__(self, texts, **_):
            said.extend(texts)
            return SimpleNamespace(input_ids=torch.ones(len(texts), 2, dtype=torch.long), attention_mask=torch.ones(len(texts), 2))

    task.tokenizer, task.text_encoder = Tokenizer(), SimpleNamespace(config=SimpleNamespace())
    batch = task.draw(np.random.default_rng(0), 60)
    assert batch["text_ids"].shape == (60, 2) and "text" not in batch
    assert {text.count(".") for text in said} == {0, 2, 3, 5}


def test_the_originals_steps_have_no_warm_up_no_clipping_and_no_average(tmp_path):
    assert [learning_rate_factor(step, 4, schedule="linear") for step in range(4)] == [1.0, 0.75, 0.5, 0.25]
    task = Toy()
    fit(task, tmp_path, Course(steps=5, lr=0.1, batch_size=2, recipe=ORIGINAL))
    assert torch.equal(final(tmp_path)["weight"], task.model.weight)
    state = torch.load(tmp_path / "toy" / "state.pt", weights_only=True)
    assert state["ema"] is None and state["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)
    fit(Toy(), tmp_path, Course(steps=6, lr=0.1, batch_size=2, recipe=ORIGINAL))  # goes on without an average


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[steps]\nlr = 'fast'", "lr = fast; give a number"), ("[steps]\nbetas = [0.9]", "two of them"), ("[step]\nlr = 1", "unknown section 'step'"),
        ("[steps]\nlearning_rate = 1", "unknown setting 'learning_rate'"), ("lr = 1", "unknown section 'lr'"), ("[sound]\nrows = 1.5", "whole number"),
        ("[sound]\nposterior = 'mean'", "mode, sample"), ("[sound]\ncentred = 1", "true or false"), ("[sound", "cannot read the recipe"),
        ("[sound]\nrows = true", "whole number"), ("[captions]\nmain_share = 2", "within 0-1"), ("[steps]\nema = 1.0", "ema = 1.0"),
    ],
)  # fmt: skip
def test_bad_recipes_get_one_line(tmp_path, text, says):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        Recipe.read(tmp_path / "bad.toml")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no recipe"):
        Recipe.read(tmp_path / "none.toml")


def test_a_run_goes_on_by_its_own_recipe(tmp_path):
    keep_recipe(tmp_path, ORIGINAL)
    check_recipe(tmp_path, Recipe())  # nothing is learnt yet
    (tmp_path / "state.pt").touch()
    check_recipe(tmp_path, ORIGINAL)
    with pytest.raises(InputError, match="begun with centred = True"):
        check_recipe(tmp_path, Recipe())
    (tmp_path / "recipe.json").unlink()
    check_recipe(tmp_path, Recipe())  # an older run
