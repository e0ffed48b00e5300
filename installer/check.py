"""`make check`: every static check by name, all of them even when one fails."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installer.errors import CannotStart, CommandFailed
from installer.packaging import control_plane, template, wheels
from installer.packaging.template import Definition
from installer.say import say

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".local" / "build"
TYPED = ("bootstrap.py", "installer", "local", "ctl", "controlplane", "proxy", "tests", "bench")
_MODULE = (sys.executable, "-m")


def main() -> int:
    """0 when all checks pass."""
    checks: dict[str, Callable[[], bool]] = {
        "ruff check": lambda: _run([*_MODULE, "ruff", "check", "."]),
        "ruff format": lambda: _run([*_MODULE, "ruff", "format", "--check", "."]),
        "mypy --strict": lambda: _run([*_MODULE, "mypy", *_typed()]),
        "import contracts": lambda: _run([*_script("lint-imports"), "--no-cache"], PYTHONPATH="controlplane:."),
        "cfn-lint": _cfn_lint,
        "state machines": _statelint,
    }
    failed = [name for name, check in checks.items() if not _passes(name, check)]
    say(f"check: {'all passed' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


def _passes(name: str, check: Callable[[], bool]) -> bool:
    began = time.monotonic()
    try:
        passed = check()
    except (CannotStart, CommandFailed) as problem:
        say(str(problem))
        passed = False
    say(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
    return passed


def _typed() -> list[str]:
    return [name for name in TYPED if (ROOT / name).is_file() or any((ROOT / name).rglob("*.py"))]


def _script(name: str) -> list[str]:
    # Through the interpreter: a console script's first line breaks when the checkout is moved.
    return [sys.executable, str(Path(sys.executable).parent / name)]


def _run(command: list[str], **variables: str) -> bool:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)  # noqa: S603 - fixed
    return done.returncode == 0


def _cfn_lint() -> bool:
    """The proxy's template as it is, the control plane's as it gets packaged."""
    packaged = control_plane.build(ROOT, BUILD, wheels.this_machine())
    control_plane.check_functions_exist(ROOT, packaged.template)
    target = BUILD / "controlplane.json"
    # Parameters decide the bucket's name at deployment; any valid name does for the linter.
    target.write_text(json.dumps(packaged.located("proxyctl-000000000000-eu-central-1"), indent=1))
    templates = [str(target), *(str(path) for path in sorted((ROOT / "proxy").glob("template.y*ml")))]
    return _run([*_script("cfn-lint"), "--regions", "eu-central-1", "--", *templates])


def _statelint() -> bool:
    BUILD.mkdir(parents=True, exist_ok=True)
    targets = []
    for workflow in sorted((ROOT / "statemachine").glob("*.asl.yaml")):
        target = BUILD / workflow.with_suffix(".json").name
        target.write_text(_lintable(template.read_definition(workflow)))
        targets.append(target)
    passed = [_run([*_script("statelint"), str(target)]) for target in targets]
    return all(passed)


def _lintable(definition: Definition) -> str:
    """The definition as JSON, without what the linter does not know."""
    for state in definition["States"].values():
        # AWS needs the type of S3's items; the language's specification, which the linter follows, does not have it.
        # cfn-lint knows it and checks it inside the template.
        state.get("ItemReader", {}).get("ReaderConfig", {}).pop("InputType", None)
    # DefinitionSubstitutions insert ARNs at deployment; the linter expects ARNs.
    text = json.dumps(definition, indent=1)
    return text.replace("${", "arn:aws:lambda:eu-central-1:000000000000:function:").replace('Arn}"', '"')


if __name__ == "__main__":
    sys.exit(main())
