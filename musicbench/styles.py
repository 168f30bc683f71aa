"""What the composer chooses from: instruments, styles, chord loops, patterns, grooves and the words for them."""

from dataclasses import dataclass

# General MIDI programs (from 0) and the words a listener would use.
COMPING = {
    "piano": (0, 1),
    "electric piano": (4, 5),
    "acoustic guitar": (24, 25),
    "electric guitar": (27, 26),
    "distorted guitar": (29, 30),
    "organ": (16, 17, 19),
    "strings": (48, 49),
    "harpsichord": (6,),
    "vibraphone": (11,),
    "marimba": (12,),
    "accordion": (21,),
    "synth pad": (89, 88, 90),
    "harp": (46,),
    "brass section": (61, 62),
    "choir": (52, 53),
    "music box": (10,),
}
BASSES = {
    "acoustic bass": (32,),
    "electric bass": (33, 34),
    "fretless bass": (35,),
    "slap bass": (36,),
    "synth bass": (38, 39),
    "cello": (42,),
    "tuba": (58,),
}
LEADS = {
    "flute": (73,),
    "violin": (40,),
    "trumpet": (56,),
    "saxophone": (65, 66),
    "clarinet": (71,),
    "oboe": (68,),
    "synth lead": (80, 81),
    "harmonica": (22,),
    "cello": (42,),
    "piano": (0,),
    "electric guitar": (27,),
    "vibraphone": (11,),
    "whistle": (78,),
    "acoustic guitar": (24,),
}
SUSTAINED = {"organ", "strings", "accordion", "synth pad", "brass section", "choir"}
BRIGHT = {"harpsichord", "music box", "trumpet", "synth lead", "distorted guitar", "whistle", "brass section", "flute"}
DARK = {"cello", "clarinet", "choir", "synth pad", "vibraphone"}


@dataclass(frozen=True)
class Style:
    """A named combination: instruments to choose from, comping and bass patterns, grooves, tempo range, feel."""

    comping: tuple
    bass: tuple
    lead: tuple
    patterns: tuple
    bass_lines: tuple
    grooves: tuple
    bpm: tuple
    swing: float = 0.0
    sevenths: float = 0.25


STYLES = {
    "pop": Style(("piano", "electric guitar"), ("electric bass",), ("synth lead", "violin", "electric guitar"),
                 ("quarters", "arpeggio", "syncopated"), ("eighths", "roots"), ("rock", "four on the floor"), (90, 135)),
    "rock": Style(("distorted guitar", "electric guitar"), ("electric bass",), ("electric guitar", "organ"),
                  ("eighths", "quarters"), ("eighths", "octaves"), ("rock", "fast rock"), (100, 170), sevenths=0.05),
    "jazz": Style(("piano", "vibraphone", "electric guitar"), ("acoustic bass",), ("saxophone", "trumpet", "clarinet"),
                  ("charleston", "halves"), ("walking",), ("swing",), (80, 170), 0.33, 0.85),
    "bossa nova": Style(("acoustic guitar", "electric piano"), ("acoustic bass",), ("flute", "saxophone"),
                        ("syncopated", "charleston"), ("root fifth",), ("bossa",), (90, 140), 0.0, 0.75),
    "folk": Style(("acoustic guitar",), ("acoustic bass", "cello"), ("violin", "harmonica", "whistle"),
                  ("arpeggio", "quarters", "eighths"), ("root fifth", "roots"), ("none", "brushes"), (80, 130), sevenths=0.05),
    "country": Style(("acoustic guitar", "piano"), ("acoustic bass", "electric bass"), ("violin", "harmonica"),
                     ("oom-pah", "quarters"), ("root fifth",), ("train", "rock"), (90, 150), sevenths=0.15),
    "classical": Style(("piano", "harpsichord", "strings"), ("cello",), ("violin", "oboe", "flute", "clarinet"),
                       ("alberti", "arpeggio", "halves"), ("roots", "root fifth"), ("none",), (60, 140), sevenths=0.2),
    "ambient": Style(("synth pad", "choir", "strings"), ("synth bass", "cello"), ("flute", "vibraphone", "piano"),
                     ("sustained",), ("roots",), ("none",), (55, 90), sevenths=0.5),
    "electronic": Style(("synth pad", "electric piano"), ("synth bass",), ("synth lead",),
                        ("off-beats", "sixteenths", "sustained"), ("eighths", "octaves"), ("four on the floor", "break"),
                        (110, 150)),
    "funk": Style(("electric guitar", "electric piano", "brass section"), ("slap bass",), ("saxophone", "trumpet"),
                  ("syncopated", "off-beats"), ("syncopated", "octaves"), ("funk",), (90, 120), 0.0, 0.7),
    "reggae": Style(("organ", "electric guitar"), ("electric bass",), ("harmonica", "trumpet", "saxophone"),
                    ("off-beats",), ("syncopated", "roots"), ("one drop",), (66, 95), sevenths=0.15),
    "lo-fi": Style(("electric piano",), ("fretless bass", "electric bass"), ("vibraphone", "flute", "saxophone"),
                   ("halves", "charleston", "arpeggio"), ("roots", "syncopated"), ("half time", "break"), (64, 92), 0.2, 0.9),
    "latin": Style(("piano", "acoustic guitar"), ("acoustic bass",), ("trumpet", "flute"),
                   ("syncopated", "sixteenths"), ("syncopated", "root fifth"), ("latin",), (90, 150), sevenths=0.4),
    "blues": Style(("electric guitar", "piano", "organ"), ("electric bass", "acoustic bass"),
                   ("harmonica", "electric guitar", "saxophone"),
                   ("quarters", "charleston"), ("walking", "root fifth"), ("shuffle",), (70, 130), 0.33, 0.8),
    "ballad": Style(("piano", "electric piano", "acoustic guitar"), ("electric bass", "fretless bass"),
                    ("violin", "oboe", "saxophone"),
                    ("arpeggio", "quarters", "halves"), ("roots", "root fifth"), ("half time", "none"), (55, 84), sevenths=0.35),
    "cinematic": Style(("strings", "brass section", "choir"), ("cello", "tuba"), ("trumpet", "violin", "oboe"),
                       ("sustained", "eighths", "halves"), ("roots", "eighths"), ("toms", "none"), (60, 130), sevenths=0.15),
    "baroque": Style(("harpsichord", "organ"), ("cello",), ("oboe", "flute", "violin"),
                     ("alberti", "sixteenths", "quarters"), ("walking", "eighths"), ("none",), (70, 130), sevenths=0.15),
    "march": Style(("brass section", "piano"), ("tuba",), ("trumpet", "clarinet", "whistle"),
                   ("oom-pah", "off-beats"), ("root fifth",), ("march",), (100, 130), sevenths=0.1),
    "musette": Style(("accordion",), ("acoustic bass",), ("accordion", "clarinet", "violin"),
                     ("oom-pah",), ("roots", "root fifth"), ("brushes", "none"), (90, 170), sevenths=0.2),
    "lullaby": Style(("music box", "harp"), ("cello", "acoustic bass"), ("flute", "whistle", "clarinet"),
                     ("arpeggio", "alberti"), ("roots",), ("none",), (60, 90), sevenths=0.15),
    "tropical": Style(("marimba", "acoustic guitar"), ("electric bass", "acoustic bass"), ("flute", "whistle"),
                      ("syncopated", "sixteenths", "off-beats"), ("syncopated", "root fifth"), ("latin", "one drop"), (95, 130)),
    "gospel": Style(("organ", "piano"), ("electric bass",), ("choir", "saxophone"),
                    ("quarters", "halves", "sustained"), ("walking", "root fifth"), ("shuffle", "rock"), (70, 125), 0.2, 0.6),
    "hymn": Style(("organ", "choir"), ("cello", "tuba"), ("trumpet", "oboe"), ("quarters", "halves"), ("quarters",),
                  ("none",), (66, 100), sevenths=0.15),
    "disco": Style(("electric guitar", "strings", "piano"), ("electric bass", "slap bass"), ("strings", "trumpet", "synth lead"),
                   ("off-beats", "syncopated"), ("octaves",), ("four on the floor",), (108, 130), sevenths=0.5),
}  # fmt: skip
LEADS |= {"organ": (17,), "accordion": (21,), "choir": (52,), "strings": (48,)}

MAJOR_LOOPS = (
    "I V vi IV", "I vi IV V", "vi IV I V", "I IV V IV", "I IV I V", "ii V I I", "I iii IV V", "IV V iii vi", "I ii IV V",
    "I bVII IV I", "I vi ii V", "I V vi iii IV I IV V", "I IV", "I V", "vi V IV V", "I iii vi IV", "I I IV V",
    "I vii° vi V", "IV I V vi", "I II IV I", "I III vi IV", "I IV iv I",
)  # fmt: skip
MINOR_LOOPS = (
    "i VI III VII", "i iv V i", "i VII VI V", "i iv VII III", "i v VI VII", "i iv", "i VI iv V", "i VII", "i iv i V",
    "i III VII VI", "ii° V i i", "i VI", "i v iv v", "i iv v i", "VI VII i i", "i II V i",
)  # fmt: skip
SEVENTH_OF = {"maj": ("maj7", "7", "maj6"), "min": ("min7", "min7", "min6"), "dim": ("hdim7", "dim7"), "sus4": ("sus4(b7)",)}
MOODS = {
    "calm": ("calm", "gentle", "relaxing", "peaceful", "soft"),
    "energetic": ("energetic", "upbeat", "lively", "driving", "powerful"),
    "sparse": ("sparse", "minimal"),
    "busy": ("busy", "dense"),
    "bright": ("bright", "cheerful", "sunny"),
    "dark": ("dark", "moody", "somber"),
}
OPPOSITES = {"bright": "dark", "dark": "bright"}

# Where in a bar a pattern plays: (onset, length) in beats, repeated over the bar. Arpeggios name chord notes by index.
HITS = {
    "sustained": None,
    "halves": ((0, 2), (2, 2)),
    "quarters": ((0, 0.9), (1, 0.9), (2, 0.9), (3, 0.9)),
    "eighths": tuple((i / 2, 0.45) for i in range(8)),
    "syncopated": ((0, 0.7), (0.75, 0.7), (1.5, 0.9), (2.5, 0.4), (3, 0.7)),
    "charleston": ((0, 1.3), (1.5, 1.6)),
    "off-beats": tuple((i + 0.5, 0.35) for i in range(4)),
    "oom-pah": ((1, 0.6), (2, 0.6), (3, 0.6)),
}
ARPEGGIOS = {"arpeggio": (0.5, (0, 1, 2, 3, 2, 1)), "alberti": (0.5, (0, 2, 1, 2)), "sixteenths": (0.25, (0, 2, 1, 3))}

KICK, SNARE, STICK, BRUSH, CLOSED, OPEN, RIDE, CRASH, CLAP = 36, 38, 37, 40, 42, 46, 51, 49, 39
TOMS, SHAKER, LOW_CONGA, HIGH_CONGA, CLAVES = (50, 47, 43), 70, 64, 63, 75
# Drum -> onsets in beats of a bar of four; other meters keep the onsets that fit and their own backbeat.
GROOVES = {
    "rock": {KICK: (0, 2), SNARE: (1, 3), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
    "fast rock": {KICK: (0, 0.5, 2, 2.5), SNARE: (1, 3), OPEN: (0, 1, 2, 3)},
    "four on the floor": {KICK: (0, 1, 2, 3), CLAP: (1, 3), OPEN: (0.5, 1.5, 2.5, 3.5)},
    "half time": {KICK: (0, 1.5), SNARE: (2,), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
    "swing": {RIDE: (0, 1, 1.5, 2, 3, 3.5), 44: (1, 3), KICK: (0,)},
    "shuffle": {KICK: (0, 2), SNARE: (1, 3), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
    "bossa": {KICK: (0, 1.5, 2, 3.5), STICK: (0, 1.5, 3), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
    "brushes": {BRUSH: (1, 3), RIDE: (0, 1, 2, 3)},
    "train": {SNARE: tuple(i / 2 for i in range(8)), KICK: (0, 1, 2, 3)},
    "break": {KICK: (0, 0.75, 2.5), SNARE: (1, 3), CLOSED: tuple(i / 2 for i in range(8))},
    "funk": {KICK: (0, 0.75, 2.5), SNARE: (1, 3), CLOSED: tuple(i / 4 for i in range(16))},
    "one drop": {KICK: (2,), STICK: (2,), CLOSED: (0.5, 1.5, 2.5, 3.5)},
    "latin": {
        HIGH_CONGA: (0, 1, 1.5, 3),
        LOW_CONGA: (2, 3.5),
        CLAVES: (0, 1.5, 3),
        SHAKER: tuple(i / 2 for i in range(8)),
        KICK: (0, 2),
    },
    "march": {SNARE: (0, 0.5, 1, 1.75, 2, 2.5, 3), KICK: (0, 2)},
    "toms": {TOMS[2]: (0, 1.5, 3), TOMS[1]: (2,), KICK: (0,)},
}
