"""The released model at full size, with random weights: write it in the released layout, convert, load, denoise, decode.

    python benchmarks/full_size.py WORK_FOLDER

Needs about 30 GB of disk. Prints seconds and peak resident memory of each stage, each in a process of its own (memory-mapped pages
count as resident), beside the size of the largest component. Tokenizers are the bundled model's, standing in.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

TOKENIZER = str(ROOT / "checkpoints" / "mustango-mini" / "tokenizer")


def write(folder):
    """Write random weights of the released names and shapes, file by file, and the configs."""
    import torch
    from parity import FULL_MUNET, FULL_VAE

    from mustango.release.layouts import RELEASED_WEIGHTS

    torch.manual_seed(0)
    for name, file in RELEASED_WEIGHTS.items():
        shapes = json.loads((ROOT / "tests" / "golden" / "keys" / f"keys_{name}.json").read_text())
        tensors = {}
        for key, shape in shapes.items():
            is_norm = re.search(r"norm\w*\.weight$|LayerNorm\.weight$", key)
            tensors[key] = torch.ones(shape) if is_norm else torch.randn(shape) * 0.02
        (folder / name).mkdir(parents=True, exist_ok=True)
        torch.save(tensors, folder / name / file)
    stft = {
        "filter_length": 1024, "hop_length": 160, "win_length": 1024, "n_mel_channels": 64, "sampling_rate": 16000,
        "mel_fmin": 0, "mel_fmax": 8000,
    }  # fmt: skip
    configs = {
        "music_diffusion_model_config": FULL_MUNET, "vae_config": FULL_VAE, "stft_config": stft, "main_config": {"text_encoder_name": TOKENIZER},
    }  # fmt: skip
    (folder / "configs").mkdir(exist_ok=True)
    for name, config in configs.items():
        (folder / "configs" / f"{name}.json").write_text(json.dumps(config))


def convert(folder):
    from mustango.release.conversion import convert

    convert(folder / "released", folder / "ours", tokenizers={"beat_tokenizer": TOKENIZER, "chord_tokenizer": TOKENIZER})


def play(folder, low_memory):
    """Two guided denoising steps of a whole window, decoded."""
    from mustango.pipeline import load_pipeline

    started = time.perf_counter()
    pipeline = load_pipeline(str(folder / "ours"), low_memory=low_memory)
    print(f"  loaded in {time.perf_counter() - started:.1f} s", flush=True)
    steps = [time.perf_counter()]
    out = pipeline(
        "calm piano",
        chords="C Am F G",
        tempo=120,
        steps=2,
        predictors="reader",
        on_step=lambda *_: steps.append(time.perf_counter()),
    )
    print(
        f"  step {steps[-1] - steps[-2]:.1f} s, the rest {time.perf_counter() - steps[-1]:.1f} s, audio {out.audios.shape}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stage", choices=("write", "convert", "play", "play-low"))
    options = parser.parse_args()
    if options.stage:
        options.folder.mkdir(parents=True, exist_ok=True)
        stages = {"write": lambda: write(options.folder / "released"), "convert": lambda: convert(options.folder)}
        stages |= {"play": lambda: play(options.folder, False), "play-low": lambda: play(options.folder, True)}
        stages[options.stage]()
        return
    (options.folder / "released").mkdir(parents=True, exist_ok=True)
    for stage in ("write", "convert", "play", "play-low"):
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, __file__, str(options.folder), "--stage", stage])
        _, status, usage = os.wait4(process.pid, 0)
        print(
            f"{stage}: {time.perf_counter() - started:.0f} s, peak {usage.ru_maxrss / 2**20:.2f} GiB, status {status}", flush=True
        )
        if stage == "convert":
            parts = {
                p.name: sum(f.stat().st_size for f in p.glob("*.safetensors")) / 2**30
                for p in (options.folder / "ours").iterdir()
                if p.is_dir()
            }
            print("  largest component: {} {:.2f} GiB".format(*max(parts.items(), key=lambda item: item[1])), flush=True)


if __name__ == "__main__":
    main()
