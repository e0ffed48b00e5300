"""A bad release: a proxy that answers 500 to every call of a model. Afterwards the control plane holds the good one.

Its health is well, so that only the checks of phase 7 can tell.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from installer import bucket
from installer.packaging import bundle
from installer.packaging.bundle import Bundle
from installer.target import Target

_FILE, _SOUND = (
    "proxy/core.py",
    "    def _route(self, request: Request, config: Config, exchange: Exchange) -> Response:\n",
)
_IGNORED = shutil.ignore_patterns("__pycache__")


@contextlib.contextmanager
def bad_release(root: Path, aws: Target, roll: Callable[[Bundle], None]) -> Iterator[None]:
    """Within it, deployments roll the bad proxy. The bundle is removed from the bucket afterwards.

    roll: gives the control plane a bundle.
    """
    broken = _bundle(root)
    bucket.upload(aws, broken.key, broken.content)
    try:
        roll(broken)
        yield
    finally:
        roll(bundle.build(root, root / ".local" / "build"))
        aws.client("s3").delete_object(Bucket=aws.bucket, Key=broken.key)


def _bundle(root: Path) -> Bundle:
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        copy = Path(folder)
        shutil.copytree(root / "proxy", copy / "proxy", ignore=_IGNORED)
        (copy / _FILE).write_text(spoiled((copy / _FILE).read_text()))
        return bundle.build(copy, root / ".local" / "build")


def spoiled(source: str) -> str:
    """proxy/core.py with a fault in it. Raises ValueError when the place for it has gone."""
    head, sound, rest = source.partition(_SOUND)
    if not sound:
        raise ValueError(f"{_FILE} has no line {_SOUND.strip()!r} to plant a fault behind")
    return f'{head}{sound}        raise RuntimeError("planted by make verify-account")\n{rest}'
