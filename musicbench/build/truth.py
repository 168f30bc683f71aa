"""What a song's own text states beside what was heard: control sentences, and facts that contradict a clip's labels."""

import re

from musicbench.build.captions import other_mode
from musicbench.music.progression import Progression
from musicbench.music.tempo import beats_counted, tempo_class
from musicbench.prompt.facts import Stated, read_prompt

_CONTROL = re.compile(  # how a sentence begins that states a control and says nothing of the sound
    r"(?:the |its |this (?:song|piece|track)(?:'s)? )?"
    r"(?:chords?|harmony|key|tonality|tonal|tempo|pace|bpm|meter|time signature|(?:down)?beats?)\b"
    r"|(?:it|(?:the|this) (?:song|piece|track|music)) (?:is (?:in|at|played|written|built|counted)|runs|counts|goes|moves)\b"
    r"|there are \d+ beats|each bar",
    re.IGNORECASE,
)


def is_control(sentence):
    """Tell whether a sentence states a control and says nothing of the sound."""
    return bool(_CONTROL.match(sentence)) and read_prompt(sentence) != Stated()


def contradicted(text, clip):
    """Name those fields of control sentences whose fact a text states otherwise than a clip's labels do.

    A tempo may differ by 4 %, or stay within its word; all chords heard must be among those stated, as major or minor; a key
    and a chord on its tonic in the other mode are not told together.
    """
    stated, fields = read_prompt(text), []
    if stated.chords and clip.chords:
        line = re.sub(r"\||:\d(\.\d)?(?= |$)", " ", stated.chords)  # bars and beats
        named = Progression.parse(line, key=stated.key or clip.key).chords
        heard, said = (
            {(c.root, c.reduced("majmin").quality) for c in chords if c.root is not None} for chords in (clip.chords, named)
        )
        fields += ["prompt_ch"] if heard - said else []
        fields += ["prompt_key"] if clip.key and other_mode(clip.key, named) else []
    elif stated.key and other_mode(stated.key, clip.chords):
        fields.append("prompt_ch")
    if stated.meter and clip.meter and stated.meter != clip.meter:
        fields.append("prompt_bt")
    if stated.tempo and clip.bpm and abs(clip.bpm / stated.tempo - 1) > 0.04:
        by_word = f"{stated.tempo:g}" not in text
        words = {tempo_class(clip.bpm), tempo_class(clip.bpm / beats_counted(clip.meter))}  # the recipe's, and what people mean
        fields += [] if by_word and tempo_class(stated.tempo) in words else ["prompt_bpm"]
    if stated.key and clip.key and not stated.key.same_as(clip.key):
        fields.append("prompt_key")
    return list(dict.fromkeys(fields))
