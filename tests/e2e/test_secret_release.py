"""A secret is released as code is: what fails its checks reaches no user, what passes reaches all, and it goes back."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ctl.client import ApiError
from tests.e2e.rolling import CLIENT_KEY, Embedded, Rolled, ended, phase, roll, until

CALLS_PER_S = 20
TTL_S = 2
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def shop(rolled: Rolled) -> Rolled:
    """The environment `shop`, whose processes read the secret again after two seconds."""
    deployment = roll(rolled.embedded, rolled.environment, config={"secret_ttl_s": TTL_S})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    return Rolled(rolled.embedded, rolled.environment, deployment)


@dataclass
class Users:
    """Callers at a steady rate, whatever the answers do; answers: status (0 for none) and body's first 200 bytes."""

    base_url: str
    answers: list[tuple[int, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def call(self) -> None:
        body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}).encode()
        headers = {"Authorization": f"Bearer {CLIENT_KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base_url + "/chat/completions", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.answers.append((answer.status, answer.read(200).decode()))
        except urllib.error.HTTPError as error:
            self.answers.append((error.code, error.read(200).decode()))
        except OSError as error:
            self.answers.append((0, str(error)))

    def run(self) -> None:
        with ThreadPoolExecutor(CALLS_PER_S) as pool:
            due = time.monotonic()
            while not self.stopped.is_set():
                pool.submit(self.call)
                due += 1 / CALLS_PER_S
                self.stopped.wait(max(0.0, due - time.monotonic()))

    @property
    def failures(self) -> list[tuple[int, str]]:
        return [answer for answer in self.answers if answer[0] != 200]


@contextmanager
def users_of(rolled: Rolled) -> Iterator[Users]:
    users = Users(rolled.base_url)
    thread = threading.Thread(target=users.run)
    thread.start()
    try:
        yield users
    finally:
        users.stopped.set()
        thread.join(60)
    assert len(users.answers) > CALLS_PER_S


class _Refuses(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        error = {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": "invalid_api_key"}
        content = json.dumps({"error": error}).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def refusing_provider() -> Iterator[str]:
    """The base URL of a provider that takes no key."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def current(embedded: Embedded, environment: str) -> str:
    manager = embedded.boto("secretsmanager")
    version: str = manager.get_secret_value(SecretId=f"proxyctl/{environment}/openai")["VersionId"]
    return version


def labels(embedded: Embedded, environment: str) -> set[str]:
    versions = embedded.boto("secretsmanager").describe_secret(SecretId=f"proxyctl/{environment}/openai")
    return {label for stages in versions["VersionIdsToStages"].values() for label in stages}


def rotated(shop: Rolled, document: dict[str, Any]) -> dict[str, Any]:
    """PUT the document; the deployment that rolled it, as it ended."""
    stored = shop.embedded.client.put_secret(shop.environment, document)
    assert stored["state"] == "ROLLING", stored
    deployment = ended(shop.embedded, str(stored["deployment"]))
    until("the lock is released", lambda: not shop.embedded.client.environment(shop.environment).get("lock"))
    return deployment


def test_a_wrong_base_url_is_refused_with_its_reason_and_no_user_sees_it(shop: Rolled) -> None:
    before = current(shop.embedded, shop.environment)
    with users_of(shop) as users:
        deployment = rotated(shop, shop.embedded.secret() | {"base_url": "http://127.0.0.1:9/v1"})
        time.sleep(TTL_S * 2)
    assert not users.failures, users.failures[:3]
    assert deployment["status"] == "FAILED"
    assert deployment["error"]["code"] == "CheckFailed"
    assert "502" in deployment["error"]["message"]
    assert phase(deployment, "validate_endpoints")["status"] == "FAILED"
    assert deployment["duration_s"] < 60
    assert current(shop.embedded, shop.environment) == before
    left = labels(shop.embedded, shop.environment)
    assert not [label for label in left if label.startswith(("PROXYCTL_PENDING", "PROXYCTL_STAGED"))], left


def test_a_wrong_key_is_refused_with_the_providers_answer_and_no_user_sees_it(
    shop: Rolled, refusing_provider: str
) -> None:
    before = current(shop.embedded, shop.environment)
    with users_of(shop) as users:
        deployment = rotated(shop, shop.embedded.secret() | {"base_url": refusing_provider})
        time.sleep(TTL_S * 2)
    assert not users.failures, users.failures[:3]
    assert deployment["status"] == "FAILED"
    assert "401" in deployment["error"]["message"]
    assert current(shop.embedded, shop.environment) == before


def test_a_malformed_document_is_refused_before_it_is_stored(shop: Rolled) -> None:
    before = current(shop.embedded, shop.environment)
    with pytest.raises(ApiError) as refused:
        shop.embedded.client.put_secret(shop.environment, {"schema": 1, "api_key": "sk-short"})
    assert (refused.value.status, refused.value.error["code"]) == (400, "SecretMalformed")
    assert current(shop.embedded, shop.environment) == before


def names_of(shop: Rolled) -> list[str]:
    """The aliases that the proxy's list of models has, as users read it."""
    request = urllib.request.Request(shop.base_url + "/models", headers={"Authorization": f"Bearer {CLIENT_KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [item["id"] for item in json.load(answer)["data"]]


def test_a_good_document_reaches_all_within_its_time_to_live_and_a_rollback_brings_the_old_one_back(
    shop: Rolled,
) -> None:
    before = current(shop.embedded, shop.environment)
    models = shop.embedded.secret()["models"] | {"brand-new": {"target": MODEL}}
    with users_of(shop) as users:
        deployment = rotated(shop, shop.embedded.secret() | {"models": models})
        assert deployment["status"] == "SUCCEEDED", deployment.get("error")
        assert current(shop.embedded, shop.environment) != before
        until("users have the new document", lambda: "brand-new" in names_of(shop), TTL_S * 5)
        back = roll(shop.embedded, shop.environment, "rollback")
        assert back["status"] == "SUCCEEDED", back.get("error")
        until("users have the old document", lambda: "brand-new" not in names_of(shop), TTL_S * 5)
    assert not users.failures, users.failures[:3]
    assert current(shop.embedded, shop.environment) == before
    assert shop.stands()["live"]["secret_version"] == before


def test_a_secret_goes_back_alone_and_is_checked_as_any_other(shop: Rolled) -> None:
    client, before = shop.embedded.client, current(shop.embedded, shop.environment)
    models = shop.embedded.secret()["models"] | {"another": {"target": MODEL}}
    assert rotated(shop, shop.embedded.secret() | {"models": models})["status"] == "SUCCEEDED"
    assert [version["current"] for version in client.secret_versions(shop.environment)].count(True) == 1
    stored = client.roll_back_secret(shop.environment)
    assert stored["version_id"] == before
    deployment = ended(shop.embedded, str(stored["deployment"]))
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert current(shop.embedded, shop.environment) == before


def test_an_emergency_change_is_current_at_once_and_says_when_users_have_it(shop: Rolled) -> None:
    until("the lock is released", lambda: not shop.embedded.client.environment(shop.environment).get("lock"))
    document = shop.embedded.secret()
    stored = shop.embedded.client.put_secret(shop.environment, document, {"now": "true"})
    assert (stored["state"], stored["users_have_it_within_s"]) == ("LIVE", TTL_S)
    assert current(shop.embedded, shop.environment) == stored["version_id"]
    assert shop.stands()["live"]["secret_version"] == stored["version_id"]
    shown = shop.embedded.client.secret(shop.environment)
    assert shown["version_id"] == stored["version_id"]
    assert str(document["api_key"]) not in json.dumps(shown)


def test_after_rotations_a_deploy_changes_no_code_and_a_revalidation_finds_no_drift(shop: Rolled) -> None:
    version = shop.stands()["live"]["version"]
    assert roll(shop.embedded, shop.environment)["status"] == "SUCCEEDED"
    assert shop.stands()["live"]["version"] == version
    light = {"load": {"rps": 5, "duration_s": 1}, "slo": {"p99_ms": None}}
    revalidation = roll(shop.embedded, shop.environment, "revalidate", options=light)
    assert revalidation["status"] == "SUCCEEDED", revalidation.get("error")
