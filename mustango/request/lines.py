"""What `mustango generate` is asked for: its own prompt, or the lines of a prompts file; each settled, or told what is wrong with it."""

from argparse import Namespace
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from musicbench import InputError
from mustango import ATTENTION, DTYPES, SCHEDULERS
from mustango.release.folder import commit_of
from mustango.release.layouts import NO_PREDICTORS
from mustango.request.bounds import read_number
from mustango.request.json_lines import check_id, read_lines, read_object
from mustango.request.model_facts import ModelFacts, read_facts
from mustango.request.request import MUSIC, SETTINGS, Request, is_blank
from mustango.request.settled import Settled, resolve
from mustango.request.sidecar import LOADED, check_sidecar, is_sidecar, restored

# Those that people write.
LINE_FIELDS = ("prompt", "chords", "tempo", "meter", "key", "beats", "duration", "parts", "melody", "drums", "seed", "id")
# What else a sidecar holds: a line may be a sidecar, which asks for its take again.
SIDECAR_FIELDS = ("text", "bpm", "chords_time", "sample_rate", "picked", "asked", "origin", "notes", "versions")


@dataclass(frozen=True)
class Line:
    """One prompt of the command: what its fields say, and what it is settled to or the error that it cannot be played for.

    where: its place in a prompts file, None for the command's own prompt. id: the name of its files.
    """

    id: str = ""
    where: str | None = None
    fields: dict = field(default_factory=dict)
    settled: Settled | None = None
    error: str = ""

    @property
    def asked(self) -> Settled:
        """What a line that can be played is settled to."""
        assert self.settled is not None, self.error
        return self.settled

    def refused(self, error: Exception) -> "Line":
        """Return what is left of a line that cannot be played; its error names the place."""
        text = str(error)
        if self.where and not text.startswith(self.where):
            text = f"{self.where}: {text}"
        return replace(self, error=text)


# ---------------------------------------------------------------------------------------------------- a prompts file


def read_prompts(path: Path | str) -> list[Line]:
    """Read the lines of a prompts file, or a sidecar; those that cannot be read have an error.

    Raises InputError for a file that cannot be read.
    """
    lines, seen = [], set()
    for number, where, text in read_lines(path):
        line = Line(f"{number:05d}", where)
        try:
            fields = read_object(where, text)
            prompt = {} if fields.get("prompt") is None else {"prompt": fields["prompt"]}
            own = fields.get("id")
            line = replace(line, fields=prompt, id=line.id if own is None or is_blank(own) else own)
            line = replace(line, fields=_read_fields(fields, where) | prompt)
            line = replace(line, id=_read_id(line.id, seen, where))
        except InputError as error:
            line = line.refused(error)
        lines.append(line)
    return lines


def _read_fields(fields, where):
    """Return the fields of a line, those of a sidecar under the names of options. Raises InputError for one that is unknown."""
    unknown = set(fields) - {*LINE_FIELDS, *MUSIC, *SETTINGS, *LOADED, *SIDECAR_FIELDS}
    if unknown:
        raise InputError(f"{where} has the unknown field {min(unknown)[:40]!r}; known: {', '.join(LINE_FIELDS)}")
    for name in LOADED:
        if not isinstance(fields.get(name), str | None):
            raise InputError(f"{where}: {name} {repr(fields[name])[:40]} is no text; give a name such as {LOADED[name] or 'main'}")
    emptied = [name for name in ("chords", "chords_time", "beats") if fields.get(name) in ([], [[], []])]
    if emptied and fields.get("asked") is not None:  # in a line that people write, it leaves them open
        raise InputError(f"{where}: a sidecar's {emptied[0]} cannot be empty; leave asked, origin and notes out to have it chosen")
    fields = {name: value for name, value in fields.items() if name == "prompt" or not is_blank(value)}
    if not (is_sidecar(fields) or _is_older_sidecar(fields)):
        _check_written(fields, where)
    tempo = fields.get("bpm") if fields.get("tempo") is None else fields["tempo"]
    chords_time = fields.get("chords_time") if fields.get("chords") else None
    return fields | {"tempo": tempo, "chords_time": chords_time}


def _is_older_sidecar(fields):
    """Return whether fields are those of a sidecar from before it told what was asked; its music is made anew from what was played."""
    return isinstance(fields.get("versions"), dict) and all(name in fields for name in ("bpm", "meter", "beats", "chords", "seed"))


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


def _read_id(own, seen, where):
    """Return a line's id as text. Raises InputError unless files can be named after it."""
    if isinstance(own, bool) or not isinstance(own, str | int):
        raise InputError(f"{where}: id {repr(own)[:40]} is no name; give text or a whole number")
    check_id(str(own), seen, where)
    return str(own)


def loaded(lines: list[Line], options: Namespace) -> dict:
    """Return what all lines are made with, the names of LOADED: what the options say, else the lines, else the default.

    Raises InputError where the lines do not agree.
    """
    chosen = {}
    for name, default in LOADED.items():
        said = {line.fields[name]: line.where for line in reversed(lines) if line.fields.get(name) is not None}
        if getattr(options, name) is not None:
            said = {getattr(options, name): "the command"}
        if len(said) > 1:
            (one, there), (other, here) = list(said.items())[:2]
            raise InputError(f"{there} asks for {name} {one}, {here} for {other}; give --{name} for all, or a file for each")
        chosen[name] = next(iter(said), default)
    own = {line.fields.get("model") for line in lines if line.fields.get("revision") is not None}
    if options.model is not None and options.revision is None and own != {options.model}:  # a line's revision is of its own model
        chosen["revision"] = None
    for name, known in (("dtype", DTYPES), ("attention", ATTENTION)):
        if chosen[name] not in known:
            raise InputError(f"unknown {name} {chosen[name]!r:.40}; choose one of {', '.join(known)}")
    return chosen


# ---------------------------------------------------------------------------------------------------- settled


def lines_of(options: Namespace, takes: int) -> tuple[list[Line], dict, ModelFacts]:
    """Return (lines, settled or refused; what they are made with; the model's facts) of the command line.

    Raises InputError for what concerns all of them.
    """
    given = {name: getattr(options, name) for name in ("prompt", "chords", "tempo", "meter", "key", "parts", "melody", "drums")}
    if not options.prompts:
        lines = [Line(fields=given | {"prompt": given["prompt"] or ""})]
    elif any(value is not None for value in given.values()):
        raise InputError("--prompts takes prompt and controls from the file; leave the prompt and its options out")
    else:
        lines = read_prompts(options.prompts)
    made_with = loaded(lines, options)
    made_with["revision"] = commit_of(made_with["model"], made_with["revision"])
    facts = read_facts(made_with["model"], made_with["revision"])
    if options.prompts:
        _check_own(options, takes, facts, lines)
    return [_settled_or_refused(line, options, takes, facts) for line in lines], made_with, facts


def _check_own(options, takes, facts, lines):
    """Raise InputError for what is wrong with the command's own options, whatever the lines of its prompts file say."""
    own = {name: value for name in (*SETTINGS, "seed", "duration") if (value := getattr(options, name)) is not None}
    Request(count=takes, **own).checked(facts.longest_s)
    new = [line for line in lines if not line.error and not is_sidecar(line.fields)]
    if options.predictors == "neural" and new and not facts.has_predictors:
        raise InputError(NO_PREDICTORS)


def _settled_or_refused(line, options, takes, facts):
    """Return a line with what it is settled to, or with the error that it cannot be played for."""
    if line.error:
        return line
    try:
        return replace(line, settled=settle(line.fields, options, takes, facts))
    except InputError as error:
        return line.refused(error)


def settle(fields: dict, options: Namespace, takes: int, facts: ModelFacts) -> Settled:
    """Settle the fields of a line and the command's options; a sidecar to its take again. Raises InputError.

    What is asked of the music comes from the fields before the options, how it is made from the options before the fields.
    """
    seeds = [read_number("seed", seed, int) for seed in (fields.get("seed"), options.seed)]
    values: dict[str, Any] = {name: fields.get(name) for name in MUSIC}
    if values["duration"] in (None, ""):
        values["duration"] = options.duration
    values |= {"seed": next((seed for seed in seeds if seed is not None), None), "scheduler": SCHEDULERS[0]}
    for name in SETTINGS:
        own = getattr(options, name) if getattr(options, name) is not None else fields.get(name)
        values[name] = own if own is not None else values.get(name)
    given = {name: value for name, value in values.items() if value is not None}
    request = Request(fields.get("prompt", ""), count=takes, **given)
    check_sidecar(fields, facts, same_model=options.model is None)
    return restored(request, fields, facts) if is_sidecar(fields) else resolve(request, facts)
