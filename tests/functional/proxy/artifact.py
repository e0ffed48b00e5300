"""Builds a folder like the deployed artifact: the proxy, and of its dependencies what artifact.json lets in.

The dependencies come from the environment that runs the tests, so nothing is downloaded.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import json
import py_compile
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

PROXY = Path(__file__).parents[3] / "proxy"
DISTRIBUTIONS = ("aws-lambda-powertools", "jmespath", "typing-extensions")


def build(folder: Path, proxy: Path = PROXY) -> Path:
    """Fill `folder` from the sources in `proxy`; .pyc files are unchecked hash-based as in the real artifact."""
    rules = json.loads((proxy / "artifact.json").read_text())
    for path, source in _sources(proxy).items():
        if any(fnmatchcase(path, p) for p in rules["include"]) and not any(
            fnmatchcase(path, p) for p in rules["exclude"]
        ):
            _copy(source, folder / path)
    for name, source in rules["root"].items():
        _copy(proxy.parent / source, folder / name)
    compileall.compile_dir(folder, quiet=1, force=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return folder


def _sources(proxy: Path) -> dict[str, Path]:
    matches = {f"proxy/{path.relative_to(proxy).as_posix()}": path for path in proxy.rglob("*") if path.is_file()}
    for name in DISTRIBUTIONS:
        for file in importlib.metadata.files(name) or ():
            path = Path(str(file.locate()))
            if path.is_file():
                matches[file.as_posix()] = path
    return matches


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
