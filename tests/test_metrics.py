import pytest

from musicbench import InputError
from musicbench.theory import Key
from mustango.metrics import Labels, control_metrics, matched_in_order, overlap, root_and_class


def labels(bpm=120.0, key="A minor", chords=("Am", "F", "C", "G"), beats=4):
    return Labels(bpm, Key.parse(key) if key else None, tuple(chords), beats)


def test_perfect_labels_give_one():
    assert set(control_metrics([(labels(), labels())] * 3).values()) == {1.0}


def test_half_tempo_and_neighbours():
    assert control_metrics([(labels(120), labels(60))])["TBT"] == 0
    near = control_metrics([(labels(108), labels(112))])
    assert near["TB"] == 0 and near["TBT"] == 1
    assert control_metrics([(labels(), labels(None))])["TB"] == 0


def test_relative_keys_count_in_the_right_direction():
    relative = control_metrics([(labels(key="A minor"), labels(key="C major")), (labels(key="C major"), labels(key="A minor"))])
    assert relative["CK"] == 0 and relative["CKD"] == 1
    wrong = control_metrics([(labels(key="A minor"), labels(key="F# major"))])
    assert wrong["CKD"] == 0
    assert control_metrics([(labels(key="C# minor"), labels(key="Db minor"))])["CK"] == 1


def test_chord_order():
    other = control_metrics([(labels(), labels(chords=("F", "Am", "G", "C")))])
    assert other["PCM"] == 0 and other["ECM"] == 0.25 and other["CMO"] == 1
    tolerant = control_metrics([(labels(chords=("Am7", "F")), labels(chords=("Am", "F6")))])
    assert tolerant["CMO"] == 0 and tolerant["CMOT"] == 1


def test_what_is_not_asked_is_left_out():
    nothing = control_metrics([(Labels(), labels())])
    assert set(nothing.values()) == {None}
    mixed = control_metrics([(Labels(), labels()), (labels(), labels())])
    assert set(mixed.values()) == {1.0}
    assert control_metrics([(labels(), Labels())])["ECM"] == 0


def test_no_rows_is_an_error():
    with pytest.raises(InputError, match="no rows"):
        control_metrics([])


def test_counting():
    assert matched_in_order(("C", "G", "C"), ("G", "C", "C", "G", "C")) == 3
    assert matched_in_order(("C",), ()) == 0
    assert overlap(("C", "C", "G"), ("C", "G", "G")) == 2


def test_classes():
    assert [root_and_class(c)[1] for c in ("C", "C7", "Cmaj7", "C6/E", "Cm", "Cm7b5", "Cdim", "Caug", "Csus4")] == [
        1,
        1,
        1,
        1,
        2,
        2,
        3,
        3,
        3,
    ]
