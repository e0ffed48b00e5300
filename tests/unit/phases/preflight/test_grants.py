"""Facts about policies: what IAM is asked about follows from the documents, and every document keeps to a minimum."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.engine.policies import documents, role_of
from chalicelib.phases.preflight.grants import Missing, concrete, grants

VARIABLES = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "BucketName": "proxyctl-123456789012-eu-central-1",
}
MINE = (
    "preflight",
    "prepare_secret",
    "package_artifact",
    "deploy_stack",
    "change_stacks",
    "configure_monitoring",
    "release_code",
    "clean_up",
)
# AWS has no resources for these (Service Authorization Reference): they need "*".
WITHOUT_RESOURCE = {
    "cloudformation:ValidateTemplate",
    "lambda:GetAccountSettings",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeQueryDefinitions",
    "logs:DescribeResourcePolicies",
    "logs:DeleteQueryDefinition",
    "sns:SetSubscriptionAttributes",
    "logs:PutQueryDefinition",
    "sns:Unsubscribe",
    "sqs:ListQueues",
    "cloudwatch:ListDashboards",
    "tag:GetResources",
    "route53:ListHostedZones",
}


def document(stem: str) -> dict[str, Any]:
    return documents()[stem]


@pytest.mark.parametrize("stem", MINE)
def test_a_wildcard_resource_only_where_aws_knows_no_other(stem: str) -> None:
    for grant in grants(stem, document(stem), VARIABLES):
        if "*" in grant.resources:
            assert set(grant.actions) <= WITHOUT_RESOURCE, grant.sid
        else:
            assert not set(grant.actions) & WITHOUT_RESOURCE, grant.sid
        assert not any("*" in action for action in grant.actions), grant.sid


@pytest.mark.parametrize("stem", MINE)
def test_statements_have_names_of_their_own(stem: str) -> None:
    sids = [statement["Sid"] for statement in document(stem)["Statement"]]
    assert len(sids) == len(set(sids))


def test_only_prepare_secret_of_these_phases_may_read_a_secrets_value() -> None:
    """release_code proves for real that it is refused."""
    readers = {
        stem
        for stem in MINE
        for grant in grants(stem, document(stem), VARIABLES)
        if "secretsmanager:GetSecretValue" in grant.actions
    }
    assert readers == {"prepare_secret"}


@pytest.mark.parametrize(("stem", "service"), [("deploy_stack", "cloudformation"), ("change_stacks", "lambda")])
def test_a_role_is_passed_to_one_service_only(stem: str, service: str) -> None:
    passing = [grant for grant in grants(stem, document(stem), VARIABLES) if "iam:PassRole" in grant.actions]
    assert [grant.context for grant in passing] == [{"iam:PassedToService": f"{service}.amazonaws.com"}]


def test_variables_are_filled_in_and_stars_become_a_name() -> None:
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::b-${AWS::Region}-*"},
                "Condition": {"StringLike": {"s3:prefix": ["load/*"]}},
            },
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
        ]
    }
    (grant,) = grants("x", policy, VARIABLES)
    assert grant.resources == ["arn:aws:s3:::b-eu-central-1-*"]
    assert concrete(grant.resources[0]).startswith("arn:aws:s3:::b-eu-central-1-proxyctl")
    assert grant.context == {"s3:prefix": "load/proxyctl-preflight"}
    assert concrete("*") == "*"


def test_an_unknown_variable_is_not_guessed() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": {"Fn::Sub": "${Nobody}"}}]}
    with pytest.raises(KeyError):
        grants("x", policy, VARIABLES)


def test_a_policy_files_role_has_chalices_logical_id() -> None:
    assert (role_of("load_test"), role_of("api")) == ("LoadTestRole", "ApiHandlerRole")


def test_what_is_missing_is_named_with_role_action_and_resource() -> None:
    missing = Missing("bake", "cloudwatch:DescribeAlarms", "arn:x", "explicitDeny")
    assert str(missing) == "bake may not cloudwatch:DescribeAlarms on arn:x (explicitDeny)"
