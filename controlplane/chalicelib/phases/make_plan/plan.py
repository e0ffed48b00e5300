"""What a deployment would do, as data and as text. Pure: the facts come from `look`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.evidence.plan import PlanLine, SettingChange
from chalicelib.engine.fingerprints import fingerprint

# In order. What one of these changes, the later ones may have to follow.
ACTING = ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code")
CHECKING = ("validate_endpoints", "validate_errors", "load_test")

# Alarms and dashboard: no later phase depends on them.
_LEAF = "configure_monitoring"
_SIGNS = {"skip": " ", "run": "~", "depends": "?"}


def lines(skipped: Mapping[str, bool], details: Mapping[str, Mapping[str, object]]) -> tuple[PlanLine, ...]:
    """A line for each phase that acts or checks.

    skipped: by phase, whether its fingerprint is unchanged; a missing phase would run. details: facts by phase.
    """
    plan: list[PlanLine] = []
    for phase in (*ACTING, *CHECKING):
        would = "run" if not skipped.get(phase) else "depends" if _causes(plan) else "skip"
        plan.append(PlanLine(phase, would, details.get(phase, {})))
    return tuple(plan)


def _causes(before: Iterable[PlanLine]) -> list[str]:
    """The phases of `before` that would run and that later phases depend on."""
    return [line.phase for line in before if line.would == "run" and line.phase != _LEAF]


def digest(plan: Sequence[PlanLine], settings: Sequence[SettingChange] = ()) -> str:
    """SHA-256 (hex), equal exactly when the plans are: what `options.expected_plan` is compared with."""
    return fingerprint([*plan, *settings])


def text(plan: Sequence[PlanLine], settings: Sequence[SettingChange] = ()) -> str:
    """For people: one setting a line, then one phase a line with its facts indented below."""
    rendered = [f"  {_setting(change)}" for change in settings]
    for index, line in enumerate(plan):
        rendered.append(f"{_SIGNS[line.would]} {line.phase}: {_effect(line, plan[:index])}")
        rendered.extend(f"    {name}: {_short(value)}" for name, value in line.details.items())
    return "\n".join(rendered)


def _setting(change: SettingChange) -> str:
    old, new = (_value(value) for value in (change.before, change.after))
    return f"{change.field}: {old} -> {new} (effect: {change.effect})"


def _value(value: object) -> str:
    return "-" if value is None else _short(value)


def _effect(line: PlanLine, before: Sequence[PlanLine]) -> str:
    if line.would == "depends":
        return f"may change, depends on {', '.join(_causes(before))}"
    return "would run" if line.would == "run" else "nothing to do"


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_short(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """`{name: "old -> new"}` for each value that differs; a missing side is a dash."""
    names = sorted({*before, *after})
    return {
        name: f"{before.get(name, '-')} -> {after.get(name, '-')}"
        for name in names
        if before.get(name) != after.get(name)
    }
