"""The embedded cloud as real processes: it starts, serves under IAM, heals, and ends without a trace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from local import cloud, code, emulator, processes, state
from local.state import Cloud, Keys, Process

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own(site: cloud.Site, tmp_path: Path) -> Iterator[cloud.Site]:
    """A second cloud's place, to be killed and broken."""
    created = cloud.Site.of(site.root, tmp_path)
    yield created
    cloud.stop(created.folder)


def eventually(done: Any, limit_s: float = 20) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_running_cloud_is_reused(site: cloud.Site, running: Cloud) -> None:
    assert cloud.start(site, switches=running.switches) == (running, True)


def test_a_running_cloud_of_another_version_is_neither_reused_nor_ended(
    site: cloud.Site, running: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "digest", lambda _: "of another version")
    with pytest.raises(cloud.OtherVersion, match="`make stop` ends it"):
        cloud.start(site, switches=running.switches)
    assert cloud.is_healthy(running)


def test_two_clouds_run_beside_each_other(running: Cloud, own: cloud.Site) -> None:
    other, reused = cloud.start(own)
    assert not reused
    assert cloud.is_healthy(running)
    assert cloud.is_healthy(other)
    assert other.emulator_port != running.emulator_port


def test_stop_ends_all_that_was_started_lambdas_included_and_nothing_else(running: Cloud, own: cloud.Site) -> None:
    other, _ = cloud.start(own)
    before = {result.pid for result in processes.carrying(other.token)}
    assert before >= {process.pid for process in other.processes}
    # A child of the emulator that left its group, as a Lambda may: it still carries the token.
    runaway = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={processes.TOKEN_VARIABLE: other.token},
        start_new_session=True,
    )
    assert eventually(lambda: runaway.pid in {result.pid for result in processes.carrying(other.token)})
    cloud.stop(own.folder)
    assert list(processes.carrying(other.token)) == []
    assert runaway.wait(timeout=5) != 0
    assert cloud.is_healthy(running)
    assert cloud.stop(own.folder) == 0


@pytest.mark.parametrize("victim", ["emulator", "stand-in"])
def test_a_half_dead_cloud_is_cleaned_away_and_started_again(own: cloud.Site, victim: str) -> None:
    first, _ = cloud.start(own)
    process = next(process for process in first.processes if process.name == victim)
    os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: not processes.is_alive(process))
    second, reused = cloud.start(own)
    assert not reused
    assert cloud.is_healthy(second)
    assert list(processes.carrying(first.token)) == []
    assert second.emulator_port == first.emulator_port  # shells keep their variables


def test_a_dead_pump_costs_nobody_the_cloud(own: cloud.Site) -> None:
    first, _ = cloud.start(own)
    os.kill(first.processes[2].pid, signal.SIGKILL)
    assert eventually(lambda: not processes.is_alive(first.processes[2]))
    second, reused = cloud.start(own)
    assert reused
    assert second.processes[:2] == first.processes[:2]
    assert cloud.is_healthy(second)


def test_a_start_that_was_killed_half_way_leaves_nothing_behind(own: cloud.Site) -> None:
    """The file names the token before the first process runs, so that even an unrecorded process is found."""
    script = (
        "import os, signal, sys; from pathlib import Path; from local import cloud\n"
        "cloud._start_stand_in = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "cloud.start(cloud.Site.of(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", script, str(own.root), str(own.folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    left = state.load(own.folder)
    assert left is not None
    assert [process.name for process in left.processes] == ["emulator"]
    fresh, _ = cloud.start(own)
    assert list(processes.carrying(left.token)) == []
    assert cloud.is_healthy(fresh)


def test_a_recycled_pid_is_nobody_of_ours(own: cloud.Site) -> None:
    """A record whose pid belongs to another program by now, which must survive `stop`."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        born = psutil.Process(stranger.pid).create_time()
        record = Cloud(
            "t" * 32, "eu-central-1", "0" * 12, 1, 2, Keys("a", "b"), Keys("c", "d"),
            (Process("emulator", stranger.pid, born - 3600),),
        )  # fmt: skip
        state.save(own.folder, record)
        assert cloud.stop(own.folder) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_told_in_one_line(own: cloud.Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(cloud.PortTaken, match=f"port {port} on 127.0.0.1 is taken"):
            cloud.start(own, port)
    assert state.load(own.folder) is None


def test_a_port_that_cannot_be_had_does_not_cost_the_cloud_that_runs(site: cloud.Site, running: Cloud) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(cloud.PortTaken):
            cloud.start(site, taken.getsockname()[1])
    assert cloud.is_healthy(running)


def test_iam_refuses_what_no_policy_allows(running: Cloud) -> None:
    iam = emulator.client("iam", running.endpoint, running.region, running.operator)
    iam.create_user(UserName="nobody-in-particular")
    created = iam.create_access_key(UserName="nobody-in-particular")["AccessKey"]
    nobody = Keys(created["AccessKeyId"], created["SecretAccessKey"])
    with pytest.raises(ClientError) as refused:
        emulator.client("s3", running.endpoint, running.region, nobody).list_buckets()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_wrong_secret_key_is_refused(running: Cloud) -> None:
    forged = Keys(running.operator.access_key_id, "not-the-secret")
    with pytest.raises(ClientError, match="Signature"):
        emulator.client("sts", running.endpoint, running.region, forged).get_caller_identity()


def test_an_emf_line_becomes_a_metric_and_fires_its_alarm(running: Cloud) -> None:
    """What CloudWatch does by itself, the pump does here."""
    logs, metrics = (
        emulator.client(name, running.endpoint, running.region, running.operator) for name in ("logs", "cloudwatch")
    )
    metrics.put_metric_alarm(
        AlarmName="pumped", Namespace="pump-test", MetricName="Failures", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        Dimensions=[{"Name": "environment", "Value": "pumped"}],
    )  # fmt: skip
    group = "/aws/lambda/proxyctl-pumped-proxy"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now_ms = int(time.time() * 1000)
    line = (
        f'{{"_aws": {{"Timestamp": {now_ms}, "CloudWatchMetrics": [{{"Namespace": "pump-test", '
        '"Dimensions": [["environment"]], "Metrics": [{"Name": "Failures", "Unit": "Count"}]}]}, '
        '"environment": "pumped", "Failures": 2}'
    )
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[{"timestamp": now_ms, "message": line}])

    def state_of_alarm() -> str:
        return str(metrics.describe_alarms(AlarmNames=["pumped"])["MetricAlarms"][0]["StateValue"])

    assert eventually(lambda: state_of_alarm() == "ALARM")


def test_the_pump_ends_with_its_cloud(own: cloud.Site) -> None:
    started, _ = cloud.start(own)
    host, _, pump = started.processes
    os.killpg(host.pid, signal.SIGKILL)
    assert eventually(lambda: not processes.is_alive(pump))
