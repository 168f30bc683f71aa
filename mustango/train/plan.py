"""What a training will take: time and memory, told before its first step."""

import time
from dataclasses import dataclass

import torch

MB = 1 << 20


@dataclass(frozen=True)
class Plan:
    """Numbers of a model, those that are learnt, bytes of memory by what they are for, and seconds of one part of a step."""

    numbers: int
    learnt: int
    bytes_of: dict[str, int]
    part_s: float

    def text(self, steps: int, parts: int) -> str:
        """Return the plan of so many steps, each of so many parts, on one line."""
        memory = ", ".join(f"{name} {size / MB:,.0f} MB" for name, size in self.bytes_of.items() if size)
        hours = steps * parts * self.part_s / 3600
        lasts = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"
        return (
            f"{self.learnt / 1e6:,.2f} of {self.numbers / 1e6:,.2f} million numbers are learnt; memory: {memory}; "
            f"{parts * self.part_s:.2f} s a step, {steps} steps in {lasts}"
        )


def plan_of(learner: torch.nn.Module, model: torch.nn.Module, batch: dict[str, torch.Tensor], averages: bool) -> Plan:
    """Return the Plan of a training by one pass over a batch, forth and back, that changes nothing.

    Activations are what the pass keeps for the way back, measured; weights, gradients and the optimizer's two averages are counted.
    """
    kept: dict[int, int] = {}
    held = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers(), *batch.values())}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    begun = time.monotonic()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss, _ = learner(batch)
    loss.backward()
    if loss.is_cuda:
        torch.cuda.synchronize()
    part_s = time.monotonic() - begun
    learner.zero_grad(set_to_none=True)
    parameters = [*model.parameters()]
    learnt = [p for p in parameters if p.requires_grad]
    size = sum(p.numel() * p.element_size() for p in learnt)
    weights = sum(p.numel() * p.element_size() for p in parameters)
    bytes_of = {
        "weights": weights, "gradients": size, "optimizer": 2 * size, "averages": size * averages, "activations": sum(kept.values()),
    }  # fmt: skip
    return Plan(sum(p.numel() for p in parameters), sum(p.numel() for p in learnt), bytes_of, part_s)
