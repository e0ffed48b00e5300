"""What an upgrade refuses, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.described.effects import CONFIG_FIELDS
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Release
from chalicelib.domain.options import Options
from chalicelib.upgrade.evidence import (
    PlanUpgradeEvidence,
    RevertUpgradeEvidence,
)

from tests.fakes.own_control_plane import NAMES, OwnControlPlane
from tests.fakes.upgrade_steps import STEPS, Upgrade


@pytest.fixture
def plane() -> OwnControlPlane:
    result = OwnControlPlane()
    result.install("old")
    return result


def refusal(plane: OwnControlPlane, key: str, **options: bool) -> str:
    return Upgrade(plane, key, **options).forward()


def test_an_older_release_needs_consent(plane: OwnControlPlane) -> None:
    key = plane.upload("older", version="0.9.0")
    assert refusal(plane, key) == "OlderRelease"
    assert refusal(plane, key, force=True) == ""
    assert plane.serving == "r-older"


@pytest.mark.parametrize("what", ["template", "code", "manifest"])
def test_what_is_not_as_its_digest_says_is_refused_before_anything_changes(plane: OwnControlPlane, what: str) -> None:
    key = plane.upload("new")
    damaged = {"template": "controlplane/template-new.json", "code": "controlplane/new.zip", "manifest": key}[what]
    plane.artifacts.objects[damaged] += b" "
    assert refusal(plane, key) == "ReleaseDamaged"
    del plane.artifacts.objects[damaged]
    assert refusal(plane, key) == "ReleaseDamaged"
    assert plane.serving == "r-old"
    assert not plane.sets


def test_a_release_of_a_later_schema_is_refused_in_words(plane: OwnControlPlane) -> None:
    assert refusal(plane, plane.upload("new", schema=2)) == "ReleaseTooNew"


@pytest.mark.parametrize("logical_id", ["Boundary", "UpgradeRole"])
def test_what_gives_the_upgrade_its_rights_is_a_persons_to_change(plane: OwnControlPlane, logical_id: str) -> None:
    def wider(template: Any) -> None:
        kind = "AWS::IAM::ManagedPolicy" if logical_id == "Boundary" else "AWS::IAM::Role"
        template["Resources"][logical_id] = {"Type": kind, "Properties": {"Policies": []}}

    assert refusal(plane, plane.upload("new", change=wider)) == "NeedsAPerson"


def test_code_that_somebody_changes_during_the_upgrade_is_noticed(plane: OwnControlPlane) -> None:
    def other(template: Any) -> None:
        uri = template["Resources"]["Sweep"]["Properties"]["CodeUri"]
        template["Resources"]["Sweep"]["Properties"]["CodeUri"] = uri.replace("new", "evil")

    plane.artifacts.objects["controlplane/evil.zip"] = b"zip of evil"
    key = plane.upload("new", change=other, code={"controlplane/new.zip": "0" * 64, "controlplane/evil.zip": "0" * 64})
    assert refusal(plane, key) == "ReleaseDamaged"


def test_a_release_that_was_left_as_a_candidate_does_not_count_as_serving(plane: OwnControlPlane) -> None:
    left = Upgrade(plane, plane.upload("new"))
    for name in STEPS[:3]:
        left.run(name)
    again = Upgrade(plane, plane.upload("new"))
    again.request = replace(again.request, deployment_id="d-2")
    assert again.forward() == ""
    assert (plane.serving, plane.parameters["Stage"]) == ("r-new", "live")
    assert again.request.results.of(PlanUpgradeEvidence).version_before == plane.settings.version


def test_what_somebody_else_installs_during_an_upgrade_stays(plane: OwnControlPlane) -> None:
    upgrade = Upgrade(plane, plane.upload("new"))
    for name in STEPS[:3]:
        upgrade.run(name)
    plane.install("direct")
    with pytest.raises(PhaseFailed) as moved:
        upgrade.run("promote_upgrade")
    assert (moved.value.code, "r-direct" in moved.value.message) == ("StackMoved", True)
    assert upgrade.back().evidence == RevertUpgradeEvidence()
    assert plane.serving == "r-direct"


def test_parameters_and_tags_that_somebody_set_stay(plane: OwnControlPlane) -> None:
    def wider(body: Any) -> None:
        body["Parameters"]["Nightly"] = {"Type": "String", "Default": "never"}

    plane.parameters |= {"Nightly": "always", "Forgotten": "x"}
    plane.tags["team"] = "platform"
    assert Upgrade(plane, plane.upload("new", change=wider)).forward() == ""
    assert plane.parameters["Nightly"] == "always"
    assert "Forgotten" not in plane.parameters
    assert plane.tagged == {"team": "platform", "proxyctl:owner": "proxyctl"}


def running(plane: OwnControlPlane, **fields: Any) -> Deployment:
    deployment = Deployment(
        "d-7", "prod", Action.DEPLOY, DeploymentStatus.RUNNING, Config(), Options(), created_at="2026-11-27T10:00:00Z"
    )
    plane.records.started["d-7"] = replace(deployment, **fields)
    return plane.records.started["d-7"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "DeploymentsRunning"),
        ({"waiting": True, "status": DeploymentStatus.PENDING}, ""),
        ({"status": DeploymentStatus.SUCCEEDED}, ""),
        ({"action": Action.UPGRADE}, ""),
    ],
)
def test_a_function_is_not_removed_under_a_running_deployment(
    plane: OwnControlPlane, fields: dict[str, Any], code: str
) -> None:
    plane.install("old", names=(*NAMES, "Gone"))
    running(plane, **fields)
    assert Upgrade(plane, plane.upload("new")).forward() == code
    assert plane.serving == ("r-old" if code else "r-new")


def test_a_deployment_that_begins_after_the_plan_keeps_its_functions(plane: OwnControlPlane) -> None:
    plane.install("old", names=(*NAMES, "Gone"))
    upgrade = Upgrade(plane, plane.upload("new"))
    for name in STEPS[:3]:
        upgrade.run(name)
    running(plane)
    with pytest.raises(PhaseFailed, match="Gone any more, which running deployments may call: d-7"):
        upgrade.run("promote_upgrade")
    upgrade.back()
    assert plane.serving == "r-old"


TARGET: dict[str, Any] = {
    "role_arn": "arn:aws:iam::210987654321:role/proxyctl-target-us-east-1",
    "external_id": "x" * 20,
    "region": "us-east-1",
}
WITHOUT_TARGETS = [field for field in CONFIG_FIELDS if not field.startswith("config.target")]


@pytest.mark.parametrize(
    ("config", "present", "refused"),
    [
        ({"target": TARGET}, WITHOUT_TARGETS, "config.target"),
        ({"target": None}, WITHOUT_TARGETS, ""),
        ({"memory_mb": 640}, WITHOUT_TARGETS, ""),
        ({"target": TARGET}, CONFIG_FIELDS, ""),
        ({"throttle": {"burst": 7}}, [field for field in CONFIG_FIELDS if field != "config.throttle.burst"],
         "config.throttle.burst"),
        ({"memory_mb": 640}, [], "config.memory_mb"),
    ],
)  # fmt: skip
def test_a_release_that_would_ignore_what_an_environment_uses_is_refused(
    plane: OwnControlPlane, config: dict[str, Any], present: Any, refused: str
) -> None:
    release = encode(Release("7", "d-1", config=config))
    plane.records.attributes["prod"] = {"last_deployment": "d-1", "live": release, "last_good": release}
    upgrade = Upgrade(plane, plane.upload("older", version="0.9.0", config_fields=list(present)), force=True)
    if not refused:
        assert upgrade.forward() == ""
        return
    with pytest.raises(PhaseFailed) as error:
        upgrade.run("plan_upgrade")
    assert (error.value.code, error.value.field) == ("FieldUnknown", refused)
    assert "prod" in error.value.message
    assert not plane.sets


def test_also_a_deployment_that_waits_counts(plane: OwnControlPlane) -> None:
    running(plane, config=replace(Config(), target=Target(**TARGET)), status=DeploymentStatus.PENDING, waiting=True)
    key = plane.upload("older", version="0.9.0", config_fields=WITHOUT_TARGETS)
    assert refusal(plane, key, force=True) == "FieldUnknown"
