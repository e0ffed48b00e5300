"""Runs in the judges' own environment: policy documents by owner on stdin, parliament's findings on stdout (JSON)."""

import json
import sys
import warnings
from typing import Any

warnings.filterwarnings("ignore", "pkg_resources is deprecated")

import parliament  # noqa: E402 - its import is what warns


def findings(owner: str, document: Any) -> list[str]:
    """`owner: ISSUE: detail`, one line for each action where the detail lists several."""
    analysed = parliament.analyze_policy_string(json.dumps(document))
    return [
        f"{owner}: {finding.issue}: {_text(detail)}"
        for finding in analysed.findings
        for detail in _details(finding.detail)
    ]


def _details(detail: Any) -> list[Any]:
    return list(detail) if isinstance(detail, list) else [detail]


def _text(detail: Any) -> str:
    if isinstance(detail, dict) and "required_format" in detail:
        return f"{detail['action']} needs {detail['required_format']}"
    return str(detail)


if __name__ == "__main__":
    documents = json.load(sys.stdin)
    json.dump([text for owner, document in documents.items() for text in findings(owner, document)], sys.stdout)
