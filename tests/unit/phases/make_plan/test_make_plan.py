"""A plan changes nothing, and one that was approved is the only one that is carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.config import AlarmThresholds, Config, Options
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Applied
from chalicelib.engine.phase import Request, Status
from chalicelib.phases.make_plan import run as make_plan

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request

FUNCTION = "proxyctl-dev-proxy"
SECRET = SecretInfo("arn:secret", "proxyctl/dev/openai", {"AWSCURRENT": "v1"})
APPLIED: dict[str, dict[str, Any]] = {
    "prepare_secret": {"arn": "arn:secret", "version_id": "v1"},
    "package_artifact": {"digest": "ab" * 32, "code_sha256": "sha", "key": "artifacts/dev/x.zip"},
    "deploy_stack": {"outputs": {"StageName": "api"}},
    "release_code": {"version": "2"},
}
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


def world(**given: Any) -> FakeAws:
    return FakeAws(secrets=cast(Any, Secrets(**given)))


def asked(plan: dict[str, bool] | None = None, **other: Any) -> Request:
    applied = {name: Applied("f", "d-old", "t", evidence) for name, evidence in APPLIED.items()}
    stands = environment(applied=applied)
    given: dict[str, Any] = {
        "action": Action.PLAN,
        "environment": stands,
        "plan": UNCHANGED if plan is None else plan,
    }
    return request(**given | other)


def test_an_environment_that_needs_nothing_says_so() -> None:
    result = make_plan.run(asked(), world().as_aws())
    assert result.status is Status.SUCCEEDED
    assert result.summary == "No change: the environment already runs this release"


def test_a_new_environment_would_run_everything() -> None:
    result = make_plan.run(asked({}, environment=environment()), world(info=None).as_aws())
    would = {line["phase"]: line["would"] for line in result.evidence["plan"]}
    assert set(would.values()) == {"run"}
    assert "secret: proxyctl/dev/openai" in result.evidence["text"]
    assert "version: missing" in result.evidence["text"]


def test_changed_settings_are_named_old_and_new() -> None:
    aws = world()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 512, 29, {}, "python3.11"), live="2", versions=2)
    result = make_plan.run(asked({**UNCHANGED, "release_code": False}, config=Config(memory_mb=640)), aws.as_aws())
    details = next(line["details"] for line in result.evidence["plan"] if line["phase"] == "release_code")
    assert details["settings"]["memory_mb"] == "512 -> 640"
    assert aws.functions.latest[FUNCTION].memory_mb == 512


def test_a_threshold_that_would_change_is_named() -> None:
    config = Config(alarms=AlarmThresholds(throttles=99))
    result = make_plan.run(asked({**UNCHANGED, "configure_monitoring": False}, config=config), world().as_aws())
    details = next(line["details"] for line in result.evidence["plan"] if line["phase"] == "configure_monitoring")
    assert details["thresholds"]["proxyctl/dev/throttles"] == "- -> 99"


def test_a_deploy_with_the_approved_plan_goes_on_and_with_another_it_is_refused() -> None:
    digest = make_plan.run(asked(), world().as_aws()).evidence["digest"]
    approved = asked(action=Action.DEPLOY, options=Options(expected_plan=digest))
    assert make_plan.run(approved, world().as_aws()).status is Status.SUCCEEDED
    changed = replace(approved, plan={**UNCHANGED, "package_artifact": False})
    with pytest.raises(PhaseFailed) as refused:
        make_plan.run(changed, world().as_aws())
    assert (refused.value.code, refused.value.field) == ("PlanChanged", "options.expected_plan")
    assert refused.value.evidence["digest"] != digest
