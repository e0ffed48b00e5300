"""The bench's own server, as a process on a core of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.load.tools import ROOT


@dataclass
class Serving:
    """A running server; `log` is what it told at its end."""

    url: str
    log: str = ""


@contextlib.contextmanager
def server(kind: str, core: int, *, urgent: bool = False) -> Iterator[Serving]:
    """The bench's own server on a core of its own."""
    from bench.load.tools import pin_to

    command = [*pin_to(core, urgent=urgent), sys.executable, "-m", "bench.load.server", kind]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'controlplane'}"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        serving = Serving(f"http://127.0.0.1:{int(process.stdout.readline())}/")
        try:
            yield serving
            process.stdin.write("end\n")
            process.stdin.flush()
            serving.log = process.stdout.readline()
        finally:
            process.terminate()
