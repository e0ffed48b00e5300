"""What custom domains and web ACLs lack in MiniStack: the association of a web ACL with a stage by CloudFormation, the
tags of a domain for what is in it, and a domain's address whoever calls.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_ASSOCIATION = "AWS::WAFv2::WebACLAssociation"


def associate(provisioners: Any, waf: Any) -> None:
    """Let CloudFormation put a web ACL in front of a stage. provisioners, waf: MiniStack's modules
    `services.cloudformation.provisioners` and `services.waf`."""

    def create(_logical_id: str, props: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        arn, web_acl = props["ResourceArn"], props["WebACLArn"]
        status, _headers, body = waf._associate_web_acl({"ResourceArn": arn, "WebACLArn": web_acl})
        if status >= 400:
            raise ValueError(f"{_ASSOCIATION} create failed: {_text(body)}")
        return f"{arn}|{web_acl}", {}

    def delete(_physical_id: str, props: Mapping[str, Any]) -> None:
        waf._disassociate_web_acl({"ResourceArn": props["ResourceArn"]})

    def update(
        _physical_id: str, before: Mapping[str, Any], props: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        if before["ResourceArn"] != props["ResourceArn"]:
            delete("", before)
        return create("", props, stack)

    provisioners._RESOURCE_HANDLERS[_ASSOCIATION] = {"create": create, "update": update, "delete": delete}


def _text(body: Any) -> str:
    try:
        return str(json.loads(body).get("message") or body)
    except (TypeError, ValueError, AttributeError):
        return str(body)


def domain_of(arn: str) -> str:
    """The custom domain that a resource of API Gateway belongs to; "" for other ARNs."""
    match = re.match(r"arn:[\w-]+:apigateway:[\w-]*::/domainnames/([^/]+)(?:/|$)", arn)
    return match[1] if match else ""


def inherit_tags(tagging: Any, gateway: Any) -> None:
    """aws:ResourceTag of a domain counts for its mappings, as an API's for what is in it. tagging, gateway: MiniStack's
    modules `services.tagging` and `services.apigateway_v1`."""
    of_resource = tagging.resource_tags

    def resource_tags(arn: str) -> dict[str, str] | None:
        domain = gateway._domain_names.get(domain_of(arn)) if domain_of(arn) else None
        return dict(domain.get("tags") or {}) if domain else of_resource(arn)

    tagging.resource_tags = resource_tags


def answer_everywhere(gateway: Any) -> None:
    """A domain leads to its API in whichever account it is: a request without a signature has none."""
    in_callers_account = gateway.find_domain_scope

    def find(name: str) -> tuple[str, str, str] | None:
        everywhere = (scope for scope, _ in gateway._domain_names.all_items() if str(scope[2]).lower() == name.lower())
        return in_callers_account(name) or next(everywhere, None)

    gateway.find_domain_scope = find


def leave_health_to_domains(app: Any) -> None:
    """`/health` at a domain is the proxy's; MiniStack answers its own at any host. app: MiniStack's module."""
    app._HEALTH_PATHS = tuple(path for path in app._HEALTH_PATHS if path != "/health")
