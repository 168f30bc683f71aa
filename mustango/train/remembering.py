"""Train MuNet on new rows without forgetting: on old rows it predicts what it did when the run began."""

from pathlib import Path

import torch

from musicbench import InputError
from mustango.model.conditioning import Conditioner
from mustango.model.munet import MuNet
from mustango.train.munet import TrainMuNet, mean_inside
from mustango.train.parts import keep_parts
from mustango.train.rows import training_rows

REMEMBER_WEIGHT = 10.0


def check_remembering(run, remember, held_out=None):
    """Raise InputError unless a run has a model to remember, and remembers (or does not) from its beginning on."""
    place = Path(run) / TrainMuNet.name
    begun, remembers = (place / "state.pt").is_file(), (place / "before").is_dir()
    if begun and remembers != bool(remember):
        raise InputError(f"{run} was begun with{'' if remembers else 'out'} --remember; go on so, or use a new run folder")
    if not remember:
        return
    if not (Path(run) / "parts" / "unet").is_dir():
        raise InputError(f"{run} has no model to remember; begin it with `mustango train start --from MODEL -o {run}`")
    if held_out and Path(held_out).resolve() == Path(remember).resolve():
        raise InputError(f"--held-out {held_out} is what is remembered; give rows that are not learnt from")
    training_rows(remember, ("location", "dataset", "main_caption"), may_be_made=True)


class Remembering:
    """Two `TrainMuNet` of one run: learn the rows of one, on those of the other predict what the model did at first.

    What a few clips teach so cannot undo what many taught before (Learning without Forgetting, 1606.09282). Half of a
    batch is remembered. The new rows keep their conditions: what the model makes of none, which guidance leads away
    from, stays what it was. See `check_remembering` for the runs that it is for.
    """

    name = TrainMuNet.name

    def __init__(self, new, old, run):
        self.new, self.old, self.model = new, old, new.model
        old.model, new.drops = new.model, 0.0
        place = Path(run) / self.name
        if not (place / "state.pt").is_file():  # the run begins: its parts are still the model's
            keep_parts(run, place / "before", ("unet", "conditioner"))
        device = next(self.model.parameters()).device
        self.before = {
            name: kind.from_pretrained(place / "before" / name, dtype=torch.float32).eval().requires_grad_(False).to(device)
            for name, kind in (("unet", MuNet), ("conditioner", Conditioner))
        }

    def draw(self, rng, size, at=(0, 0)):
        remembered = max(size // 2, 1)
        halves = {"new": self.new.draw(rng, max(size - remembered, 1), at), "old": self.old.draw(rng, remembered, at)}
        return {f"{half} {name}": tensor for half, batch in halves.items() for name, tensor in batch.items()}

    def loss(self, batch):
        new, old = ({n.split()[1]: t for n, t in batch.items() if n.startswith(half)} for half in ("new", "old"))
        learnt, terms = self.new.loss(new)
        latents, t = old["latents"], old["timesteps"]
        noisy = self.old.scheduler.add_noise(latents, old["noise"], t)
        conditions = [
            self.old.condition(old, conditioner) for conditioner in (self.model["conditioner"], self.before["conditioner"])
        ]
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=self.old.bf16):
            now = self.model["unet"](noisy, t, conditions[0])
            with torch.no_grad():
                before = self.before["unet"](noisy, t, conditions[1])
        forgotten = mean_inside((now - before).square(), old["inside"]).mean()
        return learnt + REMEMBER_WEIGHT * forgotten, terms | {"learnt": learnt.detach(), "forgotten": forgotten.detach()}

    def save(self, parts):
        self.new.save(parts)
