"""`make check`: every static check, each named, all of them even when one fails."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installer.errors import CannotStart, CommandFailed
from installer.packaging import control_plane, wheels
from installer.say import say

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".local" / "build"
TYPED = ("bootstrap.py", "installer", "local", "ctl", "controlplane", "proxy", "tests", "bench")


def main() -> int:
    """0 when all checks pass."""
    module = [sys.executable, "-m"]
    typed = [name for name in TYPED if (ROOT / name).is_file() or any((ROOT / name).rglob("*.py"))]
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("ruff check", lambda: _run([*module, "ruff", "check", "."])),
        ("ruff format", lambda: _run([*module, "ruff", "format", "--check", "."])),
        ("mypy --strict", lambda: _run([*module, "mypy", *typed])),
        ("import contracts", lambda: _run([*_script("lint-imports"), "--no-cache"], PYTHONPATH="controlplane:.")),
        ("cfn-lint", _cfn_lint),
        ("state machines", _statelint),
    ]
    failed = []
    for name, check in checks:
        began = time.monotonic()
        try:
            passed = check()
        except (CannotStart, CommandFailed) as problem:
            say(str(problem))
            passed = False
        say(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
        if not passed:
            failed.append(name)
    say(f"check: {'all passed' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


def _script(name: str) -> list[str]:
    # Through the interpreter: a console script's first line breaks when the checkout is moved.
    return [sys.executable, str(Path(sys.executable).parent / name)]


def _run(command: list[str], **variables: str) -> bool:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)  # noqa: S603 - fixed
    return done.returncode == 0


def _cfn_lint() -> bool:
    """The proxy's template as it is, the control plane's as it gets packaged."""
    packaged = control_plane.build(ROOT, BUILD, wheels.this_machine())
    control_plane.check_functions_are_known(ROOT, packaged.template)
    target = BUILD / "controlplane.json"
    # Parameters decide the bucket's name at deployment; any valid one does for the linter.
    target.write_text(json.dumps(packaged.located("proxyctl-000000000000-eu-central-1"), indent=1))
    templates = [str(target), *(str(path) for path in sorted((ROOT / "proxy").glob("template.y*ml")))]
    return _run([*_script("cfn-lint"), "--regions", "eu-central-1", "--", *templates])


def _statelint() -> bool:
    BUILD.mkdir(parents=True, exist_ok=True)
    targets = []
    for workflow in sorted((ROOT / "statemachine").glob("*.asl.yaml")):
        definition = control_plane.read_definition(workflow)
        for state in definition["States"].values():
            # What AWS wants to know of S3's items is not in the language's specification, and so not in this linter;
            # cfn-lint, which reads the definition inside the template, knows it.
            state.get("ItemReader", {}).get("ReaderConfig", {}).pop("InputType", None)
        # DefinitionSubstitutions put ARNs in at deployment; the linter wants to see some.
        text = json.dumps(definition, indent=1)
        text = text.replace("${", "arn:aws:lambda:eu-central-1:000000000000:function:").replace('Arn}"', '"')
        targets.append(BUILD / workflow.with_suffix(".json").name)
        targets[-1].write_text(text)
    passed = [_run([*_script("statelint"), str(target)]) for target in targets]
    return all(passed)


if __name__ == "__main__":
    sys.exit(main())
