"""Drift of the function: the live alias, and the settings of the live version."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.evidence.drift import DRIFT, INFO, DriftFinding, Severity

from .values import shorten

_UNSET = "unset"


def function_gone(function: str) -> DriftFinding:
    """The function does not exist."""
    return DriftFinding(
        "alias",
        function,
        "there",
        "gone (the function)",
        "Deploy: deploy_stack makes it again, and users get what passes.",
    )


def version_gone(function: str, version: str) -> DriftFinding:
    """The live release's version does not exist."""
    remedy = "Deploy again: the version of the live release has been deleted."
    return DriftFinding("settings", f"{function}:{version}", "there", "gone", remedy)


def alias_findings(function: str, aliases: Mapping[str, Alias], version: str) -> list[DriftFinding]:
    """A finding for each alias that is gone, and one unless the live alias sends all traffic to `version`.

    aliases: by name."""
    live, where, expected = aliases.get("live"), f"{function}:live", f"version {version}"
    gone = [_alias_gone(f"{function}:{name}", expected) for name in ("live", "candidate") if name not in aliases]
    if live is None or (live.version == version and not live.weights):
        return gone
    weights = "".join(f" with {share:.0%} to {other}" for other, share in sorted(live.weights.items()))
    remedy = "Revalidate with options.heal, or POST /deployments with action rollback."
    actual = f"version {live.version}{weights}"
    return [*gone, DriftFinding("alias", where, expected, actual, remedy, heals=True, deliberate=True)]


def _alias_gone(where: str, expected: str) -> DriftFinding:
    remedy = "Revalidate with options.heal, or deploy: both make it again."
    return DriftFinding("alias", where, expected, "gone", remedy, heals=True)


def settings_findings(
    function: str, live: FunctionSettings, latest: FunctionSettings, recorded: FunctionSettings | None
) -> list[DriftFinding]:
    """Settings of the live version that differ from the recorded ones, and edits of `$LATEST`.

    recorded: None when the record does not have the configuration. `$LATEST` can be edited by hand; users do not use
    it, and the next release sets it, so that is no drift.
    """
    if recorded is None:
        why = "NOT RUN: the record does not hold the configuration of this version"
        return [
            DriftFinding("settings", f"{function}:live", "as recorded", why, "Deploy once, which records it.", INFO)
        ]
    remedy = "Deploy the recorded configuration again with options.force, or roll back to a version that has it."
    findings = [
        DriftFinding("settings", f"{function}:live {name}", expected, actual, remedy, _severity(expected, actual))
        for name, expected, actual in _differences(recorded, live)
    ]
    edited = ", ".join(name for name, _, _ in _differences(live, latest))
    if edited:
        remedy = "The next release sets them. A rollback or a failed deployment leaves such a difference, too."
        findings.append(DriftFinding("settings", f"{function}:$LATEST", "as live", f"other in {edited}", remedy, INFO))
    return findings


def _severity(expected: str, actual: str) -> Severity:
    # Another version of the control plane may set more variables, or fewer.
    return INFO if _UNSET in (expected, actual) else DRIFT


def _differences(expected: FunctionSettings, actual: FunctionSettings) -> list[tuple[str, str, str]]:
    """(name, expected, actual) of each setting that differs."""
    pairs: list[tuple[str, object, object]] = [
        ("memory_mb", expected.memory_mb, actual.memory_mb),
        ("timeout_s", expected.timeout_s, actual.timeout_s),
    ]
    for name in sorted({*expected.environment, *actual.environment}):
        values = (expected.environment.get(name, _UNSET), actual.environment.get(name, _UNSET))
        pairs.append((f"environment {name}", *values))
    return [(name, shorten(wanted), shorten(current)) for name, wanted, current in pairs if wanted != current]
