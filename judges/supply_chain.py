"""What comes from others: known vulnerabilities, the hashes of locked packages, a bill of materials; and bandit on our
own code. The tools run in the judges' own environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from judges import locked, second_opinion
from judges.documents import ROOT

SBOM = ROOT / ".local" / "sbom.cdx.json"
_CODE = ("bootstrap.py", "installer", "controlplane", "proxy", "ctl", "local", "judges")
_INSIDE = Path(__file__).resolve().parent / "inside"
_LIMIT_S = 300
# What is installed where users' keys or their rights are; the emulator and the judges see neither.
_AUDITED = ("controlplane/requirements", "ctl/requirements", "requirements", "proxy/requirements")


class NotRun(Exception):
    """A judge could not judge; its text says why and what is left unknown."""


def hash_findings() -> list[str]:
    """Packages of any locked file without pinned version or hash; pip installs with --require-hashes."""
    return locked.findings(locked.read())


def bandit_findings() -> list[str]:
    """`file: test: issue` of medium and high severity; ruff's rules S cover the low ones, line by line."""
    command = ["-m", "bandit", "--quiet", "--recursive", "--severity-level", "medium", "--format", "json", *_CODE]
    done = _run(command)
    if done.returncode not in (0, 1):
        raise NotRun(f"NOT RUN: bandit ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return of_bandit(json.loads(done.stdout))


def of_bandit(report: Mapping[str, Any]) -> list[str]:
    """bandit's report as findings. A file that it cannot read is one, too."""
    issues = [f"{each['filename']}: {each['test_id']} {each['test_name']}" for each in report["results"]]
    return sorted({*issues, *(f"{each['filename']}: {each['reason']}" for each in report["errors"])})


def audit_findings() -> list[str]:
    """Known vulnerabilities of what is installed in an account or for users. Raises NotRun without an answer."""
    reports = []
    for stem in _AUDITED:
        command = ["-m", "pip_audit", "--requirement", f"{stem}.txt", "--require-hashes", "--disable-pip", "--no-deps"]
        done = _run([*command, "--progress-spinner", "off", "--format", "json"])
        try:
            reports.append(json.loads(done.stdout))
        except ValueError:
            reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise NotRun(f"NOT RUN: no vulnerability service answered ({reason[:200]})") from None
    return of_audit(reports)


def of_audit(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """pip-audit's reports as findings. Raises NotRun naming how many packages the service does not know."""
    entries = [entry for report in reports for entry in report["dependencies"]]
    vulnerable = {
        f"{entry['name']} {entry['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no version'}"
        for entry in entries
        for each in entry.get("vulns", ())
    }
    skipped = sorted({entry["name"] for entry in entries if "skip_reason" in entry})
    if skipped and not vulnerable:
        clean = len({entry["name"] for entry in entries}) - len(skipped)
        raise NotRun(f"NOT RUN for {len(skipped)} packages, which the service does not know ({clean} others are clean)")
    return sorted(vulnerable)


def write_sbom(path: Path = SBOM) -> list[str]:
    """Write a CycloneDX document of every locked package; no findings, unless the tool fails."""
    packages = [asdict(package) for package in locked.packages(locked.read())]
    done = _run([str(_INSIDE / "run_sbom.py")], json.dumps(packages))
    if done.returncode:
        return [f"the bill of materials was not written: {done.stderr.strip()[-300:]}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(done.stdout)
    listed = len(json.loads(done.stdout)["components"])
    return [] if listed == len(packages) else [f"{path.name} lists {listed} of {len(packages)} packages"]


def _run(arguments: Sequence[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed commands
        [str(second_opinion.python()), *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
