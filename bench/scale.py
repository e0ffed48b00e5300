"""`python -m bench scale`: do lists cost the same with 100,000 deployments as with 100?

Two tables lie in DynamoDB (moto, in this process, on the table that resources.yaml declares): one with 100 deployments
of one environment, which is the anchor, and one with 100,000 of 1,000. Each list and each single record is read from
the one and from the other in turn, through the API's routes and the real adapters. Counted for each: the calls of
DynamoDB and the bytes that it read, which are exact, and the processor time of the route, whose p95 is compared.

moto sorts a whole table for each query. Here it reads the queried partition in its order, as DynamoDB does, so that the
time is that of our own code and of what a page holds (`bench/partitions.py`).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from chalicelib.adapters import transactions
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.api import deployments, environments
from chalicelib.api.answers import ApiCall, Route, respond
from chalicelib.domain.config import Config
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Lock
from chalicelib.domain.options import Options
from chalicelib.ports import Aws
from moto.dynamodb.models.dynamo_type import Item

from bench import running
from bench.figures import Bound, Report, say
from bench.partitions import Partitions, emulated
from tests.fakes import FakeAws
from tests.fakes.table import make_table

ANCHOR, SIZE = 100, 100_000
A_NAME = 100  # deployments of each environment
LEAST = 20  # environments, so that a page is as long at either size
ROUNDS = 40
SLOWER = 1.2  # the p95 at the large size, against the anchor's
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 26, tzinfo=UTC)
# Of a hundred deployments: most have succeeded, and each page of a rare status lies far apart.
_STATUSES = {0: DeploymentStatus.FAILED, 1: DeploymentStatus.ROLLED_BACK}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, sent at either size."""

    name: str
    route: Route
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)


REQUESTS = (
    Request("list", deployments.index),
    Request("list ?status=SUCCEEDED", deployments.index, {"status": "SUCCEEDED"}),
    Request("list ?status=FAILED", deployments.index, {"status": "FAILED", "limit": "1"}),
    Request("list ?status=ABORTED (none)", deployments.index, {"status": "ABORTED"}),
    Request("list ?environment=", deployments.index, {"environment": "env-0000"}),
    Request("list ?environment=&status=", deployments.index, {"environment": "env-0000", "status": "FAILED"}),
    Request("get a deployment", deployments.show, path={"id": "d-000007"}),
    Request("list environments", environments.index),
    Request("get an environment", environments.show, path={"name": "env-0000"}),
    Request("history of an environment", environments.history, path={"name": "env-0000"}),
)


@dataclass
class Table:
    """One of the two tables, behind the routes. times_s: by request; read: calls and bytes by request."""

    size: int
    partitions: Partitions
    aws: FakeAws
    times_s: dict[str, list[float]] = field(default_factory=dict)
    read: dict[str, tuple[int, int]] = field(default_factory=dict)

    def ask(self, request: Request) -> None:
        """Send it once, and keep what it took."""
        call = ApiCall(request.path, request.query, {}, b"", "arn:aws:iam::123456789012:user/bench")
        with self.partitions.counting() as counted:
            began = time.process_time()
            answer = respond(request.route, call, cast(Aws, self.aws), lambda: _NOW)
            took = time.process_time() - began
        if answer.status != 200:
            raise RuntimeError(f"{request.name} answered {answer.status}: {answer.body}")
        self.times_s.setdefault(request.name, []).append(took)
        self.read[request.name] = (counted.calls, counted.bytes)


def table(size: int, name: str, partitions: Partitions) -> Table:
    """A table of `size` deployments, a hundred an environment."""
    make_table(client("dynamodb"), name)
    shared: dict[str, Item] = {}
    for number in range(size):
        _record(number, size, name, partitions, shared)
    for number in range(max(LEAST, size // A_NAME)):
        _record_environment(f"env-{number:04}", name, partitions)
    aws = FakeAws()
    aws.records = DynamoRecords(name)  # type: ignore[assignment]
    aws.nights = DynamoNights(name)  # type: ignore[assignment]
    return Table(size, partitions, aws)


def _record(number: int, size: int, name: str, partitions: Partitions, shared: dict[str, Item]) -> None:
    """A deployment as its end leaves it: its record, its place in the lists, and a line of history.

    shared: by kind, the first item, whose configuration and options all others have.
    """
    count = max(1, size // A_NAME)
    at = (_BEGAN + timedelta(minutes=number)).isoformat(timespec="milliseconds")
    status = _STATUSES.get(number // count % A_NAME, DeploymentStatus.SUCCEEDED)
    environment, id_ = f"env-{number % count:04}", f"d-{number:06}"
    own = {"environment": environment, "status": status.value, "created_at": at}
    if not shared:
        deployment = Deployment(
            id_, environment, Action.DEPLOY, status, Config(), Options(), at, summary="Version 4 is live"
        )
        record, listed = transactions.start(name, deployment, Lock(id_, "", 1.0), None, None)[:2]
        shared["META"] = partitions.put(name, record["Put"]["Item"])
        shared["LISTED"] = partitions.put(name, listed["Put"]["Item"])
    else:
        key = {"pk": {"S": f"DEPLOYMENT#{id_}"}}
        place = {"listed": f"ENVIRONMENT#{environment}", "at": f"{at}#{id_}"}
        partitions.put(name, {**key, "sk": {"S": "META"}, **_texts(own | {"id": id_})}, shared["META"])
        partitions.put(name, {**key, "sk": {"S": "LISTED"}, **_texts(own | place)}, shared["LISTED"])
    history = {"at": at, "action": "deploy", "outcome": status.value, "deployment_id": id_}
    line = {"pk": f"ENVIRONMENT#{environment}", "sk": f"HISTORY#{at}"}
    partitions.put(name, _texts(line | history))


def _record_environment(environment: str, name: str, partitions: Partitions) -> None:
    pk = f"ENVIRONMENT#{environment}"
    partitions.put(name, _texts({"pk": pk, "sk": "META", "status": "LIVE", "last_deployment": "d-000001"}))
    partitions.put(name, _texts({"pk": pk, "sk": "LOCK", "deployment_id": ""}))
    listed = {"pk": pk, "sk": "LISTED", "listed_all": "ENVIRONMENTS", "at": environment}
    partitions.put(name, _texts(listed))


def _texts(values: Mapping[str, str]) -> dict[str, Any]:
    return {key: {"S": value} for key, value in values.items()}


def measure(sizes: Sequence[int], rounds: int) -> Report:
    """All requests of both tables in turn, `rounds` times."""
    with emulated() as partitions:
        tables = [table(size, f"proxyctl-{size}", partitions) for size in sizes]
        say(f"  recorded {' and '.join(f'{each.size:,}' for each in tables)} deployments")
        for number in range(rounds):
            for request in REQUESTS:
                # Neither is always the one that runs with warmer caches.
                for each in tables if number % 2 else tables[::-1]:
                    each.ask(request)
    title = f"Lists and records at {tables[-1].size:,} deployments beside {tables[0].size:,}, {rounds} rounds in turn"
    return Report(title, _lines(tables), _bounds(tables))


def p95(times_s: Sequence[float]) -> float:
    """Nearest rank, in seconds."""
    return sorted(times_s)[math.ceil(0.95 * len(times_s)) - 1]


def _lines(tables: Sequence[Table]) -> list[str]:
    first, last = tables[0], tables[-1]
    lines = [f"{'request':<30}  calls        bytes read         p95 ms"]
    for request in REQUESTS:
        (calls, size), (calls_now, size_now) = first.read[request.name], last.read[request.name]
        before, now = (p95(each.times_s[request.name]) * 1_000 for each in (first, last))
        cells = f"{calls} -> {calls_now}   {size:>7,} -> {size_now:>7,}   {before:6.2f} -> {now:6.2f}"
        lines.append(f"{request.name:<30}  {cells}")
    return lines


def _bounds(tables: Sequence[Table]) -> list[Bound]:
    first, last = tables[0], tables[-1]
    bounds = []
    for request in REQUESTS:
        name = request.name
        bounds += [
            Bound(f"{name}: calls more", last.read[name][0] - first.read[name][0], high=0),
            Bound(f"{name}: bytes read", last.read[name][1] / max(1, first.read[name][1]), high=1.05, unit="x"),
            Bound(f"{name}: p95", p95(last.times_s[name]) / p95(first.times_s[name]), high=SLOWER, unit="x"),
        ]
    return bounds


def main(arguments: list[str]) -> int:
    """Measure and print; 0 when every bound holds."""
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs=2, default=(ANCHOR, SIZE), help="deployments: the anchor, and many")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="times that each request is sent to each table")
    options = parser.parse_args(arguments)
    measurement: Callable[[], Report] = lambda: measure(tuple(options.sizes), options.rounds)  # noqa: E731
    return running.run({"scale": measurement}, ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
