"""What a model knows, as its folder's knows.json says: instruments, voices, drums, styles, meters; and what a prompt asks beyond it.

Training writes the file from the rows that it learns from: tags of composed rows, else words of captions. Without the file nothing is
said of a model and nothing is added to its prompts.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.compose.chains import NOISE_KINDS
from musicbench.compose.drumming import lines_of
from musicbench.compose.grooves import GROOVES
from musicbench.compose.instruments import DRUM_KINDS, INSTRUMENTS, KITS, drum_kind
from musicbench.compose.styles import MOODS
from musicbench.files import save_json
from musicbench.music.meters import Meter
from musicbench.prompt.drumming import drum_words, drums_wanted
from musicbench.prompt.genres import GENRES, genres_in
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import nearest, phrases, words_for, words_of
from musicbench.prompt.tunes import tune_named
from mustango.release.files import read_json

KNOWS = "knows.json"
FEWEST = 3  # rows that have a sound before it counts as learnt
VOICES = {"choir", "singer", "opera singer", "vocal chops", "robot voice", "throat singing"}
DRUM_NAMES = {"drum kit", *DRUM_KINDS.values(), *(kit.kind for kit in KITS.values())}
_DRUMS_IN_CAPTIONS = ("drum", "percussion")  # what the words for drums have in them
_NO_DRUMS_IN_CAPTIONS = re.compile(r"\b(?:no|without) drums\b", re.IGNORECASE)


@dataclass(frozen=True)
class Knows:
    """What a model knows: {name: words for it} of instruments, voices, drums and styles; meters; `source`: where that is known from."""

    instruments: dict
    voices: dict
    drums: dict
    styles: dict
    meters: tuple
    source: str = ""

    @cached_property
    def sounds(self) -> dict:
        """All that sounds: {name: words}."""
        return {**self.instruments, **self.voices, **self.drums}

    @cached_property
    def _phrases(self):
        return phrases(self.sounds)

    def told(self, prompt: str, controls: Any) -> Any:
        """Return `controls` with a note on all that a prompt asks and the model lacks, and with the text that the model is given."""
        return replace(controls, notes=(*controls.notes, *self.notes_on(prompt, controls.meter)), text=self.text_for(prompt))

    # ------------------------------------------------------------------------------------------------ notes

    def notes_on(self, prompt: str, meter: Meter | None = None) -> tuple[str, ...]:
        """Return a note on each sound, style and meter that is asked for and not known, with the nearest that is."""
        words = words_of(prompt)
        sounds = self._phrases.find(words)
        styled = {i for group in genres_in(prompt) for genre, place in group if genre.name in self.styles for i in range(*place)}
        tune = tune_named(prompt) or ""
        asked = [found for found in sounds if not found.denied and words[found.first].start not in styled]
        asked = [found for found in asked if _said(prompt, words, found) not in tune]
        lacking = [found for found in asked if not any(name in self.sounds for name in found.value)]
        notes: list[str | None] = [_lacks(_said(prompt, words, found), self._nearest(found.value)) for found in lacking]
        taken = {i for found in sounds for i in range(words[found.first].start, words[found.last - 1].end)}
        for genre, (start, end) in (named for group in genres_in(prompt) for named in group):
            if not taken.intersection(range(start, end)):
                notes.append(self._note_on_style(genre, prompt[start:end]))
        notes += [f"this model knows no '{name}'" for name in _featured(words, sounds)]
        notes += _beyond_any_model(prompt, words, {i for found in lacking for i in range(found.first, found.last)})
        if meter is not None and str(meter) not in self.meters:
            notes.append(f"this model has not learnt {meter}; it learnt {', '.join(self.meters)}")
        return tuple(dict.fromkeys(filter(None, notes)))

    def _note_on_style(self, genre, said):
        """Return a note on a style that the model has not; forms and scales, which are like none, are no styles."""
        if genre.like and genre.name not in self.styles:
            return _lacks(said, next((name for name in genre.like if name in self.styles), None))
        return None

    def _nearest(self, names):
        """Return the nearest known sound to any of `names`, by steps from each to what is near it, or None."""
        near, seen, asked = nearest(), set(), list(names)
        while asked:
            known = [name for name in asked if name in self.sounds]
            if known:
                return known[0]
            seen.update(asked)
            asked = [other for name in asked for other in near.get(name, ()) if other not in seen]
        return None

    # ------------------------------------------------------------------------------------------------ the text

    def text_for(self, prompt: str) -> str:
        """Return the text that the model is given for a prompt: drums, or that there are none, are said as in its captions.

        What the prompt's style has is added where the prompt does not say it in these words. On the bundled model these words suffice;
        "drums" as the negative prompt alone leaves drums in half of the clips (figures in its card, "Drums or none").
        """
        if not self.drums or not prompt.strip():
            return prompt
        wanted = drums_wanted(prompt)
        if wanted is False and not _NO_DRUMS_IN_CAPTIONS.search(prompt):
            return prompt.rstrip(" \t\n.,;") + ", no drums"
        if wanted and not any(name in word for word in drum_words(prompt) for name in _DRUMS_IN_CAPTIONS):
            return prompt.rstrip(" \t\n.,;") + (", drums" if " with " in prompt.lower() else " with drums")
        return prompt

    # ------------------------------------------------------------------------------------------------ where it comes from

    @classmethod
    def of_rows(cls, rows: Sequence[dict]) -> "Knows":
        """Return what rows teach: the tags of composed rows, the words of others' captions; what fewer than FEWEST rows have is left out."""
        count, known = Counter(), phrases()
        for row in rows:
            count.update(_of_tags(row["tags"]) if row.get("tags") else _of_caption(row.get("main_caption") or "", known))
            count.update([("meter", row["meter"])] if row.get("meter") else [])
        learnt = [pair for pair, n in count.items() if n >= FEWEST]
        kept = {kind: {name for of, name in learnt if of == kind} for kind in ("sound", "drums", "style", "meter")}
        return cls._of(kept["sound"], kept["drums"], kept["style"], sorted(kept["meter"]), f"{len(rows)} rows")

    @classmethod
    def _of(cls, sounds, drums, styles, meters, source):
        def worded(names):
            return {name: list(words_for().get(name, (name,))) for name in sorted(names)}

        spoken = {genre.name: list(genre.words) for genre in GENRES}
        return cls(
            instruments=worded(sounds - VOICES), voices=worded(sounds & VOICES), drums=worded(drums),
            styles={name: spoken.get(name, [name]) for name in sorted(styles)}, meters=tuple(meters), source=source,
        )  # fmt: skip

    def joined(self, other: "Knows") -> "Knows":
        """Return what both know together."""
        dicts = {name: getattr(self, name) | getattr(other, name) for name in ("instruments", "voices", "drums", "styles")}
        sources = dict.fromkeys([*self.source.split(" + "), *other.source.split(" + ")])
        return Knows(**dicts, meters=tuple(sorted({*self.meters, *other.meters})), source=" + ".join(sources))

    def save(self, folder: Path | str) -> None:
        """Write knows.json in a model's folder."""
        save_json(Path(folder) / KNOWS, asdict(self))


def read_knows(folder: Path | str) -> Knows | None:
    """Read a folder's knows.json, None if there is none. Raises InputError."""
    path = Path(folder) / KNOWS
    if not path.is_file():
        return None
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(16)
def _read(path, *_):
    """Read a file as it is now: once for each time that it changed."""
    said, names = read_json(path), ("instruments", "voices", "drums", "styles")
    for name in names:
        if not isinstance(said.get(name), dict) or not all(map(_is_list_of_text, said[name].values())):
            raise InputError(f"{path} has no {name} as {{name: [words]}}; train or get the model again, or delete the file")
    if not _is_list_of_text(said.get("meters")):
        raise InputError(f"{path} has no list of meters; train or get the model again, or delete the file")
    return Knows(**{name: said[name] for name in names}, meters=tuple(said["meters"]), source=str(said.get("source", "")))


def _is_list_of_text(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def learn(parts: Path | str, learnt: Knows) -> None:
    """Write what a run has learnt into its parts, with what the model knew from which it began.

    A model that began with one whose folder says nothing, such as the released one, says nothing either.
    """
    parts = Path(parts)
    known = read_knows(parts)
    if known is None and (parts / "model_index.json").is_file():
        return
    (known.joined(learnt) if known else learnt).save(parts)


def _drums_of(tags):
    """Return the names of the drums that a composed row's tags name; of older rows, what their groove has, and the toms of its fills."""
    if "percussion" in tags:
        return set(tags["percussion"])
    groove = tags.get("drums")
    names = {drum_kind(drum) for drum, _, is_needed in (lines_of(groove) if groove in GROOVES else ()) if is_needed}
    return names | ({"toms"} if names else set())


def _of_tags(tags):
    """Return {(kind, name)} of a composed row's tags."""
    sounds = {tags.get(part) for part in ("comping", "bass", "lead")} | {NOISE_KINDS.get(tags.get("noise"))}
    sounds |= {INSTRUMENTS[name].kind for _, name in tags.get("voices", ()) if name in INSTRUMENTS}
    named = {("sound", name) for name in sounds} | {("drums", name) for name in _drums_of(tags)}
    return {(kind, name) for kind, name in named | {("style", tags.get("style"))} if name}


def _of_caption(caption, known):
    """Return {(kind, name)} of the sounds and styles that a caption names."""
    named = [found.value for found in known.find(words_of(caption)) if not found.denied]
    sounds = {names[0] for names in named if len(names) == 1}
    styles = {genre.name for group in genres_in(caption) for genre, _ in group if genre.like}
    return {("drums" if name in DRUM_NAMES else "sound", name) for name in sounds} | {("style", name) for name in styles}


def _said(prompt, words, found):
    """Return the words of a prompt that were Found, as they are written."""
    return prompt[words[found.first].start : words[found.last - 1].end]


_AS_NOUNS = {"sings": "singing", "sing": "singing", "sung": "singing", "raps": "rapping", "chants": "chanting"}


def _lacks(said, near):
    said = " ".join(said.split()).removeprefix("with ").removeprefix("epic ")
    return f"this model has no {_AS_NOUNS.get(said.lower(), said)}" + (f"; nearest: {near}" if near else "")


# ---------------------------------------------------------------------------------------------------- what no model makes

_NO_SECTIONS = "a clip is one stretch without sections"
_NO_DYNAMICS = "a clip is as loud at its end as at its beginning"
_BEYOND = {
    "the sound is mono": """
        stereo / wide stereo / stereo field / stereo image / stereo width / stereo imaging / panned / panning / hard panned / panned hard / auto pan / autopan / stereo panning / hard left / hard right / panned left /
        panned right / left channel / right channel / left ear / right ear / left speaker / right speaker / ping pong delay / surround / surround sound / 5 1 surround / binaural / dolby atmos / spatial audio / 8d audio /
        left and right / from left to right / left to right""",
    "a clip has no fades; fade it afterwards": """
        fade in / fade out / with a fade / long fade / slow fade / fades in / fades out / faded in / faded out / fading in / fading out / fadein / fadeout / fade to silence / fades to silence / fade to black / crossfade / cross fade""",
    "no words are sung or spoken": """
        sing / sung / sings / singing the word / lyrics / lyric / with lyrics / sung words / words sung / sing the words / singing the words / sings the words / spoken word / narration / narrator / voice over / voiceover / recites a poem / reading a poem / poetry reading /
        rap lyrics / rap verse / rap about / sing about / singing about / sings about / song text / dialogue""",
    _NO_SECTIONS: """
        verse chorus form / verse and chorus / verse chorus / verse chorus structure / verse chorus verse / verse and refrain / ternary form / binary form / rounded binary form / rondo form / sonata form / sonata allegro form / strophic form /
        theme and variations / through composed / song form / 32 bar form / intro verse chorus / multi section / several sections / song structure / middle 8 / middle eight / arch form / three movements / in movements""",
    _NO_DYNAMICS: """
        crescendo / crescendos / decrescendo / diminuendo / get louder / gets louder / getting louder / get softer / gets softer / getting softer / get quieter / gets quieter / getting quieter""",
    "chords are of the twelve notes of the piano": """
        microtonal / microtones / microtone / microtonality / quarter tone / quarter tones / quartertone / just intonation / xenharmonic / 19 edo / 31 edo / 24 edo / 22 edo / 53 edo / 19 tet / 31 tet / pythagorean tuning / meantone / meantone tuning""",
    "one chord plays at a time": """
        cluster chord / cluster chords / tone cluster / tone clusters / note cluster / note clusters / polychord / polychords / bitonal / bitonality / polytonal / polytonality""",
    "one meter plays at a time": """
        polyrhythm / polyrhythms / polyrhythmic / polymeter / polymeters / polymetric / polymetre / cross rhythm / cross rhythms / hemiola / hemiolas / 3 against 2 / 2 against 3 / 3 against 4 / 4 against 3 / 5 against 4 / three against two /
        three against four / four against three / mixed meter / mixed meters / mixed metre / changing meters / changing meter / alternating meters / alternating time signatures / changing time signatures /
        meter change / meter changes / time signature change / time signature changes""",
}  # fmt: skip
_LETTERS_OF_FORM = re.compile(
    r"\b(A+[A-E]*B[A-E]*|[A-E](?:[- /][A-E]'?){2,})(?='?s?[ -](form|structure|sections?)\b)?", re.IGNORECASE
)


@cache
def _beyond_phrases():
    entries = [(phrase, told) for told, text in _BEYOND.items() for phrase in text.split("/")]
    return Phrases(entries)


def _beyond_any_model(prompt, words, told):
    """Yield a note on each thing that a prompt asks and no model makes: fades, stereo, words, sections. told: places of words told of."""
    for found in _beyond_phrases().find(words):
        said = _said(prompt, words, found)
        is_timed = found.value == _NO_DYNAMICS and _names_a_turn(words)
        if not found.denied and not is_timed and not told.intersection(range(found.first, found.last)):
            yield f"{said} is not made: {found.value}"
    yield from _sections(prompt, words)
    for match in _LETTERS_OF_FORM.finditer(prompt):
        letters = re.sub("[^A-Ea-e]", "", match[1])
        is_form = match[2] or (len(match[1]) > 3 and match[1] == match[1].upper() and letters == match[1] and letters != "ABBA")
        if is_form and len(set(letters)) < len(letters) or (match[2] and len(letters) > 2):
            yield f"the form {match[1]} is not made: {_NO_SECTIONS}"


_PARTS = {"intro", "verse", "chorus", "outro", "bridge"}
_BETWEEN_PARTS = {",", "and", "then", "/", "to", "into", "a", "an", "the"}


def _names_a_turn(words):
    """Return whether words say when a change of loudness begins or ends, as captions do: "until 6 seconds", "midway"."""
    return any(word.text == "midway" for word in words) or any(
        word.text in ("until", "from", "after", "at", "to") and after.text.isdigit() for word, after in pairwise(words)
    )


def _sections(prompt, words):
    """Yield a note on sections in a list, "intro, verse and chorus", or before "then"."""
    first, last, count = 0, 0, 0
    for i, word in enumerate([*words, None]):
        if word and word.text in _PARTS and not word.denied:
            first, last, count = (first if count else i), i + 1, count + 1
        elif count and not (word and word.text in _BETWEEN_PARTS):
            is_then = last < len(words) and words[last].text == "then"
            is_list = (count > 1 and not (word and word.text == "pickup")) or is_then
            said = prompt[words[first].start : words[last - 1].end]
            if is_list and not any(found.value == _NO_SECTIONS for found in _beyond_phrases().find(words[first:i])):
                yield f"{said} is not made: {_NO_SECTIONS}"
            count = 0


# ---------------------------------------------------------------------------------------------------- what is in no list

# What is no instrument after "featuring a", or beside "solo".
_ORDINARY_WORDS = """
    long short slow fast epic big great good nice sweet soft loud gentle calm sad happy bright dark moody wild crazy beautiful haunting lovely
    melodic emotional soaring virtuoso virtuosic lyrical bluesy jazzy funky heavy light clean dirty simple complex mellow mournful warm cool hot
    expressive improvised improvisational extended lead main final opening closing first second third last instrumental full whole passionate
    dramatic energetic lively upbeat romantic dreamy quiet delicate intimate plaintive tender free modal technical shredding screaming ripping
    groove melody melodies rhythm beat chorus hook build buildup drop progression riff mood vibe feel sound solo part line section bridge intro
    outro harmony texture atmosphere tempo key chord verse theme motif arrangement performance style touch tone song piece track tune music
    instrument artist album concert career act project player musician performer voicing figure ostinato loop pattern phrase passage break fill
    duo duet trio quartet band ensemble group man woman girl boy child recital cover version mix remix backing accompaniment interlude cadenza
    minute second bar time twist turn ending beginning middle climax crescendo swell pulse energy dynamic change modulation swing shuffle
    only just with and the for very more some not your our this that its
"""
_ORDINARY = {*_ORDINARY_WORDS.split(), *(word for words in MOODS.values() for word in words)}
_STOPS = {"and", "with", "in", "on", "at", "over", "for", "that", "which", "of", "to", "or", "by", "from"}
_ARTICLES = {"a", "an", "the", "some"}


def _featured(words, sounds):
    """Yield names that stand where an instrument stands, "featuring a X", "played on a X", "X solo", "solo X", and that no list has."""
    taken = {i for found in sounds for i in range(found.first, found.last)}
    for i, word in enumerate(words):
        places = [] if word.denied else _place_of_instrument(words, i)
        name = [words[j].text for j in places]
        if not name or taken.intersection(places) or name[-1] in _ORDINARY or any(map(genres_in, name)):
            continue
        if name[-1].isalpha() and len(name[-1]) > 2:
            yield " ".join(name)


def _place_of_instrument(words, i):
    """Return the places of the words that would be an instrument if word `i` says that one follows or stands before it, else []."""
    if words[i].text == "featuring" or (words[i].text in ("on", "by") and i and words[i - 1].text == "played"):
        return _noun_phrase(words, i + 1)
    if words[i].text != "solo":
        return []
    before = i and not words[i - 1].is_mark and words[i - 1].text not in _ORDINARY | _STOPS | _ARTICLES
    return [i - 1] if before else _noun_phrase(words, i + 1)[:1]


def _noun_phrase(words, i):
    """Return the places of up to three words from `i` on, articles apart, before a mark or a word that joins."""
    places = []
    while i < len(words) and len(places) < 3 and not words[i].is_mark and words[i].text not in _STOPS:
        places += [] if words[i].text in _ARTICLES else [i]
        i += 1
    return places
