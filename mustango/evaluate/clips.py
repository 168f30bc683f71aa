"""The clips of an evaluation, made in parallel: composed, generated, sent through VAE and vocoder; or found where others put them."""

import os
import warnings
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from musicbench import InputError
from musicbench.build.engines import processes
from musicbench.build.songs import SUFFIXES
from musicbench.compose.compose import find_soundfont
from musicbench.files import inside
from musicbench.sound.audio import AUDIO_SUFFIXES, load_audio, save_audio
from mustango.evaluate.testsets import HELD_OUT, composed_audio, composed_case
from mustango.hear.judges import compile_librosa
from mustango.hear.obeyed import best_take
from mustango.release.files import read_json
from mustango.release.folder import model_folder
from mustango.release.layouts import is_released
from mustango.request.model_facts import read_facts

MOST_S = 3700  # of a clip's sound: the longest that a row may say, and more
REFERENCE = "held out"  # composed sets: audio of other controls, what FAD and KAD measure the distance to


def worker_pool(count):
    """Return a context that gives a pool of single-threaded processes. It raises InputError when one of them is killed."""
    return processes(count, _start_worker, get_context("spawn").Lock())


def _start_worker(lock):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    threadpool_limits(1)
    with lock:
        compile_librosa()


def results(name, jobs):
    """Return {id: result} of {id: future}, with progress. Raises what a job raises."""
    return {id_: job.result() for id_, job in tqdm(jobs.items(), desc=name, unit="clip", disable=None if jobs else True)}


def _refusal(function, *arguments):
    """Call a function; returns the InputError it raises, or None."""
    try:
        function(*arguments)
    except InputError as error:
        return error
    return None


def make_clips(pool, name, folder, wanted, problems):
    """Let the pool make clips {id: (function, arguments)}, those that are not in `folder` yet; functions take the path last.

    Returns {id: path}; what a function refuses goes to `problems`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {id_: folder / f"{id_}.flac" for id_ in wanted}
    jobs = {id_: pool.submit(_refusal, *wanted[id_], path) for id_, path in paths.items() if not path.is_file()}
    for id_, error in results(name, jobs).items():
        if error:
            problems.append({"column": name, "id": id_, "what": f"not made: {error}"})
            del paths[id_]
    return paths


def compose_clip(case, sample_rate, path):
    """Write the composer's audio of a composed case."""
    save_audio(path, composed_audio(case, sample_rate), sample_rate)


@cache
def pipeline_of(model, device):
    """Load a pipeline, once a process, without progress bars."""
    from mustango.pipeline import load_pipeline

    return load_pipeline(model, device, quiet=True)


def generate_clip(setup, prompt, controls, duration_s, seed, path):
    """Write what the model of a setup (model, device, steps, guidance, takes) makes of a prompt and controls; the best of its takes."""
    pipeline = pipeline_of(setup.model, setup.device)
    duration = min(duration_s, pipeline.longest_s)
    how = {"steps": setup.steps, "guidance": setup.guidance, "count": setup.takes}
    output = pipeline(prompt, **controls, duration=duration, seed=seed, **how)
    best = best_take(output)[0] if setup.takes > 1 else 0
    save_audio(path, output.audios[best], output.sample_rate)


@torch.no_grad()
def round_trip_clip(setup, source, path):
    """Write an audio file as it comes out of the VAE and the vocoder."""
    pipeline = pipeline_of(setup.model, setup.device)
    mel = pipeline.mel
    samples, rate = load_audio(source, mel.config.sample_rate, MOST_S)
    duration = min(len(samples) / rate, pipeline.longest_s)
    wave = torch.from_numpy(samples[: round(duration * rate)]).to(pipeline.device)[None]
    frames = pipeline.rows(duration) * pipeline.vae_scale * mel.config.fold[0]
    wave = torch.nn.functional.pad(wave, (0, max(frames * mel.config.hop_length - wave.shape[1], 0)))
    mels = pipeline.decode(pipeline.latents_of(mel(wave)[:, :frames]))
    save_audio(path, pipeline.vocode(mels, duration)[0], rate)


def sample_rate_of(model):
    """Return a model's sample rate without loading it."""
    folder = model_folder(model)
    return 16000 if is_released(folder) else read_json(folder / "mel" / "config.json").get("sample_rate", 16000)


# ---------------------------------------------------------------------------------------------------- the clips of a set


def check_sources(setup):
    """Raise InputError unless what clips are made with is there: a model that can be read, a SoundFont to compose with."""
    if not setup.audio:
        read_facts(setup.model)
    needs_reference = setup.embedding != "none" or "real" in setup.columns or "round trip" in setup.columns
    if str(setup.set).startswith("composed:") and needs_reference:
        find_soundfont()


def real_clips(pool, setup, cases, audio, given, problems):
    """Return {column: {id: path}} of the set's own audio, and for composed sets of what the distances are measured to."""
    with_real, clips = "real" in setup.columns or "round trip" in setup.columns, {}
    if not str(setup.set).startswith("composed:"):
        if with_real:
            own = _own_audio(cases, setup, problems)
            judged = {os.path.realpath(path) for path in given.get("model", {}).values()}  # a folder with its own targets beside it
            clips["real"] = {id_: path for id_, path in own.items() if os.path.realpath(path) not in judged}
        return clips
    wanted = {"real": cases} if with_real else {}
    if setup.embedding != "none":
        seed = int((str(setup.set).split(":") + ["7"])[2])
        wanted[REFERENCE] = [composed_case(seed, index, HELD_OUT) for index in range(len(cases))]
    rate = sample_rate_of(setup.model) if not setup.audio else 24000
    for column, composed in wanted.items():
        jobs = {case.id: (compose_clip, case, rate) for case in composed}
        clips[column] = make_clips(pool, column, _column_folder(audio, column), jobs, problems)
    return clips


def made_clips(pool, setup, cases, audio, clips, problems):
    """Return {column: {id: path}} of what the model makes of the cases, and of the real clips."""
    wanted = {
        "model": {case.id: _asked(setup, case, case.controls) for case in cases},
        "round trip": {id_: (round_trip_clip, setup, path) for id_, path in clips.get("real", {}).items()},
        "dropped": {case.id: _asked(setup, case, {}) for case in cases[: setup.dropped]} if setup.given else {},
    }
    return {
        column: make_clips(pool, column, _column_folder(audio, column), jobs, problems)
        for column, jobs in wanted.items()
        if column in setup.columns and jobs
    }


def _column_folder(audio, column):
    return audio / column.replace(" ", "-")


def _asked(setup, case, controls):
    return generate_clip, setup, case.prompt, controls, case.asked.duration_s, case.seed


def _by_stem(folder):
    """Return {stem: path} of the audio files under a folder. Raises InputError when there is none."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    if not files:
        raise InputError(f"no audio in {folder}; give a folder with {', '.join(AUDIO_SUFFIXES)} files")
    return {path.stem: path for path in reversed(files)}


def given_audio(cases, folder, problems):
    """Return {id: path} of the files in `folder` named after a clip's id or its row's file; mismatches go to `problems`."""
    files = _by_stem(folder)
    stems = {case.id: case.id if case.id in files or not case.audio else Path(case.audio).stem for case in cases}
    paths = {name: files[stem] for name, stem in stems.items() if stem in files}
    if not paths:
        raise InputError(
            f"no file in {folder} is named after a clip of the set (first: {cases[0].id}); name files ID.wav, or write file_name"
        )
    problems += [
        {"column": "model", "id": name, "what": f"missing: no file {stem}.* in the folder"}
        for name, stem in stems.items()
        if name not in paths
    ]
    extra = sorted(set(files) - set(stems.values()))
    if extra:
        what = f"{len(extra)} files belong to no clip of the set: {', '.join(extra[:3])}{' ...' if len(extra) > 3 else ''}"
        problems.append({"column": "model", "id": "-", "what": what})
    return paths


def _own_audio(cases, setup, problems):
    """Return {id: path} of a file set's own audio, in the folder --real or beside the set; rows name no files elsewhere."""
    folder = setup.real
    files = _by_stem(folder) if folder else {}
    own = {case.id: Path(case.audio) for case in cases if case.audio}
    if folder:
        own = {case.id: files.get(case.id) or files.get(own.get(case.id, Path("-")).stem) for case in cases}
    else:
        outside = {id_: error for id_, path in own.items() if (error := _refusal(inside, Path(setup.set).parent, path.absolute()))}
        problems += [{"column": "real", "id": id_, "what": f"not read: {error}"} for id_, error in outside.items()]
        own = {id_: path for id_, path in own.items() if id_ not in outside}
    paths = {name: path for name, path in own.items() if path and path.is_file()}
    if len(paths) < len(cases):
        what = f"{len(cases) - len(paths)} of {len(cases)} clips have no audio of their own{f' in {folder}' if folder else ''}"
        problems.append({"column": "real", "id": "-", "what": f"{what}; name its folder with --real"})
    return paths
