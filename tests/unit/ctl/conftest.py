"""A control API to talk to, alone or with a shell around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.control_api import REGION, ControlApi, control_api


@pytest.fixture
def api() -> Iterator[ControlApi]:
    with control_api() as running:
        yield running


@pytest.fixture
def shell(api: ControlApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ControlApi:
    """The API with the variables that a person's shell has for it."""
    variables = {"CONTROL_API_URL": api.url, "AWS_REGION": REGION, "AWS_CONFIG_FILE": str(tmp_path / "none")}
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    keys = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in (variables | keys).items():
        monkeypatch.setenv(name, value)
    return api
