"""The control plane as Lambda zips and one CloudFormation template.

Chalice makes the template and the application's part of the zip, in a staging copy (the checkout stays clean).
Ours is the rest: dependencies for the platform of the target, a zip per set of dependencies (a Lambda that does not
call OpenAI starts without unpacking its SDK: 150 files instead of 4,800), bytecode, and the state machine's definition.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from chalicelib.engine import policies

from installer import wheels, zips
from installer.errors import CannotStart, CommandFailed

FORMAT = "6"  # part of the cache's key: raise it when this module builds otherwise
KEPT_PACKAGES = 4
# The schema of the secret: the proxy reads with it, the control plane checks with it.
SHARED = ("proxy/__init__.py", "proxy/secret/__init__.py", "proxy/secret/schema.py", "proxy/secret/values.py")
STAGE = "api"  # of Chalice and of API Gateway, see .chalice/config.json
_STAGED_CODE = "./deployment.zip"
Template = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """template: CodeUri of a function is a key of `code`. code: zips by their key in the bucket."""

    template: Template
    code: Mapping[str, bytes]
    digest: str

    def located(self, bucket: str) -> Template:
        """The template with every CodeUri in that bucket."""
        template: Template = json.loads(json.dumps(self.template))
        for function in functions(template).values():
            function["Properties"]["CodeUri"] = f"s3://{bucket}/{function['Properties']['CodeUri']}"
        return template


def functions(template: Template) -> dict[str, Any]:
    """The Lambda functions of Chalice's template by logical id."""
    resources: dict[str, Any] = template["Resources"]
    return {name: one for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


def build(root: Path, cache: Path, where: wheels.Platform) -> Package:
    """Package this checkout for a platform, or take the cached result of the same sources."""
    digest = source_digest(root, where)
    place = cache / f"package-{digest[:16]}"
    if not (place / "template.json").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            _build(root, cache, where, Path(scratch), made)
            publish(made, place)
        _forget_old(cache)
    code = {f"controlplane/{path.name}": path.read_bytes() for path in sorted(place.glob("*.zip"))}
    return Package(json.loads((place / "template.json").read_text()), code, digest)


def publish(draft: Path, place: Path) -> None:
    """Move a finished folder to its place in one step; another process may have been there first with the same."""
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise


def _forget_old(cache: Path) -> None:
    """Keep the newest few packages; each is some 14 MB."""
    packages = sorted(cache.glob("package-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in packages[KEPT_PACKAGES:]:
        shutil.rmtree(old, ignore_errors=True)


def source_digest(root: Path, where: wheels.Platform) -> str:
    """What the package depends on: sources, locked versions, target platform, this Python, this module."""
    files = {f"controlplane/{name}": content for name, content in zips.collect(root / "controlplane").items()}
    files |= {f"statemachine/{name}": content for name, content in zips.collect(root / "statemachine").items()}
    files |= {name: (root / name).read_bytes() for name in SHARED}
    files["requirements.txt"] = (root / "requirements.txt").read_bytes()  # Chalice's own runtime goes into the zip
    files["about"] = f"{FORMAT} {where.label} {sys.version}".encode()
    return zips.tree_digest(files)


def _build(root: Path, cache: Path, where: wheels.Platform, scratch: Path, made: Path) -> None:
    template, application = _run_chalice(root, scratch, cache / "chalice.log")
    vendor = _vendor(root, cache, where)
    keys: dict[frozenset[str], str] = {}
    for name, function in functions(template).items():
        group = dependencies_of(name, root, vendor, where)
        if group not in keys:
            files = application | _dependency_files(group, vendor)
            content = zips.build(files)
            keys[group] = f"{zips.digest(content)}.zip"
            (made / keys[group]).write_bytes(content)
        function["Properties"]["CodeUri"] = f"controlplane/{keys[group]}"
    (made / "template.json").write_text(json.dumps(template, indent=1, sort_keys=True))


def _run_chalice(root: Path, scratch: Path, log: Path) -> tuple[Template, dict[str, bytes]]:
    """Chalice's template, with ours merged in, and the files of its zip."""
    staged, out = scratch / "controlplane", scratch / "out"
    ignored = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "vendor")
    shutil.copytree(root / "controlplane", staged, ignore=ignored)
    _write_policies(staged)
    _share(root, staged / "vendor")
    (staged / "requirements.txt").write_text("")  # dependencies are ours, see the module's docstring
    merged = scratch / "resources.json"
    merged.write_text(json.dumps(_resources(root)))
    command = [
        sys.executable,
        "-c",
        "import sys; from chalice.cli import main; sys.exit(main())",
        "--project-dir",
        str(staged),
    ]
    command += ["package", "--stage", STAGE, "--pkg-format", "cloudformation", "--template-format", "json"]
    command += ["--merge-template", str(merged), str(out)]
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603 - fixed command
        command, env=variables, cwd=staged, capture_output=True, text=True, timeout=300, check=False
    )
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise CommandFailed(f"chalice package failed: {words[-1]} (all of it: {log})")
    template: Template = json.loads((out / "sam.json").read_text())
    unpacked = scratch / "application"
    shutil.unpack_archive(out / "deployment.zip", unpacked)
    zips.compile_tree(unpacked)
    _check_code_uris(template)
    return template, zips.collect(unpacked, bytecode=True)


def _write_policies(staged: Path) -> None:
    """Each function's complete policy, where .chalice/config.json names it."""
    folder = staged / ".chalice" / "policies"
    folder.mkdir(exist_ok=True)
    for stem, document in policies.documents(staged / "chalicelib").items():
        (folder / f"{stem}.json").write_text(json.dumps(document))


def _share(root: Path, vendor: Path) -> None:
    """Copy what the proxy and the control plane share; Chalice puts the content of vendor/ at the root of its zip."""
    for name in SHARED:
        (vendor / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, vendor / name)


def _check_code_uris(template: Template) -> None:
    for name, function in functions(template).items():
        found = function["Properties"].get("CodeUri")
        if found != _STAGED_CODE:
            raise CommandFailed(
                f"function {name} has CodeUri {found!r}; another Chalice than 1.34? See requirements.in"
            )


def _resources(root: Path) -> Template:
    """resources.yaml with the definition of each state machine put into it, from the file that has its name."""
    folder = root / "statemachine"
    resources: Template = yaml.safe_load((folder / "resources.yaml").read_text())
    machines = [one for one in resources["Resources"].values() if one["Type"] == "AWS::StepFunctions::StateMachine"]
    for machine in machines:
        name = machine["Properties"]["StateMachineName"].removeprefix("proxyctl-")
        definition = read_definition(folder / f"{name}.asl.yaml")
        machine["Properties"]["DefinitionString"] = json.dumps(definition, sort_keys=True)
    return resources


def read_definition(workflow: Path) -> dict[str, Any]:
    """A state machine as Step Functions takes it: `x-…` keys, which hold YAML anchors, are dropped."""
    definition = yaml.safe_load(workflow.read_text())
    return {key: value for key, value in definition.items() if not key.startswith("x-")}


def _vendor(root: Path, cache: Path, where: wheels.Platform) -> Path:
    """All runtime dependencies unpacked for the platform, with bytecode; kept until the locked file changes."""
    requirements = root / "controlplane" / "requirements.txt"
    key = zips.digest(requirements.read_bytes() + f"{FORMAT} {where.label} {sys.version}".encode())
    place = cache / f"vendor-{key[:16]}"
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = Path(scratch) / "vendor"
            wheels.install(requirements, unpacked, where)
            zips.compile_tree(unpacked)
            publish(unpacked, place)
    return place


def dependencies_of(function: str, root: Path, vendor: Path, where: wheels.Platform) -> frozenset[str]:
    """Distributions that a function's zip carries: those that dependencies.json names for it, and what they need."""
    named: dict[str, list[str]] = json.loads((root / "controlplane" / "dependencies.json").read_text())
    wanted = [*named.get("*", []), *named.get(function, [])]
    return frozenset(wheels.closure(wanted, vendor, where))


def _dependency_files(group: frozenset[str], vendor: Path) -> dict[str, bytes]:
    """What these distributions installed, and the bytecode of it."""
    if not group:
        return {}
    names = set[str]().union(*(wheels.files_of(name, vendor) for name in group))
    everything = zips.collect(vendor, bytecode=True)
    return {name: everything[name] for name in everything if zips.source_of(name) in names and name[:4] != "bin/"}


def check_functions_are_known(root: Path, template: Template) -> None:
    """Raises CannotStart when dependencies.json names a function that does not exist (a renamed one, say)."""
    named: dict[str, list[str]] = json.loads((root / "controlplane" / "dependencies.json").read_text())
    unknown = sorted(set(named) - set(functions(template)) - {"*"})
    if unknown:
        raise CannotStart(f"controlplane/dependencies.json names functions that do not exist: {', '.join(unknown)}")
