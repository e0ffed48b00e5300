"""A page of any list takes the same number of calls however many records there are, and leads to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from chalicelib.adapters import items, listing, transactions
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import call, client
from chalicelib.api import deployments, environments, health, nights
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Lock
from chalicelib.domain.options import Load, Options

from tests.fakes import FakeAws
from tests.fakes.calls import ask
from tests.fakes.table import table_in_moto

STATUSES = tuple(DeploymentStatus)
COUNT = 105  # a full page of a hundred, and a bit
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def aws() -> Iterator[FakeAws]:
    """105 deployments of 15 environments, each status in turn, but one FAILED among those of env-00 and one in all."""
    with pytest.MonkeyPatch.context() as patch, table_in_moto(patch):
        aws = FakeAws()
        aws.records = DynamoRecords("proxyctl")  # type: ignore[assignment]
        aws.nights = DynamoNights("proxyctl")  # type: ignore[assignment]
        for number in range(COUNT):
            _record(number)
        for day in range(25):
            aws.nights.conclude(f"2026-01-{day + 1:02}", {"good": day})
        yield aws


def _record(number: int) -> None:
    status = DeploymentStatus.FAILED if number == 30 else STATUSES[number % 3]
    deployment = Deployment(
        f"d-{number:04}",
        f"env-{number % 15:02}",
        Action.DEPLOY,
        status,
        Config(),
        Options(),
        (BEGAN + timedelta(minutes=number)).isoformat(timespec="milliseconds"),
    )
    # Each write by itself: moto copies its whole table for a transaction.
    before = Lock(f"d-{number - 15:04}", "", 1.0)
    for write in transactions.start("proxyctl", deployment, Lock(deployment.id, "", 1.0), None, before):
        ((kind, arguments),) = write.items()
        getattr(client("dynamodb"), f"{kind.lower()}_item")(**arguments)
    history = {"deployment_id": deployment.id}
    DynamoRecords("proxyctl").add_history(deployment.environment, deployment.created_at, history)


@pytest.fixture
def calls() -> Iterator[Counter[str]]:
    """Calls of DynamoDB by operation."""
    counted: Counter[str] = Counter()
    events = client("dynamodb").meta.events
    handler = lambda model, **_: counted.update([model.name])  # noqa: E731
    events.register("before-call.dynamodb", handler)
    yield counted
    events.unregister("before-call.dynamodb", handler)


LISTS: Mapping[str, tuple[Any, Mapping[str, str], str]] = {
    "all deployments": (deployments.index, {}, "deployments"),
    "by status": (deployments.index, {"status": "RUNNING"}, "deployments"),
    "by a rare status": (deployments.index, {"status": "FAILED"}, "deployments"),
    "by a status that none has": (deployments.index, {"status": "ABORTED"}, "deployments"),
    "by environment": (deployments.index, {"environment": "env-07"}, "deployments"),
    "by both": (deployments.index, {"environment": "env-00", "status": "FAILED"}, "deployments"),
    "environments": (environments.index, {}, "environments"),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", ["1", "100"])
def test_a_page_is_one_query_and_one_read(aws: FakeAws, calls: Counter[str], name: str, limit: str) -> None:
    route, query, key = LISTS[name]
    shown = ask(aws, route, query={**query, "limit": limit}).body[key]
    assert calls["Query"] == 1
    # 100 environments are 200 items, with their locks, and one read takes 100 of them.
    assert calls["BatchGetItem"] == (-(-len(shown) * (2 if key == "environments" else 1) // 100))
    assert sum(calls.values()) == calls["Query"] + calls["BatchGetItem"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", ["7", "100"])
def test_the_pages_of_a_list_hold_each_entry_once_and_in_order(aws: FakeAws, name: str, limit: str) -> None:
    route, query, key = LISTS[name]
    shown: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(aws, route, query={**query, "limit": limit} | ({"cursor": cursor} if cursor else {})).body
        shown, cursor = [*shown, *page[key]], page["cursor"]
        assert len(page[key]) <= int(limit)
        # Only both filters together may leave a page short before the last.
        assert name == "by both" or len(page[key]) == int(limit) or cursor is None
    if key == "environments":
        assert [row["name"] for row in shown] == [f"env-{number:02}" for number in range(15)]
    else:
        assert [row["id"] for row in shown] == _expected(query)


def _expected(query: Mapping[str, str]) -> list[str]:
    numbers = [
        number
        for number in reversed(range(COUNT))
        if query.get("environment", f"env-{number % 15:02}") == f"env-{number % 15:02}"
        and query.get("status") in (None, "FAILED" if number == 30 else STATUSES[number % 3].value)
    ]
    return [f"d-{number:04}" for number in numbers]


@pytest.mark.parametrize(
    ("route", "path", "key", "queries"),
    # The history's route reads the environment first: 404 for one that does not exist.
    [(environments.history, {"name": "env-03"}, "history", 2), (nights.index, {}, "nights", 1)],
)
def test_history_and_nights_page_with_one_query(
    aws: FakeAws, calls: Counter[str], route: Any, path: dict[str, Any], key: str, queries: int
) -> None:
    first = ask(aws, route, query={"limit": "3"}, **path).body
    assert (calls["Query"], len(first[key])) == (queries, 3)
    rest = ask(aws, route, query={"limit": "100", "cursor": first["cursor"]}, **path).body
    whole = ask(aws, route, query={"limit": "100"}, **path).body
    assert rest["cursor"] is None
    assert [*first[key], *rest[key]] == whole[key]
    assert len(whole[key]) == (25 if key == "nights" else 7)


@pytest.mark.parametrize("other", ["env-04", "dev"])
def test_a_cursor_of_another_environments_history_is_refused(aws: FakeAws, other: str) -> None:
    cursor = ask(aws, environments.history, query={"limit": "1"}, name="env-03").body["cursor"]
    with pytest.raises(BadRequest):
        aws.records.history_page(other, 1, cursor)
    with pytest.raises(BadRequest):
        aws.nights.concluded(1, cursor)


def test_one_deployment_one_environment_and_health_take_a_constant_number_of_calls(
    aws: FakeAws, calls: Counter[str]
) -> None:
    assert ask(aws, deployments.show, id="d-0007").status == 200
    assert sum(calls.values()) == 2
    calls.clear()
    assert ask(aws, environments.show, name="env-07").status == 200
    assert sum(calls.values()) == 3
    calls.clear()
    assert ask(aws, health.show).body["environments"] == 15
    assert calls == {"Query": 1}


def test_a_status_that_has_changed_since_the_index_was_read_is_not_listed(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index is a moment behind its table."""
    real = call

    def stale(service: str, method: str, /, **arguments: Any) -> Any:
        answer = real(service, method, **arguments)
        if method == "query":
            extra = {"pk": {"S": "DEPLOYMENT#d-0000"}, "sk": {"S": "LISTED"}, "at": {"S": "x"}}
            answer["Items"].insert(0, extra)
        return answer

    monkeypatch.setattr(listing, "call", stale)
    listed = aws.records.deployments(None, DeploymentStatus.FAILED, 20, None).deployments
    assert [entry.id for entry in listed] == ["d-0030"]


def test_lists_leave_the_trace_of_a_load_out_and_the_deployment_itself_has_it(aws: FakeAws) -> None:
    load = Load(arrivals="trace", trace=tuple(number / 40 for number in range(150)), duration_s=4)
    traced = Deployment(
        "d-traced",
        "traced",
        Action.DEPLOY,
        DeploymentStatus.PENDING,
        Config(),
        Options(load=load),
        BEGAN.isoformat(timespec="milliseconds"),
    )
    aws.records.start(traced, Lock("d-traced", "", 1.0), None, None)
    try:
        (listed,) = ask(aws, deployments.index, query={"environment": "traced"}).body["deployments"]
        assert (listed["options"]["load"]["trace"], listed["options"]["load"]["arrivals"]) == ([], "trace")
        shown = ask(aws, deployments.show, id="d-traced").body
        assert shown["options"]["load"]["trace"] == list(load.trace)
    finally:
        _delete("DEPLOYMENT#d-traced", "META", "LISTED")
        _delete("ENVIRONMENT#traced", "META", "LISTED", "LOCK")


def _delete(pk: str, *kinds: str) -> None:
    for kind in kinds:
        key = {"pk": {"S": pk}, "sk": {"S": kind}}
        boto3.client("dynamodb").delete_item(TableName="proxyctl", Key=key)


def test_an_environment_that_an_earlier_version_listed_by_its_record_stands_in_one_page_only(aws: FakeAws) -> None:
    """Its record and its item LISTED are both in the index while it has not been deployed since."""
    table = boto3.client("dynamodb")
    old = {"pk": {"S": "ENVIRONMENT#env-05"}, "sk": {"S": "META"}}
    table.update_item(
        TableName="proxyctl",
        Key=old,
        UpdateExpression="SET listed_all = :all, #at = :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues=items.write({":all": "ENVIRONMENTS", ":at": "env-05"}),
    )
    try:
        for limit in (1, 5, 6, 7, 100):
            page = aws.records.environment_page(limit, None)
            names = [entry.name for entry in page.environments]
            while page.cursor:
                page = aws.records.environment_page(limit, page.cursor)
                names.extend(entry.name for entry in page.environments)
            assert names == [f"env-{number:02}" for number in range(15)], limit
        assert [entry.name for entry in aws.records.environments()] == names
    finally:
        table.update_item(TableName="proxyctl", Key=old, UpdateExpression="REMOVE listed_all")
