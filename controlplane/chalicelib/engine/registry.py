"""The table of contents: the twelve phases in their order, and the steps beside them.

Each name is a room in `phases/`, a Lambda and an ASL state (in PascalCase), a policy and a folder of tests. Rooms are
loaded by name, because a Lambda runs one phase and its cold start should not pay for all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from chalicelib.domain.errors import BadRequest

from .phase import Phase

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
    "skip_unchanged",
    "make_plan",
    "check_drift",
    "run_drill",
    "await_approval",
    "shift_traffic",
    "apply_settings",
    "bake",
    "roll_back",
    "restore_settings",
    "record_outcome",
)

# What rolls the control plane itself: states of the workflow that share the Lambda `Upgrade` (chalicelib/upgrade).
UPGRADE: tuple[str, ...] = (
    "plan_upgrade",
    "stage_upgrade",
    "test_upgrade",
    "promote_upgrade",
    "verify_upgrade",
    "revert_upgrade",
)

# What a deploy runs after preflight, in the order of the state machine.
DEPLOY: tuple[str, ...] = (
    "prepare_secret",
    "package_artifact",
    "deploy_stack",
    "configure_monitoring",
    "release_code",
    "validate_endpoints",
    "validate_errors",
    "load_test",
    "await_approval",
    "shift_traffic",
    "apply_settings",
    "bake",
    "verify_idempotency",
    "write_handoff",
    "clean_up",
)


def deploy_order(*, approval: bool) -> tuple[str, ...]:
    """DEPLOY for one deployment. approval: whether it waits for one."""
    return tuple(name for name in DEPLOY if approval or name != "await_approval")


def load(name: str) -> Phase:
    """The phase or step of that name, of an upgrade too. Raises ModuleNotFoundError for a name that is none."""
    module = f"chalicelib.upgrade.steps.{name}" if name in UPGRADE else f"chalicelib.phases.{name}.run"
    return cast(Phase, import_module(module).PHASE)


def upgrade_step(name: str) -> str:
    """The name. Raises BadRequest for one that is no step of an upgrade."""
    if name not in UPGRADE:
        raise BadRequest(f"{name[:40]!r} is no step of an upgrade", field="phase", remedy=", ".join(UPGRADE))
    return name


def pascal(name: str) -> str:
    """`LoadTest` for `load_test`: the name of the Lambda and of the ASL state."""
    return "".join(part.capitalize() for part in name.split("_"))


def number_of(name: str) -> int:
    """1 to 12 for a phase, 0 for a step beside them."""
    return PHASES.index(name) + 1 if name in PHASES else 0
