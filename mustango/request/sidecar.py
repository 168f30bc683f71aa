"""What a model can be told, known without loading it; a take's sidecar: what is played, what was asked, and both again from it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from musicbench import InputError, __version__
from musicbench.music.chords import VOCABULARIES
from musicbench.music.keys import Key
from mustango.release.files import read_json
from mustango.release.folder import durations_of, has_predictors, model_folder
from mustango.release.hub import is_hub_id
from mustango.release.layouts import is_released
from mustango.request.controls import ASKED, SAID, Controls
from mustango.request.knows import Knows, read_knows
from mustango.request.reader import resolve

# ---------------------------------------------------------------------------------------------------- the model


@dataclass(frozen=True)
class ModelFacts:
    """What a model can be told and what it gives. The defaults are the released model's.

    window_s: how long clips are if nobody says; longest_s: the longest it makes; chord_types: the qualities it knows; max_position:
    the most beats in a bar; knows: what its knows.json says.
    """

    window_s: float
    longest_s: float
    sample_rate: int = 16000
    chord_types: tuple = VOCABULARIES["mustango"]
    max_beats: int = 50
    max_chords: int = 20
    max_position: int = 5
    has_predictors: bool = False
    knows: Knows | None = None

    @classmethod
    def of(
        cls,
        pipeline_config: Mapping,
        conditioner_config: Mapping,
        sample_rate: int,
        has_predictors: bool,
        knows: Knows | None = None,
    ) -> "ModelFacts":
        """Return those of a pipeline's, a conditioner's and a mel's settings, as dicts."""
        return cls(
            pipeline_config["window_s"],
            pipeline_config.get("longest_s") or pipeline_config["window_s"],
            sample_rate,
            tuple(conditioner_config["chord_types"][2:]),  # after padding and N
            conditioner_config["max_beats"],
            conditioner_config["max_chords"],
            conditioner_config["n_beat_types"] - 2,
            has_predictors,
            knows,
        )

    def played(self, controls: Controls) -> Controls:
        """Return the controls as the model plays them: chords it does not know become the nearest it has, each with a note.

        Raises InputError for more beats or chords than it takes, and for a meter beyond it.
        """
        if len(controls.beat_times) > self.max_beats:
            raise InputError(
                f"{len(controls.beat_times)} beats are above the model's {self.max_beats}; shorten the clip or slow the tempo"
            )
        highest = max(controls.beat_positions, default=1)
        if highest > self.max_position:
            raise InputError(
                f"beat position {highest} is outside the model's 1-{self.max_position}; choose a meter of at most {self.max_position} beats"
            )
        if len(controls.chords) > self.max_chords:
            raise InputError(
                f"{len(controls.chords)} chords are above the model's {self.max_chords}; give fewer chords or a shorter clip"
            )
        played = {chord: chord.reduced(self.chord_types) for chord in controls.chords}
        notes = [
            f"{chord.lead_sheet(controls.key)} is played as {nearest.lead_sheet(controls.key)}: the model has no {chord.quality}"
            for chord, nearest in played.items()
            if chord != nearest
        ]
        return replace(controls, chords=tuple(played[c] for c in controls.chords), notes=(*controls.notes, *notes))


def read_facts(model: Path | str, revision: str | None = None) -> ModelFacts:
    """Return the ModelFacts of a model, in our layout or the released one, without loading it. Raises InputError."""
    folder = model_folder(model, revision, "configs")
    window_s, longest_s = durations_of(folder)
    with_predictors = has_predictors(folder, str(model) if is_hub_id(model) else None)
    if is_released(folder):
        return ModelFacts(window_s, longest_s, has_predictors=with_predictors)
    config = {"window_s": window_s, "longest_s": longest_s}
    try:
        sample_rate = read_json(folder / "mel" / "config.json").get("sample_rate", ModelFacts.sample_rate)
        conditioner = read_json(folder / "conditioner" / "config.json")
        return ModelFacts.of(config, conditioner, sample_rate, with_predictors, read_knows(folder))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder} has settings that cannot be read ({error}); get the folder whole again") from None


# ---------------------------------------------------------------------------------------------------- keys

FIFTHS = {letter: place for place, letter in enumerate("FCGDAEB", -1)}  # above C; a sharp adds 7
MOST_IN_SIGNATURE = 7  # sharps or flats


def plain_key(text: str) -> str:
    """Return a key's text under its usual name, if it would need more than 7 sharps or flats: "Abb dorian" as "G dorian".

    Raises InputError for what is no key.
    """
    key = Key.parse(text)
    fifths = FIFTHS[key.tonic[0]] + 7 * (key.tonic.count("#") - key.tonic.count("b")) - 3 * (key.mode == "minor")
    if abs(fifths) <= MOST_IN_SIGNATURE:
        return text
    usual, mode = Key.of(key.pitch_class, key.mode), text.split()[-1]
    with suppress(InputError):
        if Key.parse(f"{usual.tonic} {mode}") == usual:
            return f"{usual.tonic} {mode}"
    return str(usual)


def resolve_in_plain_key(prompt: str, *, key: str | None = None, **asked: Any) -> Controls:
    """Return the Controls of `mustango.request.reader.resolve`, a given key under its usual name, with a note where that is another."""
    if not isinstance(key, str) or not key.strip():
        return resolve(prompt, key=key, **asked)
    plain = plain_key(key)
    controls = resolve(prompt, key=plain, **asked)
    if plain == key:
        return controls
    note = f"the key {key.strip()} is written {plain}"
    return replace(controls, asked=controls.asked | {"key": key}, notes=(note, *controls.notes))


# ---------------------------------------------------------------------------------------------------- the sidecar


def describe(prompt: str, controls: Controls, seed: int, sample_rate: int, made_with: dict) -> dict:
    """Describe a take under the dataset's field names, with all that is needed to make it again; no key where no chord sounds.

    made_with: steps, guidance, model and so on.
    """
    key = controls.key_heard_in
    return {
        "prompt": prompt,
        "text": controls.text,
        "bpm": controls.bpm,
        "meter": str(controls.meter),
        "key": [key.tonic, key.mode] if key else None,
        "beats": [list(controls.beat_times), list(controls.beat_positions)],
        "chords": [c.harte(controls.key) for c in controls.chords],
        "chords_time": list(controls.chord_times),
        "duration": controls.duration_s,
        "sample_rate": sample_rate,
        "seed": seed,
        **made_with,
        "asked": dict(controls.asked),
        "origin": dict(controls.origin),
        "notes": list(controls.notes),
        "versions": {"mustango": __version__, "torch": version("torch"), "diffusers": version("diffusers")},
    }


def restored(request: dict, facts: ModelFacts) -> Controls:
    """Return the Controls of a sidecar's take again: what was played, to the last bit, and what was asked. Raises InputError.

    request: the fields of a sidecar, see `describe`.
    """
    _check_told(request)
    names = ("chords", "meter", "key", "beats", "duration", "seed")
    asked: dict[str, Any] = {name: request.get(name) for name in names}
    controls = resolve(
        request["prompt"], **asked, chords_time=request["chords_time"], tempo=request["bpm"],
        window_s=facts.window_s, longest_s=facts.longest_s,
    )  # fmt: skip
    text = request.get("text") or request["prompt"]
    return replace(controls, asked=request["asked"], origin=request["origin"], notes=tuple(request["notes"]), text=text)


def check_sidecar(request: dict, facts: ModelFacts, same_model: bool = True) -> None:
    """Raise InputError for a field of a sidecar that would be ignored: a key that is none, another sample rate than the `same_model`'s."""
    key, rate = request.get("key"), request.get("sample_rate")
    if isinstance(key, list):
        is_pair = len(key) == 2 and all(isinstance(part, str) for part in key)
        if not is_pair or key[1] not in ("major", "minor"):
            raise InputError(f'key {repr(key)[:60]} is unknown; give [tonic, "major" or "minor"], or text such as "D dorian"')
    if rate is not None and same_model and (isinstance(rate, bool) or rate != facts.sample_rate):
        raise InputError(f"sample_rate {repr(rate)[:40]} is not the model's {facts.sample_rate} Hz; leave it out")


def _check_told(request):
    """Raise InputError unless what a sidecar tells of the asking is as `describe` writes it."""
    asked, origin, notes = (request.get(name) for name in ("asked", "origin", "notes"))
    if not isinstance(asked, dict) or set(asked) != set(ASKED):
        raise InputError(f"asked {repr(asked)[:60]} is not what a sidecar holds; give {', '.join(ASKED)}, or leave it out")
    if not isinstance(origin, dict) or set(origin) != set(ASKED) or not all(value in SAID for value in map(str, origin.values())):
        raise InputError(f"origin {repr(origin)[:60]} is not what a sidecar holds; give {', '.join(SAID)} for each control")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise InputError(f"notes {repr(notes)[:60]} are no list of texts; leave asked, origin and notes out or whole")
