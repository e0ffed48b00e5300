"""Facts about change sets: which changes destroy something for good."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws.stacks import Change
from chalicelib.stack.replacements import destructive


def _change(kind: str, action: str = "Modify", replacement: str = "False", *because: str) -> Change:
    return Change("It", kind, action, replacement, "", because)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (_change("AWS::Lambda::Function", "Modify", "True", "FunctionName"), True),
        (_change("AWS::Lambda::Function", "Modify", "False", "MemorySize"), False),
        (_change("AWS::Lambda::Function", "Modify", "Conditional", "Environment"), False),
        (_change("AWS::ApiGateway::Stage", "Modify", "Conditional", "RestApiId"), True),
        (_change("AWS::ApiGateway::Stage", "Modify", "Conditional", "MethodSettings"), False),
        (_change("AWS::ApiGateway::RestApi", "Remove"), True),
        (_change("AWS::Logs::LogGroup", "Modify", "True", "LogGroupName"), True),
        (_change("AWS::ApiGateway::Deployment", "Remove"), False),
        (_change("AWS::ApiGateway::Method", "Modify", "True", "HttpMethod"), False),
        (_change("AWS::Lambda::Function", "Add"), False),
    ],
)
def test_a_change_that_loses_logs_urls_or_versions_is_destructive(change: Change, lost: bool) -> None:
    assert bool(destructive([change])) is lost


def test_a_destructive_change_names_the_loss_and_the_property() -> None:
    (change,) = destructive([_change("AWS::Logs::LogGroup", "Modify", "True", "LogGroupName")])
    assert str(change) == "replaces It (AWS::Logs::LogGroup; changed: LogGroupName), losing its log lines"
