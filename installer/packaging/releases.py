"""A release of the control plane as its stack gets it: template with published versions, and parameters."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import Stack
from chalicelib.upgrade import versions

from installer import gaps
from installer.packaging import archive
from installer.packaging.control_plane import Package
from installer.target import Target


@dataclass(frozen=True)
class Release:
    """template: JSON without published versions, which an upgrade adds itself. digest: of it and its parameters."""

    template: bytes
    digest: str
    publication: str
    parameters: Mapping[str, str]

    @property
    def published(self) -> bytes:
        """The template for CloudFormation, with the versions of this publication."""
        return _text(versions.published(json.loads(self.template), self.publication))


def of(aws: Target, packaged: Package, parameters: Mapping[str, str], installed: Stack | None) -> Release:
    """The release of a package. One that is installed already keeps its publication: nothing is published again."""
    located = packaged.located(aws.bucket)
    template = _text(gaps.widened(located) if aws.embedded else located)
    digest = versions.release_of(json.loads(template), parameters)
    before = installed.parameters if installed else {}
    again = before.get("Release") == digest and before.get("Publication")
    publication = again or secrets.token_hex(6)
    return Release(template, digest, publication, {**parameters, **_states(digest, publication)})


def _states(digest: str, publication: str) -> dict[str, str]:
    """The parameters that tell one state of the stack from every other."""
    return {"Release": digest, "Publication": publication, "Stage": versions.LIVE}


def _text(template: Mapping[str, object]) -> bytes:
    return json.dumps(template, sort_keys=True).encode()


def key_of(template: bytes) -> str:
    """Where a template lies in the bucket."""
    return f"controlplane/template-{archive.digest(template)[:20]}.json"
