"""Makes one call of a port fail, before or after it took effect; or lets something else happen in that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from chalicelib.adapters.session import aws_errors
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.documents import FakeDocuments
from tests.fakes.rollouts import FakeRollouts
from tests.faults.stale import Earlier

PORTS = frozenset({
    "alarms", "artifacts", "endpoint", "events", "executions", "fleet_executions", "fleets", "functions", "gateway",
    "identity", "live_figures", "logs", "metrics", "nights", "packages", "records", "retries", "sdk", "secrets",
    "simulations", "stacks", "tagging", "topics",
})  # fmt: skip
# The proxy under test, or a webhook's receiver: not AWS, so that its failures have another form.
HTTP = frozenset({"endpoint.call", "sdk.observe"})
# S3 and DynamoDB's items are read as they were last written; the queries of DynamoDB's indexes are not.
_CONSISTENT = frozenset(
    {"artifacts", "packages", "records", "endpoint", "sdk", "fleets", "nights", "live_figures", "simulations"}
)
_INDEXED = frozenset({"records.deployments", "records.next_in_line", "records.environments"})


class Killed(BaseException):
    """The Lambda was killed, ran out of time or out of memory: no code of ours runs any more."""


def _refused(code: str, status: int) -> Callable[[str], Exception]:
    answer = {"Error": {"Code": code, "Message": f"planted {code}"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda operation: ClientError(answer, operation)


def _reset(operation: str) -> BotoCoreError:
    return ConnectionClosedError(endpoint_url=f"https://{operation}.example")


def _slow(operation: str) -> BotoCoreError:
    return ReadTimeoutError(endpoint_url=f"https://{operation}.example")


def _away(operation: str) -> BotoCoreError:
    return EndpointConnectionError(endpoint_url=f"https://{operation}.example")


@dataclass(frozen=True)
class Fault:
    """error: what botocore raises; None kills the process. after: whether the call took effect before.

    repeats: so many calls fail, of the same name or, with `every_call`, of any. transient: whether the task must end
    well by itself. moment: what happens at the call instead of an error (`Injector.moments`). caught: the name under
    which Step Functions catches a process that died.
    """

    error: Callable[[str], BaseException] | None = None
    after: bool = False
    repeats: int = 1
    every_call: bool = False
    transient: bool = True
    moment: str = ""
    caught: str = "Runtime.ExitError"


FAULTS: Mapping[str, Fault] = {
    "throttled": Fault(_refused("ThrottlingException", 400)),
    "500": Fault(_refused("InternalError", 500)),
    "503": Fault(_refused("ServiceUnavailable", 503)),
    "503 for two minutes": Fault(_refused("ServiceUnavailable", 503), repeats=4),
    "cloud restarts": Fault(_away, repeats=4, every_call=True),
    "reset before": Fault(_reset),
    "reset after": Fault(_reset, after=True),
    "no answer in time": Fault(_slow, after=True),
    "stale read": Fault(moment="stale"),
    "expired credentials": Fault(_refused("ExpiredTokenException", 403)),
    "access denied": Fault(_refused("AccessDeniedException", 403), transient=False),
    "deleted underneath": Fault(_refused("ResourceNotFoundException", 400), transient=False),
    "killed before": Fault(),
    "killed after": Fault(after=True),
    "out of time twice": Fault(repeats=2, transient=False, caught="Sandbox.Timedout"),
    "out of memory twice": Fault(after=True, repeats=2, transient=False),
    "delivered twice": Fault(moment="twice"),
    "execution stopped": Fault(moment="stop", transient=False),
    "abort requested": Fault(moment="abort", transient=False),
}


@dataclass
class Injector:
    """Counts the calls of all ports; the one at `at` meets the fault. `fired` counts how often it did.

    moments: by `Fault.moment`, what happens then; the driver sets them. dead: the process was killed; the next call of
    the Lambda is another process.
    """

    fault: Fault | None = None
    at: int = -1
    calls: list[str] = field(default_factory=list)
    fired: int = 0
    moments: dict[str, Callable[[], None]] = field(default_factory=dict)
    dead: bool = False
    earlier: Earlier = field(default_factory=Earlier)

    def call(self, name: str, port: Any, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """One call of a port."""
        if self.dead:
            raise Killed(name)  # no `finally` of a dead process calls AWS
        self.calls.append(name)
        if self.fault is None or self.fault.moment == "stale":
            return self._perhaps_stale(name, port, operation, *args, **kwargs)
        if not self._strikes(name):
            return operation(*args, **kwargs)
        self.fired += 1
        if self.fault.moment:
            self.moments[self.fault.moment]()
            return operation(*args, **kwargs)
        if self.fault.after:
            operation(*args, **kwargs)
        self._fail(name)
        return None

    def _fail(self, name: str) -> None:
        assert self.fault is not None
        if self.fault.error is None:
            self.dead = True
            raise Killed(name)
        if name in HTTP:
            raise AwsCallFailed(f"{name}: planted", code="EndpointUnreachable", remedy="Try the URL by hand.")
        with aws_errors(name):
            raise self.fault.error(name)

    def _strikes(self, name: str) -> bool:
        if self.fault is None or len(self.calls) <= self.at:
            return False
        same = self.fault.every_call or name == self.calls[self.at]
        return len(self.calls) == self.at + 1 or (0 < self.fired < self.fault.repeats and same)

    def _perhaps_stale(self, name: str, port: Any, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The answer; that of before the port's last write, where AWS may give that and it is another one."""
        family = name.partition(".")[0]
        if self.fault is None or (family in _CONSISTENT and name not in _INDEXED):
            return operation(*args, **kwargs)
        if len(self.calls) != self.at + 1:
            return self.earlier.follow(family, port, operation, *args, **kwargs)
        answer, is_stale = self.earlier.read(family, port, operation, *args, **kwargs)
        self.fired += is_stale
        return answer()


class _Port:
    """A port whose methods go through the injector."""

    def __init__(self, name: str, port: Any, injector: Injector) -> None:
        self.__dict__.update(_name=name, _port=port, _injector=injector)

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value) or attribute.startswith("_"):
            return value
        name = f"{self._name}.{attribute}"
        return lambda *args, **kwargs: self._injector.call(name, self._port, value, *args, **kwargs)


class _Struck:
    """The fake's ports with the injector between; what the fakes do among themselves does not pass it."""

    def __init__(self, fake: FakeAws, injector: Injector) -> None:
        self._fake, self._injector = fake, injector
        self.rollouts = FakeRollouts(cast(Aws, self))
        self.documents = FakeDocuments(cast(Aws, self))

    def at(self, target: Target | None, function: str) -> Aws:
        """The ports where an environment is, with the same injector between."""
        there: Any = self._fake.at(target, function)
        return cast(Aws, self) if target is None else struck(there, self._injector)

    def __getattr__(self, name: str) -> Any:
        port = getattr(self._fake, name)
        return _Port(name, port, self._injector) if name in PORTS else port


def struck(fake: FakeAws, injector: Injector) -> Aws:
    """The ports with the injector between; the fake itself stays as it is."""
    return cast(Aws, _Struck(fake, injector))
