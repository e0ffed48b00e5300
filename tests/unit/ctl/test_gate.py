"""Who gets past the console's gate: its own page in the browser of the person who started it, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ctl.console.gate import Denied, Gate

GATE = Gate(8080, "secret-token")
OWN = {"Host": ["127.0.0.1:8080"]}
PAGE = OWN | {"Origin": ["http://127.0.0.1:8080"], "Sec-Fetch-Site": ["same-origin"]}


def enter(method: str, target: str, headers: Mapping[str, Sequence[str]]) -> str:
    return GATE.enter(method, target, lambda name: headers.get(name, []))


def test_its_own_page_gets_in() -> None:
    assert enter("GET", "/secret-token/", OWN) == "/"
    assert enter("GET", "/secret-token/api/deployments?status=FAILED", PAGE) == "/api/deployments?status=FAILED"
    assert enter("POST", "/secret-token/api/deployments", PAGE) == "/api/deployments"
    assert enter("GET", "/secret-token/", OWN | {"Host": ["LOCALHOST:8080"], "Sec-Fetch-Site": ["none"]}) == "/"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/secret-toke/",
        "/secret-token2/",
        "/x/secret-token/",
        "//secret-token/",
        "secret-token/",
        "/SECRET-TOKEN/",
        "*",
    ],
)
def test_without_the_token_nothing_is_answered(target: str) -> None:
    with pytest.raises(Denied, match="lacks the token"):
        enter("GET", target, OWN)


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["evil.example"],
        ["evil.example:8080"],
        ["127.0.0.1"],
        ["127.0.0.1:8081"],
        ["127.0.0.1:8080", "evil.example"],
    ],
)
def test_another_name_for_this_machine_is_refused(hosts: list[str]) -> None:
    """DNS rebinding: a stranger's page whose name suddenly points to 127.0.0.1 sends that name as Host."""
    with pytest.raises(Denied, match="answers to"):
        enter("GET", "/secret-token/", {"Host": hosts})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ["http://evil.example"]},
        {"Origin": ["null"]},
        {"Origin": ["https://127.0.0.1:8080"]},
        {"Origin": ["http://127.0.0.1:8081"]},
        {"Origin": ["http://127.0.0.1:8080", "http://evil.example"]},
        {"Sec-Fetch-Site": ["cross-site"]},
        {"Sec-Fetch-Site": ["same-site"]},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_page_cannot_act_in_the_persons_name(method: str, headers: dict[str, list[str]]) -> None:
    """Not even one that has learned the token; another port of this machine is another page."""
    with pytest.raises(Denied):
        enter(method, "/secret-token/api/deployments", PAGE | headers)


def test_what_changes_something_must_say_where_it_comes_from() -> None:
    with pytest.raises(Denied, match="name its origin"):
        enter("POST", "/secret-token/api/deployments", OWN)
