"""JSON in requests, read strictly since parsers disagree about the rest, and answers' bodies as JSON values."""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec

from chalicelib.domain.errors import BadRequest
from proxy.secret.schema import SecretError, parse_json

from .responses import DeploymentPage, DeploymentView, SecretView, StoredSecret


def body_of(body: object) -> object:
    """A body of `responses` as JSON values; text and JSON values as they are."""
    plain: Any = msgspec.json.decode(msgspec.json.encode(body))
    if isinstance(body, DeploymentView | StoredSecret | SecretView):
        return _without_absent(plain)
    if isinstance(body, DeploymentPage):
        return plain | {"deployments": [_untraced(_without_absent(row)) for row in plain["deployments"]]}
    return plain


def _without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that are None, at the top only: null in `config` and `options` says that a rule is off."""
    return {name: value for name, value in fields.items() if value is not None}


def _untraced(row: dict[str, Any]) -> dict[str, Any]:
    """Without the times of the requests of its load test: 10,000 numbers a deployment, which `show` answers."""
    return row | {"options": row["options"] | {"load": row["options"]["load"] | {"trace": []}}}


def json_object(text: bytes, field: str, *, remedy: str) -> dict[str, object]:
    """The object in a text, after a byte-order mark if there is one. field: `body`, or the name of the parameter.

    Raises BadRequest for anything else, for a field that stands twice, and for text that UTF-8 cannot hold.
    """
    what = "the body" if field == "body" else field
    try:
        document = parse_json(text.removeprefix(codecs.BOM_UTF8), _refuse_constant)
        # Half a surrogate pair is valid JSON, but cannot be stored as UTF-8.
        json.dumps(document, ensure_ascii=False).encode()
    except SecretError as error:
        prefix = "" if field == "body" else f"{field}."
        raise BadRequest(f"{prefix}{error}", field=f"{prefix}{error.field}", remedy=error.remedy) from error
    except RecursionError as error:
        raise BadRequest(f"{what} is nested too deeply", field=field, remedy=remedy) from error
    except ValueError as error:
        raise BadRequest(f"{what} is not JSON: {error}", field=field, remedy=remedy) from error
    if not isinstance(document, dict):
        raise BadRequest(f"{what} is not a JSON object", field=field, remedy=remedy)
    return document


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
