"""Signed calls: what a server sees, what a refusal becomes, and what is repeated."""

from __future__ import annotations

import pytest

from ctl.client import ApiError, NotAnAddress
from ctl.signed import address
from tests.fakes.control_api import ControlApi


def test_calls_are_signed_for_the_api_in_its_region(api: ControlApi) -> None:
    api.client.health()
    request = api.requests[0]
    assert (request.method, request.path) == ("GET", "/api/health")
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert "/eu-central-1/execute-api/aws4_request" in request.headers["authorization"]


def test_a_refusal_carries_code_message_and_remedy(api: ControlApi) -> None:
    error = {"code": "EnvironmentBusy", "message": "dev is busy", "remedy": "Wait.", "holder": "d-1"}
    api.answers = [(409, {"error": error})]
    with pytest.raises(ApiError) as refused:
        api.client.start({"environment": "dev", "action": "deploy"})
    assert (refused.value.status, refused.value.error["holder"]) == (409, "d-1")
    assert refused.value.describe() == "EnvironmentBusy: dev is busy (Wait.)"


def test_what_api_gateway_itself_refuses_is_reported_too(api: ControlApi) -> None:
    api.answers = [(403, {"message": "Missing Authentication Token"})]
    with pytest.raises(ApiError, match="Http403: Missing Authentication Token"):
        api.client.health()


def test_a_busy_server_is_called_again(api: ControlApi) -> None:
    api.answers = [(503, b"busy"), (200, {"status": "ok"})]
    assert api.client.health() == {"status": "ok"}


def test_a_start_is_repeated_only_under_an_idempotency_key(api: ControlApi) -> None:
    """Without one, a repeated POST could start a second rollout."""
    api.answers = [(503, {"error": {"code": "Throttled", "message": "x"}})]
    with pytest.raises(ApiError):
        api.client.start({"environment": "dev"})
    assert len(api.requests) == 1
    api.answers = [(503, {"error": {"code": "Throttled", "message": "x"}}), (202, {"id": "d-1"})]
    assert api.client.start({"environment": "dev"}, "key")["id"] == "d-1"
    assert [request.headers.get("idempotency-key") for request in api.requests[1:]] == ["key", "key"]


def test_following_ends_with_the_deployment(api: ControlApi) -> None:
    states = ["RUNNING", "RUNNING", "ROLLED_BACK", "NEVER ASKED"]
    api.answers = [(200, {"status": status, "phases": []}) for status in states]
    assert [shown["status"] for shown in api.client.follow("d-1")] == states[:3]


def test_names_cannot_leave_their_place_in_the_path(api: ControlApi) -> None:
    api.client.deployment("../environments")
    assert api.requests[0].path == "/api/deployments/..%2Fenvironments"


def test_an_unknown_route_is_reported_with_its_likely_cause(api: ControlApi) -> None:
    """API Gateway answers so when the control plane is older than the client."""
    api.answers = [(403, {"message": "Missing Authentication Token"})]
    with pytest.raises(ApiError, match="older than this client"):
        api.client.patch_secret("dev", {"api_key": "sk-x"})


def test_following_goes_on_until_the_last_step_is_recorded(api: ControlApi) -> None:
    """The step that ends a deployment still runs when the deployment's status is final."""
    step = {"number": 0, "name": "record_outcome", "status": "RUNNING"}
    running = {"id": "d-1", "status": "SUCCEEDED", "phases": [], "steps": [step]}
    api.answers = [(200, running), (200, running), (200, running | {"steps": [step | {"status": "SUCCEEDED"}]})]
    states = list(api.client.follow("d-1"))
    assert [state["steps"][0]["status"] for state in states] == ["RUNNING", "RUNNING", "SUCCEEDED"]
    assert len(api.requests) == 3


def test_a_secret_is_stored_once_however_often_it_is_sent(api: ControlApi) -> None:
    """A second version with the same key would push the version before it out of reach."""
    api.answers = [(503, {"error": {"code": "Throttled", "message": "x"}}), (200, {"version_id": "v"})]
    api.client.patch_secret("dev", {"api_key": "sk-x"})
    first, second = api.requests
    assert (first.method, first.path, first.json) == ("PATCH", "/api/environments/dev/secret", {"api_key": "sk-x"})
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_list_is_filtered_by_its_arguments(api: ControlApi) -> None:
    api.answers = [(200, {"deployments": []})] * 2
    api.client.deployments()
    api.client.deployments("dev", "FAILED", 5)
    assert [request.path for request in api.requests] == [
        "/api/deployments",
        "/api/deployments?environment=dev&status=FAILED&limit=5",
    ]


def test_a_list_is_read_to_its_end_or_as_far_as_was_asked_for(api: ControlApi) -> None:
    api.answers = [
        (200, {"environments": [{"name": "a"}], "cursor": "x="}),
        (200, {"environments": [{"name": "b"}], "cursor": None}),
        (200, {"deployments": [{"id": str(number)} for number in range(100)], "cursor": "y"}),
        (200, {"deployments": [], "cursor": "z"}),
        (200, {"deployments": [{"id": "100"}, {"id": "101"}], "cursor": "w"}),
        (200, {"nights": [{"night": "n"}] * 20, "cursor": "v"}),
        (200, {"nights": [{"night": "n"}] * 10, "cursor": "u"}),
    ]
    assert [row["name"] for row in api.client.environments()] == ["a", "b"]
    assert len(api.client.deployments("dev", "FAILED", 101)) == 101
    assert len(api.client.nights()) == 30
    assert [request.path.removeprefix("/api/") for request in api.requests] == [
        "environments",
        "environments?limit=100&cursor=x%3D",
        "deployments?environment=dev&status=FAILED&limit=100",
        "deployments?environment=dev&status=FAILED&limit=1&cursor=y",
        "deployments?environment=dev&status=FAILED&limit=1&cursor=z",
        "nights",
        "nights?limit=10&cursor=v",
    ]


def test_a_control_plane_that_does_not_page_is_read_as_it_answers(api: ControlApi) -> None:
    api.answers = [(200, {"environments": [{"name": "a"}]})]
    assert [row["name"] for row in api.client.environments()] == ["a"]


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "",
        "https://",
        "http://[",
        "https://a:99999/api",
        "ftp://a/api",
        "https://user:pw@a/api",
        "https://a/api?x=1",
        "https://a b/api",
        "https://a/\u00e9",
        "https://a/\napi",
    ],
)
def test_what_is_no_address_of_an_api_is_refused(url: str) -> None:
    with pytest.raises(NotAnAddress):
        address(url)


def test_a_secret_never_leaves_this_machine_in_the_clear() -> None:
    with pytest.raises(NotAnAddress, match="in the clear"):
        address("http://192.0.2.1/api")
    assert [address(f"http://{host}/api").scheme for host in ("127.0.0.1:1", "localhost", "[::1]:8")] == ["http"] * 3


@pytest.mark.parametrize(("idle_s", "same"), [(0.0, False), (60.0, True)])
def test_a_connection_that_was_idle_for_long_is_not_used_again(
    api: ControlApi, monkeypatch: pytest.MonkeyPatch, idle_s: float, same: bool
) -> None:
    """A person thinks before an approval, and the server closes the connection meanwhile."""
    monkeypatch.setattr("ctl.signed._IDLE_S", idle_s)
    api.client.call("GET", "/health")
    first = api.client._connection
    api.client.call("GET", "/health")
    assert (api.client._connection is first) is same
