"""bootstrap.py as a person runs it: what is wrong is one line and exit code 2; what is right can be run twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local import processes
from local.state import Cloud
from tests.e2e.rolling import Embedded

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}


def bootstrap(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One command in an environment made from nothing, without a home that could hold a profile."""
    environment = PLAIN | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull} | variables
    command = [sys.executable, str(ROOT / "bootstrap.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that could not start."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_without_credentials_one_line_says_what_to_set(command: str) -> None:
    line = refused(bootstrap(command, AWS_REGION="eu-central-1", AWS_EC2_METADATA_DISABLED="true"))
    assert "no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID" in line


def test_without_a_region_one_line_says_what_to_set() -> None:
    assert "no AWS region; set AWS_REGION" in refused(bootstrap("status"))


def test_a_profile_that_does_not_exist_is_named() -> None:
    assert "nowhere" in refused(bootstrap("status", AWS_PROFILE="nowhere", AWS_REGION="eu-central-1"))


def test_wrong_credentials_are_told_as_aws_tells_it(running: Cloud) -> None:
    line = refused(bootstrap("up", **(running.variables() | {"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS0"})))
    assert "AWS refuses these credentials: " in line
    forged = running.variables() | {"AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    assert "SignatureDoesNotMatch" in refused(bootstrap("up", **forged))


def test_a_cloud_that_has_gone_is_told_in_one_line(running: Cloud) -> None:
    gone = running.variables() | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{processes.free_port()}",
        "AWS_MAX_ATTEMPTS": "1",
    }
    assert "AWS does not answer" in refused(bootstrap("status", **gone))


def test_up_again_changes_nothing_and_says_so(embedded: Embedded) -> None:
    done = bootstrap("up", PROXYCTL_UPSTREAM_FAULTS_URL=embedded.cloud.faults_url, **embedded.cloud.variables())
    assert done.returncode == 0, done.stderr
    assert "nothing to change, 0 objects uploaded" in done.stderr
    assert embedded.api_url in done.stdout


def test_status_shows_stack_api_and_health(embedded: Embedded) -> None:
    done = bootstrap("status", **embedded.cloud.variables())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"API          {embedded.api_url}" in done.stdout
    assert "health       ok" in done.stdout


def test_the_control_api_answers_only_to_signed_callers(embedded: Embedded) -> None:
    assert embedded.client.health()["status"] == "ok"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{embedded.api_url}/health", timeout=10)
    assert refusal.value.code == 403
    error = json.loads(refusal.value.read())["error"]
    assert error["code"] == "MissingAuthenticationToken"
    assert "SigV4" in error["remedy"]


def test_a_route_that_does_not_exist_is_refused_in_the_apis_own_shape(embedded: Embedded) -> None:
    status, body = embedded.call("GET", "/no/such/route")
    assert (status, body["error"]["code"]) == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_json_is_refused_with_415_in_the_apis_own_shape(embedded: Embedded, kind: str) -> None:
    url, content = f"{embedded.api_url}/deployments", b'{"environment": "dev"}'
    request = AWSRequest(method="POST", url=url, data=content, headers={"Content-Type": kind})
    SigV4Auth(embedded.aws.session.get_credentials(), "execute-api", embedded.aws.region).add_auth(request)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(url, content, dict(request.headers)), timeout=30)
    error = json.loads(refusal.value.read())["error"]
    assert (refusal.value.code, error["code"], error["field"]) == (415, "UnsupportedMediaType", "Content-Type")


def test_the_bucket_is_encrypted_tagged_and_closed_to_the_public(embedded: Embedded) -> None:
    s3, bucket = embedded.boto("s3"), embedded.aws.bucket
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert {"Key": "proxyctl:owner", "Value": "proxyctl"} in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]


def test_every_lambda_runs_the_python_that_packaged_it_on_arm64(embedded: Embedded) -> None:
    functions = embedded.boto("lambda").list_functions()["Functions"]
    # The proxies that other tests roll are the environments' own.
    ours = [
        function
        for function in functions
        if function["FunctionName"].startswith("proxyctl-") and not function["FunctionName"].endswith("-proxy")
    ]
    assert len(ours) >= 18
    assert {tuple(function["Architectures"]) for function in ours} == {("arm64",)}
    assert {function["Runtime"] for function in ours} == {f"python{sys.version_info.major}.{sys.version_info.minor}"}


def test_the_command_line_client_works_from_the_variables_alone(embedded: Embedded) -> None:
    variables = PLAIN | embedded.cloud.variables() | {"CONTROL_API_URL": embedded.api_url}
    command = [sys.executable, "-m", "ctl", "show", "d-does-not-exist"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3  # refused: there is no such deployment
    assert "d-does-not-exist" in done.stderr
    done = subprocess.run(
        [*command[:3], "secret", "set", "cli"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False,
        timeout=60, input=json.dumps(embedded.secret()),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert embedded.secret()["api_key"] not in done.stdout + done.stderr
