"""Marks the deployment as running, and puts users back on the last good version if an earlier run left them elsewhere.

The POST locked the environment for the deployment; the runner has renewed the lock for this execution (or raised
LockLost) before this step runs.
"""

from __future__ import annotations

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.outcome import LockEvidence
from chalicelib.domain.model import Action, DeploymentStatus
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def run(request: Request, aws: Aws) -> Result[LockEvidence]:
    """Note the execution on the deployment's record, then correct the live alias.

    A revalidation leaves the alias, because check_drift reports and heals it; a plan only says what a deploy would do.
    """
    lock = request.environment.lock
    arn = lock.execution_arn if lock else ""
    aws.records.update_deployment(
        request.deployment_id,
        {"status": DeploymentStatus.RUNNING.value, "execution_arn": arn, "started_at": stamp(request.now)},
    )
    put_back = "" if request.action is Action.REVALIDATE else _put_back(request, aws)
    summary = f"Environment {request.environment.name} is locked by {request.deployment_id}"
    recovered = _recovered(request, aws)
    evidence = LockEvidence(arn, lock.lease_until if lock else 0, put_back, recovered)
    return Result.done("; ".join(filter(None, [summary, recovered, put_back])), evidence)


def _recovered(request: Request, aws: Aws) -> str:
    """What the first deployment after it says of a record that had been deleted; "" otherwise."""
    newest = request.environment.recovered_from
    if newest is None:
        return ""
    aws.records.update_environment(request.environment.name, {"recovered_from": None}, holder=request.deployment_id)
    return f"its record had been deleted and was rebuilt from its deployments up to {newest}"


def _put_back(request: Request, aws: Aws) -> str:
    """What was, or for a plan would be, put back; "" when the live alias is in place."""
    good = request.environment.last_good
    live = _live(request, aws)
    if good is None or live is None or (live.version == good.version and not live.weights):
        return ""
    shares = f" {dict(live.weights)}" if live.weights else ""
    where = f"live was on version {live.version}{shares}"
    if request.action is Action.PLAN:
        return f"{where}; a deploy would put it back on {good.version} first"
    aws.functions.point(request.names.function, Alias("live", good.version))
    return f"{where} and is put back on {good.version}"


def _live(request: Request, aws: Aws) -> Alias | None:
    """The live alias; None without one, or without a function (deploy_stack then creates both)."""
    try:
        return aws.functions.aliases(request.names.function).get("live")
    except NotFound:
        return None


PHASE = Definition(run, LockEvidence)
