"""The third door: a local HTTP server with real streaming, for development; `python -m proxy` starts it.

One thread waits for all callers that have not sent a whole request, so that slow ones cost a descriptor and no
thread. Each whole request runs in a worker of its own, which then waits a moment for the same caller's next one.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import threading
import time
import traceback
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from proxy import errors
from proxy.doors import outbox
from proxy.doors.callers import Caller, Callers, Stage, descriptor_budget
from proxy.doors.inbox import Refused
from proxy.doors.workers import Workers
from proxy.exchange import CALLER_GONE, CallerGone
from proxy.message import StreamBroken
from proxy.upstream.waiting import READABLE, wait

if TYPE_CHECKING:
    from proxy.message import Request, Response
    from proxy.wiring import Parts

BACKLOG = 512
RECEIVE = 262_144
NEXT_S = 0.02  # how long a worker waits for the next request of its caller
TICK_S = 0.5  # how exact deadlines of callers are
PRUNE_S = 5.0  # how often idle connections to upstreams are looked at
ACCEPTS = 64  # connections taken in one turn, so that those that are there get their turn


class Server:
    """Serves the parts of one proxy on 127.0.0.1. `server_address`: (host, port)."""

    def __init__(self, port: int, parts: Parts, body_limit: int) -> None:
        self.parts = parts
        self._listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.server_address = self._listener.getsockname()
        limit, reserve, parts.pool.max_idle = descriptor_budget()
        self._callers = Callers(limit, reserve, body_limit, parts.proxy.admit)
        self._workers = Workers()
        self._selector = selectors.DefaultSelector()
        self._returned: SimpleQueue[Caller] = SimpleQueue()
        self._waker, self._alarm = socket.socketpair()
        self._waker.setblocking(False)
        self._stopping = False
        self._stopped = threading.Event()
        self._accepting = True
        self._ticked_at = self._pruned_at = 0.0

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.server_close()

    def serve_forever(self, poll_interval: float = TICK_S) -> None:
        """Serve until `shutdown` is called from another thread, or the process is interrupted."""
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        try:
            while not self._stopping:
                for key, _ in self._selector.select(poll_interval):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is self._waker:
                        self._take_back()
                    else:
                        self._receive(key.data)
                self._tick(time.monotonic())
        finally:
            self._stopped.set()

    def shutdown(self) -> None:
        """End `serve_forever`, and wait until it has ended."""
        self._stopping = True
        self._wake()
        self._stopped.wait(10.0)

    def server_close(self) -> None:
        """Close the listener and all connections; answers in progress break."""
        self._listener.close()
        self._selector.close()
        self._callers.close()
        self._waker.close()
        self._alarm.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full, hence awake, or closed
            self._alarm.send(b"x")

    def _accept(self) -> None:
        for _ in range(ACCEPTS):
            if self._callers.is_full():
                self._accepting = False  # until the next tick: the backlog would report itself without a pause
                self._selector.unregister(self._listener)
                return
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # it hung up at once, or descriptors ran out against the budget
                self._callers.evict(self._drop)
                return
            self._callers.make_room(self._drop)  # now that there is one: none has to go for nobody
            caller = self._callers.add(sock)
            self._wait_for(caller)
            self._receive(caller)  # before the next one may take its place

    def _wait_for(self, caller: Caller) -> None:
        self._selector.register(caller.sock, selectors.EVENT_READ, caller)

    def _drop(self, caller: Caller) -> None:
        with contextlib.suppress(KeyError, ValueError):  # a worker has it
            self._selector.unregister(caller.sock)
        self._callers.remove(caller)

    def _tick(self, now: float) -> None:
        if now - self._ticked_at < TICK_S:
            return
        self._ticked_at = now
        if not self._accepting:
            self._accepting = True
            self._selector.register(self._listener, selectors.EVENT_READ)
        for caller in self._callers.overdue(now):
            if caller.stage in (Stage.HEAD, Stage.BODY):
                self._refuse(caller, caller.inbox.late())
            else:
                self._drop(caller)
        if now - self._pruned_at >= PRUNE_S:
            self._pruned_at = now
            self.parts.pool.prune()

    def _take_back(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.recv(RECEIVE)
        with contextlib.suppress(Empty):
            while True:
                caller = self._returned.get_nowait()
                if caller.sock.fileno() >= 0:  # not dropped meanwhile
                    self._wait_for(caller)

    def _receive(self, caller: Caller) -> None:
        """Bytes of a caller have arrived, or its end."""
        try:
            data = caller.sock.recv(RECEIVE)
            if caller.stage is not Stage.LINGER:
                self._take(caller, data)
            elif not data:
                self._drop(caller)
        except BlockingIOError:
            return
        except Refused as refused:
            self._refuse(caller, refused)
        except OSError:
            self._drop(caller)

    def _take(self, caller: Caller, data: bytes) -> None:
        """Hand a whole request over. Raises Refused, OSError at the connection's end."""
        if not data:
            raise caller.inbox.end() or ConnectionResetError()
        request = caller.next_request(data)
        if request is not None:
            self._hand_over(caller, partial(self._serve, caller, request))

    def _refuse(self, caller: Caller, refused: Refused) -> None:
        self._hand_over(caller, partial(self._answer_refused, caller, refused))

    def _hand_over(self, caller: Caller, task: partial[None]) -> None:
        self._selector.unregister(caller.sock)
        caller.stage = Stage.BUSY
        self._workers.run(task)

    def _serve(self, caller: Caller, request: Request | None) -> None:
        """In a worker: answer a request, and the caller's next ones as long as they come at once."""
        try:
            while request is not None:
                if caller.is_surplus and request.path != "/health":
                    raise Refused(request, errors.too_busy())
                if not self._answer(caller, request):
                    self._callers.remove(caller)
                    return
                request = self._next_request(caller)
        except Refused as refused:
            self._answer_refused(caller, refused)
        except OSError:  # the caller has closed
            self._callers.remove(caller)
        except BaseException:
            self._callers.remove(caller)
            raise
        else:
            self._give_back(caller, Stage.IDLE if caller.inbox.is_idle else Stage.HEAD)

    def _next_request(self, caller: Caller) -> Request | None:
        """What has arrived meanwhile, or arrives within a moment. Raises Refused, OSError at the connection's end."""
        request = caller.next_request(b"")
        if request is not None:
            return request
        try:
            wait(caller.sock.fileno(), READABLE, NEXT_S)
        except TimeoutError:
            return None
        data = caller.sock.recv(RECEIVE)
        if not data:
            raise caller.inbox.end() or ConnectionResetError()
        return caller.next_request(data)

    def _give_back(self, caller: Caller, stage: Stage) -> None:
        caller.enter(stage)
        self._returned.put(caller)
        self._wake()

    def _answer(self, caller: Caller, request: Request) -> bool:
        """Answer one request; whether its connection stays open."""
        try:
            response = self.parts.proxy.respond(request)
        except Exception:  # noqa: BLE001  (a bug fails its own request; its caller must hear of it)
            traceback.print_exc(file=sys.stderr)
            response = self.parts.proxy.refuse(request, errors.internal())
        return self._send(caller, request, response)

    def _answer_refused(self, caller: Caller, refused: Refused) -> None:
        """Answer a request that was not read to its end, and close: where the next one begins is not known."""
        caller.inbox.keep_alive = False
        response = self.parts.proxy.refuse(refused.request, refused.error)
        self._send(caller, refused.request, response)
        try:
            caller.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the caller was quicker
            self._callers.remove(caller)
        else:
            # Read what the caller still sends, for some seconds: a reset would take the answer from it.
            self._give_back(caller, Stage.LINGER)

    def _send(self, caller: Caller, request: Request, response: Response) -> bool:
        exchange, inbox = response.exchange, caller.inbox
        try:
            return outbox.send_response(caller.sock, response, request.method, inbox.minor, keep_alive=inbox.keep_alive)
        except (OSError, CallerGone):
            exchange.error = exchange.error or CALLER_GONE
        except StreamBroken:
            pass  # no closing chunk: the caller's HTTP library sees that the body is incomplete
        except Exception:  # noqa: BLE001  (a bug in mid-answer; the connection closes)
            traceback.print_exc(file=sys.stderr)
            exchange.error = exchange.error or errors.internal().code or ""
        finally:
            response.close()
            self.parts.telemetry.request_ended(exchange)
        return False


def announce(server: Server) -> str:
    """The line that says where the server listens, as JSON like every other line."""
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return json.dumps({"level": "INFO", "message": "listening", "base_url": url})
