"""Which release a rollback goes to."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Environment, Release


def requested(environment: Environment, version: str | None, existing: Collection[str]) -> Release | None:
    """The good release that the caller names, or the one before the live version; None when there is none.

    version: `options.rollback_to`; existing: numbers of the function's versions. Raises PhaseFailed (NoSuchRelease)
    for a version that is gone or was never good: such a version must not reach users this way either.
    """
    if version is None:
        good, live = environment.last_good, environment.live
        return environment.previous if good and live and good.identity == live.identity else good
    newest_last = [release for release in reversed(environment.good) if release.version in existing]
    passed = {release.version: release for release in newest_last}
    if version in passed:
        return passed[version]
    reason = "was never released successfully" if version in existing else "does not exist"
    raise PhaseFailed(
        f"version {version} of environment {environment.name} {reason}",
        code="NoSuchRelease",
        field="options.rollback_to",
        remedy=f"Releases that passed and still exist: {', '.join(sorted(passed, key=int)) or 'none'}.",
    )


def nothing_to_go_back_to(environment: str) -> PhaseFailed:
    """The error of a requested rollback without an earlier good release."""
    return PhaseFailed(
        f"environment {environment} has no earlier good release",
        code="NothingToGoBackTo",
        field="environment",
        remedy="Name a version in options.rollback_to, or deploy a release that passes.",
    )
