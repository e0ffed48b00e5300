"""What the end-to-end tests share: a cloud with the control plane in it, and rollouts as small as they can be."""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI

from ctl.client import Client
from installer import bucket
from installer.check import ROOT
from installer.demo import MODELS, secret_of
from installer.packaging import bundle
from installer.target import Target
from installer.upgrades import bundles
from local.state import Cloud

PATIENCE_S = 240.0
CLIENT_KEY = "client-key-1"
# A rollout proves the same with little load and a short bake.
QUICK: Mapping[str, Any] = {
    "load": {"rps": 10, "duration_s": 2, "cold_starts": 0},
    # What these tests prove is not how fast a machine is that others use, too; a release's speed is judged elsewhere. A
    # p99 would need a hundred requests.
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [50, 100], "step_s": 1, "watch_s": 1},
}


@dataclass(frozen=True)
class Embedded:
    """A running cloud with the control plane in it."""

    cloud: Cloud
    aws: Target
    outputs: dict[str, str]
    api_url: str
    client: Client

    def boto(self, service: str) -> Any:
        """A boto3 client with the operator's keys."""
        return self.aws.client(service)

    def secret(self) -> dict[str, Any]:
        """A proxy secret that points at the stand-in, with an alias and a client key."""
        secret = secret_of(self.cloud)
        keys = [{"id": "tests", "sha256": hashlib.sha256(CLIENT_KEY.encode()).hexdigest()}]
        return secret | {"models": MODELS | {"fast": {"target": "gpt-4o-mini"}}, "client_keys": keys}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Any route of the control API: status and body."""
        reply = self.client.call(method, path, body, retry=False)
        return reply.status, reply.body

    def function(self, name: str) -> str:
        """The physical name of one of the control plane's Lambdas, by its name in app.py."""
        resource = self.boto("cloudformation").describe_stack_resource(StackName="proxyctl", LogicalResourceId=name)
        physical: str = resource["StackResourceDetail"]["PhysicalResourceId"]
        return physical


@dataclass(frozen=True)
class Rolled:
    """An environment and the deployment that rolled it."""

    embedded: Embedded
    environment: str
    deployment: dict[str, Any]

    @property
    def base_url(self) -> str:
        """What an OpenAI SDK takes."""
        links = self.deployment.get("links") or self.stands()["links"]
        url: str = links["base_url"]
        return url

    def stands(self) -> dict[str, Any]:
        """GET /environments/{name}."""
        return dict(self.embedded.client.environment(self.environment))


def start(embedded: Embedded, environment: str, action: str = "deploy", **given: Any) -> str:
    """POST /deployments with quick options; the deployment's id."""
    options = {**QUICK, **given.pop("options", {})}
    # Environments of tests have names that look alike.
    body = {"environment": environment, "action": action, "options": options, "create": True, **given}
    # With a key, so that a connection which the emulator has closed meanwhile costs another attempt and no test.
    started: str = embedded.client.start(body, uuid.uuid4().hex)["id"]
    return started


def ended(embedded: Embedded, deployment_id: str) -> dict[str, Any]:
    """The deployment once it has ended."""
    return dict(list(embedded.client.follow(deployment_id, PATIENCE_S))[-1])


def roll(embedded: Embedded, environment: str, action: str = "deploy", **given: Any) -> dict[str, Any]:
    """Start and wait; the deployment as it ended, and its environment free again."""
    answer = ended(embedded, start(embedded, environment, action, **given))
    until("the lock is released", lambda: not embedded.client.environment(environment).get("lock"))
    return answer


def until(what: str, holds: Callable[[], Any], patience_s: float = 60.0) -> Any:
    """The first truthy value; an AssertionError saying what was waited for in vain."""
    deadline, pause = time.monotonic() + patience_s, 0.1
    while time.monotonic() < deadline:
        if value := holds():
            return value
        time.sleep(pause)
        pause = min(2.0, pause * 1.5)
    raise AssertionError(f"in vain waited {patience_s:.0f} s until {what}")


def final(embedded: Embedded, deployment_id: str) -> dict[str, Any] | None:
    """The deployment if it has ended, None before."""
    answer = embedded.client.deployment(deployment_id)
    return dict(answer) if answer["status"] in ("SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED") else None


def reached(embedded: Embedded, deployment_id: str, *names: str) -> None:
    """Wait until one of these phases or steps runs; an AssertionError with the cause when it ended before that."""

    def there() -> bool:
        answer = embedded.client.deployment(deployment_id)
        assert answer["status"] in ("PENDING", "RUNNING"), (answer["status"], answer.get("error"))
        return answer.get("current_phase") in names

    until(f"it is in {' or '.join(names)}", there, 180)


def chats(rolled: Rolled) -> bool:
    """One chat call of a user's, over the public path."""
    client = OpenAI(base_url=rolled.base_url, api_key=CLIENT_KEY, max_retries=0)
    messages: Any = [{"role": "user", "content": "hello"}]
    return bool(client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices)


def spoiled(folder: Path, file: str, sound: str, planted: str) -> bundle.Bundle:
    """The proxy's bundle of a copy of this checkout in which `planted` stands for `sound`."""
    broken = folder / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", "node_modules")
    shutil.copytree(ROOT, broken, ignore=ignored, dirs_exist_ok=True)
    text = (ROOT / file).read_text()
    assert sound in text
    (broken / file).write_text(text.replace(sound, planted, 1))
    return bundle.build(broken, folder / "cache")


def hold(embedded: Embedded, held: bundle.Bundle | str) -> str:
    """Let the control plane roll this bundle from now on; answers the key of the one before."""
    if isinstance(held, bundle.Bundle):
        bucket.upload(embedded.aws, held.key, held.content)
    key = held.key if isinstance(held, bundle.Bundle) else held
    return bundles.hold(embedded.aws, key)


def phase(deployment: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One phase, or step beside the phases, of a deployment."""
    rows = [*deployment["phases"], *deployment.get("steps", [])]
    return next(row for row in rows if row["name"] == name)


def versions_of(embedded: Embedded, environment: str) -> dict[str, str]:
    """Which version each alias of the proxy is on."""
    result = embedded.boto("lambda").list_aliases(FunctionName=f"proxyctl-{environment}-proxy")["Aliases"]
    return {alias["Name"]: alias["FunctionVersion"] for alias in result}
