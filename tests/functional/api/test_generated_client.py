"""A client that openapi-python-client generates from the document: complete, typed, and it talks to the API."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from chalicelib.api.openapi import document

from installer import environment
from tests.fakes.served_api import ServedApi, served, sign
from tests.functional.api.world import SECRET, populated

ROOT = Path(__file__).resolve().parents[3]
NAME = "generated_control_api"
# What a caller gets, as mypy sees it.
USE = f"""
from typing import assert_type

from {NAME} import Client
from {NAME}.api.deployments import get_deployment, get_report, list_deployments, start_deployment
from {NAME}.api.secrets import put_secret
from {NAME}.models import (
    Config, DeploymentDetail, DeploymentPage, DeploymentView, ErrorBody, GatewayRefusal, LoadEvidence, LoadTestPhase,
    Start, StoredSecret,
)

client = Client(base_url="https://api.example/api")
assert_type(
    start_deployment.sync(client=client, body=Start(environment="dev")),
    DeploymentView | ErrorBody | GatewayRefusal | None,
)
assert_type(list_deployments.sync(client=client, limit=5), DeploymentPage | ErrorBody | GatewayRefusal | None)
answer = get_deployment.sync("d-1", client=client)
assert isinstance(answer, DeploymentDetail)
assert_type(answer.config, Config)
for phase in answer.phases:
    if isinstance(phase, LoadTestPhase):
        assert_type(phase.evidence, LoadEvidence)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the generated package."""
    environment.ensure(ROOT, environment.JUDGES)
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(document()))
    (folder / "config.yaml").write_text("post_hooks: []\n")
    generator = environment.python_of(ROOT, environment.JUDGES).parent / "openapi-python-client"
    command = [str(generator.parent / "python"), str(generator), "generate", "--path", str(folder / "openapi.json")]
    command += ["--config", str(folder / "config.yaml"), "--output-path", str(folder / NAME), "--meta", "none"]
    done = subprocess.run([*command, "--fail-on-warning"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_client_is_generated_without_a_warning_and_has_every_operation(folder: Path) -> None:
    modules = {path.stem for path in (folder / NAME / "api").rglob("*.py")} - {"__init__"}
    ids = {operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()}
    assert {name.replace("_", "") for name in modules} == {id_.lower() for id_ in ids}


def test_its_answers_are_typed(folder: Path) -> None:
    (folder / "use.py").write_text(USE)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "use.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


class Signed(httpx.Auth):
    requires_request_body = True

    def __init__(self, api: ServedApi) -> None:
        self._api = api

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(sign(request.method, str(request.url), {}, request.content, self._api.credentials))
        yield request


@pytest.fixture
def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, Any, dict[str, str]]]:
    """(the package, its client, names of what exists)"""
    monkeypatch.syspath_prepend(str(folder))
    package = importlib.import_module(NAME)
    aws, names = populated()
    with served(aws) as api:
        yield package, package.Client(base_url=api.url, httpx_args={"auth": Signed(api)}), names


def part(name: str) -> Any:
    return importlib.import_module(f"{NAME}.{name}")


def test_it_reads_a_deployment_with_the_evidence_of_each_phase(client: tuple[ModuleType, Any, dict[str, str]]) -> None:
    _, caller, names = client
    answer = part("api.deployments.get_deployment").sync(names["id"], client=caller)
    (load,) = (phase for phase in answer.phases if phase.name == "load_test")
    assert type(load.evidence).__name__ == "LoadEvidence"
    assert (load.evidence.verdict, load.evidence.response_ms.p99) == ("PASSED", 40)
    assert answer.error.code == "SloFailed"


def test_it_starts_a_deployment_and_reads_why_the_next_is_refused(
    client: tuple[ModuleType, Any, dict[str, str]],
) -> None:
    _, caller, _ = client
    models, start = part("models"), part("api.deployments.start_deployment")
    body = models.Start(environment="dev", config=models.ConfigPatch(memory_mb=1024))
    assert start.sync(client=caller, body=body).config.memory_mb == 1024
    refused = start.sync_detailed(client=caller, body=body)
    assert (int(refused.status_code), refused.parsed.error.code) == (409, "EnvironmentBusy")


def test_it_stores_a_secret(client: tuple[ModuleType, Any, dict[str, str]]) -> None:
    _, caller, _ = client
    document_ = part("models").SecretDocument.from_dict(SECRET)
    stored = part("api.secrets.put_secret").sync("fresh", client=caller, body=document_)
    assert (stored.environment, stored.state, stored.models) == ("fresh", "STORED", ["fast"])
