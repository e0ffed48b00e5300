"""Tags of the customer's own: which AWS takes, and which would hide the project's."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws import tags
from chalicelib.domain.names import Names
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import settings

_KEYS = st.text("abcXYZ019 .:/+-@_", min_size=1, max_size=40).filter(lambda key: key[:4].lower() != "aws:")


@given(st.dictionaries(_KEYS, st.text("abc= .:/+-@_9", max_size=40), max_size=20))
def test_what_is_written_as_pairs_is_read_again(wanted: dict[str, str]) -> None:
    pairs = tags.paired(wanted)
    assert tags.parsed(pairs) == wanted
    assert tags.refusal(pairs) is None


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        (("team",), "KEY=VALUE"),
        (("=ml",), "KEY=VALUE"),
        (("k" * 129 + "=v",), "128"),
        (("k=" + "v" * 257,), "256"),
        (("team=a,b",), "KEY=VALUE"),
        (("AWS:x=1",), "reserved"),
        (("proxyctl:owner=me",), "reserved"),
        (("a=1", "a=2"), "twice"),
        (tuple(f"k{number}=v" for number in range(tags.MOST_TAGS + 1)), "more than 40"),
        (tuple(f"k{number}=" + "v" * 250 for number in range(8)), "2,000"),
    ],
)
def test_what_no_resource_takes_is_refused(pairs: tuple[str, ...], text: str) -> None:
    assert text in (tags.refusal(pairs) or "")


@pytest.mark.parametrize("pairs", [("k" * 128 + "=" + "v" * 256,), tuple(f"k{n}=" for n in range(tags.MOST_TAGS)), ()])
def test_what_is_just_within_the_limits_passes(pairs: tuple[str, ...]) -> None:
    assert tags.refusal(pairs) is None


def test_the_projects_own_tags_stand_beside_them_and_win() -> None:
    there = settings(tags={"team": "ml", "proxyctl:environment": "forged"})
    assert there.tags_beside(Names("dev").tags) == {
        "team": "ml",
        "proxyctl:owner": "proxyctl",
        "proxyctl:environment": "dev",
    }
