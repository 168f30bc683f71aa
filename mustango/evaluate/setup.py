"""What an evaluation is: its set, the model or the audio that is judged, the columns, judges and embedder."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from musicbench import InputError
from mustango import GUIDANCE, STEPS
from mustango.hear.embeddings import load_embedder
from mustango.hear.judges import DEFAULT_JUDGES, load_judge
from mustango.release.folder import BUNDLED

COLUMNS = ("model", "real", "round trip", "shuffled", "dropped")
embedder = cache(load_embedder)


@dataclass(frozen=True)
class Setup:
    """What an evaluation is.

    audio: a folder that stands in for the model. given: whether the model gets the controls.
    takes: how many the model makes of each clip; the one is judged in which madmom hears most of what was asked.
    """

    set: str
    model: str = BUNDLED
    audio: str | None = None
    real: str | None = None  # folder of a file set's own audio, if it does not lie beside the file
    steps: int = STEPS
    guidance: float = GUIDANCE
    takes: int = 1
    device: str = "cpu"
    given: bool = True
    limit: int | None = None
    seed: int = 0  # of the shuffling and the intervals
    dropped: int = 30  # clips of the column without controls
    columns: tuple = COLUMNS
    judges: tuple = ()  # () takes the default ones that are installed
    embedding: str = "musicnn"

    def check(self):
        """Return (the setup with the columns and judges that can be used, [why others cannot]). Raises InputError."""
        unknown = set(self.columns) - set(COLUMNS)
        if unknown:
            raise InputError(f"unknown column {min(unknown)!r:.40}; choose from {', '.join(COLUMNS)}")
        columns = tuple(c for c in COLUMNS if c in self.columns and not (self.audio and c in ("round trip", "dropped")))
        alone = {("shuffled",): "the model's audio against other labels; write --columns model,shuffled"}
        if not self.given:
            alone |= {("dropped",): "the model without controls, as all is made with --words-only; leave one of the two out"}
        if not self.audio and columns in alone:
            raise InputError(f"column {columns[0]} alone shows nothing: it is {alone[columns]}")
        for option in ("audio", "real"):
            if getattr(self, option) and not Path(getattr(self, option)).is_dir():
                raise InputError(f"no folder {getattr(self, option)}; --{option} takes a folder with an audio file for each clip")
        judges, missing = [], []
        for name in self.judges or DEFAULT_JUDGES:
            try:
                load_judge(name)
                judges.append(name)
            except InputError as error:
                if self.judges:
                    raise
                missing.append(f"{name}: {error}")
        if self.embedding != "none":
            embedder(self.embedding)
        return replace(self, columns=columns, judges=tuple(judges)), missing
