"""The record of a running cloud: processes, ports, keys. Only its owner can read it; it is replaced atomically."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from local import locks, strict
from local.strict import Strict


@dataclass(frozen=True)
class Process:
    """A process of ours. `started` (Unix time, s) tells it from a later one with the same pid."""

    name: str
    pid: int
    started: float


@dataclass(frozen=True)
class Keys:
    """One pair of AWS credentials."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class Cloud:
    """One embedded cloud. `token` is in the environment of every process that belongs to it.

    code: digest of the code that its processes were started with, "" when an older version did not record one.
    """

    token: str
    region: str
    account: str
    emulator_port: int
    stand_in_port: int
    root: Keys
    operator: Keys
    processes: tuple[Process, ...]
    switches: Strict = strict.OFF
    code: str = ""

    @property
    def endpoint(self) -> str:
        """Base URL of all AWS services."""
        return f"http://127.0.0.1:{self.emulator_port}"

    @property
    def upstream(self) -> str:
        """Base URL of the OpenAI stand-in, as the secret's `base_url` wants it."""
        return f"http://127.0.0.1:{self.stand_in_port}/v1"

    @property
    def faults_url(self) -> str:
        """Control address of the stand-in: faults to inject, its journal and its verdict."""
        return f"http://127.0.0.1:{self.stand_in_port}"

    def variables(self) -> dict[str, str]:
        """What an AWS client needs in its environment to use this cloud as its operator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.operator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.operator.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; a concurrent reader sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    draft.replace(path)


def save(folder: Path, cloud: Cloud) -> None:
    """Record `cloud` in its folder."""
    write_private(folder / "cloud.json", json.dumps(asdict(cloud), indent=1) + "\n")


def load(folder: Path) -> Cloud | None:
    """The cloud last saved here; None when there is none. Fields that only another version of this file has are left
    out, so that `stop` ends also the processes that an older or a newer checkout started."""
    try:
        stored = json.loads((folder / "cloud.json").read_text())
        stored["processes"] = tuple(Process(**_own(Process, item)) for item in stored["processes"])
        stored["root"], stored["operator"] = (Keys(**_own(Keys, stored[name])) for name in ("root", "operator"))
        stored["switches"] = Strict(**_own(Strict, stored.get("switches", {})))
        return Cloud(**_own(Cloud, stored))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _own(kind: type[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `stored` that `kind` has."""
    return {field.name: stored[field.name] for field in fields(kind) if field.name in stored}


def forget(folder: Path) -> None:
    """Delete the record of the cloud, but not its port: the next cloud takes it, and variables in shells stay valid."""
    cloud = load(folder)
    if cloud:
        write_private(folder / "port", f"{cloud.emulator_port}\n")
    (folder / "cloud.json").unlink(missing_ok=True)
    (folder / "env").unlink(missing_ok=True)  # its keys died with the cloud


def last_port(folder: Path) -> int | None:
    """Where the emulator of the cloud before this one listened."""
    try:
        return int((folder / "port").read_text())
    except (OSError, ValueError):
        return None


def locked(folder: Path, limit_s: float = 120.0) -> contextlib.AbstractContextManager[None]:
    """One starter at a time in a folder. Raises locks.LockTimeout."""
    return locks.hold(folder / "cloud.lock", limit_s)


def export_lines(variables: Mapping[str, str]) -> str:
    """`export NAME='value'` lines for a POSIX shell."""
    quoted = {name: value.replace("'", "'\\''") for name, value in variables.items()}
    return "".join(f"export {name}='{value}'\n" for name, value in quoted.items())
