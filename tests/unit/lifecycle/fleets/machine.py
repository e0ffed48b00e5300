"""The state machine of fleets over the fakes: AdvanceFleet, then a Map over its members, until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.codec import encode_record
from chalicelib.domain.fleets.model import FleetDeployment, FleetState
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Release
from chalicelib.lifecycle.fleets.advance import advance_fleet
from chalicelib.lifecycle.fleets.member import roll_member
from chalicelib.lifecycle.fleets.start import begin_fleet

from tests.fakes import FakeAws
from tests.fakes.requests import NOW

WAVES = [["canary"], ["eu", "us"], ["rest"]]
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:proxyctl-fleet:"
GOOD, BAD = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED
Ends = Callable[[Deployment], DeploymentStatus | None]


@dataclass
class Machine:
    """aws: environments with a release each. ends: how each deployment ends; None lets it run on."""

    aws: FakeAws = field(default_factory=FakeAws)
    ends: Ends = lambda _: GOOD
    now: datetime = NOW
    rounds: int = 0

    def __post_init__(self) -> None:
        for name in ("canary", "eu", "us", "rest", "staging"):
            self.stand(name)

    def stand(self, name: str) -> None:
        good = encode_record(Release("1", f"d-old-{name}", "2026-01-01T00:00:00.000+00:00", "abc", {}, "v1"))
        self.aws.records.attributes[name] = {
            "status": "LIVE", "live": good, "last_good": good, "releases": [good], "last_deployment": f"d-old-{name}",
        }  # fmt: skip

    def clock(self) -> datetime:
        return self.now

    def begin(self, name: str = "all", key: str | None = None, **body: Any) -> FleetDeployment:
        given = {"waves": WAVES} | body
        return begin_fleet(name, given, self.aws.as_aws(), self.clock, caller="me", key=key)

    def advance(self, id_: str, **other: Any) -> dict[str, Any]:
        event = {"id": id_, "execution_arn": f"{EXECUTION}{id_}", "settle": "no", "next": "", "members": []} | other
        self.now += timedelta(seconds=1)
        return advance_fleet(event, self.aws.as_aws(), self.clock)

    def call(self, item: Mapping[str, Any]) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return roll_member(item, self.aws.as_aws(), self.clock)

    def map(self, answer: Mapping[str, Any]) -> None:
        """All items of a Map, each until it has ended, a look at each in turn."""
        items = [
            {"id": answer["id"], "purpose": answer["next"], **member, "result": {}} for member in answer["members"]
        ]
        for _ in range(50):
            for item in items:
                item["result"] = self.call(item)
            items = [item for item in items if item["result"]["status"] == "IN_PROGRESS"]
            if not items:
                return
            self.end_some()
        raise AssertionError("a member does not end")

    def end_some(self) -> None:
        """Every deployment that runs ends as the script says, and what it released is live."""
        for deployment in list(self.aws.records.started.values()):
            outcome = DeploymentStatus.ABORTED if deployment.abort_requested else self.ends(deployment)
            if not deployment.status.is_final and outcome:
                self.end(deployment, outcome)

    @staticmethod
    def end_all(aws: FakeAws) -> None:
        """Every deployment that runs succeeds."""
        for deployment in list(aws.records.started.values()):
            aws.records.started[deployment.id] = replace(deployment, status=GOOD)

    def end(self, deployment: Deployment, outcome: DeploymentStatus) -> None:
        records = self.aws.records
        records.started[deployment.id] = replace(deployment, status=outcome, summary=f"it ended {outcome.value}")
        attributes = records.attributes[deployment.environment]
        attributes["lock"] = None
        if outcome is not GOOD or deployment.action is Action.REVALIDATE:
            return
        before = attributes["last_good"]
        if deployment.action is Action.ROLLBACK:
            attributes |= {"live": attributes["previous"], "last_good": attributes["previous"], "previous": None}
            return
        version = str(int(before["version"]) + 1)
        new = {**before, "version": version, "deployment_id": deployment.id}
        attributes |= {"live": new, "last_good": new, "previous": before, "releases": [new, before]}

    def run(self, id_: str, **first: Any) -> FleetState:
        """Until it has ended, or until it waits for a person."""
        answer = self.advance(id_, **first)
        for _ in range(60):
            self.rounds += 1
            if answer["next"] in ("END", "APPROVE"):
                return self.aws.fleets.state(id_)
            if answer["next"] == "SOAK":
                self.now += timedelta(seconds=answer["wait_s"])
            else:
                self.map(answer)
            answer = self.advance(id_, next=answer["next"], members=answer["members"])
        raise AssertionError("the fleet deployment does not end")

    def begun(self) -> list[str]:
        """Environments in which anything was begun, in that order, each once."""
        return list(dict.fromkeys(item.environment for item in self.aws.records.started.values()))


def failing(*environments: str) -> Ends:
    """Deploys of these fail; everything else succeeds."""
    return lambda deployment: BAD if deployment.environment in environments and deployment.action.deploys else GOOD
