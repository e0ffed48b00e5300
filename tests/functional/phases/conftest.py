"""One llmock for all tests of this folder: faults are aimed at models that one check names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from llmock.testing import LLMockServer


@pytest.fixture(scope="session")
def standin() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        yield server
