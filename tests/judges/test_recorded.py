"""What is recorded in a Lambda's process, and what the end of a session makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from judges import node_tools
from tests.e2e import recorded

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


def report(folder: Path, monkeypatch: pytest.MonkeyPatch, complete: bool, **call: Any) -> recorded.Report:
    """The end of a session that recorded this call only."""
    calls = folder / "calls"
    calls.mkdir()
    empty = {"service": "s3", "params": {}, "http": {"method": "PUT", "path": "/"}, "code": "", "beyond": []}
    (calls / "1.jsonl").write_text(json.dumps({"function": "proxyctl-ListEnvironments-1", **empty, **call}) + "\n")
    monkeypatch.setenv(recorded.FOLDER, str(calls))
    ended = recorded.end(complete)
    if ended.lines[0] == node_tools.NOT_RUN:
        pytest.skip(node_tools.NOT_RUN)
    assert calls.exists() == ended.failed  # what is to be looked at stays
    return ended


NAMES = {"Bucket": "proxyctl-000000000000-eu-central-1", "Key": "nightly/2026-11-26.json"}


def test_a_good_call_of_a_part_of_the_tests_passes_and_says_what_was_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = report(tmp_path, monkeypatch, False, operation="PutObject", params=NAMES)
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
    assert report(tmp_path, monkeypatch, False, **call).failed


def test_a_whole_run_must_hear_every_lambda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = report(tmp_path, monkeypatch, True, operation="PutObject", params=NAMES)
    assert ended.failed
    assert "  no call of sweep was recorded" in ended.lines


def test_a_session_without_end_to_end_tests_has_nothing_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(recorded.FOLDER, str(tmp_path))
    assert recorded.end(True) == recorded.Report(False)
