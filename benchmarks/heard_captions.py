"""How captions that are written from the sound read: distinct words, untruths, instruments, pitch copies, on composed clips.

    python benchmarks/hear_composed.py FOLDER
    python benchmarks/heard_captions.py FOLDER [--count COUNT] [--built OUT]

Captions are written as `musicbench build` writes them, from measured numbers, tags and the clip's labels; the truth is the composer's.
With --built OUT, a dataset that was built of songs without captions, the words of mood of its pitch copies are compared with those
of their originals.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

import numpy as np
from calibrate_tags import is_right
from calibrate_words import facts_of
from hear_composed import heard

from musicbench.build.dataset import read_rows
from musicbench.build.heard_captions import ADJECTIVES, DETAILS, Sounds, heard_caption
from musicbench.music.annotation import Annotation
from musicbench.prompt.facts import Stated, read_prompt

PAIRS = (("dark", "bright"), ("sparse", "busy"), ("calm", "energetic"))


def says(text: str, mood: str) -> bool:
    """Return whether a caption has a word or a sentence for a mood."""
    phrases = [*ADJECTIVES[mood].split(", "), *DETAILS[mood]]
    return any(re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", text) for phrase in phrases)


def pitch_copies(folder: Path) -> str:
    """Say how many pitch copies of a built dataset have other words of mood than their originals."""
    rows = read_rows(folder)
    originals = {row["base_id"]: row["own_caption"] for row in rows if not row["transforms"]}
    copies = [row for row in rows if [step["transform"] for step in row["transforms"]] == ["pitch"]]
    moods = [mood for pair in PAIRS for mood in pair]
    other = [row for row in copies if any(says(row["own_caption"], m) != says(originals[row["base_id"]], m) for m in moods)]
    return f"pitch copies with other words of mood than their originals: {len(other)} of {len(copies)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--built", type=Path)
    args = parser.parse_args()
    if args.built:
        print(pitch_copies(args.built))
    folder, count = args.folder, args.count
    rows, known = {row["seed"]: row for row in read_rows(folder)}, list(heard(folder).values())
    texts, agree, instruments, stating = [], Counter(), [], []
    for number in range(count):
        one = known[number % len(known)]
        row, facts = rows[one["seed"]], facts_of(one)
        labels, sounds = Annotation.of_row(row), Sounds.of(facts, one["tags"])
        text = heard_caption(labels, sounds, np.random.default_rng([number, 2]))
        texts.append(text)
        stating += [text] if read_prompt(text) != Stated() else []
        if number < len(known):
            instruments += [is_right(word, row) for word in sounds.instruments]
            for pair in PAIRS:
                for word, opposite in (pair, pair[::-1]):
                    if says(text, word):
                        agree[pair, word in row["tags"]["moods"], opposite in row["tags"]["moods"]] += 1
    words = Counter(word for text in texts for word in set(re.findall(r"[a-z]+", text.lower())))
    print(f"{len(texts)} captions of {len(known)} clips: {len(words)} distinct words, {len(set(texts))} distinct captions")
    print(
        f"sentences: {np.mean([text.count('. ') + 1 for text in texts]):.2f} on average; words: {np.mean([len(t.split()) for t in texts]):.1f}"
    )
    print(f"stating a fact that is a control sentence's: {len(stating)} {' '.join(stating[:3])}")
    print(f"instrument words: {len(instruments)}, right {np.mean(instruments):.1%}" if instruments else "no instrument words")
    for pair in PAIRS:
        right, wrong = agree[pair, True, False], agree[pair, False, True]
        print(
            f"{pair[0]} or {pair[1]} said in captions: {right} as composed, {wrong} opposite, agree {right / max(right + wrong, 1):.1%}"
        )
    print("\n".join(texts[:12]))


if __name__ == "__main__":
    main()
