"""The format of a sound file by its bytes, past tags and junk; other sound in it; formats that are not read."""

import re

from musicbench.sound.mp3 import LEAST_FRAMES, Runs, after_id3, is_run
from musicbench.sound.parts import CHUNK, find_bytes, read_at, size_of

HEAD = 1 << 16  # how far from its beginning a file's format is looked for
MAGIC = re.compile(rb"fLaC[\0\x80]\0\0\x22|OggS\0\x02|RIFF....WAVE|RF64....WAVE|FORM....AIF[FC]", re.DOTALL)
KINDS = {b"fL": "flac", b"Og": "ogg", b"RI": "riff", b"RF": "", b"FO": "form"}
FORMATS = {b"fL": "FLAC", b"Og": "Ogg", b"RI": "WAV", b"RF": "WAV", b"FO": "AIFF"}
AUDIO_START = re.compile(
    rb"fLaC|OggS\0\x02|ID3[\x02-\x04]|\.snd|caff\0\x01|RIFF....WAVE|RF64....WAVE|riff\.\x91\xcf\x11|FORM....AIF[FC]", re.DOTALL
)
NO_SOUND = (  # how what is no sound begins: tags, chunks of sound files, pictures, archives, documents
    b"ID3", b"TAG", b"APETAGEX", b"LYRICS", b"LIST", b"id3 ", b"cue ", b"smpl", b"bext", b"iXML", b"_PMX", b"JUNK",
    b"junk", b"PAD ", b"FLLR", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"PK\3\4", b"\x1f\x8b", b"Rar!", b"%PDF",
)  # fmt: skip
LEAST_SOUND = 1000  # bytes; less is no sound that somebody misses
TEXT = bytes(range(32, 127)) + b"\t\r\n"
FOREIGN = (  # (where, what is there, its name) of formats that are not read
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA or other Windows Media"), (4, b"ftyp", "MP4"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"), (0, b"\xff\xf1", "AAC"), (0, b"\xff\xf9", "AAC"), (0, b"ADIF", "AAC"),
    (0, b"\x0b\x77", "AC-3"), (0, b"\x7f\xfe\x80\x01", "DTS"), (0, b"wvpk", "WavPack"), (0, b"TTA1", "True Audio"),
    (0, b"MAC ", "Monkey's Audio"), (0, b"MPCK", "Musepack"), (0, b"MP+", "Musepack"), (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"), (0, b"#!AMR", "AMR"), (0, b".ra\xfd", "RealAudio"), (0, b".RMF", "RealMedia"),
    (28, b"Speex   ", "Speex in Ogg"), (28, b"\x80theora", "Theora in Ogg"), (0, b"ajkg", "Shorten"),
    (0, b"tBaK", "TAK"), (0, b"OFR ", "OptimFROG"), (0, b"MThd", "MIDI"), (8, b"AVI ", "AVI video"),
    (0, b"FLV\1", "Flash video"), (0, b"PK\3\4", "a ZIP archive"), (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\xff\xd8\xff", "a JPEG picture"), (0, b"\x89PNG", "a PNG picture"), (0, b"%PDF", "a PDF"),
)  # fmt: skip
CODECS = {
    b"mp4a": "AAC",
    b"alac": "ALAC",
    b"ac-3": "AC-3",
    b"A_OPUS": "Opus",
    b"A_VORBIS": "Vorbis",
    b"A_AAC": "AAC",
    b"A_FLAC": "FLAC",
}


def is_sound_by_content(path):
    """Tell whether a file begins as sound files do, whatever its name. A file that cannot be read does not."""
    try:
        with open(path, "rb") as file:
            head = file.read(256)
            return bool(AUDIO_START.match(head)) or (head.startswith(b"MATLAB 5.0") and b"samplerate" in head)
    except OSError:
        return False


def sound_start(file):
    """Return (position, kind) of where a file's format begins: kind "flac", "ogg", "riff", "form" or "" for all others.

    Tags and up to 64 KiB of junk before it are passed.
    """
    start = after_id3(file, 0, size_of(file))
    found = MAGIC.search(read_at(file, start, HEAD))
    if not found or (found.start() and is_run(file, start, size_of(file), LEAST_FRAMES)):
        return start, ""
    return start + found.start(), KINDS[found[0][:2]]


def other_sound(file, position, kind):
    """Return (place, format) of a sound file of another kind that begins in a file at `position` or later.

    None where there is none.
    """
    end = size_of(file)
    for place, match in find_bytes(file, MAGIC, position, end):
        if KINDS[match[0][:2]] != kind:
            return place, FORMATS[match[0][:2]]
    if kind != "mp3":
        place = Runs(file, end).next(position, least=LEAST_FRAMES)
        if place is not None and end - place > 1000:
            return place, "MP3"
    return None


def more_sound(file, position, end):
    """Return (where the sound ends that follows a sound, `position` where none does; how many bytes there are
    neither sound nor tag)."""
    start = read_at(file, position, CHUNK)
    if len(start) < LEAST_SOUND or not any(start) or start.startswith(NO_SOUND):
        return position, 0
    found = [place for place, _ in find_bytes(file, MAGIC, position, end)][:1]
    found += [place for place in [Runs(file, end).next(position, least=LEAST_FRAMES)] if place is not None]
    stop = min([end, *found])
    if stop - position < LEAST_SOUND:  # the other sound is told
        return position, 0
    if is_text(start[:HEAD]):
        return position, end - position
    return stop, 0


def foreign_format(file):
    """Return the name of the format of a file if it is known and not read, else ""."""
    head = read_at(file, after_id3(file, 0, size_of(file)), HEAD)
    form = next((name for place, magic, name in FOREIGN if head[place:].startswith(magic)), "")
    ends = head + read_at(file, max(size_of(file) - CHUNK, 0), CHUNK) if form in ("MP4", "WebM or Matroska") else b""
    codec = next((name for mark, name in CODECS.items() if mark in ends), "")
    return f"{codec} in {form}" if codec else form


def is_text(data):
    """Tell whether bytes are those of a text in a Latin script."""
    return len(data.translate(None, TEXT)) < len(data) / 50
