"""Tempo and times that a sentence states, moved with a change of tempo where they stand."""

import re

from musicbench.build.clauses import without_clause
from musicbench.music.meters import Meter
from musicbench.music.normalise import normalised
from musicbench.music.tempo import BETWEEN_TEMPO_WORDS, TEMPO_WORDS, beats_counted, tempo_word, word_tempo
from musicbench.prompt.facts import Stated
from musicbench.prompt.meters import read_meter_stated
from musicbench.prompt.reading import Reading
from musicbench.prompt.rewording import reworded
from musicbench.prompt.temponumbers import tempi_in_numbers

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_WORDS = re.compile(rf"\b(?:{'|'.join([*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS])})\b", re.IGNORECASE)
_BEFORE_TEMPO_WORDS = re.compile(rf"\b([Aa])n? (?=({_WORDS.pattern}))", re.IGNORECASE)
_LOOSE = re.compile(
    r"(?<=\bat )(?:about |around |roughly )?\d{2,3}\b(?! ?(?:k?hz|%|[:/]|years?|o'clock))|\b\d{2,3}(?=[- ](?:pulse|groove|tempo|pace)\b)",
    re.IGNORECASE,
)
_LASTING = re.compile(  # how long all of it is, and times in words
    r"\b(?:lasts?|lasting|runs? for|goes on for|length of|duration (?:of|is)|duration:) (?:about |around |over )?"
    r"\d+(?:[.,:]\d+)? ?-?(?:s|secs?|seconds?|min|minutes?)?\b"
    r"|\b\d+(?:[.,]\d+)?[- ]?(?:s|secs?|seconds?|min|minutes?)[- ](?:long\b|in length\b)|\b\d+(?:[.,]\d+)?-(?:second|minute)s?\b"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half a|a few|several|a couple of) (?:seconds?|minutes?)\b"
    r"|(?<!beats )(?<!times )(?<!quarters )\ba minute\b|\bone second\b",
    re.IGNORECASE,
)
_LENGTH_BEFORE_A_NOUN = re.compile(r"\b(an?) \d+(?:[.,]\d+)?[- ](?:second|minute|sec|min)(?:[- ]long)? (?=[a-z])", re.IGNORECASE)
_TIME = re.compile(
    r"(?<![\d.:])(?:(?P<clock>\d{1,2}:[0-5]\d)(?!\d)"
    r"|(?P<number>\d+(?:\.\d+)?)(?P<unit>[- ]?(?:seconds?|secs?|minutes?|mins?)\b|(?<!0) ?s\b|(?<=0) s\b)"
    r"|(?<=second )(?P<at>\d+(?:\.\d+)?))",
    re.IGNORECASE,
)
_MIDWAY = re.compile(
    r"\b(?P<before>until |up to |till |from |after |at )?(?:about )?(?:mid-?way|half-?way|half way)"
    r"(?: through(?: (?:the|this) (?:song|piece|track|clip|music))?)?(?P<on> on(?:wards?)?)?\b"
)
_SLOW, _FAST = 75, 125  # people's beats a minute: a fast piece is not below the one, a slow one not above the other; from
_FROM_SLOW, _FROM_FAST = 95, 105  # where the word was true, at most and at least
_OPPOSITE = {
    "slow": "fast", "slowly": "fast", "slow-paced": "fast-paced", "leisurely": "brisk", "unhurried": "brisk", "sluggish": "brisk",
    "fast": "slow", "fast-paced": "slow-paced", "quick": "slow", "rapid": "slow", "uptempo": "slow", "up-tempo": "slow",
    "upbeat": "slow", "brisk": "slow", "quickly": "slowly", "rapidly": "slowly", "speedy": "slow",
}  # fmt: skip
_PACE = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(_OPPOSITE, key=len, reverse=True))})(?![\w-])(?! (?:down|up|build|fade))", re.IGNORECASE
)


class Stretch:
    """One change of tempo: its rate, the tempo and meter heard before it, and how long a clip is."""

    def __init__(self, rate: float, bpm: float | None, meter: Meter | None, clip_s: float):
        self.rate, self.bpm, self.meter, self.clip_s = rate, bpm, meter, clip_s

    def __call__(self, sentence: str, stated: Stated) -> str:
        """Return a sentence that states what `stated` has with tempo and times moved, "" where nothing of it holds."""
        if stated.tempo is not None:
            sentence = self._tempi(sentence, stated)
        if stated.dynamics and stated.dynamics.turn_s is None:
            sentence = _MIDWAY.sub(self._midway, sentence)
        if stated.tempo is None:
            sentence = _LOOSE.sub(lambda match: self._numbers(match[0], stated), sentence)
        sentence = _PACE.sub(self._pace, sentence)
        sentence = _LENGTH_BEFORE_A_NOUN.sub(lambda match: match[1] + " ", sentence)
        sentence = _fitting_articles(without_clause(sentence, _LASTING))
        beyond = re.compile("\0")
        return without_clause(_TIME.sub(self._time, sentence), beyond)

    def _tempi(self, sentence, stated):
        """Move every tempo in numbers, then the words; a number that only the whole prompt shows to be the tempo too."""
        plain = reworded(normalised(sentence))[0]
        reading = Reading.of(plain)
        meter = read_meter_stated(reading)
        spans = [(reading.tokens[first].start, reading.tokens[end - 1].end) for first, end, *_ in tempi_in_numbers(reading, meter)]
        if not spans and stated.tempo_word is None:
            found = re.search(rf"(?<![\d.]){stated.tempo:g}(?![\d.])", plain)
            spans = [found.span()] if found else []
        if spans and len(plain) != len(sentence):
            sentence = plain
        for start, end in reversed(spans):
            sentence = sentence[:start] + self._numbers(plain[start:end], stated) + sentence[end:]
        return _fitting_articles(_WORDS.sub(self._word, sentence))

    def _numbers(self, said, stated):
        if not _NUMBER.search(said) or re.search(r"\d0s\b|\bodd\b|something", said):  # in words, "low 120s"
            return f"{round(stated.tempo * self.rate)} bpm"
        return _NUMBER.sub(lambda match: f"{round(float(match[0].replace(',', '.')) * self.rate)}", said)

    def _word(self, match):
        """Return the tempo word of the copy: from the tempo that was heard where it agrees with the word, else from the word."""
        word = match[0]
        usual = word.lower() not in BETWEEN_TEMPO_WORDS
        heard = (self.bpm / beats_counted(self.meter), self.bpm) if self.bpm else ()
        agreeing = [bpm for bpm in heard if tempo_word(bpm).lower() == word.lower()]
        before = agreeing[0] if agreeing else word_tempo(word)
        if tempo_word(before) == tempo_word(before * self.rate) or (not usual and abs(self.rate - 1) < 0.08):
            return word
        moved = tempo_word(before * self.rate)
        return moved if word[0].isupper() else moved.lower()

    def _pace(self, match):
        """Turn "slow" into "fast" where the copy has become that, and the other way."""
        pace = self.bpm / beats_counted(self.meter) if self.bpm else None
        is_slow = match[0].lower() in ("slow", "slowly", "slow-paced", "leisurely", "unhurried", "sluggish")
        if pace is None or (pace > _FROM_SLOW if is_slow else pace < _FROM_FAST):
            return match[0]
        if pace * self.rate > _FAST if is_slow else pace * self.rate < _SLOW:
            word = _OPPOSITE[match[0].lower()]
            return word.capitalize() if match[0][0].isupper() else word
        return match[0]

    def _midway(self, match):
        at, before = f"{_rounded(self.clip_s / 2)} seconds", match["before"] or ""  # `_time` moves it
        if before == "from " or match["on"]:
            return f"from {at} on"
        return f"{before or 'at '}{at}"

    def _time(self, match):
        """Divide a time by the rate; one that leaves the clip becomes the sign \\0."""
        if match["clock"]:
            minutes, seconds = map(int, match["clock"].split(":"))
            total = 60 * minutes + seconds
            moved = round(total / self.rate)
            return "\0" if total <= self.clip_s < moved else f"{moved // 60}:{moved % 60:02d}"
        number = float(match["number"] or match["at"])
        is_seconds = not match["unit"] or "m" not in match["unit"].lower()
        if is_seconds and number <= self.clip_s <= number / self.rate:
            return "\0"
        unit = match["unit"] or ""
        moved = _rounded(number / self.rate)
        if moved != "1" and re.fullmatch(" (?:second|minute)", unit):
            unit += "s"
        return moved + unit


def _rounded(seconds):
    return f"{round(seconds, 1):g}"


def _fitting_articles(text):
    """Return a text whose articles before tempo words are as these are spoken: "an allegro", "a vivace"."""
    return _BEFORE_TEMPO_WORDS.sub(lambda match: f"{match[1]}{'n' if match[2][0] in 'Aa' else ''} ", text)
