"""`make lock`: resolves the `.in` files into locked files with hashes, for every platform and Python ≥ 3.11."""

import subprocess
import sys
from pathlib import Path

from installer.say import tell

ROOT = Path(__file__).resolve().parents[2]
# In this order: a later set is resolved under the versions of an earlier one.
# (file without suffix, constraint files)
SETS = (
    ("installer/requirements-uv", ()),
    ("controlplane/requirements", ()),
    ("ctl/requirements", ("controlplane/requirements.txt",)),
    ("requirements", ("controlplane/requirements.txt", "installer/requirements-uv.txt", "ctl/requirements.txt")),
    ("requirements-dev", ("requirements.txt",)),
    ("local/requirements-emulator", ()),
    ("judges/requirements", ()),
)


def main(arguments: list[str]) -> int:
    """Lock every set, or those in `arguments`; `--upgrade` takes newer versions where the `.in` files allow it."""
    names = [name for name in arguments if not name.startswith("-")]
    upgrade = ["--upgrade"] if "--upgrade" in arguments else []
    for stem, constraints in SETS:
        if not names or stem in names:
            _lock(stem, constraints, upgrade)
            tell(f"locked {stem}.txt")
    return 0


def _lock(stem: str, constraints: tuple[str, ...], options: list[str]) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "make lock", *options]
    for constraint in constraints:
        command += ["--constraint", constraint]
    subprocess.run([*command, f"{stem}.in", "--output-file", f"{stem}.txt"], cwd=ROOT, check=True)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
