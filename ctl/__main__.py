"""`python -m ctl`: start rollouts, follow them, look at what is there, store a secret."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from ctl import progress
from ctl.client import ApiError, Client

API_VARIABLE = "CONTROL_API_URL"


_VERBS = {
    "abort": "stop a deployment; what it released goes back",
    "approve": "let a deployment that waits for a person go on",
    "resume": "go on where a deployment failed, in a new one, and follow it",
}


class Refused(Exception):
    """The command cannot begin; exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 done, 1 what was asked has failed, 2 it could not begin."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked, _client()))
    except ApiError as error:
        sys.stderr.write(f"proxyctl: {error.told()}\n")
        return 1
    except TimeoutError as late:
        sys.stderr.write(f"proxyctl: {late}\n")
        return 1
    except Refused as refusal:
        sys.stderr.write(f"proxyctl: {refusal}\n")
        return 2
    except BotoCoreError as problem:
        sys.stderr.write(f"proxyctl: AWS credentials cannot be used: {problem}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nproxyctl: stopped following; what was started runs on\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proxyctl", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    deploy = commands.add_parser("deploy", help="start a deployment and follow it")
    deploy.add_argument("environment")
    deploy.add_argument(
        "--action", default="deploy", help="deploy (default), plan, revalidate, rollback, cleanup or drill"
    )
    deploy.add_argument("--config", help="JSON object, or @file: how the environment should be")
    deploy.add_argument("--options", help="JSON object, or @file: for this run only")
    deploy.add_argument("--idempotency-key", help="the same key starts the same deployment once")
    deploy.add_argument("--no-follow", action="store_true", help="print the id and leave")
    deploy.set_defaults(run=_deploy)
    listing = commands.add_parser("list", help="deployments, newest first")
    listing.add_argument("environment", nargs="?")
    listing.set_defaults(run=_list)
    show = commands.add_parser("show", help="one deployment with every phase and its evidence, as JSON")
    show.add_argument("id")
    show.add_argument("--follow", action="store_true", help="watch it until it has ended")
    show.set_defaults(run=_show)
    for verb, help_text in _VERBS.items():
        command = commands.add_parser(verb, help=help_text)
        command.add_argument("id")
        command.set_defaults(run=_command, verb=verb)
    for name in ("report", "handoff"):
        document = commands.add_parser(name, help=f"the deployment's {name}, to standard output")
        document.add_argument("id")
        document.set_defaults(run=_document, name=name)
    environments = commands.add_parser("environments", help="what there is, or one environment as JSON")
    environments.add_argument("environment", nargs="?")
    environments.set_defaults(run=_environments)
    secret = commands.add_parser("secret", help="secrets of an environment").add_subparsers(required=True)
    put = secret.add_parser("set", help="store the proxy's secret: JSON on standard input, or the key at a prompt")
    put.add_argument("environment")
    put.set_defaults(run=_secret_set)
    return parser


def _client() -> Client:
    url = os.environ.get(API_VARIABLE, "")
    if not url:
        raise Refused(f"{API_VARIABLE} is not set; for the embedded cloud: . .local/env, else see bootstrap.py status")
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))  # the AWS CLI reads it, boto3 does not
    if not session.region_name:
        raise Refused("no AWS region; set AWS_REGION")
    if session.get_credentials() is None:
        raise Refused("no AWS credentials; set them as for the AWS CLI")
    return Client(url, session, session.region_name)


def _deploy(asked: argparse.Namespace, client: Client) -> int:
    body: dict[str, Any] = {"environment": asked.environment, "action": asked.action}
    for name in ("config", "options"):
        given = getattr(asked, name)
        if given:
            body[name] = _json(f"--{name}", given)
    started = client.start(body, asked.idempotency_key)
    if asked.no_follow:
        _out(str(started["id"]))
        return 0
    return _follow(client, str(started["id"]))


def _follow(client: Client, deployment_id: str) -> int:
    ended = progress.watch(client.follow(deployment_id))
    if ended["status"] == "SUCCEEDED":
        for step in ended.get("steps", []):
            if step["name"] == "make_plan":
                _out(str(step["evidence"]["text"]))
                _out(f"expected_plan {step['evidence']['digest']}")
        _out(f"{deployment_id}: SUCCEEDED {ended.get('summary', '')}".rstrip())
        return 0
    sys.stderr.write(f"proxyctl: deployment {deployment_id}: {progress.failure(ended)}\n")
    return 1


def _command(asked: argparse.Namespace, client: Client) -> int:
    told = client.command(asked.id, asked.verb)
    if asked.verb == "resume":
        return _follow(client, str(told["id"]))
    _out(f"{told['id']}: {told['status']} {told.get('summary', '')}".rstrip())
    return 0


def _document(asked: argparse.Namespace, client: Client) -> int:
    _out(client.document(asked.id, asked.name).rstrip())
    return 0


def _list(asked: argparse.Namespace, client: Client) -> int:
    for one in client.deployments(asked.environment):
        columns = (one["created_at"], one["id"], one["environment"], one["action"], one["status"])
        _out("  ".join(str(column) for column in columns) + f"  {one.get('summary', '')}".rstrip())
    return 0


def _show(asked: argparse.Namespace, client: Client) -> int:
    if asked.follow:
        return _follow(client, asked.id)
    _out_json(client.deployment(asked.id))
    return 0


def _environments(asked: argparse.Namespace, client: Client) -> int:
    if asked.environment:
        _out_json(client.environment(asked.environment))
        return 0
    for one in client.environments():
        live = one.get("live") or {}
        _out(f"{one['name']}  {one.get('status', '')}  live version {live.get('version', 'none')}")
    return 0


def _secret_set(asked: argparse.Namespace, client: Client) -> int:
    if sys.stdin.isatty():
        # Never from the arguments: they stand in the shell's history and in every process list.
        secret: dict[str, Any] = {"schema": 1, "api_key": getpass.getpass("OpenAI API key: "), "models": {}}
    else:
        secret = _json("standard input", sys.stdin.read())
    _out_json(client.put_secret(asked.environment, secret))
    return 0


def _json(where: str, given: str) -> dict[str, Any]:
    try:
        if given.startswith("@"):
            with open(given[1:], encoding="utf-8") as handle:  # noqa: PTH123 - a path from the command line
                given = handle.read()
        value = json.loads(given)
    except (OSError, ValueError) as problem:
        raise Refused(f"{where} is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise Refused(f"{where} must be a JSON object")
    return value


def _out(line: str) -> None:
    sys.stdout.write(line + "\n")


def _out_json(value: Mapping[str, Any]) -> None:
    _out(json.dumps(value, indent=2, sort_keys=False, default=str))


if __name__ == "__main__":
    sys.exit(main())
