"""The table of contents: the twelve phases in their order, and the steps beside them.

Each name is a module here, a Lambda and an ASL state (in PascalCase), a policy file and a test file. Modules are loaded
by name: a Lambda does one phase, and a cold start should not pay for all of them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

PHASES: tuple[str, ...] = (
    "preflight",
    "prepare_secret",
    "package_artifact",
    "deploy_stack",
    "configure_monitoring",
    "release_code",
    "validate_endpoints",
    "validate_errors",
    "load_test",
    "write_handoff",
    "verify_idempotency",
    "clean_up",
)

STEPS: tuple[str, ...] = (
    "acquire_lock",
    "make_plan",
    "check_drift",
    "run_drill",
    "await_approval",
    "shift_traffic",
    "bake",
    "roll_back",
    "restore_settings",
    "record_outcome",
)


def load(name: str) -> ModuleType:
    """The module of a phase or step: it has `run`, and `fingerprint` where it can be skipped."""
    return import_module(f"chalicelib.phases.{name}.run")


def pascal(name: str) -> str:
    """`LoadTest` for `load_test`: the name of the Lambda and of the ASL state."""
    return "".join(part.capitalize() for part in name.split("_"))


def number_of(name: str) -> int:
    """1 to 12 for a phase, 0 for a step beside them."""
    return PHASES.index(name) + 1 if name in PHASES else 0
