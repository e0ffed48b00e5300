"""llmock: answers like OpenAI, fails like OpenAI on request, and records a verdict on its client."""

from collections.abc import Mapping
from pathlib import Path

from local.processes import TOKEN_VARIABLE


def command(python: Path, port: int) -> list[str]:
    """The command that starts llmock: the entry of its console script, because a moved checkout breaks the script."""
    entry = "from llmock.cli import app; app()"
    options = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [str(python), "-c", entry, "serve", *options]


def variables(python: Path, folder: Path, token: str, outer: Mapping[str, str]) -> dict[str, str]:
    """Its whole environment: LLMOCK_* variables of the caller would change its answers."""
    inherited = {name: outer[name] for name in ("LANG", "LC_ALL", "TZ") if name in outer}
    return inherited | {
        TOKEN_VARIABLE: token,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }
