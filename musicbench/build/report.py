"""A dataset folder as one static HTML page: numbers, distributions, rows to look at and hear, transforms before and
after, rejects."""

import base64
import html
import random
from collections import Counter
from io import BytesIO
from pathlib import Path

from musicbench import InputError
from musicbench.build.dataset import read_rows, row_clip
from musicbench.files import written_whole
from musicbench.sound.audio import load_audio
from musicbench.sound.picture import clip_png

STYLE = """
:root { color-scheme: light dark; --line: #8884; --accent: #4c78a8; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; margin: 1rem 0; }
article img { width: 100%; height: auto; border-radius: .3rem; } audio { width: 100%; margin: .4rem 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
.bar { display: grid; grid-template-columns: 6.5rem 1fr 3.5rem; gap: .5rem; font-size: 13px; }
.bar i { background: var(--accent); height: .9em; align-self: center; border-radius: 2px; } small { opacity: .75; }
"""
FIELDS = {
    "location": str, "main_caption": str, "base_id": str, "source": str, "duration": (float, int, type(None)),
    "transforms": (list, type(None)),
}  # fmt: skip
MUCH_CLIPPED = 0.01  # of a row's samples, at the highest level that there is
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def write_report(folder, shown=20, seed=0):
    """Write `folder`/report.html about a dataset folder, with `shown` random rows; returns its path.

    Raises InputError.
    """
    folder = Path(folder)
    rows, damaged = _readable_rows(folder)
    there = (folder / "rejected.jsonl").is_file()
    rejected = _rows_with(folder / "rejected.jsonl", "source", "clip_start", "reason") if there else []
    parts = [
        f"<h1>{_text(folder.resolve().name)}</h1>", _counts(rows, rejected), _distributions(rows),
        f"<h2>{min(shown, len(rows))} random rows</h2>",
        *(_row(folder, row) for row in random.Random(seed).sample(rows, min(shown, len(rows)))),
        _before_and_after(folder, rows, seed), _damaged(damaged), _rejects(rejected),
    ]  # fmt: skip
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{_text(folder.resolve().name)}</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    with written_whole(folder / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _readable_rows(folder):
    """Return (rows, [(number, what is wrong)] of those that cannot be shown). Raises InputError where no row can."""
    rows, damaged = [], []
    for number, row in enumerate(read_rows(folder), 1):
        if fault := _row_fault(row):
            damaged.append((number, fault))
        else:
            rows.append(row)
    if damaged and not rows:
        raise InputError(f"{folder}: row {damaged[0][0]}: {damaged[0][1]}; give a folder that musicbench made")
    return rows, damaged


def _row_fault(row):
    """Say what keeps a row from being shown, or return None."""
    for name, kind in FIELDS.items():
        if name in row and not isinstance(row[name], kind):
            return f"{name} is {str(row[name])[:40]!r}"
    steps = row.get("transforms") or ()
    for name in ("location", "main_caption", *(("base_id",) if steps else ())):
        if name not in row:
            return f"it has no {name}"
    if not all(isinstance(step, dict) and "transform" in step for step in steps):
        return f"transforms are {str(steps)[:40]!r}"
    try:
        row_clip(row)
    except InputError as error:
        return str(error)
    return None


def _damaged(damaged):
    if not damaged:
        return ""
    lines = "".join(f"<tr><td>{number}<td>{_text(fault)}" for number, fault in damaged)
    return f"<h2>Damaged rows</h2><table><tr><th>row<th>what is wrong{lines}</table>"


def _rows_with(path, *fields):
    rows = read_rows(path)
    for number, row in enumerate(rows, 1):
        if missing := [field for field in fields if field not in row]:
            raise InputError(f"{path}: row {number} has no {missing[0]}; give a folder that musicbench made")
    return rows


def _text(value):
    return html.escape(str(value))


def _counts(rows, rejected):
    songs = {row.get("source", row["location"]) for row in rows}
    minutes = sum(row.get("duration") or 10.0 for row in rows) / 60
    splits = Counter(row["location"].split("/")[0] for row in rows)
    missing = {
        name: sum(not row.get(field) for row in rows) for name, field in (("tempo", "bpm"), ("key", "key"), ("chords", "chords"))
    }
    clipped = sum((row.get("clipped") or 0) > MUCH_CLIPPED for row in rows)
    lines = [
        ("rows", len(rows)), ("songs", len(songs)), ("minutes", f"{minutes:.1f}"),
        ("folders", ", ".join(f"{name} {count}" for name, count in sorted(splits.items()))),
        ("not heard", ", ".join(f"{name} in {count} rows" for name, count in missing.items())),
        ("clipped", f"{clipped} rows, more than {MUCH_CLIPPED:.0%} of their samples") if clipped else ("clipped", "none"),
        ("rejected", f"{sum(r['clip_start'] is None for r in rejected)} songs, {sum(r['clip_start'] is not None for r in rejected)} clips"),
    ]  # fmt: skip
    return "<table>" + "".join(f"<tr><th>{name}<td>{_text(value)}" for name, value in lines) + "</table>"


def _distributions(rows):
    clips = [row_clip(row) for row in rows]
    bpms = [clip.bpm for clip in clips if clip.bpm]
    tempo = Counter(int(bpm // 20 * 20) for bpm in bpms)
    kinds = Counter(_kind(row) for row in rows)
    plots = {
        "tempo, bpm": [(f"{low}-{low + 19}", count) for low, count in sorted(tempo.items())],
        "meter": Counter(str(clip.meter) for clip in clips if clip.meter).most_common(),
        "key": Counter(str(clip.key) for clip in clips if clip.key).most_common(24),
        "chords": Counter(str(chord) for clip in clips for chord in clip.chords).most_common(24),
        "copies": kinds.most_common(),
    }
    blocks = []
    for title, bars in plots.items():
        most = max((count for _, count in bars), default=1)
        lines = "".join(
            f"<div class=bar><span>{_text(name)}</span><i style='width:{100 * count / most:.1f}%'></i><span>{count}</span></div>"
            for name, count in bars
        )
        blocks.append(f"<section><h3>{title}</h3>{lines or 'none'}</section>")
    return f"<h2>What is in it</h2><div class=plots>{''.join(blocks)}</div>"


def _kind(row):
    names = [step["transform"] for step in row.get("transforms") or ()]
    return "original" if not names else " + ".join(names)


def _audio_tag(samples, rate):
    import soundfile
    import soxr

    buffer = BytesIO()
    playable = min((r for r in MP3_RATES if r >= rate), default=MP3_RATES[-1])
    soundfile.write(buffer, soxr.resample(samples, rate, playable) if playable != rate else samples, playable, format="MP3")
    return f"<audio controls preload=none src='data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'></audio>"


def _row(folder, row, title=None):
    try:
        samples, rate = load_audio(folder / row["location"])
    except InputError as error:
        return f"<article><b>{_text(title or row.get('id') or row['location'])}</b><p>{_text(error)}</p></article>"
    clip = row_clip(row)
    image = clip_png(
        samples, rate, beat_times=clip.beat_times, beat_positions=clip.beat_positions,
        lanes=[("chords", clip.chord_times, [c.lead_sheet(clip.key) for c in clip.chords])] if clip.chords else (),
    )  # fmt: skip
    picture = base64.b64encode(image).decode()
    facts = f"{f'{clip.bpm:g} bpm' if clip.bpm else 'no tempo'}, {clip.meter or 'no meter'}, {clip.key or 'no key'}"
    steps = ", ".join(" ".join(str(v) for v in step.values()) for step in row.get("transforms") or ()) or "original"
    return (
        f"<article><b>{_text(title or row.get('id') or row['location'])}</b> <small>{_text(steps)}; {_text(facts)}</small>"
        f"{_audio_tag(samples, rate)}<img alt='spectrogram with beats and chords' src='data:image/png;base64,{picture}'>"
        f"<p>{_text(row['main_caption'])}</p><p><small>{_text(row.get('alt_caption', ''))}</small></p></article>"
    )


def _before_and_after(folder, rows, seed):
    """Show one clip and one copy of it by each kind of transform."""
    bases = sorted({row["base_id"] for row in rows if row.get("transforms")})
    if not bases:
        return ""
    base = random.Random(seed + 1).choice(bases)
    own = [row for row in rows if row["base_id"] == base]
    first_of_kind = {}
    for row in own:
        first_of_kind.setdefault(_kind(row), row)
    return "<h2>Before and after</h2>" + "".join(_row(folder, row, f"{base}: {kind}") for kind, row in first_of_kind.items())


def _rejects(rejected):
    if not rejected:
        return "<h2>Rejected</h2><p>Nothing.</p>"
    lines = "".join(
        f"<tr><td>{_text(r['source'])}<td>{'whole' if r['clip_start'] is None else r['clip_start']}<td>{_text(r['reason'])}"
        for r in rejected
    )
    return f"<h2>Rejected</h2><table><tr><th>song<th>from, s<th>why{lines}</table>"
