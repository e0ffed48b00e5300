"""A pending secret version is read by requests on the candidate's path only, in the same process as users' requests."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from proxy import settings
from proxy.clock import Clock
from proxy.secret.cache import CANDIDATE_TTL_S
from proxy.wiring import Parts
from tests.functional.proxy.rig import Rig, Store, secret
from tests.functional.proxy.upstream import Seen, Upstream, chat, reply


@dataclass
class World:
    """One process with the users' secret and the one that the candidate reads, and a clock that a test moves."""

    base_url: str
    now: float = 1000.0
    users: Store = field(init=False)
    candidates: Store = field(init=False)

    def __post_init__(self) -> None:
        self.users, self.candidates = Store(secret(self.base_url)), Store(secret(self.base_url))

    def rig(self) -> Rig:
        chosen = settings.Settings("", "dev", "INFO", "stream", "sha256:abc", 300.0, "7")
        clock = Clock(wall=lambda: self.now)
        return Rig(Parts(chosen, self.users, clock, candidate_store=self.candidates), self.users)

    def stage(self, **changes: Any) -> None:
        """A pending version, seen once the candidate's cache is old."""
        self.candidates.secret, self.candidates.version = secret(self.base_url, **changes), "v2"
        self.now += CANDIDATE_TTL_S


def wrong_key_refused(upstream: Upstream, observed: Seen, client: socket.socket) -> bool:
    good = observed.header("authorization") == "Bearer sk-upstream"
    return (chat() if good else reply(401, {"error": {}}))(upstream, observed, client)


def test_a_wrong_pending_key_fails_the_candidate_and_no_user() -> None:
    with Upstream(wrong_key_refused) as upstream:
        world = World(upstream.base_url)
        proxy = world.rig()
        assert [proxy.ask().status, proxy.ask(candidate=True).status] == [200, 200]
        world.stage(api_key="sk-wrong")
        assert [proxy.ask(candidate=True).status, proxy.ask().status] == [401, 200]
        # Users' cache is neither read again nor replaced by the candidate's refusal.
        assert world.users.reads == 1


def test_the_candidate_reports_the_pending_version_after_its_own_short_time_to_live() -> None:
    with Upstream(chat()) as upstream:
        world = World(upstream.base_url)
        proxy = world.rig()

        def version() -> str:
            answer = proxy.ask("/health", method="GET", candidate=True).json()
            return str(answer["secret"]["version_id"])

        assert version() == "v1"
        world.stage()
        world.now -= 0.01
        assert version() == "v1"
        world.now += 0.01
        assert version() == "v2"


def test_a_malformed_pending_version_leaves_users_what_they_have() -> None:
    with Upstream(chat()) as upstream:
        world = World(upstream.base_url)
        proxy = world.rig()
        proxy.ask()
        world.candidates.text = "{"
        assert proxy.ask("/health", method="GET", candidate=True).status == 503
        assert proxy.ask().status == 200


def test_between_two_requests_the_candidates_secret_is_refreshed_too() -> None:
    with Upstream(chat()) as upstream:
        world = World(upstream.base_url)
        proxy = world.rig()
        proxy.ask(candidate=True)
        world.now += CANDIDATE_TTL_S * 0.9
        proxy.parts.secrets.refresh_early()
        assert (world.candidates.reads, world.users.reads) == (2, 0)
