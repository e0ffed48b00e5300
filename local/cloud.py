"""The embedded cloud as a whole: start or reuse it, stop it, check its health."""

import http.client
import os
import secrets
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from local import code, emulator, locks, processes, stand_in, state, strict
from local.state import Cloud, Keys, Process
from local.strict import Strict

REGION = "eu-central-1"
ACCOUNT = "000000000000"
START_LIMIT_S = 60.0
ATTEMPTS = 3


class CloudError(Exception):
    """The cloud could not be started or stopped; the message says why, and where its log is."""


class PortTaken(CloudError):
    """The requested port is in use."""


class OtherVersion(CloudError):
    """The cloud that runs was started by another version of this checkout."""


@dataclass(frozen=True)
class Site:
    """Where a cloud lives: its folder, and the two interpreters that run it."""

    root: Path
    folder: Path
    python: Path
    emulator_python: Path

    @classmethod
    def of(cls, root: Path, folder: Path) -> "Site":
        """The usual interpreters of a checkout, with a folder of the caller's choice."""
        return cls(root, folder, root / ".venv/bin/python", root / ".local/emulator/bin/python")


def start(site: Site, port: int | None = None, switches: Strict = strict.OFF) -> tuple[Cloud, bool]:
    """A running, healthy cloud, and whether it ran before. One that does not answer is stopped first.

    port: where AWS must listen; None takes the port of the last cloud if it is free, otherwise any free one.
    switches: how strict it is; a cloud that runs with others is stopped first. Raises PortTaken, OtherVersion,
    CloudError.
    """
    try:
        with state.locked(site.folder):
            return _start_or_reuse(site, port, switches)
    except locks.LockTimeout as busy:
        raise CloudError(str(busy)) from None


def _start_or_reuse(site: Site, port: int | None, switches: Strict) -> tuple[Cloud, bool]:
    last = state.load(site.folder)
    if last and serves(last) and port in (None, last.emulator_port) and last.switches == switches:
        _require_same_code(site, last)
        return _with_pump(site, last), True
    own_port = last.emulator_port if last else None
    if port and port != own_port:  # checked first: a request for a taken port must not end the running cloud
        _require_free(port)
    stop(site.folder)
    if port:
        _require_free(port)
    return _start_with_retries(site, port or state.last_port(site.folder), switches), False


def _require_same_code(site: Site, running: Cloud) -> None:
    """The emulator enforces IAM by the rules that it was started with: those of another version may refuse what this
    version's control plane needs, in the middle of its installation. Raises OtherVersion."""
    if running.code != code.digest(site.root):
        raise OtherVersion(
            f"the embedded cloud on port {running.emulator_port} was started by another version of this checkout, and "
            "cannot be upgraded while it runs. `make stop` ends it, with all environments, secrets and records in it; "
            "then run `make demo` again"
        )


def _require_free(port: int) -> None:
    if not processes.is_free(port):
        raise PortTaken(f"port {port} on 127.0.0.1 is taken by another program; choose another, or omit --port")


def _start_with_retries(site: Site, preferred_port: int | None, switches: Strict) -> Cloud:
    problem: CloudError | None = None
    for _ in range(ATTEMPTS):  # another program may take a free port before our server binds it
        try:
            return _start_new(site, preferred_port, switches)
        except CloudError as error:
            problem = error
            stop(site.folder)
    raise problem or CloudError("the embedded cloud did not start")


def stop(folder: Path) -> int:
    """End all processes that were started in this folder and no other; returns how many. Raises CloudError."""
    cloud = state.load(folder)
    if cloud is None:
        return 0
    try:
        ended = processes.end(cloud.processes, cloud.token)
    except processes.StillRunning as problem:
        raise CloudError(str(problem)) from None
    shutil.rmtree(folder / "tmp", ignore_errors=True)  # unpacked Lambda code
    state.forget(folder)
    return ended


def is_healthy(cloud: Cloud) -> bool:
    """Whether all three processes run and both servers answer."""
    return serves(cloud) and any(item.name == "pump" and processes.is_alive(item) for item in cloud.processes)


def serves(cloud: Cloud) -> bool:
    """Whether both servers run and answer, and the operator's keys are recorded."""
    alive = {process.name for process in cloud.processes if processes.is_alive(process)}
    return (
        {"emulator", "stand-in"} <= alive
        and bool(cloud.operator.access_key_id)
        and _answers(cloud.emulator_port, "/_ministack/health")
        and _answers(cloud.stand_in_port, "/health")
    )


def _with_pump(site: Site, cloud: Cloud) -> Cloud:
    """Restart a dead pump. Lines logged in between give no metrics, but the cloud keeps running."""
    if is_healthy(cloud):
        return cloud
    without = replace(cloud, processes=tuple(item for item in cloud.processes if item.name != "pump"))
    return _with(site, without, _start_pump(site, without, begins_ms=int(time.time() * 1000)))


def _start_new(site: Site, preferred_port: int | None, switches: Strict) -> Cloud:
    for name in ("tmp", "home", "logs"):
        (site.folder / name).mkdir(parents=True, exist_ok=True)
    cloud = _new_cloud(site, preferred_port, switches)
    # Saved before and after each step: a run killed in between leaves a file that names (by token) what runs.
    state.save(site.folder, cloud)
    cloud = _with(site, cloud, _start_emulator(site, cloud))
    cloud = _with(site, cloud, _start_stand_in(site, cloud))
    _await(site, cloud, "emulator", cloud.emulator_port, "/_ministack/ready")
    cloud = replace(cloud, operator=emulator.create_operator(cloud.endpoint, cloud.region, cloud.root))
    cloud = _with(site, cloud, None)
    _await(site, cloud, "stand-in", cloud.stand_in_port, "/health")
    return _with(site, cloud, _start_pump(site, cloud, begins_ms=0))


def _new_cloud(site: Site, preferred_port: int | None, switches: Strict) -> Cloud:
    return Cloud(
        token=secrets.token_hex(16),
        region=REGION,
        account=ACCOUNT,
        emulator_port=processes.free_port(preferred_port),
        stand_in_port=processes.free_port(),
        root=_new_keys(),
        operator=Keys("", ""),
        processes=(),
        switches=switches,
        code=code.digest(site.root),
    )


def _with(site: Site, cloud: Cloud, started: Process | None) -> Cloud:
    grown = replace(cloud, processes=(*cloud.processes, started)) if started else cloud
    state.save(site.folder, grown)
    return grown


def _new_keys() -> Keys:
    return Keys("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))


def _start_emulator(site: Site, cloud: Cloud) -> Process:
    variables = emulator.variables(site.emulator_python, site.folder, cloud, os.environ)
    command = emulator.command(site.emulator_python, site.root)
    return processes.spawn("emulator", command, variables, _log(site, "emulator"), site.folder)


def _start_stand_in(site: Site, cloud: Cloud) -> Process:
    variables = stand_in.variables(site.python, site.folder, cloud.token, os.environ)
    command = stand_in.command(site.python, cloud.stand_in_port)
    return processes.spawn("stand-in", command, variables, _log(site, "stand-in"), site.folder)


def _start_pump(site: Site, cloud: Cloud, begins_ms: int) -> Process:
    variables = stand_in.variables(site.python, site.folder, cloud.token, os.environ)
    command = [str(site.python), "-m", "local.pump", str(site.folder), str(begins_ms)]
    return processes.spawn("pump", command, variables, _log(site, "pump"), site.root)


def _log(site: Site, name: str) -> Path:
    return site.folder / "logs" / f"{name}.log"


def _await(site: Site, cloud: Cloud, name: str, port: int, path: str) -> None:
    process = next(process for process in cloud.processes if process.name == name)
    deadline, pause_s = time.monotonic() + START_LIMIT_S, 0.05
    while not _answers(port, path):
        if not processes.is_alive(process):
            raise CloudError(f"the {name} ended at once; see {_log(site, name)}")
        if time.monotonic() > deadline:
            raise CloudError(f"the {name} did not answer within {START_LIMIT_S:.0f} s; see {_log(site, name)}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.3, 0.5)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
