"""Sessions in a target: what is assumed, when again, and how a refusal reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from chalicelib import wiring
from chalicelib.adapters.assumed import AssumedSession, session_in
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.adapters.session import HOME
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import AccessDenied, NotFound

from tests.fakes import settings

TARGET = Target("arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1", "shop-7f3a", "eu-west-1")
ROLE = f"{TARGET.role_arn}-release-code"


@pytest.fixture
def assumed() -> AssumedSession:
    return AssumedSession(TARGET, "release_code")


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """The control plane's own client of STS; every call has to be planted."""
    client = boto3.client("sts")
    monkeypatch.setattr("chalicelib.adapters.session.client", lambda _: client)
    with Stubber(client) as stubber:
        yield stubber


def answer(minutes: float = 60) -> dict[str, Any]:
    expiry = datetime.now(UTC) + timedelta(minutes=minutes)
    keys = {"AccessKeyId": "ASIA" + "X" * 16, "SecretAccessKey": "secret", "SessionToken": "token"}
    return {"Credentials": {**keys, "Expiration": expiry}}


EXPECTED = {
    "RoleArn": ROLE,
    "RoleSessionName": "proxyctl-release-code",
    "ExternalId": "shop-7f3a",
    "DurationSeconds": 3600,
}


def test_the_functions_own_role_is_assumed_once_with_the_external_id(sts: Stubber, assumed: AssumedSession) -> None:
    sts.add_response("assume_role", answer(), EXPECTED)
    assert assumed.credentials.get_frozen_credentials().token == "token"
    assert assumed.credentials.get_frozen_credentials().token == "token"
    sts.assert_no_pending_responses()


def test_credentials_are_renewed_before_they_end(sts: Stubber, assumed: AssumedSession) -> None:
    sts.add_response("assume_role", answer(minutes=5), EXPECTED)
    sts.add_response("assume_role", answer(), EXPECTED)
    assumed.credentials.get_frozen_credentials()
    assumed.credentials.get_frozen_credentials()
    sts.assert_no_pending_responses()


def test_a_refusal_names_role_account_region_and_the_command(sts: Stubber, assumed: AssumedSession) -> None:
    sts.add_client_error("assume_role", "AccessDenied", "no", 403)
    with pytest.raises(AccessDenied) as caught:
        SecretsManagerSecrets(assumed).find("proxyctl/dev/openai")
    error = caught.value
    assert (error.code, error.field) == ("TargetRefused", "config.target")
    assert all(part in error.message for part in (ROLE, "account 222222222222", "region eu-west-1"))
    assert "bootstrap.py target" in str(error.remedy)


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [
        ("UnrecognizedClientException", 400, "TargetRegionDisabled"),
        ("InvalidClientTokenId", 403, "TargetRegionDisabled"),
        ("AccessDeniedException", 400, "AccessDenied"),
    ],
)
def test_what_a_target_refuses_says_where(code: str, status: int, ours: str, assumed: AssumedSession) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    assumed._clients["secretsmanager"] = client
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_secret", code, "no", status)
        with pytest.raises(AccessDenied, match="account 222222222222, region eu-west-1") as caught:
            SecretsManagerSecrets(assumed).find("proxyctl/dev/openai")
    assert caught.value.code == ours
    assert "eu-west-1" in str(caught.value.remedy)


def test_what_is_missing_there_is_missing_as_at_home(assumed: AssumedSession) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    assumed._clients["secretsmanager"] = client
    with Stubber(client) as stubber:
        stubber.add_client_error("get_secret_value", "ResourceNotFoundException", "gone", 400)
        with pytest.raises(NotFound):
            SecretsManagerSecrets(assumed).read("proxyctl/dev/openai")


def test_one_session_serves_a_process_for_each_target_and_function() -> None:
    assert session_in(TARGET, "bake") is session_in(TARGET, "bake")
    assert session_in(TARGET, "bake") is not session_in(TARGET, "roll_back")


def test_ports_of_a_target_write_where_it_is_and_keep_records_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "read_settings", settings)
    home = wiring._Aws()
    there = home.at(TARGET, "release_code")
    assert home.at(None, "release_code") is home
    assert there.at(None, "release_code") is home
    assert there.artifacts is home.artifacts
    assert home.packages is home.artifacts
    assert there.packages is not home.artifacts
    assert (there.settings.account, there.settings.region) == TARGET.place
    assert there.secrets._session is session_in(TARGET, "release_code")  # type: ignore[attr-defined]
    assert home.secrets._session is HOME


def test_calls_reach_the_account_and_region_of_the_target(emulator: str, assumed: AssumedSession) -> None:
    """With an emulator's STS: moto and MiniStack keep accounts and regions apart."""
    if emulator == "ministack":
        _make_role()
    created = SecretsManagerSecrets(assumed).create("proxyctl/dev/openai", "{}", tags={}, version_id="v" * 32)
    assert created.arn.startswith("arn:aws:secretsmanager:eu-west-1:222222222222:secret:proxyctl/dev/openai-")
    assert SecretsManagerSecrets().find("proxyctl/dev/openai") is None


def _make_role() -> None:
    """MiniStack enforces trust and policies of the other account."""
    iam = boto3.client("iam", aws_access_key_id="222222222222", aws_secret_access_key="x")
    name = ROLE.rpartition("/")[2]
    condition = {"StringEquals": {"sts:ExternalId": TARGET.external_id}}
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": condition}
    allowed = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_document(allowed))


def _document(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
