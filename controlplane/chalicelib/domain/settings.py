"""The control plane's own settings as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """account, region: where everything lives. bundle_key: the proxy's sources and template in `bucket`.

    proxy_runtime: Lambda runtime of the proxy (`python3.11`, or `provided.al2023` in the embedded cloud);
    response_mode: default for environments that do not choose; upstream_faults_url: the OpenAI stand-in's own
    control address, set in the embedded cloud only: without it, checks that need a failing upstream are NOT RUN.
    endpoint_url: set where AWS is not at its usual address. webhook_retries_url: the queue of events that a webhook did
    not take. release, version: of the control plane, "" before the first upgrade.
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

    @property
    def boundary_arn(self) -> str:
        """The permissions boundary that the role of every environment carries (statemachine/resources.yaml)."""
        return f"arn:{self.partition}:iam::{self.account}:policy/proxyctl-environment-boundary-{self.region}"

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

    @property
    def embedded(self) -> bool:
        """True in the embedded cloud, where a few services behave otherwise than on AWS (docs/fidelity.md)."""
        return bool(self.endpoint_url)
