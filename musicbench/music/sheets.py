"""What stands around the chords of a line or sheet: tempo, meter, key, capo, style, playing marks, ChordPro, lyrics, tablature."""

import re
from dataclasses import dataclass

from musicbench import InputError, quoted
from musicbench.music.chords import foreign_name
from musicbench.music.keys import Key
from musicbench.music.lexer import tokens_of
from musicbench.music.meters import Meter, read_meter
from musicbench.music.sections import FILLERS, REPEAT_WORDS, SECTIONS, SILENT_WORDS, section_marks
from musicbench.music.sheetfacts import FACT_WORDS, STYLES, fact_at, facts_from, has_numbers, is_content, key_heading, stands_alone
from musicbench.music.tokens import symbol_of


@dataclass(frozen=True)
class Sheet:
    """A chord line without what stands around it. `text` is as long as before, blanks in place of what was taken out.

    tempo: bpm or a tempo word, or None. meter_is_counted: it was not said, but counted. notes: what is left out, or counted otherwise, and why.
    """

    text: str
    tempo: float | str | None = None
    meter: Meter | None = None
    key: Key | None = None
    notes: tuple = ()
    meter_is_counted: bool = False


def sheet_of(text):
    """Read what stands around the chords of a text that is `normalised`."""
    sheet = _Reader(text)
    sheet.read_directives()
    sheet.read_fret_shapes()
    sheet.read_lines()
    sheet.read_facts()
    sheet.read_key_heading()
    sheet.read_playing_marks()
    return Sheet(sheet.text, sheet.tempo(), sheet.facts.get("meter"), sheet.facts.get("key"), tuple(sheet.notes))


class _Reader:
    """A text while it is read: each step takes out what it has read, and notes what is left out."""

    def __init__(self, text):
        self.text, self.facts, self.notes = text, {}, []

    def take_out(self, start, end):
        """Put blanks in place of a part of the text, line ends apart."""
        self.text = self.text[:start] + re.sub(r"[^\n]", " ", self.text[start:end]) + self.text[end:]

    def take_out_all(self, spans):
        """Put blanks in place of parts of the text that rise and do not overlap."""
        pieces, done = [], 0
        for start, end in spans:
            pieces += [self.text[done:start], re.sub(r"[^\n]", " ", self.text[start:end])]
            done = end
        self.text = "".join([*pieces, self.text[done:]])

    def leave_out(self, said, why):
        """Note parts of the text that are not used."""
        if said:
            shown = ", ".join(quoted(part) for part in said[:4]) + (f" and {len(said) - 4} more" if len(said) > 4 else "")
            self.notes.append(f"{shown} in the chord line {'are' if len(said) > 1 else 'is'} left out; {why}")

    def state(self, name, value, said):
        """Keep a fact. What is said again otherwise is noted, as is what no caller can use."""
        if name in _UNUSED:
            self.leave_out([said], _UNUSED[name])
        elif name == "meter":
            try:
                value, note = read_meter(value)
            except InputError as error:
                self.leave_out([said], str(error))
                return
            self.notes += [note] if note and "meter" not in self.facts else []
            self._state(name, value, said)
        elif name != "nothing":
            self._state(name, value, said)

    def tempo(self):
        """Return the tempo in counted beats: eighths in 6/8, dotted quarters where 12/8 is counted so."""
        if "tempo" in self.facts or "quarters" not in self.facts:
            return self.facts.get("tempo")
        unit = self.facts["meter"].unit if "meter" in self.facts else 4
        is_dotted = any("dotted beats" in note for note in self.notes)
        return self.facts["quarters"] / 1.5 if is_dotted else self.facts["quarters"] * unit / 4

    def _state(self, name, value, said):
        if self.facts.setdefault(name, value) != value:
            self.leave_out([said], f"the {name} does not change within a clip, {_written(self.facts[name])} is played")

    # -------------------------------------------------------------------------------------------- ChordPro

    def read_directives(self):
        """Read {key: G} and the like; a comment that names a section becomes its mark."""
        self.text = _TAB_PART.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), self.text)
        spans, left_out, again = [], [], []
        for match in _DIRECTIVE.finditer(self.text):
            name, value = "_".join(match[1].lower().split()), (match[2] or "").strip()
            said = " ".join(match[0].strip("{} ").split())
            fact = fact_at(tokens_of(f"{_FACT_NAMES.get(name, '')} {value}"), 0) if value else None
            if name in ("comment", "c", "ci", "comment_italic") and SECTIONS & set(re.findall("[a-z-]+", value.lower())):
                mark = f"[{value}]"
                if len(mark) <= len(match[0]):
                    self.text = self.text[: match.start()] + mark.ljust(len(match[0])) + self.text[match.end() :]
                continue
            if not value and name not in _BARE_DIRECTIVES and not name.startswith(("start_of", "end_of")):
                continue  # {Intro}
            spans.append(match.span())
            if fact:
                self.state(fact[0], fact[1], said)
            elif name == "chorus":
                again.append(said)
            elif value and not name.startswith("start_of"):
                left_out.append(said)
        self.take_out_all(spans)
        self.leave_out(left_out, "it is no chord")
        self.leave_out(again, "write the chords of the chorus again where it comes again")

    # -------------------------------------------------------------------------------------------- lines

    def read_fret_shapes(self):
        """Take out how a guitar fingers a chord: x32010."""
        shapes = list(_FRET_SHAPE.finditer(self.text))
        self.leave_out([match[0] for match in shapes], "write a fret shape's chord by name")
        self.take_out_all([match.span() for match in shapes])

    def read_lines(self):
        """Take out lyrics between [C] and [F], lines of lyrics and of tablature, and the label before a line's colon."""
        lines, at = [], 0
        for line in self.text.split("\n"):
            lines.append((at, line, tokens_of(line)))
            at += len(line) + 1
        has_chords = any(_chords(tokens) for _, _, tokens in lines)
        lyrics, tabs, labels = [], [], []
        for start, line, tokens in lines:
            if _TAB_LINE.match(line):
                tabs.append((start, start + len(line)))
            elif between := _between_brackets(line):
                lyrics += [(start + a, start + b) for a, b in between]
            elif has_chords and len(lines) > 1 and _is_words(tokens):
                self._state_facts_in_words(start, tokens)
                lyrics.append((start, start + len(line)))
            elif end := _label_end(tokens):
                labels.append((start, start + end))
        said = [" ".join(self.text[a:b].split()) for a, b in lyrics]
        said = [part for part in said if re.search(r"\w", part) and not symbol_of(part.strip("[]"))]
        self.leave_out(said, "a chord line has no words")
        self.leave_out(["tablature"] if tabs else [], "write the chords")
        self.leave_out([self.text[a:b].strip(" :") for a, b in labels], "words go into the prompt")
        self.take_out_all(sorted([*lyrics, *tabs, *labels]))

    def _state_facts_in_words(self, start, tokens):
        """Keep the tempo, meter and so on of a line of words: "My song (140 bpm)"; "in G" and "presto" are words there."""
        i = 0
        while i < len(tokens):
            fact = fact_at(tokens, i) if tokens[i].kind != "WORD" or tokens[i].value in FACT_WORDS else None
            if fact:
                self.state(fact[0], fact[1], self.text[start + tokens[i].start : start + tokens[fact[2] - 1].end])
            i = fact[2] if fact else i + 1

    # -------------------------------------------------------------------------------------------- facts

    def read_facts(self):
        """Read tempo, meter, key and the like where a line begins or ends with them; between chords they stay, and are refused."""
        spans, tokens = [], tokens_of(self.text)
        ends = [i for i, token in enumerate(tokens) if token.kind == "LINE"] + [len(tokens)]
        first = 0
        marks = dict(section_marks(tokens))
        is_key_alone = has_numbers(self.text) or sum(token.kind == "ROMAN" for token in tokens) > 1
        for end in ends:
            found, at = facts_from(tokens, first, end, marks, is_key_alone)
            is_whole = at == end
            if found and (is_whole or not any(is_content(t) for t in tokens[: found[0][2]])):
                spans += self._use(tokens, found)
            if not is_whole and end == len(tokens):
                for i in range(max(at, end - 12), end):
                    found, reached = facts_from(tokens, i, end, marks, is_key_alone=False, is_tail=True)
                    if found and found[0][2] == i and reached == end and stands_alone(tokens, i):
                        spans += self._use(tokens, found)
                        break
            first = end + 1
        self.take_out_all(spans)

    def read_key_heading(self):
        """Read a key that stands before all chords."""
        tokens = tokens_of(self.text)
        start = next((i for i, token in enumerate(tokens) if token.kind != "LINE"), 0)
        heading = key_heading(tokens[start:])
        if heading:
            key, end = heading
            self.state("key", key, str(key))
            self.take_out(tokens[start].start, tokens[start + end - 1].end)

    def _use(self, tokens, found):
        """Keep facts [(name, value, first, end), ...], and return the places of what says them."""
        spans, styles = [], []
        for (name, value, first, end), after in zip(found, [*found[1:], None], strict=True):
            said = self.text[tokens[first].start : tokens[end - 1].end]
            if name == "style":
                styles.append(said)
            else:
                self.state(name, value, said)
            while end < len(tokens) and (tokens[end].kind == "STOP" or tokens[end].text in (",", ";", "-", "/")):
                end += 1
            if after and all(token.kind in ("WORD", "GAP", "STOP") for token in tokens[end : after[2]]):  # in A minor AT 90 bpm
                end = after[2]
            if first and end < len(tokens) and tokens[first - 1].kind == "LEFT" and tokens[end].kind == "RIGHT":
                first, end = first - 1, end + 1
            spans.append((tokens[first].start, tokens[end - 1].end))
        self.leave_out([" ".join(styles)] if styles else [], "a style goes into the prompt")
        return spans

    # -------------------------------------------------------------------------------------------- playing marks

    def read_playing_marks(self):
        """Take out how chords are played: (let ring), (hold), rit., mf, a fermata."""
        signs = [(m.start(), m.end()) for m in re.finditer(r"[𝄐𝄑↓↑⇓⇑⬇⬆]+|(?<=[\w#°ø+)])!(?=[ |])", self.text)]
        named = list(dict.fromkeys(self.text[a:b] for a, b in signs))
        self.take_out_all(signs)
        tokens = tokens_of(self.text)
        in_marks = {i for first, end in section_marks(tokens) for i in range(first, end)}
        spans, said, i = [], [], 0
        while i < len(tokens):
            is_length = i - 1 in in_marks and [t.kind for t in tokens[i : i + 3]] == ["LEFT", "QUANTITY", "RIGHT"]  # Intro (4 bars)
            end = 0 if i in in_marks else _bracketed_words_end(tokens, i) or _playing_end(tokens, i)
            end = i + 3 if is_length else end
            if end:
                said.append(self.text[tokens[i].start : tokens[end - 1].end].strip("() "))
                is_bar = i and end < len(tokens) and tokens[i - 1].kind == tokens[end].kind == "BAR"  # | rit. |
                end += bool(is_bar)
                spans.append((tokens[i].start, tokens[end - 1].end))
            i = end or i + 1
        said = named + list(dict.fromkeys(said))
        self.leave_out(said, "how chords are played goes into the prompt")
        self.take_out_all(spans)


def _written(value):
    return f"{value:g} bpm" if isinstance(value, float) else value


# ---------------------------------------------------------------------------------------------------- ChordPro and lyrics

_DIRECTIVE = re.compile(r"\{ ?([A-Za-z_+-]+(?: [a-z]+){0,2}) ?(?:: ?([^{}\n]*))?\}")
_TAB_PART = re.compile(r"\{ ?(?:sot|start[_ ]of[_ ]tab)\b[^{}\n]*\}.{0,5000}?\{ ?(?:eot|end[_ ]of[_ ]tab) ?\}", re.DOTALL)
_FACT_NAMES = {
    "key": "key", "tempo": "tempo", "time": "time", "capo": "capo", "transpose": "transpose", "meta": "", "comment": "", "c": "", "ci": ""
}  # fmt: skip
_BARE_DIRECTIVES = set("soc eoc sov eov sob eob sog eog sot eot chorus np npp cb colb column_break new_page new_song ns".split())
_FRET_SHAPE = re.compile(r"(?<![\w.:/-])(?=[\dxX-]*[xX0])(?:[\dxX]{6}|(?:[xX]-|\d{1,2}-){5}(?:[xX]|\d{1,2}))(?![\w:/-])")
_TAB_LINE = re.compile(r" ?[A-Ge]?[b#]? ?\|[-\d hpbrx~/\\|()sv^*.]*-{2}[-\d hpbrx~/\\|()sv^*.]*$")
_BRACKET = re.compile(r"\[([^\[\]]{1,40})\]")
_UNSURE = {"A", "Am", "I", "a", "am", "i", "be", "do", "so", "add"}  # chords or words


def _chords(tokens):
    return [token for token in tokens if token.kind in ("CHORD", "ROMAN", "TIMED") and token.text not in _UNSURE]


def _unknown_words(tokens):
    """Return the tokens that are words, and have no meaning in a chord line."""
    return [
        token
        for token in tokens
        if token.kind == "WORD"
        and token.value not in _KNOWN_WORDS
        and re.search("[A-Za-z]", token.text)
        and not symbol_of(token.text[:1].upper() + token.text[1:])
        and not (token.text[0].isupper() and foreign_name(token.text))
    ]


def _is_words(tokens):
    """Return whether a line is lyrics or a title: it has words, and more of them than chords."""
    words = [token for token in _unknown_words(tokens) if token.value not in _PLAYING]
    if not words or fact_at(tokens, 0) or all(token.value in STYLES for token in words):
        return False
    is_labelled = _label_end(tokens) and any(token.kind in ("CHORD", "ROMAN", "NUMBER", "LIKE") for token in tokens)
    return len(words) > len(_chords(tokens)) and not is_labelled


def _between_brackets(line):
    """Return [(start, end), ...] of the lyrics of "[C]Amazing [F]grace", and of the brackets themselves; [] for other lines."""
    brackets = [match for match in _BRACKET.finditer(line) if symbol_of(match[1].strip())]
    if not brackets:
        return []
    spans, done = [], 0
    for match in [*_BRACKET.finditer(line), None]:
        end = match.start() if match else len(line)
        spans += [(done + m.start(), done + m.end()) for m in re.finditer(r"[^|:%\n]+|:(?!\|)", line[done:end])]
        done = match.end() if match else end
    outside = [token for a, b in spans for token in tokens_of(line[a:b])]
    is_glued = re.search(r"\][A-Za-z']|[a-z]\[", line)
    if not _unknown_words(outside) or (_chords(outside) and not is_glued):
        return []
    edges = [edge for match in brackets for edge in ((match.start(), match.start() + 1), (match.end() - 1, match.end()))]
    return sorted([(a, b) for a, b in spans if line[a:b].strip()] + edges)


def _label_end(tokens):
    """Return the place in the text behind "Autumn Leaves:" at a line's start, 0 where no such label stands there."""
    stop = next((i for i, token in enumerate(tokens[:9]) if token.text == ":" and token.kind == "STOP"), 0)
    label = tokens[:stop]
    if not label or stop + 1 == len(tokens) or any(t.kind not in ("WORD", "GAP", "QUANTITY", "STOP") for t in label):
        return 0
    words = [token for token in _unknown_words(label) if len(token.text) > 2]
    is_known = any(section_marks(label)) or any(fact_at(tokens, i) for i in range(stop))
    return tokens[stop].end if words and not is_known and "or" not in {t.value for t in label} else 0


# ---------------------------------------------------------------------------------------------------- facts over tokens

_UNUSED = {
    "capo": "the chords are played as they are written: write them as they sound",
    "transpose": "the chords are played as they are written: write them as they sound",
    "tuning": "the chords sound as they are written",
}


# ---------------------------------------------------------------------------------------------------- playing marks

_DYNAMICS = set("p pp ppp pppp mp mf ff fff ffff fp sf sfz cresc crescendo decresc decrescendo diminuendo".split())
_PLAYING = _DYNAMICS | set(
    """
    rit ritard ritardando rall rallentando accel accelerando fermata hold ring stop strum strums strumming arp arpeggio arpeggiate
    arpeggiated arpeggios staccato legato tenuto pizz pizzicato choke choked mute muted pm palm-mute palm-muted hit hits stab stabs accent pick
    picked picking fingerpicked fingerstyle fill riff lick fade adlib ad-lib quietly softly loudly gradually tremolo swell slide bend hammer
    pull down up
    """.split()
)
_PLAYING_PAIRS = {
    ("let", "ring"), ("palm", "mute"), ("palm", "muted"), ("a", "tempo"), ("ad", "lib"), ("fade", "out"), ("fade", "in"), ("all", "in"), ("band", "in"),
    ("drums", "in"), ("one", "strum"), ("single", "strum"), ("full", "band"), ("last", "time"), ("colla", "parte"),
}  # fmt: skip
_OTHER_WORDS = {"or", "alt", "x", "times", "joined", "nc", "bar", "bars", "measure", "measures", "half", "whole", "quarter", "note"}
_KNOWN_WORDS = FILLERS | SECTIONS | REPEAT_WORDS | SILENT_WORDS | _OTHER_WORDS


def _bracketed_words_end(tokens, i):
    """Return the place after a bracket that holds words alone, (hold) or (2nd time only); 0 for any other."""
    if tokens[i].text != "(":
        return 0
    end = next((j for j in range(i + 1, min(i + 10, len(tokens))) if tokens[j].kind in ("RIGHT", "LEFT", "BAR", "LINE")), 0)
    inside = tokens[i + 1 : end]
    if not end or tokens[end].kind != "RIGHT" or any(t.kind not in ("WORD", "NUMBER", "STOP", "GAP", "QUANTITY") for t in inside):
        return 0
    values = {token.value for token in inside}
    has_words = bool(_unknown_words(inside)) or values == {"x"}
    is_other = values & {"or", "repeat", "times", "key", "tempo", "meter"} or any(re.fullmatch("[A-Z]", t.text) for t in inside)
    return end + 1 if has_words and not is_other else 0


def _playing_end(tokens, i):
    """Return the place after a playing mark without brackets: let ring, rit., mf; 0 where none stands."""
    token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    if token.kind != "WORD":
        return 0
    if after is not None and (token.value, after.value) in _PLAYING_PAIRS:
        end = i + 2
    elif token.value in _PLAYING and token.value not in ("up", "down"):
        end = i + 1
    else:
        return 0
    return end + (end < len(tokens) and tokens[end].text == "." and tokens[end].kind == "STOP")
