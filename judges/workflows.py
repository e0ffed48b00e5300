"""The state machines before two validators: statelint (AWS Labs' rules, PyPI) and asl-validator (npm)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from judges import documents, node_tools
from judges.documents import Sources

Definition = dict[str, Any]
_FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:"


def read(sources: Sources | None = None) -> dict[str, Definition]:
    """State machine by file name, its `${…}` filled in as CloudFormation fills in DefinitionSubstitutions."""
    workflows = (sources or documents.read()).workflows
    return {name: substituted(workflow) for name, workflow in workflows.items()}


def substituted(definition: Mapping[str, Any]) -> Definition:
    """Without the `x-` keys, which hold YAML anchors only."""
    text = json.dumps({key: value for key, value in definition.items() if not key.startswith("x-")})
    text = text.replace("${Partition}", "aws")
    filled: Definition = json.loads(re.sub(r"\$\{(\w+)Arn\}", lambda match: _FUNCTION + match[1], text))
    return filled


def statelint_findings(definitions: Mapping[str, Definition]) -> list[str]:
    """What statelint says of each, one line a finding."""
    return [text for name, definition in definitions.items() for text in _statelint(name, definition)]


def _statelint(name: str, definition: Definition) -> Iterator[str]:
    # What AWS wants to know of S3's items is not in the language's specification, and so not in this linter.
    definition = json.loads(json.dumps(definition))
    for state in definition["States"].values():
        state.get("ItemReader", {}).get("ReaderConfig", {}).pop("InputType", None)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(definition, file)
        file.flush()
        script = str(Path(sys.executable).parent / "statelint")
        command = [sys.executable, script, file.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - fixed
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode:
        yield from (f"{name}: {line}" for line in lines or [f"statelint ended with {done.returncode}"])


def asl_validator_findings(definitions: Mapping[str, Definition]) -> list[str]:
    """What asl-validator says of each. Raises node_tools.NodeIsMissing."""
    lines: list[str] = node_tools.run("validate", definitions)
    return lines
