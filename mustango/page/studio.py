"""Studio: one model in memory and one thread that plays; a request -> takes, each a folder of files, with progress to watch."""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf
from pathlib import Path
from secrets import token_hex
from typing import Any

from musicbench import InputError, __version__, quoted
from musicbench.files import save_json, written_whole
from musicbench.scores.midi import save_midi
from musicbench.sound.audio import save_audio
from mustango.hear.obeyed import Scores, compare
from mustango.page.asked import AUTO_DURATION, PageRequest
from mustango.page.counts import COMPUTE, REFUSED, SOUND, TAKES, WAITING, Counts
from mustango.page.line import Full, Line, Who
from mustango.page.work import Progress, Stopped, watched
from mustango.release.adapters import read_adapter, read_loras, shipped_adapters
from mustango.release.folder import model_folder
from mustango.request.bounds import CHART
from mustango.request.controls import Controls
from mustango.request.model_facts import read_facts
from mustango.request.sidecar import made_with


def _take_of(index, count):
    return f"take {index + 1} of {count}, " if count > 1 else ""


@dataclass(frozen=True)
class Take:
    """One finished take: its files, what was played, and what was heard of it (scores; None with `remedy` when nothing was)."""

    id: str
    wav: Path
    flac: Path
    midi: Path
    json: Path
    request: PageRequest
    controls: Controls
    seed: int
    picture: Path | None = None
    scores: Scores | None = None
    heard_chords: tuple = ()
    remedy: str = ""

    @property
    def finished_in(self):
        """The take's folder, None while files are still missing."""
        return self.picture and self.wav.parent


class Studio:
    """Plays takes one after the other, in one thread, with one model in memory at a time; between takes it is somebody else's turn.

    models: those a request may name: the bundled one, folders, hub ids. loras: folders of adapters that it may name beside those that
    ship with the model. line: whose turn it is, and how long a request may take. Raises
    InputError when a model cannot be found.
    """

    def __init__(self, models, device="cpu", dtype="float32", low_memory=False, line=None, loras=(), attention="auto"):
        folders = {model: model_folder(model) for model in models}
        self.models = {Path(model).name if Path(model).is_dir() else str(model): folder for model, folder in folders.items()}
        if len(self.models) < len(folders):
            raise InputError(f"two of the models {', '.join(models)} have one name; rename a folder")
        self.loras = shipped_adapters() | {Path(folder).name: Path(folder).resolve() for folder in loras}
        for folder in self.loras.values():
            read_adapter(folder)
        self._facts = {name: read_facts(folder) for name, folder in self.models.items()}
        self.default = next(iter(self.models))
        self._how = {"device": device, "dtype": dtype, "low_memory": low_memory, "attention": attention}
        self._line = line or Line(places=41)
        self._worker = ThreadPoolExecutor(1, "studio")
        self._loaded: tuple[str | None, Any] = None, None
        self.counts, self.ready = Counts(), False  # ready: a model has been loaded
        self._step = {}  # seconds that a step took last, a second of music, by model
        self._rest = 0.3  # seconds that decoding, listening and drawing took last, a second of music
        self._denoised = 0.0  # when the last step was done

    def warm_up(self):
        """Begin to load the first model; returns at once."""
        return self._worker.submit(self._pipeline, self.default)

    def _pipeline(self, name):
        if self._loaded[0] != name:
            from mustango.pipeline import load_pipeline

            self._loaded = None, None  # let go of the other model first
            try:
                self._loaded = name, load_pipeline(self.models[name], quiet=True, **self._how)
                self.ready = True
            except InputError as error:  # names this machine's folders
                print(f"mustango: {error}", file=sys.stderr)
                raise InputError(f"the model {name} cannot be loaded; the server's terminal says why") from None
        return self._loaded[1]

    def health(self):
        """Return what `/health` tells: whether a model has been loaded, the first model's name, the version."""
        return {"status": "ready" if self.ready else "not loaded", "model": self.default, "version": __version__}

    def metrics(self):
        """Return what `/metrics` tells, as text."""
        return self.counts.text({COMPUTE: self._line.worked_s, WAITING: self._line.waiting})

    def settle(self, request):
        """Return what a request is settled to, its model named. Raises InputError."""
        facts = self.facts_of(request)
        lora = read_loras(request.lora, self.loras)
        request = replace(request, model=request.model or self.default, lora=lora)
        if request.duration == AUTO_DURATION and facts.has_predictors:
            settled = replace(request, duration=None).settled(facts)
            if settled.asks_predictors:  # predicted beats and chords are in seconds
                return settled
        return request.settled(facts)

    def facts_of(self, request):
        """Return the ModelFacts of the model that a request names. Raises InputError for one that is not offered."""
        model = request.model or self.default
        if not isinstance(model, str) or model not in self.models:
            raise InputError(f"unknown model {quoted(model)}; this server offers {', '.join(self.models)}")
        return self._facts[model]

    def remedies(self, request):
        """Return changes that make a refused request one that can be played: [(what they do, {name: value}), ...]."""
        fitting = {"duration": AUTO_DURATION}
        remedies = [("Fit to the chart", fitting)]
        with suppress(InputError):
            facts = self.facts_of(request)
            plan = replace(request, duration=CHART, lora=None).settled(replace(facts, longest_s=inf)).takes[0]
            bpm = ceil(round(plan.duration_s * plan.bpm / facts.longest_s, 6))
            remedies.append((f"Fit to the chart at {bpm} bpm", fitting | {"tempo": str(bpm)}))
        return [remedy for remedy in remedies if self._can_play(replace(request, **remedy[1]))][:1]

    def _can_play(self, request):
        try:
            self.settle(request)
        except InputError:
            return False
        return True

    def play(self, request, folder, who=Who(), listened=lambda: True):  # noqa: B008 it is frozen
        """Yield Progress while working, and each Take twice: as soon as it sounds and when it has been heard and drawn.

        Files go into new folders with random names in `folder`. Closing the generator stops the work within one step. who: whose place in
        the line it is; listened: tells whether somebody listens, else it is stopped. Raises InputError.
        """
        try:
            asked = self.settle(request)
            count = asked.request.count
            self._line.check_cost(sum(self._seconds(asked, index) for index in range(count)))
        except InputError:
            self.counts.add(REFUSED, reason="input")
            raise
        with ExitStack() as held:
            try:
                place = held.enter_context(self._line.place(who, listened))
            except Full:
                self.counts.add(REFUSED, reason="full")
                raise
            for index in range(count):
                place.next_s = self._seconds(asked, index)
                while before := self._line.before(place):
                    yield Progress(f"Waiting for its turn; {before} before it", index / count)
                make = partial(self._make_counted, asked, index, Path(folder), place)
                for event in watched(self._worker, make, Progress(self._beginning(asked.request, index), index / count)):
                    place.check_listener()
                    yield event
                self._line.end_turn(place)

    def _seconds(self, asked, index):
        """Return how many seconds a take will take, as the last ones did; 0.0 while nobody knows."""
        if asked.request.model not in self._step:
            return 0.0
        return asked.takes[index].duration_s * (asked.request.steps * self._step[asked.request.model] + self._rest)

    def _beginning(self, request, index):
        if self._loaded[0] != request.model:
            return "Loading the model"
        return _take_of(index, request.count).capitalize() + "getting ready" if index else "Getting ready"

    def _make_counted(self, *asked):
        outcome = "failed"
        try:
            sound_s = self._make_take(*asked)
            outcome = "done"
            self.counts.add(SOUND, sound_s)
        except Stopped:
            outcome = "stopped"
            raise
        finally:
            self.counts.add(TAKES, outcome=outcome)

    def _make_take(self, asked, index, folder, place, emit):
        request, emit = asked.request, self._line.in_time(place, emit)
        pipeline = self._pipeline(request.model)
        total, which = request.count * request.steps, _take_of(index, request.count)
        duration_s, started = asked.takes[index].duration_s, time.monotonic()
        rest_s = self._rest * duration_s

        def on_step(step, steps):
            done = index * request.steps + min(step, request.steps)
            self._denoised = time.monotonic()
            left_s = (total - done) * (self._denoised - started) / step + rest_s * (request.count - index)
            text = f"step {step} of {steps}" if step < steps else "turning it into sound"
            emit(Progress(f"{which}{text}".capitalize(), done / total, self._denoised + left_s))

        output = pipeline.play([asked.alone(index)], on_step)
        self._step[request.model] = (self._denoised - started) / request.steps / duration_s
        take = self._written(output, request, folder, {"revision": pipeline.commit} if pipeline.commit else {})
        emit(take)
        over_at = self._denoised + rest_s if index == request.count - 1 else None
        doing = "listening back" if request.listen else "drawing"
        emit(Progress(f"{which}{doing}".capitalize(), (index + 1) / request.count, over_at))
        emit(self._heard(take, output.audios[0], output.sample_rate))
        self._rest = (time.monotonic() - self._denoised) / duration_s
        return output.audios[0].shape[-1] / output.sample_rate

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
        loaded = {"model": request.model, "dtype": self._how["dtype"], "attention": self._how["attention"]} | revision
        save_audio(take.wav, output.audios[0], output.sample_rate)
        save_audio(take.flac, output.audios[0], output.sample_rate)
        save_json(take.json, sidecar(output, 0, request.prompt, made_with(request, loaded)))
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
                from musicbench.hearing.by_madmom import hear

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
