"""Seed -> a composed piece, rendered through a SoundFont, with exact labels and a caption.

`plan` draws what a piece is (key, meter, tempo, chords, style, instruments); `arrange` writes its notes; `render` makes it
sound. `compose` does all three. Everything that is drawn comes from one seeded generator, so a seed is a piece.
Controls that are given (chords, tempo, ...) replace what would be drawn: the same arranger then plays those.
"""

import os
from dataclasses import dataclass, field, replace
from itertools import cycle, groupby
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.chordtypes import intervals_of
from musicbench.clip import Clip
from musicbench.features import loudness_db
from musicbench.progression import Progression
from musicbench.styles import (
    ARPEGGIOS,
    BASSES,
    BRIGHT,
    BRUSH,
    CLAP,
    CLOSED,
    COMPING,
    CRASH,
    DARK,
    GROOVES,
    HITS,
    KICK,
    LEADS,
    MAJOR_LOOPS,
    MINOR_LOOPS,
    MOODS,
    OPEN,
    RIDE,
    SEVENTH_OF,
    SHAKER,
    SNARE,
    STICK,
    STYLES,
    SUSTAINED,
    TOMS,
)
from musicbench.theory import NO_CHORD, Chord, Key, Meter, likely_key, roman_chord

SOUNDFONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
)


@dataclass(frozen=True)
class Plan:
    """What a piece is, before a note is written."""

    seed: int
    style: str
    key: Key
    meter: Meter
    bpm: float
    progression: Progression
    comping: str | None  # what plays the chords; None: drums alone
    bass: str | None
    lead: str | None
    groove: str
    pattern: str
    bass_line: str
    energy: float  # 0 calm .. 1 energetic: loudness of the playing, drums
    density: float  # 0 sparse .. 1 busy: below a half notes of the patterns are left out, above it more are put between
    register: int  # octaves the comping moves: -1, 0, +1
    start_beat: int = 0  # the clip begins on this beat of the piece
    swing: float = 0.0
    programs: dict = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------------- planning

DRUMS_ALONE, WITH_BREAK, QUICK = 0.03, 0.08, 0.05  # shares of the pieces whose chords are not given
QUICKEST_S = 0.35  # how long a chord lasts at least in quick bars


def _random_chord(rng):
    quality = rng.choice(
        ["maj", "min", "7", "maj7", "min7", "sus4", "dim", "hdim7", "sus2", "aug", "dim7", "maj6", "min6", "sus4(b7)"],
        p=[0.21, 0.20, 0.12, 0.11, 0.12, 0.07, 0.05, 0.03, 0.02, 0.02, 0.01, 0.01, 0.01, 0.02],
    )
    return Chord(int(rng.integers(12)), str(quality))


def _draw_progression(rng, key, meter, sevenths):
    """A loop in the key (or, in a third of the pieces, chords on any roots), then coloured: sevenths, sus, slash basses."""
    if rng.random() < 0.33:
        chords = [_random_chord(rng) for _ in range(rng.integers(2, 9))]
    else:
        loop = str(rng.choice(MAJOR_LOOPS if key.mode == "major" else MINOR_LOOPS)).split()
        chords = [roman_chord(symbol, key) for symbol in loop]
        if rng.random() < 0.07:  # modulate: the loop again, a tone or a minor third higher
            up = int(rng.choice([1, 2, 3, 5]))
            chords = chords[:4] + [c.transposed(up) for c in chords[:4]]
        for i, chord in enumerate(chords):
            if rng.random() < sevenths and chord.quality in SEVENTH_OF:
                dominant = chord.quality == "maj" and chord.root == (key.pitch_class + 7) % 12
                chords[i] = replace(chord, quality="7" if dominant else str(rng.choice(SEVENTH_OF[chord.quality])))
            elif rng.random() < 0.08 and chord.quality == "maj":
                chords[i] = replace(chord, quality=str(rng.choice(["sus4", "sus2"])))
    for i, chord in enumerate(chords):
        if rng.random() < 0.1:
            tone = rng.choice(intervals_of(chord.quality)[1:])
            chords[i] = replace(chord, bass=int(chord.root + tone) % 12)
    bars, i = [], 0
    pace = rng.choice(["bar", "half", "mixed", "two bars"], p=[0.66, 0.12, 0.14, 0.08])
    while i < len(chords):
        split = meter.beats in (4, 6) and (pace == "half" or (pace == "mixed" and rng.random() < 0.4))
        if split and i + 1 < len(chords):
            bars.append(((chords[i], meter.beats / 2), (chords[i + 1], meter.beats / 2)))
            i += 2
        else:
            bars.extend([((chords[i], float(meter.beats)),)] * (2 if pace == "two bars" else 1))
            i += 1
    return Progression(bars=tuple(bars))


def _with_break(progression, rng):
    """Return the progression with a bar, two of four and more, or its end from some bar on, where nobody plays but drums, if any."""
    bars = list(progression.bars)
    length = 2 if len(bars) > 3 and rng.random() < 0.4 else 1
    first = int(rng.integers(len(bars) - length + 1))
    if rng.random() < 0.3:
        first = int(rng.integers(len(bars) // 2, len(bars)))
        length = len(bars) - first
    for bar in range(first, first + length):
        bars[bar] = ((NO_CHORD, sum(beats for _, beats in bars[bar])),)
    return Progression(bars=tuple(bars))


def _quickened(progression, meter, bpm, rng):
    """Return the progression with one bar or more whose chords change on every beat, or as often as QUICKEST_S lets them."""
    beats = next((n for n in (1, 2, 3) if meter.beats % n == 0 and n * 60 / bpm >= QUICKEST_S), None)
    chords = [chord for chord, _ in groupby(progression.chords)]
    chords = chords[:-1] if chords[-1] == chords[0] else chords
    if beats is None or len(chords) < 2:
        return progression
    bars, following, share = list(progression.bars), cycle(chords), rng.choice([0.3, 0.6, 1.0])
    for place in sorted({int(rng.integers(len(bars))), *np.flatnonzero(rng.random(len(bars)) < share)}):
        bars[place] = tuple((next(following), float(beats)) for _ in range(meter.beats // beats))
    return Progression(bars=tuple(bars))


def plan(seed, *, chords=None, bpm=None, meter=None, key=None, style=None, lead_in=True):
    """Draw a piece. `chords` (a Progression), `bpm`, `meter`, `key` and `style` replace what would be drawn.

    With `lead_in` half of the pieces begin somewhere inside their first bars, else all begin on a downbeat. Where no chords are
    given, some pieces are for drums alone, some have a break, bars without a chord, and some change chords on every beat.
    """
    rng = np.random.default_rng([seed, 1])
    name = style or str(rng.choice(list(STYLES)))
    if name not in STYLES:
        raise InputError(f"unknown style {name!r}; choose one of {', '.join(STYLES)}")
    chosen = STYLES[name]
    mixed = rng.random() < 0.45  # instruments drawn apart from the style, so that words and sounds are not tied together
    meter = meter or Meter(*[(4, 4), (3, 4), (2, 4), (6, 8)][rng.choice(4, p=[0.66, 0.2, 0.06, 0.08])])
    if bpm is None:
        low, high = chosen.bpm if rng.random() < 0.6 else (50, 200)
        low, high = (max(low, 100), 200) if meter.unit == 8 else (low, high)
        bpm = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), int(rng.random() < 0.3))
    drawn_key = Key.of(int(rng.integers(12)), str(rng.choice(["major", "minor"], p=[0.55, 0.45])))
    comping = str(rng.choice(list(COMPING) if mixed else chosen.comping))
    bass = str(rng.choice(list(BASSES) if mixed else chosen.bass)) if rng.random() < 0.85 else None
    lead = str(rng.choice(list(LEADS) if mixed else chosen.lead)) if rng.random() < 0.6 else None
    groove = str(rng.choice(chosen.grooves)) if rng.random() < 0.7 else str(rng.choice([*GROOVES, "none", "none", "none", "none"]))
    energy, density = float(rng.beta(1.4, 1.4)), float(rng.beta(1.4, 1.4))
    pattern = str(rng.choice(chosen.patterns))
    if comping in SUSTAINED and rng.random() < 0.5:
        pattern = str(rng.choice(["sustained", "halves", "quarters"]))
    progression = chords or _draw_progression(rng, key or drawn_key, meter, chosen.sevenths)
    apart = np.random.default_rng([seed, 8])
    special = 1.0 if chords else apart.random()
    if special < DRUMS_ALONE and groove != "none":
        comping = bass = lead = None
        progression = Progression(bars=(((NO_CHORD, float(meter.beats)),),))
    elif special < DRUMS_ALONE + WITH_BREAK and len(progression.bars) > 1:
        progression = _with_break(progression, apart)
    elif DRUMS_ALONE + WITH_BREAK <= special < DRUMS_ALONE + WITH_BREAK + QUICK:
        progression = _quickened(progression, meter, bpm, apart)
    instruments = {"comping": COMPING.get(comping), "bass": BASSES.get(bass), "lead": LEADS.get(lead)}
    return Plan(
        seed=seed, style=name, key=key or likely_key(progression.chords) or drawn_key, meter=meter, bpm=bpm,
        progression=progression, comping=comping, bass=bass, lead=None if lead == comping else lead, groove=groove, pattern=pattern,
        bass_line=str(rng.choice(chosen.bass_lines)), energy=energy, density=density,
        register=int(rng.choice([-1, 0, 0, 0, 1])), swing=chosen.swing if meter.unit == 4 else 0.0,
        start_beat=int(rng.integers(0, 2 * meter.beats)) if lead_in and rng.random() < 0.5 else 0,
        programs={part: int(rng.choice(options)) for part, options in instruments.items() if options},
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- arranging


@dataclass(frozen=True)
class Note:
    """One note: start and length in beats from the start of the piece, MIDI pitch, velocity 1..127, part name."""

    beat: float
    beats: float
    pitch: int
    velocity: int
    part: str


def _voicing(chord, previous, center):
    """Notes of a chord near `center`, moving as little as possible from the previous voicing."""
    tones = [(chord.root + s) % 12 for s in intervals_of(chord.quality)]
    best, best_cost = None, np.inf
    for turn in range(len(tones)):
        for octave in range(2, 7):
            pitches = [12 * octave + tones[turn]]
            for tone in tones[turn + 1 :] + tones[:turn]:
                pitches.append(pitches[-1] + (tone - pitches[-1]) % 12)
            cost = 0.6 * abs(np.mean(pitches) - center)
            cost += sum(min(abs(p - q) for q in previous) for p in pitches) / len(pitches) if previous else 0
            if cost < best_cost:
                best, best_cost = pitches, cost
    return best


def _events(progression, bpm, beats_needed):
    """The progression as (start beat, end beat, chord) until `beats_needed`."""
    chords, times = progression.lay_out(bpm, beats_needed * 60 / bpm, whole=False)
    starts = [round(t * bpm / 60, 4) for t in times]
    return list(zip(starts, [*starts[1:], beats_needed], chords, strict=True))


def _left_out(piece):
    """The chance that a note of a pattern is left out."""
    return max(0.9 - 1.8 * piece.density, 0.0)


def _struck_twice(piece):
    """The chance that a note of a pattern is struck twice in its time."""
    return max(1.8 * piece.density - 0.9, 0.0)


def _doubled(piece, hits, rng):
    """Yield hits (beat, length, ...) of a pattern; in busy pieces some are struck twice in their time, and those again."""
    shortest = max(0.45, 0.3 * piece.bpm / 60)
    for at, length, *rest in hits:
        if length >= shortest and rng.random() < _struck_twice(piece):
            half = np.ceil(2 * length) / 4
            yield from _doubled(piece, [(at, half, *rest), (at + half, length - half, *rest)], rng)
        else:
            yield (at, length, *rest)


def _comp(piece, events, rng):
    notes, previous = [], None
    center = 60 + 9 * piece.register
    thinning = _left_out(piece)
    step, order = ARPEGGIOS.get(piece.pattern, (None, None))
    for start, end, chord in events:
        if chord.root is None:
            continue
        pitches = previous = _voicing(chord, previous, center)
        if step:
            voices = pitches + [pitches[0] + 12]
            faster = step * 60 / piece.bpm > 0.3 and rng.random() < _struck_twice(piece)
            pace = step / 2 if faster else step
            count = round((end - start) / pace)
            for i in range(count):
                if i and rng.random() < thinning:
                    continue
                strong = 8 if i * pace % 1 == 0 else 0
                notes.append(
                    Note(start + i * pace, pace * 1.6, voices[order[i % len(order)] % len(voices)], 66 + strong, "comping")
                )
            if rng.random() < 0.6 + thinning:  # the chord under the arpeggio, so that all of it is heard
                notes.extend(Note(start, min(end - start, piece.meter.beats), p, 52, "comping") for p in pitches)
            continue
        hits = []
        if HITS[piece.pattern] is None:
            hits = [(start, end - start)]
        else:
            for bar in range(int(start // piece.meter.beats), int(np.ceil(end / piece.meter.beats))):
                for onset, length in HITS[piece.pattern]:
                    at = bar * piece.meter.beats + onset
                    if onset < piece.meter.beats and start - 1e-6 <= at < end - 1e-6:
                        hits.append((at, min(length, end - at)))
            hits = [h for i, h in enumerate(hits) if i == 0 or rng.random() >= thinning]
            latest = 1.01 if end - start >= 2 else 0.01  # beats after its start at which a chord is struck; a short one is at once
            if not hits or hits[0][0] - start > latest:
                hits.insert(0, (start, min(1.0, end - start)))
        for at, length in _doubled(piece, hits, rng):
            velocity = 72 + (7 if at % piece.meter.beats == 0 else 0) + int(rng.integers(-5, 6))
            notes.extend(Note(at, length, p, velocity, "comping") for p in pitches)
    return notes


def _walk_bass(piece, events, rng):
    notes = []
    line = piece.bass_line
    for i, (start, end, chord) in enumerate(events):
        if chord.root is None:
            continue
        root = 28 + (chord.lowest - 28) % 12  # E1..Eb2, then up an octave for clear fundamentals
        root += 12 if root < 33 or piece.bass in ("cello",) else 0
        tones = sorted(root + (pc - root) % 12 for pc in chord.pitch_classes)
        fifth = next((t for t in tones if (t - root) % 12 in (6, 7, 8)), root + 12)
        following = events[i + 1][2] if i + 1 < len(events) else chord
        length = end - start
        if line == "roots":
            steps = [(start, length, root)]
        elif line == "root fifth":
            steps = [(start + j, min(2, length - j), root if j % 4 == 0 else fifth) for j in range(0, max(int(length), 1), 2)]
        elif line == "quarters":
            steps = [(start + j, 1, root) for j in range(max(int(length), 1))]
        elif line == "walking":
            steps = [(start + j, 1, tones[j % len(tones)]) for j in range(max(int(length), 1))]
            if len(steps) > 2 and following.root is not None:
                target = root + (following.lowest - root) % 12
                steps[-1] = (*steps[-1][:2], target + int(rng.choice([-1, 1, 2])))
        elif line == "eighths":
            steps = [(start + j / 2, 0.5, root) for j in range(max(int(length * 2), 1))]
        elif line == "octaves":
            steps = [(start + j / 2, 0.5, root + 12 * (j % 2)) for j in range(max(int(length * 2), 1))]
        else:  # syncopated
            steps = [(start + o, n, t) for o, n, t in ((0, 1.4, root), (1.5, 0.9, root), (2.5, 1.4, fifth)) if o < length]
        steps = [(at, min(n, end - at), pitch) for at, n, pitch in steps]
        steps = [s for j, s in enumerate(steps) if j == 0 or rng.random() >= _left_out(piece)]
        for at, n, pitch in _doubled(piece, steps, rng):
            notes.append(Note(at, max(n * 0.95, 0.1), int(pitch), 84 + int(rng.integers(-5, 6)), "bass"))
    return notes


def _melody(piece, events, beats_needed, rng):
    """A rhythm that comes back, chord tones on strong beats, steps of the scale between."""
    base = 67 if piece.lead not in ("cello",) else 55
    cells = [(1, 1), (0.5, 0.5), (1.5, 0.5), (2,), (0.5, 1, 0.5), (0.5, 0.5, 1), (1,)]
    weights = np.exp([4 * (piece.density - 0.5) * (len(cell) / sum(cell) - 1) for cell in cells])  # by notes a beat
    motifs = []
    for _ in range(2):
        motif, filled = [], 0.0
        while filled < piece.meter.beats - 1e-6:
            for n in cells[rng.choice(len(cells), p=weights / weights.sum())]:
                n = min(n, piece.meter.beats - filled)
                if n > 1e-6:
                    motif.append((filled, n, rng.random() > 0.18))
                    filled += n
        motifs.append(motif)
    notes, pitch = [], base + 5
    for bar in range(int(np.ceil(beats_needed / piece.meter.beats))):
        if rng.random() < 0.12:
            continue
        for onset, length, sounds in motifs[(0, 0, 1, 0)[bar % 4]]:
            at = bar * piece.meter.beats + onset
            chord = next((c for s, e, c in events if s - 1e-6 <= at < e - 1e-6), NO_CHORD)
            if not sounds or chord.root is None:
                continue
            strong = onset == int(onset) and (length >= 1 or onset % 2 == 0)
            scale = set(piece.key.scale)
            # A scale step that clashes with a chord tone by a semitone is left out.
            tones = set(chord.pitch_classes)
            passing = {pc for pc in scale if not ({(pc + 1) % 12, (pc - 1) % 12} & tones)} | tones
            allowed = tones if strong or len(tones & scale) < 2 else passing
            near = [p for p in range(base - 3, base + 17) if p % 12 in allowed]
            pull = np.array([np.exp(-abs(p - pitch - rng.normal(0, 2)) / 2.5 - abs(p - base - 6) / 12) for p in near])
            pull[[p == pitch for p in near]] *= 0.4
            pitch = int(rng.choice(near, p=pull / pull.sum()))
            notes.append(Note(at, length * 0.92, pitch, 84 + (6 if strong else 0) + int(rng.integers(-4, 5)), "lead"))
    return notes


def _drum(piece, beats_needed, rng):
    if piece.groove == "none":
        return []
    notes, groove = [], GROOVES[piece.groove]
    beats = piece.meter.beats
    fills = rng.random() < 0.5
    for bar in range(int(np.ceil(beats_needed / beats))):
        fill = fills and bar % 4 == 3
        for drum, onsets in groove.items():
            if beats == 6:  # two groups of three eighths
                onsets = {KICK: (0,), SNARE: (3,), CLAP: (3,), STICK: (3,)}.get(drum, (0, 1, 2, 3, 4, 5))
            elif beats == 3 and drum in (SNARE, CLAP, STICK, BRUSH):
                onsets = (1, 2)
            elif beats == 3 and drum == KICK:
                onsets = (0,)
            onsets = [onset for onset in onsets if onset < beats]
            hits = zip(onsets, np.diff([*onsets, beats]), strict=True)
            for onset, _ in _doubled(piece, hits, rng) if drum in (CLOSED, OPEN, RIDE, SHAKER) else hits:
                if fill and onset >= beats - 1 and drum in (CLOSED, SNARE):
                    continue
                if onset % 1 and rng.random() < _left_out(piece):
                    continue
                soft = 22 if drum in (CLOSED, SHAKER, RIDE) else 0
                accent = 10 if onset == 0 else (4 if onset % 1 == 0 else -6)
                notes.append(Note(bar * beats + onset, 0.2, drum, 92 - soft + accent + int(rng.integers(-5, 6)), "drums"))
        if fill:
            for i in range(4):
                drum = (SNARE, *TOMS)[i]
                notes.append(Note(bar * beats + beats - 1 + i / 4, 0.2, drum, 88 + 4 * i, "drums"))
        elif bar % 4 == 0 and rng.random() < 0.6:
            notes.append(Note(bar * beats, 0.5, CRASH if piece.energy > 0.4 else RIDE, 84, "drums"))
    return notes


def arrange(piece, beats_needed):
    """Write the notes of a plan for `beats_needed` beats, in order of time."""
    rng = np.random.default_rng([piece.seed, 2])
    events = _events(piece.progression, piece.bpm, beats_needed)
    notes = _comp(piece, events, rng) if piece.comping else []
    if piece.bass:
        notes += _walk_bass(piece, events, rng)
    if piece.lead:
        notes += _melody(piece, events, beats_needed, rng)
    notes += _drum(piece, beats_needed, rng)
    scale = 0.72 + 0.5 * piece.energy
    swung = []
    for note in notes:
        beat = note.beat
        if piece.swing and abs(beat % 1 - 0.5) < 1e-6:
            beat += piece.swing / 2
        swung.append(replace(note, beat=beat, velocity=int(np.clip(note.velocity * scale, 20, 127))))
    return sorted(swung, key=lambda n: (n.beat, n.part, n.pitch))


# ---------------------------------------------------------------------------------------------------- rendering

GAIN = {"comping": 0.78, "bass": 0.95, "lead": 0.92, "drums": 0.9}
CHANNEL = {"comping": 0, "bass": 1, "lead": 2, "drums": 9}
MOST_GAIN = 100.0  # of a short clip that is all break, whose reverb is not made music of
SAMPLE_RATES = (8000, 96000)  # FluidSynth's bounds


def find_soundfont(path=None):
    """Return the SoundFont to use: `path`, or $MUSICBENCH_SOUNDFONT, or FluidR3 where Debian puts it. Raises InputError."""
    given = path or os.environ.get("MUSICBENCH_SOUNDFONT")
    for candidate in [given] if given else SOUNDFONTS:
        if Path(candidate).is_file():
            check_soundfont(candidate)
            return str(candidate)
    raise InputError(
        f"no SoundFont at {given or ', '.join(SOUNDFONTS)}; install one (Debian: fluidsynth libfluidsynth3 fluid-soundfont-gm) "
        "or name a file in MUSICBENCH_SOUNDFONT"
    )


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


def _synthesize(notes, programs, bpm, duration_s, sample_rate, soundfont, seed):
    try:
        import fluidsynth
    except ImportError as error:
        raise InputError(f"composing needs FluidSynth ({error}); install libfluidsynth3 and pip's pyfluidsynth") from None
    rng = np.random.default_rng([seed, 3])
    events = []
    for note in notes:
        start_s = max(note.beat * 60 / bpm + rng.normal(0, 0.003), 0.0)
        end_s = start_s + max(note.beats * 60 / bpm - 0.01, 0.03)
        events.append((round(start_s * sample_rate), 1, note))
        events.append((round(end_s * sample_rate), 0, note))
    synth = fluidsynth.Synth(samplerate=float(sample_rate), gain=0.35)
    try:
        synth.setting("synth.dynamic-sample-loading", 1)
        font = synth.sfload(soundfont)
        if font < 0:
            raise InputError(f"FluidSynth cannot load the SoundFont {soundfont}; give another SF2 or SF3 file")
        synth.set_reverb(0.3 + 0.4 * rng.random(), 0.3, 0.5, 0.15 + 0.3 * rng.random())
        for part, channel in CHANNEL.items():
            bank, program = 128 if part == "drums" else 0, programs.get(part, 0)
            if synth.program_select(channel, font, bank, program) < 0 and any(note.part == part for note in notes):
                raise InputError(
                    f"the SoundFont {soundfont} has no program {program} in bank {bank}; give one with all General MIDI programs"
                )
            synth.cc(channel, 7, int(127 * GAIN[part]))
        blocks, now = [], 0
        total = round(duration_s * sample_rate)
        for at, on, note in sorted(events, key=lambda e: e[:2]):
            if at >= total:
                break
            if at > now:
                blocks.append(synth.get_samples(at - now))
                now = at
            if on:
                synth.noteon(CHANNEL[note.part], note.pitch, note.velocity)
            else:
                synth.noteoff(CHANNEL[note.part], note.pitch)
        blocks.append(synth.get_samples(total - now))
    finally:
        synth.delete()
    stereo = np.concatenate(blocks).reshape(-1, 2).astype(np.float32) / 32768
    return stereo.mean(axis=1)


def _level(samples, sample_rate):
    """Return the root-mean-square level of what sounds: of windows of 0.1 s no more than 20 dB softer than all together.

    So that silence makes nothing louder: how loud a clip is played tells its energy.
    """
    powers = 10 ** (loudness_db(samples, sample_rate) / 10)
    return np.sqrt(powers[powers > powers.mean() / 100].mean())


def render(piece, duration_s=10.24, sample_rate=24000, soundfont=None):
    """Play a plan: a Clip of `duration_s` with exact labels, at 8000 to 96000 Hz. Needs FluidSynth; raises InputError without it."""
    check_sample_rate(sample_rate)
    seconds_a_beat = 60 / piece.bpm
    start_s = piece.start_beat * seconds_a_beat
    beats_needed = piece.start_beat + int(np.ceil(duration_s / seconds_a_beat)) + 1
    notes = arrange(piece, beats_needed)
    samples = _synthesize(
        notes, piece.programs, piece.bpm, start_s + duration_s, sample_rate, find_soundfont(soundfont), piece.seed
    )
    chords, times = piece.progression.lay_out(piece.bpm, start_s + duration_s, whole=False)
    beat_times = [i * seconds_a_beat for i in range(beats_needed)]
    clip = Clip(
        samples, sample_rate, tuple(beat_times), tuple(i % piece.meter.beats + 1 for i in range(beats_needed)),
        piece.bpm, piece.meter, tuple(chords), tuple(times), piece.key, tags=describe(piece),
    ).cropped(start_s, duration_s)  # fmt: skip
    level, peak = _level(clip.samples, sample_rate), np.abs(clip.samples).max() + 1e-9
    gain = min((0.07 + 0.06 * piece.energy) / level, 0.95 / peak, MOST_GAIN)
    key = clip.key if any(chord.root is not None for chord in clip.chords) else None
    return replace(clip, samples=clip.samples * np.float32(gain), key=key)


# ---------------------------------------------------------------------------------------------------- words


def describe(piece):
    """Say what a plan sounds like, as tags: style, instruments, drums, moods (only where they are clear)."""
    moods = []
    if piece.energy < 0.3 and piece.bpm < 110:
        moods.append("calm")
    if piece.energy > 0.65 and piece.bpm > 85:
        moods.append("energetic")
    if piece.density < 0.25:
        moods.append("sparse")
    if piece.density > 0.75:
        moods.append("busy")
    sounds = [s for s in (piece.comping, piece.lead) if s]
    if sounds and (piece.register > 0 or (piece.register == 0 and all(s in BRIGHT for s in sounds))):
        moods.append("bright")
    if sounds and (piece.register < 0 or (piece.register == 0 and all(s in DARK for s in sounds))):
        moods.append("dark")
    return {
        "style": piece.style,
        "comping": piece.comping,
        "bass": piece.bass,
        "lead": piece.lead,
        "drums": piece.groove if piece.groove != "none" else None,
        "moods": moods,
    }


def _article(words):
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _drums_alone(mood, style, rng):
    """Word a piece in which only drums play."""
    kind = str(rng.choice(["drum solo", "drum loop", "drum beat", "drum groove", "piece for drums", "percussion track"]))
    alone = str(
        rng.choice(["only drums", "drums only", "drums alone", "just drums", "no other instruments", "no melody, no chords"])
    )
    form = rng.integers(3)
    if form == 0:
        return ", ".join(w for w in (*mood, style, "solo drums" if rng.random() < 0.5 else "drums only") if w)
    opening = " ".join(w for w in (*mood, style, kind) if w)
    return (
        f"{opening}, {alone}" if form == 1 else f"{_article(opening).capitalize()}" + (f", {alone}." if rng.random() < 0.6 else ".")
    )


def caption(tags, rng):
    """Write one sentence or a tag list about a composed piece from `describe`'s tags, worded by `rng`."""
    mood = [str(rng.choice(MOODS[m])) for m in tags["moods"] if rng.random() < 0.7][:2]
    style = tags["style"] if rng.random() < 0.75 else ""
    if not tags["comping"]:
        return _drums_alone(mood, style, rng)
    comping, lead, bass = tags["comping"], tags["lead"], tags["bass"]
    drums = "drums" if tags["drums"] else str(rng.choice(["no drums", "no drums", "without drums", ""]))
    if tags["drums"] and rng.random() < 0.15:
        drums = str(rng.choice(["a drum beat", "percussion", "drum kit"]))
    sort = str(rng.choice(["piece", "track", "song", "tune", "instrumental"]))
    form = rng.integers(5)
    if form == 0:  # "upbeat piano pop with drums"
        parts = [*mood, comping, style or sort]
        extra = [x for x in (lead, drums if drums not in ("", "no drums", "without drums") else "") if x and rng.random() < 0.85]
        text = " ".join(parts) + (" with " + " and ".join(extra) if extra else "")
        if drums in ("no drums", "without drums"):
            text += ", " + drums
        return text
    if form == 1:
        words = [*mood, style, comping, lead, bass, drums]
        return ", ".join(w for w in words if w)
    opening = " ".join(w for w in (*mood, style, sort) if w)
    if form == 2:
        text = f"{_article(opening).capitalize()} with {comping} chords"
        text += f", {_article(bass) if bass != 'cello' else 'a cello'} line" if bass and rng.random() < 0.7 else ""
        text += f" and {_article(lead)} melody" if lead else ""
        return text + (f", {drums}." if drums else ".")
    if form == 3:
        text = f"The {comping} {'play' if comping == 'strings' else 'plays'} the chords"
        text += f" while the {lead} plays the melody" if lead else ""
        text += f" over {bass}" if bass and rng.random() < 0.7 else ""
        text += f" and {drums}" if tags["drums"] else ("; there are no drums" if drums else "")
        return f"{_article(opening).capitalize()}. {text}."
    players = [comping, *([lead] if lead else []), *([bass] if bass and rng.random() < 0.6 else [])]
    players += [drums] if tags["drums"] else []
    text = f"{_article(opening).capitalize()} played by {', '.join(players[:-1])} and {players[-1]}" if len(players) > 1 else (
        f"{_article(opening).capitalize()} played by {comping} alone"
    )  # fmt: skip
    return text + (f", {drums}." if drums and not tags["drums"] else ".")


def compose(seed, duration_s=10.24, sample_rate=24000, soundfont=None, **controls):
    """Compose, render and caption the piece of a seed; `controls` as in `plan`. The caption states no control sentences."""
    clip = render(plan(seed, **controls), duration_s, sample_rate, soundfont)
    return replace(clip, caption=caption(clip.tags, np.random.default_rng([seed, 4])))
