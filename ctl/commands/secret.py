"""`secret`: the secret of an environment."""

import click

from ctl import secret as secrets
from ctl.client import Client
from ctl.commands.shared import changes, json_option


@click.group()
def secret() -> None:
    """The secret: the provider's key, models, client keys."""


@secret.command("set")
@click.argument("environment")
@json_option
@changes
def set_(client: Client, environment: str, as_json: bool) -> int:
    """A new key, or the whole secret.

    At a terminal it prompts for the key and replaces only the key: models, client keys and all other fields stay.
    Standard input may hold the key alone (with the same effect), or a JSON object, which replaces the whole secret:

    \b
      {"schema": 1, "api_key": "sk-…", "models": {"fast": {"target": "gpt-4o-mini"}},
       "client_keys": [{"id": "team-a", "sha256": "…"}]}

    The key is never taken from the arguments: shells store those in their history, and every process list shows them.
    """
    return secrets.set_secret(client, environment, as_json=as_json)
