"""`deploy`, and the other actions of a deployment by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ctl import rolling
from ctl.client import Client
from ctl.commands.shared import changes, set_option
from ctl.inputs import Refused
from ctl.view import markdown

_ACTIONS = ("deploy", "plan", "revalidate", "rollback", "cleanup", "drill")

_config = click.option(
    "--config", metavar="JSON", help="Settings to change, as a JSON object or @FILE; null resets one."
)
_replace = click.option("--replace", is_flag=True, help="Settings that are not given get their defaults.")
_create = click.option("--create", is_flag=True, help="The environment is new, although its name is like another's.")
_to = click.option("--to", metavar="VERSION", help="The version to go back to; default: the last good one.")
_heal = click.option("--heal", is_flag=True, help="Repair drift where that is safe.")
_approval = click.option("--approval", is_flag=True, help="Wait for `approve` before users get the new version.")
_force = click.option("--force", is_flag=True, help="Run every phase, even where nothing has changed.")
_remove_secret = click.option("--remove-secret", is_flag=True, help="Remove the secret, too.")


def _starting(run: Callable[..., int]) -> Callable[..., int]:
    """The argument and the options of every command that starts a deployment."""
    return click.argument("environment")(_options(run))


def _starting_optionally(run: Callable[..., int]) -> Callable[..., int]:
    """The same, where a file may name the environment."""
    return click.argument("environment", required=False)(_options(run))


def _options(run: Callable[..., int]) -> Callable[..., int]:
    options = (
        click.option("--reason", metavar="TEXT", help="Why, for the record."),
        click.option("--wait", is_flag=True, help="Wait in line if the environment is busy."),
        click.option("--options", metavar="JSON", help="Options of this run as a JSON object, or @FILE."),
        click.option("--idempotency-key", metavar="KEY", help="The same key starts the same deployment once."),
        click.option("--follow/--no-follow", default=True, help="Follow it to its end (default), or print its id."),
        click.option("--json", "as_json", is_flag=True, help="A JSON line for each event, or the answer as JSON."),
    )
    for option in reversed(options):
        run = option(run)
    return run


def _run(
    client: Client,
    environment: str,
    action: str,
    *,
    options: str | None,
    idempotency_key: str | None,
    follow: bool,
    as_json: bool,
    config: str | None = None,
    settings: tuple[str, ...] = (),
    **flags: object,
) -> int:
    body = rolling.request(environment, action, flags, config=config, options=options, settings=settings)
    return rolling.start(client, body, idempotency_key, follows=follow, as_json=as_json)


@click.command()
@_starting
@_config
@_replace
@_create
@set_option
@click.option("--action", type=click.Choice(_ACTIONS), default="deploy", help="Each is a command, too.")
@_approval
@click.option("--expected-plan", metavar="DIGEST", help="Refuse to run unless `plan` still prints this digest.")
@_force
@_to
@_heal
@_remove_secret
@changes
def deploy(client: Client, /, **arguments: Any) -> int:
    """Start a deployment and follow it to its end."""
    return _run(client, **arguments)


@click.command()
@_starting_optionally
@_config
@_replace
@_create
@set_option
@click.option("--file", "path", type=click.Path(path_type=Path), help="An environment's file, as `apply` takes it.")
@click.option("--markdown", "as_markdown", is_flag=True, help="The plan as Markdown, for a pull request's comment.")
@changes
def plan(client: Client, /, as_markdown: bool, path: Path | None, **arguments: Any) -> int:
    """What a deploy would do, phase by phase; changes nothing.

    It prints the digest that --expected-plan takes.
    """
    body = _plan_body(path, **arguments)
    if as_markdown:
        return markdown.plan(client, body, arguments["idempotency_key"])
    follows, as_json = arguments["follow"], arguments["as_json"]
    return rolling.start(client, body, arguments["idempotency_key"], follows=follows, as_json=as_json)


def _plan_body(
    path: Path | None,
    environment: str | None,
    config: str | None,
    options: str | None,
    settings: tuple[str, ...],
    reason: str | None,
    wait: bool,
    **_following: object,
) -> dict[str, Any]:
    """The request of a plan, for a file or for an environment by name. Raises Refused."""
    if path is None:
        if environment is None:
            raise Refused("name the environment, or its file with --file")
        flags = {"reason": reason, "wait": wait}
        return rolling.request(environment, "plan", flags, config=config, options=options, settings=settings)
    if config or options:
        raise Refused("--file holds the settings: leave --config and --options out, or use --set")
    from ctl.environments import compare, files

    (wanted,) = files.load([path], settings)
    if environment not in (None, wanted.name):
        raise Refused(f"{path} is of {wanted.name}, not of {environment}")
    return compare.request(wanted, reason, waits=wait) | {"action": "plan"}


@click.command()
@_starting
@click.option("--from", "source", required=True, metavar="ENVIRONMENT", help="Where the release has passed.")
@_config
@_replace
@_create
@set_option
@_approval
@_force
@changes
def promote(client: Client, /, **arguments: Any) -> int:
    """Roll exactly the bytes and models that passed in another environment.

    Settings and keys stay the environment's own.
    """
    return _run(client, action="promote", **arguments)


@click.command()
@_starting
@_to
@changes
def rollback(client: Client, /, **arguments: Any) -> int:
    """Go back to the last good version, code and settings."""
    return _run(client, action="rollback", **arguments)


@click.command()
@_starting
@_heal
@changes
def revalidate(client: Client, /, **arguments: Any) -> int:
    """Check what is live: drift, endpoints, errors, a light load."""
    return _run(client, action="revalidate", **arguments)


@click.command()
@_starting
@_remove_secret
@changes
def cleanup(client: Client, /, **arguments: Any) -> int:
    """Remove the environment and prove that nothing is left."""
    return _run(client, action="cleanup", **arguments)


@click.command()
@_starting
@changes
def drill(client: Client, /, **arguments: Any) -> int:
    """Rehearse on a copy: create, break, update, remove."""
    return _run(client, action="drill", **arguments)


COMMANDS: tuple[click.Command, ...] = (deploy, plan, promote, rollback, revalidate, cleanup, drill)
