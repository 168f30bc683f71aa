"""The names under which the page is reached, by which foreign pages are told from it."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit


class Names:
    """The names under which the page is reached: those `given`, this machine's `own`, and any bare address.

    A page of a foreign name that has this machine's address is thus no page of ours, whatever its name servers say.
    """

    def __init__(self, given: Iterable[str] = (), own: Iterable[str] = (), suffixes: tuple[str, ...] = ()):
        self._given = {name.strip().lower().rstrip(".") for name in given}
        self._names = self._given | {name.lower().rstrip(".") for name in own} | {"localhost"}
        self._suffixes = suffixes

    def known(self, host: str) -> bool:
        """True for the value of a Host header that names this page."""
        name = _name_of(host)
        if name is None:
            return False
        try:
            ip_address(name)
        except ValueError:
            return name in self._names or name.endswith((".localhost", *self._suffixes))
        return True

    def same(self, origin: str, hosts: list[str]) -> bool:
        """True when an Origin is that of the page which a request was sent to under the names `hosts`."""
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        ours = parts.netloc.lower() in hosts or _name_of(parts.netloc) in self._given
        return parts.scheme in ("http", "https") and ours


def _name_of(host):
    """Return the name of a Host header without its port, None where it is none."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name and name.rstrip(".")
