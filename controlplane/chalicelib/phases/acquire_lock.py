"""Takes the environment for this execution: the POST locked it for the deployment, here the lock learns who holds it.

The runner has renewed the lock (or raised LockLost) before this runs, so that what is left is to say it.
"""

from __future__ import annotations

from ..core.contract import Request, Result
from ..core.model import DeploymentStatus
from ..ports import Aws


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
    return Result.done(
        f"Environment {request.environment.name} is held by {request.deployment_id}",
        execution_arn=arn,
        lease_until=lock.lease_until if lock else 0,
    )
