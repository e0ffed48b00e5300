"""A distributed Map's concurrency from the state (`MaxConcurrencyPath`), which the emulator does not read.

Source: Step Functions Developer Guide, "Map state", field MaxConcurrencyPath.
"""

from collections.abc import Callable, Mapping
from typing import Any

State = Mapping[str, Any]
_FIELD = "MaxConcurrencyPath"


def with_concurrency(state: State, effective: object, resolve: Callable[[str, object], object]) -> State:
    """The Map state with MaxConcurrency in place of a path to it. resolve: a path's value in the state's input."""
    if _FIELD not in state:
        return state
    resolved = resolve(str(state[_FIELD]), effective)
    if not isinstance(resolved, int) or resolved < 0:
        raise ValueError(f"{_FIELD} {state[_FIELD]} is {resolved!r}; it must be a number from 0")
    return {**state, "MaxConcurrency": resolved}


def install(stepfunctions: Any) -> None:
    """Read the path before a distributed Map runs."""
    run = stepfunctions._run_distributed_map

    def run_distributed_map(
        state: State, raw_input: object, effective: object, iterator: object, execution: object, context: object
    ) -> object:
        def resolve(path: str, value: object) -> object:
            return stepfunctions._resolve_path_or_ctx(path, value, context)

        return run(with_concurrency(state, effective, resolve), raw_input, effective, iterator, execution, context)

    stepfunctions._run_distributed_map = run_distributed_map
