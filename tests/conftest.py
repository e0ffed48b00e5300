"""Which process runs what (`pytest -n 3`): a file stays together, and so do the files that go on from one rolled
environment, since making it anew costs a minute. They are two groups of about the same length, so that no process runs
alone in the end. pytest-xdist's own groups would say the same; 3.8 writes them into node ids, which pytest 9.2 does not
let it change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests import limits
from tests.e2e import recorded

_USES = "rolled: Rolled"
_SECOND = frozenset({"test_clean_up.py", "test_other_versions.py", "test_secret_release.py", "test_settings_follow.py"})
_REPORT = pytest.StashKey[recorded.Report]()
_SHARED = frozenset(path.name for path in Path(__file__).parent.glob("e2e/test_*.py") if _USES in path.read_text())


class ByCloud(LoadFileScheduling):  # type: ignore[misc]
    """Files as units of work, and those that share the environment as one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        name = Path(path).name
        return path if name not in _SHARED else f"{_USES}, {'second' if name in _SECOND else 'first'} group"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., object]) -> ByCloud:
    return ByCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first, or one process would begin with it when the other has ended.
    items.sort(key=lambda item: item.path.name not in _SHARED)


def pytest_configure(config: pytest.Config) -> None:
    limits.install()
    # Property-based tests neither depend on the machine's speed nor leave files behind.
    settings.register_profile("busy", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")
    if not hasattr(config, "workerinput"):  # the session's first process
        recorded.begin()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The end-to-end tests of all processes are through: judge the calls that they made."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    report = recorded.end(recorded.Extent.PART if session.testsfailed else recorded.extent(config))
    config.stash[_REPORT] = report
    if report.failed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash.get(_REPORT, recorded.Report(False))
    # A skipped test is easily overlooked: what could not be checked here is said.
    reasons = {str(each.longrepr[2]) for each in terminalreporter.stats.get("skipped", []) if each.longrepr}
    for reason in sorted(reasons):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True)
    if report.lines:
        terminalreporter.section("recorded calls before an independent IAM evaluator", red=report.failed)
        for line in report.lines:
            terminalreporter.write_line(line)
