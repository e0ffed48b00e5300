"""`up`, `status` and `down`: the control plane in the AWS that the environment names."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ctl.client import ApiError, Client
from ctl.shapes import Environment
from installer import bucket, gaps, retained, target
from installer.choices import choose
from installer.choices.choose import Chosen, Wanted
from installer.errors import CannotStart, CommandFailed
from installer.packaging import archive, bundle, control_plane, template
from installer.packaging.bundle import Bundle
from installer.packaging.install_options import TAGS
from installer.retained import Import
from installer.say import say, tell
from installer.stack import Deployer, Outcome
from installer.target import Target

_T = TypeVar("_T")
Detail = Callable[[str], None]
CHANGE_SET = "proxyctl-up"  # with a suffix: two people who upgrade at once must not share a change set
TABLE = "proxyctl"
SECRETS = "proxyctl/"
DASHBOARD = "proxyctl"
ENVIRONMENT_STACKS = "proxyctl-env-"


def up(
    root: Path, aws: Target, faults_url: str | None = None, detail: Detail = tell, wanted: Wanted | None = None
) -> dict[str, str]:
    """Install or upgrade; returns the stack's outputs. When nothing has changed, it says so and changes nothing.

    faults_url: control address of the OpenAI stand-in; "" where the upstream is the real one; None keeps what was set
    at installation. detail: prints the seconds of each step. wanted: beside the defaults; None keeps what is installed.
    """
    began = time.monotonic()
    chosen = choose.choose(aws, wanted or Wanted(), _deployer(aws).find())
    aws = chosen.target
    cache = root / ".local" / "build"
    packaged = _timed(detail, "package", lambda: control_plane.build(root, cache, aws.platform))
    control_plane.check_functions_exist(root, packaged.template)
    bundled = _timed(detail, "bundle", lambda: bundle.build(root, cache))
    detail(choose.prepare_bucket(chosen))
    key, uploaded = _upload(aws, packaged, bundled, detail)
    left = retained.existing(aws, packaged.template)
    parameters = {**_parameters(aws, bundled, faults_url), **chosen.parameters, TAGS: chosen.tags_as_json}
    outcome = _timed(detail, "stack", lambda: _deploy(chosen, key, parameters, left))
    change = "deployed" if outcome.changed else "nothing to change"
    tell(f"control plane: {change}, {uploaded} objects uploaded, {time.monotonic() - began:.1f} s")
    return dict(outcome.outputs)


def _upload(aws: Target, packaged: control_plane.Package, bundled: Bundle, detail: Detail) -> tuple[str, int]:
    """The template's key, and how many objects were not in the bucket before."""
    located = packaged.located(aws.bucket)
    content = json.dumps(gaps.widened(located) if aws.embedded else located, sort_keys=True).encode()
    key = f"controlplane/template-{archive.digest(content)[:20]}.json"
    objects = {**packaged.code, bundled.key: bundled.content, key: content}
    return key, _timed(detail, "upload", lambda: sum(bucket.upload(aws, name, data) for name, data in objects.items()))


def _parameters(aws: Target, bundled: Bundle, faults_url: str | None) -> dict[str, str]:
    if faults_url is None:
        installed = _deployer(aws).find()
        faults_url = installed.parameters.get("UpstreamFaultsUrl", "") if installed else ""
    return {
        "BundleKey": bundled.key,
        "ProxyRuntime": "provided.al2023" if aws.embedded else target.runtime(),
        "ResponseMode": "buffered" if aws.embedded else "stream",
        "UpstreamFaultsUrl": faults_url,
    }


def _deploy(chosen: Chosen, template_key: str, parameters: dict[str, str], left: Import | None) -> Outcome:
    change_set, deployer = f"{CHANGE_SET}-{secrets.token_hex(4)}", _deployer(chosen.target)
    deployer.tags = [*deployer.tags, *chosen.stack_tags]
    return deployer.deploy(chosen.target.object_url(template_key), parameters, change_set, left)


def _deployer(aws: Target) -> Deployer:
    return Deployer(aws.client("cloudformation"), progress=tell)


def api_url(aws: Target, outputs: Mapping[str, str]) -> str:
    """The control API's address. Chalice's own output has AWS's host name, which the embedded cloud does not serve."""
    return aws.api_url(outputs["RestAPIId"], template.STAGE)


def status(aws: Target) -> int:
    """Print the control plane's state; 0 if it answers."""
    stack = _deployer(aws).find()
    say(f"account      {aws.account} ({aws.partition}), {aws.region}{', embedded' if aws.embedded else ''}")
    say(f"caller       {aws.caller}")
    if stack is None:
        say("control plane: not installed (python3 bootstrap.py up)")
        return 1
    say(f"stack        {stack.name}: {stack.status}")
    if "RestAPIId" not in stack.outputs:
        say("The stack has no API: run `python3 bootstrap.py up` again.")
        return 1
    url = api_url(aws, stack.outputs)
    say(f"API          {url}")
    say(f"bundle       {stack.parameters.get('BundleKey', '?')}")
    return _print_health(Client(url, aws.session, aws.region))


def _print_health(client: Client) -> int:
    try:
        say(f"health       {client.health().get('status')}")
        environments = client.environments()
    except ApiError as error:
        say(f"health       {error.describe()}")
        return 1
    for environment in environments:
        say(f"environment  {_summary(environment)}")
    if not environments:
        say("environment  none yet")
    return 0


def _summary(environment: Environment) -> str:
    live = environment.get("live") or {}
    deployment_id = (environment.get("lock") or {}).get("deployment_id")
    busy = f", locked by {deployment_id}" if deployment_id else ""
    return f"{environment['name']}: {environment.get('status')}, live version {live.get('version', 'none')}{busy}"


def down(aws: Target, force: bool, bucket_name: str | None = None) -> None:
    """Remove stack, table and bucket; of a bucket of the customer's our objects. Raises CannotStart while environments
    exist, unless forced. bucket_name: of the customer's own, for a removal that was broken off after its stack.
    """
    aws = choose.located(aws, bucket_name, _deployer(aws).find())
    existing = environments(aws)
    if existing and not force:
        raise CannotStart(
            f"environments exist: {', '.join(existing)}; clean them up first "
            "(.venv/bin/python -m ctl cleanup NAME), or use --force to leave them running"
        )
    say(f"stack proxyctl: {'removed' if _deployer(aws).delete() else 'there was none'}")
    say(_delete_table(aws))
    say(_delete_dashboard(aws))
    say(choose.remove_bucket(aws))
    for line in remaining_secrets(aws):
        say(line)


def remaining_secrets(aws: Target) -> list[str]:
    """A line for each secret that stays, with the command that deletes it: `down` deletes no key of a provider."""
    pages = (
        aws.client("secretsmanager")
        .get_paginator("list_secrets")
        .paginate(Filters=[{"Key": "name", "Values": [SECRETS]}])
    )
    names = sorted(str(secret["Name"]) for page in pages for secret in page["SecretList"])
    return [
        f"secret {name} stays ($0.40 a month); to delete it: aws secretsmanager delete-secret --secret-id {name}"
        for name in names
        if name.startswith(SECRETS)
    ]


def environments(aws: Target) -> list[str]:
    """Environments by their stacks: the control plane that has their records may not answer any more."""
    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE"]
    names = [str(stack["StackName"]) for stack in stacks]
    return sorted(name.removeprefix(ENVIRONMENT_STACKS) for name in names if name.startswith(ENVIRONMENT_STACKS))


def _delete_table(aws: Target) -> str:
    """The stack retains its table, so that a stack deleted by mistake loses no record. `down` deletes it, too."""
    dynamodb = aws.client("dynamodb")
    try:
        dynamodb.delete_table(TableName=TABLE)
        dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 2, "MaxAttempts": 90})
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return f"table {TABLE}: there was none"
    return f"table {TABLE}: removed"


def _delete_dashboard(aws: Target) -> str:
    """The dashboard of all environments; the clean-up of the last one has removed it, unless they were left running."""
    try:
        aws.client("cloudwatch").delete_dashboards(DashboardNames=[DASHBOARD])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "DashboardNotFoundError"):
            raise
        return f"dashboard {DASHBOARD}: there was none"
    return f"dashboard {DASHBOARD}: removed"


def _timed(detail: Detail, step: str, work: Callable[[], _T]) -> _T:
    began = time.monotonic()
    result = work()
    detail(f"  {step:<8} {time.monotonic() - began:5.1f} s")
    return result


def explained(work: Callable[[], _T]) -> _T:
    """Run `work`. Raises CommandFailed naming call and reason for what AWS refuses."""
    try:
        return work()
    except ClientError as error:
        detail = error.response.get("Error", {})
        raise CommandFailed(f"{error.operation_name}: {detail.get('Code')}: {detail.get('Message')}") from error
    except BotoCoreError as error:
        raise CommandFailed(f"AWS: {error}") from error
