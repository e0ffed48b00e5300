"""Checks a release against its digest and against what serves, and shows what its candidate would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.stacks import Change, Stack
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import apply, configured, look, releases, rights, staging, versions
from chalicelib.upgrade.evidence import PlanUpgradeEvidence
from chalicelib.upgrade.formats.table_format import FORMAT
from chalicelib.upgrade.manifest import Manifest

FINISHED = "record_outcome"  # the state machine goes on there when there is nothing to roll
_JSON = "application/json"
# Records live in it: an upgrade that would replace or remove it is refused, whatever the release says.
_NEVER_LOST = ("AWS::DynamoDB::Table",)


def run(request: Request, aws: Aws) -> Result[PlanUpgradeEvidence]:
    """The change set of the candidate, unexecuted; nothing in AWS changes but three templates in the bucket.

    Raises PhaseFailed: ReleaseDamaged, ReleaseTooNew, OlderRelease, NeedsAPerson, WouldLoseRecords, and what `apply`
    raises.
    """
    stack = apply.settled(request, aws)
    if isinstance(stack, Result):
        return stack
    key = releases.check_key(request.options.bundle)
    release = releases.read(key, _content(key, aws))
    if look.serves(stack, release):
        return replace(Result.done(f"Release {release.release} serves already; nothing to change"), next=FINISHED)
    _refuse(release, stack, aws, allow_older=request.options.force)
    template = _template(release, aws)
    evidence = _evidence(key, release, template, stack, request, aws)
    if request.is_first_call:
        _check_objects(release, aws)
        _store_templates(template, evidence, aws)
        look.refuse_removals(evidence, aws)
    change_set = apply.propose(staged(evidence), request, aws)
    if isinstance(change_set, Result):
        return change_set
    _refuse_losses(change_set.changes)
    changes = tuple(f"{change.action} {change.logical_id}" for change in change_set.changes)
    what = f"Version {release.version} ({release.release}) instead of {evidence.version_before or 'none'}"
    return Result.done(
        f"{what}: {counted(len(changes), 'change')} for the candidate", replace(evidence, changes=changes)
    )


def staged(plan: PlanUpgradeEvidence) -> apply.Wanted:
    """The state of the stack with the candidate beside what serves."""
    parameters = {**plan.parameters, "Stage": versions.CANDIDATE}
    return apply.Wanted("stage", plan.staged, parameters, (plan.parameters_before,))


def promoted(plan: PlanUpgradeEvidence) -> apply.Wanted:
    """The state of the stack in which the release serves."""
    return apply.Wanted("promote", plan.template, plan.parameters, (staged(plan).parameters,))


def before(plan: PlanUpgradeEvidence) -> apply.Wanted:
    """The state of the stack before the upgrade."""
    follows = (staged(plan).parameters, plan.parameters)
    return apply.Wanted("revert", plan.template_before, plan.parameters_before, follows)


def _content(key: str, aws: Aws) -> bytes:
    try:
        return aws.artifacts.get(key)
    except NotFound as error:
        raise releases.damaged(key) from error


def _refuse(release: Manifest, stack: Stack, aws: Aws, *, allow_older: bool) -> None:
    if lacking := configured.missing(release.config_fields):
        configured.refuse_ignored(lacking, look.configurations(aws))
    serving = look.version_serving(stack, aws)
    is_older = releases.older(release.version, serving) or release.table_format < FORMAT
    if is_older and not allow_older:
        raise PhaseFailed(
            f"the release is version {release.version} (table format {release.table_format}), which is older than what "
            f"serves: {serving} (table format {FORMAT})",
            code="OlderRelease",
            field="bundle",
            remedy="To go back on purpose: python3 bootstrap.py upgrade --to-older.",
        )


def _evidence(
    key: str, release: Manifest, template: versions.Template, stack: Stack, request: Request, aws: Aws
) -> PlanUpgradeEvidence:
    publication = versions.publication_of(request.deployment_id)
    kept = versions.kept(template, stack.parameters)
    folder = f"controlplane/upgrades/{request.deployment_id}"
    return PlanUpgradeEvidence(
        manifest=key,
        release=release.release,
        version=release.version,
        table_format=release.table_format,
        publication=publication,
        release_before=stack.parameters.get("Release", ""),
        version_before=look.version_serving(stack, aws),
        table_format_before=FORMAT,
        template=f"{folder}/after.json",
        staged=f"{folder}/staged.json",
        template_before=f"{folder}/before.json",
        parameters={**kept, **release.parameters, "Publication": publication, "Stage": versions.LIVE},
        parameters_before=dict(stack.parameters),
    )


def _check_objects(release: Manifest, aws: Aws) -> None:
    for key, digest in {**release.code, release.template: release.template_sha256}.items():
        try:
            same = aws.artifacts.sha256(key) == digest
        except NotFound:
            same = False
        if not same:
            raise releases.damaged(key)


def _template(release: Manifest, aws: Aws) -> versions.Template:
    text = _content(release.template, aws)
    if hashlib.sha256(text).hexdigest() != release.template_sha256:
        raise releases.damaged(release.template)
    template: versions.Template = json.loads(text)
    return template


def _store_templates(template: versions.Template, evidence: PlanUpgradeEvidence, aws: Aws) -> None:
    old = json.loads(aws.stacks.template(apply.STACK))
    new = versions.published(template, evidence.publication)
    if beyond := rights.needing_a_person(old, new):
        raise PhaseFailed(
            f"the release changes {', '.join(beyond)}: what the control plane may do at most, and who upgrades it",
            code="NeedsAPerson",
            field="bundle",
            remedy="Run python3 bootstrap.py up --direct once: it works with your own rights.",
        )
    templates: Mapping[str, Mapping[str, object]] = {
        evidence.template_before: old,
        evidence.template: new,
        evidence.staged: staging.staged(old, new, evidence.publication),
    }
    for key, each in templates.items():
        aws.artifacts.put(key, json.dumps(each, sort_keys=True).encode(), content_type=_JSON)


def _refuse_losses(changes: Sequence[Change]) -> None:
    lost = [
        change.logical_id
        for change in changes
        if change.resource_type in _NEVER_LOST and (change.action == "Remove" or change.replacement == "True")
    ]
    if lost:
        raise PhaseFailed(
            f"the release would replace or remove {', '.join(lost)}, with all records in it",
            code="WouldLoseRecords",
            field="bundle",
            remedy="This is a bug in the release: the table outlives every version.",
        )


PHASE = Definition(run, PlanUpgradeEvidence, apply.ApplyCursor)
