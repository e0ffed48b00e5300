"""Commands that only read: deployments, environments, documents."""

import argparse
import json
import sys
from collections.abc import Iterable

from ctl import pages
from ctl.client import Client
from ctl.rolling import follow


def index(arguments: argparse.Namespace, client: Client) -> int:
    """`list`, `deployments`."""
    deployments = client.deployments(arguments.environment, arguments.status, arguments.limit)
    return _put(arguments, {"deployments": deployments}, pages.deployments(deployments))


def show(arguments: argparse.Namespace, client: Client) -> int:
    """`show`; with --follow it ends when the deployment does."""
    if arguments.follow:
        return follow(client, arguments.id)
    deployment = client.deployment(arguments.id)
    return _put(arguments, deployment, pages.deployment(deployment))


def environments(arguments: argparse.Namespace, client: Client) -> int:
    """`environments`: all, or one with its history."""
    if arguments.environment:
        environment = client.environment(arguments.environment)
        return _put(arguments, environment, pages.environment(environment))
    everything = client.environments()
    return _put(arguments, {"environments": everything}, pages.environments(everything))


def nights(arguments: argparse.Namespace, client: Client) -> int:
    """`nights`: how many environments were good, and which were not."""
    everything = client.nights()
    return _put(arguments, {"nights": everything}, pages.nights(everything))


def document(arguments: argparse.Namespace, client: Client) -> int:
    """`report`, `handoff`: as they were written."""
    sys.stdout.write(client.document(arguments.id, arguments.name).rstrip() + "\n")
    return 0


def _put(arguments: argparse.Namespace, answer: object, lines: Iterable[pages.Line]) -> int:
    if arguments.json:
        # ASCII: escaped, text from outside cannot act on the terminal.
        sys.stdout.write(json.dumps(answer, indent=2, default=str) + "\n")
    else:
        pages.put(lines, sys.stdout)
    return 0
