"""`doctor`: a line a check, with the remedy of what is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ctl.__main__ import main
from ctl.client import Client
from ctl.diagnosis import doctor
from local import emulator
from local.state import Keys
from tests.fakes.control_api import ControlApi

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::111122223333:user/ann", "Account": "111122223333"}


@pytest.fixture
def caller(shell: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.pages["/environments"] = {"environments": [], "cursor": None}
    monkeypatch.setattr("ctl.client.Client.aws", lambda self, service, *_: Sts())


def health(account: str = "111122223333") -> dict[str, object]:
    return {"status": "ok", "account": account, "environments": 2, "bundle": "b"}


@pytest.mark.usefixtures("caller")
def test_when_all_is_well_every_check_is_ok(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    shell.answers = [(200, health())]
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check["ok"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert set(checks) == {"versions", "CONTROL_API_URL", "region", "credentials", "API", "clock", "account"}
    assert False not in checks.values()


@pytest.mark.usefixtures("caller")
def test_another_account_is_named(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    shell.answers = [(200, health("444455556666"))]
    assert main(["doctor"]) == 1
    assert "credentials are of 111122223333, the control plane is in 444455556666  -> Choose" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_without_an_address_the_rest_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONTROL_API_URL")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL CONTROL_API_URL" in out
    assert "not checked" in out


@pytest.mark.usefixtures("caller")
def test_an_api_that_refuses_names_the_permission(shell: ControlApi) -> None:
    shell.answers = [(403, {"message": "not authorized"})]
    api = next(check for check in doctor.examine() if check.name == "API")
    assert (api.ok, "execute-api:Invoke" in api.remedy) == (False, True)


@pytest.mark.parametrize(("off_s", "ok"), [(0, True), (150, True), (151, False)])
def test_a_clock_that_is_far_off_is_found(off_s: int, ok: bool) -> None:
    assert doctor._clock(DATE, NOW + timedelta(seconds=off_s)).ok is ok
    assert doctor._clock(DATE, NOW - timedelta(seconds=off_s)).ok is ok


def test_a_clock_that_cannot_be_compared_is_not_ok_either_way() -> None:
    assert doctor._clock("", NOW).ok is None


@pytest.mark.parametrize(("host", "ok"), [("us-east-1", False), ("eu-central-1", True)])
def test_a_region_that_is_not_that_of_the_address_is_named(host: str, ok: bool) -> None:
    """API Gateway answers 403 to such a signature, which would look like a missing permission."""
    session = emulator.session("eu-central-1", Keys("AKIATEST", "secret"))
    client = Client(f"https://abc123.execute-api.{host}.amazonaws.com/api", session, "eu-central-1")
    check = doctor._region(client)
    assert (check.ok, "export AWS_REGION=us-east-1" in check.remedy) == (ok, not ok)
