"""Nothing that a deployment or a night leaves behind stays for ever (docs/retention.md)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from chalicelib.adapters import items
from chalicelib.adapters.live_figures import DynamoLiveFigures
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.table import plain
from chalicelib.domain.config import MOST_OF_THEM, MOST_RECIPIENTS, Config, Webhook
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Lock, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.nights import MOST_NAMED, Checked, NightVerdict, summarize
from chalicelib.domain.options import Options
from chalicelib.domain.records import Claim, Ending, Incident
from chalicelib.domain.times import RECORD_DAYS
from chalicelib.engine.skip import LARGEST_EVIDENCE

from installer import bucket
from tests.fakes.capacity import size
from tests.fakes.table import table_in_moto

ROOT = Path(__file__).resolve().parents[3]
LIST = (ROOT / "docs" / "retention.md").read_text()
AT = "2026-01-01T00:00:00.000+00:00"
ITEM_LIMIT = 400 * 1024
OF_AN_ENVIRONMENT = {"META", "LOCK", "LISTED"}
NO_END_BY_TIME = {"artifacts/", "bundles/", "controlplane/"}


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoRecords]:
    with table_in_moto(monkeypatch):
        yield DynamoRecords("proxyctl")


def deployment(id_: str, action: Action = Action.DEPLOY) -> Deployment:
    return Deployment(id_, "dev", action, DeploymentStatus.PENDING, Config(), Options(), AT)


def stored() -> list[dict[str, Any]]:
    return [plain(item) for item in boto3.client("dynamodb").scan(TableName="proxyctl")["Items"]]


def end(records: DynamoRecords, id_: str, environment: dict[str, object]) -> None:
    records.renew_lock("dev", Lock(id_, f"arn:{id_}", 1.0))
    ending = Ending(AT, f"arn:{id_}", {"status": "SUCCEEDED"}, environment, {"deployment_id": id_})
    records.end(records.deployment(id_), ending)


def leave_everything(records: DynamoRecords) -> None:
    """One of each kind of item."""
    records.start(deployment("d-1"), Lock("d-1", "", 1.0), Claim("k", "abc"), None)
    records.enqueue(replace(deployment("d-2"), waiting=True), None)
    records.put_phase("d-1", PhaseRecord(1, "preflight", PhaseStatus.RUNNING, AT))
    records.put_phase_as("dev", Lock("d-1", "", 2.0), PhaseRecord(2, "prepare_secret", PhaseStatus.RUNNING, AT))
    records.add_event("d-1", AT, "preflight.started", {})
    records.add_history("dev", AT, {"summary": "a secret was set"})
    records.record_incident("dev", Incident(AT, "d-1", "moved"))
    DynamoLiveFigures("proxyctl", lambda: datetime(2026, 1, 1, tzinfo=UTC)).put("d-1", 0, {"sent": 1})
    nights = DynamoNights("proxyctl")
    nights.put("2026-01-01", Checked("dev", NightVerdict.GOOD, "d-1"))
    nights.conclude("2026-01-01", {"good": 1})
    end(records, "d-1", {"status": "LIVE"})


def test_every_item_but_those_of_a_living_environment_expires(records: DynamoRecords) -> None:
    leave_everything(records)
    records.take_turn(records.deployment("d-2"), Lock("d-2", "", 1.0))
    left = stored()
    stays = {(item["pk"].partition("#")[0], item["sk"]) for item in left if "expires" not in item}
    assert stays == {("ENVIRONMENT", kind) for kind in OF_AN_ENVIRONMENT}
    kinds = {item["sk"].partition("#")[0] for item in left} - OF_AN_ENVIRONMENT
    assert kinds == {"PHASE", "EVENT", "HISTORY", "INCIDENT", "LOAD", "ENVIRONMENT", "SUMMARY"}
    last = datetime.fromisoformat(AT) + timedelta(days=RECORD_DAYS)
    assert max(item["expires"] for item in left if "expires" in item) == last.timestamp()


def test_the_items_of_a_removed_environment_expire_until_it_is_made_again(records: DynamoRecords) -> None:
    records.start(deployment("d-1", Action.CLEANUP), Lock("d-1", "", 1.0), None, None)
    end(records, "d-1", {"status": "REMOVED"})
    of_it = {item["sk"]: item for item in stored() if item["pk"] == "ENVIRONMENT#dev"}
    assert all("expires" in of_it[kind] for kind in OF_AN_ENVIRONMENT)
    assert records.environment_names() == ["dev"]
    records.start(deployment("d-2"), Lock("d-2", "", 1.0), None, None)
    of_it = {item["sk"]: item for item in stored() if item["pk"] == "ENVIRONMENT#dev"}
    assert not any("expires" in of_it[kind] for kind in OF_AN_ENVIRONMENT)


def test_a_time_to_live_is_shown_nowhere_and_survives_another_write(records: DynamoRecords) -> None:
    leave_everything(records)
    assert records.deployment("d-1").unknown_config == {}
    for phase in records.phases("d-1"):
        assert phase.extra == {}
        records.put_phase("d-1", phase)
    assert all("expires" not in entry for entry in (*records.events("d-1"), *records.history("dev", 9)))
    assert all("expires" in item for item in stored() if item["sk"].startswith("PHASE#"))


def test_every_prefix_of_the_bucket_has_an_end_or_is_listed_without_one() -> None:
    rules = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in bucket._LIFECYCLE["Rules"]}  # type: ignore[index]
    upgrades = "controlplane/upgrades/"  # of what has no end by time otherwise
    assert set(rules) - {upgrades} | NO_END_BY_TIME == set(bucket.PREFIXES)
    assert rules == {"load/": 365, "nightly/": 30, "reports/": RECORD_DAYS, upgrades: RECORD_DAYS}
    assert all(f"`{prefix}" in LIST for prefix in bucket.PREFIXES)


def test_queues_and_logs_of_the_control_plane_have_a_retention() -> None:
    resources = yaml.safe_load((ROOT / "statemachine" / "resources.yaml").read_text())["Resources"]
    ends = {"AWS::SQS::Queue": "MessageRetentionPeriod", "AWS::Logs::LogGroup": "RetentionInDays"}
    growing = [entry for entry in resources.values() if entry.get("Type") in ends]
    assert len(growing) == 4
    assert all(entry["Properties"][ends[entry["Type"]]] for entry in growing)
    assert resources["Table"]["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_every_kind_of_item_is_in_the_list() -> None:
    for kind in (
        "META",
        "LISTED",
        "PHASE#",
        "EVENT#",
        "LOAD#",
        "HISTORY#",
        "INCIDENT#",
        "LINE#",
        "CLAIM#",
        "NIGHT#",
        "SUMMARY#",
    ):
        assert kind in LIST, kind


# As many characters as fit, in addresses that are not longer than SNS takes them.
MOST_LONG = ("https://b.org/".ljust(256, "x"),) * (MOST_OF_THEM // 256)


def largest_config() -> Config:
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:" + "s" * 519
    return Config(notify=MOST_LONG, webhook=Webhook("https://example.org/" + "p" * 2_028), secret_arn=secret)


def largest_environment() -> dict[str, object]:
    """Each part of the record at its bound."""
    config = dataclasses.asdict(largest_config())
    parameters = {f"Parameter{number:02}": "v" * 60 for number in range(20)} | {"SecretArn": config["secret_arn"]}
    release = {
        **dataclasses.asdict(Release("1" * 8, "d" * 22, AT, "a" * 64, config, "v" * 36, "b" * 80, "s" * 40, parameters))
    }
    names = [f"{number:05}" + "m" * 59 for number in range(500)]  # 64 KB of a secret: 500 models with their targets
    secret = {"models": names, "targets": dict.fromkeys(names, "t" * 64)}
    phases = (
        "package_artifact",
        "configure_monitoring",
        "release_code",
        "validate_endpoints",
        "validate_errors",
        "load_test",
        "verify_idempotency",
        "write_handoff",
    )
    return {
        "status": "LIVE",
        "live": release,
        "last_good": release,
        "previous": release,
        "releases": [release] * 10,
        **{
            f"applied_{phase}": {"fingerprint": "f" * 64, "evidence": {"text": "e" * LARGEST_EVIDENCE}}
            for phase in phases
        },
        "applied_prepare_secret": {"evidence": secret},
        "applied_deploy_stack": {"evidence": {"text": "e" * 8_192}},
        "links": {str(number): "l" * 2_000 for number in range(6)},
        "incident": {"why": "w" * 1_000},
        "last_revalidation": {"why": "w" * 1_000},
    }


def test_the_record_of_an_environment_fits_its_item_with_each_part_at_its_bound(records: DynamoRecords) -> None:
    record = largest_environment()
    assert 250 * 1024 < size(items.write(record)) < ITEM_LIMIT
    records.update_environment("dev", record)
    assert len(records.environment("dev").good[0].config["notify"]) == len(MOST_LONG)


@pytest.mark.parametrize(
    ("notify", "taken"),
    [
        (("a@b.org",) * MOST_RECIPIENTS, True),
        (("a@b.org",) * (MOST_RECIPIENTS + 1), False),
        (MOST_LONG, True),
        ((MOST_LONG[0] + "x", *MOST_LONG[1:]), False),
    ],
)
def test_recipients_are_bounded_by_number_and_length(notify: tuple[str, ...], taken: bool) -> None:
    if taken:
        assert Config(notify=notify).notify == notify
        return
    with pytest.raises(BadRequest) as refused:
        Config(notify=notify)
    assert refused.value.field == "config.notify"


def test_the_summary_of_a_night_in_which_all_failed_fits_its_item_and_counts_all() -> None:
    names = [f"environment-{number:08}" for number in range(20_000)]
    checked = [Checked(name, NightVerdict.FAILED, f"d-{number:020}") for number, name in enumerate(names)]
    summary = summarize(names, checked)
    assert (summary.failed, len(summary.which["failed"])) == (20_000, MOST_NAMED)
    assert len(json.dumps(dataclasses.asdict(summary))) * 100 < 6 * 1024 * 1024
