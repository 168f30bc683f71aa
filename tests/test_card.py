"""The dataset's card says what is there, `load_dataset(folder)` reads it, and a push uploads that alone, in private."""

import types
from collections import Counter
from io import BytesIO

import pytest
import soundfile
import yaml
from conftest import HOSTILE
from test_splits import PLAIN, tune

from musicbench import InputError
from musicbench.__main__ import main
from musicbench.build import pushing
from musicbench.build.build import build
from musicbench.build.card import CARD, MARK, card
from musicbench.build.dataset import read_rows, with_values
from musicbench.build.pushing import push
from musicbench.build.settings import Settings
from musicbench.hearing.heard import Heard
from musicbench.hearing.song import Hearing
from musicbench.sound.audio import load_audio

TOTALS = {name: {"rows": rows, "songs": 2, "seconds": 3600.0} for name, rows in (("train", 20), ("validation", 0), ("test", 4))}


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Six songs of 3 to 12 s, some with a licence, one of these in a tag."""
    folder = tmp_path_factory.mktemp("songs")
    for number, name in enumerate("abcdef"):
        soundfile.write(folder / f"{name}.wav", tune(number, 3.0 + 9 * (number == 1)), 16000)
    with soundfile.SoundFile(folder / "g.ogg", "w", 16000, 1) as file:
        file.license = "CC BY 4.0"
        file.write(tune(9, 3.0))
    (folder / "metadata.csv").write_text(f"file_name,License\na.wav,CC0\nb.wav,CC0\nc.wav,{HOSTILE.replace(',', ' ')}\n")
    return folder


@pytest.fixture
def make(songs, tmp_path, hears):
    """Return a function that builds the songs in a form, and returns the folder."""
    hears(lambda samples, rate: Heard())

    def made(form):
        recipe = type(PLAIN)(**{**vars(PLAIN), "min_s": 2.0})
        build(songs, tmp_path / form, Settings(recipe, form=form))
        return tmp_path / form

    return made


def header(folder):
    return yaml.safe_load((folder / CARD).read_text().split("---\n")[1])


def without_torchcodec():
    try:
        import torchcodec  # noqa: F401
    except (ImportError, RuntimeError):
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("form", ["files", "webdataset", "parquet", "rows"])
def test_a_folder_is_known_by_its_card(make, form, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder = make(form)
    builder = datasets.load_dataset_builder(str(folder), cache_dir=str(tmp_path / "cache"))
    rows = read_rows(folder)
    counts = Counter(row["location"].split("/")[0] for row in rows)
    assert set(builder.config.data_files) == ({"rows"} if form == "rows" else set(counts))
    assert builder.dataset_name and header(folder)["size_categories"] == ["n<1K"]
    told = [line.split(" | ") for line in (folder / CARD).read_text().splitlines() if " | " in line]
    assert all([f"| {name}", str(count)] in [cells[:2] for cells in told] for name, count in counts.items())
    if form == "rows":
        assert len(datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["rows"]) == len(rows)


@pytest.mark.slow
def test_rows_are_read_without_torchcodec(make, tmp_path):
    """Parquet by `datasets` itself, an audiofolder's rows as JSON Lines; the sound by musicbench or soundfile."""
    datasets = pytest.importorskip("datasets")
    folder = make("parquet")
    table = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    rows = {row["id"]: row for row in read_rows(folder)}
    for row in table["train"].cast_column("audio", datasets.Audio(decode=False)):
        samples, rate = soundfile.read(BytesIO(row["audio"]["bytes"]))
        assert rate == row["sample_rate"] and len(samples) == round(row["duration"] * rate)
        assert with_values({name: row[name] for name in rows[row["id"]]}) == rows[row["id"]]
    folder = make("files")
    lines = datasets.load_dataset("json", data_files=str(folder / "train" / "metadata.jsonl"), cache_dir=str(tmp_path / "cache"))
    for row in lines["train"]:
        samples, rate = load_audio(folder / "train" / row["file_name"])
        assert len(samples) == round(row["duration"] * rate)
    assert len({row["duration"] for row in read_rows(folder)}) > 1, "shorter clips have their length in the row"
    if without_torchcodec():
        with pytest.raises(datasets.exceptions.DatasetGenerationError):  # what docs/dataset.md warns of
            datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "other"))


@pytest.mark.slow
def test_the_card_tells_licences_and_keeps_the_users_own(make, songs):
    folder = make("rows")
    text = (folder / CARD).read_text()
    assert "| CC0 | 2 |" in text and "| CC BY 4.0 | 1 |" in text and "| none named | 3 |" in text
    assert "CC BY-NC-SA 4.0: the labels are for non-commercial use" in text and "<script" not in text and "<img" not in text
    own = text.replace(MARK, "Mine.").replace("hours", "HOURS")
    (folder / CARD).write_text(own)
    make("rows")
    assert (folder / CARD).read_text() == own
    (folder / CARD).unlink()
    make("rows")
    assert (folder / CARD).read_text() == text


def test_what_may_be_sold_is_not_called_non_commercial():
    text = card("x", Settings(hearing=Hearing("librosa")), TOTALS, Counter({"": 4}))
    assert "non-commercial" not in text and "librosa (ISC)" in text and "name no licence" in text
    agreed = card("x", Settings(hearing=Hearing("librosa", "madmom")), TOTALS, Counter({"": 4}))
    assert "non-commercial" in agreed


@pytest.mark.parametrize("name", [HOSTILE, 'a": b\n- c', "---", "é 音", "\udce9", "a" * 300, "yes", "1e3", ""])
def test_odd_names_are_no_yaml_and_no_markup(name):
    text = card(name, Settings(), TOTALS, Counter({f"{name}\n| x | y |": 2}))
    text.encode()
    told = yaml.safe_load(text.split("\n---\n")[0].removeprefix("---\n"))
    assert isinstance(told["pretty_name"], str) and set(told) == {
        "pretty_name", "license", "task_categories", "tags", "size_categories", "configs",
    }  # fmt: skip
    assert [place["split"] for place in told["configs"][0]["data_files"]] == ["train", "test"]
    body = text.split("\n---\n", 1)[1]
    assert "<script" not in body and "| x | y |" not in body


class Hub:
    """Stands for huggingface_hub: keeps what is asked of it."""

    def __init__(self, token="hf_secret", is_private=True, error=None):
        self.token, self.is_private, self.error, self.asked = token, is_private, error, []

    def get_token(self):
        return self.token

    def HfApi(self, token):  # noqa: N802
        assert token == self.token
        return self

    def create_repo(self, repo_id, **options):
        self.asked.append(("create", repo_id, options))
        return f"https://hub.example/datasets/{repo_id}"

    def repo_info(self, repo_id, **options):
        return types.SimpleNamespace(private=self.is_private)

    def upload_folder(self, **options):
        if self.error:
            raise self.error
        self.asked.append(("upload", options["repo_id"], options))


@pytest.fixture
def folder(tmp_path):
    """A dataset folder, with what is not to be uploaded in it."""
    for name in (
        "README.md",
        "rows.jsonl",
        "build.json",
        "notes.txt",
        "train/00/a.flac",
        "parts/00/a.jsonl",
        "shards/train-000000.tar",
    ):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text("{}\n")
    return tmp_path / "set"


@pytest.mark.parametrize("is_public", [False, True])
def test_a_push_uploads_the_dataset_alone(folder, is_public):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    hub = Hub(is_private=not is_public)
    assert push(folder, "me/mine", is_public=is_public, hub=hub) == "https://hub.example/datasets/me/mine"
    (_, name, made), (_, to, sent) = hub.asked
    assert name == to == "me/mine" and made == {"repo_type": "dataset", "private": not is_public, "exist_ok": True}
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    chosen = set(huggingface_hub.utils.filter_repo_objects(names, allow_patterns=sent["allow_patterns"]))
    assert chosen == {"README.md", "rows.jsonl", "train/00/a.flac", "shards/train-000000.tar"} and sent["repo_type"] == "dataset"
    gone = set(
        huggingface_hub.utils.filter_repo_objects(["README.md", "own.txt", "test/b.flac"], allow_patterns=sent["delete_patterns"])
    )
    assert gone == {"test/b.flac"}
    assert sent.keys() <= set(huggingface_hub.HfApi.upload_folder.__annotations__)


def test_a_push_that_cannot_be_is_refused_in_a_line(folder, monkeypatch, capsys):
    monkeypatch.setattr(pushing, "_hub", lambda: hub)
    table = [
        (Hub(token=None), folder, "me/mine", "no token for the hub; run `hf auth login`, or set HF_TOKEN"),
        (Hub(is_private=False), folder, "me/mine", "me/mine is public; give --public"),
        (Hub(error=OSError("401 for\nhf_secret")), folder, "me/mine", "cannot upload"),
        (Hub(), folder, "mine", "no name on the hub"),
        (Hub(), folder, "../me", "no name on the hub"),
        (Hub(), folder / "parts", "me/mine", "no rows.jsonl in"),
    ]
    for hub, place, name, words in table:
        assert main(["push", str(place), name]) == 2
        told = capsys.readouterr()
        assert words in told.err and len(told.err.splitlines()) == 1 and "hf_secret" not in told.err + told.out, told
        assert not any(what == "upload" for what, *_ in hub.asked)
    (folder / "README.md").unlink()
    with pytest.raises(InputError, match="has no README.md; run `musicbench build` once more"):
        push(folder, "me/mine", hub=Hub())


def test_without_huggingface_hub_a_push_says_what_it_needs(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="pip install huggingface_hub"):
        push(folder, "me/mine")
