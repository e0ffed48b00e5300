"""A worker of a distributed load test: one Lambda of a Map, one shard in S3.

It runs beside the phase, not through its record: a hundred workers that wrote one record would undo each other's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.ports import Aws

from . import plans, shard
from .watch import watcher


def shard_key(prefix: str, part: int, worker: int) -> str:
    """Where the shard of a worker for a slice lies."""
    return f"{prefix}shard-{part:04d}-{worker:04d}"


def run(event: Mapping[str, Any], aws: Aws) -> dict[str, Any]:
    """`event`: deployment_id and worker. What to do is in S3, since a Map's items must stay small."""
    deployment_id, worker = str(event["deployment_id"]), int(event["worker"])
    plan, part, prefix = plans.load(aws.artifacts.get(plans.key(deployment_id)), worker)
    made = drive(plan, deployment_id, aws)
    aws.artifacts.put(shard_key(prefix, part, worker), made, content_type="application/octet-stream")
    return {"worker": worker}


def drive(plan: plans.Plan, deployment_id: str, aws: Aws) -> bytes:
    """One shard, with live figures every second, until it is done or the deployment is asked to stop."""
    # On first use: only the Lambdas that drive load carry uvloop and httptools.
    from .worker import work

    made = work(plan, aws.endpoint, watcher(deployment_id, plan.worker, aws))
    return shard.shifted(made, int(plan.window[0]))
