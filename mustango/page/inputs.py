"""What the page's widgets offer, and what stands in them: as a Request, and over a reload of the tab."""

import re

from musicbench.music.keys import Key
from mustango import PREDICTORS, SCHEDULERS
from mustango.page.asked import AUTO_DURATION, PageRequest
from mustango.page.web import AUTO

KEYS = [AUTO, *(str(Key.of(pc, mode)) for mode in ("major", "minor") for pc in range(12))]
METERS = [AUTO, "4/4", "3/4", "2/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
PRESETS = ["I V vi IV", "I vi IV V", "vi IV I V", "ii7 V7 Imaj7", "i bVII bVI V", "I bVII IV I", "I IV | ii V", "i iv V i"]
EXAMPLES = [
    {"prompt": "upbeat piano pop with drums", "chords": "C G Am F", "tempo": "120", "key": "C major", "meter": "4/4"},
    {"prompt": "calm harp lullaby", "chords": "I vi | IV V", "tempo": "80", "key": "G major", "meter": "3/4"},
    {
        "prompt": "jazz trio with double bass and brushes", "chords": "ii7 V7 Imaj7", "tempo": "140", "key": "Bb major",
        "meter": "4/4",
    },
    {
        "prompt": "dark synth arpeggios, driving techno beat", "chords": "Am F C G", "tempo": "128", "key": "A minor",
        "meter": "4/4",
    },
]  # fmt: skip
LOUDNESS = {"-14 LUFS": -14.0, "As made": None}
NO_LORA = "None"
CONTROLS = (
    "prompt", "chords", "tempo", "key", "meter", "length", "unit", "seed", "lock", "count", "steps", "guidance",
    "negative_prompt",
    "guidance_interval", "cache_interval", "scheduler", "model", "predictors", "loudness", "lora", "lora_scale", "listen",
)  # fmt: skip
NUMBERS, CHECKS = ("seed", "count", "steps", "guidance", "cache_interval", "lora_scale"), ("lock", "listen")


def asked_for(*values):
    """Return the Request of what stands in the page's widgets, in the order of CONTROLS."""
    asked = dict(zip(CONTROLS, values, strict=True))
    length, unit = str(asked.pop("length") or "").strip(), asked.pop("unit")
    plain = re.fullmatch(r"[-+]?[\d.,]+", length)
    asked["duration"] = f"{length} bars" if plain and unit == "bars" else length or AUTO_DURATION
    scale = asked.pop("lora_scale")
    asked["lora"] = f"{asked['lora']}:{1 if scale is None else scale}" if asked["lora"] not in (None, NO_LORA) else ""
    asked["loudness"] = LOUDNESS.get(str(asked["loudness"]))
    del asked["lock"]
    left_open = {name: "" for name in ("tempo", "key", "meter") if str(asked[name]).strip().casefold() == AUTO.casefold()}
    return PageRequest(**asked | left_open)


def kept_inputs(kept, models, loras=()):
    """Return the values of CONTROLS that a tab kept over a reload, each None where it kept nothing that fits."""
    kept = kept if isinstance(kept, dict) else {}
    choices = {
        "unit": ["bars", "seconds"],
        "scheduler": SCHEDULERS,
        "model": models,
        "predictors": PREDICTORS,
        "loudness": LOUDNESS,
        "lora": [NO_LORA, *loras],
    }
    values = []
    for name in CONTROLS:
        value, kind = kept.get(name), str
        if name in NUMBERS:
            kind = (int, float)
        elif name in CHECKS:
            kind = bool
        fits = isinstance(value, kind) and value in choices.get(name, [value])
        values.append(value if fits else None)
    return values
