"""Each command line runs one command, prints help, or is refused in one line with exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from installer import environment, start
from installer.arguments import COMMANDS
from installer.errors import CommandFailed

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str, python: tuple[str, ...] = ("-S", "-E")) -> subprocess.CompletedProcess[str]:
    """bootstrap.py in a Python without site-packages, as on a machine where nothing is installed."""
    command = [sys.executable, *python, str(ROOT / "bootstrap.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_refused_command_line_prints_one_line_and_nothing_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start.main(ROOT, ["up", "--fast"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("bootstrap.py: ")


def test_without_a_command_the_help_is_printed_and_the_exit_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(ROOT, []) == 2
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], *([name, "--help"] for name in COMMANDS)])
def test_help_needs_nothing_but_the_standard_library(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: bootstrap.py")


def test_a_wrong_command_line_is_refused_before_anything_is_installed() -> None:
    done = run("demo", "--port=80")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("problem", "code"),
    [(CommandFailed("the stack is gone"), 1), (OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)],
)
def test_what_fails_while_it_runs_is_one_line(
    problem: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise problem

    monkeypatch.setattr(start, "_run", fail)
    assert start.main(ROOT, ["up"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_a_checkout_that_cannot_be_written_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(13, "Permission denied", "/checkout/.local")

    monkeypatch.setattr(environment, "ensure", refuse)
    assert start.main(ROOT, ["setup"]) == 2
    assert "Permission denied: '/checkout/.local'" in capsys.readouterr().err


def test_too_old_a_python_is_named_before_anything_is_imported() -> None:
    """The version test stands before the first import that is not `sys`, in syntax that Python 3.0 can read."""
    text = (ROOT / "bootstrap.py").read_text()
    older = text.replace("import sys\n", "import sys\nsys.version_info = (3, 8, 0)\n", 1)
    done = subprocess.run([sys.executable, "-S", "-c", older], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer; this is 3.8" in done.stderr


def test_the_first_stop_makes_no_environment_to_say_that_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared: list[object] = []
    monkeypatch.setattr(environment, "ensure", lambda *arguments: prepared.append(arguments))
    assert start.main(tmp_path, ["stop"]) == 0
    assert capsys.readouterr().out == "nothing was running\n"
    assert (prepared, list(tmp_path.iterdir())) == ([], [])
