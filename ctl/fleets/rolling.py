"""Commands on fleets: start a deployment in waves and follow it; show, abort or approve one."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from ctl import exits, rolling
from ctl.client import FINAL, Client
from ctl.fleets import calls, pages
from ctl.fleets.shapes import FleetDeployment
from ctl.inputs import Refused
from ctl.remedies import in_flags
from ctl.view import pages as view
from ctl.words import clean, command


def body_of(
    waves: Sequence[str],
    action: str,
    flags: dict[str, Any],
    *,
    gate: dict[str, Any],
    whole: dict[str, Any],
    config: str | None,
    options: str | None,
    settings: tuple[str, ...],
) -> dict[str, Any]:
    """The body of POST /fleets/{name}/deployments. waves: each as `eu,us`. Raises Refused for a wave without a name."""
    lists = [[name.strip() for name in wave.split(",") if name.strip()] for wave in waves]
    for number, names in enumerate(lists, 1):
        if not names:
            raise Refused(f"--wave {number} names no environment")
    body = rolling.request("", action, flags, config=config, options=options, settings=settings)
    del body["environment"]
    limits = {name: value for name, value in gate.items() if value}
    return (
        body
        | {"waves": lists}
        | ({"gate": limits} if limits else {})
        | {k: v for k, v in whole.items() if v is not None}
    )


def start(client: Client, name: str, body: dict[str, Any], key: str | None, *, follows: bool, as_json: bool) -> int:
    """POST, and the whole to its end."""
    started = calls.start(client, name, body, key)
    if follows:
        return follow(client, name, started["id"], as_json=as_json)
    sys.stdout.write(f"{json.dumps(started, indent=2) if as_json else clean(started['id'])}\n")
    return exits.DONE


def follow(client: Client, name: str, id_: str, *, as_json: bool) -> int:
    """Print what changes until the whole has ended, or until it waits for a person; the exit code of the outcome."""
    before: FleetDeployment | None = None
    try:
        for state in calls.follow(client, name, id_):
            lines = list(pages.changes(before, state))
            if as_json and lines:
                sys.stdout.write(f"{json.dumps(state)}\n")
            elif not as_json:
                sys.stdout.writelines(f"{line}\n" for line in lines)
            sys.stdout.flush()
            before = state
            if state["status"] == "WAITING_APPROVAL":
                break
    except (KeyboardInterrupt, TimeoutError):
        sys.stderr.write(f"\n  {command()} fleet status {clean(name)} {clean(id_)} --follow   # look again\n")
        raise
    assert before is not None, "the first state is shown before anything ends"
    return _outcome(before, as_json=as_json)


def show(client: Client, name: str, id_: str | None, *, follows: bool, as_json: bool) -> int:
    """One fleet deployment as it is, or to its end."""
    shown = calls.shown(client, name, id_)
    if follows and shown["status"] not in FINAL:
        return follow(client, name, shown["id"], as_json=as_json)
    if as_json:
        sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    else:
        view.put(pages.deployment(shown), sys.stdout)
    return exits.of_status(shown["status"]) if follows else exits.DONE


def answer(client: Client, name: str, id_: str | None, verb: str, *, follows: bool, as_json: bool) -> int:
    """abort, approve."""
    shown = calls.answer(client, name, id_, verb)
    if follows:
        return follow(client, name, shown["id"], as_json=as_json)
    sys.stdout.write(
        f"{json.dumps(shown, indent=2) if as_json else clean(shown['id']) + ': ' + clean(shown['status'])}\n"
    )
    return exits.DONE


def _outcome(ended: FleetDeployment, *, as_json: bool) -> int:
    code = exits.of_status(ended["status"])
    if code not in (exits.DONE, exits.WAITING):
        line = f"proxyctl: fleet {clean(ended['fleet'])}: {clean(in_flags(ended.get('summary') or ended['status']))}"
        view.put([(line, "")], sys.stderr)
    elif not as_json:
        view.put(pages.deployment(ended), sys.stdout)
    return code
