"""openai-python's own API tests, from its sdist on PyPI, directly against a recording upstream and through the proxy.

`python -m bench.proxy.openai_suite` passes when both runs have the same outcome for each test, and the upstream saw
the same requests in line and body. It says NOT RUN where the sdist or what its tests need cannot be had.
"""

from __future__ import annotations

import contextlib
import http.server
import re
import subprocess
import sys
import tarfile
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from bench.figures import say
from bench.proxy.figures import NotRun
from bench.proxy.processes import ROOT, clean_environment, local_door

HOME = ROOT / ".local" / "openai-suite"
NEEDED = (
    "pytest==8.4.2",
    "pytest-asyncio",
    "rich",
    "dirty-equals",
    "inline-snapshot",
    "httpx-aiohttp",
    "aiohttp",
    "anyio",
)
_BOUNDARY = re.compile(rb"boundary=\"?([^\";\s]+)")
TIMEOUT_S = 900
Seen = tuple[str, bytes]  # request line, body with a fixed boundary


class Recorder(http.server.ThreadingHTTPServer):
    """An upstream that answers everything with an empty JSON object and remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[Seen] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Called by socketserver. The SDK's tests drop connections."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self._body()
        match = _BOUNDARY.search((self.headers.get("content-type") or "").encode("latin-1"))
        if match is not None:
            body = body.replace(match[1], b"BOUNDARY")
        self.server.received.append((f"{self.command} {self.path}", body))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_: object) -> None:
        return


def prepare() -> Path:
    """The unpacked sdist, beside an environment that can run its tests. Raises NotRun."""
    release = version("openai")
    folder = HOME / f"openai-{release}"
    if (HOME / f"ready-{release}").exists():
        return folder
    HOME.mkdir(parents=True, exist_ok=True)
    say(f"fetching the sdist of openai {release} and what its tests need (once)")
    uv = [sys.executable, "-m", "uv"]
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(HOME)]
    try:
        subprocess.run([*download, f"openai=={release}"], check=True, timeout=TIMEOUT_S)
        with tarfile.open(HOME / f"openai-{release}.tar.gz") as archive:
            archive.extractall(HOME, filter="data")
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(HOME / "venv")], check=True)
        install = [*uv, "pip", "install", "-q", "--python", str(HOME / "venv" / "bin" / "python"), str(folder)]
        subprocess.run([*install, *NEEDED], check=True, timeout=TIMEOUT_S)
    except (subprocess.SubprocessError, OSError, tarfile.TarError) as error:
        raise NotRun(f"openai's sdist or what its tests need cannot be had ({error})") from None
    (HOME / f"ready-{release}").touch()
    return folder


def outcomes(folder: Path, base_url: str, name: str) -> dict[str, str]:
    """The outcome of each of the API tests. Raises NotRun when they cannot be run."""
    report = HOME / f"{name}.xml"
    command = [
        str(HOME / "venv" / "bin" / "python"),
        "-m",
        "pytest",
        "tests/api_resources",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-o", "addopts=", "--tb=no", f"--junitxml={report}"]
    environment = {**clean_environment(), "TEST_API_BASE_URL": base_url}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    if not report.exists() or done.returncode not in (0, 1):
        raise NotRun(f"its tests do not run here: {(done.stdout + done.stderr)[-400:]}")
    return {_name(case): _outcome(case) for case in ElementTree.parse(report).getroot().iter("testcase")}


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _outcome(case: ElementTree.Element) -> str:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


@contextlib.contextmanager
def recorder() -> Iterator[Recorder]:
    """A recording upstream, ended on leaving."""
    with Recorder() as standing:
        try:
            yield standing
        finally:
            standing.shutdown()


def main() -> int:
    """0 when both runs are the same, or could not be made."""
    try:
        folder = prepare()
        with recorder() as direct:
            plain = outcomes(folder, f"http://127.0.0.1:{direct.server_address[1]}/v1", "direct")
        with recorder() as behind, local_door(behind.server_address[1]) as port:
            through = outcomes(folder, f"http://127.0.0.1:{port}/v1", "through")
    except NotRun as reason:
        say(f"NOT RUN  openai-python's API tests: {reason}")
        return 0
    different = [name for name in plain.keys() | through.keys() if plain.get(name) != through.get(name)]
    unequal = [pair for pair in zip(direct.received, behind.received, strict=False) if pair[0] != pair[1]]
    passes = [list(results.values()).count("passed") for results in (plain, through)]
    say(f"openai-python's API tests: {passes[0]} of {len(plain)} pass directly, {passes[1]} through the proxy")
    counts = f"{len(direct.received)} and {len(behind.received)}"
    say(f"requests that the upstream got: {counts}, {len(unequal)} of them different in line or body")
    for name in sorted(different)[:10]:
        say(f"  differs: {name}: {plain.get(name)} directly, {through.get(name)} through the proxy")
    for first, second in unequal[:5]:
        say(f"  differs: {first!r:.200} / {second!r:.200}")
    return 1 if different or unequal or len(direct.received) != len(behind.received) else 0


if __name__ == "__main__":
    sys.exit(main())
