"""Facts about preflight's questions to IAM's simulator: few, remembered, paced, and never fatal for their rate."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from chalicelib.domain.aws.identity import Decision
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, PhaseFailed, Throttled
from chalicelib.domain.evidence.preflight import Finding, Simulated
from chalicelib.domain.options import Options
from chalicelib.engine.policies import of_rollouts, role_of
from chalicelib.phases.preflight import questions, simulate
from chalicelib.phases.preflight.grants import Grant
from chalicelib.phases.preflight.policy_text import allows
from chalicelib.phases.preflight.repeat import PATIENCE_S, Pace
from chalicelib.phases.preflight.run import run
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, request
from tests.unit.phases.preflight.test_preflight import aws

ROLES = len(of_rollouts())
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:proxyctl-rollout"
MACHINES = [MACHINE.replace("rollout", "fleet"), MACHINE]
API = role_of("api")
TASKS = ("states:SendTaskFailure", "states:SendTaskSuccess")


class Clock:
    """Time that passes only while the code sleeps; `pauses` holds how long."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def pace(self) -> Pace:
        return Pace(Random(7), self.sleep, lambda: self.now)


def check(fake: FakeAws, clock: Clock | None = None, **other: Any) -> tuple[list[Finding], Simulated]:
    return simulate.check(request(**other), fake.as_aws(), (clock or Clock()).pace())


def test_a_role_is_asked_about_in_one_call_where_its_policy_fits() -> None:
    fake = aws()
    assert check(fake)[0] == []
    # 238 statements in 30 roles; four of the roles have more pairs of action and resource than a call takes.
    assert len(fake.identity.calls) <= ROLES + 6
    for actions, resources in fake.identity.calls:
        assert len(resources) <= questions.MAX_RESOURCES
        assert len(actions) * len(resources) <= questions.MAX_PAIRS


def test_what_was_allowed_is_not_asked_again_within_the_hour() -> None:
    fake = aws()
    _, first = check(fake)
    fake.identity.calls.clear()
    findings, second = check(fake, now=NOW + timedelta(minutes=59))
    assert (findings, fake.identity.calls) == ([], [])
    assert second == dataclasses.replace(first, remembered=ROLES)


def test_an_answer_ends_after_an_hour() -> None:
    fake = aws()
    check(fake)
    fake.identity.calls.clear()
    assert check(fake, now=NOW + timedelta(hours=1))[1].remembered is None
    assert fake.identity.calls


def test_force_asks_again() -> None:
    fake = aws()
    check(fake)
    fake.identity.denied.add((role_of("bake"), "cloudwatch:DescribeAlarms"))
    assert check(fake)[0] == []
    assert check(fake, options=Options(force=True))[0] != []


def test_another_policy_or_another_role_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = aws()
    check(fake)
    fake.identity.calls.clear()
    fake.stacks.owned["proxyctl"] = [
        dataclasses.replace(each, physical_id="new-role") if each.logical_id == role_of("bake") else each
        for each in fake.stacks.owned["proxyctl"]
    ]
    check(fake)
    assert len(fake.identity.calls) == 1
    changed = of_rollouts()
    changed["bake"]["Statement"][-1]["Action"] = ["cloudwatch:ListMetrics"]
    monkeypatch.setattr("chalicelib.phases.preflight.roles.of_rollouts", lambda: changed)
    fake.identity.calls.clear()
    assert check(fake)[1].remembered == ROLES - 1
    assert len(fake.identity.calls) == 1


def test_a_permission_that_is_taken_away_within_the_hour_is_named() -> None:
    fake = aws()
    check(fake)
    name = next(each.physical_id for each in fake.stacks.owned["proxyctl"] if each.logical_id == role_of("bake"))
    fake.identity.policies[name] = '{"Statement": []}'
    fake.identity.denied.add((name, "cloudwatch:DescribeAlarms"))
    fake.identity.calls.clear()
    assert "cloudwatch:DescribeAlarms" in check(fake)[0][0].message
    assert len(fake.identity.calls) == 1


def unreadable(_role: str, _policy: str) -> str:
    raise AccessDenied("iam:get_role_policy: not for you")


def test_each_policy_is_read_once_a_check_also_a_changed_one() -> None:
    fake, reads = aws(), list[str]()
    check(fake)
    read = fake.identity.role_policy

    def counted(role: str, policy: str) -> str:
        reads.append(role)
        return read(role, policy)

    fake.identity.role_policy = counted  # type: ignore[method-assign]
    changed = sorted(fake.stacks.owned["proxyctl"], key=lambda resource: resource.physical_id)[0].physical_id
    fake.identity.policies[changed] = '{"Statement": []}'
    check(fake)
    assert len(reads) == len(set(reads)) == ROLES


@pytest.mark.parametrize("shown", [lambda *_: "", unreadable])
def test_nothing_is_remembered_of_a_role_whose_policy_iam_does_not_show(
    shown: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = aws()
    monkeypatch.setattr(fake.identity, "role_policy", shown)
    check(fake)
    assert check(fake)[1].remembered is None


def test_an_action_without_a_decision_is_no_allowed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a simulator does that looks at the first resource of a question only."""
    fake = aws()
    simulate_all = fake.identity.simulate
    monkeypatch.setattr(
        fake.identity, "simulate", lambda arn, actions, resources, context: simulate_all(arn, actions, resources[:1])
    )
    findings, simulated = check(fake)
    assert any("says nothing of" in finding.message for finding in findings)
    assert simulated.roles < ROLES


def test_a_refusal_is_not_remembered() -> None:
    fake = aws()
    fake.identity.denied.add((role_of("bake"), "cloudwatch:DescribeAlarms"))
    assert len(check(fake)[0]) == 1
    fake.identity.denied.clear()
    fake.identity.calls.clear()
    assert check(fake)[0] == []
    assert len(fake.identity.calls) == 1


class Busy:
    """A simulator that answers only every `every`-th call."""

    def __init__(self, every: int) -> None:
        self.every, self.count = every, 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count % self.every:
            raise Throttled("iam:simulate_principal_policy: Rate exceeded")


def test_throttled_calls_are_repeated_after_growing_pauses_with_jitter() -> None:
    fake, clock = aws(), Clock()
    fake.identity.before = Busy(3)
    findings, simulated = check(fake, clock)
    assert (findings, simulated.roles) == ([], ROLES)
    first, second = clock.pauses[0::2], clock.pauses[1::2]
    assert all(0.125 <= pause <= 0.25 for pause in first)
    assert all(0.25 <= pause <= 0.5 for pause in second)
    assert len(set(clock.pauses)) > len(clock.pauses) / 2


def test_a_simulator_that_throttles_on_and_on_stops_no_deployment() -> None:
    fake, clock = aws(), Clock()
    fake.identity.before = Busy(10**9)
    findings, simulated = check(fake, clock)
    (finding,) = findings
    assert finding.message.startswith(f"NOT RUN for {ROLES} roles: IAM's simulator throttled us for 25 s")
    assert not finding.blocks
    assert simulated.roles == 0
    assert PATIENCE_S <= sum(clock.pauses) <= PATIENCE_S + 4


def test_what_another_environment_found_out_meanwhile_counts() -> None:
    fake, other = aws(), aws()
    check(other)
    fake.identity.before = Busy(10**9)
    clock = Clock()
    sleep = clock.sleep

    def sleeps(seconds: float) -> None:
        sleep(seconds)
        fake.simulations.kept = dict(other.simulations.kept)

    clock.sleep = sleeps  # type: ignore[method-assign]
    findings, simulated = check(fake, clock)
    assert (findings, simulated.remembered) == ([], ROLES)


def test_what_the_simulator_knows_no_resource_for_is_judged_by_the_policys_text() -> None:
    fake = aws()
    fake.identity.denied |= {(API, action) for action in TASKS}
    text = {"Statement": [{"Effect": "Allow", "Action": list(TASKS), "Resource": MACHINES}]}
    fake.identity.policies[API] = json.dumps(text)
    findings, simulated = check(fake)
    assert findings == []
    assert simulated.by_text == tuple(f"api {action}" for action in TASKS)
    assert "2 of them by the text of their policy" in run(request(), fake.as_aws()).summary
    assert check(fake)[1].by_text == simulated.by_text  # remembered, too


def test_an_action_that_is_not_in_the_text_either_is_a_warning() -> None:
    fake = aws()
    fake.identity.denied.add((API, TASKS[0]))
    findings = check(fake)[0]
    assert not any(finding.blocks for finding in findings)
    for finding, machine in zip(findings, MACHINES, strict=True):
        assert f"api may not {TASKS[0]} on {machine} by the text of its policy" in finding.message
    assert run(request(), fake.as_aws()).summary.startswith("Preflight OK")


def test_an_explicit_deny_is_believed_whatever_the_text_says() -> None:
    fake = aws()
    fake.identity.denied.add((API, TASKS[0]))
    fake.identity.decision = "explicitDeny"
    with pytest.raises(PhaseFailed, match="explicitDeny"):
        run(request(), fake.as_aws())


def test_a_request_that_iam_does_not_take_is_asked_in_halves() -> None:
    fake = aws()

    def before(_: str) -> None:
        if len(fake.identity.calls[-1][1]) > 1:
            raise AwsCallFailed("iam:simulate_principal_policy: InvalidInput: too many", aws_code="InvalidInput")

    fake.identity.before = before
    findings, simulated = check(fake)
    assert all(finding.message.startswith("NOT RUN for ") and not finding.blocks for finding in findings)
    assert simulated.roles + len(findings) == ROLES
    assert simulated.roles > 0


def statements(actions: Iterable[str], resource: str, effect: str = "Allow") -> dict[str, object]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


@pytest.mark.parametrize(
    ("policy", "is_allowed"),
    [
        ([statements(["logs:PutQueryDefinition"], "*")], True),
        ([statements(["logs:Put*"], "*")], True),
        ([statements(["LOGS:putquerydefinition"], "arn:a")], True),
        ([statements(["logs:PutQueryDefinition"], "arn:b")], False),
        ([statements(["logs:PutQueryDefinitio"], "*")], False),
        ([statements(["logs:*"], "*"), statements(["logs:Put*"], "*", "Deny")], False),
        ([], False),
    ],
)
def test_the_text_of_a_policy(policy: list[dict[str, object]], is_allowed: bool) -> None:
    assert allows(json.dumps({"Statement": policy}), "logs:PutQueryDefinition", "arn:a") is is_allowed


def test_one_statement_that_is_no_list_is_read_and_no_policy_allows_nothing() -> None:
    statement = {"Effect": "Allow", "Action": "logs:PutQueryDefinition", "Resource": "*"}
    assert allows(json.dumps({"Statement": statement}), "logs:PutQueryDefinition", "arn:a")
    assert not allows("", "logs:PutQueryDefinition", "arn:a")


GRANTS = st.lists(
    st.builds(
        Grant,
        policy=st.just("p"),
        sid=st.just("s"),
        actions=st.lists(st.sampled_from([f"s{n % 3}:A{n}" for n in range(60)]), min_size=1, max_size=40, unique=True),
        resources=st.lists(st.sampled_from([f"arn:{n}" for n in range(40)]), min_size=1, max_size=20, unique=True),
        context=st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2"]), max_size=2),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200)
@given(GRANTS)
def test_every_grant_is_in_one_question_whose_lists_cover_it_within_the_limits(grants: list[Grant]) -> None:
    requested = questions.questions(grants)
    assert sorted(map(id, (grant for question in requested for grant in question.grants))) == sorted(map(id, grants))
    for question in requested:
        for grant in question.grants:
            assert set(grant.actions) <= set(question.actions)
            assert set(grant.resources) <= set(question.resources)
            assert grant.context.items() <= question.context.items()
        if len(question.grants) > 1:
            assert len(question.resources) <= questions.MAX_RESOURCES
            assert len(question.actions) * len(question.resources) <= questions.MAX_PAIRS


def test_a_decision_counts_for_the_grant_that_has_the_pair_only() -> None:
    """Two grants share a request; what IAM says of one's action on the other's resource means nothing."""
    item, two = Grant("p", "a", ["s3:Get"], ["arn:1", "arn:2"]), Grant("p", "b", ["s3:Put"], ["arn:3"])
    together = questions.combined([item, two])
    allowed = {("s3:Get", "arn:2"), ("s3:Put", "arn:1")}
    decisions = [
        Decision(action, resource, "allowed" if (action, resource) in allowed else "implicitDeny")
        for action in together.actions
        for resource in together.resources
    ]
    verdict = questions.verdict(together, decisions)
    assert [(each.action, each.resource) for each in verdict.refused] == [("s3:Put", "arn:3")]
    assert verdict.unanswered == ()


def test_an_action_without_a_decision_on_any_of_its_resources_is_unanswered_and_not_refused() -> None:
    question = questions.combined([Grant("p", "a", ["s3:Get", "s3:Put"], ["arn:1", "arn:2"])])
    decisions = [Decision("s3:get", "arn:2", "allowed"), Decision("s3:Put", "arn:elsewhere", "allowed")]
    assert questions.verdict(question, decisions) == questions.Verdict((), ("s3:Put",))
