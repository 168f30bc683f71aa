"""Studio: one model in memory and one thread that plays; a request -> takes, each a folder of files, with progress to watch."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from secrets import token_hex

from musicbench import InputError
from musicbench.files import save_json, written_whole
from musicbench.music.chart import MAX_LINE
from musicbench.music.progression import Progression
from musicbench.prompt.facts import read_prompt
from musicbench.scores.midi import save_midi
from musicbench.sound.audio import save_audio
from musicbench.sound.master import check_loudness, check_tail
from mustango.hear.obeyed import Scores, compare
from mustango.page.work import Progress, watched
from mustango.release.folder import model_folder
from mustango.release.layouts import NO_PREDICTORS
from mustango.request.beats import read_beats
from mustango.request.bounds import CHART, MAX_PROMPT, MAX_SEED, check_options, read_duration, read_number
from mustango.request.controls import Controls
from mustango.request.requests import CHOICES, left_to_predictors, planned
from mustango.request.settling_time import chords_stated
from mustango.request.sidecar import read_facts

AUTO_DURATION = "auto"  # the chords once, a short loop several times
FEWEST_BARS = 4  # of AUTO_DURATION
MAX_TAKES, MAX_STEPS = 8, 200  # of one request; others are waiting
LABELS = {"count": "takes"}  # what the page calls a field
EXACT = 2**53  # a browser rounds whole numbers above it


@dataclass(frozen=True)
class Request:
    """What is asked for, as `MustangoPipeline` takes it; an empty control is read from the prompt or chosen.

    duration: seconds, "8 bars", "chart" (the chords once) or "auto" (the chords as often as four bars need); when None the
    model's window, or the chords once where they last longer. What the prompt states comes before "auto" and None. count: takes,
    with seeds seed, seed + 1, ... listen: hear the takes again and score them. loudness: of the files, in LUFS; as the model made
    them when None. tail: seconds in which the ending rings out. beats: [[times (s)], [positions]], or that as JSON text. dark: for
    a dark page.
    """

    prompt: str = ""
    chords: str = ""
    tempo: str | float = ""
    key: str = ""
    meter: str = ""
    duration: float | str | None = None
    seed: int = 0
    count: int = 1
    steps: int = 20
    guidance: float = 3.0
    negative_prompt: str = ""
    scheduler: str = "dpm"
    model: str = ""
    predictors: str = "auto"
    listen: bool = True
    loudness: float | None = None
    tail: float = 0.0
    beats: str | list = ""
    dark: bool = False

    @property
    def controls(self):
        """The controls as keyword arguments; those left open are None."""
        names = ("chords", "tempo", "key", "meter", "beats")
        return {name: None if getattr(self, name) == "" else getattr(self, name) for name in names}

    def resolved(self, facts):
        """Return the Controls of the first take as a model of these `ModelFacts` plays them. Raises InputError."""
        return facts.played(self._read(facts))

    def _read(self, facts):
        """Return the Controls of the first take as they are asked for. Raises InputError."""
        names = ("prompt", "duration", "seed", "predictors")
        return planned(self.controls | {name: getattr(self, name) for name in names}, facts)

    def checked(self, facts):
        """Return the request with every value of its type and within its bounds for a model of these `ModelFacts`. Raises InputError."""
        values = self._texts() | self._numbers()
        options = {name: values[name] for name in ("prompt", "seed", "count", "steps", "guidance", "negative_prompt")}
        check_options(**options, duration=None, longest_s=facts.longest_s)
        request = replace(self, **values)
        if request.predictors == "neural" and not facts.has_predictors:
            raise InputError(NO_PREDICTORS)
        request = replace(request, duration=request._length(facts))
        check_options(**options, duration=request.duration, longest_s=facts.longest_s)
        for i in range(request.count):  # what is chosen differs from take to take
            plan = replace(request, seed=request.seed + i).resolved(facts)
            tail_s = check_tail(request.tail, plan.duration_s, facts.longest_s)
        return replace(request, tail=tail_s)

    def _texts(self):
        values = {}
        if not isinstance(self.listen, bool):
            raise InputError(f"listen {repr(self.listen)[:40]} is neither true nor false; give one of them")
        for name in ("prompt", "chords", "key", "meter", "negative_prompt", "scheduler", "predictors"):
            values[name] = "" if getattr(self, name) is None else getattr(self, name)
            if not isinstance(values[name], str):
                raise InputError(f"{name} is {type(values[name]).__name__}; give text")
        values["tempo"] = self.tempo
        for name in ("chords", "tempo", "key", "meter"):
            if isinstance(values[name], str):
                values[name] = values[name].strip()
                if len(values[name]) > MAX_LINE:
                    raise InputError(f"{name} has {len(values[name])} characters, above {MAX_LINE}; shorten it")
        for name, known in CHOICES.items():
            if values[name] not in known:
                raise InputError(f"unknown {name} {values[name][:40]!r}; choose one of {', '.join(known)}")
        return values | {"beats": self._beats()}

    def _beats(self):
        """Return the beats as two lists, "" for none. Raises InputError."""
        beats = self.beats
        if isinstance(beats, str):
            try:
                beats = json.loads(beats.strip() or "null")
            except (ValueError, RecursionError):
                raise InputError(f"beats {beats[:40]!r} are no JSON; give [[times in seconds], [positions in the bar]]") from None
        pulse = read_beats(beats)
        return [list(pulse.times), list(pulse.positions)] if pulse else ""

    def _numbers(self):
        values = {}
        for name, kind in (("seed", int), ("count", int), ("steps", int), ("guidance", float)):
            label = LABELS.get(name, name)
            if getattr(self, name) is None:
                raise InputError(f"{label} is empty; give {'a whole number' if kind is int else 'a number'}")
            values[name] = read_number(label, getattr(self, name), kind)
        for name, low, high in (("count", 1, MAX_TAKES), ("steps", 1, MAX_STEPS), ("seed", 0, MAX_SEED)):
            if not low <= values[name] <= high:
                shown = f" {values[name]}" if abs(values[name]) <= EXACT else ""
                raise InputError(f"{LABELS.get(name, name)}{shown} is outside {low}-{high}; give a whole number within it")
        return values | {"loudness": check_loudness(self.loudness)}

    def _length(self, facts):
        """Return the duration as `resolve` takes it, None where it tells: from the prompt, else the window or the chart."""
        duration = self.duration
        if isinstance(duration, str):
            duration = duration.strip() or None
        if duration == AUTO_DURATION:
            stated = read_prompt(self.prompt[:MAX_PROMPT]).duration is not None
            return None if stated or self.beats else self._whole_chart(facts)
        return read_duration(duration)

    def _whole_chart(self, facts):
        """Return a duration that holds the chords as often as `FEWEST_BARS` need; None where it is more than the model makes."""
        try:
            plan = replace(self, duration=CHART)._read(replace(facts, longest_s=inf))
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
            plan = replace(self, duration=facts.longest_s)._read(facts)
        except InputError:
            return None
        line = self.chords or chords_stated(self.prompt, read_prompt(self.prompt))
        if line and Progression.parse(line, plan.meter, plan.key).bars:
            return f"{FEWEST_BARS} bars"
        return max(facts.window_s, min(ceil(plan.chord_times[-1] + 2), facts.longest_s)) if plan.chord_times else None


@dataclass(frozen=True)
class Take:
    """One finished take: its files, what was played, and what was heard of it (scores; None with `remedy` when nothing was)."""

    id: str
    wav: Path
    flac: Path
    midi: Path
    json: Path
    request: Request
    controls: Controls
    seed: int
    picture: Path | None = None
    scores: Scores | None = None
    heard_chords: tuple = ()
    remedy: str = ""


class Studio:
    """Plays requests one after the other, in one thread, with one model in memory at a time.

    models: those a request may name: the bundled one, folders, hub ids. Raises InputError when one cannot be found.
    """

    def __init__(self, models, device="cpu", dtype="float32", low_memory=False):
        folders = {model: model_folder(model) for model in models}
        self.models = {Path(model).name if Path(model).is_dir() else str(model): folder for model, folder in folders.items()}
        if len(self.models) < len(folders):
            raise InputError(f"two of the models {', '.join(models)} have one name; rename a folder")
        self._facts = {name: read_facts(folder) for name, folder in self.models.items()}
        self.default = next(iter(self.models))
        self._how = {"device": device, "dtype": dtype, "low_memory": low_memory}
        self._worker = ThreadPoolExecutor(1, "studio")
        self._loaded = None, None
        self._rest = 0.3  # seconds that decoding, listening and drawing took last, a second of music
        self._denoised = 0.0  # when the last step was done

    def warm_up(self):
        """Begin to load the first model; returns at once."""
        return self._worker.submit(self._pipeline, self.default)

    def _pipeline(self, name):
        if self._loaded[0] != name:
            from mustango.pipeline import load_pipeline

            self._loaded = None, None  # let go of the other model first
            self._loaded = name, load_pipeline(self.models[name], quiet=True, **self._how)
        return self._loaded[1]

    def check(self, request):
        """Return the request, checked and with its model named. Raises InputError."""
        facts = self.facts_of(request)
        request = replace(request, model=request.model or self.default)
        if request.duration == AUTO_DURATION and self.asks_predictors(request):
            request = replace(request, duration=None)  # predicted beats and chords are in seconds
        return request.checked(facts)

    def facts_of(self, request):
        """Return the ModelFacts of the model that a request names. Raises InputError for one that is not offered."""
        model = request.model or self.default
        if not isinstance(model, str) or model not in self.models:
            raise InputError(f"unknown model {model!r}; this server offers {', '.join(self.models)}")
        return self._facts[model]

    def asks_predictors(self, request):
        """Return whether a request lets its model's predictors choose what it leaves open."""
        asked = request.predictors == "neural" or not (request.tempo and request.chords)
        return asked and request.predictors != "reader" and self.facts_of(request).has_predictors

    def predicted(self, request, plan):
        """Return which of tempo, meter and chords the model's predictors will tell, whatever the `plan` of a request has."""
        if not self.asks_predictors(request):
            return set()
        return left_to_predictors(plan.origin, request.predictors)

    def remedies(self, request):
        """Return changes that make a refused request one that can be played: [(what they do, {name: value}), ...]."""
        fitting = {"duration": AUTO_DURATION}
        remedies = [("Fit to the chart", fitting)]
        with suppress(InputError):
            facts = self.facts_of(request)
            plan = replace(request, duration=CHART).checked(replace(facts, longest_s=inf)).resolved(replace(facts, longest_s=inf))
            bpm = ceil(round(plan.duration_s * plan.bpm / facts.longest_s, 6))
            remedies.append((f"Fit to the chart at {bpm} bpm", fitting | {"tempo": str(bpm)}))
        return [remedy for remedy in remedies if self._can_play(replace(request, **remedy[1]))][:1]

    def _can_play(self, request):
        try:
            self.check(request)
        except InputError:
            return False
        return True

    def play(self, request, folder):
        """Yield Progress while working, and each Take twice: as soon as it sounds and when it has been heard and drawn.

        Files go into new folders with random names in `folder`. Closing the generator stops the work within one step. Raises
        InputError.
        """
        request = self.check(request)
        first = Progress("Getting ready" if self._loaded[0] == request.model else "Loading the model")
        yield from watched(self._worker, lambda emit: self._work(request, Path(folder), emit), first)

    def _work(self, request, folder, emit):
        pipeline = self._pipeline(request.model)
        pipeline.set_scheduler(request.scheduler)
        total, facts = request.count * request.steps, self.facts_of(request)
        for index in range(request.count):
            which = f"take {index + 1} of {request.count}, " if request.count > 1 else ""
            duration_s = replace(request, seed=request.seed + index).resolved(facts).duration_s
            started, rest_s = time.monotonic(), self._rest * duration_s

            def on_step(step, steps, index=index, which=which, started=started, rest_s=rest_s):
                done = index * request.steps + min(step, request.steps)
                left_s = (total - done) * (time.monotonic() - started) / step + rest_s * (request.count - index)
                self._denoised = time.monotonic()
                text = f"step {step} of {steps}" if step < steps else "turning it into sound"
                emit(Progress(f"{which}{text}".capitalize(), done / total, time.monotonic() + left_s))

            output = pipeline(
                request.prompt, **request.controls, duration=request.duration, seed=request.seed + index, steps=request.steps,
                guidance=request.guidance, negative_prompt=request.negative_prompt, predictors=request.predictors,
                loudness=request.loudness, tail=request.tail, on_step=on_step,
            )  # fmt: skip
            take = self._written(output, request, folder, {"revision": pipeline.commit} if pipeline.commit else {})
            emit(take)
            over_at = self._denoised + rest_s if index == request.count - 1 else None
            emit(
                Progress(
                    f"{which}{'listening back' if request.listen else 'drawing'}".capitalize(), (index + 1) / request.count, over_at
                )
            )
            emit(self._heard(take, output.audios[0], output.sample_rate))
            self._rest = (time.monotonic() - self._denoised) / duration_s

    def _written(self, output, request, folder, revision):
        """Write the audio, the sidecar and the MIDI of a take into a new folder. revision: of a hub's model, as a sidecar has it."""
        from mustango.pipeline import sidecar

        controls, seed, name = output.controls[0], output.seeds[0], token_hex(16)
        place = folder / name
        place.mkdir(parents=True)
        words = "-".join(re.findall("[a-z0-9]+", request.prompt.lower()))[:40].strip("-")
        stem = f"{words or 'mustango'}-{controls.bpm:.0f}bpm-seed{seed}-{name[:6]}"
        take = Take(
            name, place / f"{stem}.wav", place / f"{stem}.flac", place / f"{stem}.mid", place / f"{stem}.json",
            replace(request, seed=seed, count=1), controls, seed,
        )  # fmt: skip
        names = ("steps", "guidance", "negative_prompt", "scheduler", "predictors", "model", "loudness", "tail")
        made_with = {name: getattr(request, name) for name in names}
        save_audio(take.wav, output.audios[0], output.sample_rate)
        save_audio(take.flac, output.audios[0], output.sample_rate)
        save_json(take.json, sidecar(output, 0, request.prompt, made_with | revision | {"dtype": self._how["dtype"]}))
        save_midi(take.midi, controls)
        return take

    def _heard(self, take, samples, sample_rate):
        """Return the take with what was heard and a picture: asked and, where madmom is there, heard chords as lanes."""
        from musicbench.sound.picture import piece_png

        controls = take.controls
        asked = "asked" if controls.origin.get("chords") in ("given", "prompt") else "chosen"
        lanes = [(asked, controls.chord_times, [c.lead_sheet(controls.key) for c in controls.chords])]
        if take.request.listen:
            try:
                from musicbench.sound.features import hear

                heard = hear(samples, sample_rate)
            except InputError as error:
                take = replace(take, remedy=str(error))
            else:
                names = [c.lead_sheet(controls.key) for c in heard.chords]
                lanes.append(("heard", heard.chord_times, names))
                take = replace(take, scores=compare(controls, heard), heard_chords=tuple(names))
        beats = {"beat_times": controls.beat_times, "beat_positions": controls.beat_positions}
        picture = take.wav.with_suffix(".png")
        with written_whole(picture) as temporary:
            temporary.write_bytes(piece_png(samples, sample_rate, **beats, lanes=lanes, dark=take.request.dark))
        return replace(take, picture=picture)
