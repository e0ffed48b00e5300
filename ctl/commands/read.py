"""Commands that show records: deployments, environments, nights, documents."""

import json
import re
import sys

import click

from ctl import exits, reading
from ctl.client import Client
from ctl.commands.shared import json_option, reads
from ctl.shapes import Bill
from ctl.view import costs, history, pages

_DEPLOYMENT = re.compile(r"d-[0-9a-f]{20}")
STATES = ("PENDING", "RUNNING", "WAITING_APPROVAL", "SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED")


@click.command("list")
@click.argument("environment", required=False)
@click.option("--status", type=click.Choice(STATES))
@click.option("--limit", type=click.IntRange(1, 10_000), metavar="N", help="How many, 1 to 10000 (default: 20).")
@json_option
@reads
def list_(client: Client, environment: str | None, status: str | None, limit: int | None, as_json: bool) -> int:
    """Deployments, newest first."""
    page = client.deployments(environment, status, limit)
    return reading.put({"deployments": page}, pages.deployments(page), as_json=as_json)


deployments = click.Command(
    "deployments", callback=list_.callback, params=list_.params, help="The same as list.", hidden=True
)


@click.command()
@click.argument("environment", required=False)
@json_option
@reads
def environments(client: Client, environment: str | None, as_json: bool) -> int:
    """All environments, or one with history and DORA figures."""
    if environment:
        shown = client.environment(environment)
        return reading.put(shown, pages.environment(shown), as_json=as_json)
    everything = client.environments()
    return reading.put({"environments": everything}, pages.environments(everything), as_json=as_json)


@click.command("history")
@click.argument("environment")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, metavar="N", help="How many (default: 20).")
@json_option
@reads
def history_(client: Client, environment: str, limit: int, as_json: bool) -> int:
    """What happened to an environment, newest first."""
    entries = client.history(environment, limit)
    return reading.put({"history": entries}, history.lines(entries), as_json=as_json)


@click.command()
@click.argument("environment")
@click.argument("id_", metavar="[ID]", required=False)
@json_option
@reads
def incidents(client: Client, environment: str, id_: str | None, as_json: bool) -> int:
    """Incidents of an environment, or one (by the deployment that opened it) with its history."""
    if id_:
        shown = client.incident(environment, id_)
        return reading.put(shown, history.incident(shown), as_json=as_json)
    newest = client.incidents(environment)
    return reading.put({"incidents": newest}, history.incidents(newest), as_json=as_json)


@click.command("costs")
@click.argument("name", metavar="ENVIRONMENT|ID")
@json_option
@reads
def costs_(client: Client, name: str, as_json: bool) -> int:
    """What an environment costs at rest, a million requests and its rollouts; or what a deployment cost."""
    if _DEPLOYMENT.fullmatch(name):
        cost: Bill = client.deployment(name).get("cost") or {"recorded": "not recorded"}
        return reading.put(cost, costs.bill(cost), as_json=as_json)
    answer = client.costs(name)
    return reading.put(answer, costs.environment(answer), as_json=as_json)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=30, metavar="N", help="How many (default: 30).")
@json_option
@reads
def nights(client: Client, limit: int, as_json: bool) -> int:
    """The results of the last nightly revalidations."""
    everything = client.nights(limit)
    return reading.put({"nights": everything}, pages.nights(everything), as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@json_option
@reads
def report(client: Client, id_: str, as_json: bool) -> int:
    """The deployment's HTML report, to standard output."""
    return _document(client, id_, "report", as_json)


@click.command()
@click.argument("id_", metavar="ID")
@json_option
@reads
def handoff(client: Client, id_: str, as_json: bool) -> int:
    """The handoff document (Markdown), to standard output."""
    return _document(client, id_, "handoff", as_json)


def _document(client: Client, deployment_id: str, name: str, as_json: bool) -> int:
    text = client.document(deployment_id, name)
    sys.stdout.write((json.dumps({name: text}) if as_json else text.rstrip()) + "\n")
    return exits.DONE


_HISTORIES: tuple[click.Command, ...] = (history_, incidents, costs_, nights)
COMMANDS: tuple[click.Command, ...] = (list_, deployments, environments, *_HISTORIES, report, handoff)
