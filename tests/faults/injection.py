"""Makes one call of a port fail, before or after it took effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from chalicelib.adapters.session import aws_errors

from tests.fakes import FakeAws

# What a phase changes or reads in AWS; the records are guarded by the runner (tests/unit/engine).
PORTS = (
    "alarms", "artifacts", "endpoint", "functions", "gateway", "identity", "logs", "metrics", "secrets", "stacks",
    "tagging", "topics",
)  # fmt: skip


class Killed(BaseException):
    """The Lambda was killed, ran out of time or out of memory: no code of ours runs any more."""


def _refused(code: str, status: int) -> Callable[[str], Exception]:
    answer = {"Error": {"Code": code, "Message": f"planted {code}"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda operation: ClientError(answer, operation)


def _reset(operation: str) -> BotoCoreError:
    return ConnectionClosedError(endpoint_url=f"https://{operation}.example")


def _slow(operation: str) -> BotoCoreError:
    return ReadTimeoutError(endpoint_url=f"https://{operation}.example")


@dataclass(frozen=True)
class Fault:
    """error: what botocore raises; None kills the process. after: whether the call took effect before.

    repeats: the same call fails this often. transient: whether the phase must end well by itself.
    """

    error: Callable[[str], BaseException] | None
    after: bool = False
    repeats: int = 1
    transient: bool = True


FAULTS: Mapping[str, Fault] = {
    "throttled": Fault(_refused("ThrottlingException", 400)),
    "500": Fault(_refused("InternalError", 500)),
    "503": Fault(_refused("ServiceUnavailable", 503)),
    "503 for two minutes": Fault(_refused("ServiceUnavailable", 503), repeats=4),
    "reset before": Fault(_reset),
    "reset after": Fault(_reset, after=True),
    "no answer in time": Fault(_slow, after=True),
    "expired credentials": Fault(_refused("ExpiredTokenException", 403)),
    "access denied": Fault(_refused("AccessDeniedException", 403), transient=False),
    "killed before": Fault(None),
    "killed after": Fault(None, after=True),
}


@dataclass
class Injector:
    """Counts the calls of all ports; the one at `at` meets the fault. `fired` counts how often it did."""

    fault: Fault | None = None
    at: int = -1
    calls: list[str] = field(default_factory=list)
    fired: int = 0

    def call(self, name: str, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """One call of a port."""
        self.calls.append(name)
        struck = self._strikes(name)
        if not struck or self.fault is None:
            return operation(*args, **kwargs)
        self.fired += 1
        if self.fault.after:
            operation(*args, **kwargs)
        if self.fault.error is None:
            raise Killed(name)
        with aws_errors(name):
            raise self.fault.error(name)

    def _strikes(self, name: str) -> bool:
        if self.fault is None or len(self.calls) <= self.at:
            return False
        again = 0 < self.fired < self.fault.repeats and name == self.calls[self.at]
        return len(self.calls) == self.at + 1 or again


class _Port:
    """A port whose methods go through the injector."""

    def __init__(self, name: str, port: Any, injector: Injector) -> None:
        self.__dict__.update(_name=name, _port=port, _injector=injector)

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value) or attribute.startswith("_"):
            return value
        name = f"{self._name}.{attribute}"
        return lambda *args, **kwargs: self._injector.call(name, value, *args, **kwargs)


@contextmanager
def struck(fake: FakeAws, injector: Injector) -> Iterator[Any]:
    """The ports with the injector between; the fake itself is as it was afterwards."""
    ports = {name: getattr(fake, name) for name in PORTS}
    try:
        for name, port in ports.items():
            setattr(fake, name, _Port(name, port, injector))
        yield fake.as_aws()
    finally:
        for name, port in ports.items():
            setattr(fake, name, port)
