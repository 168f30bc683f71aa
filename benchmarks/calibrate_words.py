"""Dark or bright, sparse or busy, calm or energetic: fitted on one folder of composed clips, tested on another.

    python benchmarks/hear_composed.py CALIBRATION; python benchmarks/hear_composed.py TEST
    python benchmarks/calibrate_words.py CALIBRATION ... --fit
    python benchmarks/calibrate_words.py TEST

The truth is the composer's mood. A word agrees where the piece was composed with it, and not where it was composed with its opposite;
pieces composed with neither are counted apart. --fit writes musicbench/hearing/sound_weights.py. Needs scikit-learn (`make judges`).
"""

import argparse
from pathlib import Path

import numpy as np
from hear_composed import heard

from musicbench.build.dataset import read_rows
from musicbench.hearing import sound_facts

PAIRS = {"brightness": ("dark", "bright", "bands"), "density": ("sparse", "busy", "attacks")}
RIGHT = 0.88  # of clips in folds that a fit has not seen
FIELDS = {"bands": len(sound_facts.BANDS_HZ) - 1, "attacks": len(sound_facts.ATTACKS)}
STRENGTH = {"brightness": 0.1, "density": 0.3}  # of the regression: the inverse of its penalty


def _read(folder):
    rows = {row["seed"]: row for row in read_rows(folder)}
    return [(one, set(rows[one["seed"]]["tags"]["moods"]), rows[one["seed"]]) for one in heard(folder).values() if "bands" in one]


def fitted(clips: list, name: str) -> tuple[dict, dict]:
    """Return (table of means, scales, weights, bias; log odds from which each word is right) of composed clips."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    low, high, field = PAIRS[name]
    known = [(one[field], high in moods) for one, moods, _ in clips if (low in moods) != (high in moods)]
    numbers, is_high = np.array([number[: FIELDS[field]] for number, _ in known]), np.array([word for _, word in known])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH[name], class_weight="balanced", max_iter=2000))
    odds = np.concatenate([  # every clip five times, each in a fold that its fit has not seen
        cross_val_predict(model, numbers, is_high, cv=StratifiedKFold(10, shuffle=True, random_state=seed), method="decision_function")
        for seed in range(5)
    ])  # fmt: skip
    so = np.tile(is_high, 5)
    clear = {low: -_from(-odds, ~so), high: _from(odds, so)}
    scaler, regression = (step for _, step in model.fit(numbers, is_high).steps)
    table = {
        "means": scaler.mean_.round(4).tolist(), "scales": scaler.scale_.round(4).tolist(),
        "weights": regression.coef_[0].round(4).tolist(), "bias": round(float(regression.intercept_[0]), 4),
    }  # fmt: skip
    return table, clear


def _from(odds, right):
    """Return the lowest odds, .8 at least, from which RIGHT of the clips are right."""
    steps = np.arange(0.8, 4, 0.1)
    return round(float(next((step for step in steps if right[odds >= step].mean() >= RIGHT), steps[-1])), 1)


def facts_of(one: dict) -> sound_facts.SoundFacts:
    """Return the SoundFacts of what is kept of a clip, without those that no word depends on."""
    brightness, density = (
        sound_facts.odds(sound_facts.BRIGHTNESS, one["bands"]),
        sound_facts.odds(sound_facts.DENSITY, one["attacks"][: FIELDS["attacks"]]),
    )
    return sound_facts.SoundFacts(one["loudness_lufs"], 0.0, one["attacks"][0], 0.0, brightness, density)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    clips = [one for folder in args.folders for one in _read(folder)]
    if args.fit:
        lines = [
            f'"""Fitted tables of `musicbench.hearing.sound_facts`, as `python benchmarks/{Path(__file__).name} --fit` writes them."""',
            "",
        ]
        clear = {}
        for name in PAIRS:
            table, words = fitted(clips, name)
            lines.append(f"{name.upper()} = {table}  # fmt: skip")
            clear |= words
        lines.append(f"CLEAR = {clear}  # log odds from which a word is right")
        (Path(sound_facts.__file__).parent / "sound_weights.py").write_text("\n".join(lines) + "\n")
        print(f"fitted on {len(clips)} clips: {clear}; run again without --fit")
        return
    print(f"{len(clips)} test clips\nword        said  composed so  opposite  neither  agree")
    for low, high in (("dark", "bright"), ("sparse", "busy"), ("calm", "energetic")):
        both = np.zeros(3, int)
        for word, opposite in ((low, high), (high, low)):
            said = [moods for one, moods, _ in clips if word in sound_facts.sound_words(facts_of(one))]
            right, wrong = sum(word in moods for moods in said), sum(opposite in moods for moods in said)
            both += (right, wrong, len(said))
            print(
                f"{word:10} {len(said):5} {right:12} {wrong:9} {len(said) - right - wrong:8} {right / max(right + wrong, 1):7.1%}"
            )
        print(f"  {low} or {high}: agree {both[0] / max(both[0] + both[1], 1):.1%}, said of {both[2] / len(clips):.0%} of clips")


if __name__ == "__main__":
    main()
