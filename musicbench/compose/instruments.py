"""The instruments that the composer plays: the 128 General MIDI programs, synthesised patches, drum kits.

Their words and ranges. An instrument has a `kind`, the name under which `musicbench.prompt.sounds` and a model's
knows.json have it ("acoustic guitar" for the nylon and the steel one), and words that a caption may use for it.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Instrument:
    """What plays. low, high: the MIDI pitches where it sounds well. sustains: a held note goes on; else it dies away.

    source: ("gm", bank, program) or ("synth", patch). color: -1 dark, 0, 1 bright. parts: those that it suits, of
    chords, bass, lead.
    """

    name: str
    kind: str
    words: tuple
    source: tuple
    low: int
    high: int
    sustains: bool
    color: int
    parts: frozenset


PARTS = ("drums", "bass", "chords", "lead")
_PARTS_OF = {"C": "chords", "B": "bass", "L": "lead"}

# program name [= kind]; more words; low-high; flags: s sustains, + bright, - dark, C chords, B bass, L lead. Those of
# no part are not drawn: they sound no note (from 113 on), or not the one that is written (tubular bells, guitar
# harmonics two octaves higher, the lead of fifths).
GENERAL_MIDI = """
0 piano; grand piano / acoustic piano / concert grand; 33-96; CL
1 bright piano = piano; upright piano / piano; 33-96; +CL
2 electric grand = electric piano; electric grand / electric piano; 36-96; CL
3 honky tonk piano; saloon piano; 36-96; +CL
4 electric piano; rhodes / fender rhodes; 36-88; CL
5 fm electric piano = electric piano; dx7 / e-piano; 36-92; CL
6 harpsichord; cembalo; 36-88; +CL
7 clavinet; clav; 36-84; +CL
8 celesta; celeste; 60-96; +CL
9 glockenspiel; ; 72-100; +L
10 music box; musical box; 60-96; +CL
11 vibraphone; vibraharp; 53-89; -CL
12 marimba; ; 45-88; CL
13 xylophone; ; 65-96; +L
14 tubular bells; chimes; 60-77;
15 hammered dulcimer; dulcimer; 48-84; +CL
16 drawbar organ = organ; hammond organ / hammond / organ; 36-84; sCL
17 percussive organ = organ; jazz organ / organ; 36-84; sCL
18 rock organ = organ; rock organ / organ; 36-84; sCL
19 church organ = organ; pipe organ / church organ; 36-88; sCL
20 harmonium; reed organ; 41-84; sCL
21 accordion; squeezebox; 48-86; sCL
22 harmonica; blues harp; 60-88; s+L
23 bandoneon; ; 48-84; sCL
24 nylon guitar = acoustic guitar; classical guitar / nylon string guitar / spanish guitar / acoustic guitar; 40-80; CL
25 steel guitar = acoustic guitar; steel string guitar / acoustic guitar / folk guitar; 40-80; CL
26 jazz guitar = electric guitar; jazz guitar / archtop guitar; 40-80; -CL
27 clean guitar = electric guitar; clean electric guitar / electric guitar; 40-84; CL
28 muted guitar; palm muted guitar; 40-76; C
29 overdriven guitar = distorted guitar; overdriven guitar / crunchy guitar / distorted guitar; 40-84; s+CL
30 distorted guitar; distortion guitar / heavy guitar; 40-84; s+CL
31 guitar harmonics = electric guitar; electric guitar; 52-84; +
32 acoustic bass; double bass / upright bass; 28-55; B
33 fingered bass = electric bass; finger bass / electric bass; 28-55; B
34 picked bass = electric bass; picked bass / electric bass; 28-55; B
35 fretless bass; ; 28-57; sB
36 slap bass; slapped bass; 28-55; B
37 popped bass = slap bass; slap bass; 28-55; B
38 synth bass; bass synth; 24-55; B
39 analog bass = synth bass; analog bass / synth bass; 24-55; B
40 violin; fiddle; 55-96; sL
41 viola; ; 48-84; s-L
42 cello; violoncello; 36-72; s-LB
43 contrabass = acoustic bass; bowed double bass / contrabass; 28-55; s-B
44 tremolo strings; ; 40-88; sC
45 pizzicato; pizzicato strings / plucked strings; 40-86; CLB
46 harp; concert harp; 36-96; CL
47 timpani; kettledrums; 36-57; -B
48 strings; string section / string ensemble / orchestral strings; 36-91; sCL
49 slow strings = strings; legato strings / lush strings / strings; 36-88; s-C
50 synth strings = strings; synth strings; 36-88; sC
51 warm synth strings = strings; synth strings; 36-88; s-C
52 choir; choir aahs / wordless choir; 43-79; s-CLB
53 oohs = choir; oohs / humming choir / choir; 43-79; s-CLB
54 synth choir = choir; choir pad / choir; 43-79; s-C
55 orchestral hit; orchestra hit; 48-72; +C
56 trumpet; ; 55-84; s+L
57 trombone; ; 40-72; sLB
58 tuba; ; 28-55; s-B
59 muted trumpet; harmon mute trumpet; 58-82; s+L
60 french horn; ; 41-74; s-CL
61 brass section; brass / horns / horn section; 40-79; s+CL
62 synth brass = brass section; synth brass; 36-84; s+CL
63 soft synth brass = brass section; synth brass; 36-84; sC
64 soprano saxophone; soprano sax; 56-86; s+L
65 alto saxophone = saxophone; alto sax / alto saxophone / sax / saxophone; 50-80; sL
66 tenor saxophone = saxophone; tenor sax / tenor saxophone / sax / saxophone; 45-76; sL
67 baritone saxophone; baritone sax / bari sax; 36-68; s-LB
68 oboe; ; 58-88; sL
69 english horn; cor anglais; 52-80; s-L
70 bassoon; ; 36-70; s-LB
71 clarinet; ; 50-88; s-L
72 piccolo; ; 74-100; s+L
73 flute; concert flute / transverse flute; 60-94; s+L
74 recorder; ; 60-88; s+L
75 pan flute; panpipes / pan pipes; 60-90; sL
76 blown bottle = pan flute; panpipes; 60-90; s-L
77 shakuhachi; ; 58-86; sL
78 whistle; whistling; 64-88; s+L
79 ocarina; ; 60-88; sL
80 square lead = synth lead; square lead / synth lead / lead synth; 45-88; s+L
81 saw lead = synth lead; saw lead / synth lead / saw synth; 45-88; s+L
82 calliope; steam organ; 60-90; s+CL
83 chiff lead = synth lead; lead synth / synth lead; 48-88; sL
84 charang = synth lead; synth lead / lead synthesizer; 45-84; s+L
85 voice lead = synth lead; synth lead / lead synth; 48-84; s-L
86 fifths lead = synth lead; synth lead / monosynth; 45-80; s+
87 bass and lead = synth lead; monosynth / synth lead; 36-76; sL
88 new age pad = synth pad; ambient pad / synth pad; 36-88; sC
89 warm pad = synth pad; warm pad / synth pad; 36-84; s-C
90 polysynth = synth pad; synth pad / pad; 36-88; sC
91 space voice = synth pad; atmospheric pad / synth pad; 36-84; s-C
92 bowed glass = synth pad; synth pad / pad; 43-88; sC
93 metal pad = synth pad; synth pad / atmospheric pad; 40-86; sC
94 halo pad = synth pad; synth pad / pad; 40-86; s-C
95 sweep pad = synth pad; synth pad / warm pad; 36-84; s-C
96 rain pad = synth pad; synth pad / atmospheric pad; 48-90; sC
97 soundtrack pad = synth pad; synth pad / atmospheric pad; 36-84; s-C
98 crystal = synth pad; synth pad / ambient pad; 55-92; +C
99 atmosphere = synth pad; ambient pad / synth pad; 40-84; sC
100 brightness = synth pad; synth pad / pad; 45-88; s+C
101 goblins = synth pad; atmospheric pad / synth pad; 40-80; s-C
102 echo pad = synth pad; ambient pad / synth pad; 45-88; sC
103 star theme = synth pad; synth pad / ambient pad; 40-86; sC
104 sitar; ; 48-81; +CL
105 banjo; bluegrass banjo; 48-84; +CL
106 shamisen; ; 50-82; +L
107 koto; ; 45-88; CL
108 kalimba; thumb piano; 53-88; CL
109 bagpipe; bagpipes / highland pipes; 55-79; s+L
110 fiddle = violin; fiddle / violin; 55-93; s+L
111 shehnai; ; 55-82; s+L
112 bells; tinkle bell; 72-98; +L
113 agogo; agogo bells; 60-84; +
114 steel drum; steel pan / steel drums; 55-86; CL
115 wood block; woodblock / temple block; 60-84; 
116 taiko; taiko drums; 36-60; 
117 melodic toms = toms; tom toms / toms; 40-70; 
118 synth drum = drum machine; synth drums; 40-70; 
119 reverse cymbal = reversed sounds; reverse cymbal; 55-65; 
120 fret noise = electric guitar; electric guitar; 50-70; 
121 breath noise = flute; flute; 60-80; 
122 seashore = ocean waves; ocean waves / sound of waves; 55-65; 
123 bird tweet = bird song; bird song / birdsong; 60-76; 
124 telephone = telephone ring; telephone ring; 60-72; 
125 helicopter = engine noise; helicopter; 50-66; 
126 applause; crowd cheering; 55-65; 
127 gunshot = gunshots; gunshots; 50-66; 
"""
# Patches of `musicbench.synth.synths`: name [= kind]; ...
SYNTHESISED = """
808 bass; 808 sub; 28-48; s-B
sub bass = 808 bass; sub bass; 28-45; s-B
reese bass; reese; 28-48; s-B
acid bass = 303; 303 bass / acid bass / acid line; 33-57; sB
acid square = 303; acid bass / 303 / acid line; 33-57; sB
fm bass; ; 28-55; B
wobble bass; wobble / dubstep bass; 28-45; s-B
growl bass = wobble bass; growl bass / wobble bass; 28-45; s-B
analogue bass = synth bass; analog bass / moog bass / synth bass; 28-55; sB
pulse bass = synth bass; synth bass; 28-55; s-B
donk bass = donk; donk bass; 31-55; B
chip bass = chip sound; 8 bit synth / chip sound; 28-60; sB
supersaw lead = synth lead; supersaw / supersaw lead; 57-86; s+L
analogue lead = synth lead; saw lead / synth lead / lead synth; 52-86; s+L
hollow lead = synth lead; square lead / synth lead; 52-86; sL
soft lead = synth lead; synth lead / lead synth; 55-88; s-L
chip square = chip sound; 8 bit synth / chip lead / chip sound; 48-93; s+CL
chip pulse = chip sound; chip sound / 8 bit sounds / pulse wave; 48-93; s+CL
chip thin = chip sound; chip lead / 8 bit synth; 48-93; s+CL
chip triangle = chip sound; chip sound / 8 bit sounds; 40-88; sL
hoover; hoover synth; 40-67; sCL
theremin; ; 57-86; sL
synthesised whistle = whistle; whistle / whistling; 69-94; s+L
house stab = hoover; rave stab / rave stabs; 48-79; C
pluck; pluck synth / synth pluck; 50-88; CL
square pluck = pluck; pluck synth / plucks; 50-88; CL
vocal chop = vocal chops; vocal chop / chopped vocals; 52-79; CL
sampled hit = orchestral hit; orchestra hit; 36-64; +C
braam; braams; 24-46; s-B
analogue brass = brass section; synth brass; 43-79; s+CL
digital piano = electric piano; dx7 / electric piano; 38-88; CL
fm bell = synth bells; fm bells / synth bells; 57-93; CL
fm glass = pluck; pluck synth / plucks; 50-93; +CL
supersaw pad = synth pad; pad / synth pad; 45-79; s+C
soft pad = synth pad; warm pad / synth pad; 41-79; s-C
string machine = synth pad; string machine / synth pad; 41-86; sC
dark drone = drone synth; synth drone / drone synth; 28-53; s-BC
filter pad = synth pad; synth pad / warm pad; 41-79; s-C
glass pad = synth pad; synth pad / pad; 48-86; s+C
tonewheel organ = organ; hammond organ / hammond / drawbar organ; 36-86; sCL
club organ = organ; jazz organ / organ; 36-86; sCL
combo organ = organ; farfisa / combo organ; 43-86; s+CL
principal organ = organ; pipe organ / church organ; 36-86; sCL
singers ah = choir; choir / wordless choir; 45-79; s-CL
singers oh = choir; choir / oohs; 45-79; s-CL
singers hum = choir; humming choir / choir; 45-74; s-C
solo voice = singer; voice / wordless voice; 48-79; sL
opera voice = opera singer; opera singer / operatic voice; 50-79; sL
close harmony voice = choir; choir; 43-70; sCLB
robot voice; robotic voice; 43-70; sCL
overtone singer = throat singing; overtone singing; 38-55; s-BL
tanpura; tambura; 38-60; sC
buzzing sitar = sitar; sitar; 48-77; +CL
palm mute = muted guitar; palm muted guitar; 40-70; C
sho = sheng; sheng; 69-91; s+C
hichiriki; ; 65-82; s+L
didgeridoo; ; 32-44; s-B
metallophone = gamelan; gamelan; 50-84; +CL
bonang = gamelan; gamelan; 57-84; +CL
thumb piano = kalimba; kalimba / thumb piano; 55-86; CL
wooden bars = marimba; marimba; 45-86; CL
bell bars = glockenspiel; glockenspiel; 72-101; +L
steel pan = steel drum; steel pan / steel drums; 52-86; CL
singing bowl; singing bowls; 48-72; s-
high gain guitar = distorted guitar; distorted guitar / heavy guitar / metal guitar; 40-79; s+CL
crunch guitar = distorted guitar; crunchy guitar / overdriven guitar / rock guitar; 40-79; s+CL
driven bass = electric bass; electric bass / picked bass; 28-55; B
"""
_PLAYED_ON = {  # where an instrument's name is not its patch's; those of a SoundFont sound through effects (`musicbench.compose.chains`)
    "analogue lead": "saw lead", "hollow lead": "square lead", "synthesised whistle": "whistle", "sampled hit": "orchestra hit", "analogue brass": "synth brass",
    "digital piano": "fm electric piano", "soft pad": "warm pad", "filter pad": "sweep pad", "tonewheel organ": "drawbar organ", "club organ": "jazz organ",
    "principal organ": "pipe organ", "singers ah": "choir ah", "singers oh": "choir oh", "singers hum": "choir hum", "close harmony voice": "barbershop voice",
    "high gain guitar": ("gm", 0, 27), "crunch guitar": ("gm", 0, 27), "driven bass": ("gm", 0, 34), "buzzing sitar": "sitar", "palm mute": "muted guitar", "thumb piano": "kalimba",
}  # fmt: skip
NOISES = range(119, 128)  # programs that sound no note
UNPITCHED = {113, 115, 116, 117, 118, *NOISES}


def _read(line, source):
    name, words, bounds, flags = (field.strip() for field in line.split(";"))
    name, _, kind = (field.strip() for field in name.partition("="))
    kind = kind or name
    low, high = map(int, bounds.split("-"))
    said = tuple(word.strip() for word in words.split("/") if word.strip())
    parts = frozenset(_PARTS_OF[flag] for flag in flags if flag in _PARTS_OF)
    color = (flags.count("+") - flags.count("-")) or 0
    said = said if kind != name else tuple(dict.fromkeys((name, *said)))
    return Instrument(name, kind, said, source, low, high, "s" in flags, color, parts)


def _instruments():
    """Return {name: Instrument} of the tables above."""
    found = {}
    for line in GENERAL_MIDI.strip().splitlines():
        program, _, rest = line.partition(" ")
        instrument = _read(rest, ("gm", 0, int(program)))
        found[instrument.name] = instrument
    for line in SYNTHESISED.strip().splitlines():
        instrument = _read(line, ())
        source = _PLAYED_ON.get(instrument.name, instrument.name)
        found[instrument.name] = replace(instrument, source=source if isinstance(source, tuple) else ("synth", source))
    return found


INSTRUMENTS = _instruments()
KINDS = {
    kind: tuple(name for name, one in INSTRUMENTS.items() if one.kind == kind)
    for kind in dict.fromkeys(one.kind for one in INSTRUMENTS.values())
}


def named(name):
    """Return the names of the instruments that a name means: one, or all those of a kind that suit some part."""
    alike = tuple(other for other in KINDS.get(name, ()) if INSTRUMENTS[other].parts)
    return alike or (name,)


def suited(part):
    """Return the names of the instruments that suit a part and sound notes, those of General MIDI and the patches."""
    return tuple(name for name, one in INSTRUMENTS.items() if part in one.parts and one.source[-1] not in UNPITCHED)


# ---------------------------------------------------------------------------------------------------- drums

# The drums that a groove names, as General MIDI's percussion keys, or those that come nearest.
DRUMS = {
    "kick": 36, "snare": 38, "rim": 37, "clap": 39, "brush": 40, "closed_hat": 42, "pedal_hat": 44, "open_hat": 46, "ride": 51, "ride_bell": 53,
    "crash": 49, "china": 52, "splash": 55, "tom_low": 43, "tom_mid": 47, "tom_high": 50, "shaker": 82, "maracas": 70, "cabasa": 69,
    "tambourine": 54, "cowbell": 56, "clave": 75, "conga_low": 64, "conga_high": 63, "conga_slap": 62, "bongo_low": 61, "bongo_high": 60,
    "timbale_low": 66, "timbale_high": 65, "agogo_low": 68, "agogo_high": 67, "guiro_short": 73, "guiro_long": 74, "woodblock_low": 77,
    "woodblock_high": 76, "cuica_low": 79, "cuica_high": 78, "triangle": 81, "castanets": 85, "surdo_low": 41, "taiko": 41, "djembe_bass": 64,
    "djembe_tone": 63, "djembe_slap": 62, "cajon_low": 36, "cajon_high": 40, "tabla_ge": 64, "tabla_na": 60, "tabla_tin": 61, "tabla_te": 62,
}  # fmt: skip
MACHINE_DRUMS = {"cuica_low": "agogo_low", "cuica_high": "agogo_high", "castanets": "clave"}  # what drum machines play instead
# The beginning of a drum's name -> what it is in `musicbench.prompt.sounds`; all others are of the "drum kit".
DRUM_KINDS = {
    "clap": "claps", "rim": "rimshot", "clave": "claves", "shaker": "shaker", "maracas": "maracas", "cabasa": "cabasa", "tambourine": "tambourine",
    "cowbell": "cowbell", "guiro": "guiro", "castanets": "castanets", "triangle": "triangle", "agogo": "agogo", "conga": "congas", "bongo": "bongos",
    "timbale": "timbales", "woodblock": "wood block", "cuica": "cuica", "surdo": "surdo", "tom": "toms", "taiko": "taiko", "djembe": "djembe",
    "cajon": "cajon", "tabla": "tabla",
}  # fmt: skip


@dataclass(frozen=True)
class Kit:
    """A set of drums. source: ("gm", bank, program, {drum: key where it is not DRUMS' own}) or ("kit", one of
    `musicbench.synth.drum_machines`).

    kind, words: as for an Instrument.
    """

    name: str
    kind: str
    words: tuple
    source: tuple


def drum_kind(drum, kit=None):
    """Return what a drum is called in `musicbench.prompt.sounds`.

    In a kit of pitched drums, or of other than a drum kit's, that is the kit's own kind.
    """
    kind = DRUM_KINDS.get(drum.split("_")[0], "drum kit")
    is_own = kit is not None and (kit.source[1] == 0 or kind == "drum kit")
    return kit.kind if is_own else kind


_TAIKO = {"kick": 41, "taiko": 41, "tom_low": 43, "tom_mid": 48, "tom_high": 53, "snare": 55, "rim": 58}
_ORCHESTRAL = {  # where others have toms and hats this kit has kettledrums, which have a pitch
    "closed_hat": 27, "pedal_hat": 28, "open_hat": 29, "ride": 30, "ride_bell": 30, "crash": 59, "china": 57, "splash": 57, "tom_low": 36, "tom_mid": 36,
    "tom_high": 38, "surdo_low": 36, "taiko": 36,
}  # fmt: skip
_OWN_KEYS = {"orchestral": _ORCHESTRAL, "sampled 808": {"timbale_high": 50, "timbale_low": 47}}
_TOMS = {"kick": 41, "tom_low": 45, "tom_mid": 52, "tom_high": 58, "snare": 60, "rim": 62}
# name = kind; words; source
_KITS = """
standard = drum kit; drums / drum kit / acoustic drums / drum set; gm 0
room = drum kit; drums / drum kit / acoustic drums / drum set; gm 8
power = drum kit; drums / drum kit / drum set; gm 16
jazz = drum kit; drums / drum kit / drum set; gm 32
brush = brushes; brushed drums / brushes / brush drums; gm 40
electronic = drum machine; drum machine / electronic drums; gm 24
sampled 808 = 808 drums; 808 drums / 808 beats; gm 25
orchestral = concert bass drum; orchestral percussion; gm 48
808 = 808 drums; 808 drums / 808 beat; kit 808
909 = 909; 909 drums / 909; kit 909
606 = drum machine; drum machine / drum computer; kit 606
cr-78 = drum machine; drum machine / electronic drums; kit cr-78
eighties = drum machine; drum machine / electronic drums / synth drums; kit eighties
trap kit = drum machine; drum machine / electronic drums; kit trap
electro kit = drum machine; electronic drums / drum machine; kit electro
hardcore kit = drum machine; drum machine / electronic drums; kit hardcore
chip kit = drum machine; drum machine / electronic drums; kit chip
break kit = drum kit; drums / drum kit; kit break
lo-fi kit = lo-fi drums; lo-fi drums / dusty drums; kit lo-fi
soft brushes = brushes; brushed drums / brushes; kit brush
cinematic kit = taiko; taiko drums / taiko; kit cinematic
hand percussion = drum kit; percussion; kit hand percussion
"""


def _kits():
    made = {}
    for line in _KITS.strip().splitlines():
        names, words, source = (field.strip() for field in line.split(";"))
        name, _, kind = (field.strip() for field in names.partition("="))
        how, _, which = source.partition(" ")
        own_keys = (_OWN_KEYS[name],) if name in _OWN_KEYS else ()
        source = ("gm", 128, int(which), *own_keys) if how == "gm" else ("kit", which)
        made[name] = Kit(name, kind, tuple(word.strip() for word in words.split("/")), source)
    made["taiko"] = Kit("taiko", "taiko", ("taiko drums", "taiko"), ("gm", 0, 116, _TAIKO))
    made["toms"] = Kit("toms", "toms", ("toms", "tom toms"), ("gm", 0, 117, _TOMS))
    return made


KITS = _kits()
