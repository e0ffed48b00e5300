"""Facts about the secret's routes: what changes is told by name, nothing else is lost, no value is ever answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.api import secrets
from chalicelib.domain.names import Names

from tests.fakes import FakeAws
from tests.fakes.calls import ask, error

KEY, NEW_KEY = "sk-proj-abcdefghijklmnop0123", "sk-proj-zyxwvutsrqponmlk9876"
WHOLE: dict[str, Any] = {
    "schema": 1,
    "api_key": KEY,
    "models": {"fast": {"target": "gpt-4o-mini"}},
    "client_keys": [{"id": "shop", "sha256": "a" * 64}],
}
NAME = Names("dev").secret


def world() -> FakeAws:
    aws = FakeAws()
    aws.secrets.add(NAME, json.dumps(WHOLE))
    return aws


def stored(aws: FakeAws) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(aws.secrets.read(NAME).text)
    return answer


def test_a_new_key_loses_neither_aliases_nor_client_keys() -> None:
    aws = world()
    answer = ask(aws, secrets.patch, {"api_key": NEW_KEY}, name="dev")
    assert (answer.status, answer.body["changed"], answer.body["client_keys"]) == (200, ["api_key"], ["shop"])
    assert stored(aws) == {**WHOLE, "api_key": NEW_KEY}


def test_null_takes_a_field_away_and_open_doors_are_warned_of() -> None:
    aws = world()
    answer = ask(aws, secrets.patch, {"client_keys": None}, name="dev")
    assert "client_keys" not in stored(aws)
    assert "serves every caller" in answer.body["warning"]


def test_a_whole_secret_takes_the_place_of_the_one_before_and_tells_what_that_changes() -> None:
    aws = world()
    answer = ask(aws, secrets.put, {"schema": 1, "api_key": NEW_KEY}, name="dev")
    assert answer.body["changed"] == ["api_key", "client_keys", "models"]
    assert stored(aws) == {"schema": 1, "api_key": NEW_KEY}
    assert NEW_KEY not in json.dumps(answer.body)


UPSTREAMS = {"azure": {"base_url": "https://x.openai.azure.com/openai/v1", "api_key": "azure-0123", "auth": "api-key"}}


def test_a_secret_of_schema_1_grows_upstreams_and_limits_by_a_patch_to_schema_2() -> None:
    aws = world()
    limited = {**WHOLE["client_keys"][0], "models": ["fast"], "requests_per_minute": 60}
    models = {"fast": {"target": "gpt-4o-mini", "fallbacks": ["spare"]}, "spare": {"target": "d", "upstream": "azure"}}
    change = {"schema": 2, "upstreams": UPSTREAMS, "models": models, "client_keys": [limited]}
    answer = ask(aws, secrets.patch, change, name="dev")
    assert (answer.status, answer.body["models"], answer.body["client_keys"]) == (200, ["fast", "spare"], ["shop"])
    assert stored(aws) == {**WHOLE, **change}
    assert "azure-0123" not in json.dumps(answer.body)


def test_upstreams_need_schema_2_and_their_keys_are_checked() -> None:
    aws = world()
    assert error(ask(aws, secrets.patch, {"upstreams": UPSTREAMS}, name="dev"))["field"] == "upstreams"
    broken = {"schema": 2, "upstreams": {"azure": {**UPSTREAMS["azure"], "api_key": ""}}}
    assert error(ask(aws, secrets.put, {**WHOLE, **broken}, name="dev"))["field"] == "upstreams.azure.api_key"
    assert stored(aws) == WHOLE


def test_a_first_secret_is_put_and_cannot_be_patched() -> None:
    aws = FakeAws()
    assert ask(aws, secrets.patch, {"api_key": KEY}, name="dev").status == 404
    assert ask(aws, secrets.put, WHOLE, name="dev").body["changed"] == sorted(WHOLE)


@pytest.mark.parametrize(
    ("change", "field"), [({}, "body"), ({"api_key": "short"}, "api_key"), ({"model": {}}, "model"), ([], "body")]
)
def test_a_change_that_would_break_the_secret_changes_nothing(change: Any, field: str) -> None:
    aws = world()
    answer = ask(aws, secrets.patch, change, name="dev")
    assert (answer.status, error(answer)["field"]) == (400, field)
    assert stored(aws) == WHOLE


def test_a_secret_that_the_environment_does_not_use_is_warned_of() -> None:
    aws = world()
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs"
    good = {"version": "1", "deployment_id": "d-1", "at": "t", "artifact": "", "config": {"secret_arn": arn}}
    aws.records.attributes["dev"] = {"last_good": good}
    assert arn in ask(aws, secrets.put, WHOLE, name="dev").body["warning"]
