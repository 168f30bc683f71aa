"""Tensor names of the released Mustango, and the tables that turn them into ours and back."""

import re

# Patterns applied in turn; `released_name` applies them backwards.
MUNET_NAMES = (
    (r"^unet\.", ""),
    (r"^(down|up)_blocks\.(\d+)\.resnets\.(\d+)\.", r"\1.\2.layers.\3.resnet."),
    (r"^(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.", r"\1.\2.layers.\3.streams.text."),
    (r"^(down|up)_blocks\.(\d+)\.attentions2\.(\d+)\.", r"\1.\2.layers.\3.streams.beat."),
    (r"^(down|up)_blocks\.(\d+)\.attentions3\.(\d+)\.", r"\1.\2.layers.\3.streams.chord."),
    (r"^(down|up)_blocks\.(\d+)\.(down|up)samplers\.0\.", r"\1.\2.\3sample."),
    (r"^mid_block\.resnets\.0\.", "mid.resnet."),
    (r"^mid_block\.resnets\.1\.", "mid_resnet."),
    (r"^mid_block\.attentions\.0\.", "mid.streams.text."),
    (r"^mid_block\.attentions2\.0\.", "mid.streams.beat."),
    (r"^mid_block\.attentions3\.0\.", "mid.streams.chord."),
    (r"\.transformer_blocks\.0\.attn1\.", ".self_attention."),
    (r"\.transformer_blocks\.0\.attn2\.", ".cross_attention."),
    (r"\.transformer_blocks\.0\.ff\.", ".feed_forward."),
    (r"(\.streams\.\w+)\.transformer_blocks\.0\.norm(\d)\.", r"\1.norm\2."),
    (r"\.to_out\.0\.", ".to_out."),
)
CONDITIONER_NAMES = (
    (r"^chord_embedding_layer\.FME\.translation_bias$", "root_bias"),  # the file holds it twice, or once
    (r"^FME\.translation_bias$", "root_bias"),
    (r"^(beat|chord)_embedding_layer\.\1_ffn\.", r"\1_projection."),
)
TEXT_NAMES = ((r"^text_encoder\.", ""),)
VAE_NAMES = (
    (r"\.(down)\.(\d+)\.block\.(\d+)\.", r".\1_blocks.\2.resnets.\3."),
    (r"\.down\.(\d+)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.up\.(\d+)\.block\.(\d+)\.", r".up_blocks.\1.resnets.\2."),  # counted from the other end, see `convert_vae`
    (r"\.up\.(\d+)\.upsample\.", r".up_blocks.\1.upsamplers.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"\.norm_out\.", ".conv_norm_out."),
)
VOCODER_NAMES = ((r"^vocoder\.", ""), (r"^ups\.", "upsampler."))
# Released buffers that no forward pass reads.
IGNORED = r"^((beat_embedding_layer\.|chord_embedding_layer\.)?PE\.pe|deberta\.embeddings\.position_ids)$"


def rename(name, table):
    """Apply a table to a released tensor name: `rename("unet.conv_in.bias", MUNET_NAMES) == "conv_in.bias"`."""
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name


def released_name(name, table):
    """Return the released name that `rename` turns into `name`.

    The table is applied backwards, each row with its sides swapped.
    """
    for pattern, replacement in reversed(table):
        groups = re.findall(r"\([^)]*\)", pattern)
        wanted, back = re.escape(replacement), pattern.strip("^$")
        for number, group in enumerate(groups, 1):
            wanted = wanted.replace(rf"\\{number}", group, 1)
            back = back.replace(group, rf"\{number}", 1)
        begin, end = "^" * pattern.startswith("^"), "$" * pattern.endswith("$")
        name = re.sub(begin + wanted + end, back.replace(r"\.", "."), name)
    return name
