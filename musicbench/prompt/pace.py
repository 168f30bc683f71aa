"""Rules over a prompt's tokens: what it states of the tempo."""

import re

from musicbench import quoted
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tempo import BETWEEN_TEMPO_WORDS, MAX_BPM, MIN_BPM, TEMPO_WORDS, word_tempo
from musicbench.prompt.reading import OF_MUSIC, left_out

_ABOUT = set("is of at around about approximately approx circa ca c roughly near between from set to range marking =".split())
_TEMPO_NAMES = {"tempo", "bpm", "bpms", "pace", "speed", "metronome", "mm", "m.m", "pulse"}
_CHANGING = set(
    "rises rising climbs increases increasing drops falls decreases goes up down doubles doubling halves changes changing".split()
)
_NOTE_VALUES = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
_TEMPO_WORDS = {word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)}
_CHANGES = re.compile(
    r"\b(?:speed\w* up|accelerat\w*|slow\w* down|ritard\w*|rallent\w*|gradual\w*|get\w* (?:faster|slower)|builds?|ris(?:es|ing)|increas\w*|doubl(?:es|ing)|halv(?:es|ing))\b",
    re.I,
)
# What moves within a piece: said by name, it is noted wherever it stands.
_MOVING = re.compile(
    r"\b(?:speed(?:s|ing)? up|accelerat(?:es|ing)|accelerando|slow(?:s|ing)? down|ritardando|rallentando|rubato|(?<!my )(?<!your )(?<!his )(?<!her )(?<!their )free time|senza misura|ad libitum|no (?:fixed|steady) (?:tempo|pulse|beat)|tempo changes?|chang(?:es?|ing) (?:the )?tempo"
    r"|get(?:s|ting)? (?:faster|slower)|(?:rit|rall|accel)(?=\.))",
    re.I,
)


def read_tempo(reading, meter):
    """Return (bpm or None, tempo word or None) that the text states; notes on what is left out."""
    bpm, bound, refused = None, None, []
    for first, end, low, high in _tempi(reading, meter):
        said = reading.words(first, end)
        reading.use(first, end)
        value = (low + high) / 2
        if _is_bound(reading, first):
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
    says_note = any(reading.kind(i) == "NOTE" or reading.word(i) in _NOTE_VALUES for i in reading.used)
    if bpm and bpm <= 150 and meter and meter.unit == 8 and not says_note:
        dotted = f", {bpm / 3:.3g} dotted quarters a minute" if meter.beats % 3 == 0 else ""
        reading.note("tempo", f"in {meter} {bpm:g} bpm counts eighths{dotted}")


def _note_moving(reading):
    """Note that the tempo stays, where the text says that it moves and no other note does."""
    moving = _MOVING.search(reading.text)
    if moving and not any(name == "tempo" and "cannot change" in text for name, text in reading.notes):
        reading.note("tempo", f"the tempo cannot change within a clip; {quoted(moving[0])} in the prompt is not played")


_FEEL = re.compile(
    r"\b(?:half|double)[- ]?time\b(?! (?:shows?|break|whistle|report|job|speech|score))|\b(?:half|double) (?:the )?(?:tempo|speed)\b",
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
    of the number no and or bar bars track channel route page age aged opus op k bwv hwv room studio highway highway top best grade level
    volume vol chapter part take version class area year psalm hymn symphony sonata quartet concerto movement episode day season boeing
    formula model series mark windows under over win mp sub blink sum maroon heaven since from until to gate flight bus line district
    juno jupiter prophet dx sh tr tb jx jp cs ms mc mpc sp op nord korg roland casio moog oberheim ob matrix rhodes wurlitzer wurli hammond
    fender gibson strat stratocaster tele telecaster paul jcm twin vox u sm km tlm akg akai emu yamaha linn simmons micromoog marshall
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
    if after in _COUNTED_THINGS:  # "piano 88 keys"
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
        remedy = f"; the beats are eighths: write at most {MAX_BPM * written / value:g} {unit} a minute, or a meter in quarters such as {meter} at {written:g} bpm"
    return f"{quoted(said)} in the prompt is {value:g} beats a minute, outside {MIN_BPM}-{MAX_BPM}, and not taken{remedy}"


_BOUNDS = {"than", "over", "above", "below", "under", "beyond"}


def _is_bound(reading, first):
    """Return whether a tempo is a bound, "no faster than 80 bpm", "not over 100": the bound itself is played."""
    word = reading.word(first - 1)
    return word in _BOUNDS and (
        word != "than" or reading.word(first - 2) in ("faster", "slower", "quicker", "more", "less", "higher", "lower")
    )


def _note_range(reading, first, said, low, high):
    """Note a range that is wide, or said to be a change of tempo."""
    if low < high and reading.says(first, _CHANGES):
        reading.note(
            "tempo",
            f"the tempo cannot change within a clip: of {quoted(said)} in the prompt the middle, {(low + high) / 2:g} bpm, is played",
        )
    elif high > 1.34 * low:
        reading.note("tempo", f"{quoted(said)} in the prompt is a wide range; its middle, {(low + high) / 2:g} bpm, is played")


def _tempi(reading, meter):
    """Yield (first, end, lowest bpm, highest bpm) of each tempo that is stated in numbers."""
    i = 0
    while i < len(reading.tokens):
        if i in reading.used:
            i += 1
            continue
        found = _note_tempo(reading, i, meter) or _named_tempo(reading, i) or _unit_tempo(reading, i) or _bare_tempo(reading, i)
        if found:
            yield found
        i = found[1] if found else i + 1


def _unit_tempo(reading, i):
    """Read "120 bpm", "95-100 bpm", "between 90 and 100 bpm", "low 120s" whose last part is at `i` or begins there."""
    kind = reading.kind(i)
    if (
        kind == "FRACTION" and reading.word(i + 1) in ("bpm", "bpms") and reading.value(i)[1] * 2 == reading.value(i)[0]
    ):  # "140/70 bpm"
        return (i, i + 2, reading.value(i)[0], reading.value(i)[0])
    place = {"low": 2, "mid": 5, "high": 8, "upper": 8}.get(reading.word(i))
    tens = i + 2 if reading.value(i + 1) == "joined" else i + 1
    if place and reading.kind(tens) == "QUANTITY" and re.fullmatch(r"\d{2,3}s", reading.tokens[tens].text):
        low = reading.value(tens)[0] + place
        is_tempo = reading.word(tens + 1) in ("bpm", "tempo")
        if low >= 100 or reading.word(i) != "mid" or is_tempo:  # "mid-80s" is a decade
            return (i, tens + 1 + is_tempo, low, low)
    if kind == "TEMPO":
        return (i, i + 1, *reading.value(i))
    if (
        kind == "NUMBER"
        and reading.tokens[i + 1 : i + 2]
        and reading.tokens[i + 1].text == "/"
        and reading.word(i + 2) in ("min", "minute")
    ):
        return (i, i + 3, reading.value(i), reading.value(i))  # "60/min"
    about = i + 2 + (reading.value(i + 1) == "joined")
    if kind == "NUMBER" and reading.word(about - 1) in ("something", "odd") and reading.word(about) == "bpm":  # "80-something bpm"
        return (i, about + 1, reading.value(i) + 5, reading.value(i) + 5)
    if kind == "NUMBER" and reading.kind(i + 2) == "TEMPO":
        low, (high, _) = reading.value(i), reading.value(i + 2)
        joins = reading.word(i + 1) in ("to", "and", "or") or reading.value(i + 1) == "joined"
        spaced = reading.kind(i + 1) == "GAP" and reading.tokens[i + 1].text in "-~" and low < high <= 1.34 * low
        if low < high and low >= MIN_BPM and (joins or spaced):
            return (i, i + 3, low, high)
    return None


def _named_tempo(reading, i):
    """Read "tempo: ~120", "BPM (120)", "Tempo: Allegro (132)", "tempo between 90 and 100"."""
    if reading.word(i) not in _TEMPO_NAMES:
        return None
    j = i + 1
    while j < i + 7 and (
        reading.word(j) in _ABOUT | _TEMPO_WORDS | _CHANGING
        or reading.kind(j) == "LEFT"
        or reading.kind(j) == "STOP"
        and reading.tokens[j].text in (":=." if reading.word(i) == "m.m" else ":=")
        or reading.tokens[j : j + 1]
        and reading.tokens[j].text in '~=-"'
    ):
        j += 1
    tempo = reading.kind(j) == "TEMPO"
    if tempo or reading.kind(j) == "RANGE":
        return (i, j + 1, *reading.value(j))
    if reading.kind(j) != "NUMBER" or reading.value(j) < 10:
        return None
    low = reading.value(j)
    if reading.word(j + 1) in ("to", "and") and reading.kind(j + 2) in ("NUMBER", "TEMPO"):
        high = reading.value(j + 2) if reading.kind(j + 2) == "NUMBER" else reading.value(j + 2)[0]
        if low != high and max(low, high) <= MAX_BPM and min(low, high) >= MIN_BPM:
            return (i, j + 3, min(low, high), max(low, high))
    end = j + 2 if reading.word(j + 1) in ("bpm", "bpms") else j + 1
    return (i, end, low, low)


def _note_tempo(reading, i, meter):
    """Read "♩ = 72", "dotted quarter = 60", "quarter note equals 72"; in beats of the meter."""
    start, dotted = i, 1.0
    behind = _number_of_notes(reading, i)
    if behind:
        end, quarters = behind
        bpm = reading.value(i) * quarters / _counted_quarters(reading, meter)
        return (i, end, bpm, bpm)
    if reading.word(i) == "dotted":
        dotted, i = 1.5, i + (2 if reading.value(i + 1) == "joined" else 1)
    if reading.kind(i) == "NOTE":
        quarters = reading.value(i)
    elif reading.word(i) in _NOTE_VALUES:
        quarters = _NOTE_VALUES[reading.word(i)]
    else:
        return None
    j = i + 1
    if reading.value(j) == "joined":
        j += 1
    if reading.word(j) in ("note", "notes"):
        j += 1
    if reading.kind(j) == "STOP" and reading.tokens[j].text == "." and reading.kind(i) == "NOTE":  # ♩. with a blank after it
        dotted, j = 1.5, j + 1
    signs = 0
    while reading.word(j) in ("equals", "at", "is", "about", "around") or (
        j < len(reading.tokens) and reading.tokens[j].text in ("=", ":", "~", "≈")
    ):
        signs, j = signs + 1, j + 1
    if not signs or reading.kind(j) not in ("NUMBER", "TEMPO"):
        return None
    value = reading.value(j) if reading.kind(j) == "NUMBER" else reading.value(j)[0]
    bpm = value * quarters * dotted / _counted_quarters(reading, meter)
    return (start, j + 1, bpm, bpm)


def _counted_quarters(reading, meter):
    """Return how many quarters a counted beat has."""
    return 1.5 if reading.is_compound else 4 / (meter.unit if meter else 4)


def _number_of_notes(reading, i):
    """Return (end, quarters of the note value) of "116 dotted quarters", "116 dotted quarter notes a minute"; None where there is none."""
    if reading.kind(i) != "NUMBER" or reading.value(i) < 20:
        return None
    j = i + 2 if reading.word(i + 1) == "dotted" else i + 1
    j += reading.value(j) == "joined"
    quarters = _NOTE_VALUES.get(reading.word(j).removesuffix("s"))
    end = j + 2 if reading.word(j + 1) in ("note", "notes") else j + 1
    is_a_minute = reading.value(end) == (1, "min") or (reading.word(end) == "per" and reading.word(end + 1) in ("minute", "min"))
    if quarters is None or not (j > i + 1 or is_a_minute):
        return None
    end += 0 if not is_a_minute else 2 if reading.word(end) == "per" else 1
    return end, quarters * (1.5 if j > i + 1 else 1)


def _bare_tempo(reading, i):
    """Read "at 140", "@ 122", "techno 128" and the 174 of "DnB, 174": a number that stands where makers of music write a tempo."""
    if reading.kind(i) not in ("NUMBER", "RANGE"):
        return None
    low, high = reading.value(i) if reading.kind(i) == "RANGE" else (reading.value(i),) * 2
    if not 30 <= low <= high <= 300 or reading.value(i + 1) == "joined" or reading.value(i - 1) == "joined":
        return None
    after = i + 1 + (reading.kind(i + 1) == "RIGHT")
    before = i - 1 - (reading.kind(i - 1) == "LEFT" or reading.value(i - 1) == "=")
    if reading.word(before) in _TEMPO_WORDS | _SPEEDS and (
        before < i - 1 or _is_free(reading, after)
    ):  # "Allegro (144)", "slow 60"
        return (before, after, low, high)
    if reading.kind(i - 1) == "LEFT" and not (reading.kind(i + 1) == "RIGHT" and low >= 60):
        return None
    text, is_whole = reading.tokens[i].text, low == int(low)
    is_marked = (
        reading.word(i - 1) in _BEFORE_TEMPO
        or (_is_bound(reading, i) and reading.word(i - 1) != "than" and reading.word(i - 2) in ("not", "no", "never", "nothing"))
        or text[0] in "@~"
        or (i and reading.tokens[i - 1].text in ("@", "~"))
    )
    end = next(
        (i + 1 + len(words) for words in _AFTER_TEMPO if [reading.word(i + 1 + j) for j in range(len(words))] == words), i + 1
    )
    if (is_marked or end > i + 1) and low >= 40 and high <= 250 and _is_free(reading, end):
        return (i, end, low, high)
    if not (is_whole and low >= 55 and high <= 300):
        return None
    is_own_part = reading.ends(i - 1) and reading.ends(i + 1) and i > 0 and reading.tokens[i - 1].text in (",", ";")
    begins = (i == 0 or reading.ends(i - 1)) and (
        reading.word(i + 1) in GENRE_WORDS
        or reading.kind(i + 1) == "CHORD"
        or (i == 0 and reading.kind(1) == "GAP" and reading.ends(1))
    )
    follows = reading.word(i - 1) in GENRE_WORDS | _PLAYERS or (reading.kind(i - 1) == "CHORD" and _is_free(reading, i + 1))
    if is_own_part or begins or (follows and reading.word(i + 1) not in _COUNTED_THINGS):
        return (i, i + 1, low, high)
    return None


_BEFORE_TEMPO = set("at around about @ ca circa use like say maybe roughly near nearly approximately approx".split())
_AFTER_TEMPO = [["or", "so"], ["give", "or", "take"], ["or", "thereabouts"], ["ish"], ["plus", "or", "minus"]]
_PLAYERS = {"piano", "guitar", "sax", "saxophone", "bass", "hats", "strings", "organ", "synth", "violin", "trumpet"}
_SPEEDS = {"fast", "slow", "quick", "slowly", "moderate"}
_COUNTED_THINGS = set(
    "keys key bit bits hz khz years year days times tracks songs people voices instruments strings percent degrees miles km".split()
)


def _is_free(reading, i):
    """Return whether nothing that is counted follows a number: its phrase ends, or goes on with other things."""
    words = GENRE_WORDS | {"with", "in", "and", "or", "for", "over", "key", "feel", "groove", "using", "featuring"}
    return reading.ends(i) or reading.kind(i) in ("CHORD", "ROMAN", "LEFT", "FRACTION") or reading.word(i) in words


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
        if reading.word(i) not in _TEMPO_WORDS:
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
