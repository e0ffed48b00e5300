"""What a Lambda loads before its first call: not the code of the others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chalicelib import lazy

ROOT = Path(__file__).resolve().parents[3]


def loaded_by(code: str) -> set[str]:
    """Names of our modules (folders left out) whose code has run after `code`, in an interpreter of its own."""
    listing = (
        "import sys, importlib.util;"
        "run = [(n, m) for n, m in sys.modules.items() if type(m).__name__ == 'module'];"
        "print(*(n for n, m in run if n.startswith('chalicelib.') and not hasattr(m, '__path__')))"
    )
    variables = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'controlplane'}"}
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; {listing}"], env=variables, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_a_phases_lambda_does_not_load_the_api_the_lifecycle_or_the_load_engine() -> None:
    loaded = loaded_by("import app")
    assert "chalicelib.engine.runner" in loaded
    rooms = ("chalicelib.api.", "chalicelib.lifecycle.", "chalicelib.load.drive", "chalicelib.phases.")
    assert sorted(name for name in loaded if name.startswith(rooms)) == []


def test_a_route_loads_its_own_module() -> None:
    loaded = loaded_by("import app; app.health.show")
    assert "chalicelib.api.health" in loaded
    assert "chalicelib.api.openapi" not in loaded


def test_a_module_that_does_not_exist_is_named_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"chalicelib\.api\.nothing"):
        lazy.load("chalicelib.api.nothing")
