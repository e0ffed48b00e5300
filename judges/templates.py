"""Both templates before cfn-lint, SAM's translator and checkov.

The control plane's is judged as CloudFormation gets it, packaged and translated by SAM: cfn-lint sees little of SAM.
Raises subprocess.CalledProcessError when a tool itself fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.stack.template import with_snapshots
from chalicelib.upgrade import versions

from installer.packaging import control_plane as control_plane_package
from installer.packaging import wheels
from judges import second_opinion
from judges.documents import ROOT

_INSIDE = Path(__file__).resolve().parent / "inside"
TIMEOUT_S = 300
# Every region that cfn-lint knows: nothing in the templates is bound to one.
REGIONS = ("ALL_REGIONS",)
BUCKET = "proxyctl-000000000000-eu-central-1"
PUBLICATION = "0123456789ab"
Template = dict[str, Any]


def packaged(root: Path = ROOT) -> Template:
    """The control plane's template as `up` uploads it, SAM included."""
    cache = root / ".local" / "build"
    built = control_plane_package.build(root, cache, wheels.this_machine())
    control_plane_package.check_functions_exist(root, built.template)
    return versions.published(json.loads(json.dumps(built.located(BUCKET))), PUBLICATION)


@cache
def control_plane(root: Path = ROOT) -> Path:
    """The control plane's template as CloudFormation gets it, as a file; once a process."""
    path = root / ".local" / "build" / "controlplane.json"
    path.write_text(json.dumps(translated(packaged(root)), indent=1))
    return path


@cache
def proxy(root: Path = ROOT) -> Path:
    """The proxy's template as deploy_stack sends it when the stages serve different snapshots, as a file."""
    path = root / ".local" / "build" / "template.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (root / "proxy" / "template.yaml").read_text()
    path.write_text(with_snapshots(text, "ApiDeployment0123456789ab", "ApiDeploymentba9876543210"))
    return path


def translated(template: Mapping[str, Any]) -> Template:
    """What SAM makes of it, with the state machines' partition filled in: cfn-lint wants ARNs there."""
    text = json.dumps(template).replace("arn:${Partition}:", "arn:aws:")
    plain: Template = json.loads(_inside("run_sam.py", [], text))
    return plain


def stage_findings(name: str, template: Mapping[str, Any]) -> list[str]:
    """Each API has one stage. SAM makes another, by a property of the deployment, unless told an OpenAPI version."""
    stages: dict[str, set[str]] = {}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] in ("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment") and "StageName" in properties:
            stages.setdefault(str(properties["RestApiId"]), set()).add(str(properties["StageName"]))
    return [f"{name}: an API has the stages {', '.join(sorted(names))}" for names in stages.values() if len(names) > 1]


def cfn_lint_findings(paths: Iterable[Path], regions: Sequence[str] = REGIONS) -> list[str]:
    """Errors, warnings and informational findings, in all regions."""
    script = str(Path(sys.executable).parent / "cfn-lint")
    command = [sys.executable, script, "--format", "json", "-c", "I", "--regions", *regions, "--", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    findings = json.loads(done.stdout or "[]")
    if done.returncode and not findings:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return [_cfn_lint_line(entry) for entry in findings]


def _cfn_lint_line(entry: Mapping[str, Any]) -> str:
    path = "/".join(map(str, entry["Location"].get("Path") or ()))
    return f"{Path(entry['Filename']).name}: {entry['Rule']['Id']}: {path}: {entry['Message']}"


def checkov_findings(path: Path) -> list[str]:
    """`file: check: resource: what it wants`. Raises ValueError when checkov passed nothing, and so read nothing."""
    report = json.loads(_inside("run_checkov.py", [str(path)], ""))
    if not report["passed"]:
        raise ValueError(f"checkov found nothing to pass in {path.name}: it did not read it")
    findings: list[str] = report["findings"]
    return findings


def _inside(script: str, arguments: Sequence[str], text: str) -> str:
    command = [str(second_opinion.python()), str(_INSIDE / script), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout
