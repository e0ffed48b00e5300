"""A plan changes nothing, and one that was approved is the only one that is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.codec import encode
from chalicelib.domain.config import AlarmThresholds, Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.plan import PlanEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.options import Options
from chalicelib.engine.phase import OfPhase, Request, Result, Status
from chalicelib.phases.make_plan import run as make_plan

from tests.fakes import FakeAws
from tests.fakes.requests import environment, next_call, request
from tests.unit.artifacts.test_assembly import bundle

FUNCTION = "proxyctl-dev-proxy"
SECRET = SecretInfo("arn:secret", "proxyctl/dev/openai", {"AWSCURRENT": "v1"})
APPLIED: tuple[OfPhase, ...] = (
    SecretEvidence(arn="arn:secret", version_id="v1"),
    ArtifactEvidence(digest="ab" * 32, code_sha256="sha", key="artifacts/dev/x.zip"),
    StackEvidence(outputs={"StageName": "api"}),
    ReleaseEvidence(version="2"),
)
UNCHANGED = dict.fromkeys(
    (
        "prepare_secret",
        "package_artifact",
        "deploy_stack",
        "configure_monitoring",
        "release_code",
        "validate_endpoints",
        "validate_errors",
        "load_test",
    ),
    True,
)


@dataclass
class Secrets:
    info: SecretInfo | None = SECRET

    def find(self, secret: str) -> SecretInfo | None:
        return self.info


def world(**other: Any) -> FakeAws:
    return FakeAws(secrets=cast(Any, Secrets(**other)))


def planning(plan: dict[str, bool] | None = None, **other: Any) -> Request:
    applied = {item.PHASE: Applied("f", "d-old", "t", encode(item)) for item in APPLIED}
    defaults: dict[str, Any] = {
        "action": Action.PLAN,
        "environment": environment(applied=applied),
        "plan": UNCHANGED if plan is None else plan,
    }
    return request(**defaults | other)


def plan_of(result: Result[PlanEvidence]) -> PlanEvidence:
    assert result.status is Status.SUCCEEDED
    assert result.evidence is not None
    return result.evidence


def details(evidence: PlanEvidence, phase: str) -> Mapping[str, Any]:
    return next(line.details for line in evidence.plan if line.phase == phase)


def test_an_environment_that_needs_nothing_says_so() -> None:
    result = make_plan.run(planning(), world().as_aws())
    assert result.status is Status.SUCCEEDED
    assert result.summary == "No change: the environment already runs this release"


def test_a_new_environment_would_run_everything() -> None:
    result = make_plan.run(planning({}, environment=environment()), world(info=None).as_aws())
    evidence = plan_of(result)
    assert {line.would for line in evidence.plan} == {"run"}
    assert "secret: proxyctl/dev/openai" in evidence.text
    assert "version: missing" in evidence.text
    assert result.summary.startswith("Would run prepare_secret, package_artifact, deploy_stack")


def test_changed_settings_are_named_old_and_new() -> None:
    aws = world()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 512, 29, {}, "python3.11"), live="2", versions=2)
    result = make_plan.run(planning({**UNCHANGED, "release_code": False}, config=Config(memory_mb=640)), aws.as_aws())
    release = details(plan_of(result), "release_code")
    assert (release["settings"]["memory_mb"], release["code"]) == ("512 -> 640", "ab" * 32)
    assert aws.functions.latest[FUNCTION].memory_mb == 512


def test_the_code_of_a_new_bundle_is_decided_by_package_artifact() -> None:
    aws = world()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 512, 29, {}, "python3.11"), live="2", versions=2)
    evidence = plan_of(make_plan.run(planning({**UNCHANGED, "package_artifact": False}), aws.as_aws()))
    assert details(evidence, "release_code")["code"] == "decided when package_artifact has run"


def test_a_threshold_that_would_change_is_named() -> None:
    config = Config(alarms=AlarmThresholds(throttles=99))
    result = make_plan.run(planning({**UNCHANGED, "configure_monitoring": False}, config=config), world().as_aws())
    assert details(plan_of(result), "configure_monitoring")["thresholds"]["proxyctl/dev/throttles"] == "- -> 99"


def test_a_deploy_with_the_approved_plan_goes_on_and_with_another_it_is_refused() -> None:
    digest = plan_of(make_plan.run(planning(), world().as_aws())).digest
    approved = planning(action=Action.DEPLOY, options=Options(expected_plan=digest))
    assert make_plan.run(approved, world().as_aws()).status is Status.SUCCEEDED
    changed = replace(approved, plan={**UNCHANGED, "package_artifact": False})
    with pytest.raises(PhaseFailed) as refused:
        make_plan.run(changed, world().as_aws())
    assert (refused.value.code, refused.value.field) == ("PlanChanged", "options.expected_plan")
    assert refused.value.evidence["digest"] != digest


STACK = "proxyctl-env-dev"
TEMPLATE = b"Resources:\n# api: begin\n  Api: {}\n# api: end\n  ApiDeploymentSnapshot: {}\n"
REPLACED = Change("Stage", "AWS::ApiGateway::Stage", "Modify", "True", because=("StageName",))
READY = ChangeSet("id", "name", "CREATE_COMPLETE", execution="AVAILABLE", changes=(REPLACED,))
PENDING = ChangeSet("id", "name", "CREATE_PENDING")
STACK_CHANGES = {**UNCHANGED, "deploy_stack": False}


def with_stack(*answers: ChangeSet) -> FakeAws:
    """An environment with a stack, of which CloudFormation answers these change sets."""
    aws = world()
    aws.artifacts.objects["bundles/abc.zip"] = bundle(**{"template.yaml": TEMPLATE})
    aws.stacks.add(STACK)
    aws.stacks.answers = list(answers)
    return aws


def test_a_plan_of_the_stack_names_changes_and_losses_and_deletes_its_change_set() -> None:
    aws = with_stack(READY)
    stack = details(plan_of(make_plan.run(planning(STACK_CHANGES), aws.as_aws())), "deploy_stack")
    assert stack["changes"] == ["Modify Stage (AWS::ApiGateway::Stage)"]
    assert "losing the URL that users call" in stack["replacements"][0]
    assert aws.stacks.did == ["update change set", "delete change set proxyctl-plan-d-new"]


def test_a_change_set_that_cloudformation_refuses_is_quoted() -> None:
    refused = ChangeSet("id", "name", "FAILED", "Parameter Throttle is not a number")
    stack = details(plan_of(make_plan.run(planning(STACK_CHANGES), with_stack(refused).as_aws())), "deploy_stack")
    assert stack == {"refused": "Parameter Throttle is not a number"}


def test_a_pending_change_set_is_awaited_and_created_once() -> None:
    aws = with_stack(PENDING, PENDING, READY)
    first = planning(STACK_CHANGES)
    waiting = make_plan.run(first, aws.as_aws())
    assert waiting.status is Status.IN_PROGRESS
    second = next_call(first, waiting)
    again = make_plan.run(second, aws.as_aws())
    assert again.status is Status.IN_PROGRESS
    plan_of(make_plan.run(next_call(second, again), aws.as_aws()))
    assert aws.stacks.did.count("update change set") == 1


@pytest.mark.parametrize(("elapsed_s", "ends"), [(600, False), (601, True)])
def test_a_change_set_may_stay_pending_for_ten_minutes(elapsed_s: float, ends: bool) -> None:
    aws, first = with_stack(PENDING), planning(STACK_CHANGES, after_s=elapsed_s)
    if not ends:
        assert make_plan.run(first, aws.as_aws()).status is Status.IN_PROGRESS
        return
    with pytest.raises(PhaseFailed) as caught:
        make_plan.run(first, aws.as_aws())
    assert caught.value.code == "PlanTimeout"


def test_a_stack_that_cannot_be_updated_is_shown_as_it_is() -> None:
    aws = with_stack(READY)
    aws.stacks.add(STACK, "ROLLBACK_COMPLETE")
    stack = details(plan_of(make_plan.run(planning(STACK_CHANGES), aws.as_aws())), "deploy_stack")
    assert (stack, aws.stacks.did) == ({"stack": "ROLLBACK_COMPLETE"}, [])
