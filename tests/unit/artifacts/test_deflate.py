"""Facts about packing: any zlib reads it, nothing of the machine is in it."""

from __future__ import annotations

import io
import random
import zipfile
import zlib

import pytest
from chalicelib.artifacts.deflate import deflate
from chalicelib.artifacts.zips import pack

SEED = random.Random(7)
CASES = {
    "nothing": b"",
    "one byte": b"x",
    "three bytes": b"abc",
    "a long run": b"a" * 10_000,
    "all bytes": bytes(range(256)) * 3,
    "noise": SEED.randbytes(5_000),
    "text": b"the same line again and again\n" * 500,
    "a match across the whole window": SEED.randbytes(32_768) * 2,
    "a match just out of the window": SEED.randbytes(32_800) * 2,
    "every length of match": b"".join(SEED.randbytes(4) + bytes([1]) * n + bytes([2]) for n in range(1, 300)),
}


@pytest.mark.parametrize("name", CASES)
def test_zlib_reads_what_was_packed(name: str) -> None:
    assert zlib.decompress(deflate(CASES[name]), -15) == CASES[name]


def test_the_bytes_are_pinned() -> None:
    """A change of these bytes changes every artifact's digest: raise artifact.RULES with it."""
    assert deflate(b"banana banana banana").hex() == "4b4acc4bcc4b5440a100"


def test_repetition_is_packed_away() -> None:
    assert len(deflate(CASES["text"])) < len(CASES["text"]) // 50


def test_a_zip_holds_files_modes_and_a_fixed_time_whatever_the_order() -> None:
    files = {"b.txt": b"b" * 100, "a/run": b"#!/bin/sh\n", "empty": b"", "ü": b"name"}
    made = pack(files, frozenset({"a/run"}))
    assert made == pack(dict(reversed(files.items())), frozenset({"a/run"}))
    opened = zipfile.ZipFile(io.BytesIO(made))
    assert opened.testzip() is None
    assert {name: opened.read(name) for name in opened.namelist()} == files
    assert opened.namelist() == sorted(files)
    assert opened.getinfo("a/run").external_attr >> 16 == 0o100755
    assert opened.getinfo("b.txt").external_attr >> 16 == 0o100644
    assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
