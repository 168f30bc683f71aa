"""Does a refactor change what comes out? python benchmarks/same.py --python .venv/bin/python --repository .

Runs the commands of a checkout on fixed inputs and prints a hash for each kind of output: WAV bytes, sidecars and MIDI of 50
prompts, the plans of a dry run, composed rows and their audio, rows and rejections of a build, what an evaluation's judges hear,
the golden parity's figures. Run it on two checkouts and compare the lines; versions are left out of what is hashed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

STYLES = (
    "calm piano", "jazz trio", "metal with distorted guitars", "solo harp", "string quartet", "trap beat", "deep house", "bossa nova",
    "reggae", "folk ballad with fiddle", "orchestral film score", "funk", "12-bar blues", "waltz for accordion", "ambient pad",
    "drum and bass", "punk rock", "salsa", "lo-fi hip hop", "celtic jig", "church organ", "synthwave", "country", "gospel", "surf rock",
)  # fmt: skip
CONTROLS = (
    {}, {"chords": "C G | Am F"}, {"tempo": 96, "key": "E minor"}, {"chords": "Dm7 G7", "meter": "3/4"},
    {"key": "Bb", "duration": "2 bars"},
)  # fmt: skip
WRONG = ({"tempo": 900}, {"chords": "H7 X"}, {"meter": "9/13"}, {"duration": -1})


def digest(texts):
    """Return a short hash of texts or bytes in their order."""
    whole = hashlib.sha256()
    for text in texts:
        whole.update(text if isinstance(text, bytes) else text.encode())
    return whole.hexdigest()[:16]


def without_versions(path):
    """Return the JSON objects of a file, a line each, without what tells the version that wrote them."""
    lines = []
    for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
        value = json.loads(line)
        for name in ("version", "versions"):
            value.pop(name, None)
        lines.append(json.dumps(value, sort_keys=True))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--python", type=Path, default=Path(".venv/bin/python"))
    options = parser.parse_args()
    python, repository = options.python.absolute(), options.repository.resolve()
    environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1", "CI": "1"}

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)

        def run(*arguments):
            done = subprocess.run([python, "-m", *arguments], cwd=place, env=environment, capture_output=True, text=True)
            print(f"  {' '.join(arguments)[:90]}: exit {done.returncode}", flush=True)
            return done.stdout

        lines = [{"prompt": style, "duration": 4, "seed": i, **CONTROLS[i % 5]} for i, style in enumerate(STYLES)]
        lines += [{"prompt": f"{style} in {key}", "seed": 7, "duration": 1.5} for style, key in zip(STYLES, "ABCDEFG" * 4)]  # noqa: B905
        (place / "prompts.jsonl").write_text("\n".join(map(json.dumps, lines)))
        (place / "wrong.jsonl").write_text("\n".join(json.dumps({"prompt": "x", **controls}) for controls in WRONG))
        run("mustango", "generate", "--prompts", "prompts.jsonl", "-o", "takes", "--steps", "3", "--midi", "--keep-going")
        takes = place / "takes"
        print("wav     ", digest(path.read_bytes() for path in sorted(takes.glob("*.wav"))))
        print("midi    ", digest(path.read_bytes() for path in sorted(takes.glob("*.mid"))))
        print("sidecars", digest(map(without_versions, sorted(takes.glob("*.json")))))
        print("dry run ", digest([run("mustango", "generate", "--prompts", "wrong.jsonl", "--dry-run").replace(folder, "")]))

        run("musicbench", "compose", "--count", "12", "--duration", "6", "-o", "composed")
        composed = place / "composed"
        print("composed", digest([without_versions(composed / "rows.jsonl")]))
        print("sound   ", digest(path.read_bytes() for path in sorted(composed.glob("audio/*"))))
        run("musicbench", "compose", "--count", "2", "--duration", "20", "--seed", "40", "-o", "songs")
        (place / "songs" / "audio" / "broken.wav").write_bytes(b"RIFF")
        run("musicbench", "build", "songs/audio", "built")
        built = place / "built"
        print("rows    ", digest([without_versions(built / "rows.jsonl"), (built / "rejected.jsonl").read_text()]))

        run("mustango", "evaluate", "--set", "composed:3", "--steps", "3", "-o", "judged", "--embedding", "none", "--dropped", "2")
        judged = sorted((place / "judged").rglob("*.json"))
        print("heard   ", digest(without_versions(path) for path in judged if path.name not in ("setup.json", "report.json")))
    golden = subprocess.run(
        [python, "-m", "pytest", "-q", "tests/test_parity.py"], cwd=repository, env=environment, capture_output=True, text=True
    )
    print("golden  ", "passes" if golden.returncode == 0 else golden.stdout)


if __name__ == "__main__":
    main()
