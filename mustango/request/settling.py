"""A prompt and what is given beside it, on the way to Controls: which chords, in what key."""

import math
from contextlib import suppress

from musicbench import InputError
from musicbench.music.keys import Key, likely_key
from musicbench.music.progression import Progression, key_of_line
from musicbench.prompt.forms import bars_of, line_of
from musicbench.prompt.sounds import words_of
from musicbench.prompt.tunes import unknown_name
from mustango.request.choosing import choose_loop, choose_mode, tempo_range
from mustango.request.settling_time import TimeSettling, bars_meant, fast_enough_bpm


def _in_bars(bars, meter, key):
    """Return the Progression of bars of numerals."""
    return Progression.parse(line_of(bars), meter, key)


def _without_repeats(chords):
    """Return chords without those that are as the one before."""
    return [chord for i, chord in enumerate(chords) if i == 0 or chord != chords[i - 1]]


def _belong(chords, key):
    """Return whether all notes of chords are in a key's scale, in minor with the raised seventh beside it."""
    notes = {*key.scale, (key.pitch_class + 11) % 12} if key.mode == "minor" else set(key.scale)
    return all(notes.issuperset(chord.pitch_classes) for chord in chords if chord.root is not None)


def _chords_denied(prompt):
    """Return the "no chords" of a prompt, None where there is none; "no chord changes" and "no power chords" are about some chords."""
    words = words_of(prompt)
    for i in range(1, len(words)):
        is_some = i + 1 < len(words) and words[i + 1].text in ("change", "progression", "stab", "symbol")
        if (
            words[i].text == "chord"
            and words[i].denied
            and words[i - 1].text in ("no", "without", "any", "or", "nor")
            and not is_some
        ):
            first = max(j for j in range(i) if not words[j - 1].denied or j == 0)
            return prompt[words[first].start : words[i].end]
    return None


class Settling(TimeSettling):
    """What `TimeSettling` settles, and the chords on it."""

    def settle_chords(self, timed, predicted, meter, bpm, always):
        """Return (Progression, key, bpm): a chosen tempo is made faster where not all chords would be heard."""
        stated, given_line = self.stated, self.given["chords"]
        if given_line is None and not predicted and self.stated_chords is None:
            return *self._choose_chords(meter, bpm), bpm
        if timed:
            progression, self.origin["chords"] = Progression(timed=tuple(timed)), "given"
        elif given_line is None and predicted:
            progression, self.origin["chords"] = Progression(timed=tuple(predicted)), "predicted"
        else:
            line = self.stated_chords if given_line is None else given_line
            progression = Progression.parse(line, meter, self.given_key or stated.key)
            self.notes += progression.notes
            self.origin["chords"] = "prompt" if given_line is None else "given"
        key = self._settle_key(progression)
        if self.origin["chords"] == "given":
            self._note_other_chords(progression, meter)
        if self.origin["chords"] in ("given", "prompt"):
            self._note_other_key(progression, key)
        if self.origin["chords"] == "predicted" and always:
            self._note_predicted(progression, key, meter)
        if self.origin["tempo"] == "chosen" and progression.bars and not isinstance(self.duration, str):
            bpm = fast_enough_bpm(bpm, progression, self.duration, self.prompt, meter)
            if bpm > tempo_range(self.prompt, meter)[1]:
                self.notes.append(
                    f"{bpm:g} bpm, faster than usual for the prompt, lets all chords be heard within {self.duration:g} s"
                )
        return progression, key, bpm

    def _settle_key(self, progression):
        """Return the key: given, stated, or that of the chords."""
        if self.given_key or self.stated.key:
            self.origin["key"] = "given" if self.given_key else "prompt"
            return self.given_key or self.stated.key
        self.origin["key"] = "chosen"
        line = {"given": self.given["chords"], "prompt": self.stated_chords}.get(self.origin["chords"])
        return (key_of_line(line) if line else None) or likely_key(progression.chords) or Key("C")

    def _note_other_chords(self, progression, meter):
        """Note chords that the prompt states beside others that are given."""
        key = self.given_key or self.stated.key
        line = self._form_line(key or self._settle_key(progression)) if self.form else self.stated_chords
        if line is None:
            return
        said = ()
        with suppress(InputError):  # more beats than the meter has
            said = _without_repeats(Progression.parse(line, meter, key or self._settle_key(progression)).chords)
        played = _without_repeats(progression.chords)
        same = len(played) >= len(said) > 0 and all(chord == said[i % len(said)] for i, chord in enumerate(played))
        if not same:
            stated = f"the chords {self.stated_chords}" if self.stated.chords else "drums alone"
            self._note_another(self.form.name if self.form else stated, "the given chords are played")

    def _note_other_key(self, progression, key):
        """Note a key that is asked for beside chords that all belong to another and not all to it; numerals are in any key."""
        line = self.given["chords"] if self.origin["chords"] == "given" else self.stated_chords
        heard, in_any_key = likely_key(progression.chords), line is not None and key_of_line(line) is not None
        if self.origin["key"] == "chosen" or heard is None or in_any_key or set(heard.scale) == set(key.scale):
            return
        if _belong(progression.chords, heard) and not _belong(progression.chords, key):
            said = f"the prompt says {key}" if key == self.stated.key else f"{key} is asked for"
            self.notes.append(f"{said}; the chords are in {heard} and are played as they are")

    def _note_predicted(self, progression, key, meter):
        """Note what was asked of chords and key where predicted chords are played."""
        if self.form:
            self.notes.append(f"the {self.form.name} in the prompt is left out; the predicted chords are played")
        if self.stated_chords is not None:
            said = Progression.parse(self.stated_chords, meter, self.given_key or self.stated.key).chords
            played = _without_repeats(progression.chords)
            if said != played[: len(said)]:
                self.notes.append(f"the chords {self.stated_chords} in the prompt are left out; the predicted ones are played")
        heard = likely_key(progression.chords)
        if heard and not any(heard.same_as(near) for near in (key, key.relative)):
            self.notes.append(f"{key} is asked for; the predicted chords are in {heard}")

    def _choose_chords(self, meter, bpm):
        """Return (Progression, key) that nobody asked for."""
        mode = choose_mode(self.prompt, self.place_of_mode)
        if self.given_key or self.stated.key:
            self.origin["key"], key = "given" if self.given_key else "prompt", self.given_key or self.stated.key
        else:
            self.origin["key"], key = "chosen", Key.of(self.drawn_tonic, mode)
        if self.form:
            return self._play_form(key, meter, bpm), key
        self.origin["chords"] = "chosen"
        loop, bar_s = bars_of(choose_loop(self.prompt, key.mode, self.rng)), 60 / bpm * meter.beats
        if isinstance(self.duration, str):
            bars = bars_meant(self.duration, len(loop))
        else:
            bars = max(math.ceil(self.duration / bar_s - 1e-6), 1)
        progression = _in_bars(loop[:bars], meter, key)
        if said := _chords_denied(self.prompt):
            self.notes.append(
                f"'{said}' in the prompt is not played: chords sound unless drums play alone; for none write 'chords: N'"
            )
        if name := unknown_name(self.prompt):
            played = " ".join(loop)
            self.notes.append(
                f"'{name}' is not known here, only what the words say is used; {played} is played; to have others write 'chords: ...'"
            )
        return progression, key

    def _form_line(self, key):
        return self.form.major if key.mode == "major" else self.form.minor

    def _play_form(self, key, meter, bpm):
        """Return the Progression of the form that the prompt names, as much as fits into a length that is asked for."""
        self.origin["chords"] = "prompt"
        bars, bar_s = bars_of(self._form_line(key)), 60 / bpm * meter.beats
        self.notes += [self.form.note] if self.form.note else []
        if self.origin["duration"] == "chosen":
            return _in_bars(bars, meter, key)
        if isinstance(self.duration, str):
            room = bars_meant(self.duration, len(bars))
        else:
            room = max(math.ceil(self.duration / bar_s - 1e-6), 1)
        if room < len(bars):
            self.notes.append(f"the {self.form.name} has {len(bars)} bars; the first {room} are played")
        return _in_bars(bars[:room], meter, key)
