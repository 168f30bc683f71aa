"""The marks of songs that are done: JSON Lines, first what the song's rows were made of and what of it is rejected, then
its rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from musicbench.files import json_line, make_folder, path_text, printable, written_whole


@dataclass(frozen=True)
class Mark:
    """A song that is done.

    made_of: what all its rows depend on; audio: a digest of what its audio files depend on, "" without any; rejected:
    entries as of rejected.jsonl; told: lines on what is given of it and not used.
    """

    made_of: dict
    audio: str
    rejected: list
    rows: list
    told: list = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write the mark, whole or not at all."""
        make_folder(path.parent)
        with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            head = {"made_of": self.made_of, "audio": self.audio, "rejected": self.rejected}
            file.write(json_line(head | ({"told": self.told} if self.told else {})))
            file.writelines(map(json_line, self.rows))

    @classmethod
    def read(cls, path: Path) -> "Mark | None":
        """Return the mark in a file, or None where there is none that is whole."""
        try:
            head, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            return cls(head["made_of"], head["audio"], head["rejected"], rows, head.get("told", []))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def marked_rows(path: Path) -> Iterator[str]:
    """Yield the rows of a mark as lines of JSON, one after the other."""
    with path.open(encoding="utf-8") as file:
        next(file, None)
        yield from file


def marked_rejections(path: Path) -> list[dict]:
    """Return what a mark says is rejected of its song."""
    with path.open(encoding="utf-8") as file:
        return json.loads(next(file))["rejected"]


def rejection(path: str, reason: object, start_s: float | None = None) -> dict:
    """Return what is said of a song, or of its clip that begins at `start_s`, that is not used."""
    return {"source": path_text(path), "clip_start": start_s, "reason": printable(str(reason))}


def read_object(path: Path) -> dict:
    """Read a JSON file of ours; one that cannot be read, is torn or no object holds nothing."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
