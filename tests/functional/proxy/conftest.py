"""What the proxy's functional tests share: one artifact-like folder, and one llmock a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llmock.testing import LLMockServer

from tests.functional.proxy import artifact


@pytest.fixture(scope="session")
def artifact_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact, built once."""
    return artifact.build(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def openai_standin() -> Iterator[LLMockServer]:
    """llmock, running; a test resets what it scripts."""
    with LLMockServer() as server:
        yield server
