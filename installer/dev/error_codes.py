"""Every error of the control plane, read from its sources: code, cause and remedy of each place that raises one.

What is known only when it happens stands as `…`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "controlplane" / "chalicelib"
# The classes of `domain.errors`, with what each says to a caller of the API, or in a deployment's record.
KINDS = {
    "BadRequest": "400",
    "NotFound": "404",
    "Conflict": "409",
    "PhaseFailed": "a phase fails",
    "LockLost": "a phase fails",
    "Aborted": "a phase fails",
    "AwsCallFailed": "500, or a phase fails",
    "AccessDenied": "502, or a phase fails",
    "Throttled": "503, or a phase tries again",
}
_GAP = "…"


@dataclass(frozen=True, slots=True, order=True)
class Raised:
    """One place that raises an error. cause, remedy: as texts, "" where they are known at run time only."""

    code: str
    kind: str
    cause: str
    remedy: str


def read(root: Path = ROOT) -> list[Raised]:
    """All of them, each once, by code."""
    return sorted({raised for path in root.rglob("*.py") for raised in _in_module(ast.parse(path.read_text()))})


def _in_module(tree: ast.Module) -> Iterator[Raised]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            words = {word.arg: word.value for word in node.keywords}
            code = words.get("code")
            if code is None or isinstance(code, ast.Constant):
                name = str(code.value) if isinstance(code, ast.Constant) else node.func.id
                cause = _text(node.args[0]) if node.args else ""
                yield Raised(name, node.func.id, cause, _text(words.get("remedy")))


def _text(node: ast.expr | None) -> str:
    """The text that an expression gives, with a gap for each part that is not in the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or _GAP for part in node.values)
    if isinstance(node, ast.IfExp):
        return " / ".join(filter(None, (_text(node.body), _text(node.orelse))))
    return ""
