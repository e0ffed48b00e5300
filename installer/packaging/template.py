"""The control plane's CloudFormation template and application files, made by Chalice in a staging copy.

Chalice sees no requirements: `control_plane` adds dependencies for the platform of the target.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, NotRequired, TypedDict, cast

import yaml
from chalicelib.engine import policies

from installer.errors import CommandFailed
from installer.packaging import archive, bytecode, install_options

# The schema of the secret: the proxy reads with it, the control plane checks with it.
SHARED = ("proxy/__init__.py", "proxy/secret/__init__.py", "proxy/secret/schema.py", "proxy/secret/values.py")
STAGE = "api"  # of Chalice and of API Gateway, see .chalice/config.json
_STAGED_CODE = "./deployment.zip"
_LIMIT_S = 300
_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
_SERVERLESS_FUNCTION, _STATE_MACHINE = "AWS::Serverless::Function", "AWS::StepFunctions::StateMachine"


class Statement(TypedDict):
    """One statement of an IAM policy. Sid is there in ours, Condition where a permission is narrowed by one."""

    Sid: NotRequired[str]
    Effect: Literal["Allow", "Deny"]
    Action: str | list[str]
    Resource: object
    Condition: NotRequired[dict[str, dict[str, object]]]


class PolicyDocument(TypedDict):
    """A policy as IAM takes it."""

    Statement: list[Statement]


class Policy(TypedDict):
    """One inline policy of a role."""

    PolicyName: str
    PolicyDocument: PolicyDocument


class Properties(TypedDict, total=False):
    """The properties that this package reads or writes, of functions, state machines and roles."""

    CodeUri: str
    StateMachineName: str
    DefinitionString: str
    Policies: list[Policy]
    PermissionsBoundary: object
    PolicyDocument: PolicyDocument


class Resource(TypedDict):
    """One resource of a template."""

    Type: str
    Properties: Properties
    DeletionPolicy: NotRequired[str]


class Template(TypedDict):
    """A CloudFormation template; other sections are carried along unread."""

    Resources: dict[str, Resource]


class State(TypedDict, total=False):
    """What this package reads of one state of a state machine."""

    ItemReader: dict[str, dict[str, object]]


class Definition(TypedDict):
    """A state machine in Amazon States Language; other fields are carried along unread."""

    StartAt: str
    States: dict[str, State]


def functions(template: Template) -> dict[str, Resource]:
    """The Lambda functions of Chalice's template by logical id."""
    resources = template["Resources"].items()
    return {name: resource for name, resource in resources if resource["Type"] == _SERVERLESS_FUNCTION}


def make(root: Path, scratch: Path, log: Path) -> tuple[Template, dict[str, bytes]]:
    """Chalice's template with ours merged in, and the application's files with bytecode.

    scratch: an empty folder to work in. log: receives Chalice's output. Raises CommandFailed with its last line.
    """
    staged, out = scratch / "controlplane", scratch / "out"
    _stage(root, staged)
    merged = scratch / "resources.json"
    merged.write_text(json.dumps(_resources(root)))
    _run_chalice(staged, merged, out, log)
    template: Template = json.loads((out / "sam.json").read_text())
    _check_code_uris(template)
    _bind_roles(template)
    template["Resources"] = cast("dict[str, Resource]", install_options.apply(template["Resources"]))
    unpacked = scratch / "application"
    shutil.unpack_archive(out / "deployment.zip", unpacked)
    bytecode.compile_tree(unpacked)
    return template, archive.collect(unpacked, bytecode=True)


def _stage(root: Path, staged: Path) -> None:
    """Copy the Chalice project, so that the checkout stays clean."""
    ignored = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "vendor")
    shutil.copytree(root / "controlplane", staged, ignore=ignored)
    _write_policies(staged)
    _share(root, staged / "vendor")
    (staged / "requirements.txt").write_text("")


def _share(root: Path, vendor: Path) -> None:
    """Copy what the proxy and the control plane share; Chalice puts the content of vendor/ at the root of its zip."""
    for name in SHARED:
        (vendor / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, vendor / name)


def _write_policies(staged: Path) -> None:
    """Each function's complete policy, where .chalice/config.json names it."""
    folder = staged / ".chalice" / "policies"
    folder.mkdir(exist_ok=True)
    for stem, document in policies.documents(staged / "chalicelib").items():
        (folder / f"{stem}.json").write_text(json.dumps(document))


def _run_chalice(staged: Path, merged: Path, out: Path, log: Path) -> None:
    command = [sys.executable, "-c", _CHALICE, "--project-dir", str(staged), "package", "--stage", STAGE]
    command += ["--pkg-format", "cloudformation", "--template-format", "json", "--merge-template", str(merged)]
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603 - fixed command
        [*command, str(out)], env=variables, cwd=staged, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise CommandFailed(f"chalice package failed: {lines[-1]} (full output: {log})")


def _check_code_uris(template: Template) -> None:
    for name, function in functions(template).items():
        uri = function["Properties"].get("CodeUri")
        if uri != _STAGED_CODE:
            raise CommandFailed(f"function {name} has CodeUri {uri!r}; another Chalice than 1.34? See requirements.in")


def _bind_roles(template: Template) -> None:
    """Give every role the control plane's boundary: an upgrade can change its policy, and not what it is worth."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"]["PermissionsBoundary"] = {"Ref": "ControlPlaneBoundary"}


def _resources(root: Path) -> Template:
    """resources.yaml, with what has files of its own: the state machines' definitions, CloudFormation's policy."""
    folder = root / "statemachine"
    resources: Template = yaml.safe_load((folder / "resources.yaml").read_text())
    for resource in resources["Resources"].values():
        if resource["Type"] == _STATE_MACHINE:
            properties = resource["Properties"]
            name = properties["StateMachineName"].removeprefix("proxyctl-")
            definition = read_definition(folder / f"{name}.asl.yaml")
            properties["DefinitionString"] = json.dumps(definition, sort_keys=True)
    document = policies.documents(root / "controlplane" / "chalicelib")[policies.CHANGE_STACKS]
    role = resources["Resources"]["ChangeStacksRole"]["Properties"]
    # Named like the policies that Chalice puts into its roles: preflight reads them all by the same rule.
    role["Policies"].append(
        {"PolicyName": "ChangeStacksRolePolicy", "PolicyDocument": cast("PolicyDocument", document)}
    )
    return resources


def read_definition(workflow: Path) -> Definition:
    """A state machine as Step Functions takes it, without the `x-…` keys, which hold YAML anchors."""
    definition: Definition = yaml.safe_load(workflow.read_text())
    for name in [key for key in definition if key.startswith("x-")]:
        del definition[name]  # type: ignore[misc]
    return definition
