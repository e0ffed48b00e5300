"""The secret, decoded: everything that its operator decides about the proxy.

Unknown fields are refused by name: a misspelt `client_keys` that was ignored would leave the proxy open.
No message of this module ever holds a value of the secret, only the names of its fields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
DEFAULT_BASE_URL = "https://api.openai.com/v1"
_FIELDS = {
    "schema",
    "api_key",
    "base_url",
    "organization",
    "project",
    "models",
    "timeouts",
    "retries",
    "client_keys",
    "cors_origins",
}


class ConfigError(ValueError):
    """The secret does not have the shape of schema 1; the message names the field."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds. OpenAI's own SDK waits 600 s in all; reasoning models use much of it silently."""

    connect_s: float = 5.0
    first_byte_s: float = 600.0
    idle_s: float = 120.0
    total_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Model:
    """What an alias stands for."""

    target: str
    timeout_s: float | None = None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A decoded secret; `repr` leaves the keys out, so that a traceback cannot show them."""

    api_key: str = field(repr=False)
    scheme: str
    host: str
    port: int
    base_path: str
    organization: str = ""
    project: str = ""
    models: Mapping[str, Model] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: int = 2
    client_keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)  # (id, SHA-256 digest)
    cors_origins: tuple[str, ...] = ()
    version_id: str = ""


def decode(text: str, version_id: str = "") -> Config:
    """Decode the secret's JSON text. Raises ConfigError naming the first wrong field."""
    try:
        raw = json.loads(text)
    except ValueError:
        raise ConfigError("the secret is not JSON") from None
    if not isinstance(raw, dict):
        raise ConfigError("the secret must be a JSON object")
    unknown = sorted(set(raw) - _FIELDS)
    if unknown:
        raise ConfigError(f"unknown field {unknown[0]!r}")
    if raw.get("schema") != SCHEMA or isinstance(raw.get("schema"), bool):
        raise ConfigError(f"schema must be {SCHEMA}")
    scheme, host, port, base_path = _base_url(_text(raw, "base_url", DEFAULT_BASE_URL))
    return Config(
        api_key=_header_text(_text(raw, "api_key"), "api_key"),
        scheme=scheme,
        host=host,
        port=port,
        base_path=base_path,
        organization=_header_text(_text(raw, "organization", ""), "organization"),
        project=_header_text(_text(raw, "project", ""), "project"),
        models=_models(_mapping(raw, "models")),
        timeouts=_timeouts(_mapping(raw, "timeouts")),
        retries=_retries(raw.get("retries", 2)),
        client_keys=_client_keys(_sequence(raw, "client_keys")),
        cors_origins=_origins(_sequence(raw, "cors_origins")),
        version_id=version_id,
    )


def _text(raw: dict[str, Any], name: str, default: str | None = None) -> str:
    value = raw.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or (default is None and not value):
        raise ConfigError(f"{name} must be a non-empty string")
    return value


def _header_text(value: str, name: str) -> str:
    # It is sent as a header: a line break in it would be a second header.
    if not value.isascii() or (value and not value.isprintable()) or value != value.strip():
        raise ConfigError(f"{name} must be printable ASCII without spaces around it")
    return value


def _mapping(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{name} must be an object")
    return value


def _sequence(raw: dict[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError(f"{name} must be a list")
    return value


def _base_url(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError("base_url is not a URL") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise ConfigError("base_url must be http(s)://host[:port]/path and nothing more")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigError("base_url must be https: over http the key would travel in the clear (only loopback may)")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")


def _is_loopback(host: str) -> bool:
    # Only digits after 127: a host may be named 127.example.com.
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 3600:
        raise ConfigError(f"{name} must be a number of seconds above 0 and at most 3600")
    return float(value)


def _timeouts(raw: dict[str, Any]) -> Timeouts:
    known = ("connect_s", "first_byte_s", "idle_s", "total_s")
    for name in raw:
        if name not in known:
            raise ConfigError(f"unknown field 'timeouts.{name}'")
    return Timeouts(**{name: _seconds(value, f"timeouts.{name}") for name, value in raw.items()})


def _models(raw: dict[str, Any]) -> dict[str, Model]:
    return {alias: _model(alias, value) for alias, value in raw.items()}


def _model(alias: str, raw: object) -> Model:
    where = f"models.{alias}"
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} must be an object")
    unknown = sorted(set(raw) - {"target", "timeout_s", "fallbacks"})
    if unknown:
        raise ConfigError(f"unknown field '{where}.{unknown[0]}'")
    target = raw.get("target")
    if not isinstance(target, str) or not target:
        raise ConfigError(f"{where}.target must be a non-empty string")
    fallbacks = raw.get("fallbacks") or []
    if not isinstance(fallbacks, list) or not all(isinstance(name, str) and name for name in fallbacks):
        raise ConfigError(f"{where}.fallbacks must be a list of model names")
    timeout = raw.get("timeout_s")
    limit = None if timeout is None else _seconds(timeout, f"{where}.timeout_s")
    return Model(target, limit, tuple(fallbacks))


def _retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 5:
        raise ConfigError("retries must be a whole number from 0 to 5")
    return value


def _client_keys(raw: list[Any]) -> tuple[tuple[str, bytes], ...]:
    keys = []
    for index, entry in enumerate(raw):
        where = f"client_keys[{index}]"
        if not isinstance(entry, dict) or set(entry) != {"id", "sha256"}:
            raise ConfigError(f"{where} must have exactly the fields id and sha256")
        if not isinstance(entry["id"], str) or not entry["id"]:
            raise ConfigError(f"{where}.id must be a non-empty string")
        keys.append((entry["id"], _digest(entry["sha256"], f"{where}.sha256")))
    return tuple(keys)


def _digest(value: object, where: str) -> bytes:
    try:
        digest = bytes.fromhex(value if isinstance(value, str) else "")
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ConfigError(f"{where} must be a SHA-256 in hexadecimal (64 characters)")
    return digest


def _origins(raw: list[Any]) -> tuple[str, ...]:
    for index, origin in enumerate(raw):
        if origin == "*":
            continue
        parts = urlsplit(origin) if isinstance(origin, str) else None
        if parts is None or not parts.scheme or not parts.netloc or parts.path or parts.query:
            raise ConfigError(f"cors_origins[{index}] must be '*' or scheme://host[:port] without a path")
    return tuple(raw)
