"""What a deployment would do, as data and as text. Pure: the facts come from the step `make_plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chalicelib.engine.fingerprints import fingerprint

# In order. What one of these makes anew, those after it have to look at again.
ACTING = ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code")
CHECKING = ("validate_endpoints", "validate_errors", "load_test")


@dataclass(frozen=True, slots=True)
class Line:
    """One phase: `would` is skip, run, or depends (on what an earlier phase makes); `details` are its facts."""

    phase: str
    would: str
    details: Mapping[str, Any] = field(default_factory=dict)


def lines(skipped: Mapping[str, bool], details: Mapping[str, Mapping[str, Any]]) -> Sequence[Line]:
    """A line for each phase that acts or checks. `skipped` holds what the phases' fingerprints say."""
    found: list[Line] = []
    made_anew = False
    for phase in (*ACTING, *CHECKING):
        would = "run" if not skipped.get(phase) else "depends" if made_anew else "skip"
        made_anew = made_anew or (would == "run" and phase != "configure_monitoring")
        found.append(Line(phase, would, details.get(phase, {})))
    return found


def digest(plan: Sequence[Line]) -> str:
    """Equal exactly when the plans are: what `options.expected_plan` is compared with."""
    return fingerprint([asdict(line) for line in plan])


def is_empty(plan: Sequence[Line]) -> bool:
    return all(line.would == "skip" for line in plan)


def text(plan: Sequence[Line]) -> str:
    """For people: one phase a line, its facts indented below."""
    said = []
    for line in plan:
        said.append(f"{_SIGNS[line.would]} {line.phase}: {_WORDS[line.would]}")
        said.extend(f"    {what}: {_short(value)}" for what, value in line.details.items())
    return "\n".join(said)


_SIGNS = {"skip": " ", "run": "~", "depends": "?"}
_WORDS = {
    "skip": "nothing to do",
    "run": "would run",
    "depends": "would look again, since a phase before it makes something anew",
}


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_short(item)}" for key, item in value.items()) or "none"
    return str(value)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """`{name: "old -> new"}` for what differs; a missing side is a dash."""
    names = sorted({*before, *after})
    return {
        name: f"{before.get(name, '-')} -> {after.get(name, '-')}"
        for name in names
        if before.get(name) != after.get(name)
    }
