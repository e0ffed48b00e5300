"""Takes the environment for this execution: the POST locked it for the deployment, here the lock learns who holds it.

The runner has renewed the lock (or raised LockLost) before this runs. What is left is to put back what a run before
this one, stopped half-way through a shift, may have left: users belong on the last good version.
"""

from __future__ import annotations

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import NotFound
from chalicelib.domain.model import Action, DeploymentStatus
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def run(request: Request, aws: Aws) -> Result:
    lock = request.environment.lock
    arn = lock.execution_arn if lock else ""
    aws.records.update_deployment(
        request.deployment_id,
        {
            "status": DeploymentStatus.RUNNING.value,
            "execution_arn": arn,
            "started_at": request.now.isoformat(timespec="milliseconds"),
        },
    )
    found = _put_back(request, aws)
    summary = f"Environment {request.environment.name} is held by {request.deployment_id}"
    return Result.done(
        f"{summary}; {found}" if found else summary,
        execution_arn=arn,
        lease_until=lock.lease_until if lock else 0,
        put_back=found,
    )


def _put_back(request: Request, aws: Aws) -> str:
    """What was found elsewhere than on the last good version, now there again; "" when all was in place."""
    good = request.environment.last_good
    function = Names(request.environment.name).function
    # A revalidation touches nothing at its door: check_drift names what it finds, and heals when asked to.
    if good is None or request.action is Action.REVALIDATE:
        return ""
    try:
        live = aws.functions.aliases(function).get("live")
    except NotFound:
        return ""  # someone removed the function; deploy_stack makes it anew
    if live is None or (live.version == good.version and not live.weights):
        return ""
    found = f"live was found on version {live.version}{f' {dict(live.weights)}' if live.weights else ''}"
    if request.action is Action.PLAN:
        return f"{found}; a deploy would put it back on {good.version} first"
    aws.functions.point(function, Alias("live", good.version))
    return f"{found} and put back on {good.version}"


PHASE = Definition(run, dict)
