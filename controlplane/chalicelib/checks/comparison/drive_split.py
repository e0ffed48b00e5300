"""Drives candidate and live with a load that is split as users' traffic would be.

The embedded cloud stores an alias's weights, but sends all traffic to its main version: the load engine splits it.
"""

from __future__ import annotations

from chalicelib.engine.phase import Request
from chalicelib.load import shard
from chalicelib.load.plans import Beside
from chalicelib.ports import Aws

from ..load_plan import plan_of, soon, split_of
from ..target import locate
from .reach_live import reach_live
from .side_by_side import Sides

_SHORTEST_S, _LONGEST_S = 1.0, 10.0
_AHEAD_S = 0.3


def drive_split(request: Request, live: str, percent: int, seconds: float, aws: Aws) -> Sides:
    """Both sides while the candidate gets `percent` (1 to 99) of the load, for `seconds` (bounded to 1 to 10).

    live: the version that all users get here; the same where the load test drove it.
    """
    target = locate(request, aws)
    seconds = min(_LONGEST_S, max(_SHORTEST_S, seconds))
    load, share = split_of(request.options.load, percent, seconds)
    url = reach_live(target.url, live, aws)
    side = Beside(url or str(target.variables["public_url"]), bool(url), share)
    plan = plan_of(load, target, side, (0.0, seconds), soon(request.now, _AHEAD_S), request.seed)
    # Imported on first use: only the Lambdas that drive load carry uvloop and httptools.
    from chalicelib.load.worker import work

    candidate, beside = (shard.combine([encoded]) for encoded in work(plan, aws.endpoint.sign))
    return Sides(candidate, beside)
