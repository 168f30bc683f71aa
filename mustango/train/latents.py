"""A dataset's rows as latents and caption states: encoded once, kept in files that are mapped into memory and never read whole."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from musicbench import InputError
from musicbench.files import written_whole
from mustango.model.conditioning import encode_text
from mustango.release.classes import class_of
from mustango.release.files import read_json
from mustango.train.recipe import Recipe
from mustango.train.sources import leave_out
from mustango.train.texts import captions_of

WINDOW_S = 10.24
ROWS_A_FILE, TEXTS_A_FILE = 250, 500
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


@cache
def _mapped(path):
    """Open a file of tensors, whose pages come when they are read."""
    return safe_open(path, "pt")


class EncodedRows:
    """A dataset's rows with what was encoded of them. `captions`: of each row, the places of its captions among `texts`; text 0 is none.

    Where the recipe has texts encoded at each step, there are no states.
    """

    def __init__(self, rows, texts, captions, latent_files, state_files):
        self.bad = set()  # places of rows whose sound could not be read
        for number, path in enumerate(latent_files):
            told = json.loads((_mapped(path).metadata() or {}).get("bad", "{}"))
            self.bad |= {number * ROWS_A_FILE + int(place) for place in told}
        self.rows, self.texts, self.captions = rows, texts, captions
        self._latents, self._states = latent_files, state_files
        lengths = [torch.cat([torch.zeros(1, dtype=torch.long), _mapped(path).get_tensor("lengths")]) for path in state_files]
        self._offsets = [own.cumsum(0).tolist() for own in lengths]

    def latents(self, index: int, first: int, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Return rows of latents (C, count, W), float32, of the row at `index`; those beyond its end are 0.

        generator: of the noise that draws them where the VAE's posterior was kept, not its mode.
        """
        file, place = _mapped(self._latents[index // ROWS_A_FILE]), index % ROWS_A_FILE
        latents = file.get_slice("latents")[place, :, first : first + count].float()
        if "deviations" in file.keys():  # noqa: SIM118
            deviations = file.get_slice("deviations")[place, :, first : first + count].float()
            latents = latents + deviations * torch.randn(deviations.shape, generator=generator)
        return F.pad(latents, (0, 0, 0, count - latents.shape[1]))

    @property
    def longest(self) -> int:
        """How many rows of latents each clip is padded to."""
        return _mapped(self._latents[0]).get_slice("latents").get_shape()[2]

    def states(self, text: int) -> torch.Tensor:
        """Return the states (L, D) of a text, half precision."""
        number, place = divmod(text, TEXTS_A_FILE)
        first, last = self._offsets[number][place : place + 2]
        return _mapped(self._states[number]).get_slice("states")[first:last]


def load_text_encoder(folder, dropout=0.0):
    """Load a text encoder as the class that its config names: of a T5 the encoder alone, with so much dropout. Raises InputError."""
    kind = (read_json(Path(folder) / "config.json").get("architectures") or [None])[0]
    settings = {"dropout_rate": dropout} if "T5" in str(kind) else {}
    return class_of("text_encoder", "transformers", kind).from_pretrained(folder, dtype=torch.float32, **settings)


def prepared(sound: np.ndarray, samples: int, recipe: Recipe) -> torch.Tensor:
    """Return a clip's sound (samples,) as it is encoded: centred and at a peak if the recipe says so, cut or padded with silence."""
    sound = torch.from_numpy(sound)
    if recipe.centred:
        sound = sound - sound.mean()
    sound = sound[:samples]
    if recipe.peak and sound.numel():
        sound = (sound / sound.abs().max()).nan_to_num(0.0) * recipe.peak
    return F.pad(sound, (0, samples - len(sound)))


@torch.no_grad()
def encode_dataset(source, cache_folder, parts, recipe=None):
    """Encode the rows of a Source to latents and their captions to states, once, in files under `cache_folder`; returns EncodedRows.

    The files lie in a folder named by the rows and their captions, by their audio files' sizes and times, by the
    weights that encode them and by the recipe. Each caption is encoded once, however many rows have it. Raises InputError.
    """
    mel, vae, tokenizer, text_encoder = parts
    recipe, rows = recipe or Recipe(), source.rows
    own = [captions_of(row, recipe) for row in rows]
    texts = {text: place for place, text in enumerate(dict.fromkeys(["", *(text for some in own for text in some)]))}
    digest = hashlib.sha256(json.dumps([rows, [*texts]], sort_keys=True, default=str).encode())
    digest.update(json.dumps([asdict(recipe)[name] for name in ("centred", "peak", "rows", "posterior")]).encode())
    for row in rows:
        digest.update(source.state(row).encode())  # of a row without a file its fields tell all
    for tensor in (*vae.encoder.state_dict().values(), *text_encoder.state_dict().values()):
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    cache_folder = Path(cache_folder) / digest.hexdigest()[:16]
    cache_folder.mkdir(parents=True, exist_ok=True)
    grid = LatentGrid.of(mel, vae)
    samples = (recipe.rows or max(map(grid.rows, rows))) * grid.samples

    def latents(some):
        waveforms, bad = waveforms_of(source, some, grid.sample_rate, samples, recipe)
        leave_out(source, {some[place]["location"]: why for place, why in bad.items()})
        return encoded_sound(waveforms, mel, vae, recipe.posterior), {"bad": json.dumps(bad)}

    def states(some):
        return encoded_texts(some, tokenizer, text_encoder), None

    captions = [[texts[text] for text in some] for some in own]
    latent_files = _kept(rows, ROWS_A_FILE, latents, cache_folder, "latents")
    state_files = [] if recipe.encodes_texts_at_each_step else _kept([*texts], TEXTS_A_FILE, states, cache_folder, "texts")
    return EncodedRows(rows, [*texts], captions, latent_files, state_files)


def waveforms_of(source, rows, sample_rate, samples, recipe):
    """Return the sound (B, samples) of rows as it is encoded, and {place: why} of those whose sound cannot be read, silent here."""
    bad = {}

    def waveform(place):
        try:
            sound, rate = source.load(rows[place], MOST_S)
        except InputError as error:
            bad[place] = str(error)
            return torch.zeros(samples)
        return prepared(sound if rate == sample_rate else soxr.resample(sound, rate, sample_rate), samples, recipe)

    with ThreadPoolExecutor() as readers:
        return torch.stack(list(readers.map(waveform, range(len(rows))))), bad


def _kept(things, a_file, encode, folder, what):
    """Encode things, so many a file, where the file is not there yet; returns the files. encode: returns tensors and metadata."""
    paths = []
    for first in range(0, len(things), a_file):
        some = things[first : first + a_file]
        paths.append(folder / f"{what}-{first:08d}-{len(some)}.safetensors")
        if not paths[-1].exists():
            tensors, told = encode(some)
            with written_whole(paths[-1]) as temporary:
                save_file(tensors, temporary, metadata=told)
            print(f"{what}: encoded {first + len(some)}/{len(things)}", flush=True)
    return paths


def encoded_sound(waveforms, mel, vae, posterior):
    """Return {"latents": (B, C, H, W)} of waveforms (B, N), half precision, with their "deviations" if the posterior is to be drawn from."""
    shift, scale = vae.config.shift_factor or 0.0, vae.config.scaling_factor
    means, deviations = [], []
    for some in waveforms.split(25):
        found = vae.encode(mel.folded(mel(some.to(vae.device))[:, :-1])).latent_dist
        means.append(((found.mode() - shift) * scale).half().cpu())
        deviations.append((found.std * scale).half().cpu())
    tensors = {"latents": torch.cat(means).contiguous()}
    return tensors if posterior == "mode" else tensors | {"deviations": torch.cat(deviations).contiguous()}


def encoded_texts(texts, tokenizer, text_encoder):
    """Return {"states": (tokens, D), "lengths": (B,)} of texts, token after token, half precision."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # texts of like length together need little padding
    states: list[torch.Tensor] = [torch.empty(0)] * len(texts)
    for first in range(0, len(texts), 75):
        places = order[first : first + 75]
        state, mask = encode_text(tokenizer, text_encoder, [texts[place] for place in places])
        for place, own, counts in zip(places, state, mask, strict=True):
            states[place] = own[counts].half().cpu()
    return {"states": torch.cat(states).contiguous(), "lengths": torch.tensor([len(own) for own in states])}
