"""Fewer and cheaper calls of the denoiser: where guidance acts, what is computed anew, what is encoded once."""

import numpy as np
import pytest
import torch
from test_munet import condition, mini
from test_pipeline import make

from musicbench import InputError
from mustango import PRESETS
from mustango.model.conditioning import TextStates, together
from mustango.pipeline import load_pipeline
from mustango.request.bounds import read_interval
from mustango.request.request import Request


def batches_of(pipeline, **options):
    """Return how many clips each call of the denoiser had, and which calls computed all levels, at its timesteps."""
    calls, deep = [], []
    hooks = [
        pipeline.unet.register_forward_pre_hook(lambda _, inputs: calls.append((len(inputs[0]), int(inputs[1])))),
        pipeline.unet.mid.register_forward_pre_hook(lambda *_: deep.append(len(calls) - 1)),
    ]
    make(pipeline, "piano", **options)
    for hook in hooks:
        hook.remove()
    return calls, deep


@pytest.mark.slow
def test_guidance_acts_in_its_interval_alone(tiny_pipeline):
    calls, _ = batches_of(tiny_pipeline, steps=10, guidance_interval=".2:.8")
    assert [batch for batch, _ in calls] == [1] * 2 + [2] * 7 + [1]
    assert all(0.1 < 1 - t / 1000 < 0.9 for batch, t in calls if batch == 2)
    assert {batch for batch, _ in batches_of(tiny_pipeline, steps=3)[0]} == {2}
    assert {batch for batch, _ in batches_of(tiny_pipeline, steps=3, guidance=1.0, guidance_interval=".2:.8")[0]} == {1}


@pytest.mark.slow
def test_an_interval_without_guidance_is_no_guidance(tiny_pipeline):
    """Nothing of the null condition is left where no timestep lies in the interval."""
    plain = make(tiny_pipeline, "piano", guidance=1.0).audios
    outside = make(tiny_pipeline, "piano", guidance=3.0, guidance_interval="0.01:0.02").audios
    np.testing.assert_allclose(outside, plain, atol=1e-2)


@pytest.mark.parametrize("text", ["", ".2", ".8:.2", "a:b", "0:2", "-1:1", ".2:.2", "nan:1", "0:.5:1", 5])
def test_intervals_that_are_none_are_named(text):
    if text == "":
        assert read_interval(text) == (0, 1)
        return
    with pytest.raises(InputError, match=r"guidance interval .* 0\.2:0\.8"):
        read_interval(text)


def test_an_interval_is_told_in_one_way():
    assert Request(guidance_interval=".20:.8").checked(10).guidance_interval == "0.2:0.8"
    assert Request(guidance_interval="0:1").checked(10).guidance_interval is None


@pytest.mark.slow
def test_lower_levels_are_computed_at_every_so_many_th_step_of_a_pass(tiny_folder):
    pipeline = load_pipeline(str(tiny_folder))
    assert batches_of(pipeline, steps=7, cache_interval=3)[1] == [0, 3, 6]
    pipeline.set_sampling(restart=0.8)
    assert batches_of(pipeline, steps=9, cache_interval=2)[1] == [0, 2, 3, 5, 7]  # a draft of three, then anew


@pytest.mark.slow
def test_what_is_kept_fits_when_guidance_begins_or_ends(tiny_pipeline):
    calls, deep = batches_of(tiny_pipeline, steps=10, guidance_interval=".2:.8", cache_interval=4)
    kept = 0
    for number, (batch, _) in enumerate(calls):
        if number in deep:
            kept = batch
        assert kept >= batch
    assert len(deep) < len(calls)


@torch.no_grad()
def test_a_call_that_reuses_of_the_same_input_is_the_same():
    model, x = mini(rotary_seconds=0.5), torch.randn(2, 4, 8, 4)
    projected = model.project(condition())
    whole = model(x, 500, projected)
    assert torch.equal(model(x, 500, projected, reuse=True), whole)
    moved = model(x + 0.1, 480, projected, reuse=True)
    assert not torch.equal(moved, whole) and not torch.equal(moved, model(x + 0.1, 480, projected))


def test_a_text_is_encoded_once(tiny_folder, monkeypatch):
    pipeline, encoded = load_pipeline(str(tiny_folder)), []
    pipeline.text_encoder.register_forward_pre_hook(
        lambda _, __, given: encoded.append(given["input_ids"].shape[0]), with_kwargs=True
    )
    first = make(pipeline, ["piano", "calm piano"], count=2).audios
    assert encoded == [1, 1, 1]  # the null text too
    again = make(pipeline, ["piano", "calm piano"], count=2).audios
    assert encoded == [1, 1, 1] and np.array_equal(first, again)
    pipeline.text_encoder = pipeline.text_encoder.to(torch.float64)
    with torch.no_grad():
        assert pipeline._texts.of(["piano"], pipeline.tokenizer, pipeline.text_encoder, None)[0].dtype == torch.float64


def test_the_last_used_texts_are_kept(tiny_pipeline):
    encoded, states = [], TextStates(most=2)
    hook = tiny_pipeline.text_encoder.register_forward_pre_hook(lambda *_: encoded.append(1))
    with torch.no_grad():
        for text in ("piano", "pop", "piano", "calm", "piano", "pop"):
            states.of([text], tiny_pipeline.tokenizer, tiny_pipeline.text_encoder, None)
    hook.remove()
    assert len(encoded) == 4  # pop went when calm came


def test_texts_of_unlike_lengths_are_padded():
    states, mask = together([torch.ones(2, 3), torch.ones(4, 3)])
    assert states.shape == (2, 4, 3) and mask.tolist() == [[True, True, False, False], [True] * 4]
    assert not states[0, 2:].any()


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_settings(tiny_pipeline, name):
    assert make(tiny_pipeline, "piano", **{"steps": 3} | PRESETS[name]).audios.shape == (1, 16000)


@pytest.mark.slow
@torch.no_grad()
def test_blocks_compile_whole():
    """Without a graph break, which fullgraph refuses; at the first step, which projects, and at others."""
    model, x = mini(rotary_seconds=0.5), torch.randn(2, 4, 8, 4)
    given = condition(beat_mask=torch.arange(7) < torch.tensor([[1], [6]]))
    wanted = model(x, 500, given)
    model.compile_repeated_blocks(fullgraph=True, backend="eager")
    projected = model.project(given)
    with torch._dynamo.config.patch(recompile_limit=64):  # blocks of two widths, for three streams
        for _ in range(2):
            torch.testing.assert_close(model(x, 500, projected), wanted, atol=1e-5, rtol=0)
