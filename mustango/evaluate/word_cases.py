"""What is asked in words: instruments, moods, contradictions, silences, drawn by seed; is what was heard right?"""

from dataclasses import dataclass, replace

import numpy as np

from musicbench import InputError
from musicbench.compose.compose import caption, describe, plan
from musicbench.compose.drumming import drums_of
from musicbench.compose.styles import MOODS
from musicbench.music.annotation import spans
from musicbench.music.chords import NO_CHORD
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression, beat_grid
from mustango.evaluate.testsets import DURATION_S, Case, composed_case, composed_piece
from mustango.hear.metrics import Target, beats_f_measure
from mustango.hear.obeyed import matched_share

INSTRUMENTS = ("piano", "distorted guitar", "organ", "strings", "brass section", "choir")
# Mood words' pair: what the composer changes for them, and what is measured; the second word asks for more of it.
PAIRS = {
    ("calm", "energetic"): ("energy", (0.12, 0.88), "loudness"),
    ("sparse", "busy"): ("density", (0.12, 0.88), "onsets a second"),
    ("dark", "bright"): ("register", (-1, 1), "spectral centroid"),
}
# below them lie 86 of 88 composed breaks, 45 of 49 drums alone, none of 29 other pieces
BREAK_DB, ALONE_DB = -10.0, -12.0
NOTHING = Target(duration_s=DURATION_S)


def instrument_cases(seed, count):
    """Draw composed cases whose chords are played by one of INSTRUMENTS, equally many of each: [(case, piece)]."""
    left = {name: -(-count // len(INSTRUMENTS)) for name in INSTRUMENTS}
    found, index = [], 0
    while len(found) < count:
        case = composed_case(seed, index)
        piece = composed_piece(case)
        if left.get(piece.comping) and piece.comping in case.prompt:
            left[piece.comping] -= 1
            found.append((replace(case, id=f"instrument-{len(found):04d}"), piece))
        index += 1
    return found


def drums_asked(prompt):
    """Return whether a composer's prompt asks for drums or for none; None when it does not say."""
    text = prompt.lower()
    if "no drums" in text or "without drums" in text:
        return False
    return True if "drum" in text or "percussion" in text else None


def at_tempo(seed, index, tempo):
    """Draw a composed case and give it another tempo.

    It is the first from `index` on, by steps of 5,000, whose chords still fit.
    """
    while True:
        case = composed_case(seed, index)
        case = replace(case, controls=case.controls | {"tempo": tempo})
        progression = Progression.parse(case.controls["chords"], Meter.parse(case.controls["meter"]))
        try:
            progression.lay_out(tempo, DURATION_S)
            return case
        except InputError:
            index += 5000


def mood_cases(seed, count):
    """Draw `count` pairs for each of PAIRS: [(pair, less, more)], less and more each a (case, piece).

    The two prompts differ in one word. The tempo lies between calm and energetic, so that it does not gainsay either.
    """
    drawn = []
    for number, (moods, (field, values, _)) in enumerate(PAIRS.items()):
        for index in range(count):
            rng = np.random.default_rng([seed, number, index, 17])
            case = at_tempo(seed, 10_000 * (number + 1) + index, int(rng.integers(86, 110)))
            piece = composed_piece(case)
            drums = ", no drums" if piece.groove == "none" else " with drums"
            pair = []
            for mood, value in zip(moods, values, strict=True):
                prompt = f"{rng.choice(MOODS[mood])} {piece.comping or piece.lead or piece.bass} {piece.style}{drums}"
                name = f"{mood}-{index:03d}"
                pair.append((replace(case, id=name, prompt=prompt), replace(piece, **{field: value})))
            drawn.append((moods, *pair))
    return drawn


def contradictions(seed, count):
    """Draw cases whose prompt gainsays the controls: [(case, piece, what, gainsaid)], half in tempo, half in chords.

    gainsaid: the prompt's tempo, or its chords (a Progression).
    """
    drawn = []
    for index in range(count):
        rng = np.random.default_rng([seed, index, 19])
        instrument = rng.choice(["piano", "acoustic guitar", "organ", "strings"])
        sort = f"{instrument} {rng.choice(['pop', 'rock', 'ballad', 'jazz'])}"
        if index % 2:
            slow, fast = int(rng.integers(60, 76)), int(rng.integers(140, 171))
            asked, said, word = (fast, slow, "slow") if index % 4 == 1 else (slow, fast, "fast")
            case = replace(at_tempo(seed, 50_000 + index, asked), prompt=f"{word} {sort}, {said} bpm")
            what, gainsaid = "tempo", said
        else:
            up = int(rng.choice([1, 3, 6, 8, 11]))
            case = composed_case(seed, 50_000 + index)
            progression = Progression.parse(case.controls["chords"], Meter.parse(case.controls["meter"]))
            bars = tuple(tuple((chord.transposed(up), beats) for chord, beats in bar) for bar in progression.bars)
            what, gainsaid = "chords", Progression(bars=bars)
            names = dict.fromkeys(chord.lead_sheet() for bar in bars for chord, _ in bar)
            case = replace(case, prompt=f"{sort}. The chords are {', '.join(names)}.")
        case = replace(case, id=f"{what}-{index:03d}")
        drawn.append((case, composed_piece(case), what, gainsaid))
    return drawn


def control_wins(case, piece, what, gainsaid, heard):
    """Return 1.0 when a judge hears more of what was given than of what the prompt says, else 0.0."""
    if what == "tempo":
        given, said = (beat_grid(bpm, piece.meter, DURATION_S)[0] for bpm in (case.controls["tempo"], gainsaid))
        return float(beats_f_measure(given, heard.beat_times) > beats_f_measure(said, heard.beat_times))
    bpm = case.controls["tempo"]
    shares = [
        matched_share(*p.lay_out(bpm, DURATION_S), heard.chords, heard.chord_times, DURATION_S)
        for p in (piece.progression, gainsaid)
    ]
    return float(shares[0] > shares[1])


def silences(seed, count):
    """Draw `count` pieces with a break and as many for drums alone: [(case, piece, what)].

    The chords of breaks are given, with N for none; that only drums are to play is said by the prompt alone.
    """
    left, drawn, rng = {"a break": count, "drums alone": count}, [], np.random.default_rng([seed, 23])
    while any(left.values()):
        number = int(rng.integers(10**9, 2**31))
        piece = plan(number, lead_in=False)
        bars = piece.progression.bars
        what = "a break" if piece.voices else "drums alone"
        if not piece.voices and "snare" not in drums_of(piece.groove):
            continue  # skins struck by hand have a pitch
        loop_s = len(bars) * piece.meter.beats * 60 / piece.bpm
        if not left[what] or NO_CHORD not in piece.progression.chords or (piece.voices and not 4 < loop_s < DURATION_S):
            continue
        line = " | ".join(" ".join(f"{chord.lead_sheet()}:{beats:g}" for chord, beats in bar) for bar in bars)
        controls = {"tempo": piece.bpm, "meter": str(piece.meter)} | ({"chords": line} if piece.voices else {})
        left[what] -= 1
        name = f"{what.replace(' ', '-')}-{left[what]:03d}"
        drawn.append((Case(name, caption(describe(piece), rng), NOTHING, NOTHING, controls, number), piece, what))
    return drawn


def only_drums_heard(piece, power):
    """Return 1.0 when only drums are heard where nothing else should be, by `tone`'s power (2, frames), else 0.0."""
    held, total = power
    if not piece.voices:
        return float(10 * np.log10(held.sum() / total.sum()) < ALONE_DB)
    chords, times = piece.progression.lay_out(piece.bpm, DURATION_S, whole=False)
    frames = np.arange(len(held)) * DURATION_S / len(held)
    silent = np.zeros(len(held), bool)
    for chord, (start_s, end_s) in zip(chords, spans(times, DURATION_S), strict=True):
        if chord.root is None:
            silent |= (frames >= start_s + 0.35) & (frames < end_s - 0.05)  # what was struck before may ring out
    return float(10 * np.log10((held[silent].mean() + 1e-9) / held[~silent].mean()) < BREAK_DB)


@dataclass(frozen=True)
class WordCases:
    """All cases of an evaluation of words, as the functions above draw them."""

    instruments: list
    pairs: list
    contradictions: list
    silences: list

    @classmethod
    def drawn(cls, seed, count):
        """Draw `count` instruments, an eighth of it pairs of each of PAIRS and silences, a quarter contradictions."""
        return cls(
            instrument_cases(seed, count),
            mood_cases(seed, count // 8),
            contradictions(seed, count // 4),
            silences(seed, count // 8),
        )

    @property
    def pieces(self):
        """Return {id: (case, piece)} of all of them."""
        pairs = (one for _, *both in self.pairs for one in both)
        drawn = [*self.instruments, *pairs, *self.contradictions, *self.silences]
        return {case.id: (case, piece) for case, piece, *_ in drawn}

    @property
    def kinds(self):
        """Return {what is measured: [ids of the cases that need it]}."""
        return {
            "timbre": [case.id for case, _ in self.instruments],
            "measures": [case.id for _, *both in self.pairs for case, _ in both],
            "heard": [case.id for case, *_ in self.contradictions],
            "tone": [case.id for case, *_ in self.silences],
        }
