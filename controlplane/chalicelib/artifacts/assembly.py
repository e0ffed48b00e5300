"""The proxy's deployment package: which files of the bundle, with which bytecode. Same input, same tree, everywhere.

A newer marshal format marks the objects that happened to be shared in the process that compiled, so that two processes
would write different bytecode; format 2 has no such marks.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from chalicelib.domain.errors import PhaseFailed

from . import archive, sbom

RULES = "2"  # part of the fingerprint: raise it when this module builds another tree from the same bundle
MAX_ZIP = 50 * 1024 * 1024
MAX_UNPACKED = 250 * 1024 * 1024
MANIFEST = "proxy/artifact.json"

_MARSHAL_FORMAT = 2
_MACHINE_CODE = (".so", ".pyd", ".dylib", ".dll")
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552: identified by source hash, and Python never checks it

_KEY = re.compile(r"artifacts/[a-z0-9-]+/[0-9a-f]{64}\.(zip|cdx\.json)")


def is_artifact_key(key: str) -> bool:
    """Whether the key has the form that package_artifact gives to artifacts and SBOMs."""
    return bool(_KEY.fullmatch(key))


def unpack(bundle: bytes) -> dict[str, bytes]:
    """The bundle's files by path. Raises PhaseFailed (BundleBroken) when it is not a zip."""
    try:
        return archive.unpack(bundle)[0]
    except zipfile.BadZipFile as error:
        raise PhaseFailed(
            f"the proxy's bundle is not a zip file: {error}",
            code="BundleBroken",
            remedy="Run bootstrap.py up again: it builds and uploads the bundle.",
        ) from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which files of the bundle an artifact holds. root: executables, path in the bundle by path in the artifact.
    include, exclude: patterns as of fnmatch."""

    root: Mapping[str, str]
    include: Sequence[str]
    exclude: Sequence[str]

    def includes(self, path: str) -> bool:
        """Whether the file belongs to the artifact."""
        is_included = any(fnmatchcase(path, pattern) for pattern in self.include)
        return is_included and not any(fnmatchcase(path, pattern) for pattern in self.exclude)


def read_manifest(files: Mapping[str, bytes]) -> Manifest:
    """`proxy/artifact.json`. Raises PhaseFailed (BundleBroken) when it is missing or malformed."""
    try:
        fields = json.loads(files[MANIFEST])
        return Manifest(dict(fields["root"]), list(fields["include"]), list(fields["exclude"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PhaseFailed(
            f"{MANIFEST} of the bundle is missing or malformed: {type(error).__name__}: {error}",
            code="BundleBroken",
            field=MANIFEST,
            remedy="It must be an object with root, include and exclude; correct it and run bootstrap.py up.",
        ) from error


def machine_code(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Paths of compiled extensions by their package (by top-level folder where no RECORD lists the file)."""
    extensions = [path for path in files if path.endswith(_MACHINE_CODE) or ".so." in path]
    owners: dict[str, list[str]] = {}
    for path in sorted(extensions):
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
    """The artifact's files, without bytecode.

    Raises PhaseFailed: BundleBroken for a missing file, CompiledExtension for machine code.
    """
    manifest = read_manifest(files)
    selected = {path: content for path, content in files.items() if manifest.includes(path)}
    for target, source in manifest.root.items():
        if source not in files:
            raise PhaseFailed(
                f"{MANIFEST} puts {source} at {target}, but the bundle has no such file",
                code="BundleBroken",
                field=MANIFEST,
                remedy="Correct the path and run bootstrap.py up again.",
            )
        selected[target] = files[source]
    _refuse_machine_code(files)
    return selected


def _refuse_machine_code(files: Mapping[str, bytes]) -> None:
    compiled = machine_code(files)
    if compiled:
        packages = "; ".join(f"{owner}: {', '.join(paths[:3])}" for owner, paths in compiled.items())
        raise PhaseFailed(
            f"the proxy must be pure Python, but these dependencies contain machine code: {packages}",
            code="CompiledExtension",
            field="proxy/requirements.txt",
            remedy="Remove the dependency, or choose a release of it that is pure Python.",
            evidence={"compiled": compiled},
        )


def with_bytecode(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files and, for each module, bytecode of this Python: Lambda's file system cannot store it.

    Raises PhaseFailed (SourceBroken) naming file and line where a module does not compile.
    """
    compiled: dict[str, bytes] = {}
    for path, source in files.items():
        if path.endswith(".py"):
            folder, _, name = path.rpartition("/")
            cached = f"__pycache__/{name[:-3]}.{sys.implementation.cache_tag}.pyc"
            compiled[f"{folder}/{cached}" if folder else cached] = bytecode(path, source)
    return {**files, **compiled}


def bytecode(path: str, source: bytes) -> bytes:
    """An unchecked hash-based .pyc (PEP 552). Raises PhaseFailed (SourceBroken) naming file and line."""
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
    """A deployment package. content: the zip; digest: of the tree in it (archive.tree_digest); files: how many;
    unpacked: bytes; largest: parts by size in bytes; sbom: CycloneDX document, JSON."""

    content: bytes
    digest: str
    files: int
    unpacked: int
    largest: Sequence[tuple[str, int]]
    sbom: bytes


def build(bundle: bytes) -> Artifact:
    """The artifact of a bundle.

    Raises PhaseFailed: BundleBroken, CompiledExtension, SourceBroken, ArtifactTooLarge.
    """
    files = unpack(bundle)
    executable = frozenset(read_manifest(files).root)
    contents = with_bytecode(select(files))
    content, digest = archive.pack(contents, executable), archive.tree_digest(contents, executable)
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
    """The parts of the artifact in bytes, largest first: packages (their first two folders) and single files."""
    sizes: dict[str, int] = {}
    for path, content in files.items():
        name = "/".join(path.replace("/__pycache__", "").split("/")[:2])
        sizes[name] = sizes.get(name, 0) + len(content)
    return sorted(sizes.items(), key=lambda part: (-part[1], part[0]))


def check_sizes(zipped: int, unpacked: int, largest: Sequence[tuple[str, int]]) -> None:
    """Raises PhaseFailed (ArtifactTooLarge) over Lambda's limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    for what, size, limit in (("zipped", zipped, MAX_ZIP), ("unpacked", unpacked, MAX_UNPACKED)):
        if size > limit:
            named = ", ".join(f"{name} {part / 1e6:.1f} MB" for name, part in largest)
            raise PhaseFailed(
                f"the artifact is {size / 1e6:.1f} MB {what}, over Lambda's {limit / 1e6:.1f} MB; largest: {named}",
                code="ArtifactTooLarge",
                field="proxy/requirements.txt",
                remedy="In proxy/artifact.json, exclude the files that the proxy does not need.",
                evidence={"bytes": size, "limit": limit, "largest": dict(largest)},
            )
