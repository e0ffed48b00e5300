"""What becomes of an environment in another account and region after its first rollout: rotations, rollbacks, nights,
repairs, a load from several workers, a drill, an expiry. Nothing of it is at home, and IAM is enforced between.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ctl.__main__ import main as proxyctl
from installer import elsewhere, target
from local import cloud, emulator, places
from tests.e2e import test_underneath as underneath
from tests.e2e.rolling import Embedded, Rolled, chats, ended, phase, roll, start, until, versions_of
from tests.unit.installer.test_target_template import ROOT

pytestmark = pytest.mark.long
ENVIRONMENT = underneath.ENVIRONMENT
ACCOUNT, REGION = "222222222222", "eu-west-1"
SMALL = underneath.SMALL
LIGHT: dict[str, Any] = {name: SMALL[name] for name in ("load", "slo")}
DRILL_S = 900.0


@pytest.fixture(scope="module")
def rolled(site: cloud.Site, embedded: Embedded) -> Rolled:
    """Its `embedded` reads and writes AWS in the target; the control API is home's."""
    running = embedded.cloud
    places.add(site.folder, ACCOUNT, REGION)
    aws = target.embedded(emulator.session(REGION, places.root_of(ACCOUNT, running)), running.endpoint)
    block = elsewhere.install(ROOT, aws, elsewhere.Wanted(running.account))
    embedded.client.put_secret(ENVIRONMENT, embedded.secret(), {"target": json.dumps(block)})
    deployment = roll(embedded, ENVIRONMENT, options=SMALL, config={"target": block, "secret_ttl_s": 1})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    return Rolled(dataclasses.replace(embedded, aws=aws), ENVIRONMENT, {})


@pytest.fixture
def there(rolled: Rolled) -> Embedded:
    return rolled.embedded


@pytest.fixture(autouse=True)
def _nothing_is_at_home(embedded: Embedded) -> Any:
    yield
    functions = embedded.boto("lambda").list_functions()["Functions"]
    assert not [item["FunctionName"] for item in functions if item["FunctionName"].endswith("-proxy")]
    assert not embedded.boto("cloudwatch").describe_alarms(AlarmNamePrefix="proxyctl/")["MetricAlarms"]


def secret_of(there: Embedded) -> dict[str, Any]:
    manager = there.boto("secretsmanager")
    stored = manager.get_secret_value(SecretId=f"proxyctl/{ENVIRONMENT}/openai")
    return {"version": stored["VersionId"], "models": json.loads(stored["SecretString"])["models"]}


def test_a_rotated_secret_is_rolled_there_and_a_rollback_brings_the_old_one_back(
    rolled: Rolled, there: Embedded
) -> None:
    before = secret_of(there)
    models = there.secret()["models"] | {"brand-new": {"target": "gpt-4o-mini"}}
    stored = there.client.put_secret(ENVIRONMENT, there.secret() | {"models": models})
    rotation = ended(there, str(stored["deployment"]))
    assert (rotation["action"], rotation["status"]) == ("rotate", "SUCCEEDED"), rotation.get("error")
    underneath.free(rolled)
    assert "brand-new" in secret_of(there)["models"]
    back = roll(there, ENVIRONMENT, "rollback", options={})
    assert back["status"] == "SUCCEEDED", back.get("error")
    assert secret_of(there) == before
    assert chats(rolled)


def test_a_changed_setting_is_a_new_version_there_and_a_rollback_takes_it_back(rolled: Rolled, there: Embedded) -> None:
    before = versions_of(there, ENVIRONMENT)["live"]
    changed = roll(there, ENVIRONMENT, options=SMALL, config={"memory_mb": 640})
    assert changed["status"] == "SUCCEEDED", changed.get("error")
    assert phase(changed, "package_artifact")["status"] == "SKIPPED"
    assert versions_of(there, ENVIRONMENT)["live"] != before
    back = roll(there, ENVIRONMENT, "rollback")
    assert back["status"] == "SUCCEEDED", back.get("error")
    assert versions_of(there, ENVIRONMENT)["live"] == before


def test_a_bad_release_is_taken_back_there(rolled: Rolled, there: Embedded) -> None:
    """The alarm of the target rings in the bake."""
    before = versions_of(there, ENVIRONMENT)["live"]
    options = {**SMALL, "bake": {"steps": [100], "step_s": 1, "watch_s": 60}}
    started = start(there, ENVIRONMENT, options=options, config={"memory_mb": 704})
    until("it bakes", lambda: there.client.deployment(started).get("current_phase") == "bake", 180)
    watch, alarm = there.boto("cloudwatch"), f"proxyctl/{ENVIRONMENT}/errors"
    watch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="planted")
    try:
        deployment = ended(there, started)
    finally:
        watch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="planted")
    underneath.free(rolled)
    assert (deployment["status"], deployment["error"]["code"]) == ("ROLLED_BACK", "AlarmFired"), deployment
    assert versions_of(there, ENVIRONMENT)["live"] == before


def test_a_load_is_shared_by_workers_that_sign_as_the_targets_role(there: Embedded) -> None:
    options = {**SMALL, "load": {"workers": 3, "rps": 10, "duration_s": 6, "cold_starts": 0}}
    deployment = roll(there, ENVIRONMENT, config={"memory_mb": 576}, options=options)
    evidence = phase(deployment, "load_test")["evidence"]
    assert (deployment["status"], evidence["workers"]) == ("SUCCEEDED", 3), deployment.get("error")
    assert (evidence["due"], evidence["sent"] + evidence["unsent"]) == (60, 60)


def test_what_somebody_deleted_there_is_named_and_the_deploy_brings_it_back(rolled: Rolled, there: Embedded) -> None:
    rows = ("candidate alias", "live permission", "users' stage", "log group", "topic", "alarm", "filter", "secret")
    for row in rows:
        underneath.ROWS[row][0](there)
    deployment = roll(there, ENVIRONMENT, options=SMALL)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    for row in rows:
        _, name, named = underneath.ROWS[row]
        assert named in phase(deployment, name)["summary"], (row, phase(deployment, name)["summary"])
    assert chats(rolled)


def test_a_copied_package_that_is_gone_is_copied_again(rolled: Rolled, there: Embedded) -> None:
    underneath.drop_artifact(there)
    deployment = roll(there, ENVIRONMENT, options=SMALL, config={"memory_mb": 512})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    listed = there.boto("s3").list_objects_v2(Bucket=there.aws.bucket, Prefix=underneath.NAMES.artifacts_prefix)
    assert any(item["Key"].endswith(".zip") for item in listed.get("Contents", []))


def test_a_night_finds_and_heals_there(rolled: Rolled, there: Embedded, embedded: Embedded) -> None:
    """As the schedule starts it; someone has deleted an alarm in the target."""
    lost, alarms = f"proxyctl/{ENVIRONMENT}/errors", there.boto("cloudwatch")
    alarms.delete_alarms(AlarmNames=[lost])
    scheduler = embedded.boto("scheduler")
    nightly = scheduler.get_schedule(Name="proxyctl-nightly")["Target"]
    scheduler.create_schedule(
        Name="a-night-of-the-tests",
        ScheduleExpression="at(2026-01-02T03:17:00)",
        Target=nightly | {"Input": json.dumps({"scheduled_at": "2026-01-02T03:17:00Z"})},
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
    )
    answer = until("the night has ended", lambda: next(iter(embedded.call("GET", "/nights")[1]["nights"]), None), 240)
    assert (answer["asked"], answer["good"], answer["healed"]) == (1, 1, 1), answer
    assert alarms.describe_alarms(AlarmNames=[lost])["MetricAlarms"]
    assert rolled.stands()["last_revalidation"]["verdict"] == "GOOD"


def test_a_drill_rehearses_in_the_target_and_leaves_nothing(there: Embedded, embedded: Embedded) -> None:
    options = {**SMALL, "load": {"rps": 10, "duration_s": 2, "cold_starts": 0}}
    started = start(there, ENVIRONMENT, "drill", options=options)
    until("its environment has a stack there", lambda: drill_stacks(there), 240)
    assert not drill_stacks(embedded)
    answer = list(there.client.follow(started, DRILL_S))[-1]
    assert answer["status"] == "SUCCEEDED", answer.get("error")
    parts = phase(answer, "run_drill")["evidence"]["parts"]
    assert [item["verdict"] for item in parts] == ["PASSED"] * 4, parts
    assert not drill_stacks(there)


def drill_stacks(where: Embedded) -> list[str]:
    """Stacks of environments, beside that of the tests."""
    stacks = where.boto("cloudformation").describe_stacks()["Stacks"]
    names = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    return [name for name in names if name.startswith("proxyctl-env-") and name != underneath.NAMES.stack]


def test_its_log_is_read_with_credentials_of_its_account_only(
    rolled: Rolled, there: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command line, as the operator of the control plane's account."""
    profiles = tmp_path / "credentials"
    profiles.write_text(f"[there]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = any\n")
    variables = {**there.cloud.variables(), "CONTROL_API_URL": there.api_url}
    for name, value in (variables | {"AWS_SHARED_CREDENTIALS_FILE": str(profiles)}).items():
        monkeypatch.setenv(name, value)
    assert chats(rolled)
    assert proxyctl(["logs", ENVIRONMENT]) == 2
    assert f"{ENVIRONMENT} is in account {ACCOUNT}, region {REGION}" in capsys.readouterr().err
    assert proxyctl(["logs", ENVIRONMENT, "--profile", "there"]) == 0
    assert "/v1/chat/completions" in capsys.readouterr().out
    assert proxyctl(["doctor"]) == 0
    assert f"1 environment in account {ACCOUNT}, region {REGION}" in capsys.readouterr().out


def test_when_its_time_is_over_the_sweeper_cleans_it_up_there(there: Embedded, embedded: Embedded) -> None:
    """Last: it removes the environment of the tests before."""
    options = {**SMALL, "ttl_hours": 0.0001, "remove_secret": True, "secret_recovery_days": 0}
    assert roll(there, ENVIRONMENT, options=options)["status"] == "SUCCEEDED"
    sweep = embedded.function("Sweep")

    def gone() -> bool:
        embedded.boto("lambda").invoke(FunctionName=sweep, Payload=b"{}")
        return bool(embedded.client.environment(ENVIRONMENT)["status"] == "REMOVED")

    until("the sweeper has cleaned up", gone, 180)
    with pytest.raises(ClientError):
        there.boto("lambda").get_function(FunctionName=underneath.NAMES.function)
    assert not there.boto("secretsmanager").list_secrets()["SecretList"]
    assert not there.boto("cloudwatch").describe_alarms(AlarmNamePrefix="proxyctl/")["MetricAlarms"]
    elsewhere.remove(there.aws, force=False)
