"""The Lambda adapter against moto: update, publish, point, prune."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
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


ABOUT_THE_FUNCTION: dict[str, Callable[[LambdaFunctions], object]] = {
    "config": lambda functions: functions.config(FUNCTION),
    "aliases": lambda functions: functions.aliases(FUNCTION),
    "versions": lambda functions: functions.versions(FUNCTION),
    "update_code": lambda functions: functions.update_code(FUNCTION, bucket=BUCKET, key="one"),
    "update_settings": lambda functions: functions.update_settings(FUNCTION, FunctionSettings(256, 10, {})),
    "publish": lambda functions: functions.publish(FUNCTION, code_sha256="x", description=""),
}


@pytest.mark.parametrize("operation", ABOUT_THE_FUNCTION)
def test_a_function_that_is_gone_is_named_with_the_way_back(functions: LambdaFunctions, operation: str) -> None:
    boto3.client("lambda").delete_function(FunctionName=FUNCTION)
    with pytest.raises(NotFound, match=f"function {FUNCTION} does not exist") as missing:
        ABOUT_THE_FUNCTION[operation](functions)
    assert (missing.value.code, missing.value.field) == ("FunctionGone", FUNCTION)
    assert missing.value.remedy
    assert "Deploy again" in missing.value.remedy


def test_a_missing_version_is_no_missing_function(functions: LambdaFunctions) -> None:
    with pytest.raises(NotFound) as missing:
        functions.config(FUNCTION, "7")
    assert missing.value.code == "NotFound"
