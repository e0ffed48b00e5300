"""Codex CLI (npm) through the deployed proxy: API Gateway's path, the deployed function, an upstream of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rolling import CLIENT_KEY, Embedded, Rolled, roll
from tests.functional.proxy.test_codex import MARK, Model, codex, run
from tests.functional.proxy.upstream import Upstream

__all__ = ["codex"]
pytestmark = pytest.mark.long  # it rolls an environment, and the package has 400 MB
UNTIMED = {"p99_ms": None, "first_byte_p99_ms": None, "cold_start_ms": None}  # a busy machine says nothing about these


@pytest.fixture(scope="module")
def model() -> Model:
    """What answers Codex; a test decides whether it calls a tool first."""
    return Model(use_tool=False)


@pytest.fixture(scope="module")
def upstream(model: Model) -> Iterator[Upstream]:
    """A second upstream beside the stand-in, which does not know what Codex asks for."""
    with Upstream(model.answer) as standing:
        yield standing


@pytest.fixture(scope="module")
def deployed(embedded: Embedded, upstream: Upstream) -> Rolled:
    """An environment whose alias `gpt-5` goes to the scripted upstream."""
    secret = embedded.secret()
    secret["schema"] = 2
    secret["upstreams"] = {"scripted": {"base_url": upstream.base_url, "api_key": "sk-scripted-0123456789abc"}}
    secret["models"]["gpt-5"] = {"target": "gpt-5", "upstream": "scripted"}
    embedded.client.put_secret("codex", secret)
    deployment = roll(embedded, "codex", options={"slo": UNTIMED})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    return Rolled(embedded, "codex", deployment)


@pytest.mark.parametrize("use_tool", [False, True], ids=["plain", "tool"])
def test_codex_works_through_the_deployed_proxy(
    codex: Path, deployed: Rolled, upstream: Upstream, model: Model, use_tool: bool, tmp_path: Path
) -> None:
    model.use_tool, model.outputs = use_tool, []
    before = len(upstream.received)
    done = run(codex, deployed.base_url, tmp_path, "Say: the end.", CLIENT_KEY)
    assert done.returncode == 0, done.stderr[-1500:]
    assert "The end." in done.stdout
    assert any(MARK in output for output in model.outputs) is use_tool
    calls = [received for received in upstream.received[before:] if received.target.endswith("/responses")]
    assert len(calls) == 1 + use_tool
    assert {received.header("authorization") for received in calls} == {"Bearer sk-scripted-0123456789abc"}
