"""What is checked of packages and of our own code, with each fault planted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from judges import locked, supply_chain

HASH = "a" * 64


def test_every_locked_package_has_a_version_and_a_hash() -> None:
    files = locked.read()
    assert locked.findings(files) == []
    assert len(locked.packages(files)) > 100


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("boto3==1.2\n", "has no SHA-256"),
        (f"boto3>=1.2 \\\n    --hash=sha256:{HASH}\n", "not pinned"),
        (f"boto3==1.2 \\\n    --hash=md5:{HASH}\n", "has no SHA-256"),
        (f"boto3==1.2 \\\n    --hash=sha256:{HASH[:63]}\n", "has no SHA-256"),
        ("git+https://example.com/x\n", "not pinned"),
        (f"# boto3==1.2 --hash=sha256:{HASH}\nboto3==1.2  # --hash=sha256:{HASH}\n", "has no SHA-256"),
    ],
)
def test_a_requirement_without_pin_or_hash_is_named(text: str, says: str) -> None:
    (finding,) = locked.findings({"requirements": text})
    assert says in finding
    assert finding.startswith("requirements.txt: ")


def test_a_package_of_two_files_is_one_with_both_sets() -> None:
    line = f"Boto3[crt]==1.2 ; python_version > '3' \\\n    --hash=sha256:{HASH}\n    # via x\n"
    (package,) = locked.packages({"a": line, "b": line.lower()})
    assert package == locked.Package("boto3", "1.2", (HASH,), ("a", "b"))


def test_a_known_vulnerability_is_a_finding_with_its_fix() -> None:
    entry = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    assert supply_chain.of_audit([{"dependencies": [entry]}]) == ["x 1: PYSEC-1, fixed in 2"]


def test_packages_that_the_service_does_not_know_are_said_aloud() -> None:
    """What could not be checked is no success."""
    entries = [{"name": "x", "skip_reason": "not found"}, {"name": "y", "version": "1", "vulns": []}]
    with pytest.raises(supply_chain.NotRun, match="NOT RUN for 1 packages"):
        supply_chain.of_audit([{"dependencies": entries}])


def test_a_vulnerability_is_not_hidden_by_a_package_that_is_unknown() -> None:
    entries = [
        {"name": "x", "skip_reason": "not found"},
        {"name": "y", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": []}]},
    ]
    assert supply_chain.of_audit([{"dependencies": entries}]) == ["y 1: CVE-1, fixed in no version"]


def test_audited_packages_without_vulnerability_are_no_finding() -> None:
    assert supply_chain.of_audit([{"dependencies": [{"name": "y", "version": "1", "vulns": []}]}]) == []


def test_an_issue_and_an_unreadable_file_are_findings_of_bandit() -> None:
    report = {
        "results": [{"filename": "a.py", "test_id": "B301", "test_name": "pickle"}],
        "errors": [{"filename": "b.py", "reason": "syntax error"}],
    }
    assert supply_chain.of_bandit(report) == ["a.py: B301 pickle", "b.py: syntax error"]


def test_the_bill_of_materials_lists_every_locked_package(tmp_path: Path) -> None:
    path = tmp_path / "sbom.json"
    assert supply_chain.write_sbom(path) == []
    document = json.loads(path.read_text())
    assert document["bomFormat"] == "CycloneDX"
    names = {component["name"] for component in document["components"]}
    assert {"boto3", "chalice", "cloudsplaining"} <= names
    assert all(component["hashes"] for component in document["components"])
