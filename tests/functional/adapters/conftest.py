"""AWS for adapters, played by two emulators in turn: moto, in this process, and MiniStack, a server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import yaml
from chalicelib.adapters.session import client
from moto import mock_aws

from tests.functional.adapters.ministack import MiniStack, started

REGION = "eu-central-1"
ACCOUNT = "123456789012"
EMULATORS = ("moto", "ministack")
# Files whose facts do not depend on who plays AWS, and why.
MOTO_ONLY: Mapping[str, str] = {
    "test_other_versions.py": "reads items that were recorded; which table they were put into says nothing",
    "test_meter.py": "counts what a client sends; the units of answers are counted in test_records.py",
    "test_endpoint.py": "talks to a server of the test's own",
}
MINISTACK_ONLY: Mapping[str, str] = {
    "test_table_update.py": "moto makes a table anew when its template changes",
}
# Test by emulator, and why it fails there.
DIFFERENCES: Mapping[str, Mapping[str, str]] = yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text())
TAGS = {"proxyctl:owner": "proxyctl", "proxyctl:environment": "dev"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of an adapter runs on both emulators; what is known to differ is in `differences.yaml`."""
    if "emulator" in metafunc.fixturenames:
        file = metafunc.definition.path.name
        players = EMULATORS[:1] if file in MOTO_ONLY else EMULATORS[1:] if file in MINISTACK_ONLY else EMULATORS
        metafunc.parametrize("emulator", players, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for emulator in EMULATORS:
            reason = DIFFERENCES[emulator].get(_name_of(item))
            if reason and f"[{emulator}" in item.name:
                # Strict: a difference that has gone fails, so that the list stays true.
                item.add_marker(pytest.mark.xfail(reason=f"{emulator}: {reason}", strict=True))


def _name_of(item: pytest.Item) -> str:
    """The test without its emulator: `test_logs.py::test_x[a-b]`."""
    name = item.name
    for emulator in EMULATORS:
        name = name.replace(f"[{emulator}]", "").replace(f"[{emulator}-", "[")
    return f"{item.path.name}::{name}"


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    with started(REGION, ACCOUNT) as running:
        yield running


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> str:
    """Which of the two answers."""
    chosen: str = request.param
    return chosen


@pytest.fixture(autouse=True)
def aws(emulator: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """AWS as the emulator plays it: no profile and no credentials of the person who runs the tests."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client.cache_clear()
    with _moto(monkeypatch) if emulator == "moto" else _other(monkeypatch, request):
        yield
    client.cache_clear()


@contextmanager
def _moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


@contextmanager
def _other(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    running: MiniStack = request.getfixturevalue("ministack")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", running.keys.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", running.keys.secret_access_key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    running.reset()


@pytest.fixture
def role() -> str:
    """The ARN of a role that Lambda may assume."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    created = boto3.client("iam").create_role(RoleName="proxy", AssumeRolePolicyDocument=json.dumps(trust))
    arn: str = created["Role"]["Arn"]
    return arn


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as created:
        created.writestr(zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0)), text)
    return out.getvalue()
