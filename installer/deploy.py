"""`up`, `status` and `down`: the control plane in the AWS that the environment names."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from chalicelib.domain.aws.stacks import Stack
from chalicelib.upgrade import versions

from ctl import __version__
from ctl.client import ApiError, Client
from ctl.shapes import Environment
from installer import bucket, places, retained, target
from installer.choices import choose
from installer.choices.choose import Chosen, Wanted
from installer.errors import CannotStart, CommandFailed
from installer.packaging import bundle, control_plane, releases, template
from installer.packaging.bundle import Bundle
from installer.packaging.install_options import TAGS
from installer.packaging.releases import Release
from installer.say import say, tell
from installer.stack import TABLE, Deployer, Outcome
from installer.target import Target
from installer.upgrades import stored_fields, upgrade

_T = TypeVar("_T")
Detail = Callable[[str], None]
CHANGE_SET = "proxyctl-up"  # with a suffix: two people who upgrade at once must not share a change set
SECRETS = "proxyctl/"
DASHBOARD = "proxyctl"
ENVIRONMENT_STACKS = "proxyctl-env-"


@dataclass(frozen=True)
class Way:
    """How to upgrade. direct: with the caller's own rights instead of by the control plane; allow_older: also back."""

    direct: bool = False
    allow_older: bool = False


def up(
    root: Path,
    aws: Target,
    faults_url: str | None = None,
    detail: Detail = tell,
    way: Way | None = None,
    wanted: Wanted | None = None,
) -> dict[str, str]:
    """Install, or let the control plane upgrade itself; returns the stack's outputs. When nothing has changed, it says
    so and changes nothing.

    Raises CannotStart in an account and region that is a target.

    faults_url: control address of the OpenAI stand-in; "" where the upstream is the real one; None keeps what was set
    at installation. detail: prints the seconds of each step. wanted: beside the defaults; None keeps what is installed.
    """
    began, way = time.monotonic(), way or Way()
    places.refuse_target(aws)
    installed = installed_stack(aws)
    chosen = choose.choose(aws, wanted or Wanted(), installed)
    aws = chosen.target
    cache = root / ".local" / "build"
    packaged = _timed(detail, "package", lambda: control_plane.build(root, cache, aws.platform))
    control_plane.check_functions_exist(root, packaged.template)
    bundled = _timed(detail, "bundle", lambda: bundle.build(root, cache))
    detail(choose.prepare_bucket(chosen))
    parameters = {**parameters_of(aws, bundled, faults_url, installed), **chosen.parameters, TAGS: chosen.tags_as_json}
    release = releases.of(aws, packaged, parameters, installed)
    # What a person chose for the installation is beyond what the control plane may change of itself.
    directly = way.direct or not upgrade.can_upgrade_itself(installed) or chosen.differs(installed)
    uploaded = _upload(aws, packaged, bundled, release, detail)
    if directly:
        outcome = _timed(detail, "stack", lambda: _deploy(chosen, packaged, release, installed))
    else:
        outcome = _timed(detail, "upgrade", lambda: _upgrade(aws, packaged, release, installed, way))
    change = "deployed" if outcome.changed else "nothing to change"
    tell(f"control plane: {change}, {uploaded} objects uploaded, {time.monotonic() - began:.1f} s")
    return dict(outcome.outputs)


def refuse_uninstalled(aws: Target) -> None:
    """Raises CannotStart unless a control plane is installed that can upgrade itself."""
    if not upgrade.can_upgrade_itself(installed_stack(aws)):
        raise CannotStart("there is no control plane here that could upgrade itself: run `python3 bootstrap.py up`")


def _upgrade(
    aws: Target, packaged: control_plane.Package, release: Release, installed: Stack | None, way: Way
) -> Outcome:
    """By the control plane itself."""
    if upgrade.serves(installed, release):
        return Outcome(False, installed.outputs if installed else {})
    client = Client(api_url(aws, installed.outputs if installed else {}), aws.session, aws.region)
    upgrade.roll(client, upgrade.upload(aws, packaged, release), allow_older=way.allow_older)
    stack = installed_stack(aws)
    return Outcome(True, stack.outputs if stack else {})


def _upload(aws: Target, packaged: control_plane.Package, bundled: Bundle, release: Release, detail: Detail) -> int:
    """How many objects were not in the bucket before."""
    content = release.published
    objects = {**packaged.code, bundled.key: bundled.content, releases.key_of(content): content}
    return _timed(detail, "upload", lambda: sum(bucket.upload(aws, name, data) for name, data in objects.items()))


def parameters_of(aws: Target, bundled: Bundle, faults_url: str | None, installed: Stack | None) -> dict[str, str]:
    """The stack's parameters, without those that tell one state of it from another."""
    if faults_url is None:
        faults_url = installed.parameters.get("UpstreamFaultsUrl", "") if installed else ""
    return {
        "BundleKey": bundled.key,
        "ProxyRuntime": "provided.al2023" if aws.embedded else target.runtime(),
        "ResponseMode": "buffered" if aws.embedded else "stream",
        "UpstreamFaultsUrl": faults_url,
        "Version": __version__,
    }


def _deploy(chosen: Chosen, packaged: control_plane.Package, release: Release, installed: Stack | None) -> Outcome:
    """With the caller's own rights, in one CloudFormation update."""
    aws, deployer = chosen.target, _deployer(chosen.target)
    deployer.tags = [*deployer.tags, *chosen.stack_tags]
    upgrade.refuse_newer_table(aws)
    if upgrade.table_format(aws):
        stored_fields.refuse_unknown(aws)
    left = retained.existing(aws, packaged.template)
    change_set = f"{CHANGE_SET}-{secrets.token_hex(4)}"
    url = aws.object_url(releases.key_of(release.published))
    kept = versions.kept(json.loads(release.template), installed.parameters) if installed else {}
    outcome = deployer.deploy(url, {**kept, **release.parameters}, change_set, left)
    upgrade.migrate(aws, outcome.outputs["UpgradeName"])
    return outcome


def installed_stack(aws: Target) -> Stack | None:
    """The control plane's stack; None without one."""
    return _deployer(aws).find()


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
    say(f"version      {stack.parameters.get('Version', '?')}, release {stack.parameters.get('Release', '?')}")
    for line in choose.described(stack):
        say(line)
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
    where = f", account {environment['account']}, {environment.get('region')}" if environment.get("account") else ""
    version = live.get("version", "none")
    return f"{environment['name']}: {environment.get('status')}, live version {version}{where}{busy}"


def down(aws: Target, force: bool, bucket_name: str | None = None) -> None:
    """Remove stack, table and bucket; of a bucket of the customer's our objects. Raises CannotStart while environments
    exist, unless forced. bucket_name: of the customer's own, for a removal that was broken off after its stack.
    """
    aws = choose.located(aws, bucket_name, installed_stack(aws))
    existing = [*environments(aws), *places.environments_elsewhere(aws)]
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
