"""llmock: answers like OpenAI, on request like a failing OpenAI, and keeps a verdict on its client."""

from collections.abc import Mapping
from pathlib import Path

from local.processes import TOKEN_VARIABLE


def command(python: Path, port: int) -> list[str]:
    """How llmock is started (its console script's entry, without the script: a moved checkout breaks scripts)."""
    entry = "from llmock.cli import app; app()"
    return [
        str(python),
        "-c",
        entry,
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]


def variables(python: Path, folder: Path, token: str, outer: Mapping[str, str]) -> dict[str, str]:
    """Its whole environment: LLMOCK_* variables of the caller would change its answers."""
    kept = {name: outer[name] for name in ("LANG", "LC_ALL", "TZ") if name in outer}
    return kept | {
        TOKEN_VARIABLE: token,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }
