"""What holds for the rooms of the control plane: complete, and acting apart from deciding."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.house.source import Module

# Rooms whose modules decide unless their names say that they act.
ROOMS = ("phases", "checks", "stack", "release", "monitoring", "load", "artifacts", "costs", "upgrade")
# Verbs, and things outside: modules of these names call AWS or the network. All others are pure.
ACTING = frozenset(
    {
        "apply", "build", "change_set", "change_setting", "correlate", "drive", "fire", "follow", "generator",
        "heal", "inputs", "inspect", "judge", "leftovers", "look", "measure", "move_candidate", "observe", "repeat",
        "prepare", "promote", "publish", "rebuild", "remove", "repair", "restore", "reuse", "run", "search", "settle",
        "shard", "simulate", "stage", "stand_in", "store", "target", "task", "throttle", "timer", "update", "upstream",
        "verify", "watch", "wire", "worker", "drive_split", "reach_live", "read_times", "replicate", "run_beside",
        "reach_domain",
        "ask", "invoke_migration", "migrate", "retire", "self_test",
        "plan_upgrade", "stage_upgrade", "test_upgrade", "promote_upgrade", "verify_upgrade", "revert_upgrade",
    }
)  # fmt: skip
_OUTSIDE = (
    "chalicelib.ports", "chalicelib.adapters", "boto3", "botocore", "http", "os", "secrets", "select", "selectors",
    "socket", "subprocess", "threading", "time", "urllib.request",
)  # fmt: skip
_DESCRIBED = 32  # characters: more than "The room of verify_idempotency."
_CLOCKS = frozenset({"now", "utcnow", "today"})


def incomplete(package: Path, tests: Path, phases: Sequence[str]) -> list[str]:
    """What a phase's room lacks. package: the folder `chalicelib`; tests: that of the unit tests of the phases."""
    folders = {path.name for path in (package / "phases").iterdir() if (path / "__init__.py").exists()}
    lacking = [f"phases/{name}: not in the registry" for name in sorted(folders - set(phases))]
    for name in phases:
        lacking += [f"phases/{name}: no {what}" for what in _lacking(package / "phases" / name, tests / name)]
    return lacking


def _lacking(room: Path, tests: Path) -> Iterator[str]:
    if not (room / "run.py").exists() or "PHASE" not in _assigned(room / "run.py"):
        yield "run.py with PHASE"
    if not (room / "policy.json").exists():
        yield "policy.json"
    if not list(tests.glob("test_*.py")):
        yield f"tests in {tests.name}/"


def _assigned(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def undescribed(sources: Sequence[Module]) -> list[str]:
    """Folders that have neither a README.md nor a docstring that says what lives there."""
    packages = [module for module in sources if module.is_package]
    return [
        module.name
        for module in packages
        if not (module.path.parent / "README.md").exists() and len(ast.get_docstring(module.tree) or "") < _DESCRIBED
    ]


def acting(sources: Sequence[Module]) -> list[str]:
    """Modules of rooms that reach AWS, the network, the clock or chance, and whose names do not say so."""
    deciding = [module for module in sources if _room(module) in ROOMS and module.name.rpartition(".")[2] not in ACTING]
    return [f"{module.at(node)} {what}" for module in deciding for node, what in _outside(module)]


def _room(module: Module) -> str:
    return module.name.split(".")[1] if "." in module.name else ""


def _outside(module: Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from ((node, name) for name in names if any(_is_in(name, outside) for outside in _OUTSIDE))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("datetime", "date") and node.attr in _CLOCKS:
                yield node, "the clock"
            # A generator with a seed is pure; the module's own is not.
            if node.value.id == "random" and node.attr != "Random":
                yield node, "chance"


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")
