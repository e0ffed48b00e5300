"""An API, a function or a role that someone deleted comes back with the next deploy_stack, against MiniStack.

CloudFormation there, as on AWS, creates again only what left the template and came back, and refuses the update of a
resource that is gone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import boto3
import pytest
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Environment, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Result, Status
from chalicelib.phases.deploy_stack import run as deploy_stack
from chalicelib.ports import Aws
from chalicelib.stack.recovery import repair

from tests.fakes.requests import HELD, environment, next_call, request, results
from tests.functional.adapters.ministack import MiniStack
from tests.functional.stack.conftest import REGION, ports

NAMES = Names("dev")
RESULTS = results(
    SecretEvidence(arn="arn:aws:secretsmanager:eu-central-1:1:secret:x-abcdef", version_id="v1"),
    ArtifactEvidence(key="a.zip"),
)
Spoil = Callable[[str], object]


@pytest.fixture
def aws(emulator: MiniStack) -> Iterator[Aws]:
    """With a stack whose version 2 is live; version 1 is closed."""
    over = ports()
    over.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}  # type: ignore[attr-defined]
    yield over
    emulator.reset()


def deploy(
    aws: Aws, stands: Environment, deployment_id: str = "d-new", *, calls: int = 60, config: Config | None = None
) -> Result[Any]:
    """The result at the end, or after so many calls."""
    current = request(environment=stands, results=RESULTS, deployment_id=deployment_id, config=config or Config())
    result: Result[Any] = Result(Status.IN_PROGRESS, "")
    for _ in range(calls):
        time.sleep(0.1)
        result = deploy_stack.run(current, aws)
        if result.status is not Status.IN_PROGRESS:
            return result
        if "live" in forgotten(aws):
            stands = environment(links=stands.links)
        current = dataclasses.replace(next_call(current, result, after_s=1), environment=stands)
    assert calls < 60, result.summary
    return result


def of(result: Result[Any]) -> StackEvidence:
    assert isinstance(result.evidence, StackEvidence)
    return result.evidence


def forgotten(aws: Aws) -> set[str]:
    """The fields of releases that the phase has deleted from the record."""
    written = aws.records.attributes["dev"]  # type: ignore[attr-defined]
    return {name for name in ("live", "last_good", "previous", "releases") if name in written and written[name] is None}


def released(aws: Aws) -> Environment:
    """The record after a first release: version 2 is live."""
    result = deploy(aws, environment(status="NEW"), "d-old")
    functions = boto3.client("lambda")
    functions.update_function_configuration(FunctionName=NAMES.function, MemorySize=640)
    version = functions.publish_version(FunctionName=NAMES.function)["Version"]
    functions.update_alias(FunctionName=NAMES.function, Name="live", FunctionVersion=version)
    good = Release(
        version,
        "d-old",
        "t",
        config={},
        bundle=aws.settings.bundle_key,
        snapshot=of(result).outputs["Snapshot"],
        parameters=aws.stacks.find(NAMES.stack).parameters,  # type: ignore[union-attr]
    )
    # Without what deploy_stack applied: the runner deletes that before the first call changes anything.
    links = {"base_url": of(result).base_url}
    return environment(live=good, last_good=good, previous=Release("1"), releases=(good,), links=links)


def drop_api(api: str) -> None:
    boto3.client("apigateway").delete_rest_api(restApiId=api)


def drop_function(_: str) -> None:
    boto3.client("lambda").delete_function(FunctionName=NAMES.function)


def drop_role(_: str) -> None:
    iam = boto3.client("iam")
    iam.delete_role_policy(RoleName=NAMES.role(REGION), PolicyName="proxy")
    iam.delete_role(RoleName=NAMES.role(REGION))


def drop_group(_: str) -> None:
    boto3.client("logs").delete_log_group(logGroupName=NAMES.access_log_group)


API, FUNCTION, ROLE = "API ", f"function {NAMES.function}", f"role {NAMES.role(REGION)}"
ROWS: dict[str, tuple[tuple[Spoil, ...], tuple[str, ...]]] = {
    "API": ((drop_api,), (API,)),
    "function": ((drop_function,), (FUNCTION,)),
    "role": ((drop_role,), (ROLE,)),
    "API and role": ((drop_api, drop_role), (API, ROLE)),
    "function and role": ((drop_function, drop_role), (FUNCTION, ROLE)),
    "API and function": ((drop_api, drop_function), (API, FUNCTION)),
    "all three and a log group": ((drop_api, drop_function, drop_role, drop_group), (API, FUNCTION, ROLE, "log group")),
}


def stack_outputs(aws: Aws) -> dict[str, str]:
    stack = aws.stacks.find(NAMES.stack)
    assert stack
    return dict(stack.outputs)


# In every run; the others on demand.
_SHORT_ROWS, _SHORT_CALLS = ("API", "function", "role", "all three and a log group"), (4, 7)


def long_but(short: Collection[Any], values: Iterable[Any]) -> list[Any]:
    return [pytest.param(value, marks=[] if value in short else pytest.mark.long) for value in values]


@pytest.mark.parametrize("row", long_but(_SHORT_ROWS, ROWS))
def test_what_is_gone_is_named_and_the_next_deploy_brings_it_back(aws: Aws, row: str) -> None:
    spoils, named = ROWS[row]
    before = released(aws)
    api = stack_outputs(aws)["ApiId"]
    for spoil in spoils:
        spoil(api)
    result = deploy(aws, before)
    evidence = of(result)
    for name in named:
        assert any(line.startswith(name) for line in evidence.repaired or ()), (name, evidence.repaired)
        assert name in result.summary
    stack = aws.stacks.find(NAMES.stack)
    assert stack
    assert repair.find_losses(stack, request(environment=before), aws) == ()
    assert (stack_outputs(aws)["ApiId"] != api) == (API in named)
    assert (evidence.address_before is not None) == (API in named)
    assert aws.gateway.exists(stack.outputs["ApiId"])
    assert sorted(aws.functions.aliases(NAMES.function)) == ["candidate", "live"]


def test_users_get_the_api_of_their_release_before_anything_of_the_candidate(aws: Aws) -> None:
    """The candidate's throttle is on the candidate's stage alone, and users stay on their version."""
    before = released(aws)
    drop_api(stack_outputs(aws)["ApiId"])
    result = deploy(aws, before, config=Config(throttle=Throttle(rate_per_s=7, burst=9)))
    api = of(result).outputs["ApiId"]
    users, candidate = aws.gateway.stage(api, "api"), aws.gateway.stage(api, "candidate")
    assert users is not None
    assert candidate is not None
    assert (users.rate_per_s, users.burst) == (Config().throttle.rate_per_s, Config().throttle.burst)
    assert (candidate.rate_per_s, candidate.burst) == (7, 9)
    assert aws.functions.aliases(NAMES.function)["live"].version == "2"
    assert not forgotten(aws)


def test_without_the_function_no_version_is_good_any_more_and_users_are_on_the_closed_one(aws: Aws) -> None:
    before = released(aws)
    drop_function("")
    deploy(aws, before)
    assert forgotten(aws) == {"live", "last_good", "previous", "releases"}
    live = aws.functions.aliases(NAMES.function)["live"].version
    assert aws.functions.config(NAMES.function, live).environment["ARTIFACT_DIGEST"] == "unreleased"


def test_another_role_has_the_boundary_and_runs_the_function_and_no_earlier_release_is_a_way_back(aws: Aws) -> None:
    before = released(aws)
    drop_role("")
    result = deploy(aws, before)
    role = NAMES.role(REGION, "_2")
    assert of(result).role == role
    assert aws.functions.config(NAMES.function).role.endswith(f":role/{role}")
    assert aws.identity.boundary(role) == aws.settings.boundary_arn
    assert forgotten(aws) == {"previous", "releases"}


@pytest.mark.parametrize("spoil", [drop_api, drop_function], ids=["API", "function"])
@pytest.mark.parametrize("calls", long_but(_SHORT_CALLS, range(1, 12)))
def test_a_deployment_that_dies_in_between_leaves_the_rest_to_the_next(aws: Aws, spoil: Spoil, calls: int) -> None:
    before = released(aws)
    spoil(stack_outputs(aws)["ApiId"])
    deploy(aws, before, "d-new", calls=calls)
    left = environment(links=before.links) if "live" in forgotten(aws) else before
    result = deploy(aws, left, "d-new-again")
    assert result.status is Status.SUCCEEDED
    stack = aws.stacks.find(NAMES.stack)
    assert stack
    assert repair.find_losses(stack, request(environment=left), aws) == ()
    assert sorted(aws.functions.aliases(NAMES.function)) == ["candidate", "live"]
