"""The template without the API or the function is a whole template, in which all else has the value that it had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest
import yaml
from chalicelib.stack import template
from chalicelib.stack.recovery import parts
from chalicelib.stack.recovery.parts import Part

from tests.fakes.bundles import TEMPLATE

API: tuple[Part, ...] = ("API",)
FUNCTION: tuple[Part, ...] = ("function",)
SUBSETS = [API, FUNCTION, (*API, *FUNCTION)]
KEPT = {"LogGroup", "AccessLogGroup", "Role"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as {name: text or node}."""


def _short(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: node.value}
    value = loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else None
    return {suffix: value}


_Loader.add_multi_constructor("!", _short)


def load(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, _Loader)
    return loaded


def references(value: object) -> set[str]:
    """Every logical id that `!Ref`, `!GetAtt`, `!Sub` and DependsOn name."""
    if isinstance(value, Mapping):
        of_this = {
            name
            for key, item in value.items()
            if key in ("Ref", "GetAtt", "Sub", "DependsOn")
            for text in (item if isinstance(item, list) else [item])
            if isinstance(text, str)
            for name in (re.findall(r"\$\{(\w+)", text) if key == "Sub" else [text.partition(".")[0]])
        }
        return of_this | set(chain.from_iterable(map(references, value.values())))
    if isinstance(value, list):
        return set(chain.from_iterable(map(references, value)))
    return set()


@pytest.mark.parametrize("removed", SUBSETS, ids=" and ".join)
def test_what_is_left_names_nothing_that_was_removed(removed: tuple[Part, ...]) -> None:
    text = template.with_snapshots(TEMPLATE, "ApiDeploymentNew", "ApiDeploymentOld")
    whole, left = load(text), load(parts.without(text, removed))
    gone = set(whole["Resources"]) - set(left["Resources"])
    assert not references(left["Resources"]) & gone
    assert not references(left["Outputs"]) & gone
    assert left["Parameters"] == whole["Parameters"]
    assert left["Conditions"] == whole["Conditions"]


@pytest.mark.parametrize("removed", SUBSETS, ids=" and ".join)
def test_exactly_the_resources_of_the_parts_are_removed(removed: tuple[Part, ...]) -> None:
    whole, left = load(TEMPLATE)["Resources"], load(parts.without(TEMPLATE, removed))["Resources"]
    assert set(left) >= KEPT
    for name, resource in whole.items():
        of_api = resource["Type"].startswith(("AWS::ApiGateway::", "AWS::WAFv2::")) and name != "Domain"
        of_function = resource["Type"].startswith("AWS::Lambda::")
        permits = resource["Type"] == "AWS::Lambda::Permission"
        goes = ("API" in removed and (of_api or permits)) or ("function" in removed and of_function)
        assert (name not in left) == goes, name


def test_a_method_calls_an_alias_that_left_by_the_arn_that_it_had() -> None:
    left = load(parts.without(TEMPLATE, FUNCTION))["Resources"]
    arn = "${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:proxyctl-${Environment}-proxy"
    assert f"functions/arn:{arn}:live/invocations" in str(left["ProxyMethod"])
    assert f"functions/arn:{arn}:candidate/invocations" in str(left["CandidateMethod"])


def test_nothing_else_changes_in_what_is_left() -> None:
    for removed in SUBSETS:
        whole, left = load(TEMPLATE)["Resources"], load(parts.without(TEMPLATE, removed))["Resources"]
        for name in KEPT:
            assert left[name] == whole[name]


def test_outputs_that_name_what_left_leave_with_it() -> None:
    text = template.with_snapshots(TEMPLATE, "ApiDeploymentNew", "ApiDeploymentOld")
    assert set(load(parts.without(text, API))["Outputs"]) == {
        "DomainTarget",
        "FunctionName",
        "FunctionArn",
        "RoleArn",
        "LogGroup",
        "AccessLogGroup",
    }
    assert {"ApiId", "Snapshot", "CandidateSnapshot"} <= set(load(parts.without(text, FUNCTION))["Outputs"])


def test_parts_can_be_removed_in_any_order() -> None:
    whole = load(parts.without(TEMPLATE, (*API, *FUNCTION)))
    assert load(parts.without(parts.without(TEMPLATE, API), FUNCTION)) == whole
    assert load(parts.without(parts.without(TEMPLATE, FUNCTION), API)) == whole


def test_no_part_leaves_the_template_as_it_is() -> None:
    assert load(parts.without(TEMPLATE, ()))["Resources"].keys() == load(TEMPLATE)["Resources"].keys()
