"""The commands, once the packages are at hand."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from installer import demo, deploy, target
from installer.errors import CannotStart
from installer.say import say, tell
from local import cloud, locks

_ONE_RUN_S = 3_600.0


def dispatch(root: Path, command: str, options: Sequence[str]) -> int:
    """Run one command; answers its exit code."""
    folder = root / ".local"
    if command in ("stop", "status"):
        return _run(root, folder, command, options)
    try:
        with locks.held(
            folder / "run.lock", _ONE_RUN_S, waiting=lambda: tell("another bootstrap.py works here: waiting")
        ):
            return _run(root, folder, command, options)
    except TimeoutError:
        raise CannotStart("another bootstrap.py has been at work here for an hour; end it first") from None


def _run(root: Path, folder: Path, command: str, options: Sequence[str]) -> int:
    if command == "demo":
        return demo.run(root, folder, _port(options))
    if command == "stop":
        ended = cloud.stop(folder)
        say(f"stopped: {ended} processes" if ended else "nothing was running")
        return 0
    aws = target.find()
    if command == "up":
        faults_url = os.environ.get("PROXYCTL_UPSTREAM_FAULTS_URL", "")
        outputs = deploy.explained(lambda: deploy.up(root, aws, faults_url))
        say(f"control API: {deploy.api_url(aws, outputs)}")
        return 0
    if command == "status":
        return int(deploy.explained(lambda: deploy.status(aws)))
    deploy.explained(lambda: deploy.down(aws, "--force" in options))
    return 0


def _port(options: Sequence[str]) -> int | None:
    if not options:
        return None
    if options.count("--port") > 1:
        raise CannotStart("--port is given twice")
    with contextlib.suppress(ValueError):
        port = int(options[options.index("--port") + 1])
        if 1024 <= port <= 65535:
            return port
    raise CannotStart(f"--port takes a number from 1024 to 65535, not {options[-1]!r}")
