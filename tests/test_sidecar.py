"""What a model can be told is known without loading it; a sidecar makes its take again."""

import json
from dataclasses import asdict

import pytest
from conftest import resolve
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import InputError
from mustango.model.conditioning import Conditioner
from mustango.model.mel import LogMel
from mustango.request.model_facts import ModelFacts, read_facts
from mustango.request.reader import plain_key
from mustango.request.request import Request
from mustango.request.sidecar import describe, restored

RELEASED = ModelFacts(10.24, 10.24)
WIDE = ModelFacts(10.24, 120, 24000, RELEASED.chord_types, 1000, 1000, 7)


def test_a_loaded_model_and_its_folder_tell_the_same(tiny_pipeline, tiny_folder):
    assert tiny_pipeline.facts == read_facts(tiny_folder)
    assert read_facts(tiny_folder).max_position == 7 and read_facts(tiny_folder).sample_rate == 8000


def test_the_defaults_are_the_released_models(tmp_path):
    config = Conditioner(dim=4, root_dim=4, time_dim=4).config
    assert ModelFacts.of({"window_s": 10.24}, config, LogMel().config.sample_rate, False) == RELEASED
    for name in ("ldm", "beats"):
        (tmp_path / name).mkdir()
    assert asdict(read_facts(tmp_path)) == asdict(RELEASED) | {"has_predictors": True}


def test_a_model_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(InputError, match="config.json"):
        read_facts(tmp_path)
    for name in ("mel", "conditioner", "unet"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    with pytest.raises(InputError, match="chord_types"):
        read_facts(tmp_path)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"chords": "C", "tempo": 300, "duration": 10.2}, "51 beats are above the model's 50"),
        ({"chords": "C", "meter": "6/8", "tempo": 200, "duration": 5}, "beat position 6 is outside the model's 1-5"),
        ({"chords": "C G C G |" + "C G C G |" * 5, "tempo": 200, "duration": 10}, "chords are above the model's 20"),
    ],
)
def test_what_is_beyond_the_model_is_refused(asked, says):
    with pytest.raises(InputError, match=says):
        RELEASED.played(resolve("", **asked))


LINES = st.sampled_from(["C G Am F", "C7#9 | G7alt Bb6/9", "Dm11 | G13 | N", "0:Am 0.7:F#m7b5 1.9:N", "ii7 V7 Imaj7", None])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(LINES, st.sampled_from([61, 97.3, "Allegro", None]), st.sampled_from(["3/4", "6/8", None]), st.sampled_from(["Eb", "C# minor", None]),
       st.sampled_from([9.7, "4 bars", "chart", None]), st.integers(0, 99), st.booleans())  # fmt: skip
def test_a_sidecar_given_back_is_the_same_take_again(chords, tempo, meter, key, duration, seed, sways):
    if duration == "chart" and chords and chords.startswith("0:"):
        duration = 4
    asked = {"chords": chords, "tempo": tempo, "meter": meter, "key": key, "duration": duration, "seed": seed}
    if sways:  # as a person plays
        asked |= {
            "beats": [[0.21 + 0.63 * i + 0.04 * (i % 3) for i in range(6)], [1 + i % 3 for i in range(6)]],
            "tempo": None,
            "meter": None,
        }
    try:
        controls = WIDE.played(resolve("calm piano", **asked, longest_s=120))
    except InputError:  # chords that do not fit
        return
    told = json.loads(json.dumps(describe("calm piano", controls, seed, 24000, {"steps": 20})))
    asked = {name: told[name] for name in ("prompt", "chords", "chords_time", "meter", "key", "beats", "duration", "seed")}
    (again,) = restored(Request(**asked, tempo=told["bpm"]), told, WIDE).takes
    assert describe("calm piano", again, seed, 24000, {"steps": 20}) == told
    names = ("bpm", "chords", "chord_times", "beat_times", "beat_positions", "duration_s", "meter", "notes", "asked", "origin")
    assert all(getattr(again, name) == getattr(controls, name) for name in names)


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("G## major", "A major"), ("Dbb minor", "C minor"), ("D# major", "Eb major"), ("Fbm", "E minor"), ("Abb dorian", "G dorian"),
        ("D flat minor", "C# minor"), ("A#", "Bb major"), ("Cb major", "Cb major"), ("A# minor", "A# minor"), ("f# minor", "f# minor"),
    ],
)  # fmt: skip
def test_keys_of_many_accidentals_get_their_usual_name(key, plain):
    assert plain_key(key) == plain
    controls = resolve("piano", key=key)
    noted = [note for note in controls.notes if "is written" in note]
    assert noted == ([] if key == plain else [f"the key {key} is written {plain}"]) and controls.asked["key"] == key
    assert not any("##" in str(c.lead_sheet(controls.key)) or "bb" in str(c.lead_sheet(controls.key)) for c in controls.chords)
