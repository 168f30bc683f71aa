"""Make the README's clips by its own commands, and say what madmom hears in them: python benchmarks/clips.py

Writes docs/clips/*.ogg. With --keep it only listens to the clips that are there.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ROOT / "docs" / "clips"


def commands():
    """Yield (name, arguments) of each command in the README that makes a clip."""
    for line in re.findall(r"^mustango generate .+\.ogg$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        arguments = shlex.split(line)[1:]
        yield arguments[-1], arguments


def plan_of(arguments):
    """Return the sidecar that a command's take would have."""
    done = subprocess.run(
        [sys.executable, "-m", "mustango", *arguments, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def make(name, arguments):
    """Make a clip and put it, without its sidecar, into docs/clips."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / name
        subprocess.run([sys.executable, "-m", "mustango", *arguments[:-1], str(out)], cwd=ROOT, check=True)
        CLIPS.mkdir(exist_ok=True)
        (CLIPS / name).write_bytes(out.read_bytes())


def say(name, plan):
    """Print what is asked of a clip and what madmom hears in it."""
    import soundfile

    from musicbench.hearing.by_madmom import hear
    from musicbench.music.chords import Chord
    from musicbench.sound.master import true_peak_db
    from mustango.hear.metrics import beats_f_measure
    from mustango.hear.obeyed import matched_share

    samples, sample_rate = soundfile.read(CLIPS / name, dtype="float32")
    heard = hear(samples, sample_rate)
    asked = [Chord.parse(chord) for chord in plan["chords"]]
    chords = matched_share(asked, plan["chords_time"], heard.chords, heard.chord_times, plan["duration"])
    beats = beats_f_measure(plan["beats"][0], heard.beat_times)
    beats_a_bar = max(heard.beat_positions, default=None)
    size_kb = (CLIPS / name).stat().st_size / 1000
    print(
        f"{name}: {len(samples) / sample_rate:.1f} s, {size_kb:.0f} kB, true peak {true_peak_db(samples):.1f} dBTP; "
        f"asked {plan['bpm']:g} bpm {plan['meter']}, heard {heard.bpm:.0f} bpm, {beats_a_bar} beats a bar; "
        f"asked chord heard {chords:.0%} of the time, beat F {beats:.2f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="make no clip, listen only")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    for name, arguments in commands():
        if not options.keep:
            make(name, arguments)
        say(name, plan_of(arguments))


if __name__ == "__main__":
    main()
