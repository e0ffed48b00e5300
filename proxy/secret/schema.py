"""The schema of an environment's secret (versions 1 and 2), shared by the proxy and the control plane.

The proxy reads a secret with this module, the control plane checks one before it stores it: both reach one verdict.
It imports the standard library and values.py only. Unknown fields are refused by name: a misspelt `client_keys` that
was ignored would leave the proxy open. No message holds a value of the secret, only names of fields.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.secret import values
from proxy.secret.values import DOCUMENT, MAX_NAME, SecretError, is_loopback, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DOCUMENT",
    "MAX_NAME",
    "ClientKey",
    "Config",
    "Model",
    "SecretError",
    "Timeouts",
    "Upstream",
    "decode",
    "is_loopback",
    "parse",
    "parse_json",
    "read",
]
SCHEMAS = (1, 2)
DEFAULT_BASE_URL = "https://api.openai.com/v1"
AUTH_STYLES = ("bearer", "api-key")
MAX_ID = 128  # characters of a client key's id and an upstream's name: both become values of dimensions or log fields
MAX_SECONDS = 3600.0
MAX_RETRIES = 5
MAX_PER_MINUTE = 1_000_000
_ORIGIN_FIELDS = {"api_key", "base_url", "organization", "project"}
_FIELDS_1 = {"schema", "models", "timeouts", "retries", "client_keys", "cors_origins"} | _ORIGIN_FIELDS
_UPSTREAM_FIELDS = {"auth", "query"} | _ORIGIN_FIELDS
_FIELDS_2 = {"upstreams"} | _UPSTREAM_FIELDS | _FIELDS_1
_MODEL_FIELDS = {"target", "timeout_s", "fallbacks"}
_CLIENT_FIELDS = {"id", "sha256"}
_OF_NOTHING = hashlib.sha256(b"").digest()
_CLIENT_LIMITS = {"models", "requests_per_minute", "expires"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds. OpenAI's own SDK waits 600 s in all; reasoning models use much of it silently."""

    connect_s: float = 5.0
    first_byte_s: float = 600.0
    idle_s: float = 120.0
    total_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider and the key for it; `repr` leaves the key out. `name` is empty for the default upstream."""

    api_key: str = field(repr=False)
    scheme: str
    host: str
    port: int
    base_path: str
    name: str = ""
    auth: str = "bearer"  # or "api-key": the header of that name, as Azure takes it
    organization: str = ""
    project: str = ""
    query: str = ""  # appended to every request, for example api-version=2024-10-21


@dataclass(frozen=True, slots=True)
class Model:
    """What an alias stands for. `upstream`: a name of Config.upstreams, empty for the default one."""

    target: str
    timeout_s: float | None = None
    fallbacks: tuple[str, ...] = ()
    upstream: str = ""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A caller's key by its SHA-256 digest, and its limits; None means no limit. `expires`: seconds since the epoch."""

    id: str
    digest: bytes = field(repr=False)
    models: frozenset[str] | None = None
    requests_per_minute: float | None = None
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A decoded secret."""

    upstream: Upstream
    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: int = 2
    client_keys: tuple[ClientKey, ...] = ()
    cors_origins: tuple[str, ...] = ()
    schema: int = 1
    version_id: str = ""

    def upstream_named(self, name: str) -> Upstream:
        """The upstream of that name; the default one for an empty name, and for one that a newer secret lacks."""
        return self.upstreams.get(name, self.upstream) if name else self.upstream


def decode(text: str, version_id: str = "") -> Config:
    """Decode the secret's JSON text. Raises SecretError naming the first wrong field."""
    return read(parse(text), version_id)


def parse(text: str) -> object:
    """The document in a secret's text, after a byte-order mark if an editor left one. Raises SecretError."""
    try:
        return parse_json(text.removeprefix("\ufeff"))
    except SecretError:
        raise
    except (ValueError, RecursionError):  # nested beyond the parser's reach, it is no secret either
        raise SecretError(DOCUMENT, "is not JSON") from None


def read(document: object, version_id: str = "") -> Config:
    """The configuration in a decoded document. Raises SecretError naming the first wrong field."""
    raw = values.json_object(document, DOCUMENT)
    schema = raw.get("schema")
    if isinstance(schema, bool) or schema not in SCHEMAS:
        raise SecretError("schema", "must be 1 or 2", 'Add "schema": 2.')
    limits = schema == 2
    values.check_names(raw, _FIELDS_2 if limits else _FIELDS_1, "")
    upstreams = {name: _named(name, value) for name, value in values.optional_object(raw, "upstreams").items()}
    return Config(
        upstream=_upstream({name: raw[name] for name in raw.keys() & _UPSTREAM_FIELDS}, "", ""),
        upstreams=upstreams,
        models=_models(values.optional_object(raw, "models"), upstreams, limits=limits),
        timeouts=_timeouts(values.optional_object(raw, "timeouts")),
        retries=values.whole_number(raw.get("retries", 2), "retries", 0, MAX_RETRIES),
        client_keys=_client_keys(raw, limits=limits),
        cors_origins=values.origins(values.optional_list(raw, "cors_origins", "cors_origins")),
        schema=int(limits) + 1,
        version_id=version_id,
    )


def _named(name: str, value: object) -> Upstream:
    where = f"upstreams.{values.name(name, 'upstreams', MAX_ID)}"
    return _upstream(values.json_object(value, where), f"{where}.", name)


def _upstream(raw: dict[str, object], under: str, name: str) -> Upstream:
    values.check_names(raw, _UPSTREAM_FIELDS, under)
    if name and raw.get("base_url") is None:
        raise SecretError(f"{under}base_url", "must be a URL: only the default upstream has a default")
    base_url = DEFAULT_BASE_URL if raw.get("base_url") is None else raw["base_url"]
    scheme, host, port, path = values.base_url(base_url, f"{under}base_url")
    auth = "bearer" if raw.get("auth") is None else raw["auth"]
    if auth not in AUTH_STYLES:
        raise SecretError(f"{under}auth", f"must be one of {', '.join(AUTH_STYLES)}")
    organization, project = (
        "" if raw.get(text) is None else values.header_text(raw[text], under + text, may_be_empty=True)
        for text in ("organization", "project")
    )
    key = values.header_text(raw.get("api_key"), f"{under}api_key")
    query = values.query(raw.get("query"), f"{under}query")
    return Upstream(key, scheme, host, port, path, name, str(auth), organization, project, query)


def _timeouts(raw: dict[str, object]) -> Timeouts:
    values.check_names(raw, {"connect_s", "first_byte_s", "idle_s", "total_s"}, "timeouts.")
    return Timeouts(**{name: _seconds(value, f"timeouts.{name}") for name, value in raw.items()})


def _seconds(value: object, where: str) -> float:
    return values.number(value, where, MAX_SECONDS, "seconds")


def _models(raw: dict[str, object], upstreams: Mapping[str, Upstream], *, limits: bool) -> dict[str, Model]:
    names = _MODEL_FIELDS | {"upstream"} if limits else _MODEL_FIELDS
    models = {alias: _model(alias, value, upstreams, names) for alias, value in raw.items()}
    for alias in models:
        _check_fallbacks(alias, models)
    return models


def targets_of(name: str, models: Mapping[str, Model]) -> list[tuple[str, str]]:
    """(model, name of its upstream) in the order in which a request for `name` tries them.

    A fallback that is an alias stands for its target; the fallbacks of that alias are not tried. One that is no alias
    goes to the upstream of the alias that lists it.
    """
    model = models.get(name)
    if model is None:
        return [(name, "")]
    targets = [(model.target, model.upstream)]
    for fallback in model.fallbacks:
        alias = models.get(fallback)
        targets.append((fallback, model.upstream) if alias is None else (alias.target, alias.upstream))
    return targets


def _check_fallbacks(alias: str, models: Mapping[str, Model]) -> None:
    """Refuse a fallback that stands for what was tried before it, such as the alias itself."""
    _, *after = targets = targets_of(alias, models)
    for index, target in enumerate(after):
        if target in targets[: index + 1]:
            raise SecretError(
                f"models.{alias}.fallbacks[{index}]",
                "stands for a model that has failed before its turn comes",
                "Name another model, or remove it. An alias stands for its target.",
            )


def _model(alias: str, value: object, upstreams: Mapping[str, Upstream], names: set[str]) -> Model:
    where = f"models.{values.name(alias, 'models', MAX_NAME)}"
    raw = values.json_object(value, where)
    values.check_names(raw, names, f"{where}.")
    target = values.name(raw.get("target"), f"{where}.target", MAX_NAME)
    fallbacks = values.names(values.optional_list(raw, "fallbacks", f"{where}.fallbacks"), f"{where}.fallbacks")
    timeout = raw.get("timeout_s")
    limit = None if timeout is None else _seconds(timeout, f"{where}.timeout_s")
    upstream = raw.get("upstream")
    if upstream is not None and (not isinstance(upstream, str) or upstream not in upstreams):
        raise SecretError(f"{where}.upstream", "must be a name of upstreams")
    return Model(target, limit, fallbacks, upstream or "")


def _client_keys(raw: dict[str, object], *, limits: bool) -> tuple[ClientKey, ...]:
    listed = values.optional_list(raw, "client_keys", "client_keys")
    if raw.get("client_keys") == []:
        # Read as "no rule" it would open the proxy to every caller, where its author may have meant none.
        must = "must list a key: an empty list does not say whether nobody or everybody may call"
        raise SecretError("client_keys", must, "Add a key. Without the field, or with null, everybody may call.")
    keys: dict[str, ClientKey] = {}
    digests: set[bytes] = set()
    for index, value in enumerate(listed):
        where = f"client_keys[{index}]"
        entry = values.json_object(value, where)
        values.check_names(entry, _CLIENT_FIELDS | _CLIENT_LIMITS if limits else _CLIENT_FIELDS, f"{where}.")
        name = values.name(entry.get("id"), f"{where}.id", MAX_ID)
        if name in keys:
            raise SecretError(f"{where}.id", "is that of an earlier key: logs and metrics could not tell them apart")
        key = _client_key(name, entry, where)
        if key.digest in digests:
            raise SecretError(f"{where}.sha256", "is that of an earlier key: only one of their limits could count")
        keys[name] = key
        digests.add(key.digest)
    return tuple(keys.values())


def _client_key(name: str, entry: dict[str, object], where: str) -> ClientKey:
    digest, rate, models = entry.get("sha256"), entry.get("requests_per_minute"), entry.get("models")
    # fromhex alone would let white space through.
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise SecretError(f"{where}.sha256", "must be the key's SHA-256 in hexadecimal (64 characters)")
    if bytes.fromhex(digest) == _OF_NOTHING:
        remedy = "The variable was not set, perhaps: printf %s KEY | sha256sum."
        raise SecretError(f"{where}.sha256", "is the SHA-256 of an empty key", remedy)
    allowed = values.names(values.optional_list(entry, "models", f"{where}.models"), f"{where}.models")
    rate_field = f"{where}.requests_per_minute"
    return ClientKey(
        name,
        bytes.fromhex(digest),
        models=None if models is None else frozenset(allowed),
        requests_per_minute=None if rate is None else values.number(rate, rate_field, MAX_PER_MINUTE, "requests"),
        expires=values.moment(entry.get("expires"), f"{where}.expires"),
    )
