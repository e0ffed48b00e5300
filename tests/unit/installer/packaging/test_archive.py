"""Which files of a folder are packaged."""

from __future__ import annotations

from pathlib import Path

from installer.packaging import archive


def test_build_leftovers_and_type_stubs_stay_out(tmp_path: Path) -> None:
    for name in ("m.py", "m.pyi", "py.typed", "__pycache__/m.cpython-311.pyc", "x.dist-info/RECORD", "sub/n.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert set(archive.collect(tmp_path)) == {"m.py", "py.typed", "sub/n.py"}
    with_bytecode = {"m.py", "py.typed", "sub/n.py", "__pycache__/m.cpython-311.pyc"}
    assert set(archive.collect(tmp_path, bytecode=True)) == with_bytecode
