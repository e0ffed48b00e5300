"""What each Lambda may do, read from the rooms: `policy.json` beside a phase's code, `policies/` in lifecycle.

A policy names statements that several functions share in `Use`; `statements.json` beside this module holds them once.
Only the standard library, because the installer reads the policies before any dependency is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
_VERSION = "2012-10-17"
# Roles outside of `phases/` and `lifecycle/`: folder by the stem of the function's name. `change_stacks` is no
# function: it is the role with which CloudFormation changes the stacks of environments.
CHANGE_STACKS = "change_stacks"
UPGRADE = "upgrade"
_OTHERS = {"api": "api", "load_worker": "load", CHANGE_STACKS: "stack", UPGRADE: "upgrade"}


def files(package: Path = PACKAGE) -> dict[str, Path]:
    """The policy file of every function, by the stem of the function's name, sorted by it.

    package: the folder `chalicelib`.
    """
    phases = {path.parent.name: path for path in package.glob("phases/*/policy.json")}
    lifecycle = {path.stem: path for path in package.glob("lifecycle/policies/*.json")}
    others = {stem: package / folder / "policy.json" for stem, folder in _OTHERS.items()}
    return dict(sorted((phases | lifecycle | others).items()))


def documents(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """Complete IAM policy documents by the stem of the function's name.

    Raises KeyError naming a shared statement that does not exist.
    """
    shared = json.loads((package / "engine" / "statements.json").read_text())
    return {stem: document(json.loads(path.read_text()), shared) for stem, path in files(package).items()}


def of_rollouts(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """The documents of all roles that work on environments: preflight asks about these. An upgrade of the control plane
    shows by itself what its role lacks."""
    return {stem: body for stem, body in documents(package).items() if stem != UPGRADE}


def document(policy: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """`policy` as IAM takes it: the statements of `Use` from `shared`, then its own.

    shared: statement by its Sid, without the Sid. Raises KeyError for a name that `shared` lacks.
    """
    used = [{"Sid": sid, **shared[sid]} for sid in policy.get("Use", ())]
    return {"Version": _VERSION, "Statement": [*used, *policy["Statement"]]}
