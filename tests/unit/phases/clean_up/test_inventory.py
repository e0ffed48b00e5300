"""Facts about resources: their kinds, when they are expected, and the commands that remove them."""

from __future__ import annotations

import pytest
from chalicelib.phases.clean_up.inventory import Resource, command, is_expected, merged, of_arn

A = "arn:aws:{}:eu-central-1:123456789012:{}"


@pytest.mark.parametrize(
    ("arn", "kind", "typed"),
    [
        (A.format("lambda", "function:f"), "function", "lambda delete-function --function-name f"),
        (A.format("cloudformation", "stack/s/1-2"), "stack", "cloudformation delete-stack --stack-name s"),
        (A.format("logs", "log-group:/aws/lambda/f"), "log group", "--log-group-name /aws/lambda/f"),
        (A.format("cloudwatch", "alarm:proxyctl/dev/x"), "alarm", "--alarm-names proxyctl/dev/x"),
        ("arn:aws:apigateway:eu-central-1::/restapis/a1/stages/api", "api", "--rest-api-id a1"),
        ("arn:aws:iam::123456789012:role/r", "role", "iam delete-role --role-name r"),
        (A.format("sns", "t"), "topic", f"--topic-arn {A.format('sns', 't')}"),
        (A.format("sqs", "q"), "queue", "get-queue-url --queue-name q"),
        (A.format("secretsmanager", "secret:s-AbCdEf"), "secret", "--secret-id arn:aws:secretsmanager"),
        (A.format("kinesis", "stream/x"), "resource", "untag-resources"),
    ],
)
def test_a_tagged_resource_has_a_kind_and_a_command(arn: str, kind: str, typed: str) -> None:
    resource = of_arn(arn)
    assert resource.kind == kind
    assert typed in command(resource, "eu-central-1")
    assert command(resource, "eu-central-1").startswith("aws --region eu-central-1 ")


def test_a_resource_that_name_and_tag_find_counts_once() -> None:
    named = [Resource("function", "f"), Resource("api", "a1"), Resource("queue", "http://sqs/1/q")]
    tagged = [
        of_arn(A.format("lambda", "function:f")),
        of_arn("arn:aws:apigateway:eu-central-1::/restapis/a1/stages/api"),
        of_arn(A.format("sqs", "q")),
        of_arn(A.format("sqs", "other")),
    ]
    assert merged(named, tagged) == [*named, tagged[3]]


@pytest.mark.parametrize(
    ("name", "expected", "right"),
    [
        ("f", {"f"}, True),
        (A.format("lambda", "function:f"), {"f"}, True),
        (A.format("lambda", "function:ff"), {"f"}, False),
        (A.format("secretsmanager", "secret:proxyctl/dev/openai-AbCdEf"), {"proxyctl/dev/openai"}, True),
        (A.format("secretsmanager", "secret:proxyctl/dev/openai2-AbCdEf"), {"proxyctl/dev/openai"}, False),
        ("anything", {""}, False),
    ],
)
def test_only_an_equal_name_makes_a_resource_expected(name: str, expected: set[str], right: bool) -> None:
    assert is_expected(Resource("x", name, "tag"), expected) is right
