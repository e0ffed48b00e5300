"""A rotation takes the live version as its candidate, and waits until every process has read the pending secret."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.secrets import CANDIDATE_TTL_S
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action, Release
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Status
from chalicelib.phases.release_code import run as release_code

from tests.fakes import FakeAws
from tests.fakes.endpoint import reply
from tests.fakes.requests import environment, request, results

FUNCTION = "proxyctl-dev-proxy"
LIVE = Release("2", "d-old", "t", "abc")
OUTPUTS = {"ApiUrl": "https://api.example/api"}


def world(secret_version: str = "new", version: str = "2") -> FakeAws:
    aws = FakeAws()
    aws.functions.add(FUNCTION, FunctionConfig("sha", 256, 29, {}, "python3.11"), live="2", versions=3)
    aws.functions.pointed[FUNCTION]["candidate"] = Alias("candidate", "3")
    health = {"version": version, "artifact": "abc", "secret": {"version_id": secret_version}}
    aws.endpoint.answer = lambda _sent: reply(200, health)
    aws.secrets.forbidden = True
    return aws


def rotation(after_s: float = CANDIDATE_TTL_S, **other: Any) -> Request:
    defaults: dict[str, Any] = {
        "action": Action.ROTATE,
        "environment": environment(live=LIVE, last_good=LIVE),
        "options": Options(secret_version="new"),
        "results": results(
            SecretEvidence(arn="arn:secret", version_id="new", replaces="v1"), StackEvidence(outputs=OUTPUTS)
        ),
    }
    return request(after_s=after_s, **defaults | other)


def test_the_candidate_is_put_on_the_live_version_and_nothing_is_published() -> None:
    aws = world()
    result = release_code.run(rotation(), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    assert result.evidence is not None
    assert (result.evidence.version, result.evidence.published) == ("2", False)
    assert aws.functions.moves == [Alias("candidate", "2")]


@pytest.mark.parametrize(
    ("after_s", "status"), [(CANDIDATE_TTL_S - 0.1, Status.IN_PROGRESS), (CANDIDATE_TTL_S, Status.SUCCEEDED)]
)
def test_it_waits_as_long_as_a_process_may_hold_the_version_before(after_s: float, status: Status) -> None:
    assert release_code.run(rotation(after_s), world().as_aws()).status is status


def test_a_candidate_that_still_reads_the_version_before_is_asked_again() -> None:
    result = release_code.run(rotation(), world(secret_version="v1").as_aws())
    assert result.status is Status.IN_PROGRESS
    assert "secret version is v1, not new" in result.summary


def test_without_a_live_release_there_is_nothing_to_rotate() -> None:
    with pytest.raises(PhaseFailed) as refused:
        release_code.run(rotation(environment=environment()), world().as_aws())
    assert refused.value.code == "NothingLive"
