"""The installer runs before the control plane exists: what it imports of it needs the standard library only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from installer.check import ROOT

CONTROL_PLANE = ROOT / "controlplane"


def imported(path: Path) -> Iterator[str]:
    """The modules of the control plane that a file imports, each by its dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("chalicelib"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chalicelib"):
            folder = CONTROL_PLANE / str(node.module).replace(".", "/")
            modules = [f"{node.module}.{alias.name}" for alias in node.names] if folder.is_dir() else []
            yield from modules or [str(node.module)]


def test_what_the_installer_imports_of_the_control_plane_needs_nothing_installed() -> None:
    # Tools of developers: they run in .venv, and nothing of the installer imports them.
    files = [path for path in (ROOT / "installer").rglob("*.py") if path.name not in ("schema.py", "reference.py")]
    names = sorted({name for path in files for name in imported(path)})
    assert {"chalicelib.stack.state", "chalicelib.engine.policies"} <= set(names)
    script = f"import sys; sys.path.append({str(CONTROL_PLANE)!r}); import {', '.join(names)}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
