"""A file opened to be read as sound; why it cannot be, and what to do."""

import errno
import hashlib
import os
import stat

from musicbench import InputError
from musicbench.files import printable
from musicbench.sound.formats import HEAD, foreign_format, is_text
from musicbench.sound.parts import read_at, size_of


class UnreadableSound(InputError):
    """A file from which no sound can be read; `reason` says why without its path."""

    reason = ""


USUAL_REMEDY = "give a WAV, FLAC, OGG or MP3 file"


def unreadable(path, reason, remedy=USUAL_REMEDY):
    """Return the UnreadableSound of a file, for a reason, with what to do."""
    error = UnreadableSound(f"cannot read {printable(path)} as audio ({reason}); {remedy}")
    error.reason = f"cannot be read as audio ({reason}); {remedy}"
    return error


OPENING_REMEDIES = {errno.EACCES: "allow reading it", errno.EPERM: "allow reading it"}


def open_regular(path):
    """Open a file for reading bytes; a pipe or device, which may never end, is refused. Raises InputError."""
    try:
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        is_link = os.path.islink(path)
        if is_link:
            reason = f"{reason}, and it is a link"
        remedy = "mend the link, or delete it" if is_link else OPENING_REMEDIES.get(getattr(error, "errno", 0), "copy it anew")
        raise unreadable(path, reason, remedy) from None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise unreadable(path, "it is no regular file but a folder, a pipe or a device", "give a file, or rename it")
    return os.fdopen(opened, "rb", buffering=1 << 16)


def file_sha256(path):
    """Return the digest of a regular file's bytes. Raises InputError."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {printable(path)} ({error.strerror}); copy it anew") from None


def fault_of_file(file, error):
    """Say why a file could not be opened as sound, and what to do.

    Of no audio, libsndfile may say that it does not exist.
    """
    reason = getattr(error, "error_string", str(error)).strip()
    if not size_of(file):
        return "it is empty", "copy it anew, or delete it"
    if "SF_INFO" in reason:
        return "its header gives no sample rate", "mend the header, or convert the file"
    if form := foreign_format(file):
        return f"{form} is not read", "convert it to FLAC or WAV, with ffmpeg for one"
    if "not recognised" in reason or "does not exist" in reason:
        if b"OggS" in read_at(file, 0, HEAD):
            return "its first Ogg pages, which say how to decode it, are lost", "copy it anew"
        text = " but text" if is_text(read_at(file, 0, HEAD)) else " that can be read"
        return f"it holds no audio{text}", USUAL_REMEDY
    return reason, USUAL_REMEDY
