"""Which requests the console accepts. Pure: from the head of a request to a refusal or to the path behind the token.

Any page in the browser, and any process on this machine, can reach 127.0.0.1. So a request must name the console's own
address as Host (DNS rebinding sends another name), carry the token in its path (other users of the machine do not have
it), and not come from another page (Origin, Sec-Fetch-Site: no other site can act with the user's credentials).
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# `none`: typed, or opened from the terminal.
_OWN_SITES = ("same-origin", "none")
_NAMES = ("127.0.0.1", "localhost")


class Denied(Exception):
    """The request is refused. status: of the HTTP answer; the message is its text."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Gate:
    """port: where the console listens. token: printed in the terminal that started it, and nowhere else."""

    port: int
    token: str

    def enter(self, method: str, target: str, values: Callable[[str], Sequence[str]]) -> str:
        """The path behind the token, with its query. `values` gives all values of a header. Raises Denied."""
        self._check_host(values("Host"))
        behind = self._check_token(target)
        self._check_source(method, values)
        return behind

    def _check_host(self, hosts: Sequence[str]) -> None:
        if len(hosts) != 1 or hosts[0].lower() not in {f"{name}:{self.port}" for name in _NAMES}:
            raise Denied(403, f"the console answers to http://127.0.0.1:{self.port} only")

    def _check_token(self, target: str) -> str:
        first, slash, behind = target.removeprefix("/").partition("/")
        if not target.startswith("/") or not hmac.compare_digest(first.encode(), self.token.encode()):
            raise Denied(403, "the address lacks the token; open the one that the console printed in its terminal")
        return slash + behind

    def _check_source(self, method: str, values: Callable[[str], Sequence[str]]) -> None:
        own = {f"http://{name}:{self.port}" for name in _NAMES}
        origins, sites = values("Origin"), values("Sec-Fetch-Site")
        # Browsers send Origin with every request that may change something: without it, it is not our page.
        if method != "GET" and len(origins) != 1:
            raise Denied(403, "a request that changes something must name its origin")
        if any(origin not in own for origin in origins) or any(site not in _OWN_SITES for site in sites):
            raise Denied(403, "another page has sent this; the console answers its own page only")
