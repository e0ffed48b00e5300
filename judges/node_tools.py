"""Runs the judges that are written for Node: installs the locked packages, then runs `node/<script>.mjs` on JSON."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from judges.documents import ROOT
from local import locks

FOLDER = Path(__file__).resolve().parent / "node"
_MANIFESTS = ("package.json", "package-lock.json")
INSTALL_TIMEOUT_S = 300
RUN_TIMEOUT_S = 300
NOT_RUN = "NOT RUN: there is no node and npm on this machine (Debian: apt-get install nodejs npm)"


class NodeIsMissing(Exception):
    """There is no node or no npm; the judge says NOT RUN."""


class NodeFailed(Exception):
    """npm could not install, or the script failed; the text is what it wrote."""


def run(script: str, payload: Any, root: Path = ROOT) -> Any:
    """What `node/<script>.mjs` answers to `payload`, both as JSON.

    Raises NodeIsMissing, NodeFailed.
    """
    modules = _installed(root)
    done = subprocess.run(  # noqa: S603 - fixed command
        [_binary("node"), str(FOLDER / f"{script}.mjs")],
        input=json.dumps(payload),
        env={**os.environ, "JUDGES_MODULES": str(modules)},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise NodeFailed(f"{script}.mjs: {(done.stderr or done.stdout).strip()[-2000:]}")
    return json.loads(done.stdout)


def _binary(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NodeIsMissing(NOT_RUN)
    return path


def _installed(root: Path) -> Path:
    """The folder whose `node_modules` holds the locked packages; its name is their digest, so that it never changes."""
    node, npm = _binary("node"), _binary("npm")
    manifests = b"".join((FOLDER / name).read_bytes() for name in _MANIFESTS)
    place = root / ".local" / f"judges-node-{hashlib.sha256(manifests + node.encode()).hexdigest()[:16]}"
    if (place / "ready").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    with locks.hold(place / "lock", INSTALL_TIMEOUT_S):
        if not (place / "ready").exists():
            _install(npm, place)
    return place


def _install(npm: str, place: Path) -> None:
    for name in _MANIFESTS:
        shutil.copy(FOLDER / name, place / name)
    done = subprocess.run(  # noqa: S603 - fixed command
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise NodeFailed(f"npm ci: {(done.stderr or done.stdout).strip()[-2000:]}")
    (place / "ready").touch()
