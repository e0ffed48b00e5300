"""What has drifted: where the world is no longer as the record of the last good release says.

`DRIFT` fails a revalidation; `INFO` is worth knowing and fails nothing, such as a key that was rotated by hand. What
release_code owns (code and settings of the function, the aliases' versions) differs from the stack's template by
design, so that stack drift leaves it out and the live version is held against the record instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.aws.alarms import Alarm, AlarmState
from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.aws.stacks import ResourceDrift
from chalicelib.domain.names import Names

DRIFT, INFO = "drift", "info"
# Only in these states does CloudFormation detect drift (its user guide, "Detect unmanaged configuration changes").
DETECTABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"})
_UNSET = "unset"
_SHOWN = 300  # characters of a value that evidence holds: a policy document is named, not copied

# Property paths, by resource type, that release_code changes after the stack has set them once.
_RELEASED: Mapping[str, tuple[str, ...]] = {
    "AWS::Lambda::Function": ("/Code", "/MemorySize", "/Timeout", "/Environment"),
    "AWS::Lambda::Alias": ("/FunctionVersion", "/RoutingConfig", "/ProvisionedConcurrencyConfig"),
}
# release_code prunes the version that the stack began with, and the template retains it for that reason.
_PRUNED = "AWS::Lambda::Version"


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: stack, alias, settings, secret or alarm. heals: whether `options.heal` can put it back."""

    kind: str
    where: str
    expected: str
    found: str
    remedy: str
    severity: str = DRIFT
    heals: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.where} is {self.found}, not {self.expected}"

    def as_evidence(self) -> dict[str, Any]:
        return asdict(self)


def of_stack(stack: str, drifts: Iterable[ResourceDrift]) -> list[Finding]:
    """What was changed behind CloudFormation's back, without what is ours to change."""
    found = []
    revert = (
        f"Put it back by hand, or: aws cloudformation create-change-set --stack-name {stack} --change-set-name revert "
        "--use-previous-template --deployment-mode REVERT_DRIFT --capabilities CAPABILITY_NAMED_IAM, then execute it."
    )
    for one in drifts:
        where = f"{one.logical_id} ({one.resource_type})"
        if one.status == "DELETED" and one.resource_type != _PRUNED:
            found.append(Finding("stack", where, "there", "deleted", revert))
        elif one.status == "MODIFIED":
            released = _RELEASED.get(one.resource_type, ())
            found += [
                Finding("stack", f"{where} {path}", _short(expected), _short(actual), revert)
                for path, expected, actual in one.differences
                if not any(path == own or path.startswith(f"{own}/") for own in released)
            ]
    return found


def undetected(stack: str, why: str) -> Finding:
    """Stack drift could not be looked for, which is not the same as none."""
    return Finding(
        "stack", stack, "checked", f"NOT RUN: {why}", "Look at the stack in the CloudFormation console.", INFO
    )


def not_at_rest(stack: str, status: str | None) -> Finding:
    """A stack that is gone, or in a state that no good deployment leaves."""
    expected = "in a *_COMPLETE state" if status else "there"
    return Finding("stack", stack, expected, status or "gone", "Deploy the environment again.")


def of_aliases(function: str, aliases: Mapping[str, Alias], good: str) -> list[Finding]:
    """The live alias must give all of its traffic to the last good version."""
    live = aliases.get("live")
    remedy = "Revalidate with options.heal, or POST /deployments with action rollback."
    if live is None:
        gone = "Deploy with options.force; an alias that CloudFormation owns is made anew by its stack only."
        return [Finding("alias", f"{function}:live", f"version {good}", "gone", gone)]
    if live.version == good and not live.weights:
        return []
    weights = "".join(f" with {share:.0%} to {version}" for version, share in sorted(live.weights.items()))
    return [
        Finding("alias", f"{function}:live", f"version {good}", f"version {live.version}{weights}", remedy, heals=True)
    ]


def of_settings(
    function: str, live: FunctionSettings, latest: FunctionSettings, wanted: FunctionSettings | None
) -> list[Finding]:
    """What users run under, against the recorded release. A version never changes, `$LATEST` may be edited by hand:
    users do not see that, and the next release sets it right.
    """
    if wanted is None:
        why = "NOT RUN: the record does not hold the configuration of this version"
        return [Finding("settings", f"{function}:live", "as recorded", why, "Deploy once, which records it.", INFO)]
    remedy = "Deploy the recorded configuration again with options.force, or roll back to a version that has it."
    # A variable that only one side knows tells of another release of the control plane: it may set more, or fewer.
    found = [
        Finding(
            "settings",
            f"{function}:live {name}",
            expected,
            actual,
            remedy,
            INFO if _UNSET in (expected, actual) else DRIFT,
        )
        for name, expected, actual in _differences(wanted, live)
    ]
    by_hand = [name for name, _, _ in _differences(live, latest)]
    if by_hand:
        told = "The next release sets them; a rollback, or a deployment that failed, leaves them like this too."
        names = ", ".join(by_hand)
        found.append(Finding("settings", f"{function}:$LATEST", "as live", f"other in {names}", told, INFO))
    return found


def _differences(expected: FunctionSettings, actual: FunctionSettings) -> list[tuple[str, str, str]]:
    pairs: list[tuple[str, object, object]] = [
        ("memory_mb", expected.memory_mb, actual.memory_mb),
        ("timeout_s", expected.timeout_s, actual.timeout_s),
    ]
    for name in sorted({*expected.environment, *actual.environment}):
        one, other = expected.environment.get(name, _UNSET), actual.environment.get(name, _UNSET)
        pairs.append((f"environment {name}", one, other))
    return [(name, _short(str(one)), _short(str(other))) for name, one, other in pairs if one != other]


def of_secret(name: str, current: str, applied: str, malformed: str, *, gone: str = "") -> list[Finding]:
    """current, applied: version ids, now and when prepare_secret last looked. malformed: what the schema says of the
    current one, "" when it is good; gone: why there is none to look at. Never healed: a key is a person's matter.
    """
    store = "Store a good one: python -m ctl secret set, or PUT /environments/{name}/secret."
    if gone:
        return [Finding("secret", name, "there", gone, store)]
    if malformed:
        return [Finding("secret", name, f"well-formed, as version {applied} was", f"malformed: {malformed}", store)]
    if current != applied:
        told = "Nothing to do: the proxy reads it again by itself, and the next deployment takes note of it."
        return [Finding("secret", name, f"version {applied}", f"version {current}, rotated since", told, INFO)]
    return []


def of_alarms(wanted: Iterable[Alarm], standing: Iterable[AlarmState], *, topic: bool, names: Names) -> list[Finding]:
    """Alarms that are missing, changed or silenced, and the topic that they tell; those of others are named only."""
    remedy = "Revalidate with options.heal, or deploy with options.force."
    there = {alarm.name: alarm for alarm in standing}
    found = [] if topic else [Finding("alarm", names.topic, "there", "gone (the topic)", remedy, heals=True)]
    known = set()
    for alarm in wanted:
        known.add(alarm.name)
        stands = there.get(alarm.name)
        if stands is None:
            found.append(Finding("alarm", alarm.name, "there", "gone", remedy, heals=True))
            continue
        for field, expected, actual in _changed(alarm, stands):
            found.append(Finding("alarm", f"{alarm.name} {field}", expected, actual, remedy, heals=True))
    untold = [one.name for one in there.values() if one.definition is not None and not one.definition.metrics]
    if untold:
        why = f"NOT RUN: this cloud does not tell what {len(untold)} alarms watch"
        found.append(Finding("alarm", "metrics", "as defined", why, "Nothing to do.", INFO))
    told = "Name it otherwise: every alarm under this prefix stops rollouts, and the next deployment removes it."
    found += [Finding("alarm", name, "none of this name", "there", told, INFO) for name in sorted(set(there) - known)]
    return found


def _changed(alarm: Alarm, stands: AlarmState) -> list[tuple[str, str, str]]:
    found = []
    defined = stands.definition
    if defined is not None:
        watched = ("metrics", "expression") if defined.metrics else ()
        for name in ("threshold", "periods", "datapoints", "actions", *watched):
            expected, actual = getattr(alarm, name), getattr(defined, name)
            if _plain(expected) != _plain(actual):
                found.append((name, _short(str(_plain(expected))), _short(str(_plain(actual)))))
    if not stands.actions_enabled:
        found.append(("actions_enabled", "true", "false"))
    return found


def _plain(value: Any) -> Any:
    """Numbers and sequences as CloudWatch gives them back: 3 and 3.0 are one threshold."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Collection):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in asdict(value).items()}


def failing(found: Iterable[Finding]) -> list[Finding]:
    """Those that fail a revalidation."""
    return [one for one in found if one.severity == DRIFT]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
