"""Which styles a prompt names, and what they together lean to: tempo, meter, drums or none, mode, harmony."""

import re
from dataclasses import dataclass
from functools import cache

from musicbench.prompt import forms
from musicbench.prompt.genre import BLUES, MINOR_BLUES, ONE_CHORD, InBothModes
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import words_of
from musicbench.prompt.stagegenres import STAGE
from musicbench.prompt.worldgenres import WORLD

GENRES = (*STAGE, *WORLD)

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
def style_phrases():
    hidden = [(phrase, None) for phrase in NO_STYLE]
    first = [(genre.name, genre) for genre in GENRES]
    return Phrases([*hidden, *first, *((word, genre) for genre in GENRES for word in genre.words)])


# Between two styles they make them one, "jazz-inspired trap".
_JOINERS = {"influenced", "inspired", "tinged", "infused", "flavored", "flavoured", "style", "styled", "meets", "ish", "type"}


_PLAYERS = re.compile(r"\b([Dd]rums) (and|&) ([Bb]ass)\b")


def without_players(prompt):
    """Return a prompt with "drums and bass", two players, as "drums , bass": "drum and bass" is a style."""
    return _PLAYERS.sub(lambda match: f"{match[1]} ,{' ' * (len(match[2]) - 1)} {match[3]}", prompt)


def genres_in(prompt):
    """Return a prompt's styles in groups, one for each run of neighbours such as "jazz hip hop": [[(Genre, (start, end)), ...], ...].

    The places are those of the words that name it. A style that is denied ("not rock") is left out.
    """
    words, groups, end = words_of(without_players(prompt)), [], None
    for found in style_phrases().find(words):
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
class Leaning(InBothModes):
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
