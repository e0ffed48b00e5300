"""A Lambda carries what it names and what that needs on its platform, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.errors import CannotStart
from installer.packaging import bundle, wheels


def unpacked(folder: Path, name: str, *needs: str, files: tuple[str, ...] = ()) -> None:
    """A distribution as an installer would have unpacked it."""
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{requires}")
    record = []
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("")
        record.append(f"{file},,\n")
    (info / "RECORD").write_text("".join(record))


def test_needs_are_followed_by_their_markers_for_the_target_not_for_this_machine(tmp_path: Path) -> None:
    unpacked(tmp_path, "app", "lib-a", "win-only; sys_platform == 'win32'", "arm; platform_machine == 'aarch64'")
    unpacked(tmp_path, "lib_a", "app")
    unpacked(tmp_path, "arm")
    assert wheels.closure(["app"], tmp_path, wheels.LAMBDA_ARM64) == {"app", "lib-a", "arm"}
    assert wheels.closure(["app"], tmp_path, wheels.Platform(None, "linux", "x86_64")) == {"app", "lib-a"}


def test_a_laptop_with_macos_packages_what_lambda_needs(tmp_path: Path) -> None:
    unpacked(tmp_path, "app", "epoll; platform_system == 'Linux'", "kqueue; platform_system == 'Darwin'")
    unpacked(tmp_path, "epoll")
    unpacked(tmp_path, "kqueue")
    assert wheels.closure(["app"], tmp_path, wheels.LAMBDA_ARM64) == {"app", "epoll"}
    assert wheels.closure(["app"], tmp_path, wheels.Platform(None, "darwin", "arm64")) == {"app", "kqueue"}


def test_extras_that_nobody_asked_for_stay_out(tmp_path: Path) -> None:
    unpacked(tmp_path, "app", "pandas; extra == 'data'")
    assert wheels.closure(["app"], tmp_path, wheels.LAMBDA_ARM64) == {"app"}


def test_a_name_that_is_not_locked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="numpy"):
        wheels.closure(["numpy"], tmp_path, wheels.LAMBDA_ARM64)


def test_the_proxy_refuses_a_compiled_dependency_by_name(tmp_path: Path) -> None:
    unpacked(tmp_path, "pure", files=("pure/__init__.py",))
    bundle.refuse_compiled(tmp_path)
    unpacked(tmp_path, "fast", files=("fast/core.cpython-311-aarch64-linux-gnu.so",))
    with pytest.raises(CannotStart, match="fast has compiled extensions"):
        bundle.refuse_compiled(tmp_path)
