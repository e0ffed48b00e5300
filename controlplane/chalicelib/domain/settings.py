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
    not take.
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

    @property
    def boundary_arn(self) -> str:
        """The permissions boundary that the role of every environment carries (statemachine/resources.yaml)."""
        return f"arn:{self.partition}:iam::{self.account}:policy/proxyctl-environment-boundary-{self.region}"

    @property
    def fleet_machine_arn(self) -> str:
        """The state machine of fleets, beside that of rollouts."""
        return f"{self.state_machine_arn.removesuffix('rollout')}fleet"

    @property
    def stacks_role_arn(self) -> str:
        """The role with which CloudFormation changes the stacks of environments (statemachine/resources.yaml)."""
        return f"arn:{self.partition}:iam::{self.account}:role/proxyctl-change-stacks-{self.region}"

    @property
    def embedded(self) -> bool:
        """True in the embedded cloud, where a few services behave otherwise than on AWS (docs/fidelity.md)."""
        return bool(self.endpoint_url)
