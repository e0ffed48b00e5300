"""Deletes published versions of the control plane's functions that no execution can run any more."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.aws.functions import Version
from chalicelib.ports import Aws

# The longest TimeoutSeconds of a state machine, the fleet's: an execution that began with a version has ended by then.
LONGEST_EXECUTION = timedelta(seconds=1_728_000)
SPARE = 2  # versions that stay in any case: the one that serves and the one before


def retire(function: str, now: datetime, aws: Aws) -> int:
    """How many versions of the function were deleted."""
    on_aliases = {alias.version for alias in aws.functions.aliases(function).values()}
    versions = old(aws.functions.versions(function), on_aliases, now)
    for version in versions:
        aws.functions.delete_version(function, version.number)
    return len(versions)


def old(versions: Sequence[Version], on_aliases: Collection[str], now: datetime) -> list[Version]:
    """The versions to delete. versions: oldest first. A version serves until the next is published, and may run in an
    execution that began then for as long as an execution may last."""
    successors = itertools.pairwise(versions)
    ended = [version for version, following in successors if _replaced_long_ago(following.published_at, now)]
    spared = {version.number for version in versions[-SPARE:]} | set(on_aliases)
    return [version for version in ended if version.number not in spared]


def _replaced_long_ago(published_at: str, now: datetime) -> bool:
    """False where Lambda did not say when the next version was published: then nothing is deleted."""
    return bool(published_at) and now - datetime.fromisoformat(published_at) > LONGEST_EXECUTION
