"""A tree's digest is the same wherever it is zipped; any change of a path, a mode or a byte is another digest."""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib

import pytest
from chalicelib.artifacts import archive

FILES = {"b.py": b"x = 1\n", "a/c.txt": b"text", "run": b"#!/bin/sh\n"}


def test_neither_order_nor_time_changes_the_bytes() -> None:
    backwards = dict(reversed(FILES.items()))
    assert archive.pack(FILES) == archive.pack(backwards)
    times = {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(archive.pack(FILES))).infolist()}
    assert times == {(1980, 1, 1, 0, 0, 0)}


def test_a_zip_holds_the_tree() -> None:
    assert archive.unpack(archive.pack(FILES, frozenset({"run"}))) == (FILES, frozenset({"run"}))


def test_only_what_must_run_is_executable() -> None:
    opened = zipfile.ZipFile(io.BytesIO(archive.pack(FILES, frozenset({"run"}))))
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in opened.infolist()}
    assert modes == {"a/c.txt": 0o644, "b.py": 0o644, "run": 0o755}


def test_another_zlib_gives_other_bytes_and_the_same_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """zlib-ng and zlib differ at the same level; here another level stands for another library."""
    files = {"m.py": b"".join(b"value_%d = %d\n" % (number, number * number) for number in range(500))}
    here = archive.pack(files)
    compressobj = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda _level=6, *rest: compressobj(1, *rest))
    there = archive.pack(files)
    assert here != there
    trees = [archive.tree_digest(*archive.unpack(content)) for content in (here, there)]
    assert trees == [archive.tree_digest(files)] * 2


def test_any_change_of_path_mode_or_bytes_changes_the_digest() -> None:
    """Also where the concatenation of all paths and contents stays the same."""
    trees = [
        (FILES, frozenset[str]()),
        (FILES, frozenset({"run"})),
        (FILES, frozenset({"b.py"})),
        ({**FILES, "b.py": b"x = 2\n"}, frozenset[str]()),
        ({**FILES, "b.py": b"x = 1"}, frozenset[str]()),
        ({**FILES, "d.py": b""}, frozenset[str]()),
        ({name: content for name, content in FILES.items() if name != "run"}, frozenset[str]()),
        ({}, frozenset[str]()),
        ({"a": b"", "b": b"x"}, frozenset[str]()),
        ({"a": b"x", "b": b""}, frozenset[str]()),
        ({"a": b"b"}, frozenset[str]()),
        ({"ab": b""}, frozenset[str]()),
        ({"a": b"", "b": b""}, frozenset[str]()),
    ]
    digests = [archive.tree_digest(files, executable) for files, executable in trees]
    assert all(left != right for left, right in itertools.combinations(digests, 2))


def test_order_does_not_change_the_digest() -> None:
    assert archive.tree_digest(dict(reversed(FILES.items()))) == archive.tree_digest(FILES)


def test_folders_of_a_zip_are_no_files() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("a/", b"")
        opened.writestr("a/b.py", b"x")
    assert archive.unpack(out.getvalue()) == ({"a/b.py": b"x"}, archive.NOTHING)


@pytest.mark.parametrize("name", ["ü/name.py", "empty", "a b"])
def test_any_path_survives(name: str) -> None:
    files = {name: b""}
    assert archive.unpack(archive.pack(files)) == (files, archive.NOTHING)
