"""Finds what was deleted or changed underneath an environment's stack, and makes it again.

CloudFormation does not see such a change: a change set compares templates, so it is empty, and the resource stays gone.
What has a name of its own is made again under that name, and CloudFormation owns it as before. A changed policy of the
proxy's role is set by the stack itself: another value of the parameter `Repair` makes CloudFormation write it again.
A role without the permissions boundary, taken off by hand or of an environment older than the boundary, gets it before
the stack changes: CloudFormation's role may write policies only of roles that carry it.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request, applied_as
from chalicelib.ports import Aws

ALIASES = ("live", "candidate")
_POLICY = "proxy"  # the name of the role's inline policy in proxy/template.yaml


@dataclass(frozen=True, slots=True)
class Standing:
    """aliases, log_groups: names of those that exist; role_policy: digest of the role's policy, "" without one.

    function: whether it exists. bounded: whether the role carries the boundary, or does not exist.
    """

    function: bool = True
    aliases: tuple[str, ...] = ()
    log_groups: tuple[str, ...] = ()
    role_policy: str = ""
    bounded: bool = True


def standing(request: Request, aws: Aws) -> Standing:
    """What exists now of the resources that `repair` can make again."""
    names, role = request.names, request.names.role(aws.settings.region)
    policy = aws.identity.role_policy(role, _POLICY)
    bounded = aws.identity.boundary(role) in (None, aws.settings.boundary_arn)
    wanted = (names.log_group, names.access_log_group)
    groups = tuple(group.name for name in wanted for group in aws.logs.groups(name) if group.name == name)
    try:
        aliases = tuple(sorted(aws.functions.aliases(names.function)))
    except NotFound:
        return Standing(False, (), groups, fingerprint(policy) if policy else "", bounded)
    return Standing(True, aliases, groups, fingerprint(policy) if policy else "", bounded)


def policy_changed(now: Standing, request: Request) -> bool:
    """Whether the role's policy is not the one that the stack's last change left."""
    applied = applied_as(request.environment, StackEvidence)
    return not now.role_policy or bool(applied and applied.role_policy not in ("", now.role_policy))


def repair(now: Standing, request: Request, aws: Aws) -> tuple[str, ...]:
    """Make missing aliases, log groups and the role's boundary again; answers one line for each, and for a changed
    policy of the role.

    Raises PhaseFailed (FunctionGone): nothing of the versions that a deleted function had can be made again.
    """
    names = request.names
    if not now.function:
        raise PhaseFailed(
            f"function {names.function} was deleted underneath its stack, and its versions with it",
            code="FunctionGone",
            field=names.function,
            remedy="POST /deployments with action cleanup, then deploy: the stack is made anew.",
        )
    lines = [_make_alias(name, request, aws) for name in ALIASES if name not in now.aliases]
    for group in (names.log_group, names.access_log_group):
        if group not in now.log_groups:
            aws.logs.create_group(group, names.tags)
            aws.logs.set_retention(group, _retention_days(request))
            lines.append(f"log group {group} was deleted: made again")
    role = names.role(aws.settings.region)
    if not now.bounded:
        aws.identity.set_boundary(role, aws.settings.boundary_arn)
        lines.append(f"role {role} did not carry the permissions boundary: set")
    if policy_changed(now, request):
        verb = "changed" if now.role_policy else "deleted"
        lines.append(f"policy {_POLICY} of role {role} was {verb}: written again")
    return tuple(lines)


def _retention_days(request: Request) -> int:
    good = request.environment.last_good
    return decode_lenient(Config, dict(good.config)).log_retention_days if good else request.config.log_retention_days


def _make_alias(name: str, request: Request, aws: Aws) -> str:
    version = version_for_alias(request, aws)
    aws.functions.create_alias(request.names.function, Alias(name, version))
    return f"alias {name} was deleted: made again on version {version}"


def version_for_alias(request: Request, aws: Aws) -> str:
    """The version that users shall have: the last good one, or before the first release the oldest, which is closed."""
    good = request.environment.last_good
    versions = [version.number for version in aws.functions.versions(request.names.function)]
    return good.version if good and good.version in versions else versions[0]
