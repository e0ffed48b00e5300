"""`make verify-account` against an embedded cloud of its own: a verdict a row, and nothing left."""

from __future__ import annotations

import pytest

from installer import target
from installer.demo import STAND_IN_KEY
from installer.verify import rows
from installer.verify.run import Run
from installer.verify.upstream import Upstream
from installer.verify.verdicts import Outcome
from local import cloud, emulator

pytestmark = pytest.mark.long
SHOWN = {row.key for row in rows.ROWS if not row.embedded and not row.by_hand}


def test_all_that_the_embedded_cloud_can_show_passes_and_nothing_is_left(
    site: cloud.Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    own = cloud.Site.of(site.root, tmp_path_factory.mktemp("verify"))
    try:
        running, _ = cloud.start(own)
        aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
        run = Run(site.root, aws, Upstream(running.upstream, STAND_IN_KEY, running.faults_url))
        results = {result.key: result for result in run.go()}
        failed = {key: result.detail for key, result in results.items() if result.outcome is Outcome.FAILED}
        assert failed == {}
        assert {row.key for row in rows.ROWS} < set(results)
        for key in (*SHOWN, "all-phases", "alarm-delivery", "bad-release", "clean-up", "down"):
            assert results[key].outcome is Outcome.PASSED, results[key]
        stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
        assert [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"] == []
        assert aws.client("s3").list_buckets()["Buckets"] == []
        assert aws.client("secretsmanager").list_secrets()["SecretList"] == []
        assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    finally:
        cloud.stop(own.folder)
