"""Locked dependencies as unpacked wheels, for the platform they will run on (not the one that packages)."""

import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from installer.errors import CannotStart, CommandFailed

COMPILED = (".so", ".pyd", ".dylib")


@dataclass(frozen=True)
class Platform:
    """Where packages will run: uv's name of the platform; None means this machine."""

    uv_name: str | None
    system: str
    machine: str

    @property
    def label(self) -> str:
        """For the names of caches."""
        return self.uv_name or f"{self.system}-{self.machine}"


# manylinux2014: what Lambda's Amazon Linux 2 and 2023 both load.
LAMBDA_ARM64 = Platform("aarch64-manylinux2014", "linux", "aarch64")


def this_machine() -> Platform:
    """The platform of the embedded cloud's Lambdas."""
    return Platform(None, sys.platform, platform.machine())


def install(requirements: Path, target: Path, where: Platform) -> None:
    """Unpack the wheels of a locked file into `target`, hashes checked, nothing built from source.

    Raises CommandFailed when a wheel cannot be had for that platform.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--require-hashes"]
    command += ["--only-binary", ":all:", "--target", str(target), "--python-version", version, "--no-deps"]
    command += ["--link-mode", "copy"]
    if where.uv_name:
        command += ["--python-platform", where.uv_name]
    done = subprocess.run(  # noqa: S603 - fixed command
        [*command, "-r", str(requirements)], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode and not _with_pip(requirements, target, where, version):
        raise CommandFailed(f"wheels of {requirements.name} for {where.label} could not be had: {done.stderr.strip()}")


def _with_pip(requirements: Path, target: Path, where: Platform, version: str) -> bool:
    """The slow way, for machines on which uv does not run."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    ]
    command += ["--only-binary", ":all:", "--target", str(target), "--python-version", version, "--no-deps"]
    command += ["--implementation", "cp"]
    if where.uv_name:
        command += ["--platform", "manylinux2014_aarch64"]
    done = subprocess.run([*command, "-r", str(requirements)], timeout=900, check=False)  # noqa: S603 - fixed
    return done.returncode == 0


def installed(target: Path) -> dict[str, Distribution]:
    """What lies unpacked in `target`, by normalised name."""
    return {canonicalize_name(one.metadata["Name"]): one for one in distributions(path=[str(target)])}


def closure(names: Iterable[str], target: Path, where: Platform) -> set[str]:
    """`names` and all that they need on that platform. Raises CannotStart for a name that is not locked."""
    at_hand = installed(target)
    environment = {str(key): str(value) for key, value in default_environment().items()}
    environment |= {"sys_platform": where.system, "platform_machine": where.machine, "extra": ""}
    wanted, open_names = set[str](), [canonicalize_name(name) for name in names]
    while open_names:
        name = open_names.pop()
        if name in wanted:
            continue
        if name not in at_hand:
            raise CannotStart(f"{name} is wanted in a Lambda but not locked in controlplane/requirements.txt")
        wanted.add(name)
        needs = [Requirement(line) for line in at_hand[name].requires or []]
        open_names += [
            canonicalize_name(need.name) for need in needs if need.marker is None or need.marker.evaluate(environment)
        ]
    return wanted


def files_of(name: str, target: Path) -> set[str]:
    """Paths (relative to `target`) that belong to a distribution."""
    return {path.as_posix() for path in installed(target)[name].files or [] if ".." not in path.parts}


def compiled(target: Path) -> list[str]:
    """Files with machine code, which would run on one platform only."""
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.suffix in COMPILED)
