"""What there is of something, shared out among addresses so that nobody can take all of it."""

import time
from collections import Counter, OrderedDict
from collections.abc import Hashable
from ipaddress import ip_address
from threading import Lock


class Shares:
    """Shares out `total` of something: one who asks may hold about as much as is still free.

    So one alone gets half, the next half of the rest, and something is always left for a newcomer. What is taken is given back, or comes
    back by itself: within a minute after `ends_s` seconds.
    """

    def __init__(self, total: int, ends_s: float | None = None):
        self.total, self._ends_s = total, ends_s
        self._held, self._minutes, self._lock = Counter(), OrderedDict(), Lock()

    @property
    def free(self) -> int:
        """What nobody holds."""
        with self._lock:
            self._end()
            return self.total - self._held.total()

    def held(self, who: Hashable) -> int:
        """Return what one holds."""
        with self._lock:
            self._end()
            return self._held[who]

    def may_take(self, who: Hashable, amount: int = 1) -> bool:
        """True when `take` would give so much now."""
        with self._lock:
            self._end()
            return self._fits(who, amount)

    def take(self, who: Hashable, amount: int = 1) -> bool:
        """Take so much, or nothing; returns whether it was given."""
        with self._lock:
            self._end()
            if self._fits(who, amount):
                self._add(who, amount)
                return True
            return False

    def add(self, who: Hashable, amount: int = 1) -> None:
        """Count what one has already, even where `take` would not have given it."""
        with self._lock:
            self._add(who, amount)

    def give(self, who: Hashable, amount: int = 1) -> None:
        """Give back what was taken."""
        with self._lock:
            self._give(who, amount)

    def _fits(self, who, amount):
        free = self.total - self._held.total()
        return amount <= free and self._held[who] + amount <= free - amount + 2  # one of two may have both

    def _add(self, who, amount):
        self._held[who] += amount
        if self._ends_s is not None:
            self._minutes.setdefault(int(time.monotonic() // 60), Counter())[who] += amount

    def _give(self, who, amount):
        self._held[who] -= amount
        if self._held[who] <= 0:
            del self._held[who]

    def _end(self):
        while self._minutes:
            minute, taken = next(iter(self._minutes.items()))
            if time.monotonic() < 60 * (minute + 1) + self._ends_s:
                return
            del self._minutes[minute]
            for who, amount in taken.items():
                self._give(who, amount)


class Tries:
    """Counts what an address tried within a minute, and says when it was too much; remembers the last 10,000 addresses."""

    REMEMBERED = 10_000

    def __init__(self, most: int, per_s: float = 60.0):
        self._most, self._per_s, self._tried = most, per_s, OrderedDict()

    def allowed(self, who: Hashable) -> bool:
        """True when one may try now; counts the try."""
        now = time.monotonic()
        recent = [at for at in self._tried.pop(who, ()) if now - at < self._per_s]
        may = len(recent) < self._most
        self._tried[who] = [*recent, now] if may else recent
        if len(self._tried) > self.REMEMBERED:
            self._tried.popitem(last=False)
        return may


def address_of(host: str) -> str:
    """Return what one household has of an address: the whole of an IPv4 address, the first 64 bits of an IPv6 one."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or f"{address.exploded[:19]}::/64")
