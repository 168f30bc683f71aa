"""Samples a second of training MuNet: python benchmarks/train.py --steps 60

Side by side, in turn, so many rounds: a plain loop that reads, and encodes by VAE and text encoder, the sound and captions of a batch at
each step; `mustango train munet`, which encodes them once; and the same in two processes, where there are two cores. All with the same
model, clips, batch, loss and --threads a process. What encoding once takes is told, too: it is paid before the first step.
"""

import argparse
import csv
import os
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kills import run, song

from musicbench.files import save_json_lines

CLIP_S = 10.24


def write_rows(folder, count):
    """Write a dataset of plain chords, with three captions a clip."""
    (folder / "train").mkdir(parents=True)
    labels = {"bpm": 120.0, "chords": ["C", "F"], "chords_time": [0.0, 4.0], "key": ["C", "major"]}
    labels["beats"] = [[n / 2 for n in range(20)], [n % 4 + 1 for n in range(20)]]
    rows = []
    for number in range(count):
        location = f"train/{number}.flac"
        song(folder / location, 200 + number, seconds=CLIP_S)
        caption = f"A calm piece for piano and strings, number {number}. The tempo is 120 bpm. It is in the key of C major."
        rows.append({"location": location, "dataset": "tones", "main_caption": caption, "duration": CLIP_S, **labels})
    save_json_lines(folder / "rows.jsonl", rows)


def plain_loop(data, run_folder, steps, batch_size):
    """Return (samples a second, seconds that encoding a clip takes) of a loop that encodes at each step."""
    import torch

    from mustango.model.conditioning import encode_text
    from mustango.train.latents import encoded_sound, load_text_encoder, waveforms_of
    from mustango.train.munet import TrainMuNet
    from mustango.train.parts import begin
    from mustango.train.recipe import Recipe
    from mustango.train.sources import open_source

    class Plain(TrainMuNet):
        def _drawn_places(self, rng, size, at):
            self.places = [*super()._drawn_places(rng, size, at)]
            return self.places

    from diffusers import AutoencoderKL

    from mustango.model.mel import LogMel
    from mustango.train.checks import part

    recipe, source = Recipe(halves=0), open_source(data)
    with redirect_stdout(StringIO()):
        task = Plain(data, run_folder, recipe=recipe)
    mel, vae = LogMel.from_pretrained(part(run_folder, "mel")), begin(AutoencoderKL, {}, run_folder, "vae").eval()
    text_encoder = load_text_encoder(part(run_folder, "text_encoder")).eval()
    task.model.train()
    parameters = [*task.model.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    encoding_s, begun = 0.0, 0.0
    for step in range(steps + 1):
        if step == 1:  # the first warms up
            begun, encoding_s = time.monotonic(), 0.0
        batch = task.draw(np.random.default_rng(step), batch_size, (0, step))
        before = time.monotonic()
        with torch.no_grad():
            rows = [source.rows[place] for place in task.places]
            waveforms, _ = waveforms_of(source, rows, task.grid.sample_rate, task.rows * task.grid.samples, recipe)
            latents = encoded_sound(waveforms, mel, vae, recipe.posterior)["latents"].float()
            text, mask = encode_text(task.tokenizer, text_encoder, [row["main_caption"] for row in rows])
        encoding_s += time.monotonic() - before
        batch |= {"latents": latents, "text": text, "text_mask": mask.bool()}
        loss, _ = task.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.monotonic() - begun
    return steps * batch_size / seconds, encoding_s / (steps * batch_size)


def ours(data, run_folder, steps, batch_size, threads, processes, recipe):
    """Return samples a second of `mustango train munet`, from the first line of its curve to the last."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", processes, "-m"] if processes > 1 else []
    how = ["--steps", steps, "--batch-size", batch_size, "--threads", threads, "--recipe", recipe]
    run([*launcher, "mustango", "train", "munet", "-o", run_folder, "--data", data, *how])
    with (run_folder / "munet" / "curve.csv").open(newline="") as file:
        lines = [(int(line["step"]), float(line["seconds"])) for line in csv.DictReader(file)]
    return (lines[-1][0] - lines[0][0]) * batch_size / (lines[-1][1] - lines[0][1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="mustango-mini")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument(
        "--steps", type=int, default=60, help="of ours, 40 or more, as every 20th is a line; the plain loop takes a third"
    )
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    counts = [1] + [2] * (cores >= 2 * options.threads)
    speeds = {name: [] for name in ("plain", *counts)}
    with tempfile.TemporaryDirectory() as folder:
        data, begun, recipe = Path(folder) / "data", Path(folder) / "begun", Path(folder) / "recipe.toml"
        recipe.write_text("[sound]\nhalves = 0\n")
        write_rows(data, options.rows)
        run(["mustango", "train", "start", "-o", begun, "--from", options.model])
        for turn in range(options.rounds):
            speed, encoding_s = plain_loop(data, begun, options.steps // 3, options.batch_size)
            speeds["plain"].append(speed)
            for count in counts:
                place = shutil.copytree(begun, Path(folder) / f"{turn}-{count}")
                how = options.steps, options.batch_size, options.threads, count, recipe
                speeds[count].append(ours(data, place, *how))
                shutil.rmtree(place)
            told = ", ".join(f"{name} {speed[-1]:.2f}" for name, speed in speeds.items())
            print(f"round {turn + 1}, samples a second: {told}", flush=True)
    plain, one = (float(np.mean(speeds[name])) for name in ("plain", 1))
    saved_s = 1 / plain - 1 / one
    print(f"{cores} cores, {options.threads} thread(s) a process, batch {options.batch_size}, {options.rounds} rounds")
    print(f"plain loop: {plain:.2f} samples/s; {1000 * encoding_s:.0f} ms of each sample are encoding")
    print(
        f"ours, one process: {one:.2f} samples/s, {one / plain:.2f} times the plain loop; encoding a clip once is paid back after {encoding_s / saved_s:.1f} draws of it"
    )
    if 2 in speeds:
        two = float(np.mean(speeds[2]))
        print(f"ours, two processes: {two:.2f} samples/s, {two / one:.2f} times one")
    else:
        print(f"two processes: not measured, {cores} core(s) for 2 x {options.threads} threads")


if __name__ == "__main__":
    main()
