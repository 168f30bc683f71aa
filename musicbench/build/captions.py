"""Labels -> control sentences, in the families of MusicBench (Mustango, section 3.1); main captions; paraphrases."""

import json
import os
import re
import time
from functools import cache
from itertools import groupby

import numpy as np

from musicbench import InputError
from musicbench.compose.compose import caption as composed_caption
from musicbench.compose.styles import MOODS
from musicbench.music.progression import Progression
from musicbench.music.theory import ascii_accidentals, beats_counted, pitch_class, spell_note, tempo_class, tempo_word
from musicbench.prompt.facts import Stated, read_prompt, same_facts
from musicbench.sound.features import loudness_db

# {} is the fact. Every wording can be read back by musicbench.prompt.facts.read_prompt.
CHORDS = (
    "The chords are {}.",
    "The chord progression is {}.",
    "It moves through the chords {}.",
    "Chords: {}.",
    "The harmony follows {}.",
    "The chord sequence goes {}.",
    "It is built on the chords {}.",
)
BEAT = (
    "It is in {0}/{1} time.",
    "The time signature is {0}/{1}.",
    "The meter is {0}/{1}.",
    "There are {0} beats in a bar.",
    "It counts {0} beats to the bar.",
    "Each bar has {0} beats.",
    "The downbeat comes every {0} beats.",
)
TEMPO_NUMBER = (
    "The tempo is {} bpm.",
    "It runs at {} bpm.",
    "Tempo: {} beats per minute.",
    "The pace is {} beats per minute.",
    "It is played at {} bpm.",
    "The bpm is {}.",
)
TEMPO_WORD = (
    "The tempo is {}.",
    "It is played {}.",
    "The pace is {}.",
    "It moves at an {} tempo.",
    "The tempo marking is {}.",
    "Tempo: {}.",
)
KEY = (
    "The key is {}.",
    "It is in the key of {}.",
    "It is written in {}.",
    "Key: {}.",
    "The tonality is {}.",
    "The music is in {}.",
    "The tonal center is {}.",
    "The key is {}, relative to {relative}.",
)
DYNAMICS_START = (
    "There is a {kind} from the start until {at}.",
    "It begins with a {kind} that lasts until {at}.",
    "The volume {moves} steadily from the beginning until {at}.",
    "It grows {softer} from the start up to {at}.",
    "From the outset the music {moves}, until {at}.",
    "It opens with a {kind}, which ends at {at}.",
)
DYNAMICS_END = (
    "There is a {kind} from {at} on.",
    "A {kind} sets in at {at}.",
    "The volume {moves} steadily after {at}.",
    "It grows {softer} from {at} to the end.",
    "A {kind} starts at {at} and leads to the end.",
    "From {at} on the music {moves} bit by bit.",
)
SENTENCE_COUNTS = (0.25, 0.30, 0.20, 0.15, 0.10)  # 0 to 4 control sentences


def chord_sentence(clip, rng):
    """State the chords in order, spelled in the key, equal neighbours once, stretches without a chord left out."""
    names = [name for name, _ in groupby(c.lead_sheet(clip.key) for c in clip.chords if c.root is not None)]
    return str(rng.choice(CHORDS)).format(", ".join(names)) if names else None


def beat_sentence(clip, rng):
    """State the meter."""
    return str(rng.choice(BEAT)).format(clip.meter.beats, clip.meter.unit) if clip.meter else None


def tempo_sentence(clip, rng):
    """State the tempo, as a number or as a word, half and half."""
    if clip.bpm is None:
        return None
    if rng.random() < 0.5:
        return str(rng.choice(TEMPO_NUMBER)).format(f"{clip.bpm:g}")
    word = tempo_word(clip.bpm)
    word = word if rng.random() < 0.5 else word.lower()
    text = str(rng.choice(TEMPO_WORD)).format(word)
    return text if word[0] in "Aa" else text.replace(" an ", " a ")


def key_sentence(clip, rng):
    """State the key; the mode is written out or short, the relative key may be named after it."""
    if not clip.key:
        return None
    name = str(clip.key) if rng.random() < 0.75 else f"{clip.key.tonic} {clip.key.mode[:3]}"
    return str(rng.choice(KEY)).format(name, relative=clip.key.relative)


def dynamics_sentence(clip, rng):
    """State the change of loudness, with its turn in seconds, or as "midway" half the time where that is so."""
    dynamics = clip.dynamics
    if not dynamics:
        return None
    midway = abs(dynamics.turn_s / clip.duration_s - 0.5) < 0.05 and rng.random() < 0.5
    rising = dynamics.kind == "crescendo"
    words = {
        "kind": dynamics.kind,
        "at": "midway" if midway else f"{dynamics.turn_s:g} seconds",
        "moves": "rises" if rising else "falls",
        "softer": "louder" if rising else "softer",
    }
    return (
        str(rng.choice(DYNAMICS_START if dynamics.where == "start" else DYNAMICS_END))
        .format(**words)
        .replace("at midway", "midway")
    )


def control_sentences(clip, rng):
    """Return the four control sentences of a clip, {field of a row: text, None where there is nothing to state}."""
    return {
        "prompt_ch": chord_sentence(clip, rng),
        "prompt_bt": beat_sentence(clip, rng),
        "prompt_bpm": tempo_sentence(clip, rng),
        "prompt_key": key_sentence(clip, rng),
    }


def sentence_count(rng):
    """Draw how many control sentences a caption gets, 0 to 4."""
    return rng.choice(len(SENTENCE_COUNTS), p=SENTENCE_COUNTS)


def some_of(sentences, count, rng):
    """Return at most `count` of those sentences that are there, in random order."""
    present = [sentence for sentence in sentences if sentence]
    return [present[i] for i in rng.permutation(len(present))[:count]]


def training_captions(clip, seed, count):
    """Return `count` captions of a composed clip: other words each, with control sentences by the recipe."""
    rng = np.random.default_rng([seed, 5])
    captions = []
    for _ in range(count):
        main = composed_caption(clip.tags, rng)
        main = main if main[-1] == "." or rng.random() < 0.5 else main + "."
        count = sentence_count(rng)
        captions.append(" ".join([main, *some_of(control_sentences(clip, rng).values(), count, rng)]))
    return captions


# ---------------------------------------------------------------------------------------------------- songs


def heard_caption(clip, rng, genre=""):
    """Write a main caption from the sound itself: loudness, density of attacks, brightness, pace; `genre` from the file's tags."""
    samples, rate = clip.samples, clip.sample_rate
    levels = loudness_db(samples, rate, 0.02)
    attacks = np.sum((np.diff(levels) > 4) & (levels[1:] > levels.max() - 30)) / clip.duration_s
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    centroid_hz = float((spectrum * np.fft.rfftfreq(len(samples), 1 / rate)).sum() / (spectrum.sum() + 1e-12))
    loud_db = float(np.median(levels))
    moods = [
        *(["calm"] if loud_db < -30 and attacks < 3 else ["energetic"] if loud_db > -18 and attacks > 3 else []),
        *(["sparse"] if attacks < 1.5 else ["busy"] if attacks > 6 else []),
        *(["dark"] if centroid_hz < 500 else ["bright"] if centroid_hz > 1600 else []),
    ]
    words = [str(rng.choice(MOODS[mood])) for mood in moods][:2]
    if clip.bpm and clip.meter:
        words += ["slow"] if clip.bpm < 80 else ["fast"] if clip.bpm > 140 else []
    sort = str(rng.choice(["piece of music", "recording", "track", "instrumental passage"]))
    named = " ".join([*words, genre.lower(), sort] if genre else [*words, sort])
    article = "an" if named[0] in "aeiou" else "a"
    pulse = "" if clip.beat_times else str(rng.choice([" without a clear pulse", " that floats without a beat"]))
    opening = str(rng.choice(["This is {}.", "{} plays.", "We hear {}.", "{}."])).format(f"{article} {named}{pulse}")
    return opening[0].upper() + opening[1:]


# What a copy by each transform may make untrue, more loosely than facts are read: a sentence too many is left out rather than kept.
_MODE = r"[- ]?(?:major|minor|maj|min)\b"
_KIND = r"(?:#|b|maj|min|m|M|dim|aug|sus[24]?|add\d+|5|6|7|9|11|13|[+()])"
_UNTRUE = {
    "pitch": re.compile(  # notes, chords, keys; "a" is a word as well
        rf"(?i:\b(?:[b-g](?:#|b|[- ]?sharp|[- ]?flat)?|a(?:#|b|[- ]?sharp|[- ]?flat)){_MODE}|\ba[- ]?(?:major|minor)\b(?!\s+\w))"
        r"|(?i:\b[b-g][- ](?:sharp|flat)\b|\bkey of (?:[b-g]|a(?!\s+\w))\b)|(?<=\w )A[- ](?:major|minor|sharp|flat)\b"
        rf"|(?<![\w'#&.])(?:[B-G]{_KIND}*|A{_KIND}+)(?:/[A-G][#b]?)?(?![\w'#&]|-[a-z]{{2}})"
        r"|(?<=\w )A(?=\s*(?:[,.;:!?)|-]|$|(?:and|or|to|then|chord)\b))"
        r"|(?i:\bA4?\s*=\s*\d|\d\s*k?hz\b|\btun(?:ed|ing)\b.*\d)|\bin [a-h](?=\s*(?:[,.;:!?)]|$))"
    ),
    "tempo": re.compile(  # tempo and times; "second" alone counts
        r"\bbpm\b|\bbeats?\s*(?:/|per|a|each|every)\s*min|\b(?:seconds|minutes?|one second)\b|\d[- ]?(?:sec|second|min|minute)s?\b|\d s\b"
        r"|\b\d{1,2}:\d\d\b|=\s*\d{2,3}\b|\bat (?:about |around )?\d{2,3}\b(?!\s*k?hz|\s*%)|\b\d{2,3}[- ](?:pulse|groove|tempo|pace)\b",
        re.IGNORECASE,
    ),
    "dynamics": re.compile(
        r"crescendo|diminuendo|\bfad(?:es?|ed|ing)\b|\b(?:get|grow|becom)\w* (?:\w+ )?(?:louder|softer|quieter)\b"
        r"|\b(?:buil\w+|swell\w*) (?:\w+ )?(?:up|to)\b|\bclimax|\b(?:start|begin|open|end|finish)\w* (?:\w+ ){0,2}(?:quiet|soft|loud)"
        r"|\b(?:volume|level|loudness)\b.*\b(?:increas|decreas|ris|fall|drop|grow|climb|swell|go(?:es)? (?:up|down)|constant|steady|same)"
        r"|\b(?:constant|steady|even|same) (?:volume|level|loudness)\b"
        r"|\b(?:increas|decreas|ris|fall|drop|grow)\w* (?:in |of )?(?:the )?(?:volume|level|loudness)\b",
        re.IGNORECASE,
    ),
}
_CONTROL = re.compile(  # how a sentence begins that states a control and says nothing of the sound
    r"(?:the |its |this (?:song|piece|track)(?:'s)? )?(?:chords?|harmony|key|tonality|tonal|tempo|pace|bpm|meter|time signature|(?:down)?beats?)\b"
    r"|(?:it|(?:the|this) (?:song|piece|track|music)) (?:is (?:in|at|played|written|built|counted)|runs|counts|goes|moves)\b"
    r"|there are \d+ beats|each bar",
    re.IGNORECASE,
)


# Not after "Dr.", "No.", "feat." or an initial.
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b(?:Dr|Mr|Ms|St|Jr|No|no|Op|op|vs|ft)\.)(?<!\b(?:Mrs|Vol|vol|arr)\.)(?<!\b(?:feat|prod)\.)(?<!\b[H-Z]\.)\s+"
)


def _is_control(sentence):
    return bool(_CONTROL.match(sentence)) and read_prompt(sentence) != Stated()


def fitting_caption(text, steps):
    """Drop those sentences of a song's own text that a copy's steps made untrue: its tempo, times, key, chords, dynamics.

    Returns "" where that leaves nothing but control sentences, which say nothing of the sound.
    """
    kinds = {step["transform"] for step in steps}
    sentences, kept = _SENTENCE_END.split(text), []
    for sentence in sentences:
        stated = read_prompt(sentence)
        facts = {"tempo": stated.tempo, "pitch": stated.key or stated.chords, "dynamics": stated.dynamics}
        if not any(facts[kind] or _UNTRUE[kind].search(ascii_accidentals(sentence)) for kind in kinds):
            kept.append(sentence)
    if len(kept) < len(sentences) and all(map(_is_control, kept)):
        return ""
    return " ".join(kept)


_ODD_NOTE = re.compile(r"\b(?:[A-G](?:##|bb)|[BE]#|[CF]b)")


def contradicted(text, clip):
    """Name those fields of control sentences whose fact a text states otherwise than a clip's labels do.

    A tempo may differ by 4 %, or stay within its word; all chords heard must be among those stated, as major or minor.
    """
    stated, fields = read_prompt(text), []
    if stated.chords and clip.chords:
        line = re.sub(r"\||:\d(\.\d)?(?= |$)", " ", stated.chords)  # bars and beats
        said = Progression.parse(line, key=stated.key or clip.key).chords
        heard, said = (
            {(c.root, c.reduced("majmin").quality) for c in chords if c.root is not None} for chords in (clip.chords, said)
        )
        fields += ["prompt_ch"] if heard - said else []
    if stated.meter and clip.meter and stated.meter != clip.meter:
        fields.append("prompt_bt")
    if stated.tempo and clip.bpm and abs(clip.bpm / stated.tempo - 1) > 0.04:
        by_word = f"{stated.tempo:g}" not in text
        words = {tempo_class(clip.bpm), tempo_class(clip.bpm / beats_counted(clip.meter))}  # the recipe's, and what people mean
        fields += [] if by_word and tempo_class(stated.tempo) in words else ["prompt_bpm"]
    if stated.key and clip.key and not stated.key.same_as(clip.key):
        fields.append("prompt_key")
    return fields


def whole_caption(main, clip, rng, count=None, without=()):
    """Return (caption, sentences by field): the main caption, 0 to 4 control sentences, always the dynamics one if any.

    without: fields that get no sentence. Chords are named plainly: G for F##, C for B#.
    """
    fields = control_sentences(clip, rng) | {"prompt_aug": dynamics_sentence(clip, rng)}
    if fields["prompt_ch"]:
        fields["prompt_ch"] = _ODD_NOTE.sub(lambda match: spell_note(pitch_class(match[0])), fields["prompt_ch"])
    fields |= dict.fromkeys(without)
    count = sentence_count(rng) if count is None else count
    chosen = some_of([fields[name] for name in fields if name != "prompt_aug"], count, rng)
    chosen += [fields["prompt_aug"]] if fields["prompt_aug"] else []
    main = main.strip()
    main += "" if not main or main[-1] in ".!?" else "."
    return " ".join([main, *(chosen[i] for i in rng.permutation(len(chosen)))]).strip(), fields


# ---------------------------------------------------------------------------------------------------- paraphrase

OPENINGS = {
    "This is": ("Here is", "What plays is"), "We hear": ("One hears", "There is"), "There is": ("One hears", "We hear"),
    "features": ("has", "includes"), "contains": ("has", "includes"),
}  # fmt: skip
NOUNS = {
    "song": ("tune", "piece"), "track": ("recording", "piece"), "piece": ("composition", "track"), "recording": ("track", "piece"),
    "piece of music": ("piece", "track"), "instrumental passage": ("instrumental", "instrumental piece"),
}  # fmt: skip
ADJECTIVES = {
    "fast": ("quick", "rapid"), "slow": ("unhurried", "leisurely"), "happy": ("cheerful", "joyful"), "sad": ("sorrowful", "mournful"),
    "loud": ("powerful", "forceful"), "soft": ("gentle", "quiet"), "calm": ("peaceful", "relaxed"), "busy": ("dense", "crowded"),
    "energetic": ("lively", "spirited"), "dark": ("gloomy", "sombre"), "bright": ("radiant", "sparkling"), "sparse": ("thin", "spacious"),
    "simple": ("plain", "uncomplicated"), "beautiful": ("lovely", "graceful"),
}  # fmt: skip
_MOODS = "|".join(sorted({*ADJECTIVES, *(word for words in MOODS.values() for word in words)}))
_QUOTED = r"[\"“„«][^\"”“»]*[\"”“»]|(?<!\w)['‘][^'’]*['’](?!\w)"
_FIRST = r"(?:^|(?<=[.!?] ))"
# Only what is safe wherever it stands: "a slow song", but not "a drum track", "soft rock", "Sad Song", nor anything in quotes.
_REWORDED = re.compile(
    rf"{_QUOTED}|(?P<opening>{_FIRST}(?:This is|We hear|There is)|\b(?:features|contains))(?= an? )"
    rf"|(?<![\w-])(?P<article>{_FIRST}(?:An?|The|This)|an?|the|this) (?P<moods>(?:(?:{_MOODS}) )*)(?P<noun>{'|'.join(sorted(NOUNS, key=len)[::-1])})"
    r"(?=[.,;:!?]|$| (?:with|without|that|which|is|has|features|contains|plays|in|at|by|from|for)\b)"
)


def reworded(text, rng):
    """Swap what can be said otherwise wherever it stands and move the control sentences at the end; facts are kept (checked)."""

    def swap(match):
        if match["opening"]:
            return str(rng.choice(OPENINGS[match["opening"]]))
        if not match["noun"]:
            return match[0]
        moods = [str(rng.choice(ADJECTIVES.get(mood, [mood]))) for mood in match["moods"].split()]
        named = " ".join([*moods, str(rng.choice(NOUNS[match["noun"]]))])
        article = match["article"] if match["article"][0] in "tT" else match["article"][0] + "n" * (named[0] in "aeiou")
        return f"{article} {named}"

    sentences = _SENTENCE_END.split(_REWORDED.sub(swap, text))
    main = len(sentences)
    while main > 1 and _is_control(sentences[main - 1]):
        main -= 1
    parts = [" ".join(sentences[:main]), *sentences[main:]]
    result = " ".join(parts[i] for i in rng.permutation(len(parts)))
    return result if same_facts(text, result) else text


class Paraphraser:
    """Rewrite captions by rule ("rules"), a local text2text model's folder, or an OpenAI-compatible endpoint's URL.

    A rewriting that loses or changes a number, chord, key, meter or tempo is asked for again, `tries` times, then replaced by the
    rules'. The key of an endpoint is read from OPENAI_API_KEY, its model from `model`. Raises InputError when the way given
    cannot work.
    """

    REQUEST = "Rewrite this description of a music recording in other words. Keep every number, chord, key and tempo as it is: "

    def __init__(self, way="rules", model=None, tries=3):
        self.way, self.model, self.tries = way, model, tries
        if way != "rules" and not re.match(r"https?://", way) and not os.path.isdir(way):
            raise InputError(f"cannot paraphrase by {way!r}; give 'rules', a model's folder or the URL of a service")
        if re.match(r"https?://", way) and not model:
            raise InputError("no model named for the paraphrasing service; give --paraphrase-model")
        if model and not re.match(r"https?://", way):
            raise InputError(f"--paraphrase-model {model} is of a service; give its URL as --paraphrase, or leave it out")

    def check(self):
        """Load what rewrites captions here, if anything does. Raises InputError."""
        if self.way != "rules" and not self.way.startswith("http"):
            _text_model(self.way)

    def __call__(self, text, rng):
        """Return a paraphrase of a caption."""
        if self.way != "rules":
            for _ in range(self.tries):
                other = self._ask(text, int(rng.integers(2**31))).strip().strip('"')
                if other and other != text and same_facts(text, other):
                    return other
        return reworded(text, rng)

    def _ask(self, text, seed):
        if self.way.startswith("http"):
            return _ask_service(self.way, self.model, self.REQUEST + text, seed)
        return _ask_model(self.way, self.REQUEST + text, seed)


def _ask_service(url, model, request, seed, sleep=time.sleep):
    """Ask a service; where it is busy (429) or fails (5xx), wait as long as it says, a minute at most, and ask again, thrice."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    body = {"model": model, "messages": [{"role": "user", "content": request}], "seed": seed, "temperature": 1.0}
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    waits_s = [16, 4, 1]
    while True:
        try:
            with urlopen(Request(url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), headers), timeout=60) as answer:
                content = json.load(answer)["choices"][0]["message"]["content"]
                if not isinstance(content, str):
                    raise TypeError(f"its content is {content!r}")
                return content
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            if not waits_s or not isinstance(error, HTTPError) or not (error.code == 429 or error.code >= 500):
                raise InputError(
                    f"the paraphrasing service {url} gave no answer ({error}); check it, or leave --paraphrase out"
                ) from None
            wait_s, told = waits_s.pop(), error.headers.get("Retry-After") or ""
            sleep(min(int(told), 60) if told.isdecimal() else wait_s)


@cache
def _text_model(folder):
    try:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        return AutoTokenizer.from_pretrained(folder), AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    except ImportError as error:
        raise InputError(f"paraphrasing by a model needs torch and transformers ({error}); install them, or give 'rules'") from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"cannot load a text2text model from {folder} ({str(error).splitlines()[0]}); give another folder"
        ) from None


def _ask_model(folder, request, seed):
    import torch

    tokenizer, model = _text_model(folder)
    torch.manual_seed(seed)
    words = tokenizer(request, return_tensors="pt", truncation=True)
    with torch.no_grad():
        answer = model.generate(**words, do_sample=True, top_p=0.95, max_new_tokens=200)
    return tokenizer.decode(answer[0], skip_special_tokens=True)
