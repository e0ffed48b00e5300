"""`python -m proxy`: the proxy as a local HTTP server. The secret comes from a file or a variable, never from
argv.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from proxy import settings
from proxy.clock import SYSTEM
from proxy.doors import server
from proxy.doors.local_log import LocalLog
from proxy.secret.schema import SecretError, decode
from proxy.secret.store import SecretsManager, SecretUnreadable, TextStore
from proxy.wiring import Parts

BODY_LIMIT_MB = 512  # what OpenAI accepts as one file
_ARN = r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[!-~]+"


def main(arguments: list[str]) -> int:
    """Serve until interrupted; 2 when the arguments or the secret are wrong."""
    options = _parser().parse_args(arguments)
    try:
        store = _store(options)
        decode(store.read()[0])
    except (SecretUnreadable, SecretError) as error:
        sys.stderr.write(f"proxy: the secret cannot be used: {error}\n")
        return 2
    chosen = settings.Settings("", "local", options.log_level, "stream", "", options.secret_ttl, "local")
    parts = Parts(chosen, store, telemetry=LocalLog(options.log_level, SYSTEM))
    parts.secrets.get()
    try:
        listening = server.Server(options.port, parts, options.max_body_mb * 1_000_000)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "a port is a number from 0 to 65535"
        sys.stderr.write(f"proxy: cannot listen on 127.0.0.1:{options.port}: {reason}. Choose another --port.\n")
        return 2
    with listening:
        sys.stdout.write(server.announce(listening) + "\n")
        sys.stdout.flush()
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _store(options: argparse.Namespace) -> TextStore | SecretsManager:
    if options.secret_arn:
        if not re.fullmatch(_ARN, options.secret_arn):
            raise SecretUnreadable("--secret-arn is not the ARN of a secret (arn:…:secretsmanager:…:secret:…)")
        return SecretsManager(options.secret_arn, os.environ)
    if options.secret_file:
        return TextStore(lambda: Path(options.secret_file).read_text("utf-8"))
    name = options.secret_env
    if name not in os.environ:
        raise SecretUnreadable(f"the variable {name} is not set")
    return TextStore(lambda: os.environ[name])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proxy", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--secret-file", metavar="FILE", help="a file with the secret's JSON")
    source.add_argument("--secret-env", metavar="NAME", help="an environment variable with the secret's JSON")
    source.add_argument(
        "--secret-arn", metavar="ARN", help="read it from Secrets Manager, credentials from the environment"
    )
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1; 0 takes a free one (default 8080)")
    parser.add_argument("--log-level", default="INFO", choices=settings.LEVELS)
    parser.add_argument(
        "--secret-ttl", type=seconds, default=10.0, metavar="SECONDS", help="how long the secret is kept"
    )
    parser.add_argument("--max-body-mb", type=megabytes, default=BODY_LIMIT_MB, metavar="MB")
    return parser


def seconds(text: str) -> float:
    """A time to live from the command line; 0 reads the secret for every request."""
    value = float(text)
    if not 0 <= value <= settings.MAX_TTL_S:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {settings.MAX_TTL_S:g} seconds")
    return value


def megabytes(text: str) -> int:
    """A size from the command line."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
