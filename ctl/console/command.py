"""`console`: serves the page until Ctrl-C."""

import argparse
import secrets
import signal
import sys

from ctl.client import Client
from ctl.console.server import Server
from ctl.inputs import Refused

_TEXT = "open the web console, on this machine only"
_DESCRIPTION = """\
Serves the console on 127.0.0.1 and prints its address. The address holds a token for this run: whoever has it
acts with your AWS credentials until you stop the console (Ctrl-C). From another machine: ssh -L PORT:127.0.0.1:PORT.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = commands.add_parser("console", help=_TEXT, description=_DESCRIPTION)
    command.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, client: Client) -> int:
    """Serve until Ctrl-C or SIGTERM, then 0. Raises Refused when the port is not free."""
    if not 0 <= arguments.port <= 65_535:
        raise Refused(f"--port {arguments.port} is not from 0 to 65535")
    try:
        server = Server(client, secrets.token_urlsafe(24), arguments.port)
    except OSError as problem:
        raise Refused(f"cannot listen on port {arguments.port}: {problem.strerror or problem}") from None
    signal.signal(signal.SIGTERM, _stop)
    with server:
        sys.stdout.write(f"console of {client.url}\n\n  {server.address}\n\nCtrl-C ends it.\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write("\nconsole: ended\n")
    return 0


def _stop(*_signal: object) -> None:
    raise KeyboardInterrupt
