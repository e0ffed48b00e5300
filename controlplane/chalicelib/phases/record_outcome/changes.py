"""What the record of an environment becomes when a deployment ends. Pure: `run` writes it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from chalicelib.domain import expiry
from chalicelib.domain.codec import encode_record, merge
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence, StackEvidence
from chalicelib.domain.model import Action, Deployment, Environment, Release
from chalicelib.engine.phase import Request

from .incidents import LONGEST_WHY, is_verdict
from .outcome import Outcome

Changes = dict[str, object]
_REFUSALS = ("Protected", "ForeignObjects", "Aborted", "LockLost")  # clean_up raises them before it deletes anything
_RELEASES = 10  # releases on record, newest first
_NOTHING_LIVE: Changes = dict.fromkeys(("live", "last_good", "previous", "releases", "links", "last_revalidation"))


def changes(request: Request, deployment: Deployment, outcome: Outcome, at: str, secret_version: str = "") -> Changes:
    """New values of the record's attributes; None deletes one.

    at: when the deployment ends, ISO 8601. secret_version: the one that users have by then, "" for an adopted secret.
    """
    if request.action.deploys:
        return _after_deploy(request, deployment, outcome, at, secret_version)
    if request.action is Action.ROTATE:
        return _rotated(request, at, secret_version) if outcome.is_good else {}
    if request.action is Action.ROLLBACK:
        back = request.results.find(RollBackEvidence)
        # Users follow the aliases, so the record does, too, even when the settings could not be restored.
        return _rolled_back(request.environment, back) if back else {}
    if request.action is Action.CLEANUP:
        if not outcome.is_good and not began_to_remove(outcome):
            return expiry.after_clean_up(request.environment, request.now, good=False)
        gone = _NOTHING_LIVE | {"status": "REMOVED"} if outcome.is_good else {"status": "PARTLY_REMOVED"}
        return gone | expiry.after_clean_up(request.environment, request.now, good=outcome.is_good)
    if request.action is Action.REVALIDATE and is_verdict(outcome):
        return {"last_revalidation": _verdict(request, outcome, at)}
    return {}


def _rotated(request: Request, at: str, secret_version: str) -> Changes:
    """The live version with another secret is another release: a rollback goes back to the one before."""
    live = request.environment.live
    if live is None:
        return {}
    return _moved(
        request.environment,
        replace(live, deployment_id=request.deployment_id, at=at, secret_version=secret_version),
    )


def began_to_remove(outcome: Outcome) -> bool:
    """Whether a clean-up that failed had deleted anything: its first call refuses before it deletes."""
    broken = outcome.broken
    if broken is None or broken.name != CleanUpEvidence.PHASE:
        return False
    return broken.polls > 1 or bool(broken.cursor) or (outcome.error or {}).get("code") not in _REFUSALS


def _after_deploy(request: Request, deployment: Deployment, outcome: Outcome, at: str, secret_version: str) -> Changes:
    # A failed rollout takes nothing from users who had a release.
    failed: Changes = {"status": "LIVE" if request.environment.live else "NEVER_LIVE", **_readdressed(request)}
    ended = _released(request, deployment, at, secret_version) if outcome.is_good else failed
    return ended | expiry.after_deploy(request.config, request.options, request.now)


def _readdressed(request: Request) -> Changes:
    """The links with the address that users have now, where a deployment that failed later made the API again."""
    stack = request.results.find(StackEvidence)
    if stack is None or not stack.address_before:
        return {}
    before, now = (url.removesuffix("/v1") for url in (stack.address_before, stack.base_url))
    return {"links": {name: url.replace(before, now) for name, url in request.environment.links.items()}}


def _released(request: Request, deployment: Deployment, at: str, secret_version: str) -> Changes:
    live, version = request.environment.live, request.results.of(ReleaseEvidence).version
    config = merge(dataclasses.asdict(request.config), deployment.unknown_config)
    artifact = request.results.find(ArtifactEvidence) or ArtifactEvidence()
    handoff = request.results.find(HandoffEvidence) or HandoffEvidence()
    if live and live.version == version and live.secret_version in ("", secret_version):
        # The same release, whose stack settings (throttle, retention) may have changed.
        release = replace(live, secret_version=secret_version, config=config)
    else:
        release = Release(version, request.deployment_id, at, artifact.digest, config, secret_version)
    if settings := request.results.find(SettingsEvidence):
        release = replace(
            release, bundle=settings.bundle, snapshot=settings.snapshot, parameters=dict(settings.parameters)
        )
    return {"status": "LIVE", "links": dict(handoff.links)} | _moved(request.environment, release)


def _moved(environment: Environment, release: Release) -> Changes:
    """`release` is live. `previous` becomes what was good before, unless that is the same release."""
    before = environment.last_good
    if before and not _runs_with_role_of(before, release):
        before = None
    others = [
        other for other in environment.good if not _is_same(other, release) and _runs_with_role_of(other, release)
    ]
    record = encode_record(release)
    releases = [record, *map(encode_record, others)][:_RELEASES]
    moved: Changes = {"live": record, "last_good": record, "releases": releases}
    return moved | {"previous": encode_record(before)} if before and not _is_same(before, release) else moved


def _runs_with_role_of(older: Release, newer: Release) -> bool:
    """Whether no one deleted the proxy's role between both: a version cannot serve without the role that it was
    published with, and no rollback may go there."""
    return older.parameters.get("RoleMark", "") == newer.parameters.get("RoleMark", "")


def _is_same(older: Release, newer: Release) -> bool:
    """Whether both are one release; a record of an older control plane does not say with which secret version."""
    return older.version == newer.version and older.secret_version in ("", newer.secret_version)


def _rolled_back(environment: Environment, back: RollBackEvidence) -> Changes:
    target = (back.version, back.secret_to)
    by_identity = {release.identity: release for release in environment.good}
    release = by_identity.get(target) or Release(back.version, back.release_of, back.to, secret_version=back.secret_to)
    # The next rollback goes further back, never forward to the release that was just left.
    identities = [release.identity for release in environment.releases]
    older = environment.releases[identities.index(target) + 1 :] if target in identities else ()
    record = encode_record(release)
    previous = encode_record(older[0]) if older else None
    return {"status": "LIVE", "live": record, "last_good": record, "previous": previous}


def _verdict(request: Request, outcome: Outcome, at: str) -> dict[str, str]:
    verdict = {"at": at, "verdict": "GOOD" if outcome.is_good else "BAD", "deployment_id": request.deployment_id}
    return verdict if outcome.is_good else verdict | {"why": outcome.summary[:LONGEST_WHY]}
