"""The title of a song by its path: the same for its versions, encodings and segments."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

from musicbench.files import path_text

MOST_NUMBERED = 60  # songs whose names differ in their last number alone and are taken for segments of one
MOST_SHARE = 0.8  # of all songs

UNTITLED = re.compile(r"(?:track|song|audio|music|mix|mixture|master|full|take|clip|output)?[\W\d_]*", re.IGNORECASE)
_VERSION = (
    r"official|original|audio|music|video|videoclip|lyrics?|visuali[sz]er|clip|remaster(?:ed)?|remastered|re-?master|live|edit|version"
    r"|radio|single|album|extended|explicit|clean|mono|stereo|demo|acoustic|instrumental|karaoke|bonus|track|hd|hq|uhd|4k|8k"
    r"|\d{3,4}p|\d{2,3} ?k(?:bps|hz)?|full|new|session|unplugged|digital|deluxe|anniversary|edition|mix|remix|copy|final|master"
    r"|(?:19|20)\d\d|slowed|reverb(?:ed)?|sped up|nightcore|8d|bass boosted"
)
_VERSIONS = rf"(?:\W*\b(?:{_VERSION})\b)+"
_FEATURED = r"\W*\b(?:feat|ft|featuring|with|prod|produced by)\b\.?"
_BRACKETS = re.compile(
    rf"[(\[{{](?:{_VERSIONS}\b[^)\]}}]*|\W*(?:live|recorded|remastered) (?:at|in|on)\b[^)\]}}]*|{_FEATURED}[^)\]}}]*|\d+)[)\]}}]"
)
_TAIL = re.compile(rf"\s*[-~|:]\s*(?:{_VERSIONS}|\W*live (?:at|in|on)\b.*)\W*$|\s+(?:copy(?: \d+)?|(?:feat|ft)\b\.? .*)$")
_VIDEO_ID = re.compile(r" ?\[[\w-]{11}\]$")  # as yt-dlp names what it downloads
_STEM = re.compile(  # a part of a song's mix, as separators name it; after a blank it may be of the title
    r"(?:[_.-]+|\s*[(\[])(?:no[ _-])?(?:vocals?|drums|bass|other|piano|guitar|accompaniment|instrumental|backing|drumless)[)\]]?$",
    re.IGNORECASE,
)
_TRACK = re.compile(r"^(?:(?:\d{1,3}\s*[-.)]\s*)*(?:\d{2,3}\s+)?|[a-d]\d{1,2}\s*[-.)]\s*)(?=\D*[^\W\d])")
_SEGMENT = re.compile(
    r"[\s.~-]*[(\[]?\b(?:parts?|pt|segments?|seg|sections?|chunks?|slices?|pieces?|snippets?|excerpts?|fragments?|clips?|splits?)"
    r"[\s.#-]*\d+(?: ?(?:of|/) ?\d+)?[)\]]?$"
    r"|[\s.~-]+\d+(?:\.\d+)? ?s?(?:ec)?[\s-]+(?:to[\s-]+)?\d+(?:\.\d+)? ?s(?:ec)?$"
)
_NUMBER = re.compile(r"[\s.~-]+\d+$")


def titles_of(paths: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return ({path: title}, lines on names that are taken for different songs).

    A title is the file's name without folder, ending, number of the track, version ("Official Audio", "live", "Remastered
    2011") and segment ("part1", "-000"). Of a name that is no title ("01", "track 3", "mixture") the folders are part.
    Names that differ in their last number alone are segments of one song, but not more than 60 of them, nor more than four
    in five of all names.
    """
    titles = {path: title_of(path) for path in paths}
    stems = {path: title if _is_untitled(path) else _NUMBER.sub("", title) or title for path, title in titles.items()}
    counts = Counter(stem for stem, _ in set(zip(stems.values(), titles.values(), strict=True)))
    most, lines = min(MOST_NUMBERED, MOST_SHARE * len(set(titles.values()))), []
    for stem in sorted(stem for stem, count in counts.items() if count > max(most, 1)):
        stems |= {path: titles[path] for path, own in stems.items() if own == stem}
        lines.append(
            f"{counts[stem]} names are {stem!r} and a number: taken for different songs; name the segments of a song "
            f"{stem}_part1, {stem}_part2 ..., or give --split-by"
        )
    return stems, lines


def _is_untitled(path):
    return bool(UNTITLED.fullmatch(Path(path).stem))


def title_of(path: str) -> str:
    """Return a song's title in small letters, with the last number that it has."""
    name = Path(path).stem
    if _is_untitled(path):
        return unicodedata.normalize("NFC", path_text(Path(path).with_suffix("")).casefold())
    name = _STEM.sub("", _VIDEO_ID.sub("", name)) or name
    plain = unicodedata.normalize("NFKC", path_text(name)).casefold().replace("_", " ")
    title = " ".join(plain.split())
    for pattern in (_BRACKETS, _SEGMENT, _TAIL, _BRACKETS, _SEGMENT, _TAIL, _TRACK):
        shorter = " ".join(pattern.sub(" ", title).split()).strip(" -.~")
        title = shorter if re.search(r"[^\W\d]", shorter) and not UNTITLED.fullmatch(shorter) else title
    return title
