"""Commands that change something: start a deployment and follow it; abort, approve or resume one."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from ctl import exits
from ctl.client import Client
from ctl.inputs import Refused, json_argument
from ctl.remedies import in_flags
from ctl.settings import merged, parsed
from ctl.shapes import Deployment
from ctl.view import approval, pages, progress
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


def request(
    environment: str,
    action: str,
    flags: Mapping[str, object],
    *,
    config: str | None = None,
    options: str | None = None,
    settings: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The body of POST /deployments. flags: by name, as FLAGS lists them. Raises Refused for what is set twice."""
    body: dict[str, Any] = {"environment": environment, "action": action}
    set_config, set_options = parsed(settings)
    if config or set_config:
        body["config"] = merged(json_argument("--config", config) if config else {}, set_config)
    body |= {flag: True for flag in ("replace", "create") if flags.get(flag)}
    body |= {"from": flags["source"]} if flags.get("source") else {}
    chosen = merged(json_argument("--options", options) if options else {}, set_options)
    for flag, option in FLAGS.items():
        value = flags.get(flag)
        if value in (None, False):
            continue
        if option in chosen:
            raise Refused(f"--{flag.replace('_', '-')} and --options both set {option}; set it once")
        chosen[option] = _FLAG_VALUES.get(flag, value)
    return body | ({"options": chosen} if chosen else {})


def start(client: Client, body: Mapping[str, Any], key: str | None, *, follows: bool, as_json: bool) -> int:
    """POST /deployments, and the rollout to its end."""
    started = client.start(body, key)
    if follows:
        return follow(client, started["id"], as_json=as_json)
    sys.stdout.write(f"{json.dumps(started, indent=2) if as_json else clean(started['id'])}\n")
    return exits.DONE


def follow(client: Client, deployment_id: str, *, as_json: bool = False, out: TextIO | None = None) -> int:
    """Show a deployment until it has ended; away from a terminal also until it waits for an approval.

    Interrupted, it prints how to follow it again. Returns the exit code of the outcome.
    """
    out = out or sys.stdout
    ended = followed(client, deployment_id, as_json=as_json, out=out)
    return print_outcome(ended, as_json=as_json)


def followed(client: Client, deployment_id: str, *, as_json: bool = False, out: TextIO | None = None) -> Deployment:
    """The last state of a deployment that was shown to its end, or until it waits where nobody can answer."""
    out = out or sys.stdout
    last: Deployment | None = None
    waits_here = out.isatty() and not as_json

    def states() -> Iterator[Deployment]:
        nonlocal last
        for state in client.follow(deployment_id):
            last = state
            yield state
            if state["status"] == "WAITING_APPROVAL" and not waits_here:
                return

    try:
        return progress.watch(states(), out, as_json=as_json)
    except (KeyboardInterrupt, TimeoutError):
        _print_how_to_go_on(deployment_id, last)
        raise


def _print_how_to_go_on(deployment_id: str, last: Deployment | None) -> None:
    open_question = question(last) if last else ""
    again = f"{command()} show {clean(deployment_id)} --follow   # look again"
    sys.stderr.write(f"\n{open_question}\n  {again}\n" if open_question else f"\n{again}\n")


def print_outcome(ended: Deployment, *, as_json: bool = False, markdown: bool = False) -> int:
    """The plan, the result, or why it failed; the exit code."""
    code = exits.of_deployment(ended)
    if code == exits.WAITING:
        return code
    if code != exits.DONE:
        pages.put([(f"proxyctl: deployment {clean(ended['id'])}: {failure(ended)}", "")], sys.stderr)
    elif not as_json and not markdown:
        pages.put(pages.plan(ended), sys.stdout)
        _print_line(ended)
    return code


def _print_line(deployment: Deployment) -> None:
    line = f"{clean(deployment['id'])}: {deployment['status']} {clean(in_flags(deployment.get('summary') or ''))}"
    pages.put([(line.rstrip(), "")], sys.stdout)


def answer(client: Client, deployment_id: str, verb: str, *, follows: bool, as_json: bool) -> int:
    """abort, approve, resume."""
    deployment = client.command(deployment_id, verb)
    if follows:
        return follow(client, deployment["id"], as_json=as_json)
    if as_json:
        sys.stdout.write(json.dumps(deployment, indent=2) + "\n")
    else:
        _print_line(deployment)
    return exits.DONE


def approve(client: Client, deployment_id: str, *, yes: bool, follows: bool, as_json: bool) -> int:
    """Show what the approval gives to users, ask, then approve. Raises Refused where nobody can be asked."""
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise Refused("approve asks before it approves, and this is no terminal; add --yes to approve at once")
        deployment = client.deployment(deployment_id)
        if deployment["status"] == "WAITING_APPROVAL":
            environment = client.environment(deployment["environment"])
            pages.put(approval.page(deployment, environment), sys.stdout)
            if not approval.agrees(sys.stdin, sys.stdout):
                sys.stdout.write("not approved; it goes on waiting\n")
                return exits.WAITING
    return answer(client, deployment_id, "approve", follows=follows, as_json=as_json)
