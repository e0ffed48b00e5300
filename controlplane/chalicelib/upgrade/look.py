"""What the control plane's stack holds: its functions by logical id, and the code that a release gives them."""

from __future__ import annotations

import base64
import json

from chalicelib.ports import Aws
from chalicelib.upgrade.evidence import PlanUpgradeEvidence

from . import releases
from .apply import STACK

_FUNCTION = "AWS::Lambda::Function"


def functions(aws: Aws) -> dict[str, str]:
    """Physical name by logical id, of every function in the stack."""
    resources = aws.stacks.resources(STACK)
    return {each.logical_id: each.physical_id for each in resources if each.resource_type == _FUNCTION}


def code_of(plan: PlanUpgradeEvidence, aws: Aws) -> dict[str, str]:
    """SHA-256 (Lambda's base64) of each function's code in the release, by logical id."""
    release = releases.read(plan.manifest, aws.artifacts.get(plan.manifest))
    template = json.loads(aws.artifacts.get(plan.template))
    digests = {
        name: release.code[str(each["Properties"]["CodeUri"]).split("/", 3)[3]]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {name: base64.b64encode(bytes.fromhex(digest)).decode() for name, digest in digests.items()}
