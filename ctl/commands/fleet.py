"""`fleet`: environments that are rolled in waves."""

import json
import sys
from typing import Any

import click

from ctl import exits, reading
from ctl.client import Client
from ctl.commands.shared import changes, follow_json, json_option, reads, set_option, yes_option
from ctl.fleets import calls, pages, rolling
from ctl.inputs import Refused

_ACTIONS = ("deploy", "promote", "plan", "revalidate", "rollback")
_ON_FAILURE = ("roll_back", "roll_back_wave", "keep")
_id = click.argument("id_", metavar="[ID]", required=False)
_follow = click.option("--follow", is_flag=True, help="Follow it until it has ended.")


@click.group()
def fleet() -> None:
    """Environments in waves: each wave is gated on the one before."""


@fleet.command()
@click.argument("name")
@click.option(
    "--wave", "waves", multiple=True, required=True, metavar="ENV,ENV…", help="One wave; repeat it for the next one."
)
@click.option("--action", type=click.Choice(_ACTIONS), default="deploy", help="What each environment does.")
@click.option("--from", "source", metavar="ENVIRONMENT", help="With --action promote: where the release has passed.")
@click.option("--config", metavar="JSON", help="Settings to change in each, as a JSON object or @FILE.")
@set_option
@click.option("--replace", is_flag=True, help="Settings that are not given get their defaults.")
@click.option("--create", is_flag=True, help="Environments that do not exist are made.")
@click.option("--force", is_flag=True, help="Run every phase, even where nothing has changed.")
@click.option("--soak", type=click.IntRange(0, 86_400), metavar="S", help="Seconds without an alarm between waves.")
@click.option("--approval", is_flag=True, help="Wait for `fleet approve` before each further wave.")
@click.option("--tolerate", type=click.FloatRange(0, 0.99), metavar="SHARE", help="Share of a wave that may fail.")
@click.option("--on-failure", type=click.Choice(_ON_FAILURE), help="What happens to those that were rolled.")
@click.option("--at-once", type=click.IntRange(1, 40), metavar="N", help="How many at the same time (default: 10).")
@click.option("--max-cost-usd", type=float, metavar="USD", help="Refuse if all load tests may cost more.")
@click.option("--reason", metavar="TEXT", help="Why, for the record.")
@click.option("--options", metavar="JSON", help="Options of each environment's run as a JSON object, or @FILE.")
@click.option("--idempotency-key", metavar="KEY", help="The same key starts the same fleet deployment once.")
@click.option("--follow/--no-follow", default=True, help="Follow it to its end (default), or print its id.")
@follow_json
@changes
def deploy(
    client: Client,
    /,
    name: str,
    waves: tuple[str, ...],
    action: str,
    config: str | None,
    settings: tuple[str, ...],
    options: str | None,
    idempotency_key: str | None,
    follow: bool,
    as_json: bool,
    **fields: Any,
) -> int:
    """Roll environments in waves and follow them to the end.

    \b
      proxyctl fleet deploy shops --wave canary --wave eu,us --wave rest --soak 600
    """
    gate = {
        "soak_s": fields["soak"],
        "approval": "required" if fields["approval"] else None,
        "tolerated_failures": fields["tolerate"],
    }
    whole = {key: fields[key] for key in ("on_failure", "at_once", "max_cost_usd")}
    flags = {flag: fields[flag] for flag in ("reason", "force", "replace", "create", "source")}
    body = rolling.body_of(
        waves, action, flags, gate=gate, whole=whole, config=config, options=options, settings=settings
    )
    return rolling.start(client, name, body, idempotency_key, follows=follow, as_json=as_json)


@fleet.command()
@click.argument("name")
@_id
@_follow
@follow_json
@reads
def status(client: Client, name: str, id_: str | None, follow: bool, as_json: bool) -> int:
    """The whole, wave by wave; without ID the last one."""
    return rolling.show(client, name, id_, follows=follow, as_json=as_json)


@fleet.command()
@click.argument("name")
@_id
@click.option("--roll-back", is_flag=True, help="Take those back that were rolled, as --on-failure says.")
@_follow
@follow_json
@changes
def abort(client: Client, name: str, id_: str | None, roll_back: bool, follow: bool, as_json: bool) -> int:
    """Stop what runs and begin no further environment."""
    verb = "abort?roll_back=true" if roll_back else "abort"
    return rolling.answer(client, name, id_, verb, follows=follow, as_json=as_json)


@fleet.command()
@click.argument("name")
@_id
@_follow
@follow_json
@yes_option
@changes
def approve(client: Client, name: str, id_: str | None, follow: bool, as_json: bool, yes: bool) -> int:
    """Let the next wave begin. Shows the waves, then asks."""
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise Refused("approve asks before it approves, and this is no terminal; add --yes to approve at once")
        rolling.show(client, name, id_, follows=False, as_json=False)
        if not click.confirm("Begin the next wave?"):
            click.echo("not approved; it goes on waiting")
            return exits.WAITING
    return rolling.answer(client, name, id_, "approve", follows=follow, as_json=as_json)


@fleet.command()
@click.argument("name")
@_id
@json_option
@reads
def report(client: Client, name: str, id_: str | None, as_json: bool) -> int:
    """The HTML report of the whole, to standard output."""
    text = calls.report(client, name, id_)
    sys.stdout.write((json.dumps({"report": text}) if as_json else text.rstrip()) + "\n")
    return exits.DONE


@fleet.command("list")
@json_option
@reads
def list_(client: Client, as_json: bool) -> int:
    """Every fleet, and the deployment that runs in it."""
    listed = calls.fleets(client)
    return reading.put({"fleets": listed}, pages.fleets(listed), as_json=as_json)
