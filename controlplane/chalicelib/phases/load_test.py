"""Phase 9: an open-model load against the release, its SLOs judged from merged histograms.

One call drives one slice of the load and puts its shard into S3; the last one combines all shards and judges.
"""

from __future__ import annotations

from datetime import timedelta

from ..core.contract import Request, Result
from ..core.load_plan import Slice, slices_of
from ..core.slo import UNSENT_LIMIT, Figures, judge, passed
from ..errors import PhaseFailed
from ..load import shard
from ..load.arrivals import Arrivals
from ..load.plan import Plan
from ..load.report import figures_of
from ..load.request import chat
from ..ports import Aws
from ..probes.target import Target, locate, release_fingerprint

CHAT = "/v1/chat/completions"
_AHEAD_S = 0.5  # enough to open connections before the first request is due
_TYPE = "application/octet-stream"


def fingerprint(request: Request, aws: Aws) -> str:
    return release_fingerprint(request, request.options.load, request.options.slo)


def run(request: Request, aws: Aws) -> Result:
    """Evidence: `slos` (each with bound, figure, interval, verdict), the figures, and the S3 key of the shards."""
    target = locate(request, aws)
    slices = slices_of(request.options.load)
    done = int(request.cursor.get("done", 0))
    if done < len(slices):
        _drive(slices[done], request, target, aws)
        done += 1
    if done < len(slices):
        return Result.in_progress(
            f"{done} of {len(slices)} slices of the load driven", poll_after_s=1, cursor={"done": done}
        )
    return _judged(request, target, aws)


def _prefix(request: Request) -> str:
    return f"load/{request.deployment_id}/"


def _drive(part: Slice, request: Request, target: Target, aws: Aws) -> None:
    # On first use: only the Lambdas that drive load carry uvloop and httptools.
    from ..load.worker import work

    plan = Plan(
        url=target.url + CHAT,
        method="POST",
        body=chat(str(target.known["chat_model"])),
        arrivals=Arrivals("constant", request.options.load.rps, part.duration_s),
        start_at=(request.now + timedelta(seconds=_AHEAD_S)).timestamp(),
        signed=target.signed,
    )
    made = shard.shifted(work(plan, aws.endpoint), int(part.starts_at_s))
    aws.artifacts.put(f"{_prefix(request)}shard-{part.number:04d}", made, content_type=_TYPE)


def _judged(request: Request, target: Target, aws: Aws) -> Result:
    keys = [key for key in aws.artifacts.keys(_prefix(request)) if "shard-" in key]
    summary = shard.combine(aws.artifacts.get(key) for key in keys)
    figures = Figures(
        summary.good, summary.failed, request.options.load.duration_s, summary.response, summary.by_second
    )
    judged = judge(figures, request.options.slo, None, request.seed)
    evidence = {
        "version": target.version,
        "slos": [one.as_evidence() for one in judged],
        **figures_of(summary, request.options.load.duration_s),
        "shards": _prefix(request),
    }
    if summary.unsent_share > UNSENT_LIMIT:
        raise PhaseFailed(
            f"INVALID: {summary.unsent} of {summary.due} requests could not be sent in time by the generator",
            code="LoadInvalid",
            remedy="Raise options.load.workers, or lower options.load.rps.",
            evidence=evidence,
        )
    if not passed(judged):
        bad = [str(one) for one in judged if one.judgement.value != "PASSED"]
        raise PhaseFailed(
            f"version {target.version} missed its SLOs: {'; '.join(bad)}",
            code="SloMissed",
            remedy="The evidence splits the latency into gateway, proxy and upstream; options.slo sets the bounds.",
            evidence=evidence,
        )
    return Result.done(
        f"Version {target.version} meets its SLOs at {request.options.load.rps:g} requests a second: "
        + "; ".join(str(one) for one in judged),
        **evidence,
    )
