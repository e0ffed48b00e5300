"""The first step of every command, standard library only: read the command line, prepare `.venv`, run inside it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from installer import arguments, environment
from installer.arguments import Options
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell

_INTERRUPTED = 130  # what a shell shows of a program that SIGINT ended
_PIPE_CLOSED = 141  # the same for SIGPIPE


def main(root: Path, argv: Sequence[str]) -> int:
    """Run one command and return its exit code; never raises for what a user can cause."""
    try:
        return _run(root, argv)
    except CannotStart as refusal:
        return _fail(str(refusal), 2)
    except CommandFailed as failure:
        return _fail(str(failure), 1)
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to continue", _INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output has closed it; the interpreter's flush at exit must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except OSError as problem:  # a full disk, a folder that is not writable
        return _fail(str(problem), 1)


def _fail(cause: str, code: int) -> int:
    tell(f"bootstrap.py: {cause}")
    return code


def _run(root: Path, argv: Sequence[str]) -> int:
    if not argv:
        say(arguments.parser().format_help().rstrip())
        return 2
    try:
        options = arguments.parse(argv)
    except arguments.HelpPrinted:
        return 0
    if options.command == "stop" and not (root / ".local" / "cloud.json").exists():
        # No environment is made just to say so.
        say("nothing was running")
        return 0
    if options.command == "setup":
        _prepare(root, environment.DEV if options.dev else environment.RUN, environment.EMULATOR)
        return 0
    _prepare(root, environment.RUN)
    if Path(sys.prefix).resolve() != (root / environment.RUN.venv).resolve():
        _enter(root, argv)
    return _dispatch(root, options)


def _prepare(root: Path, *profiles: environment.Profile) -> None:
    try:
        for profile in profiles:
            environment.ensure(root, profile)
    except OSError as problem:
        raise CannotStart(f"cannot prepare the Python environments: {problem}") from None


def _dispatch(root: Path, options: Options) -> int:
    # Imported late: third-party packages exist only inside `.venv`.
    from installer.commands import dispatch

    return dispatch(root, options)


def _enter(root: Path, argv: Sequence[str]) -> None:
    """Replace this process by the same command inside `.venv`."""
    python = environment.python_of(root, environment.RUN)
    variables = dict(os.environ)
    # Without .pyc files every start would compile boto3 anew; these go to our own `.venv` and __pycache__ only.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execve(python, [str(python), str(root / "bootstrap.py"), *argv], variables)  # noqa: S606 - own interpreter
