"""The first step of every command, standard library only: read the command, see to the environment, enter it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from installer import environment
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell

USAGE = """\
usage: python3 bootstrap.py COMMAND

  demo     the whole way on this machine: embedded cloud, control plane, one rollout, one chat call
           --port N     the embedded cloud listens on this port (default: a free one)
  stop     ends what demo started, and nothing else
  up       installs or upgrades the control plane; credentials and region as for the AWS CLI
  status   what stands, in which versions
  down     removes the control plane; refused while environments exist
           --force      leaves the environments that exist to themselves
  setup    makes the Python environments only
           --dev        with the tools that `make test` and `make check` use
"""

OPTIONS = {
    "demo": ("--port",),
    "stop": (),
    "up": (),
    "status": (),
    "down": ("--force",),
    "setup": ("--dev",),
}


def main(root: Path, argv: Sequence[str]) -> int:
    """Run one command; never raises for what a user can cause."""
    try:
        return _run(root, argv)
    except CannotStart as refusal:
        tell(f"bootstrap.py: {refusal}")
        return 2
    except CommandFailed as failure:
        tell(f"bootstrap.py: {failure}")
        return 1
    except KeyboardInterrupt:
        tell("\nbootstrap.py: interrupted; the same command may be run again")
        return 130


def _run(root: Path, argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        say(USAGE.rstrip())
        return 0 if argv else 2
    command, options = argv[0], list(argv[1:])
    if command not in OPTIONS:
        raise CannotStart(f"unknown command {command!r}; known: {', '.join(OPTIONS)}")
    check_options(command, options)
    if command == "setup":
        environment.ensure(root, environment.DEV if "--dev" in options else environment.RUN)
        environment.ensure(root, environment.EMULATOR)
        return 0
    environment.ensure(root, environment.RUN)
    if Path(sys.prefix).resolve() != (root / environment.RUN.venv).resolve():
        _enter(root, argv)
    # Only now are third-party packages at hand.
    from installer.commands import dispatch

    return dispatch(root, command, options)


def check_options(command: str, options: Sequence[str]) -> None:
    """Refuse an option that the command does not know, by name."""
    expects_value = False
    for option in options:
        if expects_value:
            expects_value = False
        elif option not in OPTIONS[command]:
            known = ", ".join(OPTIONS[command]) or "none"
            raise CannotStart(f"{command} does not know {option!r}; its options: {known}")
        else:
            expects_value = option == "--port"
    if expects_value:
        raise CannotStart(f"{command}: {options[-1]} needs a value")


def _enter(root: Path, argv: Sequence[str]) -> None:
    """Replace this process by the same command inside `.venv`."""
    python = environment.python_of(root, environment.RUN)
    variables = dict(os.environ)
    # Without .pyc files every start would compile boto3 anew; these go to our own `.venv` and __pycache__ only.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execve(python, [str(python), str(root / "bootstrap.py"), *argv], variables)  # noqa: S606 - own interpreter
