"""The control plane's own settings as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .aws.tags import parsed
from .aws.targets import STACK, Target, bucket


@dataclass(frozen=True, slots=True)
class Settings:
    """account, region: where the control plane is or, of a target's (`at`), where the environment is.

    bundle_key: the proxy's sources and template in the control plane's own bucket. bucket: from which Lambda takes the
    proxy's code, in this account and region. stack: which has the roles that the functions act with here.

    proxy_runtime: Lambda runtime of the proxy (`python3.11`, or `provided.al2023` in the embedded cloud);
    response_mode: default for environments that do not choose; upstream_faults_url: the OpenAI stand-in's own
    control address, set in the embedded cloud only: without it, checks that need a failing upstream are NOT RUN.
    endpoint_url: set where AWS is not at its usual address. webhook_retries_url: the queue of events that a webhook did
    not take. release, version: of the control plane, "" before the first upgrade. memory_mb: of this Lambda, 0
    outside one.

    boundary: ARN of the customer's permissions boundary, kms_key_arn: of the customer's key, "" for none; tags: of the
    customer's own. `bootstrap.py up` and `target` take them.
    """

    account: str
    region: str
    partition: str
    table: str
    bucket: str
    bundle_key: str
    state_machine_arn: str
    proxy_runtime: str
    response_mode: str
    upstream_faults_url: str
    endpoint_url: str
    webhook_retries_url: str = ""
    release: str = ""
    version: str = ""
    memory_mb: int = 0
    stack: str = "proxyctl"
    boundary: str = ""
    kms_key_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def boundary_arn(self) -> str:
        """The permissions boundary that the role of every environment carries: the customer's, or the project's own
        (statemachine/resources.yaml)."""
        own = f"arn:{self.partition}:iam::{self.account}:policy/proxyctl-environment-boundary-{self.region}"
        return self.boundary or own

    @property
    def url_suffix(self) -> str:
        """The end of host names in this partition."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def tags_beside(self, own: Mapping[str, str]) -> dict[str, str]:
        """Tags of an environment's resources: the customer's beside the project's own. Objects in S3 have the latter
        only, since S3 takes ten."""
        return {**self.tags, **own}

    @property
    def fleet_machine_arn(self) -> str:
        """The state machine of fleets, beside that of rollouts."""
        return f"{self.state_machine_arn.removesuffix('rollout')}fleet"

    @property
    def stacks_role_arn(self) -> str:
        """The role with which CloudFormation changes the stacks of environments (statemachine/resources.yaml)."""
        return f"arn:{self.partition}:iam::{self.account}:role/proxyctl-change-stacks-{self.region}"

    def object_url(self, key: str) -> str:
        """The URL of an object in the bucket, as CloudFormation reads templates."""
        if self.endpoint_url:
            return f"{self.endpoint_url.rstrip('/')}/{self.bucket}/{key}"
        return f"https://{self.bucket}.s3.{self.region}.{self._domain}/{key}"

    def api_url(self, api_id: str) -> str:
        """The URL of the control API."""
        if self.endpoint_url:
            return f"{self.endpoint_url.rstrip('/')}/_aws/execute-api/{api_id}/api"
        return f"https://{api_id}.execute-api.{self.region}.{self._domain}/api"

    @property
    def _domain(self) -> str:
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def at(self, target: Target) -> Settings:
        """The settings of a target. What belongs to the control plane itself stays: table, queue, state machine."""
        return replace(
            self,
            account=target.account,
            region=target.region,
            partition=target.partition,
            bucket=target.bucket or bucket(target.account, target.region),
            stack=STACK,
            boundary=target.boundary or "",
            kms_key_arn=target.kms_key_arn or "",
            tags=parsed(target.tags),
        )

    @property
    def is_target(self) -> bool:
        """Whether these are the settings of a target."""
        return self.stack == STACK

    @property
    def embedded(self) -> bool:
        """True in the embedded cloud, where a few services behave otherwise than on AWS (docs/fidelity.md)."""
        return bool(self.endpoint_url)
