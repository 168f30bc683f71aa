"""The comparison with golden tensors fails where there is nothing to compare."""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import parity


def test_a_folder_without_golden_files_fails(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setattr("sys.argv", ["parity.py", str(folder)])
        with pytest.raises(SystemExit, match="no golden file in"):
            parity.main()


@pytest.mark.parametrize(
    ("name", "shape", "factor"),
    [
        ("unet.conv_in.weight", (4, 2, 3, 3), 1 / 18**0.5),
        ("unet.mid.to_k.weight", (4, 9), 1 / 3),
        ("chord_embedding_layer.chord_ffn.weight", (4, 16), 1 / 4),
        ("encoder.block.0.q.weight", (4, 9), 0.02),
        ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", (4, 2), 1.0),
        ("FME.translation_bias", (1, 8), 0.01),
        ("vocoder.conv_pre.bias", (8,), 0.01),
    ],
)
def test_weights_are_drawn_by_the_rule(name, shape, factor):
    import zlib

    import numpy as np
    from full_width import drawn

    z = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).standard_normal(shape, dtype=np.float32)
    np.testing.assert_allclose(drawn(name, shape).numpy(), z * factor, rtol=1e-6)


def test_norms_are_ones_twins_are_one_tensor_and_known_numbers_come():
    from full_width import drawn, drawn_weights

    assert (drawn("unet.conv_norm_out.weight", (8,)) == 1).all()
    first = drawn("unet.conv_in.weight", (320, 8, 3, 3)).flatten()[:3].tolist()  # as the golden set's weights.json lists them
    assert first == [-0.0018049608916044235, 0.28712359070777893, -0.021599238738417625]
    shapes = {"shared.weight": (4, 3), "encoder.embed_tokens.weight": (4, 3), "lm_head.weight": (4, 3), "PE.pe": (5, 1, 3)}
    weights = drawn_weights(shapes, "")
    assert weights["shared.weight"] is weights["encoder.embed_tokens.weight"] and "PE.pe" not in weights
    assert not (weights["lm_head.weight"] == weights["shared.weight"]).any()
