"""Facts about stack drift: a release's own changes are none, all others are."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws.stacks import ResourceDrift
from chalicelib.domain.evidence.drift import DRIFT
from chalicelib.phases.check_drift import false_reports, stack_drift
from chalicelib.stack.recovery.losses import Loss


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::Lambda::Function", "/MemorySize"),
        ("AWS::Lambda::Function", "/Environment/Variables/LOG_LEVEL"),
        ("AWS::Lambda::Function", "/Code/S3Key"),
        ("AWS::Lambda::Alias", "/FunctionVersion"),
        ("AWS::Lambda::Alias", "/RoutingConfig/AdditionalVersionWeights"),
    ],
)
def test_what_a_release_changes_is_no_drift_of_the_stack(kind: str, path: str) -> None:
    changed = ResourceDrift("Thing", kind, "MODIFIED", [(path, "a", "b")])
    assert stack_drift.findings("s", [changed]) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::Lambda::Function", "/ReservedConcurrentExecutions"),
        ("AWS::Lambda::Function", "/Timeouts"),  # begins like a released property, and is another
        ("AWS::IAM::Role", "/Policies/0"),
        ("AWS::Logs::LogGroup", "/RetentionInDays"),
    ],
)
def test_any_other_change_outside_of_cloudformation_is_drift(kind: str, path: str) -> None:
    (finding,) = stack_drift.findings("s", [ResourceDrift("Thing", kind, "MODIFIED", [(path, "14", "1")])])
    assert (finding.severity, finding.expected, finding.found, finding.heals) == (DRIFT, "14", "1", False)
    assert path in finding.where
    assert "REVERT_DRIFT" in finding.remedy


def test_a_deleted_resource_is_drift_except_a_version_which_release_code_deletes() -> None:
    gone = [ResourceDrift("Role", "AWS::IAM::Role", "DELETED"), ResourceDrift("V", "AWS::Lambda::Version", "DELETED")]
    assert [finding.where for finding in stack_drift.findings("s", gone)] == ["Role (AWS::IAM::Role)"]


LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/apigateway/proxyctl-dev"
DESTINATION = "/AccessLogSetting/DestinationArn"


@pytest.mark.parametrize(
    ("kind", "path", "expected", "actual", "count"),
    [
        ("AWS::ApiGateway::Stage", DESTINATION, f"{LOGS}:*", LOGS, 0),
        ("AWS::ApiGateway::Stage", DESTINATION, f"{LOGS}:*", f"{LOGS}-other", 1),
        ("AWS::ApiGateway::Stage", DESTINATION, LOGS, f"{LOGS}:*", 1),
        ("AWS::ApiGateway::Stage", "/AccessLogSetting/Format", f"{LOGS}:*", LOGS, 1),
        ("AWS::ApiGatewayV2::Stage", DESTINATION, f"{LOGS}:*", LOGS, 1),
    ],
)
def test_what_cloudformation_reports_falsely_is_no_drift_and_what_resembles_it_is(
    kind: str, path: str, expected: str, actual: str, count: int
) -> None:
    """Issue 10, row t."""
    changed = ResourceDrift("Stage", kind, "MODIFIED", [(path, expected, actual)])
    assert len(stack_drift.findings("s", [changed])) == count


def test_every_false_report_names_its_source() -> None:
    assert all(report.source.startswith("https://") for report in false_reports.FALSE_REPORTS)


def test_a_stack_in_a_wrong_state_is_told_from_one_that_is_gone() -> None:
    wrong, gone = (stack_drift.wrong_state("s", status) for status in ("ROLLBACK_FAILED", None))
    assert (wrong.expected, wrong.found) == ("in a *_COMPLETE state", "ROLLBACK_FAILED")
    assert (gone.expected, gone.found) == ("there", "gone")


@pytest.mark.parametrize(
    ("loss", "actual", "heals", "remedy"),
    [
        (Loss("alias", "live"), "gone", False, "phase deploy_stack"),
        (Loss("log group", "/aws/x", "changed"), "changed", False, "phase deploy_stack"),
        (Loss("role policy", "p", "changed", "allows less"), "allows less", False, "503"),
        (Loss("permission of alias", "live"), "gone", True, "options.heal"),
    ],
)
def test_what_was_lost_underneath_says_how_it_is_and_what_brings_it_back(
    loss: Loss, actual: str, heals: bool, remedy: str
) -> None:
    finding = stack_drift.lost(loss)
    assert (finding.found, finding.heals) == (actual, heals)
    assert remedy in finding.remedy
