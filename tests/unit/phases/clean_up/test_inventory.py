"""Facts about what is left: how it is named, when it is known, and the command that removes it."""

from __future__ import annotations

import pytest
from chalicelib.phases.clean_up.inventory import Thing, command, is_known, merged, of_arn

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
def test_a_tagged_thing_has_a_kind_and_a_command(arn: str, kind: str, typed: str) -> None:
    thing = of_arn(arn)
    assert thing.kind == kind
    assert typed in command(thing, "eu-central-1")
    assert command(thing, "eu-central-1").startswith("aws --region eu-central-1 ")


def test_a_thing_found_by_name_and_by_tag_is_one() -> None:
    named = [Thing("function", "f"), Thing("api", "a1"), Thing("queue", "http://sqs/1/q")]
    tagged = [
        of_arn(A.format("lambda", "function:f")),
        of_arn("arn:aws:apigateway:eu-central-1::/restapis/a1/stages/api"),
        of_arn(A.format("sqs", "q")),
        of_arn(A.format("sqs", "other")),
    ]
    assert merged(named, tagged) == [*named, tagged[3]]


@pytest.mark.parametrize(
    ("name", "known", "right"),
    [
        ("f", {"f"}, True),
        (A.format("lambda", "function:f"), {"f"}, True),
        (A.format("lambda", "function:ff"), {"f"}, False),
        (A.format("secretsmanager", "secret:proxyctl/dev/openai-AbCdEf"), {"proxyctl/dev/openai"}, True),
        (A.format("secretsmanager", "secret:proxyctl/dev/openai2-AbCdEf"), {"proxyctl/dev/openai"}, False),
        ("anything", {""}, False),
    ],
)
def test_only_the_very_name_makes_a_thing_known(name: str, known: set[str], right: bool) -> None:
    assert is_known(Thing("x", name, "tag"), known) is right
