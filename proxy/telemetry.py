"""One JSON line a request: Powertools' Logger writes it, and Powertools' metrics in EMF are members of that
line.

CloudWatch takes EMF from any JSON log line with `_aws` at its root, so the log and the metrics of a request cost one
line and cannot disagree. Powertools is imported beside the first request's wait for its upstream and not at init, where
it would add a quarter to the cold start (decision 101).
"""

from __future__ import annotations

import json
import sys
import threading
from typing import IO, TYPE_CHECKING, cast

from proxy.log_line import MAX_NAME, Value, fields_of, is_failure, values_of

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

    from proxy.clock import Clock
    from proxy.exchange import Exchange

NAMESPACE = "proxyctl"
MAX_MODELS = 100  # distinct values of the dimension `model`: every one costs money


class Telemetry:
    """Logs and metrics of one process."""

    def __init__(self, environment: str, level: str, clock: Clock) -> None:
        self._environment = environment
        self._level = level
        self._clock = clock
        self._logger: Logger | None = None
        self._metrics: AmazonCloudWatchEMFProvider | None = None
        self._models: set[str] = set()
        self._cold = True
        self._secret_failures = 0  # not counted in a metric yet
        self._lock = threading.Lock()
        self.init_ms: float | None = None  # set by the runtime: from the process's start to ready

    def request_ended(self, exchange: Exchange) -> None:
        """Write the line of a request whose response has been handed over or has failed."""
        try:
            self._request_ended(exchange)
        except Exception as error:  # noqa: BLE001  (a line that cannot be written must not cost an answer)
            _lost("request", error)

    def _request_ended(self, exchange: Exchange) -> None:
        now = exchange.ended = self._clock.monotonic()
        fields = fields_of(exchange, now)
        fields["cold_start"], self._cold = self._cold, False
        values = values_of(exchange, now)
        if fields["cold_start"]:
            values["ColdStart"] = ("Count", 1.0)
            if self.init_ms is not None:
                values["InitDuration"] = ("Milliseconds", self.init_ms)
        if exchange.candidate:
            fields["candidate"] = True
        self._count_secret_failures(counts=not exchange.candidate)
        counts = _counts(exchange)
        dimensions = self._dimensions(exchange) if counts else []
        self._write("request", fields, values, dimensions, counts=counts, failed=is_failure(exchange))

    def secret_failed(self, reason: str) -> None:
        """The secret could not be read or decoded; the last good one stays in force.

        Logged at once, counted with the next request that ends: only that tells whether users are served with the
        unusable secret or a candidate under test, whose failures must not raise the users' alarm.
        """
        with self._lock:
            self._secret_failures += 1
        try:
            self._tools()[0].error("secret unusable", extra={"reason": reason})
        except Exception as error:  # noqa: BLE001  (likewise)
            _lost("secret unusable", error)

    def _count_secret_failures(self, *, counts: bool) -> None:
        if not self._secret_failures:
            return
        with self._lock:
            count, self._secret_failures = self._secret_failures, 0
        self._write("secret failures", {}, {"SecretFailures": ("Count", float(count))}, [], counts=counts, failed=True)

    def prepare(self) -> None:
        """Import Powertools now; callable from a thread while the upstream is waited for."""
        self._tools()

    def _dimensions(self, exchange: Exchange) -> list[dict[str, str]]:
        base = {"environment": self._environment}
        sets = []
        if exchange.model:
            sets.append({**base, "model": self._model(exchange)})
        if exchange.client:
            # CloudWatch takes ASCII only, and drops every metric of a line with another value.
            client = exchange.client.encode("ascii", "backslashreplace").decode()
            sets.append({**base, "client": client[:MAX_NAME]})
        return sets

    def _model(self, exchange: Exchange) -> str:
        # Callers may invent names: only those that the secret or the upstream knew become a dimension.
        name = exchange.model[:MAX_NAME]
        if name in self._models:
            return name
        is_real = 0 < exchange.upstream_status < 400 or exchange.target not in ("", exchange.model)
        fits = name.isascii() and name.isprintable() and name.strip()
        if is_real and fits and len(self._models) < MAX_MODELS:
            self._models.add(name)
            return name
        return "other"

    def _write(
        self,
        message: str,
        fields: dict[str, Value],
        values: dict[str, tuple[str, float]],
        dimensions: list[dict[str, str]],
        *,
        counts: bool,
        failed: bool,
    ) -> None:
        import logging  # Powertools' own import has paid for it

        logger, _ = self._tools()
        members = self._emf(values, dimensions) if counts else {name: [value] for name, (_, value) in values.items()}
        level, write = (logging.ERROR, logger.error) if failed else (logging.INFO, logger.info)
        if logger.log_level <= level:
            write(message, extra={**fields, **members})
        else:  # a log level must switch off neither the metrics nor the ids by which a request is found
            ids = {name: fields[name] for name in ("request_id", "gateway_request_id") if fields.get(name)}
            sys.stdout.write(json.dumps({**ids, **members}) + "\n")
            sys.stdout.flush()

    def _emf(self, values: dict[str, tuple[str, float]], dimensions: list[dict[str, str]]) -> dict[str, object]:
        """The members that CloudWatch makes metrics of."""
        metrics = self._tools()[1]
        with self._lock:  # dimension sets are state of the serializer
            metrics.dimension_sets = dimensions
            metrics.timestamp = int(self._clock.wall() * 1000)
            emf = metrics.serialize_metric_set(
                metrics={name: {"Unit": unit, "Value": [value]} for name, (unit, value) in values.items()},
                dimensions={"environment": self._environment},
                metadata={},
            )
        return {**emf}

    def _tools(self) -> tuple[Logger, AmazonCloudWatchEMFProvider]:
        if self._logger is not None and self._metrics is not None:
            return self._logger, self._metrics
        with self._lock:
            from aws_lambda_powertools.logging import Logger
            from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
                AmazonCloudWatchEMFProvider,
            )

            self._metrics = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
            self._metrics.service = ""  # it would become a dimension
            self._logger = Logger(service="proxy", level=self._level, stream=_STDOUT, location=None, use_rfc3339=True)
            self._logger.setLevel(self._level)  # a second Logger of one name takes over the first one's
        return self._logger, self._metrics


def _counts(exchange: Exchange) -> bool:
    """Whether a request counts in metrics, each of which costs money in every hour in which it gets data.

    A test's does not: its deliberate failures must not raise the alarms on what users get. Nor does a look at the
    health that found all well: that is no request of a user.
    """
    is_well = exchange.path == "/health" and not is_failure(exchange)
    return not exchange.candidate and not is_well


def _lost(message: str, error: Exception) -> None:
    """Say that a line was lost, and why; never its text, which may be the reason."""
    sys.stderr.write(
        json.dumps({"level": "ERROR", "message": f"no line: {message}", "reason": type(error).__name__}) + "\n"
    )


class _Stdout:
    """Today's sys.stdout: Powertools keeps the first stream it gets for the life of the process."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


_STDOUT = cast("IO[str]", _Stdout())
