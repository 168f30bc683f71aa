"""What the page and its API ask for: a Request whose values come as a browser has them, its length fitted to the chords."""

import json
from dataclasses import asdict, dataclass, replace
from math import ceil, inf

from musicbench import InputError
from musicbench.music.chart import MAX_LINE
from musicbench.music.progression import Progression
from musicbench.prompt.facts import read_prompt
from mustango import SCHEDULERS
from mustango.model.control import DRUMS
from mustango.release.adapters import Lora
from mustango.request.beats import read_beats
from mustango.request.bounds import CHART, read_duration, read_number
from mustango.request.model_facts import ModelFacts
from mustango.request.request import CHOICES, MAX_PROMPT, MAX_SEED, Request, check_text
from mustango.request.settled import Settled, resolve
from mustango.request.settling_time import chords_stated

AUTO_DURATION = "auto"  # the chords once, a short loop several times
FEWEST_BARS = 4  # of AUTO_DURATION
PAGE_TAKES, PAGE_STEPS = 8, 200  # of one request; others are waiting
LABELS = {"count": "takes", "cache_interval": "cache interval"}  # what the page calls a field
LISTS = {
    "beats": "[[times in seconds], [positions in the bar]]", "melody": "[[start in seconds, end, MIDI pitch], ...]",
    "drums": f"[[time in seconds, one of {', '.join(DRUMS)}], ...]",
}  # fmt: skip
EXACT = 2**53  # a browser rounds whole numbers above it


@dataclass(frozen=True)
class PageRequest(Request):
    """A Request as the page sends it: numbers may be text, lists JSON text; within narrower bounds.

    duration may be "auto", too: the chords as often as four bars need; when None the model's window, or the chords once where they
    last longer. What the prompt states comes before both. model: by the name that the server offers it under. listen: hear the takes
    again and score them. dark: for a dark page.
    """

    scheduler: str | None = SCHEDULERS[0]
    model: str = ""
    listen: bool = True
    dark: bool = False

    def settled(self, facts: ModelFacts) -> Settled:
        """Settle the request for a model of these `facts`. Raises InputError."""
        if any(not isinstance(lora, Lora) for lora in self.lora or ()):  # no name of a folder, which would be one of the server's
            raise InputError("an adapter is named by what the server offers; choose one of those")
        request = replace(self, **self._texts(), **self._numbers())
        request = replace(request, duration=request._length(facts))
        return resolve(request, facts)

    def as_json(self) -> dict:
        """Return the fields as a browser has them; adapters by name."""
        loras = ", ".join(f"{lora.name}:{lora.scale:g}" for lora in self.loras)
        return asdict(replace(self, lora=loras))

    def _texts(self):
        values = {}
        if not isinstance(self.listen, bool):
            raise InputError(f"listen {repr(self.listen)[:40]} is neither true nor false; give one of them")
        if self.stems:
            raise InputError("the page and its API give no stems; use mustango generate --stems")
        for name in ("prompt", "chords", "key", "meter", "negative_prompt", "scheduler", "predictors", "parts"):
            values[name] = "" if getattr(self, name) is None else getattr(self, name)
            if not isinstance(values[name], str):
                raise InputError(f"{name} is {type(values[name]).__name__}; give text")
        values["tempo"] = self.tempo
        for name in ("chords", "tempo", "key", "meter"):
            if isinstance(values[name], str):
                values[name] = values[name].strip() or None
                if len(values[name] or "") > MAX_LINE:
                    raise InputError(f"{name} has {len(values[name])} characters, above {MAX_LINE}; shorten it")
        for name, known in CHOICES.items():
            if values[name] not in known:
                raise InputError(f"unknown {name} {values[name][:40]!r}; choose one of {', '.join(known)}")
        for name in ("prompt", "negative_prompt"):
            check_text(name.replace("_", " "), values[name])
        return values | self._lists()

    def _lists(self):
        """Return what may be JSON text as lists, None for none; no name of a file, which would be one of the server's. Raises InputError."""
        values = {}
        for name, form in LISTS.items():
            value = getattr(self, name)
            if isinstance(value, str):
                try:
                    value = json.loads(value.strip() or "null")
                except (ValueError, RecursionError):
                    value = value[:40]
            if not isinstance(value, (list, tuple, type(None))):
                raise InputError(f"{name} {repr(value)[:42]} are no JSON; give {form}")
            values[name] = value
        pulse = read_beats(values["beats"])
        return values | {"beats": [list(pulse.times), list(pulse.positions)] if pulse else None}

    def _numbers(self):
        values = {}
        for name, kind in (("seed", int), ("count", int), ("steps", int), ("cache_interval", int), ("guidance", float)):
            label = LABELS.get(name, name)
            if getattr(self, name) is None:
                raise InputError(f"{label} is empty; give {'a whole number' if kind is int else 'a number'}")
            values[name] = read_number(label, getattr(self, name), kind)
        for name, low, high in (("count", 1, PAGE_TAKES), ("steps", 1, PAGE_STEPS), ("seed", 0, MAX_SEED)):
            if not low <= values[name] <= high:
                shown = f" {values[name]}" if abs(values[name]) <= EXACT else ""
                raise InputError(f"{LABELS.get(name, name)}{shown} is outside {low}-{high}; give a whole number within it")
        return values

    def _length(self, facts):
        """Return the duration as a Request has it, None where it tells: from the prompt, else the window or the chart."""
        duration = self.duration
        if isinstance(duration, str):
            duration = duration.strip() or None
        if duration == AUTO_DURATION:
            stated = read_prompt(self.prompt[:MAX_PROMPT]).duration is not None
            return None if stated or self.beats else self._whole_chart(facts)
        return read_duration(duration)

    def _plan(self, facts, duration):
        """Return the Controls of the first take, were it of another duration. Raises InputError."""
        return resolve(replace(self, duration=duration, count=1), facts).takes[0]

    def _whole_chart(self, facts):
        """Return a duration that holds the chords as often as `FEWEST_BARS` need; None where it is more than the model makes."""
        try:
            plan = self._plan(replace(facts, longest_s=inf), CHART)
        except InputError:  # chords in seconds, or less than a second of them, or a fault that is told when it is resolved
            return self._length_of_no_chart(facts)
        chart = round(plan.duration_s * plan.bpm / 60 / plan.meter.beats)
        for bars in (chart * ceil(FEWEST_BARS / chart), chart):
            if bars * plan.meter.beats * 60 / plan.bpm <= facts.longest_s:
                return f"{bars} bars"
        return None  # a faster tempo, or part of a loop, or refused for its length

    def _length_of_no_chart(self, facts):
        """Return the fewest bars for a chart below one second; for chords in seconds the window, or until two after the last start."""
        try:
            plan = self._plan(facts, facts.longest_s)
        except InputError:
            return None
        line = self.chords or chords_stated(self.prompt, read_prompt(self.prompt))
        if line and Progression.parse(line, plan.meter, plan.key).bars:
            return f"{FEWEST_BARS} bars"
        return max(facts.window_s, min(ceil(plan.chord_times[-1] + 2), facts.longest_s)) if plan.chord_times else None
