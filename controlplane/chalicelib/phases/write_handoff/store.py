"""What both writers of documents share: an object in the control plane's bucket, and the links that stand in it."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.aws.address import Domain
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

from .links import console_links

HTML, MARKDOWN = "text/html; charset=utf-8", "text/markdown; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the bucket: `reports/<deployment>/<name>`."""

    name: str
    text: str
    content_type: str


def put(document: Document, deployment_id: str, names: Names, aws: Aws) -> str:
    """The document's key, once the bucket answers with what was written. Raises PhaseFailed (ReportDamaged)."""
    key, content = f"reports/{deployment_id}/{document.name}", document.text.encode()
    aws.artifacts.put(key, content, content_type=document.content_type, tags=names.tags)
    if aws.artifacts.get(key) != content:
        raise PhaseFailed(
            f"the bucket answers {key} with other bytes than were written", code="ReportDamaged", remedy="Deploy again."
        )
    return key


def links_of(stack: StackEvidence, domain: Domain | None, names: Names, aws: Aws) -> dict[str, str]:
    """URL by name: what users call, where there is a stack, and the console's pages in an account.

    domain: of the users; `api` stays API Gateway's own address, which the checks call.
    """
    base_url = f"{domain.url}/v1" if domain else stack.base_url
    links = {"base_url": base_url, "api": stack.api_url} if stack.api_url else {}
    # The embedded cloud has no console.
    if not aws.settings.embedded:
        links |= console_links(names, aws.settings.region, aws.settings.partition)
    return links
