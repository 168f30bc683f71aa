"""Dynamics: a steady change of loudness."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dynamics:
    """A steady change of loudness, linear in dB, by a factor down to `floor`.

    kind: "crescendo" or "decrescendo". where: "start", from the start until `turn_s`, or "end", from `turn_s` to the end; beyond
    the change the gain stays. turn_s None: midway, as captions may say.
    """

    kind: str
    where: str
    turn_s: float | None
    floor: float | None = None

    def gain_db(self, times_s, duration_s):
        """Return the gain in dB at each time."""
        first_s, last_s = (0.0, self.turn_s) if self.where == "start" else (self.turn_s, duration_s)
        share = np.clip((np.asarray(times_s) - first_s) / max(last_s - first_s, 1e-9), 0, 1)
        return 20 * np.log10(self.floor) * (1 - share if self.kind == "crescendo" else share)
