"""A fleet of twelve environments in three waves, a bad release that stops in the first, a promotion, a killed fleet."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rolling import Embedded, hold, phase, roll, spoiled, until, versions_of

pytestmark = pytest.mark.long
PATIENCE_S = 1_500.0
FINAL = ("SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED")
NAMES = [f"fleet-{letter}" for letter in "abcdefghijkl"]
WAVES = [NAMES[:1], NAMES[1:5], NAMES[5:]]
SMALL: Mapping[str, Any] = {
    "load": {"rps": 2, "duration_s": 3, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.5},
    "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
}


def start(embedded: Embedded, **body: Any) -> dict[str, Any]:
    """POST /fleets/shops/deployments, four environments at once: two cores carry no more."""
    given = {"waves": WAVES, "options": SMALL, "at_once": 4} | body
    status, answer = embedded.call("POST", "/fleets/shops/deployments", given)
    assert status == 202, answer
    return dict(answer)


def shown(embedded: Embedded, id_: str) -> dict[str, Any]:
    status, answer = embedded.call("GET", f"/fleets/shops/deployments/{id_}")
    assert status == 200, answer
    return dict(answer)


def ended(embedded: Embedded, id_: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = shown(embedded, id_)
        if answer["status"] in FINAL:
            return answer
        time.sleep(3)
    raise AssertionError(f"the fleet has not ended: {answer}")


def members(fleet: Mapping[str, Any], wave: int) -> list[dict[str, Any]]:
    return list(fleet["waves"][wave - 1]["members"])


def _times(fleet: Mapping[str, Any], wave: int, field: str) -> list[str]:
    return sorted(str(member[field]) for member in members(fleet, wave))


@pytest.fixture(scope="module")
def fleet(embedded: Embedded) -> dict[str, Any]:
    """Twelve new environments, rolled in three waves."""
    for name in NAMES:
        embedded.client.put_secret(name, embedded.secret())
    return ended(embedded, start(embedded, create=True, gate={"soak_s": 3})["id"])


def test_twelve_environments_are_rolled_in_three_waves_one_after_the_other(
    embedded: Embedded, fleet: dict[str, Any]
) -> None:
    assert fleet["status"] == "SUCCEEDED", fleet["summary"]
    assert [wave["status"] for wave in fleet["waves"]] == ["PASSED"] * 3
    assert [len(wave["members"]) for wave in fleet["waves"]] == [1, 4, 7]
    for wave in (2, 3):
        assert _times(fleet, wave, "started_at")[0] > _times(fleet, wave - 1, "ended_at")[-1]
    for name in NAMES:
        assert embedded.client.environment(name)["status"] == "LIVE"
    machine = embedded.outputs["FleetArn"]
    execution = embedded.boto("stepfunctions").describe_execution(executionArn=fleet["execution_arn"])
    assert (execution["stateMachineArn"], execution["status"]) == (machine, "SUCCEEDED")
    status, page = embedded.call("GET", f"/fleets/shops/deployments/{fleet['id']}/report")
    assert status == 200
    assert all(name in page for name in NAMES)


def test_no_more_ran_at_once_than_was_asked(fleet: dict[str, Any]) -> None:
    spans = [(member["started_at"], member["ended_at"]) for wave in (1, 2, 3) for member in members(fleet, wave)]
    for begun, _ in spans:
        assert sum(start_ <= begun < end for start_, end in spans) <= 4


def test_a_bad_release_stops_in_the_first_wave_and_no_later_wave_is_touched(
    embedded: Embedded, fleet: dict[str, Any], tmp_path: Path
) -> None:
    assert fleet["status"] == "SUCCEEDED"
    before = {name: (versions_of(embedded, name), embedded.client.environment(name)) for name in NAMES}
    planted = ("        path = below_base(", '        raise RuntimeError("planted")\n        path = below_base(')
    good = hold(embedded, spoiled(tmp_path, "proxy/core.py", *planted))
    try:
        answer = ended(embedded, start(embedded)["id"])
    finally:
        hold(embedded, good)
    assert answer["status"] == "FAILED", answer["summary"]
    assert [wave["status"] for wave in answer["waves"]] == ["FAILED", "PENDING", "PENDING"]
    assert answer["error"]["code"] == "WaveFailed"
    assert {member["status"] for wave in (2, 3) for member in members(answer, wave)} == {"NOT_STARTED"}
    for name in NAMES[1:]:
        versions, environment = before[name]
        now = embedded.client.environment(name)
        assert versions_of(embedded, name) == versions
        assert (now["last_deployment"], now["live"]) == (environment["last_deployment"], environment["live"])  # type: ignore[typeddict-item]
    assert versions_of(embedded, NAMES[0])["live"] == before[NAMES[0]][0]["live"]


def test_a_promotion_gives_the_fleet_the_bytes_and_models_that_passed(
    embedded: Embedded, fleet: dict[str, Any]
) -> None:
    assert fleet["status"] == "SUCCEEDED"
    models = embedded.secret()["models"] | {"promoted": {"target": "gpt-4o-mini"}}
    embedded.client.put_secret("fleet-stage", embedded.secret() | {"models": models})
    passed = roll(embedded, "fleet-stage", options=dict(SMALL), config={"memory_mb": 768})
    assert passed["status"] == "SUCCEEDED", passed.get("error")
    waves = [NAMES[:1], NAMES[1:3]]
    answer = ended(embedded, start(embedded, waves=waves, action="promote", **{"from": "fleet-stage"})["id"])
    assert answer["status"] == "SUCCEEDED", answer["summary"]
    assert answer["promotion"]["deployment_id"] == passed["id"]
    artifact = phase(passed, "package_artifact")["evidence"]
    for name in NAMES[:3]:
        environment = embedded.client.environment(name)
        live = environment["live"]
        assert live is not None
        assert live["artifact"] == artifact["digest"]
        assert live["config"]["memory_mb"] == 512, "prod's own configuration"
        code = embedded.boto("lambda").get_function_configuration(
            FunctionName=f"proxyctl-{name}-proxy", Qualifier="live"
        )
        assert code["CodeSha256"] == artifact["code_sha256"]
        stored = (
            embedded.boto("s3")
            .get_object(Bucket=embedded.aws.bucket, Key=f"artifacts/{name}/{artifact['digest']}.zip")["Body"]
            .read()
        )
        assert base64.b64encode(hashlib.sha256(stored).digest()).decode() == artifact["code_sha256"]
        assert "promoted" in embedded.client.secret(name)["models"]
        rolled = embedded.client.deployment(str(live["deployment_id"]))
        assert rolled["links"]["promoted_from"] == f"deployments/{passed['id']}"


def test_a_wave_that_fails_takes_the_waves_before_it_back(embedded: Embedded, fleet: dict[str, Any]) -> None:
    assert fleet["status"] == "SUCCEEDED"
    first, second = NAMES[3], NAMES[4]
    before = versions_of(embedded, first)["live"]
    nowhere = embedded.secret() | {"base_url": "http://127.0.0.1:9/v1"}  # the stand-in takes any key
    embedded.client.put_secret(second, nowhere, {"now": "true"})
    until("it is free", lambda: not embedded.client.environment(second).get("lock"))
    body = {"config": {"log_level": "DEBUG", "secret_ttl_s": 200}, "waves": [[first], [second]]}
    answer = ended(embedded, start(embedded, **body)["id"])
    assert answer["status"] == "ROLLED_BACK", answer["summary"]
    (taken_back,) = members(answer, 1)
    assert taken_back["rolled_back"] == "DONE"
    assert embedded.client.deployment(taken_back["rollback"])["action"] == "rollback"
    assert versions_of(embedded, first)["live"] == before


def test_a_killed_fleet_comes_to_a_true_end_and_begins_nothing_more(embedded: Embedded, fleet: dict[str, Any]) -> None:
    assert fleet["status"] == "SUCCEEDED"
    waves = [[NAMES[6]], [NAMES[7]]]
    begun = start(embedded, waves=waves, action="revalidate")
    running = until("its member runs", lambda: members(shown(embedded, begun["id"]), 1)[0]["deployment"])
    states = embedded.boto("stepfunctions")
    states.stop_execution(executionArn=shown(embedded, begun["id"])["execution_arn"])
    embedded.boto("lambda").invoke(FunctionName=embedded.function("Sweep"), Payload=b"{}")
    answer = ended(embedded, begun["id"])
    assert answer["error"]["code"] == "ExecutionStopped"
    assert members(answer, 2)[0]["status"] == "NOT_STARTED"
    assert embedded.client.deployment(running)["status"] in FINAL
    status, fleet_now = embedded.call("GET", "/fleets/shops")
    assert (status, fleet_now["running"]) == (200, "")


def test_an_abort_stops_what_runs(embedded: Embedded, fleet: dict[str, Any]) -> None:
    assert fleet["status"] == "SUCCEEDED"
    begun = start(embedded, waves=[[NAMES[8]], [NAMES[9]]], action="revalidate", gate={"approval": "required"})
    path = f"/fleets/shops/deployments/{begun['id']}"
    until("it waits", lambda: shown(embedded, begun["id"])["status"] == "WAITING_APPROVAL", 180)
    status, refused = embedded.call("POST", "/fleets/shops/deployments", {"waves": WAVES})
    assert (status, refused["error"]["code"], refused["error"]["holder"]) == (409, "FleetBusy", begun["id"])
    status, _ = embedded.call("POST", f"{path}/approve")
    assert status == 202
    until("the second wave runs", lambda: members(shown(embedded, begun["id"]), 2)[0]["deployment"], 120)
    status, _ = embedded.call("POST", f"{path}/abort")
    assert status == 202
    answer = ended(embedded, begun["id"])
    assert answer["status"] == "ABORTED"
    assert members(answer, 2)[0]["outcome"] == "ABORTED"
