"""The server that all generators load: `python -m bench.load.server [fast|stalling]`. Prints its port.

fast answers at once. stalling takes 25 ms for each request and stands still for 200 ms every 2 s; asked to end (a line
on standard input), it prints when each request arrived and when its answer lay before the client, in seconds of the
clock that all processes of the machine share.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from time import perf_counter

import uvloop

BODY = b"x" * 1_024
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1024\r\n\r\n" + BODY
SERVICE_S = 0.025
PERIOD_S, STALL_S = 2.0, 0.2


class Fast(asyncio.Protocol):
    """One answer for each head; bodies come in the same packet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))


class Stalling(Fast):
    """Answers after its service time, or when the stall that the request falls into is over."""

    log: list[tuple[float, float]] = []  # noqa: RUF012 - one log a process is what is wanted
    began = perf_counter()

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self._later(perf_counter())

    def _later(self, arrived: float) -> None:
        into = (arrived - self.began) % PERIOD_S
        wait = max(SERVICE_S, STALL_S - into) if into < STALL_S else SERVICE_S
        asyncio.get_running_loop().call_later(wait, self._answer, arrived)

    def _answer(self, arrived: float) -> None:
        # Past the transport, which writes when its loop comes round: over loopback the answer is with the client when
        # the call returns. What passes from there on is the client's own, and must show as its error.
        os.write(self.transport.get_extra_info("socket").fileno(), ANSWER)
        self.log.append((arrived, perf_counter()))


async def serve(kind: type[Fast]) -> None:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(kind, "127.0.0.1", 0, backlog=1_024)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)
    listening.close()
    if kind is Stalling:
        sys.stdout.write(json.dumps(Stalling.log) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(serve(Stalling if sys.argv[1:] == ["stalling"] else Fast))
