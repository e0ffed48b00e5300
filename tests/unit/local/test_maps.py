"""The emulator's distributed Map takes its concurrency from the state, as Step Functions does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.inside import maps


def emulator() -> SimpleNamespace:
    """Answers the state that it runs."""
    return SimpleNamespace(
        _run_distributed_map=lambda state, *_: state,
        _resolve_path_or_ctx=lambda path, value, _: value[path.removeprefix("$.")],
    )


def run(state: dict[str, Any], at_once: object) -> Any:
    stepfunctions = emulator()
    maps.install(stepfunctions)
    return stepfunctions._run_distributed_map(state, {}, {"at_once": at_once}, {}, {}, {})


def test_the_path_leads_to_the_number() -> None:
    assert run({"MaxConcurrencyPath": "$.at_once"}, 4)["MaxConcurrency"] == 4


def test_a_state_without_the_path_stays_as_it_is() -> None:
    assert run({"MaxConcurrency": 10}, 4) == {"MaxConcurrency": 10}


@pytest.mark.parametrize("value", ["4", None, -1])
def test_anything_else_than_a_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="MaxConcurrencyPath"):
        run({"MaxConcurrencyPath": "$.at_once"}, value)
