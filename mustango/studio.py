"""Studio: one model in memory and one thread that plays; a request -> takes, each a folder of files, with progress to watch."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from threading import Event

from musicbench import InputError
from musicbench.chart import MAX_LINE
from musicbench.clip import save_audio, save_json, written_whole
from musicbench.facts import read_prompt
from musicbench.master import check_loudness
from musicbench.progression import Progression
from musicbench.theory import MAX_BPM
from mustango.checkpoint import durations_of, model_folder
from mustango.knows import knows_of
from mustango.midi import save_midi
from mustango.obeyed import Scores, compare
from mustango.reader import CHART, MAX_PROMPT, Controls, check_options, chords_stated, read_duration, read_number, resolve

AUTO_DURATION = "auto"  # the chords once, a short loop several times
FEWEST_BARS = 4  # of AUTO_DURATION
MAX_TAKES, MAX_STEPS = 8, 200  # of one request; others are waiting
TICK_S = 0.25  # how often a watcher hears of what goes on


@dataclass(frozen=True)
class Request:
    """What is asked for, as `MustangoPipeline` takes it; an empty control is read from the prompt or chosen.

    duration: seconds, "8 bars", "chart" (the chords once) or "auto" (the chords as often as four bars need); when None the
    model's window. What the prompt states comes before "auto" and None. count: takes, with seeds seed, seed + 1, ...
    listen: hear the takes again and score them. loudness: of the files, in LUFS; as the model made them when None.
    dark: for a dark page.
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
    dark: bool = False

    @property
    def controls(self):
        """The controls as keyword arguments; those left open are None."""
        return {name: None if getattr(self, name) == "" else getattr(self, name) for name in ("chords", "tempo", "key", "meter")}

    def resolved(self, longest_s=inf, knows=None, window_s=10.24):
        """Return the Controls of the first take, with notes on what a model that `knows` so much lacks. Raises InputError."""
        given = {**self.controls, "duration": self.duration, "seed": self.seed}
        return resolve(self.prompt, **given, window_s=window_s, longest_s=longest_s, knows=knows)

    def checked(self, window_s, longest_s):
        """Return the request with every value of its type and within its bounds; see `durations_of`. Raises InputError."""
        values = self._texts() | self._numbers()
        options = {name: values[name] for name in ("prompt", "seed", "count", "steps", "guidance", "negative_prompt")}
        check_options(**options, duration=None, longest_s=longest_s)
        request = replace(self, **values)
        request = replace(request, duration=request._length(window_s, longest_s))
        check_options(**options, duration=request.duration, longest_s=longest_s)
        for i in range(request.count if isinstance(request.duration, str) else 1):  # takes in bars differ in length
            replace(request, seed=request.seed + i).resolved(longest_s)
        return request

    def _texts(self):
        values = {}
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
        return values

    def _numbers(self):
        values = {}
        for name, kind in (("seed", int), ("count", int), ("steps", int), ("guidance", float)):
            if getattr(self, name) is None:
                raise InputError(f"{name} is empty; give {'a whole number' if kind is int else 'a number'}")
            values[name] = read_number(name, getattr(self, name), kind)
        for name, most in (("count", MAX_TAKES), ("steps", MAX_STEPS)):
            if values[name] > most:
                raise InputError(f"{name} {values[name]} is above {most}, the most that one request may ask for; give less")
        return values | {"loudness": check_loudness(self.loudness)}

    def _length(self, window_s, longest_s):
        """Return the duration as `resolve` takes it, None where the prompt states it."""
        duration = self.duration
        if isinstance(duration, str):
            duration = duration.strip() or None
        if duration in (None, AUTO_DURATION) and read_prompt(self.prompt[:MAX_PROMPT]).duration is not None:
            return None
        if duration == AUTO_DURATION:
            return self._whole_chart(window_s, longest_s)
        return read_duration(window_s if duration is None else duration)

    def _whole_chart(self, window_s, longest_s):
        """Return a duration that holds the chords as often as `FEWEST_BARS` need. Raises InputError when the model cannot make it."""
        try:
            plan = replace(self, duration=CHART).resolved()
        except InputError:  # chords in seconds, or less than a second of them, or a fault that is told when it is resolved
            return self._length_of_no_chart(window_s, longest_s)
        chart = round(plan.duration_s * plan.bpm / 60 / plan.meter.beats)
        for bars in (chart * ceil(FEWEST_BARS / chart), chart):
            if bars * plan.meter.beats * 60 / plan.bpm <= longest_s:
                return f"{bars} bars"
        if "chosen" in (plan.origin["tempo"], plan.origin["chords"]):  # a faster tempo, or part of a loop
            return window_s
        faster = ceil(chart * plan.meter.beats * 60 / longest_s)
        raise InputError(
            f"the chords fill {chart} bars of {plan.meter}, {plan.duration_s:.4g} s at {plan.bpm:g} bpm, above the {longest_s:g} s "
            "that this model makes; give fewer chords, several a bar ('C G | Am F')"
            + (f", or {faster} bpm or more" if faster <= MAX_BPM else "")
        )

    def _length_of_no_chart(self, window_s, longest_s):
        """Return the fewest bars for a chart below one second; for chords in seconds the window, or until two after the last start."""
        try:
            plan = replace(self, duration=longest_s).resolved()
        except InputError:
            return window_s
        line = self.chords or chords_stated(self.prompt, read_prompt(self.prompt))
        if line and Progression.parse(line, plan.meter, plan.key).bars:
            return f"{FEWEST_BARS} bars"
        return max(window_s, min(ceil(plan.chord_times[-1] + 2), longest_s)) if plan.chord_times else window_s


@dataclass(frozen=True)
class Progress:
    """What is being done, the share of the whole that is done, and when it will be over (`time.monotonic`), if known."""

    text: str
    share: float = 0.0
    over_at: float | None = None

    @property
    def left_s(self):
        """Seconds left, None when unknown."""
        return None if self.over_at is None else max(self.over_at - time.monotonic(), 0.0)


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


class Stopped(BaseException):
    """Whoever watched has gone or cancelled; no fault of the work's, which is not to catch it as an Exception."""


def watched(worker, work, progress):
    """Run `work(emit)` in an executor and yield `progress`, then what it emits, the last Progress again every 0.25 s.

    Closing the generator makes the next `emit` raise Stopped in `work`. What `work` raises is raised here.
    """
    events, stop = SimpleQueue(), Event()

    def emit(event):
        if stop.is_set():
            raise Stopped
        events.put(event)

    def run():
        try:
            work(emit)
            events.put(None)
        except Stopped:
            events.put(None)
        except Exception as error:  # raised where it is watched
            events.put(error)

    job = worker.submit(run)
    try:
        yield progress
        while True:
            try:
                event = events.get(timeout=TICK_S)
            except Empty:
                event = progress
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            if isinstance(event, Progress):
                progress = event
            yield event
    finally:
        stop.set()
        job.cancel()


class Studio:
    """Plays requests one after the other, in one thread, with one model in memory at a time.

    models: those a request may name: the bundled one, folders, hub ids. Raises InputError when one cannot be found.
    """

    def __init__(self, models, device="cpu", dtype="float32", low_memory=False):
        folders = {model: model_folder(model) for model in models}
        self.models = {Path(model).name if Path(model).is_dir() else str(model): folder for model, folder in folders.items()}
        if len(self.models) < len(folders):
            raise InputError(f"two of the models {', '.join(models)} have one name; rename a folder")
        self.durations = {name: durations_of(folder) for name, folder in self.models.items()}
        self.knows = {name: knows_of(folder) for name, folder in self.models.items()}
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
        durations = self._durations(request)
        request = replace(request, model=request.model or self.default)
        if request.duration == AUTO_DURATION and self._predicts(request):
            request = replace(request, duration=None)  # predicted beats and chords are in seconds
        return request.checked(*durations)

    def _durations(self, request):
        model = request.model or self.default
        if not isinstance(model, str) or model not in self.models:
            raise InputError(f"unknown model {model!r}; this server offers {', '.join(self.models)}")
        return self.durations[model]

    def _predicts(self, request):
        parts = (self.models[request.model] / name for name in ("beat_predictor", "beats"))
        asked = request.predictors == "neural" or not (request.tempo and request.chords)
        return asked and request.predictors != "reader" and any(part.is_dir() for part in parts)

    def remedies(self, request):
        """Return changes that make a refused request one that can be played: [(what they do, {name: value}), ...]."""
        fitting = {"duration": AUTO_DURATION}
        remedies = [("Fit to the chart", fitting)]
        with suppress(InputError):
            window_s, longest_s = self._durations(request)
            plan = replace(request, duration=CHART).checked(window_s, inf).resolved()
            bpm = ceil(round(plan.duration_s * plan.bpm / longest_s, 6))
            remedies.append((f"Fit to the chart at {bpm} bpm", fitting | {"tempo": str(bpm)}))
        return [remedy for remedy in remedies if self._can_play(replace(request, **remedy[1]))][:1]

    def _can_play(self, request):
        try:
            self.check(request)
        except InputError:
            return False
        return True

    def knows_for(self, request):
        """Return what the model of a checked request knows, None where its folder does not say."""
        return self.knows[request.model]

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
        total = request.count * request.steps
        for index in range(request.count):
            which = f"take {index + 1} of {request.count}, " if request.count > 1 else ""
            duration_s = replace(request, seed=request.seed + index).resolved().duration_s
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
                loudness=request.loudness, on_step=on_step,
            )  # fmt: skip
            take = self._written(output, request, folder)
            emit(take)
            over_at = self._denoised + rest_s if index == request.count - 1 else None
            emit(
                Progress(
                    f"{which}{'listening back' if request.listen else 'drawing'}".capitalize(), (index + 1) / request.count, over_at
                )
            )
            emit(self._heard(take, output.audios[0], output.sample_rate))
            self._rest = (time.monotonic() - self._denoised) / duration_s

    def _written(self, output, request, folder):
        """Write the audio, the sidecar and the MIDI of a take into a new folder."""
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
        made_with = {
            n: getattr(request, n) for n in ("steps", "guidance", "negative_prompt", "scheduler", "predictors", "model", "loudness")
        }
        save_audio(take.wav, output.audios[0], output.sample_rate)
        save_audio(take.flac, output.audios[0], output.sample_rate)
        save_json(take.json, sidecar(output, 0, request.prompt, made_with | {"dtype": self._how["dtype"]}))
        save_midi(take.midi, controls)
        return take

    def _heard(self, take, samples, sample_rate):
        """Return the take with what was heard and a picture: asked and, where madmom is there, heard chords as lanes."""
        from musicbench.picture import piece_png

        controls = take.controls
        asked = "asked" if controls.origin.get("chords") in ("given", "prompt") else "chosen"
        lanes = [(asked, controls.chord_times, [c.lead_sheet(controls.key) for c in controls.chords])]
        if take.request.listen:
            try:
                from musicbench.features import hear

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
