"""What counts as proof of idempotency: decisions about the plan, the changed setting and the earlier version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.model import Environment

VARIABLE = "LOG_LEVEL"  # the setting that is changed and restored; no released version reads it from $LATEST


@dataclass(frozen=True, slots=True)
class Replan:
    """Phases by name, sorted. unchanged: would be skipped; open: would run because a check is NOT RUN in their
    evidence; changed: would run although nothing asks them to."""

    unchanged: tuple[str, ...]
    open: tuple[str, ...]
    changed: tuple[str, ...]


def replan(skipped: Mapping[str, bool], evidence: Mapping[str, object]) -> Replan:
    """Sort the phases of a repeated deployment.

    skipped: by phase, whether its fingerprint is unchanged. evidence: by phase, as recorded. On a first deployment a
    phase may lack what a later one creates; it says NOT RUN, and the next deployment completes the check.
    """
    running = [name for name in sorted(skipped) if not skipped[name]]
    unfinished = tuple(name for name in running if has_open_check(evidence.get(name)))
    return Replan(
        unchanged=tuple(name for name in sorted(skipped) if skipped[name]),
        open=unfinished,
        changed=tuple(name for name in running if name not in unfinished),
    )


def has_open_check(evidence: object) -> bool:
    """Whether evidence says NOT RUN of anything, at any depth of its objects."""
    if isinstance(evidence, Mapping):
        return any(has_open_check(value) for value in evidence.values())
    return isinstance(evidence, str) and evidence.startswith("NOT RUN")


def other_level(level: str) -> str:
    """A log level that differs from `level`."""
    return "INFO" if level == "DEBUG" else "DEBUG"


def change_problems(
    function: FunctionConfig, level: str, *, code_sha256: str, stack_updated_at: str, stack_was_updated_at: str
) -> list[str]:
    """What went wrong when one setting was changed; [] when the setting changed and nothing else did.

    function: as it is after the change. level: the value that was set. code_sha256, stack_was_updated_at: before it.
    """
    problems = {
        "the setting did not change": function.environment.get(VARIABLE) != level,
        "the code changed with the setting": function.code_sha256 != code_sha256,
        "the stack was updated for it": stack_updated_at != stack_was_updated_at,
    }
    return [problem for problem, holds in problems.items() if holds]


def earlier_version(environment: Environment, existing: Collection[str], released: str) -> str:
    """The version that a rollback would take, "" for none. existing: numbers of the function's versions, oldest first.

    A good release comes before the newest version, which may be one that never started. Before the first release it is
    the oldest version, which the stack created.
    """
    good = [release.version for release in (environment.last_good, environment.previous) if release]
    older: Sequence[str] = [number for number in existing if int(number) < int(released)]
    return next((version for version in [*good, *older] if version in existing and version != released), "")
