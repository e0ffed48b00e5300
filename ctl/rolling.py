"""Commands that change something: start a deployment and follow it, answer one that is on its way."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from ctl import pages, progress
from ctl.client import Client
from ctl.given import Refused, json_argument
from ctl.words import clean, command, failure, question

# What a flag of the command line sets in the request's `options`.
FLAGS = {
    "reason": "reason",
    "to": "rollback_to",
    "expected_plan": "expected_plan",
    "wait": "if_busy",
    "approval": "approval",
    "heal": "heal",
    "remove_secret": "remove_secret",
    "force": "force",
}
_MEANT = {"wait": "wait", "approval": "required"}


def start(asked: argparse.Namespace, client: Client) -> int:
    """POST /deployments, and the rollout to its end."""
    started = client.start(request(asked), asked.idempotency_key)
    if asked.no_follow:
        sys.stdout.write(f"{clean(started['id'])}\n")
        return 0
    return follow(client, str(started["id"]))


def request(asked: argparse.Namespace) -> dict[str, Any]:
    """The body of the POST that the arguments stand for."""
    body: dict[str, Any] = {"environment": asked.environment, "action": asked.action}
    if getattr(asked, "config", None):
        body["config"] = json_argument("--config", asked.config)
    options = json_argument("--options", asked.options) if asked.options else {}
    for flag, option in FLAGS.items():
        given = getattr(asked, flag, None)
        if given in (None, False):
            continue
        if option in options:
            raise Refused(f"--{flag.replace('_', '-')} and --options both set {option}; give it once")
        options[option] = _MEANT.get(flag, given)
    return body | ({"options": options} if options else {})


def follow(client: Client, deployment_id: str) -> int:
    """Show a deployment until it has ended: 0 when it succeeded. Whoever stops looking is told how to look again."""
    last: dict[str, Any] = {}

    def states() -> Any:
        for shown in client.follow(deployment_id):
            last.update(shown)
            yield shown

    try:
        ended = progress.watch(states())
    except (KeyboardInterrupt, TimeoutError):
        _tell_where_it_stands(deployment_id, last)
        raise
    return _told(ended)


def _tell_where_it_stands(deployment_id: str, last: Mapping[str, Any]) -> None:
    asked = question(last) if last else ""
    again = f"{command()} show {clean(deployment_id)} --follow   # look again"
    sys.stderr.write(f"\n{asked}\n  {again}\n" if asked else f"\n{again}\n")


def _told(ended: Mapping[str, Any]) -> int:
    if ended["status"] != "SUCCEEDED":
        sys.stderr.write(f"proxyctl: deployment {clean(ended['id'])}: {failure(ended)}\n")
        return 1
    pages.put(pages.plan(ended), sys.stdout)
    sys.stdout.write(f"{clean(ended['id'])}: SUCCEEDED {clean(ended.get('summary', ''))}".rstrip() + "\n")
    return 0


def answer(asked: argparse.Namespace, client: Client) -> int:
    """abort, approve, resume."""
    told = client.command(asked.id, asked.verb)
    if asked.verb == "resume" or asked.follow:
        return follow(client, str(told["id"]))
    sys.stdout.write(f"{clean(told['id'])}: {told['status']} {clean(told.get('summary', ''))}".rstrip() + "\n")
    return 0
