"""The DynamoDB adapter against moto, on the very table that resources.yaml declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, cast

import pytest
from chalicelib.adapters import items, transactions
from chalicelib.adapters.meter import COUNTER
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.adapters.table import Table, plain
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.errors import Aborted, BadRequest, Conflict, LockLost, NotFound
from chalicelib.domain.model import (
    Action,
    Applied,
    Deployment,
    DeploymentStatus,
    Lock,
    PhaseRecord,
    PhaseStatus,
    Release,
)
from chalicelib.domain.options import Options
from chalicelib.domain.records import Claim, Ending
from chalicelib.engine.lost_records import recover

from tests.fakes import FakeAws
from tests.fakes.table import make_table


@pytest.fixture
def records() -> DynamoRecords:
    make_table()
    return DynamoRecords("proxyctl")


def deployment(number: int = 1, environment: str = "dev", **other: Any) -> Deployment:
    return Deployment(
        id=f"d-{number}",
        environment=environment,
        action=Action.DEPLOY,
        status=DeploymentStatus.PENDING,
        config=Config(throttle=Throttle(rate_per_s=12.5)),
        options=Options(reason="a test"),
        created_at=f"2026-01-01T00:00:{number:02}.000+00:00",
        caller="arn:aws:iam::123456789012:user/someone",
        **other,
    )


def test_units_are_counted_as_dynamodb_answers_them(records: DynamoRecords) -> None:
    """Two items in a transaction at least, each at twice the price; then one that is read."""
    COUNTER.reset()
    records.start(deployment(), Lock("d-1", "", 0), None, None)
    written = COUNTER.read()
    assert written.write_units >= 4
    assert written.read_units == 0
    records.deployment("d-1")
    assert COUNTER.read().read_units >= 0.5
    assert COUNTER.read().write_units == written.write_units


def lock(number: int = 1) -> Lock:
    return Lock(f"d-{number}", "", 1_000.5)


def start(records: DynamoRecords, number: int = 1, environment: str = "dev") -> None:
    records.start(deployment(number, environment), lock(number), None, None)


def test_a_deployment_reads_back_as_it_was_written(records: DynamoRecords) -> None:
    start(records)
    assert records.deployment("d-1") == deployment()


def test_a_deployment_that_does_not_exist_is_not_found(records: DynamoRecords) -> None:
    with pytest.raises(NotFound):
        records.deployment("d-9")


def test_a_second_deployment_of_a_busy_environment_is_refused_and_names_the_holder(
    records: DynamoRecords,
) -> None:
    start(records)
    with pytest.raises(Conflict) as refused:
        start(records, 2)
    assert refused.value.holder == "d-1"
    with pytest.raises(NotFound):
        records.deployment("d-2")


def test_a_dead_holders_lock_is_taken_over_but_only_from_that_holder(records: DynamoRecords) -> None:
    start(records)
    records.start(deployment(2), lock(2), None, takes_over=lock(1))
    assert records.environment("dev").lock == lock(2)
    with pytest.raises(Conflict):
        records.start(deployment(3), lock(3), None, takes_over=lock(1))


def test_a_used_key_is_refused_and_names_what_it_stands_for(records: DynamoRecords) -> None:
    records.start(deployment(), lock(), Claim("k", "abc"), None)
    records.release_lock("dev", "d-1")
    with pytest.raises(Conflict) as refused:
        records.start(deployment(2), lock(2), Claim("k", "abc"), None)
    assert (refused.value.claimed_by, refused.value.body_sha256) == ("d-1", "abc")
    assert records.environment("dev").lock is None


def test_an_ended_deployment_is_never_written_again(records: DynamoRecords) -> None:
    start(records)
    records.update_deployment("d-1", {"status": "FAILED", "error": {"code": "X", "message": "y"}})
    with pytest.raises(Conflict):
        records.update_deployment("d-1", {"status": "SUCCEEDED"})
    assert records.deployment("d-1").status is DeploymentStatus.FAILED


def test_lists_come_newest_first_in_pages_and_by_environment_and_status(records: DynamoRecords) -> None:
    for number in range(1, 6):
        start(records, number, f"env{number % 2}")
        records.release_lock(f"env{number % 2}", f"d-{number}")
    records.update_deployment("d-4", {"status": "SUCCEEDED"})
    first = records.deployments(None, None, 2, None)
    second = records.deployments(None, None, 10, first.cursor)
    assert [item.id for item in (*first.deployments, *second.deployments)] == [
        "d-5",
        "d-4",
        "d-3",
        "d-2",
        "d-1",
    ]
    assert [item.id for item in records.deployments("env1", None, 9, None).deployments] == [
        "d-5",
        "d-3",
        "d-1",
    ]
    done = records.deployments(None, DeploymentStatus.SUCCEEDED, 9, None)
    assert [item.id for item in done.deployments] == ["d-4"]


def test_a_cursor_of_someone_elses_making_is_refused_by_name(records: DynamoRecords) -> None:
    with pytest.raises(BadRequest) as refused:
        records.deployments(None, None, 2, "not-a-cursor")
    assert refused.value.field == "cursor"


def test_phases_come_in_order_with_their_evidence(records: DynamoRecords) -> None:
    late = PhaseRecord(9, "load_test", PhaseStatus.SUCCEEDED, evidence={"p99_ms": 12.25, "n": 100, "by": [1, 2.5]})
    early = PhaseRecord(1, "preflight", PhaseStatus.FAILED, error={"code": "X", "message": ""})
    records.put_phase("d-1", late)
    records.put_phase("d-1", early)
    assert records.phases("d-1") == [early, late]


def test_only_the_holder_of_the_lock_may_change_an_environment(records: DynamoRecords) -> None:
    start(records)
    release = Release("3", "d-1", "2026-01-01", artifact="abc", config={"memory_mb": 256})
    records.update_environment("dev", {"live": asdict(release)}, holder="d-1")
    assert records.environment("dev").live == release
    with pytest.raises(LockLost):
        records.update_environment("dev", {"live": None}, holder="d-2")
    with pytest.raises(LockLost):
        records.renew_lock("dev", lock(2))
    assert records.environment("dev").live == release


def test_what_a_phase_applied_is_kept_apart_from_what_others_did(records: DynamoRecords) -> None:
    start(records)
    item = Applied("f1", "d-1", "2026-01-01", {"version": "1"})
    two = replace(item, fingerprint="f2")
    records.set_applied("dev", "release_code", item, holder="d-1")
    records.set_applied("dev", "deploy_stack", two, holder="d-1")
    records.set_applied("dev", "release_code", None, holder="d-1")
    assert records.environment("dev").applied == {"deploy_stack": two}


def test_releasing_someone_elses_lock_changes_nothing(records: DynamoRecords) -> None:
    start(records)
    records.release_lock("dev", "d-2")
    assert records.environment("dev").lock == lock()
    records.release_lock("dev", "d-1")
    records.release_lock("dev", "d-1")
    assert records.environment("dev").lock is None


def test_environments_are_listed_by_name(records: DynamoRecords) -> None:
    start(records, 1, "prod")
    start(records, 2, "dev")
    assert [item.name for item in records.environments()] == ["dev", "prod"]


def wait(records: DynamoRecords, *numbers: int) -> None:
    for number in numbers:
        records.enqueue(deployment(number, waiting=True), Claim(f"k{number}", "abc"))


def reads(records: DynamoRecords) -> list[int]:
    """How many items each query of one look at the line's head was answered with."""
    counted: list[int] = []
    answer = client("dynamodb").meta.events
    answer.register("after-call.dynamodb.Query", count := lambda parsed, **_: counted.append(parsed["ScannedCount"]))
    records.next_in_line("dev")
    answer.unregister("after-call.dynamodb.Query", count)
    return counted


def test_all_in_line_have_their_turns_in_the_order_in_which_they_came(records: DynamoRecords) -> None:
    start(records)
    wait(records, *range(21, 1, -1))  # whose write comes first does not matter: when they were asked for does
    served = []
    holder = "d-1"
    while waits := records.next_in_line("dev"):
        records.release_lock("dev", holder)
        records.take_turn(waits, Lock(waits.id, "", 0))
        served.append(holder := waits.id)
    assert served == [f"d-{number}" for number in range(2, 22)]
    assert not any(records.deployment(item).waiting for item in served)


def test_looking_at_the_line_reads_one_place_however_much_history_and_waiting_there_is(records: DynamoRecords) -> None:
    for number in range(1, 9):
        start(records, number)
        records.release_lock("dev", f"d-{number}")
    assert reads(records) == [0]
    wait(records, 11, 12, 13)
    assert reads(records) == [1]


def test_whose_turn_comes_takes_lock_and_place_together_and_only_once(records: DynamoRecords) -> None:
    wait(records, 2, 3)
    first = records.next_in_line("dev")
    assert first is not None
    records.take_turn(first, lock(2))
    with pytest.raises(Conflict):
        records.take_turn(first, lock(2))
    second = records.next_in_line("dev")
    assert second is not None
    assert second.id == "d-3"
    with pytest.raises(Conflict):  # the environment is held
        records.take_turn(second, lock(3))
    assert records.deployment("d-3").waiting
    assert records.environment("dev").lock == lock(2)


def test_who_was_aborted_while_waiting_leaves_the_line_and_locks_nothing(records: DynamoRecords) -> None:
    wait(records, 2)
    observed = records.next_in_line("dev")
    assert observed is not None
    records.leave_line(observed, {"status": "ABORTED", "waiting": False})
    with pytest.raises(Conflict):
        records.take_turn(observed, lock(2))
    with pytest.raises(Conflict):
        records.leave_line(observed, {"status": "ABORTED", "waiting": False})
    assert records.next_in_line("dev") is None
    assert records.environment("dev").lock is None
    assert records.deployment("d-2").status is DeploymentStatus.ABORTED


def add_history(at: str, entry: dict[str, Any]) -> None:
    """A line as the end of a deployment writes it."""
    Table("proxyctl").add("ENVIRONMENT#dev", f"HISTORY#{at}", {"at": at, **entry})


def test_figures_are_computed_from_the_whole_window_and_from_nothing_else(records: DynamoRecords) -> None:
    answer = {"action": "deploy", "outcome": "SUCCEEDED", "changed": True, "users_saw_it": False, "requested_at": "r"}
    for day in ("01", "02", "03"):
        add_history(f"2026-01-{day}", answer | {"summary": "long", "diff": {"memory_mb": [1, 2]}})
    result = records.history_since("dev", "2026-01-02")
    assert result == [answer | {"at": "2026-01-03"}, answer | {"at": "2026-01-02"}]


def test_history_comes_newest_first(records: DynamoRecords) -> None:
    for day in ("01", "02", "03"):
        add_history(f"2026-01-{day}", {"action": "deploy"})
    assert [entry["at"] for entry in records.history("dev", 2)] == ["2026-01-03", "2026-01-02"]


def test_incident_and_expiry_are_kept_with_the_environment_and_taken_back(records: DynamoRecords) -> None:
    kept = {"incident": {"opened_at": "t", "why": "drift"}, "expires_at": "u", "at_expiry": {"remove_secret": True}}
    records.update_environment("dev", kept)
    stands = records.environment("dev")
    assert (stands.incident, stands.expires_at, stands.at_expiry) == tuple(kept.values())
    records.update_environment("dev", dict.fromkeys(kept))
    stands = records.environment("dev")
    assert (stands.incident, stands.expires_at, dict(stands.at_expiry)) == (None, None, {})


def ending(**other: Any) -> Ending:
    given: dict[str, Any] = {
        "at": "2026-01-01T00:01:00.000+00:00",
        "execution_arn": "",
        "deployment": {"status": "SUCCEEDED", "summary": "all is well", "error": None},
        "environment": {"status": "LIVE", "incident": None},
        "history": {"deployment_id": "d-1", "outcome": "SUCCEEDED"},
        "forgets": ("bake",),
    }
    return Ending(**given | other)


def test_a_deployment_ends_in_one_piece(records: DynamoRecords) -> None:
    start(records)
    records.set_applied("dev", "bake", Applied("f", "d-1", "2026-01-01"), holder="d-1")
    records.end(deployment(), ending())
    answer, environment = records.deployment("d-1"), records.environment("dev")
    assert (answer.status, answer.summary) == (DeploymentStatus.SUCCEEDED, "all is well")
    assert (environment.status, environment.lock, environment.applied) == ("LIVE", None, {})
    assert [line["outcome"] for line in records.history("dev", 9)] == ["SUCCEEDED"]
    assert [event["kind"] for event in records.events("d-1")] == ["deployment.succeeded"]


@pytest.mark.parametrize(
    ("before", "refusal"),
    [("ended", Conflict), ("abort requested", Aborted), ("another deployment", LockLost), ("settling", LockLost)],
)
def test_an_end_that_is_refused_writes_nothing(records: DynamoRecords, before: str, refusal: type[Exception]) -> None:
    start(records)
    if before == "ended":
        records.update_deployment("d-1", {"status": "FAILED"})
    elif before == "abort requested":
        records.update_deployment("d-1", {"abort_requested": True})
    elif before == "settling":
        records.renew_lock("dev", Lock("d-1", "arn:settling", 1.0), takes_over=True)
    else:
        records.release_lock("dev", "d-1")
        start(records, 2)
    answer, environment = records.deployment("d-1"), records.environment("dev")
    with pytest.raises(refusal):
        records.end(deployment(), ending(unless_aborted=True))
    assert (records.deployment("d-1"), records.environment("dev")) == (answer, environment)
    assert (records.history("dev", 9), records.events("d-1")) == ([], [])


def test_a_deployment_that_lost_its_environment_ends_without_touching_it(records: DynamoRecords) -> None:
    start(records)
    records.release_lock("dev", "d-1")
    start(records, 2)
    records.end_without(deployment(), ending())
    assert records.deployment("d-1").status is DeploymentStatus.SUCCEEDED
    assert records.environment("dev").lock == lock(2)
    with pytest.raises(Conflict):
        records.end_without(deployment(), ending())


def test_what_an_execution_writes_after_another_took_over_is_refused(records: DynamoRecords) -> None:
    start(records)
    mine, other = Lock("d-1", "arn:mine", 2.0), Lock("d-1", "arn:settling", 3.0)
    running = PhaseRecord(1, "preflight", PhaseStatus.RUNNING, polls=1)
    records.put_phase_as("dev", mine, running)
    assert (records.environment("dev").lock, records.phases("d-1")) == (mine, [running])
    with pytest.raises(LockLost):
        records.renew_lock("dev", other)
    records.renew_lock("dev", other, takes_over=True)
    with pytest.raises(LockLost):
        records.put_phase_as("dev", mine, replace(running, status=PhaseStatus.SUCCEEDED))
    with pytest.raises(LockLost):
        records.renew_lock("dev", mine)
    assert (records.environment("dev").lock, records.phases("d-1")) == (other, [running])


@pytest.mark.parametrize("done", [PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED])
def test_a_phase_that_is_done_stays_as_it_is_on_record(records: DynamoRecords, done: PhaseStatus) -> None:
    """Step Functions may deliver a task twice: the end of the faster Lambda counts."""
    start(records)
    mine = Lock("d-1", "arn:mine", 2.0)
    ended = PhaseRecord(1, "preflight", done, polls=1)
    records.put_phase_as("dev", mine, ended)
    for status in (PhaseStatus.RUNNING, PhaseStatus.FAILED, done):
        with pytest.raises(Conflict) as caught:
            records.put_phase_as("dev", replace(mine, lease_until=9.0), replace(ended, status=status, summary="slower"))
        assert caught.value.code == "PhaseDone"
    assert (records.environment("dev").lock, records.phases("d-1")) == (mine, [ended])


def test_a_phase_that_failed_may_run_again_on_record(records: DynamoRecords) -> None:
    start(records)
    mine, failed = Lock("d-1", "arn:mine", 2.0), PhaseRecord(1, "roll_back", PhaseStatus.FAILED, polls=1)
    records.put_phase_as("dev", mine, failed)
    records.put_phase_as("dev", mine, replace(failed, status=PhaseStatus.RUNNING))
    assert [phase.status for phase in records.phases("d-1")] == [PhaseStatus.RUNNING]


def test_phases_that_are_skipped_together_are_written_with_their_events_or_not_at_all(records: DynamoRecords) -> None:
    start(records)
    mine = Lock("d-1", "arn:1", 2.0)
    at = "2026-01-01T00:00:00.000+00:00"
    both = [PhaseRecord(number, name, PhaseStatus.SKIPPED, at, at, "same") for number, name in ((2, "a"), (0, "b"))]
    records.renew_lock("dev", mine)
    with pytest.raises(LockLost):
        records.skip_phases_as("dev", replace(mine, execution_arn="arn:other"), both)
    assert (records.phases("d-1"), records.events("d-1")) == ([], [])
    records.skip_phases_as("dev", mine, both)
    assert {record.name: record for record in records.phases("d-1")} == {record.name: record for record in both}
    entries = [(event["kind"], event["detail"]) for event in records.events("d-1")]
    assert entries == [("a.skipped", {"summary": "same"}), ("b.skipped", {"summary": "same"})]


def raw(sk: str, pk: str = "ENVIRONMENT#dev") -> dict[str, Any]:
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    return items.visible(plain(client("dynamodb").get_item(TableName="proxyctl", Key=key).get("Item", {})))


def of_an_earlier_version(records: DynamoRecords, number: int = 1, execution: str = "arn:1") -> None:
    """The environment as a version before this one leaves it while it rolls: the whole lock in the record, and the
    record in the index."""
    start(records, number)
    held = {"deployment_id": f"d-{number}", "execution_arn": execution, "lease_until": 1_000.5}
    records.update_environment("dev", {"lock": held, "listed_all": "ENVIRONMENTS", "at": "dev"})
    for sk in ("LOCK", "LISTED"):
        client("dynamodb").delete_item(TableName="proxyctl", Key={"pk": {"S": "ENVIRONMENT#dev"}, "sk": {"S": sk}})


def test_the_lease_is_renewed_in_an_item_of_its_own(records: DynamoRecords) -> None:
    start(records)
    before = raw("META")
    records.renew_lock("dev", Lock("d-1", "arn:1", 2_000.0))
    records.put_phase_as("dev", Lock("d-1", "arn:1", 3_000.0), PhaseRecord(1, "preflight", PhaseStatus.RUNNING))
    assert raw("META") == before
    assert records.environment("dev").lock == Lock("d-1", "arn:1", 3_000.0)
    assert next(records.environments()).lock == Lock("d-1", "arn:1", 3_000.0)


def test_a_rollout_that_began_under_an_earlier_version_goes_on(records: DynamoRecords) -> None:
    of_an_earlier_version(records)
    assert records.environment("dev").lock == Lock("d-1", "arn:1", 1_000.5)
    assert [each.name for each in records.environments()] == ["dev"]
    records.renew_lock("dev", Lock("d-1", "arn:1", 2_000.0))
    records.put_phase_as("dev", Lock("d-1", "arn:1", 3_000.0), PhaseRecord(1, "preflight", PhaseStatus.RUNNING))
    assert records.environment("dev").lock == Lock("d-1", "arn:1", 3_000.0)
    records.end(deployment(), ending(execution_arn="arn:1"))
    assert records.environment("dev").lock is None


def test_the_end_of_a_rollout_is_the_first_that_another_version_writes_of_it(records: DynamoRecords) -> None:
    of_an_earlier_version(records)
    records.end(deployment(), ending(execution_arn="arn:1"))
    assert records.environment("dev").lock is None
    start(records, 2)


@pytest.mark.parametrize("change", ["renew", "phase", "end"])
def test_a_stopped_execution_of_an_earlier_version_stays_fenced_off(records: DynamoRecords, change: str) -> None:
    of_an_earlier_version(records, execution="arn:new")
    late = Lock("d-1", "arn:stopped", 9_000.0)
    changes: dict[str, Callable[[], object]] = {
        "renew": lambda: records.renew_lock("dev", late),
        "phase": lambda: records.put_phase_as("dev", late, PhaseRecord(1, "preflight", PhaseStatus.RUNNING)),
        "end": lambda: records.end(deployment(), ending(execution_arn="arn:stopped")),
    }
    with pytest.raises(LockLost):
        changes[change]()
    assert records.environment("dev").lock == Lock("d-1", "arn:new", 1_000.5)


def test_an_execution_that_takes_over_is_named_in_both_items(records: DynamoRecords) -> None:
    """A Lambda of an earlier version that still runs looks at the record only."""
    start(records)
    records.renew_lock("dev", Lock("d-1", "arn:stopped", 1_000.5))
    records.renew_lock("dev", Lock("d-1", "arn:new", 2_000.0), takes_over=True)
    assert raw("META")["lock"]["execution_arn"] == raw("LOCK")["execution_arn"] == "arn:new"
    with pytest.raises(LockLost):
        records.renew_lock("dev", Lock("d-1", "arn:stopped", 3_000.0))


def test_what_an_earlier_version_left_of_another_lock_is_replaced(records: DynamoRecords) -> None:
    """A step back in between: d-2 was locked by a version that does not know the lock's item, which still names d-1."""
    start(records)
    held = {"deployment_id": "d-2", "execution_arn": "arn:2", "lease_until": 1_000.5}
    records.update_environment("dev", {"lock": held})
    assert records.environment("dev").lock == Lock("d-2", "arn:2", 1_000.5)
    records.renew_lock("dev", Lock("d-2", "arn:2", 2_000.0))
    assert records.environment("dev").lock == Lock("d-2", "arn:2", 2_000.0)


def indexed(index: str) -> list[dict[str, Any]]:
    scanned = client("dynamodb").scan(TableName="proxyctl", IndexName=index)["Items"]
    return [plain(item) for item in scanned]


def test_the_indices_hold_small_items_only(records: DynamoRecords) -> None:
    start(records)
    for each in (*indexed("by_all"), *indexed("by_environment")):
        assert each["sk"] == "LISTED"
        assert len(str(each)) < 400
    assert len(indexed("by_all")) == 2


def test_a_record_of_an_earlier_version_leaves_the_index_with_the_next_deployment(records: DynamoRecords) -> None:
    of_an_earlier_version(records)
    assert "META" in {each["sk"] for each in indexed("by_all")}
    records.release_lock("dev", "d-1")
    start(records, 2)
    assert {each["sk"] for each in indexed("by_all")} == {"LISTED"}
    assert [each.name for each in records.environments()] == ["dev"]


def test_lists_show_whole_records_as_they_are_now(records: DynamoRecords) -> None:
    start(records)
    records.update_deployment("d-1", {"status": "RUNNING", "current_phase": "bake"})
    for environment in (None, "dev"):
        (shown,) = records.deployments(environment, None, 10, None).deployments
        assert shown == records.deployment("d-1")
    assert [each.id for each in records.deployments(None, DeploymentStatus.RUNNING, 10, None).deployments] == ["d-1"]
    assert not records.deployments(None, DeploymentStatus.PENDING, 10, None).deployments


def test_more_records_than_one_read_takes_are_listed(records: DynamoRecords) -> None:
    for number in range(101):
        # Each write by itself: moto copies its whole table for a transaction.
        held = lock(1_000 + number)
        for write in transactions.start("proxyctl", deployment(1_000 + number, f"env-{number:03}"), held, None, None):
            ((kind, arguments),) = write.items()
            getattr(client("dynamodb"), f"{kind.lower()}_item")(**arguments)
    assert [each.name for each in records.environments()] == [f"env-{number:03}" for number in range(101)]
    assert all(each.lock for each in records.environments())
    assert len(records.deployments(None, None, 101, None).deployments) == 101


def test_an_environment_whose_item_someone_deleted_is_rebuilt_from_its_deployments(records: DynamoRecords) -> None:
    start(records)
    evidence = {"version": "7", "published": True}
    records.put_phase("d-1", PhaseRecord(6, "release_code", PhaseStatus.SUCCEEDED, "t", "t", evidence=evidence))
    ending = Ending("2026-01-02", "", {"status": "SUCCEEDED"}, {"status": "LIVE", "links": {"base_url": "u"}}, {})
    records.end(deployment(), ending)
    client("dynamodb").delete_item(TableName="proxyctl", Key={"pk": {"S": "ENVIRONMENT#dev"}, "sk": {"S": "META"}})
    lost = records.environment("dev")
    assert not lost.is_known
    fake = cast(Any, FakeAws())
    fake.records = records
    result = recover(lost, fake)
    assert result == records.environment("dev")
    assert result.live is not None
    assert (result.status, result.live.version, result.live.config["throttle"]["rate_per_s"]) == ("LIVE", "7", 12.5)
    start(records, 2)
    assert records.environment("dev").live == result.live
    assert [item.name for item in records.environments()] == ["dev"]


def test_the_lock_of_a_lost_record_is_taken_again_unless_another_deployment_has_it(records: DynamoRecords) -> None:
    records.update_environment("dev", {"status": "LIVE"})
    records.take_lock_again("dev", Lock("d-1", "arn:1", 1_000.0))
    records.renew_lock("dev", Lock("d-1", "arn:1", 2_000.0))
    records.take_lock_again("dev", Lock("d-2", "arn:2", 3_000.0))
    records.update_environment("dev", {"status": "LIVE"}, holder="d-1")
    assert records.environment("dev").lock == Lock("d-1", "arn:1", 2_000.0)
