"""An upgrade of an installed control plane by itself: upload a release, ask the control API to roll it, follow it."""

import json
import time
from dataclasses import asdict

from botocore.exceptions import ClientError
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.described.effects import CONFIG_FIELDS
from chalicelib.stack import state
from chalicelib.upgrade import manifest, versions
from chalicelib.upgrade.formats.table_format import FORMAT

from ctl import __version__
from ctl.client import ApiError, Client
from ctl.shapes import Deployment
from ctl.view import progress
from installer import bucket
from installer.errors import CannotStart, CommandFailed
from installer.packaging import archive, releases
from installer.packaging.control_plane import Package
from installer.packaging.releases import Release
from installer.stack import TABLE
from installer.target import Target

LIMIT_S = 3_600.0
TARGET = "controlplane"
_FORMAT_KEY = {"pk": {"S": "FORMAT"}, "sk": {"S": "META"}}
_DIRECTLY = "python3 bootstrap.py up --direct works with your own rights, without the control plane"


def can_upgrade_itself(installed: Stack | None) -> bool:
    """Whether the stack is one whose control plane rolls itself: older ones, and broken ones, are updated directly."""
    if installed is None or installed.parameters.get("Publication", "none") == "none":
        return False
    return state.is_settled(installed.status) or state.in_progress(installed.status)


def serves(installed: Stack | None, release: Release) -> bool:
    """Whether the release is what serves already."""
    parameters = installed.parameters if installed else {}
    return all(parameters.get(name) == value for name, value in release.parameters.items())


def upload(aws: Target, packaged: Package, release: Release) -> str:
    """Store the release's template and manifest, beside its code; the manifest's key."""
    key = releases.key_of(release.template)
    document = manifest.Manifest(
        release=release.digest,
        version=__version__,
        table_format=FORMAT,
        config_fields=CONFIG_FIELDS,
        template=key,
        template_sha256=archive.digest(release.template),
        code={name: archive.digest(content) for name, content in packaged.code.items()},
        parameters={name: value for name, value in release.parameters.items() if name != "Publication"},
    )
    content = text_of(document)
    bucket.upload(aws, key, release.template)
    bucket.upload(aws, manifest.key_of(content), content)
    return manifest.key_of(content)


def text_of(document: manifest.Manifest) -> bytes:
    """The manifest as it lies in the bucket."""
    return json.dumps(asdict(document), sort_keys=True).encode()


def roll(client: Client, bundle: str, *, allow_older: bool) -> Deployment:
    """Start the upgrade and follow it to its end; one that runs already is followed first.

    Raises CommandFailed when it did not succeed, CannotStart when the control API does not take it.
    """
    body = {"target": TARGET, "bundle": bundle, "force": allow_older, "reason": "bootstrap.py"}
    ended = progress.watch(client.follow(_start(client, body), LIMIT_S))
    if ended["status"] != "SUCCEEDED":
        raise CommandFailed(f"upgrade {ended['id']}: {ended.get('summary') or progress.failure(ended)}")
    return ended


def _start(client: Client, body: dict[str, object]) -> str:
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            return client.start(body)["id"]
        except ApiError as error:
            holder = error.error.get("holder")
            if error.status != 409 or not holder or time.monotonic() > deadline:
                raise CannotStart(
                    f"the control API does not take the upgrade: {error.describe()}; {_DIRECTLY}"
                ) from error
            progress.watch(client.follow(holder, LIMIT_S))
            time.sleep(1)  # the lock is released right after the record says that it has ended


def refuse_newer_table(aws: Target) -> None:
    """Raises CannotStart when the table has a format that this checkout does not know."""
    present = table_format(aws)
    if present > FORMAT:
        raise CannotStart(
            f"the table has format {present}, and this checkout, which is older than what is installed, knows up to "
            f"{FORMAT}; use the newer checkout, or let it go back itself: bootstrap.py upgrade --to-older"
        )


def table_format(aws: Target) -> int:
    """The table's format; 0 without a table, 1 where no format is noted."""
    try:
        item = aws.client("dynamodb").get_item(TableName=TABLE, Key=_FORMAT_KEY, ConsistentRead=True).get("Item", {})
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return 0
    noted = [int(item[name]["N"]) for name in ("format", "moving_to") if name in item]
    return max(noted, default=1)


def migrate(aws: Target, function: str) -> None:
    """Give the table this checkout's format, after a direct installation. function: the Lambda `Upgrade`."""
    deadline = time.monotonic() + LIMIT_S
    while table_format(aws) != FORMAT:
        payload = json.dumps({"migrate": {"to": FORMAT}})
        answer = aws.client("lambda").invoke(FunctionName=function, Qualifier=versions.LIVE, Payload=payload.encode())
        if answer.get("FunctionError") or time.monotonic() > deadline:
            raise CommandFailed(f"the table did not get format {FORMAT}: {answer['Payload'].read().decode()[:300]}")
