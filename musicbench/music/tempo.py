"""Tempi in counted beats a minute, and the Italian words for them."""

import re

from musicbench import InputError, quoted

MIN_BPM, MAX_BPM = 20, 300
TEMPO_MARKS = (40, 60, 70, 90, 110, 140, 160, 210)
TEMPO_WORDS = ("Grave", "Largo", "Adagio", "Andante", "Moderato", "Allegro", "Vivace", "Presto", "Prestissimo")
BETWEEN_TEMPO_WORDS = {"lento": 52.0, "larghetto": 63.0, "andantino": 92.0, "allegretto": 116.0}  # read, never written


def tempo_class(bpm):
    """Return 0..8: how many tempo marks lie strictly below `bpm`."""
    return sum(mark < bpm for mark in TEMPO_MARKS)


def beats_counted(meter):
    """Return how many counted beats make the one that people's tempo words mean: in compound meters (6/8) three, else one."""
    return 3 if meter and meter.beats == 6 else 1


def counted_bpm(bpm, meter):
    """Return the counted beats a minute of a tempo that people state: below 120 in 6/8 they mean the dotted beat."""
    return bpm * beats_counted(meter) if bpm < 120 else bpm


def tempo_word(bpm):
    """Return the Italian tempo word: `tempo_word(120) == "Allegro"`."""
    return TEMPO_WORDS[tempo_class(bpm)]


def word_tempo(word, meter=None):
    """Return a bpm in the middle of a tempo word's range: `word_tempo("allegro") == 125`. Raises InputError.

    In compound meters (6/8) a word means the dotted beat, so three times as many counted ones, MAX_BPM at most.
    """
    marks = (30, *TEMPO_MARKS, 240)
    middles = {word.lower(): (marks[i] + marks[i + 1]) / 2 for i, word in enumerate(TEMPO_WORDS)} | BETWEEN_TEMPO_WORDS
    if word.lower() not in middles:
        raise InputError(f"unknown tempo word {quoted(word)}; use one of {', '.join(TEMPO_WORDS)}")
    return min(middles[word.lower()] * beats_counted(meter), MAX_BPM)


_TEMPO = re.compile(  # 120, ~120, "120,5 bpm", 90-100, Allegro (132)
    rf"(?i:(?:{'|'.join(TEMPO_WORDS)})[ "
    r",(]+)?[~≈]?\s*([+-]?\d+(?:[.,]\d+)?)(?:\s*[-–]\s*(\d+(?:[.,]\d+)?))?\s*(?i:bpm)?\)?"
)


def parse_tempo(value, meter=None):
    """Return bpm as float from a number, a range or a tempo word, whose beat `meter` tells. Raises InputError outside 20..300 bpm."""
    text = str(value).strip()
    if text.lower() in (word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)):
        return word_tempo(text, meter)
    match = _TEMPO.fullmatch(text)
    if not match:
        raise InputError(f"unknown tempo {quoted(text)}; give {MIN_BPM}-{MAX_BPM} bpm, or a word: {', '.join(TEMPO_WORDS)}")
    numbers = [float(number.replace(",", ".")) for number in match.groups() if number]
    bpm = sum(numbers) / len(numbers)  # of a range its middle
    if not MIN_BPM <= bpm <= MAX_BPM:
        side = f"below {MIN_BPM}" if bpm < MIN_BPM else f"above {MAX_BPM}"
        counted = f"; {meter} counts {meter.beats} beats a bar" if meter and beats_counted(meter) > 1 else ""
        raise InputError(f"tempo {bpm:g} bpm is {side}{counted}; give beats per minute, {MIN_BPM}-{MAX_BPM}")
    return bpm
