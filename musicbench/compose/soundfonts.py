"""SoundFonts: where they are, and notes played from one of them through FluidSynth, dry and to the sample the same
each time."""

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from musicbench import InputError

# Where Debian puts those that the composer knows, by name; the first that is there stands in for those that are not.
SOUNDFONTS = {
    "FluidR3_GM": ("/usr/share/sounds/sf2/FluidR3_GM.sf2",),
    "MuseScore_General": ("/usr/share/sounds/sf3/MuseScore_General.sf3", "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3"),
    "TimGM6mb": ("/usr/share/sounds/sf2/TimGM6mb.sf2",),
}
OTHERS = ("/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf3/default-GM.sf3")
SAMPLE_RATES = (8000, 96000)  # FluidSynth's bounds
BLOCK = 64  # samples that FluidSynth makes at once; notes begin with a block
GAIN = 0.35


def find_soundfont(path=None):
    """Return the SoundFont to use: `path`, or $MUSICBENCH_SOUNDFONT, or the first where Debian puts them.

    Raises InputError.
    """
    given = path or os.environ.get("MUSICBENCH_SOUNDFONT")
    candidates = [given] if given else [*(place for places in SOUNDFONTS.values() for place in places), *OTHERS]
    for candidate in candidates:
        if Path(candidate).is_file():
            check_soundfont(candidate)
            return str(candidate)
    raise InputError(
        f"no SoundFont at {given or ', '.join(candidates)}; install one (Debian: fluidsynth libfluidsynth3 fluid-soundfont-gm) "
        "or name a file in MUSICBENCH_SOUNDFONT"
    )


def font_named(name, only=None):
    """Return the file of a SoundFont by name: `only`, or $MUSICBENCH_SOUNDFONT, if there is one, else where it is
    installed, else another.

    Raises InputError where there is none at all.
    """
    if not only and not os.environ.get("MUSICBENCH_SOUNDFONT"):
        for place in SOUNDFONTS.get(name, ()):
            if Path(place).is_file():
                return place
    return find_soundfont(only)


def check_soundfont(path):
    """Raise InputError unless a file begins as an SF2 or SF3 file does."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(12)
    except OSError as error:
        raise InputError(f"cannot read the SoundFont {path} ({error.strerror}); give another") from None
    if start[:4] != b"RIFF" or start[8:] != b"sfbk":
        raise InputError(f"{path} is no SoundFont; give an SF2 or SF3 file")


def check_sample_rate(sample_rate):
    """Raise InputError unless FluidSynth can render at a sample rate; it would take the nearest that it can."""
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high:
        raise InputError(f"sample rate {sample_rate:g} Hz is outside {low}-{high}; give one that FluidSynth can render")


def import_fluidsynth():
    """Return the module fluidsynth. Raises InputError where it or its library is not installed."""
    try:
        import fluidsynth
    except ImportError as error:
        raise InputError(f"composing needs FluidSynth ({error}); install libfluidsynth3 and pip's pyfluidsynth") from None
    return fluidsynth


class _Font:
    """A SoundFont in a synthesizer. Each program has a channel of its own, so that its samples stay loaded."""

    def __init__(self, path, sample_rate):
        fluidsynth = import_fluidsynth()
        settings = {"synth.reverb.active": 0, "synth.chorus.active": 0, "synth.dynamic-sample-loading": 1}
        self.synth = fluidsynth.Synth(GAIN, float(sample_rate), 256, **settings)
        self.font, self.channels = self.synth.sfload(path), {}
        if self.font < 0:
            self.synth.delete()
            raise InputError(f"FluidSynth cannot load the SoundFont {path}; give another SF2 or SF3 file")
        self.write = fluidsynth._fl.fluid_synth_write_float  # 16 bits would be dithered, differently each time
        self.write.argtypes = [ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p, ctypes.c_int, ctypes.c_int] * 2]

    def has(self, bank, program):
        """Return whether the SoundFont has a program; it is loaded then."""
        if (bank, program) not in self.channels:
            channel = len(self.channels) % 256
            if self.synth.program_select(channel, self.font, bank, program) < 0:
                return False
            self.channels[bank, program] = channel
        return True


@lru_cache(8)
def _kept(path):
    """Return a SoundFont that plays nothing, but keeps samples in memory: those that others load are taken from
    there."""
    return _Font(path, 48000)


class FontPlayer:
    """A SoundFont that plays notes, to the sample the same if it plays the same ones in the same order from the
    beginning.

    A synthesizer's voices remember a little of what they played before, so each piece has its own players; `close`
    them.
    """

    def __init__(self, path, sample_rate):
        self.path, self.sample_rate = path, sample_rate
        self.kept, self.own = _kept(path), _Font(path, sample_rate)

    def has(self, bank, program):
        """Return whether the SoundFont has a program; it is loaded then."""
        return self.kept.has(bank, program) and self.own.has(bank, program)

    def close(self):
        """Give back what the player holds."""
        self.own.synth.delete()

    def play(self, bank, program, notes, duration_s):
        """Return mono samples (n,), float32, of notes (start_s, end_s, pitch, velocity).

        Raises InputError for a program that it has not.
        """
        if not self.has(bank, program):
            raise InputError(
                f"the SoundFont {self.path} has no program {program} in bank {bank}; give one with all General MIDI programs"
            )
        synth, channel, total = self.own.synth, self.own.channels[bank, program], round(duration_s * self.sample_rate)
        events = []
        for start_s, end_s, pitch, velocity in notes:
            events.append((self._block(start_s), 1, pitch, velocity))
            events.append((max(self._block(end_s), self._block(start_s) + BLOCK), 0, pitch, velocity))
        synth.all_sounds_off(-1)  # of every channel
        self._blocks(np.zeros((2, 4 * BLOCK), np.float32), 0, 4 * BLOCK)
        stereo, now = np.zeros((2, -(-total // BLOCK) * BLOCK), np.float32), 0
        for at, on, pitch, velocity in sorted(events):
            if at >= total:
                break
            now = self._blocks(stereo, now, at)
            if on:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
        self._blocks(stereo, now, stereo.shape[1])
        return stereo[:, :total].mean(axis=0)

    def _block(self, time_s):
        return round(time_s * self.sample_rate / BLOCK) * BLOCK

    def _blocks(self, stereo, start, end):
        """Let the synthesizer write samples `start` to `end`; returns `end`."""
        if end > start:
            left, right = (stereo[side].ctypes.data + 4 * start for side in (0, 1))
            self.own.write(self.own.synth.synth, end - start, left, 0, 1, right, 0, 1)
        return max(start, end)


class FontPlayers(dict):
    """{file: its FontPlayer} of one piece, each made when it is asked for; closed at the end of a with-block."""

    def __init__(self, sample_rate):
        super().__init__()
        self.sample_rate = sample_rate

    def __missing__(self, path):
        self[path] = FontPlayer(path, self.sample_rate)
        return self[path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for player in self.values():
            player.close()
