"""The table of instruments: all of General MIDI, in the words of `musicbench.prompt.sounds`, and what the synthesisers have."""

from musicbench.compose.instruments import DRUMS, INSTRUMENTS, KINDS, KITS, MACHINE_DRUMS, NOISES, drum_kind, named, suited
from musicbench.prompt.lexicon import read_words
from musicbench.prompt.sounds import phrases
from musicbench.synth.drum_machines import KITS as MACHINES
from musicbench.synth.drum_machines import PERCUSSION
from musicbench.synth.synths import PATCHES

PHRASES = phrases()


def found(text):
    return [one.value for one in PHRASES.find(read_words(text))]


def test_every_program_and_every_pitched_patch_is_an_instrument():
    programs = {one.source[2] for one in INSTRUMENTS.values() if one.source[0] == "gm"}
    patches = {one.source[1] for one in INSTRUMENTS.values() if one.source[0] == "synth"}
    assert programs == set(range(128)) and patches <= set(PATCHES)
    assert {name for name, patch in PATCHES.items() if patch.tuned} - patches <= {"gong"}
    assert len(KINDS) > 90


def test_words_are_found_as_what_they_are():
    for one in INSTRUMENTS.values():
        for word in (one.kind, *one.words):
            assert found(f"a calm {word} piece") == [(one.kind,)], word
    for kit in KITS.values():
        assert all(found(word) for word in kit.words) and found(kit.kind) == [(kit.kind,)]
    for drum in DRUMS:
        assert found(drum_kind(drum)) == [(drum_kind(drum),)], drum


def test_ranges_leave_room_to_play():
    for one in INSTRUMENTS.values():
        pitched = one.source[-1] not in NOISES
        assert 0 <= one.low < one.high < 128 and (not pitched or one.high - one.low >= 11), one.name
        if one.source[0] == "synth":
            patch = PATCHES[one.source[1]]
            assert patch.low - 4 <= one.low and one.high <= patch.high + 4, one.name


def test_parts_have_many_instruments():
    assert len(suited("chords")) > 80 and len(suited("bass")) > 30 and len(suited("lead")) > 80
    assert named("piano") == ("piano", "bright piano") and named("bright piano") == ("bright piano",)
    assert "sitar" in named("sitar") and "buzzing sitar" in named("sitar")


def test_every_drum_can_be_struck_on_every_machine():
    assert {MACHINE_DRUMS.get(drum, drum) for drum in DRUMS} <= {*PERCUSSION, *MACHINES["808"]}
    assert {kit.source[1] for kit in KITS.values() if kit.source[0] == "kit"} <= set(MACHINES)
    assert drum_kind("kick", KITS["909"]) == "909" and drum_kind("conga_low", KITS["909"]) == "congas"
    assert drum_kind("conga_low", KITS["taiko"]) == "taiko" and drum_kind("kick") == "drum kit"


def test_the_kettledrums_of_the_orchestral_kit_play_no_hats():
    keys = KITS["orchestral"].source[3]
    assert all(drum in keys for drum in ("closed_hat", "pedal_hat", "open_hat", "ride", "tom_low", "tom_mid", "tom_high"))
    assert not {keys[drum] for drum in ("closed_hat", "open_hat", "ride")} & set(range(41, 54))  # where these lie there
