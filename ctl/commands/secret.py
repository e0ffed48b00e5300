"""`secret`: the secret of an environment."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ctl import secret as secrets
from ctl.client import Client
from ctl.commands.shared import changes, json_option, reads

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _changes_secret(command: _Command) -> _Command:
    """The options of a command that changes a secret."""
    options = (
        click.option("--now", is_flag=True, help="An emergency: for users at once, without any check."),
        click.option("--wait", is_flag=True, help="Queue behind a deployment that holds the environment."),
        click.option("--reason", default="", metavar="TEXT", help="Why; it is on record."),
        click.option("--no-follow", is_flag=True, help="Print the deployment and return at once."),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def secret() -> None:
    """The secret: the provider's key, models, client keys."""


@secret.command("set")
@click.argument("environment")
@click.option(
    "--target",
    default="",
    metavar="JSON",
    help="Of a new environment elsewhere: config.target (bootstrap.py target).",
)
@_changes_secret
@changes
def set_(client: Client, /, environment: str, **how: Any) -> int:
    """A new key, or the whole secret.

    At a terminal it prompts for the key and replaces only the key: models, client keys and all other fields stay.
    Standard input may hold the key alone (with the same effect), or a JSON object, which replaces the whole secret:

    \b
      {"schema": 1, "api_key": "sk-…", "models": {"fast": {"target": "gpt-4o-mini"}},
       "client_keys": [{"id": "team-a", "sha256": "…"}]}

    The new version is checked on the candidate first: users get it when it passes, and keep what they have when it
    fails. The key is never taken from the arguments: shells store those in their history, and every process list
    shows them.
    """
    return secrets.set_secret(client, environment, secrets.How(**how))


@secret.command("show")
@click.argument("environment")
@json_option
@reads
def show(client: Client, environment: str, as_json: bool) -> int:
    """Fields and fingerprints of their values, never a value."""
    return secrets.show(client, environment, as_json=as_json)


@secret.command("history")
@click.argument("environment")
@json_option
@reads
def history(client: Client, environment: str, as_json: bool) -> int:
    """The versions that can be gone back to, newest first."""
    return secrets.history(client, environment, as_json=as_json)


@secret.command("rollback")
@click.argument("environment")
@click.option("--to", "version", metavar="VERSION_ID", help="Default: the version of the release before.")
@_changes_secret
@changes
def rollback(client: Client, /, environment: str, version: str | None, **how: Any) -> int:
    """An earlier version of the secret, checked first; the code stays."""
    return secrets.roll_back(client, environment, version, secrets.How(**how))
