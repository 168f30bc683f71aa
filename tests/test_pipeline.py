import json
import shutil
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
import torch
from conftest import resolve
from hypothesis import given
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.meters import Meter
from musicbench.music.progression import beat_grid
from musicbench.sound.master import loudness_of, true_peak_db
from mustango import SCHEDULERS
from mustango.model.sampling import framed, set_timesteps
from mustango.pipeline import TOGETHER_S, MustangoPipeline, load_pipeline, parts_of, sidecar
from mustango.request.request import Request
from mustango.request.settled import Settled
from mustango.request.settled import resolve as resolve_request


def make(pipeline, *args, **options):
    return pipeline(*args, **{"steps": 3, "duration": 2.0, "chords": "C", "tempo": 120} | options)


@pytest.mark.slow
def test_same_seed_repeats_and_others_differ(tiny_pipeline):
    first, again, other = (make(tiny_pipeline, "piano", seed=s).audios for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_takes_are_the_next_seeds(tiny_pipeline):
    takes = make(tiny_pipeline, "piano", seed=5, count=3)
    assert takes.seeds == [5, 6, 7] and takes.audios.shape == (3, 16000)
    alone = make(tiny_pipeline, "piano", seed=6)
    # batches round otherwise, and the way in which phases are summed up makes that a little larger
    np.testing.assert_allclose(takes.audios[1], alone.audios[0], atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("duration", [1.0, 3.3, 10.24])
def test_duration_is_exact(tiny_pipeline, duration):
    out = make(tiny_pipeline, "", duration=duration, chords=None)
    assert out.audios.shape == (1, round(duration * 8000))
    assert out.controls[0].duration_s == duration


@pytest.mark.slow
def test_every_control_changes_the_music(tiny_pipeline):
    base = make(tiny_pipeline, "piano", chords="C G", tempo=120, meter="4/4", duration=6.0).audios
    for change in (
        {"chords": "C F"},
        {"tempo": 100},
        {"meter": "3/4"},
        {"chords": "C G | C G"},
        {"guidance": 4.0},
        {"steps": 4},
        {"negative_prompt": "drums"},
    ):
        out = make(tiny_pipeline, "piano", **{"chords": "C G", "tempo": 120, "meter": "4/4", "duration": 6.0} | change).audios
        assert not np.array_equal(base, out), change
    assert not np.array_equal(base, make(tiny_pipeline, "calm guitar", chords="C G", tempo=120, meter="4/4", duration=6.0).audios)


def test_without_guidance_the_null_condition_has_no_say(tiny_pipeline):
    one = make(tiny_pipeline, "piano", guidance=1.0, negative_prompt="")
    two = make(tiny_pipeline, "piano", guidance=1.0, negative_prompt="drums")
    assert np.array_equal(one.audios, two.audios)


def test_steps_are_reported(tiny_pipeline):
    seen = []
    make(tiny_pipeline, "piano", steps=5, on_step=lambda step, steps: seen.append((step, steps)))
    assert seen == [(i, 5) for i in range(1, 6)]


@pytest.mark.slow
def test_saves_and_loads_to_the_same_music(tiny_pipeline, tmp_path):
    tiny_pipeline.save_pretrained(tmp_path / "copy")
    again = load_pipeline(str(tmp_path / "copy"))
    assert isinstance(again, MustangoPipeline) and again.config.window_s == tiny_pipeline.config.window_s
    assert np.array_equal(make(again, "piano").audios, make(tiny_pipeline, "piano").audios)


def test_from_pretrained_is_strict_too(tiny_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_folder, tmp_path / "model")
    path = tmp_path / "model" / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["conv_out.bias"]
    save_file(tensors, path)
    with pytest.raises(InputError, match="conv_out.bias"):
        MustangoPipeline.from_pretrained(tmp_path / "model")


def test_global_randomness_is_not_used(tiny_pipeline):
    torch.manual_seed(1)
    first = make(tiny_pipeline, "piano").audios
    torch.manual_seed(2)
    assert np.array_equal(first, make(tiny_pipeline, "piano").audios)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"duration": 11}, "10.24"), ({"duration": 0}, "1-10.24"), ({"duration": [3]}, "not a number"), ({"duration": True}, "not a number"), ({"duration": -3}, "-3"), ({"duration": float("nan")}, "nan"),
        ({"steps": 0}, "steps 0"), ({"steps": 2.5}, "2.5"), ({"count": 0}, "count 0"), ({"seed": -1}, "seed -1"),
        ({"loudness": 0}, "-40 to -5"), ({"loudness": "x"}, "'x'"), ({"tail": -1}, "0 to 10 s"), ({"duration": 9.24, "tail": 2}, "11.24 s, above the model's 10.24"),
        ({"guidance": -1}, "guidance -1"), ({"guidance": float("nan")}, "guidance nan"), ({"prompt": "x" * 10_001}, "10001"),
        ({"prompt": None}, "give text"), ({"chords": "C H"}, "'H'"), ({"tempo": "fast"}, "'fast'"), ({"meter": "0/4"}, "'0/4'"),
        ({"key": "H"}, "'H'"), ({"chords": "C G Am F", "tempo": 30}, "fewer chords"),
    ],
)  # fmt: skip
def test_bad_values_are_named(tiny_pipeline, options, says):
    with pytest.raises(InputError) as error:
        make(tiny_pipeline, **{"prompt": "piano"} | options)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_low_memory_is_the_same_music(tiny_folder, tiny_pipeline):
    frugal = load_pipeline(str(tiny_folder), low_memory=True)
    assert frugal.unet is None and frugal.text_encoder is None
    for _ in range(2):
        assert np.array_equal(make(frugal, "piano").audios, make(tiny_pipeline, "piano").audios)
    assert frugal.unet is None and frugal.vae is not None


def test_low_memory_stays_on_its_device(tiny_folder):
    pipeline = load_pipeline(str(tiny_folder), low_memory=True, device="meta")
    pipeline._stage("text_encoder")
    pipeline._stage("unet")
    assert pipeline.unet.device.type == "meta" and pipeline.text_encoder is None


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers(tiny_folder, name):
    pipeline = load_pipeline(str(tiny_folder))
    pipeline.set_scheduler(name)
    first, again = make(pipeline, "piano", steps=5), make(pipeline, "piano", steps=5)
    assert np.array_equal(first.audios, again.audios) and np.isfinite(first.audios).all()
    with pytest.raises(InputError, match="lms"):
        pipeline.set_scheduler("lms")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dpm", "ddim", "ddpm"])
def test_restart_denoises_again_from_there(tiny_folder, name):
    pipeline, visited, reported = load_pipeline(str(tiny_folder)), [], []
    pipeline.set_scheduler(name)
    plain = make(pipeline, "piano", steps=9).audios
    pipeline.set_sampling(restart=0.8)
    hook = pipeline.unet.register_forward_pre_hook(lambda _, arguments: visited.append(int(arguments[1])))
    takes = make(pipeline, "piano", steps=9, count=2, on_step=lambda step, steps: reported.append((step, steps)))
    hook.remove()
    draft, rest = visited[:3], visited[3:]
    assert reported == [(i, 9) for i in range(1, 10)] and len(visited) == 9
    assert draft == sorted(draft, reverse=True) and rest == sorted(rest, reverse=True)
    assert draft[-1] < 400 and 600 < rest[0] < 880  # the grids of schedulers differ
    assert not np.array_equal(takes.audios[:1], plain)
    alone = make(pipeline, "piano", steps=9, seed=1).audios
    np.testing.assert_allclose(takes.audios[1:], alone, atol=1e-2)
    few = [make(pipeline, "piano", steps=steps).audios for steps in (1, 3)]
    pipeline.set_sampling(restart=0.0)
    for steps, audios in zip((1, 3), few, strict=True):  # too few for a draft
        assert np.array_equal(audios, make(pipeline, "piano", steps=steps).audios)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "scale"), [(6, 1.5), (10, 1.5), (20, 1.25)])
def test_noise_is_stronger_where_clips_begin_and_where_they_restart(tiny_folder, monkeypatch, steps, scale):
    def noises(extra):
        pipeline, seen = load_pipeline(str(tiny_folder)), []
        pipeline.set_sampling(restart=0.8, extra_noise=extra)
        hook = pipeline.unet.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].clone()))
        add_noise = pipeline.scheduler.add_noise
        monkeypatch.setattr(pipeline.scheduler, "add_noise", lambda x, noise, t: seen.append(noise) or add_noise(x, noise, t))
        make(pipeline, "piano", steps=steps)
        hook.remove()
        return seen[0], seen[steps // 3 if steps < 20 else steps // 2]

    (begin, restart), (louder, louder_restart) = noises(0.0), noises(5.0)
    torch.testing.assert_close(louder, scale * begin)
    torch.testing.assert_close(louder_restart, scale * restart)


def test_beats_are_asked_for_as_strongly_as_the_model_says(tiny_folder):
    pipeline = load_pipeline(str(tiny_folder))
    asked = resolve("piano", chords="C | G", tempo=120, duration=4.0)
    plain = pipeline.encode(["piano"], "", [asked], True).control
    pipeline.set_sampling(beat_accent=1.5, downbeat_accent=3.0)
    null, accented = pipeline.encode(["piano"], "", [asked], True).control
    assert accented[38].max() == 3 * plain[1][38].max() and not null.any()
    assert torch.equal(accented[39:], plain[1][39:]) and torch.equal(accented[:38], plain[1][:38])


@pytest.mark.slow
def test_guidance_leads_slow_music_away_from_its_off_beats(tiny_folder):
    pipeline = load_pipeline(str(tiny_folder))
    frame_s = pipeline.mel.config.hop_length / pipeline.mel.config.sample_rate

    def control(bpm, slow_bpm, guided=True):
        pipeline.set_sampling(slow_bpm=slow_bpm)
        asked = resolve("piano", chords="C | G", tempo=bpm, meter="3/4", duration=6.0)
        return pipeline.encode(["piano"], "", [asked], guided).control.numpy()

    for bpm, strength in ((60, 1.5), (80, 1.5), (95, 0.75), (110, 0.0), (150, 0.0)):
        null, asked = control(bpm, 110.0)
        assert null[:38].max() == 0 and null[44] == pytest.approx(strength)  # no chords; beats given
        assert np.array_equal(asked, control(bpm, 0.0)[1]) and np.array_equal(control(bpm, 110.0, guided=False)[0], asked)
        assert control(bpm, 0.0)[0].max() == 0
        half_a_beat = 30 / bpm / frame_s
        for channel in (38, 39) if strength else ():  # beats and downbeats: the centres of their pulses, the last beyond the end
            places, centres = np.arange(len(null[channel])), []
            for signal in (asked[channel], null[channel]):
                runs = np.split(places[signal > 0], np.flatnonzero(np.diff(places[signal > 0]) > 1) + 1)
                centres.append(np.array([np.average(run, weights=signal[run]) for run in runs]))
            count = len(centres[1])
            np.testing.assert_allclose(centres[1], centres[0][:count] + half_a_beat, atol=0.02)
    short = resolve("piano", chords="C", tempo=40, duration=1.0)
    assert pipeline.encode(["piano"], "", [short], True).control[0].abs().max() == 0  # one beat has no off-beat


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "opposites"),
    [
        ("a sunny tune", "dark"),
        ("Calm, somber harp", "bright"),
        ("dark organ, bright choir", ""),
        ("not dark, bright organ", "dark"),
        ("brightly lit, calm", ""),
    ],
)
def test_guidance_leads_away_from_the_opposite_of_bright_and_dark(tiny_folder, prompt, opposites):
    pipeline = load_pipeline(str(tiny_folder))
    asked = resolve(prompt, chords="C", tempo=120, duration=2.0)

    def texts(negative_prompt=""):
        condition = pipeline.encode([prompt], negative_prompt, [asked], True)
        return [states[mask] for states, mask in zip(condition.text, condition.text_mask, strict=True)]

    wanted = [texts(text)[0] for text in (opposites, ", ".join(filter(None, ("voices", opposites))))]
    plain = texts()
    pipeline.set_sampling(opposites=True)
    for words, (null, full) in zip(wanted, (texts(), texts("voices")), strict=True):
        torch.testing.assert_close(null, words)
        torch.testing.assert_close(full, plain[1])


@pytest.fixture
def with_predictors(monkeypatch):
    """Let models have predictors, which a test sets as `pipeline.predict`."""
    monkeypatch.setattr(MustangoPipeline, "_has_predictors", True)


def test_a_model_without_predictors_refuses_to_ask_them(tiny_pipeline):
    with pytest.raises(InputError, match="no neural predictors"):
        make(tiny_pipeline, "piano", predictors="neural")


@pytest.mark.slow
def test_predictors_are_asked_only_for_what_nobody_stated(tiny_folder, with_predictors):
    from mustango.release.predictors import PredictedChords

    pipeline = load_pipeline(str(tiny_folder))
    asked = []

    def predict(prompt):
        asked.append(prompt)
        times = [0.3 + 0.75 * i for i in range(8)]
        return (times, [1.0, 2.0, 3.0] * 2 + [1.0, 2.0]), PredictedChords(
            tuple(map(Chord.parse, ["Am", "Am", "F", "G"])), (0.3, 1.0, 2.5, 7.0), ("a note",)
        )

    pipeline.predict = predict
    out = pipeline("piano", duration=6.0, steps=1).controls[0]
    predicted = {"tempo": "predicted", "meter": "predicted", "key": "chosen", "chords": "predicted"}
    assert out.origin == {"duration": "given"} | predicted
    assert out.bpm == pytest.approx(80) and str(out.meter) == "3/4" and [str(c) for c in out.chords] == ["Am", "Am", "F"]
    assert out.chord_times == (0.3, 1.0, 2.5)  # as predicted: no N before, and a chord may come twice
    assert out.beat_times[0] == 0.3 and "a note" in out.notes
    asked.clear()
    pipeline("piano", duration=6.0, steps=1, count=2)
    assert asked == ["piano"]
    out = pipeline("piano", chords="C G", duration=6.0, steps=1).controls[0]
    assert out.origin["chords"] == "given" and out.origin["tempo"] == "predicted" and str(out.chords[0]) == "C"
    out = pipeline("piano at 100 bpm", duration=6.0, steps=1).controls[0]
    assert out.bpm == 100 and out.origin["chords"] == "predicted"
    asked.clear()
    pipeline("at 100 bpm, chords C G Am", duration=7.5, steps=1)
    assert asked == []


@dataclass(frozen=True)
class Heard:
    """What `mustango.release.predictors.PredictedChords` holds."""

    chords: tuple
    times: tuple
    notes: tuple = ()


def swaying(prompt):
    """Stand in for the predictors: beats that sway around 80 bpm in 3/4, the same chord twice, the first late."""
    times = [0.31, 1.04, 1.83, 2.55, 3.29, 4.1, 4.8, 5.55, 6.33]
    return (times, [1.0 + i % 3 for i in range(9)]), Heard(
        tuple(map(Chord.parse, ["Am", "Am", "Fmaj7", "G"])), (0.3, 1.0, 2.5, 7.0)
    )


@pytest.mark.slow
def test_neural_predictors_are_always_asked_and_options_come_before_them(tiny_folder, with_predictors):
    pipeline, asked = load_pipeline(str(tiny_folder)), []
    pipeline.predict = lambda prompt: asked.append(prompt) or swaying(prompt)

    def controls(prompt, **options):
        return pipeline(prompt, duration=6.0, steps=1, predictors="neural", **options).controls[0]

    prompt = "piano in 4/4 at 100 bpm in D minor, chords C G"
    out = controls(prompt)
    assert out.beat_times == tuple(swaying("")[0][0][:-1]) and str(out.meter) == "3/4" and out.bpm == pytest.approx(80, rel=0.02)
    assert [str(c) for c in out.chords] == ["Am", "Am", "Fmaj7"] and out.chord_times == (0.3, 1.0, 2.5)
    assert (out.origin["tempo"], out.origin["meter"], out.origin["chords"]) == ("predicted",) * 3
    assert out.asked == {"chords": "C G", "tempo": 100, "meter": "4/4", "key": "D minor", "duration": 6.0}
    for said in ("100 bpm in the prompt is left out", "4/4 in the prompt is left out", "chords C G in the prompt are left out", "D minor is asked for"):  # fmt: skip
        assert any(said in note for note in out.notes), said
    assert controls("piano in 3/4 at 80 bpm, chords Am Fmaj7").notes == ()  # what is heard as it was asked

    out = controls(prompt, tempo=120)
    assert out.beat_times[:3] == (0.0, 0.5, 1.0) and out.origin["tempo"] == "given" and out.origin["meter"] == "predicted"
    out = controls(prompt, meter="2/4")
    assert out.beat_times[0] == 0.31 and out.beat_positions[:4] == (1, 2, 1, 2) and out.origin["meter"] == "given"
    out = controls(prompt, beats=[[0, 0.5, 1], [1, 2, 1]])
    assert out.beat_times == (0, 0.5, 1) and out.origin["tempo"] == "given" and out.origin["chords"] == "predicted"
    out = controls(prompt, chords="Em")
    assert [str(c) for c in out.chords] == ["Em"] and out.beat_times[0] == 0.31
    assert len(asked) == 6 and set(asked) == {prompt, "piano in 3/4 at 80 bpm, chords Am Fmaj7"}
    assert controls("x", chords="C", tempo=90, meter="3/4").bpm == 90 and asked[-1] == "x"


@pytest.mark.slow
def test_predicted_beats_that_are_none_leave_the_prompt_its_say(tiny_folder, with_predictors):
    pipeline = load_pipeline(str(tiny_folder))
    for times in ([], [0.5], [3.0, 2.0, 1.0, 0.5], [0.1, 0.11, 0.12, 0.13]):
        pipeline.predict = lambda prompt, times=times: ((times, [1.0] * len(times)), Heard((), ()))
        out = pipeline("at 100 bpm, chords C G", duration=6.0, steps=1, predictors="neural").controls[0]
        assert out.bpm == 100 and [str(c) for c in out.chords][:2] == ["C", "G"] and out.origin["tempo"] == "prompt"
        assert out.notes[-2:] == ("no predicted chord can be read; what the prompt says is played", out.notes[-1])
        assert out.notes[-1].endswith("a steady grid at 100 bpm in 4/4 is played") and len(out.notes) == 2


def again(pipeline, out, **more):
    """Return the audio of a take's sidecar, by its fields as arguments."""
    told = sidecar(out, 0, "piano", {})
    names = ("chords", "chords_time", "meter", "key", "beats", "duration", "seed")
    return pipeline(told["prompt"], tempo=told["bpm"], steps=2, **{name: told[name] for name in names}, **more)


@pytest.mark.slow
def test_a_take_of_predicted_or_given_beats_is_made_again(tiny_folder, with_predictors):
    pipeline = load_pipeline(str(tiny_folder))
    given = {"beats": [[0.2, 0.75, 1.31, 1.9], [2, 3, 1, 2]], "chords": ["C", "C", "C13"], "chords_time": [0.4, 1.0, 1.5]}
    plain = pipeline("piano", duration=2.0, seed=3, steps=2, predictors="reader")
    made = pipeline("piano", duration=2.0, seed=3, steps=2, **given)
    assert made.controls[0].beat_times == tuple(given["beats"][0]) and made.controls[0].beat_positions == (2, 3, 1, 2)
    pipeline.predict = swaying
    predicted = pipeline("piano", duration=6.0, seed=3, steps=2, predictors="neural")
    for first in (plain, made, predicted):
        second = again(pipeline, first)
        assert np.array_equal(second.audios, first.audios)
        assert second.controls[0].beat_times == first.controls[0].beat_times
        assert second.controls[0].chords == first.controls[0].chords
        exact = pipeline.play([Settled(Request("piano", seed=3, steps=2), tuple(first.controls), is_exact=True)])
        assert np.array_equal(exact.audios, first.audios) and exact.controls == first.controls
    late = [[t + 0.05 for t in given["beats"][0]], given["beats"][1]]
    moved = pipeline("piano", duration=2.0, seed=3, steps=2, **given | {"beats": late})
    assert not np.array_equal(moved.audios, made.audios)


def test_more_beats_or_chords_than_the_model_takes_are_refused(tiny_pipeline):
    for asked, says in (
        ({"beats": [[i / 10 for i in range(1, 66)], [1, 2, 3, 4, 5] * 13], "tempo": None}, "600 bpm"),
        ({"beats": [[0.1, 0.6, 1.1], [1, 2, 8]], "tempo": 120}, "beat position 8 is outside the model's 1-7"),
        ({"beats": [[0.1, 0.6, 2.0], [1, 2, 3]], "tempo": None}, "beat 3 is at 2 s, but the clip ends at 2 s"),
        ({"chords": ["C", "G"] * 33, "chords_time": [i / 40 for i in range(66)]}, "66 chords are above the model's 64"),
    ):
        with pytest.raises(InputError) as error:
            make(tiny_pipeline, "piano", **asked)
        assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_what_is_played_is_what_the_model_knows(tiny_pipeline):
    out = make(tiny_pipeline, "piano", chords="C7sus4 G", duration=4.0)
    known = make(tiny_pipeline, "piano", chords=[str(c) for c in out.controls[0].chords], duration=4.0)
    assert all(c.quality in tiny_pipeline.conditioner.config.chord_types for c in out.controls[0].chords)
    assert np.array_equal(out.audios, known.audios) and known.controls[0].notes == ()
    told = sidecar(out, 0, "piano", {})
    assert told["asked"]["chords"] == "C7sus4 G" and told["chords"][1] == "G:maj" and told["chords"][0] != "C:sus4(b7)"


def test_chords_the_model_lacks_are_noted(tiny_pipeline):
    notes = tiny_pipeline("", chords="Csus4 G", tempo=120, duration=4.0, steps=1).controls[0].notes
    assert len(notes) == 1 and "Csus4" in notes[0]


@pytest.mark.slow
def test_lists_of_prompts_of_different_lengths(tiny_pipeline):
    prompts = ["piano", "calm guitar with drums and piano pop", ""]
    many = make(tiny_pipeline, prompts, seed=4, count=2)
    assert many.audios.shape[0] == 6 and many.seeds == [4, 5] * 3
    for i, prompt in enumerate(prompts):
        alone = make(tiny_pipeline, prompt, seed=4)
        np.testing.assert_allclose(many.audios[2 * i], alone.audios[0], atol=1e-2)
    with pytest.raises(InputError, match="empty"):
        make(tiny_pipeline, [])


@pytest.mark.slow
def test_layerwise_offloading_is_bit_equal(tiny_folder, tiny_pipeline):
    from diffusers.hooks import apply_group_offloading

    pipeline = load_pipeline(str(tiny_folder))
    for part in (pipeline.unet, pipeline.vae):
        apply_group_offloading(
            part, onload_device=torch.device("cpu"), offload_device=torch.device("cpu"), offload_type="leaf_level"
        )
    assert np.array_equal(make(pipeline, "piano").audios, make(tiny_pipeline, "piano").audios)


def test_what_guidance_adds_in_level_is_taken_back(tiny_pipeline):
    mels = torch.zeros(1, 64, tiny_pipeline.mel.config.n_mels)
    with torch.no_grad():
        whole, half = (tiny_pipeline.vocode(mels, 1.0, gain_db) for gain_db in (-100, -100 - 20 * np.log10(2)))
    np.testing.assert_allclose(half, whole / 2, rtol=1e-4)
    options = dict(chords="C", tempo=100, duration=1.0, steps=2, guidance=3.0)
    tiny_pipeline.set_sampling(guidance_db=60.0)
    try:
        softer = tiny_pipeline("piano", **options).audios
    finally:
        tiny_pipeline.set_sampling(guidance_db=50.0)
    louder = tiny_pipeline("piano", **options).audios
    tiny_pipeline.set_sampling(guidance_db=0.0)
    assert 0 < np.abs(louder).max() < 0.98
    np.testing.assert_allclose(softer, louder / 10, rtol=1e-3, atol=1e-9)


@pytest.mark.slow
def test_parts_change_nothing(tiny_pipeline, monkeypatch):
    options, steps = dict(duration=2.0, steps=2, chords="C", tempo=120, count=5), []
    whole = tiny_pipeline("piano", **options)
    monkeypatch.setattr("mustango.pipeline.TOGETHER_S", 4)  # two clips at once
    parts = tiny_pipeline("piano", **options, on_step=lambda *counted: steps.append(counted))
    np.testing.assert_allclose(parts.audios, whole.audios, atol=1e-2)
    assert parts.seeds == whole.seeds
    assert steps == [(step, 6) for step in range(1, 7)]


def test_clips_of_one_length_are_made_together():
    assert parts_of([4.0, 4.0, 5.0, 4.0]) == [slice(0, 2), slice(2, 3), slice(3, 4)]
    assert parts_of([TOGETHER_S / 2.5] * 5 + [2 * TOGETHER_S] * 2) == [
        slice(0, 2),
        slice(2, 4),
        slice(4, 5),
        slice(5, 6),
        slice(6, 7),
    ]


@pytest.mark.slow
def test_clips_in_bars_last_as_long_as_their_bars(tiny_pipeline):
    options = dict(duration="1 bar", steps=2, chords="C", meter="2/4")
    out = tiny_pipeline("piano", count=3, **options)
    assert [len(audio) for audio in out.audios] == [round(8000 * 120 / c.bpm) for c in out.controls]
    alone = tiny_pipeline("piano", seed=2, **options).audios[0]
    assert len({c.bpm for c in out.controls}) == 3
    np.testing.assert_allclose(alone, out.audios[2], atol=1e-2)


def test_clips_end_without_a_click(tiny_pipeline):
    mels = torch.randn(1, 64, tiny_pipeline.mel.config.n_mels)
    with torch.no_grad():
        audio, longer = (tiny_pipeline.vocode(mels, seconds, -40)[0] for seconds in (0.2, 0.4))
    faded, before = audio[-160:], longer[len(audio) - 160 : len(audio)]  # 20 ms
    loudest = np.abs(longer).max()
    np.testing.assert_allclose(audio[:-160], longer[: len(audio) - 160], atol=0.05 * loudest)  # their means differ
    np.testing.assert_allclose(faded, before * np.linspace(1, 0, 160), atol=0.05 * loudest)
    assert audio[-1] == 0 and abs(audio[0]) < 0.3 * loudest


@pytest.mark.slow
def test_sound_has_no_dc_and_true_peaks_below_the_ceiling(tiny_pipeline):
    tiny_pipeline.set_sampling(guidance_db=-12.0)  # loud
    try:
        out = make(tiny_pipeline, "piano", count=2)
        louder = make(tiny_pipeline, "piano", loudness=-16, count=2)
    finally:
        tiny_pipeline.set_sampling(guidance_db=0.0)
    for audio in (*out.audios, *louder.audios):
        assert audio.dtype == np.float32 and abs(audio.mean()) < 1e-5 and true_peak_db(audio) <= -1
    for audio, controls in zip(louder.audios, louder.controls, strict=True):
        reached = abs(loudness_of(audio, louder.sample_rate) + 16) <= 0.5
        assert reached != any("LUFS, not -16" in note for note in controls.notes)


def with_lead_in(folder, lead_in_s=0.256):
    pipeline = load_pipeline(str(folder))
    pipeline.set_sampling(lead_in_s=lead_in_s)
    return pipeline


@pytest.mark.slow
def test_a_lead_in_is_denoised_and_cut_off(tiny_folder, tmp_path):
    pipeline, seen = with_lead_in(tiny_folder), []
    pipeline.unet.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].shape[2]))
    out = make(pipeline, "piano", duration=3.3, count=2)
    rows = pipeline.rows(3.3)
    assert out.audios.shape == (2, 26400) and set(seen) == {rows + 2}  # of 128 ms
    assert out.controls[0].beat_times[0] == 0 and out.controls[0].chord_times[0] == 0
    np.testing.assert_allclose(make(pipeline, "piano", duration=3.3, seed=1).audios[0], out.audios[1], atol=1e-2)
    pipeline.save_pretrained(tmp_path / "copy")
    assert np.array_equal(make(load_pipeline(str(tmp_path / "copy")), "piano", duration=3.3, count=2).audios, out.audios)


@pytest.mark.slow
def test_what_is_cut_off_is_what_lies_before_the_clip(tiny_folder, monkeypatch):
    """The vocoder's sound is a ramp: it tells where it was cut."""
    pipeline, cut = with_lead_in(tiny_folder), []
    monkeypatch.setattr(pipeline.vocoder, "forward", lambda mels, **_: torch.arange(mels.shape[1] * 128.0).expand(len(mels), -1))
    monkeypatch.setattr("mustango.pipeline.finished", lambda wave, *_: (cut.append(wave) or wave, ()))
    make(pipeline, "piano", tail=0.5)
    assert cut[0][0] == 0.256 * 8000 and len(cut[0]) == 2.5 * 8000 and (np.diff(cut[0]) == 1).all()


def twice_drawn(pipeline, spans):
    generators = [torch.Generator().manual_seed(3)]
    return pipeline._drawn(generators, spans), pipeline._drawn(generators, spans)


@pytest.mark.slow
def test_a_lead_in_keeps_the_noise_of_the_clip_and_moves_what_is_asked(tiny_folder):
    plain, led = load_pipeline(str(tiny_folder)), with_lead_in(tiny_folder)
    asked = resolve("piano", chords="C | G", tempo=150, meter="3/4", duration=4.0)
    spans, longer = plain.spans(4.0), led.spans(4.0, 0.5)
    assert spans == (0, 32, 0) and longer == (2, 32, 4)
    (noise, again), (more, more_again) = (twice_drawn(p, s) for p, s in ((plain, spans), (led, longer)))
    assert torch.equal(more[:, :, 2:34], noise) and torch.equal(more_again[:, :, 2:34], again) and more.shape[2] == 38
    assert torch.equal(twice_drawn(led, led.spans(4.0))[1], more_again[:, :, :34])
    rows = torch.cat([more, more_again], dim=2).unbind(dim=2)
    assert not any(torch.equal(a, b) for a, b in combinations(rows, 2)) and 0.9 < torch.stack(rows).std() < 1.1
    before, after = plain.encode(["piano"], "", [asked], True), led.encode(["piano"], "", [asked], True, 0.5)
    frames, tail = 16, 16 + 250  # of 16 ms
    torch.testing.assert_close(after.control[1, :36, frames:tail], before.control[1, :36, :250])
    torch.testing.assert_close(after.control[1, 38:, frames : tail - 1], before.control[1, 38:, :249], rtol=1e-3, atol=1e-4)
    assert (after.control[1, 36, :frames] == 1).all() and torch.equal(after.control[1, :12, 0], before.control[1, :12, 0])
    assert not after.control[:, 38:, tail:].any()  # no pulse
    assert (after.control[1, :38, tail:] == after.control[1, :38, tail - 1 : tail]).all() and after.control[1, :36, tail:].any()
    assert after.beat_times[1, :10].tolist() == pytest.approx([t + 0.256 for t in asked.beat_times])
    assert after.chord_times[1, :4].tolist() == pytest.approx([0, 1.456, 2.656, 3.856])
    torch.testing.assert_close(after.beats[1, :10], before.beats[1, :10])  # the code of their times is the clip's


@pytest.mark.slow
@given(
    first=st.floats(0, 0.95), bpm=st.floats(40, 280), beats=st.integers(2, 7), lead_in_s=st.sampled_from([0, 0.256, 0.512]),
)  # fmt: skip
def test_the_pulse_goes_back_into_the_lead_in(first, bpm, beats, lead_in_s):
    times, positions = beat_grid(bpm, Meter(beats, 4), 8.0, first * 60 / bpm)
    asked = replace(
        resolve("", chords="C G", tempo=bpm, meter=f"{beats}/4", duration=8.0 + 16 * beats),
        beat_times=tuple(times), beat_positions=tuple(positions),
    )  # fmt: skip
    out = framed(asked, lead_in_s)
    added = len(out.beat_times) - len(times)
    assert out.beat_times[added:] == asked.beat_times and out.beat_positions[added:] == asked.beat_positions
    assert all(-lead_in_s - 1e-3 <= t < 0 for t in out.beat_times[:added])
    assert np.allclose(np.diff(out.beat_times), 60 / bpm, atol=1e-4)
    assert all((b - a) % beats == 1 % beats for a, b in zip(out.beat_positions, out.beat_positions[1:], strict=False))
    if lead_in_s:
        assert out.beat_times[0] - 60 / bpm < -lead_in_s + 1e-3
    starts = list(zip(out.chords, out.chord_times, strict=True))
    assert starts == [(asked.chords[0], -lead_in_s), *zip(asked.chords[1:], asked.chord_times[1:], strict=True)]
    assert framed(asked, 0.0) == asked


@pytest.mark.slow
def test_a_tail_comes_after_the_duration(tiny_pipeline):
    out, plain = (make(tiny_pipeline, "piano", tail=t, count=2) for t in ("1.5", 0))
    assert out.audios.shape == (2, 28000) and plain.audios.shape == (2, 16000) and out.controls[0].duration_s == 2.0
    assert np.abs(out.audios[:, -400:]).max() < 0.05 * np.abs(out.audios[:, :16000]).max()
    bars = tiny_pipeline("piano", duration="1 bar", chords="C", meter="2/4", count=3, steps=1, tail=0.5)
    assert [len(a) for a in bars.audios] == [round(8000 * (c.duration_s + 0.5)) for c in bars.controls]


@pytest.mark.slow
def test_what_the_denoiser_makes_is_sharpened_and_mended_more(tiny_folder, monkeypatch):
    """Not so the mels of real audio."""
    pipeline, vocoded = load_pipeline(str(tiny_folder)), []
    pipeline.set_sampling(postfilter_strength=3.0)
    monkeypatch.setattr(pipeline.mel, "sharpened", lambda mels: mels + 5)
    real = pipeline.vocoder.forward
    monkeypatch.setattr(pipeline.vocoder, "forward", lambda mels, **how: vocoded.append((mels, how)) or real(mels, **how))
    latents = []
    monkeypatch.setattr(pipeline, "denoise", lambda condition, noise, *_: latents.append(noise) or noise)
    make(pipeline, "piano")
    with torch.no_grad():
        mels = pipeline.decode(latents[0])
        pipeline.vocode(mels, 1.0)
    (generated, more), (plain, as_learnt) = vocoded
    torch.testing.assert_close(generated, mels + 5)
    assert more == {"postfilter_strength": 3.0} and plain is mels and as_learnt == {"postfilter_strength": 1.0}


@pytest.mark.slow
def test_settings_of_inference_are_saved_and_read_as_older_versions_wrote_them(tiny_folder, tmp_path):
    pipeline = load_pipeline(str(tiny_folder))
    before = pipeline.sampling
    pipeline.set_sampling(restart=0.7, opposites=True)
    pipeline.save_pretrained(tmp_path / "now")
    assert load_pipeline(str(tmp_path / "now")).sampling == replace(before, restart=0.7, opposites=True)
    with pytest.raises(InputError, match="'restrat'; known: guidance_db, restart"):
        pipeline.set_sampling(restrat=0.5)
    path = tmp_path / "now" / "model_index.json"
    index = json.loads(path.read_text())
    index |= index.pop("sampling") | {"unet": ["mustango.munet", "MuNet"]}
    path.write_text(json.dumps(index))
    assert load_pipeline(str(tmp_path / "now")).sampling == replace(before, restart=0.7, opposites=True)


def test_samplers_of_a_model_that_restarts_begin_at_the_noise(tiny_folder):
    from mustango.pipeline import load_pipeline

    pipeline = load_pipeline(str(tiny_folder))
    for restart, first in ((0.0, 900), (0.83, 999)):
        pipeline.set_sampling(restart=restart)
        for name in ("ddim", "ddpm"):
            pipeline.set_scheduler(name)
            assert set_timesteps(pipeline.scheduler, 10, 1.0, "cpu")[0] == first


@pytest.mark.slow
def test_an_adapter_is_not_saved_in_silence(tiny_folder, tmp_path):
    from peft import LoraConfig

    pipeline = load_pipeline(str(tiny_folder))
    plain = make(pipeline, "piano").audios
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    adapted = make(pipeline, "piano").audios
    assert not np.array_equal(adapted, plain)
    with pytest.raises(InputError, match="unload_lora"):
        pipeline.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    pipeline.unet.fuse_lora()
    pipeline.unet.unload_lora()
    pipeline.save_pretrained(tmp_path / "saved")
    assert np.allclose(make(load_pipeline(str(tmp_path / "saved")), "piano").audios, adapted, atol=1e-3)


@pytest.mark.slow
def test_a_frugal_pipeline_is_saved_whole(tiny_folder, tiny_pipeline, tmp_path):
    frugal = load_pipeline(str(tiny_folder), low_memory=True)
    frugal.save_pretrained(tmp_path / "saved")
    assert np.array_equal(make(load_pipeline(str(tmp_path / "saved")), "piano").audios, make(tiny_pipeline, "piano").audios)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_weights_that_are_not_finite_are_named(tiny_folder, tmp_path, part):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_folder, tmp_path / "model")
    path = next((folder / part).glob("*.safetensors"))
    tensors = load_file(path)
    name = sorted(tensors)[-1]
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path, {"format": "pt"})
    for low_memory in (False, True):
        with pytest.raises(InputError, match=f"{part}: tensor {name} holds NaN"):
            make(load_pipeline(str(folder), low_memory=low_memory), "piano")


@pytest.mark.slow
def test_a_request_leaves_the_pipeline_as_it_was(tiny_folder):
    pipeline = load_pipeline(str(tiny_folder))
    before = pipeline.scheduler
    pipeline("piano", duration=1.0, steps=1, scheduler="ddim")
    assert pipeline.scheduler is before
    settled = [resolve_request(Request("piano", duration=1.0, steps=steps), pipeline.facts) for steps in (1, 2)]
    with pytest.raises(InputError, match="differ in steps"):
        pipeline.play(settled)


@pytest.mark.slow
def test_predictors_are_left_what_they_will_tell_and_no_more(with_predictors, tiny_folder):
    facts = load_pipeline(str(tiny_folder)).facts
    for prompt, left in (
        ("piano", {"tempo", "meter", "chords"}), ("a waltz for harp", {"chords"}), ("piano at 100 bpm", {"chords"}),
        ("C G Am F in 6/8, fast", set()),
    ):  # fmt: skip
        settled = resolve_request(Request(prompt), facts)
        assert settled.takes[0].left_to_predictors == left and settled.asks_predictors == bool(left)
    assert not resolve_request(Request("piano", predictors="reader"), facts).asks_predictors
