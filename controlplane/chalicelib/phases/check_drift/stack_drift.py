"""Drift of the stack: CloudFormation's own detection, without the properties that release_code changes on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from chalicelib.domain.aws.stacks import ResourceDrift
from chalicelib.domain.evidence.drift import INFO, DriftFinding
from chalicelib.stack.recovery.losses import Loss

from .false_reports import is_false
from .values import shorten

_DEPLOY = "Deploy: phase deploy_stack makes it again."
_REMEDIES = {
    "role policy": "Deploy: the stack writes it again. Users get 503 when the proxy's warm environments end.",
    "permission of alias": "Revalidate with options.heal, or deploy: both give it again.",
    "role": "Deploy: deploy_stack makes another role, and the release that passes runs with it.",
    "API": "Deploy: deploy_stack makes it again. Users have another address then.",
}
# The states in which CloudFormation detects drift (its user guide, "Detect unmanaged configuration changes").
DETECTABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"})
# By resource type, the property paths that release_code changes after the stack's creation.
_RELEASED: Mapping[str, tuple[str, ...]] = {
    "AWS::Lambda::Function": ("/Code", "/MemorySize", "/Timeout", "/Environment"),
    "AWS::Lambda::Alias": ("/FunctionVersion", "/RoutingConfig", "/ProvisionedConcurrencyConfig"),
}
# release_code deletes old versions, also the first one, which the stack created.
_DELETED_ON_PURPOSE = "AWS::Lambda::Version"


def findings(stack: str, drifts: Iterable[ResourceDrift]) -> list[DriftFinding]:
    """One finding for each deleted resource and each changed property. stack: its name; drifts: not in sync."""
    return [finding for drift in drifts for finding in _of_resource(stack, drift)]


def _of_resource(stack: str, drift: ResourceDrift) -> Iterator[DriftFinding]:
    where = f"{drift.logical_id} ({drift.resource_type})"
    if drift.status == "DELETED" and drift.resource_type != _DELETED_ON_PURPOSE:
        yield DriftFinding("stack", where, "there", "deleted", _revert(stack))
    if drift.status == "MODIFIED":
        for path, expected, actual in drift.differences:
            if not _is_released(drift.resource_type, path) and not is_false(
                drift.resource_type, path, expected, actual
            ):
                yield DriftFinding("stack", f"{where} {path}", shorten(expected), shorten(actual), _revert(stack))


def _is_released(resource_type: str, path: str) -> bool:
    return any(path == own or path.startswith(f"{own}/") for own in _RELEASED.get(resource_type, ()))


def _revert(stack: str) -> str:
    return (
        f"Change it back by hand, or: aws cloudformation create-change-set --stack-name {stack} --change-set-name "
        "revert --use-previous-template --deployment-mode REVERT_DRIFT --capabilities CAPABILITY_NAMED_IAM, then "
        "execute the change set."
    )


def lost(loss: Loss) -> DriftFinding:
    """What was deleted or changed underneath the stack. A permission comes back by `options.heal`, too."""
    heals = loss.kind == "permission of alias"
    remedy = (
        "Revalidate with options.heal, or deploy: both give it again." if heals else _REMEDIES.get(loss.kind, _DEPLOY)
    )
    actual = loss.detail or ("gone" if loss.state == "deleted" else "changed")
    return DriftFinding("stack", f"{loss.kind} {loss.name}", "as the stack left it", actual, remedy, heals=heals)


def unchecked(stack: str, reason: str) -> DriftFinding:
    """The drift of the stack, or of a part of it, is unknown."""
    remedy = "Look at the stack in the CloudFormation console."
    return DriftFinding("stack", stack, "checked", f"NOT RUN: {reason}", remedy, INFO)


def wrong_state(stack: str, status: str | None) -> DriftFinding:
    """A stack that does not exist (None), or that is in a state in which a successful deployment does not leave it."""
    expected = "in a *_COMPLETE state" if status else "there"
    return DriftFinding("stack", stack, expected, status or "gone", "Deploy the environment again.")
