"""Remedies reach the person in the words of the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctl.remedies import in_flags

ROOT = Path(__file__).resolve().parents[3]
_REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH) |\boptions\.|(?<!--set )\bconfig\.\w")


def remedies() -> Iterator[str]:
    """Every remedy that the control plane's code can answer; `{…}` stands for what is filled in."""
    for path in sorted((ROOT / "controlplane").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "remedy":
                yield from texts(node.value)


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "NAME" for part in node.values)  # type: ignore[misc]


def test_no_remedy_of_the_control_plane_speaks_of_requests() -> None:
    everything = list(remedies())
    assert len(everything) > 50
    left = [
        (text, in_flags(text)) for text in everything if _REQUEST.search(in_flags(text).replace("--set options.", ""))
    ]
    assert not left


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        ("Deploy again with options.force.", "Deploy again with --force."),
        (
            'Wait until it ends, or send options.if_busy = "wait" to queue.',
            "Wait until it ends, or add --wait to queue.",
        ),
        (
            "POST /deployments with action deploy makes it; GET /environments lists those that exist.",
            "`proxyctl deploy ENVIRONMENT` makes it; `proxyctl environments` lists those that exist.",
        ),
        ("GET /deployments/{id} shows its phases.", "`proxyctl show ID` shows its phases."),
        (
            "Deploy with options.allow_replacement to delete the rest.",
            "Deploy with --set options.allow_replacement=… to delete the rest.",
        ),
        ("Make it faster.", "Make it faster."),
    ],
)
def test_a_remedy_in_flags(remedy: str, words: str) -> None:
    assert in_flags(remedy) == words
