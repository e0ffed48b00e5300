"""The control plane as Lambda zips and one CloudFormation template.

Functions share one application but not one zip: each set of dependencies gets a zip of its own. A Lambda that does not
call OpenAI then unpacks 150 files instead of 4,800 when it starts.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from installer.errors import CannotStart
from installer.packaging import archive, bytecode, template, wheels
from installer.packaging.template import Template

FORMAT = "8"  # part of the cache's key: raise it when this package builds other results from the same sources
CACHED_PACKAGES = 4


@dataclass(frozen=True)
class Package:
    """template: CodeUri of a function is a key of `code`. code: zips by their key in the bucket."""

    template: Template
    code: Mapping[str, bytes]
    digest: str

    def located(self, bucket: str) -> Template:
        """The template with every CodeUri in that bucket."""
        located: Template = json.loads(json.dumps(self.template))
        for function in template.functions(located).values():
            function["Properties"]["CodeUri"] = f"s3://{bucket}/{function['Properties']['CodeUri']}"
        return located


def build(root: Path, cache: Path, where: wheels.Platform) -> Package:
    """Package this checkout for a platform, or take the cached result of the same sources."""
    digest = source_digest(root, where)
    folder = cache / f"package-{digest[:16]}"
    if not (folder / "template.json").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            draft = Path(scratch) / "draft"
            draft.mkdir()
            _build(root, cache, where, draft)
            publish(draft, folder)
        _remove_old(cache)
    code = {f"controlplane/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.zip"))}
    return Package(json.loads((folder / "template.json").read_text()), code, digest)


def publish(draft: Path, folder: Path) -> None:
    """Rename a finished draft in one step; another process may have published the same folder first."""
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def _remove_old(cache: Path) -> None:
    """Leave the newest few packages; each takes some 14 MB."""
    packages = sorted(cache.glob("package-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in packages[CACHED_PACKAGES:]:
        shutil.rmtree(old, ignore_errors=True)


def source_digest(root: Path, where: wheels.Platform) -> str:
    """Digest of what the package depends on: sources, locked versions, target platform, this Python, FORMAT."""
    files = {f"controlplane/{name}": content for name, content in archive.collect(root / "controlplane").items()}
    files |= {f"statemachine/{name}": content for name, content in archive.collect(root / "statemachine").items()}
    files |= {name: (root / name).read_bytes() for name in template.SHARED}
    files["requirements.txt"] = (root / "requirements.txt").read_bytes()  # Chalice's own runtime goes into the zip
    files["about"] = _about(where)
    return archive.tree_digest(files)


def _about(where: wheels.Platform) -> bytes:
    return f"{FORMAT} {where.label} {sys.version}".encode()


def _build(root: Path, cache: Path, where: wheels.Platform, draft: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        packaged, application = template.make(root, Path(scratch), cache / "chalice.log")
    vendor = _vendor(root, cache, where)
    keys: dict[frozenset[str], str] = {}
    for name, function in template.functions(packaged).items():
        group = dependencies_of(name, root, vendor, where)
        if group not in keys:
            keys[group] = _write_zip(application | _dependency_files(group, vendor), draft)
        function["Properties"]["CodeUri"] = f"controlplane/{keys[group]}"
    (draft / "template.json").write_text(json.dumps(packaged, indent=1, sort_keys=True))


def _write_zip(files: Mapping[str, bytes], folder: Path) -> str:
    """Write the zip of a Lambda; returns its name."""
    name = zip_name(files)
    (folder / name).write_bytes(archive.pack(files))
    return name


def zip_name(files: Mapping[str, bytes]) -> str:
    """The name of a Lambda's zip: a digest of its sources and of the Python that compiled them."""
    python = {"python": str(sys.implementation.cache_tag).encode()}
    return f"{archive.tree_digest(bytecode.without(files) | python)}.zip"


def _vendor(root: Path, cache: Path, where: wheels.Platform) -> Path:
    """All runtime dependencies unpacked for the platform, with bytecode; cached until the locked file changes."""
    requirements = root / "controlplane" / "requirements.txt"
    folder = cache / f"vendor-{archive.digest(requirements.read_bytes() + _about(where))[:16]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = Path(scratch) / "vendor"
            wheels.install(requirements, unpacked, where)
            bytecode.compile_tree(unpacked)
            publish(unpacked, folder)
    return folder


def dependencies_of(function: str, root: Path, vendor: Path, where: wheels.Platform) -> frozenset[str]:
    """Distributions in a function's zip: those that dependencies.json names for it, and what they require."""
    by_function = _dependencies(root)
    names = [*by_function.get("*", []), *by_function.get(function, [])]
    return frozenset(wheels.closure(names, vendor, where))


def _dependencies(root: Path) -> dict[str, list[str]]:
    """Distribution names by function; those under `*` are in every zip."""
    by_function: dict[str, list[str]] = json.loads((root / "controlplane" / "dependencies.json").read_text())
    return by_function


def _dependency_files(group: frozenset[str], vendor: Path) -> dict[str, bytes]:
    """What these distributions installed, with its bytecode and without console scripts."""
    names = set[str]().union(*(wheels.files_of(name, vendor) for name in group))
    files = archive.collect(vendor, bytecode=True) if names else {}
    return {
        path: content
        for path, content in files.items()
        if bytecode.source_of(path) in names and not path.startswith("bin/")
    }


def check_functions_exist(root: Path, packaged: Template) -> None:
    """Raises CannotStart when dependencies.json names a function that the template lacks, such as a renamed one."""
    unknown = sorted(set(_dependencies(root)) - set(template.functions(packaged)) - {"*"})
    if unknown:
        raise CannotStart(f"controlplane/dependencies.json names functions that do not exist: {', '.join(unknown)}")
