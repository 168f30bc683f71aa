"""Labels -> control sentences, in the families of MusicBench (Mustango, section 3.1), and whole captions."""

import numpy as np

from musicbench.compose import caption as composed_caption
from musicbench.theory import tempo_word

# {} is the fact. Every wording can be read back by mustango.reader.read_prompt.
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
)
SENTENCE_COUNTS = (0.25, 0.30, 0.20, 0.15, 0.10)  # 0 to 4 control sentences


def chord_sentence(clip, rng):
    """State the chords in order, spelled in the key, equal neighbours once."""
    names = [c.lead_sheet(clip.key) for c in clip.chords]
    return str(rng.choice(CHORDS)).format(", ".join(names)) if names else None


def beat_sentence(clip, rng):
    """State the meter."""
    return str(rng.choice(BEAT)).format(clip.meter.beats, clip.meter.unit) if clip.meter else None


def tempo_sentence(clip, rng):
    """State the tempo, as a number or as a word, half and half."""
    if clip.bpm is None:
        return None
    if rng.random() < 0.5:
        return str(rng.choice(TEMPO_NUMBER)).format(f"{clip.bpm:g}")
    word = tempo_word(clip.bpm)
    word = word if rng.random() < 0.5 else word.lower()
    text = str(rng.choice(TEMPO_WORD)).format(word)
    return text if word[0] in "Aa" else text.replace(" an ", " a ")


def key_sentence(clip, rng):
    """State the key."""
    return str(rng.choice(KEY)).format(clip.key) if clip.key else None


def control_sentences(clip, rng, count=None):
    """Return 0 to 4 control sentences in random order (`count` None: as many as the recipe draws)."""
    count = rng.choice(len(SENTENCE_COUNTS), p=SENTENCE_COUNTS) if count is None else count
    written = [family(clip, rng) for family in (chord_sentence, beat_sentence, tempo_sentence, key_sentence)]
    present = [sentence for sentence in written if sentence]
    return [present[i] for i in rng.permutation(len(present))[:count]]


def training_captions(clip, seed, count):
    """Return `count` captions of a composed clip: other words each, with control sentences by the recipe."""
    rng = np.random.default_rng([seed, 5])
    captions = []
    for _ in range(count):
        main = composed_caption(clip.tags, rng)
        main = main if main[-1] == "." or rng.random() < 0.5 else main + "."
        captions.append(" ".join([main, *control_sentences(clip, rng)]))
    return captions
