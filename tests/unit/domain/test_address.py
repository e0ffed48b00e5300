"""config.domain and config.waf: what they must look like, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.aws.address import NAME
from chalicelib.domain.aws.addresses import Certificate, Zone
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/limits/1234abcd-12ab-34cd-56ef-1234567890ab"
DOMAIN: dict[str, Any] = {"name": "llm.example.com", "certificate_arn": CERTIFICATE, "hosted_zone_id": "Z0ABC"}
_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def refused(**config: Any) -> BadRequest:
    with pytest.raises(BadRequest) as raised:
        decode(Config, config, under="config")
    return raised.value


@pytest.mark.parametrize(
    "name",
    [
        "LLM.example.com",
        "localhost",
        "*.example.com",
        "https://llm.example.com",
        "llm.example.com.",
        "llm..example.com",
        "-a.example.com",
        "a-.example.com",
        "10.0.0.1",
        "a" * 64 + ".example.com",
        ".".join(["abcdefghi"] * 26),
        "llm.example.com\n",
        "llm_1.example.com",
        "",
    ],
)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    error = refused(domain={**DOMAIN, "name": name})
    assert (error.field, "lower case" in (error.remedy or "")) == ("config.domain.name", True)


@given(st.lists(_LABEL, min_size=1, max_size=5), st.sampled_from(["com", "example", "xn--fiqs8s", "co"]))
def test_every_host_name_of_two_labels_and_more_passes(labels: list[str], top: str) -> None:
    assert NAME.fullmatch(".".join([*labels, top]))


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (
            {"domain": {**DOMAIN, "certificate_arn": "arn:aws:iam::123456789012:server/x"}},
            "certificate_arn",
        ),
        ({"domain": {**DOMAIN, "hosted_zone_id": "/hostedzone/Z0ABC"}}, "hosted_zone_id"),
        ({"domain": {**DOMAIN, "hosted_zone_id": ""}}, "hosted_zone_id"),
        ({"domain": {"name": "llm.example.com"}}, "certificate_arn"),
        ({"domain": {**DOMAIN, "path": "/v1"}}, "path"),
        ({"waf": {"web_acl_arn": ACL.replace("regional", "global")}}, "web_acl_arn"),
        ({"waf": {"web_acl_arn": "limits"}}, "web_acl_arn"),
    ],
)
def test_what_is_wrong_is_named(config: dict[str, Any], field: str) -> None:
    error = refused(**config)
    assert (error.field or "").endswith(field)
    assert error.remedy


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_partitions_arns_pass(partition: str) -> None:
    config = decode(
        Config,
        {
            "domain": {**DOMAIN, "certificate_arn": CERTIFICATE.replace("arn:aws:", f"arn:{partition}:")},
            "waf": {"web_acl_arn": ACL.replace("arn:aws:", f"arn:{partition}:")},
        },
    )
    assert config.domain is not None
    assert config.domain.url == "https://llm.example.com"


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (("llm.example.com",), "llm.example.com", True),
        (("*.example.com",), "llm.example.com", True),
        (("*.Example.com",), "llm.example.com", True),
        (("*.example.com",), "a.llm.example.com", False),
        (("*.example.com",), "example.com", False),
        (("example.com",), "llm.example.com", False),
        ((), "llm.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(names: tuple[str, ...], host: str, covered: bool) -> None:
    assert Certificate("ISSUED", names).covers(host) is covered


@pytest.mark.parametrize(
    ("host", "inside"),
    [("example.com", True), ("llm.example.com", True), ("notexample.com", False), ("example.com.evil", False)],
)
def test_a_zone_holds_its_own_names_and_those_below(host: str, inside: bool) -> None:
    assert Zone("example.com", private=False).holds(host) is inside
