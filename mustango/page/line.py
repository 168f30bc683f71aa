"""The line before work that is done one piece at a time: whose turn it is, and how long a request may take."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from musicbench import InputError
from mustango.page.shares import Shares
from mustango.page.work import TICK_S, Stopped

LISTENER_S = 15.0  # how long work waits for somebody who listens to it
AWAKE_S = 5.0  # who has not asked for its turn so long does not get it
FORGOTTEN_S = 600.0  # of work that somebody had, half counts after it
REMEMBERED = 10_000  # users, addresses and clients


class Full(InputError):
    """There is no place in the line."""


@dataclass(frozen=True)
class Who:
    """Who asks: the user who has logged in, the address, the client that the server gave a name."""

    user: str | None = None
    address: str = ""
    client: str = ""


class Usage:
    """Seconds of work that each had; of what was long ago less and less counts."""

    def __init__(self):
        self._had = OrderedDict()

    def of(self, key) -> float:
        """Return the seconds that count now."""
        seconds, at = self._had.get(key, (0.0, 0.0))
        return seconds * 0.5 ** ((time.monotonic() - at) / FORGOTTEN_S)

    def add(self, key, seconds: float) -> None:
        """Add seconds of work."""
        self._had[key] = self.of(key) + seconds, time.monotonic()
        self._had.move_to_end(key)
        if len(self._had) > REMEMBERED:
            self._had.popitem(last=False)


@dataclass(eq=False)
class Place:
    """A request's place in the line. next_s: the seconds that its next turn will take, as far as known."""

    who: Who
    listened: Callable[[], bool]
    next_s: float = 0.0
    came_at: float = field(default_factory=lambda: time.monotonic())
    asked_at: float = field(default_factory=lambda: time.monotonic())
    heard_at: float = field(default_factory=lambda: time.monotonic())
    began_at: float | None = None  # of its turn
    spent_s: float = 0.0  # in its turns before

    def check_listener(self) -> bool:
        """True when somebody listens. Raises InputError when nobody has for too long."""
        if self.listened():
            self.heard_at = time.monotonic()
            return True
        if time.monotonic() - self.heard_at > LISTENER_S:
            raise InputError("nobody listens to this request any more; ask again, and stay")
        return False


class Line:
    """Gives turns, one at a time: first to those who had the least work lately, by user, address and client.

    A second of waiting makes up for a second of work, so everybody's turn comes. At most `places` requests are in the line, of one address
    at most about half of them; a request has at most `most_s` seconds of work in all its turns.
    """

    def __init__(self, places: int, most_s: float = math.inf):
        self.most_s, self.usage, self.worked_s = most_s, Usage(), 0.0
        self._shares, self._changed = Shares(places), Condition()
        self._waiting: list[Place] = []
        self._working: Place | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        with self._changed:
            return len(self._waiting)

    @contextmanager
    def place(self, who: Who, listened: Callable[[], bool] = lambda: True) -> Iterator[Place]:
        """Hold a place in the line. Raises Full when there is none."""
        if not self._shares.take(who.address):
            held = self._shares.held(who.address)
            raise Full(f"this server is full: {held} of your requests wait, and those of others; try again later")
        place = Place(who, listened)
        try:
            yield place
        finally:
            self.end_turn(place)
            with self._changed:
                if place in self._waiting:
                    self._waiting.remove(place)
                self._changed.notify_all()
            self._shares.give(who.address)

    def check_cost(self, seconds: float) -> None:
        """Raise InputError for a request that would take longer than one may."""
        if seconds > self.most_s:
            raise InputError(
                f"this would take about {seconds:.0f} s of work, above the {self.most_s:.0f} s that this server gives a request; "
                "ask for fewer takes, fewer steps or less music"
            )

    def before(self, place: Place) -> int:
        """Wait a moment for a turn; returns how many are before this place, 0 when its turn has begun.

        Raises InputError when nobody has listened for too long.
        """
        with self._changed:
            if place not in self._waiting:
                place.came_at = time.monotonic()
                self._waiting.append(place)
            if not self._begun(place):
                self._changed.wait(TICK_S)
                if not self._begun(place):
                    order = sorted(self._waiting, key=self._rank)
                    return max(order.index(place) + (self._working is not None), 1)
            return 0

    def end_turn(self, place: Place) -> None:
        """End a turn: what it took counts. Does nothing where none has begun."""
        with self._changed:
            if self._working is not place:
                return
            seconds = time.monotonic() - (place.began_at or 0.0)
            place.spent_s += seconds
            self.worked_s += seconds
            for key in self._keys(place.who):
                self.usage.add(key, seconds)
            self._working = None
            self._changed.notify_all()

    def in_time(self, place: Place, emit: Callable) -> Callable:
        """Return an `emit` that ends work which takes longer than a request may, see `mustango.page.work.watched`."""

        def emit_in_time(event):
            if place.began_at and place.spent_s + time.monotonic() - place.began_at > self.most_s:
                raise Stopped(
                    f"this took longer than the {self.most_s:.0f} s of work that this server gives a request; "
                    "ask for fewer takes, fewer steps or less music"
                )
            emit(event)

        return emit_in_time

    def _begun(self, place):
        place.asked_at = time.monotonic()
        heard = place.check_listener()
        ready = [other for other in self._waiting if place.asked_at - other.asked_at < AWAKE_S and other.listened()]
        if not heard or self._working or min(ready, key=self._rank, default=None) is not place:
            return False
        self._waiting.remove(place)
        self._working, place.began_at = place, time.monotonic()
        return True

    def _rank(self, place):
        used_s = sum(self.usage.of(key) for key in self._keys(place.who))
        return used_s + place.next_s - (time.monotonic() - place.came_at)

    @staticmethod
    def _keys(who):
        return [(name, value) for name, value in vars(who).items() if value]
