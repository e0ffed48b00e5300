"""The proxy bundle: sources, template and locked dependencies, from which the control plane assembles artifacts.

The installer builds it, because Chalice's tools cannot run inside Lambda. The control plane assembles the artifact,
because only there the settings and the Python version are certain. Layout: `proxy/…`, `template.yaml`, and the files of
each dependency at the root.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from installer.errors import CannotStart
from installer.packaging import archive, control_plane, wheels

_EXECUTABLE = frozenset({"proxy/bootstrap"})


@dataclass(frozen=True)
class Bundle:
    """A zip and its key in the bucket, which holds the digest of the tree inside."""

    content: bytes
    key: str


def build(root: Path, cache: Path) -> Bundle:
    """The bundle of this checkout's `proxy/`. Raises CannotStart naming a dependency that is not pure Python."""
    sources = root / "proxy"
    files = {f"proxy/{name}": content for name, content in archive.collect(sources).items() if _is_source(name)}
    files["template.yaml"] = (sources / "template.yaml").read_bytes()
    files |= _dependencies(sources / "requirements.txt", cache)
    key = f"bundles/{archive.tree_digest(files, _EXECUTABLE)}.zip"
    return Bundle(archive.pack(files, _EXECUTABLE), key)


def _is_source(name: str) -> bool:
    return name != "template.yaml" and not name.startswith(("requirements", "tests/")) and not name.endswith(".md")


def _dependencies(requirements: Path, cache: Path) -> dict[str, bytes]:
    if not requirements.exists() or "==" not in requirements.read_text():
        return {}
    folder = cache / f"proxy-{archive.digest(requirements.read_bytes())[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = Path(scratch) / "wheels"
            wheels.install(requirements, unpacked, wheels.LAMBDA_ARM64)
            refuse_compiled(unpacked)
            shutil.rmtree(unpacked / "bin", ignore_errors=True)
            control_plane.publish(unpacked, folder)
    return archive.collect(folder)


def refuse_compiled(unpacked: Path) -> None:
    """Raises CannotStart naming the distribution with machine code: the proxy must run everywhere as it was tested."""
    machine_code = wheels.compiled(unpacked)
    if not machine_code:
        return
    owners = {name for name in wheels.installed(unpacked) if wheels.files_of(name, unpacked) & set(machine_code)}
    raise CannotStart(
        f"the proxy must be pure Python, but {', '.join(sorted(owners))} has compiled extensions "
        f"({machine_code[0]}); remove it from proxy/requirements.txt or choose a pure-Python release"
    )
