"""What a model of the composer's may be asked, with the composer's own piece beside it: instruments, styles, drums, parts, melodies."""

from dataclasses import dataclass, field, replace

import numpy as np

from musicbench.compose.arranging import sounding
from musicbench.compose.chains import draw_chain
from musicbench.compose.compose import caption, describe, plan
from musicbench.compose.instruments import INSTRUMENTS, named
from musicbench.compose.pieces import Form, Plan, Voice
from musicbench.compose.planning import FONT_SHARES, FONTS
from musicbench.compose.styles import STYLES
from musicbench.music.chords import NO_CHORD
from musicbench.music.meters import Meter
from mustango.evaluate.testsets import composed_case, composed_piece

SOLO_SECONDS = 6.0  # two windows of MusiCNN
RHYTHM_SECONDS, RHYTHM_BPM = 8.0, 120  # four bars of 4/4
# What a probe tells apart in the composer's audio: other instruments and styles sound too much like one of these.
INSTRUMENTS_ASKED = (
    "piano", "harpsichord", "celesta", "glockenspiel", "music box", "vibraphone", "xylophone", "marimba", "church organ", "accordion",
    "harmonica", "acoustic guitar", "distorted guitar", "acoustic bass", "slap bass", "violin", "cello", "pizzicato", "harp", "timpani",
    "strings", "choir", "trumpet", "trombone", "tuba", "saxophone", "clarinet", "bassoon", "flute", "piccolo",
    "whistle", "sitar", "banjo", "shamisen", "bagpipe", "steel drum", "808 bass", "303", "didgeridoo", "vocal chops",
)  # fmt: skip
STYLES_ASKED = (
    "metal", "doom metal", "surf rock", "andean", "swing", "gypsy jazz", "ragtime", "funk", "trap", "acid house",
    "trance", "drum and bass", "chiptune", "reggae", "reggaeton", "salsa", "bluegrass", "musette", "klezmer", "flamenco",
    "raga", "gamelan", "gagaku", "chinese", "chamber music", "baroque", "a cappella", "march", "lullaby", "dark ambient",
)  # fmt: skip
# A prompt, the tags of MusiCNN's two models that fit it, and whose composed audio stands beside it: a style's, or a solo.
TAGGED = (
    ("metal", ("mtt:metal", "msd:metal"), "style metal"),
    ("rock", ("mtt:rock", "msd:rock"), "style rock"),
    ("punk rock", ("msd:punk",), "style punk"),
    ("string quartet", ("mtt:strings", "mtt:violin", "mtt:cello"), "style chamber music"),
    ("hip hop", ("msd:hip hop",), "style hip hop"),
    ("techno", ("mtt:techno",), "style techno"),
    ("house, dance music", ("mtt:dance", "msd:dance"), "style house"),
    ("ambient", ("mtt:ambient", "msd:ambient"), "style ambient"),
    ("jazz", ("msd:jazz",), "style jazz"),
    ("country", ("mtt:country", "msd:country"), "style country"),
    ("funk", ("msd:funk",), "style funk"),
    ("a cappella choir", ("mtt:choir", "mtt:choral"), "style a cappella"),
    ("baroque harpsichord", ("mtt:harpsichord",), "solo harpsichord"),
    ("solo harp", ("mtt:harp",), "solo harp"),
    ("solo flute", ("mtt:flute",), "solo flute"),
    ("solo piano", ("mtt:piano",), "solo piano"),
    ("solo violin", ("mtt:violin",), "solo violin"),
    ("solo cello", ("mtt:cello",), "solo cello"),
    ("solo sitar, indian raga", ("mtt:sitar", "mtt:indian"), "solo sitar"),
    ("solo acoustic guitar", ("mtt:guitar", "msd:acoustic"), "solo acoustic guitar"),
)
# Prompts whose music has drums, since they say so or since the style has them; and prompts whose music has none.
WITH_DRUMS = (
    *((style, f"style {style}") for style in (
        "hip hop", "trap", "house", "techno", "drum and bass", "metal", "punk", "rock", "funk", "disco", "reggae", "samba", "dubstep", "trance",
        "afrobeat", "ska", "electro", "uk garage", "rock and roll", "salsa",
    )),
    *((f"{sound} {style} with drums", f"style {style}") for sound, style in (
        ("piano", "pop"), ("acoustic guitar", "folk"), ("strings", "ballad"), ("organ", "gospel"), ("flute", "jazz"), ("fiddle", "country"),
        ("choir", "cinematic"), ("synth pad", "electronic"), ("electric piano", "soul"), ("nylon guitar", "bossa nova"),
    )),
)  # fmt: skip
WITHOUT_DRUMS = (
    *((f"solo {sound}", f"solo {sound}") for sound in (
        "piano", "harp", "acoustic guitar", "flute", "violin", "cello", "organ", "accordion", "trumpet", "banjo", "marimba", "saxophone",
    )),
    *((prompt, "style a cappella") for prompt in ("a cappella", "a cappella choir", "a cappella gospel")),
    *((prompt, "style chamber music") for prompt in ("string quartet", "slow string quartet", "lively string quartet")),
    *((f"{style}, no drums", f"style {style}") for style in (
        "rock", "pop", "techno", "jazz", "funk", "electronic", "reggae", "country", "metal", "hip hop", "ballad", "latin",
    )),
)  # fmt: skip
RHYTHMS = ("rock", "funk", "hip hop", "jazz", "samba", "reggae")
PARTS_ALONE = ("drums", "bass", "chords", "lead")


@dataclass(frozen=True)
class Asked:
    """One clip: what the model is given, and the composer's piece, of which `parts` sound, or all."""

    id: str
    prompt: str
    piece: Plan
    controls: dict = field(default_factory=dict)
    seed: int = 0
    parts: tuple | None = None
    duration_s: float = SOLO_SECONDS


def _given(piece):
    """Return what the model is given of a piece: its tempo, its meter, and its chords so far as the clip goes."""
    chords, times = piece.progression.lay_out(piece.bpm, SOLO_SECONDS, whole=False)
    line = " ".join(f"{time:.6f}:{chord.lead_sheet()}" for chord, time in zip(chords, times, strict=True))
    return {"tempo": piece.bpm, "meter": str(piece.meter), "chords": line}


def solo(kind, seed, index):
    """Draw a piece that an instrument of a kind plays alone."""
    rng = np.random.default_rng([seed, index, 31])
    piece = composed_piece(composed_case(seed, index))
    name = str(rng.choice(named(kind)))
    parts = INSTRUMENTS[name].parts
    if "chords" in parts:
        pattern = str(rng.choice(["quarters", "eighths", "syncopated", "arpeggio", "halves", "sustained"]))
        voices = [Voice("chords", name, pattern)]
        if "lead" in parts and rng.random() < 0.6:
            voices.append(Voice("lead", name, str(rng.choice(["melody", "song"])), gain_db=1.0))
    else:
        part = "lead" if "lead" in parts else "bass"
        voices = [Voice(part, name, "alone" if part == "lead" else str(rng.choice(["walking", "eighths"])))]
    voices = tuple(replace(one, effects=draw_chain(one.sound, piece.style, one.part, one.playing, rng)) for one in voices)
    fonts = (str(rng.choice(FONTS, p=FONT_SHARES)),) * (len(voices) + 1)
    return replace(piece, voices=voices, groove="none", form=Form(), noise=None, fonts=fonts)


def of_style(name, seed, drums=None, **given):
    """Draw a piece of a style as it usually is: a band of the instruments that its table names first, chords throughout.

    drums: with or without them; None as the style usually has them. given: as for `plan`.
    """
    style = STYLES[name]
    usual = style.share("drums", {True: 1.0, False: 0.0}.get(style.genre.drums, 0.5))
    wanted = drums if drums is not None else True if usual > 0.5 else False if usual < 0.5 else None
    for number in range(seed * 1000, (seed + 1) * 1000):
        piece = plan(number, style=name, lead_in=False, **given)
        if _is_usual(piece, style) and NO_CHORD not in piece.progression.chords and (not wanted or piece.drums):
            return replace(piece, form=Form(), groove="none" if wanted is False else piece.groove)
    raise AssertionError(f"no usual piece of style {name} among a thousand")


def _is_usual(piece, style):
    """Return whether two or more play, those whom the style's table names first for their part, or all those of a band."""
    if piece.mixed or len(piece.voices) < 2:
        return False
    if any(voice.note is not None for voice in piece.voices) or style.share("band", 0) > 0.8:
        return True
    first = {part: {one for name in getattr(style, part)[:2] for one in named(name)} for part in ("chords", "bass", "lead")}
    return all(voice.instrument in first[voice.part] or voice.gain_db < 0 for voice in piece.voices)


def beside(spec, seed, drums=None):
    """Draw the composer's piece for "style NAME" or "solo INSTRUMENT"."""
    kind, _, name = spec.partition(" ")
    return of_style(name, seed, drums) if kind == "style" else solo(name, seed, seed % 1000)


def _said(piece, name, seed):
    """Return the composer's words for a piece that name an instrument or a style."""
    rng, tags = np.random.default_rng(seed), describe(piece, SOLO_SECONDS)
    said = (caption(tags, rng) for _ in range(50))
    return next((text for text in said if name in text.lower()), name)


def instruments(seed, count):
    """Draw `count` solos of each of INSTRUMENTS_ASKED: [(Asked, instrument)], in the composer's words."""
    drawn = []
    for number, kind in enumerate(INSTRUMENTS_ASKED * count):
        piece = solo(kind, seed, number)
        said = _said(piece, kind, [seed, number, 37])
        drawn.append((Asked(f"instrument-{number:03d}", said, piece, _given(piece), number), kind))
    return drawn


def styles(seed, count):
    """Draw `count` usual pieces of each of STYLES_ASKED: [(Asked, style)], in the composer's words, at the piece's tempo."""
    drawn = []
    for number, name in enumerate(STYLES_ASKED * count):
        piece = of_style(name, seed * 100_000 + number)
        controls = {"tempo": piece.bpm, "meter": str(piece.meter)}
        drawn.append((Asked(f"style-{number:03d}", _said(piece, name, [seed, number, 41]), piece, controls, number), name))
    return drawn


def tagged(seed, count):
    """Draw `count` takes of each of TAGGED: [(Asked, prompt's number)]."""
    return [
        (Asked(f"tag-{number:02d}-{take}", prompt, beside(spec, seed * 100_000 + 40 * take + number), {}, take), number)
        for number, (prompt, _, spec) in enumerate(TAGGED)
        for take in range(count)
    ]


def drummed(seed, count):
    """Draw `count` takes of each prompt with and of each without drums: [(Asked, whether there are to be drums)]."""
    prompts = [(*one, True) for one in WITH_DRUMS] + [(*one, False) for one in WITHOUT_DRUMS]
    return [
        (Asked(f"drums-{number:02d}-{take}", prompt, beside(spec, seed * 100_000 + 80 * take + number, wanted), {}, take), wanted)
        for number, (prompt, spec, wanted) in enumerate(prompts)
        for take in range(count)
    ]


def _cases(seed, fits):
    """Yield (index, case, Plan) of the composed pieces of a seed that fit, none of them with a form."""
    index = 0
    while True:
        case = composed_case(seed, index)
        piece = replace(composed_piece(case), form=Form())
        if fits(piece):
            yield index, case, piece
        index += 1


def parts_alone(seed, count):
    """Draw `count` pieces for each part alone: [(Asked, part)]."""
    drawn = []
    for number, part in enumerate(PARTS_ALONE):

        def plays(piece, part=part):
            return piece.drums is not None if part == "drums" else any(voice.part == part for voice in piece.voices)

        cases = _cases(seed + 1 + number, plays)
        for _, (index, case, piece) in zip(range(count), cases, strict=False):
            controls = _given(piece) | {"parts": (part,)}
            drawn.append((Asked(f"{part}-{index:03d}", case.prompt, piece, controls, case.seed, (part,)), part))
    return drawn


def melodies(seed, count):
    """Draw `count` pieces with a lead of one voice that holds its notes: [(Asked of the lead alone, of the whole, melody)]."""

    def sings(piece):
        leads = [voice for voice in piece.voices if voice.part == "lead"]
        held = [one for one in leads if one.sound.sustains and one.sound.low >= 45 and one.sound.high <= 91]
        return len(leads) == len(held) == 1 and len(piece.voices) > 1

    drawn = []
    for index, case, piece in _cases(seed, sings):
        lead = next(number for number, voice in enumerate(piece.voices) if voice.part == "lead")
        notes = [one for one in sounding(piece, SOLO_SECONDS) if one.note.voice == lead and 0 <= one.start_s < SOLO_SECONDS]
        ends_s = [
            min(one.end_s, later_s) for one, later_s in zip(notes, [*(n.start_s for n in notes[1:]), SOLO_SECONDS], strict=True)
        ]
        melody = [
            [round(one.start_s, 4), round(end_s, 4), int(one.note.pitch)]
            for one, end_s in zip(notes, ends_s, strict=True)
            if end_s > one.start_s + 0.001
        ]
        if len(melody) < 5:
            continue
        controls = _given(piece) | {"melody": melody}
        alone = Asked(f"lead-{index:03d}", case.prompt, piece, controls | {"parts": ("lead",)}, case.seed, ("lead",))
        drawn.append((alone, Asked(f"whole-{index:03d}", case.prompt, piece, controls, case.seed), melody))
        if len(drawn) == count:
            break
    return drawn


def stemmed(seed, count):
    """Draw `count` pieces with drums, bass and chords on a straight grid: [Asked]."""

    def fits(piece):
        return piece.drums and piece.bass and piece.comping and piece.feel == "even" and not piece.swing

    cases = zip(range(count), _cases(seed, fits), strict=False)
    return [Asked(f"stems-{index:03d}", case.prompt, piece, _given(piece), case.seed) for _, (index, case, piece) in cases]


def rhythms(seed, count):
    """Draw four takes of each of the first `count` of RHYTHMS at one tempo: [(Asked, style)]."""
    given = {"bpm": float(RHYTHM_BPM), "meter": Meter(4, 4)}
    drawn = []
    for number, name in enumerate(RHYTHMS[:count]):
        for take in range(4):
            piece = of_style(name, seed * 100_000 + 10 * number + take, True, **given)
            controls = {"tempo": RHYTHM_BPM, "meter": "4/4"}
            asked = Asked(f"rhythm-{number}-{take}", f"{name} with drums", piece, controls, take, None, RHYTHM_SECONDS)
            drawn.append((asked, name))
    return drawn
