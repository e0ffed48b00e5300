"""The wheel installs in an empty folder, by `pipx install` and by `uv tool install`, on every Python that it names.

An interpreter is looked for in PATH and among pyenv's; where there is none, the test says NOT RUN for that Python.
"""

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
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# (first words of the command, variables that keep it inside a folder)
INSTALLERS = {
    "uv": ([str(UV), "tool"], ("UV_TOOL_DIR", "UV_TOOL_BIN_DIR")),
    "pipx": ([sys.executable, "-m", "pipx"], ("PIPX_HOME", "PIPX_BIN_DIR")),
}


def run(command: Sequence[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def interpreter(python: str) -> str | None:
    """Path of a Python of that version that runs; None when there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, sorted(pyenv.glob(f"{python}.*/bin")))]
    for folder in folders:
        path = Path(folder) / f"python{python}"
        # A shim of pyenv is there also for a version that is not chosen, and then fails.
        if path.exists() and run([str(path), "-c", ""], Path("/")).returncode == 0:
            return str(path)
    return None


@pytest.mark.long
@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("python", PYTHONS)
def test_it_installs_and_runs(python: str, installer: str, wheel: Path, tmp_path: Path) -> None:
    path = interpreter(python)
    if path is None:
        pytest.skip(f"NOT RUN: there is no Python {python} here")
    program_of_installer, (home, binaries) = INSTALLERS[installer]
    places = {home: str(tmp_path / "tools"), binaries: str(tmp_path / "bin"), "PYTHONPATH": ""}
    installed = run([*program_of_installer, "install", "--python", path, str(wheel)], tmp_path, **places)
    assert installed.returncode == 0, installed.stderr
    program = str(tmp_path / "bin" / "proxyctl")
    assert run([program, "--version"], tmp_path, **places).stdout == f"proxyctl, version {__version__}\n"
    versions = run([program, "doctor"], tmp_path, **places, CONTROL_API_URL="").stdout.splitlines()[0]
    assert f"Python {python}." in versions, "another interpreter than the wanted one"
    for words in (["config", "schema"], ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"]):
        done = run([program, *words], tmp_path, **places)
        assert (done.returncode, done.stderr) == (0, ""), words
    refused = run([program, "list"], tmp_path, **places, CONTROL_API_URL="")
    assert (refused.returncode, "CONTROL_API_URL is not set" in refused.stderr) == (2, True)
