"""A changed secret of an environment that serves users is rolled; in an emergency it is live at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.api import secret_versions, secrets
from chalicelib.api.answers import Answer
from chalicelib.domain.aws.secrets import CURRENT, release_label, staged_label
from chalicelib.domain.errors import Conflict, Throttled
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names

from tests.fakes import FakeAws
from tests.fakes.calls import ask, error

KEY, NEW_KEY = "sk-proj-abcdefghijklmnop0123", "sk-proj-zyxwvutsrqponmlk9876"
CLIENTS = [{"id": "shop", "sha256": "a" * 64}]
WHOLE: dict[str, Any] = {"schema": 1, "api_key": KEY, "models": {"fast": {"target": "m"}}, "client_keys": CLIENTS}
NAME = Names("dev").secret
LIVE = {"version": "2", "deployment_id": "d-old", "at": "t", "config": {"secret_ttl_s": 45}, "secret_version": "v1"}


def world(**attributes: Any) -> FakeAws:
    """dev serves users with secret version v1."""
    aws = FakeAws()
    aws.secrets.add(NAME, json.dumps(WHOLE))
    aws.records.attributes["dev"] = {"status": "LIVE", "live": LIVE, "last_good": LIVE, "releases": [LIVE]} | attributes
    return aws


def stages(aws: FakeAws) -> dict[str, str]:
    info = aws.secrets.find(NAME)
    assert info is not None
    return dict(info.stages)


def stored(aws: FakeAws, version: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(aws.secrets.read_version(NAME, version).text)
    return document


def patched(aws: FakeAws, body: Any, **other: Any) -> Answer[Any]:
    return ask(aws, secrets.patch, body, name="dev", **other)


def test_a_patch_stores_a_version_that_nobody_reads_and_starts_a_rotation_with_it() -> None:
    aws = world()
    answer = patched(aws, {"api_key": NEW_KEY})
    assert (answer.status, answer.body["state"], answer.body["users_have_it_within_s"]) == (202, "ROLLING", 45)
    version = answer.body["version_id"]
    assert stages(aws) == {CURRENT: "v1", staged_label(version): version}
    assert stored(aws, version) == {**WHOLE, "api_key": NEW_KEY}
    deployment = aws.records.deployment(answer.body["deployment"])
    assert (deployment.action, deployment.options.secret_version) == (Action.ROTATE, version)
    assert deployment.options.secret_base == "v1"
    assert answer.headers["Location"] == f"deployments/{deployment.id}"
    assert NEW_KEY not in repr(deployment) + json.dumps(answer.body)


def test_a_busy_environment_refuses_and_the_version_is_dropped() -> None:
    aws = world()
    assert patched(aws, {"api_key": NEW_KEY}).status == 202
    held = stages(aws)
    answer = patched(aws, {"organization": "org-1"})
    assert (answer.status, error(answer)["code"]) == (409, "EnvironmentBusy")
    assert stages(aws) == held


def test_a_change_may_wait_for_the_environment() -> None:
    aws = world()
    patched(aws, {"api_key": NEW_KEY})
    answer = patched(aws, {"organization": "org-1"}, query={"wait": "true", "reason": "billing"})
    assert answer.status == 202
    deployment = aws.records.deployment(answer.body["deployment"])
    assert (deployment.waiting, deployment.options.reason) == (True, "billing")


def test_an_emergency_is_current_at_once_even_while_a_deployment_runs_and_is_on_record() -> None:
    aws = world()
    patched(aws, {"api_key": NEW_KEY})
    answer = patched(aws, {"organization": "org-1"}, query={"now": "true"})
    version = answer.body["version_id"]
    assert (answer.status, answer.body["state"], answer.body["users_have_it_within_s"]) == (200, "LIVE", 45)
    assert stages(aws)[CURRENT] == stages(aws)[release_label(version)] == version
    stands = aws.records.environment("dev")
    assert stands.live is not None
    assert stands.last_good is not None
    assert stands.live.secret_version == stands.last_good.secret_version == version
    assert [entry["action"] for entry in aws.records.history("dev", 10)] == ["secret"]


def test_of_two_changes_from_one_version_the_second_is_refused_and_none_is_lost() -> None:
    aws = world()
    move = aws.secrets.move_current

    def overtaken(secret: str, *, to_version: str, from_version: str) -> None:
        aws.secrets.move_current = move  # type: ignore[method-assign]
        other = patched(aws, {"organization": "org-1"}, query={"now": "true"})
        assert other.status == 200
        move(secret, to_version=to_version, from_version=from_version)

    aws.secrets.move_current = overtaken  # type: ignore[method-assign]
    answer = patched(aws, {"api_key": NEW_KEY}, query={"now": "true"})
    assert (answer.status, error(answer)["code"]) == (409, "SecretChanged")
    assert stored(aws, stages(aws)[CURRENT]) == {**WHOLE, "organization": "org-1"}


@pytest.mark.parametrize("query", [{}, {"now": "true"}])
def test_the_same_key_and_body_change_once_and_another_body_is_refused(query: dict[str, str]) -> None:
    aws = world()
    first = patched(aws, {"api_key": NEW_KEY}, key="k-1", query=query)
    again = patched(aws, {"api_key": NEW_KEY}, key="k-1", query=query)
    assert again.status < 300, again.body
    assert again.body["version_id"] == first.body["version_id"]
    assert again.body.get("deployment") == first.body.get("deployment")
    other = patched(aws, {"organization": "org-1"}, key="k-1", query=query)
    assert (other.status, error(other)["code"]) == (409, "IdempotencyKeyReused")
    assert NEW_KEY not in repr(aws.records.claims)


def test_a_first_secret_with_a_used_key_and_another_body_is_refused_too() -> None:
    aws = FakeAws()
    assert ask(aws, secrets.put, WHOLE, key="k-1", name="dev").status == 200
    answer = ask(aws, secrets.put, {**WHOLE, "api_key": NEW_KEY}, key="k-1", name="dev")
    assert (answer.status, error(answer)["code"]) == (409, "IdempotencyKeyReused")


def test_of_two_first_secrets_at_once_one_is_stored_and_the_other_refused() -> None:
    aws = FakeAws()
    create = aws.secrets.create

    def overtaken(name: str, text: str, **other: Any) -> Any:
        create(name, json.dumps(WHOLE), tags={}, version_id="theirs")
        return create(name, text, **other)

    aws.secrets.create = overtaken  # type: ignore[method-assign]
    answer = ask(aws, secrets.put, {**WHOLE, "api_key": NEW_KEY}, name="dev")
    assert (answer.status, error(answer)["code"]) == (409, "SecretChanged")
    assert stored(aws, "theirs") == WHOLE


def test_a_key_for_a_secret_that_is_scheduled_for_deletion_keeps_all_other_fields() -> None:
    aws = world(status="REMOVED")
    aws.secrets.delete(NAME, 7)
    answer = patched(aws, {"api_key": NEW_KEY})
    assert answer.status == 200
    assert "cancelled" in answer.body["warning"]
    assert stored(aws, stages(aws)[CURRENT]) == {**WHOLE, "api_key": NEW_KEY}


@pytest.mark.parametrize("content", [b"\x00", "{", "[]"])
def test_fields_of_a_document_that_cannot_be_read_are_not_taken_for_absent(content: Any) -> None:
    aws = world()
    aws.secrets.add(NAME, content)
    before = stages(aws)
    answer = patched(aws, {"api_key": NEW_KEY})
    assert (answer.status, error(answer)["code"]) == (409, "SecretMalformed")
    assert stages(aws) == before


def test_a_client_that_thinks_there_is_no_secret_replaces_none() -> None:
    aws = world()
    answer = ask(aws, secrets.put, {"schema": 1, "api_key": NEW_KEY}, headers={"if-none-match": "*"}, name="dev")
    assert (answer.status, error(answer)["code"]) == (409, "SecretExists")


@pytest.mark.parametrize(("query", "field"), [({"now": "yes"}, "now"), ({"nwo": "true"}, "nwo")])
def test_a_wrong_query_parameter_changes_nothing(query: dict[str, str], field: str) -> None:
    aws = world()
    before = stages(aws)
    answer = patched(aws, {"api_key": NEW_KEY}, query=query)
    assert (answer.status, error(answer)["field"]) == (400, field)
    assert stages(aws) == before


def test_show_gives_fingerprints_and_no_value() -> None:
    answer = ask(world(), secret_versions.show, name="dev")
    assert answer.status == 200
    assert answer.body["version_id"] == "v1"
    assert set(answer.body["fields"]) == set(WHOLE)
    assert all(len(value) == 12 for value in answer.body["fields"].values())
    assert KEY not in json.dumps(answer.body)


def test_a_fingerprint_is_what_sha256sum_says_of_the_key() -> None:
    aws = FakeAws()
    aws.secrets.add(NAME, json.dumps({"schema": 1, "api_key": KEY}))
    fields = ask(aws, secret_versions.show, name="dev").body["fields"]
    assert fields["api_key"] == "24f15c16c815"


def test_history_lists_versions_with_the_releases_that_ran_with_each() -> None:
    aws = world()
    aws.secrets.label(NAME, release_label("v1"), "v1")
    (version,) = ask(aws, secret_versions.history, name="dev").body["versions"]
    assert (version["version_id"], version["current"], version["deployments"]) == ("v1", True, ["d-old"])


def rotated() -> FakeAws:
    """dev was rotated from v1 to v2, and both are kept."""
    rotated = LIVE | {"deployment_id": "d-new", "secret_version": "v2"}
    aws = world(live=rotated, last_good=rotated, previous=LIVE, releases=[rotated, LIVE])
    aws.secrets.label(NAME, release_label("v1"), "v1")
    aws.secrets.add(NAME, json.dumps({**WHOLE, "api_key": NEW_KEY}))
    return aws


def test_a_rollback_rolls_the_version_of_the_release_before() -> None:
    aws = rotated()
    answer = ask(aws, secret_versions.rollback, {}, name="dev")
    assert (answer.status, answer.body["version_id"], answer.body["state"]) == (202, "v1", "ROLLING")
    deployment = aws.records.deployment(answer.body["deployment"])
    assert (deployment.options.secret_version, deployment.options.secret_base) == ("v1", "v2")
    assert stages(aws)[CURRENT] == "v2"


def test_a_rollback_in_an_emergency_is_current_at_once() -> None:
    aws = rotated()
    assert ask(aws, secret_versions.rollback, {}, query={"now": "true"}, name="dev").body["state"] == "LIVE"
    assert stages(aws)[CURRENT] == "v1"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version_id": "v9"}, 404, "NotFound"),
        ({"version_id": "v2"}, 409, "AlreadyCurrent"),
        ({"version": "v1"}, 400, "BadRequest"),
    ],
)
def test_a_rollback_to_a_version_that_cannot_be_is_refused(body: Any, status: int, code: str) -> None:
    answer = ask(rotated(), secret_versions.rollback, body, name="dev")
    assert (answer.status, error(answer)["code"]) == (status, code)


def test_without_an_earlier_version_there_is_nothing_to_go_back_to() -> None:
    assert ask(world(), secret_versions.rollback, {}, name="dev").status == 404


def test_a_rollback_passes_over_a_version_that_was_itself_rolled_back() -> None:
    aws = rotated()
    bad = LIVE | {"deployment_id": "d-bad", "secret_version": "bad"}
    aws.secrets.add_version(NAME, json.dumps(WHOLE), version_id="bad", stage=release_label("bad"))
    stands = aws.records.attributes["dev"]
    stands["releases"] = [stands["live"], bad, LIVE]
    assert ask(aws, secret_versions.rollback, {}, name="dev").body["version_id"] == "v1"


def test_a_change_that_died_after_its_rotation_was_on_record_is_the_same_rotation_when_it_is_sent_again() -> None:
    """Found by the matrix of faults: the version lost its label, and the repeated request was refused as busy."""
    aws = world()
    start = aws.records.start

    def dies(*given: Any) -> None:
        start(*given)
        raise Throttled("no answer")

    aws.records.start = dies  # type: ignore[method-assign]
    assert patched(aws, {"api_key": NEW_KEY}, key="k").status == 503
    (rotation,) = aws.records.started.values()
    assert staged_label(str(rotation.options.secret_version)) in stages(aws)
    aws.records.start = start  # type: ignore[method-assign]
    answer = patched(aws, {"api_key": NEW_KEY}, key="k")
    assert (answer.status, answer.body["deployment"]) == (202, rotation.id)
    assert len(aws.records.started) == 1


def test_of_two_deliveries_of_one_emergency_the_slower_one_keeps_what_the_other_has_set() -> None:
    aws = world()
    move, calls = aws.secrets.move_current, []

    def twice(*given: Any, **named: Any) -> None:
        calls.append(given)
        move(*given, **named)
        if len(calls) == 1:
            raise Conflict("changed", code="SecretChanged")

    aws.secrets.move_current = twice  # type: ignore[method-assign]
    answer = patched(aws, {"api_key": NEW_KEY}, key="k", query={"now": "true"})
    assert answer.status == 200
    version = answer.body["version_id"]
    assert stages(aws)[CURRENT] == version
    assert stages(aws)[release_label(version)] == version
