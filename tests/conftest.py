"""Fixtures: no network, and a tiny pipeline with random weights."""

import os
import socket

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
if "PYTEST_XDIST_WORKER" in os.environ:  # several test at once: threads would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from time import process_time

import pytest
from hypothesis import settings

from musicbench import InputError
from mustango.request.model_facts import ModelFacts
from mustango.request.reader import read
from mustango.request.request import Request

settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)  # a busy machine is no failure; CI repeats itself
settings.load_profile("house")

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parent.parent
HANG_S = 600  # what takes longer hangs: no bound on speed, the machine may be busy


HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)> </td></style></title> {{ 7 * 7 }} {% if %} &lt;"""


class Markup(HTMLParser):
    """What a browser sees in a page: the names of its `tags`, their `attributes` (name, value) and the `text` between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def processor_s(read, text, enough_s=0.0):
    """Return the processor's seconds for reading a text or refusing it: the least of three, as garbage may be collected meanwhile.

    It is read once only where that takes less than `enough_s`.
    """
    taken = []
    for _ in range(3):
        begun = process_time()
        with suppress(InputError):
            read(text)
        taken.append(process_time() - begun)
        if taken[-1] < enough_s:
            break
    return min(taken)


def read_chords(path):
    """Return (chords, start times in seconds) from the markers of a file that `musicbench.scores.midi.save_midi` wrote."""
    from mido import MidiFile

    from musicbench.music.chords import Chord

    chords, times, now = [], [], 0.0
    for message in MidiFile(path):
        now += message.time
        if message.type == "marker":
            chords.append(Chord.parse(message.text))
            times.append(now)
    return chords, times


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let no test reach out."""
    real = socket.socket.connect

    def connect(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address}")
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def fluidsynth_missing():
    """Say why composing cannot run here, or return None."""
    try:
        import fluidsynth  # noqa: F401

        from musicbench.compose.compose import find_soundfont

        find_soundfont()
    except Exception as error:  # pyfluidsynth raises ImportError or OSError by platform
        return str(error)
    return None


needs_fluidsynth = pytest.mark.skipif(bool(fluidsynth_missing()), reason=f"composing cannot run: {fluidsynth_missing()}")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A pipeline folder in our layout, all parts tiny and random."""
    import torch
    from diffusers import AutoencoderKL, DPMSolverMultistepScheduler
    from transformers import BertConfig, BertModel, BertTokenizer

    from mustango.model.conditioning import Conditioner
    from mustango.model.control import CONTROL_CHANNELS
    from mustango.model.mel import LogMel
    from mustango.model.munet import MuNet
    from mustango.model.vocoder import ISTFTVocoder
    from mustango.pipeline import MustangoPipeline

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "piano", "pop", "with", "drums", "calm", "guitar"]
    (folder / "vocab.txt").write_text("\n".join(words))
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    pipeline = MustangoPipeline(
        tokenizer=BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=32),
        text_encoder=BertModel(
            BertConfig(
                vocab_size=len(words), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
            )
        ),
        conditioner=Conditioner(dim=24, root_dim=8, time_dim=8, root_base=100.0, n_beat_types=9, max_beats=64, max_chords=64),
        unet=MuNet(
            in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1, num_heads=(1, 2),
            attention_levels=(False, True), cross_attention_dim=24, norm_num_groups=4, ff_mult=1, pooled_text=True,
            rotary_seconds=0.128, control_channels=CONTROL_CHANNELS, frames_per_row=8, columns=2,
        ),
        scheduler=DPMSolverMultistepScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction"),
        mel=LogMel(sample_rate=8000, n_fft=512, hop_length=128, n_mels=32, f_max=4000.0, fold=(4, 8)),
        vae=AutoencoderKL(
            in_channels=32, out_channels=32, latent_channels=4, block_out_channels=(8, 8), norm_num_groups=4, **blocks
        ),
        vocoder=ISTFTVocoder(sample_rate=8000, n_mels=32, n_fft=512, hop_length=128, channels=16, hidden=16, layers=1),
        window_s=10.24,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_folder):
    from mustango.pipeline import load_pipeline

    return load_pipeline(str(tiny_folder))


def resolve(prompt, *, predict=None, always_predict=False, window_s=10.24, longest_s=120.0, knows=None, **asked):
    """Return the Controls that a prompt and what is given beside it are read as, whatever a model can play."""
    request = Request(prompt=prompt, predictors="neural" if always_predict else "auto", **asked)
    return read(request, ModelFacts(window_s, longest_s, knows=knows), predict=predict)


@pytest.fixture
def hears(monkeypatch):
    """Return a function that has a build hear, in place of what it would, what `heard(samples, rate)` returns (a Heard)."""
    from musicbench.hearing.heard import HeardClip
    from musicbench.hearing.song import Listened

    def let(heard):
        waiting = []

        def listen(start_s, samples, rate, hearing, wanted=()):
            waiting.append(heard(samples, rate))
            return Listened(start_s, len(samples) / rate, None, ())

        def voted(clips, hearing, pace_of=None):
            told = [waiting.pop(0) for _ in clips]
            return [
                HeardClip(
                    start_s=clip.start_s, duration_s=clip.duration_s, **own.by_name(), key_probability=own.key_probability,
                    reasons=own.reasons, confidence=own.confidence,
                )
                for clip, own in zip(clips, told, strict=True)
            ]  # fmt: skip

        monkeypatch.setattr("musicbench.build.song_hearing.listen", listen)
        monkeypatch.setattr("musicbench.build.song_rows.voted", voted)
        monkeypatch.setattr("musicbench.build.song_hearing.why_no_tags", lambda: "not in tests")

    return let
