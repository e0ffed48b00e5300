"""What one connection does never holds up the thread that serves all of them."""

from __future__ import annotations

import contextlib
import socket

import pytest

from proxy.doors import outbox
from proxy.doors.callers import Caller, Stage
from proxy.doors.inbox import Inbox

HEAD = b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


def _fill(sock: socket.socket) -> None:
    """Send until the other side's buffers are full."""
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65_536)


def test_a_caller_who_reads_nothing_is_not_waited_for_before_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SEND_S", 0.2)  # a wait would end with an error
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        _fill(here)
        caller = Caller(here, Inbox(100, lambda _: None, here.fileno()), is_surplus=False)
        assert caller.next_request(HEAD) is None
        assert caller.stage is Stage.BODY
        request = caller.next_request(b"hello")
        assert request is not None
        assert request.body == b"hello"


def test_a_caller_who_reads_is_told_to_continue_once() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        caller = Caller(here, Inbox(100, lambda _: None, here.fileno()), is_surplus=False)
        assert caller.next_request(HEAD) is None
        assert caller.next_request(b"hel") is None
        assert there.recv(100) == outbox.CONTINUE
