"""`config`: the settings of an environment, shown and compared."""

import sys
from pathlib import Path

import click

from ctl import exits, reading
from ctl.client import Client
from ctl.commands.shared import json_option, reads
from ctl.difference import differences
from ctl.difference import shown as change_text
from ctl.inputs import Refused
from ctl.settings import merged
from ctl.shapes import Release
from ctl.view import pages


@click.group()
def config() -> None:
    """Show or compare settings; the schema of environment files."""


@config.command("show")
@click.argument("environment")
@json_option
@reads
def show(client: Client, environment: str, as_json: bool) -> int:
    """The settings that the live version runs with."""
    settings = _live(client, environment)
    return reading.put(settings, pages.settings(settings), as_json=as_json)


@config.command("diff")
@click.argument("environment")
@click.argument("other", required=False)
@click.option("--file", "-f", "path", type=click.Path(path_type=Path), help="An environment's file instead.")
@json_option
@reads
def diff(client: Client, environment: str, other: str | None, path: Path | None, as_json: bool) -> int:
    """The settings of ENVIRONMENT against those of OTHER, of a file, or of its own release before."""
    if other and path:
        raise Refused("name another environment or a file, not both")
    after = _live(client, environment)
    if path:
        from ctl.environments import files

        (wanted,) = files.load([path])
        before, after = after, wanted.config
    else:
        before = _live(client, other) if other else _settings(client.environment(environment).get("previous"))
    changes = differences(before, after)
    answer = {"changes": [{"path": item.path, "text": change_text(item)} for item in changes]}
    return reading.put(answer, pages.settings_changes(changes), as_json=as_json)


@config.command("schema")
def schema() -> int:
    """The JSON Schema of environment files: editors complete and check with it."""
    from ctl.environments import files

    sys.stdout.write(files.schema_text())
    return exits.DONE


def _live(client: Client, environment: str) -> dict[str, object]:
    release = client.environment(environment).get("live")
    if not release:
        raise Refused(f"{environment} has no live version")
    return _settings(release)


def _settings(release: Release | None) -> dict[str, object]:
    """Empty for an environment without such a release."""
    return merged((release or {}).get("config") or {}, {})


COMMANDS: tuple[click.Command, ...] = (config,)
