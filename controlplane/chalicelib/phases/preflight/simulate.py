"""Asks IAM's policy simulator whether every role of the control plane may do what its policy allows.

The simulator answers a few requests a second for the whole account. So a role is one request where it fits, what was
allowed is remembered for an hour, and a role that there was no time for is NOT RUN: a warning, since the simulator's
rate says nothing of the role. An answer is remembered for the policy that IAM holds for the role, which is read each
time: a permission that someone takes away is asked about at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from chalicelib.domain.aws.identity import Simulation
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, NotFound, Throttled
from chalicelib.domain.evidence.preflight import Finding, Simulated
from chalicelib.domain.times import stamp
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import policy_text, verdicts
from .grants import Missing
from .questions import Question, questions, verdict
from .repeat import Pace
from .roles import Role, existing, missing

_REMEMBERED_FOR = timedelta(hours=1)


@dataclass
class _Survey:
    """Findings and counts so far. unanswered: roles that there was no time for. fresh: by role, what to remember.

    policies: text by role, each read once.
    """

    roles: int = 0
    actions: int = 0
    remembered: int = 0
    findings: list[Finding] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    by_text: list[str] = field(default_factory=list)
    unanswered: list[Role] = field(default_factory=list)
    fresh: dict[str, Simulation] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)

    def count(self, role: Role, by_text: Sequence[str]) -> None:
        """One role has its answer."""
        self.roles += 1
        self.actions += role.actions
        self.by_text.extend(by_text)
        self.left_out.extend(f"{grant.policy} {action}" for grant in role.left_out for action in grant.actions)

    def simulated(self) -> Simulated:
        """The counts, as evidence."""
        not_run = f"NOT RUN, conditional: {', '.join(sorted(self.left_out))}" if self.left_out else None
        by_text = tuple(sorted(self.by_text)) or None
        return Simulated(self.roles, self.actions, not_run, self.remembered or None, by_text)


def check(request: Request, aws: Aws, pace: Pace | None = None) -> tuple[list[Finding], Simulated]:
    """Every refused action as a finding, and how much was simulated."""
    try:
        names = {resource.logical_id: resource.physical_id for resource in aws.stacks.resources(aws.settings.stack)}
    except NotFound:
        return [verdicts.unknown_stack(aws.settings.stack)], Simulated()
    pace = pace or Pace(Random(request.seed))  # noqa: S311 - jitter
    roles = list(existing(names, aws.settings))
    pace.random.shuffle(roles)  # environments that begin together ask about other roles first
    survey = _Survey(findings=[verdicts.no_role(policy) for policy in missing(names, aws.settings)])
    for role in _not_remembered(roles, survey, request, aws, pace):
        _ask(role, survey, request, aws, pace)
    if survey.fresh:
        aws.simulations.remember(survey.fresh)
    if survey.unanswered:
        # Another environment may have asked meanwhile.
        open_roles = _not_remembered(survey.unanswered, survey, request, aws, pace)
        survey.findings.extend(verdicts.no_time([role.policy for role in open_roles], pace.patience_s))
    return sorted(survey.findings, key=lambda finding: finding.message), survey.simulated()


def _not_remembered(roles: Sequence[Role], survey: _Survey, request: Request, aws: Aws, pace: Pace) -> list[Role]:
    memory: Mapping[str, Simulation] = {} if request.options.force else aws.simulations.remembered()
    rest = []
    for role in roles:
        simulation = memory.get(role.key)
        is_young = simulation is not None and simulation.until > stamp(request.now)
        if simulation and is_young and simulation.digest == _digest(role, survey, aws, pace):
            survey.remembered += 1
            survey.count(role, simulation.by_text)
        else:
            rest.append(role)
    return rest


def _policy(role: Role, survey: _Survey, aws: Aws, pace: Pace) -> str:
    if role.name not in survey.policies:
        survey.policies[role.name] = pace.call(lambda: aws.identity.role_policy(role.name, role.inline_policy))
    return survey.policies[role.name]


def _digest(role: Role, survey: _Survey, aws: Aws, pace: Pace) -> str | None:
    """Of what the simulator is asked and of the policy that the role has now; None when IAM does not show that."""
    try:
        text = _policy(role, survey, aws, pace)
    except (AccessDenied, Throttled):
        return None
    return fingerprint(role.digest, text) if text else None


def _ask(role: Role, survey: _Survey, request: Request, aws: Aws, pace: Pace) -> None:
    if pace.is_over:
        survey.unanswered.append(role)
        return
    digest = _digest(role, survey, aws, pace)
    try:
        refusals = [each for question in questions(role.grants) for each in _refused(question, role, aws, pace)]
        findings, by_text = _judge(role, refusals, survey, aws, pace)
    except Throttled:
        survey.unanswered.append(role)
        return
    except _NotAnswered as error:
        survey.findings.append(verdicts.not_answered(role.policy, str(error)))
        return
    survey.count(role, by_text)
    survey.findings.extend(findings)
    if not findings and digest:
        until = stamp(request.now + _REMEMBERED_FOR)
        survey.fresh[role.key] = Simulation(digest, until, tuple(by_text))


class _NotAnswered(Exception):
    """The simulator takes a question in no form."""


def _refused(question: Question, role: Role, aws: Aws, pace: Pace) -> Iterator[Missing]:
    """What IAM refuses of it. A question that the simulator does not take is asked in halves."""
    try:
        decisions = pace.call(
            lambda: aws.identity.simulate(role.arn, question.actions, question.resources, question.context)
        )
    except AwsCallFailed as error:
        if len(question.grants) == 1:
            raise _NotAnswered(error.message) from error
        for half in question.halves():
            yield from _refused(half, role, aws, pace)
        return
    answer = verdict(question, decisions)
    if answer.unanswered:
        raise _NotAnswered(f"the simulator says nothing of {', '.join(answer.unanswered)}")
    yield from answer.refused


def _judge(
    role: Role, refusals: Sequence[Missing], survey: _Survey, aws: Aws, pace: Pace
) -> tuple[list[Finding], list[str]]:
    """Findings, and `policy action` of what the policy's text allows instead of the simulator."""
    findings = [verdicts.refusal(each, role.name) for each in refusals if not policy_text.decides(each)]
    doubtful = [each for each in refusals if policy_text.decides(each)]
    if not doubtful:
        return findings, []
    try:
        text = _policy(role, survey, aws, pace)
    except AccessDenied as error:
        return [*findings, verdicts.not_answered(role.policy, error.message)], []
    refused_by_text = [each for each in doubtful if not policy_text.allows(text, each.action, each.resource)]
    findings.extend(verdicts.not_in_text(each, role.name) for each in refused_by_text)
    return findings, sorted({f"{each.policy} {each.action}" for each in doubtful if each not in refused_by_text})
