"""A local upstream in a process of its own: one-packet answers, and streams whose chunks carry the time they left.

`python -m bench.proxy.upstream` prints its port. Times are CLOCK_MONOTONIC in nanoseconds, which all processes of a
machine share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

CHUNKS = 50
GAP_S = 0.004
CONTENT = "x" * 800
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": CONTENT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    }
).encode()
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nopenai-processing-ms: 1\r\nopenai-version: 2020-10-01\r\n"
    b"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\nx-request-id: req_1\r\n"
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers every request of one connection."""

    def __init__(self) -> None:
        self._pending = b""
        self._transport: asyncio.WriteTransport | None = None
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio; whole requests are answered, a rest is kept."""
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._pending) < end + 4 + length:
                return
            body = self._pending[end + 4 : end + 4 + length]
            self._pending = self._pending[end + 4 + length :]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        assert self._transport is not None
        if b'"stream":true' in body.replace(b" ", b""):
            self._streaming = asyncio.ensure_future(self._stream())
        else:
            self._transport.write(HEAD + b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)

    async def _stream(self) -> None:
        assert self._transport is not None
        self._transport.write(STREAM_HEAD)
        for number in range(CHUNKS + 1):
            await asyncio.sleep(GAP_S)
            sent = time.monotonic_ns()
            chunk = {"choices": [{"index": 0, "delta": {"content": "word "}}], "sent": sent}
            event = b"data: " + (json.dumps(chunk).encode() if number < CHUNKS else b"[DONE]") + b"\n\n"
            self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self._transport.write(b"0\r\n\r\n")


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
