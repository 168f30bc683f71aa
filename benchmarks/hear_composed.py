"""What is tagged and measured in composed clips, kept beside them in heard.jsonl, a line for each.

    musicbench compose -o FOLDER --count 1500 --seed 500000 --duration 10
    python benchmarks/hear_composed.py FOLDER

What is there is kept, so that it goes on where it was stopped. `calibrate_tags.py` and `calibrate_words.py` read it.
"""

import json
import sys
from pathlib import Path

from musicbench.build.dataset import read_rows
from musicbench.hearing.sound_facts import analysed, attack_numbers, band_levels
from musicbench.hearing.tagger import tags
from musicbench.sound.audio import load_audio


def heard(folder: Path) -> dict[int, dict]:
    """Return what was heard in the clips of a folder by their seeds."""
    path = folder / "heard.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return {one["seed"]: one for one in map(json.loads, lines)}


def main():
    folder = Path(sys.argv[1])
    done = heard(folder)
    with (folder / "heard.jsonl").open("a") as lines:
        for row in read_rows(folder):
            if "loudness_lufs" in done.get(row["seed"], {}):
                continue
            samples, rate = load_audio(folder / row["location"])
            power, levels_db, lufs = analysed(samples, rate)
            known = done.get(row["seed"]) or {"seed": row["seed"], "tags": tags(samples, rate)}
            known |= {"loudness_lufs": lufs, "attacks": attack_numbers(power, levels_db).tolist()}
            known |= {"bands": band_levels(samples, rate).tolist()}
            lines.write(json.dumps(known) + "\n")
            lines.flush()


if __name__ == "__main__":
    main()
