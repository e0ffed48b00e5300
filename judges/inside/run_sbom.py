"""Runs in the judges' own environment: packages on stdin ({name, version, hashes, sets}), CycloneDX on stdout."""

import json
import sys
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL


def component(package: dict[str, Any]) -> Component:
    """A package of a locked file. Its sets say where it is installed: `controlplane`, `ctl`, …"""
    url = PackageURL("pypi", None, package["name"], package["version"])
    return Component(
        type=ComponentType.LIBRARY,
        name=package["name"],
        version=package["version"],
        purl=url,
        bom_ref=url.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in package["hashes"]],
        properties=[Property(name="proxyctl:set", value=name) for name in package["sets"]],
    )


if __name__ == "__main__":
    bom = Bom(components=[component(package) for package in json.load(sys.stdin)])
    bom.metadata.component = Component(type=ComponentType.APPLICATION, name="proxyctl", bom_ref="proxyctl")
    sys.stdout.write(JsonV1Dot5(bom).output_as_string(indent=1))
