"""What AWS's other partitions do not have, or have otherwise. Pure.

Everything that the templates name exists there: cfn-lint's schemas of the regions, with which `make check` judges them.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.evidence.preflight import Finding

CHINA, GOVCLOUD = "aws-cn", "aws-us-gov"


def findings(partition: str, *, streams: bool, has_domain: bool) -> Iterator[Finding]:
    """Nothing in AWS's own partition; none of them stops a deployment. streams: whether answers are to be streamed."""
    if partition not in (CHINA, GOVCLOUD):
        return
    if partition == CHINA:
        yield from _in_china(has_domain)
    if streams:
        yield Finding(
            "partition",
            f"whether API Gateway streams in {partition} is not documented; its templates take the setting",
            "If a deploy fails over ResponseTransferMode, set config.response_mode: buffered.",
            blocks=False,
            field="config.response_mode",
        )
    yield Finding(
        "partition",
        f"costs are NOT PRICED in {partition}: it has a price list of its own",
        "Nothing to do: units are recorded, dollars are not.",
        blocks=False,
    )


def _in_china(has_domain: bool) -> Iterator[Finding]:
    yield Finding(
        "partition",
        "in China public endpoints answer for accounts with an ICP filing or exception only",
        "Ask AWS's operator there for it; without it clients get an error of the network's, not of the proxy's.",
        blocks=False,
    )
    if has_domain:
        yield Finding(
            "partition",
            "in China a domain needs an ICP filing of its own, and API Gateway has no IPv6 there",
            "File the domain; its record is made for IPv4 only.",
            blocks=False,
            field="config.domain.name",
        )
