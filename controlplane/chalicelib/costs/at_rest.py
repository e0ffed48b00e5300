"""What an environment and the control plane cost a month while nobody uses them.

A test holds `ENVIRONMENT_STACK` and `CONTROL_PLANE_STACK` to the templates, in which every kind of resource must be
known. Tokens that the provider bills for the checks of a night are not AWS's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.config import Config
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

from .bill import Basis, Line, line
from .nights import NIGHT, month_of
from .prices import HOURS, NIGHTS, PriceList

_METHODS, _METRICS_A_METHOD = 3, 5
_KEPT_NIGHTS = 14  # nights whose logs are kept, by the default retention
_ARTIFACTS_GB = 3 * 0.004  # three versions, with their lists of parts
_TABLE_GB, _BUNDLES_GB = 0.02, 0.12
# A sweep that finds nothing to do: 256 MB for a fifth of a second, and a query of each list: the environments, the
# fleets' deployments that run, and each status that is not final. A query of an empty list costs one read unit at most.
_SWEEP_GB_S, _SWEEP_LOG_GB = 0.25 * 0.2, 0.0000006
SWEEP_READS = 5
# Lambda asks an empty queue with five long polls of 20 s at a time (Lambda developer guide, "Using Lambda with SQS").
_POLLS_A_MONTH = 5 * 3_600 / 20 * HOURS


@dataclass(frozen=True, slots=True)
class EnvironmentStack:
    """What of an environment's stack costs at rest. measured_stages: stages that may have metrics by method."""

    log_groups: int = 0
    measured_stages: int = 0


@dataclass(frozen=True, slots=True)
class ControlPlaneStack:
    """What of the control plane's stack costs at rest. sweeps, nights: calls a month of the schedules of each kind.

    polled_queues: queues that Lambda polls.
    """

    tables: int = 0
    log_groups: int = 0
    sweeps: float = 0.0
    nights: float = 0.0
    polled_queues: int = 0


ENVIRONMENT_STACK = EnvironmentStack(log_groups=2, measured_stages=1)
CONTROL_PLANE_STACK = ControlPlaneStack(tables=1, log_groups=1, sweeps=HOURS * 12, nights=NIGHTS, polled_queues=1)


def environment(
    stack: EnvironmentStack, config: Config, prices: PriceList, revalidation: Sequence[Line] = ()
) -> list[Line]:
    """A month of an environment. revalidation: the ledger of one on record, which each night repeats; () for none."""
    nights = month_of(tuple(revalidation), prices) if revalidation else NIGHT.lines(prices)
    return [*_resting(stack, config, prices), *nights]


def _resting(stack: EnvironmentStack, config: Config, prices: PriceList) -> Iterator[Line]:
    alarms = definitions(Names("dev"), config.alarms, stage="api", topic_arn="arn")
    metrics = sum(len(alarm.metrics) for alarm in alarms)
    yield line("alarms, by the metrics that they read", metrics, prices.alarm, Basis.DERIVED)
    if config.secret_arn is None:
        yield line("the provider's key", 1, prices.secret, Basis.DERIVED)
    if config.webhook:
        yield line("the webhook's signing key", 1, prices.secret, Basis.DERIVED)
    if config.alarms.gateway_dimensions == "method":
        # A metric costs in the hours in which it gets data.
        metrics_a_month = stack.measured_stages * _METHODS * _METRICS_A_METHOD * NIGHTS / HOURS
        yield line("metrics by method", metrics_a_month, prices.custom_metric)
    yield line("logs of the last nights", stack.log_groups * NIGHT.log_gb * _KEPT_NIGHTS / 2, prices.log_stored)
    yield line("artifacts", _ARTIFACTS_GB, prices.s3_stored)


def control_plane(stack: ControlPlaneStack, prices: PriceList) -> list[Line]:
    """A month of the control plane without a rollout."""
    return [
        line("records", stack.tables * _TABLE_GB, prices.table_stored),
        line("logs, kept", stack.log_groups * 0.001, prices.log_stored),
        *_scheduled("sweeps", stack.sweeps, SWEEP_READS, prices),
        *_scheduled("starts of the night", stack.nights, 1, prices),
        line("webhook retries: polls of an empty queue", stack.polled_queues * _POLLS_A_MONTH, prices.queue_call),
        line("the dashboard of all environments", 1, prices.dashboard, Basis.DERIVED),
        line("bundles and zips", _BUNDLES_GB, prices.s3_stored),
    ]


def _scheduled(what: str, calls: float, reads: int, prices: PriceList) -> Iterator[Line]:
    yield line(f"{what}: calls by schedule", calls, prices.schedule, Basis.DERIVED)
    yield line(f"{what}: Lambdas", calls * _SWEEP_GB_S, prices.lambda_gb_s)
    yield line(f"{what}: calls of Lambdas", calls, prices.lambda_call, Basis.DERIVED)
    yield line(f"{what}: records, read", calls * reads, prices.read_unit)
    yield line(f"{what}: logs", calls * _SWEEP_LOG_GB, prices.log_ingested)
