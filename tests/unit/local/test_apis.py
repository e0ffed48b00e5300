"""Where the emulator looks for an API that is called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.inside import apis

HOME, OTHER = ("1", "eu-central-1"), ("2", "eu-west-1")


def service(*scopes: tuple[str, str]) -> Any:
    """MiniStack's module with an API `a` in these places, called from account 1."""
    stored = SimpleNamespace(all_items=lambda: iter(((*scope, "a"), {}) for scope in scopes))
    own = {"a": HOME} if HOME in scopes else {}
    return SimpleNamespace(_rest_apis=stored, find_api_scope=own.get)


@pytest.mark.parametrize(("scopes", "place"), [((HOME, OTHER), HOME), ((OTHER,), OTHER), ((), None)])
def test_an_api_of_another_account_is_reached_and_the_callers_own_comes_first(
    scopes: tuple[tuple[str, str], ...], place: tuple[str, str] | None
) -> None:
    module = service(*scopes)
    apis.install(module)
    assert module.find_api_scope("a") == place
    assert module.find_api_scope("b") is None
