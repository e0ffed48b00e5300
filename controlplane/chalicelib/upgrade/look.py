"""What the control plane's stack holds: its functions by logical id, and the code that a release gives them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Deployment, DeploymentStatus
from chalicelib.ports import Aws
from chalicelib.upgrade.evidence import PlanUpgradeEvidence

from . import releases, versions
from .apply import STACK
from .configured import Stored
from .manifest import Manifest

_FUNCTION = "AWS::Lambda::Function"
_AT_ONCE, _SHOWN = 100, 10  # deployments a page, and in a message


def serves(stack: Stack, release: Manifest) -> bool:
    """Whether the release serves as it is: nobody has changed one of its parameters since, and it does not only stand
    beside another as a candidate that was left."""
    wanted = {**release.parameters, "Release": release.release, "Stage": versions.LIVE}
    return all(stack.parameters.get(name) == value for name, value in wanted.items())


def functions(aws: Aws) -> dict[str, str]:
    """Physical name by logical id, of every function in the stack."""
    resources = aws.stacks.resources(STACK)
    return {each.logical_id: each.physical_id for each in resources if each.resource_type == _FUNCTION}


def version_serving(stack: Stack, aws: Aws) -> str:
    """The version that serves; beside a candidate that was left, the one that this function belongs to."""
    is_live = stack.parameters.get("Stage") == versions.LIVE
    return stack.parameters.get("Version", "") if is_live else aws.settings.version


def configurations(aws: Aws) -> Iterator[Stored]:
    """What environments have on record, and what deployments will bring that have not ended."""
    for environment in aws.records.environments():
        releases_on_record = (environment.live, environment.last_good)
        yield from (Stored(environment.name, each.config) for each in releases_on_record if each)
        if environment.target and environment.status != "REMOVED":
            yield Stored(environment.name, {"target": encode(environment.target)})
    for deployment in unfinished(aws):
        yield Stored(deployment.environment, encode(deployment.config))


def refuse_removals(plan: PlanUpgradeEvidence, aws: Aws) -> None:
    """Raises PhaseFailed (DeploymentsRunning) while deployments run that may call a function that is gone."""
    old, new = (json.loads(aws.artifacts.get(key)) for key in (plan.template_before, plan.template))
    gone = sorted(set(versions.functions(old)) - set(versions.functions(new)))
    running = [each.id for each in unfinished(aws) if not each.waiting and each.action is not Action.UPGRADE]
    if gone and running:
        raise PhaseFailed(
            f"the release has no function {', '.join(gone)} any more, which running deployments may call: "
            f"{', '.join(running[:_SHOWN])}",
            code="DeploymentsRunning",
            field="bundle",
            remedy="Upgrade again when they have ended, or abort them.",
        )


def unfinished(aws: Aws) -> Iterator[Deployment]:
    """Deployments that have not ended, also those that wait in a queue."""
    for status in DeploymentStatus:
        cursor, more = None, not status.is_final
        while more:
            page = aws.records.deployments(None, status, _AT_ONCE, cursor)
            yield from page.deployments
            cursor, more = page.cursor, page.cursor is not None


def code_of(plan: PlanUpgradeEvidence, aws: Aws) -> dict[str, str]:
    """SHA-256 (Lambda's base64) of each function's code in the release, by logical id."""
    release = releases.read(plan.manifest, aws.artifacts.get(plan.manifest))
    template = json.loads(aws.artifacts.get(plan.template))
    digests = {
        name: release.code[str(each["Properties"]["CodeUri"]).split("/", 3)[3]]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {name: base64.b64encode(bytes.fromhex(digest)).decode() for name, digest in digests.items()}
