"""The handoff names where everything is, and shows text of other systems as text."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.engine.phase import Request
from chalicelib.phases.write_handoff import run as write_handoff

from tests.fakes import FakeAws, settings
from tests.fakes.requests import request

STACK = {"deploy_stack": {"api_url": "https://api/live", "base_url": "https://api/live/v1"}}


def world(**given: Any) -> FakeAws:
    aws = FakeAws(**given)
    aws.records.put_phase(
        "d-new",
        PhaseRecord(
            9,
            "load_test",
            PhaseStatus.SUCCEEDED,
            "2026-01-02T00:00:00+00:00",
            "2026-01-02T00:00:05+00:00",
            "p99 <b>12</b> ms | fine",
            {"response_ms": {"p50": 3.0, "p99": 12.0}, "split_ms": {"proxy": {"p50": 0.2}}},
        ),
    )
    return aws


def asked(**other: Any) -> Request:
    return request(**{"results": STACK} | other)


def test_both_documents_are_kept_and_named() -> None:
    aws = world()
    result = write_handoff.run(asked(), aws.as_aws())
    assert set(aws.artifacts.objects) == {"reports/d-new/handoff.md", "reports/d-new/report.html"}
    assert result.evidence["report.html"] == "reports/d-new/report.html"
    assert result.evidence["links"]["base_url"] == "https://api/live/v1"


def test_the_handoff_tells_how_to_use_and_how_to_remove_it() -> None:
    aws = world()
    write_handoff.run(asked(), aws.as_aws())
    text = aws.artifacts.get("reports/d-new/handoff.md").decode()
    assert 'base_url="https://api/live/v1"' in text
    assert "aws cloudformation delete-stack --region eu-central-1 --stack-name proxyctl-env-dev" in text
    assert "p99 <b>12</b> ms \\| fine" in text


def test_the_report_escapes_what_others_wrote_and_draws_the_plots() -> None:
    aws = world()
    write_handoff.run(asked(), aws.as_aws())
    page = aws.artifacts.get("reports/d-new/report.html").decode()
    assert "&lt;b&gt;12&lt;/b&gt;" in page
    assert "<b>12" not in page
    assert page.count("<svg") == 2
    assert "due to last byte, p99" in page
    assert "proxy, p50" in page
    assert "<script" not in page


def test_an_account_gets_console_links_and_the_embedded_cloud_none() -> None:
    there = write_handoff.run(asked(), world().as_aws()).evidence["links"]
    assert there["dashboard"].startswith("https://eu-central-1.console.aws.amazon.com/cloudwatch/")
    here = world(settings=settings(endpoint_url="http://127.0.0.1:4566"))
    assert set(write_handoff.run(asked(), here.as_aws()).evidence["links"]) == {"api", "base_url"}


def test_without_an_address_there_is_nothing_to_hand_over() -> None:
    with pytest.raises(PhaseFailed) as failed:
        write_handoff.run(asked(results={}), world().as_aws())
    assert failed.value.code == "NoAddress"


def test_the_same_release_is_not_written_twice_and_another_one_is() -> None:
    aws = world().as_aws()
    again = {**STACK, "release_code": {"version": "2"}}
    assert write_handoff.fingerprint(asked(), aws) == write_handoff.fingerprint(asked(), aws)
    assert write_handoff.fingerprint(asked(), aws) != write_handoff.fingerprint(asked(results=again), aws)
