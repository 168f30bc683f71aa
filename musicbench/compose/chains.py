"""What effects a voice goes through, by its instrument and its style.

Which room a style is played in, what noise lies under it.
"""

import numpy as np

# What an instrument always goes through.
OWN = {
    "high gain guitar": ("metal",), "crunch guitar": ("crunch",), "driven bass": ("bass drive",), "palm mute": ("distortion",),
    "overdriven guitar": (("cabinet", {"mix": 0.7}),), "distorted guitar": (("cabinet", {"mix": 0.7}),),
}  # fmt: skip

# Kind of instrument -> [(chance, effect, {parameter: (low, high) or a value})], each drawn by itself.
BY_KIND = {
    "electric guitar": [
        (0.2, "chorus", {"mix": (0.2, 0.45)}), (0.08, "tremolo", {"hz": (4.0, 7.0), "depth": (0.3, 0.7)}), (0.15, "overdrive", {"mix": (0.4, 0.9)}),
        (0.18, "delay", {"mix": (0.12, 0.3)}), (0.05, "phaser", {}), (0.05, "flanger", {"mix": (0.2, 0.4)}),
    ],
    "distorted guitar": [(0.15, "delay", {"mix": (0.1, 0.25)}), (0.08, "chorus", {"mix": (0.15, 0.3)}), (0.04, "phaser", {})],
    "electric piano": [(0.3, "tremolo", {"hz": (3.5, 6.5), "depth": (0.2, 0.6)}), (0.25, "chorus", {"mix": (0.2, 0.45)}), (0.12, "phaser", {"mix": (0.4, 0.8)})],
    "clavinet": [(0.3, "auto wah", {}), (0.2, "phaser", {})],
    "organ": [(0.4, "rotary", {"hz": (0.8, 6.8)}), (0.15, "overdrive", {"mix": (0.3, 0.7)})],
    "synth pad": [(0.25, "chorus", {"mix": (0.25, 0.5)}), (0.12, "phaser", {"hz": (0.08, 0.3)}), (0.12, "filter lfo", {"beats": (4.0, 16.0), "mix": (0.4, 0.8)})],
    "strings": [(0.08, "ensemble", {})],
    "synth lead": [(0.45, "delay", {"mix": (0.15, 0.35)}), (0.15, "chorus", {"mix": (0.2, 0.4)})],
    "pluck": [(0.55, "delay", {"mix": (0.15, 0.4)})],
    "synth bells": [(0.4, "delay", {"mix": (0.15, 0.35)})],
    "vocal chops": [(0.45, "delay", {"mix": (0.15, 0.35)})],
    "303": [(0.4, "overdrive", {"mix": (0.5, 1.0)}), (0.3, "delay", {"mix": (0.1, 0.25)})],
    "electric bass": [(0.15, "compressor", {}), (0.08, "bass drive", {"mix": (0.3, 0.6)}), (0.08, "chorus", {"mix": (0.1, 0.25)})],
    "slap bass": [(0.4, "compressor", {})],
    "fretless bass": [(0.3, "chorus", {"mix": (0.15, 0.3)})],
    "piano": [(0.06, "chorus", {"mix": (0.15, 0.35)})],
    "acoustic guitar": [(0.12, "compressor", {})],
}  # fmt: skip

_DUCKED = [(0.65, "side chain", {"depth": (0.4, 0.9), "beats": (0.35, 0.7)})]
_TAPED = [
    (0.45, "vinyl", {"crackle": 0.0, "wow_cents": (3.0, 9.0), "top_hz": (5000.0, 9000.0)}),
    (0.3, "low pass", {"hz": (2500.0, 6000.0)}),
]
# Style -> {part: effects as above}.
BY_STYLE = {
    "house": {"chords": _DUCKED, "bass": _DUCKED}, "deep house": {"chords": [*_DUCKED, (0.4, "low pass", {"hz": (1500.0, 5000.0)})], "bass": _DUCKED},
    "techno": {"chords": [*_DUCKED, (0.4, "delay", {"mix": (0.2, 0.4)}), (0.3, "filter sweep", {"mix": (0.6, 1.0)})], "bass": _DUCKED,
               "drums": [(0.25, "saturation", {})]},
    "trance": {"chords": _DUCKED, "bass": _DUCKED, "lead": [(0.5, "delay", {"mix": (0.2, 0.35)})]},
    "future bass": {"chords": _DUCKED, "lead": _DUCKED}, "electronic": {"chords": _DUCKED, "bass": _DUCKED}, "synthwave": {"chords": _DUCKED[:1]},
    "psytrance": {"chords": _DUCKED}, "disco": {"chords": [(0.15, "phaser", {"mix": (0.3, 0.7)})]},
    "acid house": {"chords": _DUCKED}, "dubstep": {"bass": [(0.4, "saturation", {})], "drums": [(0.3, "compressor", {})]},
    "drum and bass": {"drums": [(0.4, "compressor", {}), (0.25, "sampler", {})]}, "jungle": {"drums": [(0.6, "sampler", {}), (0.3, "compressor", {})]},
    "hip hop": {"chords": [(0.35, "sampler", {}), (0.25, "low pass", {"hz": (2000.0, 6000.0)}), (0.2, "vinyl", {"crackle": 0.0, "wow_cents": 2.0})],
                "drums": [(0.4, "sampler", {}), (0.3, "compressor", {})]},
    "trip hop": {"chords": _TAPED, "drums": [(0.4, "sampler", {})]}, "lo-fi": {"chords": _TAPED, "lead": _TAPED, "drums": [(0.4, "low pass", {"hz": (5000.0, 9000.0)})]},
    "trap": {"chords": [(0.25, "low pass", {"hz": (1800.0, 6000.0)}), (0.1, "tape", {"hiss": 0.0})]},
    "dub": {"chords": [(0.7, "dub delay", {"mix": (0.2, 0.45)})], "lead": [(0.6, "dub delay", {"mix": (0.2, 0.4)})], "drums": [(0.3, "dub delay", {"mix": (0.1, 0.2)})]},
    "reggae": {"chords": [(0.2, "dub delay", {"mix": (0.1, 0.25)})]}, "surf rock": {"chords": [(0.5, "tremolo", {"hz": (5.0, 8.0)})]},
    "rock and roll": {"lead": [(0.5, "slapback", {"mix": (0.2, 0.4)})], "chords": [(0.4, "slapback", {"mix": (0.2, 0.35)})]},
    "blues": {"chords": [(0.25, "tremolo", {"hz": (4.0, 6.5), "depth": (0.3, 0.6)})]}, "post-rock": {"lead": [(0.7, "delay", {"mix": (0.25, 0.45)})]},
    "chiptune": {"chords": [(0.2, "bitcrusher", {})], "lead": [(0.2, "delay", {"mix": 0.2})]}, "new wave": {"chords": [(0.5, "chorus", {"mix": (0.3, 0.5)})]},
    "ambient": {"chords": [(0.2, "filter sweep", {"shape": "up", "mix": (0.5, 1.0)})], "lead": [(0.6, "delay", {"mix": (0.2, 0.45)})]},
    "horror": {"lead": [(0.15, "ring modulator", {"mix": (0.1, 0.3)})], "chords": [(0.2, "underwater", {})]},
    **dict.fromkeys(("metal", "thrash", "doom metal", "hard rock", "punk"), {"chords": [(0.5, "distortion", {}), (0.9, "compressor", {})]}),
    "spaghetti western": {"chords": [(0.3, "tremolo", {"hz": (4.0, 7.0)})]}, "funk": {"chords": [(0.2, "auto wah", {}), (0.12, "phaser", {})]},
}  # fmt: skip

# Style -> (rooms, least and most of it); any other has a room of the first line.
ROOMS = {
    None: (("room", "chamber", "plate", "hall", "booth"), 0.05, 0.3),
    "ambient": (("hall", "cathedral"), 0.3, 0.6), "dark ambient": (("cathedral", "hall"), 0.35, 0.65), "drone": (("cathedral", "hall"), 0.3, 0.6), "new age": (("hall", "plate"), 0.25, 0.5),
    "gregorian chant": (("cathedral",), 0.3, 0.55), "hymn": (("cathedral", "hall"), 0.2, 0.45), "a cappella": (("hall", "room", "chamber"), 0.1, 0.35),
    "classical": (("hall", "chamber"), 0.15, 0.35), "chamber music": (("chamber", "hall"), 0.15, 0.35), "baroque": (("hall", "chamber", "cathedral"), 0.15, 0.35),
    "cinematic": (("hall",), 0.2, 0.45), "trailer": (("hall", "cathedral"), 0.2, 0.4), "horror": (("hall", "cathedral"), 0.25, 0.5),
    "dub": (("spring", "plate"), 0.15, 0.4), "surf rock": (("spring",), 0.2, 0.45), "reggae": (("spring", "room"), 0.08, 0.25), "spaghetti western": (("spring", "hall"), 0.15, 0.4),
    "post-rock": (("hall", "plate"), 0.2, 0.45), "shoegaze": (("hall", "plate"), 0.25, 0.5), "synthwave": (("plate", "gated", "hall"), 0.1, 0.35), "new wave": (("plate", "gated"), 0.1, 0.3),
    "punk": (("room", "booth"), 0.03, 0.15), "techno": (("plate", "hall"), 0.08, 0.3), "trap": (("plate", "room"), 0.05, 0.25), "raga": (("chamber", "hall"), 0.1, 0.35),
    "gamelan": (("chamber", "hall"), 0.1, 0.3), "gagaku": (("hall",), 0.15, 0.4), "march": (("hall", "room"), 0.08, 0.25), "chiptune": (("booth", "room"), 0.0, 0.1),
}  # fmt: skip

# Style -> [(chance, noise of `musicbench.synth.noises`, its loudness)].
NOISES = {
    "lo-fi": [(0.45, "vinyl crackle", 0.6), (0.15, "rain", 0.45), (0.15, "tape hiss", 0.5)], "hip hop": [(0.18, "vinyl crackle", 0.5)], "trip hop": [(0.3, "vinyl crackle", 0.6)],
    "ambient": [(0.1, "rain", 0.6), (0.1, "sea", 0.8), (0.08, "wind", 0.7)], "new age": [(0.15, "sea", 0.8), (0.12, "rain", 0.6), (0.05, "fire", 0.6)],
    "dark ambient": [(0.2, "wind", 0.9)], "drone": [(0.1, "wind", 0.7)], "horror": [(0.2, "wind", 0.8)], "deep house": [(0.06, "sea", 0.5)],
}  # fmt: skip
RISING = {
    "house",
    "techno",
    "trance",
    "psytrance",
    "electronic",
    "future bass",
    "dubstep",
    "drum and bass",
    "acid house",
    "deep house",
    "uk garage",
    "trailer",
    "synth-pop",
    "electro",
}
NOISE_KINDS = {
    "vinyl crackle": "vinyl crackle",
    "tape hiss": "tape hiss",
    "rain": "rain sounds",
    "sea": "ocean waves",
    "wind": "wind sounds",
    "fire": "fire crackling",
}
# Noise -> its words in captions.
NOISE_WORDS = {
    "vinyl crackle": ("vinyl crackle", "vinyl noise", "record crackle"), "tape hiss": ("tape hiss", "tape noise"), "rain": ("rain sounds", "sound of rain"),
    "sea": ("ocean waves", "sound of waves"), "wind": ("wind sounds", "howling wind"), "fire": ("crackling fire",),
}  # fmt: skip


def draw_chain(instrument, style, part, pattern, rng):
    """Return the chain of effects of a voice, ((name, {parameters}), ...); instrument None: the drums."""
    chain = [(step, {}) if isinstance(step, str) else step for step in OWN.get(instrument.name, ())] if instrument else []
    if pattern == "wah" and "guitar" in instrument.kind:
        chain.append(("auto wah", {"mix": 0.8}))
    options = [*BY_KIND.get(instrument.kind if instrument else "drums", ()), *BY_STYLE.get(style, {}).get(part, ())]
    for chance, name, parameters in options:
        if rng.random() < chance and name not in dict(chain):
            chain.append((name, {key: _drawn(value, rng) for key, value in parameters.items()}))
    return tuple(chain)


def _drawn(value, rng):
    return round(float(rng.uniform(*value)), 3) if isinstance(value, tuple) else value


def draw_room(style, rng):
    """Return (kind of room, how much of it) for a style; in some pieces it is any."""
    kinds, low, high = ROOMS[None] if rng.random() < 0.12 else ROOMS.get(style, ROOMS[None])
    return str(rng.choice(kinds)), round(float(rng.uniform(low, high)), 3)


def draw_noise(style, rng):
    """Return (noise, its loudness) that lies under a piece, or None."""
    chance = rng.random()
    for share, name, loudness in NOISES.get(style, ()):
        if chance < share:
            return name, loudness * float(np.exp(rng.normal(0, 0.3)))
        chance -= share
    return None
