"""What the embedded cloud adds for domains and web ACLs, against modules of the test's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.inside import addresses

STAGE = "arn:aws:apigateway:eu-central-1::/restapis/a1/stages/api"


class Waf:
    """MiniStack's `services.waf`, as far as it is called."""

    def __init__(self) -> None:
        self.associated: dict[str, str] = {}

    def _associate_web_acl(self, data: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if data["WebACLArn"] == "none":
            return 400, {}, b'{"message": "WebACL none not found"}'
        self.associated[data["ResourceArn"]] = data["WebACLArn"]
        return 200, {}, b"{}"

    def _disassociate_web_acl(self, data: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.associated.pop(data["ResourceArn"], None)
        return 200, {}, b"{}"


@pytest.fixture
def waf() -> Waf:
    return Waf()


@pytest.fixture
def handlers(waf: Waf) -> dict[str, Any]:
    provisioners = SimpleNamespace(_RESOURCE_HANDLERS={})
    addresses.associate(provisioners, waf)
    handlers: dict[str, Any] = provisioners._RESOURCE_HANDLERS["AWS::WAFv2::WebACLAssociation"]
    return handlers


def test_a_stack_puts_a_web_acl_before_a_stage_changes_it_and_takes_it_off(waf: Waf, handlers: dict[str, Any]) -> None:
    first, second = ({"ResourceArn": STAGE, "WebACLArn": acl} for acl in ("acl-1", "acl-2"))
    physical, attributes = handlers["create"]("Association", first, "stack")
    assert (physical, attributes) == (f"{STAGE}|acl-1", {})
    assert handlers["update"](physical, first, second, "stack")[0] == f"{STAGE}|acl-2"
    assert waf.associated == {STAGE: "acl-2"}
    elsewhere = {**second, "ResourceArn": f"{STAGE}-2"}
    handlers["update"](physical, second, elsewhere, "stack")
    assert waf.associated == {f"{STAGE}-2": "acl-2"}
    handlers["delete"](physical, elsewhere)
    assert waf.associated == {}


def test_a_web_acl_that_is_not_there_fails_the_stack_with_its_reason(handlers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="WebACL none not found"):
        handlers["create"]("Association", {"ResourceArn": STAGE, "WebACLArn": "none"}, "stack")


@pytest.mark.parametrize(
    ("arn", "domain"),
    [
        ("arn:aws:apigateway:eu-central-1::/domainnames/llm.example.com", "llm.example.com"),
        ("arn:aws-cn:apigateway:cn-north-1::/domainnames/llm.example.com/basepathmappings/(none)", "llm.example.com"),
        ("arn:aws:apigateway:eu-central-1::/domainnames", ""),
        (STAGE, ""),
    ],
)
def test_a_mapping_belongs_to_its_domain(arn: str, domain: str) -> None:
    assert addresses.domain_of(arn) == domain


def test_the_tags_of_a_domain_count_for_its_mappings_and_other_tags_stay() -> None:
    tagging = SimpleNamespace(resource_tags=lambda arn: {"of": arn})
    gateway = SimpleNamespace(_domain_names={"llm.example.com": {"tags": {"proxyctl:environment": "dev"}}})
    addresses.inherit_tags(tagging, gateway)
    mapping = "arn:aws:apigateway:eu-central-1::/domainnames/llm.example.com/basepathmappings/(none)"
    assert tagging.resource_tags(mapping) == {"proxyctl:environment": "dev"}
    assert tagging.resource_tags(STAGE) == {"of": STAGE}


def test_health_at_a_domain_is_the_proxys() -> None:
    app = SimpleNamespace(_HEALTH_PATHS=("/_ministack/health", "/health"))
    addresses.leave_health_to_domains(app)
    assert app._HEALTH_PATHS == ("/_ministack/health",)
