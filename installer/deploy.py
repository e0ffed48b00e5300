"""`up`, `status` and `down`: the control plane in whatever AWS the environment names."""

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ctl.client import ApiError, Client
from installer import bucket, gaps, target
from installer.errors import CannotStart, CommandFailed
from installer.packaging import archive, bundle, control_plane
from installer.say import say, tell
from installer.stack import Stack
from installer.target import Target

_T = TypeVar("_T")
CHANGE_SET = "proxyctl-up"  # with a suffix: two people who upgrade at once must not take each other's
TABLE = "proxyctl"


def up(root: Path, aws: Target, faults_url: str = "") -> dict[str, str]:
    """Install or upgrade; answers the stack's outputs. Nothing to do is said, not done again.

    faults_url: control address of the OpenAI stand-in; "" where the upstream is the real one.
    """
    began = time.monotonic()
    cache = root / ".local" / "build"
    packaged = _timed("package", lambda: control_plane.build(root, cache, aws.platform))
    control_plane.check_functions_are_known(root, packaged.template)
    bundled = _timed("bundle", lambda: bundle.build(root, cache))
    made = bucket.ensure(aws)
    located = packaged.located(aws.bucket)
    template = json.dumps(gaps.widened(located) if aws.embedded else located, sort_keys=True).encode()
    template_key = f"controlplane/template-{archive.digest(template)[:20]}.json"
    objects = {**packaged.code, bundled.key: bundled.content, template_key: template}
    uploaded = _timed("upload", lambda: sum(bucket.upload(aws, key, content) for key, content in objects.items()))
    parameters = {
        "BucketName": aws.bucket,
        "BundleKey": bundled.key,
        "ProxyRuntime": "provided.al2023" if aws.embedded else target.runtime(),
        "ResponseMode": "buffered" if aws.embedded else "stream",
        "UpstreamFaultsUrl": faults_url,
    }
    stack = Stack(aws.client("cloudformation"), progress=tell)
    url = _template_url(aws, template_key)
    outcome = _timed("stack", lambda: stack.deploy(url, parameters, f"{CHANGE_SET}-{secrets.token_hex(4)}"))
    if made:
        tell(f"bucket {aws.bucket}: created")
    change = "deployed" if outcome.changed else "nothing to change"
    tell(f"control plane: {change}, {uploaded} objects uploaded, {time.monotonic() - began:.1f} s")
    return dict(outcome.outputs)


def api_url(aws: Target, outputs: dict[str, str]) -> str:
    """The control API's address. Chalice's own output has AWS's host name, which the embedded cloud does not serve."""
    return aws.api_url(outputs["RestAPIId"], control_plane.STAGE)


def status(aws: Target) -> int:
    """Print what stands; 0 if all is well."""
    found = Stack(aws.client("cloudformation")).describe()
    say(f"account      {aws.account} ({aws.partition}), {aws.region}{', embedded' if aws.embedded else ''}")
    say(f"caller       {aws.caller}")
    if found is None:
        say("control plane: not installed (python3 bootstrap.py up)")
        return 1
    say(f"stack        {found['StackName']}: {found['StackStatus']}")
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    if "RestAPIId" not in outputs:
        say("The stack has no API: run `python3 bootstrap.py up` again.")
        return 1
    url = api_url(aws, outputs)
    say(f"API          {url}")
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    say(f"bundle       {parameters.get('BundleKey', '?')}")
    client = Client(url, aws.session, aws.region)
    try:
        say(f"health       {client.health().get('status')}")
        environments = client.environments()
    except ApiError as error:
        say(f"health       {error.told()}")
        return 1
    for one in environments:
        live = one.get("live") or {}
        holder = (one.get("lock") or {}).get("deployment_id")
        busy = f", busy with {holder}" if holder else ""
        say(f"environment  {one['name']}: {one.get('status')}, live version {live.get('version', 'none')}{busy}")
    if not environments:
        say("environment  none yet")
    return 0


def down(aws: Target, force: bool) -> None:
    """Remove stack, table and bucket. Raises CannotStart while environments exist, unless forced."""
    stack = Stack(aws.client("cloudformation"), progress=tell)
    standing = _environment_stacks(aws)
    if standing and not force:
        raise CannotStart(
            f"environments exist: {', '.join(standing)}; clean them up first "
            "(.venv/bin/python -m ctl cleanup NAME), or take --force to leave them to themselves"
        )
    say(f"stack proxyctl: {'removed' if stack.delete() else 'there was none'}")
    say(_delete_table(aws))
    say(bucket.remove(aws))


def _environment_stacks(aws: Target) -> list[str]:
    prefix = "proxyctl-env-"
    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"]]
    names = [str(one["StackName"]) for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def _delete_table(aws: Target) -> str:
    """The stack keeps its table when it goes, so that a stack deleted by mistake loses no record; here it is meant."""
    dynamodb = aws.client("dynamodb")
    try:
        dynamodb.delete_table(TableName=TABLE)
        dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 2, "MaxAttempts": 90})
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return f"table {TABLE}: there was none"
    return f"table {TABLE}: removed"


def _template_url(aws: Target, key: str) -> str:
    if aws.embedded:
        return f"{aws.endpoint}/{aws.bucket}/{key}"
    suffix = "amazonaws.com.cn" if aws.partition == "aws-cn" else "amazonaws.com"
    return f"https://{aws.bucket}.s3.{aws.region}.{suffix}/{key}"


def _timed(step: str, work: Callable[[], _T]) -> _T:
    began = time.monotonic()
    done = work()
    tell(f"  {step:<8} {time.monotonic() - began:5.1f} s")
    return done


def explained(work: Callable[[], _T]) -> _T:
    """Run `work`; what AWS refuses becomes a line that names the call and the reason."""
    try:
        return work()
    except ClientError as error:
        told = error.response.get("Error", {})
        raise CommandFailed(f"{error.operation_name}: {told.get('Code')}: {told.get('Message')}") from error
    except BotoCoreError as error:
        raise CommandFailed(f"AWS: {error}") from error
