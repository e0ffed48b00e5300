"""`target`: prepares an account and region, other than the control plane's own, for its environments."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.aws.targets import EXTERNAL_ID, STACK

from installer import bucket, deploy, places
from installer.errors import CannotStart
from installer.packaging import archive, target_template
from installer.say import say, tell
from installer.stack import STACK as CONTROL_PLANE
from installer.stack import TAGS, Deployer
from installer.target import Target

_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Wanted:
    """home: the control plane's account. external_id: to require. boundary: ARN of a permissions boundary for the
    functions' roles, "" for none. None keeps what the target has; a new one gets a random external ID and no boundary.
    tags: `KEY=VALUE`, beside the project's own.
    """

    home: str | None = None
    external_id: str | None = None
    boundary: str | None = None
    tags: tuple[str, ...] = ()


def install(root: Path, aws: Target, wanted: Wanted) -> dict[str, str]:
    """Make or update the target in the account and region of `aws`; answers config.target, and prints it.

    Raises CannotStart for a malformed value, and where a control plane is installed itself.
    """
    deployer = _deployer(aws, STACK)
    installed = deployer.find()
    before = installed.parameters if installed else {}
    home = _checked_account(wanted.home or before.get("HomeAccount", ""))
    external_id = _checked_id(wanted.external_id or before.get("ExternalId") or secrets.token_urlsafe(18))
    boundary = _checked_boundary(before.get("Boundary", "") if wanted.boundary is None else wanted.boundary, aws)
    deployer.tags = [*TAGS, *map(_tag, wanted.tags)]
    places.refuse_control_plane(aws, home)
    _refuse_another(home, before.get("HomeAccount", home), aws)
    if bucket.ensure(aws):
        tell(f"bucket {aws.bucket}: created")
    content = json.dumps(target_template.make(root), sort_keys=True).encode()
    key = f"controlplane/target-{archive.digest(content)[:20]}.json"
    bucket.upload(aws, key, content)
    parameters = {"HomeAccount": home, "ExternalId": external_id, "Boundary": boundary}
    outcome = deployer.deploy(aws.object_url(key), parameters, f"proxyctl-target-{secrets.token_hex(4)}")
    tell(f"target {aws.account}, {aws.region}: {'deployed' if outcome.changed else 'nothing to change'}")
    block = {"role_arn": outcome.outputs["RoleArn"], "external_id": external_id, "region": aws.region}
    say("config:\n  target:\n" + "\n".join(f"    {name}: {value}" for name, value in block.items()))
    return block


def remove(aws: Target, force: bool) -> None:
    """Remove the target. Raises CannotStart while environments exist here, unless forced."""
    environments = deploy.environments(aws)
    if environments and not force:
        raise CannotStart(
            f"environments exist in {aws.account}, {aws.region}: {', '.join(environments)}; clean them up first "
            "(python -m ctl cleanup NAME, where the control plane is), or use --force to leave them running"
        )
    if _deployer(aws, CONTROL_PLANE).find():
        raise CannotStart(
            f"a control plane is installed in {aws.account}, {aws.region}: `bootstrap.py down` removes it"
        )
    gone = _deployer(aws, STACK).delete()
    say(f"stack {STACK}: {'removed' if gone else 'there was none'}")
    say(bucket.remove(aws))
    for line in deploy.remaining_secrets(aws):
        say(line)


def _checked_account(home: str) -> str:
    if not home:
        raise CannotStart("target needs the control plane's account: --home ACCOUNT (bootstrap.py status prints it)")
    if not _ACCOUNT.fullmatch(home):
        raise CannotStart(f"--home is {home[:40]!r}, which is not an account: twelve digits")
    return home


def _checked_id(external_id: str) -> str:
    if not EXTERNAL_ID.fullmatch(external_id):
        raise CannotStart("--external-id must be 2 to 1,224 letters, digits and _+=,.@:/-")
    return external_id


def _checked_boundary(arn: str, aws: Target) -> str:
    if arn and not re.fullmatch(rf"arn:{aws.partition}:iam::({aws.account}|aws):policy/[\w+=,.@/-]{{1,512}}", arn):
        raise CannotStart(f"--boundary is {arn[:80]!r}, which is no policy of account {aws.account}")
    return arn


def _tag(text: str) -> dict[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not 0 < len(key) <= 128 or len(value) > 256 or key.lower().startswith(("aws:", "proxyctl:")):
        raise CannotStart(
            f"--tag is {text[:80]!r}; write KEY=VALUE, of at most 128 and 256 characters, not aws:… or proxyctl:…"
        )
    return {"Key": key, "Value": value}


def _refuse_another(home: str, before: str, aws: Target) -> None:
    """A target of another control plane's may change hands once it is empty."""
    if home != before and (existing := deploy.environments(aws)):
        raise CannotStart(
            f"{aws.account}, {aws.region} is a target of the control plane in account {before}, with its environments "
            f"{', '.join(existing)}; clean them up first (python -m ctl cleanup NAME, where that control plane is), or "
            "choose another region or account (AWS_REGION, AWS_PROFILE)"
        )


def _deployer(aws: Target, stack: str) -> Deployer:
    return Deployer(aws.client("cloudformation"), stack, progress=tell)
