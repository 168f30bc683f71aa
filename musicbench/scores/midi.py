"""Chords and beats -> a Standard MIDI File: voiced chords, their names as markers, a click on every beat."""

import json

from musicbench.files import written_whole
from musicbench.music.annotation import spans
from musicbench.music.keys import Key

TICKS = 480  # a quarter note
BASS, MIDDLE = 36, 55  # lowest MIDI pitches of the bass and of the notes above it
CLICK_CHANNEL, DOWNBEAT_CLICK, BEAT_CLICK = 9, 76, 77  # General MIDI: high and low wood block


def voicing(chord):
    """Return the MIDI pitches of a chord: the bass in the octave from C2, its notes in the octave from G3; [] for no chord."""
    if chord.root is None:
        return []
    return [BASS + chord.lowest, *sorted(MIDDLE + (pc - MIDDLE) % 12 for pc in chord.pitch_classes)]


def _track(name, events):
    """Return a track of (tick, message) events in the order of their ticks; at one tick notes end before others begin."""
    from mido import MetaMessage, MidiTrack

    track, now = MidiTrack([MetaMessage("track_name", name=name)]), 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def save_midi(path, controls):
    """Write the chords and beats of `controls` (`mustango.request.controls.Controls`), which are played; what was asked is a text beside them.

    Raises InputError when the place is not writable.
    """
    from mido import Message, MetaMessage, MidiFile, bpm2tempo

    quarter_s = 60 / controls.bpm * controls.meter.unit / 4

    def tick(seconds):
        return round(seconds / quarter_s * TICKS)

    def notes(pitches, start_s, end_s, channel, velocity):
        for pitch in pitches:
            yield tick(start_s), Message("note_on", note=pitch, channel=channel, velocity=velocity)
            yield tick(end_s), Message("note_off", note=pitch, channel=channel)

    key = Key.of(controls.key.pitch_class, controls.key.mode)
    plan = [
        (0, MetaMessage("set_tempo", tempo=bpm2tempo(60 / quarter_s))),
        (0, MetaMessage("time_signature", numerator=controls.meter.beats, denominator=controls.meter.unit)),
        (0, MetaMessage("key_signature", key=key.tonic + ("m" if key.mode == "minor" else ""))),
    ]
    asked = {name: value for name, value in controls.asked.items() if value is not None}
    if asked:
        plan.append((0, MetaMessage("text", text=f"asked: {json.dumps(asked)}")))
    chords = []
    for chord, (start_s, end_s) in zip(controls.chords, spans(controls.chord_times, controls.duration_s), strict=True):
        plan.append((tick(start_s), MetaMessage("marker", text=chord.lead_sheet(controls.key))))
        chords.extend(notes(voicing(chord), start_s, end_s, 0, 80))
    clicks = []
    for start_s, position in zip(controls.beat_times, controls.beat_positions, strict=True):
        pitch = DOWNBEAT_CLICK if position == 1 else BEAT_CLICK
        clicks.extend(notes([pitch], start_s, start_s + quarter_s / 8, CLICK_CHANNEL, 100))
    tracks = [_track("Plan", plan), _track("Chords", chords), _track("Beats", clicks)]
    with written_whole(path) as temporary:
        MidiFile(type=1, ticks_per_beat=TICKS, tracks=tracks).save(temporary)
