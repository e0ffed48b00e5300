"""Users get the pending secret version with the last step of the shift, and only from the version it was made for."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.secrets import CURRENT, PENDING, release_label, staged_label
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.options import Bake, Options
from chalicelib.engine.phase import Request, Status
from chalicelib.phases.shift_traffic import run as shift_traffic

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, next_call, release, request, results

FUNCTION, NAME = "proxyctl-dev-proxy", "proxyctl/dev/openai"


def world(live: str = "2") -> FakeAws:
    """v1 is current, `new` is pending."""
    aws = FakeAws()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 256, 29, {}, "python3.11"), live=live, versions=2)
    aws.secrets.add(NAME, "{}")
    aws.secrets.add_version(NAME, "{}", version_id="new", stage=staged_label("new"))
    aws.secrets.label(NAME, PENDING, "new")
    aws.records.attributes["dev"] = {
        "lock": {"deployment_id": HELD.deployment_id, "execution_arn": "", "lease_until": 0}
    }
    return aws


def stages(aws: FakeAws) -> dict[str, str]:
    info = aws.secrets.find(NAME)
    assert info is not None
    return dict(info.stages)


def call(action: Action = Action.ROTATE, served: str = "2", **other: Any) -> Request:
    defaults: dict[str, Any] = {
        "action": action,
        "environment": environment(live=release(served), last_good=release(served)),
        "options": Options(secret_version="new", bake=Bake(steps=(50, 100))),
        "results": results(
            ReleaseEvidence(version="2"), SecretEvidence(arn=NAME, name=NAME, version_id="new", replaces="v1")
        ),
    }
    return request(**defaults | other)


def test_a_rotation_promotes_the_version_keeps_both_and_drops_the_pending_label() -> None:
    aws = world()
    result = shift_traffic.run(call(), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    assert result.evidence is not None
    assert (result.evidence.secret_version, result.evidence.secret_from) == ("new", "v1")
    assert "within 300 s" in result.summary
    labels = stages(aws)
    assert labels[CURRENT] == labels[release_label("new")] == "new"
    assert labels[release_label("v1")] == "v1"
    assert not {PENDING, staged_label("new")} & set(labels)


def test_a_rotation_records_what_applies_now() -> None:
    aws = world()
    shift_traffic.run(call(), aws.as_aws())
    applied = aws.records.environment("dev").applied["prepare_secret"]
    assert (applied.evidence["version_id"], applied.evidence["replaces"]) == ("new", "")


def test_a_second_call_after_a_lost_answer_finds_the_version_current() -> None:
    aws = world()
    shift_traffic.run(call(), aws.as_aws())
    again = shift_traffic.run(call(), aws.as_aws())
    assert again.status is Status.SUCCEEDED
    assert stages(aws)[CURRENT] == "new"


def test_a_deploy_promotes_with_the_last_step_and_not_before() -> None:
    aws = world(live="1")
    first = shift_traffic.run(call(Action.DEPLOY, "1"), aws.as_aws())
    second = shift_traffic.run(next_call(call(Action.DEPLOY, "1"), first), aws.as_aws())
    assert stages(aws)[CURRENT] == "v1"
    last = shift_traffic.run(next_call(call(Action.DEPLOY, "1"), second), aws.as_aws())
    assert last.status is Status.SUCCEEDED
    assert stages(aws)[CURRENT] == "new"


def test_a_version_that_another_change_overtook_is_not_promoted() -> None:
    aws = world()
    aws.secrets.add(NAME, "{}")
    with pytest.raises(PhaseFailed) as refused:
        shift_traffic.run(call(), aws.as_aws())
    assert refused.value.code == "SecretChanged"
    assert stages(aws)[CURRENT] not in ("new", "v1")


def test_a_deploy_without_a_version_of_its_own_leaves_the_secret() -> None:
    aws = world()
    skipped = results(ReleaseEvidence(version="2"), SecretEvidence(arn=NAME, version_id="new", replaces="v1"))
    result = shift_traffic.run(call(Action.DEPLOY, options=Options(), results=skipped), aws.as_aws())
    assert result.status is Status.SKIPPED
    assert stages(aws)[CURRENT] == "v1"
