"""The strict cloud's pure parts: late changes, rates, attributes, resources and names of exceptions."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from chalicelib.engine import policies
from hypothesis import given
from hypothesis import strategies as st

from local import strict
from local.inside import attributes, rates
from local.inside.buckets import MissingKeys
from local.inside.calls import Call
from local.inside.error_names import class_name
from local.inside.iam import conditions, resources
from local.inside.ledger import Ledger
from local.inside.queues import conditioned


def call(action: str, body: str = "", **headers: str) -> Call:
    return Call(action.partition(":")[0], action, "POST", "/", headers, body.encode())


def test_switches_survive_the_environment_and_scaling_touches_delays_only() -> None:
    for switches in (strict.OFF, strict.EVERYDAY, strict.WORST, strict.NEW_ACCOUNT):
        assert strict.decode(switches.encode()) == switches
    assert strict.WORST.scaled(0).queue_policy_s == 0
    assert strict.WORST.scaled(0).throttling
    assert strict.NEW_ACCOUNT.scaled(3).concurrent_executions == 10
    assert not strict.OFF.active
    assert strict.decode("") == strict.OFF


def test_the_oldest_state_acts_until_its_change_has_spread() -> None:
    ledger: Ledger[str] = Ledger(60)
    ledger.record("queue", "first", 0)
    ledger.record("queue", "second", 30)
    assert ledger.former("queue", 59.9) == ("first",)
    assert ledger.former("queue", 60) == ("second",)
    assert ledger.former("queue", 89.9) == ("second",)
    assert ledger.former("queue", 90) is None
    assert ledger.former("another", 0) is None


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_second_sees_more_calls_than_burst_and_rate_allow(pauses: list[float]) -> None:
    rate, buckets, now, passed = rates.rate_of("cloudwatch:SetAlarmState"), rates.Buckets(), 0.0, []
    assert rate
    for pause in pauses:
        now += pause
        if buckets.draw(rate, now):
            passed.append(now)
    for begin in passed:
        inside = [at for at in passed if begin <= at <= begin + 1]
        assert len(inside) <= rate.burst + rate.per_s


def test_a_fourth_call_in_one_moment_is_refused_and_a_third_of_a_second_later_passes() -> None:
    rate, buckets = rates.rate_of("cloudwatch:SetAlarmState"), rates.Buckets()
    assert rate
    assert [buckets.draw(rate, 0) for _ in range(4)] == [True, True, True, False]
    assert buckets.draw(rate, 0.34)


def test_lambda_and_api_gateway_share_one_bucket_each_and_invocations_have_none() -> None:
    assert rates.rate_of("lambda:UpdateAlias") is rates.rate_of("lambda:PublishVersion")
    assert rates.rate_of("apigateway:GET") is rates.rate_of("apigateway:PATCH")
    assert rates.rate_of("lambda:InvokeFunction") is None
    assert rates.rate_of("dynamodb:PutItem") is None


def read(service: str, method: str, path: str) -> Call:
    return Call(service, "", method, path, {}, b"")


@pytest.mark.parametrize(
    ("created", "status", "refused"),
    [
        (read("s3", "HEAD", "/bucket/key"), 404, True),
        (read("s3", "GET", "/bucket/a/key"), 404, True),
        (read("s3", "GET", "/bucket/key"), 200, False),
        (read("s3", "GET", "/bucket"), 404, False),
        (read("s3", "DELETE", "/bucket/key"), 404, False),
        (read("lambda", "GET", "/2015-03-31/functions/f"), 404, False),
    ],
)
def test_only_a_missing_object_of_s3_is_hidden(created: Call, status: int, refused: bool) -> None:
    hidden = MissingKeys(lambda _call, bucket: bucket == "bucket").after(created, (status, {}, b""))
    assert bool(hidden) is refused
    assert MissingKeys(lambda _call, _bucket: False).after(created, (status, {}, b"")) is None


GOOD = {"DataType": "String", "StringValue": "x"}


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"kind": GOOD}, ""),
        ({"price": {"DataType": "Number.euro", "StringValue": "1"}}, ""),
        ({f"a{index}": GOOD for index in range(10)}, ""),
        ({f"a{index}": GOOD for index in range(11)}, "exceeds the allowed maximum"),
        ({"AWS.kind": GOOD}, "Invalid attribute name"),
        ({".kind": GOOD}, "Invalid attribute name"),
        ({"k" * 257: GOOD}, "Invalid attribute name"),
        ({"k" * 256: GOOD}, ""),
        ({"kind": {"DataType": "Text", "StringValue": "x"}}, "invalid message attribute type"),
        ({"kind": {"DataType": "String", "StringValue": ""}}, "non-empty"),
    ],
)
def test_message_attributes_are_held_to_the_rules_of_sqs(named: dict[str, dict[str, str]], problem: str) -> None:
    import json

    refusal = attributes.check(call("sqs:SendMessage", json.dumps({"MessageAttributes": named})))
    assert bool(refusal) == bool(problem)
    assert problem in (refusal.message if refusal else "")


def test_attributes_of_a_form_are_read_as_well() -> None:
    form = (
        "Action=Publish&MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue="
    )
    assert attributes.check(call("sns:Publish", form))
    assert not attributes.check(call("sns:Publish", form + "drill"))


def test_actions_without_a_resource_type_are_authorised_on_everything() -> None:
    narrow = "arn:aws:logs:eu-central-1:1:log-group:a"
    assert resources.on_everything("logs:PutQueryDefinition", narrow) == "*"
    assert resources.on_everything("logs:PutRetentionPolicy", narrow) == narrow


@pytest.mark.parametrize(
    ("action", "params", "arn"),
    [
        ("cloudwatch:PutDashboard", {"DashboardName": "d"}, "arn:aws:cloudwatch::1:dashboard/d"),
        ("cloudwatch:DeleteDashboards", {"DashboardNames": ["d", "e"]}, "arn:aws:cloudwatch::1:dashboard/d"),
        ("cloudwatch:DeleteAlarms", {"AlarmNames": ["a"]}, "arn:aws:cloudwatch:r:1:alarm:a"),
        ("cloudwatch:DescribeAlarms", {"AlarmNamePrefix": "a"}, "arn:aws:cloudwatch:r:1:alarm:*"),
        ("iam:SimulatePrincipalPolicy", {"PolicySourceArn": "arn:aws:iam::1:role/x"}, "arn:aws:iam::1:role/x"),
        ("lambda:InvokeFunction", {"Qualifier": ["3"]}, "NAMED:3"),
        ("lambda:InvokeFunction", {}, "NAMED"),
        ("s3:GetObject", {"Qualifier": "3"}, "NAMED"),
    ],
)
def test_an_action_is_authorised_on_what_its_parameters_name(action: str, params: dict[str, Any], arn: str) -> None:
    assert resources.resource(action, "NAMED", params, "r", "1") == arn


def test_a_batch_is_authorised_as_its_single_action() -> None:
    assert resources.authorised_as("sqs:DeleteMessageBatch") == "sqs:DeleteMessage"
    assert resources.authorised_as("sqs:ReceiveMessage") == "sqs:ReceiveMessage"


def test_no_action_is_listed_as_both_without_resource_and_working_with_one() -> None:
    assert not resources.WILDCARD_ONLY & resources.NARROWER_WORKS


def test_every_wildcard_only_action_of_the_policies_is_granted_on_everything() -> None:
    """The plant of issue 10's row a: PutQueryDefinition on the environment's ARN."""
    for stem, document in policies.documents().items():
        for statement in document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            narrow = set(actions) & resources.WILDCARD_ONLY if statement["Resource"] != "*" else set()
            assert not narrow, (stem, statement.get("Sid"), narrow)


def _allow(principal: object, **more: object) -> str:
    import json

    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, **more}]})


@pytest.mark.parametrize(
    ("policy", "drops"),
    [
        (_allow({"Service": "events.amazonaws.com"}), False),
        (_allow({"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}), False),
        (_allow({"Service": "events.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": "1"}}), True),
        (_allow({"Service": "cloudwatch.amazonaws.com"}), True),
        ("", True),
    ],
)
def test_a_condition_keeps_eventbridge_out_of_a_topic(policy: str, drops: bool) -> None:
    assert conditioned(policy) is drops


class Throttled(Exception):
    """An exception of the tests."""


@pytest.mark.parametrize("message", ["", "one line", "two\nlines", "Traceback (most recent call last)\n  nested"])
def test_an_exceptions_class_is_read_from_its_traceback(message: str) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise Throttled(message) from first
    except Throttled:
        assert class_name("START RequestId: 1\n" + traceback.format_exc()) == "Throttled"


@pytest.mark.parametrize("log", ["", "Worker process died", "Traceback (most recent call last):\n"])
def test_a_log_without_a_traceback_names_no_class(log: str) -> None:
    assert class_name(log) == ""


@pytest.mark.parametrize(
    ("caller", "named"),
    [
        ("arn:aws:sts::000000000000:assumed-role/proxyctl-BakeRole-1A2B/session", "role/proxyctl-BakeRole-1A2B"),
        ("arn:aws:iam::000000000000:user/ann", "user/ann"),
        ("arn:aws:iam::000000000000:root", "root"),
    ],
)
def test_the_principal_of_a_session_is_its_role(caller: str, named: str) -> None:
    assert conditions.principal_arn(caller) == f"arn:aws:iam::000000000000:{named}"


def test_who_assumes_a_role_is_judged_by_the_external_id_that_it_sends() -> None:
    sent = {"RoleArn": ["arn"], "ExternalId": ["shop-7f3a"]}
    assert conditions.keys_of("sts:AssumeRole", sent, lambda _: None) == {"sts:externalid": "shop-7f3a"}
    assert conditions.keys_of("sts:AssumeRole", {"RoleArn": ["arn"]}, lambda _: None) == {}
