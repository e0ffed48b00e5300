"""`ports.certificates`, `ports.zones` and `ports.firewall` in memory."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.aws.addresses import Certificate, Record, Zone


class FakeCertificates:
    def __init__(self) -> None:
        self.issued: dict[str, Certificate] = {}

    def find(self, arn: str) -> Certificate | None:
        return self.issued.get(arn)


class FakeZones:
    """listed: records by zone ID and host name."""

    def __init__(self) -> None:
        self.zones: dict[str, Zone] = {}
        self.listed: dict[tuple[str, str], list[Record]] = {}

    def find(self, zone_id: str) -> Zone | None:
        return self.zones.get(zone_id)

    def records(self, zone_id: str, host: str) -> Sequence[Record]:
        return self.listed.get((zone_id, host), [])


class FakeFirewall:
    """in_front: web ACL by ARN of the stage."""

    def __init__(self) -> None:
        self.web_acls: set[str] = set()
        self.in_front: dict[str, str] = {}

    def exists(self, web_acl_arn: str) -> bool:
        return web_acl_arn in self.web_acls

    def web_acl_of(self, stage_arn: str) -> str:
        return self.in_front.get(stage_arn, "")
