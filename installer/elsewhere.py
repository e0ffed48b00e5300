"""`target`: prepares an account and region, other than the control plane's own, for its environments."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.domain.aws.tags import paired
from chalicelib.domain.aws.targets import EXTERNAL_ID, STACK

from installer import bucket, deploy, places
from installer.choices import choose
from installer.errors import CannotStart
from installer.packaging import archive, target_template
from installer.say import say, tell
from installer.stack import STACK as CONTROL_PLANE
from installer.stack import TAGS, Deployer
from installer.target import Target

_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Wanted:
    """home: the control plane's account. external_id: to require. None keeps what the target has; a new one gets a
    random external ID. others: what a control plane's own installation may ask for, too.
    """

    home: str | None = None
    external_id: str | None = None
    others: choose.Wanted | None = None


def install(root: Path, aws: Target, wanted: Wanted) -> dict[str, Any]:
    """Make or update the target in the account and region of `aws`; answers config.target, and prints it.

    Raises CannotStart for a malformed value, and where a control plane is installed itself.
    """
    deployer = _deployer(aws, STACK)
    installed = deployer.find()
    before = installed.parameters if installed else {}
    home = _checked_account(wanted.home or before.get("HomeAccount", ""))
    external_id = _checked_id(wanted.external_id or before.get("ExternalId") or secrets.token_urlsafe(18))
    places.refuse_control_plane(aws, home)
    _refuse_another(home, before.get("HomeAccount", home), aws)
    chosen = choose.choose(aws, wanted.others or choose.Wanted(), installed)
    aws, deployer.tags = chosen.target, [*TAGS, *chosen.stack_tags]
    tell(choose.prepare_bucket(chosen))
    content = json.dumps(target_template.make(root), sort_keys=True).encode()
    key = f"controlplane/target-{archive.digest(content)[:20]}.json"
    bucket.upload(aws, key, content)
    parameters = {"HomeAccount": home, "ExternalId": external_id, **chosen.parameters}
    outcome = deployer.deploy(aws.object_url(key), parameters, f"proxyctl-target-{secrets.token_hex(4)}")
    tell(f"target {aws.account}, {aws.region}: {'deployed' if outcome.changed else 'nothing to change'}")
    block = _block(outcome.outputs["RoleArn"], external_id, chosen)
    say("config:\n  target:\n" + "\n".join(f"    {name}: {_written(value)}" for name, value in block.items()))
    return block


def _block(role_arn: str, external_id: str, chosen: choose.Chosen) -> dict[str, Any]:
    """config.target, without the fields that have their defaults."""
    options = {
        "boundary": chosen.boundary,
        "kms_key_arn": chosen.kms_key,
        "bucket": chosen.target.bucket_name,
        "tags": paired(chosen.tags),
    }
    block = {"role_arn": role_arn, "external_id": external_id, "region": chosen.target.region}
    return {**block, **{name: value for name, value in options.items() if value}}


def _written(value: object) -> str:
    """As YAML, of which JSON is a part."""
    return value if isinstance(value, str) else json.dumps(value)


def remove(aws: Target, force: bool, bucket_name: str | None = None) -> None:
    """Remove the target. Raises CannotStart while environments exist here, unless forced.

    bucket_name: as for `deploy.down`.
    """
    aws = choose.located(aws, bucket_name, _deployer(aws, STACK).find())
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
    say(choose.remove_bucket(aws))
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
