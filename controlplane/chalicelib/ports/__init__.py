"""What phases and the API need of AWS, as Protocols: one service a file, named as its adapter in `adapters/`.

Methods take and return plain values and dataclasses of `domain`, never boto3's. They raise `domain.errors` only.
"""

from __future__ import annotations

from typing import Protocol

from chalicelib.domain.aws.functions import Alias, FunctionConfig, Version
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.settings import Settings
from chalicelib.ports.alarms import Alarms
from chalicelib.ports.artifacts import Artifacts
from chalicelib.ports.certificates import Certificates
from chalicelib.ports.documents import Documents
from chalicelib.ports.endpoint import Endpoint
from chalicelib.ports.events import Events
from chalicelib.ports.executions import Executions
from chalicelib.ports.firewall import Firewall
from chalicelib.ports.fleets import Fleets
from chalicelib.ports.functions import Functions
from chalicelib.ports.gateway import Gateway
from chalicelib.ports.identity import Identity
from chalicelib.ports.live_figures import LiveFigures
from chalicelib.ports.logs import Logs
from chalicelib.ports.meter import Meter
from chalicelib.ports.metrics import Metrics
from chalicelib.ports.nights import Nights
from chalicelib.ports.openai_sdk import Sdk
from chalicelib.ports.records import Records
from chalicelib.ports.retries import Retries
from chalicelib.ports.rollouts import Rollouts
from chalicelib.ports.secrets import Secrets
from chalicelib.ports.simulations import Simulations
from chalicelib.ports.stacks import Stacks
from chalicelib.ports.table_format import TableFormat
from chalicelib.ports.tagging import Tagging
from chalicelib.ports.topics import Topics
from chalicelib.ports.zones import Zones

__all__ = [
    "Alarms",
    "Alias",
    "Artifacts",
    "Aws",
    "Certificates",
    "Documents",
    "Endpoint",
    "Events",
    "Executions",
    "Firewall",
    "Fleets",
    "FunctionConfig",
    "Functions",
    "Gateway",
    "Identity",
    "LiveFigures",
    "Logs",
    "Meter",
    "Metrics",
    "Nights",
    "Records",
    "Reply",
    "Retries",
    "Rollouts",
    "Sdk",
    "Secrets",
    "Settings",
    "Simulations",
    "Stacks",
    "TableFormat",
    "Tagging",
    "Topics",
    "Version",
    "Zones",
]


class Aws(Protocol):
    """Every port, created on first use: by `wiring.py` over AWS, by `tests/fakes/` in memory."""

    def at(self, target: Target | None, function: str) -> Aws:
        """The ports for an environment in this target: what it consists of is there, what the control plane keeps is
        not. None answers the ports of the control plane's own account and region.

        function: the stem of the function that calls, which acts there with a role of its own. Nothing is called yet.
        """
        ...

    @property
    def settings(self) -> Settings: ...
    @property
    def records(self) -> Records: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def events(self) -> Events: ...
    @property
    def fleets(self) -> Fleets: ...
    @property
    def fleet_executions(self) -> Executions: ...
    @property
    def firewall(self) -> Firewall: ...
    @property
    def functions(self) -> Functions: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def packages(self) -> Artifacts:
        """Objects of `settings.bucket`, from which Lambda takes code; at home the same as `artifacts`."""
        ...

    @property
    def certificates(self) -> Certificates: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def endpoint(self) -> Endpoint: ...
    @property
    def retries(self) -> Retries: ...
    @property
    def rollouts(self) -> Rollouts: ...
    @property
    def sdk(self) -> Sdk: ...
    @property
    def alarms(self) -> Alarms: ...
    @property
    def gateway(self) -> Gateway: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def live_figures(self) -> LiveFigures: ...
    @property
    def logs(self) -> Logs: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def nights(self) -> Nights: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def simulations(self) -> Simulations: ...
    @property
    def stacks(self) -> Stacks: ...
    @property
    def table_format(self) -> TableFormat: ...
    @property
    def tagging(self) -> Tagging: ...
    @property
    def topics(self) -> Topics: ...
    @property
    def zones(self) -> Zones: ...
