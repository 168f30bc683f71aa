"""An evaluation's report for people: Markdown tables, and one HTML page with audio, pictures and the worst clips first."""

import math
from pathlib import Path

from musicbench import on_one_line
from musicbench.files import written_whole
from musicbench.markup import POLICY, data_address, template
from musicbench.music.chords import Chord
from musicbench.sound.audio import encoded_audio, load_audio
from musicbench.sound.picture import clip_png
from mustango.evaluate.run import read_targets
from mustango.hear.metrics import METRICS
from mustango.release.files import read_json

GROUPS = {
    "Tempo and beats": ("TB", "TBT", "tempo Acc1", "tempo Acc2", "beat F", "CMLt", "AMLt", "BM", "downbeat F"),
    "Chords": ("root", "thirds", "triads", "majmin", "tetrads", "sevenths", "IoU", "PCM", "ECM", "CMO", "CMOT"),
    "Key": ("CK", "CKD", "key MIREX"),
    "Sound": ("FAD", "KAD", "KL", "CLAP score"),
}
MEANINGS = METRICS | {
    "FAD": "Frechet distance to the reference; lower is better, higher for smaller sets",
    "KAD": "kernel distance to the reference, 0 for equal distributions; lower is better",
    "KL": "divergence of tags from the same clip's own audio; lower is better",
    "CLAP score": "cosine of sound and prompt",
}
COLUMN_MEANINGS = {
    "model": "the audio that is evaluated",
    "real": "the set's own audio: what the judges hear at best",
    "round trip": "that audio through the model's VAE and vocoder",
    "shuffled": "the model's audio against another clip's labels: the floor",
    "dropped": "the model without the controls",
}


def _number(value):
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _cell(mean, count):
    interval = "" if mean["low"] is None else f" [{_number(mean['low'])}, {_number(mean['high'])}]"
    few = f" N={mean['n']}" if mean["n"] != count else ""
    return f"{_number(mean['value'])}{interval}{few}"


def _share(mean):
    if mean["value"] is None:
        return "-"
    interval = "" if mean["low"] is None else f" [{100 * mean['low']:.1f}, {100 * mean['high']:.1f}]"
    return f"{100 * mean['value']:.1f} %{interval}"


def tables(report):
    """Yield (group, header, lines): lists of cell texts."""
    columns = [c for c in COLUMN_MEANINGS if any(c in row["columns"] for row in report["rows"])]
    shares = [s for s in ("model / real", "round trip / real") if any(s in row["shares"] for row in report["rows"])]
    for group, metrics in GROUPS.items():
        rows = [row for metric in metrics for row in report["rows"] if row["metric"] == metric]
        used = shares if group != "Sound" else []
        lines = [
            [row["metric"], row["judge"]]
            + [_cell(row["columns"][c], report["clips"]) if c in row["columns"] else "" for c in columns]
            + [_share(row["shares"][s]) if s in row["shares"] else "" for s in used]
            for row in rows
        ]
        if lines:
            yield group, ["metric", "heard by", *columns, *used], lines


def _about(report):
    """Say in sentences what was evaluated, by whom it was heard and how the intervals were made."""
    setup = report["setup"]
    made = f"audio in {Path(setup['audio']).name}" if setup["audio"] else (
        f"model {setup['model']} (weights {setup['weights']}), {setup['steps']} steps, guidance {setup['guidance']:g}"
        + (f", the best of {setup['takes']} takes by madmom" if setup.get("takes", 1) > 1 else "")
    )  # fmt: skip
    given = "" if setup["audio"] else ("; controls given" if setup["given"] else "; words only, no controls given")
    judges = "; ".join(f"{j['name']} ({j['licence']}): {', '.join(j['hears'])}" for j in report["judges"])
    yield f"Set {setup['set']}, {report['clips']} clips, seed {setup['seed']}; {made}{given}."
    yield f"Judges: {judges or 'none'}."
    if report["embedding"]:
        composed = setup["set"].startswith("composed:")
        reference = (
            "composed clips of other controls"
            if composed
            else "the set's own audio of half of the clips, for all columns on the other half"
        )
        name, licence = report["embedding"]["name"], report["embedding"]["licence"]
        yield f"Embedding for FAD, KAD and KL: {name} ({licence}); reference of FAD and KAD: {reference}."
    yield (
        "Brackets: 95 % intervals, by bootstrap over clips (FAD and KAD: by random halves of the sets). "
        "N is the number of clips above unless a cell says otherwise; clips that ask for nothing of a kind are left out "
        "of its metrics, clips in which nothing was heard count as wrong, clips that are missing or cannot be read are left out."
    )
    for note in report["judges not used"]:
        yield f"Not used: {note}."
    stages = ", ".join(f"{name} {value:.0f} s" for name, value in report["seconds"].items())
    machine = report["machine"]
    yield (
        f"This run took: {stages}; {machine['workers']} workers on {machine['cores']} cores, load {machine['load']} at the end "
        "(what was there from an earlier run cost nothing)."
    )


def _plain(text):
    """Return text from elsewhere as Markdown and a terminal show it: on one line, without markup, links or cells."""
    for sign, shown in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("[", "\\[")):
        text = str(text).replace(sign, shown)
    return on_one_line(text)


def markdown(report):
    """Return the report as Markdown."""
    parts = ["# Evaluation", *map(_plain, _about(report))]
    for group, header, lines in tables(report):
        rows = [
            "| " + " | ".join(header) + " |",
            "|---" * len(header) + "|",
            *("| " + " | ".join([line[0], _plain(line[1]), *line[2:]]) + " |" for line in lines),
        ]
        parts += [f"## {group}", "\n".join(rows)]
    parts += [
        "## Columns and metrics",
        "\n".join(f"- {name}: {text}" for name, text in (*COLUMN_MEANINGS.items(), *MEANINGS.items())),
    ]
    if report["problems"]:
        lines = ["- " + _plain(f"{p['column']} {p['id']}: {p['what']}") for p in report["problems"]]
        parts += [f"## Problems ({len(lines)})", "\n".join(lines[:50] + [f"- ... {len(lines) - 50} more"] * (len(lines) > 50))]
    return "\n\n".join(parts) + "\n"


def compared_markdown(rows, first, second):
    """Return the table of two evaluations; a difference whose interval holds 0 is not told apart from none."""
    first, second = _plain(first), _plain(second)
    lines = [
        f"# {second} against {first}",
        "Differences are paired by clip, with 95 % intervals; * where the interval leaves out 0.",
        "",
    ]
    lines += [f"| metric | heard by | {first} | {second} | difference | N |", "|---" * 6 + "|"]
    for row in rows:
        d = row["difference"]
        star = " *" if d.low > 0 or d.high < 0 else ""
        lines.append(
            f"| {row['metric']} | {_plain(row['judge'])} | {_number(row['a'])} | {_number(row['b'])} | "
            f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]{star} | {d.n} |"
        )
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------------- the page

SHOWN = ("majmin", "beat F", "CKD")  # what a clip is ranked by: the mean over its judges and these


def rank(scores):
    """Return (clip ids, worst first, {id: the mean of SHOWN over judges}); clips without any of them come last."""
    means = {}
    for name, by_judge in scores.items():
        values = [found[metric] for found in by_judge.values() for metric in SHOWN if metric in found]
        means[name] = sum(values) / len(values) if values else math.inf
    return sorted(means, key=means.get), means


def _beats(name, times, positions):
    return (name, times, [str(p) for p in positions] or [""] * len(times)) if len(times) else None


def _lanes(target, record, judges):
    """Return the picture's lanes: asked and heard chords, then asked and heard beats."""
    named = [Chord.parse(c).lead_sheet() for c in target["chords"]]
    timed = named if len(target["chords_time"]) == len(named) else []
    lanes = [("asked", target["chords_time"], timed)] if timed else []
    for judge in judges:
        heard = record["heard"].get(judge)
        if heard and heard["chords"]:
            lanes.append((judge, heard["chords_time"], [Chord.parse(c).lead_sheet() for c in heard["chords"]]))
    lanes.append(_beats("beats asked", *target["beats"]))
    for judge in judges:
        heard = record["heard"].get(judge)
        lanes.append(_beats(f"{judge} beats", *heard["beats"]) if heard else None)
    return [lane for lane in lanes if lane]


def _article(name, report, folder, target, mean):
    """Return what the page shows of one clip: words, scores, audio of model and set, picture with what was asked and heard."""
    column = "model" if name in report["scores"].get("model", {}) else "real"
    saved = folder / "heard" / column / f"{name}.json"  # missing for a file that cannot be read
    record = read_json(saved) if saved.is_file() else {"heard": {}}
    scores = report["scores"][column][name]
    said = "; ".join(
        f"{judge} " + ", ".join(f"{metric} {found[metric]:.2f}" for metric in SHOWN if metric in found)
        for judge, found in scores.items()
        if any(metric in found for metric in SHOWN)
    )
    asked = [f"{target['bpm']:g} bpm" if target["bpm"] else "", target["meter"] or "", " ".join(target["key"] or ())]
    players, picture = {}, None
    for kind in ("model", "real"):
        path = report["paths"].get(kind, {}).get(name)
        if path and Path(path).is_file() and (folder / "heard" / kind / f"{name}.json").is_file():
            samples, rate = load_audio(path)
            players[kind] = data_address("audio/ogg", encoded_audio(samples, rate, "OGG"))
            if kind == column:
                png = clip_png(
                    samples, rate, beat_times=target["beats"][0], beat_positions=target["beats"][1],
                    lanes=_lanes(target, record, report["setup"]["judges"]),
                )  # fmt: skip
                picture = data_address("image/png", png)
    return {
        "name": name, "mean": mean, "prompt": target["prompt"], "asked": ", ".join(a for a in asked if a), "heard": said,
        "players": players.items(), "picture": picture,
    }  # fmt: skip


def page(report, folder, clips=20):
    """Return the report as one HTML page; needs the evaluation's folder for audio and what was heard."""
    folder = Path(folder)
    column = "model" if report["scores"].get("model") else "real"
    targets = {row["id"]: row for row in read_targets(folder)}
    order, means = rank(report["scores"].get(column, {}))
    return template("mustango", "templates", "scorecard.html").render(
        about=_about(report), tables=tables(report), problems=report["problems"], shown=SHOWN, of=len(order),
        clips=[_article(name, report, folder, targets[name], means[name]) for name in order[:clips]],
        column_meanings=COLUMN_MEANINGS, meanings=MEANINGS, policy=POLICY,
    )  # fmt: skip


def write_reports(report, folder):
    """Write report.md and report.html beside report.json; returns their paths."""
    paths = Path(folder) / "report.md", Path(folder) / "report.html"
    for path, text in zip(paths, (markdown(report), page(report, folder)), strict=True):
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return paths
