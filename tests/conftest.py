"""Which process runs what (`pytest -n 2`): a file stays together, and all files that go on from the one rolled
environment do, since making it anew would cost each process a minute. pytest-xdist's own groups would say the same; 3.8
writes them into node ids, which pytest 9.2 does not let it change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

_USES = "rolled: Rolled"
_SHARED = frozenset(path.name for path in Path(__file__).parent.glob("e2e/test_*.py") if _USES in path.read_text())


class ByCloud(LoadFileScheduling):  # type: ignore[misc]
    """Files as units of work, and those that share the environment as one."""

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.partition("::")[0]
        return _USES if Path(name).name in _SHARED else name


def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., object]) -> ByCloud:
    return ByCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first, or one process would begin with it when the other has ended.
    items.sort(key=lambda item: item.path.name not in _SHARED)
