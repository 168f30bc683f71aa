"""Captions by others: a tiny random model, CLAP with tags of one's own, a service on this machine."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import soundfile
from test_embeddings import tiny_clap  # noqa: F401

from musicbench import InputError
from musicbench.build import paraphrases
from musicbench.build.captioners import Captioner
from musicbench.build.texts import MAX_CAPTION

SOUND = np.sin(np.arange(24000) / 10).astype(np.float32) * 0.3


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory):
    """An audio-to-text folder, random and tiny: it proves the way through transformers, not what is heard."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
    )

    folder = tmp_path_factory.mktemp("whisper")
    words = ["<pad>", "<s>", "</s>", "<unk>", "a", "calm", "piano", "with", "drums", "bright"]
    config = WhisperConfig(
        vocab_size=len(words), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=80, max_source_positions=1500, max_target_positions=160, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=[0, 1, 2, 3],
    )  # fmt: skip
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_model_in_a_folder_captions(tiny_whisper):
    caption = Captioner(str(tiny_whisper))
    caption.check()
    text = caption(SOUND, 24000)
    assert text and set(text.split()) <= {"a", "calm", "piano", "with", "drums", "bright"} and text == caption(SOUND, 24000)


def test_clap_says_those_of_the_users_tags_that_fit(tiny_clap):  # noqa: F811
    (tiny_clap / "tags.txt").write_text("calm piano\n\nloud drums\ncalm piano\n", encoding="utf-8")
    text = Captioner(f"clap={tiny_clap}")(SOUND, 24000)
    assert text.startswith("Music with the sound of ") and ("calm piano" in text or "loud drums" in text) and text.endswith(".")


def test_what_cannot_caption_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot caption by 'nowhere'"):
        Captioner("nowhere")
    with pytest.raises(InputError, match="--captioner-model"):
        Captioner("http://127.0.0.1/v1")
    with pytest.raises(InputError, match="of a service"):
        Captioner(str(tmp_path), "any")
    with pytest.raises(InputError, match="cannot load a captioning model") as told:
        Captioner(str(tmp_path)).check()
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="cannot read the tags"):
        Captioner(f"clap={tmp_path}").check()
    (tmp_path / "tags.txt").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="cannot read the tags .* a pipe or a device"):
        Captioner(f"clap={tmp_path}").check()
    (tmp_path / "tags.txt").unlink()
    (tmp_path / "tags.txt").write_text("one\n")
    with pytest.raises(InputError, match="holds 1 tags; give 2 to"):
        Captioner(f"clap={tmp_path}").check()


@pytest.fixture
def service():
    """A service that answers what `answers` holds, and keeps what it was asked."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
            code, content = self.server.answers.pop(0)
            self.send_response(code)
            if code == 302:
                self.send_header("Location", content)
            data = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    server.asked, server.answers = [], []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_service_hears_the_clip(service, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    caption = Captioner(f"http://127.0.0.1:{service.server_port}/v1", "any")
    service.answers = [(200, ' "A <b>calm</b>\n harp.\x07" '), (200, "none"), (200, "la " * 9000)]
    assert caption(SOUND, 24000) == "A calm harp."
    path, headers, body = service.asked[0]
    text, sound = body["messages"][0]["content"]
    data, rate = soundfile.read(io.BytesIO(base64.b64decode(sound["input_audio"]["data"])))
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer secret" and "music" in text["text"]
    assert rate == 24000 and len(data) == len(SOUND) and np.abs(data - SOUND).max() < 1e-3
    assert caption(SOUND, 24000) == "" and len(caption(SOUND, 24000)) <= MAX_CAPTION
    service.answers = [(401, "no")]
    with pytest.raises(InputError, match="the captioning service .* gave no answer .*--captioner"):
        caption(SOUND, 24000)


@pytest.mark.skipif(not hasattr(paraphrases, "_NoRedirects"), reason="the client of paraphrases follows redirects")
def test_a_service_that_sends_elsewhere_is_not_followed(service, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    service.answers = [(302, f"http://127.0.0.1:{service.server_port}/elsewhere"), (200, "A harp.")]
    with pytest.raises(InputError, match="gave no answer"):
        Captioner(f"http://127.0.0.1:{service.server_port}/v1", "any")(SOUND, 24000)
    assert len(service.asked) == 1
