"""A cursor is the last key of a page, or it is refused: whatever a caller makes of it, DynamoDB never sees it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from chalicelib.adapters import cursors
from chalicelib.domain.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st

KEY: dict[str, Any] = {
    "pk": {"S": "DEPLOYMENT#d-1"},
    "sk": {"S": "META"},
    "at": {"S": "2026-01-02"},
    "listed_all": {"S": "ALL"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def cursor(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode()


def test_a_cursor_of_this_api_is_read_back() -> None:
    assert cursors.decode(cursors.encode(KEY), "listed_all", "ALL") == KEY
    assert cursors.decode(None, "listed_all", "ALL") is None


@pytest.mark.parametrize(
    "value",
    [
        "[" * 6_000,
        "{" * 6_000,
        "null",
        [],
        {},
        KEY | {"more": {"S": "x"}},
        {name: KEY[name] for name in ("pk", "sk", "listed_all")},
        KEY | {"sk": {"N": "1"}},
        KEY | {"sk": {"S": 1}},
        KEY | {"sk": {"S": ""}},
        KEY | {"sk": {"S": "x" * 1_025}},
        KEY | {"sk": {"S": "\ud800"}},
        KEY | {"sk": "META"},
        KEY | {"listed_all": {"S": "OTHER"}},
    ],
)
def test_another_shape_is_refused_by_name(value: object) -> None:
    with pytest.raises(BadRequest) as refused:
        cursors.decode(cursor(value), "listed_all", "ALL")
    assert refused.value.field == "cursor"


@given(JSON.filter(lambda value: value != "") | st.dictionaries(st.sampled_from(sorted(KEY)), JSON))
def test_no_json_is_an_internal_error(value: object) -> None:
    with pytest.raises(BadRequest):
        cursors.decode(cursor(value), "listed_all", "ALL")


@given(st.text(min_size=1))
def test_no_text_is_an_internal_error(text: str) -> None:
    with pytest.raises(BadRequest):
        cursors.decode(text, "listed_all", "ALL")
