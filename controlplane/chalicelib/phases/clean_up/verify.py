"""Verifies after a removal that nothing is left, by name and by tag."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from . import inventory, remove, search
from .cursor import RemovalCursor
from .inventory import Resource

# Resource Groups Tagging goes on listing deleted resources for minutes; those that no search by name covers are waited
# for. Seconds from the first search to the last.
_TIMEOUT_S, _TIMEOUT_EMBEDDED_S = 240, 3
# A list that is read right after a deletion may still have what was deleted.
_NAMED_S = 30
_LOOKED_FOR = ("by name, service by service", "by tag, through Resource Groups Tagging")


def verify(request: Request, aws: Aws) -> Result[CleanUpEvidence]:
    """Delete log groups that Lambda created again, then search for everything of the environment.

    Searches again, for up to four minutes, while log groups come back or resources are listed by tag only; for half a
    minute while they are listed by name. Raises PhaseFailed (SomethingLeft) with the resources and the commands that
    remove them.
    """
    cursor = request.cursor_as(RemovalCursor)
    timeout_s = _TIMEOUT_EMBEDDED_S if aws.settings.embedded else _TIMEOUT_S
    late = request.elapsed_s - cursor.verify_from_s >= timeout_s
    deleted = remove.log_groups(request.names, aws)
    if deleted and not late:
        summary = f"Deleted {counted(deleted, 'log group')} again, which late log lines had created"
        return request.wait(summary, step="late log lines", cursor=cursor)
    there, gone = search.everything(request.names, aws)
    leftovers = [item for item in there if not _may_stay(item, request)]
    if leftovers and not late and all(item.found_by == "tag" for item in leftovers):
        summary = f"Searching again: {counted(len(leftovers), 'deleted resource')} still listed by tag"
        return request.wait(summary, step="tags", cursor=cursor)
    if leftovers and request.elapsed_s - cursor.verify_from_s < min(timeout_s, _NAMED_S):
        summary = f"Searching again: {counted(len(leftovers), 'deleted resource')} still listed by name"
        return request.wait(summary, step="names", cursor=cursor)
    if leftovers:
        raise _failed(leftovers, aws)
    return _done(cursor, gone)


def _failed(resources: Sequence[Resource], aws: Aws) -> PhaseFailed:
    leftovers = inventory.leftovers(resources, aws.settings.region)
    return PhaseFailed(
        f"{counted(len(resources), 'resource')} left: {', '.join(map(str, resources[:5]))}",
        code="SomethingLeft",
        remedy="; ".join(item.command for item in leftovers[:5]),
        evidence=CleanUpEvidence(left=leftovers),
    )


def _done(cursor: RemovalCursor, gone: Sequence[Resource]) -> Result[CleanUpEvidence]:
    kinds = ", ".join(counted(count, kind) for kind, count in sorted(cursor.counts.items())) or "nothing"
    total = sum(cursor.counts.values())
    proof = "None is left by name or by tag"
    proof += f" ({len(gone)} are still listed by tag, and are gone by name)" if gone else ""
    return Result.done(
        f"Removed {counted(total, 'resource')} ({kinds}). {proof}. Secret: {cursor.secret}",
        CleanUpEvidence(
            removed=cursor.counts,
            secret=cursor.secret,
            left=(),
            looked_for=_LOOKED_FOR,
            still_listed=tuple(item.name for item in gone) or None,
        ),
    )


def _may_stay(resource: Resource, request: Request) -> bool:
    """Whether it is the secret, which is kept, or whose recovery window has not ended."""
    if resource.kind != "secret":
        return False
    return not request.options.remove_secret or request.options.secret_recovery_days > 0
