"""A take's sidecar: what is played, what was asked and how it was made; and the take again from it."""

import json
from dataclasses import replace
from importlib.metadata import version

from musicbench import InputError, __version__
from mustango.release.folder import BUNDLED
from mustango.request.controls import ASKED, SAID, Controls
from mustango.request.model_facts import ModelFacts
from mustango.request.reader import read
from mustango.request.request import SETTINGS, Request
from mustango.request.settled import Settled, fitted

PREDICTORS_TELL = "the model's predictors tell {} when the music is made"
# Left out where it is as usual: what older sidecars do not tell.
UNTOLD = {"revision": None, "attention": "auto", "stems": False, "guidance_interval": None, "cache_interval": 1, "lora": []}
PREDICTED = ("bpm", "meter", "key", "beats", "chords", "chords_time")  # of a sidecar, that predictors may tell
# What a take is made with; the same for a file of prompts.
LOADED = {"model": BUNDLED, "dtype": "float32", "revision": None, "attention": "auto"}

# ---------------------------------------------------------------------------------------------------- written


def describe(prompt: str, controls: Controls, seed: int, sample_rate: int, made_with: dict) -> dict:
    """Describe a take under the dataset's field names, with all that is needed to make it again; no key where no chord sounds.

    made_with: steps, guidance, model and so on.
    """
    labels = controls.labels() | ({} if controls.key_heard_in else {"key": None})
    return {
        "prompt": prompt,
        "text": controls.text,
        **{name: labels[name] for name in ("bpm", "meter", "key", "beats", "chords", "chords_time")},
        **_notes_told(controls),
        "duration": controls.duration_s,
        "sample_rate": sample_rate,
        "seed": seed,
        **made_with,
        "asked": dict(controls.asked),
        "origin": dict(controls.origin),
        "notes": list(controls.notes),
        "versions": {"mustango": __version__, "torch": version("torch"), "diffusers": version("diffusers")},
    }


def _notes_told(controls):
    """Return the fields of parts, melody and drums that are played as somebody asked."""
    told = {"parts": controls.parts and list(controls.parts)}
    told |= {"melody": [list(note) for note in controls.melody], "drums": [list(hit) for hit in controls.hits]}
    return {name: value for name, value in told.items() if value}


def made_with(request: Request, loaded: dict) -> dict:
    """Return how a request's takes are made, as their sidecars tell it; what is as usual of UNTOLD is left out."""
    made = {name: getattr(request, name) for name in SETTINGS} | loaded
    made["lora"] = [lora.told for lora in request.loras]
    return {name: value for name, value in made.items() if name not in UNTOLD or value != UNTOLD[name]}


def sidecars_of(asked: Settled, facts: ModelFacts, loaded: dict) -> list[dict]:
    """Return the sidecars that a settled request's takes would have; None in place of what only the model's predictors know."""
    made = made_with(asked.request, loaded)
    return [
        _without_predicted(describe(asked.request.prompt, take, seed, facts.sample_rate, made), take.left_to_predictors)
        for take, seed in zip(asked.takes, asked.seeds, strict=True)
    ]


def difference(there: dict, would: dict) -> str | None:
    """Return the first field in which the sidecar `there` of a take is not what it would be now, None where the take would be the same.

    What does not decide the sound is left out: versions, notes and where a control comes from; so is what only predictors know.
    """
    would, open_ = json.loads(json.dumps(would)), ()
    if "predicted" in would["origin"].values():
        open_ = [name for name in PREDICTED if would[name] is None]
    names = dict.fromkeys(
        ("prompt", "asked", "seed", *SETTINGS, *LOADED, "parts", "melody", "drums", *would)
    )  # what people write comes first
    compared = [name for name in names if name not in ("versions", "notes", "origin", *open_)]
    differs = next((name for name in compared if there.get(name) != would.get(name)), None)
    if differs == "asked" and isinstance(there.get("asked"), dict):
        return next((name for name in ASKED if there["asked"].get(name) != would["asked"].get(name)), differs)
    return differs


def _without_predicted(sidecar, left):
    """Return a sidecar without what is `left` to the model's predictors, which only they know: None in its place."""
    if not left:
        return sidecar
    fields = {"tempo": ("bpm", "beats"), "meter": ("meter", "beats"), "chords": ("chords", "chords_time")}
    hidden = {field for name in left for field in fields[name]}
    if "chords" in left and sidecar["origin"]["key"] == "chosen":
        hidden.add("key")
    told = f"{PREDICTORS_TELL.format(', '.join(sorted(left)))}; a dry run does not ask them"
    return sidecar | dict.fromkeys(hidden) | {
        "origin": sidecar["origin"] | dict.fromkeys(left, "predicted"), "notes": [*sidecar["notes"], told],
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- read


def is_sidecar(fields: dict) -> bool:
    """Return whether fields hold all that was played and asked, so that the take is made again to the last bit."""
    whole = all(fields.get(name) is not None for name in ("asked", "bpm", "meter", "beats", "chords", "chords_time", "duration"))
    return whole and fields.get("tempo") in (None, fields["bpm"])


def restored(request: Request, told: dict, facts: ModelFacts) -> Settled:
    """Settle the request of a sidecar to its take again: what was played, to the last bit, and what was asked. Raises InputError.

    told: the fields of a sidecar, see `describe`; `request` holds those that are played and how the take is made.
    """
    _check_told(told)
    request = request.checked(facts.longest_s)
    controls = read(replace(request, predictors="reader"), replace(facts, knows=None))
    text = told.get("text") or request.prompt
    controls = replace(controls, asked=told["asked"], origin=told["origin"], notes=tuple(told["notes"]), text=text)
    return fitted(request, [controls] * request.count, facts, is_exact=True)


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
    text = request.get("text")
    if text is not None and not str(text).startswith(request.get("prompt") or ""):
        raise InputError("text is of another prompt; to change what a sidecar asks, leave text, asked, origin and notes out")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise InputError(f"notes {repr(notes)[:60]} are no list of texts; leave asked, origin and notes out or whole")
