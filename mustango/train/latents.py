"""A dataset's rows as latents and caption states, encoded once and kept."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import soxr
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from musicbench.build.copy_loading import RowSounds
from musicbench.build.dataset import row_captions
from musicbench.build.index import file_state
from musicbench.files import written_whole
from mustango.model.conditioning import encode_text
from mustango.release.classes import class_of
from mustango.release.files import read_json
from mustango.train.rows import training_rows

WINDOW_S = 10.24
CAPTIONS_A_CLIP = 3
MOST_S = 660  # of a row's sound, of which a window is learnt from


@dataclass(frozen=True)
class LatentGrid:
    """How a model's latents lie in time: a row of them stands for so many frames of the mel and samples of sound."""

    sample_rate: int
    frames: int
    samples: int

    @classmethod
    def of(cls, mel, vae):
        frames = mel.config.fold[0] * 2 ** (len(vae.config.block_out_channels) - 1)
        return cls(mel.config.sample_rate, frames, frames * mel.config.hop_length)

    @property
    def row_s(self):
        return self.samples / self.sample_rate

    def rows(self, row):
        """Return how many rows of latents the clip of a dataset row has, the last perhaps in part."""
        return -(-round(min(row.get("duration") or 10.0, WINDOW_S) * self.sample_rate) // self.samples)


def load_text_encoder(folder):
    """Load a text encoder as the class that its config names: of a T5 the encoder alone. Raises InputError."""
    kind = (read_json(Path(folder) / "config.json").get("architectures") or [None])[0]
    return class_of("text_encoder", "transformers", kind).from_pretrained(folder, dtype=torch.float32)


@torch.no_grad()
def encode_dataset(folder, cache, parts):
    """Encode rows to latents and caption states, once, in files of 250 rows under `cache`; returns rows and files.

    The files lie in a folder named by the rows and their captions, by their audio files' sizes and times and by the
    weights that encode them.
    """
    mel, vae, tokenizer, text_encoder = parts
    rows, paths = training_rows(folder, ("location", "dataset", "main_caption"), may_be_made=True), []
    captions = [row_captions(row, CAPTIONS_A_CLIP) for row in rows]
    digest = hashlib.sha256(json.dumps([rows, captions], sort_keys=True).encode())
    for row in rows:
        digest.update(file_state(Path(folder) / row["location"]).encode())  # of a row without a file its fields tell all
    for tensor in (*vae.encoder.state_dict().values(), *text_encoder.state_dict().values()):
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    folder, cache = Path(folder), Path(cache) / digest.hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    grid, sounds = LatentGrid.of(mel, vae), RowSounds(folder)
    samples = max(map(grid.rows, rows)) * grid.samples

    def waveform(row):
        sound, rate = sounds.load(row, MOST_S)
        sound = torch.from_numpy((sound if rate == grid.sample_rate else soxr.resample(sound, rate, grid.sample_rate))[:samples])
        return F.pad(sound, (0, samples - len(sound)))

    for first in range(0, len(rows), 250):
        chunk, said = (some[first : first + 250] for some in (rows, captions))
        path = cache / f"{first:08d}-{len(chunk)}.safetensors"
        paths.append(path)
        if path.exists():
            continue
        latents, states, lengths = [], [], []
        with ThreadPoolExecutor() as readers:
            waveforms = torch.stack(list(readers.map(waveform, chunk)))
        for some in range(0, len(chunk), 25):
            z = vae.encode(mel.folded(mel(waveforms[some : some + 25].to(vae.device))[:, :-1])).latent_dist.mode()
            latents.append(((z - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor).half().cpu())
            texts = [text for own in said[some : some + 25] for text in own]
            text, mask = encode_text(tokenizer, text_encoder, texts)
            states.append(text[mask].half().cpu())
            lengths.append(mask.sum(1).cpu())
        tensors = {"latents": torch.cat(latents).contiguous(), "states": torch.cat(states), "lengths": torch.cat(lengths)}
        with written_whole(path) as temporary:
            save_file(tensors, temporary)
        print(f"encoded {first + len(chunk)}/{len(rows)}", flush=True)
    return rows, paths
