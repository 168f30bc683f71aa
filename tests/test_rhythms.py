"""Patterns as text fit every meter, and variation keeps them in the bar."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicbench.compose.drumming import FILLS, PERCUSSION_FILLS, fill_of, lines_of
from musicbench.compose.grooves import GROOVES
from musicbench.compose.instruments import DRUMS
from musicbench.compose.playing import BASSES, CHORDS, pattern_of
from musicbench.compose.rhythms import Hit, doubled, lay_out, layout_of, phrase_of, thinned, varied
from musicbench.music.meters import Meter

METERS = [(Meter(*m), feel) for m in ((4, 4), (3, 4), (2, 4), (5, 4), (6, 8), (7, 8), (5, 8)) for feel in ("even", "triplet")]
WAYS = {"short", "long", "ring", "strum", "roll", "power", "low", "high", "soft", "glide"}


def onsets(pattern, meter, feel="even", bar=0):
    return [hit.onset for hit in lay_out(pattern, layout_of(meter, feel), bar)]


def test_a_pattern_lies_on_the_bar():
    hits = lay_out("x.x. X-.x .... x-xx", layout_of(Meter()))
    assert hits[:3] == (Hit(0.0, 0.25, "x"), Hit(0.5, 0.25, "x"), Hit(1.0, 0.5, "X"))
    assert [hit.onset for hit in hits] == [0, 0.5, 1, 1.75, 3, 3.5, 3.75]
    assert onsets("x | .... ..x. .... ....", Meter(), bar=1) == [1.5]


def test_patterns_fit_other_meters():
    backbeat = ".... x... .... x..."
    assert onsets(backbeat, Meter(3)) == [1, 2] and onsets(backbeat, Meter(2)) == [1]
    assert onsets(backbeat, Meter(6, 8)) == [3] and onsets("x.x. .... x... ....", Meter(6, 8)) == [0, 2]
    assert onsets("x.x. x.x. x.x.", Meter(7, 8)) == [0, 1, 2, 3, 4, 5, 6], "2 + 2 + 3"
    assert onsets("x.x. x... x... x...", Meter(), "triplet") == [0, 0.6667, 1, 2, 3]
    assert onsets("xxxxxx .... .... ....", Meter()) == pytest.approx([i / 6 for i in range(6)], abs=1e-3), "a roll"


@pytest.mark.slow
@pytest.mark.parametrize(("meter", "feel"), METERS, ids=str)
def test_every_pattern_fits_every_meter(meter, feel):
    layout = layout_of(meter, feel)
    patterns = [p for name in CHORDS for p in pattern_of("chords", name)[1]] + [
        p for name in BASSES for p in pattern_of("bass", name)[1]
    ]
    patterns += [p for groove in GROOVES for _, lines, _ in lines_of(groove) for p in lines]
    for pattern in patterns:
        for bar in (0, 1):
            hits = lay_out(pattern, layout, bar)
            ends = [hit.onset + hit.length for hit in hits]
            assert all(0 <= hit.onset < meter.beats and hit.length > 0 for hit in hits), pattern
            assert all(end <= other.onset + 1e-6 for end, other in zip(ends, hits[1:], strict=False)), pattern


def test_the_signs_of_the_tables_are_known():
    for table, names, signs in (("chords", CHORDS, ".-xXotbfm01234567"), ("bass", BASSES, ".-135678wa")):
        for name in names:
            ways, patterns = pattern_of(table, name)
            assert ways <= WAYS and all(set(p) <= set(signs + " |") for p in patterns), name
    for groove in GROOVES:
        for drum, patterns, _ in lines_of(groove):
            assert drum in DRUMS and all(set(p) <= set(".Xxo? |") for p in patterns), groove
    for fill in FILLS + PERCUSSION_FILLS:
        assert all(drum in DRUMS and len(pattern.split()) == 2 for drum, pattern in fill_of(fill))
    assert len(GROOVES) >= 60 and len(CHORDS) >= 70 and len(BASSES) >= 50


@given(st.integers(0, 10**6), st.sampled_from(METERS), st.floats(0, 1))
def test_variations_stay_in_the_bar_and_keep_accents(seed, meter, liveliness):
    layout = layout_of(*meter)
    hits = lay_out("X.x. xoxo x.xx Xx.x", layout)
    changed = varied(hits, layout, np.random.default_rng(seed), liveliness, "X")
    assert {h.onset for h in hits if h.sign == "X"} <= {h.onset for h in changed}
    assert all(h.onset >= 0 and h.onset + h.length <= meter[0].beats + 1e-6 for h in changed)
    assert len({h.onset for h in changed}) == len(changed)
    assert varied(hits, layout, np.random.default_rng(seed), 0.0) == hits


def test_thinning_and_doubling():
    layout, rng = layout_of(Meter()), np.random.default_rng(0)
    hits = lay_out("x.x. x.x. x.x. x.x.", layout)
    assert len(thinned(hits, rng, 1.0)) == 1 and thinned(hits, rng, 0.0) == hits
    assert len(doubled(hits, layout, rng, 1.0, 0.5)) == 16 and doubled(hits, layout, rng, 0.0, 0.5) == hits


def test_bars_of_a_phrase_with_one_letter_are_alike():
    bars = phrase_of(lambda rng: float(rng.random()), np.random.default_rng(1), "ABAC")
    assert bars[0] == bars[2] and len(set(bars)) == 3
