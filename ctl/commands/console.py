"""`console`: the web console."""

import click

from ctl.client import Client
from ctl.commands.shared import changes
from ctl.console import command


@click.command()
@click.option("--port", type=int, default=0, metavar="N", help="Default: a free one.")
@changes
def console(client: Client, port: int) -> int:
    """Open the web console, on this machine only.

    Serves it on 127.0.0.1 and prints its address. The address holds a token for this run: whoever has it acts with your
    AWS credentials until you stop the console (Ctrl-C). From another machine: ssh -L PORT:127.0.0.1:PORT.
    """
    return command.run(client, port)
