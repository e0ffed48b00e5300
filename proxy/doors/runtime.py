"""The loop of a Lambda environment: get ready, then answer one invocation after the other, streamed or
buffered.

The managed Python runtime cannot stream a response; the Runtime API can, so this loop takes its place
(AWS_LAMBDA_EXEC_WRAPPER there, `provided.al2023` in the embedded cloud). A buffered request is logged before
its answer is handed over, a streamed one after its last byte: that is the latest moment at which no line can
be lost.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from proxy import errors
from proxy.doors import gateway
from proxy.doors.runtime_api import RuntimeApi, RuntimeGone
from proxy.exchange import CALLER_GONE
from proxy.message import StreamBroken
from proxy.secret.store import CURRENT, PENDING, SecretsManager
from proxy.settings import from_environment
from proxy.wiring import Parts

if TYPE_CHECKING:
    from proxy.doors.runtime_api import Invocation
    from proxy.message import Request, Response

MARGIN_S = 0.5  # of the invocation's time, kept to hand over an error instead of being cut


def main() -> int:
    """Run until the environment is taken down; the process's exit code."""
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        settings = from_environment(os.environ)
        arn = settings.secret_arn
        checked_first = SecretsManager(arn, os.environ, stages=(PENDING, CURRENT))
        parts = Parts(settings, SecretsManager(arn, os.environ), candidate_store=checked_first)
        try_secret(parts)
    except Exception as error:  # noqa: BLE001  (whatever it is, Lambda must hear of it before the process ends)
        api.fail_init(error)
        return 1
    content_type = settings.stream_content_type
    loop = Loop(api, parts, stream=settings.response_mode == "stream", content_type=content_type)
    parts.telemetry.init_ms = process_age_ms()
    try:
        while True:
            loop.serve(api.next())
    except RuntimeGone:
        return 0  # the environment is being taken down


def try_secret(parts: Parts) -> None:
    """Read the secret while Lambda lends a full core. A failure is no reason to die: the first request tries
    again.
    """
    try:
        parts.secrets.get()
    except errors.ProxyError:
        return  # already reported by the cache, with its metric


class Loop:
    """Answers invocations with one set of parts."""

    def __init__(self, api: RuntimeApi, parts: Parts, *, stream: bool, content_type: str) -> None:
        self._api = api
        self._parts = parts
        self._stream = stream
        self._content_type = content_type  # of a stream with a prelude
        self._preparing: threading.Thread | None = None

    def serve(self, invocation: Invocation) -> None:
        """Answer one invocation; whatever goes wrong with it leaves the loop fit for the next."""
        self._prepare_telemetry()
        try:
            request = self._request(invocation)
            response = self._parts.proxy.respond(request)
        except Exception as error:  # noqa: BLE001  (a bug fails its own invocation, not the environment)
            self._api.fail(invocation.id, error)
            return
        if self._stream:
            self._hand_over_stream(invocation, response)
        else:
            self._hand_over(invocation, response)
        self._parts.secrets.refresh_early()

    def _prepare_telemetry(self) -> None:
        # Once, beside the first request's wait for its upstream: an import of some 50 ms.
        if self._preparing is None:
            self._preparing = threading.Thread(target=self._parts.telemetry.prepare, daemon=True)
            self._preparing.start()

    def _request(self, invocation: Invocation) -> Request:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
        left = invocation.deadline_ms / 1000.0 - self._parts.clock.wall() - MARGIN_S
        return gateway.request_of(
            json.loads(invocation.event),
            hold=not self._stream,
            deadline=self._parts.clock.monotonic() + left,
            invocation_id=invocation.id,
        )

    def _hand_over(self, invocation: Invocation, response: Response) -> None:
        try:
            payload = gateway.buffered_answer(response)
        except errors.ProxyError as error:
            response.exchange.error, response.exchange.status = error.code or "", error.status
            response.status, response.body = error.status, (error.body(),)
            response.headers = [("content-type", "application/json"), *error.headers]
            response.headers.append(("x-request-id", response.exchange.request_id))
            payload = gateway.buffered_answer(response)
        self._parts.telemetry.request_ended(response.exchange)
        self._api.answer(invocation.id, payload)

    def _hand_over_stream(self, invocation: Invocation, response: Response) -> None:
        stream = self._api.stream(invocation.id, self._content_type)
        broken: BaseException | None = None
        try:
            stream.write(gateway.prelude(response))
            for chunk in response.body:
                stream.write(chunk)
        except StreamBroken as error:
            broken = error
        except RuntimeGone:
            # The caller hung up, or Lambda did. No more of the answer is wanted; `next` finds out which.
            response.exchange.error = response.exchange.error or CALLER_GONE
            response.close()
            self._parts.telemetry.request_ended(response.exchange)
            return
        except Exception as error:  # noqa: BLE001  (a bug in mid-stream must not end in silence either)
            broken = error
            response.exchange.error = response.exchange.error or "internal_error"
        finally:
            response.close()
        stream.end(broken)
        self._parts.telemetry.request_ended(response.exchange)


def process_age_ms() -> float | None:
    """Milliseconds since this process started, to 10 ms; None where the system does not tell (no Linux)."""
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123  (pathlib costs 3 ms of the cold start)
            ticks = int(file.read().rpartition(b")")[2].split()[19])
    except OSError:
        return None
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return round(age * 1000.0, 1)


if __name__ == "__main__":
    sys.exit(main())
