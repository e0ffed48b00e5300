"""One judge a row: facts → verdict. Pure."""

from collections.abc import Callable, Mapping

from installer.verify.facts import Facts
from installer.verify.rows import ROWS, Row
from installer.verify.verdicts import Outcome, Result, Verdict, failed, not_run, passed

_ANSWER_LIMIT_S = 10.0


def judged(facts: Facts, *, embedded: bool) -> list[Result]:
    """A result for every row, in the order of the page."""
    return [_result(row, facts, embedded=embedded) for row in ROWS]


def _result(row: Row, facts: Facts, *, embedded: bool) -> Result:
    verdict = _verdict(row, facts, embedded=embedded)
    return Result(row.key, verdict.outcome, verdict.detail, row.mend)


def _verdict(row: Row, facts: Facts, *, embedded: bool) -> Verdict:
    if row.by_hand:
        return not_run(f"{row.by_hand}: {row.command}")
    if embedded and row.embedded:
        return not_run(row.embedded)
    return JUDGES[row.key](facts)


def steps(facts: Facts) -> list[Result]:
    """What is no row of the page: the rollouts themselves."""
    return [
        Result("all-phases", *_pair(_all_phases(facts))),
        Result("alarm-delivery", *_pair(_alarms(facts))),
        Result("bad-release", *_pair(_bad_release(facts))),
        Result("clean-up", *_pair(_clean_up(facts))),
    ]


def _pair(verdict: Verdict) -> tuple[Outcome, str]:
    return verdict.outcome, verdict.detail


def _missing(facts: Facts, step: str) -> Verdict:
    return not_run(f"step {step} did not get so far: {facts.failures.get(step, 'an earlier step failed')}")


def _message(facts: Facts, step: str) -> str:
    deployment = facts.deployments.get(step)
    return deployment.get("error", {}).get("message", "") if deployment else ""


def _all_phases(facts: Facts) -> Verdict:
    deployment = facts.deployments.get("deploy")
    if deployment is None:
        return _missing(facts, "deploy")
    done = sum(row["status"] == "SUCCEEDED" for row in deployment.get("phases", []))
    detail = f"{deployment['status']}, {done} of {len(deployment.get('phases', []))} phases"
    error = deployment.get("error", {}).get("message", "")
    return passed(detail) if deployment["status"] == "SUCCEEDED" else failed(f"{detail}: {error}")


def _alarms(facts: Facts) -> Verdict:
    evidence = facts.evidence("deploy", "configure_monitoring")
    if not evidence:
        return _missing(facts, "deploy")
    heard, alarms = evidence.get("heard") or [], evidence.get("alarms") or []
    detail = f"{len(heard)} of {len(alarms)} notifications arrived"
    return passed(detail) if alarms and len(heard) == len(alarms) else failed(detail)


def _bad_release(facts: Facts) -> Verdict:
    if not facts.status("bad"):
        return _missing(facts, "bad")
    code = facts.deployments["bad"].get("error", {}).get("code", "")
    summary = facts.deployments["bad"].get("summary", "")
    detail = f"{facts.status('bad')} ({code})"
    return passed(detail) if facts.status("bad") == "FAILED" and ", healthy" in summary else failed(detail)


def _clean_up(facts: Facts) -> Verdict:
    if not facts.status("cleanup"):
        return _missing(facts, "cleanup")
    if facts.left:
        return failed(f"left: {', '.join(facts.left)}")
    return passed("nothing is left") if facts.status("cleanup") == "SUCCEEDED" else failed(facts.status("cleanup"))


def _up(facts: Facts) -> Verdict:
    return passed(facts.control_plane) if facts.control_plane else _missing(facts, "up")


def _self_upgrade(facts: Facts) -> Verdict:
    if not facts.upgrades:
        return _missing(facts, "bad")
    problems = [problem for problem in facts.upgrades if problem]
    if problems:
        return failed("; ".join(problems))
    return passed(f"{len(facts.upgrades)} upgrades; the last: {facts.deployments['upgrade'].get('summary', '')}")


def _streaming(facts: Facts) -> Verdict:
    stream = facts.stream
    if stream is None:
        return _missing(facts, "stream")
    if stream.status != 200 or "[DONE]" not in stream.text:
        return failed(f"status {stream.status}, {len(stream.text)} characters, no end")
    first, last = stream.arrivals[0].at_s, stream.arrivals[-1].at_s
    detail = f"{len(stream.arrivals)} pieces from {first:.2f} s to {last:.2f} s"
    return passed(detail) if stream.came_in_pieces else failed(f"{detail}: all at once")


def _content_type(facts: Facts) -> Verdict:
    stream = facts.stream
    if stream is None:
        return _missing(facts, "stream")
    sound = stream.content_type.startswith("text/event-stream") and stream.text.startswith("data:")
    detail = f"{stream.content_type or 'no content type'}, begins with {stream.text[:24]!r}"
    return passed(detail) if sound else failed(detail)


def _no_body(facts: Facts) -> Verdict:
    if not facts.no_body:
        return _missing(facts, "no-body")
    slow = {method: took for method, (_, took) in facts.no_body.items() if took > _ANSWER_LIMIT_S}
    detail = ", ".join(f"{method} {status} in {took:.2f} s" for method, (status, took) in facts.no_body.items())
    return failed(detail) if slow else passed(detail)


def _runtime_loop(facts: Facts) -> Verdict:
    if not facts.status("deploy"):
        return _missing(facts, "deploy")
    detail = f"{facts.exit_errors} Runtime.ExitError in the function's log"
    sound = facts.exit_errors == 0 and bool(facts.evidence("deploy", "release_code").get("health"))
    return passed(detail) if sound else failed(detail)


def _init_duration(facts: Facts) -> Verdict:
    return passed(f"{facts.init_lines} REPORT lines have one") if facts.init_lines else failed("no REPORT line has one")


def _weights(facts: Facts) -> Verdict:
    if not facts.status("shift"):
        return _missing(facts, "shift")
    detail = ", ".join(f"version {name}: {count:.0f}" for name, count in sorted(facts.invocations.items()))
    both = sum(count > 0 for count in facts.invocations.values()) >= 2
    return passed(detail) if both else failed(detail or "no invocations by ExecutedVersion")


def _comparison(facts: Facts) -> Verdict:
    rows = facts.evidence("shift", "shift_traffic").get("judgements") or []
    if not rows:
        return _missing(facts, "shift")
    words = [str(row.get("against_live", "")) for row in rows]
    judged = [word for word in words if not word.startswith("NOT RUN")]
    return passed("; ".join(judged)) if judged else failed("; ".join(words))


def _gateway_metrics(facts: Facts) -> Verdict:
    count = facts.counts.get("gateway", 0.0)
    detail = f"{count:.0f} requests under the dimensions of the alarms"
    return passed(detail) if count else failed(detail)


def _request_id_header(facts: Facts) -> Verdict:
    if facts.status("header") != "SUCCEEDED" or facts.forbidden_headers is None:
        status = facts.status("header")
        return failed(f"{status}: {_message(facts, 'header')}") if status else _missing(facts, "header")
    present = "x-request-id" in facts.forbidden_headers
    return passed("a 403 of API Gateway's has it") if present else failed("a 403 of API Gateway's lacks it")


def _conditional_statements(facts: Facts) -> Verdict:
    simulated = facts.evidence("deploy", "preflight").get("simulated") or {}
    if not simulated:
        return _missing(facts, "deploy")
    return failed(str(simulated["not_run"])) if simulated.get("not_run") else passed("all simulated")


def _simulator_lists(facts: Facts) -> Verdict:
    evidence = facts.evidence("deploy", "preflight")
    if not (simulated := evidence.get("simulated") or {}):
        return _missing(facts, "deploy")
    not_run = [each["message"] for each in evidence.get("findings") or () if "NOT RUN" in each.get("message", "")]
    if not_run:
        return failed("; ".join(not_run))
    by_text = simulated.get("by_text") or ()
    return passed(f"{simulated.get('actions')} actions decided, {len(by_text)} of them by the text of their policy")


def _emf(facts: Facts) -> Verdict:
    count = facts.counts.get("emf", 0.0)
    return passed(f"{count:.0f} metrics of the environment") if count else failed("no metric in namespace proxyctl")


def _error_names(facts: Facts) -> Verdict:
    if not facts.errors:
        return _missing(facts, "bad")
    unnamed = [name for name in facts.errors if name.startswith(("Runtime.", "Lambda."))]
    return failed(", ".join(unnamed)) if unnamed else passed(", ".join(sorted(set(facts.errors))))


def _drift(facts: Facts) -> Verdict:
    if not facts.status("drifted"):
        return _missing(facts, "drifted")
    message = _message(facts, "drifted")
    is_named = facts.status("drifted") == "FAILED" and "/Policies" in message
    return passed("/Policies is named") if is_named else failed(f"{facts.status('drifted')}: {message}")


def _no_drift(facts: Facts) -> Verdict:
    if not facts.status("clean"):
        return _missing(facts, "clean")
    return passed("none") if facts.status("clean") == "SUCCEEDED" else failed(_message(facts, "clean"))


def _rollback_settings(facts: Facts) -> Verdict:
    if facts.stage_rates is None:
        return _missing(facts, "rollback")
    first, changed, restored = facts.stage_rates
    detail = f"the stage's rate went {first:g} -> {changed:g} -> {restored:g}"
    return passed(detail) if first == restored != changed else failed(detail)


def _revision_id(facts: Facts) -> Verdict:
    if facts.revisions is None:
        return _missing(facts, "revisions")
    first, second = facts.revisions
    return passed("two RevisionIds") if first != second else failed("the same RevisionId")


JUDGES: Mapping[str, Callable[[Facts], Verdict]] = {
    "up": _up,
    "self-upgrade": _self_upgrade,
    "streaming": _streaming,
    "stream-content-type": _content_type,
    "no-body": _no_body,
    "runtime-loop": _runtime_loop,
    "init-duration": _init_duration,
    "weights": _weights,
    "comparison": _comparison,
    "gateway-metrics": _gateway_metrics,
    "request-id-header": _request_id_header,
    "conditional-statements": _conditional_statements,
    "simulator-lists": _simulator_lists,
    "emf": _emf,
    "error-names": _error_names,
    "drift": _drift,
    "no-drift": _no_drift,
    "rollback-settings": _rollback_settings,
    "revision-id": _revision_id,
}
