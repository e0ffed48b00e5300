"""Writes the list of this project's actions for which AWS's service authorization data name no resource type.

Preflight judges them by the text of the policies, because IAM's simulator cannot. tests/judges holds the file to the
data. `python -m judges.resourceless` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path

from chalicelib.engine.policies import documents

from judges.authorization import expanded, listed, patterns

FILE = Path("controlplane/chalicelib/phases/preflight/resourceless.json")


def actions() -> list[str]:
    """Of all policies of the control plane, sorted."""
    statements = [each for document in documents().values() for each in document["Statement"]]
    every = {action for statement in statements for action in listed(statement["Action"])}
    return sorted(filter(_has_no_resource_type, every))


def _has_no_resource_type(action: str) -> bool:
    facts = expanded(action)
    return bool(facts) and not any(patterns(name, each) for name, each in facts.items())


def text() -> str:
    """The file as it should be."""
    return json.dumps(actions(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
