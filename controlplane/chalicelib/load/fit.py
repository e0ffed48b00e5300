"""Scales the default load down to the Lambda executions that an account has free. Pure.

A new account has ten. A load that someone chose is left alone: preflight refuses it if it does not fit.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

from chalicelib.domain.options import Load

_REQUEST_S = 2.0  # assumed duration of a request, until the load test has measured it
_SPARE = 2  # factor on the executions that the load needs
_OWN = 2  # executions of the control plane itself during the load test
_SLOWEST_RPS = 0.25
_DEFAULT = Load()


def needed(load: Load) -> int:
    """Concurrent executions of a load: rate x duration (Little's law) with a factor to spare, and the workers."""
    return int(load.rps * _REQUEST_S * _SPARE) + load.workers + _OWN


def spare(load: Load, unreserved: int) -> float:
    """How many times the load fits into what it leaves unreserved; below 0 when it does not fit itself."""
    return (unreserved - needed(load)) / (load.rps * _REQUEST_S * _SPARE)


def fitted(load: Load, unreserved: int) -> Load:
    """The default load at the rate that `unreserved` executions bear, for as many requests.

    A p99 needs a hundred samples, so that fewer requests would judge nothing.
    """
    if needed(load) <= unreserved or not _is_default(load):
        return load
    bearable = (unreserved - load.workers - _OWN) / (_REQUEST_S * _SPARE)
    rps = floor(bearable * 20) / 20
    if rps < _SLOWEST_RPS:
        return load
    return replace(load, rps=rps, duration_s=float(ceil(load.rps * load.duration_s / rps)))


def described(before: Load, after: Load, unreserved: int) -> str:
    """What was scaled down, and why; "" if nothing was."""
    if before == after:
        return ""
    return (
        f"the default load is scaled down from {before.rps:g} requests a second for {before.duration_s:g} s to"
        f" {after.rps:g} for {after.duration_s:g} s: {unreserved} concurrent executions are unreserved"
    )


def _is_default(load: Load) -> bool:
    shape = (load.rps, load.duration_s, load.workers, load.arrivals)
    return shape == (_DEFAULT.rps, _DEFAULT.duration_s, _DEFAULT.workers, _DEFAULT.arrivals)
