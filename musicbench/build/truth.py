"""Which sentences of a song's own text hold for a clip: not those that a copy made untrue, nor what contradicts what
was heard."""

import re

from musicbench.music.notes import ascii_accidentals
from musicbench.music.progression import Progression
from musicbench.music.tempo import beats_counted, tempo_class
from musicbench.prompt.facts import Stated, read_prompt

# What a copy by each transform may make untrue, more loosely than facts are read: a sentence too many is left out
# rather than kept.
_MODE = r"[- ]?(?:major|minor|maj|min)\b"
_KIND = r"(?:#|b|maj|min|m|M|dim|aug|sus[24]?|add\d+|5|6|7|9|11|13|[+()])"
_UNTRUE = {
    "pitch": re.compile(  # notes, chords, keys; "a" is a word as well
        rf"(?i:\b(?:[b-g](?:#|b|[- ]?sharp|[- ]?flat)?|a(?:#|b|[- ]?sharp|[- ]?flat)){_MODE}|\ba[- ]?(?:major|minor)\b(?!\s+\w))"
        r"|(?i:\b[b-g][- ](?:sharp|flat)\b|\bkey of (?:[b-g]|a(?!\s+\w))\b)|(?<=\w )A[- ](?:major|minor|sharp|flat)\b"
        rf"|(?<![\w'#&.])(?:[B-G]{_KIND}*|A{_KIND}+)(?:/[A-G][#b]?)?(?![\w'#&]|-[a-z]{{2}})"
        r"|(?<=\w )A(?=\s*(?:[,.;:!?)|-]|$|(?:and|or|to|then|chord)\b))"
        r"|(?i:\bA4?\s*=\s*\d|\d\s*k?hz\b|\btun(?:ed|ing)\b.*\d)|\bin [a-h](?=\s*(?:[,.;:!?)]|$))"
    ),
    "tempo": re.compile(  # tempo and times; "second" alone counts
        r"\bbpm\b|\bbeats?\s*(?:/|per|a|each|every)\s*min|\b(?:seconds|minutes?|one second)\b"
        r"|\d[- ]?(?:sec|second|min|minute)s?\b|\d s\b"
        r"|\b\d{1,2}:\d\d\b|=\s*\d{2,3}\b|\bat (?:about |around )?\d{2,3}\b(?!\s*k?hz|\s*%)"
        r"|\b\d{2,3}[- ](?:pulse|groove|tempo|pace)\b",
        re.IGNORECASE,
    ),
    "dynamics": re.compile(
        r"crescendo|diminuendo|\bfad(?:es?|ed|ing)\b|\b(?:get|grow|becom)\w* (?:\w+ )?(?:louder|softer|quieter)\b"
        r"|\b(?:buil\w+|swell\w*) (?:\w+ )?(?:up|to)\b|\bclimax"
        r"|\b(?:start|begin|open|end|finish)\w* (?:\w+ ){0,2}(?:quiet|soft|loud)"
        r"|\b(?:volume|level|loudness)\b.*\b(?:increas|decreas|ris|fall|drop|grow|climb|swell|go(?:es)? (?:up|down)"
        r"|constant|steady|same)"
        r"|\b(?:constant|steady|even|same) (?:volume|level|loudness)\b"
        r"|\b(?:increas|decreas|ris|fall|drop|grow)\w* (?:in |of )?(?:the )?(?:volume|level|loudness)\b",
        re.IGNORECASE,
    ),
}
_CONTROL = re.compile(  # how a sentence begins that states a control and says nothing of the sound
    r"(?:the |its |this (?:song|piece|track)(?:'s)? )?"
    r"(?:chords?|harmony|key|tonality|tonal|tempo|pace|bpm|meter|time signature|(?:down)?beats?)\b"
    r"|(?:it|(?:the|this) (?:song|piece|track|music)) (?:is (?:in|at|played|written|built|counted)|runs|counts|goes|moves)\b"
    r"|there are \d+ beats|each bar",
    re.IGNORECASE,
)
# Not after "Dr.", "No.", "feat." or an initial.
SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b(?:Dr|Mr|Ms|St|Jr|No|no|Op|op|vs|ft)\.)(?<!\b(?:Mrs|Vol|vol|arr)\.)(?<!\b(?:feat|prod)\.)(?<!\b[H-Z]\.)\s+"
)


def is_control(sentence):
    """Tell whether a sentence states a control and says nothing of the sound."""
    return bool(_CONTROL.match(sentence)) and read_prompt(sentence) != Stated()


def fitting_caption(text, steps):
    """Drop those sentences of a song's own text that a copy's steps made untrue: its tempo, times, key, chords,
    dynamics.

    Returns "" where that leaves nothing but control sentences, which say nothing of the sound.
    """
    kinds = {step["transform"] for step in steps}
    sentences, kept = SENTENCE_END.split(text), []
    for sentence in sentences:
        stated = read_prompt(sentence)
        facts = {"tempo": stated.tempo, "pitch": stated.key or stated.chords, "dynamics": stated.dynamics}
        if not any(facts[kind] or _UNTRUE[kind].search(ascii_accidentals(sentence)) for kind in kinds):
            kept.append(sentence)
    if len(kept) < len(sentences) and all(map(is_control, kept)):
        return ""
    return " ".join(kept)


def contradicted(text, clip):
    """Name those fields of control sentences whose fact a text states otherwise than a clip's labels do.

    A tempo may differ by 4 %, or stay within its word; all chords heard must be among those stated, as major or minor.
    """
    stated, fields = read_prompt(text), []
    if stated.chords and clip.chords:
        line = re.sub(r"\||:\d(\.\d)?(?= |$)", " ", stated.chords)  # bars and beats
        said = Progression.parse(line, key=stated.key or clip.key).chords
        heard, said = (
            {(c.root, c.reduced("majmin").quality) for c in chords if c.root is not None} for chords in (clip.chords, said)
        )
        fields += ["prompt_ch"] if heard - said else []
    if stated.meter and clip.meter and stated.meter != clip.meter:
        fields.append("prompt_bt")
    if stated.tempo and clip.bpm and abs(clip.bpm / stated.tempo - 1) > 0.04:
        by_word = f"{stated.tempo:g}" not in text
        words = {tempo_class(clip.bpm), tempo_class(clip.bpm / beats_counted(clip.meter))}  # the recipe's, and what people mean
        fields += [] if by_word and tempo_class(stated.tempo) in words else ["prompt_bpm"]
    if stated.key and clip.key and not stated.key.same_as(clip.key):
        fields.append("prompt_key")
    return fields
