"""Who asks the page: names that the server gives, sessions keyed by them, and who listens to what goes on."""

import asyncio
import re
import secrets
import time
from collections import Counter, OrderedDict
from hashlib import blake2b
from http.cookies import CookieError, SimpleCookie

from mustango.page.line import LISTENER_S, Who
from mustango.page.shares import address_of

SESSIONS = 400  # whose state Gradio keeps
UNHEARD_S = 4 * LISTENER_S  # after it what waits for a listener is forgotten


class Visitors:
    """Clients with names that this server gave them: a cookie of 128 random bits, sealed. Without one a client is its address."""

    def __init__(self):
        self._secret = secrets.token_bytes(32)
        self._listening = Counter()
        self._events: dict[str, tuple[str, str]] = {}  # in Gradio's queue: {event: (whose, session)}
        self._unheard: dict[str, float] = {}  # {session: since when}
        self._timer = None
        self._sessions: dict[str, OrderedDict] = {}

    def _sealed(self, text):
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16).hexdigest()

    @staticmethod
    def cookie_name(scope) -> str:
        """Return the name of this server's cookie; another port of the same machine has another."""
        return f"mustango-{(scope.get('server') or ('', 0))[1]}"

    def new_cookie(self) -> str:
        """Return the value of a cookie for a client that has none."""
        name = secrets.token_hex(16)
        return name + self._sealed(f"cookie {name}")

    def who(self, scope, cookies, user=None) -> Who:
        """Return who sends a request; cookies: {name: value}."""
        value = cookies.get(self.cookie_name(scope), "")
        ours = re.fullmatch("[0-9a-f]{64}", value) and secrets.compare_digest(value[32:], self._sealed(f"cookie {value[:32]}"))
        host = (scope.get("client") or ("", 0))[0]
        return Who(user, address_of(host), value[:32] if ours else "")

    def session(self, who: Who, name) -> str:
        """Return the name of a session that a client calls `name`: nobody else can name the same one."""
        return self._sealed(f"session {self._owner(who)} {name}")

    @staticmethod
    def _owner(who):
        return f"{who.user} {who.client or who.address}"

    # ---------------------------------------------------------------------------------------------- listeners

    def begin_to_listen(self, *names) -> None:
        """Count a stream in which what happens to a session or an event is told."""
        self._listening.update(names)

    def end_listening(self, *names) -> None:
        """Count it no longer."""
        self._listening.subtract(names)
        for name in names:
            if self._listening[name] <= 0:
                del self._listening[name]

    def listens(self, name) -> bool:
        """True when somebody listens to a session or an event."""
        return self._listening[name] > 0

    def joined(self, who: Who, event: str, session: str) -> None:
        """Remember whose an event in Gradio's queue is, and the session it is told in."""
        self._events[event] = self._owner(who), session
        self._unheard.pop(session, None)

    def session_of(self, who: Who, event) -> str | None:
        """Return the session of somebody's own event, None for others' and for one that is not known any more."""
        owner, session = self._events.get(event, (None, None)) if isinstance(event, str) else (None, None)
        return session if owner == self._owner(who) else None

    def keep_forgetting(self, queue) -> None:
        """Forget what nobody hears every few seconds from now on, as long as Gradio's queue keeps something."""
        if self._timer is None:
            self._forget_on(queue)

    def _forget_on(self, queue):
        self.forget_unheard(queue)
        left = queue.pending_messages_per_session or queue.pending_event_ids_session
        self._timer = asyncio.get_running_loop().call_later(LISTENER_S, self._forget_on, queue) if left else None

    def forget_unheard(self, queue) -> None:
        """Forget what Gradio's queue keeps for sessions that nobody has listened to for a minute, whoever named them."""
        now = time.monotonic()
        told, ids = queue.pending_messages_per_session, queue.pending_event_ids_session
        working = {event.session_hash for event in queue.event_ids_to_events.values()}
        idle = [name for name in {*told, *ids} if name not in working and not self.listens(name)]
        self._unheard = {name: self._unheard.get(name, now) for name in idle}
        for name in [name for name, since in self._unheard.items() if now - since > UNHEARD_S]:
            told.pop(name, None)
            ids.pop(name, None)
        kept = {*queue.event_ids_to_events, *(event for events in ids.values() for event in events)}
        self._events = {event: whose for event, whose in self._events.items() if event in kept}

    # ---------------------------------------------------------------------------------------------- sessions

    def used(self, who: Who, session: str, states) -> None:
        """Keep the number of sessions in Gradio's `states` ({session: state}) bounded: whoever has the most loses their own oldest."""
        own = self._sessions.setdefault(who.address, OrderedDict())
        own[session] = None
        own.move_to_end(session)
        while sum(map(len, self._sessions.values())) > SESSIONS:
            address = max(self._sessions, key=lambda address: len(self._sessions[address]))
            oldest, _ = self._sessions[address].popitem(last=False)
            states.pop(oldest, None)
            if not self._sessions[address]:
                del self._sessions[address]


def cookies_in(header: str) -> dict:
    """Return {name: value} of a Cookie header, {} where it cannot be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
