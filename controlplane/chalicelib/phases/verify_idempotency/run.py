"""Phase 11: proves that the same deployment, repeated, changes nothing.

Every phase would be skipped; one setting changes without a redeploy; the candidate goes back and forward. The proof
touches only `$LATEST` and the candidate alias, never what users reach, and restores both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.functions import alias_of
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.idempotency import IdempotencyEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Plan, Request, Result, applied_as
from chalicelib.ports import Aws
from chalicelib.stack.recovery import repair

from . import change_setting, move_candidate, proof
from .cursor import IdempotencyCursor
from .proof import has_open_check

# Lambda settles an update, and an alias takes effect, within seconds; past this something is wrong.
_PATIENCE_S = 120
_NO_EARLIER = "NOT RUN: there is no earlier version to go back to"


def fingerprint(request: Request, aws: Aws) -> str:
    """Stack, version, code and configuration: one proof for each release suffices."""
    return fingerprint_of(_release(request), request.config)


def _release(request: Request) -> str:
    release, stack = request.results.find(ReleaseEvidence), request.results.find(StackEvidence)
    return fingerprint_of(
        stack.stack_id if stack else None,  # another stack numbers its versions from 1 again
        release.version if release else None,
        release.code_sha256 if release else None,
    )


def run(request: Request, aws: Aws) -> Result[IdempotencyEvidence]:
    """Go through the steps as far as AWS allows in this call; a step that answers itself waits.

    Raises PhaseFailed: NotIdempotent, SettingNotChangedAlone, SettingNotRestored, NotSettled after two minutes.
    """
    cursor = request.cursor_as(IdempotencyCursor)
    while cursor.step != "end":
        after = _STEPS[cursor.step](cursor, request, aws)
        if after.step == cursor.step:
            return _wait(after, request)
        cursor = after
    evidence = _evidence(cursor, request)
    setting = "one setting changed and came back without a redeploy"
    since = f" (deployment {cursor.done_by}, the same release)" if cursor.done_by else ""
    return Result.done(
        f"{len(evidence.planned)} phases would change nothing; {setting}; {evidence.back_and_forward}{since}", evidence
    )


def _replan(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Check the fingerprints (`request.plan`). A candidate that an interrupted call left on an earlier version is moved
    back first, and the plan is made again."""
    released = request.results.of(ReleaseEvidence).version
    if alias_of(aws.functions.aliases(request.names.function), "candidate").version != released:
        move_candidate.point(released, request, aws)
        return cursor
    plan = proof.replan(request.plan, request.results.recorded)
    if plan.changed:
        raise _not_idempotent(plan.changed, request, aws)
    cursor = replace(cursor, step="change", planned=plan.unchanged, asks_again=plan.open)
    return _with_earlier_proof(cursor, request)


def _not_idempotent(changed: Sequence[str], request: Request, aws: Aws) -> PhaseFailed:
    """The failure; it names what was deleted or changed underneath the stack meanwhile. Raises PhaseFailed itself for a
    lost API, function or role."""
    stack = aws.stacks.find(request.names.stack)
    losses = repair.find_losses(stack, request, aws) if stack else ()
    repair.refuse_what_a_deploy_makes_again(losses, request)
    cause = f": {', '.join(map(str, losses))}" if losses else ""
    return PhaseFailed(
        f"the same deployment again would run {', '.join(changed)}{cause}",
        code="NotIdempotent",
        remedy="Something outside changed what these phases set up, or they see their own work as a change.",
        evidence={"would_act": list(changed)},
    )


def _with_earlier_proof(cursor: IdempotencyCursor, request: Request) -> IdempotencyCursor:
    """Go on to the end where only settings of the stack changed: changing a setting of the same function version and
    moving the candidate would repeat what is on record. What this deployment changed has just been planned again."""
    before = request.environment.applied.get(IdempotencyEvidence.PHASE)
    proof_before = applied_as(request.environment, IdempotencyEvidence)
    is_same = proof_before is not None and proof_before.release == _release(request)
    if before is None or proof_before is None or not is_same or has_open_check(proof_before.back_and_forward):
        return cursor
    done_by = proof_before.done_by or before.deployment_id
    return replace(cursor, step="end", done_by=done_by, back_and_forward=proof_before.back_and_forward)


_STEPS: Mapping[str, Callable[[IdempotencyCursor, Request, Aws], IdempotencyCursor]] = {
    "replan": _replan,
    "change": change_setting.change,
    "restore": change_setting.restore,
    "confirm": change_setting.confirm,
    "back": move_candidate.back,
    "forward": move_candidate.forward,
}


def _wait(cursor: IdempotencyCursor, request: Request) -> Result[IdempotencyEvidence]:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"step {cursor.step} did not settle within {_PATIENCE_S} s", code="NotSettled", remedy="Try again later."
        )
    return request.wait(f"Waiting for Lambda ({cursor.step})", step=cursor.step, cursor=cursor)


def _evidence(cursor: IdempotencyCursor, request: Request) -> IdempotencyEvidence:
    released = request.results.of(ReleaseEvidence).version
    moves = f"the candidate went back to version {cursor.earlier} and forward to {released}"
    return IdempotencyEvidence(
        planned=cursor.planned,
        asks_again=cursor.asks_again,
        setting_changed_alone=proof.VARIABLE,
        back_and_forward=cursor.back_and_forward or (moves if cursor.earlier else _NO_EARLIER),
        release=_release(request),
        done_by=cursor.done_by or None,
    )


PHASE = Definition(run, IdempotencyEvidence, IdempotencyCursor, fingerprint, plan=Plan.AGAIN)
