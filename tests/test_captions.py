"""Every control sentence can be read back by the prompt reader; paraphrases keep the facts."""

import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.build import captions, paraphrases, truth
from musicbench.compose.compose import caption, describe, plan
from musicbench.music.chords import Chord
from musicbench.music.dynamics import Dynamics
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression
from musicbench.music.tempo import beats_counted, tempo_class
from musicbench.prompt.facts import read_prompt, same_facts
from musicbench.sound.clip import Clip


def labelled(seed):
    piece = plan(seed, lead_in=False)
    chords, times = piece.progression.lay_out(piece.bpm, 10, whole=False)
    key = piece.key if piece.comping else None
    clip = Clip(np.zeros(0), 1, bpm=piece.bpm, meter=piece.meter, chords=tuple(chords), chord_times=tuple(times), key=key)
    return clip, caption(describe(piece), np.random.default_rng(seed)).rstrip(".") + "."


def chords_said(stated, clip):
    return Progression.parse(stated.chords, clip.meter).chords if stated.chords else []


def chords_to_say(clip):
    """The chords of a clip, breaks left out, equal neighbours once."""
    return [chord for chord, _ in groupby(chord for chord in clip.chords if chord.root is not None)]


def key_to_say(clip):
    """The key of a clip, unless a chord on its tonic has the other mode."""
    return None if clip.key and captions.other_mode(clip.key, clip.chords) else clip.key


def is_tempo_of(stated, clip):
    """Tell whether a stated tempo is a clip's: its counted beats as a whole number, or the word for its pace, which in 6/8 is the dotted beat's."""
    return stated.tempo == round(clip.bpm) or tempo_class(stated.tempo) == tempo_class(clip.bpm / beats_counted(clip.meter))


@pytest.mark.slow
@settings(max_examples=150)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_sentences_read_back(seed, words):
    clip, main = labelled(seed)
    rng = np.random.default_rng(words)
    stated = read_prompt(f"{main} {captions.chord_sentence(clip, rng) or ''}")
    assert chords_said(stated, clip) == chords_to_say(clip)
    stated = read_prompt(f"{main} {captions.beat_sentence(clip, rng)}")
    assert stated.meter.beats == clip.meter.beats
    stated = read_prompt(f"{main} {captions.tempo_sentence(clip, rng)}")
    assert is_tempo_of(stated, clip)
    stated = read_prompt(f"{main} {captions.key_sentence(clip, rng) or ''}")
    key = key_to_say(clip)
    assert stated.key.same_as(key) if key else stated.key is None


@pytest.mark.slow
@settings(max_examples=150)
@given(st.integers(0, 10**6))
def test_main_captions_state_no_control(seed):
    _, main = labelled(seed)
    stated = read_prompt(main)
    assert (stated.tempo, stated.key, stated.meter, stated.chords, stated.dynamics) == (None,) * 5, main


@pytest.mark.slow
@settings(max_examples=150)
@given(st.sampled_from(["crescendo", "decrescendo"]), st.sampled_from(["start", "end"]), st.integers(5, 95), st.integers(0, 10**6))
def test_dynamics_read_back(kind, where, tenths, words):
    clip, main = labelled(words)
    clip = replace(clip, samples=np.zeros(10), dynamics=Dynamics(kind, where, tenths / 10, 0.3))
    sentence = captions.dynamics_sentence(clip, np.random.default_rng(words))
    heard = read_prompt(f"{main} {sentence}").dynamics
    assert (heard.kind, heard.where) == (kind, where), sentence
    assert heard.turn_s == tenths / 10 or ("midway" in sentence and abs(tenths - 50) <= 5)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.integers(0, 10**6))
def test_whole_captions_and_paraphrases_keep_the_facts(seed):
    clip, main = labelled(seed)
    rng = np.random.default_rng(seed)
    clip = replace(clip, samples=np.zeros(10), dynamics=Dynamics("crescendo", "end", 6.5, 0.3) if seed % 2 else None)
    text, fields = captions.whole_caption(main, clip, rng, 4)
    assert all(sentence in text for sentence in fields.values() if sentence)
    stated = read_prompt(text)
    assert chords_said(stated, clip) == chords_to_say(clip)
    key = key_to_say(clip)
    assert (stated.key.same_as(key) if key else stated.key is None) and stated.meter.beats == clip.meter.beats
    assert is_tempo_of(stated, clip) and bool(stated.dynamics) == bool(clip.dynamics)
    assert same_facts(text, paraphrases.Paraphraser()(text, rng))


def test_rules_do_rewrite():
    texts = [paraphrases.reworded("This is a calm track. The bpm is 90.", np.random.default_rng(seed)) for seed in range(8)]
    assert len(set(texts)) > 2 and all("90" in text for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        "A woman singing softly over a rhythm guitar.", "A rhythm and blues song with soft rock drums.", "Drum and bass with a drum track.",
        "Sad Song plays, then Bright Eyes.", "It sings 'a sad song, a slow song' and \"A happy track\".", "Calm and there is a piano.",
        "Recorded by Dr. Dre in a studio.", "A hymn. It is in its second verse.", "A unique one-man band plays for an hour.",
        "There is no singing, this is music.", "A three-piece band on the fast track to fame.", "called The Song, by A Track",
    ],
)  # fmt: skip
def test_rules_leave_what_they_could_damage(text):
    assert {paraphrases.reworded(text, np.random.default_rng(seed)) for seed in range(8)} == {text}


def test_rules_keep_article_order_and_abbreviations():
    text = "A slow song by Dr. Dre. She sings. The bpm is 90."
    texts = {paraphrases.reworded(text, np.random.default_rng(seed)) for seed in range(40)}
    mains = {f"{named} {noun} by Dr. Dre. She sings." for named in ("An unhurried", "A leisurely") for noun in ("tune", "piece")}
    assert texts == {f"{main} The bpm is 90." for main in mains} | {f"The bpm is 90. {main}" for main in mains}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ("At 120 bpm a piano plays Am, F, C, G chords in A minor.", True),
        ("A piano plays the chords Am, F, C, G in A minor at 121 bpm.", False),
        ("A piano plays the chords Am, F, G, C in A minor at 120 bpm.", False),
        ("A piano plays the chords Am, F, C, G in C minor at 120 bpm.", False),
        ("A piano plays the chords Am, F, C, G in A minor.", False),
    ],
)
def test_same_facts(changed, same):
    assert same_facts("A piano plays the chords Am, F, C, G in A minor at 120 bpm.", changed) is same


@pytest.mark.slow
def test_a_service_that_changes_facts_is_asked_again_then_left():
    answers = ["A tune at 91 bpm.", "A tune at 90 bpm."]

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"choices": [{"message": {"content": answers.pop(0) if answers else "silence"}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ask = paraphrases.Paraphraser(f"http://127.0.0.1:{server.server_port}/v1", "any")
    rng = np.random.default_rng(0)
    assert ask("A song at 90 bpm.", rng) == "A tune at 90 bpm."
    assert same_facts(ask("A song at 80 bpm.", rng), "A song at 80 bpm.")  # answers "silence" thrice, so the rules write it
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="gave no answer"):
        paraphrases.Paraphraser(f"http://127.0.0.1:{server.server_port}/v1", "any", tries=1)("A song.", rng)
    with pytest.raises(InputError, match="cannot paraphrase"):
        paraphrases.Paraphraser("/no/such/folder")
    with pytest.raises(InputError, match="paraphrase-model"):
        paraphrases.Paraphraser("http://127.0.0.1/v1")


@pytest.mark.parametrize("answer", [None, b'{"choices": [', b'{"choices": [{"message": {"content": null}}]}', b'{"choices": {}}'])
def test_a_service_without_an_answer_is_named(answer):
    """It closes at once, sends half, or nothing of use."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if answer:
                self.send_response(200)
                self.send_header("Content-Length", "1000" if answer.endswith(b"[") else str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with pytest.raises(InputError, match="gave no answer"):
            paraphrases.Paraphraser(f"http://127.0.0.1:{server.server_port}/v1", "any")("A song.", np.random.default_rng(0))
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def service(answer):
    """Give the URL of a service whose POST requests `answer(handler)` answers; their bodies are read before."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def answered(content, status=200, **headers):
    """Return what answers each request with bytes, or with a caption."""
    body = content if isinstance(content, bytes) else json.dumps({"choices": [{"message": {"content": content}}]}).encode()

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        with suppress(ConnectionError):  # who asked may have had enough
            handler.wfile.write(body)

    return answer


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_key_is_sent_nowhere_but_to_the_service(monkeypatch, code):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    keys = []

    def steal(handler):
        keys.append(handler.headers["Authorization"])
        answered("A stolen harp.")(handler)

    with service(steal) as thief, service(answered(b"", code, Location=thief + "/chat/completions")) as url:
        thief = thief.replace("127.0.0.1", "localhost")
        with pytest.raises(InputError, match=f"gave no answer .status {code} elsewhere, where no key is sent"):
            paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0))
    assert not keys


@pytest.mark.parametrize("key", ["sk-secret\n", "sk-sec\nret", "sk-secret\x1b[2J", "sk-sécret"])
def test_a_key_is_never_shown(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    keys = []

    def note(handler):
        keys.append(handler.headers["Authorization"])
        answered("A lyre.", 401)(handler)

    with service(note) as url, pytest.raises(InputError) as refused:
        paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0))
    assert "cret" not in str(refused.value) and keys in ([], ["Bearer sk-secret"])


@pytest.mark.parametrize("more", ["?key=sk-secret", "#sk-secret", ""])
def test_a_services_address_holds_no_key(more):
    url = f"http://127.0.0.1/v1{more}" if more else "http://me:sk-secret@127.0.0.1/v1"
    with pytest.raises(InputError, match="OPENAI_API_KEY") as refused:
        paraphrases.Paraphraser(url, "any")
    assert "sk-secret" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'{"choices": ' + b"[" * 200_000, "nested too deeply"),
        (b" " * (paraphrases.ANSWER_BYTES + 1) + b"{}", "longer than"),
        (b'{"choices": [{"message": {"content": ' + b"9" * 5000 + b"}}]}", "gave no answer"),
    ],
)
def test_answers_are_bounded(answer, says):
    with service(answered(answer)) as url, pytest.raises(InputError, match=says) as refused:
        paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0))
    assert len(str(refused.value)) < 400 and str(refused.value).isprintable()


def test_an_answer_without_end_is_left():
    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        with suppress(ConnectionError):
            while True:
                handler.wfile.write(b" " * 100_000)

    with service(drip) as url, pytest.raises(InputError, match="longer than"):
        paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0))


@pytest.mark.parametrize("sent", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X", b"HTTP/1.1 200 OK\r\n\r\n "])
def test_an_answer_that_comes_too_slowly_is_left(monkeypatch, sent):
    """A status, a header or a body of which a little comes again and again counts as one exchange."""
    monkeypatch.setattr(paraphrases, "ANSWER_S", 0.3)
    ended = threading.Event()

    def drip(handler):
        with suppress(ConnectionError):
            while not ended.wait(0.01):
                handler.wfile.write(sent)
                handler.wfile.flush()

    with service(drip) as url:
        try:
            with pytest.raises(InputError, match="takes longer than"):
                paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0))
        finally:
            ended.set()


@pytest.mark.parametrize(
    "content", ["A harp\x1b[2J plays.", "A harp\x00 plays.", "A \ud800 harp.", "A \u202eharp.", "A harp. " * 200, "", ' " ']
)
def test_what_cannot_be_a_caption_is_not_taken(content):
    with service(answered(content)) as url:
        made = paraphrases.Paraphraser(url, "any", tries=1)("We hear a song with a harp.", np.random.default_rng(0))
    assert "song" in made or "tune" in made or "piece" in made
    made.encode()


def test_an_answers_lines_become_one():
    with service(answered('"A harp\n\tplays  here."\n')) as url:
        assert paraphrases.Paraphraser(url, "any")("A harp.", np.random.default_rng(0)) == "A harp plays here."


def test_a_wait_of_many_digits_is_a_minute():
    waited = []
    with service(answered("A harp.", 429, Retry_After="9" * 5000)) as url, pytest.raises(InputError, match="status 429"):
        paraphrases._ask_service(url, "any", "A song.", 0, waited.append)
    assert waited == [60] * 3


@pytest.mark.parametrize(
    "config", ['{"model_type": "t5", "auto_map": {"AutoConfig": "evil.C"}}', "[" * 100_000, '{"model_type": "evil"}']
)
def test_a_paraphrasing_model_runs_no_code_and_never_asks(tmp_path, config):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass C: pass\n")
    with pytest.raises(InputError, match="cannot load a text2text model") as refused:
        paraphrases.Paraphraser(str(tmp_path)).check()
    assert not (tmp_path / "ran").exists() and len(str(refused.value).splitlines()) == 1


HEARD = Clip(
    np.zeros(0), 1, bpm=136.0, meter=Meter(4, 4), chords=(Chord.parse("F#"), Chord.parse("C#")), chord_times=(0, 2), key=Key("F#")
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("An upbeat pop track in C major at 91 bpm in 3/4 time.", ["prompt_bt", "prompt_bpm", "prompt_key"]),
        ("A pop track in Gb major at 137 bpm in 4/4 time with the chords Gb, Db7, B.", []),
        ("An allegro for strings.", []),  # 110 to 140
        ("A track at 125 bpm.", ["prompt_bpm"]),
        ("An adagio. The chords are F#, B.", ["prompt_ch", "prompt_bpm"]),
        ("In F# major, the chords are I - V | I:2 V:2.", []),
        ("A fast harp.", []),
    ],
)
def test_what_a_caption_states_is_not_contradicted(text, fields):
    assert truth.contradicted(text, HEARD) == fields
    assert truth.contradicted(text, Clip(np.zeros(0), 1)) == []
    jig = replace(HEARD, bpm=195.0, meter=Meter(6, 8))
    assert truth.contradicted("An adagio in 6/8.", jig) == truth.contradicted("A presto in 6/8.", jig) == []
    written, sentences = captions.whole_caption(text, HEARD, np.random.default_rng(0), 4, fields)
    assert truth.contradicted(written, HEARD) == fields, "the text's own facts come first"
    assert [name for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key") if not sentences[name]] == fields
    assert all(sentence in written for sentence in sentences.values() if sentence)


def test_heard_chords_are_named_plainly():
    chords = tuple(Chord.parse(name) for name in ("Dm", "G", "Bb/D", "Fm", "Cm7b5"))
    for tonic in ("G#", "C#", "Eb"):
        clip = replace(HEARD, chords=chords, chord_times=tuple(range(5)), key=Key(tonic, "minor"))
        for seed in range(10):
            sentence = captions.whole_caption("A harp.", clip, np.random.default_rng(seed))[1]["prompt_ch"]
            assert tuple(Progression.parse(read_prompt(sentence).chords).chords) == chords
            assert not re.search("##|[A-G]bb|[BE]#|[CF]b", sentence), sentence


@pytest.mark.parametrize(
    ("codes", "told", "waits_s"),
    [
        ([429, 503, 200], None, [1, 4]), ([429, 200], "7", [7]), ([500, 200], "86400", [60]), ([429, 200], "Wed, 21 Oct 2026 07:28:00 GMT", [1]),
        ([503] * 4, None, [1, 4, 16]), ([401], "7", []),
    ],
)  # fmt: skip
def test_a_busy_service_is_asked_again(codes, told, waits_s):
    left, waited = list(codes), []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(left.pop(0))
            if told:
                self.send_header("Retry-After", told)
            self.end_headers()
            self.wfile.write(b'{"choices": [{"message": {"content": "A harp."}}]}')

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        ask = (f"http://127.0.0.1:{server.server_port}/v1", "any", "A song.", 0, waited.append)
        if codes[-1] == 200:
            assert paraphrases._ask_service(*ask) == "A harp."
        else:
            with pytest.raises(InputError, match=f"gave no answer .*{codes[-1]}"):
                paraphrases._ask_service(*ask)
    finally:
        server.shutdown()
        server.server_close()
    assert waited == waits_s and not left


def test_recipe_draws_sentence_counts():
    counts = [captions.sentence_count(np.random.default_rng(s)) for s in range(3000)]
    shares = np.bincount(counts, minlength=5) / len(counts)
    np.testing.assert_allclose(shares, captions.SENTENCE_COUNTS, atol=0.03)


def test_missing_labels_have_no_sentence():
    clip = Clip(np.zeros(0), 1)
    assert captions.some_of(captions.control_sentences(clip, np.random.default_rng(0)).values(), 4, np.random.default_rng(0)) == []
