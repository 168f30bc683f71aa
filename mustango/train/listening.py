"""What a training has come to, heard: now and then a few prompts are played with the run's averaged weights and judged."""

import shutil
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.files import make_folder, save_json
from musicbench.sound.audio import save_audio
from mustango.hear.judges import load_judge
from mustango.hear.metrics import beats_f_measure, load_mir_eval
from mustango.hear.obeyed import Scores, compare
from mustango.pipeline import sidecar
from mustango.release.files import read_json
from mustango.request.lines import Line, read_prompts, settle
from mustango.request.model_facts import ModelFacts, read_facts
from mustango.request.request import SETTINGS
from mustango.request.settled import Settled
from mustango.request.sidecar import LOADED, made_with
from mustango.train.curves import LISTENED, Curves
from mustango.train.loop import pipeline_of

PROMPTS = (  # of 10.24 s at most, as the released model plays
    {"prompt": "calm piano", "chords": "C G Am F", "tempo": 96},
    {"prompt": "pop with drums", "chords": "Am F C G", "tempo": 120},
    {"prompt": "rock with electric guitar", "chords": "E A B A", "tempo": 138},
    {"prompt": "sad strings", "chords": "Dm Bb A", "tempo": 72},
)
JUDGES = ("madmom", "librosa")  # the first that is installed


class Listener:
    """Plays prompts with a run's parts, every so many steps; clips go to `clips/STEP` of the task's folder, scores into a curve.

    prompts: a prompts file, PROMPTS when None. adapter: whether the run makes one. lacks: what is missing of judges, in words.
    Raises InputError for prompts that cannot be played, as far as the run's model is known.
    """

    def __init__(self, run: Path | str, every: int, prompts: Path | str | None = None, device: str = "cpu", adapter: bool = False):
        self.run, self.every, self.device = Path(run), every, device
        self.prompts, self.adapter = prompts, self.run / "adapter" if adapter else None
        if (self.run / "parts" / "model_index.json").is_file():
            settled_prompts(prompts, read_facts(str(self.run / "parts")))
        self.judge, self.lacks = judge_at_hand()

    def __call__(self, step: int, out: Path, curves: Curves) -> None:
        """Play the prompts and judge the clips, unless that was done at this step. What cannot be played is told, and the training goes on."""
        place = out / "clips" / f"{step:08d}"
        is_new = not place.is_dir()
        try:
            if is_new:
                self._play(place)
        except InputError as error:
            print(f"listening: not at step {step}: {error}", flush=True)
            return
        row = {"step": step, **read_json(place / "scores.json")}
        if len(row) > 1 and not curves.has(LISTENED, step):
            curves.add(LISTENED, row)
            print("listening: " + " ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        for path in sorted(place.glob("*.wav")) if is_new else ():
            curves.add_sound(path, step)

    def _play(self, place):
        """Write the clips with their sidecars and their scores as one folder."""
        new = place.with_name(f".{place.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        make_folder(new)
        dtype = "float32" if self.device == "cpu" else "bfloat16"
        pipeline = pipeline_of(self.run, dtype, self.device)
        loaded, scores = LOADED | {"model": str(self.run / "parts"), "dtype": dtype}, []
        for number, one in enumerate(settled_prompts(self.prompts, pipeline.facts, self.adapter), 1):
            output, how = pipeline.play([one]), made_with(one.request, loaded)
            for take, (audio, controls) in enumerate(zip(output.audios, output.controls, strict=True)):
                path = new / f"{number}{f'-{take + 1}' if len(output.seeds) > 1 else ''}.wav"
                save_audio(path, audio, output.sample_rate)
                save_json(path.with_suffix(".json"), sidecar(output, take, one.request.prompt, how))
                if self.judge:
                    scores.append(compare(controls, load_judge(self.judge)(audio, output.sample_rate)))
        save_json(new / "scores.json", means_of(scores, self.judge) if scores else {})
        new.rename(place)


def settled_prompts(prompts: Path | str | None, facts: ModelFacts, adapter: Path | None = None) -> list[Settled]:
    """Return the lines of a prompts file, or PROMPTS, as a model plays them with an adapter. Raises InputError for the first that it cannot."""
    lines = [Line(fields=dict(fields)) for fields in PROMPTS] if prompts is None else read_prompts(prompts)
    how = Namespace(**dict.fromkeys((*SETTINGS, "duration", "seed")), model="the run's")
    settled = []
    for line in lines:
        if line.error:
            raise InputError(line.error)
        try:
            if adapter and line.fields.get("lora"):
                raise InputError("lora is the run's own adapter; leave it out")
            how.lora = [str(adapter)] if adapter else None
            settled.append(settle(line.fields, how, 1, facts))
        except InputError as error:
            raise InputError(line.refused(error).error) from None
    return settled


def judge_at_hand() -> tuple[str | None, str]:
    """Return the first of JUDGES that is installed, None where scores cannot be had; and what is lacking, "" where nothing is."""
    try:
        load_mir_eval()
    except InputError as error:
        return None, f"clips without scores: {error}"
    for name in JUDGES:
        try:
            load_judge(name)
        except InputError as error:
            lacks = f"{name} does not judge: {error}"
        else:
            return name, "" if name == JUDGES[0] else lacks
    return None, lacks


def means_of(scores: Sequence[Scores], judge: str) -> dict:
    """Return what a judge heard of what was asked, means over clips, 0 to 1: chords (share of the time), beats (F measure), tempo."""
    each = {
        "chords": [score.chords_matched or 0.0 for score in scores],
        "beats": [beats_f_measure(score.beats_asked, score.beats_heard) for score in scores],
        "tempo": [float(bool(score.tempo_obeyed)) for score in scores],
    }
    return {"judge": judge, "clips": len(scores)} | {name: round(float(np.mean(values)), 4) for name, values in each.items()}
