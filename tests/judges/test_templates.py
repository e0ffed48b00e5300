"""The judges of templates see a planted fault, and fail loudly when a tool reads nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judges import templates

API: dict[str, Any] = {"info": {"title": "x", "version": "1"}, "paths": {}, "swagger": "2.0"}


def api(**properties: Any) -> dict[str, Any]:
    """A SAM template as Chalice makes it."""
    settings = {"StageName": "api", "DefinitionBody": API, **properties}
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"RestAPI": {"Type": "AWS::Serverless::Api", "Properties": settings}},
    }


def write(folder: Path, resources: dict[str, Any]) -> Path:
    path = folder / "planted.json"
    path.write_text(json.dumps({"Resources": resources}))
    return path


@pytest.mark.parametrize(("properties", "count"), [({}, 1), ({"OpenApiVersion": "2.0"}, 0)])
def test_sams_second_stage_is_seen(properties: dict[str, Any], count: int) -> None:
    """Issue 10, row s."""
    assert len(templates.stage_findings("planted", templates.translated(api(**properties)))) == count


def test_cfn_lint_sees_a_retention_that_cloudwatch_does_not_take(tmp_path: Path) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 4}}
    path = write(tmp_path, {"Group": group})
    findings = templates.cfn_lint_findings([path], ["eu-central-1"])
    assert any("RetentionInDays" in text and " 4 " in text for text in findings)


def test_checkov_sees_a_public_bucket(tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": "alias/aws/sqs"}}
    path = write(tmp_path, {"Bucket": bucket, "Queue": queue})
    assert any("CKV_AWS_20: AWS::S3::Bucket.Bucket" in text for text in templates.checkov_findings(path))


def test_a_template_that_checkov_does_not_read_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found nothing to pass"):
        templates.checkov_findings(write(tmp_path, {}))
