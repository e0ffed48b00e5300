"""Manifests, old versions, self-tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from chalicelib.api import answers
from chalicelib.domain.aws.functions import Version
from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.engine import registry
from chalicelib.upgrade import ask, manifest, releases, retire, self_test, task

from installer.check import ROOT
from tests.fakes import FakeAws
from tests.fakes.own_control_plane import OwnControlPlane

MACHINES = sorted((ROOT / "statemachine").glob("*.asl.yaml"))
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "key",
    [None, 7, "", "controlplane/release-1.json", "../release.json", f"controlplane/release-{'a' * 64}.json.zip",
     f"artifacts/release-{'a' * 64}.json", f"controlplane/release-{'A' * 64}.json"],
)  # fmt: skip
def test_only_a_releases_key_is_one(key: object) -> None:
    with pytest.raises(BadRequest) as refused:
        releases.check_key(key)
    assert refused.value.field == "bundle"
    assert releases.check_key(f"controlplane/release-{'a' * 64}.json")


def test_a_manifest_of_a_later_version_is_read_without_the_fields_that_this_one_does_not_know() -> None:
    content = json.dumps({"release": "r", "of_tomorrow": [1], "table_format": 7}).encode()
    read = releases.read(manifest.key_of(content), content)
    assert (read.release, read.table_format, read.schema) == ("r", 7, 1)


@pytest.mark.parametrize(
    ("version", "than", "answer"),
    [("0.1.0", "0.2.0", True), ("0.9.0", "0.10.0", True), ("1.0", "1.0.1", True), ("1.0.0", "1.0.0", False),
     ("2.0.0", "1.9.9", False), ("", "1.0.0", False), ("1.0.0", "", False), ("x", "1.0.0", False)],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version: str, than: str, answer: bool) -> None:
    assert releases.older(version, than) is answer


def version(number: int, replaced_ago: timedelta | None) -> list[Version]:
    """A version, and the next one, which replaced it so long ago; None: Lambda does not say when."""
    at = (NOW - replaced_ago).isoformat() if replaced_ago is not None else ""
    return [
        Version(str(number), "", published_at="2026-01-01T00:00:00+00:00"),
        Version(str(number + 1), "", published_at=at),
    ]


@pytest.mark.parametrize(
    ("ago", "deleted"),
    [(timedelta(seconds=1_728_001), ["1"]), (timedelta(seconds=1_728_000), []), (timedelta(0), []), (None, [])],
)
def test_a_version_is_deleted_when_no_execution_can_run_it_any_more(ago: timedelta | None, deleted: list[str]) -> None:
    every = [*version(1, ago), Version("3", "", published_at=NOW.isoformat())]
    assert [each.number for each in retire.old(every, {"3"}, NOW)] == deleted
    assert retire.old(every, {"1", "3"}, NOW) == []  # an alias is on it


def test_no_state_machine_outlasts_the_versions_that_it_names() -> None:
    longest = max(yaml.safe_load(path.read_text())["TimeoutSeconds"] for path in MACHINES)
    assert timedelta(seconds=longest) == retire.LONGEST_EXECUTION


def test_the_version_before_stays_however_old_it_is() -> None:
    long_ago = "2020-01-01T00:00:00+00:00"
    every = [Version(str(number), "", published_at=long_ago) for number in range(1, 6)]
    assert [each.number for each in retire.old(every, {"5"}, NOW)] == ["1", "2", "3"]


@dataclass
class Call:
    event: dict[str, Any]


@pytest.mark.parametrize("name", [*registry.PHASES, *registry.STEPS])
def test_every_phase_answers_its_self_test_with_its_code_loaded(name: str) -> None:
    answer: Any = self_test.answer_or(Call({"self_test": name}), lambda _: None, FakeAws().as_aws)
    assert (answer["function"], answer["loaded"]) == (name, True)
    assert self_test.stem_of(registry.pascal(name)) == name


def test_any_other_event_goes_to_the_function() -> None:
    assert self_test.answer_or(Call({"deployment_id": "d"}), lambda call: call.event, FakeAws().as_aws) == {
        "deployment_id": "d"
    }


def test_a_function_of_another_release_or_with_an_error_is_named() -> None:
    own = OwnControlPlane(breaks={"Sweep"})
    own.install("old")
    own.pointed["LoadTest"]["candidate"] = own.pointed["Sweep"]["candidate"] = own.pointed["LoadTest"]["live"]
    functions = {"LoadTest": "LoadTest", "Sweep": "Sweep"}
    assert ask.ask({"LoadTest": "LoadTest"}, "candidate", "r-old", own.as_aws()) == []
    assert ask.ask(functions, "candidate", "r-new", own.as_aws()) == [
        "LoadTest: answers as release 'r-old'",
        "Sweep: ImportError: no such module",
    ]


def test_a_step_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadRequest, match="no step"):
        task.run({"phase": "load_test"}, FakeAws().as_aws(), lambda: NOW, lambda *_: {})


def test_a_damaged_manifest_says_what_to_do() -> None:
    with pytest.raises(PhaseFailed) as damaged:
        releases.read(f"controlplane/release-{'a' * 64}.json", b"{}")
    assert "bootstrap.py upgrade" in str(damaged.value.remedy)


@pytest.mark.parametrize(
    ("version", "oldest", "refused"),
    [("0.1.9", "0.2.0", True), ("0.2.0", "0.2.0", False), ("0.10.0", "0.2.0", False), ("", "0.2.0", False)],
)
def test_an_older_client_gets_a_clear_word(version: str, oldest: str, refused: bool) -> None:
    if not refused:
        releases.refuse_old_client(version, oldest)
        return
    with pytest.raises(BadRequest, match=r"this client is version 0\.1\.9") as error:
        releases.refuse_old_client(version, oldest)
    assert (error.value.code, "pipx install" in str(error.value.remedy)) == ("ClientTooOld", True)


def test_every_call_of_an_older_client_is_refused_by_the_api() -> None:
    call = answers.ApiCall({}, {}, {"x-proxyctl-client": "0.0.9"}, b"", "me")
    answer: Any = answers.respond(lambda *_: answers.Answer(200, {}), call, FakeAws().as_aws(), lambda: NOW)
    assert (answer.status, answer.body["error"]["code"]) == (426, "ClientTooOld")
