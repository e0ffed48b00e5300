"""make verify-account: rows and page agree, each row has a judge, and each judge decides on both sides."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctl.shapes import Deployment
from installer.errors import CannotStart
from installer.verify import estimate, judges, planted, rows, upstream, verdicts
from installer.verify.__main__ import confirm
from installer.verify.facts import Facts
from installer.verify.own_upgrade import Serving, versions_in
from installer.verify.streaming import Arrival, Stream
from installer.verify.verdicts import Outcome, Result


def ended(status: str = "SUCCEEDED", message: str = "", **evidence: Any) -> Deployment:
    phases: Any = [
        {"number": 1, "name": name, "status": status, "evidence": answer} for name, answer in evidence.items()
    ]
    return Deployment(id="d", environment="v", status=status, phases=phases, error={"message": message, "code": "C"})


UNHEALTHY = ended("FAILED", "the candidate is unhealthy")


def sound() -> Facts:
    """A run in an account in which all was as it must be."""
    deployed = ended(
        preflight={"simulated": {"actions": 400}},
        configure_monitoring={"heard": ["a", "b"], "alarms": ["a", "b"]},
        release_code={"health": {"status": "ok"}},
    )
    judged = {"judgements": [{"against_live": "not worse (p 0.4)"}]}
    return Facts(
        control_plane="the control API answers",
        deployments={
            "deploy": deployed,
            "clean": ended(),
            "shift": ended(shift_traffic=judged),
            "rollback": ended(),
            "bad": UNHEALTHY | {"summary": "It failed. Users: still on version 2, healthy"},
            "header": ended(),
            "drifted": ended("FAILED", "drift: role: /Policies changed"),
            "cleanup": ended(),
            "upgrade": ended(),
        },
        upgrades=("", ""),
        stream=Stream(200, "text/event-stream", [Arrival(0.3 * at, f"data: {at}\n\n") for at in range(4)] + [DONE]),
        no_body={"HEAD": (200, 0.3), "OPTIONS": (204, 0.2)},
        counts={"emf": 4, "gateway": 30},
        invocations={"1": 10, "2": 3},
        init_lines=2,
        errors=("CandidateUnhealthy",),
        revisions=("a", "b"),
        stage_rates=(50, 40, 50),
        forbidden_headers={"x-request-id": "1"},
    )


DONE = Arrival(1.4, "data: [DONE]\n\n")
BY_HAND = {row.key for row in rows.ROWS if row.by_hand}


def outcomes(facts: Facts, *, embedded: bool = False) -> dict[str, Outcome]:
    return {result.key: result.outcome for result in judges.judged(facts, embedded=embedded)}


def test_the_page_holds_the_table_of_these_rows() -> None:
    page = rows.PAGE.read_text()
    assert rows.written(page) == page, "run: python -m installer.verify.rows"


@pytest.mark.parametrize("key", ["streaming", "stream-content-type", "no-body", "gateway-metrics", "request-id-header"])
def test_a_row_in_doubt_names_the_switch_that_mends_it(key: str) -> None:
    """Issue 10, rows dd, m and w."""
    assert next(row for row in rows.ROWS if row.key == key).mend


def test_every_row_has_one_judge_or_a_reason_why_none_can_be() -> None:
    assert len({row.key for row in rows.ROWS}) == len(rows.ROWS)
    assert set(judges.JUDGES) == {row.key for row in rows.ROWS} - BY_HAND


def test_a_sound_account_passes_every_row_that_the_command_can_see() -> None:
    observed = outcomes(sound())
    assert {key for key, outcome in observed.items() if outcome is Outcome.NOT_RUN} == BY_HAND
    assert {outcome for key, outcome in observed.items() if key not in BY_HAND} == {Outcome.PASSED}
    assert {result.outcome for result in judges.steps(sound())} == {Outcome.PASSED}


def test_a_run_that_ended_at_once_judges_nothing_as_passed() -> None:
    facts = Facts(failures={"up": "AccessDenied"})
    assert Outcome.PASSED not in outcomes(facts).values()
    assert {result.outcome for result in judges.steps(facts)} == {Outcome.NOT_RUN}


def test_the_embedded_cloud_says_not_run_where_it_cannot_show_a_row() -> None:
    observed = outcomes(sound(), embedded=True)
    for row in rows.ROWS:
        expected = Outcome.NOT_RUN if row.embedded or row.by_hand else Outcome.PASSED
        assert observed[row.key] is expected, row.key


def events(*arrivals: tuple[float, str], status: int = 200, content_type: str = "text/event-stream") -> Stream:
    return Stream(status, content_type, [Arrival(at_s, text) for at_s, text in arrivals])


AT_ONCE = events((1.5, "data: 1\n\n"), (1.5, "x"), (1.6, "data: [DONE]"))
PRELUDE = events((0.1, '{"statusCode": 200}'), (1, "x"), (1.4, "data: [DONE]"))
BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "buffered": ("streaming", {"stream": AT_ONCE}),
    "cut": ("streaming", {"stream": events((0, "data: a"), (1, "b"), (2, "c"))}),
    "refused": ("streaming", {"stream": events((0, "data: [DONE]"), status=502)}),
    "prelude": ("stream-content-type", {"stream": PRELUDE}),
    "another type": ("stream-content-type", {"stream": replace(AT_ONCE, content_type="application/octet-stream")}),
    "hangs": ("no-body", {"no_body": {"HEAD": (200, 10.1)}}),
    "exits": ("runtime-loop", {"exit_errors": 1}),
    "no init": ("init-duration", {"init_lines": 0}),
    "one version": ("weights", {"invocations": {"1": 10, "2": 0}}),
    "no metrics": ("gateway-metrics", {"counts": {"emf": 4, "gateway": 0}}),
    "no emf": ("emf", {"counts": {"gateway": 4}}),
    "no header": ("request-id-header", {"forbidden_headers": {}}),
    "renamed": ("error-names", {"errors": ("Runtime.HandlerError",)}),
    "same revision": ("revision-id", {"revisions": ("a", "a")}),
    "not restored": ("rollback-settings", {"stage_rates": (50, 40, 40)}),
    "not changed": ("rollback-settings", {"stage_rates": (50, 50, 50)}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_as_it_must_be_fails_its_row_and_no_other(case: str) -> None:
    key, changed = BROKEN[case]
    observed = outcomes(replace(sound(), **changed))
    failing = {name for name, outcome in observed.items() if outcome is Outcome.FAILED}
    assert key in failing
    assert failing <= {key, *({"streaming", "stream-content-type"} if "stream" in changed else set())}


@pytest.mark.parametrize(
    ("step", "deployment", "key"),
    [
        ("clean", ended("FAILED", "drift"), "no-drift"),
        ("drifted", ended("SUCCEEDED"), "drift"),
        ("drifted", ended("FAILED", "no permission"), "drift"),
        ("header", ended("FAILED", "Invalid mapping expression"), "request-id-header"),
        ("shift", ended(shift_traffic={"judgements": [{"against_live": "NOT RUN: no weights"}]}), "comparison"),
        ("deploy", ended(preflight={"simulated": {"not_run": "NOT RUN"}}, release_code={"health": {"a": 1}}),
         "conditional-statements"),
    ],
)  # fmt: skip
def test_a_rollout_that_ended_otherwise_fails_its_row(step: str, deployment: Deployment, key: str) -> None:
    facts = sound()
    facts.deployments[step] = deployment
    assert outcomes(facts)[key] is Outcome.FAILED


@pytest.mark.parametrize(
    ("step", "deployment", "key"),
    [
        ("deploy", ended("FAILED", "denied"), "all-phases"),
        ("deploy", ended(configure_monitoring={"heard": ["a"], "alarms": ["a", "b"]}), "alarm-delivery"),
        ("bad", ended("SUCCEEDED"), "bad-release"),
        ("bad", UNHEALTHY | {"status": "ROLLED_BACK", "summary": "Users: back on version 2, healthy"}, "bad-release"),
        ("bad", UNHEALTHY | {"summary": "It failed. Users: the alias is gone"}, "bad-release"),
        ("cleanup", ended("FAILED"), "clean-up"),
    ],
)
def test_a_step_that_ended_otherwise_fails(step: str, deployment: Deployment, key: str) -> None:
    facts = sound()
    facts.deployments[step] = deployment
    failing = {result.key for result in judges.steps(facts) if result.outcome is Outcome.FAILED}
    assert key in failing


def test_leftovers_fail_the_clean_up_by_name() -> None:
    (result,) = [result for result in judges.steps(replace(sound(), left=("a log group",))) if result.key == "clean-up"]
    assert (result.outcome, result.detail) == (Outcome.FAILED, "left: a log group")


def test_a_failed_row_names_its_switch_and_a_passed_one_does_not() -> None:
    result = Result("streaming", Outcome.FAILED, "all at once", "`config.response_mode`")
    assert verdicts.line(result).endswith("all at once; switch: `config.response_mode`")
    assert "switch" not in verdicts.line(replace(result, outcome=Outcome.PASSED))


@given(st.from_regex(r"[0-9]{12}", fullmatch=True), st.from_regex(r"[a-z0-9]{10}", fullmatch=True))
def test_the_file_for_an_issue_names_no_account_and_no_api(account: str, api: str) -> None:
    detail = f"arn:aws:iam::{account}:role/x at https://{api}.execute-api.eu-central-1.amazonaws.com/api"
    text = verdicts.report([Result("up", Outcome.FAILED, detail)], {"region": "eu-central-1"})
    assert f":{account}:" not in text
    assert f"//{api}." not in text
    assert json.loads(text)["results"][0]["outcome"] == "FAILED"


def test_the_estimate_adds_up_and_stays_below_half_a_dollar() -> None:
    assert estimate.total() == pytest.approx(sum(each.usd for each in estimate.LINES))
    assert 0.05 < estimate.total() < 0.50
    assert f"${estimate.total():.2f}" in "\n".join(estimate.lines())


def test_the_planted_fault_breaks_every_answer_of_the_proxy_that_is_checked_out() -> None:
    source = (rows.PAGE.parents[1] / "proxy" / "core.py").read_text()
    spoiled = planted.spoiled(source)
    compile(spoiled, "core.py", "exec")
    assert spoiled.count("planted by make verify-account") == 1
    with pytest.raises(ValueError, match="has no line"):
        planted.spoiled("nothing to spoil")


def test_without_a_terminal_nothing_begins_unless_yes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(CannotStart, match="ARGS=--yes"):
        confirm()


def test_the_stub_fits_inline_and_nobody_without_its_key_is_answered() -> None:
    assert len(upstream.source()) <= 4_096
    resources: Any = upstream.template("sk-stub-1")["Resources"]
    assert resources["Stub"]["Properties"]["Environment"] == {"Variables": {"STUB_KEY": "sk-stub-1"}}
    assert resources["Url"]["Properties"]["InvokeMode"] == "RESPONSE_STREAM"
    assert {resources[name]["Properties"]["Action"] for name in ("ByUrl", "ByCall")} == {
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
    }


BEFORE = Serving("r-1", "r-1", {"f": "1", "g": "1"}, {"f": "1"})
AFTER = Serving("r-2", "r-2", {"f": "2", "g": "2"}, {"f": "2"})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"release": "r-1", "installed": "r-1"}, "release 'r-1'"),
        ({"release": "r-3"}, "release 'r-3'"),
        ({"live": {"f": "2", "g": "1"}}, "before: g"),
        ({"live": {}}, "no function"),
        ({"named": {"f": "1"}}, "other versions: f"),
        ({"named": {}}, "other versions: none"),
        ({"role": "arn:role"}, "a role stays"),
    ],
)
def test_an_upgrade_is_judged_by_what_serves_afterwards(change: dict[str, Any], problem: str) -> None:
    problems = list(replace(AFTER, **change).problems(BEFORE))
    assert bool(problems) is bool(problem)
    assert problem in "; ".join(problems)


def test_a_state_machine_names_versions_of_functions() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:proxyctl-Sweep-1"
    definition = {"States": {"A": {"Resource": f"{arn}:7"}, "B": {"Parameters": {"FunctionName": f"{arn}2:12"}}}}
    assert versions_in(json.dumps(definition)) == {"proxyctl-Sweep-1": "7", "proxyctl-Sweep-12": "12"}


@pytest.mark.parametrize(
    ("upgrades", "outcome"),
    [((), Outcome.NOT_RUN), (("", ""), Outcome.PASSED), (("", "live is on 1"), Outcome.FAILED)],
)
def test_a_run_passes_its_upgrades_only_when_nothing_was_wrong(upgrades: tuple[str, ...], outcome: Outcome) -> None:
    assert outcomes(replace(sound(), upgrades=upgrades))["self-upgrade"] is outcome
