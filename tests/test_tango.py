"""A run begins with Tango's weights; its attention to beats and chords is new."""

import json
import re
from dataclasses import replace

import pytest
import torch
from conftest import GOLDEN
from test_release import packed, parity, trained

from musicbench import InputError
from mustango.__main__ import main
from mustango.model.layers import STREAMS, attend
from mustango.pipeline import load_pipeline
from mustango.release.tango import tango_components


@pytest.fixture
def tango(tmp_path):
    """A folder laid out as Tango's release: the golden set's random weights without what Mustango added, and a tokenizer."""
    golden, folder = parity.Golden(GOLDEN), tmp_path / "tango"
    main_weights = {
        name: tensor
        for name, tensor in golden.tensors("model_weights").items()
        if re.match(r"(unet|text_encoder)\.", name) and not re.search(r"\.attentions[23]\.", name)
    }
    config = golden.json("model_config")["unet"]
    config = config | {"down_block_types": [kind.removesuffix("Music") for kind in config["down_block_types"]]}
    config["up_block_types"] = [kind.removesuffix("Music") for kind in config["up_block_types"]]
    files = {
        "pytorch_model_main.bin": packed(main_weights), "pytorch_model_vae.bin": packed(golden.tensors("vae_weights")),
        "main_config.json": {"scheduler_name": "stabilityai/stable-diffusion-2-1", "text_encoder_name": "google/flan-t5-large"},
        "vae_config.json": golden.json("vae_config"), "stft_config.json": golden.json("stft")["config"],
        "diffusion_model_config.json": config,
    }  # fmt: skip
    folder.mkdir()
    for name, content in files.items():
        if isinstance(content, dict):
            (folder / name).write_text(json.dumps(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def case(munet, seed=0):
    """Return a MuNet's output on some of the golden inputs, with those beats and chords or others."""
    from test_munet import golden_case

    inputs, condition = golden_case(0)
    torch.manual_seed(seed)
    if seed:
        condition = replace(condition, beats=torch.randn_like(condition.beats), chords=torch.randn_like(condition.chords))
    with torch.no_grad():
        return munet(inputs["sample"], inputs["timestep"], condition)


def test_with_fresh_attentions_a_model_begins_as_tango(tango, monkeypatch):
    unet = dict(tango_components(tango))["unet"]
    begun = case(unet)
    assert torch.equal(begun, case(unet, seed=1))

    def text_alone(streams, x, condition, seconds, is_checkpointed=False):
        return attend({name: stream for name, stream in streams.items() if name == "text"}, x, condition, seconds)

    monkeypatch.setattr("mustango.model.layers.attend", text_alone)
    torch.testing.assert_close(begun, case(unet), atol=1e-6, rtol=0)


def test_copied_attentions_are_the_texts(tango):
    parts = dict(tango_components(tango, "copied"))
    state = parts["unet"].state_dict()
    for name in [name for name in state if ".streams.text." in name]:
        for stream in STREAMS[1:]:
            assert torch.equal(state[name], state[name.replace(".text.", f".{stream}.")])
    assert not torch.equal(case(parts["unet"]), case(parts["unet"], seed=1))
    assert parts["conditioner"].config.dim == parts["unet"].config.cross_attention_dim


@pytest.mark.slow
def test_a_run_begins_with_tango_and_its_bundle_plays(tango, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "spiece.model").write_bytes(trained(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>"))
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 512, "extra_ids": 0}))
    assert main(["train", "start", "-o", "run", "--from", "tango", "--tokenizer", "tokenizer"]) == 0
    assert main(["train", "bundle", "-o", "run", "--to", "model"]) == 0
    audio = load_pipeline("model")("calm piano", chords="C", tempo=100, duration=2.0, steps=1).audios
    assert audio.shape == (1, 32000) and abs(audio).max() > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"unet.conv_in.weight": None}, "lacks tensor unet.conv_in.weight"), ({"unet.other": torch.zeros(1)}, "unknown tensor unet.other"),
        ({"beat.x": torch.zeros(1)}, "no released Tango"), ({"unet.conv_in.bias": torch.zeros(3)}, "unet.conv_in.bias"),
        ({"unet.conv_in.bias": torch.full((32,), float("nan"))}, "NaN or infinity"),
    ],
)  # fmt: skip
def test_broken_weights_get_one_line(tango, change, says):
    weights = torch.load(tango / "pytorch_model_main.bin", weights_only=True) | change
    torch.save({name: tensor for name, tensor in weights.items() if tensor is not None}, tango / "pytorch_model_main.bin")
    with pytest.raises(InputError, match=re.escape(says)):
        list(tango_components(tango))


def test_a_start_says_what_it_lacks(tango, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start = ["train", "start", "-o", "run", "--from"]
    assert main([*start, "mustango-mini", "--new-attentions", "copied"]) == 2
    assert "--new-attentions is of a start from Tango" in capsys.readouterr().err
    assert main([*start, "tango", "--tokenizer", "nowhere"]) == 2
    assert "tokenizer nowhere" in capsys.readouterr().err
    (tango / "vae_config.json").unlink()
    assert main([*start, "tango"]) == 2
    assert "vae_config.json" in capsys.readouterr().err
    assert not (tmp_path / "run" / "parts").exists() and not (tmp_path / "run" / ".parts.new").exists()
