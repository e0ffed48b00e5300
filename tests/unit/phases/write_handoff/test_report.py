"""The report says how a deployment ended and why first, and shows what was changed, checked, measured and moved."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from chalicelib.domain.codec import encode
from chalicelib.domain.evidence.checks import EndpointsEvidence
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.model import Action, FinishedRun
from chalicelib.load.curves import Curves, key
from chalicelib.phases.write_handoff.publish import publish_finished
from chalicelib.phases.write_handoff.report import report

from tests.fakes import FakeAws
from tests.fakes.finished_runs import LINKS, RUNS, refused, rolled, taken_back

ROOT = Path(__file__).resolve().parents[4]
VOID = ("meta", "!doctype")


def page_of(run: FinishedRun, curves: Curves | None) -> str:
    return report(run, LINKS, curves)


def section(page: str, title: str) -> str:
    """The markup of a section; "" when the page lacks it."""
    match = re.search(rf"<section><h2>{re.escape(title)}</h2>.*?</section>", page, re.DOTALL)
    return match[0] if match else ""


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def charts(page: str) -> dict[str, str]:
    """Each chart by its label for screen readers."""
    result = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return {str(fromstring(svg).get("aria-label")): svg for svg in result}


class Balanced(HTMLParser):
    """Fails at a closing tag that closes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """An element of SVG without content."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", RUNS)
def test_every_page_is_whole_self_contained_and_the_same_each_time(make: Any) -> None:
    page = page_of(*make())
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert page == page_of(*make())
    assert not re.search(r"<script|<link|<img|@import|url\(|\son\w+=|javascript:", page)
    outside = set(re.findall(r"https?://[^\s'\"<]+", page)) - set(LINKS.values())
    assert outside <= {"http://www.w3.org/2000/svg"}, "a namespace, not an address"
    assert not re.search(r"pygal|Kozea|Generated", page)


def test_the_verdict_and_why_come_first_then_who_wanted_it_and_who_agreed() -> None:
    header = text_of(page_of(*taken_back()).partition("<header>")[2].partition("</header>")[0])
    order = [
        "Deploy prod",
        "ROLLED BACK",
        "Deploy failed in shift_traffic: version 8 is worse than live",
        "CanaryWorse",
        "Look at the function",
        "Larger memory",
        "2026-11-26 09:29:58 UTC by arn:aws:sts::123456789012:assumed-role",
        "owners/grace, 2026-11-26 09:31:10 UTC",
        "after 2 min 37 s",
        "back on version 7, healthy",
    ]
    places = [header.index(words) for words in order]
    assert places == sorted(places)


def test_text_of_others_is_escaped() -> None:
    page = page_of(*refused())
    assert "last week&#x27;s &lt;b&gt;" in page
    assert "&lt;refused&gt;" in page
    assert "<refused>" not in page


def test_what_changed_is_code_settings_field_by_field_secret_and_stack_and_nothing_else() -> None:
    run, _ = refused()
    rows = re.findall(r"<tr><td.*?</tr>", section(page_of(run, None), "What changed"), re.DOTALL)
    assert [text_of(row).split() for row in rows] == [
        ["code", "(SHA-256)", "1f1f1f1f1f1f", "abababababab"],
        ["function", "version", "7", "8"],
        ["config.alarms.error_rate", "0.01", "0.02"],
        ["config.memory_mb", "256", "512"],
        ["config.throttle.burst", "100", "160"],
        ["config.throttle.rate_per_s", "50", "80"],
        ["secret", "version", "5c1d0e9a-old", "9e2b77aa-new"],
        ["stack:", "Api", "(AWS::ApiGateway::RestApi)", "–", "modify"],
        ["stack:", "Deployment2", "(AWS::ApiGateway::Deployment)", "–", "add"],
    ]


def test_a_first_deploy_is_compared_with_the_defaults() -> None:
    run, _ = refused()
    first = replace(run, environment=replace(run.environment, last_good=None, live=None))
    changed = text_of(section(page_of(first, None), "What changed"))
    assert "There was no good release yet" in changed
    assert "config.memory_mb" not in changed, "512 is the default"
    assert "config.throttle.rate_per_s 50 80" in changed


def test_a_good_run_draws_every_picture() -> None:
    run, curves = rolled()
    drawn = charts(page_of(run, curves))
    assert set(drawn) == {
        "Latency by percentile", "Distribution of latency", "Requests over time", "Latency over time",
        "errors: odds by requests", "total_p50: odds by requests", "total_p99: odds by requests",
        "Users' share on the new version", "Duration of each cold start", "Duration and price by memory size",
        "When each phase ran",
    }  # fmt: skip
    for svg in drawn.values():
        assert not re.search(r"<(script|style|defs|title|desc)|\bid=", svg)


def test_errors_are_stacked_by_kind_from_the_second_in_which_they_began() -> None:
    run, curves = taken_back()
    assert not any(window.failed for window in curves.candidate.windows[:12])
    errors = charts(page_of(run, curves))["Requests over time"]
    assert curves.live is not None
    assert not any(window.failed for window in curves.live.windows)
    page = page_of(run, replace(curves, live=None))
    errors = charts(page)["Requests over time"]
    drawn = {str(group.get("class")).split()[-1]: group for group in fromstring(errors).iter() if group.get("class")}
    assert {"good-fill", "error-0", "error-1", "error-2"} <= set(drawn)
    for kind in ("http_500", "http_502", "timeout"):
        assert f">{kind}</li>" in page


def test_the_moment_of_decision_is_drawn_only_where_the_test_decided() -> None:
    drawn = charts(page_of(*taken_back()))
    assert "decision" in drawn["errors: odds by requests"]
    assert "decision" not in drawn["total_p50: odds by requests"]
    assert "decided after" in section(page_of(*taken_back()), "Candidate beside live")
    assert "decision" not in "".join(charts(page_of(*rolled())).values())


def test_every_check_shows_what_was_expected_and_what_came_failures_first() -> None:
    checks = text_of(section(page_of(*refused()), "Checks"))
    assert (
        checks.index("chat ✕ FAILED status is 200") < checks.index("cors ~ NOT RUN") < checks.index("health ✓ PASSED")
    )
    assert "502" in checks
    assert "request req-42" in checks
    assert checks.count("json.object is chat.completion") == 4
    assert "cors_origins is not set" in checks


def test_a_record_of_an_earlier_version_without_expectations_is_shown() -> None:
    run, _ = refused()
    old = [
        replace(phase, evidence={"checks": [{"name": "chat", "verdict": "FAILED", "reason": "r", "expected": ["e"]}]})
        for phase in run.phases
        if phase.name == EndpointsEvidence.PHASE
    ]
    checks = text_of(section(page_of(replace(run, phases=tuple(old)), None), "Checks"))
    assert "chat ✕ FAILED e r" in checks


def test_a_run_that_failed_at_once_has_a_page_without_empty_sections() -> None:
    run, _ = refused()
    page = page_of(replace(run, phases=()), None)
    assert re.findall("<h2>(.*?)</h2>", page) == ["What changed", "Links"]
    cleanup = replace(run, phases=(), deployment=replace(run.deployment, action=Action.CLEANUP))
    assert re.findall("<h2>(.*?)</h2>", page_of(cleanup, None)) == ["Links"]


@pytest.mark.parametrize(
    "evidence",
    [{}, {"slos": []}, {"cold_starts_ms": []}, {"tuning": {"sizes": []}}, {"due": 1, "errors": {}}],
)
def test_a_load_test_that_measured_little_is_no_obstacle(evidence: dict[str, object]) -> None:
    run, _ = rolled()
    phases = tuple(
        replace(phase, evidence=evidence) for phase in run.phases if phase.name == LoadEvidence.PHASE
    )  # fmt: skip
    for curves in (None, Curves()):
        assert "Deploy prod" in page_of(replace(run, phases=phases), curves)


def test_the_curves_come_from_the_bucket_and_a_report_without_them_is_still_written() -> None:
    run, curves = rolled()
    aws = FakeAws()
    keys = publish_finished(run, aws.as_aws())
    assert "Latency by percentile" not in aws.artifacts.get(keys["report.html"]).decode()
    aws.artifacts.put(key("d-2"), json.dumps(encode(curves)).encode(), content_type="application/json")
    publish_finished(run, aws.as_aws())
    assert "Latency by percentile" in aws.artifacts.get(keys["report.html"]).decode()


def test_only_the_function_that_ends_a_deployment_carries_and_imports_the_plotting_library() -> None:
    sources = (ROOT / "controlplane").rglob("*.py")
    importers = [path.name for path in sources if re.search(r"^\s*(import|from) pygal", path.read_text(), re.MULTILINE)]
    assert importers == ["charts.py"]
    carried = json.loads((ROOT / "controlplane" / "dependencies.json").read_text())
    assert [name for name, packages in carried.items() if "pygal" in packages] == ["RecordOutcome"]
    rooms = [path.parent.name for path in (ROOT / "controlplane/chalicelib/phases").glob("*/run.py")]
    loaded = "".join(f"import chalicelib.phases.{room}.run\n" for room in rooms)
    program = f"import sys\nsys.path[:0] = ['.', 'controlplane']\n{loaded}import app\nassert 'pygal' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)
