"""What `mustango generate` is asked for: one prompt or a file of them, read, checked and settled without loading the model."""

import json
import math
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.sound.master import check_loudness, check_tail
from mustango import DEVICES, DTYPES, PREDICTORS, SCHEDULERS
from mustango.release.folder import commit_of
from mustango.release.layouts import NO_PREDICTORS
from mustango.request.bounds import check_options, read_duration, read_number
from mustango.request.controls import ASKED, Controls
from mustango.request.sidecar import ModelFacts, check_sidecar, describe, read_facts, resolve_in_plain_key, restored

PREDICTORS_TELL = "the model's predictors tell {} when the music is made"
CHOICES = {"scheduler": SCHEDULERS, "predictors": PREDICTORS}
# What is asked of the music; chords_time and beats as a sidecar has them.
CONTROLS = ("chords", "chords_time", "tempo", "meter", "key", "beats", "duration")
LINE_FIELDS = ("prompt", "chords", "tempo", "meter", "key", "beats", "duration", "seed", "id")  # those that people write
# How it is made: an option, else what the line says, else the default.
SETTINGS = {
    "steps": 20, "guidance": 3.0, "negative_prompt": "", "scheduler": "dpm", "predictors": "auto", "loudness": None, "tail": 0.0,
}  # fmt: skip
LOADED = {"model": "mustango-mini", "dtype": "float32", "revision": None}  # the same for all lines
# What else a sidecar holds: a line may be a sidecar, which asks for its take again.
SIDECAR_FIELDS = ("text", "bpm", "chords_time", "sample_rate", "picked", "asked", "origin", "notes", "versions")

PREDICTED = ("bpm", "meter", "key", "beats", "chords", "chords_time")  # of a sidecar, that predictors may tell

# ---------------------------------------------------------------------------------------------------- device


def check_device_named(device: str, dtype: str = "float32") -> None:
    """Raise InputError for what is no device's name, and for numbers of a `dtype` that it is not made for; known without torch."""
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (":" in device and not number.isdecimal()):
        raise InputError(
            f"unknown device {device[:40]!r}; choose {', '.join(DEVICES)}, or one of several by number, such as cuda:1"
        )
    if kind == "cpu" and dtype == "float16":
        raise InputError("float16 needs a GPU: on the CPU it is slow and not made for; give --dtype float32")


# ---------------------------------------------------------------------------------------------------- JSON Lines


def read_lines(path: Path | str, remedy: str = "give a JSON Lines file") -> Iterator[tuple[int, str, str]]:
    """Yield (line number, where, text) of a JSON Lines file, or of a file that is one object. Raises InputError."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); {remedy}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{path} holds no line; write one JSON object a line")
    lines = [(1, text)] if isinstance(_parsed(text), dict) else enumerate(text.split("\n"), 1)
    yield from ((number, f"{path} line {number}", line) for number, line in lines if line.strip())


def read_object(where: str, line: str) -> dict:
    """Return the JSON object of a line. Raises InputError, which names `where`."""
    value = _parsed(line)
    if not isinstance(value, dict):
        wrong = "is not JSON" if value is None else "is not a JSON object"
        raise InputError(f'{where} {wrong}; write one object a line, such as {{"prompt": "calm piano"}}')
    return value


def read_objects(path: Path | str, remedy: str = "give a JSON Lines file") -> Iterator[tuple[int, str, dict]]:
    """Yield (line number, where, object) of a JSON Lines file, or of a file that is one object. Raises InputError."""
    for number, where, line in read_lines(path, remedy):
        yield number, where, read_object(where, line)


def _parsed(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def check_id(name: Any, seen: set, where: str) -> None:
    """Add `name` to the set `seen`. Raises InputError unless it is a new one and files can be named after it."""
    try:
        odd = "\0" in name or len(name.encode()) > 200
    except UnicodeEncodeError:
        odd = True
    shown = name if len(name) < 40 else f"{name[:40]}..."
    if odd or not name or Path(name).name != name or name in (".", ".."):
        raise InputError(f"{where}: id {shown!r} is no plain file name of up to 200 bytes; give one without slashes")
    if name in seen:
        raise InputError(f"{where}: id {shown!r} is taken by a line before; give each line its own")
    seen.add(name)


# ---------------------------------------------------------------------------------------------------- a prompts file


def read_requests(path: Path | str) -> list[dict]:
    """Read a prompts file, or a sidecar, into [{id, where, prompt, chords, ...}]; {id, where, prompt, error} for a bad line.

    Raises InputError for a file that cannot be read.
    """
    requests, seen = [], set()
    for number, where, line in read_lines(path):
        request = {"id": f"{number:05d}", "where": where}
        try:
            fields = read_object(where, line)
            request |= {name: fields[name] for name in ("id", "prompt") if fields.get(name) is not None}
            request["id"] = f"{number:05d}" if _is_blank(request["id"]) else request["id"]
            request = _read_fields(fields, where) | request
            request["id"] = _read_id(request["id"], seen, where)
        except InputError as error:
            request = refused(request, error)
        requests.append(request)
    return requests


def refused(request: dict, error: Exception) -> dict:
    """Return what is left of a request that cannot be played: where it is, its prompt, and the error's text, which names the place."""
    where, text = request["where"], str(error)
    if where and not text.startswith(where):
        text = f"{where}: {text}"
    kept = {name: request[name] for name in ("id", "where", "prompt") if name in request}
    return {"prompt": "", **kept, "error": text}


def _read_fields(fields, where):
    """Return the fields of a line, those of a sidecar under the names of options. Raises InputError for one that is unknown."""
    unknown = set(fields) - {*LINE_FIELDS, *CONTROLS, *SETTINGS, *LOADED, *SIDECAR_FIELDS}
    if unknown:
        raise InputError(f"{where} has the unknown field {min(unknown)[:40]!r}; known: {', '.join(LINE_FIELDS)}")
    for name in LOADED:
        if not isinstance(fields.get(name), str | None):
            raise InputError(f"{where}: {name} {repr(fields[name])[:40]} is no text; give a name such as {LOADED[name] or 'main'}")
    emptied = [name for name in ("chords", "chords_time", "beats") if fields.get(name) in ([], [[], []])]
    if emptied and fields.get("asked") is not None:  # in a line that people write, it leaves them open
        raise InputError(f"{where}: a sidecar's {emptied[0]} cannot be empty; leave asked, origin and notes out to have it chosen")
    fields = {name: value for name, value in fields.items() if name == "prompt" or not _is_blank(value)}
    if not (_is_sidecar(fields | {"tempo": fields.get("bpm")}) or fields.get("versions")):
        _check_written(fields, where)
    tempo = fields.get("bpm") if fields.get("tempo") is None else fields["tempo"]
    chords_time = fields.get("chords_time") if fields.get("chords") else None
    return fields | {"tempo": tempo, "chords_time": chords_time}


def _check_written(fields, where):
    """Raise InputError for a field of a line that people write which would be ignored: one that only a whole sidecar uses."""
    given = {name for name, value in fields.items() if value is not None and value not in ([], [[], []])}
    idle = next((name for name in SIDECAR_FIELDS if name in given and name not in ("bpm", "chords_time", "sample_rate")), None)
    if idle:
        instead = "write 'prompt' instead" if idle == "text" else "leave it out"
        raise InputError(f"{where}: {idle} is used of a whole sidecar alone; {instead}, or give the sidecar as it was written")
    if "chords_time" in given and "chords" not in given:
        raise InputError(f"{where} has chords_time without chords; give both, or leave it out")
    if {"bpm", "tempo"} <= given and str(fields["bpm"]) != str(fields["tempo"]):
        raise InputError(f"{where} has bpm {fields['bpm']!s:.20} and tempo {fields['tempo']!s:.20}; leave one of the two out")


def _is_blank(value):
    return isinstance(value, str) and not value.strip()


def _read_id(own, seen, where):
    """Return a line's id as text. Raises InputError unless files can be named after it."""
    if isinstance(own, bool) or not isinstance(own, str | int):
        raise InputError(f"{where}: id {repr(own)[:40]} is no name; give text or a whole number")
    check_id(str(own), seen, where)
    return str(own)


def loaded(requests: list[dict], options: Namespace) -> dict:
    """Return what is loaded for all requests, {"model", "dtype"}: what the options say, else the lines, else the default.

    Raises InputError where the lines do not agree.
    """
    chosen = {}
    for name, default in LOADED.items():
        said = {request[name]: request["where"] for request in reversed(requests) if request.get(name) is not None}
        if getattr(options, name) is not None:
            said = {getattr(options, name): "the command"}
        if len(said) > 1:
            (one, there), (other, here) = list(said.items())[:2]
            raise InputError(f"{there} asks for {name} {one}, {here} for {other}; give --{name} for all, or a file for each")
        chosen[name] = next(iter(said), default)
    own = {request.get("model") for request in requests if request.get("revision") is not None}
    if options.model is not None and options.revision is None and own != {options.model}:  # a line's revision is of its own model
        chosen["revision"] = None
    if chosen["dtype"] not in DTYPES:
        raise InputError(f"unknown dtype {chosen['dtype']!r}; choose one of {', '.join(DTYPES)}")
    return chosen


# ---------------------------------------------------------------------------------------------------- settled


def requests_of(options: Namespace, takes: int) -> tuple[list[dict], ModelFacts]:
    """Return (requests, settled or refused; ModelFacts) of the command line. Raises InputError for what concerns all of them."""
    given = {name: getattr(options, name) for name in ("prompt", "chords", "tempo", "meter", "key")}
    if not options.prompts:
        requests = [{**given, "prompt": given["prompt"] or "", "where": None}]
    elif any(value is not None for value in given.values()):
        raise InputError("--prompts takes prompt and controls from the file; leave the prompt and its options out")
    else:
        requests = read_requests(options.prompts)
    once = loaded(requests, options)
    once["revision"] = commit_of(once["model"], once["revision"])
    facts = read_facts(once["model"], once["revision"])
    if options.prompts:
        _check_own(options, takes, facts, requests)
    return [settled_or_refused(request | once, options, takes, facts) for request in requests], facts


def _check_own(options, takes, facts, requests):
    """Raise InputError for what is wrong with the command's own options, whatever the lines of its prompts file say."""
    seed = read_number("seed", options.seed, int)
    steps = read_number("steps", SETTINGS["steps"] if options.steps is None else options.steps, int)
    guidance = SETTINGS["guidance"] if options.guidance is None else options.guidance
    check_options("", options.duration, seed or 0, takes, steps, guidance, options.negative_prompt or "", longest_s=facts.longest_s)
    check_loudness(options.loudness)
    check_tail(options.tail, 0, math.inf)
    new = [request for request in requests if "error" not in request and not _is_sidecar(request)]
    if options.predictors == "neural" and new and not facts.has_predictors:
        raise InputError(NO_PREDICTORS)


def settled_or_refused(request: dict, options: Namespace, takes: int, facts: ModelFacts) -> dict:
    """Return a request as `settled` does, or {prompt, error, ...} for one that cannot be played."""
    if "error" in request:
        return request
    try:
        return settled(request, options, takes, facts)
    except InputError as error:
        return refused(request, error)


def settled(request: dict, options: Namespace, takes: int, facts: ModelFacts) -> dict:
    """Return a request with what the options say, every value of its type and within its bounds, and "plans", its takes' Controls.

    Its own controls come before the options; of how it is made, the options come first. A plan is what the model plays; where the
    predictors have a say, what it plays without them. facts: the model's ModelFacts. Raises InputError.
    """
    request = {"prompt": "", **request}
    read_duration(options.duration)
    option, own = (read_number("seed", seed, int) for seed in (options.seed, request.get("seed")))
    request["seed"] = next((seed for seed in (own, option) if seed is not None), 0)
    if request.get("duration") in (None, ""):
        request["duration"] = options.duration
    for name, default in SETTINGS.items():
        value = getattr(options, name) if getattr(options, name) is not None else request.get(name)
        request[name] = default if value is None else value
    request |= {"steps": read_number("steps", request["steps"], int), "guidance": read_number("guidance", request["guidance"])}
    request["loudness"] = check_loudness(request["loudness"])
    for name, known in CHOICES.items():
        if request[name] not in known:
            raise InputError(f"unknown {name} {repr(request[name])[:40]}; choose one of {', '.join(known)}")
    request["exact"] = _is_sidecar(request)
    check_sidecar(request, facts, same_model=options.model is None)
    if request["predictors"] == "neural" and not facts.has_predictors and not request["exact"]:
        raise InputError(NO_PREDICTORS)
    check_options(
        request["prompt"], request["duration"], request["seed"], takes, request["steps"], request["guidance"],
        request["negative_prompt"], longest_s=facts.longest_s,
    )  # fmt: skip
    plan = restored if request["exact"] else planned
    request["plans"] = [facts.played(plan(request | {"seed": request["seed"] + i}, facts)) for i in range(takes)]
    for plan in request["plans"]:
        request["tail"] = check_tail(request["tail"], plan.duration_s, facts.longest_s)
    return request


def _is_sidecar(request):
    """Return whether a line holds all that was played and asked, so that its take is made again to the last bit."""
    whole = all(request.get(name) is not None for name in ("asked", "bpm", "meter", "beats", "chords", "chords_time", "duration"))
    return whole and request["tempo"] == request["bpm"]


def _unheard(_prompt):
    """Stand for predictors that are not asked."""


def planned(request: dict, facts: ModelFacts) -> Controls:
    """Return the Controls of a request {prompt, chords, ..., seed, predictors}; where the predictors have a say, what they would be without them."""
    asks = facts.has_predictors and request["predictors"] != "reader"
    return resolve_in_plain_key(
        request["prompt"], **{name: request.get(name) for name in (*CONTROLS, "seed")}, window_s=facts.window_s,
        longest_s=facts.longest_s, predict=_unheard if asks else None,
        always_predict=request["predictors"] == "neural", knows=facts.knows,
    )  # fmt: skip


def made_with(request: dict) -> dict:
    """Return how a settled request is made, as its sidecars tell it."""
    made = {name: request[name] for name in (*SETTINGS, *LOADED)}
    return {name: value for name, value in made.items() if name != "revision" or value is not None}


def asks_predictors(request: dict) -> bool:
    """Return whether the takes of a settled request ask the predictors of a model that has them."""
    if request["exact"] or request["predictors"] == "reader":
        return False
    origin = request["plans"][0].origin
    return request["predictors"] == "neural" or "chosen" in (origin["tempo"], origin["chords"])


def sidecars_of(request: dict, facts: ModelFacts) -> list[dict]:
    """Return the sidecars that a settled request's takes would have, one a take; or [what is wrong] for a refused one."""
    if "error" in request:
        return [{name: request[name] for name in ("id", "prompt", "error") if name in request}]
    sidecars = [
        describe(request["prompt"], plan, request["seed"] + i, facts.sample_rate, made_with(request))
        for i, plan in enumerate(request["plans"])
    ]
    if request["exact"] or not facts.has_predictors or request["predictors"] == "reader":
        return sidecars
    return [_without_predicted(sidecar) for sidecar in sidecars]


def difference(there: dict, would: dict) -> str | None:
    """Return the first field in which the sidecar `there` of a take is not what it would be now, None where the take would be the same.

    What does not decide the sound is left out: versions, notes and where a control comes from; so is what only predictors know.
    """
    would, open_ = json.loads(json.dumps(would)), ()
    if "predicted" in would["origin"].values():
        open_ = [name for name in PREDICTED if would[name] is None]
    names = dict.fromkeys(("prompt", "asked", "seed", *SETTINGS, *LOADED, *would))  # what people write comes first
    compared = [name for name in names if name not in ("versions", "notes", "origin", *open_)]
    differs = next((name for name in compared if there.get(name) != would.get(name)), None)
    if differs == "asked" and isinstance(there.get("asked"), dict):
        return next((name for name in ASKED if there["asked"].get(name) != would["asked"].get(name)), differs)
    return differs


def left_to_predictors(origin: dict[str, str], predictors: str) -> set[str]:
    """Return which of tempo, meter and chords a model's predictors will tell, by where each comes from without them."""
    own = ("given",) if predictors == "neural" else ("given", "prompt")
    open_names = {name for name in ("tempo", "meter", "chords") if origin[name] not in own}
    if predictors != "neural" and not {"tempo", "meter"} <= open_names:  # a pulse that is stated in part is not asked for
        open_names -= {"tempo", "meter"}
    return open_names


def _without_predicted(sidecar):
    """Return a sidecar without what the model's predictors will tell, which only the model knows: None in its place."""
    origin, open_names = sidecar["origin"], left_to_predictors(sidecar["origin"], sidecar["predictors"])
    fields = {"tempo": ("bpm", "beats"), "meter": ("meter", "beats"), "chords": ("chords", "chords_time")}
    hidden = {field for name in open_names for field in fields[name]}
    if "chords" in open_names and origin["key"] == "chosen":
        hidden.add("key")
    if not open_names:
        return sidecar
    told = f"{PREDICTORS_TELL.format(', '.join(sorted(open_names)))}; a dry run does not ask them"
    return sidecar | dict.fromkeys(hidden) | {
        "origin": origin | dict.fromkeys(open_names, "predicted"), "notes": [*sidecar["notes"], told],
    }  # fmt: skip
