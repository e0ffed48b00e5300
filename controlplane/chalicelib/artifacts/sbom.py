"""What an artifact contains, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/).

Everything in it follows from the artifact, also its serial number: the same artifact has the same document.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from email.parser import HeaderParser
from typing import Any

# Identifiers that packages of before PEP 639 write into their free text as they are.
_SPDX = frozenset({"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "PSF-2.0"})
_NAMESPACE = uuid.UUID("6f9f1a52-5c53-5d0c-9a55-0c7f0f1b1c0e")  # ours alone, so that serial numbers never collide


def _component(metadata: str) -> dict[str, Any]:
    told = HeaderParser().parsestr(metadata, headersonly=True)
    name, version = told["Name"], told["Version"]
    # As PyPI spells it: scanners look for this form only.
    purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    licence = told["License-Expression"] or told["License"]
    if licence and "\n" not in licence:
        if told["License-Expression"]:
            component["licenses"] = [{"expression": licence}]
        else:
            kind = "id" if licence in _SPDX else "name"
            component["licenses"] = [{"license": {kind: licence}}]
    if told["Summary"]:
        component["description"] = told["Summary"]
    return component


def write(files: Mapping[str, bytes], artifact_digest: str) -> bytes:
    """The document, as JSON. `files` are the artifact's; each dependency's METADATA tells name, version and licence."""
    metadata = [
        content.decode(errors="replace")
        for path, content in sorted(files.items())
        if path.endswith(".dist-info/METADATA")
    ]
    own = {path: content for path, content in files.items() if path.startswith("proxy/") and path.endswith(".py")}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, artifact_digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "proxy",
                "name": "proxy",
                "version": artifact_digest[:12],
                "hashes": [{"alg": "SHA-256", "content": artifact_digest}],
            }
        },
        "components": [
            *(_component(one) for one in metadata),
            *(
                {
                    "type": "file",
                    "bom-ref": path,
                    "name": path,
                    "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
                }
                for path, content in sorted(own.items())
            ),
        ],
        "dependencies": [
            {"ref": "proxy", "dependsOn": sorted(_component(one)["bom-ref"] for one in metadata)},
        ],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode()


def components(document: bytes) -> list[str]:
    """`name@version` of the libraries in a document that `write` made."""
    told = json.loads(document)["components"]
    return [f"{one['name']}@{one['version']}" for one in told if one["type"] == "library"]
