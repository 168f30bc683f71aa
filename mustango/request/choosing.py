"""What nobody says, chosen by what a prompt's words mean and by a seed."""

import math
import zlib

import numpy as np

from musicbench.compose.styles import MAJOR_LOOPS, MINOR_LOOPS
from musicbench.music.meters import Meter
from musicbench.music.tempo import MAX_BPM, MIN_BPM
from musicbench.prompt.genres import Leaning
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import words_of

# Words that tell the pace: the tempos they mean where no style is named, and the part of a style's range they mean where one is.
_PACES = (
    ("very slow, very slowly, extremely slow, glacial", (50, 65), (-0.3, -0.1)),
    ("very fast, extremely fast, furious, frantic, breakneck", (160, 180), (1.0, 1.2)),
    ("as fast as, as slow as, how fast, how slow, so fast, so slow", None, None),
    ("medium, mid tempo, midtempo, moderate, moderately, medium tempo", (92, 116), (0.15, 0.4)),
    ("slow, slowly, slower, sleepy, sleep, unhurried", (62, 88), (-0.25, 0.15)),
    ("fast, faster, racing, quick, rapid, speedy, fast paced", (138, 168), (0.7, 1.1)),
    ("calm, calming, peaceful, relaxing, relaxed, relax, gentle, gently, soothing, tranquil, serene, chill, mellow, sad, somber", (62, 88), (-0.15, 0.35)),
    ("upbeat, energetic, dance, dancing, driving, lively, happy, bouncy, exciting", (112, 132), (0.5, 1.0)),
)  # fmt: skip
_ANY_PACE = (88, 126)
_MINOR = """sad, dark, moody, somber, sombre, melancholy, melancholic, melancholia, tense, epic, dramatic, mysterious, minor, night, nocturnal, sorrowful,
    mournful, gloomy, brooding, ominous, sinister, eerie, haunting, haunted, spooky, creepy, scary, evil, aggressive, angry, menacing, tragic, heartbroken,
    lonely, bleak, doom, grim, gothic, mystical"""
_MAJOR = "happy, cheerful, joyful, joyous, sunny, uplifting, bright, playful, major, carefree, celebratory, triumphant, sweet, feel good, optimistic"


def _phrases(entries):
    return Phrases((phrase.strip(), value) for phrases, value in entries for phrase in phrases.split(","))


_PACE_WORDS = _phrases((words, (tempos, part)) for words, tempos, part in _PACES)
_MODE_WORDS = _phrases([(_MINOR, "minor"), (_MAJOR, "major")])


def _said(phrases, prompt):
    """Return what the first of a table's phrases in a prompt means, those denied apart; None where there is none."""
    return next((found.value for found in phrases.find(words_of(prompt)) if not found.denied and found.value != (None, None)), None)


def tempo_range(prompt, meter):
    """Return the tempos (low, high) that a prompt's words mean, in counted beats of `meter`: its style's, of which "slow" is the lower part."""
    leaning = Leaning.of(prompt)
    pace = _said(_PACE_WORDS, leaning.rest)
    if leaning.bpm is None:
        return tuple(_counted(bpm, meter) for bpm in (pace[0] if pace else _ANY_PACE))
    low, high = leaning.bpm
    if pace:
        low, high = (low + share * (high - low) for share in pace[1])
    in_eighths = Meter.parse(leaning.meter or "4/4").unit == 8
    if in_eighths and meter.unit != 8:
        low, high = low / 2, high / 2
    elif meter.unit == 8 and not in_eighths:
        low, high = _counted(low, meter), _counted(high, meter)
    return max(low, MIN_BPM), min(high, MAX_BPM)


def _counted(bpm, meter):
    """Return a chosen pace in counted beats: eighths go twice as fast, up to 200 a minute."""
    return min(2 * bpm, max(bpm, 200.0)) if meter.unit == 8 else bpm


def choose_tempo(prompt, meter, place):
    """Return a whole number of beats a minute at `place` (0 to 1) of what the prompt's words mean."""
    low, high = tempo_range(prompt, meter)
    return float(min(math.floor(low + place * (high - low + 1)), math.floor(high)))


def choose_mode(prompt, place):
    """Return "major" or "minor": what moods say, else the style; by `place` (0 to 1) where the style has both."""
    leaning = Leaning.of(prompt)
    if leaning.form and leaning.form.mode:
        return leaning.form.mode
    mode = _said(_MODE_WORDS, prompt) or leaning.mode
    if mode is None and leaning.bpm:
        mode = "major" if place < 0.5 else "minor"
    return mode or "major"


def choose_loop(prompt, mode, rng):
    """Return a loop of Roman numerals: one of the style's, else any."""
    usual = MAJOR_LOOPS[:8] if mode == "major" else MINOR_LOOPS[:8]
    return str(rng.choice(Leaning.of(prompt).loops(mode) or usual))


def rng_of(prompt, seed):
    """Return the generator that what nobody says is drawn from: of the seed and of the prompt's words, whatever their case and blanks."""
    words = " ".join(prompt.casefold().split()).encode("utf-8", "surrogatepass")
    return np.random.default_rng([seed, 6, zlib.crc32(words)])
