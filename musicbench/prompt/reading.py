"""A prompt while it is read: its tokens, what the rules have used of them, and what they note."""

from dataclasses import dataclass, field
from functools import cached_property

from musicbench import quoted
from musicbench.music.lexer import tokens_of


@dataclass
class Reading:
    """A text's tokens, which of them a rule has used, and the notes: (name of the control, what is played otherwise and why)."""

    text: str
    tokens: list
    used: set = field(default_factory=set)
    notes: dict = field(default_factory=dict)  # keys only: in order, each once
    searched: dict = field(default_factory=dict)
    lengths: dict = field(default_factory=dict)  # bars of the section whose first chord stands at a place
    each: tuple | None = None  # (count, unit) that each chord lasts where they share a length
    is_compound: bool = False  # the meter was written in eighths and is counted in dotted beats

    @classmethod
    def of(cls, text):
        """Read the tokens of a text that is `normalised`."""
        return cls(text, tokens_of(text))

    @cached_property
    def _sentences(self):
        """(first, end) of the sentence of each token, of one more for the end of the text."""
        bounds, first = [], 0
        for i in range(len(self.tokens) + 1):
            if i == len(self.tokens) or self._is_stop(i):
                bounds += [(first, i)] * (i + 1 - first)
                first = i + 1
        return bounds

    def use(self, first, end):
        self.used.update(range(first, end))

    def note(self, name, text):
        self.notes[name, text] = True

    def words(self, first, end):
        """Return the text from one token to before another."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]

    def kind(self, i):
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else "END"

    def value(self, i):
        """Return a token's value, a word in small letters; None outside the text."""
        return self.tokens[i].value if 0 <= i < len(self.tokens) else None

    def word(self, i):
        """Return a word in small letters, "" for what is no word."""
        return self.tokens[i].value if self.kind(i) == "WORD" else ""

    def ends(self, i):
        """Return whether a phrase ends before token `i`."""
        if self.kind(i) == "GAP" and self.tokens[i].text not in ',;"':
            return i == 0 or self.tokens[i - 1].end < self.tokens[i].start  # D&B, B-movie
        return self.kind(i) in _PHRASE_ENDS

    def sentence(self, i):
        """Return (first, end) of the sentence around token `i`."""
        return self._sentences[i]

    def says(self, i, pattern):
        """Return the match of a compiled pattern in the sentence around token `i`, None where there is none."""
        first, end = self._sentences[i]
        if (pattern, first) not in self.searched:
            self.searched[pattern, first] = pattern.search(self.words(first, end)) if first < end else None
        return self.searched[pattern, first]

    def _is_stop(self, i):
        return self.kind(i) == "LINE" or (self.kind(i) == "STOP" and self.tokens[i].text in ".!?")

    def is_denied(self, i):
        """Return whether a word such as "not" stands before token `i` in its phrase, with three words between at most."""
        for j in range(i - 1, max(i - 5, -1), -1):
            if self.word(j) in _DENIALS or (j == i - 1 and self.word(j) in ("no", "without")):
                return True
            if self.word(j) == "but" and self.word(j - 1) in _ANYTHING:  # "anything but"
                return True
            is_turn = self.word(j) in ("but", "more") or (self.word(j) == "use" and self.word(j - 1) not in _DENIALS)
            if self.ends(j) or is_turn:
                return False
        return False


_DENIALS = {"not", "never", "avoid", "instead", "don't", "dont", "unlike", "than", "except"}
_ANYTHING = {"anything", "everything", "any", "all", "every", "whatever"}
_PHRASE_ENDS = set("END GAP STOP LINE RIGHT BAR".split())


CHORD_WORDS = set("chord chords progression progressions harmony changes sequence".split())
# Styles, pieces and players that a key or a tempo stands beside.
OF_MUSIC = set(
    """
    blues ballad waltz song piece tune track jam groove loop vibe melody progression arpeggio arpeggios piano guitar strings scale key
    pentatonic techno house trance trap lofi pop rock jazz funk soul reggae folk metal punk ambient drone march sonata etude prelude
    fugue concerto nocturne minuet hymn lullaby riff solo vamp beat swing shuffle tango samba bossa symphony quartet organ harp synth
    worship gospel trio duo band combo flute violin cello viola sax saxophone trumpet clarinet oboe choir bass drums banjo ukulele mandolin
    fiddle harmonica accordion marimba vibraphone bells keys keyboard pad pads lead acoustic electric rhodes horns brass orchestra
    waltz jig reel polka bluegrass cinematic classical baroque romantic lo-fi chill chillhop instrumental backing bossa indie
    """.split()
)


def left_out(said, played):
    """Say that something a prompt says is not played."""
    return f"{quoted(said)} in the prompt is left out; {played} is played"
