"""Asks what serves now: the API over HTTP, the state machine by an execution, every function behind `live`.

Then the table gets the release's format, and versions that no execution can run any more are deleted. When this step
has ended, nothing goes back any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import apply, look, retire
from chalicelib.upgrade.evidence import PlanUpgradeEvidence, VerifyUpgradeEvidence
from chalicelib.upgrade.formats.invoke_migration import migrate_with
from chalicelib.upgrade.versions import LIVE

_API_TIMEOUT_S = 29.0
_TRIES_S = 120.0  # API Gateway and Step Functions take seconds to serve what CloudFormation has changed
_BATCH = 12  # functions a call


@dataclass(frozen=True, slots=True)
class VerifyCursor:
    """step: api, execution, migrate or retire. retired: logical ids of the functions whose old versions are gone."""

    step: str = "api"
    execution: str = ""
    migrated: int = 0
    done: tuple[str, ...] = ()
    retired: int = 0


def run(request: Request, aws: Aws) -> Result[VerifyUpgradeEvidence]:
    """Raises PhaseFailed: NotServing when the API or the state machine does not answer as the release, and what
    `migrate_with` raises."""
    plan, cursor = request.results.of(PlanUpgradeEvidence), request.cursor_as(VerifyCursor)
    steps = {"api": _api, "execution": _execution, "migrate": _migrate}
    if cursor.step in steps:
        return steps[cursor.step](plan, cursor, request, aws)
    return _retire(plan, cursor, request, aws)


def _api(plan: PlanUpgradeEvidence, cursor: VerifyCursor, request: Request, aws: Aws) -> Result[VerifyUpgradeEvidence]:
    stack = apply.must_find(aws)
    url = aws.settings.api_url(stack.outputs["RestAPIId"]) + "/health"
    reply = aws.endpoint.call("GET", url, signed=True, timeout_s=_API_TIMEOUT_S)
    problem = _problem(reply.status, reply.body, plan.release)
    if problem:
        return _again(f"GET /health {problem}", "api", cursor, request)
    name = f"self-test-{plan.publication}"
    arn = aws.executions.start(name, {"self_test": "yes"})
    return Result.in_progress(
        "GET /health answers as the release", poll_after_s=1, cursor=replace(cursor, step="execution", execution=arn)
    )


def _problem(status: int, body: bytes, release: str) -> str:
    if status != 200:
        return f"answers {status}: {body.decode(errors='replace')[:200]}"
    answers = json.loads(body).get("release")
    return "" if answers == release else f"answers as release {answers!r}"


def _again(problem: str, step: str, cursor: VerifyCursor, request: Request) -> Result[VerifyUpgradeEvidence]:
    if request.elapsed_s < _TRIES_S:
        return request.wait(problem, step=step, cursor=cursor)
    raise _not_serving(problem)


def _not_serving(problem: str) -> PhaseFailed:
    return PhaseFailed(
        f"the release does not serve after its promotion: {problem}",
        code="NotServing",
        remedy="The log group /proxyctl/controlplane has the cause. The version before serves again.",
    )


def _execution(
    plan: PlanUpgradeEvidence, cursor: VerifyCursor, request: Request, aws: Aws
) -> Result[VerifyUpgradeEvidence]:
    status = aws.executions.status(cursor.execution)
    if status in (None, "RUNNING"):
        return _again(f"the self-test of the state machine is {status}", "execution", cursor, request)
    if status != "SUCCEEDED":
        raise _not_serving(f"the self-test of the state machine {cursor.execution} ended {status}")
    wrong = [
        logical_id
        for logical_id, function in look.functions(aws).items()
        if aws.functions.config(function, LIVE).environment.get("PUBLICATION") != plan.publication
    ]
    if wrong:
        return _again(f"alias live of {', '.join(sorted(wrong))} is on another version", "aliases", cursor, request)
    return Result.in_progress(
        "The state machine and all aliases are on the release", poll_after_s=1, cursor=replace(cursor, step="migrate")
    )


def _migrate(plan: PlanUpgradeEvidence, cursor: VerifyCursor, _: Request, aws: Aws) -> Result[VerifyUpgradeEvidence]:
    progress = migrate_with(LIVE, plan.table_format, aws)
    cursor = replace(cursor, migrated=cursor.migrated + progress.changed, step="retire" if progress.done else "migrate")
    return Result.in_progress(f"The table has format {progress.format}", poll_after_s=1, cursor=cursor)


def _retire(
    plan: PlanUpgradeEvidence, cursor: VerifyCursor, request: Request, aws: Aws
) -> Result[VerifyUpgradeEvidence]:
    left = {name: each for name, each in look.functions(aws).items() if name not in cursor.done}
    batch = dict(sorted(left.items())[:_BATCH])
    retired = cursor.retired + sum(retire.retire(function, request.now, aws) for function in batch.values())
    cursor = replace(cursor, done=(*cursor.done, *batch), retired=retired)
    if len(batch) < len(left):
        return Result.in_progress(f"{retired} old versions deleted", poll_after_s=1, cursor=cursor)
    evidence = VerifyUpgradeEvidence("ok", cursor.execution, cursor.migrated, retired)
    what = f"version {plan.version} ({plan.release}) serves: API, state machine and all functions answer as it"
    return Result.done(f"The control plane's {what}", evidence)


PHASE = Definition(run, VerifyUpgradeEvidence, VerifyCursor)
