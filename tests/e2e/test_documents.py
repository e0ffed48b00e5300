"""README and tutorial say what happens: their blocks are run as they stand, in their order.

`make test` reads every command, and runs those that change nothing in the environment that is there already. The whole
walks, with their rollouts, are under `-m long`.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import click
import pytest

from ctl.app import app
from installer import arguments
from local import cloud
from tests.e2e import blocks
from tests.e2e.rolling import Rolled

PAGES = pytest.mark.parametrize("page", [blocks.README, blocks.TUTORIAL], ids=lambda page: page.stem)
_CHANGES_NOTHING = re.compile(r"proxyctl (doctor|environments|watch|config show|open|list|apply .*--dry-run)\b|cat > ")


@PAGES
def test_every_command_of_proxyctl_exists_with_its_options(page: Path) -> None:
    lines = [line for line in blocks.commands(blocks.of(page)) if line.startswith("proxyctl ")]
    assert len(lines) > 8
    for line in lines:
        words = shlex.split(re.split(r" [|>]| \|\|", line)[0])[1:]
        command: click.Command = app
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(line, words)


def test_what_needs_an_account_are_commands_of_the_installer() -> None:
    (block,) = (block for block in blocks.of(blocks.README) if not blocks.runs_here(block))
    lines = [line for line in blocks.commands([block]) if line.startswith("python3 bootstrap.py")]
    assert len(lines) == 2
    for line in lines:
        assert arguments.parse(shlex.split(line)[2:])


@PAGES
def test_what_changes_nothing_works_where_an_environment_is_rolled(page: Path, rolled: Rolled, tmp_path: Path) -> None:
    embedded = rolled.embedded
    folder = blocks.checkout(tmp_path / "checkout", tmp_path)
    variables = embedded.cloud.variables() | {
        "CONTROL_API_URL": embedded.api_url,
        "PROXY_API_KEY": str(embedded.secret()["api_key"]),
        "STAND_IN_URL": embedded.cloud.upstream,
    }
    listed = blocks.commands(block for block in blocks.of(page) if blocks.runs_here(block))
    # Environment qa is there in the long walk only.
    chosen = [line for line in listed if _CHANGES_NOTHING.match(line) and " qa " not in f"{line} "]
    assert len(chosen) >= 5
    text = re.sub(r"\bdev\b", rolled.environment, blocks.script("\n".join(chosen) + "\n" for _ in range(1)))
    done = blocks.shell(folder, text, variables, 240)
    assert done.returncode == 0, done.stdout
    assert "qa" in done.stdout


@pytest.mark.long
@PAGES
def test_the_whole_page_can_be_walked(page: Path, site: cloud.Site, tmp_path: Path) -> None:
    """From `make demo` to `make stop`, with two rollouts, one that is broken, a rollback and a clean-up."""
    home = site.folder / f"walk-{page.stem}"
    home.mkdir()
    folder = blocks.checkout(tmp_path / "checkout", home)
    try:
        text = blocks.script(block for block in blocks.of(page) if blocks.runs_here(block))
        done = blocks.shell(folder, text, {}, 900)
    finally:
        cloud.stop(home)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout[-6_000:]
    assert "FAILED in validate_" in done.stdout
    assert "Traceback" not in done.stdout
    if page == blocks.TUTORIAL:
        assert "exit code 1" in done.stdout
        assert "users notice nothing" in done.stdout
        assert re.search(r"401$", done.stdout, re.M)
