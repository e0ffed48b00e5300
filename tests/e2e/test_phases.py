"""Phases 1 to 6 and 12 in the embedded cloud, each under its own role, with IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.codec import encode
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Status

from tests.e2e import snapshot
from tests.e2e.driving import DEPLOY, Driver, good_secret, own_cloud
from tests.e2e.gating import Gate, judge_releases
from tests.e2e.needs import unused_statements


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """A cloud of this module's own: what it holds is compared before and after."""
    with own_cloud("phases") as created:
        yield created


@pytest.fixture(scope="module")
def empty(driver: Driver) -> dict[str, Any]:
    """The cloud before the first deploy."""
    return look(driver)


@pytest.fixture(scope="module")
def deployed(driver: Driver, empty: dict[str, Any]) -> dict[str, Any]:
    """Environment dev, deployed once; what its phases told."""
    driver.store_secret("dev")
    return {name: result.evidence for name, result in driver.deploy("dev").items()}


def look(driver: Driver) -> dict[str, Any]:
    return snapshot.take(driver.operator, driver.bucket)


def skipped(deployment: dict[str, Any]) -> set[str]:
    return {name for name, result in deployment.items() if result.status is Status.SKIPPED}


FINGERPRINTED = set(DEPLOY) - {"preflight", "clean_up"}


def test_a_deploy_ends_in_a_candidate_that_says_what_it_is(deployed: dict[str, Any]) -> None:
    released = deployed["release_code"]
    assert released["health"]["artifact"] == deployed["package_artifact"]["digest"]
    assert released["health"]["secret"]["version_id"] == deployed["prepare_secret"]["version_id"]
    assert released["stranger"].startswith("refused")
    assert len(deployed["configure_monitoring"]["heard"]) == 8
    assert deployed["clean_up"]["orphans"] == []


def test_lambda_reports_the_digest_that_was_built(driver: Driver, deployed: dict[str, Any]) -> None:
    deployment = driver.operator("lambda").get_function_configuration(
        FunctionName="proxyctl-dev-proxy", Qualifier="candidate"
    )
    assert deployment["CodeSha256"] == deployed["package_artifact"]["code_sha256"]
    assert deployment["Version"] == deployed["release_code"]["version"]


def test_a_deploy_that_changes_nothing_changes_nothing(driver: Driver, deployed: dict[str, Any]) -> None:
    before = look(driver)
    deployment = driver.deploy("dev")
    assert skipped(deployment) == FINGERPRINTED
    assert snapshot.changed(before, look(driver)) == set()


def test_a_forced_deploy_finds_nothing_to_change_either(driver: Driver, deployed: dict[str, Any]) -> None:
    """Without fingerprints: every phase looks for itself. Alarms are drilled, so their reason tells of this run."""
    before = look(driver)
    deployment = driver.roll("dev", force=True)
    assert skipped(deployment) == set()
    assert not deployment["package_artifact"].evidence["uploaded"]
    assert deployment["deploy_stack"].evidence["changes"] == []
    assert not deployment["release_code"].evidence["published"]
    assert snapshot.changed(before, look(driver)) <= {"alarms"}


# One after the other: each differs from the one before in one setting.
CHANGES = [
    (Config(throttle=Throttle(41)), {"deploy_stack"}, {"stacks", "stages"}),
    (
        Config(throttle=Throttle(41), alarms=AlarmThresholds(throttles=3)),
        {"configure_monitoring"},
        {"alarms"},
    ),
    (
        Config(throttle=Throttle(41), alarms=AlarmThresholds(throttles=3), log_level="DEBUG"),
        {"release_code"},
        {"functions", "versions", "aliases"},
    ),
]


def test_a_changed_setting_touches_only_what_it_is_about(driver: Driver, deployed: dict[str, Any]) -> None:
    for config, ran, touched in CHANGES:
        before = look(driver)
        deployment = driver.roll("dev", config)
        assert FINGERPRINTED - skipped(deployment) == ran
        assert snapshot.changed(before, look(driver)) == touched


def test_a_rotated_key_is_released_without_packaging_or_stack(driver: Driver, deployed: dict[str, Any]) -> None:
    driver.store_secret("dev", {**good_secret(driver.cloud), "api_key": "sk-rotated-abcdefghijkl"})
    deployment = driver.roll("dev", replace(CHANGES[-1][0], keep_versions=1))
    assert FINGERPRINTED - skipped(deployment) == {"prepare_secret", "release_code"}
    released = deployment["release_code"].evidence
    aliases = driver.operator("lambda").list_aliases(FunctionName="proxyctl-dev-proxy")["Aliases"]
    left = driver.operator("lambda").list_versions_by_function(FunctionName="proxyctl-dev-proxy")["Versions"]
    assert released["pruned"]
    # Version 1 is the stack's own.
    assert {item["Version"] for item in left} == {"$LATEST", "1", *(alias["FunctionVersion"] for alias in aliases)}
    assert deployment["prepare_secret"].evidence["access"] == {"execution_role": "allowed", "stranger": "implicitDeny"}
    assert deployment["prepare_secret"].evidence["previous_is_good"]


def test_what_a_crashed_rollout_left_behind_is_removed(driver: Driver, deployed: dict[str, Any]) -> None:
    queue = driver.operator("sqs").create_queue(QueueName="proxyctl_dev_probe_d-crashed")["QueueUrl"]
    old = f"artifacts/dev/{'0' * 64}.zip"
    driver.operator("s3").put_object(Bucket=driver.bucket, Key=old, Body=b"")
    deployment = driver.phase("clean_up", "dev").evidence["removed"]
    assert deployment == {"probe queues": 1, "superseded artifacts": 1, "load-test files": 0}
    assert queue not in driver.operator("sqs").list_queues().get("QueueUrls", [])


def test_taking_one_permission_away_is_named_by_preflight(driver: Driver, deployed: dict[str, Any]) -> None:
    with driver.without("release_code", "Release"), pytest.raises(PhaseFailed) as caught:
        driver.phase("preflight", "dev")
    assert "release_code may not lambda:PublishVersion" in json.dumps(encode(caught.value.evidence))


@pytest.mark.parametrize(
    "state", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "a change set left over"]
)
def test_a_stack_left_in_pieces_is_deployed_to(driver: Driver, empty: dict[str, Any], state: str) -> None:
    name = f"s-{state.lower().replace('_', '-').replace(' ', '-')}"[:20].rstrip("-")
    driver.store_secret(name)
    driver.break_stack(name, state)
    for phase in ("prepare_secret", "package_artifact"):
        driver.phase(phase, name)
    deployment = {"deploy_stack": driver.phase("deploy_stack", name)}
    assert deployment["deploy_stack"].evidence["status"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    driver.clean_up(name, remove_secret=True, secret_recovery_days=0)


def test_a_slower_release_and_one_with_errors_are_stopped_and_an_equal_one_becomes_live(
    driver: Driver, deployed: dict[str, Any], tmp_path: Path
) -> None:
    """Once each; ten times each, on a busy machine and through the state machine, are in test_gate.py."""
    gate = Gate(replace(driver, calls=[]), "dev", tmp_path, CHANGES[-1][0])
    good = gate.publish()
    gate.go_live(good)
    try:
        assert int(judge_releases(gate, good)) > int(good)
    finally:
        gate.tidy()


def test_after_clean_up_the_cloud_is_as_it_was_before_the_first_deploy(
    driver: Driver, empty: dict[str, Any], deployed: dict[str, Any]
) -> None:
    deployment = driver.clean_up("dev", remove_secret=True, secret_recovery_days=0)
    assert deployment.evidence["left"] == []
    after = look(driver)
    assert {kind: after[kind] for kind in snapshot.changed(empty, after)} == {}


def test_every_statement_of_every_policy_is_needed(driver: Driver, deployed: dict[str, Any]) -> None:
    """Without any one of them, a call that a phase made above would have been refused, or one of CloudFormation's."""
    assert unused_statements(driver.calls, driver.cloud.region, driver.cloud.account) == []
