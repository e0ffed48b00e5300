"""`logs`, `open`, `compare`: look at what runs, and at what changed between two deployments."""

import sys

import click

from ctl import exits, reading
from ctl.client import Client
from ctl.commands.shared import json_option, reads
from ctl.diagnosis import logs, opening, places
from ctl.inputs import Refused
from ctl.view import comparing, pages


@click.command("logs")
@click.argument("environment")
@click.option("--request-id", metavar="ID", help="Only lines of this request (x-request-id of an answer).")
@click.option("--deployment", metavar="ID", help="Only lines about this deployment, of the control plane, too.")
@click.option("--since", default="15m", show_default=True, metavar="TIME", help="How far back: 30s, 15m, 2h, 1d.")
@click.option("--follow", "-f", is_flag=True, help="Go on as lines arrive, until Ctrl-C.")
@click.option("--profile", metavar="NAME", help="AWS profile of the account that the environment is in.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each line.")
@reads
def logs_(
    client: Client,
    environment: str,
    request_id: str | None,
    deployment: str | None,
    since: str,
    follow: bool,
    profile: str | None,
    as_json: bool,
) -> int:
    """Log lines of the proxy, and of the control plane.

    The proxy's log is in the environment's account and region, which may be another than the control plane's.
    """
    if request_id and deployment:
        raise Refused("--request-id and --deployment exclude each other; choose one")
    query = logs.Query(environment, logs.duration(since), request_id or "", deployment or "")
    proxy = places.reader(client, environment, "logs", profile)
    lines = logs.tail(query, proxy, client.aws("logs"), follows=follow)
    for line in lines:
        sys.stdout.write((logs.as_json(line) if as_json else logs.text(line)) + "\n")
        sys.stdout.flush()
    return exits.DONE


@click.command("open")
@click.argument("environment")
@click.argument("page", default="dashboard")
@click.option("--print", "only_prints", is_flag=True, help="Print the address, open nothing.")
@json_option
@reads
def open_(client: Client, environment: str, page: str, only_prints: bool, as_json: bool) -> int:
    """Open a page of an environment in the browser.

    PAGE: dashboard (default), alarms, logs, stack, function or report.
    """
    return opening.run(client, environment, page, only_prints=only_prints or as_json, as_json=as_json)


@click.command()
@click.argument("first", metavar="ID")
@click.argument("second", metavar="ID")
@json_option
@reads
def compare(client: Client, first: str, second: str, as_json: bool) -> int:
    """What differs between two deployments.

    Settings, options, code, results of the load test, seconds of each phase.
    """
    before, after = client.deployment(first), client.deployment(second)
    return reading.put(comparing.compared(before, after), pages.comparison(before, after), as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (logs_, open_, compare)
