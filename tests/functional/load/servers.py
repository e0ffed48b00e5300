"""Servers to load: they answer at once, stall on a clock of their own, break, or say no."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Seen:
    """What a server was asked: when (perf_counter), and over how many connections."""

    times: list[float] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0


Answer = Callable[[int, float], bytes | float | None]
"""Of the number of the request and seconds since the start: bytes to answer with, seconds to wait before OK, or None
to hang up."""


@contextlib.contextmanager
def server(answer: Answer = lambda *_: OK) -> Iterator[tuple[str, Seen]]:
    """Serves on a free port of 127.0.0.1, on a loop and thread of its own: the URL, and what was seen."""
    observed, loop = Seen(), asyncio.new_event_loop()
    ready: list[str] = []
    started = threading.Event()
    began = time.perf_counter()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        observed.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"content-length:"), 0)
                await reader.readexactly(length)
                observed.times.append(time.perf_counter())
                observed.heads.append(head)
                reported = answer(len(observed.times) - 1, time.perf_counter() - began)
                if reported is None:
                    break
                if isinstance(reported, float):
                    await asyncio.sleep(reported)
                    reported = OK
                writer.write(reported)
        writer.close()

    async def serve() -> None:
        listening = await asyncio.start_server(handle, "127.0.0.1", 0)
        ready.append(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
        started.set()
        async with listening:
            await listening.serve_forever()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(5)
    try:
        yield ready[0], observed
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        thread.join(5)
