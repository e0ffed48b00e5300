"""Lambdas import bytecode that needs no check of its source and names no path of the machine that compiled it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from installer.errors import CommandFailed
from installer.packaging import archive, bytecode


def test_bytecode_is_unchecked_hash_based_and_names_no_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n")
    bytecode.compile_tree(tmp_path)
    (pyc,) = [content for name, content in archive.collect(tmp_path, bytecode=True).items() if name.endswith(".pyc")]
    assert struct.unpack("<I", pyc[4:8])[0] == 0b01  # PEP 552: hash-based, source not checked
    assert str(tmp_path).encode() not in pyc
    assert b"/var/task/m.py" in pyc


def test_bytecode_is_the_same_wherever_and_whenever_it_is_compiled(tmp_path: Path) -> None:
    archives = set()
    for place, stamp in (("one", 1_000_000_000), ("two", 1_500_000_000)):
        folder = tmp_path / place
        folder.mkdir()
        (folder / "m.py").write_text("VALUE = {'a', 'b', 'c'}\n")
        os.utime(folder / "m.py", (stamp, stamp))
        bytecode.compile_tree(folder)
        archives.add(archive.pack(archive.collect(folder, bytecode=True)))
    assert len(archives) == 1


def test_compiled_modules_import_without_a_check_of_their_time(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text("VALUE = 1\n")
    bytecode.compile_tree(tmp_path)
    module.write_text("VALUE = 2\n")  # unchecked: the bytecode wins, which proves that it is used
    done = subprocess.run(
        [sys.executable, "-c", "import m; print(m.VALUE)"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(CommandFailed, match=r"broken\.py"):
        bytecode.compile_tree(tmp_path)


def test_bytecode_belongs_to_its_module() -> None:
    assert bytecode.source_of("a/__pycache__/b.cpython-311.pyc") == "a/b.py"
    assert bytecode.source_of("a/b.py") == "a/b.py"


def test_a_tree_without_bytecode_is_its_sources() -> None:
    files = {"b.py": b"x", "__pycache__/b.cpython-311.pyc": b"y", "data.pycx": b"z"}
    assert set(bytecode.without(files)) == {"b.py", "data.pycx"}
