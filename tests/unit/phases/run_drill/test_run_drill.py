"""A drill deploys, breaks, updates and removes an environment of its own, and fails if any part ends otherwise."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.drill import DrillEvidence
from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.run_drill import run as run_drill
from chalicelib.phases.run_drill.cursor import DrillCursor

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, environment, next_call, request

DRILL = "d-0123abcdef0123abcdef"
NAME = "drill-0123ab"
FUNCTION = Names(NAME).function
RIGHT = {"deploy": "SUCCEEDED", "broken": "FAILED", "update": "SUCCEEDED", "cleanup": "SUCCEEDED"}
LIVE = {"deploy": "2", "broken": "2", "update": "4", "cleanup": ""}


class Drill:
    """The step, called as the state machine calls it, and deployments that end as a test wants them to."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        live = {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": dataclasses.asdict(Config())}
        secret = {
            "fingerprint": "f",
            "deployment_id": "d",
            "at": "t",
            "evidence": {"arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod"},
        }
        self.aws.records.attributes["prod"] = {"live": live, "applied_prepare_secret": secret}
        config = FunctionConfig("c", 512, 29, {}, "python3.11")
        self.aws.functions.add(FUNCTION, config, live="2", versions=5)
        self.next: Request = request(
            deployment_id=DRILL,
            environment=environment(name="drill"),
            action=Action.DRILL,
            options=Options(drill_of="prod"),
        )

    @property
    def cursor(self) -> DrillCursor:
        return self.next.cursor_as(DrillCursor)

    def call(self, *, after_s: float = 0) -> Result[DrillEvidence]:
        result = run_drill.run(replace(self.next, now=NOW + timedelta(seconds=after_s)), self.aws.as_aws())
        self.next = next_call(self.next, result)
        return result

    def end(self, part: str, status: str = "", *, alias: str = "", remaining: int = 0) -> None:
        """The part's deployment ends; by default as it must."""
        records = self.aws.records
        child = self.cursor.child
        version = LIVE[part]
        live = {"version": version, "deployment_id": child, "at": "t", "artifact": "", "config": {}}
        records.attributes[NAME].update(lock=None, live=live if version else None)
        if part != "cleanup":
            self.aws.functions.point(FUNCTION, Alias("live", alias or version))
        for number in range(1, 13):
            name = "clean_up" if number == 12 else f"phase-{number}"
            evidence = {"left": [{"kind": "log group"}] * remaining} if name == "clean_up" else {}
            records.put_phase(child, PhaseRecord(number, name, PhaseStatus.SUCCEEDED, evidence=evidence))
        stands = records.started[child]
        records.started[child] = replace(stands, status=DeploymentStatus(status or RIGHT[part]), summary="ended")

    def through(self, **wrong: Any) -> DrillEvidence:
        """All parts until the drill ends; `wrong` says how a part ends otherwise."""
        while True:
            self.call()
            part = self.cursor.part
            self.end(part, **wrong.get(part, {}))
            result = self.call()
            if result.status is not Status.IN_PROGRESS:
                assert result.evidence is not None
                return result.evidence


def test_a_drill_whose_parts_end_as_they_must_names_each_with_its_deployment() -> None:
    evidence = Drill().through()
    assert [(result.part, result.verdict, result.status) for result in evidence.parts] == [
        (part, "PASSED", status) for part, status in RIGHT.items()
    ]
    assert len({result.deployment_id for result in evidence.parts}) == 4
    assert (evidence.environment, evidence.not_run) == (NAME, ())


def test_each_part_is_a_deployment_of_the_drills_environment_and_only_one_is_broken() -> None:
    drill = Drill()
    drill.through()
    bodies: list[Any] = list(drill.aws.rollouts.bodies)
    assert {body["environment"] for body in bodies} == {NAME}
    assert [body["options"].get("sabotage") for body in bodies] == [None, "answers_500", None, None]
    assert [body["config"]["secret_arn"] for body in bodies[:3]] == [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod"
    ] * 3


def test_the_template_is_neither_locked_nor_changed() -> None:
    drill = Drill()
    before = json.dumps(drill.aws.records.attributes["prod"], sort_keys=True)
    drill.through()
    assert json.dumps(drill.aws.records.attributes["prod"], sort_keys=True) == before


@pytest.mark.parametrize(
    ("wrong", "part", "not_run"),
    [
        ({"deploy": {"status": "FAILED"}}, "deploy", ("broken", "update")),
        ({"broken": {"status": "SUCCEEDED"}}, "broken", ("update",)),
        ({"broken": {"alias": "3"}}, "broken", ("update",)),
        ({"update": {"alias": "2"}}, "update", ()),
        ({"cleanup": {"remaining": 1}}, "cleanup", ()),
    ],
)
def test_a_part_that_ends_otherwise_fails_the_drill_after_everything_was_removed(
    wrong: dict[str, Any], part: str, not_run: tuple[str, ...]
) -> None:
    drill = Drill()
    with pytest.raises(PhaseFailed) as caught:
        drill.through(**wrong)
    parts = caught.value.evidence["parts"]
    assert [result.part for result in parts if result.verdict == "FAILED"] == [part]
    assert parts[-1].part == "cleanup"
    assert caught.value.evidence.get("not_run", ()) == not_run


def test_while_a_part_runs_it_is_polled_ever_less_often_and_started_once() -> None:
    drill = Drill()
    results = [drill.call() for _ in range(5)]
    assert {result.status for result in results} == {Status.IN_PROGRESS}
    assert [result.poll_after_s for result in results] == [1, 1, 2, 3, 5]
    assert len(drill.aws.executions.started) == 1


def test_a_removal_needs_no_template_any_more() -> None:
    drill = Drill()
    drill.call()
    drill.end("deploy", "FAILED")
    drill.call()
    drill.aws.records.attributes["prod"]["live"] = None
    assert drill.call().status is Status.IN_PROGRESS
    assert (drill.cursor.part, bool(drill.cursor.child)) == ("cleanup", True)


def test_a_step_that_died_after_starting_a_part_finds_the_same_deployment() -> None:
    drill = Drill()
    drill.call()
    child = drill.cursor.child
    drill.next = replace(drill.next, cursor={})
    drill.call()
    assert drill.cursor.child == child


def test_until_the_part_before_has_released_the_lock_the_next_one_waits() -> None:
    drill = Drill()
    drill.call()
    drill.end("deploy")
    drill.aws.records.attributes[NAME]["lock"] = {"deployment_id": "d-x", "execution_arn": "arn", "lease_until": 9e9}
    drill.aws.executions.statuses["arn"] = "RUNNING"
    drill.call()
    assert "about to start" in drill.call().summary
    drill.aws.records.attributes[NAME]["lock"] = None
    drill.call()
    assert drill.cursor.child


def test_a_drill_may_take_two_hours() -> None:
    drill = Drill()
    drill.call()
    assert drill.call(after_s=2 * 3_600).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as caught:
        drill.call(after_s=2 * 3_600 + 1)
    assert caught.value.code == "DrillTimeout"


def test_a_template_that_serves_nothing_is_refused() -> None:
    drill = Drill()
    drill.aws.records.attributes["prod"]["live"] = None
    with pytest.raises(PhaseFailed) as caught:
        drill.call()
    assert caught.value.code == "NoTemplate"
