"""The wheel installs in an empty folder, as `pipx install` and `uv tool install` do, on every Python that it names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ctl import __version__

ROOT = Path(__file__).resolve().parents[3]
UV = Path(sys.executable).parent / "uv"


def run(command: Sequence[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.long
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_it_installs_and_runs(python: str, wheel: Path, tmp_path: Path) -> None:
    interpreter = run([str(UV), "python", "find", "--no-python-downloads", python], tmp_path)
    if interpreter.returncode:
        pytest.skip(f"NOT RUN: there is no Python {python} here")
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin"), "PYTHONPATH": ""}
    command = [str(UV), "tool", "install", "--python", interpreter.stdout.strip(), str(wheel)]
    installed = run(command, tmp_path, **places)
    assert installed.returncode == 0, installed.stderr
    program = str(tmp_path / "bin" / "proxyctl")
    assert run([program, "--version"], tmp_path, **places).stdout == f"proxyctl, version {__version__}\n"
    for words in (["config", "schema"], ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"]):
        done = run([program, *words], tmp_path, **places)
        assert (done.returncode, done.stderr) == (0, ""), words
    refused = run([program, "list"], tmp_path, **places, CONTROL_API_URL="")
    assert (refused.returncode, "CONTROL_API_URL is not set" in refused.stderr) == (2, True)
