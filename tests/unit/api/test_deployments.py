"""POST and GET /deployments, as a caller sees them."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from chalicelib.api import control, deployments, secrets
from chalicelib.api.answers import Answer, ApiCall
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.domain.model import LEASE_S, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.times import Clock
from chalicelib.lifecycle.queue import start_next
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.calls import NOW, ask, error
from tests.fakes.served_api import served, sign


def post(aws: FakeAws, body: Any = None, **other: Any) -> Answer[Any]:
    return ask(aws, deployments.start, {"environment": "dev", "action": "deploy"} if body is None else body, **other)


def test_a_post_is_accepted_recorded_locked_and_started_under_its_own_id() -> None:
    aws = FakeAws()
    answer = post(aws)
    started = answer.body["id"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"deployments/{started}"
    given = {"deployment_id": started, "environment": "dev", "action": "deploy", "approval": "none", "plan": "no"}
    assert aws.executions.started == {started: given}
    lock = aws.records.environment("dev").lock
    assert lock is not None
    assert lock.deployment_id == started
    assert aws.records.deployment(started).caller == "arn:aws:iam::1:user/ann"


def test_a_busy_environment_answers_409_and_names_the_holder() -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    second = post(aws)
    assert second.status == 409
    assert error(second)["holder"] == first
    assert error(second)["code"] == "EnvironmentBusy"


def test_the_same_key_and_body_give_the_same_deployment() -> None:
    aws = FakeAws()
    first, second = post(aws, key="k"), post(aws, key="k")
    assert (first.status, second.status) == (202, 202)
    assert first.body["id"] == second.body["id"]
    assert len(aws.executions.started) == 1


def test_the_same_key_with_another_body_is_refused() -> None:
    aws = FakeAws()
    post(aws, key="k")
    answer = post(aws, {"environment": "dev", "action": "deploy", "options": {"force": True}}, key="k")
    assert answer.status == 409
    assert error(answer)["code"] == "IdempotencyKeyReused"


def test_one_callers_key_is_not_anothers() -> None:
    aws = FakeAws()
    post(aws, key="k")
    assert post(aws, {"environment": "prod"}, key="k", caller="arn:aws:iam::1:user/bob").status == 202


def test_a_starter_that_died_after_its_record_is_healed_by_the_next_call() -> None:
    aws = FakeAws()
    start = aws.executions.start

    def dies(name: str, given: Any) -> str:
        raise AwsCallFailed("step functions is away")

    aws.executions.start = dies  # type: ignore[method-assign]
    assert post(aws, key="k").status == 500
    aws.executions.start = start  # type: ignore[method-assign]
    answer = post(aws, key="k")
    assert answer.status == 202
    assert list(aws.executions.started) == [answer.body["id"]]


@pytest.mark.parametrize("ended", ["FAILED", "ABORTED", "TIMED_OUT", None])
def test_a_lock_of_a_dead_execution_is_taken_over(ended: str | None) -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:proxyctl-rollout:{first}"
    aws.records.attributes["dev"]["lock"]["execution_arn"] = arn
    aws.executions.statuses.pop(arn)
    if ended:
        aws.executions.statuses[arn] = ended
    second = post(aws)
    assert second.status == 202
    settling = [name for name, given in aws.executions.started.items() if given.get("settle")]
    assert [name.partition("-settle-")[0] for name in settling] == [first]


def test_a_lock_without_an_execution_is_dead_only_when_it_is_no_longer_young() -> None:
    aws = FakeAws()
    post(aws)
    assert post(aws, now=NOW + timedelta(seconds=30)).status == 409
    assert post(aws, now=NOW + timedelta(seconds=90)).status == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "environment"),
        ({"environment": "Dev"}, "environment"),
        ({"environment": "a" * 21}, "environment"),
        ({"environment": "dev", "action": "explode"}, "action"),
        ({"environment": "dev", "colour": 1}, "colour"),
        ({"environment": "dev", "config": {"memory": 1}}, "config.memory"),
        ({"environment": "dev", "config": {"memory_mb": 64}}, "config.memory_mb"),
        ({"environment": "dev", "config": {"memory_mb": "512"}}, "config.memory_mb"),
        ({"environment": "dev", "config": {"throttle": {"rate": 1}}}, "config.throttle.rate"),
        ({"environment": "dev", "config": {"log_retention_days": 2}}, "config.log_retention_days"),
        ({"environment": "dev", "options": {"bake": {"steps": [50, 10]}}}, "options.bake.steps"),
        ({"environment": "dev\n"}, "environment"),
        ({"environment": "dev", "options": {"slo": {"p99_ms": -1}}}, "options.slo.p99_ms"),
        ({"environment": "dev", "options": {"slo": {"error_rate": 7}}}, "options.slo.error_rate"),
        ({"environment": "dev", "options": {"reason": "x" * 1001}}, "options.reason"),
        ({"environment": "dev", "config": {"alarms": {"throttles": 0}}}, "config.alarms.throttles"),
        ({"environment": "dev", "config": {"secret_arn": "*"}}, "config.secret_arn"),
        ({"environment": "dev", "config": {"notify": ["not an address"]}}, "config.notify"),
        *(
            ({"environment": "dev", "config": {"notify": [f"https://{host}/x"]}}, "config.notify")
            for host in (
                "10.0.0.1",
                "127.0.0.1",
                "127.1",
                "169.254.169.254",
                "[::1]",
                "localhost",
                "a..b",
                "a.internal",
            )
        ),
        (
            {"environment": "dev", "config": {"webhook": {"url": "http://127.0.0.1:80@a.example/"}}},
            "config.webhook.url",
        ),
        ({"environment": "dev", "config": {"webhook": {"url": "https://"}}}, "config.webhook.url"),
        ({"environment": "dev", "config": {"webhook": {"url": "https://[x"}}}, "config.webhook.url"),
        (b'{"environment": "dev", "options": {"slo": {"p99_ms": NaN}}}', "body"),
        (b'{"environment": "dev", "options": {"reason": "\\ud800"}}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"environment": "dev", "environment": "prod"}', "environment"),
        (b'{"environment": "dev", "config": {"memory_mb": 256, "memory_mb": 512}}', "config.memory_mb"),
        (b'{"environment": "dev", "options": {"bake": {"steps": [1], "steps": [2]}}}', "options.bake.steps"),
        (b'{"environment": "dev", "config": {"notify": [{"a": 1, "a": 2}]}}', "config.notify[0].a"),
        (["environment"], "body"),
        (b"{", "body"),
    ],
)
def test_wrong_input_is_400_with_the_field_and_a_remedy_and_starts_nothing(body: Any, field: str) -> None:
    aws = FakeAws()
    answer = post(aws, body)
    assert answer.status == 400
    assert error(answer)["field"] == field
    assert error(answer)["remedy"]
    assert not aws.executions.started


@pytest.mark.parametrize("action", ["rollback", "revalidate"])
def test_what_needs_a_release_is_404_for_an_environment_that_nobody_made(action: str) -> None:
    aws = FakeAws()
    answer = post(aws, {"environment": "ghost", "action": action})
    assert (answer.status, error(answer)["field"]) == (404, "environment")
    assert not aws.executions.started


@pytest.mark.parametrize("action", ["rollback", "revalidate"])
def test_what_needs_a_release_is_409_for_an_environment_that_was_removed(action: str) -> None:
    aws = FakeAws()
    aws.records.attributes["gone"] = {"status": "REMOVED"}
    answer = post(aws, {"environment": "gone", "action": action})
    assert (answer.status, error(answer)["code"]) == (409, "EnvironmentRemoved")


def test_an_empty_idempotency_key_is_refused() -> None:
    assert error(post(FakeAws(), key=""))["field"] == "Idempotency-Key"


def test_an_error_that_nobody_thought_of_tells_the_caller_nothing_of_its_text() -> None:
    def broken(call: ApiCall, aws: Aws, clock: Clock) -> Answer[Any]:
        raise RuntimeError("sk-secret")

    answer = ask(FakeAws(), broken)
    assert answer.status == 500
    assert "sk-secret" not in json.dumps(answer.body)


def test_a_deploy_that_says_nothing_of_config_keeps_what_the_environment_runs_with() -> None:
    aws = FakeAws()
    good = {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": {"memory_mb": 1024}}
    aws.records.attributes["dev"] = {"last_good": good}
    assert aws.records.deployment(post(aws).body["id"]).config.memory_mb == 1024


def test_show_has_all_twelve_phases_and_those_not_reached_are_pending() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    first = PhaseRecord(1, "preflight", PhaseStatus.SUCCEEDED, "2026-01-02T00:00:00+00:00", "2026-01-02T00:00:02+00:00")
    aws.records.put_phase(started, first)
    aws.records.put_phase(started, PhaseRecord(0, "acquire_lock", PhaseStatus.SUCCEEDED))
    answer = ask(aws, deployments.show, id=started).body
    assert [phase["number"] for phase in answer["phases"]] == list(range(1, 13))
    assert [phase["status"] for phase in answer["phases"]] == ["SUCCEEDED"] + ["PENDING"] * 11
    assert (answer["phases"][0]["duration_s"], answer["percent"]) == (2.0, 8)
    assert [step["name"] for step in answer["steps"]] == ["acquire_lock"]


@pytest.mark.parametrize("given", ["d" * 3_000, "d-1\n", "../x", ""])
def test_what_no_deployment_is_called_is_404(given: str) -> None:
    assert ask(FakeAws(), deployments.show, id=given).status == 404


def test_a_deployment_that_does_not_exist_is_404() -> None:
    answer = ask(FakeAws(), deployments.show, id="d-nope")
    assert answer.status == 404
    assert error(answer)["field"] == "id"


def test_lists_are_paged_and_refuse_what_they_do_not_know() -> None:
    aws = FakeAws()
    for number in range(3):
        post(aws, {"environment": f"env{number}", "create": True}, now=NOW + timedelta(seconds=number))
    first = ask(aws, deployments.index, query={"limit": "2"}).body
    second = ask(aws, deployments.index, query={"limit": "2", "cursor": first["cursor"]}).body
    assert [item["environment"] for item in first["deployments"] + second["deployments"]] == ["env2", "env1", "env0"]
    assert error(ask(aws, deployments.index, query={"state": "x"}))["field"] == "state"
    assert error(ask(aws, deployments.index, query={"status": "x"}))["field"] == "status"
    assert error(ask(aws, deployments.index, query={"limit": "0"}))["field"] == "limit"


def test_the_report_is_served_once_it_is_written() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    assert ask(aws, deployments.report, id=started).status == 404
    aws.artifacts.put("reports/x/report.html", b"<p>", content_type="text/html")
    aws.records.put_phase(
        started,
        PhaseRecord(10, "write_handoff", PhaseStatus.SUCCEEDED, evidence={"report.html": "reports/x/report.html"}),
    )
    answer = ask(aws, deployments.report, id=started)
    assert (answer.body, answer.headers["Content-Type"]) == ("<p>", "text/html; charset=utf-8")


def test_a_lease_outlives_the_longest_lambda() -> None:
    assert LEASE_S > 15 * 60
    assert DeploymentStatus.PENDING.is_final is False


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1" * 5_000, "x", "1.0", "", "\u0661", "\u00b2"])
def test_a_limit_outside_of_its_range_is_refused_in_few_words(limit: str) -> None:
    answer = ask(FakeAws(), deployments.index, query={"limit": limit})
    assert (answer.status, error(answer)["field"]) == (400, "limit")
    assert len(error(answer)["message"]) < 100


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "x"])
def test_a_body_of_another_type_is_refused_in_the_apis_own_shape(kind: str) -> None:
    answer = ask(FakeAws(), deployments.start, {"environment": "dev"}, headers={"content-type": kind})
    assert answer.status == 415
    assert (error(answer)["code"], error(answer)["field"]) == ("UnsupportedMediaType", "Content-Type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", ""]
)
def test_json_of_any_spelling_is_read(kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    assert ask(FakeAws(), deployments.start, {"environment": "dev"}, headers=headers).status == 202


def test_a_byte_order_mark_before_the_body_is_read_over() -> None:
    assert ask(FakeAws(), deployments.start, b'\xef\xbb\xbf{"environment": "dev"}').status == 202


def has(aws: FakeAws, config: dict[str, Any], lock: dict[str, Any] | None = None) -> None:
    live = {"version": "2", "deployment_id": "d", "at": "t", "config": config}
    aws.records.attributes["dev"] = {"status": "LIVE", "live": live, "last_good": live, "lock": lock}


@pytest.mark.parametrize(("replace", "throttle"), [(False, 80), (True, 50)])
def test_a_part_of_a_config_changes_that_part_and_replace_resets_the_rest(replace: bool, throttle: float) -> None:
    aws = FakeAws()
    has(aws, {"throttle": {"rate_per_s": 80.0, "burst": 160}, "protected": True})
    body = {"environment": "dev", "action": "deploy", "config": {"memory_mb": 768}, "replace": replace}
    config = aws.records.deployment(post(aws, body).body["id"]).config
    assert (config.memory_mb, config.throttle.rate_per_s, config.protected) == (768, throttle, not replace)


def test_a_null_resets_one_field() -> None:
    aws = FakeAws()
    has(aws, {"throttle": {"rate_per_s": 80.0, "burst": 160}, "memory_mb": 768})
    answer = post(aws, {"environment": "dev", "config": {"memory_mb": None}})
    config = aws.records.deployment(answer.body["id"]).config
    assert (config.memory_mb, config.throttle.rate_per_s) == (512, 80)


def test_a_deployment_from_the_queue_is_merged_into_what_the_one_before_it_left() -> None:
    aws = FakeAws()
    has(aws, {"throttle": {"rate_per_s": 80.0, "burst": 160}})
    first = post(aws).body["id"]
    body = {"environment": "dev", "config": {"memory_mb": 768}, "options": {"if_busy": "wait"}}
    second = post(aws, body).body["id"]
    assert aws.records.deployment(second).waiting
    has(aws, {"throttle": {"rate_per_s": 20.0, "burst": 40}})
    aws.records.started[first] = dataclasses.replace(aws.records.deployment(first), status=DeploymentStatus.SUCCEEDED)
    start_next("dev", aws.as_aws(), lambda: NOW)
    config = aws.records.deployment(second).config
    assert (config.memory_mb, config.throttle.rate_per_s) == (768, 20)


@pytest.mark.parametrize("route", [control.abort, control.approve, control.resume])
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 202, ""),
        (b" ", 202, ""),
        (b"null", 202, ""),
        (b"{}", 202, ""),
        (b'{"reason": "x"}', 400, "reason"),
        (b"[]", 400, "body"),
    ],
)
def test_a_route_without_fields_refuses_them_by_name(route: Any, body: bytes, status: int, field: str) -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    answer = ask(aws, route, body, id=started)
    if status == 400:
        assert (answer.status, error(answer)["field"]) == (400, field)
    else:
        assert answer.status in (202, 409), "the body is no reason to refuse it"


def test_a_query_parameter_that_stands_twice_is_refused() -> None:
    """Which of the two counts differs between servers."""
    with served(FakeAws()) as api:
        for query, status in (("limit=1&limit=2", 400), ("limit=2&limit=2", 400), ("limit=2&environment=dev", 200)):
            url = f"{api.url}/deployments?{query}"
            answer = requests.get(url, headers=sign("GET", url, {}, b"", api.credentials), timeout=10)
            assert answer.status_code == status
            if status == 400:
                assert answer.json()["error"]["field"] == "limit"


@pytest.mark.parametrize(("length", "status"), [(1_000, 200), (1_001, 400)])
def test_the_reason_of_a_changed_secret_is_as_long_as_a_deployments(length: int, status: int) -> None:
    secret = {"schema": 1, "api_key": "sk-abcdefghijklmnopqrst"}
    answer = ask(FakeAws(), secrets.put, secret, name="dev", query={"reason": "x" * length})
    assert answer.status == status
    if status == 400:
        assert error(answer)["field"] == "reason"
