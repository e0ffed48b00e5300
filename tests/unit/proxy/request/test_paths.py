"""No path leads outside the base URL."""

import pytest

from proxy.errors import ProxyError
from proxy.request.paths import below_base


@pytest.mark.parametrize(
    ("path", "query", "below"),
    [
        ("/v1/models", "", "/models"),
        ("/models", "limit=2", "/models?limit=2"),
        ("/v1/models/ft:gpt-4o:acme::1", "", "/models/ft:gpt-4o:acme::1"),
        ("/v1/files/a%20b", "", "/files/a%20b"),
        ("/v10/x", "", "/v10/x"),
        ("/v1/models/a%2Fb", "", "/models/a%2Fb"),
        ("/models/org%2fname%3Atag", "x=1", "/models/org%2fname%3Atag?x=1"),
        ("/v1/a..b/.c", "include%5B%5D=x&q=a/b?c", "/a..b/.c?include%5B%5D=x&q=a/b?c"),
    ],
)
def test_a_plain_path_passes_below_the_base(path: str, query: str, below: str) -> None:
    assert below_base("GET", path, query) == below


@pytest.mark.parametrize(
    "path",
    [
        "/v1/..",
        "/./x",
        "/v1/%2E%2e/x",
        "/a/%2e/b",
        "//host/x",
        "/v1//x",
        "/a%2fb",
        "/v1/files/a%2Fb",
        "/v1/models%2Fa",
        "/v1/models/..%2Ffiles",
        "/v1/models/a%2F%2e%2E%2fb",
        "/v1/models/a%2F%2Fb",
        "/v1/models/a/%2Fb",
        "/v1/models/a%2F..",
        "/v1/models/a%5Cb",
        "/a%5Cb",
        "/a\\b",
        "/a b",
        "/a\nb",
        "x",
        "/é",
        "/a#b",
    ],
)
def test_a_path_that_is_none_is_a_400(path: str) -> None:
    with pytest.raises(ProxyError) as refused:
        below_base("GET", path, "")
    assert refused.value.status == 400


@pytest.mark.parametrize("query", ["a b", "a\r\nb", "a#b", 'a"b'])
def test_a_query_that_is_none_is_a_400(query: str) -> None:
    with pytest.raises(ProxyError):
        below_base("GET", "/models", query)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
def test_the_root_is_openais_404(path: str) -> None:
    with pytest.raises(ProxyError) as refused:
        below_base("GET", path, "")
    assert (refused.value.status, refused.value.code) == (404, "unknown_url")


def test_a_url_beyond_reason_is_a_414() -> None:
    with pytest.raises(ProxyError) as refused:
        below_base("GET", "/" + "a" * 3000, "")
    assert refused.value.status == 414
