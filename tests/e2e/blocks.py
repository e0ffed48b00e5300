"""The blocks of shell in README and tutorial, and a shell that runs them: with stand-ins for `make` and `pipx`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_FAILS = re.compile(r"^(proxyctl [^#|]+?) +# exit code (\d)\b.*$", re.M)
_HEREDOC = re.compile(r"^cat > \S+ <<EOF\n.*?^EOF$", re.M | re.S)
# What an account is needed for; `test_documents` reads these commands, other tests run them.
_IN_AN_ACCOUNT = "bootstrap.py"
_MAKE = """\
#!{python}
import sys
sys.path[:0] = ["{root}", "{root}/controlplane"]
from pathlib import Path
from installer import demo
from local import cloud
if sys.argv[1:] == ["demo"]:
    sys.exit(demo.run(Path("{root}"), Path("{folder}"), None))
assert sys.argv[1:] == ["stop"], sys.argv
cloud.stop(Path("{folder}"))
"""
_PROXYCTL = """\
#!{python}
import sys
sys.path.insert(0, "{root}")
from ctl.__main__ import main
sys.exit(main())
"""


def of(page: Path) -> list[str]:
    """Every block of shell of a page, in order."""
    return _BLOCK.findall(page.read_text())


def runs_here(block: str) -> bool:
    return _IN_AN_ACCOUNT not in block


def commands(blocks: Iterable[str]) -> list[str]:
    """Single commands, without comments; a file that is written is one command."""
    listed: list[str] = []
    for block in blocks:
        files = _HEREDOC.findall(block)
        lines = _HEREDOC.sub("", block).replace("\\\n", " ").splitlines()
        listed += files + [line.partition(" #")[0].strip() for line in lines if line.strip()]
    return listed


def script(blocks: Iterable[str]) -> str:
    """One script that stops at the first failure; where the page names an exit code, it must be that one."""
    checked = (_FAILS.sub(r"code=0; \1 || code=$?; test $code = \2", block) for block in blocks)
    return "set -eu -o pipefail\nshopt -s expand_aliases\n" + "".join(
        f'echo "== block {number}"\n{block}' for number, block in enumerate(checked, 1)
    )


def checkout(folder: Path, cloud: Path) -> Path:
    """A folder that looks like the checkout to the blocks, for files of theirs. cloud: where `make demo` works."""
    (folder / "bin").mkdir(parents=True)
    values = {"python": sys.executable, "root": ROOT, "folder": cloud}
    for name, text in (("make", _MAKE), ("proxyctl", _PROXYCTL), ("pipx", "#!/bin/sh\ntest \"$*\" = 'install .'\n")):
        (folder / "bin" / name).write_text(text.format(**values))
        (folder / "bin" / name).chmod(0o755)
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (folder / ".local").symlink_to(cloud)
    return folder


def shell(folder: Path, text: str, variables: Mapping[str, str], limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run a script in the folder that `checkout` made; standard error and output as one text."""
    own = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**own, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit_s,
        check=False,
    )
