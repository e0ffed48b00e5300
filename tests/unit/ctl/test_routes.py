"""What the console passes on: these calls, with these queries, and nothing that leads anywhere else."""

from __future__ import annotations

import pytest

from ctl.console.gate import Denied
from ctl.console.routes import find, query_of

PASSED = (
    ("GET", "/health"),
    ("GET", "/environments"),
    ("GET", "/nights"),
    ("GET", "/environments/dev"),
    ("GET", "/environments/dev/history"),
    ("GET", "/environments/dev/costs"),
    ("GET", "/environments/dev/incidents"),
    ("GET", "/environments/dev/incidents/d-1"),
    ("GET", "/environments/dev/secret/history"),
    ("GET", "/deployments"),
    ("POST", "/deployments"),
    ("GET", "/deployments/d-0123456789abcdef0123"),
    ("GET", "/deployments/d-1/report"),
    ("GET", "/deployments/d-1/handoff"),
    ("POST", "/deployments/d-1/abort"),
    ("POST", "/deployments/d-1/approve"),
    ("POST", "/deployments/d-1/resume"),
)


@pytest.mark.parametrize(("method", "path"), PASSED)
def test_what_the_page_needs_is_passed_on(method: str, path: str) -> None:
    assert find(method, path).method == method


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/openapi.json",
        "/environments/",
        "/environments/dev/secret",
        "/environments/..",
        "/environments/../deployments",
        "/environments/%2e%2e",
        "/environments/dev%2fsecret",
        "/environments/dev\n",
        "/environments/dev/",
        "/deployments/d-1/delete",
        "/deployments/d-1/abort/",
        "/deployments/" + "d" * 65,
        "//environments",
        "/environments\\dev",
        "/environments/d\u00e9v",
    ],
)
def test_no_other_path_is(path: str) -> None:
    with pytest.raises(Denied) as denied:
        find("GET", path)
    assert denied.value.status == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/environments"), ("GET", "/deployments/d-1/abort")])
def test_a_known_path_takes_its_own_methods_only(method: str, path: str) -> None:
    with pytest.raises(Denied) as denied:
        find(method, path)
    assert denied.value.status == 405


def test_a_query_is_written_anew() -> None:
    route = find("GET", "/deployments")
    assert query_of(route, "") == ""
    assert query_of(route, "status=FAILED&cursor=a%2Bb%3D%3D&environment=x+y") == (
        "?status=FAILED&cursor=a%2Bb%3D%3D&environment=x%20y"
    )


@pytest.mark.parametrize("query", ["x=1", "limit=1&limit=2", "limit", "limit=1&&"])
def test_a_query_holds_what_its_route_knows(query: str) -> None:
    with pytest.raises(Denied):
        query_of(find("GET", "/deployments"), query)
    with pytest.raises(Denied):
        query_of(find("GET", "/environments"), query)
