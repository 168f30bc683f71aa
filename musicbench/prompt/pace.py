"""What a prompt states of the tempo."""

import re

from musicbench import quoted
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tempo import MAX_BPM, MIN_BPM, word_tempo
from musicbench.prompt.reading import OF_MUSIC, left_out
from musicbench.prompt.temponumbers import ALL_TEMPO_WORDS, COUNTED_THINGS, NOTE_VALUES, is_bound, tempi_in_numbers

_CHANGES = re.compile(
    r"\b(?:speed\w* up|accelerat\w*|slow\w* down|ritard\w*|rallent\w*|gradual\w*|get\w* (?:faster|slower)|builds?"
    r"|ris(?:es|ing)|increas\w*|doubl(?:es|ing)|halv(?:es|ing))\b",
    re.I,
)
# What moves within a piece: said by name, it is noted wherever it stands.
_MOVING = re.compile(
    r"\b(?:speed(?:s|ing)? up|accelerat(?:es|ing)|accelerando|slow(?:s|ing)? down|ritardando|rallentando|rubato"
    r"|(?<!my )(?<!your )(?<!his )(?<!her )(?<!their )free time|senza misura|ad libitum|no (?:fixed|steady) (?:tempo"
    r"|pulse|beat)|tempo changes?|chang(?:es?|ing) (?:the )?tempo"
    r"|get(?:s|ting)? (?:faster|slower)|(?:rit|rall|accel)(?=\.))",
    re.I,
)


def read_tempo(reading, meter):
    """Return (bpm or None, tempo word or None) that the text states; notes on what is left out."""
    bpm, bound, refused = None, None, []
    for first, end, low, high in tempi_in_numbers(reading, meter):
        said = reading.words(first, end)
        reading.use(first, end)
        value = (low + high) / 2
        if is_bound(reading, first):
            bound = value if MIN_BPM <= value <= MAX_BPM else None
            continue
        if reading.is_denied(first):
            continue
        if not MIN_BPM <= value <= MAX_BPM:
            refused.append(_out_of_bounds(reading, first, end, value))
        elif bpm is None:
            bpm = value
            _note_range(reading, first, said, low, high)
        elif abs(value - bpm) > 0.015 * bpm:
            reading.note("tempo", left_out(said, f"{bpm:g} bpm"))
    bpm = bpm or bound
    if bpm is None and refused:
        reading.note("tempo", refused[-1])
    word = _tempo_word(reading)
    _note_moving(reading)
    _note_feel(reading)
    if bpm is None and not word:
        bpm = _lone_number(reading)
    if bpm is None and word:
        return word_tempo(word), word
    if word and not 0.67 < bpm / word_tempo(word, meter) < 1.5:
        reading.note("tempo", left_out(word, f"{bpm:g} bpm"))
    return bpm, None


def note_eighths(reading, bpm, meter):
    """Note what a tempo in numbers counts in 6/8 and 7/8, where it is slow for eighths and none of a note value, "dotted quarter = 60"."""
    says_note = any(reading.kind(i) == "NOTE" or reading.word(i) in NOTE_VALUES for i in reading.used)
    if bpm and bpm <= 150 and meter and meter.unit == 8 and not says_note:
        dotted = f", {bpm / 3:.3g} dotted quarters a minute" if meter.beats % 3 == 0 else ""
        reading.note("tempo", f"in {meter} {bpm:g} bpm counts eighths{dotted}")


def _note_moving(reading):
    """Note that the tempo stays, where the text says that it moves and no other note does."""
    moving = _MOVING.search(reading.text)
    if moving and not any(name == "tempo" and "cannot change" in text for name, text in reading.notes):
        reading.note("tempo", f"the tempo cannot change within a clip; {quoted(moving[0])} in the prompt is not played")


_FEEL = re.compile(
    r"\b(?:half|double)[- ]?time\b(?! (?:shows?|break|whistle|report|job|speech|score))|\b(?:half"
    r"|double) (?:the )?(?:tempo|speed)\b",
    re.I,
)


def _note_feel(reading):
    """Note "half time" and "double time", which change no tempo here."""
    feel = _FEEL.search(reading.text)
    if feel:
        reading.note("tempo", f"{quoted(feel[0])} in the prompt changes no tempo; write the one that is counted, such as '70 bpm'")


def _lone_number(reading):
    """Return a number that has no unit and no other reading as a tempo, "happy 120", "sax 280 bebop", "100 beats", with a note; else None."""
    for i, token in enumerate(reading.tokens):
        value = token.value[0] if token.kind == "QUANTITY" and token.value[1] == "beats" else token.value
        if i in reading.used or token.kind not in ("NUMBER", "QUANTITY") or not isinstance(value, float):
            continue
        if not 40 <= value <= MAX_BPM or value != int(value) or reading.is_denied(i):
            continue
        if token.kind == "QUANTITY" and not (token.text[-1] == "s" and reading.word(i - 1) not in ("after", "every", "of")):
            continue
        if token.kind == "NUMBER" and not _stands_as_tempo(reading, i):
            continue
        reading.use(i, i + 1)
        reading.note("tempo", f"{quoted(token.text)} in the prompt is taken as {value:g} bpm")
        return value
    return None


_NO_TEMPO_BEFORE = set(
    """
    of the number no and or bar bars track channel route page age aged opus op k bwv hwv room studio highway highway top
    best grade level volume vol chapter part take version class area year psalm hymn symphony sonata quartet concerto
    movement episode day season boeing formula model series mark windows under over win mp sub blink sum maroon heaven
    since from until to gate flight bus line district juno jupiter prophet dx sh tr tb jx jp cs ms mc mpc sp op nord
    korg roland casio moog oberheim ob matrix rhodes wurlitzer wurli hammond fender gibson strat stratocaster tele
    telecaster paul jcm twin vox u sm km tlm akg akai emu yamaha linn simmons micromoog marshall
    """.split()
)


def _stands_as_tempo(reading, i):
    """Return whether the words around a number leave it nothing but a tempo: a name, "Route 66", gear, "Juno 60", and a count are none."""
    before, after = reading.tokens[i - 1] if i else None, reading.word(i + 1)
    if before is None or before.value in _NO_TEMPO_BEFORE or (before.text == "." and reading.word(i - 2) in _NO_TEMPO_BEFORE):
        return False
    if before.kind in ("FRACTION", "QUANTITY") or (
        reading.ends(i - 1) and (before.text in ",;." or before.kind in ("BAR", "RIGHT"))
    ):  # "3/4 140", "lofi. 78. warm"
        return (reading.ends(i + 1) or after == "in" or reading.kind(i + 1) == "CHORD") and before.value != (1, "min")
    if before.kind != "WORD":
        return False
    is_name = before.text[0].isupper() and before.value not in GENRE_WORDS | OF_MUSIC | MOODS_OF_TEMPO and i > 1
    if is_name or (before.text.isupper() and len(before.text) > 1 and not reading.text.isupper()):
        return False
    if after in COUNTED_THINGS:  # "piano 88 keys"
        return False
    is_style = (
        after
        in GENRE_WORDS
        | OF_MUSIC
        | {"in", "with", "feel", "vibe", "vibes", "please", "tempo", "swung", "straight", "type", "and", "but", "no"}
        and after != "piece"
    )
    return reading.ends(i + 1) or is_style or reading.kind(i + 1) in ("CHORD", "ROMAN", "LEFT", "FRACTION")


MOODS_OF_TEMPO = {"happy", "sad", "fast", "slow", "dark", "chill", "upbeat", "calm", "hard", "heavy", "soft", "easy"}


def _out_of_bounds(reading, first, end, value):
    """Say that a tempo is outside the bounds, and what to write for one that is counted in eighths."""
    said = reading.words(first, end)
    written = next((reading.value(i) for i in range(first, end) if reading.kind(i) == "NUMBER"), value)
    remedy = ""
    if value > MAX_BPM and value / written in (2, 3):
        unit, meter = ("dotted quarters", "2/4") if value / written == 3 else ("quarters", "3/4")
        remedy = (
            f"; the beats are eighths: write at most {MAX_BPM * written / value:g} {unit} a minute, or a meter in quarters such as "
            f"{meter} at {written:g} bpm"
        )
    return f"{quoted(said)} in the prompt is {value:g} beats a minute, outside {MIN_BPM}-{MAX_BPM}, and not taken{remedy}"


def _note_range(reading, first, said, low, high):
    """Note a range that is wide, or said to be a change of tempo."""
    if low < high and reading.says(first, _CHANGES):
        reading.note(
            "tempo",
            f"the tempo cannot change within a clip: of {quoted(said)} in the prompt the middle, {(low + high) / 2:g} "
            "bpm, is played",
        )
    elif high > 1.34 * low:
        reading.note("tempo", f"{quoted(said)} in the prompt is a wide range; its middle, {(low + high) / 2:g} bpm, is played")


_OF_TEMPO = re.compile(r"\b(tempo|pace|played|moves|marking)\b", re.I)


def _tempo_word(reading):
    """Return the first tempo word, which "grave" is only where the sentence speaks of tempo, and use all."""
    found = None
    for i, token in enumerate(reading.tokens):
        foreign = _foreign_tempo(reading, i)
        if foreign:
            reading.used.add(i)
            if found is None:
                reading.note("tempo", f"{quoted(token.text)} in the prompt is taken as {foreign}")
            found = found or foreign
        if reading.word(i) not in ALL_TEMPO_WORDS:
            continue
        if token.value == "grave" and not (reading.says(i, _OF_TEMPO) or (reading.ends(i - 1) and reading.ends(i + 1))):
            continue
        reading.used.add(i)
        found = found or token.text
    paced = next(
        (i for i in range(1, len(reading.tokens)) if reading.word(i) in ("pace", "tempo") and reading.word(i - 1) in _PACES), None
    )
    if found is None and paced:
        reading.use(paced - 1, paced + 1)
        return _PACES[reading.word(paced - 1)]
    return found


_FOREIGN_TEMPI = {
    "Lento": "lent lentement langsam lenta despacio devagar långsam langzaam", "Moderato": "modéré modere mäßig mässig", "Vivace": "vivo vif lebhaft",
    "Allegro": "schnell rapide rapido rápido rápida rapida vite rasch snel", "Presto": "veloce veloz",
}  # fmt: skip
_FOREIGN_TEMPI = {word: tempo for tempo, words in _FOREIGN_TEMPI.items() for word in words.split()}


def _foreign_tempo(reading, i):
    """Return the tempo word that a word of another tongue means: where its phrase ends, or beside styles and players; "en vivo" is none."""
    tempo = _FOREIGN_TEMPI.get(reading.word(i))
    is_feast = reading.tokens[i].text == "Lent"
    if tempo is None or is_feast or reading.word(i - 1) in ("en", "al", "ao") or reading.is_denied(i):
        return None
    music = OF_MUSIC | GENRE_WORDS
    is_free = reading.ends(i + 1) or reading.word(i + 1) in music
    return (
        tempo
        if is_free and (reading.ends(i - 1) or reading.word(i - 1) in music | {"molto", "muy", "sehr", "très", "assez"})
        else None
    )


_PACES = {
    "walking": "Andante",
    "brisk": "Allegro",
    "marching": "Allegretto",
    "leisurely": "Andante",
    "running": "Presto",
    "funeral": "Grave",
}
