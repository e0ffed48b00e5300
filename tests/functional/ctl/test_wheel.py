"""The wheel works outside the checkout: the command, its data files, the version."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ctl import __version__

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in an empty folder; its dependencies come from the interpreter's own packages."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder / "site")
    return folder / "site"


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys; from ctl.__main__ import main; import ctl; print(ctl.__file__, file=sys.stderr); sys.exit(main())"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_it_prints_its_version_from_its_own_files(installed: Path) -> None:
    done = run(installed, "--version")
    assert (done.returncode, done.stdout) == (0, f"proxyctl, version {__version__}\n")
    assert str(installed) in done.stderr


def test_the_schema_and_the_console_page_are_inside(installed: Path) -> None:
    done = run(installed, "config", "schema")
    assert done.returncode == 0, done.stderr
    assert '"$schema"' in done.stdout
    assert (installed / "ctl" / "console" / "page" / "index.html").exists()


def test_nothing_but_the_client_is_inside(installed: Path) -> None:
    metadata = f"proxyctl-{__version__}.dist-info"
    assert {path.name for path in installed.iterdir()} == {"ctl", metadata}
    entry_points = (installed / metadata / "entry_points.txt").read_text()
    assert "proxyctl = ctl.__main__:main" in entry_points


def test_without_an_address_it_says_what_to_set(installed: Path) -> None:
    done = run(installed, "list")
    assert done.returncode == 2
    assert "CONTROL_API_URL is not set" in done.stderr
