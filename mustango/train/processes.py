"""Training in one process or several: who writes, what part of a step's batch is whose, and what accelerate puts around a model."""

import os
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from threading import Thread

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, InitProcessGroupKwargs
from torch import nn

from musicbench import InputError

WAITS = timedelta(hours=24)  # until the first process has encoded the rows


def end_with_launcher() -> None:
    """Let this process end soon after the one that started it, even if that was killed: no rest of a training keeps its run locked."""
    launcher = os.getppid()

    def watch():
        while os.getppid() == launcher:
            time.sleep(0.5)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


class Learner(nn.Module):
    """A task's loss as a module, which sees each step and so can be wrapped; it returns what the task's `loss` does."""

    def __init__(self, task):
        super().__init__()
        self.model = task.model
        self.loss = task.loss

    def forward(self, batch):
        return self.loss(batch)


class Processes:
    """The processes that train together (torchrun and accelerate start them), or the one.

    A step's batch falls into as many shares as there are processes, times `accumulate`: what is learnt is the same, but for rounding,
    however many there are. Raises InputError for a batch that does not.
    """

    def __init__(self, device="cpu", precision="no", accumulate=1):
        several = InitProcessGroupKwargs(timeout=WAITS)
        self.accelerator = Accelerator(cpu=device == "cpu", mixed_precision=precision, kwargs_handlers=[several])
        if self.accelerator.distributed_type not in (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU):
            kind = self.accelerator.distributed_type.value
            raise InputError(f"training shares a model out as {kind} in no way yet; choose MULTI_GPU in accelerate's config")
        self.rank, self.count, self.accumulate = self.accelerator.process_index, self.accelerator.num_processes, accumulate
        self.device = self.accelerator.device
        if self.count > 1:
            end_with_launcher()

    @property
    def shares(self):
        return self.count * self.accumulate

    def check(self, batch_size):
        if batch_size % self.shares:
            raise InputError(
                f"a batch of {batch_size} clips does not fall into {self.shares} equal shares ({self.count} processes, "
                f"--accumulate {self.accumulate}); give a --batch-size that does"
            )

    @property
    def writes(self):
        """Whether this process writes the run's files."""
        return self.accelerator.is_main_process

    def steps(self, first, last):
        """Yield (step, share) in the order in which this process learns."""
        for step in range(first, last):
            for part in range(self.accumulate):
                yield step, self.rank * self.accumulate + part

    def wrapped(self, task, optimizer_of):
        """Return (learner, optimizer): the task's loss as the processes share it; optimizer_of: of parameters, an optimizer."""
        learner = self.accelerator.prepare(Learner(task))
        optimizer = optimizer_of([p for p in learner.parameters() if p.requires_grad])
        return learner, self.accelerator.prepare(optimizer)

    def learn(self, learner, optimizer, batches, clip_norm):
        """Take an optimizer step on the shares of a batch; returns (mean loss of these, their terms, the gradient's norm)."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad(set_to_none=True)
        losses, sums = [], {}
        for place, batch in enumerate(batches):
            waits = place < len(batches) - 1
            with self.accelerator.no_sync(learner) if waits else nullcontext():
                loss, terms = learner(batch)
                self.accelerator.backward(loss / len(batches))
            losses.append(loss.detach())
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value / len(batches)
        norm = self.accelerator.clip_grad_norm_(parameters, clip_norm or float("inf"))
        optimizer.step()
        return torch.stack(losses).mean(), sums, norm

    def mean(self, value):
        """Return the mean of a number over the processes."""
        if self.count == 1:
            return float(value)
        return float(self.accelerator.reduce(torch.as_tensor(float(value), device=self.device), reduction="mean"))

    def any(self, here):
        """Return whether something holds in one of the processes."""
        return self.mean(float(here)) > 0

    def wait(self):
        self.accelerator.wait_for_everyone()

    @contextmanager
    def first_alone(self):
        """Let the first process through, then the others, who find what it wrote."""
        with self.accelerator.main_process_first():
            yield
