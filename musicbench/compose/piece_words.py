"""A composed piece in words: captions of many wordings, true to what its tags say."""

from functools import cache

from musicbench.compose.chains import NOISE_WORDS
from musicbench.compose.instruments import INSTRUMENTS, KITS
from musicbench.compose.styles import MOODS
from musicbench.prompt.genres import GENRES
from musicbench.prompt.sounds import known_phrases, words_of

VOICES = {"choir", "singer", "opera singer", "vocal chops", "robot voice", "throat singing"}
STRINGS, BRASS = {"violin", "viola", "cello", "acoustic bass"}, {"trumpet", "trombone", "french horn", "tuba"}
WINDS = {"flute", "oboe", "clarinet", "bassoon", "english horn"}

# ---------------------------------------------------------------------------------------------------- words for styles and sounds

# What of a genre's words says who plays, or is no style by itself.
_NOT_SAID = set(
    """
    band, trio, quartet, quintet, song, choir, combo, solo, beat, rap, monks, guitar, suite, organ, pipe, ramones, glass, reich, gypsy kings, ensemble, harpsichord, orchestra, concerto, bar, oi, island, beach, healing, spa, reiki, mindfulness, yoga, haunted house, wild west, acid, jump up, brass, vocal, carol, overture, gavotte, prelude, motet, monk, box, mbira, guqin, drumming, cafe, metalcore, sonatina, symphony, sonata, partita, canon, fugue, toccata, kecak
""".replace("\n", " ")
    .strip()
    .split(", ")
)
_BEFORE_A_NOUN = {
    "hymn": "hymn-like",
    "chamber music": "chamber",
    "r and b": "R&B",
    "raga": "raga",
    "march": "marching",
    "waltz": "waltz",
}


@cache
def style_words(name):
    """Return the words for a style that a caption may use, its name first and most often.

    None of the others is a sound's as well.
    """
    words = next((genre.words for genre in GENRES if genre.name == name), (name,))
    others = [word for word in words[1:] if not set(word.split()) & _NOT_SAID and word not in _NOT_SAID]
    others = [word for word in others if not known_phrases().find(words_of(word))]
    return (name, name, name, *others[:5])


def _sound_word(name, rng):
    """Return a word for an instrument: mostly its kind's."""
    one = INSTRUMENTS[name]
    return one.kind if rng.random() < 0.55 else str(rng.choice(one.words or (one.kind,)))


NO_DRUMS = ("no drums", "no drums", "without drums", "drumless", "no drums or percussion", "no drums at all")

ONLY_DRUMS = ("drums alone", "no other instruments", "no melody, no chords", "nothing but drums")


class Words:
    """The words drawn for one caption of a piece's tags; rows of the composer before this one have fewer tags."""

    def __init__(self, tags, rng):
        self.tags, self.rng = tags, rng
        self.moods = [str(rng.choice(MOODS[m])) for m in tags["moods"] if rng.random() < 0.7][:2]
        self.style = str(rng.choice(style_words(tags["style"]))) if rng.random() < 0.78 else ""
        voices = tags.get("voices")
        if voices is None:
            voices = [
                (part, tags[name]) for part, name in (("chords", "comping"), ("bass", "bass"), ("lead", "lead")) if tags[name]
            ]
            self.sounds = {part: [name] for part, name in voices}
        else:
            self.sounds, said = {}, {}
            for part, name in voices:  # each kind has one word; an 808 is a drum to those who read
                word = said.setdefault(INSTRUMENTS[name].kind, _sound_word(name, rng))
                self.sounds.setdefault(part, []).append("sub bass" if "808" in word and not tags["drums"] else word)
        self.sounds = {part: list(dict.fromkeys(names)) for part, names in self.sounds.items()}
        self.kinds = {INSTRUMENTS[name].kind if name in INSTRUMENTS else name for _, name in voices}
        self.sort = str(rng.choice(["piece", "track", "song", "tune", "recording", "piece of music"]))
        if voices and not self.kinds & VOICES and rng.random() < 0.07:
            self.moods.append("instrumental")
        self.drums = self._drum_words() if tags["drums"] else []

    def _drum_words(self):
        """Return the words for the drums: the kit, or what of it is heard, or both."""
        kit = KITS.get(self.tags.get("kit"))
        if not kit:
            return [str(self.rng.choice(["drums"] * 9 + ["a drum beat", "percussion", "drum kit"]))]
        heard = self.tags.get("percussion", ())
        others = [kind for kind in heard if kind not in (kit.kind, "drum kit", "toms", "rimshot", "claps")]
        if kit.kind in heard:
            general = str(self.rng.choice(kit.words)) if self.rng.random() < 0.5 else "drums"
        else:
            general = str(self.rng.choice(["percussion", "percussion", "drums"]))
        named = [str(word) for word in self.rng.permutation(others)[:2]] if others and self.rng.random() < 0.4 else []
        return [general, *[word for word in named if word not in general]]

    @property
    def all_sounds(self):
        """Every word for a pitched sound: chords, lead, bass."""
        names = [name for part in ("chords", "lead", "bass") for name in self.sounds.get(part, ())]
        return list(dict.fromkeys(names))

    @property
    def noise(self):
        """Return words for what lies under the music, or ""."""
        name = self.tags.get("noise")
        return str(self.rng.choice(NOISE_WORDS[name])) if name in NOISE_WORDS else ""

    @property
    def is_solo(self):
        """Whether one kind of instrument plays and nothing else."""
        return len(self.kinds) == 1 and not self.drums and len(self.all_sounds) >= 1

    @property
    def ensemble(self):
        """Return what those who play are called together, or ""."""
        if self.drums or not 3 <= len(self.tags.get("voices") or ()) <= 5:
            return ""
        number = {3: "trio", 4: "quartet", 5: "quintet"}[len(self.tags["voices"])]
        for kinds, name in ((STRINGS, "string"), (BRASS, "brass"), (WINDS, "wind")):
            if self.kinds <= kinds:
                return f"{name} {number}"
        return "vocal ensemble" if self.kinds <= {"choir", "singer"} else ""

    def bare(self, sort=True, sound=""):
        """Return moods, sound, style and what it is, such as "calm piano jazz piece"."""
        noun = self.sort if sort or not self.style else ""
        style = _BEFORE_A_NOUN.get(self.style, self.style) if noun else self.style
        return " ".join(word for word in (*self.moods, sound, style, noun) if word)

    def players(self, shuffled=False, articles=False):
        """Return the words for all who play, some left out where there are more than two."""
        names = [*self.all_sounds, *self.drums]
        if len(names) > 2 and self.rng.random() < 0.3:
            names.pop(int(self.rng.integers(len(names))))
        names = [str(name) for name in self.rng.permutation(names)] if shuffled else names
        if articles:
            names = [article(name) if not _is_many(name) and name not in self.drums else name for name in names]
        return names

    def absent(self):
        """Return words for what is not there, "" for nothing said."""
        wanted = next((genre.drums for genre in GENRES if genre.name == self.tags["style"]), None)
        said, is_drum_like = [], {"timpani"} & self.kinds  # kettledrums are drums to those who read
        if not self.drums and not is_drum_like and self.rng.random() < (0.55 if wanted is False else 0.97):
            said.append(str(self.rng.choice(NO_DRUMS)))
        has_bass = self.tags["bass"] or self.is_solo or any("bass" in name for name in self.all_sounds)
        if not has_bass and self.rng.random() < 0.12:
            said.append(str(self.rng.choice(["no bass", "without bass", "no bass line"])))
        if not self.tags["lead"] and self.all_sounds and self.rng.random() < 0.06:
            said.append(str(self.rng.choice(["no melody", "no lead"])))
        if not self.kinds & VOICES and self.rng.random() < 0.08:
            said.append(str(self.rng.choice(["no vocals", "no singing", "without vocals"])))
        return joined(said, " and ") if len(said) < 3 and self.rng.random() < 0.4 else ", ".join(said)


_MANY = ("strings", "drums", "horns", "brass", "bagpipes", "chimes", "panpipes", "pipes", "congas", "claves", "claps", "maracas", "castanets", "bells", "timpani",
         "kettledrums", "singers", "voices", "bowls", "braams", "oohs", "pizzicato", "percussion", "808s", "plucks", "stabs", "chops", "vocals", "tom toms", "toms", "brushes", "bongos",
         "timbales", "taiko", "stabs", "music", "sounds", "gamelan", "waves", "birdsong", "singing")  # fmt: skip


def _is_many(word):
    """Return whether a word takes no "a": more than one, or nothing that is counted."""
    return word.startswith(("a ", "the ")) or word.endswith(_MANY)


def article(words):
    """Return words with "a" or "an" before them."""
    return (
        f"an {words}"
        if words.startswith((*"aeiou", "8", "R&B", "r and b", "fm ")) and not words.startswith(("uk ", "uni"))
        else f"a {words}"
    )


def joined(names, last=" and "):
    """Return names as people say them: "a, b and c"."""
    return last.join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def _capital(text):
    if text.startswith("fm "):  # "Fm bells" would name a chord
        return "FM" + text[2:]
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------------------------------------------- captions


def caption(tags, rng):
    """Write a caption of a composed piece from `describe`'s tags, in one of many forms, worded by `rng`.

    It names nothing that does not sound.
    """
    words = Words(tags, rng)
    if not words.all_sounds:
        return _drums_alone(words, rng)
    if words.is_solo and rng.random() < 0.85:
        text = _solo(words, rng)
    elif set(words.kinds) <= {"choir", "singer"} and not words.drums and rng.random() < 0.7:
        text = _voices_alone(words, rng)
    elif tags.get("parts") and len(tags["parts"]) <= 2 and rng.random() < 0.45:
        text = _few(words, rng)
    else:
        forms = [form for form in FORMS if form is not _roles or (words.sounds.get("chords") and words.sounds.get("lead"))]
        text = forms[int(rng.integers(len(forms)))](words, rng)
    noise = words.noise if rng.random() < 0.7 else ""
    if noise:
        text = f"{text.rstrip('.')}, {noise}" + "." * text.endswith(".")
    text = _with_absent(text, words, rng)
    if tags.get("feel") and rng.random() < 0.25:
        text = text.rstrip(".") + ", " + str(rng.choice(["with a triplet feel", "triplets", "rolling triplets"]))
    return " ".join(text.split()).replace(" ,", ",")


def _with_absent(text, words, rng):
    """Return the text with what is not there said at its end."""
    absent = words.absent()
    if not absent:
        return text
    if text.endswith("."):
        if absent in ("no drums",) and rng.random() < 0.4:
            return f"{text[:-1]}; there are no drums."
        return f"{text[:-1]}, {absent}." if rng.random() < 0.6 else f"{text} {_capital(absent)}."
    return f"{text}, {absent}"


def _with(words, rng):
    return f"{words.bare()} with {joined(words.players(shuffled=rng.random() < 0.4))}"


def _sentence_with(words, rng):
    verb = rng.choice(["with", "featuring", "played by", "played on", "for", "with"])
    return f"{_capital(article(words.bare()))} {verb} {joined(words.players(rng.random() < 0.3, articles=rng.random() < 0.35))}."


def _short(words, rng):
    return words.bare(sort=rng.random() < 0.3, sound=str(rng.choice(words.all_sounds)))


def _short_with(words, rng):
    sound = str(rng.choice(words.all_sounds))
    others = [name for name in words.players(True) if name != sound][:2]
    return words.bare(sort=rng.random() < 0.3, sound=sound) + (f" with {joined(others)}" if others else "")


def _tag_list(words, rng):
    listed = [*words.moods, words.style, *words.players()]
    listed = [word for word in listed if word]
    return ", ".join(str(word) for word in rng.permutation(listed)) if rng.random() < 0.5 else ", ".join(listed)


def _chords_and_melody(words, rng):
    sounds, text = words.sounds, _capital(article(words.bare()))
    parts = [f"{joined(sounds['chords'])} chords"] if "chords" in sounds else []
    parts += [f"{article(sounds['bass'][0])} line"] if "bass" in sounds and rng.random() < 0.7 else []
    parts += [f"{article(sounds['lead'][0])} melody"] if "lead" in sounds else []
    parts += words.drums[:1] if rng.random() < 0.85 else []
    return f"{text} with {joined(parts)}." if parts else f"{text} with {joined(words.players())}."


def _roles(words, rng):
    sounds = words.sounds
    chords = joined(sounds["chords"])
    plays = "play" if len(sounds["chords"]) > 1 or _is_many(chords) else "plays"
    text = f"The {chords} {plays} the chords while the {sounds['lead'][0]} plays the melody"
    text += f" over {sounds['bass'][0]}" if "bass" in sounds and rng.random() < 0.7 else ""
    text += f" and {joined(words.drums)}" if words.drums else ""
    return f"{_capital(article(words.bare()))}. {text}."


def _lead_over(words, rng):
    sounds = words.sounds
    top = sounds.get("lead") or sounds.get("chords") or sounds["bass"]
    below = [name for part in ("chords", "bass") for name in sounds.get(part, ()) if name not in top] + words.drums
    text = f"{_capital(joined(top))} over {joined(below)}" if below else _capital(joined(top))
    return f"{text}, {words.bare()}"


def _colon(words, rng):
    opening = _capital(words.bare(sort=not words.style))
    return f"{opening}: {joined(words.players(shuffled=rng.random() < 0.5))}"


def _sounds_first(words, rng):
    style = f"{words.style} style" if words.style else f"{article(' '.join((*words.moods, words.sort)))}"
    return (
        f"{_capital(joined(words.players(True)))} in {style}"
        if words.style
        else f"{_capital(joined(words.players(True)))}, {style}"
    )


def _this_is(words, rng):
    opening = rng.choice(["This is {}.", "We hear {}.", "Here is {}.", "{}."]).format(article(words.bare()))
    has = rng.choice(
        ["It has {}.", "It features {}.", "{} can be heard.", "The instruments are {}.", "You hear {}.", "It is played by {}."]
    )
    return f"{_capital(opening)} {_capital(has.format(joined(words.players(articles=rng.random() < 0.3))))}"


def _asked(words, rng):
    ask = rng.choice(
        ["make me {}", "I want {}", "please write {}", "give me {}", "create {}", "compose {}", "I need {}", "generate {}"]
    )
    return ask.format(f"{article(words.bare())} with {joined(words.players(rng.random() < 0.4))}")


def _group(words, rng):
    name = words.ensemble or str(rng.choice(["group", "band"] if words.drums else ["group", "small ensemble"]))
    kind = " ".join((*words.moods, words.style)) if words.style else article(" ".join((*words.moods, "piece")))
    return f"{_capital(article(name))} of {joined(words.players())} plays {kind}."


def _driven(words, rng):
    sound = str(rng.choice(words.all_sounds))
    others = [name for name in words.players() if name != sound]
    text = (
        f"{article(words.bare())}, led by {sound}"
        if not others
        else f"{article(words.bare())}, {sound} in front, {joined(others)} behind"
    )
    return _capital(text) + "."


FORMS = (
    _with, _with, _sentence_with, _sentence_with, _short, _short_with, _short_with, _tag_list, _tag_list,
    _chords_and_melody, _roles, _lead_over, _colon, _sounds_first, _this_is, _asked, _group, _driven,
)  # fmt: skip


def _solo(words, rng):
    """Word a piece for one instrument."""
    sound, moods = words.all_sounds[0], " ".join(words.moods)
    kind, after = f"{moods} {words.style}".strip(), f", {words.style}" if words.style else ""
    piece = f"{kind} {words.sort}".strip()
    forms = [
        f"{moods} solo {sound}{after}", f"{moods} {sound} solo{after}", f"{kind} {sound} solo",
        f"{_capital(article(piece))} for solo {sound}.", f"{_capital(article(piece))} played by {sound} alone.",
        f"unaccompanied {sound}, {piece}", f"just {sound}, {piece}", f"{kind} {sound}, nothing else", f"only {sound}{after}",
        f"{piece}, {sound} only", f"{_capital(sound)} alone, {piece}.", f"solo {sound} playing {kind or 'music'}",
    ]  # fmt: skip
    return str(rng.choice(forms))


def _voices_alone(words, rng):
    """Word a piece for voices and nothing else."""
    style = words.style if words.style not in ("a cappella", "acappella", "a capella") else ""
    moods, sound = " ".join(words.moods), joined(words.all_sounds)
    kind = f"{moods} {style} {words.sort}".strip()
    forms = [
        f"a cappella {sound}" + (f", {style}" if style else ""),
        f"{_capital(article(' '.join(kind.split())))}, sung a cappella.", f"unaccompanied {sound}, {kind}",
        f"{kind}, a cappella, voices only", f"a cappella {moods} {style}, {sound}, no instruments",
        f"{_capital(sound)} without instruments, {kind}.",
    ]  # fmt: skip
    return str(rng.choice(forms))


def _few(words, rng):
    """Word a piece in which one or two parts play: only these, a duo, or what is missing."""
    names = [*words.all_sounds, *words.drums[:1]]
    opening = words.bare()
    forms = [
        f"only {joined(names)}, {opening}",
        f"just {joined(names)}, {opening}",
        f"{opening}, {joined(names)} only",
        f"{_capital(article(opening))} for {joined(names)}.",
    ]
    if len(words.all_sounds) == 2 and not words.drums:
        forms += [
            f"{joined(names)} duo, {opening}",
            f"{_capital(article('duet'))} for {joined(names)}, {opening}.",
            f"{opening}, duet of {joined(names)}",
        ]
    return str(rng.choice(forms))


def _drums_alone(words, rng):
    """Word a piece in which only drums play."""
    style = words.tags["style"] if words.style else ""  # its plain name, where that names no sound as "synth-pop" does
    is_quiet = any(genre.name == style and genre.drums is False for genre in GENRES)
    others = [found for found in known_phrases().find(words_of(f"{style} drum")) if found.value != ("drum kit",)]  # "african drum"
    words.style = "" if is_quiet or " and " in style or others else style
    general = words.drums[0] if words.drums and words.drums[0].endswith(("drums", "percussion", "brushes")) else "drums"
    kind = str(
        rng.choice(["drum solo", "drum loop", "drum beat", "drum groove", "piece for drums", "percussion track", "percussion loop"])
    )
    alone = str(rng.choice([f"only {general}", f"{general} only", f"just {general}", *ONLY_DRUMS]))
    named = f" with {joined(words.drums[1:])}" if len(words.drums) > 1 and rng.random() < 0.5 else ""
    form = rng.integers(4)
    if form == 0:
        return ", ".join(w for w in (*words.moods, words.style, "solo drums" if rng.random() < 0.5 else f"{general} only") if w)
    opening = " ".join(w for w in (*words.moods, words.style, kind) if w)
    if form == 1:
        return f"{opening}{named}, {alone}"
    if form == 2:
        return f"Only {general}: {opening}"
    return f"{_capital(article(opening))}{named}" + (f", {alone}." if rng.random() < 0.6 else ".")
