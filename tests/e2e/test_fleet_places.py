"""A fleet of twelve environments in two accounts and two regions: waves, a bad release, promotion, ways back.

What a place has is read from its own AWS (aliases, versions, stacks, secrets, APIs, packages), and every call that the
control plane's Lambdas made is counted, beside what the control plane has on record.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from installer import elsewhere, target
from judges.calls import Call
from local import cloud, emulator, places, strict
from local.state import Cloud
from tests.e2e import recorded
from tests.e2e.places_of_fleet import Site, site_of, states, untouched
from tests.e2e.rolling import Embedded, Rolled, chats, hold, phase, roll, spoiled, until
from tests.e2e.test_fleet import SMALL, ended, members, shown, start
from tests.unit.installer.test_target_template import ROOT

pytestmark = pytest.mark.long
OTHER_ACCOUNT, OTHER_REGION = "222222222222", "eu-west-1"
PLACES = ("home", "region", "account", "both")
NAMES = {place: [f"{place}-{number}" for number in (1, 2, 3)] for place in PLACES}
EVERY = [name for names in NAMES.values() for name in names]
CANARY = "account-1"
ONE_IN_EACH = ["home-1", "region-1", "both-1", "account-2"]
WAVES = [[CANARY], ONE_IN_EACH, [name for name in EVERY if name not in (CANARY, *ONE_IN_EACH)]]


_RELEASE = ("last_deployment", "live", "lock")


@pytest.fixture(scope="session")
def running(site: cloud.Site) -> Cloud:
    """The strict cloud; every call of a Lambda's is recorded, also one that equals an earlier one."""
    os.environ[emulator.EVERY_CALL] = "1"
    try:
        return cloud.start(site, switches=strict.EVERYDAY)[0]
    finally:
        del os.environ[emulator.EVERY_CALL]


@pytest.fixture(scope="module")
def sites(site: cloud.Site, embedded: Embedded) -> dict[str, Site]:
    """Home, another region of its account, another account, and another account in another region."""
    home = embedded.cloud
    wanted = {
        "region": (home.account, OTHER_REGION),
        "account": (OTHER_ACCOUNT, home.region),
        "both": (OTHER_ACCOUNT, OTHER_REGION),
    }
    created = {"home": Site(embedded.aws, None, NAMES["home"])}
    for name, (account, region) in wanted.items():
        places.add(site.folder, account, region)
        aws = target.embedded(emulator.session(region, places.root_of(account, home)), home.endpoint)
        created[name] = Site(aws, elsewhere.install(ROOT, aws, elsewhere.Wanted(home.account)), NAMES[name])
    return created


@pytest.fixture(scope="module")
def twelve(embedded: Embedded, sites: dict[str, Site]) -> dict[str, Any]:
    """The twelve, each made in its place by a fleet of that place. Answers the fleet deployments."""
    answers = {}
    for place, site in sites.items():
        for name in site.environments:
            embedded.client.put_secret(name, embedded.secret(), site.query)
        body = {"waves": [site.environments], "create": True, "config": site.config}
        answers[place] = ended(embedded, start(embedded, **body)["id"])
    return answers


def test_three_environments_stand_in_each_of_the_four_places(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    for place, site in sites.items():
        assert twelve[place]["status"] == "SUCCEEDED", twelve[place]["summary"]
        where = (site.aws.account, site.aws.region) if site.block else (None, None)
        assert {(member["account"], member["region"]) for member in members(twelve[place], 1)} == {where}
        listed = {item["FunctionName"] for item in site.aws.client("lambda").list_functions()["Functions"]}
        proxies = {name for name in listed if name.endswith("-proxy")}
        assert proxies == {f"proxyctl-{name}-proxy" for name in site.environments}


def test_an_account_lets_nobody_in_but_the_functions_of_its_control_plane(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    """The operator of the control plane's account is an administrator there."""
    for place in ("account", "both"):
        block = sites[place].block
        assert block
        for role in (block["role_arn"], f"{block['role_arn']}-release-code"):
            with pytest.raises(ClientError) as refused:
                embedded.boto("sts").assume_role(
                    RoleArn=role, RoleSessionName="by-hand", ExternalId=block["external_id"]
                )
            assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_good_release_goes_through_all_waves_in_all_places(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    before = {name: site_of(sites, name).versions(name)["live"] for name in EVERY}
    answer = ended(embedded, start(embedded, waves=WAVES, config={"memory_mb": 640}, gate={"soak_s": 3})["id"])
    assert answer["status"] == "SUCCEEDED", answer["summary"]
    assert [(wave["status"], len(wave["members"])) for wave in answer["waves"]] == [
        ("PASSED", 1),
        ("PASSED", 4),
        ("PASSED", 7),
    ]
    for wave in (2, 3):
        begun = min(member["started_at"] for member in members(answer, wave))
        assert begun > max(member["ended_at"] for member in members(answer, wave - 1))
    for name in EVERY:
        there = site_of(sites, name)
        live = there.aws.client("lambda").get_function_configuration(
            FunctionName=f"proxyctl-{name}-proxy", Qualifier="live"
        )
        assert live["FunctionArn"].split(":")[3:5] == [there.aws.region, there.aws.account]
        assert (live["MemorySize"], live["Version"] == before[name]) == (640, False)
        deployment = next(member["deployment"] for wave in (1, 2, 3) for member in members(answer, wave)
                          if member["environment"] == name)  # fmt: skip
        assert chats(Rolled(embedded, name, dict(embedded.client.deployment(deployment))))


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Fills the list with the calls that the control plane's Lambdas made meanwhile."""
    path = Path(recorded.file_of_this_process())
    begun, calls = path.stat().st_size, list[Call]()
    yield calls
    with path.open() as file:
        file.seek(begun)
        calls += [Call(**json.loads(line)) for line in file]


def test_a_bad_release_stops_in_the_first_wave_and_no_later_wave_is_touched(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any], tmp_path: Path
) -> None:
    planted = ("        path = below_base(", '        raise RuntimeError("planted")\n        path = below_base(')
    broken = spoiled(tmp_path, "proxy/core.py", *planted)
    before, packages = states(sites), {place: site.packages() for place, site in sites.items()}
    records = {name: embedded.client.environment(name) for name in EVERY}
    with recording() as calls:
        good = hold(embedded, broken)
        try:
            answer = ended(embedded, start(embedded, waves=WAVES)["id"])
        finally:
            hold(embedded, good)
    assert answer["status"] == "FAILED", answer["summary"]
    assert [wave["status"] for wave in answer["waves"]] == ["FAILED", "PENDING", "PENDING"]
    assert answer["error"]["code"] == "WaveFailed"
    assert {member["status"] for wave in (2, 3) for member in members(answer, wave)} == {"NOT_STARTED"}
    assert untouched(states(sites), before) == [name for name in EVERY if name != CANARY]
    users = {alias["Name"]: alias["FunctionVersion"] for alias in before[CANARY]["aliases"]}["live"]
    assert site_of(sites, CANARY).versions(CANARY)["live"] == users
    _only_the_canary_was_called(calls, embedded, sites)
    for place in ("home", "region", "both"):
        assert new_packages(sites[place], packages[place], CANARY) == []
    for name in EVERY:
        now = embedded.client.environment(name)
        if name != CANARY:
            assert [now.get(key) for key in _RELEASE] == [records[name].get(key) for key in _RELEASE]


def new_packages(site: Site, before: Sequence[str], canary: str) -> list[str]:
    """Packages that were not there before, beside those of the canary's, which are kept at home."""
    return [key for key in site.packages() if key not in before and f"/{canary}/" not in key]


def _only_the_canary_was_called(calls: Sequence[Call], embedded: Embedded, sites: Mapping[str, Site]) -> None:
    """No function acted in a place that has no environment of the first wave, and none named another environment."""
    acted = {(call.account, call.region) for call in calls if call.account}
    assert acted == {(OTHER_ACCOUNT, embedded.cloud.region)}
    assert any(call.account and call.operation == "UpdateFunctionCode" for call in calls), "the canary's were recorded"
    others = [name for name in EVERY if name != CANARY]
    named = {
        (call.function, call.operation, name)
        for call in calls
        for name in others
        if call.stem not in ("api", "tell") and f"{name}" in json.dumps(call.params)
    }
    assert not named


def test_a_promotion_reaches_another_account_in_another_region(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    models = embedded.secret()["models"] | {"promoted": {"target": "gpt-4o-mini"}}
    embedded.client.put_secret("stage", embedded.secret() | {"models": models}, sites["region"].query)
    config = {"memory_mb": 768, **sites["region"].config}
    passed = roll(embedded, "stage", options=dict(SMALL), config=config)
    assert passed["status"] == "SUCCEEDED", passed.get("error")
    artifact = phase(passed, "package_artifact")["evidence"]
    names = ["both-1", "home-1"]
    own = {name: embedded.client.environment(name)["live"]["config"]["memory_mb"] for name in names}  # type: ignore[index]
    waves = [[name] for name in names]
    answer = ended(embedded, start(embedded, waves=waves, action="promote", **{"from": "stage"})["id"])
    assert answer["status"] == "SUCCEEDED", answer["summary"]
    for name in names:
        there = site_of(sites, name)
        code = there.aws.client("lambda").get_function_configuration(
            FunctionName=f"proxyctl-{name}-proxy", Qualifier="live"
        )
        assert (code["CodeSha256"], code["MemorySize"]) == (artifact["code_sha256"], own[name])
        key = f"artifacts/{name}/{artifact['digest']}.zip"
        stored = there.aws.client("s3").get_object(Bucket=there.aws.bucket, Key=key)["Body"].read()
        assert base64.b64encode(hashlib.sha256(stored).digest()).decode() == artifact["code_sha256"]
        assert "promoted" in embedded.client.secret(name)["models"]
        secret = there.aws.client("secretsmanager").get_secret_value(SecretId=f"proxyctl/{name}/openai")["SecretString"]
        assert "promoted" in json.loads(secret)["models"]
        live = embedded.client.environment(name)["live"]
        assert live is not None
        rolled = embedded.client.deployment(str(live["deployment_id"]))
        assert rolled["links"]["promoted_from"] == f"deployments/{passed['id']}"


def test_a_wave_that_fails_elsewhere_takes_all_places_back(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    first, second = ["account-2", "region-2", "home-2"], "both-2"
    before = {name: site_of(sites, name).versions(name)["live"] for name in first}
    nowhere = embedded.secret() | {"base_url": "http://127.0.0.1:9/v1"}  # the stand-in takes any key
    embedded.client.put_secret(second, nowhere, {"now": "true"})
    until("it is free", lambda: not embedded.client.environment(second).get("lock"))
    body = {"config": {"log_level": "DEBUG", "secret_ttl_s": 200}, "waves": [first, [second]]}
    answer = ended(embedded, start(embedded, **body)["id"])
    assert answer["status"] == "ROLLED_BACK", answer["summary"]
    assert {member["rolled_back"] for member in members(answer, 1)} == {"DONE"}
    assert {name: site_of(sites, name).versions(name)["live"] for name in first} == before


def test_an_abort_stops_what_runs_in_every_place_and_takes_the_others_back(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    first, second = "both-1", ["account-3", "region-3"]
    before = {name: site_of(sites, name).versions(name)["live"] for name in (first, *second)}
    body = {"waves": [[first], second, ["home-3"]], "config": {"log_level": "WARNING"}}
    begun = start(embedded, **body)
    path = f"/fleets/shops/deployments/{begun['id']}"
    until(
        "the second wave runs",
        lambda: all(member["deployment"] for member in members(shown(embedded, begun["id"]), 2)),
        300,
    )
    status, _ = embedded.call("POST", f"{path}/abort?roll_back=true")
    assert status == 202
    answer = ended(embedded, begun["id"])
    assert answer["status"] == "ABORTED", answer["summary"]
    assert {member["outcome"] for member in members(answer, 2)} == {"ABORTED"}
    assert members(answer, 1)[0]["rolled_back"] == "DONE"
    assert members(answer, 3)[0]["status"] == "NOT_STARTED"
    assert {name: site_of(sites, name).versions(name)["live"] for name in before} == before


def test_an_alarm_that_rings_in_another_account_keeps_the_next_wave_from_beginning(
    embedded: Embedded, sites: dict[str, Site], twelve: dict[str, Any]
) -> None:
    first, second = "both-3", "home-3"
    body = {"waves": [[first], [second]], "action": "revalidate", "gate": {"soak_s": 120}}
    begun = start(embedded, **body)
    until("the first wave has passed", lambda: shown(embedded, begun["id"])["waves"][0]["status"] == "PASSED", 300)
    watch = sites["both"].aws.client("cloudwatch")
    (alarm, *_) = watch.describe_alarms(AlarmNamePrefix=f"proxyctl/{first}/errors")["MetricAlarms"]
    watch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="planted")
    try:
        answer = ended(embedded, begun["id"])
    finally:
        watch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="planted")
    assert (answer["status"], answer["error"]["code"]) == ("FAILED", "AlarmRang"), answer["summary"]
    assert f"account {OTHER_ACCOUNT}, region {OTHER_REGION}" in answer["error"]["message"]
    assert members(answer, 2)[0]["status"] == "NOT_STARTED"
