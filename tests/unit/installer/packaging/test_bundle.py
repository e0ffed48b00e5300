"""The bundle's key depends on the proxy's files only, so that another machine's `up` of one commit changes nothing."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from installer.packaging import bundle


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a proxy that needs no dependency."""
    proxy = tmp_path / "checkout" / "proxy"
    proxy.mkdir(parents=True)
    (proxy / "template.yaml").write_text("Resources: {}\n" * 50)
    (proxy / "bootstrap").write_text("#!/bin/sh\n")
    (proxy / "core.py").write_text("".join(f"VALUE_{number} = {number * number}\n" for number in range(500)))
    (proxy / "README.md").write_text("not for Lambda")
    (proxy / "requirements.in").write_text("nothing")
    return proxy.parent


def test_another_zlib_gives_the_same_key(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = bundle.build(root, tmp_path / "cache")
    compressobj = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda _level=6, *rest: compressobj(1, *rest))
    there = bundle.build(root, tmp_path / "cache")
    assert here.content != there.content
    assert here.key == there.key


@pytest.mark.parametrize("name", ["core.py", "bootstrap", "template.yaml"])
def test_a_changed_byte_gives_another_key(root: Path, tmp_path: Path, name: str) -> None:
    before = bundle.build(root, tmp_path / "cache").key
    path = root / "proxy" / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert bundle.build(root, tmp_path / "cache").key != before


@pytest.mark.parametrize("name", ["README.md", "requirements.in"])
def test_what_no_lambda_reads_does_not_change_the_key(root: Path, tmp_path: Path, name: str) -> None:
    before = bundle.build(root, tmp_path / "cache").key
    (root / "proxy" / name).write_text("changed")
    assert bundle.build(root, tmp_path / "cache").key == before


def test_the_key_is_one_that_the_control_plane_accepts(root: Path, tmp_path: Path) -> None:
    prefix, _, name = bundle.build(root, tmp_path / "cache").key.partition("/")
    assert (prefix, len(name), name[-4:]) == ("bundles", 64 + 4, ".zip")
