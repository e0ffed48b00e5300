"""Console and report in a real Chromium: no script error, no axe violation, no overflow; what moves is seen to move.

Screenshots are kept in `.local/screenshots/`. Debian's Chromium is driven (`apt-get install chromium`); without one,
these tests say NOT RUN.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from chalicelib.api.bodies import body_of
from chalicelib.api.fleets.views import show
from chalicelib.phases.write_handoff.report import report
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ctl.console.server import PAGE, Server
from tests.fakes import console_pages, finished_runs, fleet_pages
from tests.fakes.control_api import ControlApi, control_api

ROOT = Path(__file__).resolve().parents[3]
SCREENSHOTS = ROOT / ".local" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 20_000  # on a busy machine; nothing waits this long unless it fails
LOOKS = ((1280, "light"), (1280, "dark"), (390, "dark"), (390, "light"))
JUDGED = ((1280, "light"), (390, "dark"))  # axe takes seconds on a busy machine, and these hold both of either
# Color contrast is part of WCAG 2 AA; the rest is axe's own advice.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NOT RUN: console and report in a browser (no chromium here)")


@dataclass(frozen=True)
class Console:
    """A console that runs, before a control API with `console_pages`."""

    address: str
    api: ControlApi

    def open(self, page: Page, place: str) -> None:
        page.goto(f"{self.address}#/{place}")
        expect(page.locator("main h1")).to_be_visible(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Without a sandbox of its own it runs as root, and in a container, too.
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def listening() -> Iterator[Console]:
    with control_api() as api, Server(api.client, "t0ken") as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Console(server.address, api)
        server.shutdown()


@pytest.fixture
def console(listening: Console) -> Console:
    listening.api.requests.clear()
    listening.api.answers.clear()
    listening.api.pages.clear()
    listening.api.pages.update(console_pages.pages())
    return listening


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose script errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    opened, errors = context.new_page(), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert errors == []


def violations(page: Page) -> list[str]:
    """What axe finds: rule, and the first elements. The inside of a chart is drawing, not content."""
    results = Axe().run(page, {"exclude": [["svg > *"]]}, RULES).response["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes'][:3]]}" for rule in results]


def look_at(page: Page, name: str) -> list[str]:
    """Take a picture in each width and scheme; answers what is wrong there."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    wrong = []
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
        if (width, scheme) in JUDGED:
            wrong += [f"{name} at {width} in the {scheme}: {violation}" for violation in violations(page)]
        needs = page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{name} at {width} is {needs} wide"] if needs > width else []
    return wrong


PLACES = {
    "environments": "",
    "environment": "environments/prod",
    "costs": "environments/prod/costs",
    "incidents": "environments/prod/incidents",
    "incident": "environments/prod/incidents/d-3",
    "history": "environments/prod/history",
    "deployments": "deployments",
    "loading": "deployments/d-load",
    "shifting": "deployments/d-shift",
    "planned": "deployments/d-plan",
    "failed": "deployments/d-3",
    "rolled-back": "deployments/d-4",
    "compared": "compare/d-2/d-4",
    "fleets": "fleets",
    "fleet": "fleets/shops",
    "fleet-failed": "fleets/shops/f-failed",
    "fleet-waiting": "fleets/shops/f-waiting",
    "fleet-running": "fleets/shops/f-running",
}


@pytest.mark.parametrize("name", PLACES)
def test_no_page_of_the_console_has_an_axe_violation_or_overflows(name: str, console: Console, page: Page) -> None:
    console.open(page, PLACES[name])
    assert look_at(page, f"console-{name}") == []


@pytest.mark.parametrize("make", finished_runs.RUNS)
def test_no_report_has_an_axe_violation_or_overflows_on_screen_and_on_paper(make: Any, page: Page) -> None:
    run, curves = make()
    name = f"report-{make.__name__}"
    page.set_content(report(run, finished_runs.LINKS, curves))
    wrong = look_at(page, name)
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    page.emulate_media(media="print", color_scheme="dark")
    page.screenshot(path=SCREENSHOTS / f"{name}-print.png", full_page=True)
    needs = page.evaluate("document.documentElement.scrollWidth")
    wrong += [f"{name} is {needs} wide on paper of 794"] if needs > 794 else []
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (wrong, background) == ([], "rgb(255, 255, 255)"), "paper is white, even of a reader in the dark"


def test_a_planted_fault_is_seen_by_axe_and_by_the_measure_of_width(page: Page) -> None:
    """Without this, a broken axe would pass every page."""
    page.set_content(
        '<html lang="en"><title>x</title><main><h1>x</h1><p style="color:#ccc;width:2000px">pale</p></main>'
    )
    wrong = look_at(page, "planted")
    assert any("color-contrast" in each for each in wrong)
    assert any("wide" in each for each in wrong)


def stop_the_clock(page: Page) -> None:
    """From now on time passes in the page by `run_for` only; timers that are due within a minute fire once."""
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))


def test_the_load_curve_moves_within_two_seconds(console: Console, page: Page) -> None:
    """In the page's own time: the clock of the browser is moved, not waited for."""
    page.clock.install()
    console.open(page, "deployments/d-load")
    curve, load = page.locator("#load polyline").first, page.locator("#load")
    expect(load).to_contain_text("second 3")
    before = curve.get_attribute("points")
    console.api.pages["/deployments/d-load"] = console_pages.loading(4)
    stop_the_clock(page)
    expect(load).to_contain_text("second 4", timeout=PATIENCE_MS)
    expect(load).to_contain_text("30.0")
    assert curve.get_attribute("points") != before
    console.api.pages["/deployments/d-load"] = console_pages.loading(6)
    page.clock.run_for(2_000)
    expect(load).to_contain_text("second 6", timeout=PATIENCE_MS)
    expect(load.locator(".tile", has_text="errors").locator(".figure")).to_have_text("2")


def test_traffic_moves_with_its_weights_and_each_verdict_is_shown(console: Console, page: Page) -> None:
    page.clock.install()
    console.open(page, "deployments/d-shift")
    traffic = page.locator("#traffic")
    expect(traffic).to_contain_text("10 % on version 8, 90 % on version 7")
    console.api.pages["/deployments/d-shift"] = console_pages.shifting(50)
    stop_the_clock(page)
    expect(traffic).to_contain_text("50 % on version 8, 50 % on version 7", timeout=PATIENCE_MS)
    expect(traffic).to_contain_text("steps: 10 % → 50 %")
    expect(traffic.locator(".badge")).to_have_text("UNDECIDED")
    assert [rect.get_attribute("width") for rect in traffic.locator(".split rect").all()] == ["50", "50"]
    console.api.pages["/deployments/d-shift"] = console_pages.shifting(100)
    page.clock.run_for(2_000)
    expect(traffic).to_contain_text("100 % on version 8", timeout=PATIENCE_MS)


def test_what_is_open_and_half_typed_survives_a_redraw(console: Console, page: Page) -> None:
    page.clock.install()
    console.open(page, "deployments/d-load")
    page.get_by_text("Configuration and options").click()
    console.api.pages["/deployments/d-load"] = console_pages.loading(5)
    stop_the_clock(page)
    expect(page.locator("#load")).to_contain_text("second 5", timeout=PATIENCE_MS)
    assert page.locator("details", has_text="Configuration and options").get_attribute("open") is not None


def test_a_plan_and_a_configuration_are_shown_side_by_side(console: Console, page: Page) -> None:
    console.open(page, "deployments/d-plan")
    rows = page.locator("#settings tbody tr")
    assert [row.split() for row in rows.all_inner_texts()] == [
        ["memory_mb", "256", "512", "candidate"],
        ["throttle.rate_per_s", "50", "80", "users"],
        ["webhook", "–", '{"url":"https://example.org/<b>"}', "none"],
    ]
    console.open(page, "deployments/d-3")
    expect(page.locator("#settings thead")).to_contain_text("version 7")
    changed = [row.split() for row in page.locator("#settings tbody tr").all_inner_texts()]
    assert ["memory_mb", "256", "512"] in changed
    assert all(row[1] != row[2] for row in changed)


def test_two_deployments_are_compared_the_older_one_first(console: Console, page: Page) -> None:
    console.open(page, "deployments/d-4")
    page.get_by_label("Compare with").select_option("d-2")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main h1")).to_have_text("Two deployments")
    results = page.locator(".card", has=page.get_by_text("status", exact=True)).first
    expect(results).to_contain_text("SUCCEEDED")
    expect(results).to_contain_text("ROLLED_BACK")
    assert page.url.endswith("#/compare/d-2/d-4")


def test_an_environment_shows_its_secret_versions_and_dora_curves(console: Console, page: Page) -> None:
    console.open(page, "environments/prod")
    secret = [row.split() for row in page.locator("#secret tbody tr").all_inner_texts()]
    assert (secret[0][0], secret[0][-1], secret[1][0], secret[1][-2:]) == (
        "9e2b77aa",
        "d-2",
        "5c1d0e9a",
        ["d-1", "d-0"],
    )
    assert page.locator("#dora .tile").count() == 4
    changes = page.locator("#dora svg[aria-label^='good and failed'] rect")
    kinds = [rect.get_attribute("class") for rect in changes.all()]
    assert kinds == ["good-fill", "good-fill", "bad-fill", "good-fill", "good-fill", "bad-fill", "good-fill"]


def test_nights_are_a_calendar_of_good_and_bad(console: Console, page: Page) -> None:
    console.open(page, "")
    assert [page.locator(f".day.{kind}").count() for kind in ("good", "bad", "busy")] == [16, 1, 1]
    expect(page.locator(".day.bad")).to_have_attribute("title", "2026-11-22: 1 of 2 good")
    column = page.locator(".day.bad").evaluate("cell => cell.cellIndex")
    assert column == 6, "2026-11-22 is a Sunday"
    expect(page.get_by_text("failed: prod d-night-4")).to_be_visible()


def test_what_others_wrote_stays_text(console: Console, page: Page) -> None:
    console.open(page, "environments/prod")
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_deployment_starts_from_the_keyboard_once_with_its_key(console: Console, page: Page) -> None:
    console.open(page, "environments/prod")
    page.get_by_role("button", name="Deploy", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why (for the record)").fill("from the test")
    assert violations(page) == []
    console.api.pages["/deployments"] = {"id": "d-load"}
    dialog.get_by_role("button", name="Deploy").click()
    expect(page.locator("main h1")).to_have_text("deploy prod")
    posts = [request for request in console.api.requests if request.method == "POST"]
    assert [request.json for request in posts] == [
        {"environment": "prod", "action": "deploy", "options": {"reason": "from the test"}}
    ]
    assert posts[0].headers["idempotency-key"]


def test_an_environment_in_a_target_names_its_account_and_region(console: Console, page: Page) -> None:
    console.open(page, "")
    where = "222222222222 eu-west-1"
    expect(page.get_by_role("region", name="eu", exact=True)).to_contain_text(where)
    expect(page.get_by_role("region", name="prod", exact=True)).not_to_contain_text("where")
    console.open(page, "environments/eu")
    expect(page.get_by_role("region", name="Releases")).to_contain_text(where)


def test_a_fleets_waves_move_and_each_environment_leads_to_its_deployment(console: Console, page: Page) -> None:
    page.clock.install()
    console.open(page, "fleets")
    page.get_by_role("link", name="shops").click()
    page.get_by_role("link", name="f-running").click()
    second = page.get_by_role("region", name="Wave 2")
    expect(second.locator(".badge")).to_have_text(["RUNNING", "SUCCEEDED", "RUNNING", "RUNNING", "RUNNING"])
    expect(second.locator("tbody tr").first).to_contain_text("222222222222 eu-west-1")
    console.api.pages["/fleets/shops/deployments/f-running"] = body_of(show(fleet_pages.running(3)))
    stop_the_clock(page)
    expect(second.locator(".badge.good")).to_have_count(3, timeout=PATIENCE_MS)
    second.get_by_role("link", name="d-2").first.click()
    expect(page.locator("main h1")).to_have_text("deploy prod")


def test_a_wave_is_approved_and_a_fleet_aborted_with_what_was_rolled_taken_back(console: Console, page: Page) -> None:
    path = "/api/fleets/shops/deployments/f-waiting"
    for button, choice, confirm in (
        ("Approve", "", "Approve"),
        ("Abort", "Take back", "Abort it"),
        ("Abort", "", "Abort it"),
    ):
        console.open(page, "fleets/shops/f-waiting")
        page.get_by_role("button", name=button, exact=True).click()
        dialog = page.get_by_role("dialog")
        if choice:
            dialog.get_by_label(choice).check()
        dialog.get_by_role("button", name=confirm).click()
        expect(dialog).to_be_hidden()
    posts = [request.path for request in console.api.requests if request.method == "POST"]
    assert posts == [f"{path}/approve", f"{path}/abort?roll_back=true", f"{path}/abort"]


def test_the_report_of_a_fleet_leads_to_the_reports_of_its_deployments(console: Console, page: Page) -> None:
    console.api.pages["/deployments/d-3/report"] = b"<!doctype html><title>x</title><h1>Report of d-3</h1>"
    console.open(page, "fleets/shops/f-failed")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report").click()
    opened.value.get_by_role("link", name="d-3").click()
    expect(opened.value.locator("h1")).to_have_text("Report of d-3")


def test_an_environment_of_an_older_control_plane_has_no_versions_and_no_error(console: Console, page: Page) -> None:
    console.open(page, "environments/dev")
    assert page.locator("#secret").count() == 0


GOOD = "{action: 'deploy', outcome: 'SUCCEEDED', requested_at: '2026-01-01T00:00:00Z', at: '2026-01-01T00:03:00Z'}"
BAD = "{action: 'deploy', outcome: 'FAILED', requested_at: '2026-01-01T00:00:00Z', at: '2026-01-01T00:01:00Z'}"
SEEN = "{action: 'deploy', outcome: 'FAILED', at: '2026-01-01T00:01:00Z', users_saw_it: true}"
SAMPLE = {"second": 2, "rate": 30, "failed": 1, "p50": None, "p99": None}
WEEKS = [[None] * 6 + ["2026-11-29"], ["2026-11-30"] + [None] * 6]
NIGHTS = "[{asked: 2, good: 2}, {asked: 2, good: 1, busy: 1}, {asked: 2, good: 1, lost: 1}, {}, {error: {}}]"
FUNCTIONS: list[tuple[str, str, Any]] = [
    ("diff", "differences({a: 1, b: {c: [1]}}, {a: 1, b: {c: [2]}})", [{"path": "b.c", "before": [1], "after": [2]}]),
    ("diff", "differences({a: null}, {})", []),
    ("diff", "differences({a: 0}, {a: false})", [{"path": "a", "before": 0, "after": False}]),
    ("live", "extended([], null, {second: 2, sent: 60, failed: 1})", [SAMPLE]),
    ("live", "extended([], {second: 2, sent: 60}, {second: 2, sent: 90})", []),
    ("live", "extended([], {second: 9, sent: 60}, {second: 2, sent: 5})", []),
    ("charts", "parts([1, null, 2, 3])", [[[0, 1]], [[2, 2], [3, 3]]]),
    ("charts", "parts([])", []),
    ("nights", "weeks([])", []),
    (
        "nights",
        "weeks([{night: '2026-11-30'}, {night: '2026-11-29'}]).map((week) => week.map((day) => day?.date))",
        WEEKS,
    ),
    ("nights", f"{NIGHTS}.map(verdictOf)", ["good", "busy", "bad", "none", "bad"]),
    ("dora", f"leadTimes([{GOOD}, {BAD}])", [180]),
    ("dora", f"restorations([{GOOD}, {SEEN}])", [120]),
    ("dora", f"restorations([{GOOD}, {BAD}])", []),
    ("dora", f"byDay([{BAD}], 2, Date.parse('2026-01-01T23:59:59Z'))[1]", {"good": 0, "bad": 1}),
    ("dora", f"byDay([{BAD}], 2, Date.parse('2026-01-03T00:00:00Z'))[0]", {"good": 0, "bad": 0}),
    ("compare", "results({phases: [{name: 'load_test', evidence: {rps: 3}}]})['requests a second']", 3),
]


def test_the_functions_of_the_page_answer_what_they_say(console: Console, page: Page) -> None:
    console.open(page, "")
    for module, expression, answer in FUNCTIONS:
        program = (
            f"import('./{module}.js').then((module) => {{ const {{{names(module)}}} = module; return {expression}; }})"
        )
        assert page.evaluate(program) == answer, f"{module}: {expression}"


def names(module: str) -> str:
    """What the module exports."""
    lines = (PAGE / f"{module}.js").read_text().splitlines()
    exported = [line.split() for line in lines if line.startswith("export ")]
    return ", ".join(words[2].partition("(")[0] for words in exported if words[1] in ("function", "const"))


def test_the_page_is_small_and_needs_no_build() -> None:
    files = list(PAGE.iterdir())
    assert sum(path.stat().st_size for path in files) < 200_000
    assert {path.suffix for path in files} == {".js", ".css", ".html"}
