"""`demo` may be killed at any moment and run again, and leaves a shell all that it needs."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cloud

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (
    "import sys; from pathlib import Path; from installer import demo\n"
    "sys.exit(demo.run(Path(sys.argv[1]), Path(sys.argv[2]), None))"
)


@pytest.fixture(scope="module")
def folder(site: cloud.Site) -> Iterator[Path]:
    """Where this demo's cloud lives: not the folder of the person's own."""
    created = site.folder / "demo"
    created.mkdir()
    yield created
    cloud.stop(created)


def begin(folder: Path) -> subprocess.Popen[str]:
    """The demo as a process of its own, its output as one stream."""
    command = [sys.executable, "-u", "-c", SCRIPT, str(ROOT), str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(folder: Path) -> str:
    """The demo to its end, which must be a good one."""
    out, _ = (process := begin(folder)).communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def kill_at(folder: Path, words: str) -> None:
    """SIGKILL as soon as the demo says `words`."""
    process = begin(folder)
    assert process.stdout is not None
    assert any(words in line for line in process.stdout), f"the demo never said {words!r}"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    process.stdout.close()


@pytest.mark.long
def test_killed_while_it_deploys_it_ends_well_the_next_time(site: cloud.Site) -> None:
    killed = site.folder / "killed"
    killed.mkdir()
    try:
        kill_at(killed, "stack proxyctl: creating")
        assert "answer    " in run(killed)
    finally:
        cloud.stop(killed)


def test_killed_while_it_rolls_it_ends_well_the_next_time(folder: Path) -> None:
    kill_at(folder, "package_artifact")
    out = run(folder)
    assert "answer    " in out
    assert "base URL  http://127.0.0.1:" in out


def test_run_again_it_changes_nothing_and_says_so(folder: Path) -> None:
    out = run(folder)
    assert "already running" in out
    assert "control plane: nothing to change" in out
    assert "No change" in out
    assert "console   http://127.0.0.1:" in out
    assert len(out.splitlines()) <= 25


def test_what_it_leaves_for_the_shell_is_complete_and_private(folder: Path) -> None:
    env = folder / "env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    wanted = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "CONTROL_API_URL")
    script = (
        f". {env}; for name in {' '.join((*wanted, 'PROXY_BASE_URL', 'PROXY_API_KEY'))}; do eval : \\${{$name:?}}; done"
    )
    subprocess.run(["/bin/sh", "-ec", script], env={"PATH": os.environ["PATH"]}, check=True)


def test_those_variables_are_enough_for_the_sdk_and_the_command_line(folder: Path) -> None:
    chat = (
        "import os; from openai import OpenAI\n"
        "client = OpenAI(base_url=os.environ['PROXY_BASE_URL'], api_key=os.environ['PROXY_API_KEY'])\n"
        "print(client.models.list().data[0].id)"
    )
    script = f". {folder / 'env'}; '{sys.executable}' -c \"$CHAT\"; '{sys.executable}' -m ctl list dev"
    variables = {"PATH": os.environ["PATH"], "CHAT": chat, "NO_PROXY": "127.0.0.1", "HOME": str(folder)}
    done = subprocess.run(
        ["/bin/sh", "-ec", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    model, *deployments = done.stdout.splitlines()
    assert model
    assert deployments[0].split()[2:5] == ["dev", "deploy", "SUCCEEDED"]
