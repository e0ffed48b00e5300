"""Route 53 behind `ports.zones`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.addresses import Record, Zone

from .session import HOME, Session

_MISSING = ("NoSuchHostedZone", "InvalidInput")  # the latter for an ID that no zone can have


class Route53Zones:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, zone_id: str) -> Zone | None:
        answer = self._session.find("route53", "get_hosted_zone", missing=_MISSING, Id=zone_id)
        if answer is None:
            return None
        zone = answer["HostedZone"]
        return Zone(zone["Name"].rstrip("."), bool(zone.get("Config", {}).get("PrivateZone")))

    def records(self, zone_id: str, host: str) -> Sequence[Record]:
        # Sorted by name: what is wanted comes first, and a name has fewer records than a page.
        answer = self._session.call("route53", "list_resource_record_sets", HostedZoneId=zone_id, StartRecordName=host)
        own = [item for item in answer["ResourceRecordSets"] if item["Name"].rstrip(".").lower() == host]
        return [Record(item["Type"], _target(item)) for item in own]


def _target(item: Mapping[str, Any]) -> str:
    values = [value["Value"] for value in item.get("ResourceRecords", [])]
    target: str = item["AliasTarget"]["DNSName"] if "AliasTarget" in item else (values[0] if values else "")
    return target.rstrip(".").lower()
