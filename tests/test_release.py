"""A small release with the real file names: hub caches with links, offline, tokenizers trained here with sentencepiece."""

import io
import json
import os
import subprocess
import sys

import pytest
import torch
from conftest import GOLDEN, ROOT
from safetensors.torch import save_file
from transformers import AutoTokenizer, T5ForConditionalGeneration

from musicbench import InputError
from mustango import checkpoint
from mustango.__main__ import main
from mustango.pipeline import load_pipeline

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
    """Return {part: state dict} of a small release, the golden set's random weights, and a chord predictor."""
    golden = parity.Golden(GOLDEN)
    ldm = golden.tensors("model_weights")
    config = checkpoint.t5_config({k.removeprefix("text_encoder."): v for k, v in ldm.items() if k.startswith("text_encoder.")})
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


def command(hub, cwd, *arguments, before=""):
    """Run the command line in a process of its own, which `before` prepares."""
    code = f"import sys\n{before}\nfrom mustango.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)


def test_the_release_generates_and_converts_from_its_cache(hub, offline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = ("calm piano", "--duration", "4", "--steps", "1", "--seed", "1")
    assert main(["generate", *made, "--model", "declare-lab/mustango", "-o", "a.wav"]) == 0
    assert main(["convert", "declare-lab/mustango", "full"]) == 0
    checkpoint.verify(tmp_path / "full")
    for role, name in checkpoint.TOKENIZERS.items():
        theirs, ours = AutoTokenizer.from_pretrained(name), AutoTokenizer.from_pretrained(tmp_path / "full" / role)
        assert theirs("calm piano at 2.5").input_ids == ours("calm piano at 2.5").input_ids
    assert main(["generate", *made, "--model", "full", "-o", "b.wav"]) == 0
    a, b = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert a["chords"] == b["chords"] and a["beats"] == b["beats"]


@pytest.mark.parametrize(("module", "package"), [("sentencepiece", "sentencepiece"), ("google.protobuf", "protobuf")])
def test_a_missing_package_is_named_before_anything_is_converted(hub, tmp_path, module, package):
    blocked = f"sys.modules[{module!r}] = None"
    for arguments in (("convert", "declare-lab/mustango", "x"), ("generate", "piano", "--model", "declare-lab/mustango")):
        run = command(hub, tmp_path, *arguments, before=blocked)
        said = [line for line in run.stderr.splitlines() if line.startswith("mustango:")]
        assert run.returncode == 2 and len(said) == 1 and f"pip install {package}" in said[0], run.stderr
    assert os.listdir(tmp_path) == []


def test_revisions_are_taken_and_unknown_ones_named(offline, tmp_path, capsys):
    assert checkpoint.model_folder("declare-lab/mustango", COMMIT).name == COMMIT
    assert main(["convert", "declare-lab/mustango", str(tmp_path / "x"), "--revision", "v9"]) == 2
    assert "revision v9" in capsys.readouterr().err
    with pytest.raises(InputError, match="leave it out"):
        checkpoint.model_folder(tmp_path, "main")


def test_only_what_is_needed_is_fetched():
    both = [f"{name.rpartition('.')[0]}.safetensors" for name in FILES.values()]
    names = [*FILES.values(), *both, "config.json", "configs/vae_config.json", "stft/pytorch_model_stft.bin", "README.md", "a.png"]
    wanted = checkpoint.wanted_files(names, checkpoint.wanted_patterns("pipeline"))
    assert wanted == [*both[:2], "config.json", "configs/vae_config.json"]  # one format of each
    assert set(checkpoint.wanted_files(names, checkpoint.wanted_patterns("predictors"))) == {*wanted, *both[2:]}
    assert checkpoint.wanted_files(names, checkpoint.wanted_patterns("configs")) == ["config.json", "configs/vae_config.json"]
    plain = [name for name in names if name not in both]
    assert set(checkpoint.wanted_files(plain, checkpoint.wanted_patterns("pipeline"))) >= {FILES["ldm"], FILES["vae"]}
    ours = [
        "model_index.json",
        "unet/config.json",
        "unet/a-00001-of-00002.safetensors",
        "vae/x.safetensors",
        "beat_predictor/model.safetensors",
    ]
    assert checkpoint.wanted_files(ours, checkpoint.wanted_patterns("pipeline")) == ours[:-1]
    assert checkpoint.wanted_files(ours, checkpoint.wanted_patterns("predictors")) == ours


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


@pytest.mark.parametrize(
    "write",
    [safetensors, accelerates, accelerates_pickle, wrapped, compiled_inside, sharded, sharded_pickles],
    ids=lambda f: f.__name__,
)
def test_weights_are_found_in_every_form(tmp_path, write):
    tensors = state_dicts()["ldm"]
    (tmp_path / "ldm").mkdir()
    write(tensors, tmp_path / "ldm")
    found = checkpoint.load_released(checkpoint.weights_path(tmp_path, "ldm"))
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
            checkpoint.load_released(path)
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "ldm" / "model-00001-of-00002.safetensors").read_bytes()[:-4])
    torch.save({"module.a": torch.ones(1), "a": torch.ones(1)}, tmp_path / "twice.bin")
    for name, says in (("cut.safetensors", "cut"), ("twice.bin", "tensor a twice")):
        with pytest.raises(InputError, match=says):
            checkpoint.load_released(tmp_path / name)


@pytest.mark.parametrize(
    ("part", "name"),
    [("ldm", "unet.conv_out.bias"), ("ldm", "text_encoder.shared.weight"), ("ldm", "beat_embedding_layer.beat_ffn.bias"),
     ("vae", "decoder.conv_in.bias"), ("vae", "vocoder.conv_pre.bias"), ("chords", "lm_head.weight"), ("beats", "classifier.bias")],
)  # fmt: skip
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_named(part, name, value):
    tensors, golden = state_dicts()[part], parity.Golden(GOLDEN)
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[-1] = value
    converters = {
        "unet": lambda: checkpoint.convert_munet(tensors, golden.json("model_config")["unet"]),
        "text_encoder": lambda: checkpoint.convert_text_encoder(tensors),
        "beat_embedding_layer": lambda: checkpoint.convert_conditioner(tensors),
        "decoder": lambda: checkpoint.convert_vae(tensors, golden.json("vae_config")["vae"]),
        "vocoder": lambda: checkpoint.convert_vocoder(tensors, golden.json("vae_config").get("vocoder")),
        "lm_head": lambda: checkpoint.convert_chord_predictor(tensors),
        "classifier": lambda: checkpoint.convert_beat_predictor(tensors, golden.json("beats_model")["config"]),
    }
    with pytest.raises(InputError, match=f"tensor {name} holds NaN"):
        converters[name.partition(".")[0]]()


@pytest.mark.parametrize("layout", ["released", "ours"])
def test_save_pretrained_writes_the_predictors_and_their_heads(offline, tmp_path, layout):
    pipeline = load_pipeline("declare-lab/mustango")
    if layout == "ours":
        checkpoint.convert("declare-lab/mustango", tmp_path / "full")
        pipeline = load_pipeline(str(tmp_path / "full"), low_memory=True)
    assert pipeline.beat_predictor is None and pipeline.chord_predictor is None
    pipeline.save_pretrained(tmp_path / "saved")
    index = checkpoint.model_index(tmp_path / "saved")
    assert all(index[name][1] for name in (*checkpoint.PARTS, *checkpoint.PREDICTOR_PARTS))
    again = load_pipeline(str(tmp_path / "saved"))
    again.predictor("neural")("calm piano")
    again.save_pretrained(tmp_path / "twice")  # now they are loaded
    head = state_dicts()["chords"]["lm_head.weight"]
    for folder in ("saved", "twice"):
        model = load_pipeline(str(tmp_path / folder))
        model._load_predictors()
        assert torch.equal(model.chord_predictor.lm_head.weight, head)
        assert not torch.equal(model.chord_predictor.shared.weight, head)
        assert model.chord_predictor.shared.weight is model.chord_predictor.encoder.embed_tokens.weight
        assert model.predictor("neural")("calm piano") == again.predictor("neural")("calm piano")
