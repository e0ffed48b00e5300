"""A failure leaves or restores the users' secret version; a requested rollback goes to that of the release."""

from __future__ import annotations

import dataclasses
from typing import Any

from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.secrets import CURRENT, PENDING, release_label, staged_label
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Action, Applied, Release
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.roll_back import run as roll_back

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, request, results

FUNCTION, NAME = "proxyctl-dev-proxy", "proxyctl/dev/openai"
LIVE = Release("2", "d-2", "t", "abc", secret_version="v1")
PREPARED = results(SecretEvidence(arn=NAME, name=NAME, version_id="new", replaces="v1"))


def world(*, promoted: bool) -> FakeAws:
    aws = FakeAws()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 256, 29, {}, "python3.11"), live="2", versions=3)
    aws.functions.pointed[FUNCTION]["candidate"] = Alias("candidate", "2")
    aws.secrets.add(NAME, "{}")
    aws.secrets.label(NAME, release_label("v1"), "v1")
    aws.secrets.add_version(NAME, "{}", version_id="new", stage=staged_label("new"))
    aws.secrets.label(NAME, PENDING, "new")
    if promoted:
        aws.secrets.move_current(NAME, to_version="new", from_version="v1")
    applied = Applied("f", "d-2", "t", {"arn": NAME, "version_id": "new", "replaces": "v1"})
    aws.records.attributes["dev"] = {
        "lock": dataclasses.asdict(HELD),
        "applied_prepare_secret": dataclasses.asdict(applied),
    }
    return aws


def stages(aws: FakeAws) -> dict[str, str]:
    info = aws.secrets.find(NAME)
    assert info is not None
    return dict(info.stages)


def failed(**other: Any) -> Request:
    stands = environment(live=LIVE, last_good=LIVE, applied=dict.fromkeys(("prepare_secret",), Applied("f", "d", "t")))
    defaults: dict[str, Any] = {
        "action": Action.ROTATE,
        "environment": stands,
        "options": Options(secret_version="new"),
        "results": PREPARED,
        "error": {"Error": "PhaseFailed"},
    }
    return request(**defaults | other)


def evidence_of(result: Result[RollBackEvidence]) -> RollBackEvidence:
    assert result.evidence is not None
    return result.evidence


def test_before_the_promotion_users_keep_their_version_and_the_new_one_is_dropped() -> None:
    aws = world(promoted=False)
    result = roll_back.run(failed(), aws.as_aws())
    assert result.status is Status.SKIPPED  # users never saw it
    assert stages(aws) == {CURRENT: "v1", release_label("v1"): "v1"}
    assert "users keep secret version v1" in result.summary


def test_after_the_promotion_users_go_back_to_the_version_before_and_the_record_says_so() -> None:
    aws = world(promoted=True)
    result = roll_back.run(failed(), aws.as_aws())
    assert (result.status, evidence_of(result).secret_version) == (Status.SUCCEEDED, "v1")
    assert stages(aws)[CURRENT] == "v1"
    assert PENDING not in stages(aws)
    assert aws.records.environment("dev").applied["prepare_secret"].evidence["version_id"] == "v1"


def test_a_second_call_changes_nothing() -> None:
    aws = world(promoted=True)
    roll_back.run(failed(), aws.as_aws())
    before = stages(aws)
    roll_back.run(failed(), aws.as_aws())
    assert stages(aws) == before


def test_a_failure_in_prepare_secret_drops_the_version_too() -> None:
    aws = world(promoted=False)
    roll_back.run(failed(results=results()), aws.as_aws())
    assert stages(aws) == {CURRENT: "v1", release_label("v1"): "v1"}


def test_a_version_that_was_set_at_once_meanwhile_stays() -> None:
    aws = world(promoted=True)
    aws.secrets.add(NAME, "{}")
    emergency = stages(aws)[CURRENT]
    roll_back.run(failed(), aws.as_aws())
    assert stages(aws)[CURRENT] == emergency


def test_a_deploy_that_rolled_no_secret_leaves_it() -> None:
    aws = world(promoted=True)
    roll_back.run(failed(action=Action.DEPLOY, options=Options()), aws.as_aws())
    assert stages(aws)[CURRENT] == "new"


def requested(target: Release) -> Request:
    live = dataclasses.replace(LIVE, deployment_id="d-3", secret_version="new")
    return request(action=Action.ROLLBACK, environment=environment(live=live, last_good=live, previous=target))


def test_a_rollback_on_request_goes_to_the_secret_version_of_the_release_though_the_code_is_the_same() -> None:
    aws = world(promoted=True)
    result = roll_back.run(requested(LIVE), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    assert (evidence_of(result).secret_version, evidence_of(result).secret_to) == ("v1", "v1")
    assert stages(aws)[CURRENT] == "v1"


def test_a_version_that_is_gone_is_named_and_the_secret_stays() -> None:
    aws = world(promoted=True)
    result = roll_back.run(requested(dataclasses.replace(LIVE, secret_version="gone")), aws.as_aws())
    assert "gone of that release no longer exists" in result.summary
    assert stages(aws)[CURRENT] == "new"
