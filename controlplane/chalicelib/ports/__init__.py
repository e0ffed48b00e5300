"""What phases and the API need of AWS, as Protocols: one service a file, with the same name as its adapter in `aws/`.

Methods take and give plain values and small dataclasses, never boto3's. They raise the errors of `errors.py` only.
"""

from __future__ import annotations

from typing import Protocol

from .artifacts import Artifacts
from .endpoint import Endpoint, Reply
from .executions import Executions
from .functions import Alias, FunctionConfig, Functions, Version
from .records import Records
from .settings import Settings

__all__ = [
    "Alias",
    "Artifacts",
    "Aws",
    "Endpoint",
    "Executions",
    "FunctionConfig",
    "Functions",
    "Records",
    "Reply",
    "Settings",
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
    def functions(self) -> Functions: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def endpoint(self) -> Endpoint: ...
