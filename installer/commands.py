"""Each command of bootstrap.py, run inside `.venv` where third-party packages are installed."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from installer import demo, deploy, elsewhere, target
from installer.arguments import Options
from installer.choices import choose
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell
from local import cloud, locks, strict

_ONE_RUN_S = 3_600.0
# These change nothing that another run works on, or must work while another run hangs.
_UNLOCKED = ("stop", "status")


def dispatch(root: Path, options: Options) -> int:
    """Run one command and return its exit code. Raises CannotStart, CommandFailed."""
    run = _COMMANDS[options.command]
    if options.command in _UNLOCKED:
        return run(root, options)
    waiting = "another bootstrap.py is running in this checkout: waiting for it"
    try:
        with locks.hold(_folder(root) / "run.lock", _ONE_RUN_S, waiting=lambda: tell(waiting)):
            return run(root, options)
    except locks.LockTimeout:
        raise CannotStart("another bootstrap.py has been running in this checkout for an hour; end it first") from None


def _folder(root: Path) -> Path:
    return root / ".local"


def _demo(root: Path, options: Options) -> int:
    return demo.run(root, _folder(root), options.port, strict.EVERYDAY if options.strict else strict.OFF)


def _stop(root: Path, _options: Options) -> int:
    try:
        ended = cloud.stop(_folder(root))
    except cloud.CloudError as problem:
        raise CommandFailed(str(problem)) from None
    say(f"stopped: {ended} processes" if ended else "nothing was running")
    return 0


def _upgrade(root: Path, options: Options) -> int:
    aws = target.find()
    deploy.explained(lambda: deploy.refuse_uninstalled(aws))
    return _up(root, options)


def _up(root: Path, options: Options) -> int:
    aws = target.find()
    faults_url = os.environ.get("PROXYCTL_UPSTREAM_FAULTS_URL")
    way = deploy.Way(options.direct, options.to_older)
    outputs = deploy.explained(lambda: deploy.up(root, aws, faults_url, way=way, wanted=_wanted(options)))
    say(f"control API: {deploy.api_url(aws, outputs)}")
    return 0


def _status(_root: Path, _options: Options) -> int:
    aws = target.find()
    return deploy.explained(lambda: deploy.status(aws))


def _down(_root: Path, options: Options) -> int:
    aws = target.find()
    deploy.explained(lambda: deploy.down(aws, options.force, options.bucket))
    return 0


def _wanted(options: Options) -> choose.Wanted:
    tags = None if options.tag is None else tuple(options.tag)
    return choose.Wanted(options.boundary, options.kms_key, options.bucket, tags)


def _target(root: Path, options: Options) -> int:
    aws = target.find()
    if options.remove:
        deploy.explained(lambda: elsewhere.remove(aws, options.force, options.bucket))
    else:
        wanted = elsewhere.Wanted(options.home, options.external_id, _wanted(options))
        deploy.explained(lambda: elsewhere.install(root, aws, wanted))
    return 0


_COMMANDS: Mapping[str, Callable[[Path, Options], int]] = {
    "demo": _demo,
    "stop": _stop,
    "up": _up,
    "upgrade": _upgrade,
    "status": _status,
    "down": _down,
    "target": _target,
}
