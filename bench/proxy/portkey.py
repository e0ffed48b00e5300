"""Portkey's gateway (npm), installed when the bench is asked to."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator

from bench.figures import say
from bench.proxy.figures import NotRun
from bench.proxy.processes import ROOT, clean_environment, free_port, process, wait_until_answers

PACKAGE = "@portkey-ai/gateway@1.15.2"
HOME = ROOT / ".local" / "bench-portkey"


def headers(upstream_port: int) -> dict[str, str]:
    """What tells the gateway where the upstream is."""
    config = {"provider": "openai", "api_key": "sk-upstream", "custom_host": f"http://127.0.0.1:{upstream_port}/v1"}
    return {"x-portkey-config": json.dumps(config)}


@contextlib.contextmanager
def gateway(upstream_port: int) -> Iterator[int]:
    """The gateway's port. Raises NotRun when it cannot be installed or does not answer."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotRun("there is no node and npm on this machine")
    start = HOME / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not start.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        say(f"installing {PACKAGE} into .local/bench-portkey (once)")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(HOME), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode or not start.exists():
            raise NotRun(f"it could not be installed ({done.stderr[-200:]})")
    port = free_port()
    # It refuses hosts of this machine unless they are named.
    environment = {**clean_environment(), "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    with (HOME / "log.txt").open("w") as log:
        command = [node, str(start), f"--port={port}", "--headless"]
        with process(command, stdout=log, stderr=log, env=environment) as started:
            wait_until_answers(port, 60.0, lambda: started.poll() is None, headers(upstream_port))
            yield port
