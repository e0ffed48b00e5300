"""The proxy's deployment package: which files, which bytecode, which bytes. Same input, same bytes, on every machine.

Three things make zips differ between machines: times and modes in the headers and the compressor (see zips.py), and
marshal, whose newer formats mark which objects happened to be shared in the process that compiled (format 2 does not).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import marshal
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from chalicelib.domain.errors import PhaseFailed

from . import sbom
from .zips import pack

RULES = "1"  # part of the fingerprint: raise it when this module builds other bytes from the same bundle
MAX_ZIP = 50 * 1024 * 1024
MAX_UNPACKED = 250 * 1024 * 1024
MANIFEST = "proxy/artifact.json"

_MARSHAL_FORMAT = 2
_MACHINE_CODE = (".so", ".pyd", ".dylib", ".dll")
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552: by source hash, and the source is never looked at


_KEY = re.compile(r"artifacts/[a-z0-9-]+/[0-9a-f]{64}\.(zip|cdx\.json)")


def is_artifact_key(key: str) -> bool:
    """Whether package_artifact would name an object so."""
    return bool(_KEY.fullmatch(key))


def unpack(bundle: bytes) -> dict[str, bytes]:
    """The bundle's files by path. Raises PhaseFailed when it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
            return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile as error:
        raise PhaseFailed(
            f"the proxy's bundle is not a zip file: {error}",
            code="BundleBroken",
            remedy="Run bootstrap.py up again: it builds and uploads the bundle.",
        ) from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """What of the bundle an artifact holds. root: path in the artifact by path in the bundle, executable."""

    root: Mapping[str, str]
    include: Sequence[str]
    exclude: Sequence[str]

    def takes(self, path: str) -> bool:
        """Whether the file belongs to the artifact."""
        wanted = any(fnmatchcase(path, pattern) for pattern in self.include)
        return wanted and not any(fnmatchcase(path, pattern) for pattern in self.exclude)


def read_manifest(files: Mapping[str, bytes]) -> Manifest:
    """`proxy/artifact.json`. Raises PhaseFailed when it is missing or of another shape."""
    try:
        told: Any = json.loads(files[MANIFEST])
        return Manifest(dict(told["root"]), list(told["include"]), list(told["exclude"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PhaseFailed(
            f"{MANIFEST} of the bundle is missing or malformed: {type(error).__name__}: {error}",
            code="BundleBroken",
            field=MANIFEST,
            remedy="It must be an object with root, include and exclude; correct it and run bootstrap.py up.",
        ) from error


def machine_code(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Compiled extensions by the package that brought them (by top-level folder where no RECORD names the file)."""
    found = [path for path in files if path.endswith(_MACHINE_CODE) or ".so." in path]
    owners: dict[str, list[str]] = {}
    for path in sorted(found):
        owners.setdefault(_owner(path, files), []).append(path)
    return owners


def _owner(path: str, files: Mapping[str, bytes]) -> str:
    for record, content in files.items():
        if not record.endswith(".dist-info/RECORD"):
            continue
        listed = {line.split(",")[0] for line in content.decode(errors="replace").splitlines()}
        if path in listed:
            return record.split("/")[-2].removesuffix(".dist-info")
    return path.split("/")[0]


def select(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The artifact's files, without bytecode. Raises PhaseFailed for compiled extensions and missing parts."""
    manifest = read_manifest(files)
    chosen = {path: content for path, content in files.items() if manifest.takes(path)}
    for target, source in manifest.root.items():
        if source not in files:
            raise PhaseFailed(
                f"{MANIFEST} puts {source} at {target}, but the bundle has no such file",
                code="BundleBroken",
                field=MANIFEST,
                remedy="Correct the path and run bootstrap.py up again.",
            )
        chosen[target] = files[source]
    compiled = machine_code(files)
    if compiled:
        named = "; ".join(f"{owner}: {', '.join(paths[:3])}" for owner, paths in compiled.items())
        raise PhaseFailed(
            f"the proxy must be pure Python, but these dependencies bring machine code: {named}",
            code="CompiledExtension",
            field="proxy/requirements.txt",
            remedy="Take the dependency out, or choose a release of it that is pure Python.",
            evidence={"compiled": compiled},
        )
    return chosen


def with_bytecode(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files and, for each module, bytecode of this Python, which Lambda's file system could not keep by itself.

    Raises PhaseFailed naming file and line where a module does not compile.
    """
    compiled: dict[str, bytes] = {}
    for path, source in files.items():
        if path.endswith(".py"):
            folder, _, name = path.rpartition("/")
            cached = f"__pycache__/{name[:-3]}.{sys.implementation.cache_tag}.pyc"
            compiled[f"{folder}/{cached}" if folder else cached] = bytecode(path, source)
    return {**files, **compiled}


def bytecode(path: str, source: bytes) -> bytes:
    """An unchecked hash-based .pyc (PEP 552)."""
    try:
        # dont_inherit: this module's own `from __future__` must not change what the proxy's code means.
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise PhaseFailed(
            f"{path}, line {line}, does not compile: {error}",
            code="SourceBroken",
            field=path,
            remedy="Correct the source and run bootstrap.py up again.",
        ) from error
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    return header + marshal.dumps(code, _MARSHAL_FORMAT)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A deployment package and what is known of it. digest: SHA-256, hex; sizes in bytes."""

    content: bytes
    digest: str
    files: int
    unpacked: int
    largest: Sequence[tuple[str, int]]
    sbom: bytes


def build(bundle: bytes) -> Artifact:
    """The artifact of a bundle. Raises PhaseFailed for whatever would not run, or not fit."""
    files = unpack(bundle)
    executable = frozenset(read_manifest(files).root)
    contents = with_bytecode(select(files))
    content = pack(contents, executable)
    digest = hashlib.sha256(content).hexdigest()
    largest = parts(contents)[:10]
    check_sizes(len(content), sum(map(len, contents.values())), largest)
    return Artifact(
        content=content,
        digest=digest,
        files=len(contents),
        unpacked=sum(map(len, contents.values())),
        largest=largest,
        sbom=sbom.write(contents, digest),
    )


def parts(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    """What the artifact is made of, largest first: packages (their first two folders) and single files, in bytes."""
    sizes: dict[str, int] = {}
    for path, content in files.items():
        name = "/".join(path.replace("/__pycache__", "").split("/")[:2])
        sizes[name] = sizes.get(name, 0) + len(content)
    return sorted(sizes.items(), key=lambda part: (-part[1], part[0]))


def check_sizes(zipped: int, unpacked: int, largest: Sequence[tuple[str, int]]) -> None:
    """Lambda's limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    for what, size, limit in (("zipped", zipped, MAX_ZIP), ("unpacked", unpacked, MAX_UNPACKED)):
        if size > limit:
            named = ", ".join(f"{name} {part / 1e6:.1f} MB" for name, part in largest)
            raise PhaseFailed(
                f"the artifact is {size / 1e6:.1f} MB {what}, over Lambda's {limit / 1e6:.1f} MB; largest: {named}",
                code="ArtifactTooLarge",
                field="proxy/requirements.txt",
                remedy="Leave out what the proxy does not need: proxy/artifact.json lists what goes in.",
                evidence={"bytes": size, "limit": limit, "largest": dict(largest)},
            )
