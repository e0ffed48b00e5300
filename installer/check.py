"""`make check`: every static check by name, all of them even when one fails."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installer.errors import CannotStart, CommandFailed
from installer.say import say

ROOT = Path(__file__).resolve().parent.parent
TYPED = ("bootstrap.py", "installer", "local", "ctl", "controlplane", "proxy", "judges", "tests", "bench")
_MODULE = (sys.executable, "-m")


def main() -> int:
    """0 when all checks pass."""
    checks: dict[str, Callable[[], bool]] = {
        "ruff check": lambda: _run([*_MODULE, "ruff", "check", "."]),
        "ruff format": lambda: _run([*_MODULE, "ruff", "format", "--check", "."]),
        "mypy --strict": lambda: _run([*_MODULE, "mypy", *_typed()]),
        "import contracts": lambda: _run([*_script("lint-imports"), "--no-cache"], PYTHONPATH="controlplane:."),
        "judges": lambda: _run([*_MODULE, "judges"], PYTHONPATH="controlplane:."),
    }
    failed = [name for name, check in checks.items() if not _passes(name, check)]
    say(f"check: {'all passed' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


def _passes(name: str, check: Callable[[], bool]) -> bool:
    began = time.monotonic()
    try:
        passed = check()
    except (CannotStart, CommandFailed) as problem:
        say(str(problem))
        passed = False
    say(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
    return passed


def _typed() -> list[str]:
    return [name for name in TYPED if (ROOT / name).is_file() or any((ROOT / name).rglob("*.py"))]


def _script(name: str) -> list[str]:
    # Through the interpreter: a console script's first line breaks when the checkout is moved.
    return [sys.executable, str(Path(sys.executable).parent / name)]


def _run(command: list[str], **variables: str) -> bool:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)  # noqa: S603 - fixed
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
