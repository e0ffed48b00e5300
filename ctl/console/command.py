"""`console`: serves the page until Ctrl-C."""

import secrets
import signal
import sys

from ctl.client import Client
from ctl.console.server import Server
from ctl.inputs import Refused


def run(client: Client, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM, then 0. Raises Refused when the port is not free."""
    if not 0 <= port <= 65_535:
        raise Refused(f"--port {port} is not from 0 to 65535")
    try:
        server = Server(client, secrets.token_urlsafe(24), port)
    except OSError as problem:
        raise Refused(f"cannot listen on port {port}: {problem.strerror or problem}") from None
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
