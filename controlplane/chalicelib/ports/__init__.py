"""What phases and the API need of AWS, as Protocols: one service a file, with the same name as its adapter in `aws/`.

Methods take and give plain values and small dataclasses, never boto3's. They raise the errors of `errors.py` only.
"""

from __future__ import annotations

from typing import Protocol

from .alarms import Alarms
from .artifacts import Artifacts
from .endpoint import Endpoint, Reply
from .events import Events
from .executions import Executions
from .functions import Alias, FunctionConfig, Functions, Version
from .gateway import Gateway
from .identity import Identity
from .live_figures import LiveFigures
from .logs import Logs
from .metrics import Metrics
from .nights import Nights
from .records import Records
from .rollouts import Rollouts
from .sdk import Sdk
from .secrets import Secrets
from .settings import Settings
from .stacks import Stacks
from .tagging import Tagging
from .topics import Topics

__all__ = [
    "Alarms",
    "Alias",
    "Artifacts",
    "Aws",
    "Endpoint",
    "Events",
    "Executions",
    "FunctionConfig",
    "Functions",
    "Gateway",
    "Identity",
    "LiveFigures",
    "Logs",
    "Metrics",
    "Nights",
    "Records",
    "Reply",
    "Rollouts",
    "Sdk",
    "Secrets",
    "Settings",
    "Stacks",
    "Tagging",
    "Topics",
    "Version",
]


class Aws(Protocol):
    """Every port, made on first use. `wiring.py` builds the real one, `tests/fakes.py` the one in memory."""

    @property
    def settings(self) -> Settings: ...
    @property
    def records(self) -> Records: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def events(self) -> Events: ...
    @property
    def functions(self) -> Functions: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def endpoint(self) -> Endpoint: ...
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
    def metrics(self) -> Metrics: ...
    @property
    def nights(self) -> Nights: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def stacks(self) -> Stacks: ...
    @property
    def tagging(self) -> Tagging: ...
    @property
    def topics(self) -> Topics: ...
