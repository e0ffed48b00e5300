"""Environments in other accounts and regions: which AWS the client reads, and what it says where it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ctl.__main__ import main
from ctl.signed import Signed
from tests.fakes.control_api import REGION, ControlApi
from tests.unit.ctl.test_logs import PROXY, FakeLogs

HOME, THERE, OTHER_REGION = "111122223333", "222222222222", "eu-west-1"
AT_HOME = {"name": "dev", "account": None, "region": None}
ELSEWHERE = {"name": "dev", "account": THERE, "region": OTHER_REGION}


class Sts:
    def __init__(self, account: str) -> None:
        self.account = account

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": f"arn:aws:iam::{self.account}:user/ann", "Account": self.account}


class Clients:
    """The clients that a command takes: which, in which region, of which profile. Profile `there` is of the other
    account."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str | None]] = []

    def aws(self, _signed: Signed, service: str, region: str = "", profile: str | None = None) -> Any:
        self.taken.append((service, region, profile))
        if service == "sts":
            return Sts(THERE if profile == "there" else HOME)
        return FakeLogs({PROXY: [(1, "from the proxy")]})


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    clients = Clients()
    monkeypatch.setattr(Signed, "aws", lambda *arguments: clients.aws(*arguments))
    return clients


Run = Callable[..., int]


@pytest.fixture
def run(shell: ControlApi, clients: Clients) -> Run:
    def run(line: str, *answers: Any) -> int:
        shell.answers = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
        return main(line.split())

    return run


def test_logs_of_an_environment_at_home_are_read_as_ever(
    run: Run, clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("logs dev", AT_HOME) == 0
    assert "from the proxy" in capsys.readouterr().out
    assert clients.taken[0] == ("logs", "", None)


def test_logs_of_another_account_are_not_looked_for_at_home(
    run: Run, clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    """There may be an environment of the same name at home: its lines would be taken for those of this one."""
    assert run("logs dev", ELSEWHERE) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"dev is in account {THERE}, region {OTHER_REGION}, and these credentials are of account {HOME}" in shown.err
    assert "logs dev --profile PROFILE" in shown.err
    assert "logs" not in [service for service, *_ in clients.taken]


def test_a_profile_of_that_account_reads_them_in_their_region(run: Run, clients: Clients) -> None:
    assert run("logs dev --profile there", ELSEWHERE) == 0
    assert clients.taken[:2] == [("sts", OTHER_REGION, "there"), ("logs", OTHER_REGION, "there")]


def test_a_profile_of_a_third_account_is_refused(run: Run, clients: Clients) -> None:
    assert run("logs dev --profile other", ELSEWHERE) == 2


def test_another_region_of_the_same_account_needs_no_profile(run: Run, clients: Clients) -> None:
    assert run("logs dev", ELSEWHERE | {"account": HOME}) == 0
    assert ("logs", OTHER_REGION, None) in clients.taken


def test_the_control_planes_own_log_is_read_at_home(run: Run, clients: Clients) -> None:
    assert run("logs dev --deployment d-1 --profile there", ELSEWHERE) in (0, 2)  # the fake has no log of it
    assert clients.taken[-1] == ("logs", "", None)


def test_an_environment_that_does_not_exist_is_named(run: Run, clients: Clients) -> None:
    refusal = {"error": {"code": "NotFound", "message": "there is no environment dev"}}
    assert run("logs dev", (404, refusal)) != 0
    assert not clients.taken


def test_without_the_control_plane_logs_are_read_here_and_that_is_said(
    run: Run, clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = {"error": {"code": "AccessDenied", "message": "no"}}
    assert run("logs dev", (403, refusal)) == 0
    shown = capsys.readouterr()
    assert f"does not say where dev is (AccessDenied: no); this is the log of dev in {REGION}" in shown.err
    assert "from the proxy" in shown.out


def test_credentials_that_aws_refuses_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def expired(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "too old"}}, "GetCallerIdentity")

    monkeypatch.setattr(Signed, "aws", expired)
    assert run("logs dev", ELSEWHERE) == 2
    assert "cannot use these AWS credentials" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
def test_a_profile_that_does_not_exist_is_named(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    shell.answers = [(200, ELSEWHERE)]
    assert main(["logs", "dev", "--profile", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_profile_gives_other_credentials(shell: ControlApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ctl.session import connect

    profiles = tmp_path / "credentials"
    profiles.write_text("[there]\naws_access_key_id = AKIATHERE\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    client = connect()
    keys = [
        each._request_signer._credentials.access_key
        for each in (client.aws("logs"), client.aws("logs", OTHER_REGION, "there"))
    ]
    assert keys == ["AKIATEST", "AKIATHERE"]
    assert client.aws("logs", OTHER_REGION, "there").meta.region_name == OTHER_REGION


def test_an_environment_and_the_list_name_the_place(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    place = f"account {THERE}, region {OTHER_REGION}"
    assert run("environments dev", ELSEWHERE | {"status": "LIVE"}) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"dev  LIVE  {place}"
    assert run("environments", {"environments": [ELSEWHERE, AT_HOME], "cursor": None}) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert place in first
    assert "account" not in second


def test_open_says_where_to_sign_in(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    links = {"logs": "https://x/logs", "base_url": "https://x/v1"}
    assert run("open dev logs --print", ELSEWHERE | {"links": links}) == 0
    assert capsys.readouterr() == (
        "https://x/logs\n",
        f"proxyctl: dev is in account {THERE}, region {OTHER_REGION}: sign in there\n",
    )
    for name, environment in (("base_url", ELSEWHERE), ("logs", AT_HOME)):
        assert run(f"open dev {name} --print", environment | {"links": links}) == 0
        assert capsys.readouterr().err == ""


def test_the_doctor_names_each_place_and_what_its_logs_need(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    health = {"status": "ok", "account": HOME, "environments": 3, "bundle": "b"}
    near = {"name": "us", "account": HOME, "region": "us-east-1"}
    assert run("doctor --json", health, {"environments": [ELSEWHERE, AT_HOME, near], "cursor": None}) == 0
    targets = [check for check in json.loads(capsys.readouterr().out)["checks"] if check["name"] == "target"]
    assert [check["text"] for check in targets] == [
        f"1 environment in account {HOME}, region us-east-1",
        f"1 environment in account {THERE}, region {OTHER_REGION}; "
        "`logs` needs --profile NAME with credentials of that account",
    ]
