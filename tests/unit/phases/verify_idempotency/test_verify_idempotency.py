"""A deployment proves that a second one would be harmless, and leaves no trace of the proof."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig, FunctionSettings
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.idempotency import IdempotencyEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import Access, SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Applied
from chalicelib.engine.phase import Request, Result, Results, Status
from chalicelib.phases.verify_idempotency import run as verify_idempotency
from chalicelib.phases.verify_idempotency.cursor import IdempotencyCursor

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent, reply
from tests.fakes.requests import environment, next_call, release, request, results
from tests.fakes.standing import stand

FUNCTION = "proxyctl-dev-proxy"
STACK = StackEvidence(stack_id="arn:stack/1", api_url="https://api/live")


def released(version: str = "3", *others: SecretEvidence) -> Results:
    return results(ReleaseEvidence(version=version, code_sha256="sha"), STACK, *others)


PLAN: dict[str, Any] = {"package_artifact": True, "deploy_stack": True}


def world(versions: int = 3) -> FakeAws:
    aws = FakeAws()
    config = FunctionConfig("sha", 256, 29, {"LOG_LEVEL": "INFO", "SECRET_ARN": "arn"}, "python3.11")
    aws.functions.add(FUNCTION, config, live=str(versions), versions=versions)
    outputs = {"ApiId": "api1"}
    aws.stacks.standing["proxyctl-env-dev"] = Stack(
        "proxyctl-env-dev", "id", "CREATE_COMPLETE", updated_at="t", outputs=outputs
    )

    def health(sent: Sent) -> Reply:
        assert sent.signed
        assert sent.url == "https://api/live/_candidate/health"
        return reply(200, {"status": "ok", "version": aws.functions.aliases(FUNCTION)["candidate"].version})

    aws.endpoint.answer = health
    return aws


def proving(**other: Any) -> Request:
    fields: dict[str, Any] = {"results": released(), "plan": PLAN}
    return request(**fields | other)


def ended(aws: FakeAws, first: Request) -> IdempotencyEvidence:
    """The evidence, after as many calls as it takes."""
    call, result = first, verify_idempotency.run(first, aws.as_aws())
    for _ in range(20):
        if result.status is not Status.IN_PROGRESS:
            assert result.status is Status.SUCCEEDED
            assert result.evidence is not None
            return result.evidence
        call = next_call(call, result)
        result = verify_idempotency.run(call, aws.as_aws())
    raise AssertionError("it never ended")


def waiting(aws: FakeAws, call: Request) -> Result[IdempotencyEvidence]:
    result = verify_idempotency.run(call, aws.as_aws())
    assert result.status is Status.IN_PROGRESS
    return result


def test_it_proves_all_three_and_leaves_function_and_candidate_as_they_were() -> None:
    aws = world()
    before = aws.functions.latest[FUNCTION]
    evidence = ended(aws, proving())
    assert dataclasses.replace(evidence, release="") == IdempotencyEvidence(
        planned=("deploy_stack", "package_artifact"),
        setting_changed_alone="LOG_LEVEL",
        back_and_forward="the candidate went back to version 1 and forward to 3",
    )
    assert aws.functions.moves == [Alias("candidate", "1"), Alias("candidate", "3")]
    assert aws.functions.latest[FUNCTION] == before


def test_the_summary_names_the_three_proofs() -> None:
    summary = verify_idempotency.run(proving(), world().as_aws()).summary
    assert summary == (
        "2 phases would change nothing; one setting changed and came back without a redeploy; "
        "the candidate went back to version 1 and forward to 3"
    )


def test_updates_that_take_time_are_waited_for() -> None:
    aws = world()
    aws.functions.settling = 2
    ended(aws, proving())


def test_an_update_that_the_load_test_has_left_in_progress_is_waited_for() -> None:
    aws = world()
    latest = aws.functions.latest[FUNCTION]
    aws.functions.settling = 3
    aws.functions.update_settings(FUNCTION, FunctionSettings(latest.memory_mb, latest.timeout_s, latest.environment))
    ended(aws, proving())


def test_a_setting_that_an_interrupted_call_had_changed_goes_back_to_the_releases() -> None:
    aws = world()
    before = aws.functions.latest[FUNCTION]
    aws.functions.settling = 5
    verify_idempotency.run(proving(), aws.as_aws())  # and its answer is lost
    assert aws.functions.latest[FUNCTION] != before
    ended(aws, proving())
    assert aws.functions.latest[FUNCTION] == before


def test_a_candidate_that_an_interrupted_call_had_moved_is_moved_back_before_the_plan_is_judged() -> None:
    aws = world()
    aws.functions.pointed[FUNCTION]["candidate"] = Alias("candidate", "1")
    first = proving(plan={**PLAN, "release_code": False})
    result = waiting(aws, first)
    assert aws.functions.aliases(FUNCTION)["candidate"].version == "3"
    ended(aws, proving(cursor=next_call(first, result).cursor))


def test_a_cursor_of_an_earlier_version_of_the_control_plane_begins_anew() -> None:
    ended(world(), proving(cursor={"stage": "forward", "learned": {"_earlier": "1"}}))


def test_a_phase_that_would_run_anew_is_named() -> None:
    with pytest.raises(PhaseFailed) as failed:
        ended(stand(world()), proving(plan={**PLAN, "deploy_stack": False}))
    assert failed.value.code == "NotIdempotent"
    assert failed.value.message == "the same deployment again would run deploy_stack"
    assert failed.value.evidence == {"would_act": ["deploy_stack"]}


def test_what_was_deleted_meanwhile_is_named_as_the_cause() -> None:
    aws = stand(world())
    aws.logs.kept.clear()
    with pytest.raises(
        PhaseFailed, match="would run deploy_stack: log group /aws/lambda/proxyctl-dev-proxy was deleted"
    ):
        ended(aws, proving(plan={**PLAN, "deploy_stack": False}))


def test_a_role_that_was_deleted_meanwhile_has_its_own_code_and_remedy() -> None:
    aws = stand(world())
    aws.identity.roles.clear()
    with pytest.raises(PhaseFailed) as failed:
        ended(aws, proving(plan={**PLAN, "deploy_stack": False}))
    assert failed.value.code == "RoleGone"
    assert failed.value.remedy == "Deploy dev again: deploy_stack makes it again."


def test_a_setting_that_needed_a_stack_update_fails() -> None:
    aws = world()
    aws.functions.settling = 1
    first = proving()
    second = next_call(first, waiting(aws, first))
    aws.stacks.standing["proxyctl-env-dev"] = Stack("proxyctl-env-dev", "id", "UPDATE_COMPLETE", updated_at="later")
    with pytest.raises(PhaseFailed) as failed:
        ended(aws, second)
    assert "the stack was updated" in failed.value.message


@pytest.mark.parametrize(("elapsed_s", "fails"), [(120, False), (121, True)])
def test_a_candidate_that_never_answers_from_the_other_version_fails_after_two_minutes(
    elapsed_s: float, fails: bool
) -> None:
    aws = world()
    aws.endpoint.answer = lambda sent: reply(200, {"status": "ok", "version": "3"})
    first = proving()
    cursor = next_call(first, waiting(aws, first)).cursor
    late = proving(cursor=cursor, after_s=elapsed_s)
    if not fails:
        waiting(aws, late)
        return
    with pytest.raises(PhaseFailed) as failed:
        verify_idempotency.run(late, aws.as_aws())
    assert failed.value.code == "NotSettled"


def test_it_goes_back_to_a_version_that_was_good_not_to_the_newest_before() -> None:
    aws = world(versions=4)
    good = environment(live=release("2"), last_good=release("2"), previous=release("1"))
    ended(aws, proving(environment=good, results=released("4")))
    assert aws.functions.moves == [Alias("candidate", "2"), Alias("candidate", "4")]


def test_the_first_version_has_none_before_it_and_says_so() -> None:
    evidence = ended(world(versions=1), proving(results=released("1")))
    assert evidence.back_and_forward.startswith("NOT RUN")


def test_a_phase_with_an_open_check_may_run_again_the_next_time() -> None:
    open_check = SecretEvidence(access=Access(execution_role="NOT RUN: no role yet"))
    plan = {**PLAN, "prepare_secret": False}
    evidence = ended(world(), proving(results=released("3", open_check), plan=plan))
    assert evidence.asks_again == ("prepare_secret",)
    assert evidence.planned == ("deploy_stack", "package_artifact")
    with pytest.raises(PhaseFailed):
        ended(world(), proving(plan=plan))


def test_one_proof_for_each_release_suffices() -> None:
    def print_of(**other: Any) -> str:
        return verify_idempotency.fingerprint(proving(**other), world().as_aws())

    assert print_of() == print_of()
    assert print_of() != print_of(results=released("4"))


def test_of_the_same_release_only_the_plan_is_proved_again() -> None:
    """A changed throttle or retention makes no other function version."""
    aws = world()
    before = ended(aws, proving())
    aws.functions.moves.clear()
    applied = {**proving().environment.applied, "verify_idempotency": Applied("", "d-old", "t", encode(before))}
    asking = dataclasses.replace(
        proving(), environment=dataclasses.replace(proving().environment, applied=applied), config=Config(memory_mb=384)
    )
    evidence = ended(aws, asking)
    assert aws.functions.moves == []
    assert (evidence.done_by, evidence.back_and_forward) == ("d-old", before.back_and_forward)
    assert evidence.planned == before.planned


@pytest.mark.parametrize("change", [{"release": "another"}, {"back_and_forward": "NOT RUN: none earlier"}])
def test_a_proof_of_another_release_or_an_unfinished_one_is_made_again(change: dict[str, str]) -> None:
    aws = world()
    before = dataclasses.replace(ended(aws, proving()), **change)  # type: ignore[arg-type]
    aws.functions.moves.clear()
    applied = {"verify_idempotency": Applied("", "d-old", "t", encode(before))}
    stands = dataclasses.replace(proving().environment, applied=applied)
    evidence = ended(aws, dataclasses.replace(proving(), environment=stands))
    assert aws.functions.moves == [Alias("candidate", "1"), Alias("candidate", "3")]
    assert evidence.done_by is None


def test_a_read_that_does_not_see_the_change_yet_is_made_again_for_a_minute() -> None:
    """Found by the matrix of faults."""
    aws = world()
    update = aws.functions.update_settings
    aws.functions.update_settings = lambda *_given: None  # type: ignore[method-assign]
    result = waiting(aws, proving())
    call = next_call(proving(), result)
    assert waiting(aws, call).waits.step == "restore"
    aws.functions.update_settings = update  # type: ignore[method-assign]
    with pytest.raises(PhaseFailed, match="the setting did not change"):
        verify_idempotency.run(next_call(proving(), result, after_s=60), aws.as_aws())


def test_a_candidate_that_another_delivery_of_the_task_has_moved_forward_is_moved_back_again() -> None:
    """Found by the matrix of faults: the step waited for two minutes for a version that nothing pointed to."""
    aws = world()
    cursor = encode(IdempotencyCursor("back", earlier="2"))
    aws.functions.point(FUNCTION, Alias("candidate", "3"))
    first = waiting(aws, proving(cursor=cursor))
    # At the first look it stays: the other Lambda may have ended the phase, and the record says so before the second.
    assert aws.functions.aliases(FUNCTION)["candidate"].version == "3"
    waiting(aws, proving(cursor=encode(first.cursor)))
    assert aws.functions.aliases(FUNCTION)["candidate"].version == "2"
