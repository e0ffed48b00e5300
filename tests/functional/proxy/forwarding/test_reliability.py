"""Retries, limits, fallbacks, stale connections and rotating keys: what is sent how often, and what the caller gets."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy.clock import Clock
from proxy.request.model import NamedModel
from proxy.upstream.pool import MAX_IDLE_S
from tests.functional.proxy.rig import request, rig, secret
from tests.functional.proxy.upstream import Seen, Upstream, chat, hang_up, keep_silent, reply, short

LIMITS = {"connect_s": 1.0, "first_byte_s": 0.3, "idle_s": 0.3, "total_s": 5.0}


@dataclass
class FakeSleep:
    """A clock that notes waits instead of waiting; the upstream is real, so time itself is."""

    waits: list[float] = field(default_factory=list)
    skew: float = 0.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: time.time() + self.skew, sleep=self.waits.append, random=lambda: 0.5)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_openais_sdks_retry_is_retried_with_growing_waits(status: int) -> None:
    clock = FakeSleep()
    with Upstream(chat(), script=[reply(status), reply(status)]) as upstream:
        answer = rig(upstream.base_url, source=clock.clock()).ask()
    assert (answer.status, len(upstream.received), answer.exchange.attempts) == (200, 3, 3)
    assert clock.waits[0] < clock.waits[1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_an_error_that_no_repetition_cures_is_sent_once(status: int) -> None:
    with Upstream(reply(status, {"error": {}})) as upstream:
        answer = rig(upstream.base_url, source=FakeSleep().clock()).ask()
    assert (answer.status, len(upstream.received)) == (status, 1)


def test_retries_end_and_the_last_answer_is_the_callers() -> None:
    with Upstream(reply(503, {"error": {"message": "down"}})) as upstream:
        answer = rig(upstream.base_url, source=FakeSleep().clock(), retries=3).ask()
    assert (answer.status, answer.json()["error"]["message"], len(upstream.received)) == (503, "down", 4)


def test_x_should_retry_false_is_obeyed() -> None:
    with Upstream(reply(503, {}, [("x-should-retry", "false")])) as upstream:
        rig(upstream.base_url, source=FakeSleep().clock()).ask()
    assert len(upstream.received) == 1


def test_retry_after_is_waited_for_in_full() -> None:
    clock = FakeSleep()
    with Upstream(chat(), script=[reply(429, {}, [("retry-after", "2")])]) as upstream:
        answer = rig(upstream.base_url, source=clock.clock()).ask()
    assert answer.status == 200
    assert 2.0 <= clock.waits[0] <= 2.2


def test_a_retry_after_that_is_no_date_is_none() -> None:
    clock = FakeSleep()
    absurd = "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT"
    with Upstream(chat(), script=[reply(429, {}, [("retry-after", absurd)])]) as upstream:
        answer = rig(upstream.base_url, source=clock.clock()).ask()
    assert (answer.status, len(clock.waits)) == (200, 1)


def test_a_long_retry_after_is_the_callers_to_wait_for() -> None:
    clock = FakeSleep()
    with Upstream(reply(429, {}, [("retry-after", "30")])) as upstream:
        answer = rig(upstream.base_url, source=clock.clock()).ask()
    assert (answer.status, answer.header("retry-after"), clock.waits, len(upstream.received)) == (429, "30", [], 1)


def test_a_wait_that_does_not_fit_into_the_total_time_is_not_begun() -> None:
    clock = FakeSleep()
    limits = {**LIMITS, "total_s": 1.0}
    with Upstream(reply(429, {}, [("retry-after", "3")])) as upstream:
        answer = rig(upstream.base_url, source=clock.clock(), timeouts=limits).ask()
    assert (answer.status, clock.waits) == (429, [])


def test_a_refused_connection_is_retried_and_then_a_502() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clock = FakeSleep()
    answer = rig(f"http://127.0.0.1:{port}/v1", source=clock.clock()).ask()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "connect_error")
    assert len(clock.waits) == 2


def test_a_name_that_no_resolver_takes_is_a_502() -> None:
    proxy = rig("http://127.0.0.1:9/v1", retries=0)
    held = proxy.parts.secrets.get()
    proxy.parts.secrets.get = lambda: replace(held, upstream=replace(held.upstream, host="a..b"))  # type: ignore[method-assign]
    answer = proxy.ask()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "connect_error")


def test_a_resolver_that_does_not_answer_ends_at_the_connect_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    released, lookups = threading.Event(), []

    def slow(host: str, port: int, *, type: int, flags: int = 0) -> Any:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        lookups.append(host)
        released.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    proxy = rig("https://api.example/v1", timeouts={**LIMITS, "connect_s": 0.2}, retries=1)
    begun = time.monotonic()
    answer = proxy.ask()
    took = time.monotonic() - begun
    released.set()
    assert (answer.status, answer.json()["error"]["code"]) == (504, "connect_timeout")
    assert took < 10.0
    assert lookups == ["api.example"]  # the second attempt joined the lookup of the first


def test_no_body_is_built_for_a_fallback_that_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    original = NamedModel.body

    def build(named: NamedModel, name: str) -> tuple[bytes | memoryview, ...]:
        built.append(name)
        return original(named, name)

    monkeypatch.setattr(NamedModel, "body", build)
    models = {"best": {"target": "m1", "fallbacks": ["m2", "m3"]}}
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url, models=models).ask(body={"model": "best"}).status == 200
        assert built == ["m1"]
        upstream.script.append(reply(503, {}))
        assert rig(upstream.base_url, models=models, retries=0).ask(body={"model": "best"}).status == 200
    assert built == ["m1", "m1", "m2"]


def test_a_connect_timeout_ends_at_its_own_limit() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]  # fill the backlog: later SYNs get no answer
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        proxy = rig(f"http://127.0.0.1:{port}/v1", timeouts={**LIMITS, "connect_s": 0.2}, retries=0)
        answer = proxy.ask()
        for filler in fillers:
            filler.close()
    assert (answer.status, answer.json()["error"]["code"]) == (504, "connect_timeout")


def test_a_silent_upstream_is_a_504_and_is_not_asked_twice() -> None:
    """It may be working on the request: asking again could pay for it twice."""
    with Upstream(keep_silent) as upstream:
        answer = rig(upstream.base_url, timeouts=LIMITS).ask()
    assert (answer.status, answer.json()["error"]["code"], len(upstream.received)) == (504, "first_byte_timeout", 1)


def test_the_total_time_holds_over_all_attempts() -> None:
    limits = {**LIMITS, "first_byte_s": 3.0, "total_s": 0.4}
    with Upstream(keep_silent) as upstream:
        answer = rig(upstream.base_url, timeouts=limits).ask()
    assert (answer.status, answer.json()["error"]["code"]) == (504, "total_timeout")


def test_the_invocations_own_end_is_never_passed() -> None:
    with Upstream(keep_silent) as upstream:
        answer = rig(upstream.base_url, timeouts={**LIMITS, "first_byte_s": 3.0}).ask(deadline=time.monotonic() + 0.3)
    assert (answer.status, answer.json()["error"]["code"]) == (504, "total_timeout")


def test_a_model_may_have_a_timeout_of_its_own() -> None:
    models = {"slow": {"target": "o1", "timeout_s": 0.3}}
    with Upstream(keep_silent) as upstream:
        proxy = rig(upstream.base_url, timeouts={**LIMITS, "first_byte_s": 3.0}, models=models)
        answer = proxy.ask(body={"model": "slow", "messages": []})
    assert answer.json()["error"]["code"] == "total_timeout"


def test_an_upstream_that_hangs_up_after_reading_is_a_502_and_is_not_asked_twice() -> None:
    with Upstream(hang_up) as upstream:
        answer = rig(upstream.base_url, source=FakeSleep().clock()).ask()
    assert (answer.status, answer.json()["error"]["code"], len(upstream.received)) == (502, "upstream_disconnected", 1)


def test_a_get_that_was_hung_up_on_is_repeated() -> None:
    with Upstream(reply(200, {"data": []}), script=[hang_up]) as upstream:
        answer = rig(upstream.base_url, source=FakeSleep().clock()).ask("/v1/files", method="GET")
    assert (answer.status, len(upstream.received)) == (200, 2)


def test_a_body_that_ends_early_is_broken_and_in_buffered_form_a_502() -> None:
    with Upstream(short(1000, b'{"id":')) as upstream:
        streamed = rig(upstream.base_url).ask()
        held = rig(upstream.base_url).ask(hold=True)
    assert streamed.broken is not None
    assert (held.status, held.json()["error"]["code"]) == (502, "upstream_disconnected")


def test_fallbacks_are_tried_in_order_after_the_retries_and_may_be_aliases() -> None:
    models = {"best": {"target": "m1", "fallbacks": ["m2", "spare"]}, "spare": {"target": "m3"}}

    def by_model(_: Upstream, received: Seen, client: socket.socket) -> bool:
        good = received.json()["model"] == "m3"
        return (chat(model="m3") if good else reply(500, {}))(_, received, client)

    with Upstream(by_model) as upstream:
        proxy = rig(upstream.base_url, source=FakeSleep().clock(), retries=1, models=models)
        answer = proxy.ask(body={"model": "best", "messages": []})
    assert [received.json()["model"] for received in upstream.received] == ["m1", "m1", "m2", "m2", "m3"]
    assert (answer.status, answer.header("x-proxy-model")) == (200, "m3")


def test_a_fallback_also_takes_over_from_a_silent_model() -> None:
    models = {"best": {"target": "m1", "fallbacks": ["m2"]}}
    with Upstream(chat(), script=[keep_silent]) as upstream:
        answer = rig(upstream.base_url, timeouts=LIMITS, models=models).ask(body={"model": "best", "messages": []})
    assert (answer.status, [received.json()["model"] for received in upstream.received]) == (200, ["m1", "m2"])


def test_a_caller_error_is_no_reason_for_a_fallback() -> None:
    models = {"best": {"target": "m1", "fallbacks": ["m2"]}}
    with Upstream(reply(400, {"error": {}})) as upstream:
        answer = rig(upstream.base_url, models=models).ask(body={"model": "best", "messages": []})
    assert (answer.status, len(upstream.received)) == (400, 1)


def test_connections_are_kept_and_used_again() -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url)
        for _ in range(20):
            assert proxy.ask().status == 200
    assert upstream.connections == 1


def test_a_frozen_environment_loses_no_request_to_stale_connections_and_sends_none_twice() -> None:
    """The upstream closes between any two requests, as it does while Lambda keeps an environment frozen."""
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, retries=0)
        for number in range(30):
            answer = proxy.ask(body={"model": "gpt-4o", "messages": [], "user": str(number)})
            assert answer.status == 200
            upstream.drop_connections()
    assert [received.json()["user"] for received in upstream.received] == [str(number) for number in range(30)]


def test_a_connection_that_dies_while_the_request_is_on_its_way_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The close comes after the check: the packet meets a dead socket, unacknowledged, and is sent once more."""
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, retries=0)
        assert proxy.ask().status == 200
        upstream.drop_connections()
        time.sleep(0.05)
        monkeypatch.setattr("proxy.upstream.connection.Connection.is_dead", lambda _: False)
        answer = proxy.ask()
    if hasattr(socket, "TCP_INFO"):
        assert (answer.status, answer.exchange.reconnects, len(upstream.received)) == (200, 1, 2)
    else:  # no way to know that it was not seen, so it is not sent twice
        assert (answer.status, answer.exchange.reconnects, len(upstream.received)) == (502, 0, 1)


def test_a_connection_idle_for_longer_than_servers_keep_it_is_not_used() -> None:
    clock = FakeSleep()
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, source=clock.clock())
        proxy.ask()
        clock.skew = MAX_IDLE_S + 1
        proxy.ask()
    assert [received.connection for received in upstream.received] == [1, 2]


def test_a_401_reads_the_secret_once_and_a_rotated_key_is_used() -> None:
    def old_key_refused(_: Upstream, received: Seen, client: socket.socket) -> bool:
        good = received.header("authorization") == "Bearer sk-new"
        return (chat() if good else reply(401, {"error": {}}))(_, received, client)

    with Upstream(old_key_refused) as upstream:
        proxy = rig(upstream.base_url, source=FakeSleep().clock())
        proxy.parts.secrets.get()
        proxy.store.secret["api_key"] = "sk-new"
        answer = proxy.ask()
    assert (answer.status, len(upstream.received), proxy.store.reads) == (200, 2, 2)


def test_a_key_rotated_again_and_again_while_one_request_waits_loses_it_not() -> None:
    def rotated_five_times(_: Upstream, received: Seen, client: socket.socket) -> bool:
        turn = int((received.header("authorization") or "").removeprefix("Bearer sk-"))
        proxy.store.secret["api_key"] = f"sk-{min(turn + 1, 5)}"
        return (chat() if turn == 5 else reply(401, {"error": {}}))(_, received, client)

    with Upstream(rotated_five_times) as upstream:
        proxy = rig(upstream.base_url, api_key="sk-0")
        answer = proxy.ask()
    assert (answer.status, len(upstream.received), proxy.store.reads) == (200, 6, 6)


def test_two_refused_keys_by_turns_end_in_401() -> None:
    def other_key(_: Upstream, received: Seen, client: socket.socket) -> bool:
        proxy.store.secret["api_key"] = "sk-b" if received.header("authorization") == "Bearer sk-a" else "sk-a"
        return reply(401, {"error": {}})(_, received, client)

    with Upstream(other_key) as upstream:
        proxy = rig(upstream.base_url, api_key="sk-a")
        answer = proxy.ask()
    assert (answer.status, len(upstream.received)) == (401, 2)


def test_a_401_with_an_unchanged_secret_goes_to_the_caller() -> None:
    with Upstream(reply(401, {"error": {"code": "invalid_api_key"}})) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask()
    assert (answer.status, answer.json()["error"]["code"], len(upstream.received)) == (401, "invalid_api_key", 1)


def test_a_wrong_key_in_the_secret_does_not_read_it_for_every_request() -> None:
    with Upstream(reply(401, {"error": {}})) as upstream:
        proxy = rig(upstream.base_url)
        for _ in range(10):
            proxy.ask()
    assert proxy.store.reads == 2


def test_a_key_rotated_under_load_loses_no_request() -> None:
    """Eight callers go on while the key is rotated twenty times; the upstream takes the newest key only."""
    valid = {"sk-0"}

    def newest_key_only(_: Upstream, received: Seen, client: socket.socket) -> bool:
        good = (received.header("authorization") or "").removeprefix("Bearer ") in valid
        return (chat() if good else reply(401, {"error": {}}))(_, received, client)

    with Upstream(newest_key_only) as upstream:
        proxy = rig(upstream.base_url, api_key="sk-0")
        statuses: list[int] = []
        stop = threading.Event()

        def call() -> None:
            while not stop.is_set():
                response = proxy.parts.proxy.respond(request())
                b"".join(response.body)
                statuses.append(response.status)

        callers = [threading.Thread(target=call) for _ in range(8)]
        for caller in callers:
            caller.start()
        for number in range(1, 21):
            valid.add(f"sk-{number}")  # both are good until the old one is revoked
            proxy.store.secret["api_key"] = f"sk-{number}"
            valid.discard(f"sk-{number - 1}")
            time.sleep(0.03)
        stop.set()
        for caller in callers:
            caller.join(10)
    assert len(statuses) > 20
    assert set(statuses) == {200}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": 1, "api_key": 7}', "api_key must be a non-empty string"),
        ('{"schema": 1, "api_key": "sk-x", "cors_origins": ["http://[x"]}', "cors_origins[0]"),
        ('{"schema": 1, "api_key": "sk-x", "models": {"\\ud800": 1}}', "models"),
        ('{"schema": 1, "api_key": "sk-x", "\\ud800": 1}', "is not known"),
        ("[" * 60_000, "not JSON"),
    ],
)
def test_a_secret_that_turns_malformed_keeps_the_last_good_one_and_says_so(text: str, said: str) -> None:
    clock = FakeSleep()
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, source=clock.clock(), ttl_s=60.0)
        assert proxy.ask().status == 200
        proxy.store.text = text
        clock.skew = 61.0
        with contextlib.redirect_stdout(proxy.log):
            assert proxy.ask().status == 200
    lines = {line["message"]: line for line in proxy.lines()}
    assert said in lines["secret unusable"]["reason"]
    assert lines["secret failures"]["SecretFailures"] == [1.0]
    assert upstream.received[1].header("authorization") == "Bearer sk-upstream"


@pytest.mark.parametrize("candidate", [True, False])
def test_an_unreadable_secret_counts_only_when_it_fails_a_users_request(candidate: bool) -> None:
    proxy = rig("http://127.0.0.1:9/v1")
    proxy.store.text = "{"
    with contextlib.redirect_stdout(proxy.log):
        assert proxy.ask(candidate=candidate).status == 503
        assert proxy.ask(candidate=not candidate).status == 503
    counted = [line for line in proxy.lines() if "SecretFailures" in line]
    assert ["_aws" in line for line in counted] == [not candidate]


def test_a_request_of_a_test_is_a_line_with_its_values_and_no_metric() -> None:
    """Each custom metric costs money in every hour in which it gets data, and every night tests."""
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url)
        proxy.ask(candidate=True)
        proxy.ask()
    tested, users = proxy.lines()
    assert (tested["candidate"], "_aws" in tested, tested["Requests"]) == (True, False, [1.0])
    assert ("candidate" in users, users["_aws"]["CloudWatchMetrics"][0]["Namespace"]) == (False, "proxyctl")


def test_a_look_at_the_health_counts_only_when_it_failed() -> None:
    well, broken = rig("http://127.0.0.1:9/v1"), rig("http://127.0.0.1:9/v1")
    broken.store.text = "{"
    assert well.ask("/health", method="GET").status == 200
    with contextlib.redirect_stdout(broken.log):
        assert broken.ask("/health", method="GET").status == 503
    assert "_aws" not in well.lines()[-1]
    assert [line["Errors"] for line in broken.lines() if line["message"] == "request" and "_aws" in line] == [[1.0]]


def test_a_new_secret_is_taken_when_the_old_one_is_old() -> None:
    clock = FakeSleep()
    with Upstream(chat()) as first, Upstream(chat()) as second:
        proxy = rig(first.base_url, source=clock.clock(), ttl_s=60.0)
        proxy.ask()
        proxy.store.secret = secret(second.base_url, api_key="sk-2")
        proxy.ask()
        clock.skew = 61.0
        proxy.ask()
    assert (len(first.received), len(second.received)) == (2, 1)


def _reset_after_reading(_: Upstream, __: Seen, client: socket.socket) -> bool:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    return False


def test_a_reset_after_the_request_was_read_is_not_taken_for_a_stale_connection() -> None:
    """On a busy connection acknowledgements are late, so a reset without one proves nothing."""
    with Upstream(chat(), script=[chat(), chat(), _reset_after_reading]) as upstream:
        proxy = rig(upstream.base_url, retries=2, source=FakeSleep().clock())
        statuses = [proxy.ask().status for _ in range(3)]
    assert (statuses, len(upstream.received)) == ([200, 200, 502], 3)


def test_a_head_that_trickles_in_does_not_outlive_the_limit() -> None:
    def trickle(_: Upstream, __: Seen, client: socket.socket) -> bool:
        for byte in b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 200:
            client.sendall(bytes([byte]))
            time.sleep(0.02)
        return False

    begun = time.monotonic()
    with Upstream(trickle) as upstream:
        answer = rig(upstream.base_url, timeouts=LIMITS).ask()
    assert answer.json()["error"]["code"] == "first_byte_timeout"
    assert time.monotonic() - begun < 3.0  # the head alone takes 4.5 s


def test_a_body_refused_before_it_was_sent_still_brings_its_answer() -> None:
    """The upstream answers 413 and closes while the body is on its way."""

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            client.recv(1000)
            client.sendall(b"HTTP/1.1 413 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            client.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
            while client.recv(1 << 20):
                continue
            client.close()

        threading.Thread(target=serve, daemon=True).start()
        proxy = rig(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        answer = proxy.ask("/v1/files", body=b"x" * 4_000_000, headers={"content-type": "x/y"})
    assert (answer.status, answer.body) == (413, b"{}")
