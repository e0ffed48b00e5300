"""`watch` and `show`: one deployment, live or as it is."""

import click

from ctl import reading, rolling
from ctl.client import FINAL, Client
from ctl.commands.shared import follow_json, reads
from ctl.inputs import Refused
from ctl.view import pages


@click.command()
@click.argument("environment", required=False)
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each event.")
@reads
def watch(client: Client, environment: str | None, as_json: bool) -> int:
    """Follow the running or newest deployment; no id is needed."""
    newest = client.deployments(environment, None, 20)
    if not newest:
        raise Refused(f"there is no deployment of {environment} yet" if environment else "there is no deployment yet")
    running = next((item for item in newest if item["status"] not in FINAL), newest[0])
    return rolling.follow(client, running["id"], as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--follow", is_flag=True, help="Follow it until it has ended.")
@follow_json
@reads
def show(client: Client, id_: str, follow: bool, as_json: bool) -> int:
    """One deployment: every phase, errors and remedies."""
    if follow:
        return rolling.follow(client, id_, as_json=as_json)
    deployment = client.deployment(id_)
    return reading.put(deployment, pages.deployment(deployment), as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (watch, show)
