"""The handoff names where everything is, and shows text of other systems as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.engine.phase import Request, Results
from chalicelib.phases.write_handoff import run as write_handoff

from tests.fakes import FakeAws, settings
from tests.fakes.requests import request, results
from tests.unit.domain.test_targets import BLOCK

STACK = StackEvidence(api_url="https://api/live", base_url="https://api/live/v1")


def world(**other: Any) -> FakeAws:
    aws = FakeAws(**other)
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


def handing_over(**other: Any) -> Request:
    return request(**{"results": results(STACK)} | other)


def written(aws: FakeAws) -> HandoffEvidence:
    evidence = write_handoff.run(handing_over(), aws.as_aws()).evidence
    assert evidence is not None
    return evidence


def test_the_handoff_is_stored_and_named_and_the_report_waits_for_the_end() -> None:
    aws = world()
    evidence = written(aws)
    assert set(aws.artifacts.objects) == {"reports/d-new/handoff.md"}
    assert (evidence.report_html, evidence.handoff_md) == ("", "reports/d-new/handoff.md")
    assert evidence.links["base_url"] == "https://api/live/v1"
    assert evidence.bytes == {"handoff.md": len(aws.artifacts.get("reports/d-new/handoff.md"))}


def test_the_record_names_the_document_as_the_api_reads_it() -> None:
    record = encode(written(world()))
    assert set(record) == {"links", "bytes", "report.html", "handoff.md"}
    assert Results({"write_handoff": record}).of(HandoffEvidence).handoff_md == record["handoff.md"]


def test_the_handoff_says_how_to_use_and_how_to_remove_it() -> None:
    aws = world()
    write_handoff.run(handing_over(), aws.as_aws())
    text = aws.artifacts.get("reports/d-new/handoff.md").decode()
    assert 'base_url="https://api/live/v1"' in text
    assert "aws cloudformation delete-stack --region eu-central-1 --stack-name proxyctl-env-dev" in text
    assert "p99 <b>12</b> ms \\| fine" in text


def test_an_environment_in_a_target_is_removed_with_credentials_of_its_account() -> None:
    """The same commands at home would remove an environment of the same name there."""
    aws = world(settings=settings().at(Target(**BLOCK)))
    write_handoff.run(handing_over(), aws.as_aws())
    text = aws.artifacts.get("reports/d-new/handoff.md").decode()
    assert "in account 222222222222, region eu-west-1.\n" in text
    assert "By hand, if the control plane is gone, with credentials of account 222222222222:" in text
    assert "aws cloudformation delete-stack --region eu-west-1 " in text


def test_an_account_gets_console_links_and_the_embedded_cloud_none() -> None:
    links = written(world()).links
    assert links["dashboard"].startswith("https://eu-central-1.console.aws.amazon.com/cloudwatch/")
    embedded = world(settings=settings(endpoint_url="http://127.0.0.1:4566"))
    assert set(written(embedded).links) == {"api", "base_url"}


@pytest.mark.parametrize(
    ("recorded", "missing"),
    [
        (Results(), "api_url"),
        (results(replace(STACK, api_url="")), "api_url"),
        (results(replace(STACK, base_url="")), "base_url"),
    ],
)
def test_without_an_address_there_is_nothing_to_hand_over(recorded: Results, missing: str) -> None:
    with pytest.raises(PhaseFailed, match=f"recorded no {missing}") as failed:
        write_handoff.run(handing_over(results=recorded), world().as_aws())
    assert failed.value.code == "NoAddress"


def test_a_document_that_reads_back_otherwise_fails() -> None:
    aws = world()
    aws.artifacts.get = lambda key: b"other"  # type: ignore[method-assign]
    with pytest.raises(PhaseFailed) as failed:
        write_handoff.run(handing_over(), aws.as_aws())
    assert failed.value.code == "ReportDamaged"


def test_the_same_release_is_not_written_twice_and_another_one_is() -> None:
    aws = world().as_aws()
    other = results(STACK, ReleaseEvidence(version="2"))
    assert write_handoff.fingerprint(handing_over(), aws) == write_handoff.fingerprint(handing_over(), aws)
    assert write_handoff.fingerprint(handing_over(), aws) != write_handoff.fingerprint(handing_over(results=other), aws)


def handed_over(config: Config) -> str:
    aws = world()
    write_handoff.run(handing_over(config=config), aws.as_aws())
    return aws.artifacts.get("reports/d-new/handoff.md").decode()


def test_the_handoff_of_an_environment_that_buffers_says_that_answers_end_after_29_s() -> None:
    text = handed_over(Config(response_mode="buffered"))
    assert "29 s: this environment buffers" in text
    assert "`response_mode: stream`, which allows 900 s" in text
    assert "29 s: this environment buffers" in handed_over(Config(response_mode="buffered", timeout_s=60))
    assert "\n10 s: this environment buffers" in handed_over(Config(response_mode="buffered", timeout_s=10))


def test_the_handoff_of_an_environment_that_streams_says_its_15_minutes() -> None:
    text = handed_over(Config(response_mode="stream"))
    assert "900 s (`timeout_s`), streamed or not" in text
    assert "buffers" not in text.partition("## How long an answer may take")[2].partition("##")[0]
    assert "300 s (`timeout_s`)" in handed_over(Config(response_mode="stream", timeout_s=300))


@pytest.mark.parametrize(("status", "says"), [(PhaseStatus.SUCCEEDED, True), (PhaseStatus.SKIPPED, False)])
def test_the_handoff_says_that_the_address_changed_only_of_the_deployment_that_changed_it(
    status: PhaseStatus, says: bool
) -> None:
    aws = world()
    moved = replace(STACK, address_before="https://old/live/v1")
    aws.records.put_phase("d-new", PhaseRecord(4, "deploy_stack", status, evidence=encode(moved)))
    write_handoff.run(handing_over(results=results(moved)), aws.as_aws())
    text = aws.artifacts.get("reports/d-new/handoff.md").decode()
    assert ("**The address changed.** Before this deployment it was <https://old/live/v1>" in text) == says
