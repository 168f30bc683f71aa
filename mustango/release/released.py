"""The components of the released Mustango, each built as ours from its tensors and configs."""

import re

from musicbench import InputError
from mustango.release.limits import check_settings_of
from mustango.release.names import (
    CONDITIONER_NAMES,
    IGNORED,
    MUNET_NAMES,
    TEXT_NAMES,
    VAE_NAMES,
    VOCODER_NAMES,
    released_name,
    rename,
)
from mustango.release.weights import check_same, fill, taken, without_weights

# Settings of vae_config.json, at its top and in ddconfig, that our VAE has built in.
VAE_SETTINGS = {"subband": 1, "time_shuffle": 1}
VAE_DD_SETTINGS = {
    "downsample_time": False, "double_z": True, "resamp_with_conv": True, "give_pre_end": False, "tanh_out": False,
    "use_linear_attn": False, "attn_type": "vanilla",
}  # fmt: skip
# The released code ignores its vocoder config: this one is built in.
RELEASED_VOCODER = {
    "upsample_rates": [5, 4, 2, 2, 2],
    "upsample_kernel_sizes": [16, 16, 8, 4, 4],
    "upsample_initial_channel": 1024,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
    "num_mels": 64,
}
# What of microsoft/deberta-v3-large's config its tensors do not tell; the released layout does not hold it.
DEBERTA = {
    "relative_attention": True, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": "p2c|c2p", "position_biased_input": False, "type_vocab_size": 0, "max_position_embeddings": 512,
    "max_relative_positions": -1, "layer_norm_eps": 1e-7, "hidden_act": "gelu", "pad_token_id": 0,
}  # fmt: skip


def check_settings(config, fixed, where):
    """Raise InputError for a setting that a config has otherwise than ours, {name: value}, which are built in."""
    for name, value in fixed.items():
        if config.get(name, value) != value:
            raise InputError(f"{where} has {name} = {config[name]!r:.40}; only {value!r} is supported")


def munet_config(released):
    """Turn a released MuNet config into ours. Raises InputError for a setting that ours does not have."""
    fixed = {
        "use_linear_projection": True, "flip_sin_to_cos": True, "freq_shift": 0, "act_fn": "silu",
        "downsample_padding": 1,
        "mid_block_scale_factor": 1, "only_cross_attention": False, "dual_cross_attention": False,
        "center_input_sample": False,
        "num_class_embeds": None, "class_embed_type": None, "resnet_time_scale_shift": "default",
    }  # fmt: skip
    check_settings(released, fixed, "the MuNet config")
    try:
        # which holds the number of heads
        widths, heads = released["block_out_channels"], released["attention_head_dim"]
        levels = [kind.startswith("CrossAttn") for kind in released["down_block_types"]]
        for width, count in zip(widths, heads if isinstance(heads, list) else [heads] * len(widths), strict=True):
            if not isinstance(count, int) or count < 1 or width % count:
                raise InputError(
                    f"the MuNet config has attention_head_dim {heads!r:.40}, which does not divide {widths}; get it again"
                )
        if [kind.startswith("CrossAttn") for kind in reversed(released["up_block_types"])] != levels:
            raise InputError("the MuNet config's up blocks do not mirror its down blocks; only mirrored ones are supported")
        return {
            "in_channels": released["in_channels"],
            "out_channels": released["out_channels"],
            "block_out_channels": widths,
            "layers_per_block": released["layers_per_block"],
            "num_heads": heads if isinstance(heads, list) else [heads] * len(widths),
            "attention_levels": levels,
            "cross_attention_dim": released["cross_attention_dim"],
            "norm_num_groups": released["norm_num_groups"],
            "norm_eps": released["norm_eps"],
        }
    except InputError:
        raise
    except (TypeError, AttributeError, ValueError):
        raise InputError("the MuNet config cannot be read; get configs/music_diffusion_model_config.json again") from None
    except KeyError as error:
        raise InputError(f"the MuNet config lacks {error}; get configs/music_diffusion_model_config.json again") from None


def convert_munet(tensors, config):
    """Build MuNet from released tensors (`unet.*`) and its released config."""
    from mustango.model.munet import MuNet

    settings = munet_config(config)
    check_settings_of("unet", settings, "the MuNet config")
    with without_weights():
        model = MuNet(**settings)
    own = taken(tensors, r"unet\.", "the released MuNet")
    return fill(
        model, {rename(k, MUNET_NAMES): v for k, v in own.items()}, "the released MuNet", lambda k: released_name(k, MUNET_NAMES)
    )


def convert_conditioner(tensors, root_base=1.0, time_base=10001.0):
    """Build the beat and chord encoders; their sizes follow from the tensors."""
    from mustango.model.conditioning import CHORD_TYPES, Conditioner

    where = "the released beat and chord encoders"
    own = taken(tensors, rf"(?!{IGNORED})(beat_embedding_layer|chord_embedding_layer|FME)\.", where)
    check_same({k: v for k, v in own.items() if rename(k, CONDITIONER_NAMES) == "root_bias"}, where)
    own = {rename(k, CONDITIONER_NAMES): v for k, v in own.items()}

    def named(name):
        return released_name(name, CONDITIONER_NAMES)

    try:
        root_dim = own["root_bias"].shape[1]
        dim, chord_in = own["chord_projection.weight"].shape
        time_dim = chord_in - root_dim - len(CHORD_TYPES) - 4
        n_beat_types = own["beat_projection.weight"].shape[1] - time_dim
    except KeyError as error:
        raise InputError(f"{where} lack tensor {named(error.args[0])}; download the model again") from None
    with without_weights():
        model = Conditioner(dim, root_dim, time_dim, root_base, time_base, n_beat_types)
    return fill(model, own, where, named)


def t5_config(tensors, prefix="", **settings):
    """Read a (gated-gelu) T5's sizes off its tensors; `settings` are what tensors do not tell, flan-t5's by default.

    prefix: what is before its tensors' names in the file. Raises InputError.
    """
    from transformers import T5Config

    def layers(stack):
        return 1 + max((int(m[1]) for k in tensors if (m := re.match(rf"{stack}\.block\.(\d+)\.", k))), default=-1)

    try:
        bias = tensors["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        query = tensors["encoder.block.0.layer.0.SelfAttention.q.weight"]
        embedding = tensors["encoder.embed_tokens.weight" if "shared.weight" not in tensors else "shared.weight"]
        sizes = dict(
            vocab_size=embedding.shape[0], d_model=embedding.shape[1], num_heads=bias.shape[1],
            relative_attention_num_buckets=bias.shape[0], d_kv=query.shape[0] // bias.shape[1],
            num_layers=layers("encoder"),
            num_decoder_layers=layers("decoder") or None,
            d_ff=tensors["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape[0],
            feed_forward_proj="gated-gelu", relative_attention_max_distance=128, layer_norm_epsilon=1e-6,
            dropout_rate=0.0, tie_word_embeddings=False, decoder_start_token_id=0,
        )  # fmt: skip
        return T5Config(**sizes | settings)
    except KeyError as error:
        raise InputError(f"the released T5 lacks tensor {prefix}{error.args[0]}; download the model again") from None


def convert_text_encoder(tensors, **settings):
    """Build the T5 encoder from released tensors (`text_encoder.*`); `settings` replace flan-t5's (T5Config)."""
    from transformers import T5EncoderModel

    own = {rename(k, TEXT_NAMES): v for k, v in taken(tensors, r"text_encoder\.", "the released text encoder").items()}
    with without_weights():
        model = T5EncoderModel(t5_config(own, "text_encoder.", **settings))
    return fill(model, own, "the released text encoder", lambda k: released_name(k, TEXT_NAMES))


def convert_vae(tensors, config):
    """Build diffusers' AutoencoderKL from released tensors and the released `vae_config.json`."""
    from diffusers import AutoencoderKL

    try:
        d = config["ddconfig"]
        check_settings_of("vae_config", config, "vae_config.json")
        check_settings_of("ddconfig", d, "vae_config.json")
        levels = len(d["ch_mult"])
        check_settings(config, VAE_SETTINGS, "vae_config.json")
        check_settings(d, VAE_DD_SETTINGS, "vae_config.json")
        if d.get("attn_resolutions") or config["embed_dim"] != d["z_channels"]:
            raise InputError("vae_config.json asks for attention or an embed_dim that ours does not have")
        with without_weights():
            model = AutoencoderKL(
                in_channels=d["in_channels"], out_channels=d["out_ch"], latent_channels=d["z_channels"],
                norm_num_groups=32,
                block_out_channels=[d["ch"] * m for m in d["ch_mult"]], layers_per_block=d["num_res_blocks"],
                down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels,
                sample_size=d["resolution"], scaling_factor=config["scale_factor"],
            )  # fmt: skip
    except KeyError as error:
        raise InputError(f"vae_config.json lacks {error}; get it again") from None

    def mirrored(name):
        return re.sub(r"(?<=\.up_blocks\.)\d+", lambda level: str(levels - 1 - int(level[0])), name)

    own = {}
    for name, tensor in taken(tensors, r"(?!vocoder\.)", "the released VAE").items():
        ours = mirrored(rename(name, VAE_NAMES))
        is_attention = re.search(r"attentions\.0\.to_\w+(\.0)?\.weight$", ours)  # 1 x 1 convolutions there, linear here
        own[ours] = tensor[:, :, 0, 0] if is_attention and tensor.ndim == 4 else tensor
    return fill(model, own, "the released VAE", lambda k: released_name(mirrored(k), VAE_NAMES))


def convert_vocoder(tensors, config=None, sample_rate=16000):
    """Build transformers' SpeechT5HifiGan from released tensors (`vocoder.*`, weight norm already folded)."""
    import torch
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    settings = dict(config or RELEASED_VOCODER)
    check_settings_of("vocoder", settings, "vae_config.json")
    settings["model_in_dim"] = settings.pop("num_mels")
    if str(settings.pop("resblock", "1")) != "1":
        raise InputError("the vocoder config asks for resblock 2; only 1 is supported")
    config = SpeechT5HifiGanConfig(sampling_rate=sample_rate, normalize_before=False, leaky_relu_slope=0.1, **settings)
    own = {rename(k, VOCODER_NAMES): v for k, v in taken(tensors, r"vocoder\.", "the released vocoder").items()}
    # Unused here (normalize_before is off), but the class has them.
    own |= {"mean": torch.zeros(config.model_in_dim), "scale": torch.ones(config.model_in_dim)}
    with without_weights():
        model = SpeechT5HifiGan(config)
    return fill(model, own, "the released vocoder", lambda k: released_name(k, VOCODER_NAMES))


def deberta_sizes(tensors):
    """Read a DeBERTa's sizes off its tensors."""
    try:
        vocabulary, hidden = tensors["deberta.embeddings.word_embeddings.weight"].shape
        layers = 1 + max(int(m[1]) for k in tensors if (m := re.match(r"deberta\.encoder\.layer\.(\d+)\.", k)))
        middle = tensors["deberta.encoder.layer.0.intermediate.dense.weight"].shape[0]
        buckets = tensors["deberta.encoder.rel_embeddings.weight"].shape[0] // 2
    except KeyError as error:
        raise InputError(f"the released beat predictor lacks tensor {error.args[0]}; download the model again") from None
    heads = max(hidden // 64, 1)
    return {
        "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": middle,
        "position_buckets": buckets, "num_attention_heads": heads, "pooler_hidden_size": hidden,
    }  # fmt: skip


def convert_beat_predictor(tensors, config):
    """Build the DeBERTa beat predictor from released tensors and its body's config (a dict)."""
    from transformers import DebertaV2Config

    from mustango.release.predictors import BeatPredictor

    own = taken(tensors, f"(?!{IGNORED})", "the released beat predictor")
    with without_weights():
        model = BeatPredictor(DebertaV2Config(**config))
    return fill(model, own, "the released beat predictor")


def convert_chord_predictor(tensors):
    """Build the T5 chord predictor from released tensors."""
    from mustango.release.predictors import ChordPredictor

    with without_weights():
        model = ChordPredictor(t5_config(tensors))
    return fill(model, taken(tensors, "", "the released chord predictor"), "the released chord predictor")


def convert_mel(config):
    """Build the mel front end from the released `stft_config.json`."""
    from mustango.model.mel import LogMel

    try:
        if config["win_length"] != config["filter_length"]:
            raise InputError("stft_config.json has a win_length other than filter_length; only equal ones are supported")
        settings = dict(
            sample_rate=config["sampling_rate"], n_fft=config["filter_length"], hop_length=config["hop_length"],
            n_mels=config["n_mel_channels"], f_min=float(config["mel_fmin"]), f_max=float(config["mel_fmax"]),
        )  # fmt: skip
    except KeyError as error:
        raise InputError(f"stft_config.json lacks {error}; get it again") from None
    check_settings_of("mel", settings, "stft_config.json")
    return LogMel(**settings)
