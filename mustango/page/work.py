"""Long work in a thread of its own: what it tells of its progress to whoever watches, and its end when nobody does."""

import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event

from musicbench import InputError

TICK_S = 0.25  # how often a watcher hears of what goes on


@dataclass(frozen=True)
class Progress:
    """What is being done, the share of the whole that is done, and when it will be over (`time.monotonic`), if known."""

    text: str
    share: float = 0.0
    over_at: float | None = None

    @property
    def left_s(self):
        """Seconds left, None when unknown."""
        return None if self.over_at is None else max(self.over_at - time.monotonic(), 0.0)


class Stopped(BaseException):
    """The work is to end: nobody watches any more, or for the reason given; no fault of its own, which it may catch as an Exception."""


def watched(worker, work, progress):
    """Run `work(emit)` in an executor and yield `progress`, then what it emits, the last Progress again every 0.25 s.

    Closing the generator makes the next `emit` raise Stopped in `work`. What `work` raises is raised here, a Stopped with a reason as
    InputError.
    """
    events, stop = SimpleQueue(), Event()

    def emit(event):
        if stop.is_set():
            raise Stopped
        events.put(event)

    def run():
        try:
            work(emit)
            events.put(None)
        except Stopped as stopped:
            events.put(InputError(str(stopped)) if stopped.args else None)
        except Exception as error:  # raised where it is watched
            events.put(error)
        except BaseException as error:  # such as SystemExit, which would end the server where it is watched
            broken = RuntimeError(f"the work ended with {type(error).__name__}: {error}")
            broken.__cause__ = error
            events.put(broken)

    job = worker.submit(run)
    try:
        yield progress
        while True:
            try:
                event = events.get(timeout=TICK_S)
            except Empty:
                event = progress
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            if isinstance(event, Progress):
                progress = event
            yield event
    finally:
        stop.set()
        job.cancel()
