"""The training loop, a run's folder, the VAE, and the bundle of what was trained. Every run is resumable and logs a curve.

A run folder holds a folder a task (vae, vocoder, refiner, postfilter, munet) with its state, curve.csv and held_out.csv, and `parts`
with the trained components, which later tasks read. A step's batch is drawn from (seed, step) alone, so an interrupted run goes on as
if it had not been.
Tasks draw batches on the CPU, in `loaders` processes beside the training if there are any, and learn on the device they were made for.
"""

import csv
import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.utils.data import DataLoader
from transformers import AutoModel, AutoTokenizer

from musicbench import InputError
from musicbench.build.dataset import read_rows
from musicbench.files import make_folder, save_json, written_whole
from mustango.model.conditioning import Conditioner
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.model.vocoder import ISTFTVocoder
from mustango.release.checkpoint import model_folder, model_written_whole, read_json, verify
from mustango.request.knows import KNOWS
from mustango.train.checks import check_one_process, check_start, part

# The bundled model's front end: 24 kHz, 128 ms windows, 192 bands down to 9 Hz apart, so that neighbouring semitones stay apart.
MEL = dict(
    sample_rate=24000, n_fft=3072, hop_length=384, n_mels=192, f_max=12000.0, htk=True, mean=-3.25, std=2.0, fold=(4, 8)
)  # fmt: skip
VAE = dict(
    in_channels=32, out_channels=32, latent_channels=16, sample_size=160, layers_per_block=1, norm_num_groups=16,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    block_out_channels=(128, 192), mid_block_add_attention=False,
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the loop


HELD_OUT_BATCHES = 16


class EMA:
    """Exponential moving average of parameters, with a warm-up so that the first steps do not linger."""

    def __init__(self, parameters, decay):
        self.decay = decay
        self.values = [p.detach().clone() for p in parameters]

    def update(self, parameters, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in parameters], 1 - decay)


def learning_rate_factor(step, steps, warmup=200, decay_share=0.25):
    """Warm up, stay, and fall linearly to 0 over the last `decay_share` of the steps."""
    left = (steps - step) / max(decay_share * steps, 1)
    return min(1.0, (step + 1) / warmup, max(left, 0.0))


class Batches:
    """A task's batches by step, each with a seed for what is drawn on the device.

    An InputError comes in place of the batch, as a loader would wrap one that is raised in its traceback; `checked` raises it.
    """

    def __init__(self, task, seed, size):
        self.task, self.seed, self.size = task, seed, size

    def __getitem__(self, step):
        rng = np.random.default_rng([self.seed, step])
        noise_seed = int(rng.integers(2**31))
        try:
            return noise_seed, self.task.draw(rng, self.size)
        except InputError as error:
            return noise_seed, error


def checked(drawn):
    """Return (noise seed, batch) as `Batches` gives it. Raises InputError for a batch that could not be drawn."""
    if isinstance(drawn[1], InputError):
        raise drawn[1]
    return drawn


@torch.no_grad()
def held_out_loss(task, batches, device):
    """Return {"loss": mean, name: mean} of a task's loss on (noise seed, batch) pairs, the same noise each time."""
    sums = {}
    for noise_seed, batch in batches:
        torch.manual_seed(noise_seed)
        loss, terms = task.loss({name: tensor.to(device) for name, tensor in batch.items()})
        for name, value in {"loss": loss, **terms}.items():
            sums[name] = sums.get(name, 0.0) + float(value)
    return {name: total / len(batches) for name, total in sums.items()}


class Fit:
    """A training under way: the task's model, its optimizer and EMA weights, the step reached, what has been lost since the last line.

    `out` holds state.pt, curve.csv and held_out.csv; `parts` what the EMA weights make. Goes on where `out` was left. Raises InputError.
    """

    def __init__(self, task, run, lr, ema_decay, held_out, batch_size):
        self.task, self.lr, self.out, self.parts = task, lr, Path(run) / task.name, Path(run) / "parts"
        make_folder(self.out)
        self.parameters = [p for p in task.model.parameters() if p.requires_grad]
        self.device = self.parameters[0].device
        self.optimizer = torch.optim.AdamW(self.parameters, lr=lr, betas=(0.9, 0.99), weight_decay=0.01)
        self.ema = EMA(self.parameters, ema_decay)
        self.step, self.started = 0, time.monotonic()
        if (self.out / "state.pt").exists():
            self._resume()
        for curve in ("curve.csv", "held_out.csv"):
            _forget_after(self.out / curve, self.step or -1)
        self.logged, self.judged, self.sums = self.step, self.step or None, {}
        self.held_out, self.unseen = held_out, []
        if held_out:
            held_out.model = task.model
            draws = Batches(held_out, 0, batch_size)
            self.unseen = [checked(draws[k]) for k in range(HELD_OUT_BATCHES)]

    def _resume(self):
        state = torch.load(self.out / "state.pt", map_location=self.device, weights_only=True)
        try:
            self.task.model.load_state_dict(state["model"])
        except RuntimeError as error:
            said = str(error).splitlines()[-1].strip()
            raise InputError(f"{self.out / 'state.pt'} is of another model ({said}); use a new run folder") from None
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema.values, self.step = state["ema"], state["step"]
        print(f"{self.task.name}: going on at step {self.step}", flush=True)

    def advance(self, noise_seed, batch, steps):
        """Take one optimizer step of `steps` on a batch of CPU tensors."""
        torch.manual_seed(noise_seed)
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * learning_rate_factor(self.step, steps)
        loss, terms = self.task.loss({name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()})
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.ema.update(self.parameters, self.step)
        self.step += 1
        for name, value in {"loss": loss.detach(), "grad_norm": norm, **terms}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def log(self):
        """Write the means since the last line. Raises InputError for a gradient that is not finite."""
        if self.step == self.logged:
            return
        row = {"step": self.step, "seconds": round(time.monotonic() - self.started, 1)}
        row |= {name: round(float(total) / (self.step - self.logged), 5) for name, total in self.sums.items()}
        if not np.isfinite(row["grad_norm"]):
            raise InputError(
                f"{self.task.name}: the gradient is not finite at step {self.step}; the last saved state is kept, "
                "run again with a lower --lr"
            )
        _log(self.out / "curve.csv", row)
        print(f"{self.task.name}: " + " ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        self.logged, self.sums = self.step, {}

    def log_held_out(self):
        """Write what is lost on the rows that are not learnt from, if there are any, once a step."""
        if self.unseen and self.judged != self.step:
            self.judged = self.step
            lost = held_out_loss(self.held_out, self.unseen, self.device)
            row = {"step": self.step} | {name: round(value, 5) for name, value in lost.items()}
            _log(self.out / "held_out.csv", row)
            print(f"{self.task.name}, held out: " + " ".join(f"{k} {v}" for k, v in row.items()), flush=True)

    @contextmanager
    def averaged(self):
        """Put the EMA weights into the model for a while."""
        kept = [p.detach().clone() for p in self.parameters]
        for p, value in zip(self.parameters, self.ema.values, strict=True):
            p.data.copy_(value)
        try:
            yield
        finally:
            for p, value in zip(self.parameters, kept, strict=True):
                p.data.copy_(value)

    def save(self):
        """Write the held-out line, which a resumed run takes back if it is ahead of the state; the state; the parts made of it."""
        with self.averaged():
            self.log_held_out()
        with written_whole(self.out / "state.pt") as temporary:
            state = {"model": self.task.model.state_dict(), "optimizer": self.optimizer.state_dict()}
            torch.save(state | {"ema": self.ema.values, "step": self.step}, temporary)
        with self.averaged():
            self.task.save(self.parts)


def fit(
    task, run, *, steps, lr, batch_size, held_out=None, seed=0, minutes=None, loaders=0,
    ema_decay=0.999, save_every=200, log_every=20,
):  # fmt: skip
    """Run `task` until `steps`, or for `minutes`; state and curve go to `run`/name, the EMA weights to `run`/parts.

    A task has `name`, `model`, `draw(rng, size) -> dict of CPU tensors`, `loss(batch) -> (loss, {name: number or tensor})` and
    `save(parts)`. held_out: the same task on rows that are not learnt from; whenever the state is saved, what the EMA weights lose
    on the same few batches of them goes to held_out.csv. loaders: processes that draw batches ahead. Returns the step reached.
    """
    check_one_process()
    training = Fit(task, run, lr, ema_decay, held_out, batch_size)
    task.model.train()
    batches = DataLoader(
        Batches(task, seed, batch_size), batch_size=None, sampler=range(training.step, steps), num_workers=loaders,
        pin_memory=training.device.type == "cuda",
    )  # fmt: skip
    if training.step == 0:
        training.log_held_out()
    for drawn in batches:
        training.advance(*checked(drawn), steps)
        late = minutes is not None and time.monotonic() - training.started >= 60 * minutes
        if training.step % log_every == 0 or training.step % save_every == 0 or late:
            training.log()
        if training.step % save_every == 0:
            training.save()
        if late:
            break
    training.log()
    training.save()
    return training.step


def _log(path, row):
    new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _forget_after(path, step):
    """Drop the lines of a curve that a killed run wrote after it last saved its state (they will come again), and torn ones."""
    if path.exists():
        lines = path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n") and line.count(b",") == lines[0].count(b",")]
        kept = (
            [line for line in whole[1:] if line.split(b",")[0].isdigit() and int(line.split(b",")[0]) <= step]
            if whole[:1] == lines[:1]
            else []
        )
        with written_whole(path) as temporary:
            temporary.write_bytes(b"".join(whole[:1] + kept if kept else []))


def save_part(component, folder):
    """Save a component in `folder`, which never holds half of one: what is there is replaced at the end."""
    folder = Path(folder)
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    component.save_pretrained(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def training_rows(folder, needed=("location",)):
    """Return a dataset's rows without its test songs. Raises InputError when none are left, or one lacks a field or its audio."""
    rows = []
    for number, row in enumerate(read_rows(folder), 1):
        lacks = next((name for name in needed if not isinstance(row.get(name), str)), None)
        if lacks:
            raise InputError(f"row {number} of {folder} has no {lacks}; make the dataset anew, or delete the row")
        if row["location"].startswith("test/"):
            continue
        if not (Path(folder) / row["location"]).is_file():
            raise InputError(
                f"row {number} of {folder} has no audio at {row['location']}; make the dataset anew, or delete the row"
            )
        rows.append(row)
    if not rows:
        raise InputError(f"{folder} has no rows to train on; make some: musicbench compose --count 1000 -o {folder}")
    return rows


def begin(kind, config, run, name):
    """Return a component to train: the run's own where there is one (see `start_from`), else a new one."""
    folder = Path(run) / "parts" / name
    if not folder.is_dir():
        return kind(**config)
    try:
        return kind.from_pretrained(folder, dtype=torch.float32, low_cpu_mem_usage=False)  # what its files lack begins as new
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1].strip()
        raise InputError(f"{folder} is of another version of {kind.__name__} ({said[:160]}); begin a new run folder") from None


def keep_parts(run, folder, names):
    """Copy a run's parts of those names into `folder`, in place of what is there. Raises InputError when one is missing."""
    folder, sources = Path(folder), [part(run, name) for name in names]
    copy = folder.with_name(f".{folder.name}.new")
    for old in (copy, folder):
        shutil.rmtree(old, ignore_errors=True)
    for source in sources:
        shutil.copytree(source, copy / source.name)
    copy.rename(folder)


def start_from(run, model):
    """Begin a run with all that is in a pipeline folder, for fine-tuning or further training. Raises InputError."""
    check_start(run, model)
    folder, parts = model_folder(model), Path(run) / "parts"
    verify(folder)
    copy = parts.with_name(".parts.new")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, ignore=lambda place, names: [n for n in names if n.endswith((".md", ".png"))])
    copy.rename(parts)


def check_front_end(run):
    """Raise InputError if a run began with a model of another mel than the one that VAE and vocoder are trained on here."""
    path = Path(run) / "parts" / "mel" / "config.json"
    if not path.is_file():
        return
    front_end = read_json(path)
    if any(front_end.get(name) != MEL[name] for name in ("sample_rate", "n_fft", "hop_length", "n_mels")):
        raise InputError(f"{run} began with a model of another front end; of such a model only `munet` can be trained")


# ---------------------------------------------------------------------------------------------------- sound


def read_crops(rows, folder, rng, size, samples, gains=(1.0, 1.0)):
    """Return random stretches (size, samples) of random rows' audio, float32, at the model's sample rate, each by a gain of that range."""
    import soundfile
    import soxr

    crops = np.zeros((size, samples), np.float32)
    for crop in crops:
        row = rows[rng.integers(len(rows))]
        path = Path(folder) / row["location"]
        try:
            with soundfile.SoundFile(path) as file:
                rate, frames = file.samplerate, -(-samples * file.samplerate // MEL["sample_rate"])
                file.seek(int(rng.integers(max(file.frames - frames, 0) + 1)))
                data = file.read(frames, dtype="float32", always_2d=True).mean(axis=1)
        except (soundfile.LibsndfileError, OSError) as error:
            raise InputError(f"cannot read {path} as audio ({error}); make the dataset anew, or delete its row") from None
        data = soxr.resample(data, rate, MEL["sample_rate"])[:samples]
        crop[: len(data)] = data
    return torch.from_numpy(crops * rng.uniform(*gains, (size, 1)).astype(np.float32))


class TrainVAE:
    """AutoencoderKL on folded log-mels: L1 and L2 plus a small KL term."""

    name = "vae"

    def __init__(self, folder, run, device="cpu", seconds=5.12, kl_weight=2e-4):
        check_front_end(run)
        self.folder, self.rows, self.kl_weight = folder, training_rows(folder), kl_weight
        self.mel = LogMel(**MEL).to(device)
        self.model = begin(AutoencoderKL, VAE, run, "vae").to(device)
        self.samples = round(seconds * MEL["sample_rate"])
        # Harmonics, which tell chords apart, lie low; the top half of the bands is mostly cymbals and breath.
        bands = torch.linspace(1.6, 0.4, MEL["n_mels"], device=device)
        self.weight = self.mel.folded(bands.expand(1, MEL["fold"][0], -1))

    def draw(self, rng, size):
        return {"waveform": read_crops(self.rows, self.folder, rng, size, self.samples, (0.5, 1.2))}

    def loss(self, batch):
        folded = self.mel.folded(self.mel(batch["waveform"])[:, :-1])
        posterior = self.model.encode(folded).latent_dist
        z = posterior.sample()
        rebuilt = self.model.decode(z).sample
        error = (rebuilt - folded).abs()
        l1, l2 = (self.weight * error).mean(), (self.weight * error.square()).mean()
        kl = posterior.kl().mean() / z[0].numel()
        terms = {"l1": l1, "kl": kl, "std": posterior.mean.std()}
        return l1 + 0.5 * l2 + self.kl_weight * kl, {name: term.detach() for name, term in terms.items()}

    def save(self, parts):
        """Write the VAE with the scaling factor that gives its latents unit variance."""
        with torch.no_grad():
            waveform = self.draw(np.random.default_rng(0), 16)["waveform"].to(self.weight.device)
            z = self.model.encode(self.mel.folded(self.mel(waveform)[:, :-1])).latent_dist.mean
        self.model.register_to_config(scaling_factor=round(1 / z.std().item(), 4), shift_factor=round(z.mean().item(), 4))
        save_part(self.model, parts / "vae")
        save_part(self.mel, parts / "mel")


# ---------------------------------------------------------------------------------------------------- putting together

LONGEST_S = 120.0  # measured: the last ten seconds obey as the first do
SCHEDULER = dict(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False)
GUIDANCE_DB = 1.8  # a unit, measured at guidance 3: without it clips are 3.6 dB louder than the composer's of the same controls
EXTRA_NOISE = 2.0  # over the steps, measured: the detail that denoising takes away comes back, chords and beats stay
SLOW_BPM = 120.0  # measured: below it beat trackers begin to hear twice the tempo
BEAT_ACCENT, DOWNBEAT_ACCENT = 2.0, 4.0  # measured: without drums half of the octaves that beat trackers get wrong come right
RESTART = 0.83  # of the schedule, measured: what lies above settles the sound as a whole, and is kept from the draft
POSTFILTER_STRENGTH = 2.0  # MuNet's mels are softer than the round trips that the postfilter learns from
LEAD_IN_S = 0.512  # four latent rows, as MuNet's lowest level takes together; measured: without it first attacks are 8 dB too soft


def drop_positions(encoder, kept):
    """Cut a BERT's position embeddings to the first `kept`, in place; longer texts are then cut as well."""
    embeddings = encoder.embeddings
    embeddings.position_embeddings = torch.nn.Embedding.from_pretrained(embeddings.position_embeddings.weight[:kept], freeze=False)
    encoder.config.max_position_embeddings = len(embeddings.position_embeddings.weight)


def take_text_encoder(run, source):
    """Freeze a text encoder and its tokenizer (a folder that transformers reads) into a run, in half precision."""
    if not Path(source).is_dir():
        raise InputError(f"no folder {source}; give the folder of a text encoder, such as all-MiniLM-L6-v2")
    try:
        tokenizer, encoder = AutoTokenizer.from_pretrained(source), AutoModel.from_pretrained(source, dtype=torch.float16)
    except (OSError, ValueError, KeyError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"no text encoder in {source} ({said[0][:160]}); give the folder of one with its tokenizer") from None
    trained = Path(source) / "sentence_bert_config.json"  # where sentence-transformers names the longest text it trained on
    if trained.exists() and encoder.config.model_type == "bert":
        drop_positions(encoder, read_json(trained).get("max_seq_length"))
    save_part(tokenizer, Path(run) / "parts" / "tokenizer")
    save_part(encoder, Path(run) / "parts" / "text_encoder")


def bundle(run, out):
    """Put a run's parts together as a pipeline folder in half precision; of a run that began with a model, as that model's were.

    A model in `out` is replaced at the end; what lies beside its files, such as a card, stays.
    """
    from diffusers import DPMSolverMultistepScheduler

    from mustango.pipeline import MustangoPipeline, load_pipeline

    parts = Path(run) / "parts"
    if (parts / "model_index.json").is_file():
        pipeline = load_pipeline(str(parts), dtype="float16")
    else:
        kinds = {"mel": LogMel, "vae": AutoencoderKL, "vocoder": ISTFTVocoder, "unet": MuNet, "conditioner": Conditioner}
        components = {name: kind.from_pretrained(part(run, name)).half() for name, kind in kinds.items()}
        pipeline = MustangoPipeline(
            tokenizer=AutoTokenizer.from_pretrained(part(run, "tokenizer")),
            text_encoder=AutoModel.from_pretrained(part(run, "text_encoder"), dtype=torch.float16),
            scheduler=DPMSolverMultistepScheduler(**{k: v for k, v in SCHEDULER.items() if k != "clip_sample"}),
            **components,
            longest_s=LONGEST_S,
            guidance_db=GUIDANCE_DB,
            restart=RESTART,
            extra_noise=EXTRA_NOISE,
            slow_bpm=SLOW_BPM,
            beat_accent=BEAT_ACCENT,
            downbeat_accent=DOWNBEAT_ACCENT,
            opposites=True,
            postfilter_strength=POSTFILTER_STRENGTH,
            lead_in_s=LEAD_IN_S,
        )
    known = parts / KNOWS
    with model_written_whole(out) as new:
        pipeline.save_pretrained(new)
        if known.is_file():
            shutil.copy(known, new)
        for folder in parts.glob("[!.]*"):  # the released model's predictors; what a killed save left is hidden
            if folder.is_dir() and not (new / folder.name).exists():
                shutil.copytree(folder, new / folder.name)
        for path in (new / "model_index.json", *new.glob("*/config.json")):  # the folder it came from is nobody's business
            config = json.loads(path.read_text(encoding="utf-8"))
            config.pop("_name_or_path", None)
            save_json(path, config)
    if not known.is_file():  # of the model that was there before
        (Path(out) / KNOWS).unlink(missing_ok=True)
