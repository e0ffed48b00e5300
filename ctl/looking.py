"""Commands that only look: deployments, environments, documents."""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from ctl import pages
from ctl.client import Client
from ctl.rolling import follow


def index(asked: argparse.Namespace, client: Client) -> int:
    """`list`, `deployments`."""
    found = client.deployments(asked.environment, asked.status, asked.limit)
    return _put(asked, {"deployments": found}, pages.deployments(found))


def show(asked: argparse.Namespace, client: Client) -> int:
    """`show`: with --follow it ends as the deployment does."""
    if asked.follow:
        return follow(client, asked.id)
    found = client.deployment(asked.id)
    return _put(asked, found, pages.deployment(found))


def environments(asked: argparse.Namespace, client: Client) -> int:
    """`environments`: all, or one with its history."""
    if asked.environment:
        one = client.environment(asked.environment)
        return _put(asked, one, pages.environment(one))
    found = client.environments()
    return _put(asked, {"environments": found}, pages.environments(found))


def nights(asked: argparse.Namespace, client: Client) -> int:
    """`nights`: how many were good, and which were not."""
    found = client.nights()
    return _put(asked, {"nights": found}, pages.nights(found))


def document(asked: argparse.Namespace, client: Client) -> int:
    """`report`, `handoff`: as they were written."""
    sys.stdout.write(client.document(asked.id, asked.name).rstrip() + "\n")
    return 0


def _put(asked: argparse.Namespace, whole: dict[str, Any], lines: Iterable[pages.Line]) -> int:
    if asked.json:
        # ASCII: what is in it reaches no terminal unescaped.
        sys.stdout.write(json.dumps(whole, indent=2, default=str) + "\n")
    else:
        pages.put(lines, sys.stdout)
    return 0
