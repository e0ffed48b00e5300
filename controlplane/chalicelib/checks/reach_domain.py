"""Asks the proxy through the users' domain, as a client does: name, certificate, mapping and stage take part.

In the embedded cloud no name resolves: there the request goes to the cloud's own address with the domain as its Host,
which proves mapping and stage and neither record nor certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.address import Domain
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.ports import Aws

_TIMEOUT_S = 10.0
_UNRESOLVED = "gaierror"  # as `adapters/endpoint.py` names the error of a name that does not resolve


@dataclass(frozen=True, slots=True)
class Answer:
    """reply: None when there is none; reason: why, and whether it says anything about the environment."""

    reply: Reply | None = None
    reason: str = ""
    counts: bool = True


def ask(domain: Domain, path: str, aws: Aws) -> Answer:
    """GET a path of the domain, without a signature or key.

    A name that does not resolve counts only where the environment keeps the record: elsewhere it may resolve for users
    and not for us.
    """
    endpoint = aws.settings.endpoint_url.rstrip("/")
    headers: Mapping[str, str] = {"host": domain.name} if endpoint else {}
    try:
        url = (endpoint or domain.url) + path
        return Answer(aws.endpoint.call("GET", url, headers, signed=False, timeout_s=_TIMEOUT_S))
    except AwsCallFailed as error:
        unresolved = _UNRESOLVED in error.message
        counts = not unresolved or domain.hosted_zone_id is not None
        return Answer(None, f"{domain.name} does not resolve here" if unresolved else error.message, counts)


def described(domain: Domain, aws: Aws) -> str:
    """A sentence on whether users reach the proxy there now."""
    answer = ask(domain, "/health", aws)
    if answer.reply is None:
        return f"{domain.name}: NOT RUN: {answer.reason}"
    if answer.reply.status == 200 and answer.reply.json() == {"status": "ok"}:
        return f"{domain.name} answers"
    return f"{domain.name} leads elsewhere as yet: it answers {answer.reply.status}"
