"""Each fault of the mutation table is seen by its judge, and the checkout as it is has no open finding."""

from __future__ import annotations

import pytest

from judges import documents, exceptions, node_tools
from judges.__main__ import BY_SOURCES
from judges.documents import Sources
from tests.judges.plants import FAULTS, planted


@pytest.fixture(scope="module")
def sources() -> Sources:
    return documents.read()


def open_findings(judge: str, sources: Sources) -> list[str]:
    try:
        findings = BY_SOURCES[judge](sources)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))
    return exceptions.judge(findings, exceptions.load(judge)).open


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(name: str, sources: Sources) -> None:
    fault = FAULTS[name]
    findings = open_findings(fault.judge, planted(sources, fault))
    assert any(fault.says in text for text in findings), findings


@pytest.mark.parametrize("judge", BY_SOURCES)
def test_the_checkout_as_it_is_has_nothing_open(judge: str, sources: Sources) -> None:
    assert open_findings(judge, sources) == []
