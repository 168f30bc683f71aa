"""Model folders from strangers: each is refused in one line before anything is built, or plays; no code of theirs runs."""

import json
import os
import re
import shutil
from base64 import b64encode

import pytest
import torch
from conftest import ROOT
from safetensors.torch import load_file, save_file

from musicbench import InputError, run_command
from musicbench.build.captioners import Captioner
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.recipe import Recipe
from musicbench.model_folders import built_within, check_model_folder
from mustango.__main__ import main
from mustango.hear.embeddings import load_embedder
from mustango.pipeline import load_pipeline
from mustango.release.classes import class_of
from mustango.release.conversion import _built
from mustango.release.files import read_json
from mustango.release.folder import verify
from mustango.release.limits import BOUNDS, check_configs
from mustango.release.released import (
    convert_chord_predictor,
    convert_conditioner,
    convert_mel,
    convert_munet,
    convert_text_encoder,
    convert_vae,
    convert_vocoder,
)
from mustango.request.model_facts import read_facts
from mustango.train.loop import take_text_encoder

PARTS = ("unet", "vae", "vocoder", "conditioner", "text_encoder")
DEEP = '{"a":' * 100_000


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "model")


def change(folder, name, **settings):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def refused(folder, capsys, says, command="generate"):
    """Run a command on a model; it must say one line that `says` is found in, and leave nothing."""
    before = sorted(os.listdir(folder.parent))
    out = folder.parent / "music.wav"
    assert main([command, "piano", "--model", str(folder), "--steps", "1", "--duration", "1", "-o", str(out)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told[:-1].isprintable() and len(told) < 1000, told
    assert re.search(says, told), told
    assert sorted(os.listdir(folder.parent)) == before


def weights(folder, part):
    (path,) = (folder / part).glob("*.safetensors")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("unet/config.json", {"layers_per_block": 10**7}, "layers_per_block = 10000000, where a whole number within 1 and 64"),
        ("unet/config.json", {"layers_per_block": 64}, "asks for more than its"),
        ("unet/config.json", {"norm_eps": float("nan")}, "norm_eps = nan"),
        ("unet/config.json", {"block_out_channels": [8] * 200_000}, "block_out_channels"),
        ("unet/config.json", {"num_heads": []}, "num_heads"),
        ("unet/config.json", {"columns": 3}, "its config asks for"),
        ("text_encoder/config.json", {"num_hidden_layers": 10**6}, "asks for more than its"),
        ("text_encoder/config.json", {"num_labels": 10**9}, "num_labels = 1000000000"),
        ("text_encoder/config.json", {"hidden_act": "evil"}, "cannot build a model"),
        ("text_encoder/config.json", {"quantization_config": {"quant_method": "x"}}, "quantization_config"),
        ("text_encoder/config.json", {"_attn_implementation": "evil/kernel"}, "_attn_implementation"),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**10}, "num_train_timesteps"),
        ("scheduler/scheduler_config.json", {"beta_end": float("nan")}, "beta_end"),
        ("mel/config.json", {"n_mels": 10**7}, "n_mels"),
        ("mel/config.json", {"n_fft": 10**10}, "n_fft"),
        ("mel/config.json", {"fold": [0, 8]}, "fold"),
        ("mel/config.json", {"std": 0}, "std = 0"),
        ("mel/config.json", {"hop_length": 64}, "hop_length is 64"),
        ("conditioner/config.json", {"time_base": 0}, "time_base"),
        ("conditioner/config.json", {"cycle_s": float("nan")}, "cycle_s"),
        ("conditioner/config.json", {"chord_types": ["pad", "N", "x"]}, "chord_types"),
        ("conditioner/config.json", {"chord_types": [1]}, "chord_types"),
        ("conditioner/config.json", {"max_beats": "x"}, "max_beats"),
        ("vocoder/config.json", {"layers": 1e3}, "layers"),
        ("vae/config.json", {"scaling_factor": 0}, "scaling_factor"),
        ("model_index.json", {"window_s": 10**10}, "window_s"),
        ("model_index.json", {"sampling": {"restart": float("nan")}}, "restart"),
        ("model_index.json", {"sampling": [1]}, "sampling"),
        ("model_index.json", {"x": []}, "lists no class for x"),
        ("model_index.json", {"_class_name": ["evil", "Evil"]}, "whose code is not run"),
    ],
)  # fmt: skip
def test_settings_out_of_bounds_are_named_before_anything_is_built(folder, capsys, name, settings, says):
    change(folder, name, **settings)
    refused(folder, capsys, says)


@pytest.mark.slow
@pytest.mark.parametrize("part", BOUNDS)
def test_every_bounded_setting_is_read(part, folder):
    """A setting of the wrong kind is refused wherever it stands, and what the bundled model has lies within the bounds."""
    check_configs(ROOT / "checkpoints" / "mustango-mini")
    path = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
    if part in ("model_index", "sampling", "vae_config", "ddconfig"):
        return
    plain = json.loads(path.read_text())
    for name in BOUNDS[part]:
        for value in (-1e9, 1e30, "x", True, {}, [], [[None]], float("nan")):
            path.write_text(json.dumps(plain | {name: value}))
            with pytest.raises(InputError, match=f"has {name} = "):
                check_configs(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "entry"),
    [
        ("unet", ["os", "system"]), ("vae", ["evil", "Evil"]), ("tokenizer", ["transformers", "AutoTokenizer"]),
        ("text_encoder", ["transformers", "AutoModel"]), ("text_encoder", ["transformers", "TimmBackbone"]),
        ("scheduler", ["diffusers", "DiffusionPipeline"]), ("mel", ["mustango", "MustangoPipeline"]), ("evil", ["evil", "Evil"]),
        ("tokenizer", [["a"], 3]), ("conditioner", [None, "Conditioner"]),
    ],
)  # fmt: skip
def test_only_known_classes_are_imported(folder, capsys, monkeypatch, part, entry):
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass Evil: pass\n")
    (folder / "evil").mkdir()
    shutil.copy(folder / "evil.py", folder / "evil" / "evil.py")
    monkeypatch.syspath_prepend(folder)
    change(folder, "model_index.json", **{part: entry})
    refused(folder, capsys, f"{part} is a .*not known")
    assert not (folder / "ran").exists()


@pytest.mark.slow
def test_a_tokenizers_own_code_is_neither_run_nor_asked_for(folder, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asks"))
    (folder / "tokenizer" / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass Evil: pass\n")
    change(folder, "tokenizer/tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", None]}, tokenizer_class="Evil")
    assert load_pipeline(folder)("piano", steps=1, duration=1).audios.shape[0] == 1
    assert not (folder / "ran").exists()


GROWS = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
CHARSMAP = b64encode((4).to_bytes(4, "little") + b"\0" * 4 + b"x" * 10_000 + b"\0").decode()
LONG_TEXTS = [
    ("normalizer", {"type": "Sequence", "normalizers": [GROWS] * 40}),
    ("normalizer", {"type": "Replace", "pattern": {"Regex": ""}, "content": "x" * 100}),
    ("normalizer", {"type": "Prepend", "prepend": "x" * 10**6}),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}),
    ("decoder", {"type": "Sequence", "decoders": [GROWS] * 40}),
    ("pre_tokenizer", {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}] * 1000}),
    ("post_processor", {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}] * 200_000}),
    ("post_processor", {"type": "TemplateProcessing", "special_tokens": {"x": {"id": "x", "ids": [1] * 1000}}}),
    ("padding", {"strategy": {"Fixed": 10**9}}),
]


@pytest.mark.parametrize(("part", "value"), LONG_TEXTS)
def test_a_tokenizer_makes_no_short_text_a_long_one(folder, part, value):
    change(folder, "tokenizer/tokenizer.json", **{part: value})
    for check in (lambda: check_configs(folder), lambda: check_model_folder(folder / "tokenizer")):
        with pytest.raises(InputError, match="tokenizer.json has"):
            check()


@pytest.mark.parametrize("settings", [{"extra_ids": 10**9}, {"offset": 10**6}, {"added": [{"extra_ids": 10**6}]}])
def test_a_tokenizer_makes_up_few_tokens(folder, settings):
    change(folder, "tokenizer/tokenizer_config.json", model_max_length=10**30)
    check_configs(folder)
    change(folder, "tokenizer/tokenizer_config.json", **settings)
    with pytest.raises(InputError, match=r"tokenizer_config.json has .* = 10"):
        check_configs(folder)


FOREIGN_SETTINGS = [
    {"attn_implementation": "evil/kernel"}, {"quantization_config": {}}, {"text_config": {"_attn_implementation": "evil/kernel"}},
    {"experts_implementation": "evil/kernel"},
]  # fmt: skip


@pytest.mark.parametrize("settings", FOREIGN_SETTINGS)
def test_others_settings_bring_no_code_wherever_a_folder_is_named(folder, settings):
    """The folders of paraphrasers, captioners, embeddings and text encoders are held to what a model's own parts are."""
    place = folder / "text_encoder"
    change(folder, "text_encoder/config.json", **settings)
    (place / "tags.txt").write_text("a\nb\n")
    loads = [
        lambda: Paraphraser(str(place)).check(),
        lambda: Captioner(str(place)).check(),
        lambda: Captioner(f"clap={place}").check(),
        lambda: load_embedder(f"clap={place}"),
        lambda: take_text_encoder(folder / "run", place),
    ]
    for load in loads:
        with pytest.raises(InputError, match="others' code or weights"):
            load()
    (place / "config.json").write_text('{"model_type": "t5"}')
    os.mkfifo(place / "pipe.json")
    for load in loads:
        with pytest.raises(InputError, match="a pipe or a device"):
            load()


def test_what_is_built_of_others_folders_is_no_larger_than_their_files(folder):
    for settings in ({"num_hidden_layers": 10**7}, {"vocab_size": 10**7}):
        place = shutil.copytree(folder / "text_encoder", folder / next(iter(settings)))
        shutil.copytree(folder / "tokenizer", place, dirs_exist_ok=True)
        change(folder, f"{place.name}/config.json", **settings)
        with pytest.raises(InputError, match="asks for more than its"):
            take_text_encoder(folder / "run", place)


def test_the_classes_of_tokenizers_are_known():
    assert class_of("tokenizer", "transformers", "BertTokenizer").__name__ == "BertTokenizer"
    for name in ("ByT5Tokenizer", "AutoTokenizer", ["BertTokenizer"], None):
        with pytest.raises(InputError, match="not known"):
            class_of("tokenizer", "transformers", name)


def test_an_adapter_that_brings_others_weights_is_refused(folder, capsys):
    (folder / "text_encoder" / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/base"}')
    refused(folder, capsys, "holds an adapter")


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
def test_no_file_is_written_of_numbers_that_are_not_finite(folder, capsys, part, value):
    path = weights(folder, part)
    tensors = {name: torch.full_like(t, value) for name, t in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    refused(folder, capsys, "holds NaN or infinity" if value != 1e38 else "not finite")


@pytest.mark.parametrize("stage", ["unet", "vocoder"])
def test_what_comes_out_not_finite_is_an_error(tiny_pipeline, monkeypatch, stage):
    part = getattr(tiny_pipeline, stage)
    whole = part.forward
    monkeypatch.setattr(part, "forward", lambda *a, **o: whole(*a, **o) * float("nan"))
    with pytest.raises(InputError, match="not finite"):
        tiny_pipeline("piano", steps=1, duration=1)


def test_what_fails_while_it_plays_is_one_line(tiny_pipeline, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(tiny_pipeline, "denoise", full)
    with pytest.raises(InputError, match=r"cannot play this \(MemoryError\)"):
        tiny_pipeline("piano", steps=1, duration=1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize(
    "name",
    ["model_index.json", "unet/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer.json", "knows.json"],
)
def test_a_pipe_in_a_files_place_does_not_hang(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    for _ in range(2):
        with pytest.raises(InputError, match="pipe or a device|holds no model_index"):
            read_facts(folder)
            verify(folder)
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/zero")


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json", "knows.json"])
@pytest.mark.parametrize("text", ["", "null", "[]", DEEP, "\ufeff\x00"])
def test_settings_that_are_none_are_named(folder, capsys, name, text):
    (folder / name).write_text(text)
    refused(folder, capsys, re.escape(name.rpartition("/")[2]))


def test_json_is_not_read_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("mustango.release.files.MOST_JSON", 1000)
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 1000 + '"}')
    with pytest.raises(InputError, match="larger than"):
        read_json(tmp_path / "a.json")


@pytest.mark.slow
def test_weights_that_only_the_check_would_find_are_not_played(folder, capsys):
    """A file under another name holds good tensors; the one that is loaded lacks some."""
    path = weights(folder, "unet")
    tensors = load_file(path)
    first = min(tensors)
    save_file({first: tensors.pop(first)}, path.with_name("aa.safetensors"), metadata={"format": "pt"})
    save_file(tensors, path, metadata={"format": "pt"})
    refused(folder, capsys, "cannot (load|play)|meta")


def test_building_stops_at_what_a_file_can_fill():
    made = []
    with pytest.raises(InputError, match="asks for more than its 3 tensors"), built_within(3, "x"):
        made.extend(torch.nn.Linear(1, 1) for _ in range(10**9))
    assert len(made) < 60
    with built_within(3, "x"):
        assert torch.nn.Linear(1, 1).bias.shape == (1,)
    with pytest.raises(InputError, match="AssertionError"), built_within(3, "x"):
        raise AssertionError


STFT = {
    "sampling_rate": 16000,
    "filter_length": 1024,
    "hop_length": 160,
    "win_length": 1024,
    "n_mel_channels": 64,
    "mel_fmin": 0,
    "mel_fmax": 8000,
}
VAE = {
    "ddconfig": {"in_channels": 1, "out_ch": 1, "z_channels": 8, "ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1, "resolution": 64},
    "embed_dim": 8, "scale_factor": 1.0,
}  # fmt: skip
BIAS = "FME.translation_bias"


@pytest.mark.parametrize(
    ("convert", "held", "settings"),
    [
        (convert_mel, STFT | {"n_mel_channels": 10**9}, ()),
        (convert_mel, STFT | {"mel_fmax": "x"}, ()),
        (convert_mel, STFT | {"hop_length": None}, ()),
        (convert_mel, {"win_length": []}, ()),
        (convert_vae, {}, (VAE | {"ddconfig": VAE["ddconfig"] | {"ch": 10**9}},)),
        (convert_vae, {}, (VAE | {"ddconfig": VAE["ddconfig"] | {"ch_mult": [1] * 10**5}},)),
        (convert_vae, {}, (VAE | {"ddconfig": [1]},)),
        (convert_vae, {}, ({"ddconfig": VAE["ddconfig"] | {"ch": "x"}, "embed_dim": 8, "scale_factor": 1.0},)),
        (convert_vocoder, {}, ({"upsample_rates": [10**9]},)),
        (convert_vocoder, {}, ([1],)),
        (convert_munet, {}, ({"block_out_channels": [8] * 10**6},)),
        (convert_conditioner, {BIAS: torch.zeros(())}, ()),
        (convert_conditioner, {BIAS: torch.zeros(1, 8), "chord_embedding_layer.chord_ffn.weight": torch.zeros(8)}, ()),
        (convert_text_encoder, {"text_encoder.shared.weight": torch.zeros(())}, ()),
        (convert_chord_predictor, {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": torch.zeros(0)}, ()),
    ],
)
def test_released_folders_out_of_bounds_are_one_line(convert, held, settings):
    with pytest.raises(InputError) as told:
        _built("ldm.bin", convert, held, *settings)
    assert len(str(told.value)) < 600 and "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["a=" + "[" * 100_000, "a=" + "9" * 5000, "x" * 100_000, "clip_s = nan", "semitones = 3", "a=1\0"])
def test_a_recipe_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError) as told:
        Recipe.load(tmp_path / "a.toml")
    assert len(str(told.value)) < 600
    os.mkfifo(tmp_path / "b.toml")
    with pytest.raises(InputError, match="no file"):
        Recipe.load(tmp_path / "b.toml")


@pytest.mark.parametrize("error", ["a\x1b[2Jb", "a\nb", "a\u202eb\x00"])
def test_errors_stand_on_one_line_whatever_they_name(capsys, error):
    def command(_):
        raise InputError(error)

    assert run_command("mustango", command, None) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told[:-1].isprintable()
