"""The shape of an environment's secret (schema 1), checked before it is stored and again before it is rolled out.

`proxy/config.py` reads the same document and must agree; a test holds the two together. No message of this module ever
holds a value of the secret, only the names of its fields: the document holds keys.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .errors import BadRequest

SCHEMA = 1
OPENAI_HOST = "api.openai.com"
_FIELDS = frozenset(
    [
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
    ]
)
_TIMEOUTS = frozenset({"connect_s", "first_byte_s", "idle_s", "total_s"})
_OPENAI_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,}")
_MAX_SECONDS = 3_600
_MAX_RETRIES = 5
_MAX_BYTES = 65_536  # what Secrets Manager takes
_MAX_NAME = 256  # characters of a model's name; CloudWatch takes no longer dimension
_MAX_CLIENT = 128
# A host that a resolver takes (labels of 1 to 63 characters) and a path that a request line takes as it stands.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BASE_URL = re.compile(
    rf"(?i:(https?))://({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?((?:/[A-Za-z0-9._~%-]*)*)"
)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Secret:
    """What may be told of a secret: all but its keys. models: target by alias; client_keys: their ids."""

    schema: int
    base_url: str
    models: Mapping[str, str]
    client_keys: Sequence[str] = ()
    cors_origins: Sequence[str] = ()


def _wrong(field: str, must: str, remedy: str = "") -> BadRequest:
    return BadRequest(
        f"the secret's field {field} {must}",
        code="SecretMalformed",
        field=field,
        remedy=remedy or f"Correct {field} and store the secret again.",
    )


def parsed(text: str) -> Any:
    """The document in a secret's text. Raises BadRequest (code SecretMalformed)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("the secret is not JSON", code="SecretMalformed", field="(document)") from None


def check(document: Any) -> Secret:
    """The decoded JSON of a secret. Raises BadRequest (code SecretMalformed) naming the first wrong field."""
    if not isinstance(document, Mapping):
        raise _wrong("(document)", "must be a JSON object")
    if (size := len(json.dumps(document).encode())) > _MAX_BYTES:
        raise _wrong("(document)", f"is {size} bytes long; Secrets Manager takes {_MAX_BYTES}", "Store less in it.")
    _known(document, _FIELDS, "")
    if document.get("schema") != SCHEMA or isinstance(document.get("schema"), bool):
        raise _wrong("schema", f"must be {SCHEMA}", f'Add "schema": {SCHEMA}.')
    base_url = _base_url(document.get("base_url"))
    _api_key(document.get("api_key"), base_url)
    for name in ("organization", "project"):
        if document.get(name) is not None:
            _header_text(document[name], name, may_be_empty=True)
    _timeouts(document.get("timeouts"))
    _retries(document.get("retries", 2))
    return Secret(
        schema=SCHEMA,
        base_url=base_url,
        models=_models(document.get("models")),
        client_keys=_client_keys(document.get("client_keys")),
        cors_origins=_origins(document.get("cors_origins")),
    )


def _known(given: Mapping[str, Any], fields: frozenset[str], under: str) -> None:
    for name in sorted(set(given) - fields):
        raise _wrong(f"{under}{name}", "is not known", f"Remove it; known here are {', '.join(sorted(fields))}.")


def _header_text(value: Any, field: str, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or may_be_empty):
        raise _wrong(field, "must be a non-empty string")
    # It is sent as a header: a line break in it would be a second header.
    if not value.isascii() or (value and not value.isprintable()) or " " in value:
        raise _wrong(field, "must be printable ASCII without spaces")
    return value


def _api_key(value: Any, base_url: str) -> None:
    key = _header_text(value, "api_key")
    at_openai = not base_url or urlsplit(base_url).hostname == OPENAI_HOST
    if at_openai and not _OPENAI_KEY.fullmatch(key):
        raise _wrong(
            "api_key",
            "does not look like an OpenAI key (sk-, then at least 16 letters, digits, - or _)",
            "Copy the key again from the provider's console; for another provider set base_url.",
        )


def _base_url(value: Any) -> str:
    if value is None:
        return ""
    # Not by urlsplit, which drops line breaks and tabs and takes ports that are none.
    match = _BASE_URL.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[3] or 443) < 65_536:
        raise _wrong("base_url", "must be https://host[:port]/path and nothing more")
    host = match[2].lower().strip("[]")
    if len(host) > 253 or (match[2].startswith("[") and not _is_ip6(host)):
        raise _wrong("base_url", "has a host that is none")
    if {".", ".."} & set(re.sub("%2e", ".", match[4], flags=re.IGNORECASE).split("/")):
        raise _wrong("base_url", "must not have dot segments in its path")
    loopback = host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())
    if match[1].lower() == "http" and not loopback:
        raise _wrong("base_url", "must be https: over http the key would travel in the clear (only loopback may)")
    return str(value)


def _is_ip6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _name(value: Any, field: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > most:
        raise _wrong(field, f"must be a printable text of 1 to {most} characters")
    return value


def _seconds(value: Any, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MAX_SECONDS:
        raise _wrong(field, f"must be a number of seconds above 0 and at most {_MAX_SECONDS}")


def _timeouts(given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise _wrong("timeouts", "must be an object")
    _known(given, _TIMEOUTS, "timeouts.")
    for name, value in given.items():
        _seconds(value, f"timeouts.{name}")


def _models(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _wrong("models", "must be an object of {alias: {target, …}}")
    return {_name(alias, "models", _MAX_NAME): _model(model, f"models.{alias}") for alias, model in given.items()}


def _model(given: Any, where: str) -> str:
    if not isinstance(given, Mapping):
        raise _wrong(where, "must be an object with a target")
    _known(given, frozenset({"target", "timeout_s", "fallbacks"}), f"{where}.")
    target = _name(given.get("target"), f"{where}.target", _MAX_NAME)
    for index, name in enumerate(_list(given.get("fallbacks"), f"{where}.fallbacks")):
        _name(name, f"{where}.fallbacks[{index}]", _MAX_NAME)
    if given.get("timeout_s") is not None:
        _seconds(given["timeout_s"], f"{where}.timeout_s")
    return target


def _retries(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_RETRIES:
        raise _wrong("retries", f"must be a whole number from 0 to {_MAX_RETRIES}")


def _list(given: Any, field: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise _wrong(field, "must be a list")
    return given


def _client_keys(given: Any) -> tuple[str, ...]:
    ids: list[str] = []
    for index, entry in enumerate(_list(given, "client_keys")):
        where = f"client_keys[{index}]"
        if not isinstance(entry, Mapping) or set(entry) != {"id", "sha256"}:
            raise _wrong(where, "must have exactly the fields id and sha256")
        if _name(entry["id"], f"{where}.id", _MAX_CLIENT) in ids:
            raise _wrong(f"{where}.id", "stands there twice: logs and metrics could not tell them apart")
        digest = entry["sha256"]
        if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise _wrong(f"{where}.sha256", "must be the key's SHA-256 in hexadecimal (64 characters)")
        ids.append(entry["id"])
    return tuple(ids)


def _origins(given: Any) -> tuple[str, ...]:
    origins = _list(given, "cors_origins")
    for index, origin in enumerate(origins):
        if origin == "*":
            continue
        if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
            raise _wrong(f"cors_origins[{index}]", "must be '*' or scheme://host[:port] without a path")
    return tuple(origins)
