"""A main caption for a clip without one of its own, from what was measured and heard: text and numbers, no audio.

One sentence says what it is, more follow where more is clear: pace, energy, density of attacks, brightness, range of loudness,
how often the chords change, its place in the song. Nothing is said that is not known, and no fact that a control sentence states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from musicbench.hearing.sound_facts import SoundFacts, place_in_song, sound_words
from musicbench.hearing.tagger import instruments_heard, styles_heard
from musicbench.music.annotation import Annotation, spans
from musicbench.music.tempo import beats_counted
from musicbench.prompt.genres import genres_in


@dataclass(frozen=True)
class Sounds:
    """What is known of how a clip sounds, beside its labels.

    words: of `sound_facts.sound_words`; place: of `place_in_song`; instruments, styles: of `musicbench.hearing.tagger`; genre:
    the text of a file's tag, of which only known styles are said; facts: the numbers.
    """

    words: Sequence[str] = ()
    place: str | None = None
    instruments: Sequence[str] = ()
    styles: Sequence[str] = ()
    genre: str = ""
    facts: SoundFacts | None = None
    duration_s: float = 10.0
    no_pulse: bool = False  # beats were looked for, and there is no clear pulse

    @classmethod
    def of(cls, facts: SoundFacts, probabilities: Mapping[str, float], song: Sequence[SoundFacts] = (), **known: Any) -> "Sounds":
        """Return what may be said of a clip's numbers and tag probabilities ({} where no tagger is installed), beside its song's.

        known: genre, duration_s, no_pulse.
        """
        instruments = instruments_heard(probabilities) if probabilities else []
        styles = styles_heard(probabilities) if probabilities else []
        return cls(sound_words(facts, song), place_in_song(facts, song), instruments, styles, facts=facts, **known)


_NO_GENRE = {"soundtrack", "score", "background", "sound", "orchestra", "song", "band", "beat"}
_WRITTEN = {
    "children": "children's", "r&b": "R&B", "rnb": "R&B", "edm": "EDM", "idm": "IDM", "blues": "blues", "drum & bass": "drum and bass",
    "dnb": "drum and bass",
}  # fmt: skip


def known_styles(genre: str) -> list[str]:
    """Return the styles that a genre tag names, as a sentence writes them: none of "music", "none" and "sound fx"."""
    said = [genre[start:end].lower() for group in genres_in(genre) for _, (start, end) in group]
    return list(dict.fromkeys(_WRITTEN.get(word, word) for word in said if word not in _NO_GENRE))


ADJECTIVES = {
    "calm": "calm, gentle, relaxed, peaceful, soft, quiet, mellow, tranquil, soothing, serene, restful, placid, easygoing, mild, hushed, subdued, unruffled, tender, composed, still",
    "energetic": "energetic, lively, driving, powerful, spirited, vigorous, forceful, punchy, animated, intense, dynamic, bold, rousing, charged, fiery, robust, emphatic, muscular",
    "sparse": "sparse, minimal, uncluttered, spacious, airy, bare, pared-down, thinly scored, restrained, economical",
    "busy": "busy, dense, crowded, bustling, tightly packed, eventful, restless, intricate, full, active, thick, hectic, elaborate, teeming",
    "dark": "dark, dusky, low-lying, deep, shadowy, muted, dusky-toned, mellow-toned, sombre, warm-toned",
    "bright": "bright, brilliant, shining, clear, crisp, radiant, sparkling, gleaming, treble-rich, glittering",
}  # fmt: skip
PACE = {
    "slow": "slow, unhurried, leisurely, slow-moving, lingering, patient",
    "moderate": "mid-tempo, moderately paced, walking-pace, measured, medium-paced",
    "fast": "fast, quick, brisk, rapid, fast-moving, swift",
}
NOUNS = "piece, piece of music, track, recording, passage, cut, composition, work, tune, excerpt, extract, segment, musical fragment, stretch of music, snippet, sample, performance"
OPENINGS = (
    "This is {a}{rest}.", "{A}{rest} is playing.", "We hear {a}{rest}.", "Here is {a}{rest}.", "{A}{rest}.", "The music presents {a}{rest}.",
    "Heard here is {a}{rest}.", "The clip offers {a}{rest}.", "This music is {a}{rest}.", "There is {a}{rest}.",
    "The sound is that of {a}{rest}.", "Listeners hear {a}{rest}.", "It is {a}{rest}.",
)  # fmt: skip
SENTENCES = tuple(opening for opening in OPENINGS if not opening.startswith(("{A}{rest}.", "It is")))
WITH = (
    " with {}", " featuring {}", " built around {}", " in which {} can be heard", ", with {} in the mix", " that includes {}", " that puts {} in front",
    " carried by {}", " involving {}", ", {} among its sounds",
)  # fmt: skip
INSTRUMENT_WORDS = {
    "drums": "drums, a drum kit, percussion, a drumbeat, drumming, a rhythm section, a drum pattern",
    "distorted guitar": "distorted guitar, distorted electric guitars, overdriven guitar, crunching guitars, fuzzy guitar, heavy guitars",
    "electric guitar": "electric guitar, electric guitars, an amplified guitar, guitar",
    "acoustic guitar": "acoustic guitar, an acoustic guitar, unplugged guitar",
    "plucked strings": "plucked strings, a plucked instrument",
    "piano": "piano, a piano, piano keys, pianistic lines",
    "synthesizer": "synthesizer, synthesizers, electronic sounds, synths, synthetic tones, synthesised parts",
    "choir": "choir, a choir, choral voices, massed voices",
    "flute": "flute, a flute",
    "violin": "violin, a violin, fiddle",
    "strings": "strings, bowed strings, a string section",
    "harp": "harp, a harp",
    "sitar": "sitar, a sitar",
    "harpsichord": "harpsichord, a harpsichord",
}
NO_PULSE = (
    " without a clear pulse",
    " that floats without a beat",
    " in free time",
    " with no steady beat",
    ", unmetered and drifting",
    " that keeps no regular beat",
)
DETAILS = {
    "slow": (
        "It moves as if in thought.",
        "Each beat is given ample time.", "Its tread is heavy and gradual.", "The tempo is low.",
        "It takes its time.", "The beat moves along slowly.", "The pace is slow.", "It proceeds without haste.", "Beats come at long intervals.",
        "The rhythm ambles along.", "The music unfolds at a slow pace.",
    ),
    "moderate": (
        "Its gait is natural.",
        "Its speed lies in the middle ground.", "The tempo is neither sluggish nor hasty.",
        "The pace is moderate.", "It walks along at a comfortable speed.", "The beat is neither slow nor fast.", "It keeps a middling pace.",
        "The rhythm strolls along evenly.", "It settles into a medium groove.",
    ),
    "fast": (
        "It spins along at high speed.",
        "The tempo is high.", "It dashes on without delay.", "Its speed is breathless.",
        "The pace is fast.", "The beat hurries forward.", "It races along.", "Beats follow each other quickly.", "The music rushes ahead.",
        "It moves at a quick clip.", "The rhythm hurries onward.",
    ),
    "calm": (
        "It soothes rather than excites.", "One could fall asleep to it.", "Tension is absent.", "It breathes easily.",
        "The mood is calm.", "Nothing disturbs its quiet surface.", "It would suit rest and reflection.", "The playing is gentle throughout.",
        "It stays soft and unforced.", "The atmosphere is peaceful.", "An air of stillness surrounds it.", "The level is low and the touch light.",
    ),
    "energetic": (
        "It invites motion.", "It grabs attention at once.", "The players do not hold back.", "Its impact is physical.",
        "The mood is energetic.", "It has plenty of drive.", "The playing is forceful.", "It pushes hard from bar to bar.", "There is a lot of energy in it.",
        "It hits with considerable power.", "The performance is vigorous.", "Momentum never lets up.",
    ),
    "sparse": (
        "The music is economical with notes.", "Little is layered on top of anything else.", "Its fabric is loose and open.",
        "Few notes are played, with room between them.", "There is much space in the texture.", "There is air around the attacks.",
        "The arrangement leaves gaps.", "It gets by with little.", "The texture is thin.",
    ),
    "busy": (
        "Parts interlock without respite.", "It teems with detail.", "Its fabric is tightly woven.", "Hardly a moment stays empty.",
        "Notes come thick and fast.", "There is hardly a gap in the texture.", "Many attacks follow closely upon one another.",
        "The arrangement is crammed with activity.", "Something happens at every moment.", "Layers keep the texture occupied.", "The texture is dense.",
    ),
    "dark": (
        "It glows rather than glitters.", "Bass and middle range outweigh the top.", "The spectrum tilts downward.",
        "The sound lies low.", "Its colour is dark.", "The lower registers dominate.", "High frequencies stay in the background.", "The tone is deep and rounded.",
        "Most of its weight sits below the treble.", "The timbre is shaded.",
    ),
    "bright": (
        "It glitters rather than glows.", "The top range outweighs the bottom.", "The spectrum tilts upward.",
        "The sound lies high.", "Its colour is bright.", "The upper registers dominate.", "Treble lends it sparkle.", "The tone is clear and gleaming.",
        "High frequencies glisten on top.", "The timbre is luminous.",
    ),
    "quiet": (
        "It is one of the softer stretches of its song.", "The song is louder elsewhere.", "This part holds back in comparison with the rest of the song.",
        "It comes from a subdued portion of the song.",
    ),
    "loud": (
        "It is one of the louder stretches of its song.", "The song is milder elsewhere.", "This part stands out by its strength from the rest of the song.",
        "It comes from an intense portion of the song.",
    ),
    "even": (
        "Nothing leaps out in volume.", "It is steady in strength, without surges.",
        "Soft and strong passages are practically level.", "Volume stays within narrow limits.",
        "The level hardly varies.", "Its loudness is even from one instant to the next.", "Peaks and valleys of volume are small.",
        "The dynamics are flat and consistent.", "It keeps to a uniform strength.",
    ),
    "wide": (
        "Faint and forceful instants stand side by side.", "Volume covers a large territory.",
        "Strong moments alternate with delicate ones.", "The level varies widely.", "Its dynamics span a broad range.", "Contrasts of volume are marked.",
        "It swings between delicate and firm.",
    ),
    "high level": ("The recording is loud.", "It was recorded or mastered at a high volume.", "Its overall loudness is considerable."),
    "low level": ("The recording is faint.", "It was recorded at a modest volume.", "Its overall loudness is slight."),
    "many onsets": (
        "Rapid figures abound.", "Beginnings of sounds crowd together.",
        "The ear counts a great number of attacks.", "Strokes arrive in quick succession.", "Onsets are plentiful.", "Sounds are struck again and again.",
    ),
    "few onsets": (
        "Long durations prevail.", "New sounds begin seldom.", "Sustained tones prevail.",
        "Fresh attacks are rare.", "Sounds are allowed to ring.", "Tones are held or left to decay.", "Onsets are scarce.",
    ),
    "one chord": (
        "Harmonic motion is suspended.", "The same pitches form its foundation all along.",
        "The harmony rests in one place.", "It never leaves its opening harmony.", "A single harmony underlies everything.", "Harmonically it is static.",
    ),
    "slow harmony": (
        "Harmonic changes are far apart.",
        "The harmony shifts only now and then.", "Harmonies linger before they give way.", "It changes harmony at a relaxed rate.",
    ),
    "quick harmony": (
        "Harmonic changes come close together.", "Its progression wastes no time.",
        "The harmony changes often.", "Harmonies succeed each other swiftly.", "It keeps moving to new harmonies.", "The harmonic rhythm is lively.",
    ),
    "plain": (
        "In loudness and colour it keeps to the middle.", "Its sonority is moderate in every respect.", "Neither gentle nor fierce, it holds an ordinary course.",
        "Neither brightness nor density stands out.", "Its loudness and density are ordinary.", "No extreme marks the sound.",
        "It is balanced between extremes.", "The sound is of middling weight.", "Nothing about its level or colour is unusual.",
    ),
    "sounds": (
        "{Sounds} can be made out.", "Taking part: {sounds}.", "One can recognise {sounds}.", "Among the sounds: {sounds}.", "The sounds include {sounds}.",
    ),
    "style": (
        "In style it is close to {style}.", "It leans toward {style}.", "Listeners of {style} will feel at home.", "It could be filed under {style}.",
        "Its idiom is {style}.",
    ),
}  # fmt: skip


def _split(text):
    return [word.strip() for word in text.split(",")]


def pace_word(labels: Annotation, facts: SoundFacts | None = None) -> str | None:
    """Return "slow", "moderate" or "fast" by the beat that people feel, in 6/8 the dotted one; None between them.

    A fast beat under few attacks and a slow one under many are doubtful, and not said.
    """
    if labels.bpm is None or len(labels.beat_times) < 3:
        return None
    pace = labels.bpm / beats_counted(labels.meter)
    onsets = facts.onsets_per_s if facts else 3.0
    if pace <= 76:
        return "slow" if onsets <= 5 else None
    if pace >= 132:
        return "fast" if onsets >= 2 else None
    return "moderate" if 88 <= pace <= 118 else None


def heard_caption(labels: Annotation, sounds: Sounds, rng: np.random.Generator) -> str:
    """Write a caption of one to four sentences from a clip's labels and sounds."""
    moods = list(sounds.words)
    pace = pace_word(labels, sounds.facts)
    if (pace, *moods[:1]) in (("fast", "calm"), ("slow", "energetic")):
        pace = None
    styles = known_styles(sounds.genre) or list(sounds.styles)
    in_front = [str(mood) for mood in rng.permutation(moods)][:2]
    adjectives = [str(rng.choice(_split(ADJECTIVES[mood]))) for mood in in_front]
    says_pace = pace is not None and rng.random() < 0.4
    adjectives += [str(rng.choice(_split(PACE[pace])))] if pace and says_pace else []
    says_style = bool(styles) and rng.random() < 0.75
    style = [styles[0]] if says_style else []
    noun = str(rng.choice(_split(NOUNS)))
    instruments = _listed([str(rng.choice(_split(INSTRUMENT_WORDS[name]))) for name in sounds.instruments])
    says_sounds = bool(instruments) and rng.random() < 0.7
    rest = str(rng.choice(WITH)).format(instruments) if says_sounds else ""
    rest += str(rng.choice(NO_PULSE)) if sounds.no_pulse and rng.random() < 0.7 else ""
    named = " ".join([*_with_commas(adjectives), *style, noun])
    article = "an" if named[0].lower() in "aeio" or named[:2] in ("un", "up") else "a"
    says_something = bool(adjectives or style or rest)
    first = str(rng.choice(OPENINGS if says_something else SENTENCES)).format(
        a=f"{article} {named}", A=f"{article.capitalize()} {named}", rest=rest
    )
    details = [mood for mood in moods if mood not in in_front]
    details += [pace] if pace and not says_pace else []
    details += ["sounds"] if instruments and not says_sounds else []
    details += ["style"] if styles and not says_style else []
    details += _more(labels, sounds)
    details += ["plain"] if not moods and not sounds.place and (sounds.facts is None or len(details) < 2) else []
    again = [mood for mood in in_front if rng.random() < 0.25]
    enough = 0 if says_something else 1  # a bare "piece" says more in a second sentence
    chosen = [str(name) for name in rng.permutation([*details, *again])][: max(enough, int(rng.integers(0, 4)))]
    words = {"sounds": instruments, "Sounds": instruments[:1].upper() + instruments[1:], "style": styles[0] if styles else ""}
    return " ".join([first, *(str(rng.choice(DETAILS[name])).format(**words) for name in chosen)])


def _more(labels, sounds):
    """Return the names of further details that are clear."""
    found, facts = [], sounds.facts
    if sounds.place:
        found.append(sounds.place)
    if facts and facts.loudness_lufs > -60:
        found += ["even"] if facts.range_db < 5 else ["wide"] if facts.range_db > 25 else []
        found += ["high level"] if facts.loudness_lufs > -11 else ["low level"] if facts.loudness_lufs < -32 else []
        found += ["many onsets"] if facts.onsets_per_s > 6.5 else ["few onsets"] if facts.onsets_per_s < 1.2 else []
    sounding = [chord for chord in labels.chords if chord.root is not None]
    if len(sounding) == len(labels.chords) == 1:
        found.append("one chord")
    elif len(sounding) > 2:
        each_s = median(end - start for start, end in spans(labels.chord_times, max(sounds.duration_s, labels.chord_times[-1])))
        found += ["slow harmony"] if each_s > 3 else ["quick harmony"] if each_s < 1.3 else []
    return found


def _listed(names):
    """Return names in a list: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def _with_commas(adjectives):
    """Return adjectives with commas between them."""
    return [word + "," for word in adjectives[:-1]] + adjectives[-1:]
