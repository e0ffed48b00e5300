"""Creates the Python environments: `.venv` for the project, one more for the emulator. Standard library only.

`uv` installs the locked packages in seconds: pip brings it (one wheel, hash-checked). Where uv cannot run, pip installs
the same files with the same hashes, only slower.

A stamp, written last, holds the digest of what is installed. Without one an earlier run was killed half-way, and the
environment is created again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installer.errors import CannotStart
from installer.say import tell
from local import locks

STAMP = ".proxyctl-stamp.json"
INSTALL_TIMEOUT_S = 900
LOCK_TIMEOUT_S = 900


@dataclass(frozen=True)
class Profile:
    """One locked set of packages and where it is installed (paths relative to the checkout)."""

    name: str
    venv: str
    requirements: str
    satisfied_by: tuple[str, ...] = ()


RUN = Profile("run", ".venv", "requirements.txt", satisfied_by=("dev",))
DEV = Profile("dev", ".venv", "requirements-dev.txt")
EMULATOR = Profile("emulator", ".local/emulator", "local/requirements-emulator.txt")
# Tools of `make check` that need versions of their own: checkov pins boto3, parliament needs an old setuptools.
JUDGES = Profile("judges", ".local/judges", "judges/requirements.txt")
PROFILES = {profile.name: profile for profile in (RUN, DEV, EMULATOR, JUDGES)}
_WAITING = "another run, or the installer that a killed run left, is installing here: waiting for it ..."
UV_REQUIREMENTS = "installer/requirements-uv.txt"


def python_of(root: Path, profile: Profile) -> Path:
    """The interpreter of the profile's environment (which need not exist yet)."""
    return root / profile.venv / "bin" / "python"


def ensure(root: Path, profile: Profile) -> bool:
    """Create or complete the environment; returns whether anything had to be done.

    Raises CannotStart when Python lacks venv/ensurepip or when nothing could be installed.
    """
    if is_current(root, profile):
        return False
    with _lock(root):
        if is_current(root, profile):  # another process created it during the wait
            return False
        profile = at_least(root, profile)
        tell(f"installing the {profile.name} environment ({profile.venv}) ...")
        _create(root, profile)
    return True


def is_current(root: Path, profile: Profile) -> bool:
    """Whether the environment holds exactly what the locked file lists, at this place."""
    stamp = _read_stamp(root / profile.venv)
    if stamp is None or not _interpreter_works(root, profile):
        return False
    candidates = [profile, *(PROFILES[name] for name in profile.satisfied_by)]
    return any(stamp == stamp_for(root, candidate) for candidate in candidates)


def at_least(root: Path, profile: Profile) -> Profile:
    """The profile, or the larger one that is installed in older versions: a test run must not lose its tools."""
    stamp = _read_stamp(root / profile.venv) or {}
    return PROFILES[stamp["profile"]] if stamp.get("profile") in profile.satisfied_by else profile


def stamp_for(root: Path, profile: Profile) -> dict[str, str]:
    """The stamp of a complete environment."""
    content = (root / profile.requirements).read_bytes()
    return {
        "profile": profile.name,
        "place": str(root),  # scripts inside hold absolute paths: a moved checkout installs again
        "requirements_sha256": hashlib.sha256(content).hexdigest(),
    }


def _read_stamp(venv: Path) -> dict[str, str] | None:
    try:
        stamp: dict[str, str] = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp


def _interpreter_works(root: Path, profile: Profile) -> bool:
    """False when the Python that created the environment is gone (its symlink dangles)."""
    return os.access(python_of(root, profile), os.X_OK)


def _create(root: Path, profile: Profile) -> None:
    venv = root / profile.venv
    if venv.exists() and not _is_reusable(root, profile):
        _remove(venv)
    if not venv.exists() and not _create_with_uv(root, venv):
        _create_with_pip(venv)
    (venv / STAMP).unlink(missing_ok=True)
    _install(root, venv, root / profile.requirements)
    # Last: a run that is killed before this line leaves no stamp.
    write_stamp(venv, stamp_for(root, profile))


def _is_reusable(root: Path, profile: Profile) -> bool:
    stamp = _read_stamp(root / profile.venv)
    return stamp is not None and stamp.get("place") == str(root) and python_of(root, profile).exists()


def _install(root: Path, venv: Path, requirements: Path) -> None:
    python = venv / "bin" / "python"
    uv = _uv(root, venv, python)
    if uv is not None and _install_with_uv(uv, python, requirements):
        return
    tell("  uv cannot run here, pip installs the same versions (slower)")
    if not (venv / "bin" / "pip").exists():
        shutil.rmtree(venv, ignore_errors=True)
        _create_with_pip(venv)
    _install_with_pip(python, requirements)


def _remove(venv: Path) -> None:
    try:
        shutil.rmtree(venv)
    except OSError as problem:
        raise CannotStart(f"{venv} is incomplete and cannot be removed ({problem}); remove it and run again") from None


def _create_with_uv(root: Path, venv: Path) -> bool:
    """Create it without pip inside, in a third of a second; False while there is no uv yet."""
    uv = root / RUN.venv / "bin" / "uv"
    if not os.access(uv, os.X_OK):
        return False
    done = _call([str(uv), "venv", "--quiet", "--no-config", "--python", sys.executable, str(venv)])
    if done.returncode:
        shutil.rmtree(venv, ignore_errors=True)
    return done.returncode == 0


def _create_with_pip(venv: Path) -> None:
    venv.parent.mkdir(parents=True, exist_ok=True)
    done = _call([sys.executable, "-m", "venv", str(venv)])
    if done.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        raise CannotStart(
            f"{sys.executable} cannot create a virtual environment ({_last_line(done)}); "
            "on Debian or Ubuntu: apt-get install python3-venv"
        )


def _uv(root: Path, venv: Path, python: Path) -> Path | None:
    """The uv of the project's environment, or one installed now into the new environment; None when neither works."""
    for candidate in (venv / "bin" / "uv", root / RUN.venv / "bin" / "uv"):
        if os.access(candidate, os.X_OK):
            return candidate
    done = _pip(python, ["--no-deps", "-r", str(root / UV_REQUIREMENTS)])
    return venv / "bin" / "uv" if done.returncode == 0 else None


def _install_with_uv(uv: Path, python: Path, requirements: Path) -> bool:
    command = [str(uv), "pip", "sync", "--quiet", "--no-config", "--require-hashes", "--python", str(python)]
    return _call([*command, str(requirements)]).returncode == 0


def _install_with_pip(python: Path, requirements: Path) -> None:
    done = _pip(python, ["-r", str(requirements)])
    if done.returncode:
        raise CannotStart(
            f"the packages of {requirements.name} could not be installed: {_last_line(done)}; "
            "is a package index reachable from here?"
        )


def _pip(python: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    return _call([*command, *arguments])


def _call(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - fixed commands
            command,
            env=_variables(),
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
            close_fds=False,  # the lock's descriptor is inherited
        )
    except OSError as missing:  # a binary for another platform, or gone
        return subprocess.CompletedProcess(command, 127, "", str(missing))
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {INSTALL_TIMEOUT_S} s")


def _variables() -> dict[str, str]:
    variables = dict(os.environ)
    index = variables.get("PIP_INDEX_URL")
    if index:  # uv does not read pip's variable
        variables.setdefault("UV_DEFAULT_INDEX", index)
    if not os.access(Path.home(), os.W_OK):  # uv refuses to work without a place for its cache
        variables.setdefault("UV_NO_CACHE", "1")
    return variables


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout or "no output").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def write_stamp(venv: Path, stamp: dict[str, str]) -> None:
    """Write the stamp in one step: a reader never sees half of it."""
    draft = venv / f"{STAMP}.draft"
    draft.write_text(json.dumps(stamp, indent=1) + "\n")
    draft.replace(venv / STAMP)


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One installer at a time: `make test` may run beside `make demo`. The pip or uv of a killed run holds the lock
    too, because it still writes into the folder that the next run would create."""
    path = root / ".local" / "setup.lock"
    try:
        with locks.hold(path, LOCK_TIMEOUT_S, waiting=lambda: tell(_WAITING), inherited=True):
            yield
    except locks.LockTimeout:
        raise CannotStart("another bootstrap.py has been installing for 15 minutes; end it first") from None
