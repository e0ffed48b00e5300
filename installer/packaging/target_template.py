"""The template of a target: another account or region in which the control plane rolls environments.

It has a role for each function of the control plane that acts on environments, with the same rights as at home, and
what CloudFormation works with in the stacks of environments, which is taken from statemachine/resources.yaml.
"""

from pathlib import Path
from typing import Any

import yaml
from chalicelib.domain.aws.targets import ROLE_PREFIX
from chalicelib.engine import policies

from installer.packaging import install_options

_SHARED = ("EnvironmentBoundary", "EnvironmentGuard", "ChangeStacksRole")
_FROM_HOME = (install_options.BOUNDARY, install_options.KEY, "BucketName")
_TAGS = [{"Key": "proxyctl:owner", "Value": "proxyctl"}]
_PARAMETERS = {
    "HomeAccount": {
        "Type": "String",
        "AllowedPattern": "[0-9]{12}",
        "Description": "The account of the control plane, whose functions assume the roles",
    },
    "ExternalId": {"Type": "String", "MinLength": 2, "Description": "What the control plane sends with sts:AssumeRole"},
}


def make(root: Path) -> dict[str, Any]:
    """The template as CloudFormation takes it. root: the checkout."""
    documents = policies.target_documents(root / "controlplane" / "chalicelib")
    home = yaml.safe_load((root / "statemachine" / "resources.yaml").read_text())
    resources = {name: home["Resources"][name] for name in _SHARED}
    # The policies there name the control API, which a target does not have.
    change_stacks = documents.pop(policies.CHANGE_STACKS)
    resources["ChangeStacksRole"]["Properties"]["Policies"] = [_policy("ChangeStacksRole", change_stacks)]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "proxyctl: what a control plane of another account or region assumes and uses here",
        "Parameters": {**_PARAMETERS, **{name: home["Parameters"][name] for name in _FROM_HOME}},
        "Conditions": home["Conditions"],
        "Resources": install_options.apply(
            {"TargetRole": _target_role(), **resources, **dict(map(_role, documents.items()))}
        ),
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["TargetRole", "Arn"]}}},
    }


def _target_role() -> dict[str, Any]:
    """The role that config.target names. It has no rights: whoever may assume it sees that trust and ID are right."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Fn::Sub": f"{ROLE_PREFIX}${{AWS::Region}}"},
            "Description": "Names this target; the control plane's functions assume the roles named after it",
            "AssumeRolePolicyDocument": _trust("*Role"),
            "Tags": _TAGS,
        },
    }


def _role(entry: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Logical id and role of a function. Logical ids and policies are named as at home: preflight looks for them."""
    stem, document = entry
    name = policies.role_of(stem)
    return name, {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Fn::Sub": f"{ROLE_PREFIX}${{AWS::Region}}-{stem.replace('_', '-')}"},
            "Description": f"What the control plane's {stem} may do here",
            "AssumeRolePolicyDocument": _trust(name),
            "Policies": [_policy(name, document)],
            "Tags": _TAGS,
        },
    }


def _policy(role: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": f"{role}Policy", "PolicyDocument": document}


def _trust(role: str) -> dict[str, Any]:
    """Only the control plane's role of that logical id, with the external ID.

    By a condition rather than as principal: IAM replaces a principal by its unique ID, and a control plane that is
    removed and installed again has new ones.
    """
    arn = f"arn:${{AWS::Partition}}:iam::${{HomeAccount}}:role/proxyctl-{role}-*"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${HomeAccount}:root"}},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}},
            "ArnLike": {"aws:PrincipalArn": {"Fn::Sub": arn}},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
