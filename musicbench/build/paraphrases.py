"""Captions said in other words, with the same facts: by rule, by a text model, or by a service."""

import json
import os
import re
import time
from functools import cache
from http.client import HTTPException
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from musicbench import InputError
from musicbench.build.clauses import SENTENCE_END
from musicbench.build.truth import is_control
from musicbench.compose.styles import MOODS
from musicbench.model_folders import LOCAL, loaded_within, reason
from musicbench.prompt.facts import same_facts

OPENINGS = {
    "This is": ("Here is", "It is"), "We hear": ("One hears", "There is"), "There is": ("One hears", "We hear"),
    "features": ("has", "includes"), "contains": ("has", "includes"),
}  # fmt: skip
NOUNS = {
    "song": ("tune", "piece"), "track": ("recording", "piece"), "piece": ("composition", "track"),
    "recording": ("track", "piece"),
    "piece of music": ("piece", "track"), "instrumental passage": ("instrumental", "instrumental piece"),
}  # fmt: skip
ADJECTIVES = {
    "fast": ("quick", "rapid"), "slow": ("unhurried", "leisurely"), "happy": ("cheerful", "joyful"),
    "sad": ("sorrowful", "mournful"),
    "loud": ("powerful", "forceful"), "soft": ("gentle", "quiet"), "calm": ("peaceful", "relaxed"),
    "busy": ("dense", "crowded"),
    "energetic": ("lively", "spirited"), "dark": ("gloomy", "sombre"), "bright": ("radiant", "sparkling"),
    "sparse": ("thin", "spacious"),
    "simple": ("plain", "uncomplicated"), "beautiful": ("lovely", "graceful"),
}  # fmt: skip
_MOODS = "|".join(sorted({*ADJECTIVES, *(word for words in MOODS.values() for word in words)}))
_QUOTED = r"[\"“„«][^\"”“»]*[\"”“»]|(?<!\w)['‘][^'’]*['’](?!\w)"
_FIRST = r"(?:^|(?<=[.!?] ))"
# Only what is safe wherever it stands: "a slow song", but not "a drum track", "soft rock", "Sad Song", nor anything in
# quotes.
_REWORDED = re.compile(
    rf"{_QUOTED}|(?P<opening>{_FIRST}(?:This is|We hear|There is)|\b(?:features|contains))(?= an? )"
    rf"|(?<![\w-])(?P<article>{_FIRST}(?:An?|The|This)|an?|the|this) (?P<moods>(?:(?:{_MOODS}) )*)"
    rf"(?P<noun>{'|'.join(sorted(NOUNS, key=len)[::-1])})"
    r"(?=[.,;:!?]|$| (?:with|without|that|which|is|has|features|contains|plays|in|at|by|from|for)\b)"
)

ANSWER_BYTES, ANSWER_S = 1 << 20, 120  # of a service's answer; of all that comes to and fro for it


def reworded(text, rng):
    """Swap what can be said otherwise wherever it stands and move the control sentences at the end.

    Facts are kept (checked).
    """

    def swap(match):
        if match["opening"]:
            return str(rng.choice(OPENINGS[match["opening"]]))
        if not match["noun"]:
            return match[0]
        moods = [str(rng.choice(ADJECTIVES.get(mood, [mood]))) for mood in match["moods"].split()]
        named = " ".join([*moods, str(rng.choice(NOUNS[match["noun"]]))])
        article = match["article"] if match["article"][0] in "tT" else match["article"][0] + "n" * (named[0] in "aeiou")
        return f"{article} {named}"

    sentences, others = SENTENCE_END.split(text), SENTENCE_END.split(_REWORDED.sub(swap, text))
    sentences = [other if same_facts(one, other) else one for one, other in zip(sentences, others, strict=True)]
    main = len(sentences)
    while main > 1 and is_control(sentences[main - 1]):
        main -= 1
    parts = [" ".join(sentences[:main]), *sentences[main:]]
    return " ".join(parts[i] for i in rng.permutation(len(parts)))


class Paraphraser:
    """Rewrite captions by rule ("rules"), a local text2text model's folder, or an OpenAI-compatible endpoint's URL.

    A rewriting that loses or changes a number, chord, key, meter or tempo is asked for again, `tries` times, then
    replaced by the rules'. The key of an endpoint is read from OPENAI_API_KEY, its model from `model`. Raises
    InputError when the way given cannot work.
    """

    REQUEST = "Rewrite this description of a music recording in other words. Keep every number, chord, key and tempo as it is: "

    def __init__(self, way="rules", model=None, tries=3):
        self.way, self.model, self.tries = way, model, tries
        if way != "rules" and not re.match(r"https?://", way) and not os.path.isdir(way):
            raise InputError(f"cannot paraphrase by {way!r:.40}; give 'rules', a model's folder or the URL of a service")
        if re.match(r"https?://", way) and not model:
            raise InputError("no model named for the paraphrasing service; give --paraphrase-model")
        if re.match(r"https?://", way):
            _check_service(way)
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
                other = " ".join(self._ask(text, int(rng.integers(2**31))).split()).strip('"')
                if other != text and _is_caption(other, text) and same_facts(text, other):
                    return other
        return reworded(text, rng)

    def _ask(self, text, seed):
        if self.way.startswith("http"):
            return _ask_service(self.way, self.model, self.REQUEST + text, seed)
        return _ask_model(self.way, self.REQUEST + text, seed)


def _is_caption(other, text):
    """Tell whether an answer can stand for a caption: some text in signs that print, and not many times as much."""
    return 0 < len(other) <= 3 * len(text) + 300 and other.isprintable()


class _NoRedirects(HTTPRedirectHandler):
    """A service that sends elsewhere is not followed: the key is for the address that was given, and no other."""

    def redirect_request(self, *_):
        return None


def _check_service(url):
    """Raise InputError for an address that holds more than where the service is: it is kept in the dataset's build.json."""
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError("the paraphrasing service's URL holds a password, a query or a fragment; give a key in OPENAI_API_KEY")


def _headers():
    """Return the headers of a request. Raises InputError, which does not show it, for a key that no header can hold."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and (key + " ").isprintable()):
        raise InputError("OPENAI_API_KEY holds letters that no key has; set it anew")
    return {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})


def _ask_service(url, model, request, seed, sleep=time.sleep):
    """Ask a service; where it is busy (429) or fails (5xx), wait as long as it says, a minute at most, and ask
    again, thrice."""
    body = {"model": model, "messages": [{"role": "user", "content": request}], "seed": seed, "temperature": 1.0}
    asked = Request(url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), _headers())
    waits_s = [16, 4, 1]
    while True:
        try:
            content = json.loads(_within(ANSWER_S, lambda: _exchanged(asked)))["choices"][0]["message"]["content"]
            if not isinstance(content, str):
                raise TypeError(f"its content is {str(content)[:40]!r}")
            return content
        except HTTPError as error:
            error.close()
            if not waits_s or not (error.code == 429 or error.code >= 500):
                elsewhere = " elsewhere, where no key is sent" if 300 <= error.code < 400 else ""
                raise _no_answer(url, f"status {error.code}{elsewhere}") from None
            wait_s, told = waits_s.pop(), error.headers.get("Retry-After") or ""
            sleep(min(int(told[:5]), 60) if told.isdecimal() else wait_s)
        except RecursionError:
            raise _no_answer(url, "its answer is nested too deeply") from None
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            raise _no_answer(url, error) from None


def _exchanged(asked):
    """Return the bytes of the answer to a request. Raises ValueError where they are too many."""
    with build_opener(_NoRedirects).open(asked, timeout=60) as answer:
        data = answer.read(ANSWER_BYTES + 1)
    if len(data) > ANSWER_BYTES:
        raise ValueError(f"its answer is longer than {ANSWER_BYTES} bytes")
    return data


def _within(seconds, work):
    """Return what `work` returns, or raise what it raises. Raises TimeoutError after so many seconds, however slowly the other side goes
    on: headers, interim answers and body. It is waited for in a thread, which then ends with the process."""
    came = []

    def run():
        try:
            came.append((work(), None))
        except Exception as error:
            came.append((None, error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not came:
        raise TimeoutError(f"its answer takes longer than {seconds} s")
    (value, error) = came[0]
    if error:
        raise error
    return value


def _no_answer(url, reason):
    said = "".join(letter if letter.isprintable() else "?" for letter in str(reason))
    return InputError(f"the paraphrasing service {url} gave no answer ({said[:200]}); check it, or leave --paraphrase out")


@cache
def _text_model(folder):
    try:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        with loaded_within(folder):
            tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
            return tokenizer, AutoModelForSeq2SeqLM.from_pretrained(folder, **LOCAL).eval()
    except ImportError as error:
        raise InputError(f"paraphrasing by a model needs torch and transformers ({error}); install them, or give 'rules'") from None
    except Exception as error:  # what a folder of somebody's raises nobody foresees
        raise InputError(f"cannot load a text2text model from {folder} ({reason(error)}); give another folder") from None


def _ask_model(folder, request, seed):
    import torch

    tokenizer, model = _text_model(folder)
    torch.manual_seed(seed)
    words = tokenizer(request, return_tensors="pt", truncation=True)
    with torch.no_grad():
        answer = model.generate(**words, do_sample=True, top_p=0.95, max_new_tokens=200)
    return tokenizer.decode(answer[0], skip_special_tokens=True)
