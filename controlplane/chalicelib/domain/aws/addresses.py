"""Certificates, zones, records and custom domains as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Certificate:
    """status: ISSUED, PENDING_VALIDATION, EXPIRED, …; names: host names that it is for, `*` for one label.

    expires: None until it is issued."""

    status: str
    names: tuple[str, ...]
    expires: datetime | None = None

    def covers(self, host: str) -> bool:
        """Whether the certificate is valid for a host name (RFC 6125: `*` is the first label as a whole)."""
        wildcard = f"*.{host.partition('.')[2]}"
        return any(name.lower() in (host, wildcard) for name in self.names)


@dataclass(frozen=True, slots=True)
class Zone:
    """name: without the dot at the end."""

    name: str
    private: bool

    def holds(self, host: str) -> bool:
        """Whether records of a host name belong into the zone."""
        return host == self.name or host.endswith(f".{self.name}")


@dataclass(frozen=True, slots=True)
class Record:
    """kind: A, AAAA, CNAME, …; target: of an alias or the first value, without the dot at the end."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class DomainState:
    """A custom domain of API Gateway. target: the host name that records point to. mappings: API ID and stage by base
    path, `(none)` for the root."""

    certificate_arn: str
    target: str
    mappings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
