"""Keys, chords and notes that a sentence names, transposed where they stand."""

import re
from collections.abc import Callable

from musicbench.music.keys import MODES, Key
from musicbench.music.notes import ascii_accidentals, pitch_class, spell_note

MAX_PROBED = 12  # letters of a sentence that may be words; each is tried by reading the sentence again
_SIGN = r"##|bb|#|b|[- ]?(?:sharp|flat)\b"
_MODE = rf"(?i:major|minor|maj|min|moll|dur|{MODES})"
_SUFFIX = (  # of a chord symbol
    r"(?:maj|min|dim|aug|sus|add|alt|omit|no|[mM+°øΔ]|[#b-]?(?:11|13|69|[245679])(?!\d)|\([#b+\w,-]+\))+(?![A-Za-z])"
)
_NOTE = re.compile(
    rf"(?<![\w'#&.^])(?P<root>[A-G]|[a-g](?=(?:{_SIGN})?[- ]?{_MODE}\b)|[a-g](?=(?:#|[- ](?:sharp|flat)\b)))(?P<sign>{_SIGN})?"
    rf"(?P<kind>[- ]?{_MODE}\b|{_SUFFIX})?(?:/(?P<bass>[A-G][#b]?))?(?![\w'#&]|\.[A-Za-z])(?!-(?!to-|sharp|flat)[a-z]{{2}})"
)
_HERTZ = re.compile(  # not the rate of a recording
    r"(?P<before>\bA4?\s*=\s*)?\b(?P<hz>\d+(?:\.\d+)?)(?P<unit>\s*hz\b)?(?!\s*k?hz)", re.IGNORECASE
)
_CAMELOT = re.compile(r"(?<=[Cc]amelot )(1[0-2]|[1-9])(?=[ABab]\b)")
_A_NAME = re.compile(  # that a letter belongs to: a section, an instrument that is built in a key, a string, a grade
    r"(?:sections?|parts?|sides?|plan|vitamin|grade|group|type|class|hepatitis|take|version|option|team|block|series|mr|route|studio|room"
    r"|line|generation|hammond)$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"[- ]?(?:sections?|parts?|sides?|strings?|tunings?|movie|pop|funk|list|class|(?:alto |bass |soprano |tenor )?(?:clarinets?|trumpets?|horns?|cornets?"
    r"|sax\w*|tubas?|harmonicas?|whistles?|flutes?|bagpipes?|flugelhorns?|euphoniums?))\b",
    re.IGNORECASE,
)
_BUILT_IN = re.compile(
    r"\b(?:clarinet|trumpet|horn|cornet|sax\w*|tuba|harmonica|whistle|flute|recorder|bagpipes?)s? in $", re.IGNORECASE
)
_A_WORK = re.compile(  # a title's key is not the clip's
    r"\b(?:sonata|symphony|concerto|nocturne|pr[eé]lude|fugue|quartet|[eé]tude|mass|suite|waltz|ballade|op\.?|no\.?|bwv|k\.)"
    r"[^.;]{0,20}(?:\d+),? (?:for \w+ )?$",
    re.IGNORECASE,
)
_MUSICAL = re.compile(
    r"(?:\b(?:in|on|to|over|from|around|of|notes?|chords?|drones?|pedal|open|low|high|root|between|keys?|bass|resolves|vamps?|loops?"
    r"|strums?|plays?|is|are|goes|via|through|alternat\w+|drop|concert)|[:,–—>|→-]|\b(?:and|or|then|an?|the))\s*$",
    re.IGNORECASE,
)


def _is_doubtful(match):
    """Return whether a match may be a word: a letter alone, "a minor" and "A major" with an article."""
    root, sign, kind = match["root"], match["sign"], match["kind"]
    if sign and root not in "aA":
        return False
    is_word = kind and re.fullmatch(r" (?:major|minor)", kind)
    return (not sign and not kind and not match["bass"]) or (root in "aA" and bool(is_word))


class Transposition:
    """One change of pitch: by how many semitones, and the key in which notes are then spelled."""

    def __init__(self, semitones: int, key: Key | None, states: Callable[[str], tuple[Key | None, str | None]]):
        """key: of the music after the change, None where it is not known. states: what a text states of key and chords."""
        self.semitones, self.key, self.states = semitones, key, states

    def __call__(self, sentence: str) -> str:
        """Return a sentence with what it names of pitch transposed."""
        plain = ascii_accidentals(sentence)
        if len(plain) != len(sentence):  # a double sharp in one sign
            sentence = plain
        notes = list(_NOTE.finditer(plain))
        probed = sum(map(_is_doubtful, notes)) <= MAX_PROBED
        found = [match for match in notes if self._is_meant(plain, match, probed)]
        stated_key = next((match for match in found if match["kind"] and re.search(_MODE + "$", match["kind"])), None)
        key = self._key_of(stated_key) if stated_key else self.key
        as_words = any(match["sign"] and match["sign"][-1] in "tp" for match in found)
        is_print = bool(re.search("[♯♭]", sentence))
        moved = sentence
        for match in reversed(found):
            if _A_WORK.search(plain[: match.start()].removesuffix("in ")):
                moved = moved[: match.start()].removesuffix("in ").rstrip(" ,") + moved[match.end() :]
                continue
            text = self._written(match, key, as_words, is_print)
            moved = _with_article(moved, match, text)
        moved = _CAMELOT.sub(lambda match: str((int(match[0]) - 1 + 7 * self.semitones) % 12 + 1), moved)
        return _HERTZ.sub(self._hertz, moved)

    def _hertz(self, match):
        if not match["before"] and not match["unit"]:
            return match[0]
        return f"{match['before'] or ''}{float(match['hz']) * 2 ** (self.semitones / 12):.0f}{match['unit'] or ''}"

    def _is_meant(self, plain, match, probed):
        """Return whether a match names pitch; probed: whether another note is tried in its place."""
        before, after = plain[: match.start()], plain[match.end() :]
        if _A_NAME.search(before.rstrip()) or _BUILT_IN.search(before):
            return False
        if not _is_doubtful(match):
            return not _NAMED.match(after) or bool(match["kind"])
        if _NAMED.match(after):
            return False
        stated = self.states(plain)
        if probed and stated != (None, None):  # whether it is that which is stated: another note in its place states another
            moved = before + PROBE._written(match, None, False, False) + after
            key, chords = self.states(moved)
            was = stated[1] or ""
            is_other_chord = bool(chords and was) and chords != was and len(str(chords).split()) == len(was.split())
            if is_other_chord or (key and stated[0] and key != stated[0]):
                return True
        if match["kind"] or match["root"] == "a":
            return False
        if match["root"] == "A":  # an article, but where its phrase ends and behind another note
            is_last = bool(re.search(rf"\b[A-G](?:{_SIGN})?m?\d? (?:and|or|to) $", before))
            return is_last or (bool(before) and bool(re.match(r"\s*(?:[.,;:!?)|-]|$|(?:and|or|to|then|chord)\b)", after)))
        return bool(_MUSICAL.search(before)) or bool(re.match(r"\s*(?:chord|note|drone|pedal|vamp|[-–>|,]\s*[A-G]\b)", after))

    def _key_of(self, match):
        mode = Key.parse("C " + re.sub("moll", "minor", re.sub("dur", "major", match["kind"].strip(" -").lower()))).mode
        return Key.of(_pitch_class(match) + self.semitones, mode)

    def _written(self, match, key, as_words, is_print):
        """Write a match transposed, as it was written."""
        kind = match["kind"] or ""
        is_key = bool(re.fullmatch(rf"[- ]?{_MODE}", kind)) and kind.strip(" -").lower() not in ("maj", "min")
        name = self._key_of(match).tonic if is_key and kind[:1] in " -" else _plain_name(_pitch_class(match) + self.semitones, key)
        separator = (match["sign"] or "").rstrip("sharpflt") or "-" if match["sign"] and match["sign"][-1] in "tp" else " "
        as_words = as_words and (is_key or (match["sign"] or "")[-1:] in ("t", "p"))
        root = name[0].lower() if match["root"].islower() else name[0]
        bass = f"/{_plain_name(pitch_class(match['bass']) + self.semitones, key)}" if match["bass"] else ""
        return root + _sign(name[1:], as_words, separator, is_print) + kind + _sign(bass, False, "", is_print)


PROBE = Transposition(6, None, lambda said: (None, None))  # far from what is stated, and the same for every copy


def _plain_name(pc, key):
    name = spell_note(pc % 12, key)
    return spell_note(pc % 12) if len(name) > 2 or name in ("Cb", "Fb", "E#", "B#") else name


def _pitch_class(match):
    sign = (match["sign"] or "").strip(" -").replace("sharp", "#").replace("flat", "b")
    return pitch_class(match["root"].upper() + sign)


def _sign(text, as_words, separator, is_print):
    """Write accidentals in words, in print or in letters."""
    if as_words and text:
        return separator + {"#": "sharp", "b": "flat"}[text]
    return text.replace("#", "♯").replace("b", "♭") if is_print else text


def _with_article(sentence, match, text):
    """Put a text in a match's place, the article before it as it is spoken: "an A minor", "a B minor"."""
    head, tail = sentence[: match.start()], sentence[match.end() :]
    article = re.search(r"\b([Aa])n? $", head)
    if article and (head[-3:-1].lower() == "an") == (match["root"] in "AEFaef"):
        head = head[: article.start()] + article[1] + ("n " if text[0] in "AEFaef" else " ")
    return head + text + tail
