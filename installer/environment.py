"""Makes the Python environments: `.venv` for the project, one more for the emulator. Standard library only.

Speed is why `uv` does the installing: pip brings it (one wheel, hash-checked), and it then installs the locked
sets in seconds. Where uv cannot run, pip installs the same files with the same hashes, only slower.

A stamp, written last, holds the digest of what was installed. No stamp means that a former run was killed
half-way, and the environment is made anew.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
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
PROFILES = {profile.name: profile for profile in (RUN, DEV, EMULATOR)}
_WAITING = "another run is installing here, or a killed one's installer still works: waiting for it ..."
UV_REQUIREMENTS = "installer/requirements-uv.txt"


def python_of(root: Path, profile: Profile) -> Path:
    """The interpreter of the profile's environment (which need not exist yet)."""
    return root / profile.venv / "bin" / "python"


def ensure(root: Path, profile: Profile) -> bool:
    """Make or complete the environment; answers whether anything had to be done.

    Raises CannotStart when Python lacks venv/ensurepip or when nothing could be installed.
    """
    if is_current(root, profile):
        return False
    with _lock(root):
        if is_current(root, profile):  # another process made it while we waited
            return False
        profile = at_least(root, profile)
        started = time.monotonic()
        tell(f"installing the {profile.name} environment ({profile.venv}) ...")
        _make(root, profile)
        tell(f"  done in {time.monotonic() - started:.0f} s")
    return True


def is_current(root: Path, profile: Profile) -> bool:
    """Whether the environment holds exactly what the locked file asks for, at this place."""
    stamp = _read_stamp(root / profile.venv)
    if stamp is None or not _interpreter_works(root, profile):
        return False
    wanted = [profile, *(PROFILES[name] for name in profile.satisfied_by)]
    return any(stamp == stamp_for(root, candidate) for candidate in wanted)


def at_least(root: Path, profile: Profile) -> Profile:
    """The profile, or the larger one that is there in older versions: a test run must not lose its tools under way."""
    stamp = _read_stamp(root / profile.venv) or {}
    return PROFILES[stamp["profile"]] if stamp.get("profile") in profile.satisfied_by else profile


def stamp_for(root: Path, profile: Profile) -> dict[str, str]:
    """What the stamp of a whole environment says."""
    content = (root / profile.requirements).read_bytes()
    return {
        "profile": profile.name,
        "place": str(root),  # scripts inside carry absolute paths: a moved checkout installs anew
        "requirements_sha256": hashlib.sha256(content).hexdigest(),
    }


def _read_stamp(venv: Path) -> dict[str, str] | None:
    try:
        stamp: dict[str, str] = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp


def _interpreter_works(root: Path, profile: Profile) -> bool:
    """False when the Python that the environment was made from has gone (its symlink dangles)."""
    return os.access(python_of(root, profile), os.X_OK)


def _make(root: Path, profile: Profile) -> None:
    venv = root / profile.venv
    python = python_of(root, profile)
    stamp = _read_stamp(venv)
    if venv.exists() and (stamp is None or stamp.get("place") != str(root) or not python.exists()):
        _remove(venv)
    if not venv.exists() and not _create_with_uv(root, venv):
        _create(venv)
    (venv / STAMP).unlink(missing_ok=True)
    requirements = root / profile.requirements
    uv = _uv(root, venv, python)
    if uv is None or not _install_with_uv(uv, python, requirements):
        tell("  uv cannot be used here, pip installs the same versions (slower)")
        if not (venv / "bin" / "pip").exists():
            shutil.rmtree(venv, ignore_errors=True)
            _create(venv)
        _install_with_pip(python, requirements)
    # Last: whoever kills us before this line finds no stamp next time.
    write_stamp(venv, stamp_for(root, profile))


def _remove(venv: Path) -> None:
    try:
        shutil.rmtree(venv)
    except OSError as problem:
        raise CannotStart(
            f"{venv} is half made and cannot be removed ({problem}); remove it, and run this again"
        ) from None


def _create_with_uv(root: Path, venv: Path) -> bool:
    """Without pip in it, in a third of a second; False while there is no uv yet."""
    uv = root / RUN.venv / "bin" / "uv"
    if not os.access(uv, os.X_OK):
        return False
    made = _call([str(uv), "venv", "--quiet", "--no-config", "--python", sys.executable, str(venv)])
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
    return made.returncode == 0


def _create(venv: Path) -> None:
    venv.parent.mkdir(parents=True, exist_ok=True)
    made = _call([sys.executable, "-m", "venv", str(venv)])
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        raise CannotStart(
            f"{sys.executable} cannot make a virtual environment ({_last_line(made)}); "
            "on Debian or Ubuntu: apt-get install python3-venv"
        )


def _uv(root: Path, venv: Path, python: Path) -> Path | None:
    """The uv of the project's environment, or one installed now into the environment that is being made."""
    for candidate in (venv / "bin" / "uv", root / RUN.venv / "bin" / "uv"):
        if os.access(candidate, os.X_OK):
            return candidate
    got = _pip(python, ["--no-deps", "-r", str(root / UV_REQUIREMENTS)])
    return venv / "bin" / "uv" if got.returncode == 0 else None


def _install_with_uv(uv: Path, python: Path, requirements: Path) -> bool:
    command = [str(uv), "pip", "sync", "--quiet", "--no-config", "--require-hashes", "--python", str(python)]
    return _call([*command, str(requirements)]).returncode == 0


def _install_with_pip(python: Path, requirements: Path) -> None:
    installed = _pip(python, ["-r", str(requirements)])
    if installed.returncode:
        raise CannotStart(
            f"the packages of {requirements.name} could not be installed: {_last_line(installed)}; "
            "is a package index reachable from here?"
        )


def _pip(python: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    ]
    return _call([*command, *arguments])


def _call(command: list[str]) -> subprocess.CompletedProcess[str]:
    variables = dict(os.environ)
    index = variables.get("PIP_INDEX_URL")
    if index:  # uv does not read pip's variable
        variables.setdefault("UV_DEFAULT_INDEX", index)
    if not os.access(Path.home(), os.W_OK):  # uv would refuse to work without a place for its cache
        variables.setdefault("UV_NO_CACHE", "1")
    try:
        return subprocess.run(  # noqa: S603 - fixed commands
            command,
            env=variables,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
            close_fds=False,  # the lock is handed on
        )
    except OSError as missing:  # a binary for another platform, or gone
        return subprocess.CompletedProcess(command, 127, "", str(missing))
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {INSTALL_TIMEOUT_S} s")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout or "no output").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def write_stamp(venv: Path, stamp: dict[str, str]) -> None:
    """In one step: a stamp cut short would be none."""
    draft = venv / f"{STAMP}.draft"
    draft.write_text(json.dumps(stamp, indent=1) + "\n")
    draft.replace(venv / STAMP)


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One installer at a time: `make test` may run beside `make demo`. What a killed one left at work (pip, uv) is
    waited for: it writes into the folder that would be made anew."""
    path = root / ".local" / "setup.lock"
    try:
        with locks.hold(path, LOCK_TIMEOUT_S, waiting=lambda: tell(_WAITING), inherited=True):
            yield
    except locks.LockTimeout:
        raise CannotStart("another bootstrap.py has been installing for 15 minutes; end it first") from None
