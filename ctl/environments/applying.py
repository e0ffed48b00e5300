"""`apply`: read the files, show what differs, ask, roll."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ctl import exits, rolling
from ctl.client import Client
from ctl.difference import shown
from ctl.environments import files, references
from ctl.environments.compare import Deployed, compare
from ctl.environments.files import EnvironmentFile
from ctl.environments.waves import Change, Run, roll, waves_of
from ctl.inputs import Refused
from ctl.shapes import Deployment, SecretView
from ctl.signed import ApiError
from ctl.view import pages
from ctl.view.styles import Line
from ctl.words import clean


def plan(environments: Sequence[EnvironmentFile], client: Client) -> list[Change]:
    """What differs, an entry for each file."""
    return [_change(environment, client) for environment in environments]


def _change(wanted: EnvironmentFile, client: Client) -> Change:
    document = references.document(wanted, references.reader(client))
    deployed = look(wanted.name, client, wanted.place)
    difference = compare(wanted, document, deployed)
    if difference.is_new and not deployed.secret and not document and not wanted.config.get("secret_arn"):
        raise Refused(
            f"{wanted.path}: {wanted.name} has no secret yet; name the key with "
            f"`provider: {{api_key: {{env: OPENAI_API_KEY}}}}`, or store it: proxyctl secret set {wanted.name}"
        )
    return Change(wanted, difference, document, deployed.secret)


def look(name: str, client: Client, place: Mapping[str, str]) -> Deployed:
    """What the control plane has on record of an environment. place: `EnvironmentFile.place`."""
    try:
        environment = client.environment(name)
    except ApiError as error:
        if error.status != 404:
            raise
        return Deployed(None, None, _secret(name, client, place))
    return Deployed(environment, _newest_deploy(name, client), _secret(name, client, place))


def _newest_deploy(name: str, client: Client) -> Deployment | None:
    successful = client.deployments(name, "SUCCEEDED", 100)
    return next((item for item in successful if item.get("action") in ("deploy", "promote")), None)


def _secret(name: str, client: Client, place: Mapping[str, str]) -> SecretView | None:
    """None when there is none, or when the control plane has no such route yet (API Gateway then answers 403)."""
    try:
        return client.secret(name, place)
    except ApiError as error:
        if error.status not in (403, 404, 405):
            raise
        return None


def page(changes: Sequence[Change]) -> Iterator[Line]:
    """Wave by wave, what differs field by field; of the secret, the names of fields only."""
    waves = waves_of(changes)
    for number, wave in enumerate(waves, 1):
        if len(waves) > 1:
            yield f"wave {number} of {len(waves)} (order {wave[0].wanted.order})", "bold"
        for change in wave:
            yield from _lines(change)


def _lines(change: Change) -> Iterator[Line]:
    name, difference = change.wanted.name, change.difference
    if not difference:
        yield f"{name}: nothing differs", "dim"
        return
    yield f"{name}: {'new environment' if difference.is_new else 'differs'}", "yellow"
    for setting in difference.settings:
        yield clean(f"  {shown(setting)}"), ""
    for field in difference.secret:
        if field != "schema":
            yield clean(f"  ~ secret.{field}: {_secret_text(field, change)}"), ""


def _secret_text(field: str, change: Change) -> str:
    """Names of models and client keys before and after; of any other field no value."""
    stored: SecretView = change.stored or {}
    wanted = change.document[field]
    if field == "models":
        return f"{_names(stored.get('models', []))} -> {_names(wanted)}"
    if field == "client_keys":
        return f"{_names(stored.get('client_keys', []))} -> {_names(key['id'] for key in wanted)}"
    return "(not shown)"


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def as_json(changes: Sequence[Change]) -> str:
    """The same for programs."""
    return json.dumps(
        {
            "environments": [
                {
                    "name": change.wanted.name,
                    "order": change.wanted.order,
                    "new": change.difference.is_new,
                    "settings": [shown(item) for item in change.difference.settings],
                    "secret": list(change.difference.secret),
                }
                for change in changes
            ]
        }
    )


def run(
    client: Client,
    paths: Iterable[Path],
    *,
    settings: Sequence[str],
    only: Sequence[str],
    reason: str | None,
    plans: Mapping[str, str],
    dry_run: bool,
    yes: bool,
    waits: bool,
    json_lines: bool,
) -> int:
    """Apply the files. Raises Refused for a wrong file, and where a person would be asked but there is no terminal."""
    changes = plan(files.load(paths, settings, only), client)
    if json_lines:
        sys.stdout.write(as_json(changes) + "\n")
    else:
        pages.put(page(changes), sys.stdout)
    rolled = [change for change in changes if change.difference]
    if dry_run or not rolled:
        return exits.DONE
    if not yes and (json_lines or not sys.stdin.isatty()):
        raise Refused("apply asks before it rolls, and this is no terminal; add --yes to roll, or --dry-run to compare")
    if not yes and not _agrees(f"Roll {', '.join(change.wanted.name for change in rolled)}? [y/N] "):
        sys.stdout.write("nothing was rolled\n")
        return exits.DONE

    def follow(deployment_id: str) -> int:
        return rolling.follow(client, deployment_id, as_json=json_lines)

    def gate(order: int) -> bool:
        return yes or _agrees(f"Go on with order {order}? [y/N] ")

    return roll(rolled, Run(client, reason, waits, json_lines, follow, gate, plans))


def expected_plans(pairs: Iterable[str]) -> dict[str, str]:
    """Digests by environment, of `NAME=DIGEST`. Raises Refused."""
    plans: dict[str, str] = {}
    for pair in pairs:
        name, equals, digest = pair.partition("=")
        if not name or not equals or not digest:
            raise Refused(f"--expected-plan {pair} is not NAME=DIGEST")
        plans[name] = digest
    return plans


def _agrees(question: str) -> bool:
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
