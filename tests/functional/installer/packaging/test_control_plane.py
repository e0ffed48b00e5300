"""What the Lambdas get holds all that they import: on AWS there is nothing beside it but boto3."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from chalicelib.engine import policies

from installer.check import ROOT
from installer.packaging import control_plane, template, wheels

# What Lambda's Python runtime carries.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")

# As a Lambda does: load the handlers' module, decode what the state machine sends, make a client.
USE = """
import app, json
from chalicelib.domain.codec import decode
from chalicelib.engine.runner import Task
decode(Task, {"deployment_id": "d", "environment": "e", "action": "deploy", "execution_arn": "a"})
from chalicelib.adapters.session import client
client("dynamodb")
"""
OWN_IMPORTS = {
    "ValidateEndpoints": "from chalicelib.adapters import openai_sdk; import openai",
    "ValidateErrors": "import uvloop, httptools",
    "LoadTest": "import uvloop, httptools",
    "LoadWorker": "import uvloop, httptools",
}


@pytest.fixture(scope="module")
def packaged() -> control_plane.Package:
    return control_plane.build(ROOT, ROOT / ".local" / "build", wheels.this_machine())


def run_in(code: bytes, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A Python that sees the standard library, the unpacked zip and the runtime's own packages, and nothing else."""
    task, runtime = folder / "task", folder / "runtime"
    zipfile.ZipFile(BytesIO(code)).extractall(task)
    runtime.mkdir()
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        target = origin.parent if origin.name == "__init__.py" else origin
        (runtime / target.name).symlink_to(target)
    start = f"import sys; sys.path[:0] = [{str(task)!r}, {str(runtime)!r}]\n"
    variables = {"AWS_DEFAULT_REGION": "eu-central-1", "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + script], env=variables, capture_output=True, text=True, timeout=120
    )


def test_every_zip_works_beside_nothing_but_boto3(packaged: control_plane.Package, tmp_path: Path) -> None:
    functions = template.functions(packaged.template)
    by_zip: dict[str, list[str]] = {}
    for name, function in functions.items():
        by_zip.setdefault(function["Properties"]["CodeUri"], []).append(name)
    assert set(by_zip) == set(packaged.code)
    for number, (uri, names) in enumerate(by_zip.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        wanted = {OWN_IMPORTS[name] for name in names if name in OWN_IMPORTS}
        done = run_in(packaged.code[uri], folder, "\n".join([USE, *sorted(wanted)]))
        assert done.returncode == 0, (names, done.stderr[-800:])


def test_a_forgotten_dependency_would_fail(packaged: control_plane.Package, tmp_path: Path) -> None:
    functions = template.functions(packaged.template)
    smallest = packaged.code[functions["Bake"]["Properties"]["CodeUri"]]
    done = run_in(smallest, tmp_path, "import openai")
    assert done.returncode != 0
    assert "No module named 'openai'" in done.stderr


def test_every_zip_holds_the_policies_that_preflight_reads(packaged: control_plane.Package) -> None:
    package_folder = ROOT / "controlplane" / "chalicelib"
    names = {str(path.relative_to(package_folder.parent)) for path in policies.files(package_folder).values()}
    for code in packaged.code.values():
        paths = zipfile.ZipFile(BytesIO(code)).namelist()
        assert {*names, "chalicelib/engine/statements.json"} <= set(paths)


def test_every_zip_holds_the_schema_of_the_secret_and_nothing_else_of_the_proxy(
    packaged: control_plane.Package, tmp_path: Path
) -> None:
    for code in packaged.code.values():
        names = zipfile.ZipFile(BytesIO(code)).namelist()
        shared = {name for name in names if name.startswith("proxy/") and name.endswith(".py")}
        assert shared == set(template.SHARED)
    script = "from chalicelib.domain.secret_schema import check, parsed; "
    script += """print(check(parsed('{"schema": 2, "api_key": "sk-abcdefghijklmnop"}')).schema)"""
    done = run_in(next(iter(packaged.code.values())), tmp_path, script)
    assert done.stdout == "2\n", done.stderr


def test_the_workflow_in_the_template_is_the_one_in_the_checkout(packaged: control_plane.Package) -> None:
    machine = packaged.template["Resources"]["StateMachine"]["Properties"]
    definition = json.loads(machine["DefinitionString"])
    assert definition["StartAt"] == "WhichWayIn"
    assert not [name for name in definition if name.startswith("x-")]
