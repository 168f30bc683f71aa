"""Styles by name: the words people use for each, and what it usually is: tempo, meter, drums or none, mode and harmony.

`Leaning.of` reads what a prompt's styles together lean to.
"""

import re
from dataclasses import dataclass
from functools import cache

from musicbench.prompt import forms
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import drums, known_phrases, unpitched, words_for, words_of

# Loops of one chord a bar, in Roman numerals of the key.
BLUES, MINOR_BLUES = (forms.BLUES,), (forms.MINOR_BLUES,)
SWING = ("ii7 V7 Imaj7 vi7", "Imaj7 vi7 ii7 V7", "iii7 vi7 ii7 V7", "ii7 V7 Imaj7 IVmaj7", "Imaj7 IVmaj7 iii7 vi7 ii7 V7")
MINOR_SWING = ("iiø7 V7 i7 i7", "i7 iv7 iiø7 V7", "i7 VImaj7 iiø7 V7", "iv7 VII7 IIImaj7 VImaj7 iiø7 V7 i7")
BOSSA = ("Imaj7 II7 ii7 V7", "ii7 V7 Imaj7 vi7", "Imaj7 ii7 iii7 ii7")
RAGTIME = ("I VI7 II7 V7", "I I7 IV iv I VI7 II7 V7", "I III7 VI7 II7 V7 I")
SOUL = ("Imaj7 IVmaj7", "IVmaj7 iii7 ii7 V7", "Imaj7 vi7 ii7 V7", "ii7 iii7 IVmaj7 V7")
MINOR_SOUL = ("i7 iv7", "VImaj7 v7 i7", "iv7 VII7 IIImaj7 VImaj7", "VImaj7 VII7 i7 i7")
VAMP = ("i7 iv7", "i7 VImaj7", "i7 v7", "VImaj7 i7", "i7 IV7")  # two chords, as house has them
BRIGHT_VAMP = ("Imaj7 IVmaj7", "IVmaj7 iii7", "ii7 Imaj7", "IVmaj7 vi7")
GROOVE, MINOR_GROOVE = ("I7", "I7 IV7", "I7 bVII7"), ("i7 IV7", "i7", "i7 iv7")
DORIAN, PHRYGIAN = ("i IV", "i7 IV7", "i VII IV i"), ("i bII", "i bII i VII", "i bII III bII")
MAJOR_PHRYGIAN = ("I bII", "I bII I bvii", "I bII bIII bII")
MIXOLYDIAN, LYDIAN = ("I bVII", "I bVII IV I", "I v bVII IV"), ("I II", "Imaj7 II", "I II vii I")
ANDALUSIAN, MAJOR_ANDALUSIAN = ("i VII VI V", "iv III bII i", "i VII VI V"), ("vi V IV III", "I bII I bII")
HEAVY = ("i bII i VII", "i VI VII i", "i bII III i", "i VII VI bII", "i III VII VI")
ONE_CHORD, MINOR_DRONE = ("I",), ("i",)
MONTUNO, MINOR_MONTUNO = ("I IV V IV", "I IV V7 IV", "ii7 V7 I I"), ("i iv V7 iv", "i VII VI V7", "iv i V7 i")
THREE_CHORDS = ("I IV V I", "I I IV V", "I V IV I", "I IV I V")
COUNTRY = ("I IV I V", "I I IV I V V I I", "I IV V I", "I V vi IV")
FOLK, MINOR_FOLK = (
    ("I V vi IV", "I IV I V", "I vi IV V", "I bVII IV I"),
    ("i VII VI VII", "i III VII i", "i VII III VII", "i iv VII III"),
)
CELTIC, MINOR_CELTIC = ("I V I IV", "I IV V I", "I bVII I V"), ("i VII i VII", "i VII VI VII", "i III VII i")
WALTZ, MINOR_WALTZ = ("I I V7 V7 V7 V7 I I", "I vi ii V7", "I IV V7 I"), ("i i iv iv V7 V7 i i", "i iv V7 i", "i VI iv V7")
TANGO = ("i i iv V7", "i V7 V7 i", "iv i V7 i", "i VII VI V7")
DOO_WOP = ("I vi IV V", "I vi ii V")
POP, MINOR_POP = ("I V vi IV", "vi IV I V", "I vi IV V", "IV V iii vi", "I IV vi V"), ("i VI III VII", "VI VII i i", "i iv VI VII")
JPOP = ("IV V iii vi", "IVmaj7 V iii7 vi", "IV V I vi", "vi IV V I")
CITY_POP = ("IVmaj7 III7 vi7 Imaj7", "IVmaj7 V7 iii7 vi7", "ii7 V7 Imaj7 IVmaj7")
ROCK, MINOR_ROCK = ("I bVII IV I", "I IV V IV", "I V vi IV", "I IV I V"), ("i VII VI VII", "i III VII VI", "i VI III VII")
DANCE = ("i VI III VII", "VI VII i i", "i VII VI VII", "iv VI i VII")
TRAP = ("i VI", "i i VI V", "i iv", "i VI i VII")
EPIC = ("i VI III VII", "i VI VII i", "i iv VI V", "VI VII i i")
AMBIENT, MINOR_AMBIENT = ("Imaj7 IVmaj7", "I IV", "Imaj7 iii7", "IVmaj7 Imaj7"), ("i VI", "i7 VImaj7", "i VII", "i iv")
EERIE, MAJOR_EERIE = ("i bII", "i bv", "i iv bII i", "i VI bII i"), ("I bII", "I bV", "I iv bII I", "I bVI bII I")
CLASSICAL = ("I IV V7 I", "I vi ii V7 I", "I V7 I V7", "I V vi iii IV I IV V", "I ii V7 I")
MINOR_CLASSICAL = ("i iv V7 i", "i VI iv V7", "i VII III VI ii° V7 i", "i V7 i V7")
HYMN = ("I IV I V", "I V vi IV I V I I", "I IV V I", "vi IV I V")
FREYGISCH = ("I bII I bII", "I iv bII I", "I bII bvii I")
PASSAMEZZO, MINOR_PASSAMEZZO = (
    ("I IV I V", "I bVII I V"),
    ("i VII i V", "III VII i V", "i V i VII III VII i V"),
)  # renaissance grounds
CHORO, MINOR_CHORO = ("I VI7 ii V7", "I V7 I I7 IV iv I V7"), ("i iv V7 i", "i V7 i I7 iv i V7 i")
CUBAN_SONG, MINOR_CUBAN_SONG = ("I V7", "I I V7 V7"), ("i V7", "i i V7 V7", "i iv V7 i")
REGGAE, MINOR_REGGAE = ("I IV", "I V IV V", "I ii", "I IV V IV"), ("i iv", "i VII", "i v")


@dataclass(frozen=True)
class Genre:
    """A style. `words`: what it is called, its name first. `bpm`: counted beats of `meter`, None where any tempo goes.

    drums: True, False, or None where both are usual. mode: "major", "minor" or None, where the seed decides. major, minor: loops; empty
    where any loop goes. like: the nearest of the composer's styles first; empty for what is no style but a form or a scale.
    """

    words: tuple
    bpm: tuple | None = None
    drums: bool | None = None
    mode: str | None = None
    like: tuple = ()
    major: tuple = ()
    minor: tuple = ()
    meter: str | None = None

    @property
    def name(self):
        return self.words[0]

    def loops(self, mode):
        """Return the loops of a mode, empty where any goes."""
        return self.major if mode == "major" else self.minor


def _genre(words, bpm=None, drums=None, mode=None, like="", major=(), minor=(), meter=None):
    split = [tuple(word.strip() for word in text.split(",") if word.strip()) for text in (words, like)]
    return Genre(split[0], bpm, drums, mode, split[1], major, minor, meter)


GENRES = (
    # jazz
    _genre("jazz, jazzy, jazz band, jazz combo, jazz trio, jazz quartet, jazz quintet", (100, 170), True, "major", "jazz", SWING, MINOR_SWING),
    _genre("swing, big band, swing jazz, electro swing, lindy hop", (130, 190), True, "major", "jazz", SWING, MINOR_SWING),
    _genre("bebop, bop, hard bop, post bop", (170, 260), True, "major", "jazz", SWING, MINOR_SWING),
    _genre("cool jazz, modal jazz, spiritual jazz", (110, 150), True, "minor", "jazz", SWING, DORIAN),
    _genre("smooth jazz", (80, 105), True, "major", "jazz", SOUL, MINOR_SOUL),
    _genre("jazz ballad, torch song, slow jazz", (54, 72), None, "major", "", SWING, MINOR_SWING),
    _genre("jazz waltz", (120, 180), True, "major", "", SWING, MINOR_SWING, "3/4"),
    _genre("jazz fusion, fusion", (95, 135), True, "minor", "funk, jazz", SOUL, MINOR_GROOVE),
    _genre("acid jazz", (95, 118), True, "minor", "funk, jazz", SOUL, MINOR_GROOVE),
    _genre("free jazz, avant-garde jazz", (120, 200), True, None, "jazz"),
    _genre("gypsy jazz, jazz manouche, hot club", (160, 230), False, "minor", "jazz", SWING, MINOR_SWING),
    _genre("dixieland, new orleans jazz, trad jazz, second line", (150, 210), True, "major", "jazz", RAGTIME, MINOR_SWING),
    _genre("ragtime, rag, cakewalk", (84, 110), False, "major", "march", RAGTIME, MINOR_CLASSICAL, "2/4"),
    _genre("stride piano, novelty piano", (130, 190), False, "major", "jazz", RAGTIME, MINOR_SWING),
    _genre("latin jazz, afro cuban jazz", (110, 180), True, "minor", "latin, jazz", SWING, MINOR_MONTUNO),
    _genre("bossa nova, bossa, jazz bossa", (110, 145), True, "major", "bossa nova", BOSSA, MINOR_SWING),
    _genre("lounge, cocktail jazz, easy listening, elevator music, muzak", (85, 120), None, "major", "bossa nova, jazz", BOSSA, MINOR_SWING),
    _genre("noir, film noir, detective jazz", (66, 92), None, "minor", "jazz", SWING, MINOR_SWING),
    # hip hop
    _genre("hip hop, rap, rap beat, boom bap, old school hip hop, west coast hip hop, east coast hip hop", (82, 98), True, "minor", "lo-fi, funk", SOUL, MINOR_SOUL),
    _genre("jazz hip hop, jazz rap, jazzhop, jazz hop", (82, 96), True, "minor", "lo-fi, jazz", SWING, MINOR_SWING),
    _genre("lo-fi, lo-fi hip hop, lo-fi beats, lo-fi chill, chillhop, study beats", (66, 90), True, "major", "lo-fi", SOUL, MINOR_SOUL),
    _genre("trap, trap beat, trap music, trap soul, cloud rap, latin trap", (130, 160), True, "minor", "lo-fi, electronic", (), TRAP),
    _genre("drill, uk drill, ny drill, drill beat", (138, 146), True, "minor", "lo-fi, electronic", (), TRAP),
    _genre("phonk, drift phonk", (120, 150), True, "minor", "electronic", (), PHRYGIAN + TRAP),
    _genre("grime", (138, 142), True, "minor", "electronic", (), TRAP),
    _genre("g-funk, g funk", (88, 100), True, "minor", "funk", GROOVE, MINOR_GROOVE),
    _genre("trip hop, triphop", (74, 98), True, "minor", "lo-fi", SOUL, VAMP),
    _genre("crunk, miami bass", (72, 84), True, "minor", "electronic", (), TRAP),
    # electronic
    _genre("house, house music, chicago house, french house, piano house, garage house, jackin house", (118, 128), True, "minor", "electronic, disco", BRIGHT_VAMP, VAMP),
    _genre("deep house, organic house, melodic house, afro house, soulful house", (118, 124), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    _genre("tech house, progressive house, electro house, big room, bass house", (124, 130), True, "minor", "electronic", BRIGHT_VAMP, VAMP + DANCE),
    _genre("tropical house", (100, 116), True, "major", "tropical", POP, DANCE),
    _genre("acid house, acid, acid techno", (120, 132), True, "minor", "electronic", ONE_CHORD, MINOR_DRONE),
    _genre("techno, detroit techno, berlin techno, minimal techno, hard techno, industrial techno", (125, 142), True, "minor", "electronic", ONE_CHORD, ("i", "i", "i VI", "i bII")),
    _genre("dub techno", (115, 126), True, "minor", "electronic", ONE_CHORD, ("i7", "i7 iv7")),
    _genre("trance, uplifting trance, vocal trance, progressive trance", (132, 142), True, "minor", "electronic", POP, DANCE),
    _genre("psytrance, goa, goa trance, psychedelic trance", (138, 148), True, "minor", "electronic", ONE_CHORD, ("i", "i bII")),
    _genre("hardstyle, happy hardcore, hardcore techno, gabber, gabba, speedcore", (150, 185), True, "minor", "electronic", POP, DANCE),
    _genre("drum and bass, d and b, liquid drum and bass, neurofunk, jump up, liquid funk", (168, 178), True, "minor", "electronic", BRIGHT_VAMP, VAMP + DANCE),
    _genre("jungle, breakcore, jungle music, ragga jungle, jungle breakbeat, jungle break", (160, 172), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    _genre("breakbeat, big beat", (124, 140), True, "minor", "electronic, funk", GROOVE, MINOR_GROOVE),
    _genre("dubstep, brostep, riddim, bass music", (138, 144), True, "minor", "electronic", (), HEAVY + TRAP),
    _genre("future bass, future garage, kawaii bass", (140, 160), True, "major", "electronic", ("IVmaj7 V iii7 vi7", "IV V vi I"), DANCE),
    _genre("uk garage, 2 step, 2 step garage, speed garage, ukg", (128, 136), True, "minor", "electronic", SOUL, VAMP),
    _genre("electro, electroclash, ebm, electro funk", (116, 130), True, "minor", "electronic", GROOVE, DANCE),
    _genre("electronic, electronic music, edm, electronic dance music, festival edm", (118, 132), True, "minor", "electronic", POP, DANCE),
    _genre("dance music, dance song, dance track, dance beat, club music, eurodance, dance pop, eurobeat", (118, 134), True, "minor", "electronic, disco", POP, DANCE),
    _genre("idm, glitch, glitch hop, braindance", (90, 130), True, "minor", "electronic", AMBIENT, MINOR_AMBIENT),
    _genre("synthwave, retrowave, outrun, darksynth, chillwave", (84, 116), True, "minor", "electronic", POP, DANCE),
    _genre("chiptune, 8 bit, 8 bit music, chip music, 16 bit, nintendo music, game boy music, arcade music", (120, 160), True, "major", "electronic", POP + ("I bVI bVII I",), DANCE),
    _genre("downtempo, chillout", (74, 104), True, "minor", "lo-fi, ambient", SOUL, MINOR_SOUL),
    _genre("hyperpop, bubblegum bass, nightcore", (140, 170), True, "major", "electronic, pop", POP, DANCE),
    _genre("industrial, industrial metal, industrial rock", (100, 132), True, "minor", "rock, electronic", (), HEAVY),
    _genre("amapiano, gqom, kwaito", (108, 115), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    # disco, funk, soul
    _genre("disco, nu-disco, italo disco, space disco", (110, 128), True, "minor", "disco", SOUL, ("i7 iv7 VII7 IIImaj7", "i7 IV7", "VImaj7 VII i7 i7")),
    _genre("funk, funky, p-funk, go-go, funk band", (94, 116), True, "minor", "funk", GROOVE, MINOR_GROOVE),
    _genre("soul, soul music, motown, philly soul", (90, 126), True, "major", "funk, gospel", SOUL, MINOR_SOUL),
    _genre("neo-soul, neo soul, nu soul", (70, 95), True, "minor", "lo-fi, funk", SOUL, MINOR_SOUL),
    _genre("r and b, rhythm and blues, contemporary r and b", (66, 98), True, "minor", "lo-fi, funk", SOUL, MINOR_SOUL),
    _genre("gospel, gospel choir, black gospel, worship, praise and worship, ccm", (70, 112), None, "major", "gospel", ("I IV I V", "I I7 IV iv", "IV V iii vi", "I vi ii V"), MINOR_SOUL),
    _genre("afrobeats, afro pop, afropop, afroswing, azonto", (98, 115), True, "major", "tropical", ("I V vi IV", "IV V I vi", "I IV"), MINOR_POP),
    _genre("highlife, palm wine", (104, 132), True, "major", "tropical, funk", ("I IV V IV", "I IV I V", "I IV V V"), ()),
    _genre("afrobeat, afro funk, juju", (104, 128), True, "minor", "funk, tropical", ("I IV V IV", "I IV"), MINOR_GROOVE),
    # rock
    _genre("rock, rock band, classic rock, soft rock, arena rock, garage rock, glam rock, rock song", (100, 144), True, "major", "rock", ROCK, MINOR_ROCK),
    _genre("hard rock, stadium rock, hair metal", (108, 150), True, "minor", "rock", ROCK, ("i VII VI VII", "i III IV i", "i VI VII i")),
    _genre("rock and roll, rockabilly, psychobilly, jump blues, jive", (144, 190), True, "major", "rock, blues", BLUES, MINOR_BLUES),
    _genre("punk, punk rock, hardcore punk, oi, ramones, skate punk", (150, 200), True, "major", "rock", THREE_CHORDS + ("I V vi IV",), MINOR_ROCK),
    _genre("pop punk, emo, midwest emo, easycore", (145, 188), True, "major", "rock", POP, MINOR_POP),
    _genre("metal, heavy metal, metal band, gothic metal, metalcore", (116, 176), True, "minor", "rock", ROCK, HEAVY),
    _genre("thrash, thrash metal, death metal, black metal, grindcore, speed metal, deathcore, blackened death metal", (160, 210), True, "minor", "rock", ROCK, HEAVY),
    _genre("doom metal, doom, slow metal, sludge, stoner metal, drone metal, funeral doom", (50, 74), True, "minor", "rock", ROCK, ("i bII", "i bv bII i", "i VI bII i")),
    _genre("power metal, symphonic metal, folk metal", (140, 180), True, "minor", "rock", ROCK, EPIC),
    _genre("nu metal, rap metal, djent, groove metal", (90, 120), True, "minor", "rock", ROCK, ("i bII", "i bII III bII", "i VI")),
    _genre("grunge, alternative rock, alt rock", (98, 132), True, "minor", "rock", ("I III IV iv", "I bIII IV I", "I IV bIII bVI"), ("i III VI VII", "i VI III VII")),
    _genre("indie rock, indie, britpop, college rock, math rock", (108, 144), True, "major", "rock", ROCK + POP, MINOR_ROCK),
    _genre("shoegaze, dream pop, slowcore", (84, 120), True, "major", "rock, ambient", ("Imaj7 IVmaj7", "I iii IV IV", "IVmaj7 I V vi"), MINOR_AMBIENT),
    _genre("post-rock, post rock, cinematic rock", (76, 120), True, "major", "rock, cinematic", ("I vi iii IV", "IV I vi V"), ("i VI III VII", "i III VI VI")),
    _genre("progressive rock, prog rock, prog, prog metal, progressive metal, art rock", (90, 150), True, "minor", "rock", MIXOLYDIAN, DORIAN + ("i VI VII iv",)),
    _genre("psychedelic rock, psychedelic, acid rock, space rock, krautrock, raga rock", (88, 126), True, "major", "rock", MIXOLYDIAN, DORIAN),
    _genre("surf rock, surf, surf guitar", (140, 176), True, "minor", "rock", ("I vi IV V", "I IV V I"), ANDALUSIAN),
    _genre("southern rock, heartland rock, country rock, roots rock, swamp rock", (96, 132), True, "major", "rock, country", ("I bVII IV I", "I IV V I", "I bVII I IV"), MINOR_ROCK),
    _genre("stoner rock, desert rock", (84, 116), True, "minor", "rock", BLUES, ("i bIII IV i", "i VII i bII")),
    _genre("blues rock", (88, 132), True, "major", "blues, rock", BLUES, MINOR_BLUES),
    _genre("folk rock, indie folk, americana, stomp and holler", (90, 128), True, "major", "folk, rock", FOLK, MINOR_FOLK),
    _genre("new wave, post-punk, post punk, no wave, goth rock, gothic rock, darkwave, coldwave", (118, 152), True, "minor", "rock, electronic", POP, ("i VI", "i VII VI VII", "i iv VI VII")),
    _genre("ska, ska punk, two tone", (130, 172), True, "major", "reggae", THREE_CHORDS + ("I vi IV V",), MINOR_REGGAE),
    # pop
    _genre("pop, pop song, pop music, teen pop, power pop, country pop", (96, 128), True, "major", "pop", POP, MINOR_POP),
    _genre("synth-pop, synthpop, electropop, 80s pop", (106, 128), True, "minor", "electronic, pop", POP, DANCE),
    _genre("indie pop, bedroom pop, jangle pop, twee", (92, 130), True, "major", "pop", POP, MINOR_POP),
    _genre("k-pop, mandopop, cantopop", (100, 132), True, "minor", "pop, electronic", POP + JPOP, MINOR_POP),
    _genre("j-pop, anime, anime opening, j-rock, vocaloid, visual kei", (132, 176), True, "major", "pop, rock", JPOP, ("VI VII v i", "i VI VII III")),
    _genre("city pop", (100, 118), True, "major", "disco, pop", CITY_POP, MINOR_SOUL),
    _genre("ballad, pop ballad, love song, piano ballad", (60, 78), None, "major", "ballad", POP, MINOR_POP),
    _genre("power ballad, rock ballad, metal ballad", (64, 80), True, "major", "ballad, rock", POP, MINOR_POP),
    _genre("doo-wop, doo wop, 50s ballad, fifties ballad, 1950s pop", (70, 118), True, "major", "ballad, pop", DOO_WOP, MINOR_POP),
    _genre("schlager, oompah, volksmusik, beer hall", (116, 136), True, "major", "march, pop", THREE_CHORDS, MINOR_WALTZ),
    _genre("country, country music, country song, nashville, outlaw country, western swing, cowboy song", (94, 132), True, "major", "country", COUNTRY, MINOR_FOLK),
    _genre("bluegrass, old time, old time music, appalachian, hoedown", (120, 160), False, "major", "country, folk", COUNTRY, ("i VII i i", "i VII III VII")),
    _genre("honky tonk, boogie country, truck driving country", (110, 148), True, "major", "country", THREE_CHORDS, MINOR_FOLK),
    _genre("country waltz", (84, 116), True, "major", "", WALTZ, MINOR_WALTZ, "3/4"),
    # blues
    _genre("blues, 12 bar blues, chicago blues, electric blues, texas blues, blues shuffle, texas shuffle", (84, 126), True, "major", "blues", BLUES, MINOR_BLUES),
    _genre("minor blues", (70, 116), True, "minor", "", BLUES, MINOR_BLUES),
    _genre("slow blues", (54, 72), True, "major", "", BLUES, MINOR_BLUES),
    _genre("delta blues, acoustic blues, country blues, piedmont blues", (74, 112), False, "major", "blues", BLUES, MINOR_BLUES),
    _genre("boogie woogie, boogie", (140, 184), None, "major", "blues", BLUES, MINOR_BLUES),
    # folk and the world's music
    _genre("folk, folk music, folk song, singer-songwriter, campfire song, fingerpicking, acoustic folk", (84, 124), False, "major", "folk", FOLK, MINOR_FOLK),
    _genre("celtic, irish, irish folk, scottish, gaelic, celtic folk", (90, 124), None, "major", "folk", CELTIC, MINOR_CELTIC),
    _genre("jig, irish jig, double jig, gigue", (240, 300), None, "major", "", CELTIC, MINOR_CELTIC, "6/8"),
    _genre("reel, irish reel, hornpipe", (180, 224), None, "major", "folk", CELTIC, MINOR_CELTIC),
    _genre("sea shanty, shanty, drinking song", (92, 124), None, "major", "folk", CELTIC, ("i VII i VII", "i i VII VII")),
    _genre("medieval, renaissance, tavern music, troubadour, minstrel, madrigal, estampie", (84, 120), None, "minor", "folk, baroque", PASSAMEZZO, MINOR_PASSAMEZZO),
    _genre("waltz, valse, vals, walzer, valzer", (116, 172), None, "major", "", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("viennese waltz, vienna waltz, fast waltz", (164, 184), None, "major", "", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("slow waltz, english waltz, gentle waltz, calm waltz", (82, 98), None, "major", "", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("musette, java, parisian waltz, french cafe", (130, 178), None, "minor", "musette", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("mazurka, polonaise, landler, redowa", (110, 144), False, "major", "classical, musette", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("minuet, menuet, sarabande, menuetto", (92, 128), False, "major", "baroque, classical", CLASSICAL, MINOR_CLASSICAL, "3/4"),
    _genre("polka, schottische, can can", (108, 132), True, "major", "march, musette", THREE_CHORDS, MINOR_WALTZ, "2/4"),
    _genre("tango, tango nuevo, argentine tango", (112, 132), False, "minor", "musette", ("I V7 V7 I", "I II7 V7 I"), TANGO),
    _genre("flamenco, rumba flamenca, spanish guitar music, paso doble, gypsy kings", (96, 132), False, "minor", "latin, folk", MAJOR_ANDALUSIAN, ANDALUSIAN),
    _genre("fado", (68, 92), False, "minor", "folk", WALTZ, ("i V7 V7 i", "i iv V7 i")),
    _genre("klezmer, freylekhs, hora", (112, 160), None, "minor", "folk, musette", FREYGISCH, ("i iv V7 i", "i i V7 i", "i VII i V7")),
    _genre("balkan, balkan brass, romani, gypsy, gypsy brass", (120, 164), True, "minor", "march, folk", FREYGISCH, ("i iv V7 i", "i bII i bII")),
    _genre("raga, khayal, indian classical, hindustani, carnatic, indian classical music", (60, 92), False, "major", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("alap, alaap, dhrupad, raga alap", (50, 66), False, "major", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("bollywood, filmi, desi pop", (94, 124), True, "minor", "latin, pop", POP, MINOR_POP),
    _genre("bhangra, punjabi", (96, 112), True, "minor", "latin", ("I bVII",), ("i VII", "i i VII i")),
    _genre("qawwali, sufi", (84, 116), True, "minor", "latin", ONE_CHORD, ("i VII", "i")),
    _genre("arabic, arabian, middle eastern, maqam, turkish, persian, belly dance", (84, 120), True, "minor", "latin", FREYGISCH, PHRYGIAN),
    _genre("gamelan, balinese, javanese", (70, 120), False, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("chinese, chinese folk, japanese, japanese folk, enka, oriental, asian", (68, 100), False, "major", "folk, ambient", ("I vi", "I ii I V", "I IV"), ("i VII", "i VI")),
    _genre("mongolian, throat singing, tuvan", (80, 110), None, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("african, african drumming, mbira music, soukous, mbalax, griot", (100, 130), True, "major", "tropical", ("I IV V IV", "I IV"), ("i VII",)),
    _genre("hawaiian, luau, exotica, tiki", (84, 116), False, "major", "tropical", ("I I7 IV I", "I VI7 II7 V7"), MINOR_FOLK),
    # latin and the Caribbean
    _genre("latin, latin pop, latin music", (92, 128), True, None, "latin", MONTUNO, MINOR_MONTUNO),
    _genre("salsa, mambo, montuno, son montuno, timba, guaracha", (160, 208), True, "minor", "latin", MONTUNO, MINOR_MONTUNO),
    _genre("son cubano, buena vista, cuban son, danzon, guajira", (96, 132), True, "minor", "latin", MONTUNO, MINOR_MONTUNO),
    _genre("cha cha, cha cha cha, boogaloo", (110, 128), True, "minor", "latin", MONTUNO, ("i7 IV7", "i iv V7 iv")),
    _genre("rumba, cuban", (96, 120), True, "minor", "latin", MONTUNO, MINOR_MONTUNO),
    _genre("bolero, bolero latino", (76, 104), None, "minor", "latin, ballad", ("I vi ii V7", "ii7 V7 Imaj7 vi7"), TANGO),
    _genre("merengue, perico ripiao", (130, 160), True, "major", "latin", ("I V7 V7 I", "I IV V7 I"), ("i V7 V7 i",)),
    _genre("bachata", (120, 136), True, "minor", "latin", ("I V vi IV", "vi IV I V"), ("i VII VI V", "iv VII III VI")),
    _genre("cumbia, vallenato", (88, 104), True, "minor", "latin", ("I V7", "I IV V7 I"), ("i V7", "i VII VI V7")),
    _genre("reggaeton, dembow, perreo", (86, 100), True, "minor", "latin, reggae", POP, ("i VI III VII", "VI VII i i", "iv VI i VII")),
    _genre("moombahton", (105, 112), True, "minor", "latin, electronic", (), DANCE),
    _genre("samba, batucada, pagode, samba reggae", (92, 112), True, "major", "bossa nova, latin", ("Imaj7 VI7 ii7 V7", "I VI7 ii V7"), MINOR_SWING, "2/4"),
    _genre("baile funk, funk carioca, brazilian funk", (126, 136), True, "minor", "latin, electronic", (), ("i", "i VII")),
    _genre("forro, baiao, xote, mpb", (90, 118), None, "major", "bossa nova, musette", MIXOLYDIAN, MINOR_SWING),
    _genre("mariachi, ranchera, norteno, tejano, corrido, banda", (104, 140), None, "major", "latin, musette", ("I V7 V7 I", "I IV V7 I"), TANGO),
    _genre("andean, peruvian, huayno, pan pipe music", (84, 112), None, "minor", "folk", FOLK, ("i III VII i", "VI III i i")),
    _genre("reggae, roots reggae, lovers rock, reggae band", (68, 92), True, "major", "reggae", REGGAE, MINOR_REGGAE),
    _genre("dub, dub reggae, steppers", (64, 82), True, "minor", "reggae", REGGAE, MINOR_REGGAE),
    _genre("dancehall, ragga, bashment", (88, 106), True, "minor", "reggae, electronic", REGGAE, MINOR_REGGAE),
    _genre("soca, carnival", (108, 144), True, "major", "tropical", THREE_CHORDS, ("i VII", "i iv V7 i")),
    _genre("tropical, caribbean, island, beach", (94, 126), True, "major", "tropical", ("I IV V IV", "I V vi IV", "I IV"), MINOR_POP),
    _genre("gnawa, gnaoua, desert blues, tishoumaren, tuareg", (88, 120), True, "minor", "latin, folk", ONE_CHORD, ("i", "i VII")),
    _genre("rai, algerian rai, chaabi, shaabi, dabke, mahraganat", (94, 116), True, "minor", "latin, electronic", FREYGISCH, ("i VII VI V", "i iv", "i bII i VII")),
    _genre("ethio-jazz, ethio jazz, ethiopian jazz, ethiopian, tizita", (88, 120), True, "minor", "jazz, funk", ("I IV", "I bVII"), ("i7 iv7", "i VI", "i i iv i")),
    _genre("kizomba, tarraxo, ghetto zouk, semba", (84, 100), True, "minor", "latin, tropical", POP, MINOR_POP),
    _genre("morna, coladeira", (76, 104), None, "minor", "latin, folk", CHORO, MINOR_CHORO),
    _genre("mbaqanga, makossa, benga, chimurenga, bikutsi, ndombolo, palm wine music, funana, kuduro, taarab", (104, 138), True, "major", "tropical", ("I IV V IV", "I IV I V"), ("i VII",)),
    _genre("chacarera, cueca, marinera", (240, 300), True, "minor", "latin, folk", ("I V7 V7 I", "I IV V7 I"), ("i VII III V7", "i iv V7 i", "i V7 V7 i"), "6/8"),
    _genre("pasillo, bambuco, vals criollo, vals peruano", (104, 140), None, "minor", "latin, musette", WALTZ, ("i V7 V7 i", "i iv V7 i", "i VII III V7"), "3/4"),
    _genre("joropo, llanera, musica llanera, seis por derecho", (150, 200), True, "major", "latin, folk", ("I IV V7 V7", "I I IV V7"), ("i iv V7 V7", "i i iv V7"), "3/4"),
    _genre("huapango, son jarocho, son huasteco, jarabe", (150, 196), None, "major", "latin, folk", ("I IV V7 V7", "I V7 I V7"), ("i iv V7 V7", "i VII VI V7"), "3/4"),
    _genre("chamame, polca paraguaya, guarania", (130, 170), False, "major", "musette, folk", ("I V7 V7 I", "I IV V7 I"), TANGO, "3/4"),
    _genre("plena, bomba, bomba puertorriquena, currulao, porro, champeta", (100, 126), True, "major", "latin", ("I V7 V7 I", "I IV V7 I", "I V7"), MINOR_CUBAN_SONG),
    _genre("candombe, murga, festejo", (100, 128), True, "minor", "latin", ("I V7", "I IV V7 I"), ("i iv V7 i", "i VII VI V7", "i7 iv7")),
    _genre("maracatu, afoxe, axe music, coco de roda, ciranda", (84, 108), True, "major", "latin, tropical", MIXOLYDIAN, ("i VII", "i IV")),
    _genre("frevo, marchinha", (124, 160), True, "major", "march, latin", ("I VI7 ii V7", "I V7 V7 I"), MINOR_CHORO, "2/4"),
    _genre("choro, chorinho, maxixe, brazilian tango", (76, 108), None, "major", "bossa nova, musette", CHORO, MINOR_CHORO, "2/4"),
    _genre("guaguanco, yambu, rumba guaguanco, rumba cubana", (96, 124), True, "minor", "latin", CUBAN_SONG, MINOR_CUBAN_SONG),
    _genre("mento, biguine, beguine, gwo ka", (96, 132), True, "major", "tropical, latin", ("I IV V7 I", "I V7 V7 I"), MINOR_CUBAN_SONG),
    # dances and songs of Europe and its neighbours
    _genre("cajun, cajun two-step, cajun two step, fais do-do", (112, 144), None, "major", "country, folk", ("I I V7 I", "I V7 V7 I", "I IV V7 I"), MINOR_FOLK),
    _genre("cajun waltz", (100, 140), None, "major", "", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("zydeco, swamp pop", (120, 156), True, "major", "blues, country", ("I I IV I", "I IV I V7", *BLUES), MINOR_BLUES),
    _genre("sirtaki, zorba, hasapiko, rebetiko, rembetika, greek folk, greek music, bouzouki music", (96, 144), None, "minor", "folk, musette", ("I V7 V7 I", "I IV V7 I"), ("i iv V7 i", "i V7 V7 i", "i bII i bII")),
    _genre("tarantella, saltarello, pizzica, tammurriata", (250, 300), None, "minor", "folk, musette", ("I V7 V7 I", "I IV V7 I"), ("i iv V7 i", "i V7 V7 i", "i i V7 i"), "6/8"),
    _genre("siciliana, siciliano, barcarolle, forlane, pastorale", (120, 170), False, "minor", "classical, baroque", CLASSICAL, MINOR_CLASSICAL, "6/8"),
    _genre("slip jig, hop jig", (100, 140), None, "major", "folk", CELTIC, MINOR_CELTIC, "9/8"),
    _genre("springar, springleik, polska, hambo, scandinavian folk, nordic folk", (104, 140), False, "major", "folk", ("I IV V I", "I V I V", "I II I V"), ("i iv V i", "i VII i V"), "3/4"),
    _genre("strathspey, scottish country dance, ceilidh", (108, 132), None, "major", "folk", CELTIC, MINOR_CELTIC),
    _genre("buleria, solea, soleares, siguiriya, seguiriya, cante jondo, tangos flamencos, tientos", (88, 132), False, "minor", "latin, folk", MAJOR_PHRYGIAN, ("i bII i bII", "iv III bII i", "i bII III bII")),
    _genre("sevillanas, fandango, jota, malaguena", (120, 170), None, "minor", "latin, folk", ("I V7 V7 I", "I IV V7 I"), ANDALUSIAN, "3/4"),
    _genre("czardas, csardas, verbunkos, kolo, horo", (112, 160), None, "minor", "folk, musette", ("I V7 V7 I", "I IV V7 I"), ("i iv V7 i", "i V7 V7 i")),
    _genre("pavane, pavan, allemande, basse danse, passamezzo", (58, 80), False, "minor", "baroque, classical", PASSAMEZZO, MINOR_PASSAMEZZO),
    _genre("galliard, courante, chaconne, ciaccona", (96, 132), False, "minor", "baroque, classical", PASSAMEZZO, MINOR_PASSAMEZZO, "3/4"),
    _genre("taqsim, taksim, dastgah, radif, persian classical, santur improvisation, santoor improvisation, oud improvisation, ney improvisation, qanun improvisation, "
           "kamancheh improvisation, setar improvisation, duduk improvisation, santur solo, oud solo, ney solo, qanun solo, duduk solo", (56, 84), False, "minor", "ambient, folk", ONE_CHORD, ("i", "i bII", "i VII")),
    _genre("bhajan, kirtan, ghazal, thumri, sitar improvisation, bansuri improvisation, sarod improvisation", (66, 100), None, "major", "ambient, folk", ONE_CHORD, ("i", "i VII")),
    _genre("gagaku, pansori, sanjo, guqin music, kecak", (50, 76), False, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("dangdut, kroncong, keroncong, luk thung, molam", (84, 124), True, "minor", "latin, pop", POP, MINOR_POP),
    # more of the studio and the stage
    _genre("footwork, juke, chicago juke, ghetto house, ghettotech", (154, 164), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    _genre("jersey club, baltimore club, broken beat, nu jazz, microhouse", (118, 140), True, "minor", "electronic, jazz", BRIGHT_VAMP, VAMP),
    _genre("berlin school, kosmische, kosmische musik, sequencer music", (96, 130), False, "minor", "ambient, electronic", ("I", "I bVII"), ("i", "i VI", "i VII")),
    _genre("vaporwave, vapourwave, mallsoft, slushwave, signalwave", (60, 90), True, "major", "lo-fi, ambient", ("Imaj7 IVmaj7", "IVmaj7 iii7 ii7 Imaj7", "ii7 V7 Imaj7 vi7"), MINOR_SOUL),
    _genre("witch house, hardwave, wave music", (60, 76), True, "minor", "electronic, ambient", (), ("i VI", "i bII", "i VI iv i")),
    _genre("screamo, skramz, post hardcore, mathcore, noise rock", (130, 184), True, "minor", "rock", ROCK, ("i VI III VII", "i VI iv VII", "i bII i VII")),
    _genre("celtic punk, folk punk, gypsy punk, cowpunk, horror punk, riot grrrl", (140, 190), True, "major", "rock, folk", THREE_CHORDS, MINOR_ROCK),
    _genre("skiffle, merseybeat", (120, 164), True, "major", "rock, country", THREE_CHORDS, MINOR_ROCK),
    _genre("yacht rock, aor, sophisti-pop, westcoast aor", (88, 116), True, "major", "pop, disco", CITY_POP + SOUL, MINOR_SOUL),
    _genre("chamber pop, baroque pop, freak folk, anti-folk", (84, 124), None, "major", "pop, folk", POP + ("I III IV iv",), MINOR_FOLK),
    _genre("gospel shout, shout music, praise break, ring shout", (150, 196), True, "major", "gospel", ("I7 IV7 I7 V7", "I7 I7 IV7 I7", "I I7 IV iv I V7 I I"), MINOR_BLUES),
    _genre("negro spiritual, african american spiritual, spirituals choir", (66, 96), None, "major", "gospel, hymn", HYMN, MINOR_CLASSICAL),
    _genre("rocksteady", (74, 96), True, "major", "reggae", REGGAE, MINOR_REGGAE),
    _genre("new jack swing", (98, 114), True, "minor", "funk, electronic", SOUL, MINOR_SOUL),
    _genre("northern soul", (116, 140), True, "major", "funk, pop", SOUL, MINOR_SOUL),
    _genre("hi-nrg", (120, 136), True, "minor", "electronic, disco", POP, DANCE),
    _genre("calypso, steel band", (100, 132), True, "major", "tropical", THREE_CHORDS, MINOR_CUBAN_SONG),
    _genre("kompa, zouk, zouk love, cadence lypso", (88, 118), True, "major", "tropical, latin", ("I IV V IV", "I V vi IV", "ii V I I"), MINOR_POP),
    _genre("zamba", (150, 200), None, "minor", "latin, folk", ("I V7 V7 I", "I IV V7 I"), ("i VII III V7", "i iv V7 i"), "6/8"),
    _genre("milonga", (92, 112), False, "minor", "musette, latin", ("I V7 V7 I",), ("i V7 V7 i", "i iv V7 i"), "2/4"),
    # more of Africa and the islands
    _genre("marabi, kwela, isicathamiya, mbube, township jazz", (92, 126), None, "major", "jazz, tropical", ("I IV I V", "I IV V7 I"), ("i iv V7 i",)),
    _genre("congolese rumba, rumba congolaise, rumba lingala, ziglibithy", (100, 126), True, "major", "tropical, latin", ("I IV V IV", "I V IV V", "I IV I V"), MINOR_CUBAN_SONG),
    _genre("coupe decale, zouglou, singeli, ndombolo rapide", (120, 150), True, "major", "electronic, tropical", ("I IV V IV", "I V"), ("i VII",)),
    _genre("hiplife, fuji music, apala, jit music, sungura", (104, 132), True, "major", "tropical", ("I IV V IV", "I IV"), MINOR_GROOVE),
    _genre("wassoulou, mandingue, mande music, manding, kora music", (84, 116), None, "minor", "folk, tropical", ("I IV", "I bVII"), ("i VII", "i VII VI VII", "i IV")),
    _genre("zamrock, afro rock", (104, 132), True, "minor", "rock, funk", MIXOLYDIAN, ("i VII", "i7 IV7", "i VII VI VII")),
    _genre("maloya, sega music, sega tambour", (240, 300), True, "minor", "tropical, folk", ("I IV V7 I", "I V7"), ("i iv V7 i", "i VII"), "6/8"),
    _genre("afro tech, 3 step, three step house", (112, 122), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    # the Near East and the Caucasus
    _genre("andalusi nubah, nuba, malhun, malouf, khaleeji, arab pop, arabesk, arabesque music, bandari, persian pop, turkish pop", (92, 124), True, "minor", "latin, pop", FREYGISCH, ("i VII VI V", "i iv VII III", "i VII i")),
    _genre("mawwal, turkish classical, ottoman classical, mugham, azerbaijani mugham, sufi ney", (54, 84), False, "minor", "ambient, folk", ONE_CHORD, ("i", "i bII", "i VII")),
    _genre("halay, horon, lezginka", (240, 300), True, "minor", "folk, march", FREYGISCH, ("i VII", "i bII i bII", "i V7 i V7"), "6/8"),
    _genre("zeybek, karsilama", (60, 84), True, "minor", "folk", FREYGISCH, ("i VII VI V", "i bII"), "9/8"),
    _genre("georgian polyphony, georgian folk, armenian folk, duduk music", (56, 88), False, "minor", "hymn, folk", ("I bVII I V",), ("i VII i v", "i VII VI VII")),
    # the east and the south of Europe
    _genre("sevdah, sevdalinka, doina", (56, 84), False, "minor", "folk", ("I V7 I",), ("i iv V7 i", "i VII VI V")),
    _genre("manele, turbo folk, chalga, cocek, narodna", (96, 132), True, "minor", "latin, electronic", FREYGISCH, ("i VII VI V", "i bII i bII", "i iv V7 i")),
    _genre("kujawiak, oberek, mazurek", (120, 170), False, "major", "folk, musette", WALTZ, MINOR_WALTZ, "3/4"),
    _genre("krakowiak, kozachok, kozachka, hopak, gopak, trepak, chastushka, kalinka, kamarinskaya", (120, 160), None, "minor", "folk, march", ("I V7 V7 I", "I IV V7 I"), ("i iv V7 i", "i V7 V7 i"), "2/4"),
    _genre("russian romance, romance russe, gypsy romance", (64, 96), False, "minor", "folk, ballad", ("I vi ii V7",), ("i iv V7 i", "i iv VII III iv i V7 i")),
    _genre("chanson, french chanson", (84, 124), None, "minor", "musette, ballad", ("I vi ii V7", "I V7 V7 I"), ("i iv V7 i", "i iv VII III VI iiø7 V7 i")),
    _genre("canzone napoletana, neapolitan song, liscio", (80, 120), False, "minor", "musette, ballad", ("I V7 V7 I", "I IV V7 I"), ("i iv V7 i", "i V7 V7 i")),
    _genre("muineira, muneira, rapa das bestas", (240, 300), None, "major", "folk", ("I V I V", "I IV V I"), MINOR_CELTIC, "6/8"),
    _genre("sardana, habanera", (88, 120), False, "minor", "latin, march", ("I V7 V7 I", "I IV V7 I"), ("i V7 V7 i", "i iv V7 i"), "2/4"),
    _genre("an dro, gwerz, fest noz, breton folk, breton music, morris dance, english country dance", (92, 124), None, "minor", "folk", CELTIC, MINOR_CELTIC),
    _genre("slow air, sean nos, irish lament, joik, yoik, rimur", (50, 76), False, "minor", "folk", ("I V I IV", "I bVII I V"), MINOR_CELTIC),
    _genre("schuhplattler, alpine folk, tyrolean, yodel song", (110, 150), False, "major", "musette, folk", WALTZ, MINOR_WALTZ, "3/4"),
    # dances and songs of the Americas
    _genre("music hall, vaudeville, tin pan alley, jug band, charleston, charleston dance, cabaret, burlesque", (108, 176), None, "major", "jazz", RAGTIME, MINOR_SWING),
    _genre("foxtrot, fox trot, slow foxtrot, ballroom jazz", (108, 132), True, "major", "jazz", SWING, MINOR_SWING),
    _genre("quickstep, quick step", (190, 208), True, "major", "jazz", SWING, MINOR_SWING),
    _genre("countrypolitan, nashville sound, alt country, red dirt", (84, 120), True, "major", "country", COUNTRY, MINOR_FOLK),
    _genre("conjunto, tex mex, norteno polka", (104, 132), None, "major", "musette, march", ("I V7 V7 I", "I IV V7 I"), TANGO, "2/4"),
    _genre("corridos tumbados, trap corrido", (120, 160), False, "minor", "folk, latin", ("I V7 V7 I", "I IV V7 I"), ("i VI III VII", "i iv V7 i")),
    _genre("trova, nueva trova, nueva cancion, tonada", (76, 112), False, "minor", "folk, latin", FOLK, ("i VII VI V", "i iv V7 i", "i VII III VI")),
    _genre("chutney soca, chutney music, rara, gaita zuliana", (112, 150), True, "major", "tropical, latin", THREE_CHORDS, MINOR_CUBAN_SONG),
    _genre("caporales, saya, tinku", (92, 120), True, "minor", "folk, latin", FOLK, ("i III VII i", "VI III VII i")),
    _genre("malambo, lando, tondero", (200, 280), True, "minor", "latin, folk", ("I IV V7 I", "I V7"), ("i iv V7 i", "i VII VI V7"), "6/8"),
    _genre("axe, lambada, carimbo, tecnobrega, brega", (108, 140), True, "minor", "latin, tropical", ("I IV V IV", "I V vi IV"), ("i VII VI V", "i iv VII III", "i VI III VII")),
    _genre("sertanejo, sertanejo universitario, musica sertaneja", (84, 128), True, "major", "country, pop", POP, MINOR_POP),
    _genre("tropicalia, tropicalismo", (92, 124), True, "major", "bossa nova, rock", MIXOLYDIAN, ("i VII", "i7 IV7")),
    # Asia
    _genre("kayokyoku, showa pop, trot music, korean trot", (92, 132), True, "minor", "pop, disco", POP, ("i VI VII i", "i iv V7 i", "i VII VI V")),
    _genre("shibuya kei, shibuya pop", (104, 132), True, "major", "bossa nova, pop", CITY_POP + SOUL, MINOR_SOUL),
    _genre("minyo, japanese minyo, guoyue, jiangnan sizhu, nanguan, beijing opera, peking opera, chinese opera, ca tru, guzheng music", (60, 100), False, "major", "folk, ambient", ("I vi", "I ii I V"), ("i VII", "i VI")),
    _genre("mor lam, lam sing, thai country", (104, 140), True, "minor", "latin, folk", ("I bVII",), ("i VII", "i")),
    _genre("piphat, pinpeat, kulintang, talempong", (76, 120), True, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("opm, original pilipino music, kundiman, harana", (62, 92), None, "minor", "ballad, pop", POP, ("i iv V7 i", "i VI III VII")),
    _genre("baul, baul music, lavani, garba, dandiya, raas", (96, 136), True, "minor", "latin, folk", ("I bVII",), ("i VII", "i VII VI VII", "i iv")),
    _genre("khyal, tarana, carnatic kriti, kriti", (60, 96), None, "major", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("tibetan chant, shomyo, long song, urtiin duu", (50, 66), False, "minor", "ambient, hymn", ONE_CHORD, MINOR_DRONE),
    # the Pacific and the first peoples
    _genre("hula, slack key, hapa haole, hawaiian steel guitar music", (76, 108), False, "major", "tropical, folk", ("I I7 IV I", "I V7 V7 I", "I VI7 II7 V7"), MINOR_FOLK),
    _genre("powwow, pow wow, haka, corroboree, didgeridoo music, taiko music", (84, 140), True, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    # more of the old
    _genre("ars nova, ars antiqua, renaissance polyphony, renaissance choir", (60, 92), False, "minor", "hymn, baroque", ("I IV I V", "I bVII IV I"), MINOR_PASSAMEZZO),
    _genre("passepied", (150, 200), False, "major", "baroque, classical", CLASSICAL, MINOR_CLASSICAL, "3/4"),
    _genre("schubert lied, german lied, romantic lied", (60, 96), False, "minor", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("ravel bolero, bolero ravel, ravel s bolero", (66, 76), True, "major", "classical, march", ("I I I V",), ("i i i V",), "3/4"),
    _genre("national anthem, patriotic anthem", (76, 108), None, "major", "hymn, march", CLASSICAL, MINOR_CLASSICAL),
    _genre("musical theatre, musical theater, showtune, show tune, broadway", (92, 132), None, "major", "pop, jazz", ("I vi ii V7", "I V vi IV", "I VI7 ii V7"), MINOR_SWING),
    # more of the studio and the garage
    _genre("dungeon synth, winter synth", (60, 92), False, "minor", "ambient, cinematic", ("I bVII IV I",), ("i VII VI VII", "i VI III VII", "i v VI VII")),
    _genre("uk bassline, bassline house, uk funky, breakbeat hardcore, 4x4 garage", (128, 142), True, "minor", "electronic", BRIGHT_VAMP, VAMP),
    _genre("lo-fi house, outsider house", (116, 126), True, "minor", "electronic, lo-fi", BRIGHT_VAMP, VAMP),
    _genre("future funk, french touch, filter house", (116, 128), True, "major", "disco, electronic", CITY_POP + SOUL, MINOR_SOUL),
    _genre("new beat, belgian new beat", (100, 116), True, "minor", "electronic", ONE_CHORD, VAMP),
    _genre("seapunk, mallwave", (110, 130), True, "major", "electronic, lo-fi", BRIGHT_VAMP, DANCE),
    _genre("hyphy, horrorcore, memphis rap, bounce music, new orleans bounce", (88, 104), True, "minor", "electronic, lo-fi", (), TRAP),
    _genre("chopped and screwed, chopped n screwed, slowed and reverb", (58, 72), True, "minor", "lo-fi, electronic", SOUL, TRAP),
    _genre("plugg, pluggnb, rage beat, rage rap, jerk rap", (136, 164), True, "minor", "lo-fi, electronic", ("IVmaj7 iii7 vi7 V",), ("VImaj7 v7 i7", "i VI", "i7 VImaj7")),
    _genre("d beat, crust punk, powerviolence, street punk, anarcho punk", (170, 220), True, "minor", "rock", THREE_CHORDS, ("i VI VII i", "i bII i VII", "i III VII VI")),
    _genre("nwobhm, glam metal, viking metal, pirate metal", (120, 176), True, "minor", "rock", ROCK, EPIC + ("i VI VII i",)),
    _genre("madchester, baggy beat, acid rock dance", (100, 116), True, "minor", "rock, funk", ROCK, MINOR_GROOVE),
    _genre("neofolk, dark folk, sadcore", (66, 100), False, "minor", "folk, ambient", FOLK, MINOR_FOLK),
    _genre("quiet storm, slow jam", (62, 82), True, "major", "lo-fi, funk", SOUL, MINOR_SOUL),
    _genre("jam band, jam rock", (96, 132), True, "major", "rock, funk", MIXOLYDIAN, DORIAN),
    _genre("bubblegum pop, brill building, wall of sound pop, merseybeat pop, europop, space age pop", (108, 136), True, "major", "pop", ("I IV V V", "I vi IV V", "I V vi IV"), MINOR_POP),
    _genre("80s boogie, electro boogie, boogie funk, post disco", (104, 118), True, "minor", "disco, funk", SOUL, ("i7 iv7", "i7 IV7", "VImaj7 VII i7 i7")),
    # classical
    _genre("classical, classical music, viennese classical, sonata, sonatina, symphony, symphonic, orchestral, concerto, overture, orchestra, chamber orchestra",
           (76, 132), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("chamber music, string quartet, string trio, string quintet, piano trio, piano quintet, wind quintet, woodwind quintet, brass quintet, clarinet quintet, string ensemble, string orchestra",
           (72, 126), False, "major", "", CLASSICAL, MINOR_CLASSICAL),
    _genre("baroque, fugue, toccata, partita, suite, cello suite, lute suite, harpsichord suite, gavotte, bourree, canon, passacaglia", (76, 126), False, "major", "baroque", CLASSICAL, MINOR_CLASSICAL),
    _genre("nocturne, romantic era, chopin, impromptu, rhapsody, intermezzo", (58, 84), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("impressionist, impressionism, debussy, gymnopedie, satie", (58, 84), False, "major", "classical, ambient", ("Imaj7 IVmaj7", "Imaj7 bVIImaj7", "I II"), ("i7 IV7", "i7 VImaj7")),
    _genre("etude, prelude", (76, 132), False, None, "classical, baroque", CLASSICAL, MINOR_CLASSICAL),
    _genre("minimalism, philip glass, steve reich, neoclassical, modern classical, contemporary classical", (76, 132), False, "minor", "classical, ambient", ("I vi IV I", "I iii vi IV"), ("i VI III VII", "i III iv VI")),
    _genre("hymn, chorale, church hymn, choral, church music, carol, christmas carol", (68, 100), False, "major", "hymn", HYMN, MINOR_CLASSICAL),
    _genre("a cappella, acappella, a capella, barbershop, barbershop quartet, madrigal choir, vocal ensemble", (68, 108), False, "major", "hymn", ("I VI7 II7 V7", "I IV I V7", "I vi ii V7"), MINOR_CLASSICAL),
    _genre("gregorian chant, gregorian, plainchant, plainsong, chant, monks, byzantine chant, organum, parallel organum", (56, 76), False, "minor", "hymn, ambient", ONE_CHORD, ("i", "i VII")),
    _genre("requiem, funeral, dirge, lament, elegy, adagio for strings", (52, 72), False, "minor", "classical, hymn", HYMN, ("i iv V i", "i VI iv V", "i iv i V")),
    _genre("serialist, serialism, serial music, twelve tone, twelve tone row, atonal, dodecaphonic, expressionist, aleatoric, spectralism, avant-garde", (56, 96), False, "minor", "classical", MAJOR_EERIE, EERIE),
    _genre("lieder, art song, kunstlied, song cycle", (60, 96), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("cantata, oratorio, motet, magnificat, stabat mater", (60, 96), False, "major", "hymn, baroque", CLASSICAL, MINOR_CLASSICAL),
    _genre("serenade, divertimento, rondo, bagatelle, humoresque, capriccio", (76, 132), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("scherzo", (150, 220), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL, "3/4"),
    _genre("opera, aria, operatic, bel canto", (66, 108), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("ballet, pas de deux", (84, 132), False, "major", "classical", CLASSICAL, MINOR_CLASSICAL),
    _genre("march, military march, marching band, fanfare, brass band march, brass band", (104, 124), True, "major", "march", ("I V7 I V7", "I IV V7 I", "I I V7 I"), MINOR_CLASSICAL),
    _genre("circus, circus march, galop, carnival organ", (120, 160), None, "major", "march", ("I V7 V7 I", "I VI7 II7 V7"), MINOR_CLASSICAL),
    _genre("lullaby, berceuse, cradle song, music box lullaby", (60, 80), False, "major", "lullaby", ("I IV V I", "I V I IV", "I vi IV V"), MINOR_WALTZ),
    _genre("children, children song, nursery rhyme, kids song", (96, 124), None, "major", "", THREE_CHORDS, MINOR_FOLK),
    # still and filmed
    _genre("ambient, ambient music, soundscape, space ambient, space music", (56, 82), False, "major", "ambient", AMBIENT, MINOR_AMBIENT),
    _genre("dark ambient", (52, 72), False, "minor", "", MAJOR_EERIE, ("i", "i bII", "i VI")),
    _genre("ambient techno, ambient house", (104, 124), True, "minor", "electronic, ambient", AMBIENT, MINOR_AMBIENT),
    _genre("drone, drone music, drone ambient, noise music", (50, 66), False, "minor", "ambient", ONE_CHORD, MINOR_DRONE),
    _genre("new age, meditation, meditative, healing, spa, yoga, relaxation music, reiki, mindfulness", (54, 74), False, "major", "ambient", AMBIENT, MINOR_AMBIENT),
    _genre("cinematic, film score, film music, soundtrack, movie score, movie soundtrack", (72, 124), None, "minor", "cinematic", ("I V vi IV", "I bVI bVII I", "I iii IV iv"), EPIC),
    _genre("trailer, epic trailer, epic orchestral, trailer music, epic cinematic, battle music, action music", (118, 150), True, "minor", "cinematic", ("I bVI bVII I",), EPIC),
    _genre("horror, horror score, scary music, creepy music, haunted house, suspense, thriller", (58, 88), False, "minor", "cinematic, ambient", MAJOR_EERIE, EERIE),
    _genre("spaghetti western, western film, western score, wild west", (92, 124), None, "minor", "cinematic, country", ("I bVII IV I",), ("i VII VI VII", "i III VII i", "i VII i V")),
    _genre("fantasy, fantasy score, rpg music, adventure score, pirate music", (84, 128), None, "major", "cinematic, folk", ("I bVII IV I", "I II IV I", "I v IV I"), ("i VII VI VII", "i VI III VII")),
    _genre("video game, video game music, game music, boss battle", (112, 156), True, "minor", "electronic, cinematic", POP + ("I bVI bVII I",), DANCE),
    _genre("corporate, advertising music, ukulele jingle, jingle", (104, 126), True, "major", "pop", POP, MINOR_POP),
    # scales, forms and harmonies: no style
    _genre("classical guitar, spanish guitar, nylon guitar, church organ, pipe organ, harpsichord", (72, 118), False),
    _genre("dorian", mode="minor", minor=DORIAN, major=("ii V", "ii7 V7", "ii I V ii")),
    _genre("phrygian", mode="minor", minor=PHRYGIAN, major=MAJOR_PHRYGIAN),
    _genre("mixolydian", mode="major", major=MIXOLYDIAN),
    _genre("lydian", mode="major", major=LYDIAN),
    _genre("aeolian", mode="minor", minor=("i VII VI VII", "i VI VII i", "i iv v i")),
    _genre("phrygian dominant, freygish, hijaz, double harmonic", mode="major", major=FREYGISCH, minor=PHRYGIAN),
    _genre("one chord, one chord vamp, pedal point, static harmony", major=ONE_CHORD, minor=MINOR_DRONE),
    _genre("two chord, two chord vamp, 2 chord, vamp", major=BRIGHT_VAMP, minor=VAMP),
    _genre("three chord, 3 chord, three chord song", major=THREE_CHORDS, minor=("i iv v i", "i VII VI VII")),
    _genre("jazz chords, seventh chords, jazz harmony, extended chords, ii v i", major=SWING, minor=MINOR_SWING),
    _genre("turnaround", mode="major", major=("I vi ii V", "Imaj7 vi7 ii7 V7"), minor=("i VI ii° V",)),
    _genre("modal", minor=DORIAN, major=MIXOLYDIAN),
    _genre("power chords, heavy riff", minor=("i VII VI VII", "i III VII i"), major=MIXOLYDIAN),
)  # fmt: skip

# What sounds like a style's name and is none.
NO_STYLE = (
    "in latin", "latin text", "latin word", "latin lyric", "latin mass", "latin hymn", "latin prayer", "latin chant", "latin motet", "latin verse", "church latin", "latin for",
    "haunted", "opera house", "in the house", "house band", "light house", "metal pipe", "metal sheet", "metal bar", "rock bottom", "rocking chair",
    "soul mate", "bear trap", "trap door", "garage door", "country side", "folk tale", "in march", "march 1", "blue", "swing set",
    "pop up", "club house", "night club", "trance like", "score of", "jungle book", "island of", "beach house", "trailer park", "carnival mask",
    "fusion food", "prelude to", "final fantasy", "polka dot", "polka dotted", "juke joint", "juke box", "jazz hands", "soul food", "soul train", "daft punk", "rock garden", "rock climbing", "rock solid",
    "salsa dip", "salsa verde", "folk hero", "house plant", "house cat", "house key", "white house", "trap card", "swing door", "swinging door", "metal bridge", "metal gear",
    "march madness", "country road", "garage band", "garage sale", "in the country", "new country", "my country", "country of", "ballet shoe", "opera glasses", "house of cards",
    "beach ball", "jungle gym", "tropical fish", "tropical storm", "island hopping", "suite life", "hotel suite", "fantasy football", "metal detector", "punk haircut",
    "jazz organ", "rock organ", "metal guitar", "funk guitar",
    "house of", "house in the", "in a house", "house concert", "house show", "in my house", "house on", "tree house", "doll house", "house fire", "house party", "full house", "ware house", "house wine", "bring down the house", "my house", "your house", "our house",
    "for the soul", "my soul", "your soul", "our soul", "the soul", "lost soul", "old soul", "poor soul", "soul searching", "soul patch", "soul sister", "soul of the", "heart and soul", "body and soul", "soul crushing", "dark souls", "kindred soul", "human soul", "soul healing", "soul stirring",
    "rock the", "rock me", "rock you", "rock baby", "rocking horse", "rock star", "rock formation", "rock pool", "rock wall", "rock face", "rock salt", "rock paper scissors", "moon rock", "between a rock", "like a rock", "rock candy", "rock slide", "rock in the",
    "metal door", "heavy metal door", "metal gate", "metal fence", "metal roof", "heavy metal gate", "metal surface", "metal box", "metal plate", "metal wall", "metal object", "heavy metal object", "heavy metal poisoning", "metal chain", "metal shop", "sheet metal", "scrap metal", "precious metal", "metal hammer", "metal heart", "liquid metal", "metal chair",
    "pop corn", "pop the", "pop art", "pop quiz", "pop out", "pop goes", "soda pop", "ice pop", "lolli pop", "pop star",
    "jazz up", "jazz it up", "jazz things up", "all that jazz", "funk you", "in a funk", "out of a funk", "mood swing", "swing by", "porch swing", "swing at", "swing state", "full swing", "swing the",
    "mouse trap", "tourist trap", "speed trap", "trap set", "trap kit", "drill sergeant", "fire drill", "drill bit", "power drill", "dentist drill", "drill hole", "concrete jungle", "jungle animal", "jungle adventure", "in the jungle", "through the jungle", "jungle cat", "urban jungle", "jungle temple", "jungle expedition", "welcome to the jungle", "jungle level", "deep jungle",
    "garage full", "parking garage", "in my garage", "country lane", "country club", "country house", "foreign country", "across the country", "country girl", "my folk", "folk lore", "common folk", "old folk", "folk at home",
    "march on", "early march", "late march", "salsa sauce", "salsa and chips", "chips and salsa", "tango down", "punk kid", "acid rain", "stomach acid", "acid reflux",
    "latin teacher", "latin text", "latin lyric", "latin mass", "latin word", "drone strike", "drone footage", "drone shot", "drone delivery", "industrial revolution", "industrial estate", "industrial park", "industrial area", "industrial city", "grime and dirt", "classical architecture", "classical greece", "romantic dinner", "opera glass", "moody blue", "baby blue",
    "prelude to a kiss", "desert island", "treasure island", "island in the", "beach boy", "ambient light", "ambient lighting", "ambient temperature", "ambient noise", "bop it", "reel to reel", "jig saw", "hymn book", "christmas tree", "waltz into", "waltzing matilda", "disco ball", "disco lights", "disco elysium", "surf board", "wind surf", "surf shop", "surf city", "techno phobia", "techno babble", "in a trance", "trance state", "hypnotic trance", "bounce house",
    "lament bass", "lamento bass", "lament progression", "surf the", "dance floor", "for children", "alternative tuning", "swing feel", "swung", "fast paced", "old time radio",
)  # fmt: skip


@cache
def _phrases():
    hidden = [(phrase, None) for phrase in NO_STYLE]
    first = [(genre.name, genre) for genre in GENRES]
    return Phrases([*hidden, *first, *((word, genre) for genre in GENRES for word in genre.words)])


# Between two styles they make them one, "jazz-inspired trap".
_JOINERS = {"influenced", "inspired", "tinged", "infused", "flavored", "flavoured", "style", "styled", "meets", "ish", "type"}


_PLAYERS = re.compile(r"\b([Dd]rums) (and|&) ([Bb]ass)\b")


def _without_players(prompt):
    """Return a prompt with "drums and bass", two players, as "drums , bass": "drum and bass" is a style."""
    return _PLAYERS.sub(lambda match: f"{match[1]} ,{' ' * (len(match[2]) - 1)} {match[3]}", prompt)


def genres_in(prompt):
    """Return a prompt's styles in groups, one for each run of neighbours such as "jazz hip hop": [[(Genre, (start, end)), ...], ...].

    The places are those of the words that name it. A style that is denied ("not rock") is left out.
    """
    words, groups, end = words_of(_without_players(prompt)), [], None
    for found in _phrases().find(words):
        if found.denied:
            continue
        between = words[end : found.first] if end is not None else None
        if between is None or any(word.text not in _JOINERS for word in between):
            groups.append([])
        groups[-1].append((found.value, (words[found.first].start, words[found.last - 1].end)))
        end = found.last
    return groups


def _without(text, places):
    """Return a text with those places (start, end) blank, each with a comma for it."""
    for start, end in places:
        text = text[:start] + "," + " " * (end - start - 1) + text[end:]
    return text


@dataclass(frozen=True)
class Leaning:
    """What the styles of a prompt together lean to, as `Genre` has it; None and empty where they do not say."""

    bpm: tuple | None = None
    meter: str | None = None
    drums: bool | None = None
    mode: str | None = None
    major: tuple = ()
    minor: tuple = ()
    form: forms.Form | None = None  # harmony that it names
    own_mode: str | None = None  # the mode that a form or a scale by name lives in, "phrygian"
    rest: str = ""  # the prompt without its styles' names: "slow" of "slow blues" says nothing more

    def loops(self, mode):
        """Return the loops of a mode, empty where any goes."""
        return self.major if mode == "major" else self.minor

    @classmethod
    def of(cls, prompt):
        """Read a prompt. The style said first comes first; of a pair such as "jazz hip hop" the last gives rhythm and mode, the first the chords.

        A form, a scale or a progression that is named ("dorian", "circle of fifths") comes before the mode and the chords of a style,
        and a blues is a blues whatever stands beside it.
        """
        groups, (form, places) = genres_in(prompt), forms.form_in(prompt)
        rhythm = [genre for group in groups for genre, _ in reversed(group)]
        harmony = [genre for group in groups for genre, _ in group]
        paced = next((genre for genre in rhythm if genre.bpm), None)
        meter = next((genre for genre in rhythm if genre.meter), None)
        if meter and paced is not meter and meter.bpm:
            paced = meter  # a waltz has a waltz's pace, whatever plays it
        # scales and progressions by name before styles, a drone before other styles, these before what is a mood as much
        harmony.sort(key=lambda genre: (genre.bpm is not None, genre.major != ONE_CHORD, genre.name in ("ambient", "new age")))
        loops = form and ((form.major,), (form.minor,)) or _blues_among(harmony, prompt)
        if not loops:
            loops = next(((genre.major, genre.minor) for genre in harmony if genre.major or genre.minor), ((), ()))
        scales = [genre.mode for genre in harmony if genre.bpm is None]
        own_modes = [form.mode, *scales] if form else scales
        modes = own_modes + [genre.mode for genre in sorted(rhythm, key=lambda genre: genre.bpm is not None)]
        return cls(
            bpm=paced and paced.bpm,
            meter=meter and meter.meter,
            drums=next((genre.drums for genre in rhythm if genre.drums is not None), None),
            mode=next(filter(None, modes), None),
            major=loops[0],
            minor=loops[1],
            form=form,
            own_mode=next(filter(None, own_modes), None),
            rest=_without(prompt, [*places, *(place for group in groups for _, place in group)]),
        )


_BLUES = {"blues", "minor blues", "slow blues", "delta blues", "blues rock"}
_JAZZ = {"jazz", "bebop", "cool jazz", "jazz ballad", "jazz waltz", "gypsy jazz"}
_ONE_SOUND = {
    "guitar",
    "harmonica",
    "harp",
    "lick",
    "piano",
    "solo",
    "scale",
    "riff",
    "organ",
    "lead",
    "bend",
}  # "pop with a blues lick"


def _blues_among(genres, prompt):
    """Return (loops in major, in minor) of a blues among genres, None where there is none: a jazz blues beside jazz."""
    names = {genre.name for genre in genres}
    if not names & _BLUES or names & {"one chord", "two chord"}:
        return None
    texts = [word.text for word in words_of(prompt)]
    told = [texts[i + 1 : i + 2] for i, text in enumerate(texts) if text == "blues"]
    if len(names) > 1 and genres[0].name not in _BLUES and told and all(_ONE_SOUND.intersection(after) for after in told):
        return None
    return ((forms.JAZZ_BLUES,), (forms.MINOR_JAZZ_BLUES,)) if names & _JAZZ else (BLUES, MINOR_BLUES)


# ---------------------------------------------------------------------------------------------------- drums or none

_DRUM_WORDS = (
    "drum", "drum kit", "drumkit", "drumming", "drummer", "drum machine", "drum beat", "percussion", "percussive", "beat", "kick", "snare", "hi hat",
    "cymbal", "808", "backbeat", "beatbox", "beatboxing", "four on the floor", "clap", "hand clap", "shaker", "tambourine", "bongo", "conga",
    "cajon", "djembe", "taiko", "tabla", "dhol", "bodhran", "timpani", "rimshot", "breakbeat", "drum break", "brushed drum", "toms", "maraca",
    "clave", "cowbell", "timbale", "cabasa", "guiro", "darbuka", "amen break", "drum fill", "drum loop", "beatless", "drumless", "percussionless", "rhythm section", "drumbeat",
)  # fmt: skip
_NO_DRUM_WORDS = (
    "drum and bass", "steel drum", "tongue drum", "hang drum", "steel tongue drum", "beat per minute", "beat a minute", "beat a bar", "beat in a bar",
    "beat to the bar", "beat per bar", "big beat", "drum and bass beat", "the beatles", "beat generation",
)  # fmt: skip
# Words for all of the drums; that another of them is missing says nothing of the rest.
_ALL_DRUMS = {
    "drum", "drum kit", "drumkit", "drum set", "drumming", "drummer", "drum machine", "drum beat", "drum groove", "drum loop", "drumbeat", "percussion",
    "percussive", "beat", "beatless", "drumless", "percussionless", "rhythm section",
}  # fmt: skip
_ALONE = ("solo", "unaccompanied", "alone", "by itself", "on its own", "duet", "duo")
_JOINED = {"with", "and", "over", "featuring", "plus", "has", "by", "then", "into", "on", "under", "to", "followed", "drum"}


@cache
def _drum_phrases():
    others = [word for name in sorted(drums()) for word in words_for()[name]]
    return Phrases([*((phrase, None) for phrase in _NO_DRUM_WORDS), *((phrase, phrase) for phrase in (*_DRUM_WORDS, *others))])


@cache
def _alone_phrases():
    return Phrases((phrase, phrase) for phrase in _ALONE)


def drum_words(prompt):
    """Return {word for drums: whether it is denied} of what a prompt says of drums; "drum and bass" and "steel drum" say nothing of them."""
    found = _drum_phrases().find(words_of(_without_players(prompt)))
    return {one.value: one.denied or one.value in ("beatless", "drumless", "percussionless") for one in found}


def drums_said(prompt):
    """Return whether a prompt itself asks for drums, or says that there are none; None when it says neither."""
    said = drum_words(prompt)
    return not all(said.values()) if said else None


def plays_alone(prompt):
    """Return whether a prompt is for an instrument alone or for two: "solo harp", "a cello solo", but not "rock with a guitar solo"."""
    words = words_of(prompt)
    for found in _alone_phrases().find(words):
        clause = []
        for word in words[: found.first]:
            clause = [] if word.is_mark else [*clause, word.text]
        before = words[found.first - 1].text if found.first else ""
        if (
            not found.denied
            and (found.value in ("duet", "duo", "alone") or not _JOINED.intersection(clause))
            and before not in ("not", "home", "me")
            and not _over_a_band(words[found.last :])
            and not (
                found.value == "solo" and before == "guitar" and words[max(found.first - 2, 0)].text in ("electric", "lead", "rock")
            )
        ):
            return True
    return False


_BAND = {"band", "groove", "backing", "backbeat", "trio", "quartet", "quintet", "combo", "section", "beat", "rhythm"}


def _over_a_band(words):
    """Return whether a band is named behind a solo: "over a funk groove", "in a jazz trio"."""
    clause = [word.text for word in words[:8]]
    starts = clause[:1] and clause[0] in ("over", "in", "on", "above", "with", "from", "by")
    return bool(starts and (_BAND.intersection(clause) or Leaning.of(" ".join(clause)).drums))


def drums_wanted(prompt):
    """Return whether the music that a prompt means has drums: what it says, else that it is for one alone, else what its style has; or None."""
    said = drums_said(prompt)
    if said is False and not _ALL_DRUMS.intersection(drum_words(prompt)):
        return bool(Leaning.of(prompt).drums)  # "trap, no hi-hats"
    if said is not None:
        return said
    if only_others_play(prompt) or (plays_alone(prompt) and not _rock_solo(prompt) and not _is_percussion(_sounds_asked(prompt))):
        return False
    return Leaning.of(prompt).drums


# Between "only" and what alone plays; "just a touch of strings" says nothing of the rest.
_NO_ADJECTIVES = {
    "touch", "hint", "bit", "little", "few", "like", "of", "for", "in", "enough", "right", "as", "before", "after", "when", "not", "with", "on", "add", "need",
    "chord", "note", "melody",
}  # fmt: skip
_ONLY = {"only", "just", "solely", "purely", "exclusively", "strictly"}
_NOTHING_ELSE = re.compile(
    r"\b(?:nothing (?:else|more)|no (?:instrument|sound)s? (?:except|but|other than|besides|apart from)|(?:no|without)(?: any)? (?:other|more|further) (?:instrument|sound|part|voice)s?|no one else|and that is all)\b"
)


def _sounds_asked(prompt):
    """Return the sounds Found in a prompt, those denied apart."""
    return [found for found in known_phrases().find(words_of(prompt)) if not found.denied]


def _is_percussion(sounds):
    """Return whether any of the sounds Found is percussion without a pitch."""
    return any(unpitched().intersection(found.value) for found in sounds)


def only_others_play(prompt):
    """Return whether a prompt says that nothing but an instrument or a voice plays: "just harp", "organ only", "harp, nothing else"."""
    words, sounds = words_of(prompt), _sounds_asked(prompt)
    if _is_percussion(sounds):
        return False
    if sounds and _NOTHING_ELSE.search(" ".join(prompt.lower().split())):
        return True
    return any(_only_before(words, found.first) or _only_after(words, found.last) for found in sounds)


def _only_before(words, i):
    """Return whether "only" or "nothing but" stands before the sound at `i`, at most three words away."""
    for j in range(i - 1, max(i - 5, -1), -1):
        text, before = words[j].text, words[j - 1].text if j else ""
        if text in _ONLY:
            return before not in ("not", "the", "if")
        if text == "but" and before == "nothing":
            return True
        if words[j].is_mark or text in _NO_ADJECTIVES:
            return False
    return False


def _only_after(words, i):
    """Return whether "only" ends the phrase of the sound before `i`, "organ only", not "organ only in the chorus"."""
    if i >= len(words) or words[i].text not in ("only", "exclusively"):
        return False
    if any(found.first == 0 for found in _phrases().find(words[i + 1 : i + 7])):
        return True  # "guitar-only blues"
    after = [word.text for word in words[i + 1 : i + 3]] + ["", ""]
    is_end = (
        after[0] in ("", "please", "music", "piece", "track", "arrangement", "version", "cover", "recording")
        or words[i + 1].is_mark
    )
    return is_end or after[0].isdigit() or (after[0] in ("in", "at") and after[1] not in ("the", "a", "some"))


def _rock_solo(prompt):
    """Return whether a style that has drums stands before the word "solo" in its clause: "heavy metal guitar solo"."""
    before, solo, after = prompt.lower().partition("solo")
    parts = re.split(r"[,.;:!?\n]", before)
    is_of_player = len(parts) > 1 and parts[-1].strip() and not after.strip().startswith(("piano", "guitar"))  # "rock, guitar solo"
    return bool(solo) and ("backing track" in after or Leaning.of(before if is_of_player else parts[-1]).drums is True)
