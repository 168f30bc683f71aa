"""Offloading without a GPU: what diffusers and accelerate offer gives the same bytes, and every weight is used inside a call that a hook sees."""

import accelerate
import numpy as np
import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from test_munet import condition, mini
from torch import nn
from transformers import DebertaV2Config

from mustango.pipeline import load_pipeline
from mustango.release.loading import HEAVY
from mustango.release.predictors import BeatPredictor

PARTS = ("text_encoder", "conditioner", "unet", "vae", "vocoder")


def make(pipeline, **options):
    return pipeline("calm piano", **{"steps": 3, "duration": 2.0, "chords": "C", "tempo": 120, "seed": 3} | options)


@pytest.fixture(scope="module")
def wanted(tiny_pipeline):
    return make(tiny_pipeline).audios


def sequentially(pipeline, _=None):
    """Do what `enable_sequential_cpu_offload` does; that itself asks for the device "cpu:0", which accelerate cannot handle."""
    for name, part in pipeline.components.items():
        if isinstance(part, nn.Module) and name not in pipeline._exclude_from_cpu_offload:
            accelerate.cpu_offload(part, torch.device("cpu"), offload_buffers=len(part._parameters) > 0)
            assert all(parameter.is_meta for parameter in part.parameters())


def a_model_at_a_time(pipeline, _):
    pipeline.enable_model_cpu_offload(device="cpu")


def by_accelerate(pipeline, _):
    for name in (*PARTS, "mel"):
        accelerate.cpu_offload(getattr(pipeline, name), torch.device("cpu"))


def the_denoiser_alone(pipeline, _):
    accelerate.cpu_offload(pipeline.unet, torch.device("cpu"))
    assert pipeline.unet.device.type == "meta"


def in_groups(pipeline, folder, **options):
    pipeline.enable_group_offload(onload_device=torch.device("cpu"), **options)


def in_blocks(pipeline, folder):
    in_groups(pipeline, folder, offload_type="block_level", num_blocks_per_group=1)


def in_leaves(pipeline, folder):
    in_groups(pipeline, folder, offload_type="leaf_level")


@pytest.mark.slow
@pytest.mark.parametrize(
    "offload", [sequentially, a_model_at_a_time, by_accelerate, the_denoiser_alone, in_blocks, in_leaves], ids=lambda f: f.__name__
)
def test_offloaded_music_is_the_same(tiny_folder, wanted, tmp_path, offload):
    pipeline = load_pipeline(str(tiny_folder))
    offload(pipeline, tmp_path)
    for _ in range(2):  # hooks are set anew after each call
        assert np.array_equal(make(pipeline).audios, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"offload_type": "leaf_level"}, {"offload_type": "block_level", "num_blocks_per_group": 1}])
def test_what_lies_on_disk_until_its_module_is_called_is_not_used_before(tiny_folder, wanted, tmp_path, monkeypatch, options):
    """Group offloading to disk leaves memory that means nothing in place of weights: NaN here, so that any use of it shows."""
    empty_like = torch.empty_like
    monkeypatch.setattr(
        torch, "empty_like", lambda x, **how: empty_like(x, **how).fill_(float("nan") if x.is_floating_point() else 0)
    )
    pipeline = load_pipeline(str(tiny_folder))
    pipeline.unet.enable_group_offload(onload_device=torch.device("cpu"), offload_to_disk_path=str(tmp_path), **options)
    assert all(parameter.isnan().any() for parameter in pipeline.unet.down[-1].parameters())
    assert np.array_equal(make(pipeline).audios, wanted)


class Brought(ModelHook):
    """Stands for a hook that brings a component to the device before it runs, and counts."""

    def __init__(self):
        self.times = 0

    def pre_forward(self, module, *arguments, **options):
        self.times += 1
        return arguments, options


@pytest.mark.slow
def test_every_module_runs_inside_of_one_that_was_brought_to_the_device(tiny_folder):
    pipeline, outside, running = load_pipeline(str(tiny_folder)), [], {}
    for name in PARTS:
        component, hook = getattr(pipeline, name), Brought()
        add_hook_to_module(component, hook)
        for place, module in component.named_modules():
            if module is component:
                continue
            parents = [component.get_submodule(place.rpartition(".")[0])]
            while isinstance(parents[-1], (nn.ModuleList, nn.ModuleDict)):  # containers never run
                above = next(key for key, value in component.named_modules() if value is parents[-1])
                parents.append(component.get_submodule(above.rpartition(".")[0]))

            def before(_module, _inputs, name=name, place=place, parent=parents[-1], component=component, hook=hook):
                by_vae = name == "vae" and parent is component  # diffusers brings it when `encode` or `decode` is called
                if not hook.times or not (by_vae or running.get(parent)):
                    outside.append(f"{name}.{place}")

            module.register_forward_pre_hook(before)
        for module in component.modules():
            module.register_forward_pre_hook(lambda m, _: running.__setitem__(m, True), prepend=True)
            module.register_forward_hook(lambda m, _, __: running.__setitem__(m, False), always_call=True)
    make(pipeline)
    assert not outside
    assert pipeline.unet.down[1].layers[0].streams["beat"].cross_attention in running


@pytest.mark.slow
def test_keys_values_and_control_are_projected_once_a_clip(tiny_folder):
    pipeline, calls = load_pipeline(str(tiny_folder)), []
    attention = pipeline.unet.mid.streams["text"].cross_attention
    for module in (attention.to_k, pipeline.unet.control.out):
        module.register_forward_pre_hook(lambda *_: calls.append(1))
    make(pipeline, steps=5)
    assert len(calls) == 3  # the null text's and the prompt's, and the control's


@pytest.mark.slow
@torch.no_grad()
def test_masks_and_times_follow_the_queries_to_their_device():
    """The meta device stands for another one: what is mixed with tensors of the CPU there is an error."""
    model = mini(rotary_seconds=0.1).to("meta")
    partly = condition(beat_mask=torch.tensor([[True] * 5 + [False] * 2] * 2))
    projected = model.project(partly, with_masks=True)
    for source in (source for sources in projected.sources.values() for source in sources):
        object.__setattr__(source, "features", source.features.to("meta"))
    assert model(torch.zeros(2, 4, 8, 4, device="meta"), 500, projected).device.type == "meta"


def test_low_memory_and_offloading_together(tiny_folder, wanted):
    pipeline = load_pipeline(str(tiny_folder), low_memory=True)
    sequentially(pipeline)
    assert np.array_equal(make(pipeline).audios, wanted)
    assert all(getattr(pipeline, name) is None for name in set(HEAVY) - {"vae", "vocoder"})


def test_audio_goes_through_an_offloaded_vae_and_back(tiny_folder, tiny_pipeline):
    pipeline = load_pipeline(str(tiny_folder))
    sequentially(pipeline)
    mels = torch.randn(1, 128, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = (p.decode(p.latents_of(mels)) for p in (pipeline, tiny_pipeline))
    assert torch.equal(ours, theirs)


def test_the_beat_predictor_is_offloaded_too():
    config = DebertaV2Config(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, relative_attention=True,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False, type_vocab_size=0, position_buckets=16,
    )  # fmt: skip
    torch.manual_seed(0)
    model = BeatPredictor(config).eval()
    ids, mask = torch.arange(12)[None], torch.ones(1, 12, dtype=torch.long)
    with torch.no_grad():
        wanted = model(ids, mask)
        accelerate.cpu_offload(model, torch.device("cpu"), offload_buffers=len(model._parameters) > 0)
        assert all(parameter.is_meta for parameter in model.parameters())
        for a, b in zip(model(ids, mask), wanted, strict=True):
            assert torch.equal(a, b)
