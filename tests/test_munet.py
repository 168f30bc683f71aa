import json

import pytest
import torch
from conftest import GOLDEN
from safetensors.torch import load_file

from musicbench import InputError
from mustango.model.attention import attention_mask
from mustango.model.conditioning import Conditioning
from mustango.model.control import CONTROL_CHANNELS
from mustango.model.munet import MuNet
from mustango.release.names import MUNET_NAMES, rename

CASES = load_file(GOLDEN / "munet_io.safetensors")
EMPTY_ROW = {"0": 5e-4}  # a mask row without any True: -10000 costs precision


@pytest.fixture(scope="module")
def golden_munet():
    """Our MuNet with the original's random weights, sizes from the config file."""
    config = json.loads((GOLDEN / "model_config.json").read_text())["unet"]
    weights = load_file(GOLDEN / "model_weights.safetensors")
    model = MuNet(
        in_channels=config["in_channels"], out_channels=config["out_channels"], block_out_channels=config["block_out_channels"],
        layers_per_block=config["layers_per_block"], num_heads=config["attention_head_dim"],
        attention_levels=[kind.startswith("CrossAttn") for kind in config["down_block_types"]],
        cross_attention_dim=config["cross_attention_dim"], norm_num_groups=config["norm_num_groups"], norm_eps=config["norm_eps"],
    )  # fmt: skip
    model.load_state_dict({rename(k, MUNET_NAMES): v for k, v in weights.items() if k.startswith("unet.")}, strict=True)
    return model.eval()


def golden_case(number):
    case = {name.split("/", 1)[1]: value for name, value in CASES.items() if name.startswith(f"case{number}/")}
    condition = Conditioning(
        text=case["encoder_hidden_states"], text_mask=case["encoder_attention_mask"],
        beats=case["beat_features"], beat_mask=case["beat_attention_mask"],
        chords=case["chord_features"], chord_mask=case["chord_attention_mask"],
    )  # fmt: skip
    return case, condition


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted({name.split("/")[0][4:] for name in CASES}))
def test_equals_the_original(golden_munet, number):
    case, condition = golden_case(number)
    with torch.no_grad():
        out = golden_munet(case["sample"], case["timestep"], condition)
    torch.testing.assert_close(out, case["out"], atol=EMPTY_ROW.get(number, 1e-4), rtol=0)


@pytest.mark.slow
def test_projected_once_is_bit_equal(golden_munet):
    for number in (0, 1):
        case, condition = golden_case(number)
        with torch.no_grad():
            projected = golden_munet.project(condition, with_masks=True)
            assert torch.equal(
                golden_munet(case["sample"], case["timestep"], projected), golden_munet(case["sample"], case["timestep"], condition)
            )


def test_masks_are_only_made_where_needed():
    full, partly = torch.ones(2, 5, dtype=torch.bool), torch.tensor([[True, True, False], [True, True, True]])
    assert attention_mask(full, torch.float32) is None
    assert attention_mask(partly, torch.float32).shape == (2, 1, 1, 3) and attention_mask(partly, torch.float16).dtype == torch.bool
    nothing = attention_mask(torch.tensor([[False, False], [True, False]]), torch.float16)
    assert nothing.dtype == torch.float16 and nothing.flatten(1).tolist() == [[-1e4, -1e4], [0, -1e4]]


def mini(**changes):
    torch.manual_seed(0)
    config = dict(
        in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1, num_heads=(1, 2), attention_levels=(True, True),
        cross_attention_dim=12, norm_num_groups=4, ff_mult=1,
    )  # fmt: skip
    return MuNet(**config | changes).eval()


def condition(batch=2, dim=12, **changes):
    g = torch.Generator().manual_seed(1)
    features = {name: torch.randn(batch, n, dim, generator=g) for name, n in (("text", 5), ("beats", 7), ("chords", 3))}
    masks = {name: torch.ones(batch, n, dtype=torch.bool) for name, n in (("text_mask", 5), ("beat_mask", 7), ("chord_mask", 3))}
    times = {
        "beat_times": torch.arange(7.0).expand(batch, 7), "chord_times": torch.arange(3.0).expand(batch, 3) * 2,
    }  # fmt: skip
    return Conditioning(**features | masks | times | changes)


@torch.no_grad()
def test_every_stream_matters_and_padding_does_not():
    model, x = mini(), torch.randn(2, 4, 8, 4)
    base = condition()
    out = model(x, 500, base)
    for name in ("text", "beats", "chords"):
        assert not torch.allclose(out, model(x, 500, condition(**{name: getattr(base, name) + 1})), atol=1e-6)
    padded = condition(
        beats=torch.cat([base.beats, torch.full((2, 2, 12), 9.0)], 1), beat_times=torch.zeros(2, 9),
        beat_mask=torch.tensor([[True] * 7 + [False] * 2] * 2),
    )  # fmt: skip
    torch.testing.assert_close(model(x, 500, padded), out, atol=1e-5, rtol=0)


@torch.no_grad()
def test_rotary_time_tells_when():
    x, early = torch.randn(2, 4, 8, 4), condition()
    late = condition(beat_times=early.beat_times + 3)
    without, with_rotary = mini(), mini(rotary_seconds=0.5)
    assert torch.equal(without(x, 5, early), without(x, 5, late))
    assert not torch.allclose(with_rotary(x, 5, early), with_rotary(x, 5, late), atol=1e-6)


@torch.no_grad()
def test_control_acts_where_it_is():
    model = mini(control_channels=CONTROL_CHANNELS, frames_per_row=8, columns=4, attention_levels=(False, False))
    for stream in (model.mid.streams,):  # leave only convolutions, so that reach is limited
        stream.clear()
    x, silent = torch.randn(1, 4, 64, 4), torch.zeros(1, CONTROL_CHANNELS, 512)
    pulse = silent.clone()
    pulse[..., 400] = 1
    model.control.requires_grad_(False)
    moved = (model.control(pulse) - model.control(silent)).abs().sum(dim=(0, 1, 3))
    assert moved[50] > 0 and moved[:40].sum() == 0 and moved[60:].sum() == 0
    assert not torch.allclose(model(x, 5, condition(1, control=pulse)), model(x, 5, condition(1, control=silent)))


@torch.no_grad()
def test_a_model_that_takes_more_control_makes_the_same_until_it_learns(tmp_path):
    model = mini(control_channels=45, frames_per_row=8, columns=4)
    x, control = torch.randn(1, 4, 64, 4), torch.randn(1, CONTROL_CHANNELS, 512)
    expected = model(x, 5, condition(1, control=control))
    torch.testing.assert_close(model(x, 5, condition(1, control=control[:, :45])), expected)  # what it does not know it leaves
    model.widen_control(CONTROL_CHANNELS)
    torch.testing.assert_close(model(x, 5, condition(1, control=control)), expected)
    model.save_pretrained(tmp_path)
    assert MuNet.from_pretrained(tmp_path).control.convs[0].in_channels == CONTROL_CHANNELS


@torch.no_grad()
def test_attention_backend_can_be_chosen():
    model, x, cond = mini(), torch.randn(2, 4, 8, 4), condition()
    expected = model(x, 5, cond)
    model.set_attention_backend("_native_math")
    try:
        torch.testing.assert_close(model(x, 5, cond), expected, atol=1e-5, rtol=0)
    finally:
        model.set_attention_backend("native")


def test_saves_and_loads(tmp_path):
    model = mini(pooled_text=True, rotary_seconds=0.1, control_channels=CONTROL_CHANNELS, columns=4)
    model.save_pretrained(tmp_path)
    again = MuNet.from_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))


def test_attention_that_cannot_be_had_is_refused_in_one_line():
    from diffusers.models.attention_processor import AttnProcessor2_0

    model = mini()
    before = dict(model.attn_processors)
    with pytest.raises(InputError, match="the denoiser's"):
        model.set_attn_processor(AttnProcessor2_0())
    assert model.attn_processors == before
    model.set_attn_processor(dict(before))
    partly = condition(beat_mask=torch.tensor([[True] * 5 + [False] * 2] * 2))
    sample = torch.zeros(2, 4, 8, 4)
    with torch.no_grad():
        wanted = model(sample, 500, partly)
        model.set_attention_backend("_native_math")
        torch.testing.assert_close(model(sample, 500, partly), wanted)
        try:
            model.set_attention_backend("_native_flash")
            with pytest.raises(InputError, match="_native_flash does not take the masks.*native, "):
                model(sample, 500, partly)
        finally:
            model.set_attention_backend("native")  # diffusers keeps the last one for all models
