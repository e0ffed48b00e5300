"""After a rollout: removes what it no longer needs, and names what carries the environment's tag and is not known."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.artifacts.assembly import is_artifact_key
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.monitoring import fire
from chalicelib.ports import Aws

from . import inventory, search


def sweep(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    queues = fire.delete_test_queues(names, aws)
    artifacts = _superseded(names, request, aws)
    aws.artifacts.delete(artifacts)
    load = list(aws.artifacts.keys(f"load/{request.deployment_id}/"))
    aws.artifacts.delete(load)
    found = search.everything(names, aws)
    known = _known(names, aws)
    orphans = [thing for thing in found if not inventory.is_known(thing, known)]
    removed = {"probe queues": queues, "superseded artifacts": len(artifacts), "load-test files": len(load)}
    told = ", ".join(f"{count} {what}" for what, count in removed.items() if count) or "nothing to remove"
    summary = f"Removed: {told}" if any(removed.values()) else "The rollout left nothing behind"
    if orphans:
        summary += f"; {len(orphans)} things carry the environment's name or tag and are not known: {orphans[0]}"
    else:
        summary += "; everything found by name and by tag is known"
    evidence = {
        "removed": removed,
        "orphans": inventory.listed(orphans, aws.settings.region),
        "known": len(found) - len(orphans),
    }
    return Result.done(summary, **evidence)


def _superseded(names: Names, request: Request, aws: Aws) -> list[str]:
    """Artifacts (with their SBOM) that no version of the function is made of any more."""
    used = {version.code_sha256 for version in aws.functions.versions(names.function)}
    used.add(aws.functions.config(names.function).code_sha256)
    keep = {*map(inventory.hex_of, used), str(request.results.get("package_artifact", {}).get("digest", ""))}
    ours = [key for key in aws.artifacts.keys(names.artifacts_prefix) if is_artifact_key(key)]
    stack = aws.stacks.find(names.stack)
    # The stack remembers the artifact that it was created with, and needs it for whatever makes it touch the function.
    keep.add(inventory.digest_of(stack.parameters.get("ArtifactKey", "")) if stack else "")
    return [key for key in ours if inventory.digest_of(key) not in keep]


def _known(names: Names, aws: Aws) -> set[str]:
    """Names and physical ids of all that a deployed environment should have."""
    stack = aws.stacks.find(names.stack)
    owned: Iterable[str] = [one.physical_id for one in aws.stacks.resources(names.stack)] if stack else []
    return {
        *owned,
        names.stack,
        stack.id if stack else "",
        names.dashboard,
        names.topic,
        *names.secrets,
        *(alarm.name for alarm in aws.alarms.find(names.alarm(""))),
        *(query.id for query in (aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ())),
        *(f"{aws.settings.bucket}/{key}" for key in aws.artifacts.keys(names.artifacts_prefix) if is_artifact_key(key)),
        *(f"{aws.settings.bucket}/{key}" for key in aws.artifacts.keys(names.baselines_prefix)),
    }
