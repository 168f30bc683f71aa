"""Synthesised drums: the table KITS of drum machines, `hit` for one drum, `play_kit` for a part."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from musicbench.synth import drum_hits as d
from musicbench.synth.waves import Note, without_dc

VELOCITIES, VARIANTS = 5, 2  # in a part, so many different hits are made of each drum
CHOKED = {"closed_hat": "open_hat", "pedal_hat": "open_hat"}
CHOKE_S = 0.02
FADE_S = 0.003


@dataclass(frozen=True)
class Drum:
    """How a drum is struck, how long it sounds, and what else the function is told."""

    strike: Callable
    length_s: float
    settings: dict = field(default_factory=dict)


def _drum(strike, length_s, /, **settings):
    return Drum(strike, length_s, settings)


LEVELS = {  # the peak of a hit at full velocity
    "kick": 0.55, "snare": 0.45, "rim": 0.3, "clap": 0.4, "closed_hat": 0.2, "pedal_hat": 0.17, "open_hat": 0.2, "ride": 0.18,
    "ride_bell": 0.22, "crash": 0.28, "splash": 0.24, "china": 0.28, "tom_low": 0.42, "tom_mid": 0.4, "tom_high": 0.38,
    "shaker": 0.16, "maracas": 0.16, "cabasa": 0.17, "tambourine": 0.2, "cowbell": 0.25, "clave": 0.28, "guiro_short": 0.2,
    "guiro_long": 0.2, "triangle": 0.14, "brush": 0.2,
}  # fmt: skip
OTHER_LEVEL = 0.34

PERCUSSION = {  # played by hands and sticks; every kit has it
    "conga_low": _drum(d.membrane, 0.6, hz=165.0, t60_s=0.5, drop=0.06, slap=0.12),
    "conga_high": _drum(d.membrane, 0.5, hz=225.0, t60_s=0.4, drop=0.06, slap=0.14),
    "conga_slap": _drum(d.membrane, 0.25, hz=250.0, t60_s=0.12, drop=0.1, slap=0.8, damped=0.3),
    "bongo_low": _drum(d.membrane, 0.3, hz=310.0, t60_s=0.22, drop=0.08, slap=0.2),
    "bongo_high": _drum(d.membrane, 0.25, hz=420.0, t60_s=0.18, drop=0.08, slap=0.25),
    "djembe_bass": _drum(d.membrane, 0.6, hz=75.0, t60_s=0.5, drop=0.4, slap=0.1, damped=1.6),
    "djembe_tone": _drum(d.membrane, 0.4, hz=300.0, t60_s=0.3, drop=0.1, slap=0.25),
    "djembe_slap": _drum(d.membrane, 0.25, hz=520.0, t60_s=0.14, drop=0.1, slap=0.8, damped=0.4),
    "tabla_na": _drum(d.tabla, 0.6, hz=290.0, t60_s=0.5),
    "tabla_tin": _drum(d.tabla, 0.7, hz=290.0, t60_s=0.65, slap=0.08, partials=((1.0, 1.0), (2.0, 0.35), (3.0, 0.1))),
    "tabla_te": _drum(d.tabla, 0.12, hz=330.0, t60_s=0.06, slap=0.9),
    "tabla_ge": _drum(d.tabla, 0.8, hz=82.0, t60_s=0.75, bend=0.55, slap=0.1, partials=((1.0, 1.0), (2.0, 0.25), (3.0, 0.08))),
    "tabla_ke": _drum(d.tabla, 0.12, hz=120.0, t60_s=0.07, slap=0.7),
    "cajon_low": _drum(d.membrane, 0.35, hz=85.0, t60_s=0.3, drop=0.3, slap=0.12, slap_hz=700.0),
    "cajon_high": _drum(d.snare, 0.25, hz=(210.0, 420.0), shell=(0.5, 0.1), t60_s=0.16, band=(1800.0, 7000.0), snap=0.5),
    "surdo_low": _drum(d.membrane, 1.0, hz=62.0, t60_s=0.9, drop=0.12, slap=0.06, slap_hz=500.0, damped=1.5),
    "surdo_high": _drum(d.membrane, 0.8, hz=84.0, t60_s=0.7, drop=0.12, slap=0.07, slap_hz=500.0, damped=1.5),
    "surdo_muted": _drum(d.membrane, 0.2, hz=66.0, t60_s=0.14, drop=0.12, slap=0.12, slap_hz=500.0, damped=1.5),
    "timbale_low": _drum(d.membrane, 0.5, hz=240.0, t60_s=0.45, drop=0.05, slap=0.3, slap_hz=2500.0, damped=0.5),
    "timbale_high": _drum(d.membrane, 0.45, hz=330.0, t60_s=0.4, drop=0.05, slap=0.35, slap_hz=2500.0, damped=0.5),
    "agogo_low": _drum(d.tuned_metal, 0.4, hz=660.0, t60_s=0.35),
    "agogo_high": _drum(d.tuned_metal, 0.35, hz=990.0, t60_s=0.3),
    "guiro_short": _drum(d.scraped, 0.1, strokes=6, length_s=0.07),
    "guiro_long": _drum(d.scraped, 0.32, strokes=18, length_s=0.28),
    "clave": _drum(d.wood, 0.1, hz=2500.0, t60_s=0.07),
    "cowbell": _drum(d.bell, 0.3, hz=(562.0, 845.0), t60_s=0.28),
    "tambourine": _drum(d.jingled, 0.3, t60_s=0.22),
    "shaker": _drum(d.shaken, 0.14, t60_s=0.1),
    "maracas": _drum(d.shaken, 0.1, t60_s=0.06, attack_s=0.012, band=(5000.0, None)),
    "cabasa": _drum(d.shaken, 0.14, t60_s=0.09, attack_s=0.015, band=(6000.0, None), grains=0.8),
    "woodblock_low": _drum(d.wood, 0.12, hz=620.0, t60_s=0.09, second=2.6),
    "woodblock_high": _drum(d.wood, 0.1, hz=1050.0, t60_s=0.07, second=2.4),
    "triangle": _drum(d.tuned_metal, 1.6, hz=2700.0, t60_s=1.6, partials=((1.0, 0.6), (1.72, 1.0), (2.6, 0.5), (3.3, 0.4))),
    "taiko": _drum(d.membrane, 1.3, hz=68.0, t60_s=1.0, drop=0.35, slap=0.25, slap_hz=350.0, damped=1.2),
    "taiko_rim": _drum(d.wood, 0.15, hz=780.0, t60_s=0.1, second=2.1, knock=0.5),
    "finger_snap": _drum(d.clap, 0.2, bursts=(0.0, 0.012), t60_s=0.1, band=(1500.0, 4500.0), t60_burst_s=0.01),
    "samba_whistle": _drum(d.blown, 0.5),
    "anvil": _drum(d.tuned_metal, 1.0, hz=1480.0, t60_s=0.9),
    "brush": _drum(d.brushed, 0.25),
    "scratch": _drum(d.scratched, 0.18),
    "zap": _drum(d.zap, 0.3),
    "ride_bell": _drum(d.tuned_metal, 1.2, hz=810.0, t60_s=1.4, partials=((1.0, 0.7), (2.1, 1.0), (3.4, 0.7), (4.9, 0.5), (7.1, 0.4))),
    "splash": _drum(d.metal, 0.6, hz=d.CRASH_HZ, band=(3500.0, None), t60_s=0.5, noise=0.9),
    "china": _drum(d.metal, 1.3, hz=d.CRASH_HZ, band=(1500.0, 9000.0), t60_s=1.1, noise=0.9),
    "pedal_hat": _drum(d.metal, 0.1, t60_s=0.06, band=(5000.0, None), attack_s=0.004),
}  # fmt: skip


def _toms(low_hz, **settings):
    return {
        name: _drum(d.tom, 0.7, hz=low_hz * ratio, **settings)
        for name, ratio in (("tom_low", 1.0), ("tom_mid", 1.4), ("tom_high", 1.9))
    }


def _cymbals(hat_hz, crash_hz, hat_s, **settings):
    """Return a kit's hats, ride and crash: above which frequencies, and how long a closed hat lasts."""
    return {
        "closed_hat": _drum(d.metal, 2.0 * hat_s, band=(hat_hz, None), t60_s=hat_s, **settings),
        "pedal_hat": _drum(d.metal, 2.0 * hat_s, band=(0.8 * hat_hz, None), t60_s=hat_s, attack_s=0.004, **settings),
        "open_hat": _drum(d.metal, 9 * hat_s, band=(hat_hz, None), t60_s=8 * hat_s, **settings),
        "ride": _drum(d.metal, 1.2, hz=d.CRASH_HZ, band=(crash_hz, None), t60_s=0.7, noise=0.15, slow=0.3),
        "crash": _drum(d.metal, 2.2, hz=d.CRASH_HZ, band=(0.7 * crash_hz, None), t60_s=1.4, noise=0.9, slow=0.15),
    }


_TRAP = {
    "kick": _drum(d.kick, 0.7, hz=47.0, drop=5.0, drop_s=0.015, t60_s=0.6, click=0.3, drive=2.0),
    "snare": _drum(d.snare, 0.35, hz=(210.0, 370.0), shell=(0.5, 0.16), t60_s=0.25, band=(1800.0, None), snap=0.6),
    "rim": _drum(d.rim, 0.12, hz=(560.0, 1850.0)),
    "clap": _drum(d.clap, 0.4, t60_s=0.3, band=(900.0, 5000.0)),
    **_toms(85.0, t60_s=0.8, drop=0.25),
    **_cymbals(7500.0, 4500.0, 0.05),
}
KITS = {
    "808": {
        "kick": _drum(d.kick, 1.3, hz=49.0, drop=1.6, drop_s=0.012, t60_s=1.1, click=0.08),
        "snare": _drum(d.snare, 0.3, hz=(180.0, 330.0), shell=(0.8, 0.14), t60_s=0.2, band=(1000.0, None), snap=0.1),
        "rim": _drum(d.rim, 0.08, hz=(455.0, 1667.0), t60_s=0.04),
        "clap": _drum(d.clap, 0.4, t60_s=0.3, band=(700.0, 2200.0)),
        "cowbell": _drum(d.bell, 0.5, hz=(540.0, 800.0), t60_s=0.5, band=(500.0, 4000.0)),
        "conga_low": _drum(d.tom, 0.4, hz=165.0, drop=0.05, t60_s=0.3, noise=0.0),
        "conga_high": _drum(d.tom, 0.3, hz=370.0, drop=0.05, t60_s=0.2, noise=0.0),
        "clave": _drum(d.wood, 0.08, hz=2500.0, t60_s=0.045),
        **_toms(80.0, t60_s=0.6, drop=0.25, noise=0.05),
        **_cymbals(7000.0, 4000.0, 0.06, noise=0.05),
    },
    "909": {
        "kick": _drum(d.kick, 0.6, hz=52.0, drop=5.0, drop_s=0.024, t60_s=0.5, click=0.35, drive=1.6, hold=1.4),
        "snare": _drum(d.snare, 0.32, hz=(190.0, 300.0), shell=(0.6, 0.12), t60_s=0.24, band=(1800.0, None), snap=0.3),
        "rim": _drum(d.rim, 0.08, hz=(500.0, 1120.0), t60_s=0.03),
        "clap": _drum(d.clap, 0.4, t60_s=0.25, band=(900.0, 4000.0)),
        **_toms(95.0, t60_s=0.45, drop=0.6, noise=0.15),
        **_cymbals(6500.0, 4200.0, 0.07, noise=1.2),
    },
    "606": {
        "kick": _drum(d.kick, 0.3, hz=62.0, drop=1.2, drop_s=0.008, t60_s=0.24, click=0.15),
        "snare": _drum(d.snare, 0.2, hz=(210.0, 390.0), shell=(0.35, 0.08), t60_s=0.15, band=(2500.0, None)),
        "rim": _drum(d.rim, 0.06, t60_s=0.025),
        "clap": _drum(d.clap, 0.25, t60_s=0.15, band=(1200.0, 4000.0)),
        **_toms(135.0, t60_s=0.3, drop=0.15, noise=0.0),
        **_cymbals(8000.0, 6000.0, 0.035, noise=0.05),
    },
    "cr-78": {
        "kick": _drum(d.kick, 0.22, hz=68.0, drop=0.4, drop_s=0.01, t60_s=0.17, click=0.05),
        "snare": _drum(d.snare, 0.18, hz=(240.0, 430.0), shell=(0.25, 0.07), t60_s=0.13, band=(3000.0, 9000.0), snap=0.05),
        "rim": _drum(d.wood, 0.06, hz=1850.0, t60_s=0.03),
        "clap": _drum(d.shaken, 0.12, t60_s=0.08, attack_s=0.004, band=(2000.0, 7000.0)),
        "tambourine": _drum(d.metal, 0.15, band=(7000.0, None), t60_s=0.1, noise=0.6),
        "bongo_low": _drum(d.tom, 0.2, hz=400.0, drop=0.0, t60_s=0.12, noise=0.0),
        "bongo_high": _drum(d.tom, 0.2, hz=600.0, drop=0.0, t60_s=0.1, noise=0.0),
        **_toms(150.0, t60_s=0.25, drop=0.05, noise=0.0),
        **_cymbals(7500.0, 6000.0, 0.03, noise=0.6),
    },
    "eighties": {
        "kick": _drum(d.kick, 0.35, hz=60.0, drop=3.0, drop_s=0.012, t60_s=0.28, click=0.6, drive=1.0),
        "snare": _drum(d.snare, 0.42, hz=(170.0, 280.0), shell=(0.7, 0.2), t60_s=0.5, band=(700.0, 8000.0), gate_s=0.3),
        "rim": _drum(d.rim, 0.1, hz=(610.0, 1800.0)),
        "clap": _drum(d.clap, 0.45, t60_s=0.4, band=(800.0, 5000.0)),
        **_toms(90.0, t60_s=0.7, drop=1.2, drop_s=0.09, noise=0.3),
        **_cymbals(6000.0, 3500.0, 0.07, noise=1.5),
    },
    "trap": _TRAP,
    "electro": {
        "kick": _drum(d.kick, 0.45, hz=54.0, drop=6.0, drop_s=0.025, t60_s=0.45, click=0.4, drive=5.0),
        "snare": _drum(d.snare, 0.4, hz=(160.0, 233.0), shell=(0.9, 0.2), t60_s=0.35, band=(500.0, None), drive=3.0, gate_s=0.25),
        "rim": _drum(d.tuned_metal, 0.2, hz=640.0, t60_s=0.15),
        "clap": _drum(d.layered, 0.5, layers=((1.0, d.clap, dict(t60_s=0.4)), (0.3, d.tuned_metal, dict(hz=410.0, t60_s=0.3)))),
        "cowbell": _drum(d.tuned_metal, 0.6, hz=520.0, t60_s=0.5),
        **_toms(70.0, t60_s=0.5, drop=2.0, drop_s=0.06, noise=0.5),
        **_cymbals(5000.0, 2500.0, 0.06, noise=0.2),
    },
    "hardcore": {
        **_TRAP,
        "kick": _drum(d.kick, 0.45, hz=50.0, drop=6.0, drop_s=0.05, t60_s=0.9, click=0.5, drive=14.0),
        "snare": _drum(d.snare, 0.3, hz=(230.0, 400.0), shell=(0.6, 0.16), t60_s=0.22, band=(1200.0, None), drive=4.0, snap=0.6),
        **_cymbals(6500.0, 4000.0, 0.06, noise=1.5),
    },
    "chip": {
        "kick": _drum(d.chip_kick, 0.2),
        "snare": _drum(d.bits, 0.2, t60_s=0.2, clock_hz=9000.0),
        "rim": _drum(d.bits, 0.05, t60_s=0.05, clock_hz=4000.0, short=True),
        "clap": _drum(d.bits, 0.15, t60_s=0.15, clock_hz=14000.0),
        "closed_hat": _drum(d.bits, 0.05, t60_s=0.05, clock_hz=48000.0),
        "pedal_hat": _drum(d.bits, 0.04, t60_s=0.04, clock_hz=40000.0),
        "open_hat": _drum(d.bits, 0.25, t60_s=0.3, clock_hz=48000.0),
        "ride": _drum(d.bits, 0.2, t60_s=0.25, clock_hz=30000.0, short=True),
        "crash": _drum(d.bits, 0.9, t60_s=1.0, clock_hz=22000.0),
        "cowbell": _drum(d.zap, 0.12, hz=800.0, low_hz=790.0, t60_s=0.12, wave="square"),
        **{name: _drum(d.chip_kick, 0.25, hz=hz, low_hz=0.35 * hz, t60_s=0.25)
           for name, hz in (("tom_low", 220.0), ("tom_mid", 310.0), ("tom_high", 430.0))},
    },
    "break": {
        "kick": _drum(d.layered, 0.35, layers=((1.0, d.kick, dict(hz=62.0, drop=1.5, drop_s=0.02, t60_s=0.25, click=0.4, drive=1.2)),
                                              (0.25, d.membrane, dict(hz=95.0, t60_s=0.2)))),
        "snare": _drum(d.snare, 0.35, hz=(215.0, 365.0), shell=(0.7, 0.2), t60_s=0.28, band=(900.0, 9000.0), snap=0.4, drive=1.2),
        "rim": _drum(d.rim, 0.1, hz=(700.0, 2100.0)),
        "clap": _drum(d.clap, 0.3, t60_s=0.2),
        **{name: _drum(d.membrane, 0.6, hz=hz, t60_s=0.5, drop=0.2) for name, hz in
           (("tom_low", 95.0), ("tom_mid", 130.0), ("tom_high", 175.0))},
        **_cymbals(5000.0, 2800.0, 0.07, noise=1.5),
    },
    "lo-fi": {
        "kick": _drum(d.kick, 0.35, hz=58.0, drop=1.5, drop_s=0.02, t60_s=0.3, click=0.1, drive=2.0),
        "snare": _drum(d.snare, 0.25, hz=(180.0, 300.0), shell=(0.6, 0.12), t60_s=0.18, band=(700.0, 4000.0), snap=0.1, drive=1.5),
        "rim": _drum(d.rim, 0.08, hz=(420.0, 1300.0), t60_s=0.05),
        "clap": _drum(d.clap, 0.25, t60_s=0.18, band=(600.0, 2500.0)),
        **_toms(90.0, t60_s=0.35),
        **_cymbals(3500.0, 2500.0, 0.05, noise=1.0),
        "closed_hat": _drum(d.metal, 0.09, band=(3500.0, 7500.0), t60_s=0.05, noise=1.0),
    },
    "brush": {
        "kick": _drum(d.membrane, 0.4, hz=58.0, t60_s=0.3, drop=0.3, slap=0.06, slap_hz=400.0, damped=1.5),
        "snare": _drum(d.layered, 0.3, layers=((1.0, d.brushed, dict(length_s=0.16, shape=0.08)),
                                              (0.25, d.membrane, dict(hz=190.0, t60_s=0.2)))),
        "rim": _drum(d.rim, 0.1, hz=(780.0, 2300.0)),
        "clap": _drum(d.brushed, 0.3, length_s=0.3),
        **{name: _drum(d.membrane, 0.7, hz=hz, t60_s=0.6, drop=0.08, slap=0.08) for name, hz in
           (("tom_low", 90.0), ("tom_mid", 125.0), ("tom_high", 170.0))},
        **_cymbals(5500.0, 3000.0, 0.06, noise=1.2),
    },
    "cinematic": {
        "kick": _drum(d.layered, 1.6, layers=((1.0, d.kick, dict(hz=38.0, drop=2.5, drop_s=0.04, t60_s=1.4, click=0.2, drive=1.0)),
                                             (0.3, d.burst, dict(t60_s=0.5, low_hz=60.0, high_hz=400.0)))),
        "snare": _drum(d.membrane, 1.0, hz=110.0, t60_s=0.8, drop=0.3, slap=0.5, slap_hz=600.0),
        "rim": PERCUSSION["taiko_rim"],
        "clap": _drum(d.layered, 0.8, layers=((1.0, d.clap, dict(t60_s=0.6)), (0.6, d.tuned_metal, dict(hz=350.0, t60_s=0.6)))),
        **{name: _drum(d.membrane, 1.2, hz=hz, t60_s=1.0, drop=0.3, slap=0.2, slap_hz=350.0) for name, hz in
           (("tom_low", 58.0), ("tom_mid", 80.0), ("tom_high", 112.0))},
        **_cymbals(4500.0, 2200.0, 0.08, noise=1.2),
    },
    "hand percussion": {
        "kick": PERCUSSION["cajon_low"], "snare": PERCUSSION["conga_slap"], "rim": PERCUSSION["clave"],
        "clap": _drum(d.clap, 0.2, bursts=(0.0, 0.008), t60_s=0.1, band=(900.0, 4500.0)),
        "closed_hat": PERCUSSION["shaker"], "pedal_hat": PERCUSSION["maracas"], "open_hat": PERCUSSION["cabasa"],
        "ride": PERCUSSION["cowbell"], "crash": PERCUSSION["tambourine"], "tom_low": PERCUSSION["conga_low"],
        "tom_mid": PERCUSSION["conga_high"], "tom_high": PERCUSSION["bongo_high"],
    },
}  # fmt: skip


def drum_of(kit, drum):
    """Return how a kit of KITS strikes a drum; what it lacks it takes from PERCUSSION.

    Raises KeyError for others.
    """
    known = KITS[kit]
    return known[drum] if drum in known else PERCUSSION[drum]


def hit(kit, drum, velocity, sample_rate, rng, *, tuning=0.0):
    """Return one hit, float32 mono (n,), as long as it sounds.

    velocity: 0 to 1; it makes louder (peaks: LEVELS) and brighter. rng: a numpy Generator, as no two hits are the same.
    tuning: semitones.
    """
    found = drum_of(kit, drum)
    count = max(round(found.length_s * sample_rate), 16)
    note = Note(2.0 ** (tuning / 12), count, count, float(velocity), sample_rate, rng)
    wave = without_dc(found.strike(note, **found.settings), sample_rate, 20.0)
    fade = min(max(round(FADE_S * sample_rate), count // 8), count)
    wave[count - fade :] *= np.linspace(1, 0, fade)
    peak = max(float(np.abs(wave).max()), 1e-9)
    return (wave * (LEVELS.get(drum, OTHER_LEVEL) * velocity**1.3 / peak)).astype(np.float32)


def play_kit(kit, hits, duration_s, sample_rate, rng, *, tuning=0.0):
    """Return hits of a kit, float32 mono (n,), n = duration_s * sample_rate rounded.

    hits: sequence of (start_s, drum, velocity). A closed hat silences an open one. Hits that begin before 0 s
    are left out. tuning: of all drums, in semitones.
    """
    out = np.zeros(round(duration_s * sample_rate))
    made, chokes = {}, {}
    ordered = sorted(hits)
    for start_s, drum, _ in ordered:
        if drum in CHOKED:
            chokes.setdefault(CHOKED[drum], []).append(start_s)
    for start_s, drum, velocity in ordered:
        first = round(start_s * sample_rate)
        if not 0 <= first < len(out) or velocity <= 0:
            continue
        hardness = int(np.ceil(min(velocity, 1.0) * VELOCITIES))
        key = drum, hardness, int(rng.integers(VARIANTS))
        if key not in made:
            made[key] = hit(kit, drum, hardness / VELOCITIES, sample_rate, rng, tuning=tuning)
        wave = made[key] * (velocity * VELOCITIES / hardness) ** 1.3
        later = [s for s in chokes.get(drum, ()) if s > start_s]
        if later:
            late_s = np.arange(len(wave)) / sample_rate - (later[0] - start_s)
            wave = wave * np.clip(1 - late_s / CHOKE_S, 0, 1)
        wave = wave[: len(out) - first]
        out[first : first + len(wave)] += wave
    return out.astype(np.float32)
