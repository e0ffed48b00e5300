"""A look reads each fact from AWS once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from chalicelib.engine.cached_reads import cache_reads
from chalicelib.ports import Aws

from tests.fakes import FakeAws


class Stacks:
    """Counts what is calls for."""

    region = "eu-central-1"

    def __init__(self) -> None:
        self.calls: list[object] = []

    def find(self, name: str, *, deep: bool = False) -> str:
        self.calls.append((name, deep))
        return f"{name} {deep}"

    def list(self, names: Sequence[str]) -> Iterator[str]:
        self.calls.append(names)
        yield from names


class Ports:
    def __init__(self) -> None:
        self.stacks = Stacks()
        self.settings = FakeAws().settings


def ports() -> tuple[Ports, Any]:
    counted = Ports()
    return counted, cast(Any, cache_reads(cast(Aws, counted)))


def test_the_same_call_is_made_once_and_another_argument_is_another_call() -> None:
    counted, cached = ports()
    answers = [cached.stacks.find("a"), cached.stacks.find("a"), cached.stacks.find("a", deep=True)]
    assert answers == ["a False", "a False", "a True"]
    assert counted.stacks.calls == [("a", False), ("a", True)]


def test_what_can_be_read_once_only_is_answered_twice() -> None:
    counted, cached = ports()
    assert [list(cached.stacks.list(["a", "b"])), list(cached.stacks.list(["a", "b"]))] == [["a", "b"], ["a", "b"]]
    assert counted.stacks.calls == [["a", "b"]]


def test_settings_and_plain_attributes_pass_unchanged() -> None:
    counted, cached = ports()
    assert cached.settings is counted.settings
    assert cached.stacks.region == "eu-central-1"


def test_another_look_reads_again() -> None:
    counted, cached = ports()
    cached.stacks.find("a")
    cast(Any, cache_reads(cast(Aws, counted))).stacks.find("a")
    assert len(counted.stacks.calls) == 2
