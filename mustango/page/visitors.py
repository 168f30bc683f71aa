"""Who asks the page: names that the server gives, sessions keyed by them, and who listens to what goes on."""

import re
import secrets
import time
from collections import Counter, OrderedDict, deque
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
        self._listening, self._joined = Counter(), deque()
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
        return self._sealed(f"session {who.user} {who.client or who.address} {name}")

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

    def joined(self, session, queue) -> None:
        """Remember that a session waits for something in Gradio's queue, and forget those that nobody listened to for a minute."""
        now = time.monotonic()
        self._joined.append((now, session))
        waiting = None
        while self._joined and now - self._joined[0][0] > UNHEARD_S:
            old = self._joined.popleft()[1]
            waiting = waiting or {event.session_hash for event in queue.event_ids_to_events.values()}
            if not self.listens(old) and old not in waiting:
                queue.pending_messages_per_session.pop(old, None)
                queue.pending_event_ids_session.pop(old, None)

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
