"""A whole rollout where every delay is the longest that AWS publishes: a minute, in real time, nothing is scaled.

And one in a new account, where ten Lambdas run at once, with the defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctl.client import Client
from installer import deploy, target
from local import cloud, emulator, strict
from local.strict import Strict
from tests.e2e.rolling import QUICK, Embedded, phase, roll

pytestmark = pytest.mark.long
ENVIRONMENT = "late"


@pytest.fixture
def embedded_as(
    site: cloud.Site,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Embedded]:
    """A cloud of the test's own with the switches of its parameter, and the control plane in it."""
    switches: Strict = request.param
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    own = cloud.Site.of(site.root, tmp_path_factory.mktemp("worst"))
    try:
        running, _ = cloud.start(own, switches=switches)
        aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
        outputs = deploy.up(site.root, aws, running.faults_url)
        url = deploy.api_url(aws, outputs)
        yield Embedded(running, aws, outputs, url, Client(url, aws.session, aws.region))
    finally:
        cloud.stop(own.folder)


@pytest.mark.parametrize("embedded_as", [strict.WORST], indirect=True)
def test_a_deploy_and_its_clean_up_come_through_with_every_delay_at_its_worst(embedded_as: Embedded) -> None:
    embedded_as.client.put_secret(ENVIRONMENT, embedded_as.secret())
    deployment = roll(embedded_as, ENVIRONMENT)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert len(phase(deployment, "configure_monitoring")["evidence"]["heard"]) == 8
    removed = roll(embedded_as, ENVIRONMENT, "cleanup", options={"remove_secret": True, "secret_recovery_days": 0})
    assert removed["status"] == "SUCCEEDED", removed.get("error")
    assert phase(removed, "clean_up")["evidence"]["left"] == []


@pytest.mark.parametrize("embedded_as", [strict.NEW_ACCOUNT], indirect=True)
def test_a_new_account_is_rolled_with_the_defaults_and_says_what_was_scaled_down(embedded_as: Embedded) -> None:
    """Issue 10, row f: ten concurrent executions; `load` is left to the defaults."""
    embedded_as.client.put_secret(ENVIRONMENT, embedded_as.secret())
    defaults = {name: value for name, value in QUICK.items() if name != "load"}
    started = embedded_as.client.start({"environment": ENVIRONMENT, "action": "deploy", "options": defaults})
    deployment = list(embedded_as.client.follow(started["id"], 300))[-1]
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    findings = phase(deployment, "preflight")["evidence"]["findings"]
    scaled = [finding for finding in findings if finding["check"] == "quotas"]
    assert len(scaled) == 1
    assert not scaled[0]["blocks"]
    assert "10" in scaled[0]["message"]
    load = phase(deployment, "load_test")["evidence"]
    assert load["sent"] > 0
