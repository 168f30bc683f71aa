"""How many of a song's own captions survive in copies, with the right facts: 60 written by hand and others drawn from a grammar.

    python benchmarks/own_captions.py [COUNT [SEED]]

A caption survives where nine tenths of its other words (seven where its swell was cut) stand in the copy's, and what the copy's caption states of
tempo, key, chords and swell is what the original states, moved as the labels are.
"""

import re
import sys
from collections import Counter

import numpy as np

from musicbench.build.moved_captions import moved_caption
from musicbench.music.annotation import Annotation
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.prompt.facts import read_prompt
from musicbench.sound.augment import draw_dynamics, draw_tempo

CAPTIONS = """
An aggressive metal song with distorted guitars at 180 beats per minute.
A slow waltz in E flat major with strings and a solo cello.
A dreamy synth piece in F# minor, 84 BPM, with a soft pad.
The piano repeats Am, F, C and G while a woman sings.
Built on a C-G-Am-F loop, this pop song has bright guitars.
An allegro for strings in B♭ major that builds to a climax.
Tempo: 96 bpm. Key: A minor. A folk guitar plays alone.
A calm ambient drone in D minor that swells until 5 seconds.
This techno track at 128 bpm has a pounding kick and a hypnotic synth.
The song is in the key of G and features a banjo at a moderate tempo of 110 bpm.
A jazz trio plays Dm7, G7 and Cmaj7 in C major at a tempo of 140 beats per minute.
A crescendo of strings leads into a bright theme in D major.
A quiet piano gets louder until 6 seconds, then drums enter at 90 bpm.
A hip hop beat with a boom bap groove at 88 bpm and a sample of soul vocals.
The volume increases progressively from 3 seconds on while a flute plays in G major.
A minor blues in A with slide guitar and harmonica.
A rock ballad in D minor fading out at the end.
With a crescendo from the start until 5 seconds, the orchestra plays in E minor.
Relaxed bossa nova, quarter = 72, nylon guitar in A minor.
A cinematic piece between 90 and 100 bpm in D dorian.
A 10-second clip of a techno loop at 130 bpm with claps.
A piece in 6/8 at 180 bpm with fiddle and bodhran.
Upbeat funk in E with slap bass, one hundred and ten bpm.
A piano ballad with the progression C/E - F - G7 - C in C major.
An A minor groove with congas and shaker.
The singer holds a high note over Gm7 and C7 chords in F major.
Adagio in G minor for organ and strings.
An Eb minor trap beat at 140 BPM with dark bells.
I-V-vi-IV in G major with acoustic guitar and claps.
It starts quietly and ends loudly with brass in C minor.
A reggae tune at a laid-back 75 bpm, in A major, with an organ bubble.
Punk rock, 190 bpm, in E major: shouted vocals and fast drums.
A gospel choir sings in Db major; the tempo is 66 bpm.
The chords are F, Dm, Bb and C; a ukulele strums them.
A funky bassline in E minor at about 105 bpm with wah guitar.
Drum and bass at 174 bpm with a reese bass in F minor.
A baroque fugue in G minor for harpsichord, allegro.
A presto violin solo over a string section.
The harmony moves Em - C - G - D under a distant trumpet.
This lullaby in F major is played on a music box at 70 bpm.
A house track, 124 BPM, in A-flat minor, with piano stabs.
Flamenco guitar in E phrygian with handclaps at 120 bpm.
The tempo of this song is 92 beats per minute. A harp plays arpeggios in B minor.
A country song in G with a steel guitar, played at 112 beats per minute.
A sad song in c minor with a lonely oboe.
The key of this song is C sharp minor and its tempo is 58 bpm, with a solo piano.
Synthwave in Bm at 100 bpm with gated drums.
A vamp on Am7 and D9 with electric piano, 98 bpm.
There is a decrescendo from 4 seconds on. A lone clarinet plays in B flat major.
The music grows softer from 6 seconds to the end as the strings hold a chord.
A marching band plays in 2/4 at 116 bpm in B-flat major.
An orchestral piece in D major which gets louder and louder until the choir enters.
The guitar strums G, Cadd9, Em7 and D in a folk style at 76 bpm.
A tango in D minor at 126 bpm, with bandoneon and violin.
An epic trailer cue that builds up to a climax, in C minor, at 80 bpm.
This piece is an andante in A major for two flutes.
A slow blues at 60 bpm in B flat with a saxophone solo.
A trance anthem at 138 beats per minute in F sharp minor with a supersaw lead.
A soft piano piece in Gb major, ending with a diminuendo from 5 seconds on.
An EDM drop at 128 BPM with the chords Fm, Db, Ab and Eb.
""".strip().splitlines()
_TONICS = ("C", "C#", "Db", "D", "Eb", "E", "F", "F#", "Gb", "G", "Ab", "A", "Bb", "B")
_STYLES = (
    "jazz", "rock", "techno", "folk", "ambient", "funk", "pop", "metal", "reggae", "soul", "house", "classical", "country", "lo-fi",
)  # fmt: skip
_PLAYERS = (
    "a warm electric piano", "distorted guitars", "a female singer", "strings and brass", "a tinny drum machine", "an upright bass",
    "hand percussion", "a lonely trumpet", "a church organ", "whistling and claps",
)  # fmt: skip


def _key(rng):
    """Return a key as people write it."""
    tonic, mode = str(rng.choice(_TONICS)), str(rng.choice(["major", "minor"]))
    if rng.random() < 0.3 and len(tonic) > 1:
        joint = str(rng.choice([" ", "-"]))
        tonic = tonic[0] + joint + {"#": "sharp", "b": "flat"}[tonic[1]]
    elif rng.random() < 0.2:
        tonic = tonic.replace("#", "♯").replace("b", "♭")
    return f"{tonic} {mode}"


def _tempo(rng):
    bpm = int(rng.integers(60, 190))
    return str(rng.choice([f"{bpm} bpm", f"{bpm} BPM", f"{bpm} beats per minute"]))


def _chords(rng):
    roots = rng.choice(["C", "D", "E", "F", "G", "Bb", "Eb"], 4, replace=False)
    names = [str(root) + str(rng.choice(["", "", "m", "m7", "7", "maj7"])) for root in roots]
    joint = str(rng.choice([", ", " - ", "-"]))
    return joint.join(names)


_KEY_SHAPES = ("in {}", "written in {}", "in the key of {}", "that stays in {}")
_TEMPO_SHAPES = ("at {}", "at a tempo of {}", "played at {}", "running at {}")
_CHORD_SHAPES = ("with the chords {}", "over the progression {}", "whose chords are {}")
_SWELLS = (
    "It gets louder until {} seconds.", "There is a crescendo from {} seconds on.", "A decrescendo sets in at {} seconds.",
    "It grows softer from {} seconds to the end.", "The volume rises steadily until {} seconds.",
)  # fmt: skip
_SHAPES = (
    "A {style} piece {fact} with {player}.", "This {style} song {fact} features {player}.", "{Player} and a steady beat {fact}, {style} style.",
    "We hear {style} music {fact}; {player} can be heard.", "The {style} track, {fact}, has {player} and a catchy hook.",
)  # fmt: skip


def drawn(rng: np.random.Generator) -> str:
    """Return a caption of one or two sentences that states one to three facts."""
    kinds = rng.permutation(3)[: rng.integers(1, 4)]
    shapes = ((_KEY_SHAPES, _key), (_TEMPO_SHAPES, _tempo), (_CHORD_SHAPES, _chords))
    facts = [str(rng.choice(shapes[kind][0])).format(shapes[kind][1](rng)) for kind in sorted(kinds)]
    player = str(rng.choice(_PLAYERS))
    words = {"style": str(rng.choice(_STYLES)), "player": player, "Player": player[0].upper() + player[1:]}
    text = str(rng.choice(_SHAPES)).format(fact=" ".join(facts[:2]), **words)
    if len(facts) > 2:
        text += f" It is {facts[2]}." if facts[2].startswith("with") else f" The music moves {facts[2]}."
    if rng.random() < 0.3:
        text += " " + str(rng.choice(_SWELLS)).format(int(rng.integers(3, 8)))
    return text


def fault(text: str, clip: Annotation, step: dict, clip_s: float = 10.0) -> str | None:
    """Say what is wrong with a caption's copy, None where all is right."""
    moved = moved_caption(text, clip, [step], clip_s)
    before, after = read_prompt(text), read_prompt(moved)
    kind, semitones, rate = step["transform"], step.get("semitones", 0), step.get("rate", 1.0)
    kept = _other_words(text)
    least = 0.7 if kind == "dynamics" else 0.9  # the clause of a swell may be cut
    if sum((kept & _other_words(moved)).values()) < least * kept.total():
        return f"words are lost: {moved!r}"
    if (before.key is None) != (after.key is None) or (before.key and not after.key.same_as(before.key.transposed(semitones))):
        return f"key {after.key}, not {before.key} + {semitones}: {moved!r}"
    if (before.tempo is None) != (after.tempo is None):
        return f"tempo {after.tempo}: {moved!r}"
    if before.tempo and not before.tempo_word and abs(after.tempo - before.tempo * rate) > 0.51:
        return f"tempo {after.tempo}, not {before.tempo * rate}: {moved!r}"
    if re.search("[A-G]", before.chords or "") and _symbols(after.chords) != [
        c.transposed(semitones) for c in _symbols(before.chords)
    ]:
        return f"chords {after.chords}, not {before.chords} + {semitones}: {moved!r}"
    if kind == "dynamics":
        told = after.dynamics and (after.dynamics.kind, after.dynamics.where, after.dynamics.turn_s)
        if told and told != (step["kind"], step["where"], step["turn_s"]):
            return f"swell {told}, not {step}: {moved!r}"
    elif before.dynamics and before.dynamics.turn_s:
        wanted = before.dynamics.turn_s / rate
        if wanted < clip_s and (after.dynamics is None or abs(after.dynamics.turn_s - wanted) > 0.06):
            return f"swell {after.dynamics}, not at {wanted:.2f} s: {moved!r}"
    return None


_FACT_WORDS = re.compile(
    r"\d[\d.,:=]*|[A-Ga-g](?:[#b♯♭-].*|[m7]\S*|9|add9|maj7|flat|sharp|)|flat|sharp|bpm|beats|per|minute|a|an|(?:de)?crescendo|diminuendo"
    r"|from|until|on|seconds?|louder|softer|grows|gets|volume|rises|increases|falls|steadily|progressively|to|the|end|start|and|one|hundred|ten"
    r"|swells|builds?|building|up|climax|fading|out|at|starts|ends|quietly|loudly|allegro|presto|adagio|andante|vivace|prestissimo|moderato|largo"
    r"|10-second|slow|fast",
    re.IGNORECASE,
)


def _other_words(text):
    return Counter(word for word in re.findall(r"[^\s,.;()]+", text) if not _FACT_WORDS.fullmatch(word))


def _symbols(line):
    line = re.sub(r"\||:\d+(?:\.\d+)?(?= |$)|\(.*?\)", " ", line or "")
    return [Chord.parse(symbol) for symbol in line.split() if symbol != "-"]


def draw_steps(rng: np.random.Generator) -> list[dict]:
    """Draw one step of each kind, as the recipe does."""
    semitones = int(rng.choice([-3, -2, -1, 1, 2, 3]))
    return [{"transform": "pitch", "semitones": semitones}, draw_tempo(rng, 1.05, 1.25), draw_dynamics(rng, 10.0, 0.1, 0.5)]


def labels_of(text: str) -> Annotation:
    """Return labels that agree with a caption, as far as it goes."""
    stated = read_prompt(text)
    return Annotation(bpm=stated.tempo or 120.0, key=stated.key or Key("C"), meter=stated.meter or Meter(4, 4))


def main():
    count, seed = (int(value) for value in [*sys.argv[1:], "1000", "1"][:2])
    rng = np.random.default_rng(seed)
    sets = {"written by hand": CAPTIONS, f"drawn, seed {seed}": [drawn(rng) for _ in range(count)]}
    for name, captions in sets.items():
        faults, copies = [], 0
        for text in captions:
            for step in draw_steps(rng):
                copies += 1
                wrong = fault(text, labels_of(text), step)
                faults += [f"{text!r} {step['transform']}: {wrong}"] if wrong else []
        print(f"{name}: {len(captions)} captions, {copies - len(faults)} of {copies} copies right ({1 - len(faults) / copies:.1%})")
        print("\n".join(faults[:20]))


if __name__ == "__main__":
    main()
