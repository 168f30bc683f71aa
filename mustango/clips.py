"""Making the clips of an evaluation in parallel: composing, generating, the round trip through VAE and vocoder."""

import signal
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context

import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from musicbench import InputError
from musicbench.clip import load_audio, save_audio
from mustango.checkpoint import is_released, model_folder, read_json
from mustango.judges import compile_librosa
from mustango.obeyed import best_take
from mustango.testsets import composed_audio


@contextmanager
def worker_pool(count):
    """Give a pool of single-threaded processes. Raises InputError when one of them is killed."""
    spawn = get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_start_worker, initargs=(spawn.Lock(),))
    try:
        yield pool
    except BrokenProcessPool:
        raise InputError("a worker was killed, perhaps for memory; run the same command again, with fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(lock):
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)
    threadpool_limits(1)
    with lock:
        compile_librosa()


def results(name, jobs):
    """Yield (id, result or InputError) of {id: future}, with progress."""
    for id_, job in tqdm(jobs.items(), desc=name, unit="clip", disable=None if jobs else True):
        error = job.exception()
        if error and not isinstance(error, InputError):
            raise error
        yield id_, error or job.result()


def make_clips(pool, name, folder, wanted, problems):
    """Let the pool make clips {id: (function, arguments)}, those that are not in `folder` yet; functions take the path last.

    Returns {id: path}; what a function refuses goes to `problems`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {id_: folder / f"{id_}.flac" for id_ in wanted}
    jobs = {id_: pool.submit(*wanted[id_], path) for id_, path in paths.items() if not path.is_file()}
    for id_, error in results(name, jobs):
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
    samples, rate = load_audio(source, mel.config.sample_rate)
    duration = min(len(samples) / rate, pipeline.longest_s)
    wave = torch.from_numpy(samples[: round(duration * rate)]).to(pipeline.device)[None]
    frames = pipeline.rows(duration) * pipeline.vae_scale * mel.config.fold[0]
    wave = torch.nn.functional.pad(wave, (0, max(frames * mel.config.hop_length - wave.shape[1], 0)))
    mels = pipeline.decode(pipeline.latents_of(mel(wave)[:, :frames]))
    save_audio(path, pipeline.vocode(mels, duration)[0], rate)


def sample_rate_of(model):
    """Return a model's sample rate without loading it."""
    folder = model_folder(model)
    return 16000 if is_released(folder) else read_json(folder / "mel" / "config.json")["sample_rate"]
