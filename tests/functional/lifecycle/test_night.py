"""A night over DynamoDB, S3 and Step Functions as moto plays them: what is on record, and what each role needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from chalicelib.adapters.artifacts import S3Artifacts
from chalicelib.adapters.executions import StepFunctionsExecutions
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.domain.model import Lock
from chalicelib.domain.nights import Checked, NightVerdict
from chalicelib.engine.policies import documents
from chalicelib.lifecycle import night as nightly
from chalicelib.lifecycle import start
from chalicelib.phases.preflight.grants import Grant, grants

from tests.fakes import FakeAws
from tests.fakes.table import table_in_moto

HERE = "eu-central-1:123456789012"
TABLE = f"arn:aws:dynamodb:{HERE}:table/proxyctl"
NOW = datetime(2026, 1, 2, 3, 17, tzinfo=UTC)
LIVE = {"version": "1", "deployment_id": "d", "at": "t"}


@dataclass
class Night:
    """The fakes, with those services real that a night writes to; `needs` are (task, action, resource) of each call."""

    aws: Any
    needs: set[tuple[str, str, str]] = field(default_factory=set)
    _task: str = ""

    def run(self, task: Callable[..., dict[str, Any]], event: Mapping[str, Any]) -> dict[str, Any]:
        self._task = task.__name__
        try:
            return task(event, self.aws, lambda: NOW + timedelta(minutes=1))
        finally:
            self._task = ""

    def heard(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        if self._task:
            self.needs |= {(self._task, *need) for need in _needs(service, operation, params)}


def _needs(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What IAM authorises a call as: a transaction as its members, a query of an index as the index."""
    if operation == "TransactWriteItems":
        yield from ((f"dynamodb:{kind}Item", TABLE) for item in params["TransactItems"] for kind in item)
    elif service == "dynamodb":
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", TABLE + index
    elif service == "s3":
        yield f"s3:{operation}", f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"
        if params.get("Tagging"):
            yield "s3:PutObjectTagging", f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"
    else:
        yield f"states:{operation}", params.get("stateMachineArn") or params["executionArn"]


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    with table_in_moto(monkeypatch):
        machine = boto3.client("stepfunctions").create_state_machine(
            name="proxyctl-rollout",
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 900, "End": True}}}),
            roleArn="arn:aws:iam::123456789012:role/states",
        )["stateMachineArn"]
        aws: Any = FakeAws()
        bucket = aws.settings.bucket
        boto3.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        aws.records, aws.nights = DynamoRecords("proxyctl"), DynamoNights("proxyctl")
        aws.artifacts, aws.executions = S3Artifacts(bucket), StepFunctionsExecutions(machine)
        created = Night(aws)
        for service in ("dynamodb", "s3", "stepfunctions"):
            client(service).meta.events.register("before-parameter-build", created.heard)
        yield created


def live(night: Night, *names: str) -> None:
    for name in names:
        night.aws.records.update_environment(name, {"live": LIVE, "listed_all": "ENVIRONMENTS", "at": name})


def whole(night: Night) -> dict[str, Any]:
    """`dev` ends well, `prod` drifts, `held` is busy with a rollout that runs."""
    live(night, "dev", "held", "prod")
    body = {"environment": "held"}
    holder = start.begin(body, night.aws, lambda: NOW, caller="ann", key=None)
    night.aws.records.renew_lock("held", Lock(holder.id, holder.execution_arn, NOW.timestamp() + 1200))
    listed = night.run(nightly.list_environments, {"scheduled_at": NOW.isoformat()})
    ends = {"dev": {"status": "SUCCEEDED"}, "prod": {"status": "FAILED", "error": {"code": "Drift", "message": "m"}}}
    for name in json.loads(night.aws.artifacts.get(listed["key"])):
        item = {"night": listed["night"], "environment": name}
        answer = night.run(nightly.revalidate_environment, item)
        if name in ends:
            assert answer["status"] == "IN_PROGRESS"
            night.aws.records.update_deployment(answer["deployment_id"], ends[name])
            answer = night.run(nightly.revalidate_environment, item | {"result": answer})
        assert answer["status"] == "SUCCEEDED"
    return night.run(nightly.summarize_night, listed)


def test_it_is_known_of_every_environment_what_came_of_it(night: Night) -> None:
    answer = whole(night)
    assert (answer["asked"], answer["good"], answer["drifted"], answer["busy"], answer["complete"]) == (
        3,
        1,
        1,
        1,
        True,
    )
    (summary,) = night.aws.nights.concluded(10, None)[0]
    assert summary["night"] == "2026-01-02"
    assert list(summary["which"]) == ["drifted", "busy"]
    assert "expires" not in summary


def test_summaries_come_newest_first_and_a_later_verdict_takes_the_place_of_an_earlier(night: Night) -> None:
    for day in ("2026-01-01", "2026-01-03", "2026-01-02"):
        night.aws.nights.conclude(day, {"asked": 0})
    assert [item["night"] for item in night.aws.nights.concluded(2, None)[0]] == ["2026-01-03", "2026-01-02"]
    night.aws.nights.put("2026-01-01", Checked("dev", NightVerdict.BUSY, why="w"))
    night.aws.nights.put("2026-01-01", good := Checked("dev", NightVerdict.GOOD, "d-1"))
    assert night.aws.nights.of("2026-01-01") == [good]


def test_every_statement_and_every_action_of_the_nights_policies_is_needed_and_none_is_missed(night: Night) -> None:
    whole(night)
    variables = {
        "AWS::Partition": "aws",
        "AWS::Region": "eu-central-1",
        "AWS::AccountId": "123456789012",
        "BucketName": "proxyctl-123456789012-eu-central-1",
    }
    for task in ("list_environments", "revalidate_environment", "summarize_night"):
        document = documents()[task]
        given = [item for item in grants(task, document, variables) if item.sid != "WriteOwnLog"]
        own = {(action, resource) for who, action, resource in night.needs if who == task}
        assert {need for need in own if not any(_allows(item, need) for item in given)} == set()
        unused = {
            (item.sid, action)
            for item in given
            for action in item.actions
            if not any(need[0] == action and _allows(item, need) for need in own)
        }
        assert unused == set(), task


def _allows(grant: Grant, need: tuple[str, str]) -> bool:
    return need[0] in grant.actions and any(fnmatchcase(need[1], pattern) for pattern in grant.resources)
