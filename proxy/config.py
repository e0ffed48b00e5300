"""The secret, decoded: everything that its operator decides about the proxy.

Unknown fields are refused by name: a misspelt `client_keys` that was ignored would leave the proxy open.
No message of this module ever holds a value of the secret, only the names of its fields.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
# The control plane has the same rules (core/secret_schema.py); tests/test_secret_agreement.py holds the two together.
# A host that a resolver takes (labels of 1 to 63 characters) and a path that a request line takes as it stands.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BASE_URL = (
    rf"(?i:(https?))://({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?((?:/[A-Za-z0-9._~%-]*)*)"
)
_ORIGIN = r"[a-z][a-z0-9+.-]*://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_MAX_NAME = 256  # characters of a model's name
_MAX_ID = 128  # characters of a client key's id: it becomes the value of a metric's dimension


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
    except (ValueError, RecursionError):  # nested beyond the parser's reach, it is no secret either
        raise ConfigError("the secret is not JSON") from None
    if not isinstance(raw, dict):
        raise ConfigError("the secret must be a JSON object")
    _known(raw, _FIELDS, "")
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


def _known(raw: dict[str, Any], fields: set[str], under: str) -> None:
    for name in sorted(set(raw) - fields):
        raise ConfigError(f"unknown field {(under + name)[:_MAX_NAME]!r}")  # it may hold anything, hence its repr


def _text(raw: dict[str, Any], name: str, default: str | None = None) -> str:
    value = raw.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or (default is None and not value):
        raise ConfigError(f"{name} must be a non-empty string")
    return value


def _header_text(value: str, name: str) -> str:
    # It is sent as a header: a line break in it would be a second header.
    if not value.isascii() or (value and not value.isprintable()) or " " in value:
        raise ConfigError(f"{name} must be printable ASCII without spaces")
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
    # Not by urlsplit, which drops line breaks and tabs. Compiled here, once a secret: most have no base_url.
    match = re.fullmatch(_BASE_URL, url)
    if match is None:
        raise ConfigError("base_url must be http(s)://host[:port]/path and nothing more")
    scheme, host, path = match[1].lower(), match[2].lower().strip("[]"), match[4].rstrip("/")
    port = int(match[3] or (443 if scheme == "https" else 80))
    if len(host) > 253 or (match[2].startswith("[") and not _is_ipv6(host)):
        raise ConfigError("base_url has a host that is none")
    if not 0 < port < 65_536:
        raise ConfigError("base_url has a port that is not between 1 and 65535")
    if {".", ".."} & set(re.sub("%2e", ".", path, flags=re.IGNORECASE).split("/")):
        raise ConfigError("base_url must not have dot segments in its path")
    if scheme == "http" and not _is_loopback(host):
        raise ConfigError("base_url must be https: over http the key would travel in the clear (only loopback may)")
    return scheme, host, port, path


def _is_ipv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    # Only digits after 127: a host may be named 127.example.com.
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 3600:
        raise ConfigError(f"{name} must be a number of seconds above 0 and at most 3600")
    return float(value)


def _timeouts(raw: dict[str, Any]) -> Timeouts:
    _known(raw, {"connect_s", "first_byte_s", "idle_s", "total_s"}, "timeouts.")
    return Timeouts(**{name: _seconds(value, f"timeouts.{name}") for name, value in raw.items()})


def _models(raw: dict[str, Any]) -> dict[str, Model]:
    for alias in raw:
        if not _is_name(alias, _MAX_NAME):
            raise ConfigError(f"models has an alias that is not 1 to {_MAX_NAME} printable characters")
    return {alias: _model(alias, value) for alias, value in raw.items()}


def _is_name(value: object, longest: int) -> bool:
    # Printable leaves out line breaks and lone surrogates, which no log line and no request can carry.
    return isinstance(value, str) and len(value) <= longest and value.isprintable() and value.strip() != ""


def _model(alias: str, raw: object) -> Model:
    where = f"models.{alias}"
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} must be an object")
    _known(raw, {"target", "timeout_s", "fallbacks"}, f"{where}.")
    target = raw.get("target")
    if not _is_name(target, _MAX_NAME):
        raise ConfigError(f"{where}.target must be 1 to {_MAX_NAME} printable characters")
    fallbacks = [] if raw.get("fallbacks") is None else raw["fallbacks"]
    if not isinstance(fallbacks, list) or not all(_is_name(name, _MAX_NAME) for name in fallbacks):
        raise ConfigError(f"{where}.fallbacks must be a list of model names")
    timeout = raw.get("timeout_s")
    limit = None if timeout is None else _seconds(timeout, f"{where}.timeout_s")
    return Model(str(target), limit, tuple(fallbacks))


def _retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 5:
        raise ConfigError("retries must be a whole number from 0 to 5")
    return value


def _client_keys(raw: list[Any]) -> tuple[tuple[str, bytes], ...]:
    keys: dict[str, bytes] = {}
    for index, entry in enumerate(raw):
        where = f"client_keys[{index}]"
        if not isinstance(entry, dict) or set(entry) != {"id", "sha256"}:
            raise ConfigError(f"{where} must have exactly the fields id and sha256")
        name = entry["id"]
        if not _is_name(name, _MAX_ID):
            raise ConfigError(f"{where}.id must be 1 to {_MAX_ID} printable characters")
        if name in keys:
            raise ConfigError(f"{where}.id is that of an earlier key")
        keys[name] = _digest(entry["sha256"], f"{where}.sha256")
    return tuple(keys.items())


def _digest(value: object, where: str) -> bytes:
    # fromhex alone would let white space through.
    if not isinstance(value, str) or len(value) != 64 or not value.isalnum():
        raise ConfigError(f"{where} must be a SHA-256 in hexadecimal (64 characters)")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise ConfigError(f"{where} must be a SHA-256 in hexadecimal (64 characters)") from None


def _origins(raw: list[Any]) -> tuple[str, ...]:
    # An Origin header is compared with it as it stands: what no browser sends would never match.
    for index, origin in enumerate(raw):
        if origin != "*" and not (isinstance(origin, str) and re.fullmatch(_ORIGIN, origin)):
            raise ConfigError(f"cors_origins[{index}] must be '*' or scheme://host[:port] without a path")
    return tuple(raw)
