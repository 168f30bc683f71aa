"""Labels -> control sentences, in the families of MusicBench (Mustango, section 3.1); main captions; whole captions."""

import re
from collections.abc import Iterable
from itertools import groupby

import numpy as np

from musicbench.compose.compose import caption as composed_caption
from musicbench.music.chords import Chord
from musicbench.music.chordtypes import intervals_of
from musicbench.music.keys import Key
from musicbench.music.notes import pitch_class, spell_note
from musicbench.music.tempo import beats_counted, tempo_word

# {} is the fact. Every wording can be read back by musicbench.prompt.facts.read_prompt.
CHORDS = (
    "The chords are {}.",
    "The chord progression is {}.",
    "It moves through the chords {}.",
    "Chords: {}.",
    "The harmony follows {}.",
    "The chord sequence goes {}.",
    "It is built on the chords {}.",
)
BEAT = (
    "It is in {0}/{1} time.",
    "The time signature is {0}/{1}.",
    "The meter is {0}/{1}.",
    "There are {0} beats in a bar.",
    "It counts {0} beats to the bar.",
    "Each bar has {0} beats.",
    "The downbeat comes every {0} beats.",
)
TEMPO_NUMBER = (
    "The tempo is {} bpm.",
    "It runs at {} bpm.",
    "Tempo: {} beats per minute.",
    "The pace is {} beats per minute.",
    "It is played at {} bpm.",
    "The bpm is {}.",
)
TEMPO_WORD = (
    "The tempo is {}.",
    "It is played {}.",
    "The pace is {}.",
    "It moves at an {} tempo.",
    "The tempo marking is {}.",
    "Tempo: {}.",
)
KEY = (
    "The key is {}.",
    "It is in the key of {}.",
    "It is written in {}.",
    "Key: {}.",
    "The tonality is {}.",
    "The music is in {}.",
    "The tonal center is {}.",
    "The key is {}, relative to {relative}.",
)
DYNAMICS_START = (
    "There is a {kind} from the start until {at}.",
    "It begins with a {kind} that lasts until {at}.",
    "The volume {moves} steadily from the beginning until {at}.",
    "It grows {softer} from the start up to {at}.",
    "From the outset the music {moves}, until {at}.",
    "It opens with a {kind}, which ends at {at}.",
)
DYNAMICS_END = (
    "There is a {kind} from {at} on.",
    "A {kind} sets in at {at}.",
    "The volume {moves} steadily after {at}.",
    "It grows {softer} from {at} to the end.",
    "A {kind} starts at {at} and leads to the end.",
    "From {at} on the music {moves} bit by bit.",
)
SENTENCE_COUNTS = (0.25, 0.30, 0.20, 0.15, 0.10)  # 0 to 4 control sentences
_ODD_NOTE = re.compile(r"\b(?:[A-G](?:##|bb)|[BE]#|[CF]b)")


def other_mode(key: Key, chords: Iterable[Chord]) -> bool:
    """Tell whether one of some chords stands on a key's tonic with the third of the other mode."""
    own, other = (4, 3) if key.mode == "major" else (3, 4)
    on_tonic = [intervals_of(chord.quality) for chord in chords if chord.root == key.pitch_class]
    return any(other in intervals and own not in intervals for intervals in on_tonic)


def chord_sentence(clip, rng):
    """State the chords in order, spelled in the key, equal neighbours once, stretches without a chord left out."""
    names = [name for name, _ in groupby(c.lead_sheet(clip.key) for c in clip.chords if c.root is not None)]
    return str(rng.choice(CHORDS)).format(", ".join(names)) if names else None


def beat_sentence(clip, rng):
    """State the meter."""
    return str(rng.choice(BEAT)).format(clip.meter.beats, clip.meter.unit) if clip.meter else None


def tempo_sentence(clip, rng):
    """State the tempo, as a whole number or as a word, half and half; a word in 6/8 means the dotted beat."""
    if clip.bpm is None:
        return None
    if rng.random() < 0.5:
        return str(rng.choice(TEMPO_NUMBER)).format(f"{clip.bpm:.0f}")
    word = tempo_word(clip.bpm / beats_counted(clip.meter))
    word = word if rng.random() < 0.5 else word.lower()
    text = str(rng.choice(TEMPO_WORD)).format(word)
    return text if word[0] in "Aa" else text.replace(" an ", " a ")


def key_sentence(clip, rng):
    """State the key; the mode is written out or short, the relative key may be named after it.

    Where a chord on its tonic has the other mode, the key is doubtful and not stated.
    """
    if not clip.key or other_mode(clip.key, clip.chords):
        return None
    name = str(clip.key) if rng.random() < 0.75 else f"{clip.key.tonic} {clip.key.mode[:3]}"
    return str(rng.choice(KEY)).format(name, relative=clip.key.relative)


def dynamics_sentence(clip, rng):
    """State the change of loudness, with its turn in seconds, or as "midway" half the time where that is so."""
    dynamics = clip.dynamics
    if not dynamics:
        return None
    midway = abs(dynamics.turn_s / clip.duration_s - 0.5) < 0.05 and rng.random() < 0.5
    rising = dynamics.kind == "crescendo"
    words = {
        "kind": dynamics.kind,
        "at": "midway" if midway else f"{dynamics.turn_s:g} seconds",
        "moves": "rises" if rising else "falls",
        "softer": "louder" if rising else "softer",
    }
    return (
        str(rng.choice(DYNAMICS_START if dynamics.where == "start" else DYNAMICS_END))
        .format(**words)
        .replace("at midway", "midway")
    )


def control_sentences(clip, rng):
    """Return the four control sentences of a clip, {field of a row: text, None where there is nothing to state}."""
    return {
        "prompt_ch": chord_sentence(clip, rng),
        "prompt_bt": beat_sentence(clip, rng),
        "prompt_bpm": tempo_sentence(clip, rng),
        "prompt_key": key_sentence(clip, rng),
    }


def sentence_count(rng):
    """Draw how many control sentences a caption gets, 0 to 4."""
    return rng.choice(len(SENTENCE_COUNTS), p=SENTENCE_COUNTS)


def some_of(sentences, count, rng):
    """Return at most `count` of those sentences that are there, in random order."""
    present = [sentence for sentence in sentences if sentence]
    return [present[i] for i in rng.permutation(len(present))[:count]]


def training_captions(clip, seed, count):
    """Return `count` captions of a composed clip: other words each, with control sentences by the recipe."""
    rng = np.random.default_rng([seed, 5])
    captions = []
    for _ in range(count):
        main = composed_caption(clip.tags, rng)
        main = main if main[-1] == "." or rng.random() < 0.5 else main + "."
        count = sentence_count(rng)
        captions.append(" ".join([main, *some_of(control_sentences(clip, rng).values(), count, rng)]))
    return captions


def whole_caption(main, clip, rng, count=None, without=()):
    """Return (caption, sentences by field): the main caption, 0 to 4 control sentences, always the dynamics one if any.

    without: fields that get no sentence. Chords are named plainly: G for F##, C for B#.
    """
    fields = control_sentences(clip, rng) | {"prompt_aug": dynamics_sentence(clip, rng)}
    if fields["prompt_ch"]:
        fields["prompt_ch"] = _ODD_NOTE.sub(lambda match: spell_note(pitch_class(match[0])), fields["prompt_ch"])
    fields |= dict.fromkeys(without)
    count = sentence_count(rng) if count is None else count
    chosen = some_of([fields[name] for name in fields if name != "prompt_aug"], count, rng)
    chosen += [fields["prompt_aug"]] if fields["prompt_aug"] else []
    main = main.strip()
    main += "" if not main or main[-1] in ".!?" else "."
    return " ".join([main, *(chosen[i] for i in rng.permutation(len(chosen)))]).strip(), fields
