"""The table of contents: the twelve phases in their order, and the steps beside them.

Each name is a module here, a Lambda and an ASL state (in PascalCase), a policy file and a test file.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    acquire_lock,
    await_approval,
    bake,
    check_drift,
    clean_up,
    configure_monitoring,
    deploy_stack,
    load_test,
    make_plan,
    package_artifact,
    preflight,
    prepare_secret,
    record_outcome,
    release_code,
    roll_back,
    run_drill,
    shift_traffic,
    validate_endpoints,
    validate_errors,
    verify_idempotency,
    write_handoff,
)

PHASES: tuple[ModuleType, ...] = (
    preflight,
    prepare_secret,
    package_artifact,
    deploy_stack,
    configure_monitoring,
    release_code,
    validate_endpoints,
    validate_errors,
    load_test,
    write_handoff,
    verify_idempotency,
    clean_up,
)

STEPS: tuple[ModuleType, ...] = (
    acquire_lock,
    make_plan,
    check_drift,
    run_drill,
    await_approval,
    shift_traffic,
    bake,
    roll_back,
    record_outcome,
)


def stem(module: ModuleType) -> str:
    """`load_test` for the module of that name."""
    return module.__name__.rpartition(".")[2]


def pascal(name: str) -> str:
    """`LoadTest` for `load_test`: the name of the Lambda and of the ASL state."""
    return "".join(part.capitalize() for part in name.split("_"))


NAMES: tuple[str, ...] = tuple(stem(module) for module in PHASES)
STEP_NAMES: tuple[str, ...] = tuple(stem(module) for module in STEPS)


def number_of(name: str) -> int:
    """1 to 12 for a phase, 0 for a step beside them."""
    return NAMES.index(name) + 1 if name in NAMES else 0
