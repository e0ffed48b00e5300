"""The web console of the demo's cloud: a process beside it, which `stop` ends with the others."""

import os
import re
import time
from dataclasses import replace
from pathlib import Path

from local import processes, state
from local.cloud import CloudError, Site
from local.state import Cloud

NAME = "console"
_LIMIT_S = 30.0
_ADDRESS = re.compile(rb"^  (http://127\.0\.0\.1:\d+/\S+/)$", re.MULTILINE)


def ensure(site: Site, api_url: str) -> str:
    """The console's address, of the one that runs or of a new one. Raises CloudError when it does not start.

    The address holds a token that acts with the operator's credentials, so that only the owner can read its file.
    """
    running = state.load(site.folder)
    if running is None:
        raise CloudError("the embedded cloud has ended meanwhile; run the demo again")
    alive = [item for item in running.processes if item.name == NAME and processes.is_alive(item)]
    address = _read(_log(site), api_url) if alive else ""
    if address:
        return address
    processes.end_groups(alive)
    return _start(site, running, api_url)


def _start(site: Site, running: Cloud, api_url: str) -> str:
    log = _log(site)
    state.write_private(log, "")
    command = [str(site.python), "-u", "-m", "ctl", "console"]
    process = processes.spawn(NAME, command, _variables(running, api_url), log, site.root)
    others = tuple(item for item in running.processes if item.name != NAME)
    state.save(site.folder, replace(running, processes=(*others, process)))
    deadline, pause_s = time.monotonic() + _LIMIT_S, 0.05
    while not (address := _read(log, api_url)):
        if not processes.is_alive(process) or time.monotonic() > deadline:
            raise CloudError(f"the console did not start; see {log}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.3, 0.5)
    return address


def _variables(running: Cloud, api_url: str) -> dict[str, str]:
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return own | running.variables() | {"CONTROL_API_URL": api_url, processes.TOKEN_VARIABLE: running.token}


def _read(log: Path, api_url: str) -> str:
    """The address that a console of this API has written; "" while there is none."""
    try:
        written = log.read_bytes()
    except OSError:
        return ""
    match = _ADDRESS.search(written)
    return match[1].decode() if match and f"console of {api_url}\n".encode() in written else ""


def _log(site: Site) -> Path:
    return site.folder / "logs" / f"{NAME}.log"
