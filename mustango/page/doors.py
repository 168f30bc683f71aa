"""The server's connections: how many there may be, and how long one may say nothing."""

from mustango.page.shares import Shares, address_of

HEADERS_S = 20.0  # within which a request's headers are there
MOST = 800  # connections, of one address about half


def connections(most: int = MOST) -> Shares:
    """Return the shares of connections that this process may have open."""
    try:
        import resource
    except ImportError:  # Windows
        return Shares(most)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return Shares(most if files == resource.RLIM_INFINITY else max(min(most, files * 3 // 4), 8))


def careful(protocol: type, shares: Shares, headers_s: float = HEADERS_S) -> type:
    """Return uvicorn's HTTP protocol, closing connections that are too many of an address, or whose headers do not come in time."""

    class Careful(protocol):
        _address, _timer = None, None

        def connection_made(self, transport):
            peer = transport.get_extra_info("peername")
            address = address_of(str(peer[0])) if peer else ""
            if not shares.take(address):
                transport.abort()
                return
            self._address = address
            super().connection_made(transport)
            self._watch()

        def connection_lost(self, exc):
            if self._address is None:
                return
            shares.give(self._address)
            self._unwatch()
            super().connection_lost(exc)

        def data_received(self, data):
            if self._address is None:
                return
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._unwatch()
            elif self._timer is None:
                self._watch()

        def eof_received(self):
            return None if self._address is None else super().eof_received()

        def on_response_complete(self):
            super().on_response_complete()
            if not self.transport.is_closing() and self._timer is None and self.cycle.response_complete:
                self._watch()

        def _watch(self):
            self._timer = self.loop.call_later(headers_s, self._close)

        def _unwatch(self):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _close(self):
            self._timer = None
            if not self.transport.is_closing():
                self.transport.abort()

    return Careful
