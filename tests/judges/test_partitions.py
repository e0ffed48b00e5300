"""The judge of partitions: the checkout names none, and each way to name one is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from judges import partitions


def test_nothing_that_reaches_aws_names_a_partition() -> None:
    assert partitions.findings() == []


@pytest.mark.parametrize(
    "line",
    [
        'arn = "arn:aws:sns:eu-west-1:123456789012:x"',
        "Resource: arn:aws:s3:::bucket",
        'url = "https://s3.eu-west-1.amazonaws.com/x"',
        "Principal: {Service: logs.amazonaws.com}",
        "Principal: {Service: logs.eu-west-1.amazonaws.com}",
        "Principal: {Service: lambda.amazonaws.com.cn}",
        "kms:ViaService: secretsmanager.${AWS::Region}.amazonaws.com",
    ],
)
def test_a_name_of_a_partition_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "statemachine").mkdir()
    (tmp_path / "statemachine" / "resources.yaml").write_text(f"a: 1\n{line}\n")
    (finding,) = partitions.findings(tmp_path)
    assert finding.startswith("statemachine/resources.yaml:2: ")


@pytest.mark.parametrize(
    "line",
    [
        "Principal: {Service: lambda.amazonaws.com}",
        "arn:${AWS::Partition}:s3:::bucket",
        "kms:ViaService: secretsmanager.${AWS::Region}.${AWS::URLSuffix}",
        'suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"',
        'ARN = re.compile(r"arn:aws[a-z-]*:iam::")',
    ],
)
def test_what_holds_in_every_partition_passes(line: str) -> None:
    assert list(partitions.judge(line)) == []
