"""The command line: the commands, their arguments and their help texts."""

import argparse
from collections.abc import Callable

from ctl import reading, rolling, secret, words
from ctl.console import command as console

_ACTIONS = ("deploy", "plan", "revalidate", "rollback", "cleanup", "drill")
_STATES = ("PENDING", "RUNNING", "WAITING_APPROVAL", "SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED")

_VERBS = {
    "abort": "stop a deployment and roll back what it released",
    "approve": "let a deployment that waits for approval go on: users get the new version",
    "resume": "continue a failed deployment in a new one, and follow it",
}

# Each is `deploy --action NAME` in one word.
_SHORT = {
    "plan": "what a deploy would do, phase by phase; changes nothing, and prints the plan's digest for --expected-plan",
    "rollback": "go back to the last good version, code and settings",
    "revalidate": "check again what is live: drift, endpoints, errors, a light load",
    "cleanup": "remove the environment and prove that nothing is left",
    "drill": "rehearse on a copy of this environment: create it, break it, update it, remove it",
}

_SET_TEXT = """\
At a terminal it prompts for the key and replaces only the key: models, client keys and all other fields stay.
Standard input may hold the key alone (with the same effect), or a JSON object, which replaces the whole secret:

  {"schema": 1, "api_key": "sk-…", "models": {"fast": {"target": "gpt-4o-mini"}},
   "client_keys": [{"id": "team-a", "sha256": "…"}]}

The key is never taken from the arguments: shells store those in their history, and every process list shows them.
"""

_EPILOG = """\
exit codes: 0 done; 1 it has failed, cause and remedy are printed; 2 it could not start.
CONTROL_API_URL, AWS_REGION and credentials come from the environment, as for the AWS CLI; for the cloud of
`make demo`: . .local/env
"""

_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def parser() -> argparse.ArgumentParser:
    """The parser. Its namespaces hold `run`, and `reads`: True for commands that change nothing."""
    top = argparse.ArgumentParser(
        prog=words.command(),
        description="Start rollouts, follow them, read records, store a secret, open the console.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.set_defaults(reads=False)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _deploy(commands)
    for action, text in _SHORT.items():
        _short(commands, action, text)
    _answers(commands)
    _reading(commands)
    _secret(commands)
    console.add_to(commands)
    return top


def _add(commands: "_Commands[argparse.ArgumentParser]", name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")


def _deploy(commands: "_Commands[argparse.ArgumentParser]") -> None:
    deploy = _add(commands, "deploy", "start a deployment and follow it to its end")
    _starting(deploy)
    _configured(deploy)
    deploy.add_argument("--action", choices=_ACTIONS, default="deploy", help="default: deploy; each is a command, too")
    deploy.add_argument("--approval", action="store_true", help="wait for `approve` before users get the new version")
    deploy.add_argument(
        "--expected-plan", metavar="DIGEST", help="refuse to run unless `plan` still prints this digest"
    )
    deploy.add_argument("--force", action="store_true", help="run every phase, even where nothing has changed")
    for option in (_to, _heal, _remove_secret):
        option(deploy, " (with --action)")
    deploy.set_defaults(run=rolling.start)


def _short(commands: "_Commands[argparse.ArgumentParser]", action: str, text: str) -> None:
    command = _add(commands, action, text)
    _starting(command)
    own: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "plan": _configured,
        "rollback": _to,
        "revalidate": _heal,
        "cleanup": _remove_secret,
    }
    if action in own:
        own[action](command)
    command.set_defaults(run=rolling.start, action=action)


def _starting(command: argparse.ArgumentParser) -> None:
    command.add_argument("environment")
    command.add_argument("--reason", help="why, for the record")
    command.add_argument("--wait", action="store_true", help="wait in line if the environment is busy")
    command.add_argument(
        "--options", help="JSON object, or @file: options of this run (all of them: GET /openapi.json)"
    )
    command.add_argument("--idempotency-key", help="the same key starts the same deployment once")
    command.add_argument("--no-follow", action="store_true", help="print the id and return at once")


def _configured(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", help="JSON object, or @file: settings to change; null resets one (default: none)")
    command.add_argument("--replace", action="store_true", help="settings that --config lacks get their defaults")
    command.add_argument(
        "--create", action="store_true", help="the environment is new, although its name is like another's"
    )


def _to(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument("--to", metavar="VERSION", help=f"the version to go back to{when}; default: the last good one")


def _heal(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument("--heal", action="store_true", help=f"repair drift where that is safe{when}")


def _remove_secret(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument("--remove-secret", action="store_true", help=f"remove the secret, too{when}")


def _answers(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for verb, text in _VERBS.items():
        command = _add(commands, verb, text)
        command.add_argument("id")
        if verb == "resume":
            command.set_defaults(follow=True)
        else:
            command.add_argument("--follow", action="store_true", help="follow it until it has ended")
        command.set_defaults(run=rolling.answer, verb=verb)


def _reading(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for name, text in (("list", "deployments, newest first"), ("deployments", "the same as list")):
        listing = _add(commands, name, text)
        listing.add_argument("environment", nargs="?")
        listing.add_argument("--status", choices=_STATES)
        listing.add_argument("--limit", type=int, metavar="N", help="how many, 1 to 100 (default: 20)")
        _json(listing).set_defaults(run=reading.index, reads=True)
    show = _add(commands, "show", "one deployment: every phase with its time and summary, errors and remedies")
    show.add_argument("id")
    show.add_argument("--follow", action="store_true", help="follow it until it has ended")
    _json(show).set_defaults(run=reading.show, reads=True)
    for name in ("report", "handoff"):
        document = _add(commands, name, f"the deployment's {name}, to standard output")
        document.add_argument("id")
        document.set_defaults(run=reading.document, name=name, reads=True)
    environments = _add(commands, "environments", "all environments, or one with its history and DORA figures")
    environments.add_argument("environment", nargs="?")
    _json(environments).set_defaults(run=reading.environments, reads=True)
    nights = _add(commands, "nights", "the results of the last nightly revalidations")
    _json(nights).set_defaults(run=reading.nights, reads=True)


def _json(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--json", action="store_true", help="the API's answer as JSON, with all evidence")
    return command


def _secret(commands: "_Commands[argparse.ArgumentParser]") -> None:
    group = _add(commands, "secret", "the secret of an environment: the provider's key, models, client keys")
    put = group.add_subparsers(required=True, metavar="set").add_parser(
        "set",
        help="a new key, or the whole secret",
        description=_SET_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    put.add_argument("environment")
    put.set_defaults(run=secret.set_secret)
