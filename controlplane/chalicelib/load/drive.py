"""Drives one shard of a load test. `run` is the task of LoadWorker, a Lambda of a Map.

A worker writes its shard to S3 and not to the phase's record: a hundred workers would overwrite each other's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.ports import Aws

from . import plans, shard
from .watch import watcher


def run(event: Mapping[str, object], aws: Aws) -> dict[str, object]:
    """Drive a worker's shard. event: `deployment_id` and `worker`; the plan is in S3, since Map items are small."""
    deployment_id, worker = str(event["deployment_id"]), int(str(event["worker"]))
    part = plans.load(aws.artifacts.get(plans.key(deployment_id)), worker)
    store(drive(part.plan, deployment_id, aws.at(part.target, "load_worker")), part.prefix, part.part, worker, aws)
    return {"worker": worker}


def drive(plan: plans.Plan, deployment_id: str, aws: Aws) -> list[bytes]:
    """The encoded shards of this plan (the candidate's, then the live version's if the plan has one), after the run or
    when the deployment is asked to stop; publishes live figures."""
    # Imported on first use: only the Lambdas that drive load carry uvloop and httptools.
    from .worker import work

    shards = work(plan, aws.endpoint.sign, watcher(deployment_id, plan.worker, aws))
    return [shard.shifted(encoded, int(plan.window[0])) for encoded in shards]


def store(shards: Sequence[bytes], prefix: str, part: int, worker: int, aws: Aws) -> None:
    """Put what `drive` answered into the bucket."""
    for key, encoded in zip((plans.shard_key, plans.live_key), shards, strict=False):
        aws.artifacts.put(key(prefix, part, worker), encoded, content_type="application/octet-stream")
