"""Odd audio files, made anew: headers that lie, joins, junk, damage, odd formats and names. Each with what is to come of it."""

import io
import os
import struct

import numpy as np
import soundfile

from musicbench.sound.mp3 import mp3_parts
from musicbench.sound.ogg import page_checksum

RATE = 22050
READ, DAMAGED, NAMED = "read", "damaged", "named"


def tone(duration_s, hertz=440.0, rate=RATE):
    """Return a beating tone with a little noise, so that no two seconds of it are compressed to the same bytes."""
    time_s = np.arange(round(duration_s * rate)) / rate
    noise = np.random.default_rng(round(hertz)).standard_normal(len(time_s))
    return (0.3 * np.sin(2 * np.pi * hertz * time_s) * (1 + 0.5 * np.sin(4 * np.pi * time_s)) + 0.03 * noise).astype(np.float32)


def encoded(samples, kind, subtype=None, rate=RATE, **more):
    data = io.BytesIO()
    soundfile.write(data, samples, rate, format=kind, subtype=subtype, **more)
    return data.getvalue()


def patched(data, place, new):
    return data[:place] + new + data[place + len(new) :]


def flac_claiming(data, samples):
    head = int.from_bytes(data[18:26], "big") >> 36 << 36 | samples
    return patched(data, 18, head.to_bytes(8, "big"))


def id3v2(size, said=None):
    said = size if said is None else said
    return b"ID3\x04\0\0" + bytes(said >> shift & 127 for shift in (21, 14, 7, 0)) + bytes(size)


def ape_tag(size):
    return b"APETAGEX" + struct.pack("<4I8x", 2000, size, 1, 0xA0000000) + bytes(size)


def mp3_with_frame_count(data, count):
    place = max(data[:200].find(b"Xing"), data[:200].find(b"Info"))
    return patched(data, place + 8, struct.pack(">I", count))


def sized(data, size, place):
    """Return a file's bytes with another size: (value, bytes, order) at a place."""
    value, width, order = size
    return patched(data, place, value.to_bytes(width, order, signed=value < 0))


def ogg_flac(data):
    """Return a FLAC file in Ogg pages, as others than libsndfile write it."""
    first = data.index(b"\xff\xf8")
    body = [b"\x7fFLAC\1\0\0\1" + data[:42], data[42:first]]
    body += [data[at : at + 60000] for at in range(first, len(data), 60000)]
    pages, samples = b"", int.from_bytes(data[18:26], "big") & (2**36 - 1)
    for number, part in enumerate(body):
        lacing = bytes([255] * (len(part) // 255) + [len(part) % 255])
        granule = 0 if number < 2 else samples * (number - 1) // (len(body) - 2)
        flags = 2 if not number else 4 * (number == len(body) - 1)
        page = b"OggS\0" + bytes([flags]) + struct.pack("<qIII", granule, 7, number, 0) + bytes([len(lacing)]) + lacing + part
        pages += patched(page, 22, page_checksum(page))
    return pages


def without_info_frame(data):
    (_, end) = mp3_parts(io.BytesIO(data))[0].pieces[-1]
    starts = [place for place in range(1, end) if data[place : place + 2] == data[:2] and data[place + 3] == data[3]]
    return data[starts[0] :]


def odd_files():
    """Return {name: (bytes, READ, DAMAGED or NAMED, seconds that can be read)}."""
    a, b = tone(7), tone(6, 660)
    stereo = np.stack([a, tone(7, 550)], axis=1)
    wav, flac, ogg, mp3 = (encoded(a, kind) for kind in ("WAV", "FLAC", "OGG", "MP3"))
    flac_b, ogg_b, mp3_b = (encoded(b, kind) for kind in ("FLAC", "OGG", "MP3"))
    half, hole = len(flac) // 2, np.random.default_rng(1).bytes(3000)
    nan, loud = a.copy(), a.copy()
    nan[1000], loud[2000] = np.nan, np.inf
    return {
        # FLAC
        "flac-no-total.flac": (flac_claiming(flac, 0), READ, 7),
        "flac-2-36.flac": (flac_claiming(flac, 2**36 - 1), DAMAGED, 7),
        "flac-says-less.flac": (flac_claiming(flac, 30000), READ, 7),
        "flac-cut.flac": (flac[: len(flac) * 3 // 4], DAMAGED, 5),
        "flac-no-total-cut.flac": (flac_claiming(flac, 0)[: len(flac) * 3 // 4], READ, 5),
        "flac-zeros-inside.flac": (patched(flac, half, bytes(300)), DAMAGED, 6.5),
        "flac-noise-inside.flac": (patched(flac, half, hole), DAMAGED, 6.5),
        "flac-bytes-missing.flac": (flac[:half] + flac[half + 3000 :], DAMAGED, 6.5),
        "flac-damaged-thrice.flac": (patched(patched(patched(flac, half // 2, hole[:99]), half, hole[:99]), half * 3 // 2, hole[:99]), DAMAGED, 6),
        "flac-first-frame-damaged.flac": (patched(flac, 8300, bytes(50)), DAMAGED, 6.5),
        "flac-no-metadata-but-the-first.flac": (patched(flac, 42, bytes(40)), READ, 6.5),
        "flac-joined.flac": (flac + flac_b, READ, 13),
        "flac-joined-with-tag.flac": (flac + id3v2(900) + flac_b, READ, 13),
        "flac-id3v1.flac": (flac + b"TAG" + bytes(125), READ, 7),
        "flac-id3v2.flac": (id3v2(5000) + flac, READ, 7),
        "flac-after-junk.flac": (b"\r\n" + flac, READ, 7),
        "flac-24-bit.flac": (encoded(stereo, "FLAC", "PCM_24", 96000), READ, 1.6),
        # Ogg
        "ogg-joined.ogg": (ogg + ogg_b, READ, 13),
        "ogg-joined-thrice.ogg": (ogg + ogg_b + ogg, READ, 20),
        "ogg-joined-other-rate.ogg": (ogg + encoded(tone(6, 660, 44100), "OGG", rate=44100), READ, 13),
        "ogg-joined-other-channels.ogg": (ogg + encoded(stereo, "OGG"), READ, 14),
        "ogg-joined-opus.ogg": (ogg + encoded(tone(6, 660, 24000), "OGG", "OPUS", 24000), READ, 13),
        "ogg-cut.ogg": (ogg[: len(ogg) * 3 // 4], DAMAGED, 4),
        "ogg-zeros-inside.ogg": (patched(ogg, len(ogg) // 2, bytes(100)), DAMAGED, 5.5),
        "ogg-after-junk.ogg": (bytes(100) + ogg, READ, 7),
        "opus.opus": (encoded(tone(7, 440, 48000), "OGG", "OPUS", 48000), READ, 7),
        "opus-joined.opus": (2 * encoded(tone(6, 440, 48000), "OGG", "OPUS", 48000), READ, 12),
        # MP3
        "mp3-after-lines.mp3": (b"\r\n\r\n" + mp3, READ, 7),
        "mp3-after-zeros.mp3": (bytes(5000) + mp3, READ, 7),
        "mp3-after-ape.mp3": (ape_tag(700) + mp3, READ, 7),
        "mp3-after-half-a-frame.mp3": (mp3[300:420] + mp3, READ, 7),
        "mp3-after-text.mp3": (b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" + mp3, READ, 7),
        "mp3-joined.mp3": (mp3 + mp3_b, READ, 13),
        "mp3-joined-with-tags.mp3": (id3v2(300) + mp3 + b"TAG" + bytes(125) + id3v2(3000) + mp3_b, READ, 13),
        "mp3-joined-without-info.mp3": (mp3 + without_info_frame(mp3_b), READ, 13),
        "mp3-joined-other-rate.mp3": (mp3 + encoded(tone(6, 660, 44100), "MP3", rate=44100), READ, 13),
        "mp3-joined-other-channels.mp3": (mp3 + encoded(stereo, "MP3"), READ, 14),
        "mp3-big-tag.mp3": (id3v2(300000) + mp3, READ, 7),
        "mp3-tag-says-too-much.mp3": (id3v2(100, 2**28 - 1) + mp3, READ, 7),
        "mp3-says-less.mp3": (mp3_with_frame_count(mp3, 50), READ, 7),
        "mp3-says-more.mp3": (mp3_with_frame_count(mp3, 2**31), DAMAGED, 7),
        "mp3-cut.mp3": (mp3[: len(mp3) * 3 // 4], DAMAGED, 5),
        "mp3-noise-inside.mp3": (patched(mp3, len(mp3) // 2, hole), DAMAGED, 6),
        "mp3-without-info.mp3": (without_info_frame(mp3), READ, 7),
        "mp3-id3v1.mp3": (mp3 + b"TAG" + bytes(125), READ, 7),
        "mp3-stereo.mp3": (encoded(stereo, "MP3"), READ, 7),
        # WAV
        "wav-1-hz.wav": (patched(wav, 24, struct.pack("<I", 1)), NAMED, 0),
        "wav-3999-hz.wav": (patched(wav, 24, struct.pack("<I", 3999)), NAMED, 0),
        "wav-999-mhz.wav": (patched(wav, 24, struct.pack("<I", 999_000_000)), NAMED, 0),
        "wav-0-hz.wav": (patched(wav, 24, bytes(4)), NAMED, 0),
        "wav-no-channel.wav": (patched(wav, 22, bytes(2)), NAMED, 0),
        "wav-65535-channels.wav": (patched(wav, 22, b"\xff\xff"), NAMED, 0),
        "wav-4-gb.wav": (patched(wav, 40, b"\xff" * 4), READ, 7),
        "wav-size-0.wav": (patched(wav, 40, bytes(4)), READ, 7),
        "wav-both-sizes-0.wav": (patched(patched(wav, 40, bytes(4)), 4, bytes(4)), READ, 7),
        "wav-cut.wav": (wav[: len(wav) * 3 // 4], DAMAGED, 5),
        "wav-tag-cut.wav": ((patched(wav, 4, struct.pack("<I", len(wav) + 90000)) + b"LIST\0\0\2\0INFO"), READ, 7),
        "wav-after-junk.wav": (b"\0\r\n" + wav, READ, 7),
        "wav-after-id3.wav": (id3v2(2000) + wav, READ, 7),
        "wav-8-bit.wav": (encoded(a, "WAV", "PCM_U8"), READ, 7),
        "wav-24-bit.wav": (encoded(a, "WAV", "PCM_24"), READ, 7),
        "wav-32-bit.wav": (encoded(a, "WAV", "PCM_32"), READ, 7),
        "wav-float.wav": (encoded(a, "WAV", "FLOAT"), READ, 7),
        "wav-double.wav": (encoded(a, "WAV", "DOUBLE"), READ, 7),
        "wav-adpcm.wav": (encoded(a, "WAV", "IMA_ADPCM"), READ, 7),
        "wav-mu-law.wav": (encoded(a, "WAV", "ULAW"), READ, 7),
        "wav-nan.wav": (encoded(nan, "WAV", "FLOAT"), READ, 7),
        "wav-infinite.wav": (encoded(loud, "WAV", "FLOAT"), READ, 7),
        "wav-of-whole-numbers.wav": (encoded(a * 32768, "WAV", "FLOAT"), READ, 7),
        "wav-far-too-loud.wav": (encoded(a.astype(np.float64) * 1e30, "WAV", "DOUBLE"), READ, 7),
        "wav-8-channels.wav": (encoded(np.stack([a] * 8, axis=1), "WAV"), READ, 7),
        "wav-255-channels.wav": (encoded(np.stack([a[:6000]] * 255, axis=1), "WAV", rate=4000), READ, 1.5),
        "wav-8-khz.wav": (encoded(a, "WAV", rate=8000), READ, 19),
        "wav-12345-hz.wav": (encoded(a, "WAV", rate=12345), READ, 12),
        "wav-384-khz.wav": (encoded(a, "WAV", rate=384000), READ, 0.4),
        "wav-constant.wav": (encoded(np.full(7 * RATE, 0.5), "WAV"), READ, 7),
        "wav-silence.wav": (encoded(np.zeros(7 * RATE), "WAV"), READ, 7),
        "wav-one-sample.wav": (encoded(a[:1], "WAV"), READ, 0),
        "wav-no-sample.wav": (encoded(a[:0], "WAV"), READ, 0),
        "wavex.wav": (encoded(stereo, "WAVEX"), READ, 7),
        # others
        "aiff.aiff": (encoded(a, "AIFF"), READ, 7),
        "aiff-cut.aif": (encoded(a, "AIFF")[:200000], DAMAGED, 4),
        "au.au": (encoded(a, "AU"), READ, 7),
        "rf64.rf64": (encoded(a, "RF64"), READ, 7),
        "w64.w64": (encoded(a, "W64"), READ, 7),
        "caf.caf": (encoded(a, "CAF"), READ, 7),
        "alac.caf": (encoded(a, "CAF", "ALAC_16"), READ, 7),
        "caf-cut.caf": (encoded(a, "CAF")[:100000], DAMAGED, 2),
        "flac-in-ogg-pages.oga": (ogg_flac(flac), READ, 7),
        "flac-without-beginning.flac": (flac[half:], DAMAGED, 3),
        "wav-chunk-of-2-gb-before.wav": (wav[:12] + b"JUNK\xff\xff\xff\x7f" + wav[12:], READ, 7),
        "wav-odd-chunk.wav": (wav[:36] + b"LIST\3\0\0\0abc" + wav[36:], READ, 7),
        "voc.voc": (encoded(a, "VOC"), READ, 7),
        "ircam.sf": (encoded(a, "IRCAM"), READ, 7),
        "nist.sph": (encoded(a, "NIST"), READ, 7),
        "paf.paf": (encoded(a, "PAF"), READ, 7),
        "mp3-8-khz.mp3": (encoded(tone(7, rate=8000), "MP3", rate=8000), READ, 7),
        "mp3-48-khz.mp3": (encoded(tone(7, rate=48000), "MP3", rate=48000), READ, 7),
        "flac-in-ogg.oga": (encoded(a, "OGG", "FLAC") if "FLAC" in soundfile.available_subtypes("OGG") else ogg, READ, 7),
        "SHOUTED.WAV": (encoded(a * 0.5, "WAV"), READ, 7),
        "really-flac.mp3": (encoded(a * 0.4, "FLAC"), READ, 7),
        "really-mp3.wav": (encoded(a * 0.4, "MP3"), READ, 7),
        "no-suffix": (encoded(a * 0.7, "WAV"), READ, 7),
        "line\nbreak 🎵 ü.wav": (encoded(a * 0.6, "WAV"), READ, 7),
        "x" * 250 + ".wav": (encoded(a * 0.3, "WAV"), READ, 7),
        # no sound
        "mp4.m4a": (struct.pack(">I", 32) + b"ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + hole, NAMED, 0),
        "text.mp3": (b"This is no music. " * 500, NAMED, 0),
        "text.au": (b"This is no music. " * 500, NAMED, 0),
        "empty.wav": (b"", NAMED, 0),
        "noise.mp3": (np.random.default_rng(2).bytes(200000), NAMED, 0),
        "zeros.wav": (bytes(100000), NAMED, 0),
        "header-only.flac": (flac[:42], DAMAGED, 0),
        "header-only.ogg": (ogg[:58], NAMED, 0),
        "riff-only.wav": (wav[:12], NAMED, 0),
    }  # fmt: skip


def write_odd_files(folder):
    """Write all odd files, a pipe, a folder and links that are named like songs, and a name that is not UTF-8; returns `odd_files`."""
    files = odd_files()
    for name, (data, _, _) in files.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "linked.wav").symlink_to("folder.wav", target_is_directory=True)
    (folder / "nowhere.flac").symlink_to("nothing.flac")
    with open(os.fsencode(folder) + b"/caf\xe9.wav", "wb") as file:
        file.write(encoded(tone(7, 330), "WAV"))
    return files
