"""Phase 7: where it looks, when it may be skipped, and how it fails."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.checks.target import SecretFacts, _secret_variables, locate
from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.names import Names
from chalicelib.phases.validate_endpoints import run as validate_endpoints

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent, reply
from tests.fakes.requests import environment, request, results

API = "https://api.example/api"
SHOWN = {
    "version_id": "v1",
    "models": ["embed-small", "fast"],
    "client_keys": 0,
    "cors_origins": ["*"],
    "retries": 2,
    "timeouts": {"first_byte_s": 3, "idle_s": 60},
}
RELEASE, STACK = ReleaseEvidence(version="7", code_sha256="abc"), StackEvidence(api_url=API)
RESULTS = results(STACK, RELEASE)


def healthy(**secret: Any) -> Any:
    """A candidate that tells of itself; everything else is not found."""

    def answer(sent: Sent) -> Reply:
        if sent.url.endswith("/health") and sent.signed:
            return reply(200, {"status": "ok", "version": "7", "secret": {**SHOWN, **secret}})
        return reply(404, {"error": {"message": "no"}}, x_request_id="r-9")

    return answer


class FakeSdk:
    """Every operation fails in the way that it is told."""

    def observe(self, operation: str, target: Any, models: Any) -> dict[str, Any]:
        return {"status": 500, "ms": 1.0, "request_id": f"r-{operation}", "error": "planted"}


@dataclasses.dataclass
class Looking(FakeAws):
    sdk: FakeSdk = dataclasses.field(default_factory=FakeSdk)


def looking(*, live: str = "7", candidate: str = "7", **secret: Any) -> Looking:
    aws = Looking()
    aws.endpoint.answer = healthy(**secret)
    function = Names("dev").function
    aws.functions.latest[function] = None  # type: ignore[assignment]
    aws.functions.pointed[function] = {"live": Alias("live", live), "candidate": Alias("candidate", candidate)}
    return aws


def test_a_deploy_is_tested_on_the_candidates_path_with_a_signature() -> None:
    target = locate(request(results=RESULTS), looking().as_aws())
    assert (target.url, target.signed, target.version) == (f"{API}/_candidate", True, "7")


def test_a_revalidation_without_client_keys_uses_the_public_path_as_users_do() -> None:
    target = locate(request(action=Action.REVALIDATE, results=RESULTS), looking(live="5").as_aws())
    assert (target.url, target.signed, target.version) == (API, False, "5")


def test_a_revalidation_with_client_keys_reaches_the_same_version_through_the_candidates_path() -> None:
    target = locate(request(action=Action.REVALIDATE, results=RESULTS), looking(client_keys=1).as_aws())
    assert (target.url, target.signed) == (f"{API}/_candidate", True)
    assert target.variables["live"]


def test_a_revalidation_finds_the_api_in_what_was_last_applied() -> None:
    applied = {"deploy_stack": Applied("f", "d-old", "2026-01-01T00:00:00+00:00", {"api_url": API})}
    again = request(action=Action.REVALIDATE, environment=environment(applied=applied))
    target = locate(again, looking().as_aws())
    assert (target.url, target.signed, target.variables["public_url"]) == (f"{API}/_candidate", True, API)


def test_an_environment_without_an_api_has_nothing_to_test() -> None:
    with pytest.raises(PhaseFailed) as raised:
        validate_endpoints.run(request(), looking().as_aws())
    assert raised.value.code == "NothingToTest"
    assert raised.value.remedy


def test_models_are_taken_from_the_secrets_aliases_by_what_they_are_for() -> None:
    variables = locate(request(results=RESULTS), looking().as_aws()).variables
    assert (variables["chat_model"], variables["embedding_model"]) == ("fast", "embed-small")


@pytest.mark.parametrize("alias", ["text-embed", "gpt-image-1", "TTS", "whisper-1", "gpt-4o-transcribe", "my-audio"])
def test_an_alias_that_sounds_like_no_chat_model_is_not_chatted_with(alias: str) -> None:
    assert _secret_variables(SecretFacts(models=(alias, "fast")))["chat_model"] == "fast"
    assert _secret_variables(SecretFacts(models=(alias,)))["chat_model"] == "gpt-4o-mini"


def test_only_timeouts_that_are_short_enough_to_wait_for_are_checked() -> None:
    variables = locate(request(results=RESULTS), looking().as_aws()).variables
    assert variables["first_byte_ms"] == 3_000
    assert "idle_ms" not in variables


@pytest.mark.parametrize(("idle_s", "checked"), [(5.0, True), (5.1, False)])
def test_a_timeout_above_five_seconds_is_not_checked(idle_s: float, checked: bool) -> None:
    aws = looking(timeouts={"idle_s": idle_s}).as_aws()
    variables = locate(request(results=RESULTS), aws).variables
    assert ("idle_ms" in variables) is checked
    assert variables.get("idle_too_long") == (6.5 if checked else None)


def test_a_failure_names_every_check_the_expectation_and_the_request() -> None:
    with pytest.raises(PhaseFailed) as raised:
        validate_endpoints.run(request(results=RESULTS), looking().as_aws())
    rows = raised.value.evidence["checks"]
    failed = {row["name"]: row for row in rows if row["verdict"] == "FAILED"}
    assert {"models", "chat", "chat_stream", "tool_call", "responses", "embeddings"} <= set(failed)
    assert failed["chat"]["request_id"] == "r-chat"
    assert "status is 200" in failed["chat"]["expected"]
    assert "health" not in failed
    assert raised.value.code == "CheckFailed"
    assert "6 with status 500: planted (models, chat, chat_stream, tool_call, responses, embeddings)" in str(
        raised.value.message
    )


@pytest.mark.parametrize(
    "change",
    [
        {"results": results(STACK, dataclasses.replace(RELEASE, version="8"))},
        {"results": results(STACK, dataclasses.replace(RELEASE, code_sha256="def"))},
        {"results": results(STACK, RELEASE, SecretEvidence(version_id="v2"))},
        {"results": results(dataclasses.replace(STACK, stack_id="another"), RELEASE)},
        {"config": Config(throttle=Throttle(1, 1))},
    ],
)
def test_another_release_secret_or_throttle_is_tested_again(change: dict[str, Any]) -> None:
    aws = looking().as_aws()
    before = validate_endpoints.fingerprint(request(results=RESULTS), aws)
    assert validate_endpoints.fingerprint(request(**{"results": RESULTS} | change), aws) != before


def test_the_same_release_need_not_be_tested_twice() -> None:
    aws = looking().as_aws()
    once = validate_endpoints.fingerprint(request(results=RESULTS), aws)
    assert validate_endpoints.fingerprint(request(results=RESULTS, after_s=99), aws) == once
