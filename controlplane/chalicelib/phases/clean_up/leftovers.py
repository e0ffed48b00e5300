"""After a rollout: removes what it does not need any more, and names unexpected resources without removing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.artifacts.assembly import is_artifact_key
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.names import Names
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request, Result
from chalicelib.monitoring import fire
from chalicelib.ports import Aws

from . import inventory, search
from .inventory import Resource


def sweep(request: Request, aws: Aws) -> Result[CleanUpEvidence]:
    """Delete test queues, superseded artifacts and this deployment's load-test files, then search for the unexpected.

    A resource is unexpected when it has the environment's name or tag, and no deployment creates it.
    """
    queues = fire.delete_test_queues(request.names, aws)
    artifacts = _superseded(request, aws)
    load = list(aws.artifacts.keys(f"load/{request.deployment_id}/"))
    aws.artifacts.delete(artifacts)
    if aws.settings.is_target:
        aws.packages.delete(artifacts)
    aws.artifacts.delete(load)
    resources, gone = search.everything(request.names, aws)
    expected = _expected(request.names, aws)
    orphans = [item for item in resources if not inventory.is_expected(item, expected)]
    removed = {"probe queues": queues, "superseded artifacts": len(artifacts), "load-test files": len(load)}
    evidence = CleanUpEvidence(
        removed=removed,
        orphans=inventory.leftovers(orphans, aws.settings.region),
        known=len(resources) - len(orphans),
        still_listed=tuple(item.name for item in gone) or None,
    )
    return Result.done(f"{_removed(removed)}. {_unexpected(orphans)}", evidence)


def _removed(removed: Mapping[str, int]) -> str:
    counts = ", ".join(counted(count, kind.removesuffix("s")) for kind, count in removed.items() if count)
    return f"Removed {counts}" if counts else "The rollout left nothing to remove"


def _unexpected(orphans: Sequence[Resource]) -> str:
    if not orphans:
        return "No unexpected resources"
    count = counted(len(orphans), "unexpected resource")
    return f"{count} with the environment's name or tag: {', '.join(map(str, orphans[:5]))}"


def _superseded(request: Request, aws: Aws) -> list[str]:
    """Keys of artifacts and SBOMs that no version of the function, nor `$LATEST`, is made of any more."""
    names = request.names
    needed = {version.artifact_digest for version in aws.functions.versions(names.function)}
    needed.add(aws.functions.config(names.function).environment.get("ARTIFACT_DIGEST", ""))
    if packaged := request.results.find(ArtifactEvidence):
        needed.add(packaged.digest)
    # The stack's parameter names the artifact of its creation, and an update that replaces the function reads it.
    if stack := aws.stacks.find(names.stack):
        needed.add(inventory.digest_of(stack.parameters.get("ArtifactKey", "")))
    own = {*aws.artifacts.keys(names.artifacts_prefix), *aws.packages.keys(names.artifacts_prefix)}
    return sorted(key for key in own if is_artifact_key(key) and inventory.digest_of(key) not in needed)


def _is_ours(key: str, names: Names) -> bool:
    return is_artifact_key(key) or not key.startswith(names.artifacts_prefix)


def _expected(names: Names, aws: Aws) -> set[str]:
    """Names and physical ids of everything that a deployed environment has."""
    stack = aws.stacks.find(names.stack)
    return {
        *(resource.physical_id for resource in (aws.stacks.resources(names.stack) if stack else ())),
        names.stack,
        stack.id if stack else "",
        names.dashboard,
        names.topic,
        *names.secrets,
        *(alarm.name for alarm in aws.alarms.find(names.alarm(""))),
        *(query.id for query in (aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ())),
        *(f"{bucket}/{key}" for bucket, key in search.objects(names, aws) if _is_ours(key, names)),
    }
