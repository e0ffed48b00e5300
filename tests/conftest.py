"""Which process runs what (`pytest -n 2 --dist loadgroup`): a file stays together, and all files that go on from
the one rolled environment do, since making it anew would cost each process a minute."""

from __future__ import annotations

import pytest

_SHARED = "rolled"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shared = {item.path for item in items if _SHARED in getattr(item, "fixturenames", ())}
    for item in items:
        group = _SHARED if item.path in shared else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
    # The longest first, or one process would begin with it when the other has ended.
    items.sort(key=lambda item: item.path not in shared)
