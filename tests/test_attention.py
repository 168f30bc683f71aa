"""Attention to a condition without masks: the same numbers, by kernels that take none."""

import numpy as np
import pytest
import torch
from test_munet import CASES, condition, golden_case, golden_munet, mini  # noqa: F401 (a fixture)
from test_pipeline import make
from torch.profiler import ProfilerActivity, profile

from musicbench import InputError
from mustango.model.attention import Attention, Source, attention_mask, choose_attention, trimmed
from mustango.pipeline import load_pipeline

FLASH, SCORES = "aten::_scaled_dot_product_flash_attention_for_cpu", "aten::_scaled_dot_product_attention_math"


def rows(*lengths, of=7):
    """Return a mask whose rows count so many tokens of `of`."""
    return torch.arange(of) < torch.tensor(lengths)[:, None]


def ops_of(model, *arguments):
    """Return the names of the aten operators that a call runs, and how often."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as ran:
        model(*arguments)
    return {event.key: event.count for event in ran.key_averages()}


def test_rows_are_grouped_by_how_many_tokens_count():
    features = torch.randn(5, 7, 3)
    sources = trimmed(features, rows(1, 1, 7, 3, 7), torch.arange(35.0).view(5, 7))
    assert [(source.rows, source.features.shape[1]) for source in sources] == [(slice(0, 2), 1), ([2, 4], 7), (slice(3, 4), 3)]
    assert torch.equal(sources[2].features[0], features[3, :3]) and sources[2].seconds.tolist() == [[21.0, 22.0, 23.0]]
    assert all(source.mask is None for source in sources)


def test_tokens_that_count_may_lie_anywhere():
    features, mask = torch.randn(2, 4, 3), torch.tensor([[False, True, False, True], [True, True, False, False]])
    (source,) = trimmed(features, mask, None)
    assert torch.equal(source.features, torch.stack([features[0, [1, 3]], features[1, :2]])) and source.rows is None


def test_all_tokens_of_a_row_without_any_count_and_one_stands_for_equal_ones():
    features, none = torch.randn(1, 4, 3), torch.zeros(1, 4, dtype=torch.bool)
    assert torch.equal(trimmed(features, none, None)[0].features, features)
    alike = features[:, :1].expand(1, 4, 3)
    assert torch.equal(trimmed(alike, none, torch.zeros(1, 4))[0].features, features[:, :1])
    assert trimmed(alike, none, torch.arange(4.0)[None])[0].features.shape[1] == 4


def test_float_masks_are_added_as_they_are():
    (source,) = trimmed(torch.randn(2, 3, 4), torch.zeros(2, 3), None)
    assert source.mask.shape == (2, 1, 1, 3) and source.rows is None


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted({name.split("/")[0][4:] for name in CASES}))
@torch.no_grad()
def test_the_original_comes_out_without_masks_too(golden_munet, number):  # noqa: F811
    case, given = golden_case(number)
    out = golden_munet(case["sample"], case["timestep"], golden_munet.project(given))
    torch.testing.assert_close(out, case["out"], atol=5e-4 if number == "0" else 1e-4, rtol=0)


@torch.no_grad()
def test_trimmed_is_what_masks_give():
    model, x = mini(rotary_seconds=0.5), torch.randn(4, 4, 8, 4)
    null = torch.randn(1, 1, 12).expand(4, 7, 12)
    given = condition(4, beat_mask=rows(0, 0, 5, 7), beats=torch.cat([null[:2], torch.randn(2, 7, 12)]),
                      beat_times=torch.cat([torch.zeros(2, 7), torch.arange(7.0).expand(2, 7)]),
                      text_mask=rows(1, 2, 5, 1, of=5), chord_mask=rows(1, 1, 3, 3, of=3))  # fmt: skip
    masked = model(x, 500, given)
    torch.testing.assert_close(model(x, 500, model.project(given)), masked, atol=1e-5, rtol=0)
    uneven = condition(4, beat_mask=rows(0, 1, 0, 7))  # rows without any, whose tokens differ
    masked = model(x, 500, uneven)
    torch.testing.assert_close(model(x, 500, model.project(uneven)), masked, atol=1e-4, rtol=0)


def test_only_flash_kernels_run_at_any_guidance():
    model, x = mini(), torch.randn(2, 4, 8, 4)
    given = condition(beat_mask=rows(0, 6), text_mask=rows(1, 5, of=5), chord_mask=rows(1, 3, of=3))
    ran = ops_of(model, x, 500, model.project(given))
    layers = sum(1 for module in model.modules() if type(module).__name__ == "StreamBlock") // 3
    # Self-attention of three streams; the other row's attention to text and chords, both rows' to beats.
    assert ran[FLASH] == layers * (3 + 2 + 2) and SCORES not in ran
    assert not any("softmax" in name for name in ran)


def test_an_even_batch_is_not_split():
    (source,) = trimmed(torch.randn(3, 7, 2), rows(7, 7, 7), None)
    assert source.rows is None


@torch.no_grad()
def test_kernels_that_take_no_masks_play():
    model, x = mini(), torch.randn(2, 4, 8, 4)
    given = condition(beat_mask=rows(2, 6))
    expected = model(x, 500, given)
    model.set_attention_backend("_native_flash")
    try:
        torch.testing.assert_close(model(x, 500, model.project(given)), expected, atol=1e-5, rtol=0)
        with pytest.raises(InputError, match="does not take the masks"):
            model(x, 500, given)
    finally:
        model.set_attention_backend("native")  # diffusers keeps the last one for all models


@pytest.mark.slow
def test_a_kernel_is_chosen_by_name(tiny_folder, tiny_pipeline, monkeypatch):
    def kernels(pipeline):
        return {module.processor._attention_backend for module in pipeline.unet.modules() if isinstance(module, Attention)}

    options, chosen = {"steps": 1, "duration": 1.0}, []
    plain = make(tiny_pipeline, "piano", **options).audios
    for name, kernel in (("math", "_native_math"), ("flash", "_native_flash")):
        pipeline = load_pipeline(str(tiny_folder), attention=name)
        assert kernels(pipeline) == {kernel}
        np.testing.assert_allclose(make(pipeline, "piano", **options).audios, plain, atol=1e-2)
    pipeline.set_attention("auto")
    assert kernels(pipeline) == {"native"}
    frugal = load_pipeline(str(tiny_folder), attention="math", low_memory=True)
    monkeypatch.setattr("mustango.tuned.choose_attention", lambda unet, name, _: chosen.append((unet is None, name)))
    make(frugal, "piano", **options)
    assert chosen == [(False, "math")]


def test_a_kernel_that_cannot_be_had_is_refused(tiny_folder, tiny_pipeline, monkeypatch):
    with pytest.raises(InputError, match="attention sage runs on cuda alone, not on cpu"):
        load_pipeline(str(tiny_folder), attention="sage")
    with pytest.raises(InputError, match="unknown attention 'fast'; choose one of auto"):
        tiny_pipeline.set_attention("fast")
    monkeypatch.setattr("mustango.model.attention.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install xformers"):
        choose_attention(tiny_pipeline.unet, "xformers", "cuda")


@pytest.mark.slow
@torch.no_grad()
def test_trimmed_is_what_masks_give_at_full_width():
    """One level as wide as the released one's, with its beats and chords padded to 50 and 20."""
    torch.manual_seed(0)
    attention = Attention(320, 5, 1024)
    text, beats = torch.randn(2, 64, 1024), torch.randn(1, 1, 1024).expand(2, 50, 1024).clone()
    beats[1] = torch.randn(50, 1024)
    for features, mask in ((text, rows(1, 23, of=64)), (beats, rows(0, 21, of=50)), (text[:, :20], rows(1, 5, of=20))):
        x = torch.randn(2, 256, 320)
        masked = attention(x, [Source(features, attention_mask(mask, x.dtype))])
        torch.testing.assert_close(attention(x, trimmed(features, mask, None)), masked, atol=1e-5, rtol=0)
