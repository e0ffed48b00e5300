"""The content of an artifact as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/).

Everything in it follows from the artifact's tree, also its serial number: the same tree has the same document.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from email.message import Message
from email.parser import HeaderParser

# Identifiers that packages from before PEP 639 write into their free text as they are.
_SPDX = frozenset({"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "PSF-2.0"})
_NAMESPACE = uuid.UUID("6f9f1a52-5c53-5d0c-9a55-0c7f0f1b1c0e")  # of this project, so that serial numbers never collide
TREE_DIGEST = "proxyctl:tree-sha256"

Json = dict[str, object]


def write(files: Mapping[str, bytes], tree_digest: str) -> bytes:
    """The document, JSON.

    files: the artifact's; each dependency's METADATA names it, its version and its licence. tree_digest: identifies the
    artifact. The document has no hash of the zip, whose bytes depend on the machine that compressed it.
    """
    metadata = [_parse(content) for path, content in sorted(files.items()) if path.endswith(".dist-info/METADATA")]
    modules = [path for path in sorted(files) if path.startswith("proxy/") and path.endswith(".py")]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, tree_digest)}",
        "version": 1,
        "metadata": {"component": _proxy(tree_digest)},
        "components": [*map(_library, metadata), *(_file(path, files[path]) for path in modules)],
        "dependencies": [{"ref": "proxy", "dependsOn": sorted(map(_purl, metadata))}],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode()


def components(document: bytes) -> list[str]:
    """`name@version` of each library in a document that `write` returned."""
    parts = json.loads(document)["components"]
    return [f"{part['name']}@{part['version']}" for part in parts if part["type"] == "library"]


def _parse(metadata: bytes) -> Message:
    return HeaderParser().parsestr(metadata.decode(errors="replace"), headersonly=True)


def _proxy(tree_digest: str) -> Json:
    return {
        "type": "application",
        "bom-ref": "proxy",
        "name": "proxy",
        "version": tree_digest[:12],
        "properties": [{"name": TREE_DIGEST, "value": tree_digest}],
    }


def _file(path: str, content: bytes) -> Json:
    hashes = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    return {"type": "file", "bom-ref": path, "name": path, "hashes": hashes}


def _library(metadata: Message) -> Json:
    component: Json = {
        "type": "library",
        "bom-ref": _purl(metadata),
        "name": metadata["Name"],
        "version": metadata["Version"],
        "purl": _purl(metadata),
    }
    licences = _licences(metadata)
    if licences:
        component["licenses"] = licences
    if metadata["Summary"]:
        component["description"] = metadata["Summary"]
    return component


def _purl(metadata: Message) -> str:
    # The name as PyPI normalises it: scanners search for this form only.
    name = re.sub("[-_.]+", "-", str(metadata["Name"])).lower()
    return f"pkg:pypi/{name}@{metadata['Version']}"


def _licences(metadata: Message) -> list[Json]:
    """[] for a distribution that names none, or pastes the text of its licence into the field."""
    expression, name = metadata["License-Expression"], metadata["License"]
    if expression:
        return [] if "\n" in expression else [{"expression": expression}]
    if not name or "\n" in name:
        return []
    return [{"license": {"id" if name in _SPDX else "name": name}}]
