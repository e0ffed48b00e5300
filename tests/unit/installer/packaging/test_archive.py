"""The same sources give the same bytes."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from installer.errors import CommandFailed
from installer.packaging import archive

FILES = {"b.py": b"x = 1\n", "a/c.txt": b"text", "run": b"#!/bin/sh\n"}


def test_neither_order_nor_time_changes_the_bytes() -> None:
    backwards = dict(reversed(FILES.items()))
    assert archive.build(FILES) == archive.build(backwards)


def test_only_what_must_run_is_executable() -> None:
    packed = zipfile.ZipFile(io.BytesIO(archive.build(FILES, frozenset({"run"}))))
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in packed.infolist()}
    assert modes == {"a/c.txt": 0o644, "b.py": 0o644, "run": 0o755}


def test_build_leftovers_and_type_stubs_stay_out(tmp_path: Path) -> None:
    for name in ("m.py", "m.pyi", "py.typed", "__pycache__/m.cpython-311.pyc", "x.dist-info/RECORD", "sub/n.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert set(archive.collect(tmp_path)) == {"m.py", "py.typed", "sub/n.py"}


def test_bytecode_is_unchecked_hash_based_and_names_no_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n")
    archive.compile_tree(tmp_path)
    (pyc,) = [content for name, content in archive.collect(tmp_path, bytecode=True).items() if name.endswith(".pyc")]
    assert struct.unpack("<I", pyc[4:8])[0] == 0b01  # PEP 552: hash-based, source not checked
    assert str(tmp_path).encode() not in pyc
    assert b"/var/task/m.py" in pyc


def test_bytecode_is_the_same_wherever_and_whenever_it_is_compiled(tmp_path: Path) -> None:
    seen = set()
    for place, stamp in (("one", 1_000_000_000), ("two", 1_500_000_000)):
        folder = tmp_path / place
        folder.mkdir()
        (folder / "m.py").write_text("VALUE = {'a', 'b', 'c'}\n")
        os.utime(folder / "m.py", (stamp, stamp))
        archive.compile_tree(folder)
        seen.add(archive.build(archive.collect(folder, bytecode=True)))
    assert len(seen) == 1


def test_compiled_modules_import_without_their_time_being_looked_at(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text("VALUE = 1\n")
    archive.compile_tree(tmp_path)
    module.write_text("VALUE = 2\n")  # unchecked: the bytecode wins, which proves that it is used
    done = subprocess.run(
        [sys.executable, "-c", "import m; print(m.VALUE)"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(CommandFailed, match=r"broken\.py"):
        archive.compile_tree(tmp_path)


def test_bytecode_belongs_to_its_module() -> None:
    assert archive.source_of("a/__pycache__/b.cpython-311.pyc") == "a/b.py"
    assert archive.source_of("a/b.py") == "a/b.py"


def test_a_changed_name_or_content_changes_the_tree_digest() -> None:
    base = archive.tree_digest({"a": b"1"})
    assert len({base, archive.tree_digest({"b": b"1"}), archive.tree_digest({"a": b"2"}), archive.tree_digest({})}) == 4
