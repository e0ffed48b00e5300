"""What is recorded in a Lambda's process, and what the end of a session makes of it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from judges import exceptions, node_tools
from tests.e2e import recorded
from tests.e2e.recorded import Extent

RECORDING = Path(recorded.ROOT) / "local" / "recording"
SCRIPT = """
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.stub import Stubber

s3 = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
with Stubber(s3) as stub:
    stub.add_response("put_object", {})
    stub.add_client_error("head_object", "404", http_status_code=404)
    s3.put_object(Bucket="bucket", Key="key", Body=b"secret", Tagging="")
    try:
        s3.head_object(Bucket="bucket", Key="other")
    except s3.exceptions.ClientError:
        pass
iam = boto3.client("iam", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
with Stubber(iam) as stub:
    stub.add_client_error("get_role", "NoSuchEntity", http_status_code=404)
    try:
        iam.get_role(RoleName="r" * 65)
    except iam.exceptions.ClientError:
        pass
for _ in range(2):
    request = AWSRequest(method="GET", url="http://127.0.0.1:1/_aws/execute-api/a1/api/_candidate/health")
    SigV4Auth(Credentials("a", "b"), "execute-api", "eu-central-1").add_auth(request)
"""


def lines(folder: Path, function: str) -> list[dict[str, Any]]:
    """What a process of this function writes down."""
    file = folder / "calls.jsonl"
    variables = {"PYTHONPATH": str(RECORDING), "PROXYCTL_CALLS_FILE": str(file), "AWS_LAMBDA_FUNCTION_NAME": function}
    environment = {"PATH": os.environ["PATH"], **variables}
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, timeout=60)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_calls_are_written_down_with_what_names_their_resource_and_nothing_else(tmp_path: Path) -> None:
    put, head, role, invoke = lines(tmp_path, "proxyctl-PackageArtifact-1A2B")
    assert put["params"] == {"Bucket": "bucket", "Key": "key", "Tagging": ""}
    assert (put["function"], put["operation"], put["code"]) == ("proxyctl-PackageArtifact-1A2B", "PutObject", "")
    assert (head["operation"], head["code"]) == ("HeadObject", "404")
    assert role["beyond"] == ["RoleName: 65 characters is above 64"]
    assert (invoke["service"], invoke["operation"], invoke["http"]["method"]) == ("execute-api", "Invoke", "GET")


def test_the_proxy_is_left_alone(tmp_path: Path) -> None:
    assert lines(tmp_path, "proxyctl-dev-proxy") == []


def report(folder: Path, monkeypatch: pytest.MonkeyPatch, run: Extent, **call: Any) -> recorded.Report:
    """The end of a session that recorded this call only."""
    calls = folder / "calls"
    calls.mkdir()
    empty = {"service": "s3", "params": {}, "http": {"method": "PUT", "path": "/"}, "code": "", "beyond": []}
    (calls / "1.jsonl").write_text(json.dumps({"function": "proxyctl-ListEnvironments-1", **empty, **call}) + "\n")
    monkeypatch.setenv(recorded.FOLDER, str(calls))
    ended = recorded.end(run)
    if ended.lines[0] == node_tools.NOT_RUN:
        pytest.skip(node_tools.NOT_RUN)
    assert calls.exists() == ended.failed  # what is to be looked at stays
    return ended


NAMES = {"Bucket": "proxyctl-000000000000-eu-central-1", "Key": "nightly/2026-11-26.json"}


def test_a_good_call_of_a_part_of_the_tests_passes_and_says_what_was_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = report(tmp_path, monkeypatch, Extent.PART, operation="PutObject", params=NAMES)
    assert not ended.failed
    assert "NOT RUN" in ended.lines[-1]


@pytest.mark.parametrize(
    "call",
    [
        {"operation": "PutObject", "params": {**NAMES, "Tagging": ""}},
        {"operation": "PutObject", "params": NAMES, "code": "AccessDenied"},
        {"operation": "PutObject", "params": NAMES, "beyond": ["Key: 1025 characters is above 1024"]},
    ],
)
def test_a_call_that_aws_would_refuse_fails_the_session(
    call: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert report(tmp_path, monkeypatch, Extent.PART, **call).failed


def test_a_whole_run_must_hear_every_lambda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = report(tmp_path, monkeypatch, Extent.ALL, operation="PutObject", params=NAMES)
    assert ended.failed
    assert "  no call of sweep was recorded" in ended.lines


def test_kept_calls_of_several_sessions_are_judged_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    monkeypatch.setenv(recorded.KEPT, str(kept))
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        report(tmp_path / number, monkeypatch, Extent.PART, operation="PutObject", params=NAMES)
        (kept / "calls").rename(kept / number)
    assert recorded.main([str(kept)]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("2 calls need ")
    assert "  no call of sweep was recorded" in printed


def test_a_session_without_end_to_end_tests_has_nothing_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(recorded.FOLDER, str(tmp_path))
    assert recorded.end(Extent.ALL) == recorded.Report(False)


@pytest.mark.parametrize(("run", "lambdas"), [(Extent.NOT_LONG, set()), (Extent.ALL, {"run_drill", "load_worker"})])
def test_what_only_long_tests_use_is_demanded_where_they_run(
    run: Extent, lambdas: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = report(tmp_path, monkeypatch, run, operation="PutObject", params=NAMES)
    heard_of = {line.split()[3].partition("/")[0] for line in ended.lines if line.startswith("  no call of ")}
    unused = {line.split()[3].partition("/")[0] for line in ended.lines if line.startswith("  no call used ")}
    assert {"run_drill", "load_worker"} & heard_of == lambdas
    assert {"run_drill", "load_worker"} & unused == lambdas
    assert "await_approval" in heard_of


def test_what_is_left_to_long_tests_names_a_file_with_such_tests() -> None:
    for accepted in exceptions.load("long"):
        assert "pytest.mark.long" in (recorded.ROOT / accepted.source).read_text()


@pytest.mark.parametrize(
    ("options", "run"),
    [
        ("", Extent.ALL),
        ("-m 'not long'", Extent.NOT_LONG),
        ("-m 'not long' -n 3 --dist loadfile", Extent.NOT_LONG),
        ("-m 'not long' --maxfail 0", Extent.NOT_LONG),
        ("-m long", Extent.PART),
        ("-k drift", Extent.PART),
        ("--last-failed", Extent.PART),
        ("-x", Extent.PART),
        ("--maxfail 3", Extent.PART),
        ("tests/e2e", Extent.ALL),
        ("-m 'not long' tests", Extent.NOT_LONG),
        ("-m 'not long' tests/e2e tests/unit", Extent.PART),
        ("tests/e2e/test_drift.py", Extent.PART),
    ],
)
def test_a_session_is_complete_when_its_options_leave_no_test_out(options: str, run: Extent) -> None:
    config = pytest.Config.fromdictargs({}, ["--noconftest", *shlex.split(options)])  # the defaults are pytest's own
    assert recorded.extent(config) is run


ASSUMED = """
from datetime import datetime
import sitecustomize
import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError
from botocore.stub import Stubber

keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
sts = boto3.client("sts", region_name="eu-central-1", **keys)
there = {"AccessKeyId": "ASIA" + "X" * 16, "SecretAccessKey": "s", "SessionToken": "t"}
there["Expiration"] = datetime(2099, 1, 1)
user = {"AssumedRoleId": "AROAX:session", "Arn": "arn:aws:sts::222222222222:assumed-role/r/session"}
with Stubber(sts) as stub:
    stub.add_response("assume_role", {"Credentials": there, "AssumedRoleUser": user})
    role = "arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1-bake"
    sts.assume_role(RoleArn=role, RoleSessionName="session", ExternalId="id")
assert sitecustomize._elsewhere(there["AccessKeyId"], "eu-west-1") == {
    "account": "222222222222", "region": "eu-west-1"
}
nowhere = dict(endpoint_url="http://127.0.0.1:9", config=Config(retries={"max_attempts": 1}, proxies={}))
for key in ("a", there["AccessKeyId"]):
    client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id=key, aws_secret_access_key="s", **nowhere)
    noted = []
    client.meta.events.register_last("before-sign", lambda request, **_: noted.append(request.context))
    try:
        client.list_queues()
    except ConnectionError:
        print(noted[0]["proxyctl_elsewhere"])
"""


def test_a_call_with_the_credentials_of_an_assumed_role_says_in_which_account_and_region(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    variables = {"PROXYCTL_CALLS_FILE": str(file), "AWS_LAMBDA_FUNCTION_NAME": "proxyctl-Bake-1"}
    done = subprocess.run(
        [sys.executable, "-c", ASSUMED],
        env={**os.environ, **variables, "PYTHONPATH": str(RECORDING)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["{}", "{'account': '222222222222', 'region': 'eu-west-1'}"]
    (assumed,) = [json.loads(line) for line in file.read_text().splitlines() if "AssumeRole" in line]
    assert assumed["params"]["ExternalId"] == "id"
    assert "account" not in assumed
