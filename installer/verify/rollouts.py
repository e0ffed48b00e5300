"""The rollouts of a run: one ephemeral environment, from its secret to its clean-up."""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctl.client import Client
from ctl.shapes import Deployment, Row
from installer.say import tell
from installer.verify.upstream import Upstream

MODEL = "gpt-4o-mini"
TTL_HOURS = 3.0  # the sweeper removes the environment of a run that died
_LIMIT_S = 1_800.0
# Small: what a rollout of this environment proves is that it works, not how fast it is.
_OPTIONS: Mapping[str, Any] = {
    "load": {"rps": 5, "duration_s": 5, "cold_starts": 1},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "ttl_hours": TTL_HOURS,
    "reason": "make verify-account",
}


@dataclass(frozen=True)
class Rollouts:
    """client_key: of the one caller that the proxy serves."""

    client: Client
    environment: str
    embedded: bool
    client_key: str = field(repr=False)

    @classmethod
    def of(cls, client: Client, *, embedded: bool) -> "Rollouts":
        """An environment of a name that nobody has."""
        return cls(client, f"verify-{secrets.token_hex(3)}", embedded, secrets.token_urlsafe(24))

    def put_secret(self, upstream: Upstream) -> None:
        """The environment's secret. The stand-in's faults take as long as these timeouts."""
        digest = hashlib.sha256(self.client_key.encode()).hexdigest()
        self.client.put_secret(
            self.environment,
            {
                "schema": 1,
                "api_key": upstream.key,
                "base_url": upstream.base_url,
                "models": {MODEL: {"target": MODEL}, "text-embedding-3-small": {"target": "text-embedding-3-small"}},
                "timeouts": {"connect_s": 2, "first_byte_s": 3, "idle_s": 2, "total_s": 25},
                "client_keys": [{"id": "verify", "sha256": digest}],
                "cors_origins": ["*"],
            },
        )

    def deploy(self, config: Mapping[str, object] | None = None, steps: tuple[int, ...] = (100,)) -> Deployment:
        """Roll the environment; the deployment as it ended."""
        seconds = 2 if self.embedded else 60
        bake = {"steps": list(steps), "step_s": seconds if len(steps) > 1 else 1, "watch_s": seconds}
        return self.run("deploy", config=dict(config or {}), options={**_OPTIONS, "bake": bake})

    def run(self, action: str, **more: object) -> Deployment:
        """Any action; the deployment as it ended. Raises ApiError, TimeoutError."""
        body = {"environment": self.environment, "action": action, **more}
        started = self.client.start(body, uuid.uuid4().hex)
        last = started
        for state in self.client.follow(started["id"], _LIMIT_S):
            last = state
        tell(f"  {action:<10} {last['id']}: {last['status']}: {last.get('summary', '')}")
        return last


def row_of(deployment: Deployment, name: str) -> Row:
    """A phase or step of a deployment; an empty row if it did not run."""
    rows = [*deployment.get("phases", []), *deployment.get("steps", [])]
    return next((row for row in rows if row["name"] == name), Row(number=0, name=name, status="PENDING"))


def evidence_of(deployment: Deployment, name: str) -> dict[str, Any]:
    """Evidence of a phase or step; {} if it did not run."""
    return row_of(deployment, name).get("evidence") or {}
