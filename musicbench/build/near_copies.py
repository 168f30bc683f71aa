"""Which of many recordings are the same: by an inverted index over the words of their fingerprints, not by all pairs.

Of each recording up to 128 words are indexed, always the same ones of a stretch of sound. Two recordings that share one are
laid upon each other there, and are the same where enough of what then lies side by side has nearly the same bits. On composed
clips of 10 s, up to 9 % of the bits differ between a recording and a copy, 18 % or more between others
(benchmarks/duplicates.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile

import numpy as np

from musicbench.sound.fingerprint import WORD_S

INDEXED = 128  # words of a recording
NEIGHBOURS = 4  # recordings with the same word that each is compared with
PARTS = 16  # in which the index is gone through
AT_ONCE = 1 << 17  # pairs
WINDOW = 16  # words, two seconds
MOST_DIFFERENT = 0.14 * 32  # bits of a word, over a window
LEAST_DISTINCT = 8  # words that two recordings must share: silence and single tones have fewer
LEAST_WORDS, LEAST_SHARE = 80, 0.5  # of words that are the same: ten seconds, or half of the shorter recording
MIX = np.uint32(2654435761)  # spreads words (Knuth's multiplicative hash)


@dataclass(frozen=True)
class Copy:
    """Two recordings, by number, that are the same.

    alike: the share of bits that agree where both sound; later_s: how much later the second begins; overlap: which share of
    each lies in the other.
    """

    first: int
    second: int
    alike: float
    later_s: float
    overlap: tuple[float, float]


class _Prints:
    """The words of all recordings, one after the other, in a file that is mapped."""

    def __init__(self, prints: Iterable[bytes]) -> None:
        with TemporaryFile() as file:
            sizes = [file.write(words) // 4 for words in prints]
            file.flush()
            self.words = np.asarray(np.memmap(file, np.uint32, "r")) if sum(sizes) else np.zeros(0, np.uint32)
        self.sizes = np.array(sizes, np.int64)
        self.begins = np.cumsum(self.sizes) - self.sizes

    def __getitem__(self, number):
        return self.words[self.begins[number] : self.begins[number] + self.sizes[number]]


def near_copies(prints: Iterable[bytes]) -> list[Copy]:
    """Return the pairs of recordings that are the same, by the bytes of their words (`fingerprint`), in order.

    Of many that are the same not all pairs are returned, but enough to connect them.
    """
    held, found, tried = _Prints(prints), {}, set()
    for firsts, seconds, laters, places in _candidates(held):
        likely = _likely(held, firsts, seconds, laters, places)
        rows = np.unique(np.stack([firsts, seconds, laters], axis=1)[likely], axis=0)
        for first, second, later in sorted(set(map(tuple, rows.tolist())) - tried):
            tried.add((first, second, later))
            copy = _copy(held, first, second, later)
            known = found.get((first, second))
            if copy and (not known or copy.alike > known.alike):
                found[first, second] = copy
    return [found[pair] for pair in sorted(found)]


def _candidates(held) -> Iterator[list[np.ndarray]]:
    """Yield [first, second, by how many words the second is later, the word's place in the second] of recordings that
    share a word."""
    words, places, songs = _index(held)
    parts = ((words * MIX) >> np.uint32(32 - PARTS.bit_length() + 1)).astype(np.uint8)
    for part in range(PARTS):
        own = np.flatnonzero(parts == part)
        own = own[np.argsort(words[own], kind="stable")]
        pairs = []
        for step in range(1, NEIGHBOURS + 1):
            shares = (words[own[:-step]] == words[own[step:]]) & (songs[own[:-step]] != songs[own[step:]])
            first, second = own[:-step][shares], own[step:][shares]
            place = places[second].astype(np.int32)
            pairs.append((songs[first], songs[second], places[first] - place, place))
        table = [np.concatenate(arrays) for arrays in zip(*pairs, strict=True)]
        for begin in range(0, len(table[0]), AT_ONCE):
            yield [array[begin : begin + AT_ONCE] for array in table]


def _index(held):
    """Return (word, its place in the recording, the recording) of all that is indexed, by recording."""
    words, places, counts = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint16)], []
    for number in range(len(held.sizes)):
        own, first = np.unique(held[number], return_index=True)
        if len(own) < LEAST_DISTINCT:
            own, first = own[:0], first[:0]
        if len(own) > INDEXED:
            chosen = np.argpartition(own * MIX, INDEXED)[:INDEXED]
            own, first = own[chosen], first[chosen]
        words.append(own)
        places.append(first.astype(np.uint16))
        counts.append(len(own))
    return np.concatenate(words), np.concatenate(places), np.repeat(np.arange(len(counts), dtype=np.int32), counts)


def _likely(held, firsts, seconds, laters, places):
    """Tell of each pair whether the two seconds around their word have nearly the same bits."""
    begins = np.maximum(-laters, 0)  # of what overlaps, in the second
    ends = np.minimum(held.sizes[seconds], held.sizes[firsts] - laters)
    is_likely = ends - begins >= WINDOW
    firsts, seconds, laters, places, begins, ends = (array[is_likely] for array in (firsts, seconds, laters, places, begins, ends))
    place = np.clip(places - WINDOW // 2, begins, ends - WINDOW)
    at, beside = held.begins[seconds] + place, held.begins[firsts] + place + laters
    window = np.arange(WINDOW)
    different = np.bitwise_count(held.words[at[:, None] + window] ^ held.words[beside[:, None] + window])
    is_likely[is_likely] = different.mean(axis=1) <= MOST_DIFFERENT
    return is_likely


def _copy(held, first, second, later):
    """Return the Copy of two recordings laid upon each other, None where they are not the same."""
    whole = held[first], held[second]
    one, other = whole[0][max(later, 0) :], whole[1][max(-later, 0) :]
    length = min(len(one), len(other))
    one, different = one[:length], np.bitwise_count(one[:length] ^ other[:length])
    sums = np.cumsum(np.concatenate([[0], different]))
    is_same = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW <= MOST_DIFFERENT
    same = one[np.convolve(is_same, np.ones(WINDOW)) > 0]
    if len(same) < min(LEAST_WORDS, LEAST_SHARE * min(map(len, whole))) or len(np.unique(same)) < LEAST_DISTINCT:
        return None
    alike = 1 - float(different.mean()) / 32
    return Copy(first, second, round(alike, 3), round(later * WORD_S, 2), (length / len(whole[0]), length / len(whole[1])))
