"""The training loop, and the bundle of what was trained. Every run is resumable and logs a curve.

A run folder holds a folder a task (vae, vocoder, refiner, postfilter, munet) with its state, curve.csv and
held_out.csv, and `parts` with the trained components, which later tasks read. A step's batch is drawn from (seed, step)
alone, so an interrupted run goes on as if it had not been.
Tasks draw batches on the CPU, in `loaders` processes beside the training if there are any, and learn on the device they
were made for.
"""

import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.utils.data import DataLoader
from transformers import AutoModel, AutoTokenizer

from musicbench import InputError
from musicbench.files import make_folder, written_whole
from musicbench.model_folders import LOCAL, loaded_within, reason
from mustango.model.conditioning import Conditioner
from mustango.model.devices import moved
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.model.sampling import BUNDLED_SAMPLING
from mustango.model.vocoder import ISTFTVocoder
from mustango.release.files import check_no_stand_in, read_json
from mustango.release.folder import model_written_whole
from mustango.request.knows import KNOWS
from mustango.train.checks import part
from mustango.train.curves import Curves
from mustango.train.parts import forget_origin, save_part
from mustango.train.plan import plan_of
from mustango.train.processes import Processes
from mustango.train.recipe import Recipe

# ---------------------------------------------------------------------------------------------------- the loop

HELD_OUT_BATCHES = 16


@dataclass(frozen=True)
class Course:
    """How a task is trained: until `steps`, or for `minutes`, on batches that are drawn by `seed`.

    lr: the peak learning rate. loaders: processes that draw batches ahead. recipe: the optimizer's other settings, and those of the
    averaged weights. save_every, log_every: so many steps. log: see `Curves`. plans: say what the steps will take before the first.
    """

    steps: int
    lr: float
    batch_size: int
    seed: int = 0
    minutes: float | None = None
    loaders: int = 0
    recipe: Recipe = Recipe()
    save_every: int = 200
    log_every: int = 20
    log: str | None = None
    plans: bool = False


class EMA:
    """Exponential moving average of parameters, with a warm-up so that the first steps do not linger."""

    def __init__(self, parameters, decay):
        self.decay = decay
        self.values = [p.detach().clone() for p in parameters]

    def update(self, parameters, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in parameters], 1 - decay)


def learning_rate_factor(step, steps, warmup=200, decay_share=0.25, schedule="trapezoid"):
    """Warm up, stay, and fall linearly to 0 over the last `decay_share` of the steps; "linear": fall from the first step on."""
    if schedule == "linear":
        return max(steps - step, 0) / steps
    left = (steps - step) / max(decay_share * steps, 1)
    return min(1.0, (step + 1) / warmup, max(left, 0.0))


class Batches:
    """A task's batches by step, in equal shares, each with a seed for what is drawn on the device.

    An InputError comes in place of the batch, as a loader would wrap one that is raised in its traceback; `checked`
    raises it.
    """

    def __init__(self, task, seed, size, shares=1):
        self.task, self.seed, self.size, self.shares = task, seed, size, shares

    def __getitem__(self, place):
        """Return what is drawn for (step, share of its batch)."""
        step, share = place
        rng = np.random.default_rng([self.seed, step])
        noise_seed = int(rng.integers(2**31))
        try:
            batch = self.task.draw(rng, self.size, (self.seed, step))
            return noise_seed + share, {name: tensor.chunk(self.shares)[share] for name, tensor in batch.items()}
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
    """A training under way: the task's model, its optimizer and EMA weights, the step reached, the losses since a line.

    `out` holds state.pt, curve.csv and held_out.csv; `parts` what the EMA weights make. Goes on where `out` was left. Raises InputError.
    """

    def __init__(self, task, run, course, held_out, processes):
        self.processes = processes
        self.task, self.course, self.out, self.parts = task, course, Path(run) / task.name, Path(run) / "parts"
        make_folder(self.out)
        recipe = course.recipe
        self.learner, self.optimizer = processes.wrapped(
            task, lambda some: torch.optim.AdamW(some, lr=course.lr, betas=recipe.betas, weight_decay=recipe.weight_decay)
        )
        self.parameters = [p for p in self.learner.parameters() if p.requires_grad]
        self.device = self.parameters[0].device
        self.ema = EMA(self.parameters, recipe.ema) if recipe.ema else None
        self.step, self.started = 0, time.monotonic()
        if (self.out / "state.pt").exists():
            self._resume()
        self.curves = Curves(self.out, self.step, course.log) if processes.writes else None
        self.logged, self.judged, self.sums = self.step, self.step or None, {}
        self.held_out, self.unseen = held_out, []
        if held_out and processes.writes:
            held_out.model = task.model
            draws = Batches(held_out, 0, course.batch_size)
            self.unseen = [checked(draws[k, 0]) for k in range(HELD_OUT_BATCHES)]

    def _resume(self):
        path = self.out / "state.pt"
        check_no_stand_in(path)
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except Exception as error:
            raise InputError(f"cannot read {path} ({reason(error)[:160]}); delete it, and the run begins that part anew") from None
        try:
            self._load(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = int(state["step"])
            if self.ema:
                self.ema.values = state["ema"]
        except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
            said = (str(error).splitlines() or [""])[-1].strip()
            raise InputError(f"{path} is of another model ({said}); use a new run folder") from None
        if self.processes.writes:
            print(f"{self.task.name}: going on at step {self.step}", flush=True)

    def _learnt(self):
        """Return what of the model's state is learnt; what is frozen lies in the run's parts."""
        frozen = {name for name, parameter in self.task.model.named_parameters() if not parameter.requires_grad}
        return {name: tensor for name, tensor in self.task.model.state_dict().items() if name not in frozen}

    def _load(self, learnt):
        lacking = self._learnt().keys() - learnt.keys()
        if lacking:
            raise LookupError(f"lacks {min(lacking)}")
        unknown = self.task.model.load_state_dict(learnt, strict=False).unexpected_keys
        if unknown:
            raise LookupError(f"has {min(unknown)}")

    def advance(self, shares):
        """Take one optimizer step on this process's shares of a batch: (noise seed, CPU tensors) each."""
        torch.manual_seed(shares[0][0])
        recipe = self.course.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = self.course.lr * learning_rate_factor(self.step, self.course.steps, schedule=recipe.schedule)
        batches = [{name: t.to(self.device, non_blocking=True) for name, t in batch.items()} for _, batch in shares]
        loss, terms, norm = self.processes.learn(self.learner, self.optimizer, batches, recipe.clip_norm)
        if self.ema:
            self.ema.update(self.parameters, self.step)
        self.step += 1
        for name, value in {"loss": loss, "grad_norm": norm, **terms}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def plan(self, batch):
        """Say what the steps that are left will take, by one that is not learnt from."""
        told = plan_of(
            self.learner, self.task.model, {name: tensor.to(self.device) for name, tensor in batch.items()}, bool(self.ema)
        )
        left, parts = self.course.steps - self.step, self.processes.accumulate
        if self.curves:
            print(f"{self.task.name}: {told.text(left, parts)}", flush=True)

    def log(self):
        """Write the means since the last line. Raises InputError for a gradient that is not finite."""
        if self.step == self.logged:
            return
        row = {"step": self.step, "seconds": round(time.monotonic() - self.started, 1)}
        row |= {name: round(self.processes.mean(total) / (self.step - self.logged), 5) for name, total in self.sums.items()}
        if not np.isfinite(row["grad_norm"]):
            raise InputError(
                f"{self.task.name}: the gradient is not finite at step {self.step}; the last saved state is kept, "
                "run again with a lower --lr"
            )
        if self.curves:
            self.curves.add("curve", row)
            print(f"{self.task.name}: " + " ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        self.logged, self.sums = self.step, {}

    def log_held_out(self):
        """Write what is lost on the rows that are not learnt from, if there are any, once a step."""
        if self.unseen and self.judged != self.step:
            self.judged = self.step
            lost = held_out_loss(self.held_out, self.unseen, self.device)
            row = {"step": self.step} | {name: round(value, 5) for name, value in lost.items()}
            self.curves.add("held_out", row)
            print(f"{self.task.name}, held out: " + " ".join(f"{k} {v}" for k, v in row.items()), flush=True)

    @contextmanager
    def averaged(self):
        """Put the EMA weights into the model for a while, if there are any."""
        if not self.ema:
            yield
            return
        kept = [p.detach().clone() for p in self.parameters]
        for p, value in zip(self.parameters, self.ema.values, strict=True):
            p.data.copy_(value)
        try:
            yield
        finally:
            for p, value in zip(self.parameters, kept, strict=True):
                p.data.copy_(value)

    def save(self):
        """Write the held-out line, the state, and the parts made of it.

        A resumed run takes a held-out line back that is ahead of the state.
        """
        if not self.processes.writes:
            self.processes.wait()
            return
        with self.averaged():
            self.log_held_out()
        with written_whole(self.out / "state.pt") as temporary:
            state = {"model": self._learnt(), "optimizer": self.optimizer.state_dict()}
            torch.save(state | {"ema": self.ema and self.ema.values, "step": self.step}, temporary)
        with self.averaged():
            self.task.save(self.parts)
        self.curves.draw()
        self.processes.wait()

    def listen(self, listener):
        """Let one process hear what the run's parts play, while the others wait."""
        if self.curves:
            listener(self.step, self.out, self.curves)
        self.processes.wait()


def fit(task, run, course, held_out=None, processes=None, listener=None):
    """Run `task` by a Course; state and curve go to `run`/name, the EMA weights to `run`/parts.

    Returns the step reached.
    A task has `name`, `model`, `draw(rng, size, (seed, step)) -> dict of CPU tensors`, `loss(batch) -> (loss, {name: number or
    tensor})` and `save(parts)`. held_out: the same task on rows that are not learnt from; whenever the state is saved,
    what the EMA weights lose on the same few batches of them goes to held_out.csv. processes: those that train together, this one
    alone when None. listener: called with (step, the task's folder, curves) every `listener.every` steps, after the parts are saved.
    """
    processes = processes or Processes()
    processes.check(course.batch_size)
    training = Fit(task, run, course, held_out, processes)
    task.model.train()
    drawn = DataLoader(
        Batches(task, course.seed, course.batch_size, processes.shares), batch_size=None,
        sampler=processes.steps(training.step, course.steps), num_workers=course.loaders, pin_memory=training.device.type == "cuda",
    )  # fmt: skip
    if training.step == 0:
        training.log_held_out()
    elif listener and training.step % listener.every == 0:  # unless it was killed before it had listened
        training.listen(listener)
    for shares in zip(*[iter(drawn)] * processes.accumulate, strict=True):
        if course.plans and training.step == training.logged:
            course = replace(course, plans=False)
            training.plan(checked(shares[0])[1])
        training.advance([checked(share) for share in shares])
        late = course.minutes is not None and time.monotonic() - training.started >= 60 * course.minutes
        late = course.minutes is not None and processes.any(late)
        listens = listener and training.step % listener.every == 0
        saves = listens or training.step % course.save_every == 0
        if training.step % course.log_every == 0 or saves or late:
            training.log()
        if saves:
            training.save()
        if listens:
            training.listen(listener)
        if late:
            break
    training.log()
    training.save()
    return training.step


# ---------------------------------------------------------------------------------------------------- putting together

LONGEST_S = 120.0  # measured: the last ten seconds obey as the first do
SCHEDULER = dict(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False)


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
        with loaded_within(source):
            tokenizer = AutoTokenizer.from_pretrained(source, **LOCAL)
            encoder = AutoModel.from_pretrained(source, dtype=torch.float16, **LOCAL)
    except Exception as error:  # what a folder of somebody's raises nobody foresees
        raise InputError(f"no text encoder in {source} ({reason(error)}); give the folder of one with its tokenizer") from None
    trained = Path(source) / "sentence_bert_config.json"  # where sentence-transformers names the longest text it trained on
    if trained.exists() and encoder.config.model_type == "bert":
        drop_positions(encoder, read_json(trained).get("max_seq_length"))
    save_part(tokenizer, Path(run) / "parts" / "tokenizer")
    save_part(encoder, Path(run) / "parts" / "text_encoder")


def pipeline_of(run, dtype, device="cpu"):
    """Return a run's parts as a pipeline; of a run that began with a model, as that model's were. Raises InputError."""
    from diffusers import DPMSolverMultistepScheduler

    from mustango.pipeline import MustangoPipeline, load_pipeline

    parts = Path(run) / "parts"
    if (parts / "model_index.json").is_file():
        return load_pipeline(str(parts), device, dtype, quiet=True)
    kinds = {"mel": LogMel, "vae": AutoencoderKL, "vocoder": ISTFTVocoder, "unet": MuNet, "conditioner": Conditioner}
    numbers = getattr(torch, dtype)
    pipeline = MustangoPipeline(
        tokenizer=AutoTokenizer.from_pretrained(part(run, "tokenizer"), trust_remote_code=False),
        text_encoder=AutoModel.from_pretrained(part(run, "text_encoder"), dtype=numbers, trust_remote_code=False),
        scheduler=DPMSolverMultistepScheduler(**{k: v for k, v in SCHEDULER.items() if k != "clip_sample"}),
        **{name: kind.from_pretrained(part(run, name)).to(numbers) for name, kind in kinds.items()},
        longest_s=LONGEST_S,
        sampling=asdict(BUNDLED_SAMPLING),
    )
    return moved(pipeline, device)


def bundle(run, out):
    """Put a run's parts together as a pipeline folder in half precision, see `pipeline_of`.

    A model in `out` is replaced at the end; what lies beside its files, such as a card, stays.
    """
    parts = Path(run) / "parts"
    pipeline = pipeline_of(run, "float16")
    known = parts / KNOWS
    with model_written_whole(out) as new:
        pipeline.save_pretrained(new)
        if known.is_file():
            shutil.copy(known, new)
        for folder in parts.glob("[!.]*"):  # the released model's predictors; what a killed save left is hidden
            if folder.is_dir() and not (new / folder.name).exists():
                shutil.copytree(folder, new / folder.name)
        for path in (new / "model_index.json", *new.glob("*/config.json")):
            forget_origin(path)
    if not known.is_file():  # of the model that was there before
        (Path(out) / KNOWS).unlink(missing_ok=True)
