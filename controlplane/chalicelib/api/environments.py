"""`/environments`: list, show one with its history, and put its secret."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid

from ..core.dora import dora
from ..core.naming import Names
from ..core.secret_schema import check
from ..core.view import environment_shown
from ..ports import Aws
from .answers import Answer, Call, Clock, unknown

_HISTORY = 20
_DORA_ENTRIES = 500  # enough for 30 days of a rollout every hour and a half


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    return Answer(200, {"environments": [environment_shown(item) for item in aws.records.environments()]})


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown(name, field="name")
    history = aws.records.history(name, _DORA_ENTRIES)
    told = environment_shown(environment, history[:_HISTORY])
    return Answer(200, told | {"dora": dataclasses.asdict(dora(history, clock()))})


def put_secret(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Straight into Secrets Manager. The answer tells what was stored, never the key."""
    names = Names(call.path["name"])
    given = call.json()
    secret = check(given)
    # A token made from the text would make "back to the key before last" a repetition that changes nothing.
    token = call.headers.get("idempotency-key") or str(uuid.uuid4())
    stored = aws.secrets.store(names.secret, json.dumps(given), tags=names.tags, token=_token(token))
    told = {
        "environment": names.environment,
        "secret_arn": stored.arn,
        "version_id": stored.stages.get("AWSCURRENT"),
        "models": sorted(secret.models),
    }
    return Answer(200, told)


def _token(key: str) -> str:
    """Secrets Manager takes 32 to 64 characters."""
    return hashlib.sha256(key.encode()).hexdigest()
