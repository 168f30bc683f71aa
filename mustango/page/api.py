"""The page's API: takes for programs."""

from typing import Literal

import gradio as gr

from musicbench import InputError
from mustango import GUIDANCE, PREDICTORS, SCHEDULERS, STEPS
from mustango.page.asked import PageRequest
from mustango.page.guard import asker
from mustango.page.studio import Take
from mustango.page.work import Progress


def endpoint(studio, files):
    """Return the function behind the API's `/generate`."""

    def file(path):
        return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def generate(
        prompt: str, chords: str = "", tempo: float | str | None = None, key: str = "", meter: str = "",
        duration: float | str | None = None,
        seed: int = 0, count: int = 1, steps: int = STEPS, guidance: float = GUIDANCE, negative_prompt: str = "",
        scheduler: Literal[SCHEDULERS] = SCHEDULERS[0], model: str = "", predictors: Literal[PREDICTORS] = "auto",
        listen: bool = True, loudness: float | None = None, tail: float = 0.0, beats: str = "",
        parts: str = "", melody: str = "", drums: str = "", guidance_interval: str = "", cache_interval: int = 1, lora: str = "",
        request: gr.Request = None,
    ) -> list[dict]:  # fmt: skip
        """Make music. What is left empty is read from the prompt, else chosen.

        chords: a chord line ("C G Am F", "C | G Am | F:2 G:2", "0:C 2.5:G", "I V vi IV"). tempo: beats per minute or a
        word, "Allegro". key: "A minor". meter: "3/4". beats: "[[0, 0.5, 1, 1.5], [1, 2, 3, 4]]", JSON text of times in
        seconds and positions in the bar. parts: "drums,bass", of drums, bass, chords and lead. melody: "[[0, 0.5, 60]]",
        JSON text of starts, ends and MIDI pitches. drums: "[[0, \"kick\"]]", JSON text of times and kinds. duration: seconds, "1:30", "8 bars", "chart" (the chords once) or "auto" (the
        chords as often as four bars need), the model's window when None, or the chords once where they last longer.
        count: takes, with seeds seed, seed + 1, ... listen: hear each take and score it. loudness: of the files, in
        LUFS; None leaves the level as it was made. tail: seconds, 0 to 10, in which the ending rings out after the
        duration. guidance_interval, cache_interval: as for `mustango.Request`. lora: "NAME:0.8, OTHER", adapters that the server
        offers. Returns a dictionary for each take: the files wav, flac, midi, json and picture; seed; scores (asked
        and heard tempo and key, share of the time the heard chord is the asked one); note (why it was not heard); notes
        (what is played otherwise than asked).
        """
        asked = PageRequest(
            prompt=prompt, chords=chords, tempo=tempo, key=key, meter=meter, duration=duration, seed=seed, count=count,
            steps=steps, guidance=guidance, negative_prompt=negative_prompt, scheduler=scheduler, model=model,
            predictors=predictors, listen=listen, loudness=loudness, tail=tail, beats=beats,
            parts=parts, melody=melody, drums=drums, guidance_interval=guidance_interval, cache_interval=cache_interval, lora=lora,
        )  # fmt: skip
        finished, progress = [], gr.Progress()
        try:
            if prompt is None:
                raise InputError("prompt is null; give text, or empty text for none")
            for event in files.counted(request, studio.play(asked, files.session(request), *asker(request))):
                if isinstance(event, Progress):
                    progress(event.share, desc=event.text)
                if isinstance(event, Take) and event.picture:
                    scores = event.scores and {
                        "tempo": [event.scores.bpm_asked, event.scores.bpm_heard],
                        "key": [
                            event.scores.key_asked and str(event.scores.key_asked),
                            event.scores.key_heard and str(event.scores.key_heard),
                        ],
                        "chords_matched": event.scores.chords_matched,
                    }
                    parts = {name: file(getattr(event, name)) for name in ("wav", "flac", "midi", "json", "picture")}
                    finished.append(
                        {**parts, "seed": event.seed, "scores": scores, "note": event.remedy, "notes": [*event.controls.notes]}
                    )
                yield finished
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return generate
