"""How parts play: patterns for chords and basses, ways of melodies, scales.

Tables only; `musicbench.compose.arranging` reads them. A line is "ways; pattern / pattern ...", one pattern of which is
drawn. Signs of chords: x, X, o strike the chord, digits one of its notes from below, t all but its lowest note, b and f
the root and the fifth below it, m a muted fifth. Signs of basses: 1 3 5 6 7 8 notes above the root (the seventh only
where the chord has one), w a note of a walking line, a one that leads to the next root.
"""

from dataclasses import dataclass
from functools import cache

# ways: short, long (until the next hit), ring (until the chord changes), strum, roll (slower), power (root, fifth and
# tenth of a guitar), low, high (an octave), soft
CHORDS = {
    "sustained": "ring; x--- ---- ---- ----",
    "drone": "ring soft; x--- ---- ---- ----",
    "halves": "long; x--- ---- x--- ---- / x--- ---- ---- x--- / x--- --x- ---- ----",
    "quarters": "long; x--- x--- x--- x--- / x--- x--- x--x --x- / x--- x--- x--- xox-",
    "eighths": "; x.x. x.x. x.x. x.x. / X.x. X.x. X.x. X.x. / x.xx x.x. x.xx x.x.",
    "syncopated": "; x..x ..x. ..x. x... / x..x ..x. .x.. x.x. / x..x x..x x..x x... / x.x. .xx. .xx. .x.. / x... ..x. .x.x ..x.",
    "charleston": "long; x--- --x- ---- ---- / ---- --x- ---- x--- / x--- --x- ---- --x- / x--. ..x- -... .x-. / x-.. ..x. .... ..x-",
    "jazz comping": "; x... ..x. .... x... / .... ..x. x... .... / x..x .... ..x. .... / .x.. x... ...x .... / x... .... .x.. ..x. / ..x. .... x... ..x. | .... x... ..x. ....",
    "off-beats": "short; ..x. ..x. ..x. ..x. / .... x... .... x... / ..x. ..x. ..x. ..xx",
    "skank": "short; ..X. ..X. ..X. ..X. / .... X... .... X... / ..Xx ..X. ..Xx ..X. / .... Xx.. .... Xx..",
    "bubble": "short; .x.x .x.x .x.x .x.x / .xxx .xxx .xxx .xxx / ..xx ..xx ..xx ..xx / .xX. .xX. .xX. .xX.",
    "oom-pah": "short; b... t... f... t... / b... t.t. f... t.t. / b... t... f... tot.",
    "waltz": "short; b... t... t... / b... t... t.t. / b... ..t. t... / b... t.t. t...",
    "polka": "short; b.t. f.t. b.t. f.t. / b.t. b.t. f.t. f.tt / b.tt f.t. b.tt f.t.",
    "stride": "; b... t... f... t... / b... t... f... t.t. / b... tot. b... t... / b..t t... f..t t...",
    "ragtime": "; b.x. t.x. f.xx tx.x / b.xx t.xx f.x. tx.x / bx.x tx.. fx.x tx.. / b.x. tx.x f.x. tx.x",
    "boogie": "; x.x x.x x.x x.x / x.x .xx x.x .xx / xxx x.x xxx x.x / ..x x.x ..x x.x / x.x ..x x.. x.x",
    "blues shuffle": "; x.o x.o x.o x.o / x.. x.o x.. x.x / ..x ..x ..x ..x / x.. ... ..x x..",
    "arpeggio": "long; 0-1- 2-3- 2-1- 2-1- / 0-2- 1-2- 3-2- 1-2- / 0-1- 2-3- 4-3- 2-1- / 0--1 --2- -3-- 2-1- / 3-2- 1-0- 1-2- 3-2- / 0-2- 3-1- 2-4- 3-2-",
    "alberti": "long; 0-2- 1-2- 0-2- 1-2- / 0-1- 2-1- 0-1- 2-1- / 0212 0212 0212 0212 / 0-2- 1-2- 0-3- 1-3-",
    "sixteenths": "; 0213 0213 0213 0213 / 0123 2101 2321 0123 / 0.12 3.12 0.12 3.12 / 0102 0302 0102 0302 / 3210 3210 2101 2323",
    "broken thirds": "long; 0-12 -10- 2-12 -1-- / 0-2- 31-2 -03- 2-1- / 012- 3-21 -2-1 0-2-",
    "waterfall": "ring; 0123 4321 2343 2101 / 4321 0123 4321 2123 / 0.1. 2.3. 4.5. 6.7. / 012 345 654 321",
    "travis": "long; 0-2- 1-3- 0-2- 1-32 / 0--2 1-3- 0-2- 13-2 / 0-3- 1-2- 0-32 1-2- / 0-23 1-2- 0--3 1-2-",
    "strum": "strum; x... x.xo ..xo x.xo / x.x. x.xo x.xo x.xo / x... x.x. .xx. x.xo / x... ..x. ..xo xox. / X... X.xo X... Xoxo / x.xx .xxo x.xx .xxo / x... x..x ..x. x.x.",
    "slow strum": "strum long; x--- ---- x--- --o- / x--- --o- x--- o-o- / x--- x--o --x- o-x- / x--- ---- ---- x-o-",
    "rasgueado": "strum; x..x xxx. x..x x.xx / xxx x.x. xxx x.x. / x.xx x.xx X.xx xxxx / X... xxxx X... x.xx / x.x. X.xx x.x. XxXx / xxxx X... x.X. xxxx",
    "bossa guitar": "; b.xx .x.x f.x. x.x. / bx.x .bx. fx.. x.fx / b.x. .xbx .xf. x.x. / bx.. x.bx .x.f ..x. / b..x .xb. x.fx ..x.",
    "samba guitar": "short; b.x. xb.x .xf. x.x. / bx.x bx.x fx.x .x.x / x.bx .x.f x.xb x.x.",
    "funk scratch": "short; xooX ooXo oXoo XoXo / oooo Xooo ooXo Xooo / .ox. Xo.x .oX. oxo. / X.oX .oX. oX.o .Xo. / ooXo oXoo ooXo oXoX",
    "wah": "short; ..xo x.ox ..xo x.o. / x.o. xoox .ox. x.ox / .xox .xo. .xox xo.x",
    "clavinet": "short; b.t. .tb. t.bt .t.t / bt.t .t.b tt.b .tbt / b..t b.t. .bt. bt.t",
    "stabs": "short; x..x ..x. .... .... / ..x. .x.. ..x. .... / x... ..x. ...x .... / .... ..x. x..x .... / x..x .... ..x. .x.. / x.x. .x.x .... ....",
    "house piano": "; x..x ..x. .x.. x.x. / x.x. .x.x ..x. x... / ..x. ..x. ..x. ..x. / x..x ..xx ..x. .xx. / .x.x ..x. .x.x ..x. / x..x .x.. x..x .x.x",
    "trance gate": "short; x.xx x.xx x.xx x.xx / xx.x xx.x xx.x xx.x / x.xx .xx. xx.x x.x. / x..x ..x. x..x ..xx / xxx. xxx. xxx. xx.x",
    "big chords": "long; x--- --x- ---x ---- / x--x --x- ---- ---- / x--- ---x --x- --x- / x--- ---- x--x --x- / x-.x -.x- .x-. x-x-",
    "plucks": "short; 0.2. 1.3. 0.2. 1.3. / 0..1 ..2. 0..3 ..2. / 3.2. 0.3. 2.03 .2.0 / 0.3. .2.0 3..2 .0.. / 0.1. .2.3 ..1. .2.. / 320. 32.0 3.20 .320",
    "chip arpeggio": "short; 0120 1201 2012 0120 / 0123 0123 0123 0123 / 012012 012012 012012 012012 / 0.1. 2.0. 1.2. 0.1. / 01230123 01230123 01230123 01230123 / 0212 0313 0212 0313",
    "gallop": "power short; m.mm m.mm m.mm X... / m.mm m.mm X..X ..X. / mmm. mmm. mmm. X.X. / X.mm m.mm m.mm m.mm / m.mm X.mm m.mm X.mm / Xmmm .mmX ..mm m.mm",
    "chugs": "power short; mmmm mmmm X... .... / m.m. m.m. m.m. X.X. / mm.m .mm. X..X .... / X..m m.m. X..m mmmm / m..m ..m. m..m X... / mmX. mmX. mmmm X.X. / m... ..mm .m.. X.X.",
    "power eighths": "power; X.x. x.x. x.x. x.x. / x.x. x.x. X.x. x.x. / X.x. x.X. x.x. X.x. / x.x. x.xx x.x. x.xx",
    "power chords": "power long; x--- ---- x--- --x- / x--x --x- ---- x--- / x--- --x- --x- x--- / x--- ---- ---- ---- / x--- x--- --x- --x-",
    "down strokes": "power; x.x. x.x. x.x. x.x. / xxxx xxxx xxxx xxxx / x.xx x.xx x.xx x.xx / x.x. x.x. xxxx x.x.",
    "doom riff": "power long; x--- ---- ---- x--- / x--- ---- x-x- ---- / x--- --x- ---- ---- / x--- ---- ---- ----",
    "tremolo picking": "short high; 0000 0000 1111 2222 / 0000 1111 2222 1111 / 0000 0000 0000 0000 / 2222 2222 1111 0000",
    "rock riff": "power short; x.m. x.m. .xmm x.x. / x..x .x.m m.x. x... / m.x. m.x. m.mx .x.. / x.mm .x.x m.m. x.x. / x.x. .mx. .mx. mm.. / xmmx mmx. xmmx mx.x",
    "montuno": "high; x.t0 .t.0 t.0. t.0. / 0.tt .0t. .t0. t.0t / x.0. t.0t .0t. 0.t. / 0t.0 .t0. t.0t .0t. / x..t .t.0 .t.t .0t. / t0.t .0t. 0.t0 .t.0",
    "guajeo": "; 0.21 .2.0 .2.1 .20. / 0.2. 1.02 .1.2 0.1. / 02.1 .02. 1.20 .1.2",
    "cumbia": "short; ..x. ..x. ..x. ..x. / .... x.x. .... x.x. / x... x.x. x... x.x.",
    "bachata": "long; 0-2- 1-2- 3-2- 1--2 / 0-12 3-2- 0-12 3--2 / 3-2- 1-2- 0-2- 3-21",
    "tango": "short; x... x... x... x.x. / x..x ..x. x... x... / x..x x..x x... x... / X... x... X... xx.. / X..X ..X. ..X. X...",
    "habanera": "; b..t t.t. f..t t.t. / b..x ..x. x... x... / x..x x.x. x..x x.x.",
    "dembow": "short; ..x. ..x. ..x. ..x. / ...x ..x. ...x ..x. / x..x ..x. x..x ..x.",
    "afro guitar": "short; 0.2. 3.20 .23. 2.0. / .02. 3.2. .03. 2.32 / 0..2 .3.2 0..2 3.2. / 302. 3.20 .32. 0.2. / 0.32 .2.0 3.20 .2.3",
    "highlife": "; 0.23 .2.3 0.23 2.3. / 3.20 3.2. 0.32 3.2. / 0-2- 3-20 -2-3 2-0-",
    "ska": "short; ..X. ..X. ..X. ..X. / ..X. ..Xx ..X. ..X. / ..X. ..X. ..XX ..X.",
    "klezmer": "short; b.t. f.t. b.t. f.t. / b... t.t. f... t.t. / x..x ..x. x..x ..x.",
    "balkan": "short; b.t. b.t. b.tt / b.t. f.t. b.t. / b... t... b.t. / x... x... x.x.",
    "jig": "; b.x b.x / b.t f.t / x.x x.x / x.. x.x / b.. t.t",
    "reel": "; b.x. b.x. f.x. b.x. / x.xx x.xx x.xx x.xx / b.t. f.t. b.t. ftt.",
    "banjo roll": "; 0231 0231 0231 0231 / 2310 2310 2310 2310 / 0.23 1023 0.23 1023 / 3210 3213 0213 2310 / 0213 .213 0213 .213",
    "boom chick": "short; b... t... f... t... / b... t.t. f... t.t. / b... t.to f... t.to",
    "gypsy pump": "short; x... X... x... X... / x.o. X... x.o. X... / x... X.o. x... X.oo",
    "tremolo": "; xxxx xxxx xxxx xxxx / xxxxxx xxxxxx xxxxxx xxxxxx",
    "spiccato": "short; 0.00 0.00 0.00 0.00 / 0000 0000 1111 1111 / 0.12 0.12 0.12 0.12 / x.xx x.xx x.xx x.xx / 0010 0020 0010 0030 / X.xx xxx. X.xx x.x. / xxx xxx xxx xxx",
    "ostinato": "short; 0.2. 1.2. 0.2. 1.2. / 0.0. 2.0. 1.0. 2.0. / 0210 2102 1021 0210 / 0.1. 0.2. 0.1. 0.3. / 0021 0021 0021 0021",
    "hits": "; X... .... .... .... / X..X .... .... .... / X... .... X... X... / X... ..X. .... .... / X... ..X. ..X. ....",
    "pulses": "; x.x. x.x. x.x. x.x. / 0.1. 0.1. 0.1. 0.1. / 0101 0101 0101 0101 / 0.12 .012 .012 .01. / 012 012 012 012 / 0.2. 0.20 .20. 2.0.",
    "swells": "long; x--- ---- x--- ---- / x--- ---- ---- ---- / ---- x--- ---- ----",
    "rolled": "roll ring; x--- ---- ---- ---- / x--- ---- x--- ---- / x--- ---- ---- x---",
    "chorale": "long; x--- x--- x--- x--- / x--- ---- x--- x--- / x--- x--- x--- ---- / x--- x-x- x--- x---",
    "hymn": "long; x--- x--- x--- x--- / x--- ---- x--- x---",
    "brass stabs": "short; .... ..X. .... .... / X..X .... .... ..X. / .... X... ...X .... / ..X. ..X. .... .... / X... .... ..X. X... / .... ..x. X... ..x.",
    "riffs": "; x.x. ..x. x... .... / ..x. x..x ..x. x... / x... x.x. .x.. x... / .... x.xx ..x. x... | x..x .x.. x... ....",
    "gospel": "long; x--- x--x --x- x--- / x--- --x- x--x --x- / x--- x--- x-x- x-x- / b-x- -x-x b-x- x-x-",
    "tanpura": "ring low; f--- b--- b--- b--- / f--- ---- b--- b---",
    "gamelan": "; 0.1. 2.1. 0.1. 2.1. / 0121 0121 0121 0121 / 0102 0102 0102 0102 / 1.0. 1.2. 1.0. 1.2. / 2021 2021 2021 2021",
    "koto": "; 0... 2.1. 3... 2... / 3.2. 1.0. .... 2... / 0.1. 2.3. 4... .... / 4.32 .... 2.1. 0...",
    "bells": "ring high soft; 0--- ---- 2--- ---- / 0--- 1--- 2--- ---- / 2--- ---- 1--- --0-",
}  # fmt: skip

# ways: short, long, glide (with what was before), low (an octave), two (an octave above now and then)
BASSES = {
    "roots": "long; 1--- ---- ---- ----",
    "root fifth": "long; 1--- ---- 5--- ---- / 1--. ..1. 5--. ..5. / 1--- --1- 5--- ---- / 1--. ..5. 5--. ..a.",
    "quarters": "long; 1--- 1--- 1--- 1--- / 1--. 1--. 1--. 1--. / 1--- 1--- 1--- 1-5-",
    "eighths": "; 1.1. 1.1. 1.1. 1.1. / 1.1. 1.1. 1.1. 1.5. / 1.1. 1.11 1.1. 1.1. / 1.1. 1.1. 1.8. 5.a.",
    "octaves": "; 1.8. 1.8. 1.8. 1.8. / 1.81 .81. 1.81 .8.. / 1..8 1..8 1..8 1.8. / 1.88 1.88 1.88 1.8.",
    "walking": "long; w--- w--- w--- w---",
    "two feel": "long; 1--- ---- 5--- ---- / 1--- ---- 5--- --a- / 1--- --1- 5--- ----",
    "syncopated": "; 1--. ..1- -.5- -... / 1..1 ..5. ..1. .... / 1--1 --.. ..8- 5-.. / 1-.. .1-. ..5- 1-.. / 1..1 .1.. 1..5 .8..",
    "funk": "short; 1... ..81 ..1. ..5. / 1.81 ..1. .81. .1.7 / 1..1 .8.. ..15 7.8. / 1.1. .8.1 ...1 .58. / 1... .81. 1..8 .17. / 11.8 ..1. 5.71 ..a.",
    "slap": "short; 1..8 .1.8 1..8 .18. / 1.8. 11.8 1.8. 5.8. / 1..8 ..18 .1.8 5.78",
    "disco": "; 1.8. 1.8. 1.8. 1.8. / 1.85 1.8. 1.85 7.8. / 1..8 1.58 1..8 7.5a / 1.81 8.58 1.81 8.5a",
    "motown": "; 1..1 5.81 ..5. 1.a. / 1.1. .51. 8.7. 5.3. / 1..5 .1.8 ..5. 1.5a / 1.11 .151 8.15 .1.a",
    "reggae": "long; 1-.. ..1. 3-5- .... / .... 1-1- .... 5-3- / 1-.1 ..5- -... 8-5- / .... 1-.. 5-8. 1-.. / 1-1- ..5. 3-1- .... / 1-.. 5-.. 1-.5 8-..",
    "dub": "long; 1--- .... 1-5- .... / 1--- --.. ...5 8-1- / .... 1--- .... 5-1- / 1-1- ---- .... .5-.",
    "ska walk": "; 1.1. 3.3. 5.5. 6.5. / 1... 3... 5... 8... / 1.3. 5.3. 1.3. 5.a.",
    "boogie": "; 1.1 3.3 5.5 6.6 / 1.3 5.6 8.6 5.3 / 1.5 6.5 8.5 6.5 / 1.1 5.5 6.6 5.5 / 1.8 3.8 5.8 6.8",
    "blues shuffle": "; 1.1 5.5 1.1 5.5 / 1.1 1.1 1.1 1.1 / 1.1 3.5 6.5 3.a / 1.1 5.6 1.1 5.6",
    "country": "long; 1--- .... 5--- .... / 1--- ...1 5--- ...a / 1--- .... 5-3- 5-a-",
    "waltz": "long; 1--- .... .... / 1--- ---- 5--- / 1--- .... ..5.",
    "tuba": "; 1-.. .... 5-.. .... / 1-.. ..1. 5-.. ..5. / 1-.. 1-.. 5-.. 5-a.",
    "tumbao": "long; ...5 --8- ---- .... / 1--5 --8- ---- --.. / ...5 --1- ---- 5-.. / 1-.5 --8- --5- ..8. / ...1 --5- --8- ----",
    "bossa": "long; 1--1 5--5 5--5 1--1 / 1--5 5--. 5--1 1--. / 1--. ..5- -..5 1-.. / 1--5 --.5 1--5 --.a",
    "samba": "; 1..5 5..1 1..5 5..1 / 1..1 5..5 1..1 5..5 / 1... 5..5 1... 5.1. / 1..5 5... 8..5 5...",
    "cumbia": "; 1... 3.5. 1... 3.5. / 1... 5.5. 1... 5.8. / 1-.. 5-8. 5-.. 3-5.",
    "bolero": "long; 1--. ..5- -.1- -... / 1--- ..5. 8--- .... / 1--. 5-.. 8-.. 5-a-",
    "reggaeton": "; 1..1 ..5. 1..1 ..8. / 1..1 ..1. 1..1 ..1. / 1... 1..1 5... 1..a",
    "afrobeat": "short; 1..5 .18. ..57 .1.. / .1.5 8..1 .5.. 71.. / 1.1. 5..8 .75. 1.5. / 1..1 .5.8 ..5. .17.",
    "habanera": "; 1..5 ..8. 1..5 ..8. / 1--5 --8- 5--- ....",
    "tango": "; 1... 5... 1... 5.a. / 1..1 ..5. 1... 5... / 1... 1... 5... 5...",
    "odd": "; 1... 5... 1.5. / 1... 1... 1... / 1..1 5... 1.a. / 1.1. 5.5. 1.5.",
    "jig": "; 1.. 5.. / 1.1 5.5 / 1.. ..5 / 1.5 1.5",
    "gallop": "; 1.11 1.11 1.11 1.11 / 111. 111. 111. 1... / 1... 1.11 .... 1.11",
    "punk": "; 1.1. 1.1. 1.1. 1.1. / 1.1. 1.1. 1.1. 5.a. / 1111 1111 1111 1111",
    "metal": "; 1111 1111 1.1. 1.1. / 1.11 1.11 1.11 5... / 1... 1... 1.1. 1111 / 11.1 .11. 1..1 ....",
    "doom": "long; 1--- ---- ---- 1--- / 1--- ---- 1-1- ---- / 1--- ---- ---- ----",
    "off-beats": "; ..1. ..1. ..1. ..1. / ..1. ..1. ..8. ..1. / ..11 ..11 ..11 ..11 / ..1. ..18 ..1. ..5.",
    "rolling": "short; .111 .111 .111 .111 / .1.1 .111 .1.1 .118 / .188 .111 .188 .111",
    "house": "; 1..1 ..1. ..1. .... / ..1. .1.. ..1. .8.. / 1..1 .1.. 8..1 .5.. / ..1. ..1. 1..1 ..8. / ..1. 5.1. ..1. .8.5 / 1... ..1. .1.. 8...",
    "deep": "long; 1--- --.. ..1- -... / 1--. .... ..5- 1-.. / ..1- -... ..1- 5-.. / 1--1 --.. ...8 --..",
    "acid": "short glide; 1.18 .1.1 81.1 .181 / 11.8 1.1. 8.11 5.1. / 1181 .118 1.81 1.58 / 1.1. 8.15 .181 .1.8 / 811. 1.81 .11. 85.1",
    "techno": "short; ..1. ..1. ..1. ..1. / .11. .11. .11. .11. / 1111 1111 1111 1111 / ..11 ..1. ..11 ..8. / .1.1 .11. .1.1 .1..",
    "garage": "; 1..1 .... ..5. .1.. / 1... ..1. .8.. 1.5. / ..1. .1.. 8..1 .... / 1--- ..15 .... 8.1.",
    "two step": "long; 1--- ---- ..1- --.. / 1--. ..1- -... .5-. / 1--- --.. 1--- 5-.. / 1--- ---- --1- -8-. / ..1- --1. ..1- -5..",
    "reese": "long glide; 1--- ---- ---- ---- / 1--- ---- --1- ---- / 1--- --1- ---- 5--- / 1--- ---- 8--- ----",
    "wobble": "long glide; 1--- ---- .... .... / 1--- --.1 --.. .... / 1-.1 -.1- .... 8--- / 1--- .... 1--1 --1. / 1--- ---- 5--- 8---",
    "808": "long glide; 1--- ---- --1- ---- / 1--1 ---- --1- .... / 1--- ---- .... .1-- / 1--- --1- --8- ---- / 1--- ---- ---1 --5- / 1-1- ---- ..1- ----",
    "808 drill": "long glide; 1--- ---- --1- ---- / 1--1 ---- ---- 8--- / 1--- --8- --1- --5- / 1--- ---- 5--- --1-",
    "hip hop": "; 1--. ..1. ..1- .... / 1--1 ..5. ..1. .... / 1-.. .1-. 5-.. 1.a. / 1--. .... .15- 1-.. / 1.1- .... ..8. 5-..",
    "drone": "long; 1--- ---- ---- ----",
    "ostinato": "; 1.11 1.11 1.11 1.11 / 1.5. 8.5. 1.5. 8.5. / 1..1 ..1. 1..1 ..1. / 1.1. 1.1. 1.1. 1.1.",
    "pizzicato": "short; 1... 5... 1... 5... / 1... .... 5... .... / 1... 3... 5... 3...",
    "chip": "short; 1.1. 8.1. 1.1. 8.1. / 1.8. 1.8. 1.8. 1.8. / 1..1 ..1. 5..5 ..5. / 1181 1181 1181 1181 / 1.5. 8.5. 1.5. 8.5.",
    "flamenco": "; 1... 1... 5... 1.1. / 1..1 ..1. 5..5 .... / 1... .... 1..5 ....",
    "gospel": "; 1--1 --5- 8--5 3-a- / 1--- 5--- 1--3 5-a- / 1-1- 3-5- 6-5- 3-a-",
}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """How a melody goes. lengths: those of its notes in pulses, drawn by weight; scale: a name in SCALES.

    rests: the share of notes that are silent; repeats: how often a bar's rhythm and contour come again; leap: how far
    it may jump, in semitones; ornaments: the share of notes with a grace note before them; busy: notes are split more
    often in busy pieces.
    """

    lengths: dict
    scale: str = "key"
    rests: float = 0.15
    repeats: float = 0.7
    leap: float = 3.0
    ornaments: float = 0.0


MELODIES = {
    "melody": Way({1: 3, 0.5: 3, 1.5: 1.2, 2: 1}),
    "song": Way({1: 3, 0.5: 2, 2: 1.5, 1.5: 1.5}, leap=2.5, rests=0.2),
    "long": Way({2: 3, 4: 2, 1: 1, 3: 1}, rests=0.15, leap=4.0),
    "riff": Way({0.5: 4, 0.25: 1, 1: 1.5, 0.75: 1.5}, "pentatonic", 0.3, 0.95, 3.5),
    "hook": Way({0.5: 3, 0.75: 2, 1: 1, 0.25: 0.5}, "pentatonic", 0.25, 0.9, 3.0),
    "runs": Way({0.25: 3, 0.5: 3, 1: 0.6}, rests=0.12, repeats=0.3),
    "bebop": Way({0.5: 5, 1: 0.8, 0.25: 0.3, 1.5: 0.5}, rests=0.25, repeats=0.2),
    "blues": Way({0.5: 3, 1: 1.5, 0.25: 1, 1.5: 1}, "blues", 0.35, 0.5, 3.5, 0.2),
    "solo": Way({0.5: 3, 0.25: 2, 1: 1.2, 2: 0.6}, "pentatonic", 0.15, 0.4, 4.0, 0.1),
    "fiddle": Way({0.5: 6, 1: 1, 0.25: 0.4}, rests=0.02, repeats=0.6, leap=3.0, ornaments=0.12),
    "jig": Way({1 / 3: 7, 2 / 3: 1, 1: 0.6}, rests=0.02, repeats=0.6, ornaments=0.1),
    "klezmer": Way({0.5: 4, 0.25: 1.5, 1: 1}, "freygish", 0.1, 0.5, 3.0, 0.3),
    "oriental": Way({0.5: 3, 0.25: 2, 1: 1.5, 2: 0.6}, "freygish", 0.12, 0.4, 2.0, 0.35),
    "raga": Way({0.5: 2, 1: 2, 2: 1.5, 0.25: 1.2}, "raga", 0.12, 0.3, 2.0, 0.35),
    "flamenco": Way({0.5: 2, 0.25: 2.5, 1: 1, 1 / 3: 1.5}, "harmonic", 0.15, 0.4, 2.5, 0.2),
    "pentatonic": Way({1: 2, 0.5: 3, 2: 1}, "pentatonic", 0.15, 0.6, 3.0),
    "gamelan": Way({0.5: 4, 1: 2, 0.25: 1}, "pelog", 0.05, 0.85, 2.5),
    "gagaku": Way({2: 2, 4: 2, 1: 0.7}, "in", 0.1, 0.3, 2.5, 0.3),
    "koto": Way({0.5: 2, 1: 2, 0.25: 1, 2: 1}, "in", 0.25, 0.4, 4.0, 0.15),
    "fanfare": Way({1: 2, 0.5: 2, 1 / 3: 1, 2: 1}, "triad", 0.15, 0.7, 5.0),
    "march": Way({1: 2, 0.5: 2, 0.75: 1.2, 0.25: 1}, rests=0.05, repeats=0.7),
    "baroque": Way({0.5: 3, 0.25: 4, 1: 0.6}, rests=0.04, repeats=0.5, leap=2.5, ornaments=0.1),
    "classical": Way({1: 2, 0.5: 3, 1.5: 0.8, 0.25: 1}, rests=0.1, repeats=0.6, ornaments=0.06),
    "chip": Way({0.5: 3, 0.25: 3, 1: 0.6}, rests=0.1, repeats=0.8, leap=5.0),
    "trance": Way({0.5: 4, 0.25: 2, 0.75: 2}, rests=0.1, repeats=0.9, leap=4.0),
    "salsa": Way({0.5: 4, 1: 1.2, 0.75: 1}, rests=0.2, repeats=0.6),
    "calypso": Way({0.5: 3, 0.75: 1.5, 0.25: 1, 1: 1}, rests=0.1, repeats=0.7),
    "chant": Way({1: 4, 0.5: 1, 2: 1.5}, rests=0.03, repeats=0.3, leap=1.5),
    "surf": Way({0.5: 3, 1: 1.5, 0.25: 2}, "harmonic", 0.1, 0.7, 3.0),
    "ambient": Way({4: 2, 2: 2, 1: 0.6}, "pentatonic", 0.4, 0.4, 5.0),
    "arpeggio": Way({0.5: 6, 0.25: 1}, "triad", 0.03, 0.9, 5.0),
    "alone": Way({0.5: 4, 1: 1.5, 0.25: 0.8}, rests=0.02, repeats=0.5, leap=4.5),
}  # fmt: skip

# Semitones above the tonic, in major and in minor keys; None: the key's own scale, or the chord's notes.
SCALES = {
    "key": None,
    "triad": None,
    "pentatonic": ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10)),
    "blues": ((0, 2, 3, 4, 7, 9), (0, 3, 5, 6, 7, 10)),
    "freygish": ((0, 1, 4, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11)),
    "harmonic": ((0, 2, 4, 5, 7, 8, 11), (0, 2, 3, 5, 7, 8, 11)),
    "raga": ((0, 1, 4, 5, 7, 9, 11), (0, 1, 3, 5, 7, 8, 10)),
    "pelog": ((0, 4, 5, 7, 11), (0, 1, 3, 7, 8)),
    "in": ((0, 2, 5, 7, 9), (0, 1, 5, 7, 8)),
}


@cache
def pattern_of(table, name):
    """Return (ways, patterns) of a line of CHORDS ("chords") or BASSES ("bass")."""
    ways, _, patterns = {"chords": CHORDS, "bass": BASSES}[table][name].partition(";")
    return frozenset(ways.split()), tuple(pattern.strip() for pattern in patterns.split(" / "))
