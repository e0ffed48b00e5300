"""What `config.notify` and `options.rollback_to` take is what SNS and Lambda take."""

from __future__ import annotations

import pytest
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Options

SQS = "arn:aws:sqs:eu-central-1:123456789012"
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012"


@pytest.mark.parametrize(
    "whom",
    [
        "ops@example.com",
        "first.last+alarms@mail.example.co",
        f"{'a' * 64}@example.com",
        f"{SQS}:alarms",
        f"{SQS}:{'a' * 80}",
        f"{LAMBDA}:function:page",
        f"{LAMBDA}:function:page:live",
        f"{LAMBDA}:function:{'a' * 64}:$LATEST",
        "https://hooks.example.com/x?y=z",
    ],
)
def test_a_recipient_that_sns_takes_is_taken(whom: str) -> None:
    assert Config(notify=(whom,)).notify == (whom,)


@pytest.mark.parametrize(
    "whom",
    [
        "ünïcode@example.com",
        "ops@exämple.com",
        "ops@example",
        "ops@-example.com",
        "ops@example..com",
        "ops@example.c",
        "ops@@example.com",
        "o ps@example.com",
        f"{'a' * 65}@example.com",
        f"ops@{'a.' * 127}com",
        f"{SQS}:älarms",
        f"{SQS}:",
        f"{SQS}:{'a' * 81}",
        f"{SQS}:alarms.fifo",
        f"{SQS}:alarms:live",
        f"{SQS}:$LATEST",
        f"{LAMBDA}:page",
        f"{LAMBDA}:function:",
        f"{LAMBDA}:function:{'a' * 65}",
        f"{LAMBDA}:function:page:live:1",
        f"{LAMBDA}:layer:page:1",
        "arn:aws:sns:eu-central-1:123456789012:alarms",
    ],
)
def test_one_that_sns_refuses_is_refused_with_the_field(whom: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Config(notify=(whom,))
    assert refused.value.field == "config.notify"


@pytest.mark.parametrize("version", ["$LATEST", "0", "-1", "１", "01", "1.0", "", "live", "1" * 11])
def test_what_is_no_version_of_a_function_is_refused_before_anything_starts(version: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(Options, {"rollback_to": version})
    assert refused.value.field == "options.rollback_to"


@pytest.mark.parametrize("version", ["1", "9999999999"])
def test_a_number_of_a_version_is_taken(version: str) -> None:
    assert decode(Options, {"rollback_to": version}).rollback_to == version


@pytest.mark.parametrize("digest", ["", " ", "a b", "é", "a" * 65])
def test_what_is_no_digest_of_a_plan_is_refused(digest: str) -> None:
    """An empty one, as of a variable that was not set, would deploy whatever the plan is by now."""
    with pytest.raises(BadRequest) as refused:
        decode(Options, {"expected_plan": digest})
    assert refused.value.field == "options.expected_plan"


def test_a_long_number_is_cut_in_the_message() -> None:
    with pytest.raises(BadRequest) as refused:
        decode(Config, {"log_retention_days": int("9" * 4_000)})
    assert len(refused.value.message) < 300
