"""The Lambda adapter against moto: update, publish, point, prune."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from chalicelib.adapters.functions import LambdaFunctions
from chalicelib.adapters.session import client
from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.errors import Conflict, NotFound

from tests.functional.adapters.conftest import REGION, zipped

FUNCTION, BUCKET = "proxyctl-dev-proxy", "artifacts"


@pytest.fixture
def functions(role: str) -> LambdaFunctions:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("one", "two"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=zipped(key))
    boto3.client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Role=role,
        Handler="bootstrap",
        Code={"S3Bucket": BUCKET, "S3Key": "one"},
    )
    return LambdaFunctions()


def sha(key: str) -> str:
    return base64.b64encode(hashlib.sha256(zipped(key)).digest()).decode()


def test_code_and_settings_are_replaced(functions: LambdaFunctions) -> None:
    functions.update_code(FUNCTION, bucket=BUCKET, key="two")
    functions.update_settings(FUNCTION, FunctionSettings(256, 10, {"LOG_LEVEL": "DEBUG"}))
    answer = functions.config(FUNCTION)
    assert answer.code_sha256 == sha("two")
    assert (answer.memory_mb, answer.timeout_s, dict(answer.environment)) == (256, 10, {"LOG_LEVEL": "DEBUG"})


def test_versions_come_oldest_first_and_can_be_pruned(functions: LambdaFunctions) -> None:
    item = functions.publish(FUNCTION, code_sha256=sha("one"), description="first")
    functions.update_code(FUNCTION, bucket=BUCKET, key="two")
    two = functions.publish(FUNCTION, code_sha256=sha("two"), description="second")
    assert [(item.number, item.description), (two.number, two.description)] == [("1", "first"), ("2", "second")]
    assert [version.number for version in functions.versions(FUNCTION)] == ["1", "2"]
    functions.delete_version(FUNCTION, "1")
    functions.delete_version(FUNCTION, "1")
    assert [version.number for version in functions.versions(FUNCTION)] == ["2"]


def test_a_version_names_the_artifact_that_it_was_released_with(functions: LambdaFunctions) -> None:
    settings = FunctionSettings(256, 10, {"ARTIFACT_DIGEST": "one"})
    first = functions.publish(FUNCTION, code_sha256=sha("one"), description="")
    functions.update_settings(FUNCTION, settings)
    functions.update_code(FUNCTION, bucket=BUCKET, key="two")
    second = functions.publish(FUNCTION, code_sha256=sha("two"), description="")
    assert [version.artifact_digest for version in (first, second)] == ["", "one"]
    assert [version.artifact_digest for version in functions.versions(FUNCTION)] == ["", "one"]


def test_an_alias_is_made_exactly_what_is_asked(functions: LambdaFunctions) -> None:
    functions.publish(FUNCTION, code_sha256=sha("one"), description="")
    functions.update_code(FUNCTION, bucket=BUCKET, key="two")
    functions.publish(FUNCTION, code_sha256=sha("two"), description="")
    boto3.client("lambda").create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")
    functions.point(FUNCTION, Alias("live", "1", {"2": 0.1}))
    assert functions.aliases(FUNCTION)["live"] == Alias("live", "1", {"2": 0.1})
    functions.point(FUNCTION, Alias("live", "2"))
    assert functions.aliases(FUNCTION)["live"] == Alias("live", "2")


def test_an_alias_that_was_touched_since_it_was_looked_at_is_not_moved(functions: LambdaFunctions) -> None:
    """moto keeps no RevisionId up to date, so what Lambda answers is given here."""
    refusal = {"service_error_code": "PreconditionFailedException", "http_status_code": 412}
    with Stubber(client("lambda")) as stub:
        answer = {"Name": "live", "FunctionVersion": "1", "RevisionId": "seen"}
        stub.add_response("list_aliases", {"Aliases": [answer]}, {"FunctionName": FUNCTION})
        expected: dict[str, Any] = {"FunctionName": FUNCTION, "Name": "live", "FunctionVersion": "2"}
        expected |= {"RoutingConfig": {"AdditionalVersionWeights": {}}, "RevisionId": "seen"}
        stub.add_client_error("update_alias", expected_params=expected, **refusal)
        observed = functions.aliases(FUNCTION)["live"]
        with pytest.raises(Conflict):
            functions.point(FUNCTION, Alias("live", "2"), revision=observed.revision)


def test_a_missing_function_is_not_found() -> None:
    with pytest.raises(NotFound):
        LambdaFunctions().config("nobody")
