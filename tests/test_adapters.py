"""Adapters: trained, put on a model and taken off, named in sidecars; files from strangers are refused in one line."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from musicbench import InputError
from musicbench.files import save_json_lines
from musicbench.sound.audio import save_audio
from mustango.__main__ import main
from mustango.pipeline import load_pipeline
from mustango.release.adapters import CONFIG, WEIGHTS, read_adapter, read_loras
from mustango.train.adapter import CHANGED

MADE = ("--duration", "1", "--steps", "2", "--seed", "3")


def write_rows(folder, count=3, **fields):
    """Write a dataset of tones with labels."""
    (folder / "train").mkdir(parents=True)
    rows = []
    for number in range(count):
        location = f"train/{number}.wav"
        sound = 0.5 * np.sin(2 * np.pi * 220 * (number + 1) * np.arange(16000) / 8000)
        save_audio(folder / location, sound.astype(np.float32), 8000)
        rows.append(
            {
                "location": location, "dataset": "tones", "main_caption": "calm piano", "duration": 2.0, "sample_rate": 8000,
                "beats": [[0.0, 0.5, 1.0, 1.5], [1, 2, 3, 4]], "chords": ["C"], "chords_time": [0.0], "key": ["C", "major"], "bpm": 120.0,
            } | fields
        )  # fmt: skip
    save_json_lines(folder / "rows.jsonl", rows)
    return str(folder)


@pytest.fixture(scope="module")
def adapters(tiny_folder, tmp_path_factory):
    """Folders of two adapters of the tiny model whose changes are heard."""
    folder = tmp_path_factory.mktemp("adapters")
    unet = load_pipeline(str(tiny_folder)).unet
    from peft import LoraConfig, get_peft_model_state_dict

    for seed, name in enumerate(("bright", "dark")):
        torch.manual_seed(seed)
        unet.add_adapter(LoraConfig(r=2, lora_alpha=4, target_modules=CHANGED, init_lora_weights=False), name)
        (folder / name).mkdir()
        tensors = get_peft_model_state_dict(unet, adapter_name=name)
        save_file({f"unet.{key}": 0.3 * tensor.contiguous() for key, tensor in tensors.items()}, folder / name / WEIGHTS)
        (folder / name / CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none"}))
    return folder


def audio(pipeline, **asked):
    return pipeline("calm piano", chords="C", tempo=100, duration=1.0, steps=2, **asked).audios


@pytest.mark.slow
def test_adapters_are_put_on_stacked_and_taken_off(tiny_folder, adapters):
    pipeline = load_pipeline(str(tiny_folder))
    plain = audio(pipeline)
    bright, dark = audio(pipeline, lora=str(adapters / "bright")), audio(pipeline, lora=str(adapters / "dark"))
    both = audio(pipeline, lora=[str(adapters / "bright"), f"{adapters / 'dark'}:0.5"])
    takes = [plain, bright, dark, both, audio(pipeline, lora=f"{adapters / 'bright'}:0.5")]
    assert all(not np.array_equal(a, b) for i, a in enumerate(takes) for b in takes[:i])
    assert np.array_equal(audio(pipeline), plain)  # they are off again
    assert np.array_equal(audio(pipeline, lora=f"{adapters / 'bright'}:0"), plain)
    assert not any(hasattr(module, "base_layer") for module in pipeline.unet.modules())

    pipeline.load_lora_weights(adapters / "bright")
    pipeline.load_lora_weights(adapters / "dark", adapter_name="d")
    pipeline.set_adapters(["bright", "d"], [1.0, 0.5])
    assert np.array_equal(audio(pipeline), both) and pipeline.get_active_adapters() == ["bright", "d"]
    pipeline.set_adapters("d")
    assert np.array_equal(audio(pipeline), dark)
    assert np.array_equal(audio(pipeline, lora=str(adapters / "bright")), bright)  # what is asked for comes in their place
    assert np.array_equal(audio(pipeline), dark)
    with pytest.raises(InputError, match="no adapter 'x' is on the model"):
        pipeline.set_adapters("x")
    pipeline.unload_lora_weights()
    assert np.array_equal(audio(pipeline), plain)


@pytest.mark.slow
def test_an_adapter_can_be_put_into_the_weights_for_good(tiny_folder, adapters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipeline = load_pipeline(str(tiny_folder))
    asked = audio(pipeline, lora=f"{adapters / 'bright'}:0.7")
    assert main(["convert", str(tiny_folder), "merged", "--lora", f"{adapters / 'bright'}:0.7"]) == 0
    assert np.allclose(audio(load_pipeline("merged")), asked, atol=2e-3)
    frugal = load_pipeline(str(tiny_folder), low_memory=True)
    assert np.array_equal(audio(frugal, lora=f"{adapters / 'bright'}:0.7"), asked)
    with pytest.raises(InputError, match="without low memory"):
        frugal.fuse_lora()


@pytest.mark.slow
def test_a_take_is_made_again_with_its_adapter_or_says_what_is_wrong(tiny_folder, adapters, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mine = shutil.copytree(adapters / "bright", tmp_path / "mine")
    generate = ["generate", "calm piano", *MADE, "--model", str(tiny_folder)]
    assert main([*generate, "-o", "plain.wav"]) == 0
    assert main([*generate, "-o", "zero.wav", "--lora", "mine:0"]) == 0
    assert main([*generate, "-o", "a.wav", "--lora", "mine:0.5"]) == 0
    read = {name: (tmp_path / f"{name}.wav").read_bytes() for name in ("plain", "zero", "a")}
    assert read["zero"] == read["plain"] != read["a"]
    assert (tmp_path / "zero.json").read_bytes() == (tmp_path / "plain.json").read_bytes()
    told = json.loads((tmp_path / "a.json").read_text())["lora"]
    assert [lora["name"] for lora in told] == ["mine"] and told[0]["scale"] == 0.5 and len(told[0]["sha256"]) == 64

    again = ["generate", "--prompts", "a.json", "-o", "again"]
    assert main(again) == 0
    assert (tmp_path / "again" / "00001.wav").read_bytes() == read["a"]
    capsys.readouterr()
    assert main([*again, "--resume"]) == 0 and "1 of 1 prompts are made already" in capsys.readouterr().out
    line = {"prompt": "calm piano", "duration": 1, "seed": 3, "steps": 2, "lora": ["mine:0.5"]}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line) + "\n")
    assert main(["generate", "--prompts", "lines.jsonl", "--model", str(tiny_folder), "-o", "lines"]) == 0
    assert (tmp_path / "lines" / "00001.wav").read_bytes() == read["a"]
    capsys.readouterr()
    assert (
        main(["generate", "--prompts", "lines.jsonl", "--model", str(tiny_folder), "-o", "lines", "--resume", "--lora", "mine"])
        == 0
    )
    assert "another lora" in capsys.readouterr().out

    tensors = load_file(mine / WEIGHTS)
    save_file({name: 2 * tensor for name, tensor in tensors.items()}, mine / WEIGHTS)
    assert main(again) == 2 and "the adapter mine is another than the take was made with" in capsys.readouterr().err
    shutil.rmtree(mine)
    assert main(again) == 2 and "no adapter 'mine'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_offers_adapters_by_name_alone(tiny_folder, adapters, tmp_path):
    from mustango.page.asked import PageRequest
    from mustango.page.studio import Studio, Take

    studio = Studio([str(tiny_folder)], loras=[str(adapters / "bright")])
    asked = PageRequest(prompt="calm piano", duration="1", steps=1, listen=False)
    made = {}
    for lora in ("", "bright", "bright:0.5"):
        takes = [event for event in studio.play(PageRequest(**vars(asked) | {"lora": lora}), tmp_path) if isinstance(event, Take)]
        made[lora] = takes[-1].wav.read_bytes(), json.loads(takes[-1].json.read_text()).get("lora")
    assert len({sound for sound, _ in made.values()}) == 3 and made[""][1] is None
    assert made["bright:0.5"][1][0]["name"] == "bright" and str(adapters) not in str(made)
    for lora in (str(adapters / "dark"), "dark", "../bright", "bright:9", "bright,bright"):
        with pytest.raises(InputError):
            studio.settle(PageRequest(**vars(asked) | {"lora": lora}))
    with pytest.raises(InputError, match="adapter"):
        PageRequest(**vars(asked) | {"lora": str(adapters / "dark")}).settled(studio.facts_of(asked))


@pytest.mark.parametrize(
    ("lora", "says"),
    [
        ("nowhere", "no adapter 'nowhere'"), ("{}/bright:5", "outside 0-4"), ("{}/bright:-1", "outside 0-4"), ("{}/bright:nan", "no adapter"),
        ("{0}/bright, {0}/bright:2", "given twice"), ([5], "lora 5 is no adapter"), ({"a": 1}, "is no adapter"), ([{"name": 1}], "not what a sidecar holds"),
        ([""], "lora '' is no adapter"), (["{}/bright"] * 9, "above 8"), ([{"name": "{}/bright", "scale": True}], "scale True"),
    ],
)  # fmt: skip
def test_bad_names_get_one_line(adapters, lora, says):
    put = lambda value: value.format(adapters) if isinstance(value, str) else value  # noqa: E731
    lora = (
        [put(one) if not isinstance(one, dict) else {k: put(v) for k, v in one.items()} for one in lora]
        if isinstance(lora, list)
        else put(lora)
    )
    with pytest.raises(InputError, match=says) as caught:
        read_loras(lora)
    assert "\n" not in str(caught.value)


def changed(tensors, **change):
    return {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}


@pytest.mark.parametrize(
    ("config", "change", "says"),
    [
        ({"r": 3}, {}, "no pair of rank 3"), ({"r": 10**9}, {}, "r = 1000000000"), ({"r": True}, {}, "r = True"), ({"r": "2"}, {}, "r = 2"),
        ({"lora_alpha": 0}, {}, "lora_alpha = 0"), ({"lora_alpha": float("nan")}, {}, "lora_alpha"), ({"peft_type": "IA3"}, {}, "only plain LoRA"),
        ({"bias": "all"}, {}, "only plain LoRA"), ({"use_dora": True}, {}, "use_dora"), ({"modules_to_save": ["conv_in"]}, {}, "modules_to_save"),
        ({"auto_mapping": {"parent_library": "os"}}, {}, "auto_mapping"), ({"rank_pattern": {"x": 1}}, {}, "rank_pattern"),
        ({}, {"text_encoder.x.lora_A.weight": torch.zeros(2, 2)}, "unknown tensor 'text_encoder"), ({}, {"unet.conv_in.weight": torch.zeros(2)}, "unknown tensor"),
        ({}, {"unet.other.lora_A.weight": torch.zeros(2, 3)}, "no pair"),
        ({}, {"unet.other.lora_A.weight": torch.zeros(2, 3), "unet.other.lora_B.weight": torch.zeros(3, 2)}, "does not have"),
        ({}, {"unet.conv_in.lora_A.weight": torch.zeros(2, 3), "unet.conv_in.lora_B.weight": torch.zeros(3, 2)}, "of another model"),
        ({}, {"unet.mid_resnet.conv1.lora_B.weight": torch.full((16, 2, 1, 1), float("nan"))}, "NaN or infinity"),
    ],
)  # fmt: skip
def test_hostile_adapters_are_refused_in_one_line(tiny_pipeline, adapters, tmp_path, config, change, says):
    folder = shutil.copytree(adapters / "bright", tmp_path / "it")
    told = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(told | config))
    save_file(changed(load_file(folder / WEIGHTS), **change), folder / WEIGHTS)
    with pytest.raises(InputError, match=says) as caught:
        audio(tiny_pipeline, lora=str(folder))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000
    assert not any(hasattr(module, "base_layer") for module in tiny_pipeline.unet.modules())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (WEIGHTS, b"version https://git-lfs.github.com/spec/v1", "Git LFS"), (WEIGHTS, b"", "is empty"), (WEIGHTS, b"\x80\x02junk" * 9, "cannot read"),
        (CONFIG, b"[]", "no JSON object"), (CONFIG, b'{"a":' * 100_000, "nested too deeply"), (CONFIG, None, "lacks adapter_config.json"),
        ("more.safetensors", b"x", "beside"),
    ],
)  # fmt: skip
def test_broken_files_of_adapters_are_refused(adapters, tmp_path, name, content, says):
    folder = shutil.copytree(adapters / "bright", tmp_path / "it")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_adapter(folder)


@pytest.mark.slow
def test_an_adapter_is_trained_from_the_command_line(tiny_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = write_rows(tmp_path / "data", license="CC0-1.0")
    train = ["train", "adapter", "-o", "run", "--data", data, "--batch-size", "2", "--lr", "1e-2"]
    assert main([*train, "--from", str(tiny_folder), "--rank", "2", "--steps", "2", "--licence", "CC BY 3.0"]) == 0
    assert "--lora run/adapter" in capsys.readouterr().out
    adapter = read_adapter(tmp_path / "run" / "adapter")
    assert adapter.rank == 2 and any("streams.chord" in name for name in adapter.modules)
    about = json.loads((tmp_path / "run" / "adapter" / "about.json").read_text())
    assert about["learnt_from"] == {"rows": 3, "datasets": ["tones"], "songs": 3, "licences": ["CC BY 3.0", "CC0-1.0"]}
    assert "CC0-1.0" in (tmp_path / "run" / "adapter" / "README.md").read_text()
    state = torch.load(tmp_path / "run" / "lora" / "state.pt", weights_only=True)["model"]
    assert all(".lora_" in name for name in state if "control" not in name)
    base = load_file(tiny_folder / "unet" / "diffusion_pytorch_model.safetensors")
    kept = load_file(tmp_path / "run" / "parts" / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(base[name], kept[name]) for name in base)
    assert main([*train, "--rank", "2", "--steps", "3"]) == 0 and "going on at step 2" in capsys.readouterr().out
    plain, with_it = (audio(load_pipeline(str(tiny_folder)), lora=lora) for lora in (None, "run/adapter"))
    assert not np.array_equal(plain, with_it)
    for bad, says in (
        (["--from", str(tiny_folder)], "has a model already"), (["--rank", "3"], "is of another model"), (["--text-encoder", "x"], "says nothing"),
    ):  # fmt: skip
        assert main([*train, "--steps", "4", *bad]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.skipif("RECIPES" not in os.environ, reason="a minute or two of work; RECIPES=1 runs it")
@pytest.mark.slow
def test_an_adapter_overfits_eight_clips(tiny_folder, tmp_path):
    """The loss on the clips that it learns from falls, by the adapter alone."""
    import csv

    data = write_rows(tmp_path / "data", 8)
    train = ["train", "adapter", "-o", str(tmp_path / "run"), "--data", data, "--from", str(tiny_folder), "--rank", "8"]
    assert main([*train, "--batch-size", "8", "--lr", "2e-2", "--steps", "300"]) == 0
    losses = [float(row["loss"]) for row in csv.DictReader((tmp_path / "run" / "lora" / "curve.csv").open())]
    assert np.mean(losses[-3:]) < 0.75 * np.mean(losses[:2])
