"""Whatever happens to a deployment in the middle of whichever phase, it comes to a true end, users keep the last good
version, and the next deployment, which waits in line meanwhile, is rolled.

One environment lives through all of it: each case's next deployment is the good release of the case after it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from chalicelib.domain.names import Names
from chalicelib.engine import registry

from tests.e2e.holding import GotAway, Held, execution_of, held, state_of
from tests.e2e.rolling import Rolled, chats, ended, final, phase, roll, start, until, versions_of

# How fast a busy machine is is no fact of these tests.
SMALL: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 1, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [50, 100], "step_s": 1, "watch_s": 1},
}
BEFORE_RELEASE = (
    "acquire_lock",
    "preflight",
    "prepare_secret",
    "package_artifact",
    "deploy_stack",
    "configure_monitoring",
)
STEPS = ("acquire_lock", "shift_traffic", "apply_settings", "bake")
# Longer than any phase takes here, and short enough to wait for.
ENOUGH_S = 30
ATTEMPTS = 4
_serial = itertools.count(1)

Middle = Callable[[Rolled, str], Any]


@dataclass(frozen=True)
class Case:
    """A deploy that comes to its middle of a phase: what it asks for, and how the world looks there."""

    options: Mapping[str, Any] = field(default_factory=dict)
    config: Callable[[int], Mapping[str, Any]] = lambda _: {}
    middle: Middle = lambda _rolled, _live: True


def change_set_made(rolled: Rolled, _live: str) -> bool:
    stack = Names(rolled.environment).stack
    return bool(rolled.embedded.boto("cloudformation").list_change_sets(StackName=stack)["Summaries"])


def alarms_ring(rolled: Rolled, _live: str = "", but_of: str = "nobody") -> list[str]:
    prefix = Names(rolled.environment).alarm("")
    deployment = rolled.embedded.boto("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in deployment["MetricAlarms"] if but_of not in alarm["StateReason"]]


def candidate_moved(rolled: Rolled, live: str) -> bool:
    return versions_of(rolled.embedded, rolled.environment)["candidate"] != live


def half_the_traffic_moved(rolled: Rolled, _live: str) -> bool:
    alias = rolled.embedded.boto("lambda").get_alias(FunctionName=Names(rolled.environment).function, Name="live")
    return bool((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))


def users_moved(rolled: Rolled, live: str) -> bool:
    return half_the_traffic_moved(rolled, live) or versions_of(rolled.embedded, rolled.environment)["live"] != live


def setting_changed(rolled: Rolled, _live: str) -> bool:
    deployment = rolled.embedded.boto("lambda").get_function_configuration(
        FunctionName=Names(rolled.environment).function
    )
    return bool(deployment["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG")


FORCE = {"force": True}
CASES: dict[str, Case] = {
    "acquire_lock": Case(),
    "preflight": Case(),
    "prepare_secret": Case(FORCE),
    "package_artifact": Case(FORCE),
    "deploy_stack": Case(config=lambda n: {"throttle": {"rate_per_s": 200 + n}}, middle=change_set_made),
    "configure_monitoring": Case(FORCE, middle=alarms_ring),
    "release_code": Case(middle=candidate_moved),
    "validate_endpoints": Case(),
    "validate_errors": Case(),
    "load_test": Case(),
    "shift_traffic": Case(middle=users_moved),
    "apply_settings": Case(config=lambda n: {"throttle": {"rate_per_s": 400 + n}}, middle=change_set_made),
    "bake": Case(),
    "verify_idempotency": Case(middle=setting_changed),
    "write_handoff": Case(),
    "clean_up": Case(),
}


# On demand: test_setbacks.py stops and aborts, and test_settings_follow.py kills, with all tests.
ON_DEMAND = [pytest.param(name, marks=pytest.mark.long) for name in CASES]


def test_every_phase_has_its_case() -> None:
    assert {*CASES} == {*registry.PHASES, *STEPS}


def begin(rolled: Rolled, case: Case, **options: Any) -> str:
    """A deploy of something that no release before it was."""
    number = next(_serial)
    config = {"secret_ttl_s": 300 + number, **case.config(number)}
    return start(rolled.embedded, rolled.environment, config=config, options={**SMALL, **case.options, **options})


@dataclass(frozen=True)
class Struck:
    """A deployment that something happened to, the one that waits in line, and the version that was good before."""

    rolled: Rolled
    first: str
    second: str
    good: str

    def over(self, patience_s: float = 120) -> dict[str, Any]:
        """The first one's end, and what must be true of it whatever happened."""
        answer: dict[str, Any] = until("it has ended", lambda: final(self.rolled.embedded, self.first), patience_s)
        running = [row["name"] for row in [*answer["phases"], *answer["steps"]] if row["status"] == "RUNNING"]
        assert not running, running
        assert answer["ended_at"]
        assert answer.get("current_phase") is None
        return answer

    def users_are_well(self) -> None:
        """They are on the version that was good, no test goes elsewhere, and no one is rung up for nothing."""
        rolled = self.rolled
        aliases = versions_of(rolled.embedded, rolled.environment)
        assert aliases == {"live": self.good, "candidate": self.good}
        assert not half_the_traffic_moved(rolled, self.good)
        assert alarms_ring(rolled, but_of=self.second) == []
        assert [item for item in probes(rolled) if self.second not in item] == []
        assert chats(rolled)

    def next_works(self) -> None:
        """The deployment that waited was started when the first let go, found all in place, and is rolled."""
        embedded, environment = self.rolled.embedded, self.rolled.environment
        answer = ended(embedded, self.second)
        assert answer["status"] == "SUCCEEDED", answer["summary"]
        assert phase(answer, "acquire_lock")["evidence"]["put_back"] == ""
        until("the environment is free", lambda: not self.rolled.stands().get("lock"))
        version = phase(answer, "release_code")["evidence"]["version"]
        stands = self.rolled.stands()
        assert stands["live"]["version"] == stands["last_good"]["version"] == version
        assert versions_of(embedded, environment) == {"live": version, "candidate": version}
        assert chats(self.rolled)
        lines = [line["outcome"] for line in stands["history"] if line["deployment_id"] == self.first]
        assert lines == [embedded.client.deployment(self.first)["status"]]


def probes(rolled: Rolled) -> list[str]:
    """What a drill of the alarms leaves: queues, and the topic's subscriptions to them."""
    prefix = Names(rolled.environment).probes
    queues = rolled.embedded.boto("sqs").list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    subscriptions = rolled.embedded.boto("sns").list_subscriptions()["Subscriptions"]
    return [*queues, *(item["Endpoint"] for item in subscriptions if prefix in item["Endpoint"])]


def free(rolled: Rolled) -> str:
    """The version that is good, once nobody holds the environment: a case before may have failed, and the fixture's own
    rollout on a machine too busy for its load test."""
    until("the environment is free", lambda: not rolled.stands().get("lock"), 240)
    if not rolled.stands()["live"]:
        assert roll(rolled.embedded, rolled.environment, options=SMALL)["status"] == "SUCCEEDED"
    good: str = rolled.stands()["live"]["version"]
    return good


@contextmanager
def caught(rolled: Rolled, name: str, *, next_changes: bool = False) -> Iterator[tuple[Struck, Held]]:
    """A deploy, stopped in the middle of this phase, and another in line behind it: of what is live, or of a change."""
    with in_the_middle(rolled, name) as (first, good, lambda_):
        yield Struck(rolled, first, in_line(rolled, changes=next_changes), good), lambda_


@contextmanager
def in_the_middle(rolled: Rolled, name: str, **options: Any) -> Iterator[tuple[str, str, Held]]:
    """A deploy that is in the middle of this phase, and the version that is good; one that gets away is let go."""
    with ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            case, good = CASES[name], free(rolled)
            first = begin(rolled, case, **options)
            try:
                middle = partial(case.middle, rolled, good)
                lambda_ = stack.enter_context(held(rolled.embedded, first, name, middle))
                break
            except GotAway:
                if attempt == ATTEMPTS:
                    raise
        yield first, good, lambda_


def in_line(rolled: Rolled, *, changes: bool) -> str:
    if changes:
        return begin(rolled, Case(), if_busy="wait")
    return start(rolled.embedded, rolled.environment, options={**SMALL, "if_busy": "wait"})


def stop(rolled: Rolled, deployment_id: str) -> None:
    states = rolled.embedded.boto("stepfunctions")
    arn = execution_of(rolled.embedded, deployment_id)["executionArn"]
    states.stop_execution(executionArn=arn, error="Someone", cause="a test")


def abort(rolled: Rolled, deployment_id: str) -> None:
    status, _ = rolled.embedded.call("POST", f"/deployments/{deployment_id}/abort")
    assert status == 202


@pytest.mark.parametrize("name", ON_DEMAND)
def test_a_lambda_that_is_killed_in_the_middle(rolled: Rolled, name: str) -> None:
    with caught(rolled, name, next_changes=name not in BEFORE_RELEASE) as (struck, lambda_):
        lambda_.kill()
    deployment = struck.over()
    assert deployment["status"] in (("FAILED",) if name in BEFORE_RELEASE else ("ROLLED_BACK", "FAILED")), deployment[
        "summary"
    ]
    # One that had written down its end, and was killed before it could answer, stays as it was.
    assert phase(deployment, name)["status"] in ("FAILED", "SUCCEEDED")
    assert name in deployment["summary"]
    assert (deployment["error"]["code"], deployment["error"]["message"]) == (
        "Runtime.HandlerError",
        "Worker process died",
    )
    struck.users_are_well()
    struck.next_works()


@pytest.mark.parametrize("name", ON_DEMAND)
def test_an_execution_that_is_stopped_while_its_lambda_lives_on(rolled: Rolled, name: str) -> None:
    with caught(rolled, name) as (struck, _lambda):
        stop(rolled, struck.first)
        answer = struck.over()
        assert answer["status"] in ("FAILED", "ROLLED_BACK"), answer["summary"]
        assert answer["error"]["code"] == "ExecutionStopped"
        assert name in answer["summary"]
        struck.users_are_well()
    # Only now the Lambda goes on, which nobody waits for any more, while the next deployment runs.
    struck.next_works()
    assert final(rolled.embedded, struck.first) == answer


@pytest.mark.parametrize("name", ON_DEMAND)
def test_an_abort_in_the_middle(rolled: Rolled, name: str) -> None:
    with caught(rolled, name) as (struck, _lambda):
        abort(rolled, struck.first)
    deployment = struck.over()
    assert deployment["status"] == "ABORTED", deployment["summary"]
    struck.users_are_well()
    struck.next_works()


@contextmanager
def limited(rolled: Rolled, name: str, seconds: int) -> Iterator[None]:
    """The phase's Lambda may run for so long, and no longer: the state machine calls another version of it."""
    functions, machines = rolled.embedded.boto("lambda"), rolled.embedded.boto("stepfunctions")
    function = rolled.embedded.function(state_of(name))
    machine = rolled.embedded.client.deployment(rolled.deployment["id"])["execution_arn"].rpartition(":")[0]
    machine = machine.replace(":execution:", ":stateMachine:")
    definition = machines.describe_state_machine(stateMachineArn=machine)["definition"]
    before = functions.get_function_configuration(FunctionName=function)["Timeout"]
    functions.update_function_configuration(FunctionName=function, Timeout=seconds)
    functions.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    short = functions.publish_version(FunctionName=function)["FunctionArn"]
    changed = re.sub(rf'(?<=")[^"]+:function:{re.escape(function)}:\d+(?=")', short, definition)
    assert changed != definition
    machines.update_state_machine(stateMachineArn=machine, definition=changed)
    try:
        yield
    finally:
        machines.update_state_machine(stateMachineArn=machine, definition=definition)
        functions.update_function_configuration(FunctionName=function, Timeout=before)
        functions.delete_function(FunctionName=function, Qualifier=short.rpartition(":")[2])


@pytest.mark.parametrize("name", ON_DEMAND)
def test_a_lambda_that_runs_out_of_time_in_the_middle_is_asked_again(rolled: Rolled, name: str) -> None:
    """What the state machine retries, it retries: the second call finds what the first one left, and goes on."""
    at_once = {"strategy": "all_at_once", "step_s": 1, "watch_s": 1}
    with limited(rolled, name, ENOUGH_S):
        with in_the_middle(rolled, name, bake=at_once) as (first, _good, _lambda):
            failed = until("it was asked again", lambda: asked_again(rolled, first), ENOUGH_S + 20)
        deployment = ended(rolled.embedded, first)
    assert failed == ["Sandbox.Timedout"]
    assert deployment["status"] == "SUCCEEDED", deployment["summary"]
    assert phase(deployment, "bake")["status"] == "SUCCEEDED"
    until("the environment is free", lambda: not rolled.stands().get("lock"))
    version = phase(deployment, "release_code")["evidence"]["version"]
    assert rolled.stands()["live"]["version"] == version
    assert versions_of(rolled.embedded, rolled.environment) == {"live": version, "candidate": version}
    assert not setting_changed(rolled, "")
    assert (alarms_ring(rolled), probes(rolled)) == ([], [])
    assert chats(rolled)


def asked_again(rolled: Rolled, deployment_id: str) -> list[str]:
    """What a Lambda failed with, once the state machine has called it again."""
    arn = execution_of(rolled.embedded, deployment_id)["executionArn"]
    pages = rolled.embedded.boto("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    failed = [number for number, event in enumerate(events) if event["type"] == "TaskFailed"]
    again = any(event["type"] == "TaskScheduled" for number in failed for event in events[number:])
    return [events[number]["taskFailedEventDetails"]["error"] for number in failed] if again else []


BLOWS: dict[str, Callable[[Rolled, str, Held], None]] = {
    "killed": lambda _rolled, _id, lambda_: lambda_.kill(),
    "stopped": lambda rolled, id_, _lambda: stop(rolled, id_),
    "aborted": lambda rolled, id_, _lambda: abort(rolled, id_),
}


@pytest.mark.long
@pytest.mark.parametrize("blow", BLOWS)
def test_the_way_back_is_gone_to_its_end_whatever_happens_on_it(rolled: Rolled, blow: str) -> None:
    """Users are on a version that has failed: nothing may leave them there."""
    with caught(rolled, "bake") as (struck, bake):
        bake.kill()
        with held(rolled.embedded, struck.first, "roll_back") as way_back:
            assert users_moved(rolled, struck.good)
            BLOWS[blow](rolled, struck.first, way_back)
            deployment = struck.over() if blow == "stopped" else None
    deployment = deployment or struck.over()
    assert deployment["status"] == "ROLLED_BACK", deployment["summary"]
    assert "bake" in deployment["summary"]
    struck.users_are_well()
    struck.next_works()


@pytest.mark.long
@pytest.mark.parametrize("blow", BLOWS)
def test_an_end_is_written_once_and_true_whatever_happens_meanwhile(rolled: Rolled, blow: str) -> None:
    good = free(rolled)
    first = begin(rolled, Case())
    with held(rolled.embedded, first, "record_outcome") as lambda_:
        struck = Struck(rolled, first, in_line(rolled, changes=False), good)
        BLOWS[blow](rolled, first, lambda_)
        deployment = struck.over() if blow == "stopped" else None
    deployment = deployment or struck.over()
    # A killed one is asked again, and nothing was wrong with the release.
    expected = {"killed": ("SUCCEEDED",), "stopped": ("ROLLED_BACK", "FAILED"), "aborted": ("ABORTED",)}
    assert deployment["status"] in expected[blow], deployment["summary"]
    if blow != "killed":
        struck.users_are_well()
    struck.next_works()


@pytest.mark.long
@pytest.mark.parametrize("blow", ["stopped", "aborted"])
def test_what_waits_for_a_person_comes_to_its_end_too(rolled: Rolled, blow: str) -> None:
    good = free(rolled)
    first = begin(rolled, Case(), approval="required")
    until("it waits", lambda: rolled.embedded.client.deployment(first)["status"] == "WAITING_APPROVAL", 240)
    struck = Struck(rolled, first, in_line(rolled, changes=False), good)
    BLOWS[blow](rolled, first, Held(()))
    answer = struck.over()
    assert answer["status"] == {"stopped": "FAILED", "aborted": "ABORTED"}[blow], answer["summary"]
    struck.users_are_well()
    struck.next_works()
