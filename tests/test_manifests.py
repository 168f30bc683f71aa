"""What is said about songs is read, in whatever form; or one line tells what was found and what is not used."""

import json
import unicodedata

import pytest

from musicbench.build.charsets import decoded
from musicbench.build.columns import Unread
from musicbench.build.manifests import read_manifests
from musicbench.build.tables import read_table
from musicbench.build.texts import MAX_CAPTION, caption_text, is_caption, shortened

SONGS = ["a.wav", "b.wav", "c/d.flac"]
WANTED = {"a.wav": "A harp, softly played.", "b.wav": "Two lutes.", "c/d.flac": "A café band."}
ROWS = [["a.wav", "A harp, softly played."], ["b.wav", "Two lutes."], ["c/d.flac", "A café band."]]


def table(delimiter=",", header=("file_name", "caption"), quote='"', rows=ROWS, end="\n"):
    quoted = [[cell if not quote or delimiter not in cell else quote + cell + quote for cell in row] for row in rows]
    return end.join(delimiter.join(row) for row in ([list(header)] if header else []) + quoted) + end


def objects(name="file_name", caption="caption"):
    return [{name: row[0], caption: row[1]} for row in ROWS]


READ = {
    "plain": ("metadata.csv", table()),
    "semicolon": ("metadata.csv", table(";")),
    "tab": ("metadata.csv", table("\t")),
    "tsv": ("metadata.tsv", table("\t")),
    "bar": ("metadata.csv", table("|")),
    "excel": ("metadata.csv", "sep=;\r\n" + table(";", end="\r\n")),
    "old mac": ("metadata.csv", table(end="\r")),
    "shouted header": ("metadata.csv", table(header=("File_Name", "CAPTION"))),
    "words in header": ("metadata.csv", table(header=("File Name", " Caption "))),
    "quoted header": ("metadata.csv", table(header=('"file_name"', '"caption"'))),
    "other columns": ("metadata.csv", table(header=("path", "text"))),
    "other columns too": ("metadata.csv", table(header=("audio", "description"))),
    "unknown columns": ("metadata.csv", table(header=("recording", "what one hears"))),
    "columns the other way": ("metadata.csv", "caption,file_name\n" + "".join(f'"{row[1]}",{row[0]}\n' for row in ROWS)),
    "more columns": ("metadata.csv", "id,file_name,bpm,caption,key\n" + "".join(f'7,{row[0]},90,"{row[1]}",C\n' for row in ROWS)),
    "unquoted commas": ("metadata.csv", table(quote="")),
    "unquoted commas between": ("metadata.csv", "file_name,caption,key\n" + "".join(f"{row[0]},{row[1]},C\n" for row in ROWS)),
    "blanks after commas": ("metadata.csv", "file_name, caption\n" + "".join(f'{row[0]}, "{row[1]}"\n' for row in ROWS)),
    "commas at the ends": ("metadata.csv", table().replace("\n", ",\n")),
    "no header": ("metadata.csv", table(header=None)),
    "no header, no quotes": ("metadata.csv", table(header=None, quote="")),
    "empty lines": ("metadata.csv", "\n\n" + table().replace("\n", "\n\n")),
    "a quote that never ends": ("metadata.csv", table(quote="").replace("b.wav,", 'b.wav,"')),
    "utf-8 mark": ("metadata.csv", table().encode("utf-8-sig")),
    "utf-16": ("metadata.csv", table().encode("utf-16")),
    "utf-16 be": ("metadata.csv", b"\xfe\xff" + table().encode("utf-16-be")),
    "utf-16 without mark": ("metadata.csv", table().encode("utf-16-le")),
    "utf-32": ("metadata.csv", table().encode("utf-32")),
    "latin-1": ("metadata.csv", table().encode("latin-1")),
    "shouted name": ("METADATA.CSV", table()),
    "any name": ("my captions.csv", table()),
    "json list": ("metadata.json", json.dumps(objects())),
    "json by name": ("metadata.json", json.dumps(dict(ROWS))),
    "json objects by name": ("captions.json", json.dumps({row[0]: {"caption": row[1]} for row in ROWS})),
    "json lists by name": ("captions.json", json.dumps({row[0]: [row[1], "Or so."] for row in ROWS})),
    "json words by name": ("captions.json", json.dumps(dict(ROWS))),
    "a remark first": ("metadata.csv", "# made by hand, in May\n" + table()),
    "json pairs": ("metadata.json", json.dumps(ROWS)),
    "json in an object": ("dataset.json", json.dumps({"version": 1, "data": objects("path", "prompt")})),
    "json columns": ("metadata.json", json.dumps({"file_name": [row[0] for row in ROWS], "caption": [row[1] for row in ROWS]})),
    "pandas columns": ("metadata.json", json.dumps({n: {str(i): row[j] for i, row in enumerate(ROWS)} for j, n in enumerate(("file", "text"))})),
    "json list as lines": ("metadata.jsonl", json.dumps(objects(), indent=1)),
    "json lines": ("metadata.jsonl", "\n".join(map(json.dumps, objects()))),
    "json lines as json": ("metadata.json", "\n".join(map(json.dumps, objects()))),
    "json lines, windows": ("metadata.jsonl", "\r\n".join(map(json.dumps, objects("audio_filepath", "text")))),
    "ndjson": ("x.ndjson", "\n".join(map(json.dumps, objects("location", "main_caption")))),
    "musicbench": ("MusicBench_train.json", "\n".join(map(json.dumps, objects("location", "main_caption")))),
    "datasets": ("metadata.json", json.dumps([{"audio": {"path": row[0], "bytes": None}, "text": row[1]} for row in ROWS])),
    "txt table": ("metadata.txt", table("\t")),
    "txt names and words": ("captions.txt", "".join(f"{row[0]} {row[1]}\n" for row in ROWS)),
    "txt colons": ("list.txt", "".join(f"{row[0]}: {row[1]}\n" for row in ROWS)),
    "stems": ("metadata.csv", table(rows=[["a", ROWS[0][1]], ["b", ROWS[1][1]], ["d", ROWS[2][1]]])),
    "other suffixes": ("metadata.csv", table(rows=[[row[0].split(".")[0] + ".mp3", row[1]] for row in ROWS])),
    "shouted files": ("metadata.csv", table(rows=[[row[0].upper(), row[1]] for row in ROWS])),
    "their folders": ("metadata.csv", table(rows=[["/data/set1/" + row[0], row[1]] for row in ROWS])),
    "backslashes": ("metadata.csv", table(rows=[["C:\\music\\" + row[0].replace("/", "\\"), row[1]] for row in ROWS])),
    "url-encoded": ("metadata.csv", table(rows=[["file:///x%20y/" + row[0].replace("/", "%2F"), row[1]] for row in ROWS])),
    "dots": ("metadata.csv", table(rows=[["./" + row[0], row[1]] for row in ROWS])),
    "double rows": ("metadata.csv", table(rows=[*ROWS, ["b.wav", "Later."]])),
}  # fmt: skip


@pytest.mark.parametrize("form", READ)
def test_manifests_are_read_in_any_form(tmp_path, form):
    name, content = READ[form]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    captions, _, lines = read_manifests(tmp_path, SONGS)
    assert captions == WANTED, lines
    assert len(lines) == 1 and lines[0].startswith(f"{name}: captions of 3 of 3 songs") and "name no song" not in lines[0]


TOLD = {
    "no columns": ("metadata.csv", "bpm,key\n90,C\n", ["its first row is", "bpm", "expected file_name and caption"]),
    "no captions": ("metadata.csv", "file_name,bpm\na.wav,90\n", ["no captions, expected file_name and caption", "columns of 1 of 3 songs: bpm"]),
    "empty": ("metadata.csv", "", ["it is empty", "expected"]),
    "header alone": ("metadata.csv", "file_name,caption\n", ["not used", "it holds no rows", "expected"]),
    "bytes": ("metadata.csv", bytes(range(256)) * 9, ["not used", "expected"]),
    "no json": ("metadata.json", "{oops", ["neither JSON nor JSON Lines", "expected"]),
    "deep json": ("metadata.json", "[" * 100000, ["neither JSON", "expected"]),
    "a number": ("metadata.json", "5", ["it holds 5", "expected"]),
    "bad lines": ("metadata.jsonl", '{"file_name": "a.wav", "caption": "A harp."}\n{oops\n[\n', ["captions of 1 of 3", "2 lines that are not JSON: 2, 3"]),
    "lines that are no rows": ("metadata.jsonl", '{"file_name": "a.wav", "caption": "A harp."}\n[1]\n5\n', ["captions of 1 of 3", "2 of 3 rows name no song"]),
    "no parquet": ("metadata.parquet", "PAR1 no", ["it is no Parquet file", "expected"]),
    "spreadsheet": ("captions.xlsx", "PK", [".xlsx is not read", "save it as .csv"]),
    "packed": ("metadata.csv.gz", "\x1f", [".gz is not read"]),
    "missing files": ("metadata.csv", "file_name,caption\na.wav,A harp.\nx.wav,Y.\n", ["captions of 1 of 3", "1 of 2 rows name no song: x.wav"]),
    "only missing files": ("metadata.csv", "file_name,caption\nx.wav,Y.\n", ["not used", "1 of 1 rows name no song: x.wav"]),
    "no words": ("metadata.csv", "file_name,caption\na.wav,nan\nb.wav,\nd,None\n", ["not used", "3 of 3 rows have no caption"]),
    "double rows": ("metadata.csv", "file_name,caption\na.wav,A harp.\na.wav,A lyre.\n", ["1 of 2 rows name a song again", "first row holds"]),
    "lines in a header": ("metadata.csv", 'file_name,"cap\ntion"\na.wav,\n', ["its columns are file_name, cap tion"]),
    "half a letter": ("metadata.json", '[{"file_name": "\\ud800.wav", "caption": "A harp."}]', ["not used", "\\ud800.wav"]),
    "no table": ("notes.txt", "Remember the milk.", ["1 .txt or .json file belongs to no song: notes.txt"]),
}  # fmt: skip


@pytest.mark.parametrize("form", TOLD)
def test_what_is_not_used_is_told_in_one_line(tmp_path, form):
    name, content, words = TOLD[form]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode("latin-1"))
    _, _, (line,) = read_manifests(tmp_path, SONGS)
    assert all(word in line for word in (name, *words)) and "\n" not in line and line.encode(), line


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "NaN",
        "None",
        "N/A",
        "n/a",
        "null",
        "NA",
        "<NA>",
        "",
        " ",
        "-",
        "?",
        "42",
        "NaN\n",
        " nan ",
        "\tN/A\r\n",
        "TBD",
        "tbd.",
        "#N/A",
        "n.a.",
        "N.A",
        "[none]",
        "\x00nan",
        "#REF!",
        None,
        5,
        float("nan"),
        [],
    ],
)
def test_what_is_no_caption(text):
    assert not is_caption(text)


def test_captions_that_look_like_none(tmp_path):
    assert is_caption("None of them sings.") and is_caption("Nan plays the harp.") and is_caption("琴")


def test_a_manifest_in_a_folder_speaks_of_that_folder(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "metadata.csv").write_text("file_name,caption\nd.flac,A band.\na.wav,A harp.\n")
    songs = ["a.wav", "c/a.wav", "c/d.flac"]
    captions, _, (line,) = read_manifests(tmp_path, songs)
    assert captions == {"c/d.flac": "A band.", "c/a.wav": "A harp."} and line.startswith("c/metadata.csv: captions of 2 of 3 songs")


def test_of_two_manifests_the_first_holds(tmp_path):
    (tmp_path / "captions.csv").write_text("file_name,caption\na.wav,A harp.\n")
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "a.wav", "caption": "A lyre."}\n{"file_name": "b.wav", "caption": "A lute."}\n'
    )
    captions, _, lines = read_manifests(tmp_path, SONGS)
    assert captions == {"a.wav": "A harp.", "b.wav": "A lute."}
    assert len(lines) == 2 and "1 song captioned by an earlier manifest" in lines[1]


def test_rows_name_songs_exactly_before_they_do_so_loosely(tmp_path):
    accented = unicodedata.normalize("NFD", "café.wav")
    songs = ["a.wav", "x/b.wav", "x/twice.wav", "y/twice.wav", "z/d.wav", accented]
    rows = [
        ("o/a.wav", "F."),
        ("a.wav", "A."),
        ("b.wav", "B."),
        ("café.wav", "C."),
        (str(tmp_path / "z" / "d.wav"), "D."),
        ("twice.wav", "E."),
    ]
    (tmp_path / "metadata.csv").write_text("filename,caption\n" + "".join(f"{name},{caption}\n" for name, caption in rows))
    captions, _, (line,) = read_manifests(tmp_path, songs)
    assert captions == {"a.wav": "A.", "x/b.wav": "B.", accented: "C.", "z/d.wav": "D."}
    assert "captions from column caption" in line and "1 of 6 rows name no song: o/a.wav; 1 of 6 rows fit more" in line


def test_a_songs_own_text_is_no_manifest_and_the_dataset_is_left_out(tmp_path):
    for name in ("a.txt", "b.json", "out/train/metadata.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"file_name": "a.wav", "caption": "A harp."}')
    assert read_manifests(tmp_path, SONGS, leave_out=[tmp_path / "out"]) == ({}, {}, [])


@pytest.mark.slow
def test_parquet(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"audio": {"bytes": b"x" * 1000, "path": row[0]}, "caption": row[1]} for row in ROWS]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "metadata.parquet")
    assert read_manifests(tmp_path, SONGS)[0] == WANTED
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert not captions and "Parquet needs pyarrow; pip install pyarrow" in line


def test_text_is_decoded_by_its_mark_or_its_bytes():
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        assert decoded("A café band plays.".encode(encoding)) == (
            "A café band plays.",
            "Windows-1252" if encoding == "cp1252" else "",
        )


WORDS = ["A harp plays one slow song", "Two lutes in a great hall", "A band in a small café"]


def write(folder, files):
    for name, content in files.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("checksums.txt", "d41d8cd98f00b204e980  a.wav\nd41d8cd98f00b204e981  b.wav\n"),
        ("log.txt", "a.wav: converted to 44100 Hz\nb.wav: left as it was\n"),
        ("concat.txt", "file 'a.wav'\nfile 'b.wav'\n"),
        ("splits.csv", "a.wav,train\nb.wav,test\n"),
        ("train_split.csv", "a.wav,in the train set\nb.wav,in the test set\n"),
        ("licenses.txt", "a.wav CC BY 4.0\nb.wav in the public domain\n"),
        ("notes.csv", "file,what I thought of it\na.wav,too loud for my ears\nb.wav,master it once more\n"),
        ("setup.json", {"a.wav": "Recorded in studio A", "b.wav": "Recorded in studio B"}),
        ("credits.csv", "file_name,artist\na.wav,The Four Great Harpists\nb.wav,The Two Old Lutenists\n"),
        ("anything.tsv", "a.wav\tof some words here\nb.wav\tof some more words\n"),
    ],
)
def test_only_a_file_that_says_so_is_a_manifest(tmp_path, name, content):
    write(tmp_path, {name: content})
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert not captions and name in line, line
    assert any(words in line for words in ("not used", "belongs to no song", "no captions")), line
    write(tmp_path, {"zz_metadata.csv": table()})
    captions, _, lines = read_manifests(tmp_path, SONGS)
    assert captions == WANTED and len(lines) == 2 and "captions from column caption" in lines[0], lines


def test_a_caption_column_beats_a_guess(tmp_path):
    write(
        tmp_path,
        {"captions.txt": "".join(f"{song}: {words}\n" for song, words in zip(SONGS, WORDS, strict=True)), "metadata.csv": table()},
    )
    captions, _, lines = read_manifests(tmp_path, SONGS)
    assert captions == WANTED and "column caption" in lines[0] and "3 songs captioned by an earlier manifest" in lines[1]
    (tmp_path / "metadata.csv").unlink()
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert list(captions.values()) == WORDS and "captions from column 2" in line


@pytest.mark.parametrize(
    "never",
    [
        "Notes",
        "Comment",
        "comments",
        "License",
        "licence",
        "Lyrics",
        "transcript",
        "Title",
        "artist",
        "Date",
        "kind",
        "split",
        "Lyrics text",
    ],
)
def test_what_a_column_says_it_is_it_is_no_caption(tmp_path, never):
    long = "many more words than any of the captions has in its cell"
    rows = [f"{song},{words},{long} {song}" for song, words in zip(SONGS, WORDS, strict=True)]
    for header in (f"recording,what one hears,{never}", f"file,Musical description,{never}", f"file_name,my_prompt,{never}"):
        write(tmp_path, {"metadata.csv": "\n".join([header, *rows])})
        captions, _, (line,) = read_manifests(tmp_path, SONGS)
        assert list(captions.values()) == WORDS and f"captions from column {header.split(',')[1]}" in line, line
    for first in ("file_name", "recording"):
        write(tmp_path, {"metadata.csv": "\n".join([f"{first},{never}", *(f"{song},{long} {song}" for song in SONGS)])})
        captions, _, (line,) = read_manifests(tmp_path, SONGS)
        assert not captions and never in line


@pytest.mark.parametrize(("delimiter", "caption"), [(",", ""), (";", ""), ("\t", "nan"), (",", "N/A")])
def test_a_header_holds_where_captions_are_empty(tmp_path, delimiter, caption):
    rows = [[song, caption, "made of five or six words"] for song in SONGS]
    for header in (["file_name", "caption", "remarks"], ["id", "text", "x"]):
        write(tmp_path, {"metadata.csv": "\n".join(delimiter.join(row) for row in [header, *rows])})
        captions, _, (line,) = read_manifests(tmp_path, SONGS)
        assert not captions and "3 of 3 rows have no caption" in line, line


FILES, TEXTS = [row[0] for row in ROWS], [row[1] for row in ROWS]
BY_KEY = {str(number): text for number, text in enumerate(TEXTS)}
JSON_FORMS = {
    "a number beside": {"version": 1, "file_name": FILES, "caption": TEXTS, "license": "CC BY"},
    "objects in another order": {"file_name": dict(enumerate(FILES)), "caption": dict(reversed(BY_KEY.items()))},
    "a list and an object": {"caption": dict(reversed(BY_KEY.items())), "file_name": FILES},
    "a shorter list beside": {"file_name": FILES, "caption": TEXTS, "tags": ["x"]},
    "by key alone": {"caption": dict(zip(FILES, TEXTS, strict=True))},
    "split": {"columns": ["file_name", "caption"], "index": [0, 1, 2], "data": ROWS},
    "index": {str(number): row for number, row in enumerate(objects("path", "text"))},
    "lists beside": {"name": "My songs", "people": [{"nickname": "Ann"}], "songs": objects(), "tags": [{"tag": "x"}]},
    "two lists": {"id": 7, "train": objects()[:2], "test": objects()[2:]},
    "deep": {"info": {"v": 1}, "dataset": {"rows": objects("audio", "Caption")}},
}


@pytest.mark.parametrize("form", JSON_FORMS)
def test_json_of_any_shape(tmp_path, form):
    write(tmp_path, {"dataset.json": JSON_FORMS[form]})
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert captions == WANTED, line


def test_json_columns_of_unequal_lengths_lose_no_song(tmp_path):
    write(tmp_path, {"metadata.json": {"file_name": FILES, "caption": TEXTS[:2]}})
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert captions == dict(ROWS[:2]) and "1 of 3 rows have no caption: c/d.flac" in line


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('"A harp."', "A harp."), ("'A harp.'", "A harp."), ("\u201cA harp.\u201d", "A harp."), ('"A" and "B"', '"A" and "B"'), ("A\x00 ha\x07rp\x7f.", "A harp."),
        ("A\tharp,\r\nplayed", "A harp, played"), ("\x1b[31mA harp\x1b[0m", "A harp"), ("\ufeffA harp", "A harp"), (["A harp", "A lyre"], "A harp"), ("\x00", ""),
    ],
)  # fmt: skip
def test_captions_are_clean(text, clean):
    assert caption_text(text) == clean


def test_a_file_of_captions_by_name_may_hold_single_words(tmp_path):
    write(tmp_path, {"captions.json": {"a.wav": "Techno", "b.wav": "House", "version": "1.0"}})
    assert read_manifests(tmp_path, SONGS)[0] == {"a.wav": "Techno", "b.wav": "House"}
    (tmp_path / "captions.json").unlink()
    write(tmp_path, {"dataset.json": {"a.wav": "train", "b.wav": "test"}})
    captions, _, (line,) = read_manifests(tmp_path, SONGS)
    assert not captions and "not used" in line


def said_of(folder, text, songs=SONGS, name="metadata.csv"):
    """Return (captions, the line) of a manifest's text or bytes."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    captions, _, (line,) = read_manifests(folder, songs)
    return captions, line


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize(
    ("encoding", "name", "texts"),
    [
        ("cp1251", "Windows-1251", ["Медленный вальс для баяна", "Колыбельная, женский голос"]),
        ("koi8-r", "KOI8-R", ["Медленный вальс для баяна", "Колыбельная, женский голос"]),
        ("cp866", "code page 866", ["Медленный вальс для баяна", "Колыбельная, женский голос"]),
        ("shift_jis", "Shift-JIS", ["雨の日のピアノソロ", "速いテンポのファンク"]),
        ("euc_jp", "EUC-JP", ["雨の日のピアノソロ", "速いテンポのファンク"]),
        ("gbk", "GBK", ["欢快的小提琴协奏曲", "缓慢的蓝调口琴"]),
        ("big5", "Big5", ["歡快的小提琴協奏曲", "緩慢的藍調口琴"]),
        ("euc_kr", "EUC-KR", ["빠른 바이올린 협주곡", "느린 블루스 하모니카"]),
        ("cp1253", "Windows-1253", ["Αργό βαλς με ακορντεόν", "Νανούρισμα, γυναικεία φωνή"]),
        ("cp1255", "Windows-1255", ["ואלס איטי לאקורדיון", "שיר ערש בקול רך"]),
        ("cp1256", "Windows-1256", ["لحن بطيء على الناي", "أغنية الأطفال الهادئة"]),
        ("cp874", "Windows-874", ["เพลงวอลทซ์ช้ากับแอคคอร์เดียน", "เพลงกล่อมเด็ก"]),
        ("cp1250", "Windows-1250", ["Pomalý valčík pro harmoniku", "Ukolébavka, ženský hlas"]),
        ("cp1250", "Windows-1250", ["Powolny walc na akordeon, głęboki bas", "Kołysanka, kobiecy śpiew"]),
        ("cp1254", "Windows-1254", ["Akordeonla yavaş bir vals", "Ninni, kadın sesi"]),
        ("cp1252", "Windows-1252", ["Langsamer Walzer für Akkordeon", "Wiegenlied, schöne Stimme"]),
        ("latin-1", "Windows-1252", ["Valse lente à l'accordéon", "Berceuse française"]),
        ("mac_roman", "Mac Roman", ["Valse lente à l'accordéon", "Berceuse française"]),
    ],
)
def test_captions_in_any_encoding_are_read_and_the_encoding_is_named(tmp_path, encoding, name, texts, before):
    head = "file_name;caption\n" + before * "c/d.flac;A plain line in English\n"
    text = head + "".join(f"{song};{words}\n" for song, words in zip(SONGS, texts, strict=False))
    captions, line = said_of(tmp_path, text.encode(encoding))
    assert [captions[song] for song in SONGS[:2]] == texts and f"read as {name}" in line


def test_lines_in_two_encodings_are_read_line_by_line(tmp_path):
    for encoding, text, name in (("cp1252", "Zwölf Flöten", "Windows-1252"), ("cp1251", "Двенадцать флейт играют", "Windows-1251")):
        data = "file_name,caption\na.wav,Cançó trista\n".encode() + f"b.wav,{text}\n".encode(encoding)
        captions, line = said_of(tmp_path, data)
        assert captions == {"a.wav": "Cançó trista", "b.wav": text} and f"read as UTF-8 and {name}" in line


@pytest.mark.parametrize("words", [b"\xe4\xd5\xb1 \x9d\xfe\x81 \xb5\xa0\xf9", bytes(range(160, 256))])
def test_an_encoding_that_is_not_clear_is_told_and_guessed_at_by_nobody(tmp_path, words):
    captions, line = said_of(tmp_path, b"file_name,caption\na.wav," + words + b"\n")
    assert not captions and "an encoding that is not clear; save it as UTF-8" in line


@pytest.mark.parametrize(
    ("header", "column", "told"),
    [
        ("file_name,text_encoder,prompt_style,sound", "sound", ""),
        ("file_name,prompt_template,tokenizer_text,what_one_hears", "what_one_hears", ""),
        ("file_name,series_description,x,music_description", "music_description", ""),
        ("file_name,caption_de,x,caption_en", "caption_en", "not used: column caption_de"),
        ("file_name,description_ja,x,description_english", "description_english", "not used: column description_ja"),
        ("file_name,my_caption_fr,x,my_caption", "my_caption", "not used: column my_caption_fr"),
    ],
)
def test_the_column_that_speaks_of_each_song_is_taken(tmp_path, header, column, told):
    second = [f"Autre chose, numéro {number}" if told else "the same words for all of them" for number in range(3)]
    rows = [f'{song},"{other}",the same,"{words}"' for song, other, words in zip(SONGS, second, WORDS, strict=True)]
    captions, line = said_of(tmp_path, "\n".join([header, *rows]))
    assert list(captions.values()) == WORDS and f"captions from column {column}" in line and told in line, line


def test_the_same_caption_for_all_songs_is_told(tmp_path):
    captions, line = said_of(tmp_path, "file_name,caption\n" + "".join(f"{song},A piece of music\n" for song in SONGS))
    assert len(captions) == 3 and "all 3 captions are the same" in line


@pytest.mark.parametrize(
    ("cell", "caption"),
    [('"A \\"blue\\" harp"', 'A "blue" harp'), ('"The \\"Air\\", slowly"', 'The "Air", slowly'), ('"It ends in \\"quotes\\""', 'It ends in "quotes"')],
)  # fmt: skip
def test_quotes_may_be_escaped_as_in_c(tmp_path, cell, caption):
    captions, _ = said_of(tmp_path, f'file_name,caption,bpm\na.wav,{cell},90\nb.wav,"Two lutes, softly",80\n')
    assert captions == {"a.wav": caption, "b.wav": "Two lutes, softly"}


@pytest.mark.parametrize(
    ("header", "row", "caption"),
    [
        ("file_name,caption,key", "a.wav,A harp, then a lute,C", "A harp, then a lute"),
        ("file_name,mood,caption", "a.wav,sad, slow,A harp", "A harp"),
        ("file_name,mood,caption", "a.wav,sad,A harp, a lute, a drum", "A harp, a lute, a drum"),
        ("file_name,caption,mood", "a.wav,A harp,sad, slow", "A harp"),
    ],
)
def test_commas_without_quotes_shift_no_column_and_are_told(tmp_path, header, row, caption):
    captions, line = said_of(tmp_path, f"{header}\n{row}\nb.wav,x y,z z\n")
    assert captions["a.wav"] == caption and "1 of 2 rows have commas without quotes" in line and "a.wav" in line


def test_quoted_commas_hold_although_a_caption_is_missing(tmp_path):
    rows = ['a.wav,"jazz, trio",A harp', 'b.wav,"jazz, trio",', "x.wav,rock,A song"]
    captions, line = said_of(tmp_path, "file_name,tags,caption\n" + "\n".join(rows) + "\n", ["a.wav", "b.wav", "x.wav"])
    assert captions == {"a.wav": "A harp", "x.wav": "A song"} and "without quotes" not in line


def test_numbers_and_urls_name_songs_and_what_fits_two_is_told(tmp_path):
    songs = ["001.wav", "002.wav", "010.wav", "x/take 3.wav", "y/take 03.wav", "z/solo.wav"]
    rows = ["1,A", "02,B", "10,C", "take 3,D", "take 003,E", "https://x.org/z/solo.wav?dl=1&x=2#t=5,F"]
    captions, line = said_of(tmp_path, "id,caption\n" + "\n".join(rows), songs)
    assert captions == {"001.wav": "A", "002.wav": "B", "010.wav": "C", "x/take 3.wav": "D", "z/solo.wav": "F"}
    assert "1 of 6 rows fit more than one song; write their folders and endings: take 003" in line


def test_formulas_are_no_captions_and_long_ones_are_shortened(tmp_path):
    long = "A harp plays. " * 9000
    captions, line = said_of(
        tmp_path, f'file_name,caption\na.wav,"=HYPERLINK(""http://x"",""y"")"\nb.wav,=A1&B2\nc/d.flac,{long}\n'
    )
    assert list(captions) == ["c/d.flac"] and "2 of 3 rows hold a formula: a.wav, b.wav" in line
    assert f"1 of 3 rows have a caption of more than {MAX_CAPTION} characters" in line
    assert shortened(captions["c/d.flac"]).endswith("plays.") and len(shortened("word " * 999)) <= MAX_CAPTION
    assert shortened("A harp.") == "A harp." and caption_text("@SUM(A1)") == "" and caption_text("= 90 bpm") == "= 90 bpm"


WIDE = [f"c{number}" for number in range(200_000)]
ENDLESS = {
    "a cell": ("metadata.csv", 'file_name,caption\na.wav,"' + "x" * 5_000_000, "line 2 is longer than"),
    "columns": ("metadata.csv", "\n".join(",".join(["file_name", "caption", *WIDE[:20_000]]) for _ in range(3)), "more than 1000 columns"),
    "empty cells": ("metadata.csv", "file_name,caption\na.wav,A harp." + "," * 200_000, ""),
    "columns of JSON": ("metadata.json", json.dumps([{name: 1} for name in WIDE]), "more than 1000 columns"),
    "cells of JSON": ("metadata.json", json.dumps([["a.wav", "A harp.", *WIDE]]), "more than 1000 columns"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "says"), ENDLESS.values(), ids=ENDLESS)
def test_cells_and_columns_are_bounded(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    if says:
        with pytest.raises(Unread, match=says):
            read_table(tmp_path / name, set(SONGS).__contains__, [])
    else:
        header, rows = read_table(tmp_path / name, set(SONGS).__contains__, [])
        assert header == ["file_name", "caption"] and [row[:2] for row in rows] == [["a.wav", "A harp."]]


@pytest.mark.parametrize(
    "data", [b"PK\3\4" + bytes(3000), bytes(range(256)) * 20, b"\x1f\x8b" + b"x" * 99, b"file_name\x07,\x1b[2J\n\x07,x\n"]
)
def test_nothing_raw_comes_to_the_terminal(tmp_path, data):
    captions, line = said_of(tmp_path, data)
    assert not captions and "not used" in line and line.isprintable()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("CafÃ© jazz", "Café jazz"), ("Â¡Fado, muy rÃ¡pido!", "¡Fado, muy rápido!"), ("Café Ã la carte", "Café Ã la carte"), ("“Naïf” – très doux", "“Naïf” – très doux"),
        ("Rock &amp; roll, <b>loud</b> &#8211; fast<br/>", "Rock & roll, loud – fast"), ("tempo < 90 and > 60", "tempo < 90 and > 60"),
    ],
)  # fmt: skip
def test_what_other_programs_did_to_captions_is_undone(text, clean):
    assert caption_text(text) == clean
