"""What a night's check of an environment uses, where none is on record yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .bill import Basis, Line, line, repeated
from .prices import NIGHTS, Price, PriceList

# Of the night's own state machine, beside the revalidation's: RevalidateEnvironment, its choice and its wait a poll,
# with a Lambda of 256 MB for 0.2 s each; then OnRecord.
_POLLS, _POLL_GB_S, _POLL_WRITES = 6, 0.25 * 0.2, 1


@dataclass(frozen=True, slots=True)
class Night:
    """What one revalidation of one environment uses, counted in the embedded cloud and rounded up.

    transitions: of the rollout (three a poll) and of the night's Map. gb_s: 12 calls of the control plane's Lambdas of
    512 MB, the load engine's with 1 GB, and 110 requests to a proxy of 512 MB whose provider takes a second. requests:
    of the checks, and 40 of the load test. log_gb: a line a request, Lambda's own lines, access logs.
    """

    transitions: int = 60
    gb_s: float = 110.0
    lambda_calls: int = 130
    requests: int = 110
    write_units: int = 200
    read_units: int = 200
    cloudwatch_calls: int = 20
    log_gb: float = 0.0005
    secret_reads: int = 10
    s3_writes: int = 10

    def lines(self, prices: PriceList, nights: float = NIGHTS) -> Iterator[Line]:
        """A month of nights."""
        uses: tuple[tuple[str, float, Price], ...] = (
            ("workflow", self.transitions, prices.transition),
            ("Lambdas", self.gb_s, prices.lambda_gb_s),
            ("calls of Lambdas", self.lambda_calls, prices.lambda_call),
            ("requests through API Gateway", self.requests, prices.gateway_call),
            ("records, written", self.write_units, prices.write_unit),
            ("records, read", self.read_units, prices.read_unit),
            ("alarms, read", self.cloudwatch_calls, prices.cloudwatch_call),
            ("logs", self.log_gb, prices.log_ingested),
            ("secret, read", self.secret_reads, prices.secret_call),
            ("shards and lists", self.s3_writes, prices.s3_write),
        )
        for what, amount, price in uses:
            yield line(f"nights: {what}", amount * nights, price)


NIGHT = Night()


def month_of(revalidation: tuple[Line, ...], prices: PriceList, nights: float = NIGHTS) -> Iterator[Line]:
    """A month of nights like a revalidation on record. revalidation: its ledger's lines."""
    for each in revalidation:
        yield repeated(each, nights, f"nights: {each.what}")
    yield line("nights: workflow around it", nights * (3 * _POLLS), prices.transition, Basis.ESTIMATED)
    yield line("nights: Lambdas around it", nights * _POLLS * _POLL_GB_S, prices.lambda_gb_s)
    yield line("nights: records around it", nights * _POLLS * _POLL_WRITES, prices.write_unit)
