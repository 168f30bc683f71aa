"""What is measured and tagged in composed clips, kept beside them: {seed: {"tags": ..., "sound": ...}} a line.

    musicbench compose -o FOLDER --count 1500 --seed 500000 --duration 10
    python benchmarks/hear_composed.py FOLDER

What is there is kept, so that it goes on where it was stopped. `calibrate_tags.py` and `calibrate_words.py` read it.
"""

import json
import sys
from pathlib import Path

from musicbench.build.dataset import read_rows
from musicbench.hearing.tagger import tags
from musicbench.sound.audio import load_audio


def main():
    folder = Path(sys.argv[1])
    out = folder / "heard.jsonl"
    done = {json.loads(line)["seed"] for line in out.read_text().splitlines()} if out.exists() else set()
    with out.open("a") as lines:
        for row in read_rows(folder):
            if row["seed"] in done:
                continue
            samples, rate = load_audio(folder / row["location"])
            lines.write(json.dumps({"seed": row["seed"], "tags": tags(samples, rate)}) + "\n")
            lines.flush()


if __name__ == "__main__":
    main()
