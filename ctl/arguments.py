"""The command line: which commands there are, what each takes, and what `--help` says of it."""

import argparse
from collections.abc import Callable

from ctl import looking, rolling, secret, words
from ctl.console import command as console

_ACTIONS = ("deploy", "plan", "revalidate", "rollback", "cleanup", "drill")
_STATES = ("PENDING", "RUNNING", "WAITING_APPROVAL", "SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED")

_VERBS = {
    "abort": "stop a deployment; what it released goes back",
    "approve": "let a deployment that waits for a person go on: users get the new version",
    "resume": "go on where a deployment failed, in a new one, and follow it",
}

# Each is `deploy --action NAME` in one word.
_SHORT = {
    "plan": "what a deploy would do, phase by phase; changes nothing, and prints the plan's digest for --expected-plan",
    "rollback": "back to the version that was good before, code and settings",
    "revalidate": "check what is live again: drift, endpoints, errors, a light load",
    "cleanup": "remove the environment and prove that nothing is left",
    "drill": "prove the whole way on an environment of its own, made after this one, broken, updated and removed",
}

_SET_TEXT = """\
At a terminal it asks for the key and stores that alone: models, client keys and all else in the secret stay.
Standard input may hold the key alone (the same happens), or a JSON object, which replaces the whole secret:

  {"schema": 1, "api_key": "sk-…", "models": {"fast": {"target": "gpt-4o-mini"}},
   "client_keys": [{"id": "team-a", "sha256": "…"}]}

The key is never taken from the arguments: they stand in the shell's history and in every list of processes.
"""

_EPILOG = """\
exit codes: 0 done, 1 what was asked has failed (the cause and its remedy are told), 2 it could not begin.
CONTROL_API_URL, AWS_REGION and credentials come from the environment, as for the AWS CLI; for the cloud of
`make demo`: . .local/env
"""

_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers answers


def parser() -> argparse.ArgumentParser:
    """Each command's namespace has `run`, and `reads` where it changes nothing and may be cut off by a closed pipe."""
    made = argparse.ArgumentParser(
        prog=words.command(),
        description="Start rollouts, follow them, look at what is there, store a secret, open the console.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(reads=False)
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    _deploy(commands)
    for action, text in _SHORT.items():
        _short(commands, action, text)
    _answers(commands)
    _looking(commands)
    _secret(commands)
    console.add_to(commands)
    return made


def _add(commands: "_Commands[argparse.ArgumentParser]", name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")


def _deploy(commands: "_Commands[argparse.ArgumentParser]") -> None:
    deploy = _add(commands, "deploy", "start a deployment and follow it to its end")
    _starting(deploy)
    _configured(deploy)
    deploy.add_argument("--action", choices=_ACTIONS, default="deploy", help="default: deploy; each is a command, too")
    deploy.add_argument("--approval", action="store_true", help="wait for `approve` before users get the new version")
    deploy.add_argument("--expected-plan", metavar="DIGEST", help="refuse to run unless `plan` still says this")
    deploy.add_argument("--force", action="store_true", help="run every phase, also where nothing has changed")
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
    command.add_argument("--wait", action="store_true", help="stand in line if the environment is busy")
    command.add_argument("--options", help="JSON object, or @file: for this run only (all of them: GET /openapi.json)")
    command.add_argument("--idempotency-key", help="the same key starts the same deployment once")
    command.add_argument("--no-follow", action="store_true", help="print the id and leave")


def _configured(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", help="JSON object, or @file: how the environment should be (default: as it is)")


def _to(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument(
        "--to", metavar="VERSION", help=f"the version to go back to{when}; default: the one that was good before"
    )


def _heal(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument("--heal", action="store_true", help=f"put drift back where that is safe{when}")


def _remove_secret(command: argparse.ArgumentParser, when: str = "") -> None:
    command.add_argument("--remove-secret", action="store_true", help=f"the secret goes, too{when}")


def _answers(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for verb, text in _VERBS.items():
        command = _add(commands, verb, text)
        command.add_argument("id")
        if verb == "resume":
            command.set_defaults(follow=True)
        else:
            command.add_argument("--follow", action="store_true", help="watch it until it has ended")
        command.set_defaults(run=rolling.answer, verb=verb)


def _looking(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for name, text in (("list", "deployments, newest first"), ("deployments", "the same as list")):
        listing = _add(commands, name, text)
        listing.add_argument("environment", nargs="?")
        listing.add_argument("--status", choices=_STATES)
        listing.add_argument("--limit", type=int, metavar="N", help="how many, 1 to 100 (default: 20)")
        _json(listing).set_defaults(run=looking.index, reads=True)
    show = _add(commands, "show", "one deployment: every phase with its time, what it says, errors and remedies")
    show.add_argument("id")
    show.add_argument("--follow", action="store_true", help="watch it until it has ended")
    _json(show).set_defaults(run=looking.show, reads=True)
    for name in ("report", "handoff"):
        document = _add(commands, name, f"the deployment's {name}, to standard output")
        document.add_argument("id")
        document.set_defaults(run=looking.document, name=name, reads=True)
    environments = _add(commands, "environments", "what there is, or one environment with its history and DORA figures")
    environments.add_argument("environment", nargs="?")
    _json(environments).set_defaults(run=looking.environments, reads=True)
    nights = _add(commands, "nights", "what came of the last nightly revalidations")
    _json(nights).set_defaults(run=looking.nights, reads=True)


def _json(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--json", action="store_true", help="as the API answers it, with all evidence")
    return command


def _secret(commands: "_Commands[argparse.ArgumentParser]") -> None:
    secrets = _add(commands, "secret", "the secret of an environment: the provider's key, models, client keys")
    put = secrets.add_subparsers(required=True, metavar="set").add_parser(
        "set",
        help="a new key, or the whole secret",
        description=_SET_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    put.add_argument("environment")
    put.set_defaults(run=secret.set_secret)
