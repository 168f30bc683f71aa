"""Seed -> the Plan of a piece: style, meter, tempo, chords, who plays what and how, and the form."""

from dataclasses import replace

import numpy as np

from musicbench import InputError, quoted
from musicbench.compose.chains import RISING, draw_chain, draw_noise, draw_room
from musicbench.compose.grooves import GROOVES
from musicbench.compose.harmony import draw_progression, quickened, with_break, with_drums_first, with_ending
from musicbench.compose.instruments import INSTRUMENTS, KINDS, KITS, named, suited
from musicbench.compose.pieces import Form, Plan, Voice
from musicbench.compose.playing import pattern_of
from musicbench.compose.styles import STYLES
from musicbench.music.chords import NO_CHORD
from musicbench.music.keys import Key, likely_key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression

DRUMS_ALONE, WITH_BREAK, QUICK, ENDING, DRUMS_FIRST = (
    0.03,
    0.08,
    0.05,
    0.07,
    0.03,
)  # shares of the pieces whose chords are not given
MIXED = 0.25  # share of the pieces whose instruments are drawn apart from the style, so that words and sounds are not tied together
SOLO, DUO, SOME_PARTS = 0.06, 0.06, 0.1
FONTS = ("FluidR3_GM", "MuseScore_General", "TimGM6mb")
FONT_SHARES = (0.45, 0.35, 0.2)
UNPLAYABLE = {("TimGM6mb", "whistle")}  # silent there
_METERS = (("4/4", 0.76), ("3/4", 0.12), ("6/8", 0.05), ("2/4", 0.03), ("5/4", 0.02), ("7/8", 0.02))
_ON_BEATS = {"four on the floor", "house", "techno", "trance", "trap", "drill", "drum and bass", "dubstep", "reggaeton"}
_DRUM_SHARE = {True: 0.94, False: 0.06, None: 0.5}
_PLAIN = ("quarters", "eighths", "syncopated", "arpeggio", "halves", "sustained", "off-beats", "plucks")
_HELD = ("sustained", "halves", "quarters", "swells")
_PADS = ("synth pad", "synth pad", "strings", "choir", "organ")


def check_styles(names):
    """Raise InputError for a style that the composer has not."""
    unknown = [name for name in names if name not in STYLES]
    if unknown:
        raise InputError(f"unknown style {quoted(unknown[0])}; choose one of {', '.join(STYLES)}")


def plan(seed, *, chords=None, bpm=None, meter=None, key=None, style=None, lead_in=True):
    """Draw a piece. `chords` (a Progression), `bpm`, `meter`, `key` and `style` (a name, or some to draw from) replace
    what would be drawn.

    With `lead_in` half of the pieces begin somewhere inside their first bars, else all begin on a downbeat. Where no
    chords are given, some pieces are for drums alone, some have a break or an ending, bars without a chord, and some
    change chords on every beat.
    """
    rng = np.random.default_rng([seed, 1])
    names = (style,) if isinstance(style, str) else tuple(style or STYLES)
    check_styles(names)
    name = str(rng.choice(names))
    chosen = STYLES[name]
    mixed = rng.random() < chosen.share("mixed", MIXED)
    meter, feel = _draw_meter(rng, chosen, meter)
    bpm = bpm or _draw_tempo(rng, chosen, meter)
    mode = {"major": 0.2, "minor": 0.8, None: 0.45}[chosen.genre.mode]
    drawn_key = Key.of(int(rng.integers(12)), "minor" if rng.random() < mode else "major")
    progression = chords or draw_progression(np.random.default_rng([seed, 10]), key or drawn_key, meter, chosen)
    piece = Plan(
        seed=seed, style=name, key=key or drawn_key, meter=meter, bpm=bpm, progression=progression, feel=feel, mixed=mixed,
        energy=float(rng.beta(1.4, 1.4)), density=float(rng.beta(1.4, 1.4)), register=int(rng.choice([-1, 0, 0, 0, 1])),
        start_beat=int(rng.integers(0, 2 * meter.beats)) if lead_in and rng.random() < 0.5 else 0,
        loose=float(np.clip(rng.beta(2, 2) * (0.5 + chosen.share("loose", 0.5)) + 0.15, 0.1, 1)),
        machine=bool(chosen.share("machine", 0)), **_draw_swing(rng, chosen, meter, feel),
    )  # fmt: skip
    piece = _with_players(piece, chosen, bool(chords), np.random.default_rng([seed, 11]))
    piece = _with_form(piece, chosen, bool(chords), np.random.default_rng([seed, 8]))
    piece = _with_sound(piece, np.random.default_rng([seed, 12]))
    return piece if key else replace(piece, key=likely_key(piece.progression.chords) or drawn_key)


# ---------------------------------------------------------------------------------------------------- time


def _draw_meter(rng, style, meter):
    """Return (meter, feel): the style's own meter mostly, another in some pieces."""
    names, shares = zip(*_METERS, strict=True)
    usual = style.meters or ((style.genre.meter,) if style.genre.meter else ())
    is_straight = bool(_ON_BEATS & set(style.grooves)) and not usual
    other = rng.random()
    drawn = str(rng.choice(usual)) if usual and other < 0.85 else str(rng.choice(names, p=shares))
    drawn = "4/4" if is_straight and other < 0.9 else drawn
    meter = meter or Meter.parse(drawn)
    is_triplet = rng.random() < style.share("triplet", 0.03) and meter.unit == 4 and meter.beats in (3, 4)
    return meter, "triplet" if is_triplet else "even"


def _draw_tempo(rng, style, meter):
    """Return beats a minute: mostly as the style's usual ones, else anything from 50 to 200, eighths from 100 to
    300."""
    low, high = style.genre.bpm
    compound = Meter.parse(style.genre.meter or "4/4").unit == 8
    is_usual = rng.random() < 0.75
    if meter.unit == 8 and not compound:
        low, high = (2 * low, min(2.4 * high, 300)) if meter.beats == 7 and is_usual else (100, 260)
    elif meter.unit == 4 and compound:
        low, high = low / 2.4, high / 2.4
    elif not is_usual:
        low, high = (100, 300) if meter.unit == 8 else (50, 200)
    low = min(max(low, 50), 240)
    high = min(max(high, 1.05 * low), 300)
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), int(rng.random() < 0.3))


def _draw_swing(rng, style, meter, feel):
    amount = {0.5: style.share("swing8", 0), 0.25: style.share("swing16", 0)}
    step = max(amount, key=amount.get)
    if meter.unit != 4 or feel != "even" or not amount[step]:
        return {}
    return {"swing": round(float(amount[step] * rng.uniform(0.4, 1.3)), 3), "swing_step": step}


# ---------------------------------------------------------------------------------------------------- players


def _instrument(rng, names):
    """Draw an instrument from names of instruments and kinds."""
    return str(rng.choice(named(str(rng.choice(names)))))


def _any_instrument(rng, part):
    """Draw an instrument that suits a part, each kind as often."""
    kinds = sorted({INSTRUMENTS[name].kind for name in suited(part)})
    options = [name for name in KINDS[str(rng.choice(kinds))] if name in suited(part)]
    return str(rng.choice(options))


def _with_players(piece, style, has_chords, rng):
    """Return the plan with voices and drums; chords that are given are always played by somebody."""
    cast = rng.random()
    solo = style.share("solo", SOLO)
    piece = replace(piece, **_draw_drums(piece, style, rng))
    if style.bands and not piece.mixed and rng.random() < style.share("band", 0):
        voices = _band(str(rng.choice(style.bands)), rng)
    elif cast < solo:
        return replace(piece, voices=_solo(piece, style, has_chords, rng), groove="none")
    elif cast < solo + DUO:
        return replace(piece, voices=_duo(piece, style, rng), groove="none")
    else:
        voices = _voices(piece, style, rng)
    return replace(piece, voices=tuple(voices))


def _draw_drums(piece, style, rng):
    """Return the groove, "none" for no drums, and the kit."""
    share = style.share("drums", _DRUM_SHARE[style.genre.drums])
    groove = str(rng.choice(style.grooves)) if rng.random() < share else "none"
    kit = str(rng.choice(style.kits))
    if rng.random() < (0.35 if piece.mixed else 0.07) and not style.share("nodrums", 0):
        groove = str(rng.choice([*GROOVES, *["none"] * (len(GROOVES) // 2)]))
    if piece.mixed and rng.random() < 0.5:
        kit = str(rng.choice(list(KITS)))
    return {"groove": groove, "kit": kit if groove != "none" else None}


def _chords_voice(piece, style, rng):
    """Draw what plays the chords: a sustained pattern for half of what sustains, a plain one where the style's needs
    its own instrument."""
    instrument = _any_instrument(rng, "chords") if piece.mixed else _instrument(rng, style.chords)
    pattern = str(rng.choice(style.patterns))
    sound = INSTRUMENTS[instrument]
    ways, _ = pattern_of("chords", pattern)
    if piece.mixed and ways & {"power", "strum"} and "guitar" not in sound.kind:
        pattern = str(rng.choice(_PLAIN))
    if sound.sustains and piece.mixed and rng.random() < 0.5:
        pattern = str(rng.choice(_HELD))
    if pattern == "waterfall" and sound.sustains:
        pattern = "arpeggio"
    return Voice("chords", instrument, pattern)


def _voices(piece, style, rng):
    """Draw a band: chords, perhaps a second instrument or a pad behind them, bass, lead."""
    voices = [_chords_voice(piece, style, rng)]
    if rng.random() < 0.16 and len(style.chords) > 1:
        second = _chords_voice(piece, style, rng)
        voices += [replace(second, gain_db=-2.5)] if second.sound.kind != voices[0].sound.kind else []
    if rng.random() < style.share("pad", 0.03) and not voices[0].sound.sustains:
        voices.append(Voice("chords", _instrument(rng, _PADS), "sustained", gain_db=-5.0))
    if "guitar" in voices[0].sound.kind and rng.random() < style.share("wall", 0):  # a second guitar plays along, and both are loud
        other = str(rng.choice([name for name in named("distorted guitar") if name != voices[0].instrument]))
        voices = [replace(voices[0], gain_db=4.0), Voice("chords", other, voices[0].playing, gain_db=3.0), *voices[1:]]
    if style.bass and rng.random() < style.share("bass", 0.85):
        bass = _any_instrument(rng, "bass") if piece.mixed else _instrument(rng, style.bass)
        voices.append(Voice("bass", bass, str(rng.choice(style.lines))))
    if rng.random() < style.share("lead", 0.6):
        lead = _any_instrument(rng, "lead") if piece.mixed else _instrument(rng, style.lead)
        if lead != voices[0].instrument or not voices[0].sound.sustains:
            voices.append(Voice("lead", lead, str(rng.choice(style.melodies))))
    return voices


def _solo(piece, style, has_chords, rng):
    """Draw one instrument alone: with chords and a melody where it has both, else a line that lets the chords be
    heard."""
    if piece.mixed or rng.random() < 0.35:
        instrument = _any_instrument(rng, "chords" if has_chords else str(rng.choice(["chords", "lead", "lead", "bass"])))
    else:
        instrument = _instrument(rng, style.chords if has_chords or rng.random() < 0.75 else style.lead)
    parts = INSTRUMENTS[instrument].parts
    if "chords" not in parts:
        part = "lead" if "lead" in parts else "bass"
        return (Voice(part, instrument, "alone" if part == "lead" else str(rng.choice(style.lines or ("walking", "eighths")))),)
    pattern = str(rng.choice(style.patterns)) if instrument in _all_of(style.chords) else str(rng.choice(_PLAIN))
    voices = [Voice("chords", instrument, pattern)]
    if "lead" in parts and rng.random() < 0.6:
        voices.append(Voice("lead", instrument, str(rng.choice(style.melodies)), gain_db=1.0))
    return tuple(voices)


def _all_of(names):
    return {name for each in names for name in named(each)}


def _duo(piece, style, rng):
    """Draw two players: chords and a lead, or chords and a bass."""
    first = _chords_voice(piece, style, rng)
    for _ in range(5):
        lead = _any_instrument(rng, "lead") if piece.mixed or rng.random() < 0.3 else _instrument(rng, style.lead)
        if INSTRUMENTS[lead].kind != first.sound.kind:
            break
    if style.bass and rng.random() < 0.2:
        return (first, Voice("bass", _instrument(rng, style.bass), str(rng.choice(style.lines))))
    return (first, Voice("lead", lead, str(rng.choice(style.melodies))))


def _band(text, rng):
    """Return the voices of a line of BANDS."""
    voices = []
    for spec in text.split(";"):
        spec, _, note = spec.strip().partition("@")
        part, rest = spec.strip().split(None, 1)
        known = [name for name in (*INSTRUMENTS, *KINDS) if rest.startswith(f"{name} ")]
        name = max(known, key=len)
        instrument = name if name in INSTRUMENTS else str(rng.choice(KINDS[name]))
        voices.append(Voice(part, instrument, rest[len(name) :].strip(), int(note) if note else None))
    same = {voice.instrument for voice in voices if voice.note is not None}
    return tuple(replace(voice, gain_db=-1.5) if voice.instrument in same else voice for voice in voices)


def _draw_fonts(piece, rng):
    """Return the names of the SoundFonts that the voices, and last the drums, are played from: one for all, or each
    its own."""
    count = len(piece.voices) + 1
    if rng.random() < 0.65:
        fonts = [str(rng.choice(FONTS, p=FONT_SHARES))] * count
    else:
        fonts = [str(name) for name in rng.choice(FONTS, count, p=FONT_SHARES)]
    for number, voice in enumerate(piece.voices):
        if (fonts[number], voice.instrument) in UNPLAYABLE:
            fonts[number] = FONTS[0]
    return tuple(fonts)


def _with_sound(piece, rng):
    """Return the plan with SoundFonts, effects, room and noise."""
    fonts = _draw_fonts(piece, rng)
    voices = tuple(
        replace(voice, effects=draw_chain(voice.sound, piece.style, voice.part, voice.playing, rng)) for voice in piece.voices
    )
    return replace(
        piece, fonts=fonts, voices=voices, drum_effects=draw_chain(None, piece.style, "drums", "", rng),
        room=draw_room(piece.style, rng), noise=draw_noise(piece.style, rng), rises=piece.style in RISING or rng.random() < 0.15,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- form


def _with_form(piece, style, has_chords, rng):
    """Return the plan with its form; where chords are not given some pieces have a break, an ending, quick chords,
    or drums alone."""
    special = 1.0 if has_chords else rng.random()
    edges = np.cumsum([DRUMS_ALONE + style.share("drumsalone", 0), WITH_BREAK, QUICK, ENDING, DRUMS_FIRST])
    fills = int(rng.choice([0, 2, 4, 4, 4, 8]))
    piece = replace(piece, form=Form(fills=fills))
    bars = piece.progression.bars
    if special < edges[0] and piece.drums:
        return replace(piece, voices=(), progression=Progression(bars=(((NO_CHORD, float(piece.meter.beats)),),)))
    if edges[0] <= special < edges[1] and len(bars) > 1:
        return replace(piece, progression=with_break(piece.progression, rng))
    if edges[1] <= special < edges[2]:
        return replace(piece, progression=quickened(piece.progression, piece.meter, piece.bpm, rng))
    if edges[2] <= special < edges[3]:
        bar_s = piece.meter.beats * 60 / piece.bpm
        final = max(1, round(float(rng.uniform(3.0, 7.5)) / bar_s + piece.start_beat / piece.meter.beats))
        ended = with_ending(piece.progression, piece.meter, piece.bpm, final)
        return replace(piece, progression=ended, form=Form("ending", fills=fills, final_bar=final))
    if edges[3] <= special < edges[4] and piece.drums:
        count = int(rng.integers(1, 3))
        later = with_drums_first(piece.progression, piece.meter, piece.bpm, count)
        return replace(piece, progression=later, form=Form("intro", dict.fromkeys(range(len(piece.voices)), count), fills=fills))
    if not has_chords and len(piece.voices) > 2 and rng.random() < SOME_PARTS:
        return _with_some_parts(piece, rng)
    return replace(piece, form=_draw_form(piece, fills, rng))


def _draw_form(piece, fills, rng):
    """Draw the form of a piece whose chords go on throughout: some instrument always plays them."""
    kind = rng.random()
    first = next((i for i, voice in enumerate(piece.voices) if voice.part == "chords"), 0)
    others = [i for i in range(len(piece.voices)) if i != first] + (["drums"] if piece.drums else [])
    if not others or kind > 0.38:
        return Form(fills=fills)
    if kind < 0.17:
        entries = {who: int(rng.choice([0, 1, 2, 2, 4])) for who in others}
        return Form("intro", entries, fills=fills)
    start = int(rng.integers(1, 4))
    if kind < 0.27 or not piece.drums:
        gone = [who for who in others if rng.random() < 0.6] or others[:1]
        return Form("drop-out", {}, tuple((who, start, start + int(rng.integers(1, 4))) for who in gone), fills)
    last = start + int(rng.integers(1, 4))
    silent = tuple((i, start, last) for i, voice in enumerate(piece.voices) if voice.part == "bass" and rng.random() < 0.6)
    return Form("build-up", {}, silent, fills, build=(start, last))


def _with_some_parts(piece, rng):
    """Return the plan with only one or two of its parts: at least one that has a pitch."""
    there = list(dict.fromkeys(voice.part for voice in piece.voices))
    kept = {str(part) for part in rng.choice(there, int(rng.integers(1, min(len(there), 2) + 1)), replace=False)}
    keeps_drums = bool(piece.drums) and rng.random() < 0.45
    voices = tuple(voice for voice in piece.voices if voice.part in kept)
    if len(voices) == 1 and voices[0].part == "lead" and not keeps_drums:
        voices = (replace(voices[0], playing="alone"),)
    return replace(piece, voices=voices, groove=piece.groove if keeps_drums else "none", form=Form(fills=piece.form.fills))
