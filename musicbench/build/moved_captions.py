"""A song's own caption for a copy: its facts moved as the copy's labels are, all else as it was written.

Keys, chords and notes are transposed, tempi and times moved with the rate, a swell is said as the copy has it. What cannot
be said again, the duration or the pitch in Hz, is cut with its clause. What comes out is read back: a sentence that does
not state the moved facts is left out.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from musicbench import InputError
from musicbench.build.clauses import sentences
from musicbench.build.moved_notes import Transposition
from musicbench.build.moved_swells import with_dynamics
from musicbench.build.moved_times import Stretch
from musicbench.music.annotation import Annotation
from musicbench.music.dynamics import Dynamics
from musicbench.music.keys import Key
from musicbench.music.normalise import normalised
from musicbench.music.progression import Progression
from musicbench.music.tempo import tempo_class
from musicbench.prompt.facts import Stated, read_prompt

_MAY_STATE = re.compile(
    r"\d|[A-G](?![a-z])|\b[a-g](?:#|b|♯|♭| flat| sharp|[- ]?m)|[#♯♭]|(?i:bpm|tempo|minute|second|mid-?way|half|do|re|mi|fa|sol|la|si)\b"
)


@lru_cache(4096)
def _read(text):
    return read_prompt(text)


def moved_caption(text: str, clip_before: Annotation, steps: Sequence[dict], clip_s: float = 10.0) -> str:
    """Return a song's own caption as it holds for a copy of its clip.

    clip_before: the labels of the clip that `steps` (as `musicbench.sound.augment` has them) were applied to. clip_s: how
    long clips are. Returns "" where nothing of the caption holds.
    """
    key, bpm = clip_before.key, clip_before.bpm
    for step in steps if text else ():
        if step["transform"] == "pitch":
            key = key and key.transposed(step["semitones"])
            text = _transposed(text, step["semitones"], key)
        elif step["transform"] == "tempo":
            text = _stretched(text, Stretch(step["rate"], bpm, clip_before.meter, clip_s))
            bpm = bpm and bpm * step["rate"]
        elif step["transform"] == "dynamics":
            text = with_dynamics(text, Dynamics(step["kind"], step["where"], step["turn_s"]), _read)
    return text


def _transposed(text: str, semitones: int, key: Key | None) -> str:
    move = Transposition(semitones, key, lambda said: (_read(said).key, _read(said).chords))
    return _moved_by(text, move, lambda before, after: _is_transposed(before, after, semitones))


def _stretched(text: str, stretch: Stretch) -> str:
    def move(sentence):
        return stretch(sentence, _read(sentence))

    return _moved_by(text, move, lambda before, after: _is_stretched(before, after, stretch))


def _moved_by(text, move, holds):
    """Move the sentences of a text one by one; where the whole is then not read as it should be, the text in one, then those
    sentences alone that state nothing."""
    kept = [said for sentence in sentences(text) if (said := _moved_sentence(sentence, move, holds))]
    result = " ".join(kept)
    if result == text or (len(kept) == len(sentences(text)) and holds(_read(text), _read(result))):
        return result
    whole = move(text)
    if whole and holds(_read(text), _read(whole)):
        return whole
    return result


def _moved_sentence(sentence, move, holds):
    """Return a sentence moved, "" where what it then states is not what it should be."""
    moved = move(sentence)
    if moved == sentence and not _MAY_STATE.search(sentence):
        return sentence
    if moved and holds(_read(sentence), _read(moved)):
        return moved
    plain = move(normalised(sentence))  # in plain signs and English letters
    return plain if plain and holds(_read(sentence), _read(plain)) else ""


def _is_transposed(before: Stated, after: Stated, semitones: int) -> bool:
    """Return whether what is read after a change of pitch is what was read before it, moved; or what moved it cannot say is gone."""
    if before.key and after.key and not after.key.same_as(before.key.transposed(semitones)):
        return False
    if after.key and not before.key:
        return False
    said, now = _chords(before), _chords(after)
    return said is None or now is None or now == [(c[0] and c[0].transposed(semitones), c[1]) for c in said]


def _chords(stated):
    """Return [(chord, symbol or None), ...] of what is stated in letters; a numeral stays as it is."""
    if not stated.chords:
        return None
    line = re.sub(r"\||:\d+(?:\.\d+)?(?= |$)|\(.*?bars?\)", " ", stated.chords)
    if not re.search("[A-G]", line):
        return [(None, line)]
    try:
        return [(chord, None) for chord in Progression.parse(line, key=stated.key or Key("C")).chords]
    except InputError:
        return [(None, line)]


def _is_stretched(before: Stated, after: Stated, stretch: Stretch) -> bool:
    if before.tempo is None:
        return after.tempo is None
    if after.tempo is not None:
        wanted = before.tempo * stretch.rate
        is_word = after.tempo_word is not None
        if not is_word and abs(after.tempo - wanted) > 0.6 + 0.01 * wanted:
            return False
        if is_word and abs(tempo_class(after.tempo) - tempo_class(wanted)) > 1:
            return False
    was_s, is_s = (said.dynamics and said.dynamics.turn_s for said in (before, after))
    return was_s is None or is_s is None or abs(is_s - was_s / stretch.rate) < 0.06
