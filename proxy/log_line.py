"""What the log line of a request says, and its metrics: pure, from the facts of its Exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.exchange import CALLER_GONE

if TYPE_CHECKING:
    from proxy.exchange import Exchange

MAX_NAME = 128
Value = str | int | float | bool


def is_failure(exchange: Exchange) -> bool:
    """Whether a request counts as an error of the service: not what the caller caused."""
    broken = exchange.status < 400 and exchange.error not in ("", CALLER_GONE)
    return (exchange.status >= 500 and not exchange.is_callers) or broken


def fields_of(exchange: Exchange, now: float) -> dict[str, Value]:
    """The line's own members; durations in milliseconds."""
    first = exchange.first_byte
    fields: dict[str, Value | None] = {
        "request_id": exchange.request_id,
        "gateway_request_id": exchange.gateway_id,
        "function_request_id": exchange.invocation_id,
        "upstream_request_id": exchange.upstream_request_id,
        "method": _text(exchange.method),
        "path": _text(exchange.path),
        "status": exchange.status,
        "upstream_status": exchange.upstream_status or None,
        "error": exchange.error,
        "upstream_error": exchange.upstream_error,
        "client": exchange.client,
        "model": _text(exchange.model),
        "target": _text(exchange.target),
        "upstream": exchange.upstream,
        "streamed": exchange.streamed,
        "attempts": exchange.attempts,
        "reconnects": exchange.reconnects,
        "bytes_in": exchange.bytes_in,
        "bytes_out": exchange.bytes_out,
        "tokens_in": exchange.tokens_in,
        "tokens_out": exchange.tokens_out,
        "duration_ms": _ms(now - exchange.started),
        "upstream_ms": _ms(exchange.upstream_s),
        "waited_ms": _ms(exchange.waited_s),
        "overhead_ms": _ms(exchange.overhead_s(now)),
        "first_byte_ms": None if first is None else _ms(first - exchange.started),
    }
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def values_of(exchange: Exchange, now: float) -> dict[str, tuple[str, float]]:
    """The metrics as (unit, value) by their names."""
    values = {
        "Requests": ("Count", 1.0),
        "Errors": ("Count", float(is_failure(exchange))),
        "Overhead": ("Milliseconds", _ms(exchange.overhead_s(now))),
    }
    if exchange.attempts:
        values["UpstreamLatency"] = ("Milliseconds", _ms(exchange.upstream_s))
    if exchange.first_byte is not None:
        values["TimeToFirstByte"] = ("Milliseconds", _ms(exchange.first_byte - exchange.started))
        values["FirstByteOverhead"] = ("Milliseconds", _ms(exchange.first_byte_overhead_s))
    if exchange.tokens_in is not None and exchange.tokens_out is not None:
        values["TokensIn"] = ("Count", float(exchange.tokens_in))
        values["TokensOut"] = ("Count", float(exchange.tokens_out))
    return values


def _text(name: str) -> str:
    """What a caller wrote, short, and without the lone surrogates that JSON can carry and no output can."""
    return name[:MAX_NAME].encode(errors="replace").decode()


def _ms(seconds: float) -> float:
    return round(seconds * 1000.0, 3)
