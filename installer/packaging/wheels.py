"""Locked dependencies as unpacked wheels, for the platform where they will run."""

import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from installer.errors import CannotStart, CommandFailed

COMPILED = (".so", ".pyd", ".dylib")
_UV_LIMIT_S, _PIP_LIMIT_S = 600, 900
_LOCKED = ("--require-hashes", "--only-binary", ":all:", "--no-deps")


@dataclass(frozen=True)
class Platform:
    """Where packages will run: the names of the platform for uv and for pip (None: this machine), and its markers."""

    uv_name: str | None
    system: str
    machine: str
    pip_name: str | None = None

    @property
    def label(self) -> str:
        """For the names of caches."""
        return self.uv_name or f"{self.system}-{self.machine}"


# manylinux2014: what Lambda's Amazon Linux 2 and 2023 both load.
LAMBDA_ARM64 = Platform("aarch64-manylinux2014", "linux", "aarch64", "manylinux2014_aarch64")


def this_machine() -> Platform:
    """The platform of the embedded cloud's Lambdas."""
    return Platform(None, sys.platform, platform.machine())


def install(requirements: Path, target: Path, where: Platform) -> None:
    """Unpack the wheels of a locked file into `target`, with hashes checked and nothing built from source.

    Raises CommandFailed when a wheel does not exist for that platform.
    """
    done = _with_uv(requirements, target, where)
    if done.returncode and not _with_pip(requirements, target, where):
        cause = done.stderr.strip()
        raise CommandFailed(f"cannot install the wheels of {requirements.name} for {where.label}: {cause}")


def _with_uv(requirements: Path, target: Path, where: Platform) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--link-mode", "copy"]
    command += [*_LOCKED, *_into(target), *(["--python-platform", where.uv_name] if where.uv_name else [])]
    command += ["-r", str(requirements)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_UV_LIMIT_S, check=False)  # noqa: S603 - fixed


def _with_pip(requirements: Path, target: Path, where: Platform) -> bool:
    """Slower, for machines on which uv does not run; without .pyc files, which `bytecode` would not replace."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += [*_LOCKED, *_into(target), "--implementation", "cp"]
    command += ["--platform", where.pip_name] if where.pip_name else []
    done = subprocess.run([*command, "-r", str(requirements)], timeout=_PIP_LIMIT_S, check=False)  # noqa: S603 - fixed
    return done.returncode == 0


def _into(target: Path) -> list[str]:
    return ["--target", str(target), "--python-version", f"{sys.version_info.major}.{sys.version_info.minor}"]


def installed(target: Path) -> dict[str, Distribution]:
    """The distributions unpacked in `target` by normalised name."""
    return {canonicalize_name(item.metadata["Name"]): item for item in distributions(path=[str(target)])}


def closure(names: Iterable[str], target: Path, where: Platform) -> set[str]:
    """`names` and all that they require on that platform. Raises CannotStart for a name that is not locked."""
    distributions_by_name = installed(target)
    closed, pending = set[str](), [canonicalize_name(name) for name in names]
    while pending:
        name = pending.pop()
        if name in closed:
            continue
        if name not in distributions_by_name:
            raise CannotStart(f"a Lambda needs {name}, but controlplane/requirements.txt does not lock it")
        closed.add(name)
        pending += _requirements_of(distributions_by_name[name], where)
    return closed


def _requirements_of(distribution: Distribution, where: Platform) -> list[NormalizedName]:
    """Normalised names that a distribution requires on that platform, without its extras."""
    environment = {str(key): str(value) for key, value in default_environment().items()}
    environment |= {"sys_platform": where.system, "platform_system": where.system.capitalize()}
    environment |= {"platform_machine": where.machine, "extra": ""}
    requirements = [Requirement(line) for line in distribution.requires or []]
    return [
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]


def files_of(name: str, target: Path) -> set[str]:
    """Paths (relative to `target`) that belong to a distribution."""
    return {path.as_posix() for path in installed(target)[name].files or [] if ".." not in path.parts}


def compiled(target: Path) -> list[str]:
    """Files with machine code, which would run on one platform only."""
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.suffix in COMPILED)
