"""What is logged of a training: curve.csv, held_out.csv, listened.csv and curve.png, and the same for TensorBoard or Weights & Biases."""

import csv
from importlib import import_module
from pathlib import Path

from musicbench import InputError
from musicbench.files import written_whole
from musicbench.sound.audio import load_audio

LOGS = ("tensorboard", "wandb", "none")
LOSSES = ("curve", "held_out")
LISTENED = "listened"  # scores of clips, see `mustango.train.listening`


def check_log(log: str | None) -> None:
    """Raise InputError where what was asked to log is not installed."""
    if log not in (None, "none"):
        try:
            import_module(log)
        except ImportError:
            raise InputError(f"--log {log} needs the package {log}, which is not installed; pip install {log}") from None


class Curves:
    """The curves of a training in its folder. Lines after `step`, which a killed run wrote after its last state, are dropped.

    log: one of LOGS; TensorBoard's files are written where it is installed when None.
    """

    def __init__(self, out: Path, step: int, log: str | None = None):
        self.out, self._writer, self._wandb = Path(out), None, None
        for name in (*LOSSES, LISTENED):
            _forget_after(self.out / f"{name}.csv", step or -1)
        if log in (None, "tensorboard"):
            self._writer = _tensorboard(self.out / "tensorboard", step)
        elif log == "wandb":
            wandb = import_module("wandb")
            self._wandb = wandb.init(project="mustango", name=self.out.resolve().parent.name, dir=str(self.out), resume="allow")

    def add(self, curve: str, row: dict) -> None:
        """Write a line, {"step": ..., name: number or text}, of one of LOSSES or LISTENED."""
        _append(self.out / f"{curve}.csv", row)
        numbers = {f"{curve}/{name}": value for name, value in row.items() if name != "step" and not isinstance(value, str)}
        if self._writer:
            for name, value in numbers.items():
                self._writer.add_scalar(name, value, row["step"])
            self._writer.flush()
        if self._wandb:
            self._wandb.log(numbers, step=row["step"])

    def has(self, curve: str, step: int) -> bool:
        """Return whether a curve has a line of a step."""
        path = self.out / f"{curve}.csv"
        return path.is_file() and any(line.startswith(f"{step},") for line in path.read_text().splitlines())

    def add_sound(self, path: Path, step: int) -> None:
        """Show a sound file, which lies in the run's folder, in TensorBoard or Weights & Biases."""
        name = f"{LISTENED}/{path.stem}"
        if self._writer:
            samples, rate = load_audio(path)
            self._writer.add_audio(name, samples[None], step, rate)
            self._writer.flush()
        if self._wandb:
            self._wandb.log({name: import_module("wandb").Audio(str(path))}, step=step)

    def draw(self) -> None:
        """Draw the losses as curve.png, where matplotlib is installed."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            return
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        for name in LOSSES:
            path = self.out / f"{name}.csv"
            if path.is_file():
                with path.open(newline="") as file:
                    rows = list(csv.DictReader(file))
                axes.plot([int(row["step"]) for row in rows], [float(row["loss"]) for row in rows], label=name.replace("_", " "))
        axes.set(xlabel="step", ylabel="loss", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend()
        with written_whole(self.out / "curve.png") as temporary:
            figure.savefig(temporary, format="png", dpi=110)


def _tensorboard(folder, step):
    """Return TensorBoard's writer, which forgets what came after `step`; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)


def _append(path, row):
    new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _forget_after(path, step):
    """Drop the lines of a curve that a killed run wrote after its last state, as they will come again, and torn ones."""
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
