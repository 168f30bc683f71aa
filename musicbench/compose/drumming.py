"""Drums and percussion: a groove drawn line by line, varied, with fills, rolls and cymbals, as hits in time."""

from functools import cache

import numpy as np

from musicbench.compose.grooves import GROOVES
from musicbench.compose.instruments import DRUMS
from musicbench.compose.pieces import Note
from musicbench.compose.rhythms import PHRASES, doubled, lay_out, phrase_of, thinned, varied

FILLS = (  # the last two beats of a bar; drum: pattern
    "snare: x.xx xxxx", "snare: .... xxxx; kick: x... ....", "tom_high: xx.. ....; tom_mid: ..xx ....; tom_low: .... xxxx",
    "snare: xx.. ....; tom_high: ..xx ....; tom_mid: .... xx..; tom_low: .... ..xx", "snare: .... xxx; kick: x... ...", "snare: ..x. x.xx; tom_low: .... .x.x",
    "snare: x..x ..xx; kick: ..x. x...", "tom_low: x.x. xxxx", "snare: xxxxxx xxxxxxxx", "kick: X... ....; crash: X... ....", "snare: .... X.X.; crash: .... ....",
    "tom_high: xxx ...; tom_low: ... xxx", "snare: .... ..xx; open_hat: x... ....",
)  # fmt: skip
PERCUSSION_FILLS = (
    "timbale_high: xxxx xx..; timbale_low: .... ..xx", "conga_high: x.xx xx..; conga_low: .... ..xx", "bongo_high: xxxx ....; bongo_low: .... xxxx",
    "timbale_high: ..xx x.xx",
)  # fmt: skip


@cache
def lines_of(groove):
    """Return [(drum, patterns it may play, whether it always plays)] of a groove."""
    lines = []
    for line in GROOVES[groove].strip().splitlines():
        drum, _, patterns = line.strip().partition(":")
        lines.append((drum.removeprefix("+"), tuple(pattern.strip() for pattern in patterns.split(" / ")), drum[0] != "+"))
    return tuple(lines)


@cache
def drums_of(groove):
    """Return the names of the drums that may play in a groove."""
    return frozenset(drum for drum, _, _ in lines_of(groove))


@cache
def fill_of(text):
    """Return [(drum, pattern)] of a fill."""
    return tuple((drum.strip(), pattern.strip()) for drum, _, pattern in (part.partition(":") for part in text.split(";")))


# ---------------------------------------------------------------------------------------------------- playing

FORCE = {"X": 1.0, "x": 0.8, "o": 0.5, "?": 0.6}
SOFT = {
    "closed_hat": -18,
    "shaker": -22,
    "ride": -16,
    "tambourine": -20,
    "maracas": -20,
    "cabasa": -18,
    "triangle": -24,
    "pedal_hat": -12,
    "guiro_short": -12,
}
TIMEKEEPERS = {"closed_hat", "open_hat", "ride", "shaker", "tambourine", "maracas"}
HAND_DRUMS = {"conga_high", "conga_low", "bongo_high", "timbale_high", "djembe_tone"}
TOM_GROOVES = {"tabla", "gongs", "ceremony", "flamenco", "jig", "reel"}  # without fills of a drum kit


def _draw_lines(piece, rng):
    """Return {drum: four bars of Hits, each for even and odd bars} of a plan's groove: lines and patterns drawn,
    bars varied."""
    layout, drawn = piece.layout, {}
    omitted = max(0.9 - 1.8 * piece.density, 0.0)
    twice = max(1.8 * piece.density - 0.9, 0.0)
    shortest = max(0.45, 0.3 * piece.bpm / 60)
    phrase = str(rng.choice(PHRASES))
    for drum, patterns, is_needed in lines_of(piece.groove):
        if not is_needed and rng.random() > 0.25 + 0.4 * piece.density:
            continue
        pattern = patterns[int(rng.integers(len(patterns)))]

        def one_bar(rng, bar, drum=drum, pattern=pattern):
            hits = varied(lay_out(pattern, layout, bar), layout, rng, piece.loose, "X")
            hits = thinned(hits, rng, omitted, "X")
            return doubled(hits, layout, rng, twice, shortest) if drum in TIMEKEEPERS else hits

        drawn[drum] = phrase_of(lambda rng, one_bar=one_bar: (one_bar(rng, 0), one_bar(rng, 1)), rng, phrase)
    return drawn


def write_drums(piece, beats_needed):
    """Return the strokes of a plan's groove as Notes, in no order; none without drums."""
    if piece.drums is None:
        return []
    rng = np.random.default_rng([piece.seed, 2, 99])
    lines, beats, form = _draw_lines(piece, rng), piece.meter.beats, piece.form
    has_kit = "snare" in drums_of(piece.groove) and piece.groove not in TOM_GROOVES
    notes = []
    for bar in range(int(np.ceil(beats_needed / beats))):
        if form.final_bar is not None and bar >= form.final_bar:
            notes += _final(piece, bar) if bar == form.final_bar else []
            continue
        if form.build and form.build[0] <= bar < form.build[1]:
            notes += _build(piece, bar, rng)
            continue
        after_build = form.build is not None and bar == form.build[1]
        is_fill = form.fills and bar % form.fills == form.fills - 1 and piece.groove not in TOM_GROOVES
        fill = _fill(piece, bar, has_kit, rng) if is_fill else []
        start = min((note.beat for note in fill), default=None)
        for drum, bars in lines.items():
            for hit in bars[bar % 4][bar % 2]:
                at = bar * beats + hit.onset
                if (start is None or at < start - 1e-6) and (hit.sign != "?" or rng.random() < 0.5):
                    notes.append(_stroke(piece, at, drum, FORCE[hit.sign], rng))
        notes += fill
        after_fill = form.fills and bar and bar % form.fills == 0
        if has_kit and (after_build or (after_fill and rng.random() < 0.35 + 0.5 * piece.energy)):
            notes.append(_stroke(piece, bar * beats, "crash" if piece.energy > 0.3 else "ride", 0.9, rng))
    return notes


def _stroke(piece, beat, drum, force, rng):
    accent = 6 if beat % piece.meter.beats == 0 else 0
    velocity = 100 * force + SOFT.get(drum, 0) * force + accent + int(rng.integers(-5, 6))
    return Note(round(float(beat), 4), 0.2, DRUMS[drum], int(min(max(velocity, 8), 127)), "drums", drum=drum)


def _fill(piece, bar, has_kit, rng):
    """Return the strokes of a fill in the last two pulses of a bar."""
    choices = FILLS if has_kit else PERCUSSION_FILLS if HAND_DRUMS & drums_of(piece.groove) else ()
    cells = piece.layout.cells[-2:]
    if not choices or len(cells) < 2:
        return []
    lines, notes = fill_of(choices[int(rng.integers(len(choices)))]), []
    for drum, pattern in lines:
        for (start, length), word in zip(cells, pattern.split(), strict=True):
            for i, sign in enumerate(word):
                if sign in FORCE:
                    at = bar * piece.meter.beats + start + length * i / len(word)
                    notes.append(_stroke(piece, at, drum, FORCE[sign] * (0.8 + 0.1 * i / len(word)), rng))
    return notes


def _build(piece, bar, rng):
    """Return the strokes of a bar that leads up to something: a roll that gets denser, and kicks until the last bar."""
    first, last = piece.form.build
    steps = (1, 2, 4)[min(int(3 * (bar - first + 0.5) / (last - first)), 2)]
    drum = "snare" if "snare" in drums_of(piece.groove) or not HAND_DRUMS & drums_of(piece.groove) else "conga_high"
    drum = drum if piece.drums.source[1] != 0 else "tom_low"
    notes = []
    for start, length in piece.layout.cells:
        for i in range(steps):
            at = bar * piece.meter.beats + start + length * i / steps
            done = (at / piece.meter.beats - first) / (last - first)
            notes.append(_stroke(piece, at, drum, 0.45 + 0.5 * done, rng))
        if bar < last - 1:
            notes.append(_stroke(piece, bar * piece.meter.beats + start, "kick", 0.9, rng))
    return notes


def _final(piece, bar):
    """Return the last strokes: what of the groove is struck at once, and a cymbal."""
    names = drums_of(piece.groove)
    struck = [drum for drum in ("kick", "surdo_low", "conga_low", "tom_low", "taiko", "djembe_bass", "tabla_ge") if drum in names][
        :1
    ]
    struck += ["crash"] if "snare" in names or "crash" in names else []
    rng = np.random.default_rng([piece.seed, 2, 98])
    return [_stroke(piece, bar * piece.meter.beats, drum, 0.95, rng) for drum in struck]
