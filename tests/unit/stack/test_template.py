"""Facts about the environment's template: what its parameters are, and when its API is deployed anew."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads
from chalicelib.domain.config import AlarmThresholds, Compatibility, Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Release
from chalicelib.stack import template

from tests.fakes import settings

TEXT = (Path(__file__).resolve().parents[3] / "proxy" / "template.yaml").read_text()
OWN, THEIRS = (f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}" for name in ("own", "theirs"))
INPUTS = template.StackInputs(
    environment="dev",
    bucket="b",
    artifact_key="artifacts/dev/a.zip",
    secret_arn="arn:s",
    in_use={"SecretInUseArn": "", "SecretInUseKmsKeyArn": ""},
    runtime="python3.11",
    response_mode="stream",
    access_logs=True,
)


def snapshot(text: str, **shaping: str) -> str:
    return template.snapshot_id(text, shaping)


def test_a_changed_method_is_a_new_deployment() -> None:
    assert snapshot(TEXT.replace("AuthorizationType: AWS_IAM", "AuthorizationType: NONE")) != snapshot(TEXT)
    assert snapshot(TEXT.replace("RESPONSE", "ANSWER").replace("'1'", "'2'")) != snapshot(TEXT)


def test_what_is_not_the_api_leaves_its_deployment_alone() -> None:
    assert snapshot(TEXT.replace("Default: 512", "Default: 1024")) == snapshot(TEXT)
    assert snapshot(TEXT.replace("# The candidate:", "# That candidate:")) == snapshot(TEXT)


def test_a_parameter_that_shapes_the_api_is_part_of_it() -> None:
    assert snapshot(TEXT, ResponseMode="stream") != snapshot(TEXT, ResponseMode="buffered")


def test_the_template_declares_exactly_what_is_given() -> None:
    declared = re.findall(r"^  (\w+):$", TEXT.partition("Parameters:")[2].partition("\nConditions:")[0], re.M)
    assert set(declared) == template.PARAMETERS == set(template.parameters(Config(), INPUTS, creates=True))


def test_the_gateways_request_id_header_is_a_switch_that_makes_a_new_deployment() -> None:
    switched = Config(compatibility=Compatibility(request_id_header=True))
    assert template.parameters(Config(), INPUTS, creates=False)["RequestIdHeader"] == "off"
    assert template.parameters(switched, INPUTS, creates=False)["RequestIdHeader"] == "on"
    assert "RequestIdHeader" in template.shaping(template.parameters(switched, INPUTS, creates=True))


def test_a_first_deploy_gives_every_value_and_a_later_one_leaves_the_releases_own() -> None:
    first = template.parameters(Config(), INPUTS, creates=True)
    later = template.parameters(Config(), INPUTS, creates=False)
    assert None not in first.values()
    assert {name for name, value in later.items() if value is None} >= {"ArtifactKey", "MemorySize", "LogLevel"}
    assert later["ThrottleRate"] == "50"


@pytest.mark.parametrize(
    ("configured", "before", "current", "arn", "key"),
    [
        (None, [None, None], {"SecretArn": OWN, "SecretKmsKeyArn": "k"}, "", ""),
        (THEIRS, [None], {"SecretArn": OWN, "SecretKmsKeyArn": "k"}, OWN, "k"),
        (THEIRS, [None], {"SecretArn": THEIRS, "SecretKmsKeyArn": "", "SecretInUseKmsKeyArn": "k"}, OWN, "k"),
        (None, [THEIRS], {"SecretArn": THEIRS, "SecretKmsKeyArn": "k"}, THEIRS, "k"),
        (THEIRS, [THEIRS, None], {"SecretArn": THEIRS, "SecretInUseKmsKeyArn": "k"}, OWN, "k"),
        (THEIRS, [], {}, "", ""),
    ],
)
def test_releases_of_before_keep_the_secret_that_they_read(
    configured: str | None, before: list[str | None], current: dict[str, str], arn: str, key: str
) -> None:
    releases = [Release("1", "d", "t", config={"secret_arn": arn_before}) for arn_before in before]
    parameters = template.in_use(
        Config(secret_arn=configured), releases, own=OWN, wanted=configured or OWN, current=current
    )
    assert parameters == {"SecretInUseArn": arn, "SecretInUseKmsKeyArn": key}


@pytest.mark.parametrize(
    ("timeout_s", "mode", "milliseconds"),
    [(10, "buffered", 10_000), (60, "buffered", 29_000), (60, "stream", 60_000), (900, "stream", 900_000)],
)
def test_api_gateway_waits_as_long_as_it_may(timeout_s: int, mode: str, milliseconds: int) -> None:
    assert template.integration_timeout_ms(timeout_s, mode) == milliseconds


@pytest.mark.parametrize(
    ("config", "mode", "limits"),
    [
        (Config(), "stream", ("900", "900000")),
        (Config(), "buffered", ("29", "29000")),
        (Config(timeout_s=60), "stream", ("60", "60000")),
        (Config(timeout_s=60), "buffered", ("60", "29000")),
    ],
)
def test_lambda_and_integration_have_the_time_that_the_response_mode_allows(
    config: Config, mode: str, limits: tuple[str, str]
) -> None:
    values = template.parameters(config, replace(INPUTS, response_mode=mode), creates=True)
    assert (values["TimeoutSeconds"], values["IntegrationTimeoutMs"]) == limits


def test_metrics_by_method_are_written_only_where_alarms_watch_them() -> None:
    """They cost as custom metrics do."""
    watching = Config(alarms=AlarmThresholds(gateway_dimensions="method"))
    assert template.parameters(Config(), INPUTS, creates=False)["MethodMetrics"] == "off"
    assert template.parameters(watching, INPUTS, creates=False)["MethodMetrics"] == "on"


def test_a_template_without_its_marks_is_refused() -> None:
    with pytest.raises(BadRequest):
        template.snapshot_id(TEXT.replace("# api: end", ""), {})


def test_the_template_fits_into_a_request() -> None:
    widest = template.with_snapshots(TEXT, "ApiDeployment1", "ApiDeployment2", kept="ApiDeployment3")
    assert len(widest.encode()) < template.MAX_BYTES


def stage_snapshots(text: str) -> list[str]:
    """Of the users' stage and of the candidate's, in the order of the template."""
    return re.findall(r"DeploymentId: !Ref (\w+)", text)


def declared_snapshots(text: str) -> set[str]:
    return set(re.findall(r"^  (ApiDeployment\w+|LiveDeployment\w+):$", text, re.M))


def test_users_keep_their_snapshot_while_the_candidate_has_another() -> None:
    text = template.with_snapshots(TEXT, "ApiDeploymentNew", "ApiDeploymentOld")
    assert stage_snapshots(text) == ["ApiDeploymentOld", "ApiDeploymentNew"]
    assert declared_snapshots(text) == {"ApiDeploymentOld", "ApiDeploymentNew"}


def test_one_snapshot_for_both_stages_is_declared_once() -> None:
    text = template.with_snapshots(TEXT, "ApiDeploymentNew", "ApiDeploymentNew")
    assert stage_snapshots(text) == ["ApiDeploymentNew", "ApiDeploymentNew"]
    assert declared_snapshots(text) == {"ApiDeploymentNew"}
    assert "Snapshot of" not in text.partition("Resources:")[2]


def test_a_kept_snapshot_stays_although_no_stage_has_it() -> None:
    text = template.with_snapshots(TEXT, "ApiDeploymentNew", "ApiDeploymentNew", kept="ApiDeploymentOld")
    assert declared_snapshots(text) == {"ApiDeploymentOld", "ApiDeploymentNew"}
    assert "ApiDeploymentOld" not in stage_snapshots(text)


def test_the_users_stage_and_the_candidates_have_limits_of_their_own() -> None:
    assert TEXT.count("!Ref ThrottleRate\n") == TEXT.count("!Ref CandidateThrottleRate\n") == 1
    values = template.parameters(Config(), INPUTS, creates=True)
    assert values["CandidateThrottleRate"] == values["ThrottleRate"]
    assert not template.FELT & {"CandidateThrottleRate", "CandidateThrottleBurst"}


def test_only_the_users_stage_may_call_the_live_alias() -> None:
    permission = TEXT.partition("  LivePermission:")[2].partition("  CandidatePermission:")[0]
    assert "${Api}/api/*/*\n" in permission


def test_the_parameters_of_a_template_are_read_from_its_text() -> None:
    assert set(template.declared(TEXT)) == template.PARAMETERS


def without_boundary(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "PermissionsBoundary:" not in line)


def without_role_mark(text: str) -> str:
    parameter = text.index("  RoleMark:\n")
    before, after = text[:parameter], text[text.index("  AccessLogs:\n") :]
    return (before + after).replace("${RoleMark}", "")


def test_a_template_of_an_earlier_version_gets_the_boundary_and_todays_is_left_alone() -> None:
    """Else a rollback to its bundle would take the boundary off the role."""
    earlier = without_boundary(TEXT)
    assert earlier != TEXT
    assert template.with_role(earlier) == template.with_role(TEXT) == TEXT


@pytest.mark.parametrize("older", [without_role_mark(TEXT), without_boundary(without_role_mark(TEXT))])
def test_a_template_of_an_earlier_version_keeps_a_role_that_was_made_again(older: str) -> None:
    """Else a rollback to its bundle would give the function the role that someone deleted."""
    text = template.with_role(older)
    assert "RoleName: !Sub proxyctl-${Environment}${RoleMark}-proxy-${AWS::Region}\n      PermissionsBoundary:" in text
    assert set(template.declared(text)) == template.PARAMETERS
    assert '  RoleMark:\n    Type: String\n    Default: ""\n' in text


def test_the_boundary_of_the_template_is_the_one_of_the_settings() -> None:
    line = next(line for line in TEXT.splitlines() if "PermissionsBoundary:" in line)
    arn = line.partition("!Sub ")[2]
    given = settings()
    for name, value in (("Partition", given.partition), ("AccountId", given.account), ("Region", given.region)):
        arn = arn.replace(f"${{AWS::{name}}}", value)
    assert arn == given.boundary_arn


KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::123456789012:policy/theirs"


def installed(text: str = TEXT, boundary: str = "", key: str = "") -> Any:
    return loads(template.with_snapshots(template.as_installed(text, boundary=boundary, kms_key_arn=key), "A", "A"))


def test_without_a_boundary_or_key_of_the_customers_the_template_stays() -> None:
    assert template.as_installed(TEXT, boundary="", kms_key_arn="") == TEXT


def test_a_boundary_of_the_customers_is_on_the_role_and_ours_holds_as_a_denial() -> None:
    role = installed(boundary=BOUNDARY)["Resources"]["Role"]["Properties"]
    assert role["PermissionsBoundary"] == BOUNDARY
    (guard,) = role["ManagedPolicyArns"]
    assert str(dict(guard)["Fn::Sub"]).endswith(":policy/proxyctl-environment-guard-${AWS::Region}")
    assert "proxyctl-environment-boundary" not in template.as_installed(TEXT, boundary=BOUNDARY, kms_key_arn="")


def test_a_bundle_of_before_the_boundary_gets_the_customers_too() -> None:
    older = re.sub(r"      PermissionsBoundary: .*\n", "", TEXT)
    role = installed(template.with_role(older), boundary=BOUNDARY)["Resources"]["Role"]["Properties"]
    assert role["PermissionsBoundary"] == BOUNDARY


def test_a_key_of_the_customers_is_on_every_log_group() -> None:
    groups = [
        resource["Properties"]["KmsKeyId"]
        for resource in installed(key=KEY)["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    ]
    assert groups == [KEY, KEY]


def test_neither_makes_another_snapshot_of_the_api() -> None:
    changed = template.as_installed(TEXT, boundary=BOUNDARY, kms_key_arn=KEY)
    assert template.snapshot_id(changed, {}) == template.snapshot_id(TEXT, {})
