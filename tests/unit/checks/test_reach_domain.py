"""The users' domain is asked as a client does, and a name that we cannot resolve says nothing unless it is ours."""

from __future__ import annotations

import pytest
from chalicelib.checks import reach_domain
from chalicelib.domain.aws.address import Domain
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.ports import Aws

from tests.fakes import FakeAws, settings

OURS = Domain("llm.example.com", "arn", "Z0")
THEIRS = Domain("llm.example.com", "arn")


class Endpoint:
    """Answers, or fails as `adapters/endpoint.py` does."""

    def __init__(self, answer: Reply | str) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, str]]] = []

    def call(self, method: str, url: str, headers: dict[str, str], **_: object) -> Reply:
        self.calls.append((url, dict(headers)))
        if isinstance(self.answer, str):
            message = f"{method} {url}: {self.answer}"
            raise AwsCallFailed(message, code="EndpointUnreachable", evidence={"kind": "connect"})
        return self.answer


def aws(answer: Reply | str, endpoint_url: str = "") -> tuple[Aws, Endpoint]:
    fake, endpoint = FakeAws(settings=settings(endpoint_url=endpoint_url)), Endpoint(answer)
    fake.endpoint = endpoint  # type: ignore[assignment]
    return fake.as_aws(), endpoint


def reply(status: int = 200, body: bytes = b'{"status": "ok"}') -> Reply:
    return Reply(status, {}, body, 1.0, 1.0)


def test_in_an_account_the_name_itself_is_asked() -> None:
    fake, endpoint = aws(reply())
    assert reach_domain.described(OURS, fake) == "llm.example.com answers"
    assert endpoint.calls == [("https://llm.example.com/health", {})]


def test_in_the_embedded_cloud_the_name_is_the_host_of_a_request_to_it() -> None:
    fake, endpoint = aws(reply(), "http://127.0.0.1:4566/")
    reach_domain.ask(OURS, "/health", fake)
    assert endpoint.calls == [("http://127.0.0.1:4566/health", {"host": "llm.example.com"})]


@pytest.mark.parametrize(("domain", "counts"), [(OURS, True), (THEIRS, False)])
def test_a_name_that_does_not_resolve_counts_where_the_record_is_ours(domain: Domain, counts: bool) -> None:
    answer = reach_domain.ask(domain, "/health", aws("gaierror: [Errno -2] Name or service not known")[0])
    assert (answer.reply, answer.counts) == (None, counts)
    assert "does not resolve here" in answer.reason


@pytest.mark.parametrize("problem", ["SSLCertVerificationError: hostname mismatch", "ConnectionRefusedError: refused"])
def test_a_wrong_certificate_or_a_closed_port_counts_always(problem: str) -> None:
    answer = reach_domain.ask(THEIRS, "/health", aws(problem)[0])
    assert answer.counts
    assert problem in answer.reason


@pytest.mark.parametrize("other", [reply(404), reply(200, b"<html>"), reply(503)])
def test_another_answer_is_said_to_be_elsewheres(other: Reply) -> None:
    words = reach_domain.described(OURS, aws(other)[0])
    assert words == f"llm.example.com leads elsewhere as yet: it answers {other.status}"
