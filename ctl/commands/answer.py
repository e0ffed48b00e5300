"""`abort`, `approve`, `resume`: answers to a deployment that runs, waits or failed."""

import click

from ctl import rolling
from ctl.client import Client
from ctl.commands.shared import changes, follow_json, yes_option

_follow = click.option("--follow", is_flag=True, help="Follow it until it has ended.")


@click.command()
@click.argument("id_", metavar="ID")
@_follow
@follow_json
@yes_option
@changes
def approve(client: Client, id_: str, follow: bool, as_json: bool, yes: bool) -> int:
    """Let a waiting deployment go on: users get the new version. Shows what changes, then asks."""
    return rolling.approve(client, id_, yes=yes, follows=follow, as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@_follow
@follow_json
@changes
def abort(client: Client, id_: str, follow: bool, as_json: bool) -> int:
    """Stop a deployment and roll back what it released."""
    return rolling.answer(client, id_, "abort", follows=follow, as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--follow/--no-follow", default=True, help="Follow the new deployment to its end (default).")
@follow_json
@changes
def resume(client: Client, id_: str, follow: bool, as_json: bool) -> int:
    """Continue a failed deployment in a new one."""
    return rolling.answer(client, id_, "resume", follows=follow, as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (approve, abort, resume)
