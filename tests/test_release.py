"""A small release with the real file names: hub caches with links, offline, tokenizers trained here with sentencepiece."""

import io
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from functools import cache
from hashlib import sha256

import numpy as np
import pytest
import torch
from conftest import GOLDEN, ROOT, resolve
from safetensors import safe_open
from safetensors.torch import save_file
from test_offloading import in_leaves, sequentially
from transformers import AutoTokenizer, T5ForConditionalGeneration

from musicbench import InputError
from musicbench.music.chords import Chord
from mustango.__main__ import main
from mustango.pipeline import load_pipeline
from mustango.release.conversion import check_scheduler, convert, released_components
from mustango.release.files import read_json
from mustango.release.folder import model_folder, model_index, verify
from mustango.release.layouts import PARTS, PREDICTOR_PARTS, wanted_files, wanted_patterns, weights_path
from mustango.release.released import (
    DEBERTA,
    convert_beat_predictor,
    convert_chord_predictor,
    convert_conditioner,
    convert_munet,
    convert_text_encoder,
    convert_vae,
    convert_vocoder,
    deberta_sizes,
    t5_config,
)
from mustango.release.tokenizers import TOKENIZERS
from mustango.release.weights import load_released

sys.path.insert(0, str(ROOT / "benchmarks"))
import parity

TEXT = "calm piano pop with drums caption timestamps max beat guitar in C major Am at n F G 0 1 2 3 4 5 6 7 8 9 . , :"
WORDS = TEXT.split()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "ldm": "ldm/pytorch_model_ldm.bin", "vae": "vae/pytorch_model_vae.bin",
    "beats": "beats/microsoft-deberta-v3-large.pt", "chords": "chords/flan-t5-large.bin",
}  # fmt: skip


def trained(**options):
    """Train a unigram model and return its file's bytes."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))]), model_writer=model, vocab_size=50,
        model_type="unigram", hard_vocab_limit=False, minloglevel=2, **options,
    )  # fmt: skip
    return model.getvalue()


def cached(cache, hub_id, files):
    """Write {name: bytes} as a repository in a hub cache: blobs, a snapshot of links to them, and the branch main."""
    folder = cache / f"models--{hub_id.replace('/', '--')}"
    for name in ("blobs", "refs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(COMMIT)
    for number, (name, content) in enumerate(files.items()):
        blob = folder / "blobs" / f"{number:040d}"
        blob.write_bytes(content)
        link = folder / "snapshots" / COMMIT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return folder / "snapshots" / COMMIT


def packed(tensors):
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def state_dicts():
    """Return {part: state dict} of a small release, the golden set's random weights, and a chord predictor; the tensors are shared."""
    return {part: dict(tensors) for part, tensors in _state_dicts().items()}


@cache
def _state_dicts():
    golden = parity.Golden(GOLDEN)
    ldm = golden.tensors("model_weights")
    config = t5_config({k.removeprefix("text_encoder."): v for k, v in ldm.items() if k.startswith("text_encoder.")})
    config.num_decoder_layers, config.is_encoder_decoder = 1, True
    torch.manual_seed(0)
    chords = {k: v.clone() for k, v in T5ForConditionalGeneration(config).state_dict().items()}
    chords["lm_head.weight"].normal_()
    beats = {k.removeprefix("weights/"): v for k, v in golden.tensors("beats_model").items() if k.startswith("weights/")}
    return {"ldm": ldm, "vae": golden.tensors("vae_weights"), "beats": beats, "chords": chords}


def configs():
    golden = parity.Golden(GOLDEN)
    main_config = {"text_encoder_name": "google/flan-t5-large", "scheduler_name": "stabilityai/stable-diffusion-2-1"}
    values = {
        "config": main_config, "configs/main_config": main_config, "configs/vae_config": golden.json("vae_config"),
        "configs/stft_config": golden.json("stft")["config"],
        "configs/music_diffusion_model_config": golden.json("model_config")["unet"],
    }  # fmt: skip
    return {f"{name}.json": json.dumps(value).encode() for name, value in values.items()}


def convert_part(name, tensors):
    """Convert the part to which a released tensor belongs."""
    golden = parity.Golden(GOLDEN)
    converters = {
        "unet": lambda: convert_munet(tensors, golden.json("model_config")["unet"]),
        "text_encoder": lambda: convert_text_encoder(tensors),
        "vocoder": lambda: convert_vocoder(tensors, golden.json("vae_config").get("vocoder")),
    }  # fmt: skip
    begins = name.partition(".")[0]
    if begins in converters:
        return converters[begins]()
    if any(k.startswith("unet.") for k in tensors):
        return convert_conditioner(tensors)
    if any(k.startswith("vocoder.") for k in tensors):
        return convert_vae(tensors, golden.json("vae_config")["vae"])
    if any(k.startswith("deberta.") for k in tensors):
        return convert_beat_predictor(tensors, {**DEBERTA, **deberta_sizes(tensors)})
    return convert_chord_predictor(tensors)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub cache with the release and its tokenizers, as their repositories name the files."""
    cache = tmp_path_factory.mktemp("hub")
    weights = {FILES[part]: packed(tensors) for part, tensors in state_dicts().items()}
    cached(cache, "declare-lab/mustango", {**configs(), **weights, "README.md": b"card"})
    pieces = dict(
        pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]"
    )
    deberta = {"spm.model": trained(**pieces), "config.json": json.dumps({"model_type": "deberta-v2"}).encode()}
    cached(cache, "microsoft/deberta-v3-large", deberta)
    t5 = {
        "spiece.model": trained(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>"),
        "config.json": json.dumps({"model_type": "t5"}).encode(),
        "tokenizer_config.json": json.dumps({"model_max_length": 512, "extra_ids": 0}).encode(),
    }
    cached(cache, "google/flan-t5-large", t5)
    return cache


@pytest.fixture
def offline(hub, monkeypatch):
    """Make this process see that cache alone."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return hub


def command(hub, cwd, *commands, before=""):
    """Run command lines in a process of its own, which `before` prepares; the last line of its output has their exit statuses."""
    code = (
        f"import json, sys\n{before}\nfrom mustango.__main__ import main\nprint([main(line) for line in json.loads(sys.argv[1])])"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)], cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_release_generates_and_converts_from_its_cache(hub, offline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = ("calm piano", "--duration", "4", "--steps", "1", "--seed", "1")
    assert main(["generate", *made, "--model", "declare-lab/mustango", "-o", "a.wav"]) == 0
    assert main(["convert", "declare-lab/mustango", "full"]) == 0
    verify(tmp_path / "full")
    for role, name in TOKENIZERS.items():
        theirs, ours = AutoTokenizer.from_pretrained(name), AutoTokenizer.from_pretrained(tmp_path / "full" / role)
        assert theirs("calm piano at 2.5").input_ids == ours("calm piano at 2.5").input_ids
    assert main(["generate", *made, "--model", "full", "-o", "b.wav"]) == 0
    a, b = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert a["chords"] == b["chords"] and a["beats"] == b["beats"]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "package"), [("sentencepiece", "sentencepiece"), ("google.protobuf", "protobuf")])
def test_a_missing_package_is_named_before_anything_is_converted(hub, tmp_path, module, package):
    blocked = f"sys.modules[{module!r}] = None"
    ways = ["convert", "declare-lab/mustango", "x"], ["generate", "piano", "--model", "declare-lab/mustango"]
    run = command(hub, tmp_path, *ways, before=blocked)
    said = [line for line in run.stderr.splitlines() if line.startswith("mustango:")]
    assert run.stdout.endswith("[2, 2]\n") and len(said) == 2 and all(f"pip install {package}" in line for line in said), run.stderr
    assert os.listdir(tmp_path) == []


def test_revisions_are_taken_and_unknown_ones_named(offline, tmp_path, capsys):
    assert model_folder("declare-lab/mustango", COMMIT).name == COMMIT
    assert main(["convert", "declare-lab/mustango", str(tmp_path / "x"), "--revision", "v9"]) == 2
    assert "revision v9" in capsys.readouterr().err
    with pytest.raises(InputError, match="leave it out"):
        model_folder(tmp_path, "main")


def test_only_what_is_needed_is_fetched():
    both = [f"{name.rpartition('.')[0]}.safetensors" for name in FILES.values()]
    names = [*FILES.values(), *both, "config.json", "configs/vae_config.json", "stft/pytorch_model_stft.bin", "README.md", "a.png"]
    wanted = wanted_files(names, wanted_patterns("pipeline"))
    assert wanted == [*both[:2], "config.json", "configs/vae_config.json"]  # one format of each
    assert set(wanted_files(names, wanted_patterns("predictors"))) == {*wanted, *both[2:]}
    assert wanted_files(names, wanted_patterns("configs")) == ["config.json", "configs/vae_config.json"]
    plain = [name for name in names if name not in both]
    assert set(wanted_files(plain, wanted_patterns("pipeline"))) >= {FILES["ldm"], FILES["vae"]}
    ours = [
        "model_index.json",
        "unet/config.json",
        "unet/a-00001-of-00002.safetensors",
        "vae/x.safetensors",
        "beat_predictor/model.safetensors",
    ]
    assert wanted_files(ours, wanted_patterns("pipeline")) == ours[:-1]
    assert wanted_files(ours, wanted_patterns("predictors")) == ours


@pytest.mark.parametrize("wrap", [
    lambda own: {"state_dict": own, "epoch": 3}, lambda own: {"model": own}, lambda own: {f"model.{k}": v for k, v in own.items()},
    lambda own: {"state_dict": {f"model.module.{k}": v for k, v in own.items()}},
])  # fmt: skip
def test_state_dicts_of_training_loops_are_unwrapped(tmp_path, wrap):
    own = {"unet.a": torch.ones(2), "text_encoder.model.b": torch.zeros(1)}
    torch.save(wrap(own), tmp_path / "w.bin")
    assert load_released(tmp_path / "w.bin").keys() == own.keys()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
     (b"\n<!DOCTYPE html><html>", "web page"), (b"<HTML>403</HTML>", "web page"), (b"Entry not found", "no such file")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["vae/pytorch_model_vae.bin", "vae/model.safetensors", "configs/vae_config.json"])
def test_what_stands_in_a_files_place_is_named_before_anything_is_read(offline, tmp_path, content, says, name):
    for part, there in configs().items():
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_bytes(there)
    for part in ("ldm", "vae"):
        (tmp_path / part).mkdir()
    (tmp_path / FILES["ldm"]).write_bytes(b"never read")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*{says}"):
        list(released_components(tmp_path)) if "configs" not in name else read_json(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "name"),
    [("ldm", "unet.conv_out.bias"), ("ldm", "unet.mid_block.attentions2.0.transformer_blocks.0.norm2.weight"),
     ("ldm", "unet.down_blocks.0.resnets.0.norm1.weight"), ("ldm", "unet.up_blocks.1.attentions3.0.transformer_blocks.0.attn2.to_out.0.bias"),
     ("ldm", "text_encoder.encoder.final_layer_norm.weight"), ("ldm", "text_encoder.encoder.block.0.layer.0.SelfAttention.q.weight"),
     ("ldm", "beat_embedding_layer.beat_ffn.bias"), ("ldm", "chord_embedding_layer.chord_ffn.weight"),
     ("vae", "decoder.up.1.block.0.conv1.bias"), ("vae", "encoder.mid.attn_1.q.bias"), ("vae", "vocoder.ups.0.bias"),
     ("chords", "lm_head.weight"), ("chords", "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"), ("beats", "classifier.bias"),
     ("beats", "deberta.embeddings.word_embeddings.weight")],
)  # fmt: skip
def test_a_missing_tensor_is_named_as_in_the_file(part, name):
    tensors = state_dicts()[part]
    tensors.pop(name)
    with pytest.raises(InputError, match=f"tensor {name}[ ;]"):
        convert_part(name, tensors)


def test_a_missing_bias_of_roots_is_named_as_in_the_file():
    tensors = {name: value for name, value in state_dicts()["ldm"].items() if not name.endswith("translation_bias")}
    with pytest.raises(InputError, match="tensor FME.translation_bias;"):
        convert_conditioner(tensors)


@pytest.mark.parametrize(("part", "name"), [("ldm", "text_encoder.encoder.embed_tokens.weight"), ("ldm", "FME.translation_bias"),
                                            ("chords", "decoder.embed_tokens.weight")])  # fmt: skip
def test_copies_of_one_tensor_that_differ_are_refused(part, name):
    tensors = state_dicts()[part]
    if name not in tensors:
        tensors[name] = tensors["text_encoder.shared.weight"].clone()
    tensors[name] = tensors[name] + 1
    with pytest.raises(InputError, match="which are one in the model"):
        convert_part(name, tensors)


@pytest.mark.parametrize(("name", "fits"), [
    ("stabilityai/stable-diffusion-2-1", True), ("someone/stable-diffusion-2-1/", True), ("./stable-diffusion-2-1", True),
    ("stabilityai/stable-diffusion-2-1-base", False), ("runwayml/stable-diffusion-v1-5", False), (7, False),
])  # fmt: skip
def test_another_scheduler_is_refused(tmp_path, name, fits):
    (tmp_path / "main_config.json").write_text(json.dumps({"scheduler_name": name}))
    with nullcontext() if fits else pytest.raises(InputError, match="scheduler_name = .*only stabilityai/stable-diffusion-2-1"):
        check_scheduler(tmp_path / "main_config.json")


@pytest.mark.parametrize("change", [{"time_shuffle": 2}, {"subband": 4}, {"ddconfig": {"tanh_out": True}}, {"ddconfig": {"attn_type": "none"}},
                                    {"ddconfig": {"downsample_time": True}}, {"ddconfig": {"attn_resolutions": [16]}}])  # fmt: skip
def test_settings_of_the_vae_that_ours_lacks_are_refused(change):
    config = json.loads(configs()["configs/vae_config.json"])
    config = config.get("vae", config)
    change = change | {"ddconfig": config["ddconfig"] | change.get("ddconfig", {})}
    with pytest.raises(InputError, match="vae_config.json (has|asks for)"):
        convert_vae(state_dicts()["vae"], config | change)


@pytest.mark.slow
def test_every_part_of_the_release_can_be_moved_and_offloaded_once_the_predictors_are_there(offline, tmp_path):
    pipeline = load_pipeline("declare-lab/mustango")
    pipeline._load_predictors()
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            assert not any(tensor.is_meta for tensor in (*part.parameters(), *part.buffers())), name
    wanted = neural(pipeline.to("cpu"))
    half = pipeline.to(torch.float16)
    assert half.unet.dtype == torch.float16 and neural(half.to(torch.float32))[0] == wanted[0]  # what the predictors say
    assert {half.beat_predictor.dtype, half.chord_predictor.dtype} == {torch.float32}
    for offload in (
        lambda p: p.enable_model_cpu_offload(device="cpu"), sequentially, lambda p: p._load_predictors() or in_leaves(p, tmp_path),
        lambda p: p._load_predictors() or p.enable_model_cpu_offload(device="cpu"),
    ):  # fmt: skip
        pipeline = load_pipeline("declare-lab/mustango")
        offload(pipeline)
        for _ in range(2):
            assert neural(pipeline) == wanted


def neural(pipeline):
    out = pipeline("calm piano", steps=1, duration=2.0, predictors="neural")
    return out.controls, sha256(out.audios.tobytes()).hexdigest()


@pytest.mark.slow
def test_a_text_encoders_adapter_is_saved_as_the_refusal_says(offline, tmp_path):
    from peft import LoraConfig, PeftModel

    pipeline, other = (load_pipeline("declare-lab/mustango") for _ in range(2))
    pipeline.text_encoder.add_adapter(LoraConfig(r=2, target_modules=["q"], init_lora_weights=False))
    asked = {"steps": 1, "duration": 2.0, "predictors": "reader"}
    adapted, plain = (p("calm piano", **asked).audios for p in (pipeline, other))
    with pytest.raises(InputError, match="merge_and_unload"):
        pipeline.save_pretrained(tmp_path / "saved")
    pipeline.text_encoder.save_pretrained(tmp_path / "adapter")
    pipeline.text_encoder = PeftModel.from_pretrained(other.text_encoder, tmp_path / "adapter").merge_and_unload()
    pipeline.save_pretrained(tmp_path / "saved")
    again = load_pipeline(str(tmp_path / "saved"))("calm piano", **asked).audios
    assert np.allclose(again, adapted, atol=1e-4) and not np.allclose(again, plain, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_sidecar_pins_the_commit_and_is_made_from_it(hub, offline, tmp_path, monkeypatch, capsys, revision):
    monkeypatch.chdir(tmp_path)
    how = ["--duration", "2", "--steps", "1", "--predictors", "reader", "--model", "declare-lab/mustango"]
    how += ["--revision", revision] if revision else []
    (tmp_path / "p.jsonl").write_text(json.dumps({"prompt": "calm piano", "id": "a"}))
    assert main(["generate", "--prompts", "p.jsonl", *how]) == 0
    about = json.loads((tmp_path / "a.json").read_text())
    assert about["revision"] == COMMIT
    main_branch = hub / "models--declare-lab--mustango" / "refs" / "main"
    try:
        main_branch.write_text("f" * 40)  # another commit, which is not here
        assert main(["generate", "--prompts", "a.json", "-o", "again"]) == 0
        assert main(["generate", "--prompts", "a.json", "--model", "declare-lab/mustango", "-o", "again2"]) == 0
    finally:
        main_branch.write_text(COMMIT)
    assert json.loads(next((tmp_path / "again").glob("*.json")).read_text())["revision"] == COMMIT
    capsys.readouterr()
    assert main(["generate", "--prompts", "p.jsonl", *how, "--resume"]) == 0
    assert "1 of 1 prompts are made already" in capsys.readouterr().out
    (tmp_path / "a.json").write_text(json.dumps(about | {"revision": "e" * 40}))
    assert main(["generate", "--prompts", "p.jsonl", *how, "--resume"]) == 0
    assert "another revision" in capsys.readouterr().out


@pytest.mark.slow
def test_half_precision_is_converted_without_a_word(hub, tmp_path):
    run = command(hub, tmp_path, ["convert", "declare-lab/mustango", "half", "--dtype", "float16"])
    assert run.stdout.endswith("[0]\n") and "float32" not in run.stdout + run.stderr
    for part in ("unet", "beat_predictor", "chord_predictor"):
        with safe_open(next((tmp_path / "half" / part).glob("*.safetensors")), "pt") as file:
            assert file.get_tensor(next(iter(file.keys()))).dtype == torch.float16


def safetensors(tensors, folder):
    save_file({k: v.clone() for k, v in tensors.items()}, folder / "pytorch_model_ldm.safetensors")


def accelerates(tensors, folder):
    save_file({k: v.clone() for k, v in tensors.items()}, folder / "model.safetensors")


def accelerates_pickle(tensors, folder):
    torch.save(tensors, folder / "pytorch_model.bin")


def wrapped(tensors, folder):
    torch.save({f"module._orig_mod.{k}": v for k, v in tensors.items()}, folder / "pytorch_model_ldm.bin")


def compiled_inside(tensors, folder):
    torch.save({k.replace("unet.", "unet._orig_mod."): v for k, v in tensors.items()}, folder / "pytorch_model_ldm.bin")


def sharded(tensors, folder, suffix=".safetensors", stem="model"):
    names = sorted(tensors)
    shards = {f"{stem}-0000{i + 1}-of-00002{suffix}": names[i::2] for i in range(2)}
    for file, own in shards.items():
        own = {name: tensors[name].clone() for name in own}
        save_file(own, folder / file) if suffix == ".safetensors" else torch.save(own, folder / file)
    index = {"weight_map": {name: file for file, own in shards.items() for name in own}}
    (folder / f"{stem}{suffix}.index.json").write_text(json.dumps(index))


def sharded_pickles(tensors, folder):
    sharded(tensors, folder, ".bin", "pytorch_model")


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [safetensors, accelerates, accelerates_pickle, wrapped, compiled_inside, sharded, sharded_pickles],
    ids=lambda f: f.__name__,
)
def test_weights_are_found_in_every_form(tmp_path, write):
    tensors = state_dicts()["ldm"]
    (tmp_path / "ldm").mkdir()
    write(tensors, tmp_path / "ldm")
    found = load_released(weights_path(tmp_path, "ldm"))
    assert found.keys() == tensors.keys() and all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_broken_forms_are_named(tmp_path):
    (tmp_path / "ldm").mkdir()
    tensors = {"a": torch.ones(3), "b": torch.ones(2)}
    sharded(tensors, tmp_path / "ldm")
    (tmp_path / "ldm" / "model-00002-of-00002.safetensors").unlink()
    for content, says in ((None, "model-00002"), ("{}", "weight_map"), ("[", "index.json")):
        path = tmp_path / "ldm" / "model.safetensors.index.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(InputError, match=says):
            load_released(path)
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "ldm" / "model-00001-of-00002.safetensors").read_bytes()[:-4])
    torch.save({"module.a": torch.ones(1), "a": torch.ones(1)}, tmp_path / "twice.bin")
    for name, says in (("cut.safetensors", "cut"), ("twice.bin", "tensor a twice")):
        with pytest.raises(InputError, match=says):
            load_released(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "name"),
    [("ldm", "unet.conv_out.bias"), ("ldm", "text_encoder.shared.weight"), ("ldm", "beat_embedding_layer.beat_ffn.bias"),
     ("vae", "decoder.conv_in.bias"), ("vae", "vocoder.conv_pre.bias"), ("chords", "lm_head.weight"), ("beats", "classifier.bias")],
)  # fmt: skip
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_named(part, name, value):
    tensors = state_dicts()[part]
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[-1] = value
    with pytest.raises(InputError, match=f"tensor {name} holds NaN"):
        convert_part(name, tensors)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["released", "ours"])
def test_save_pretrained_writes_the_predictors_and_their_heads(offline, tmp_path, layout):
    pipeline = load_pipeline("declare-lab/mustango")
    if layout == "ours":
        convert("declare-lab/mustango", tmp_path / "full")
        pipeline = load_pipeline(str(tmp_path / "full"), low_memory=True)
    assert pipeline.beat_predictor is None and pipeline.chord_predictor is None
    pipeline.save_pretrained(tmp_path / "saved")
    index = model_index(tmp_path / "saved")
    assert all(index[name][1] for name in (*PARTS, *PREDICTOR_PARTS))
    again = load_pipeline(str(tmp_path / "saved"))
    again.predict("calm piano")
    again.save_pretrained(tmp_path / "twice")  # now they are loaded
    head = state_dicts()["chords"]["lm_head.weight"]
    for folder in ("saved", "twice"):
        model = load_pipeline(str(tmp_path / folder))
        model._load_predictors()
        assert torch.equal(model.chord_predictor.lm_head.weight, head)
        assert not torch.equal(model.chord_predictor.shared.weight, head)
        assert model.chord_predictor.shared.weight is model.chord_predictor.encoder.embed_tokens.weight
        assert model.predict("calm piano") == again.predict("calm piano")


class Heard:
    """What the chord predictor tells: nothing that can be read, or one chord at a time."""

    def __init__(self, *at):
        self.times, self.chords, self.notes = at, tuple(Chord.parse("Am") for _ in at), ()


STEADY = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize(
    ("times", "says"),
    [(STEADY, None), ([-0.2, *STEADY], "at -0.2 s are left out: they do not go forward; the other 6 are played"),
     ([0.5, 1.0, 0.9, 1.0, 1.5, 2.0], "at 0.9, 1 s are left out: they do not go forward; the other 4 are played"),
     ([], "no beats are predicted; a steady grid at"), ([0.4], "only 1 of the 1 predicted beats go forward within the clip; a steady grid at"),
     ([-3.0, -2.0, -1.0], "only 0 of the 3 predicted"), ([0.1, 0.11, 0.12], "no pulse of 20-300 bpm and are left out; a steady grid at")],
)  # fmt: skip
def test_predicted_beats_are_played_or_named(always, times, says):
    told = (times, [1.0 + i % 2 for i in range(len(times))])
    out = resolve("piano", duration=4.0, predict=lambda _: (told, Heard(0.5)), always_predict=always)
    assert len(out.notes) == bool(says) and all(says in note for note in out.notes), out.notes
    assert resolve("piano", duration=4.0, tempo=90, predict=lambda _: (told, Heard(0.5)), always_predict=always).notes == ()


@pytest.mark.parametrize("always", [True, False])
def test_chords_in_place_of_predicted_ones_and_bars_of_one_beat_are_noted(always):
    def notes(prompt, heard, positions):
        return resolve(prompt, duration=4.0, predict=lambda _: ((STEADY, positions), heard), always_predict=always).notes

    two = [1.0, 2.0] * 3
    assert notes("piano", Heard(0.5), two) == ()
    assert notes("piano", Heard(), two) == ("no predicted chord can be read; chords are chosen by rule",)
    assert notes("piano", Heard(4.5), two) == ("no predicted chord starts within the clip; chords are chosen by rule",)
    if always:
        assert notes("chords C G", Heard(), two) == ("no predicted chord can be read; what the prompt says is played",)
    assert notes("piano", Heard(0.5), [1.0] * 6) == (
        "the predicted bars have one beat each; they are written 2/4, the shortest meter",
    )
    assert resolve("piano", duration=4.0, predict=lambda _: None, always_predict=always).notes == ()  # a dry run
