"""The route: a seed becomes a clip with its caption."""

from conftest import needs_fluidsynth

from musicbench.compose.compose import compose, plan
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression


@needs_fluidsynth
def test_a_clip_has_all_its_labels():
    clip = compose(11, 4.0, 16000, chords=Progression.parse("C | G"), bpm=120.0, meter=Meter(), style="pop", lead_in=False)
    assert len(clip.samples) == 64000 and clip.bpm == 120.0 and str(clip.meter) == "4/4"
    assert [str(chord) for chord in clip.chords] == ["C", "G"] and clip.chord_times == (0.0, 2.0)
    assert clip.beat_times == tuple(i / 2 for i in range(8)) and clip.beat_positions == (1, 2, 3, 4) * 2
    assert clip.caption and clip.tags["style"] == "pop" and set(clip.tags["sources"]) == {"fonts", "patches"}
    assert set(clip.note_labels()) == {"melody", "hits"}
    assert plan(11, style="pop").style == "pop"
