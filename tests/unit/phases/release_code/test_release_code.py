"""Facts about release_code: it publishes what differs, moves only the candidate, and believes what that one says."""

from __future__ import annotations

import base64
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Results, Status
from chalicelib.phases.release_code import run as release_code
from chalicelib.release.release import CLOSED

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent, reply
from tests.fakes.requests import environment, next_call, release, request, results

FUNCTION = "proxyctl-dev-proxy"
DIGEST = "ab" * 32
CODE = base64.b64encode(bytes.fromhex(DIGEST)).decode()


def before(secret_version: str = "v1", arn: str = "arn:secret") -> Results:
    """What the phases before release_code have left."""
    return results(
        SecretEvidence(arn=arn, version_id=secret_version),
        ArtifactEvidence(key=f"artifacts/dev/{DIGEST}.zip", digest=DIGEST, code_sha256=CODE),
        StackEvidence(stack_id="s", api_url="https://api.example/api"),
    )


def healthy(fake: FakeAws, **lies: Any) -> None:
    """The candidate tells the truth about itself, but for the lies."""

    def answer(sent: Sent) -> Reply:
        assert sent.signed
        assert sent.url == "https://api.example/api/_candidate/health"
        version = fake.functions.pointed[FUNCTION]["candidate"].version
        truth = {"status": "ok", "version": version, "artifact": DIGEST, "secret": {"version_id": "v1"}}
        return reply(200, truth | lies)

    fake.endpoint.answer = answer


def aws(code: str = "old", versions: int = 0) -> FakeAws:
    fake = FakeAws()
    config = FunctionConfig(code, 128, 3, {"ENVIRONMENT_NAME": "dev"}, "python3.11")
    fake.functions.add(FUNCTION, config, live="$LATEST", versions=versions)
    fake.secrets.forbidden = True
    healthy(fake)
    return fake


def ask(**other: Any) -> Request:
    defaults: dict[str, Any] = {"environment": environment(), "results": before()}
    return request(**defaults | other)


def to_the_end(call: Request, fake: FakeAws) -> ReleaseEvidence:
    for _ in range(20):
        result = release_code.run(call, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            assert result.status is Status.SUCCEEDED
            return evidence_of(result)
        call = next_call(call, result)
    raise AssertionError(result.summary)


def evidence_of(result: Result[ReleaseEvidence]) -> ReleaseEvidence:
    assert result.evidence is not None
    return result.evidence


def call_times(count: int, call: Request, fake: FakeAws) -> Request:
    """The request after so many calls that all answered IN_PROGRESS."""
    for _ in range(count):
        result = release_code.run(call, fake.as_aws())
        assert result.status is Status.IN_PROGRESS
        call = next_call(call, result)
    return call


def test_code_and_settings_become_a_version_and_only_the_candidate_moves() -> None:
    fake = aws()
    fake.functions.settling = 2
    result = to_the_end(ask(), fake)
    assert (result.version, result.published) == ("1", True)
    assert [move.name for move in fake.functions.moves] == ["candidate"]
    assert fake.functions.pointed[FUNCTION]["live"].version == "$LATEST"
    latest = fake.functions.latest[FUNCTION]
    assert (latest.code_sha256, latest.memory_mb, latest.timeout_s) == (CODE, 512, 900)
    assert latest.environment["ARTIFACT_DIGEST"] == DIGEST
    assert latest.environment["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/bootstrap"


def test_the_same_release_is_not_published_twice() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    moves = len(fake.functions.moves)
    again = to_the_end(ask(deployment_id="d-next"), fake)
    assert (again.version, again.published) == ("1", False)
    assert len(fake.functions.published[FUNCTION]) == 1
    assert len(fake.functions.moves) == moves


def test_going_back_to_earlier_settings_takes_the_earlier_version() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    to_the_end(ask(config=Config(memory_mb=256)), fake)
    assert fake.functions.pointed[FUNCTION]["candidate"].version == "2"
    assert to_the_end(ask(deployment_id="d-back"), fake).version == "1"


def test_a_changed_setting_alone_publishes_without_new_code() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    result = to_the_end(ask(config=Config(log_level="DEBUG")), fake)
    assert result.version == "2"
    assert result.code_sha256 == CODE


def test_a_new_secret_needs_no_new_version_for_the_candidate_reads_it_within_seconds() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    healthy(fake, secret={"version_id": "v2"})
    assert to_the_end(ask(results=before("v2")), fake).version == "1"


def test_lambda_is_never_updated_while_it_is_still_updating() -> None:
    fake = aws()
    fake.functions.settling = 3
    call = ask()
    memory_mb = []
    for _ in range(5):
        result = release_code.run(call, fake.as_aws())
        memory_mb.append(fake.functions.latest[FUNCTION].memory_mb)
        call = next_call(call, result)
    assert memory_mb[:4] == [128] * 4  # code first; settings only when that has settled


def test_a_failed_update_tells_lambdas_reason() -> None:
    fake = aws()
    fake.functions.failed[FUNCTION] = "InvalidZipFileException"
    with pytest.raises(PhaseFailed, match="InvalidZipFileException"):
        to_the_end(ask(), fake)


def test_an_update_that_never_settles_ends() -> None:
    fake = aws()
    fake.functions.settling = 99
    release_code.run(ask(), fake.as_aws())
    with pytest.raises(PhaseFailed) as caught:
        release_code.run(ask(after_s=601), fake.as_aws())
    assert caught.value.code == "UpdateTimeout"


def test_lambda_has_ten_minutes_for_an_update() -> None:
    fake = aws()
    fake.functions.settling = 99
    release_code.run(ask(), fake.as_aws())
    assert release_code.run(ask(after_s=600), fake.as_aws()).status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        ({"artifact": "cd" * 32}, "artifact is cdcd"),
        ({"version": "7"}, "version is 7, not 1"),
        ({"secret": {"version_id": "v0"}}, "secret version is v0, not v1"),
        ({"secret": None}, "secret version is None"),
    ],
)
def test_a_candidate_that_is_not_what_was_released_fails_with_what_differs(lie: dict[str, Any], named: str) -> None:
    fake = aws()
    healthy(fake, **lie)
    call = call_times(4, ask(), fake)
    almost = dataclasses.replace(call, now=call.now + timedelta(seconds=89.9))
    assert release_code.run(almost, fake.as_aws()).status is Status.IN_PROGRESS
    late = dataclasses.replace(call, now=call.now + timedelta(seconds=90))
    with pytest.raises(PhaseFailed, match=named) as caught:
        release_code.run(late, fake.as_aws())
    assert caught.value.code == "CandidateUnhealthy"


def test_a_candidate_that_is_not_healthy_is_given_time() -> None:
    fake = aws()
    fake.endpoint.answer = lambda _sent: reply(503, {"status": "unavailable"})
    call = call_times(4, ask(), fake)
    healthy(fake)
    assert to_the_end(call, fake).version == "1"


def test_a_release_whose_own_role_can_read_the_key_fails() -> None:
    fake = aws()
    fake.secrets.forbidden = False
    info = fake.secrets.add("x", "{}")
    with pytest.raises(PhaseFailed) as caught:
        to_the_end(ask(results=before(arn=info.arn)), fake)
    assert caught.value.code == "SecretAccess"


def test_old_versions_go_but_none_that_anyone_relies_on() -> None:
    fake = aws(versions=9)
    fake.functions.pointed[FUNCTION]["live"] = dataclasses.replace(
        fake.functions.pointed[FUNCTION]["live"], version="3", weights={"4": 0.1}
    )
    good = environment(live=release("3"), last_good=release("5"), previous=release("2"))
    result = to_the_end(ask(environment=good, config=Config(keep_versions=2)), fake)
    assert result.version == "10"
    assert result.pruned == ("6", "7", "8")


@pytest.mark.parametrize("closed", ["1", "4"])
def test_the_version_that_cloudformation_made_stays(closed: str) -> None:
    """Its number is that of the first version, unless a stack update replaced it."""
    fake = aws(versions=6)
    fake.functions.published[FUNCTION] = [
        (dataclasses.replace(version, description=CLOSED if version.number == closed else ""), config)
        for version, config in fake.functions.published[FUNCTION]
    ]
    fake.functions.pointed[FUNCTION]["live"] = dataclasses.replace(
        fake.functions.pointed[FUNCTION]["live"], version="5"
    )
    result = to_the_end(ask(environment=environment(live=release("5")), config=Config(keep_versions=1)), fake)
    assert closed not in result.pruned
    assert {"2", "3"} <= set(result.pruned)


def test_the_closed_versions_description_is_that_of_the_template() -> None:
    template = (Path(__file__).parents[4] / "proxy" / "template.yaml").read_text()
    assert f"Description: {CLOSED}" in template.partition("ClosedVersion:")[2].partition("LiveAlias:")[0]


def test_the_fingerprint_follows_code_settings_secret_and_the_candidate() -> None:
    fake = aws()
    to_the_end(ask(), fake)

    def print_of(**other: Any) -> str:
        return release_code.fingerprint(ask(**other), fake.as_aws())

    same = print_of()
    assert print_of(config=Config(log_retention_days=30)) == same
    assert print_of(config=Config(timeout_s=10)) != same
    assert print_of(results=before("v2")) != same
    fake.functions.pointed[FUNCTION]["candidate"] = dataclasses.replace(
        fake.functions.pointed[FUNCTION]["candidate"], version="9"
    )
    assert print_of() != same


def test_a_drills_broken_release_cannot_start_and_is_not_waited_for_long() -> None:
    fake = aws()
    name = "drill-0123ab"
    fake.functions.add("proxyctl-drill-0123ab-proxy", fake.functions.latest[FUNCTION], live="1", versions=1)
    fake.endpoint.answer = lambda _sent: reply(502, {"message": "Internal server error"})
    first = ask(environment=environment(name=name), options=Options(sabotage="answers_500"))
    call = call_times(3, first, fake)
    assert fake.functions.latest["proxyctl-drill-0123ab-proxy"].environment["SECRET_TTL_S"].startswith("broken")
    almost = dataclasses.replace(call, now=call.now + timedelta(seconds=9.9))
    assert release_code.run(almost, fake.as_aws()).status is Status.IN_PROGRESS
    late = dataclasses.replace(call, now=call.now + timedelta(seconds=10))
    with pytest.raises(PhaseFailed) as caught:
        release_code.run(late, fake.as_aws())
    assert caught.value.code == "CandidateUnhealthy"


def test_no_other_environment_can_be_sabotaged() -> None:
    fake = aws()
    to_the_end(ask(options=Options(sabotage="answers_500")), fake)
    assert fake.functions.latest[FUNCTION].environment["SECRET_TTL_S"] == "300"


@pytest.mark.parametrize(
    ("role", "published"), [("proxyctl-dev-proxy-eu-central-1", False), ("proxyctl-dev_2-proxy-eu-central-1", True)]
)
def test_the_same_code_is_published_again_when_the_function_has_another_role(role: str, published: bool) -> None:
    """A version keeps the role that it was published with, and that one was deleted."""
    fake = aws()
    first = to_the_end(ask(), fake)
    arn = f"arn:aws:iam::1:role/{role}"
    if published:  # the stack has given it to the function
        fake.functions.latest[FUNCTION] = dataclasses.replace(fake.functions.latest[FUNCTION], role=arn)
    stack = StackEvidence("s", api_url="https://api.example/api", outputs={"RoleArn": arn})
    call = ask(results=before().also("deploy_stack", encode(stack)), deployment_id="d-newer")
    assert (to_the_end(call, fake).version != first.version) == published
