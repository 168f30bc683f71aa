"""Released weights: golden numbers, every name and shape at full size, clear errors for broken files."""

import json
import os
import shutil
import sys

import pytest
import torch
from conftest import GOLDEN, ROOT
from safetensors.torch import load_file, save_file

from musicbench import InputError
from mustango.__main__ import main
from mustango.pipeline import load_pipeline
from mustango.release.conversion import convert
from mustango.release.folder import model_folder, model_index, model_written_whole, verify
from mustango.release.names import CONDITIONER_NAMES, IGNORED, rename
from mustango.release.released import (
    convert_beat_predictor,
    convert_chord_predictor,
    convert_conditioner,
    convert_munet,
    convert_text_encoder,
    convert_vae,
    convert_vocoder,
    munet_config,
    t5_config,
)
from mustango.release.weights import load_released

sys.path.insert(0, str(ROOT / "benchmarks"))
import parity
from parity import FULL_MUNET, FULL_VAE

FULL_DEBERTA = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096, "vocab_size": 128100,
    "relative_attention": True, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": "p2c|c2p", "position_biased_input": False, "type_vocab_size": 0, "max_position_embeddings": 512,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("check", parity.CHECKS, ids=lambda check: check.__name__)
def test_equals_the_original(check):
    results = list(check(parity.Golden(GOLDEN)))
    assert results
    for item, difference, tolerance in results:
        assert difference <= tolerance, item


def released_shapes(name):
    """The released file's tensors as meta tensors of the listed shapes, and how many there are."""
    shapes = json.loads((GOLDEN / "keys" / f"keys_{name}.json").read_text())
    import re

    tensors = {k: torch.empty(s, device="meta") for k, s in shapes.items() if not re.match(IGNORED, k)}
    return tensors, len(shapes), len(shapes) - len(tensors)


@pytest.mark.slow
def test_every_released_tensor_has_its_place():
    ldm, count, ignored = released_shapes("ldm")
    assert (count, ignored) == (1747, 3)  # copies of PE.pe
    convert_munet(ldm, FULL_MUNET)
    convert_conditioner(ldm)
    convert_text_encoder(ldm)
    assert sum(k.startswith(("unet.", "text_encoder.")) or rename(k, CONDITIONER_NAMES) != k for k in ldm) == len(ldm)
    vae, count, ignored = released_shapes("vae")
    assert (count, ignored) == (398, 0)
    convert_vae(vae, FULL_VAE)
    convert_vocoder(vae)
    beats, count, ignored = released_shapes("beats")
    assert (count, ignored) == (399, 1)  # position_ids
    convert_beat_predictor(beats, FULL_DEBERTA)
    chords, count, ignored = released_shapes("chords")
    assert (count, ignored) == (560, 0)
    convert_chord_predictor(chords)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_strict(change):
    golden = parity.Golden(GOLDEN)
    weights, config = golden.tensors("model_weights"), golden.json("model_config")["unet"]
    name = "unet.mid_block.attentions2.0.transformer_blocks.0.attn2.to_k.weight"
    if change == "missing":
        del weights[name]
    elif change == "unknown":
        weights["unet.mid_block.attentions4.weight"] = torch.zeros(1)
        name = "unet.mid_block.attentions4.weight"
    else:
        weights[name] = weights[name][:-1]
    with pytest.raises(InputError) as error:
        convert_munet(weights, config)
    assert name in str(error.value)


def test_tied_embeddings_may_be_missing_or_double():
    golden = parity.Golden(GOLDEN)
    weights = {k: v for k, v in golden.tensors("model_weights").items() if k.startswith("text_encoder.")}
    one = {k: v for k, v in weights.items() if not k.endswith("encoder.embed_tokens.weight")}
    both = one | {"text_encoder.encoder.embed_tokens.weight": one["text_encoder.shared.weight"]}
    a, b = convert_text_encoder(one), convert_text_encoder(both)
    tokens = torch.tensor([[3, 4, 1]])
    with torch.no_grad():
        assert torch.equal(a(input_ids=tokens).last_hidden_state, b(input_ids=tokens).last_hidden_state)


def test_unsupported_configs_are_named():
    with pytest.raises(InputError, match="dual_cross_attention"):
        munet_config(FULL_MUNET | {"dual_cross_attention": True})
    with pytest.raises(InputError, match="mirror"):
        munet_config(FULL_MUNET | {"up_block_types": ["UpBlock2D"] * 4})
    with pytest.raises(InputError, match="in_channels"):
        munet_config({k: v for k, v in FULL_MUNET.items() if k != "in_channels"})


def test_the_conditioner_takes_either_copy_of_its_bias_and_leaves_out_buffers():
    tensors, bias = parity.Golden(GOLDEN).tensors("model_weights"), "chord_embedding_layer.FME.translation_bias"
    wanted = convert_conditioner(tensors).root_bias
    one = {k: v for k, v in tensors.items() if k not in (bias, "FME.translation_bias")}
    for name in (bias, "FME.translation_bias"):
        given = one | {name: tensors[bias], "beat_embedding_layer.PE.pe": torch.zeros(5000, 1, 32)}
        assert torch.equal(convert_conditioner(given).root_bias, wanted)


class Code:
    def __reduce__(self):
        return print, ("code ran",)


def test_bad_files(tmp_path, capsys):
    torch.save({"a": torch.zeros(100)}, tmp_path / "whole.bin")
    (tmp_path / "half.bin").write_bytes((tmp_path / "whole.bin").read_bytes()[:600])
    (tmp_path / "text.bin").write_text("no weights")
    (tmp_path / "byte.bin").write_bytes(b"\x80")
    torch.save({"a": torch.ones(300)}, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    (tmp_path / "half-old.bin").write_bytes((tmp_path / "old.bin").read_bytes()[:100])
    torch.save({"a": Code()}, tmp_path / "code.bin")
    torch.save({"a": 1}, tmp_path / "number.bin")
    for name in ("half.bin", "text.bin", "byte.bin", "half-old.bin", "code.bin", "number.bin", "missing.bin"):
        with pytest.raises(InputError, match=name):
            load_released(tmp_path / name)
    assert "code ran" not in capsys.readouterr().out
    assert list(load_released(tmp_path / "whole.bin")) == ["a"]
    assert load_released(tmp_path / "old.bin")["a"].sum() == 300


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A folder in the released layout: the golden set's small random weights, and a stand-in tokenizer."""
    from transformers import BertTokenizer, T5ForConditionalGeneration

    golden, folder = parity.Golden(GOLDEN), tmp_path_factory.mktemp("released")
    for name in ("ldm", "vae", "beats", "chords", "configs", "tokenizer"):
        (folder / name).mkdir()
    ldm = golden.tensors("model_weights")
    torch.save(ldm | {"PE.pe": torch.zeros(5000, 1, 32)}, folder / "ldm" / "pytorch_model_ldm.bin")
    torch.save(golden.tensors("vae_weights"), folder / "vae" / "pytorch_model_vae.bin")
    beats = {k.removeprefix("weights/"): v for k, v in golden.tensors("beats_model").items() if k.startswith("weights/")}
    torch.save(beats, folder / "beats" / "microsoft-deberta-v3-large.pt")
    torch.manual_seed(0)
    text = {k.removeprefix("text_encoder."): v for k, v in ldm.items() if k.startswith("text_encoder.")}
    config = t5_config(text)
    config.num_decoder_layers, config.is_encoder_decoder = 1, True
    chords = {k: v.clone() for k, v in T5ForConditionalGeneration(config).state_dict().items()}
    chords["lm_head.weight"].normal_()  # flan-t5's is no copy of its embeddings
    torch.save(chords, folder / "chords" / "flan-t5-large.bin")
    config = golden.json("model_config")["unet"]
    stft = golden.json("stft")["config"]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "piano", "calm", "caption", "max", "beat", "1", "2", "3"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder / "tokenizer")
    configs = {
        "music_diffusion_model_config": config, "stft_config": stft, "vae_config": golden.json("vae_config"),
        "main_config": {"text_encoder_name": str(folder / "tokenizer")},
    }  # fmt: skip
    for name, value in configs.items():
        (folder / "configs" / f"{name}.json").write_text(json.dumps(value))
    return folder


@pytest.fixture(scope="module")
def converted(released, tmp_path_factory):
    target = tmp_path_factory.mktemp("converted") / "model"
    tokenizer = str(released / "tokenizer")
    convert(released, target, tokenizers={"beat_tokenizer": tokenizer, "chord_tokenizer": tokenizer})
    return target


def play(pipeline, **options):
    return pipeline("calm piano", **{"chords": "C Am", "tempo": 240, "duration": 2.0, "steps": 2} | options)


@pytest.mark.slow
def test_released_folders_load_as_they_are_and_converted(released, converted):
    from mustango.pipeline import MustangoPipeline, load_pipeline

    verify(converted)
    here, there = MustangoPipeline.from_pretrained(released), load_pipeline(str(converted))
    a, b = play(here), play(there)
    assert a.sample_rate == 16000 and a.audios.shape == (1, 32000)
    assert abs(a.audios - b.audios).max() < 1e-5  # memory-mapped weights lie otherwise in memory, which rounds otherwise
    frugal = load_pipeline(str(converted), low_memory=True)
    assert abs(play(frugal).audios - b.audios).max() < 1e-5
    assert here.config.window_s == there.config.window_s == 10.24


@pytest.mark.slow
def test_files_in_half_precision_play_as_what_was_asked(released, tmp_path):
    from shutil import copytree

    from mustango.pipeline import MustangoPipeline

    folder = copytree(released, tmp_path / "half")
    ldm = folder / "ldm" / "pytorch_model_ldm.bin"
    torch.save({name: tensor.half() for name, tensor in torch.load(ldm).items()}, ldm)
    pipeline = MustangoPipeline.from_pretrained(folder)
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == pipeline.vae.dtype == torch.float32
    assert abs(play(pipeline).audios - play(MustangoPipeline.from_pretrained(released)).audios).max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["released", "converted"])
def test_released_predictors_answer(released, converted, layout):
    from mustango.pipeline import load_pipeline

    names = {"beat_tokenizer": str(released / "tokenizer"), "chord_tokenizer": str(released / "tokenizer")}
    pipeline = load_pipeline(str(converted)) if layout == "converted" else load_pipeline(str(released), **names)
    play(pipeline)
    assert pipeline._neural is None  # nothing was left to predict, so nothing was loaded
    controls = pipeline("calm piano", duration=5.0, steps=1, predictors="neural").controls[0]
    assert controls.chords and len(controls.chords) == len(controls.chord_times)
    assert pipeline("calm piano", duration=5.0, steps=1, predictors="reader").controls[0].origin["chords"] == "chosen"


def test_chord_predictor_is_the_released_one(released, converted):
    """Its output against transformers' decoder and the file's own head."""
    from mustango.release.predictors import ChordPredictor

    tensors = load_released(released / "chords" / "flan-t5-large.bin")
    tokens, start = torch.tensor([[5, 6, 7, 1]]), torch.tensor([[0, 3, 4]])
    for model in (convert_chord_predictor(dict(tensors)), ChordPredictor.from_pretrained(converted / "chord_predictor")):
        with torch.no_grad():
            seen = model.encoder(input_ids=tokens).last_hidden_state
            said = model.decoder(input_ids=start, encoder_hidden_states=seen).last_hidden_state
            logits = model(input_ids=tokens, decoder_input_ids=start).logits
        torch.testing.assert_close(logits, said @ tensors["lm_head.weight"].T)
        assert model.encoder.embed_tokens.weight is model.shared.weight
        assert torch.equal(model.shared.weight, tensors["shared.weight"])


@pytest.mark.slow
def test_half_precision_is_the_same_from_either_layout(released, converted):
    from mustango.pipeline import load_pipeline

    here, there = (load_pipeline(str(folder), dtype="float16").text_encoder for folder in (released, converted))
    types = [{name: p.dtype for name, p in model.named_parameters()} for model in (here, there)]
    assert types[0] == types[1] and set(types[0].values()) == {torch.float16, torch.float32}  # T5's wo overflows in half


@pytest.mark.slow
def test_the_released_model_learns_from_rows(released, converted, tmp_path, capsys):
    """Through the command line: what MuNet learns is bundled with all else as it was; a clip it cannot be told of is left out."""
    import numpy as np
    from safetensors.torch import load_file

    from musicbench.files import save_json_lines
    from musicbench.sound.audio import save_audio
    from mustango.pipeline import load_pipeline

    data, run, out = str(tmp_path / "data"), str(tmp_path / "run"), tmp_path / "model"
    (tmp_path / "data" / "train").mkdir(parents=True)
    rows = []
    for i, bar in enumerate((3, 4, 7)):
        save_audio(
            tmp_path / "data" / "train" / f"{i}.wav", np.sin(np.arange(160000) * 0.05 * (i + 1)).astype(np.float32) / 2, 16000
        )
        times, positions = [k / 2 for k in range(20)], [k % bar + 1 for k in range(20)]
        row = {"location": f"train/{i}.wav", "dataset": "mine", "main_caption": "calm piano", "duration": 10.0}
        rows.append(
            row | {"beats": [times, positions], "chords": ["C:maj", "A:min9"], "chords_time": [0.0, 5.0], "key": ["C", "major"]}
        )
    save_json_lines(tmp_path / "data" / "rows.jsonl", rows)

    assert main(["train", "start", "-o", run, "--from", str(released)]) == 2
    assert "mustango convert" in capsys.readouterr().err and not (tmp_path / "run").exists()
    assert main(["train", "start", "-o", run, "--from", str(converted)]) == 0
    for other in ("vae", "vocoder", "postfilter", "sharpen"):
        steps = [] if other == "sharpen" else ["--steps", "1"]
        assert main(["train", other, "-o", run, "--data", data, *steps]) == 2
        assert "only `munet` can be trained" in capsys.readouterr().err
    assert main(["train", "munet", "-o", run, "--data", data, "--steps", "2", "--batch-size", "2", "--lr", "1e-3"]) == 0
    assert "1 of 3 rows of" in capsys.readouterr().out
    (tmp_path / "run" / "parts" / ".unet.old").mkdir()  # a killed save's
    for _ in range(2):  # the second over the first
        assert main(["train", "bundle", "-o", run, "--to", str(out)]) == 0

    before, after = ({p.parent.name: load_file(p) for p in folder.glob("*/*.safetensors")} for folder in (converted, out))
    assert not list(out.glob(".*"))
    assert not any(run in path.read_text() for path in out.rglob("*.json"))
    assert before.keys() == after.keys() >= {"unet", "conditioner", "beat_predictor"}
    for name, tensors in before.items():
        moved = max((after[name][k].float() - t.float()).abs().max().item() for k, t in tensors.items())
        assert (
            (moved > 1e-4) == (name in ("unet", "conditioner"))
            or name in ("vae", "vocoder", "text_encoder", "mel")
            and moved < 1e-2
        ), name
    config = (out / "scheduler" / "scheduler_config.json").read_text()
    assert config == (converted / "scheduler" / "scheduler_config.json").read_text()
    same, learnt = (play(load_pipeline(str(folder))).audios for folder in (converted, out))
    assert learnt.shape == same.shape and 0 < np.abs(learnt - same).max() < np.inf


@pytest.mark.slow
def test_half_precision_is_smaller(released, tmp_path):
    convert(released, tmp_path / "half", dtype=torch.float16, predictors=False)
    from safetensors import safe_open

    with safe_open(tmp_path / "half" / "unet" / "diffusion_pytorch_model.safetensors", "pt") as file:
        assert {file.get_slice(k).get_dtype() for k in file.keys()} == {"F16"}  # noqa: SIM118


@pytest.mark.slow
def test_converting_leaves_nothing_behind(released, tmp_path):
    import shutil

    with pytest.raises(InputError, match="exists"):
        convert(released, tmp_path)
    with pytest.raises(InputError, match="not in the released layout"):
        convert(ROOT, tmp_path / "x")
    for name, says in (
        ("ldm/pytorch_model_ldm.bin", "ldm"),
        ("configs/vae_config.json", "vae_config"),
        ("vae/pytorch_model_vae.bin", "vae"),
    ):
        broken = tmp_path / "broken"
        shutil.copytree(released, broken)
        path = broken / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match=says):
            convert(broken, tmp_path / "x", predictors=False)
        shutil.rmtree(broken)
    with pytest.raises(InputError, match="tokenizer"):
        convert(released, tmp_path / "x", tokenizers={"tokenizer": "/nowhere"})
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that root cannot write either")
def test_converting_to_where_nothing_can_be_written_gets_one_line(released, capsys):
    assert main(["convert", str(released), "/proc/y"]) == 2
    err = capsys.readouterr().err
    assert "folder /proc cannot be written" in err and err.count("\n") == 1


def written(folder, text):
    """Write what stands for a model of two files, through `model_written_whole`."""
    with model_written_whole(folder) as new:
        (new / "unet").mkdir()
        (new / "unet" / "weights.safetensors").write_text(text)
        (new / "model_index.json").write_text(text)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_model_is_replaced_whole_and_what_lies_beside_it_stays(tmp_path, monkeypatch):
    folder = tmp_path / "made" / "model"
    written(folder, "1")
    assert contents(folder) == {"unet/weights.safetensors": "1", "model_index.json": "1"}
    beside = {"README.md": "card", "unet/LICENSE": "free", "unet/weights-00002-of-00002.safetensors": "stale"}
    for name, text in beside.items():
        (folder / name).write_text(text)
    with pytest.raises(KeyboardInterrupt), model_written_whole(folder) as new:
        (new / "model_index.json").write_text("2")
        raise KeyboardInterrupt
    assert contents(folder) == {"unet/weights.safetensors": "1", "model_index.json": "1"} | beside
    assert os.listdir(folder.parent) == ["model"]
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            written(folder, "2")
    with pytest.raises(InputError, match="no model_index.json"):  # half of two models is none
        model_index(folder)
    written(folder, "3")
    del beside["unet/weights-00002-of-00002.safetensors"]
    assert contents(folder) == {"unet/weights.safetensors": "3", "model_index.json": "3"} | beside


@pytest.mark.slow
def test_a_config_that_disagrees_is_named(released, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(released, broken)
    path = broken / "configs" / "music_diffusion_model_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cross_attention_dim": 48}))
    with pytest.raises(InputError, match="asks for"):
        convert(broken, tmp_path / "x", predictors=False)


def test_hub_ids_are_tried_and_named():
    with pytest.raises(InputError, match="nobody/nothing"):
        model_folder("nobody/nothing")


def test_a_mel_that_an_older_version_saved_is_read(tiny_folder, tmp_path):
    """It holds its basis too, which is made anew."""
    folder = shutil.copytree(tiny_folder, tmp_path / "model")
    config = json.loads((folder / "mel" / "config.json").read_text())
    (folder / "mel" / "config.json").write_text(json.dumps(config | {"sharpening_taps": 3}))
    path = folder / "mel" / "diffusion_pytorch_model.safetensors"
    basis = load_file(path)["mel_basis"]
    save_file({"mel_basis": basis / 2, "sharpening": torch.full((32, 3), 0.25)}, path, {"format": "pt"})
    mel = load_pipeline(str(folder)).mel
    assert torch.equal(mel.mel_basis, basis) and (mel.sharpening == 0.25).all()
    mel.save_pretrained(tmp_path / "again")
    assert set(load_file(tmp_path / "again" / path.name)) == {"sharpening"}
