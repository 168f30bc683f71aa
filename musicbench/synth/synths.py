"""Synthesised pitched sounds for what no SoundFont has: the table PATCHES, and `play`, which plays tones on one of
them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from musicbench.synth import basses, leads, struck
from musicbench.synth.waves import DECAY, Note, Tone, to_hz, without_dc

__all__ = ["PATCHES", "Patch", "Tone", "play"]

FADE_S = 0.004  # at the end of every note, against clicks
CONNECTED_S = 0.02  # tones of a patch with one voice that are no further apart are played in one breath if the second glides
NEVER_S = 1e6


@dataclass(frozen=True)
class Patch:
    """A sound: the voice that plays a note, what it is, usual range (MIDI pitches), seconds to -60 dB after the key
    goes up, gain.

    single: one tone at a time; a tone that begins before the last ends takes its place, and one that overlaps it or
    glides is tied to it. settings: what else the voice is told. tuned: whether it has a pitch at all.
    """

    voice: Callable
    what: str
    low: int
    high: int
    release_s: float
    gain: float
    single: bool = False
    settings: dict = field(default_factory=dict)
    tuned: bool = True


PATCHES = {
    # basses
    "808 bass": Patch(basses.eight_oh_eight, "long, driven 808 kick played as a bass, with slides", 24, 48, 0.12, 0.37, True),
    "sub bass": Patch(basses.sub, "plain sine bass", 24, 45, 0.1, 0.33, True),
    "reese bass": Patch(basses.reese, "detuned, churning bass of drum and bass", 24, 48, 0.15, 0.11, True),
    "acid bass": Patch(basses.acid, "squelching 303 line, saw", 28, 60, 0.06, 0.24, True),
    "acid square": Patch(basses.acid, "squelching 303 line, square", 28, 60, 0.06, 0.31, True, dict(wave="square")),
    "fm bass": Patch(basses.fm_bass, "hard digital bass of the eighties", 28, 55, 0.1, 0.33),
    "wobble bass": Patch(basses.wobble, "dubstep bass whose filter moves in tempo", 24, 45, 0.08, 0.13, True),
    "growl bass": Patch(basses.growl, "talking bass of dubstep and neurofunk", 24, 45, 0.08, 0.15, True),
    "analogue bass": Patch(basses.analogue, "round analogue synth bass", 28, 55, 0.1, 0.24, True),
    "pulse bass": Patch(basses.analogue, "dark square synth bass of synthwave", 28, 55, 0.1, 0.31, True,
                        dict(wave="square", cutoff_hz=220.0, octaves=3.5, decay_s=0.15, sustain=0.6)),
    "donk bass": Patch(basses.donk, "short organ bass of house", 30, 55, 0.08, 0.39),
    "chip bass": Patch(basses.chip_bass, "triangle of an eight-bit console", 28, 60, 0.01, 0.34, True),
    # leads
    "supersaw lead": Patch(leads.supersaw, "wide trance lead of seven saws", 55, 88, 0.2, 0.059),
    "saw lead": Patch(leads.classic_lead, "analogue saw lead with vibrato and glide", 50, 88, 0.12, 0.21, True),
    "square lead": Patch(leads.classic_lead, "hollow analogue square lead", 50, 88, 0.12, 0.26, True, dict(wave="square", cutoff_hz=1400.0)),
    "soft lead": Patch(leads.rounded, "flute-like triangle lead", 55, 91, 0.1, 0.2, True),
    "chip square": Patch(leads.chip, "square wave of an eight-bit console", 40, 96, 0.01, 0.18),
    "chip pulse": Patch(leads.chip, "quarter pulse of an eight-bit console", 40, 96, 0.01, 0.2, False, dict(wave="pulse 1/4", cents=14.0)),
    "chip thin": Patch(leads.chip, "nasal eighth pulse of an eight-bit console", 40, 96, 0.01, 0.35, False,
                       dict(wave="pulse 1/8", decay_s=0.3)),
    "chip triangle": Patch(leads.chip, "stepped triangle of an eight-bit console", 36, 90, 0.01, 0.033, False, dict(wave="chip triangle")),
    "chip noise": Patch(leads.chip_noise, "shift-register noise of an eight-bit console", 40, 100, 0.01, 0.27, False, {}, False),
    "hoover": Patch(leads.hoover, "rave lead that swoops", 36, 67, 0.2, 0.066, True),
    "theremin": Patch(leads.theremin, "sliding, wavering sine", 55, 88, 0.1, 0.2, True),
    "whistle": Patch(leads.whistle, "a person who whistles", 69, 96, 0.08, 0.19, True),
    # stabs, plucks, keys
    "house stab": Patch(leads.stab, "short filtered chord stab", 45, 80, 0.15, 0.25),
    "pluck": Patch(leads.pluck, "saw pluck of trance and house", 48, 90, 0.25, 0.25),
    "square pluck": Patch(leads.pluck, "hollow synth pluck", 48, 90, 0.25, 0.27, False, dict(wave="square")),
    "vocal chop": Patch(struck.vocal_pluck, "short syllable of a chopped voice", 52, 80, 0.1, 0.6),
    "orchestra hit": Patch(leads.orchestra_hit, "sampled orchestra stab of the eighties", 30, 64, 0.3, 0.16),
    "braam": Patch(leads.braam, "brass blast of film trailers", 22, 46, 1.2, 0.11),
    "synth brass": Patch(leads.synth_brass, "analogue brass of the eighties", 43, 80, 0.25, 0.12),
    "fm electric piano": Patch(struck.fm_piano, "glassy electric piano of the eighties", 36, 88, 0.3, 0.31),
    "fm bell": Patch(struck.fm_bell, "digital bell", 55, 96, 1.5, 0.23),
    "fm glass": Patch(struck.fm_glass, "short digital pluck", 48, 96, 0.4, 0.35),
    # pads, organs
    "supersaw pad": Patch(leads.supersaw, "wide pad of seven saws", 43, 80, 0.8, 0.06, False,
                          dict(attack_s=0.25, spread=1.15, cutoff_hz=5000.0)),
    "warm pad": Patch(leads.many, "soft analogue pad", 40, 80, 1.0, 0.13, False, dict(width_cents=20.0, cutoff_hz=1100.0)),
    "string machine": Patch(leads.many, "ensemble keyboard of the seventies", 40, 88, 0.6, 0.12, False,
                            dict(wave="string", width_cents=26.0, cutoff_hz=4500.0, attack_s=0.12)),
    "dark drone": Patch(leads.many, "low, wide drone", 24, 55, 1.8, 0.17, False, dict(width_cents=32.0, cutoff_hz=380.0, attack_s=0.9)),
    "sweep pad": Patch(leads.sweeping_pad, "pad with a slow resonant sweep", 40, 80, 0.8, 0.12),
    "glass pad": Patch(leads.glass_pad, "glassy digital pad", 48, 88, 1.0, 0.15),
    "drawbar organ": Patch(leads.organ, "tonewheel organ with a turning speaker", 36, 88, 0.03, 0.11),
    "jazz organ": Patch(leads.organ, "tonewheel organ, few drawbars and a knock", 36, 88, 0.03, 0.14, False,
                        dict(wave="jazz drawbars", percussion=0.9)),
    "combo organ": Patch(leads.organ, "reedy transistor organ of the sixties", 43, 88, 0.03, 0.13, False,
                         dict(wave="combo", percussion=0.0, cents=9.0)),
    "pipe organ": Patch(leads.organ, "principal pipes", 36, 88, 0.25, 0.14, False, dict(wave="pipes", percussion=0.0, cents=0.0)),
    # voices
    "choir ah": Patch(leads.choir, "choir that sings ah", 43, 81, 0.4, 0.086),
    "choir oh": Patch(leads.choir, "choir that sings oh", 43, 81, 0.4, 0.086, False, dict(vowels=("oo", "oh"))),
    "choir hum": Patch(leads.choir, "choir that hums", 43, 76, 0.4, 0.089, False, dict(vowels=("mm", "mm"))),
    "solo voice": Patch(leads.singer, "one voice that sings on changing vowels", 48, 81, 0.15, 0.2, True),
    "opera voice": Patch(leads.singer, "one trained voice that sings ah", 45, 84, 0.2, 0.19, True,
                         dict(vowels=("oh", "ah"), a_second=0.5, cents=95.0, slope=0.7, consonants=0.3)),
    "barbershop voice": Patch(leads.singer, "close, bright voice with little vibrato", 40, 72, 0.1, 0.19, False,
                              dict(vowels=("oh", "ah", "ah", "eh"), a_second=1.2, cents=12.0, slope=0.75, consonants=0.6)),
    "robot voice": Patch(leads.robot, "vocoder that talks", 40, 72, 0.08, 0.14),
    "overtone singer": Patch(leads.overtone_singer, "drone with single overtones picked out", 36, 57, 0.3, 0.45),
    # strings, winds, metal from elsewhere
    "tanpura": Patch(struck.tanpura, "drone string with a buzzing bridge", 36, 62, 3.0, 0.15),
    "sitar": Patch(struck.sitar, "buzzing plucked string with bends", 48, 79, 1.2, 0.33),
    "muted guitar": Patch(struck.muted_string, "string under the palm", 36, 72, 0.15, 1.2),
    "sho": Patch(leads.sho, "Japanese mouth organ", 69, 93, 0.6, 0.14),
    "hichiriki": Patch(leads.hichiriki, "Japanese double reed that slides", 65, 84, 0.15, 0.097, True),
    "didgeridoo": Patch(leads.didgeridoo, "Australian drone pipe", 31, 45, 0.25, 0.2, True),
    "gong": Patch(struck.shimmering_gong, "great gong", 31, 60, 5.0, 0.2),
    "metallophone": Patch(struck.bars, "pair of gamelan bars that beat", 50, 86, 1.8, 0.2, False,
                          dict(partials=struck.SARON, knock=0.12, beating_hz=6.0)),
    "bonang": Patch(struck.bars, "gamelan kettle gong", 55, 86, 1.0, 0.46, False, dict(partials=struck.BONANG, knock=0.15, beating_hz=4.0)),
    "kalimba": Patch(struck.bars, "thumb piano", 55, 88, 0.8, 0.44, False, dict(partials=struck.KALIMBA, knock=0.15)),
    "wooden bars": Patch(struck.bars, "marimba-like bars", 45, 88, 0.6, 0.55, False, dict(partials=struck.MARIMBA, knock=0.2)),
    "bell bars": Patch(struck.bars, "glockenspiel-like bars", 72, 103, 1.5, 0.35, False, dict(partials=struck.GLOCKENSPIEL)),
    "steel pan": Patch(struck.steel_pan, "Trinidad's tuned drum", 50, 88, 0.4, 0.36),
    "singing bowl": Patch(struck.rubbed_bowl, "metal bowl that rings and beats", 45, 76, 5.0, 0.21),
}  # fmt: skip


def _pitch_curve(tones, count, rate, start_s):
    """Return the frequency (count,) of tied tones, or one number where it stands still.

    The first may be given as where to come from.
    """
    if len(tones) == 1 and not tones[0].bends:
        return float(to_hz(tones[0].pitch))
    times = start_s + np.arange(count) / rate
    points = [(tones[0].start_s, tones[0].pitch)]
    for last, tone in zip(tones, tones[1:], strict=False):
        points += [(tone.start_s, last.pitch), (tone.start_s + max(tone.glide_s, 0.01), tone.pitch)]
    curve = np.interp(times, *np.transpose(sorted(points)))
    for tone in tones:
        if tone.bends:
            bend = np.interp(times - tone.start_s, *np.transpose(tone.bends), left=0.0)
            after = tones[tones.index(tone) + 1].start_s if tone is not tones[-1] else np.inf
            curve = curve + np.where((times >= tone.start_s) & (times < after), bend, 0)
    return to_hz(curve)


def _phrases(tones, single):
    """Return tones as tuples that are played in one breath, and when each must stop: (tones, start that comes
    before, end_s)."""
    if not single:
        return [((tone,), None if i == 0 else tones[i - 1], NEVER_S) for i, tone in enumerate(tones)]
    groups = []
    for tone in tones:
        last = groups[-1][-1] if groups else None
        gap_s = tone.start_s - (last.start_s + last.duration_s) if last else np.inf
        tied = gap_s < -1e-3 or (tone.glide_s > 0 and gap_s < CONNECTED_S)
        if tied and tone.start_s > last.start_s:
            groups[-1].append(tone)
        else:
            groups.append([tone])
    ends = [group[0].start_s for group in groups[1:]] + [NEVER_S]
    before = [None] + [group[-1] for group in groups]
    return list(zip(map(tuple, groups), before, ends, strict=False))


def _loudness(tones, note, start_s):
    """Return a gain for tied tones' velocities: one number, or (count,) where they differ."""
    levels = [tone.velocity**1.4 for tone in tones]
    if len(set(levels)) == 1:
        return levels[0]
    return np.interp(start_s + note.time, [tone.start_s + 0.01 * (tone is not tones[0]) for tone in tones], levels)


def _play_phrase(patch, phrase, rate, rng, bpm):
    """Return the first sample and the samples of tied tones."""
    tones, before, end_s = phrase
    start_s = tones[0].start_s
    gate = max(round((max(tone.start_s + tone.duration_s for tone in tones) - start_s) * rate), 1)
    count = min(gate + round(patch.release_s * rate), max(round((end_s - start_s + FADE_S) * rate), 1))
    gate = min(gate, count)
    if tones[0].glide_s > 0 and before is not None:
        came = Tone(start_s - 1.0, 1.0, before.pitch)
        hz = _pitch_curve((came, *tones), count, rate, start_s)
    else:
        hz = _pitch_curve(tones, count, rate, start_s)
    note = Note(hz, count, gate, float(tones[0].velocity), rate, rng, bpm)
    wave = patch.voice(note, **patch.settings) * (patch.gain * _loudness(tones, note, start_s))
    if count > gate:
        late = np.arange(count - gate, dtype=np.float32)
        wave[gate:] *= np.exp(late * np.float32(-DECAY / (patch.release_s * rate)))
    fade = min(round(FADE_S * rate), count)
    wave[count - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return round(start_s * rate), wave


def play(patch, notes, duration_s, sample_rate, rng, *, bpm=120.0):
    """Return tones played on a patch of PATCHES, float32 mono (n,), n = duration_s * sample_rate rounded.

    notes: sequence of Tone. rng: a numpy Generator; the same one gives the same samples. bpm: counted beats a minute,
    for what moves in tempo. One held tone of velocity 0.8 in a patch's range is about as loud (-20 LUFS) as on any
    other. What begins before 0 s or lasts beyond the end is cut; tones whose pitch lies above the sample rate's reach
    are silent.
    """
    out = np.zeros(round(duration_s * sample_rate), np.float64)
    known = PATCHES[patch]
    tones = sorted((tone for tone in notes if tone.start_s < duration_s), key=lambda tone: (tone.start_s, tone.pitch))
    for phrase in _phrases(tones, known.single):
        first, wave = _play_phrase(known, phrase, sample_rate, rng, bpm)
        skipped = max(-first, 0)
        wave = wave[skipped : max(len(out) - first, 0)]
        out[first + skipped : first + skipped + len(wave)] += wave
    return without_dc(out, sample_rate).astype(np.float32)
