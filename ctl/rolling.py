"""Commands that change something: start a deployment and follow it; abort, approve or resume one."""

import argparse
import sys
from collections.abc import Iterator

from ctl import pages, progress
from ctl.client import Client
from ctl.inputs import Refused, json_argument
from ctl.shapes import Deployment
from ctl.words import clean, command, failure, question

# The field of the request's `options` that each flag of the command line sets.
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
_FLAG_VALUES = {"wait": "wait", "approval": "required"}


def start(arguments: argparse.Namespace, client: Client) -> int:
    """POST /deployments, and the rollout to its end."""
    started = client.start(request(arguments), arguments.idempotency_key)
    if arguments.no_follow:
        sys.stdout.write(f"{clean(started['id'])}\n")
        return 0
    return follow(client, str(started["id"]))


def request(arguments: argparse.Namespace) -> dict[str, object]:
    """The body of POST /deployments. Raises Refused for an option that is set twice."""
    body: dict[str, object] = {"environment": arguments.environment, "action": arguments.action}
    if getattr(arguments, "config", None):
        body["config"] = json_argument("--config", arguments.config)
    body |= {flag: True for flag in ("replace", "create") if getattr(arguments, flag, False)}
    options = json_argument("--options", arguments.options) if arguments.options else {}
    for flag, option in FLAGS.items():
        value = getattr(arguments, flag, None)
        if value in (None, False):
            continue
        if option in options:
            raise Refused(f"--{flag.replace('_', '-')} and --options both set {option}; set it once")
        options[option] = _FLAG_VALUES.get(flag, value)
    return body | ({"options": options} if options else {})


def follow(client: Client, deployment_id: str) -> int:
    """Show a deployment until it has ended; 0 when it succeeded. Interrupted, it prints how to follow it again."""
    last: Deployment | None = None

    def states() -> Iterator[Deployment]:
        nonlocal last
        for state in client.follow(deployment_id):
            last = state
            yield state

    try:
        ended = progress.watch(states())
    except (KeyboardInterrupt, TimeoutError):
        _print_how_to_go_on(deployment_id, last)
        raise
    return _print_outcome(ended)


def _print_how_to_go_on(deployment_id: str, last: Deployment | None) -> None:
    open_question = question(last) if last else ""
    again = f"{command()} show {clean(deployment_id)} --follow   # look again"
    sys.stderr.write(f"\n{open_question}\n  {again}\n" if open_question else f"\n{again}\n")


def _print_outcome(ended: Deployment) -> int:
    if ended["status"] != "SUCCEEDED":
        sys.stderr.write(f"proxyctl: deployment {clean(ended['id'])}: {failure(ended)}\n")
        return 1
    pages.put(pages.plan(ended), sys.stdout)
    _print_line(ended)
    return 0


def _print_line(deployment: Deployment) -> None:
    line = f"{clean(deployment['id'])}: {deployment['status']} {clean(deployment.get('summary', ''))}"
    sys.stdout.write(line.rstrip() + "\n")


def answer(arguments: argparse.Namespace, client: Client) -> int:
    """abort, approve, resume."""
    deployment = client.command(arguments.id, arguments.verb)
    if arguments.verb == "resume" or arguments.follow:
        return follow(client, deployment["id"])
    _print_line(deployment)
    return 0
