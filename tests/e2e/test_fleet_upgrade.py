"""A fleet whose control plane gets another bundle between two waves rolls one release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.rolling import Embedded, hold, phase, spoiled, until
from tests.e2e.test_fleet import ended, members, shown, start

pytestmark = pytest.mark.long
FIRST, SECOND = "span-first", "span-second"


def test_every_wave_gets_what_the_control_plane_held_when_the_fleet_began(embedded: Embedded, tmp_path: Path) -> None:
    for name in (FIRST, SECOND):
        embedded.client.put_secret(name, embedded.secret())
    sound = "        path = below_base("
    newer = spoiled(tmp_path, "proxy/core.py", sound, f"        # another release\n{sound}")
    waves, gate = [[FIRST], [SECOND]], {"approval": "required"}
    id_ = start(embedded, waves=waves, create=True, gate=gate)["id"]
    until("it waits", lambda: shown(embedded, id_)["status"] == "WAITING_APPROVAL", 300)
    held = hold(embedded, newer)
    try:
        assert embedded.call("GET", "/health")[1]["bundle"] == newer.key
        assert embedded.call("POST", f"/fleets/shops/deployments/{id_}/approve")[0] == 202
        answer = ended(embedded, id_)
    finally:
        hold(embedded, held)
    assert answer["status"] == "SUCCEEDED", answer["summary"]
    rolled = [embedded.client.deployment(members(answer, wave)[0]["deployment"]) for wave in (1, 2)]
    packaged = [phase(deployment, "package_artifact")["evidence"] for deployment in rolled]
    assert {evidence["bundle"] for evidence in packaged} == {held}
    assert len({evidence["digest"] for evidence in packaged}) == 1
    assert {embedded.client.environment(name)["live"]["bundle"] for name in (FIRST, SECOND)} == {held}  # type: ignore[index, typeddict-item]
