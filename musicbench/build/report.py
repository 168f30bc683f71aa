"""A dataset folder as one static HTML page: numbers, distributions, rows to look at and hear, transforms before and
after, rejects."""

import random
from collections import Counter
from io import BytesIO
from itertools import count
from pathlib import Path

from musicbench import InputError
from musicbench.build.dataset import read_rows, row_clip
from musicbench.files import inside, written_whole
from musicbench.markup import POLICY, data_address, template
from musicbench.sound.audio import load_audio
from musicbench.sound.picture import clip_png

FIELDS = {
    "location": str, "main_caption": str, "base_id": str, "source": str, "duration": (float, int, type(None)),
    "transforms": (list, type(None)), "clipped": (float, int, type(None)),
    "bpm": (float, int, type(None)),
}  # fmt: skip
MUCH_CLIPPED = 0.01  # of a row's samples, at the highest level that there is
MOST_S = 660  # of sound that is shown of a row: the longest clip of a recipe, and more
MOST = {"duration": 24 * 3600, "bpm": 10_000}  # that a row may say
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def write_report(folder, shown=20, seed=0):
    """Write `folder`/report.html about a dataset folder, with `shown` random rows; returns its path.

    Raises InputError.
    """
    folder = Path(folder)
    rows, damaged = _readable_rows(folder)
    there = (folder / "rejected.jsonl").is_file()
    rejected, torn = _rejected(folder / "rejected.jsonl") if there else ([], [])
    page = template("musicbench", "templates", "report.html").render(
        name=folder.resolve().name, counts=_counts(rows, rejected), plots=_distributions(rows),
        shown=[_shown(folder, row) for row in random.Random(seed).sample(rows, min(shown, len(rows)))],
        copies=_before_and_after(folder, rows, seed), damaged=damaged + torn, rejected=rejected, policy=POLICY,
    )  # fmt: skip
    with written_whole(folder / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _readable_rows(folder):
    """Return (rows, [(number, what is wrong)] of those that cannot be shown). Raises InputError where no row can."""
    rows: list[dict] = []
    damaged: list[tuple[int, str]] = []
    for number, row in _numbered(read_rows(folder, damaged), damaged):
        if fault := _row_fault(row):
            damaged.append((number, fault))
        else:
            rows.append(row)
    if damaged and not rows:
        raise InputError(f"{folder}: row {damaged[0][0]}: {damaged[0][1]}; give a folder that musicbench made")
    return rows, sorted(damaged)


def _row_fault(row):
    """Say what keeps a row from being shown, or return None."""
    for name, kind in FIELDS.items():
        if name in row and not isinstance(row[name], kind):
            return f"{name} is {str(row[name])[:40]!r}"
    steps = row.get("transforms") or ()
    for name in ("location", "main_caption", *(("base_id",) if steps else ())):
        if name not in row:
            return f"it has no {name}"
    for name, most in MOST.items():
        if not 0 <= (row.get(name) or 0) <= most:
            return f"{name} is {str(row[name])[:40]}"
    if not all(isinstance(step, dict) and isinstance(step.get("transform"), str) for step in steps):
        return f"transforms are {str(steps)[:40]!r}"
    try:
        row_clip(row)
    except InputError as error:
        return str(error)
    return None


def _rejected(path):
    """Return (the entries of rejected.jsonl, [(number, what is wrong)] of those that are none)."""
    damaged: list[tuple[int, str]] = []
    entries = []
    for number, entry in _numbered(read_rows(path, damaged), damaged):
        if missing := [field for field in ("source", "clip_start", "reason") if field not in entry]:
            damaged.append((number, f"it has no {missing[0]}"))
        else:
            entries.append(entry)
    return entries, [(number, f"in {path.name} {fault}") for number, fault in sorted(damaged)]


def _numbered(read, damaged):
    """Return (line, row) of rows that were read, where other lines are damaged."""
    none = {number for number, _ in damaged}
    return list(zip((number for number in count(1) if number not in none), read, strict=False))


def _counts(rows, rejected):
    """Return (what, how much) of a dataset as a whole."""
    songs = {row.get("source", row["location"]) for row in rows}
    minutes = sum(row.get("duration") or 10.0 for row in rows) / 60
    splits = Counter(row["location"].split("/")[0] for row in rows)
    missing = {
        name: sum(not row.get(field) for row in rows) for name, field in (("tempo", "bpm"), ("key", "key"), ("chords", "chords"))
    }
    whole = sum(entry["clip_start"] is None for entry in rejected)
    clipped = sum((row.get("clipped") or 0) > MUCH_CLIPPED for row in rows)
    return [
        ("rows", len(rows)), ("songs", len(songs)), ("minutes", f"{minutes:.1f}"),
        ("folders", ", ".join(f"{name} {count}" for name, count in sorted(splits.items()))),
        ("not heard", ", ".join(f"{name} in {count} rows" for name, count in missing.items())),
        ("clipped", f"{clipped} rows, more than {MUCH_CLIPPED:.0%} of their samples") if clipped else ("clipped", "none"),
        ("rejected", f"{whole} songs, {len(rejected) - whole} clips"),
    ]  # fmt: skip


def _distributions(rows):
    """Return {title: [(name, count)]} of what is drawn as bars."""
    clips = [row_clip(row) for row in rows]
    bpms = [clip.bpm for clip in clips if clip.bpm]
    tempo = Counter(int(bpm // 20 * 20) for bpm in bpms)
    kinds = Counter(_kind(row) for row in rows)
    return {
        "tempo, bpm": [(f"{low}-{low + 19}", count) for low, count in sorted(tempo.items())],
        "meter": Counter(str(clip.meter) for clip in clips if clip.meter).most_common(),
        "key": Counter(str(clip.key) for clip in clips if clip.key).most_common(24),
        "chords": Counter(str(chord) for clip in clips for chord in clip.chords).most_common(24),
        "copies": kinds.most_common(),
    }


def _kind(row):
    names = [step["transform"] for step in row.get("transforms") or ()]
    return "original" if not names else " + ".join(names)


def _mp3(samples, rate):
    import soundfile
    import soxr

    buffer = BytesIO()
    playable = min((r for r in MP3_RATES if r >= rate), default=MP3_RATES[-1])
    soundfile.write(buffer, soxr.resample(samples, rate, playable) if playable != rate else samples, playable, format="MP3")
    return buffer.getvalue()


def _shown(folder, row, title=None):
    """Return what the page shows of a row; `error` instead of sound and picture where the file cannot be read."""
    shown = {"title": title or row.get("id") or row["location"]}
    try:
        samples, rate = load_audio(inside(folder, row["location"]), most_s=MOST_S)
    except InputError as error:
        return shown | {"error": str(error)}
    clip = row_clip(row)
    image = clip_png(
        samples, rate, beat_times=clip.beat_times, beat_positions=clip.beat_positions,
        lanes=[("chords", clip.chord_times, [c.lead_sheet(clip.key) for c in clip.chords])] if clip.chords else (),
    )  # fmt: skip
    return shown | {
        "error": None,
        "steps": ", ".join(" ".join(str(v) for v in step.values()) for step in row.get("transforms") or ()) or "original",
        "facts": f"{f'{clip.bpm:g} bpm' if clip.bpm else 'no tempo'}, {clip.meter or 'no meter'}, {clip.key or 'no key'}",
        "audio": data_address("audio/mpeg", _mp3(samples, rate)),
        "picture": data_address("image/png", image),
        "caption": row["main_caption"],
        "other_caption": row.get("alt_caption", ""),
    }


def _before_and_after(folder, rows, seed):
    """Return what is shown of one clip and of one copy of it by each kind of transform."""
    bases = sorted({row["base_id"] for row in rows if row.get("transforms")})
    if not bases:
        return []
    base = random.Random(seed + 1).choice(bases)
    own = [row for row in rows if row["base_id"] == base]
    first_of_kind = {}
    for row in own:
        first_of_kind.setdefault(_kind(row), row)
    return [_shown(folder, row, f"{base}: {kind}") for kind, row in first_of_kind.items()]
