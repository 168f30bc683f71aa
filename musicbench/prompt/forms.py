"""Harmony that has a name and belongs to nobody: blues and other forms, progressions, cadences, famous chords.

A line is written in Roman numerals, one chord a bar, or with bar lines where a bar has several. Of what lives in minor alone the line
in major is that of the relative minor: an Andalusian cadence in C major is vi V IV III.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import words_of

BLUES = "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7"
MINOR_BLUES = "i7 iv7 i7 i7 iv7 iv7 i7 i7 VI7 V7 i7 V7"
JAZZ_BLUES = "I7 | IV7 | I7 | v7 I7 | IV7 | #iv°7 | I7 | VI7 | ii7 | V7 | I7 VI7 | ii7 V7"
MINOR_JAZZ_BLUES = "i7 | iv7 | i7 | I7 | iv7 | iv7 | i7 | i7 | iiø7 | V7 | i7 | iiø7 V7"
ANDALUSIAN = "i VII VI V"
_RHYTHM = "Imaj7 VI7 | ii7 V7 | iii7 VI7 | ii7 V7 | v7 I7 | IVmaj7 iv7 | "
_RHYTHM_BRIDGE = "III7 | III7 | VI7 | VI7 | II7 | II7 | V7 | V7"
_RHYTHM_A = _RHYTHM + "iii7 VI7 | ii7 V7"
_RHYTHM_LAST = _RHYTHM + "ii7 V7 | Imaj7"
_MINOR_RHYTHM = "i7 VI7 | iiø7 V7 | i7 VI7 | iiø7 V7 | i7 I7 | iv7 VII7 | "
_MINOR_RHYTHM_A, _MINOR_RHYTHM_LAST = _MINOR_RHYTHM + "i7 VI7 | iiø7 V7", _MINOR_RHYTHM + "iiø7 V7 | i7"
_MINOR_BRIDGE = "I7 | I7 | iv7 | iv7 | VII7 | VII7 | iiø7 | V7"


@dataclass(frozen=True)
class Form:
    """Harmony with a name: `words`, its name first; a line in major and one in minor. mode: the one it lives in, None for both."""

    words: tuple
    major: str
    minor: str
    mode: str | None = None
    note: str = ""  # what of it is not played

    @property
    def name(self):
        return self.words[0]


def bars_of(line):
    """Return the bars of a line of numerals: one chord each, or what stands between its bar lines."""
    return [bar.strip() for bar in line.split("|")] if "|" in line else line.split()


def line_of(bars):
    """Return bars as a line that `bars_of` cuts into them again."""
    return " | ".join(bars) if any(" " in bar for bar in bars) else " ".join(bars)


def _form(words, major, minor, mode=None, note=""):
    return Form(tuple(word.strip() for word in words.split(",")), major, minor, mode, note)


def _aaba(first, second, bridge, last):
    return " | ".join((first, second, bridge, last))


# {bars: (in major, in minor)}
BLUES_OF = {
    8: ("I7 V7 IV7 IV7 I7 V7 I7 V7", "i7 V7 iv7 iv7 i7 V7 i7 V7"),
    12: (BLUES, MINOR_BLUES),
    16: ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 V7 IV7 V7 IV7 I7 V7", "i7 i7 i7 i7 iv7 iv7 i7 i7 V7 iv7 V7 iv7 V7 iv7 i7 V7"),
    24: tuple(" ".join(f"{chord} {chord}" for chord in line.split()) for line in (BLUES, MINOR_BLUES)),
}

FORMS = (
    # blues; the number of its bars is read by `_blues_of_bars`
    _form("jazz blues, jazz blues progression, jazz blues changes, bebop blues, bop blues", JAZZ_BLUES, MINOR_JAZZ_BLUES),
    _form("minor jazz blues, jazz minor blues", MINOR_JAZZ_BLUES, MINOR_JAZZ_BLUES, "minor"),
    _form("minor blues, blues in minor, minor key blues", MINOR_BLUES, MINOR_BLUES, "minor"),
    _form("bird blues, bird changes, parker blues, blues for alice changes, swedish blues",
          "Imaj7 | viiø7 III7 | vi7 II7 | v7 I7 | IV7 | iv7 bVII7 | iii7 VI7 | biii7 bVI7 | ii7 | V7 | Imaj7 VI7 | ii7 V7", MINOR_JAZZ_BLUES),
    _form("quick change blues, quick change 12 bar blues, quick change 12 bar, blues with a quick change, blues with quick change, quick 4 blues, quick four blues", BLUES, MINOR_BLUES),
    _form("slow change blues, long change blues, blues without a quick change, slow change 12 bar blues, basic blues, basic 12 bar blues",
          "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", "i7 i7 i7 i7 iv7 iv7 i7 i7 V7 iv7 i7 V7"),
    _form("blues turnaround", "I7 VI7 | ii7 V7", "i7 VI7 | iiø7 V7"),
    # jazz
    _form("rhythm changes, i got rhythm, i got rhythm changes, anatole, anatol", _aaba(_RHYTHM_A, _RHYTHM + "ii7 V7 | Imaj7", _RHYTHM_BRIDGE, _RHYTHM_LAST),
          _aaba(_MINOR_RHYTHM_A, _MINOR_RHYTHM_LAST, _MINOR_BRIDGE, _MINOR_RHYTHM_LAST)),
    _form("rhythm changes bridge, rhythm bridge, sears roebuck bridge, ragtime progression bridge, bridge of rhythm changes", _RHYTHM_BRIDGE, _MINOR_BRIDGE),
    _form("montgomery ward bridge", "I7 I7 IV7 IV7 II7 II7 V7 V7", "I7 I7 iv7 iv7 II7 II7 V7 V7"),
    _form("ragtime progression, ragtime chords, ragtime changes", "I VI7 II7 V7", "i VI7 II7 V7"),
    _form("coltrane changes, coltrane cycle, coltrane matrix, cycle in thirds, cycle of major thirds, coltrane progression, coltrane substitution, major thirds cycle, giant steps cycle",
          "Imaj7 bIII7 | bVImaj7 VII7 | IIImaj7 V7 | Imaj7", "i7 III7 | VImaj7 #VII7 | #IIImaj7 V7 | i7"),
    _form("backdoor, backdoor cadence, backdoor progression, backdoor ii v, backdoor 2 5, backdoor turnaround, back door cadence, back door progression, back door ii v",
          "iv7 bVII7 Imaj7 Imaj7", "iv7 VII7 i7 i7", "major"),
    _form("tritone substitution, tritone sub, tritone substitute, tritone subs, subv", "ii7 bII7 Imaj7 Imaj7", "iiø7 bII7 i7 i7"),
    _form("minor ii v i, minor 2 5 1, minor two five one, minor ii v i progression, minor ii v, minor 2 5", "iiø7 V7 i7 i7", "iiø7 V7 i7 i7", "minor"),
    _form("ladybird turnaround, lady bird turnaround, tadd dameron turnaround, dameron turnaround, tadd dameron changes", "Imaj7 bIII7 | bVImaj7 bII7", "i7 III7 | VImaj7 bII7"),
    _form("line cliche, line cliches, minor line cliche, cliche line, chromatic line cliche, descending line cliche", "I Imaj7 I7 I6", "i i(maj7) i7 i6"),
    _form("montuno chords, montuno progression, montuno changes", "I IV V7 IV", "i iv V7 iv"),
    # cadences
    _form("perfect cadence, authentic cadence, perfect authentic cadence, full cadence, closed cadence, imperfect authentic cadence, dominant cadence, v i cadence", "V I", "V i"),
    _form("plagal cadence, amen cadence, church cadence, iv i cadence", "IV I", "iv i"),
    _form("minor plagal cadence, minor iv cadence, minor subdominant cadence", "iv I", "iv i", "major"),
    _form("double plagal cadence, double plagal, rock cadence", "bVII IV I", "VII iv i", "major"),
    _form("deceptive cadence, interrupted cadence, false cadence, evaded cadence, surprise cadence", "V vi", "V VI"),
    _form("half cadence, imperfect cadence, semicadence, open cadence", "I V", "i V"),
    _form("phrygian cadence, phrygian half cadence", "ii III", "iv V", "minor"),
    _form("neapolitan cadence, neapolitan sixth cadence, neapolitan sixth, neapolitan chord, neapolitan 6, neapolitan 6th, neapolitan 6 chord, neapolitan sixth chord, neapolitan progression",
          "I bII/3 V7 I", "i bII/3 V7 i", "minor"),
    _form("picardy third, picardy cadence, picardy 3rd, picardie third, picardy third cadence, tierce de picardie", "vi ii III VI", "i iv V I", "minor"),
    _form("aeolian cadence, mario cadence, epic cadence", "bVI bVII I", "VI VII i"),
    _form("cadential 6 4, cadential six four", "I/5 V I I", "i V i i"),
    _form("omnibus, omnibus progression, omnibus cadence", "V7 bVII7 ii bVII7 V7 I", "V7 VII7 ii VII7 V7 i"),
    # progressions
    _form("andalusian cadence, andalusian, andalusian progression, flamenco cadence, spanish cadence, andalusian chord progression, phrygian descending progression",
          "vi V IV III", ANDALUSIAN, "minor"),
    _form("lament bass, lamento bass, lament progression, descending tetrachord, minor tetrachord", "vi V IV III", ANDALUSIAN, "minor"),
    _form("50s progression, fifties progression, 1950s progression, doo wop progression, doo wop chords, doo wop changes, 50s chords, 50s chord progression, doo wop chord progression, "
          "1950s chord progression, ice cream changes, stand by me changes, heart and soul changes", "I vi IV V", "i VI iv V", "major"),
    _form("pachelbel canon, pachelbel, canon progression, canon chords, pachelbel progression, pachelbel canon progression, canon in d, canon in d major, canon chord progression, "
          "pachelbel chord progression, pachelbel chords, pachelbel changes", "I V vi iii IV I IV V", "i v VI III iv i iv V", "major"),
    _form("circle of fifths, cycle of fifths, circle of fifths progression, cycle of fourths, circle of fourths, cycle of 5ths, circle of 5ths, circle of 4ths, cycle of 4ths",
          "vi ii V I", "i iv VII III VI ii° V i", "major", "the circle of fifths goes round within one key"),
    _form("circle progression, diatonic circle progression, diatonic circle of fifths, full circle of fifths", "I IV vii° iii vi ii V I", "i iv VII III VI ii° V i"),
    _form("axis progression, four chord song, 4 chord song, axis of awesome, axis chords, axis chord progression, four chords of pop, 4 chords of pop, 1 5 6 4 progression", "I V vi IV", "i VI III VII", "major"),
    _form("royal road, royal road progression, royal road chords, royal road chord progression, oudou shinkou, ohdo shinko", "IV V iii vi", "VI VII v i", "major"),
    _form("komuro progression, komuro chords", "vi IV V I", "i VI VII III", "minor"),
    _form("just the two of us progression, just the two of us chords, marunouchi progression, marunouchi sadistic progression", "IVmaj7 III7 vi7 I7", "VImaj7 V7 i7 III7"),
    _form("la folia, folia, follia, la follia, les folies d espagne, follia progression, folia progression", "vi | III | vi | V | I | V | vi | III | vi | III | vi | V | I | V | vi III | vi",
          "i | V | i | VII | III | VII | i | V | i | V | i | VII | III | VII | i V | i", "minor"),
    _form("passamezzo antico, passamezzo", "vi | V | vi | III | I | V | vi III | vi", "i | VII | i | V | III | VII | i V | i", "minor"),
    _form("passamezzo moderno, quadran, gregory walker, gregory walker progression", "I | IV | I | V | I | IV | I V | I", "i | iv | i | V | i | iv | i V | i", "major"),
    _form("romanesca, romanesca progression", "I | V | vi | III | I | V | vi III | vi", "III | VII | i | V | III | VII | i V | i", "minor"),
    _form("bergamask, bergamasca", "I IV V I", "i iv V i", "major"),
    # famous chords
    _form("hendrix chord, purple haze chord, 7 sharp 9 chord, 7 sharp nine chord", "I7#9", "I7#9", "major"),
    _form("tristan chord, tristan chords", "ivø7 III7", "viø7 V7", "minor"),
    _form("so what chord, so what voicing", "ii7 i7", "ii7 i7", "minor", "the fourths of the So What chord are not voiced"),
    _form("petrushka chord, petrouchka chord, bitonal petrushka chord", "I bV", "I bV", "major", "the two triads of the Petrushka chord are played in turn, not at once"),
    _form("james bond chord, bond chord, hitchcock chord, spy chord", "i(maj7)", "i(maj7)", "minor"),
    _form("mystic chord, prometheus chord, scriabin chord", "I7", "I7", "major", "of the mystic chord the seventh chord alone is played"),
    _form("mu chord, mu major chord, steely dan chord", "Iadd9", "iadd9", "major"),
    _form("quartal, quartal harmony, quartal chords, quartal voicings, stacked fourths, fourth chords", "I7sus4 bVII7sus4", "I7sus4 VII7sus4"),
    _form("whole tone, whole tone scale, whole tone harmony, whole tone chords", "I+ II+", "I+ II+"),
)  # fmt: skip


@cache
def form_phrases():
    """Return the Phrases for forms."""
    return Phrases([(word, form) for form in FORMS for word in form.words])


def form_in(prompt):
    """Return (the first Form that a prompt names, the places of its words in the prompt), or (None, []). What is denied is left out.

    A blues is one where its bars are counted, "12-bar blues", or where it has a name of its own, "jazz blues".
    """
    words = words_of(prompt)
    found = [found for found in form_phrases().find(words) if not found.denied and not _is_at_the_end(words, found)]
    counted = _blues_of_bars(prompt, words)
    places = [(words[one.first].start, words[one.last - 1].end) for one in found]
    if counted and (not found or "blues" not in found[0].value.name):
        return counted[0], [counted[1], *places]
    if found:
        return found[0].value, places
    return None, []


_ENDS = {
    "end",
    "ending",
    "final",
    "last",
    "finish",
    "finishing",
    "closing",
    "close",
    "conclude",
    "concluding",
    "resolve",
    "resolving",
    "finally",
}


def _is_at_the_end(words, found):
    """Return whether a form is only what a piece ends with: "ending on a plagal cadence", "a Picardy third at the end"."""
    near = [*words[max(found.first - 4, 0) : found.first], *words[found.last : found.last + 4]]
    return any(word.text in _ENDS for word in near)


def form_at_the_end(prompt):
    """Return the name of a form that a prompt wants at its end, or None."""
    words = words_of(prompt)
    named = [found for found in form_phrases().find(words) if not found.denied and _is_at_the_end(words, found)]
    return named[0].value.name if named else None


_BARS_OF_BLUES = {str(bars) for bars in BLUES_OF}
_LIKE_BLUES = {"blues", "bluesy", "boogie"}  # what "12-bar" may count
_JAZZ = {"jazz", "bebop", "bop"}


def _blues_of_bars(prompt, words):
    """Return (Form, its place) of "8-bar blues", "sixteen bar minor blues", "a blues in E, 12-bar"; "blues, 8 bars" says a length."""
    texts = [word.text for word in words if not word.denied]
    if not _LIKE_BLUES.intersection(texts) and "rock and roll" not in " ".join(texts):
        return None
    for i, (number, bar) in enumerate(pairwise(words)):
        if number.denied or number.text not in _BARS_OF_BLUES or bar.text not in ("bar", "measure"):
            continue
        is_one = prompt[bar.start : bar.end].lower() in ("bar", "measure")
        before, after = (words[k].text if 0 <= k < len(words) else "" for k in (i - 1, i + 2))
        if is_one or before == "in" or after in _LIKE_BLUES:
            return _counted_blues(int(number.text), texts), (number.start, bar.end)
    return None


def _counted_blues(bars, texts):
    major, minor = BLUES_OF[bars]
    if bars == 12 and _JAZZ.intersection(texts):
        major, minor = JAZZ_BLUES, MINOR_JAZZ_BLUES
    at = texts.index("blues") if "blues" in texts else 0
    is_minor = "minor" in texts[max(at - 2, 0) : at]  # "8-bar minor blues"
    return Form((f"{bars}-bar blues",), minor if is_minor else major, minor, "minor" if is_minor else None)
