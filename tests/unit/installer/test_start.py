"""What a user can get wrong is answered with one line and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from installer import start
from installer.errors import CannotStart

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["launch"], "unknown command 'launch'"),
        (["up", "--fast"], "up does not know '--fast'"),
        (["demo", "--port"], "--port needs a value"),
        (["stop", "now"], "stop does not know 'now'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start.main(ROOT, arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert named in err


def test_without_a_command_the_usage_is_shown_and_the_exit_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(ROOT, []) == 2
    assert "demo" in capsys.readouterr().out


def test_every_command_that_is_known_is_explained() -> None:
    assert all(f"\n  {command} " in start.USAGE for command in start.OPTIONS)


def test_known_options_pass() -> None:
    start.check_options("demo", ["--port", "4566"])
    start.check_options("down", ["--force"])
    with pytest.raises(CannotStart):
        start.check_options("down", ["--port", "4566"])


def test_the_first_lines_need_only_the_standard_library() -> None:
    """-I -S: no site-packages at all. The usage needs everything that runs before `.venv` exists."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "bootstrap.py"), "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


def test_too_old_a_python_is_told_before_anything_is_imported() -> None:
    """The version test stands before the first import that is not `sys`, in syntax that Python 3.0 can read."""
    text = (ROOT / "bootstrap.py").read_text()
    older = text.replace("import sys\n", "import sys\nsys.version_info = (3, 8, 0)\n", 1)
    done = subprocess.run([sys.executable, "-S", "-c", older], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer; this is 3.8" in done.stderr
