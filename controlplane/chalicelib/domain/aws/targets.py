"""Where an environment lives, when that is another account or region than the control plane's own.

`bootstrap.py target` prepares an account and region as a target: a role for each function of the control plane that
acts on environments, a bucket, and what CloudFormation works with. All names there follow from account and region.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The role that `role_arn` names; the roles that the functions assume have its name and their own stem behind it.
ROLE_PREFIX = "proxyctl-target-"
STACK = "proxyctl-target"  # of what `bootstrap.py target` installs
_ROLE = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/proxyctl-target-([a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]+)")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,3}-[0-9]+")
_ANY_PARTITION = r"arn:aws[a-z-]*"
BOUNDARY = re.compile(rf"{_ANY_PARTITION}:iam::([0-9]{{12}}|aws):policy/[\w+=,.@/-]{{1,512}}", re.ASCII)
KMS_KEY = re.compile(rf"{_ANY_PARTITION}:kms:([a-z0-9-]+):([0-9]{{12}}):key/[0-9A-Za-z-]{{1,64}}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
REMEDY = "Copy the block that `python bootstrap.py target` printed in that account and region."


@dataclass(frozen=True, slots=True)
class Target:
    """role_arn, external_id, region: as `bootstrap.py target` prints them. The external ID is no secret of AWS's
    (IAM User Guide, "Access to AWS accounts owned by third parties"). See `refusal`.

    boundary, kms_key_arn, bucket, tags: what `bootstrap.py target` was asked for there; a tag is `KEY=VALUE`.
    """

    role_arn: str
    external_id: str
    region: str
    boundary: str | None = None
    kms_key_arn: str | None = None
    bucket: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.role_arn.split(":")[1]

    @property
    def account(self) -> str:
        """The account that the role belongs to."""
        return self.role_arn.split(":")[4]

    @property
    def place(self) -> tuple[str, str]:
        """Account and region: what cannot change while the environment exists."""
        return self.account, self.region

    def role_of(self, function: str) -> str:
        """ARN of the role that a function of the control plane assumes here. function: the stem of its name."""
        return f"{self.role_arn}-{function.replace('_', '-')}"

    def __str__(self) -> str:
        return f"account {self.account}, region {self.region}"


def bucket(account: str, region: str) -> str:
    """The bucket of the control plane, or of a target, in this account and region."""
    return f"proxyctl-{account}-{region}"


def refusal(target: Target) -> tuple[str, str] | None:
    """The field that is wrong and what is wrong with it; None for a target that could exist."""
    for name, pattern, what in (
        ("role_arn", _ROLE, "the ARN of a role proxyctl-target-<region>"),
        ("external_id", EXTERNAL_ID, "an external ID: 2 to 1,224 letters, digits and _+=,.@:/-"),
        ("region", _REGION, "the name of a region, such as eu-west-1"),
    ):
        value: str = getattr(target, name)
        if not pattern.fullmatch(value):
            return name, f"is {value[:80]!r}, which is not {what}"
    if not target.role_arn.endswith(f"/{ROLE_PREFIX}{target.region}"):
        return "region", f"is {target.region}, and role_arn names the role of another region"
    return _refused_option(target)


def _refused_option(target: Target) -> tuple[str, str] | None:
    for name, pattern, what in (
        ("boundary", BOUNDARY, "the ARN of a policy"),
        ("kms_key_arn", KMS_KEY, "the ARN of a KMS key"),
        ("bucket", BUCKET, "the name of a bucket"),
    ):
        value: str | None = getattr(target, name)
        if value is not None and not pattern.fullmatch(value):
            return name, f"is {value[:80]!r}, which is not {what}"
    return None
