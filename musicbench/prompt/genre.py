"""What a style is, and the loops of chords that styles share."""

from dataclasses import dataclass

from musicbench.prompt import forms

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


class InBothModes:
    """What has loops of chords in `major` and in `minor`."""

    def loops(self, mode):
        """Return the loops of a mode, empty where any goes."""
        return self.major if mode == "major" else self.minor


@dataclass(frozen=True)
class Genre(InBothModes):
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


def genre(words, bpm=None, drums=None, mode=None, like="", major=(), minor=(), meter=None):
    """Return a row of a table of styles; `words` and `like` with commas between them."""
    split = [tuple(word.strip() for word in text.split(",") if word.strip()) for text in (words, like)]
    return Genre(split[0], bpm, drums, mode, split[1], major, minor, meter)
