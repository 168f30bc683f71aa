"""A diffusers user is at home: the words of its pipelines, its schedulers, its loader, its caches."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, EulerDiscreteScheduler, HeunDiscreteScheduler, PyramidAttentionBroadcastConfig
from diffusers.schedulers import KarrasDiffusionSchedulers
from test_munet import condition
from test_pipeline import make

from musicbench import InputError
from mustango.model.sampling import Sampler, SamplingConfig, set_timesteps
from mustango.pipeline import MustangoPipeline, load_pipeline

OTHERS = {"LMSDiscreteScheduler": "scipy", "DPMSolverSDEScheduler": "torchsde"}
SHORT = {"chords": "C", "tempo": 120}


def test_its_words_are_those_of_a_request(tiny_pipeline):
    ours = make(tiny_pipeline, "piano", steps=2, guidance=2.0, count=2, duration=1.0).audios
    theirs = tiny_pipeline(
        "piano", num_inference_steps=2, guidance_scale=2.0, num_waveforms_per_prompt=2, audio_length_in_s=1.0, **SHORT
    ).audios
    assert np.array_equal(ours, theirs)
    for both in ({"steps": 2, "num_inference_steps": 3}, {"seed": 1, "generator": torch.Generator()}):
        with pytest.raises(InputError, match="give one of them"):
            tiny_pipeline("piano", **both)
    with pytest.raises(InputError, match="unknown argument 'cross_attention_kwargs'"):
        tiny_pipeline("piano", cross_attention_kwargs={})


@pytest.mark.slow
def test_generators_choose_the_seeds(tiny_pipeline):
    def made(generator, **options):
        return make(tiny_pipeline, "piano", generator=generator, duration=1.0, steps=1, **options)

    first, again = (made(torch.Generator().manual_seed(3)) for _ in range(2))
    assert np.array_equal(first.audios, again.audios) and first.seeds == again.seeds
    both = made([torch.Generator().manual_seed(seed) for seed in (3, 4)], count=2)
    assert both.seeds[0] == first.seeds[0] != both.seeds[1]
    with pytest.raises(InputError, match="2 generators for 3 clips"):
        made([torch.Generator(), torch.Generator()], count=3)


@pytest.mark.slow
def test_outputs_and_latents_go_in_and_out(tiny_pipeline):
    options = {"duration": 1.0, "steps": 2, "count": 2}
    plain = make(tiny_pipeline, "piano", **options).audios
    (pt,) = make(tiny_pipeline, "piano", output_type="pt", return_dict=False, **options)
    assert isinstance(pt, torch.Tensor) and np.array_equal(pt.numpy(), plain)
    noise = tiny_pipeline._drawn([torch.Generator().manual_seed(seed) for seed in (0, 1)], tiny_pipeline.spans(1.0))
    assert np.array_equal(make(tiny_pipeline, "piano", latents=noise, **options).audios, plain)
    assert not np.array_equal(make(tiny_pipeline, "piano", latents=noise.flip(0), **options).audios, plain)
    latents = make(tiny_pipeline, "piano", output_type="latent", **options).audios
    assert latents[0].shape == noise[0].shape and not torch.equal(latents[0], noise[0])
    with pytest.raises(InputError, match="for this clip give"):
        make(tiny_pipeline, "piano", latents=noise[:, :, :-1], **options)
    with pytest.raises(InputError, match="of 1 clips, not of 2"):
        make(tiny_pipeline, "piano", latents=noise[:1], **options)
    with pytest.raises(InputError, match="output_type 'mp3'; choose one of np, pt, latent"):
        make(tiny_pipeline, "piano", output_type="mp3")


@pytest.mark.slow
def test_embeddings_stand_for_prompts(tiny_pipeline):
    options = {"duration": 1.0, "steps": 2, "key": "C"}
    plain = make(tiny_pipeline, "piano", **options).audios
    with torch.no_grad():
        states = tiny_pipeline._texts.of(["piano", ""], tiny_pipeline.tokenizer, tiny_pipeline.text_encoder, "cpu")
    given = make(tiny_pipeline, None, prompt_embeds=states[0][None], negative_prompt_embeds=states[1][None], **options).audios
    assert np.array_equal(given, plain)
    other = make(tiny_pipeline, None, prompt_embeds=states[1][None], **options).audios
    assert not np.array_equal(other, plain)


@pytest.mark.slow
def test_a_callback_sees_and_changes_latents(tiny_pipeline):
    seen = []

    def look(pipeline, number, timestep, given):
        seen.append((pipeline is tiny_pipeline, number, int(timestep), tuple(given)))
        return {"latents": given["latents"] * 0} if number == 2 else {}

    changed = make(tiny_pipeline, "piano", steps=3, duration=1.0, callback_on_step_end=look, output_type="latent").audios
    assert [entry[:2] + entry[3:] for entry in seen] == [(True, number, ("latents",)) for number in range(3)]
    assert [t for *_, t, _ in seen] == sorted((t for *_, t, _ in seen), reverse=True)
    assert not changed[0].any()
    with pytest.raises(InputError, match="told the latents alone"):
        make(tiny_pipeline, "piano", callback_on_step_end_tensor_inputs=["prompt_embeds"])


class Knowing:
    """A denoiser that knows what is to come out, and predicts by it."""

    class Projected:
        kept = {}

    def __init__(self, wanted, scheduler):
        noise_share = 1 - scheduler.alphas_cumprod.double()
        self.wanted, self.log_sigmas = wanted.double(), (noise_share / (1 - noise_share)).sqrt().log().numpy()

    def project(self, _condition):
        return self.Projected()

    def __call__(self, x, t, _condition, reuse):
        sigma = np.exp(np.interp(float(t), np.arange(len(self.log_sigmas)), self.log_sigmas))
        signal, noise = 1 / np.sqrt(1 + sigma**2), sigma / np.sqrt(1 + sigma**2)
        drawn = (x - signal * self.wanted) / noise
        return (signal * drawn - noise * self.wanted).to(x.dtype)


@pytest.mark.parametrize("restart", [0.0, 0.8])
@pytest.mark.parametrize(
    "name", [kind.name for kind in KarrasDiffusionSchedulers if "EDM" not in kind.name]
)  # EDM scales otherwise
def test_every_scheduler_arrives(name, restart):
    import diffusers

    if name in OTHERS:
        pytest.importorskip(OTHERS[name])
    own = {"skip_prk_steps": True} if name == "PNDMScheduler" else {}  # which else needs four steps to begin
    own |= {"use_karras_sigmas": True} if name == "DPMSolverSDEScheduler" else {}
    settings = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "v_prediction"}
    scheduler = getattr(diffusers, name)(**settings, **own)
    if "clip_sample" in scheduler.config:
        scheduler.register_to_config(clip_sample=False)
    generators, reported = [torch.Generator().manual_seed(seed) for seed in (0, 1)], []
    wanted = torch.randn(2, 3, 8, 4, generator=generators[0])
    sampler = Sampler(
        Knowing(wanted, scheduler), scheduler, SamplingConfig(restart=restart), lambda: torch.randn(2, 3, 8, 4), generators
    )
    noise = torch.randn(2, 3, 8, 4, generator=generators[1])
    out = sampler.denoise(condition(2), noise, 12, on_step=lambda step, steps: reported.append((step, steps)))
    assert (out - wanted).abs().mean() < 0.1
    assert reported == [(step, 12) for step in range(1, 13)]


def test_second_order_schedulers_begin_where_they_should():
    """A schedule that begins later is the end of the whole one."""
    scheduler = HeunDiscreteScheduler(prediction_type="v_prediction")
    whole = set_timesteps(scheduler, 8, 1.0, "cpu")
    late = set_timesteps(scheduler, 6, 0.75, "cpu")
    assert torch.equal(late, whole[4:]) and scheduler.begin_index == 4


@pytest.mark.slow
def test_another_scheduler_can_be_set(tiny_folder, tiny_pipeline):
    pipeline = load_pipeline(str(tiny_folder))
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    theirs = make(pipeline, "piano").audios
    assert isinstance(pipeline.scheduler, EulerDiscreteScheduler) and not np.array_equal(
        theirs, make(tiny_pipeline, "piano").audios
    )


@pytest.mark.slow
def test_diffusers_own_loader_reads_a_saved_folder(tiny_folder, tiny_pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    pipeline = DiffusionPipeline.from_pretrained(
        str(tiny_folder), custom_pipeline=str(tiny_folder), trust_remote_code=True, torch_dtype=torch.float32
    )
    assert isinstance(pipeline, MustangoPipeline) and pipeline.sampling == tiny_pipeline.sampling
    assert np.array_equal(make(pipeline, "piano").audios, make(tiny_pipeline, "piano").audios)


@pytest.mark.slow
def test_variants_and_number_types_are_saved_and_read(tiny_folder, tiny_pipeline, tmp_path):
    half = MustangoPipeline.from_pretrained(tiny_folder, torch_dtype=torch.bfloat16)
    assert half.unet.dtype == half.text_encoder.dtype == torch.bfloat16
    tiny_pipeline.save_pretrained(tmp_path / "model", variant="fp16")
    assert (tmp_path / "model" / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    again = MustangoPipeline.from_pretrained(tmp_path / "model", variant="fp16")
    assert np.array_equal(make(again, "piano").audios, make(tiny_pipeline, "piano").audios)


def test_what_is_uploaded_is_a_model_with_its_card(tiny_pipeline, monkeypatch, tmp_path):
    import huggingface_hub

    sent = {}

    def upload(folder_path, **options):
        sent.update(options, names={path.name for path in Path(folder_path).iterdir()},
                    card=(Path(folder_path) / "README.md").read_text())  # fmt: skip
        return "https://example.org/commit"

    monkeypatch.setattr(huggingface_hub, "create_repo", lambda name, **_: type("Repo", (), {"repo_id": name}))
    monkeypatch.setattr(huggingface_hub, "upload_folder", upload)
    tiny_pipeline.push_to_hub("someone/tiny", commit_message="first")
    assert {"pipeline.py", "README.md", "model_index.json", "unet"} <= sent["names"] and sent["commit_message"] == "first"
    assert 'load_pipeline("someone/tiny")' in sent["card"] and "library_name: diffusers" in sent["card"]
    sent.clear()
    assert not (tiny_pipeline._folder / "README.md").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("my own card")
    tiny_pipeline.save_pretrained(tmp_path / "mine", push_to_hub=True, repo_id="someone/mine")
    assert sent["card"] == "my own card" and sent["repo_id"] == "someone/mine"


@pytest.mark.slow
def test_fused_projections_are_the_same_music_and_not_saved(tiny_folder, tiny_pipeline, tmp_path):
    pipeline = load_pipeline(str(tiny_folder))
    pipeline.fuse_qkv_projections()
    fused = [module for module in pipeline.unet.modules() if getattr(module, "fused_projections", False)]
    assert fused and all(not module.is_cross_attention for module in fused)
    np.testing.assert_allclose(make(pipeline, "piano").audios, make(tiny_pipeline, "piano").audios, atol=1e-2)
    with pytest.raises(InputError, match="unfuse_qkv_projections"):
        pipeline.save_pretrained(tmp_path / "saved")
    pipeline.unfuse_qkv_projections()
    assert np.array_equal(make(pipeline, "piano").audios, make(tiny_pipeline, "piano").audios)


@pytest.mark.slow
def test_diffusers_caches_can_be_had(tiny_folder, tiny_pipeline):
    pipeline, now = load_pipeline(str(tiny_folder)), {"t": 1000}
    pipeline.unet.register_forward_pre_hook(lambda _, inputs: now.update(t=int(inputs[1])))
    pipeline.unet.enable_cache(
        PyramidAttentionBroadcastConfig(
            cross_attention_block_skip_range=2,
            cross_attention_timestep_skip_range=(100, 900),
            current_timestep_callback=lambda: now["t"],
        )  # fmt: skip
    )
    first, again = (make(pipeline, "piano", steps=6).audios for _ in range(2))
    plain = make(tiny_pipeline, "piano", steps=6).audios
    assert np.array_equal(first, again) and not np.array_equal(first, plain)
    pipeline.unet.disable_cache()
    assert np.array_equal(make(pipeline, "piano", steps=6).audios, plain)


def test_the_index_names_no_code_of_its_own(tiny_folder):
    assert json.loads((tiny_folder / "model_index.json").read_text())["_class_name"] == "MustangoPipeline"
