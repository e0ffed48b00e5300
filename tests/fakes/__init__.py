"""The ports in memory, one file each, for tests of phases, runner and API. Fakes, not patches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.settings import Settings
from chalicelib.ports import Aws

from .addresses import FakeCertificates, FakeFirewall, FakeZones
from .alarms import FakeAlarms
from .artifacts import FakeArtifacts
from .documents import FakeDocuments
from .endpoint import FakeEndpoint
from .executions import FakeExecutions
from .fleets import FakeFleets
from .functions import FakeFunctions
from .gateway import FakeGateway
from .identity import FakeIdentity
from .logs import FakeLogs
from .meter import FakeMeter
from .metrics import FakeMetrics
from .nights import FakeNights
from .records import FakeRecords
from .retries import FakeRetries
from .rollouts import FakeRollouts
from .secrets import FakeSecrets
from .simulations import FakeSimulations
from .stacks import FakeStacks
from .tagging import FakeTagging
from .topics import FakeTopics


def settings(**other: Any) -> Settings:
    """An account's settings; pass endpoint_url for the embedded cloud's."""
    given: dict[str, Any] = {
        "account": "123456789012",
        "region": "eu-central-1",
        "partition": "aws",
        "table": "proxyctl",
        "bucket": "proxyctl-123456789012-eu-central-1",
        "bundle_key": "bundles/abc.zip",
        "state_machine_arn": "arn:aws:states:eu-central-1:123456789012:stateMachine:proxyctl-rollout",
        "proxy_runtime": "python3.11",
        "response_mode": "stream",
        "upstream_faults_url": "",
        "endpoint_url": "",
    }
    return Settings(**given | other)


@dataclass
class FakeAws:
    settings: Settings = field(default_factory=settings)
    records: FakeRecords = field(default_factory=FakeRecords)
    retries: FakeRetries = field(default_factory=FakeRetries)
    meter: FakeMeter = field(default_factory=FakeMeter)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    nights: FakeNights = field(default_factory=FakeNights)
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    fleets: FakeFleets = field(default_factory=FakeFleets)
    fleet_executions: FakeExecutions = field(default_factory=lambda: FakeExecutions("proxyctl-fleet"))
    functions: FakeFunctions = field(default_factory=FakeFunctions)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    alarms: FakeAlarms = field(default_factory=FakeAlarms)
    endpoint: FakeEndpoint = field(default_factory=FakeEndpoint)
    simulations: FakeSimulations = field(default_factory=FakeSimulations)
    stacks: FakeStacks = field(default_factory=FakeStacks)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    identity: FakeIdentity = field(default_factory=FakeIdentity)
    logs: FakeLogs = field(default_factory=FakeLogs)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    tagging: FakeTagging = field(default_factory=FakeTagging)
    topics: FakeTopics = field(default_factory=FakeTopics)
    certificates: FakeCertificates = field(default_factory=FakeCertificates)
    firewall: FakeFirewall = field(default_factory=FakeFirewall)
    zones: FakeZones = field(default_factory=FakeZones)
    targets: dict[tuple[str, str], FakeTarget] = field(default_factory=dict)
    acted_as: list[tuple[Target, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateway.stacks = self.stacks
        self.alarms.notify = self.topics.publish
        self.rollouts = FakeRollouts(self.as_aws())
        self.documents = FakeDocuments(self.as_aws())

    @property
    def packages(self) -> FakeArtifacts:
        return self.artifacts

    def at(self, target: Target | None, function: str) -> Aws:
        """The ports in a target, each target's made once: what an environment consists of is the target's own."""
        if target is None:
            return self.as_aws()
        self.acted_as.append((target, function))
        if target.place not in self.targets:
            self.targets[target.place] = FakeTarget(home=self, target=target)
        return self.targets[target.place].as_aws()

    def as_aws(self) -> Aws:
        """For the type checker: a port that a test does not use need not be there."""
        return cast(Aws, self)


class FakeTarget(FakeAws):
    """The ports in a target: own stacks, functions, secrets and packages, and the records of home."""

    def __init__(self, home: FakeAws, target: Target) -> None:
        super().__init__(
            settings=home.settings.at(target),
            records=home.records,
            retries=home.retries,
            nights=home.nights,
            executions=home.executions,
            artifacts=home.artifacts,
            simulations=home.simulations,
            meter=home.meter,
        )
        self.home = home
        self.own_packages = FakeArtifacts()

    @property
    def packages(self) -> FakeArtifacts:
        return self.own_packages

    def at(self, target: Target | None, function: str) -> Aws:
        return self.home.at(target, function)
