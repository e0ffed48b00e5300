"""What an installation asks for beside the defaults: a permissions boundary, a KMS key, a bucket, tags.

The stack remembers all of it, in parameters and in its tags: a command without an option keeps what is installed, an
empty value takes it away. A bucket cannot change, because everything that the control plane keeps lies in it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from botocore.exceptions import ClientError
from chalicelib.domain.aws import tags
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.aws.targets import BOUNDARY, BUCKET

from installer import bucket
from installer.choices import adopted_bucket, kms_key
from installer.errors import CannotStart
from installer.packaging import install_options
from installer.target import Target

_OWN_TAGS = "proxyctl:"


@dataclass(frozen=True)
class Wanted:
    """Of a command line. boundary, kms_key: ARN, "" for none; tags: `KEY=VALUE`, ("",) for none. None: as installed."""

    boundary: str | None = None
    kms_key: str | None = None
    bucket: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Chosen:
    """What the installation has. target: with its bucket. boundary, kms_key: ARN, "" for none."""

    target: Target
    boundary: str = ""
    kms_key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that both stacks have, the control plane's and a target's."""
        return {
            "BucketName": self.target.bucket,
            install_options.BOUNDARY: self.boundary,
            install_options.KEY: self.kms_key,
        }

    def differs(self, installed: Stack | None) -> bool:
        """Whether an installed stack has another boundary, key, bucket or tags."""
        if installed is None:
            return False
        before = {name: installed.parameters.get(name, "") for name in self.parameters}
        return before != self.parameters or _own(installed.tags) != self.tags

    @property
    def tags_as_json(self) -> str:
        """For the parameter of the control plane's functions; "" for none."""
        return json.dumps(self.tags, sort_keys=True) if self.tags else ""

    @property
    def stack_tags(self) -> list[dict[str, str]]:
        """The tags beside the project's own, as CloudFormation takes them."""
        return [{"Key": key, "Value": value} for key, value in sorted(self.tags.items())]


def choose(aws: Target, wanted: Wanted, installed: Stack | None) -> Chosen:
    """What `wanted` and the installed stack come to, looked at in AWS. Raises CannotStart naming option and remedy."""
    before = installed.parameters if installed else {}
    chosen = Chosen(
        located(aws, wanted.bucket, installed),
        _kept(wanted.boundary, before.get(install_options.BOUNDARY)),
        kms_key.arn_of(aws, _kept(wanted.kms_key, before.get(install_options.KEY))),
        _tags(wanted.tags, installed),
    )
    _check_boundary(chosen.boundary, chosen.target)
    if chosen.kms_key:
        kms_key.check(chosen.target, chosen.kms_key)
    if chosen.target.is_adopted:
        adopted_bucket.check(chosen.target, chosen.kms_key)
    return chosen


def described(installed: Stack) -> Iterator[str]:
    """What an installed stack was asked for beside the defaults, one line each."""
    parameters, own = installed.parameters, _own(installed.tags)
    for name, parameter in (("boundary", install_options.BOUNDARY), ("key", install_options.KEY)):
        if parameters.get(parameter):
            yield f"{name:<12} {parameters[parameter]}"
    if own:
        yield f"{'tags':<12} {', '.join(tags.paired(own))}"


def prepare_bucket(chosen: Chosen) -> str:
    """Make our bucket, or mark our part of the customer's; returns what was done."""
    target = chosen.target
    if target.is_adopted:
        return f"bucket {target.bucket}: {'adopted' if adopted_bucket.mark(target) else 'yours, in use'}"
    return (
        f"bucket {target.bucket}: {'created' if bucket.ensure(target, chosen.kms_key, chosen.stack_tags) else 'there'}"
    )


def remove_bucket(target: Target) -> str:
    """Remove our bucket, or our objects from the customer's; returns what was done. Raises CommandFailed."""
    return adopted_bucket.remove_objects(target) if target.is_adopted else bucket.remove(target)


def located(aws: Target, name: str | None, installed: Stack | None) -> Target:
    """`aws` with the bucket that is installed, or else the wanted one. Raises CannotStart for a change of it."""
    before = installed.parameters.get("BucketName", "") if installed else ""
    if name and before not in ("", name):
        raise CannotStart(
            f"--bucket is {name}, and what is installed here keeps everything in {before}; a bucket cannot change: "
            "remove the installation first, or leave the option out"
        )
    if name and not BUCKET.fullmatch(name):
        raise CannotStart(f"--bucket is {name[:80]!r}, which is no name of a bucket; give the name, without s3://")
    chosen = name or before
    return replace(aws, bucket_name="" if chosen == aws.own_bucket else chosen)


def _kept(wanted: str | None, before: str | None) -> str:
    return (before or "") if wanted is None else wanted


def _tags(wanted: tuple[str, ...] | None, installed: Stack | None) -> dict[str, str]:
    if wanted is None:
        return _own(installed.tags if installed else {})
    pairs = [pair for pair in wanted if pair]
    if problem := tags.refusal(pairs):
        raise CannotStart(f"--tag {problem}")
    return tags.parsed(pairs)


def _own(tags_of_stack: Mapping[str, str]) -> dict[str, str]:
    """The customer's among the tags of a stack."""
    return {key: value for key, value in tags_of_stack.items() if not key.startswith(_OWN_TAGS)}


def _check_boundary(arn: str, aws: Target) -> None:
    if not arn:
        return
    match = BOUNDARY.fullmatch(arn)
    if match is None or match[1] not in (aws.account, "aws") or arn.split(":")[1] != aws.partition:
        raise CannotStart(
            f"--boundary is {arn[:80]!r}, which is no policy of account {aws.account}; give its ARN: "
            "aws iam list-policies --scope Local --query Policies[].Arn"
        )
    try:
        aws.client("iam").get_policy(PolicyArn=arn)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("NoSuchEntity", "AccessDenied"):
            raise
        cause = "does not exist" if code == "NoSuchEntity" else f"cannot be read (iam:GetPolicy) by {aws.caller}"
        raise CannotStart(f"--boundary: the policy {arn} {cause}") from None
