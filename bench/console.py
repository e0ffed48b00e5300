"""`python -m bench console`: how long a browser needs from opening the console until it has painted something.

Chromium loads the page from the console's own server, which stands before a control API with recorded pages. First
contentful paint is the browser's own figure (Paint Timing); "content" is when the heading of the page is there, which
needs answers of the control API, here with `API_S` for each. Each round is a new browser context: nothing is cached.
"""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from bench.figures import Bound, Report, say
from bench.running import run
from ctl.console.server import PAGE, Server
from tests.fakes import console_pages
from tests.fakes.control_api import ControlApi, control_api

ROUNDS = 9
PAINT_MS = 1_000.0
API_S = 0.1  # of an answer of the control API in an account
_PATIENCE_MS = 30_000
PLACES = {"environments": "", "an environment": "environments/prod", "a deployment": "deployments/d-3"}
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Load:
    """One opening of the page, in ms since the navigation began."""

    paint_ms: float
    content_ms: float


def main(_: list[str]) -> int:
    """0 when the median paint of each page is below `PAINT_MS`; NOT RUN without a browser."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        say("NOT RUN: there is no Chromium on this machine (Debian: apt-get install chromium)")
        return 0
    return run({"console": lambda: measured(path)}, ())


def measured(chromium: str) -> Report:
    """Every place in turn, round by round, so that other work on the machine meets all of them alike."""
    loads: dict[str, list[Load]] = {name: [] for name in PLACES}
    with _console() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for _ in range(ROUNDS):
            for name, place in PLACES.items():
                loads[name].append(_open(browser, f"{address}#/{place}"))
        browser.close()
    return report(loads, sum(path.stat().st_size for path in PAGE.iterdir()))


def report(loads: dict[str, list[Load]], size: int) -> Report:
    """Medians and worst rounds. loads: by name of the page; size: bytes of everything that a browser fetches."""
    shown = Report(f"the console: {ROUNDS} openings of each page, {size / 1_000:.0f} KB, control API in {API_S:g} s")
    for name, each in loads.items():
        paints, contents = [load.paint_ms for load in each], [load.content_ms for load in each]
        median = statistics.median(paints)
        shown.lines.append(
            f"{name:<16} first paint {median:5.0f} ms (slowest {max(paints):.0f}), "
            f"content {statistics.median(contents):5.0f} ms (slowest {max(contents):.0f})"
        )
        shown.bounds.append(Bound(f"first paint of {name}, median", median, high=PAINT_MS, unit="ms"))
    return shown


@contextmanager
def _console() -> Iterator[str]:
    """The address of a console that runs."""
    with control_api() as api, Server(_slow(api).client, "t0ken") as server:
        api.pages.update(console_pages.pages())
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.address
        server.shutdown()


def _slow(api: ControlApi) -> ControlApi:
    """The same API with the delay of one in an account."""
    answer = api.answer

    def late(path: str) -> tuple[int, bytes]:
        time.sleep(API_S)
        return answer(path)

    api.answer = late  # type: ignore[method-assign]
    return api


def _open(browser: Browser, address: str) -> Load:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(f"{_PAINT} !== null", timeout=_PATIENCE_MS)
    page.wait_for_selector("main h1", timeout=_PATIENCE_MS)
    load = Load(page.evaluate(_PAINT), page.evaluate("performance.now()"))
    context.close()
    return load
