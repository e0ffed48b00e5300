"""The secret's document of an environment file, with each reference replaced by the value that it names."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ctl.client import Client
from ctl.environments.files import EnvironmentFile
from ctl.inputs import Refused

ReadSecret = Callable[[str], str]  # the text of a secret in Secrets Manager, by name or ARN
_SCHEMA_1 = frozenset(
    {"api_key", "base_url", "organization", "project", "timeouts", "retries", "cors_origins", "models", "client_keys"}
)


def reader(client: Client) -> ReadSecret:
    """Reads from Secrets Manager with the client's credentials. Raises Refused for what AWS refuses."""

    def read(name: str) -> str:
        try:
            return str(client.aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        except (ClientError, KeyError) as problem:
            cause = "it is binary" if isinstance(problem, KeyError) else str(problem)
            raise Refused(f"the secret {name} cannot be read: {cause}") from None

    return read


def document(environment: EnvironmentFile, read_secret: ReadSecret) -> dict[str, Any]:
    """The fields of the secret that the file sets; {} when it sets none. Raises Refused without quoting a value."""
    content = environment.content
    fields = {name: content[name] for name in ("models", "client_keys") if name in content}
    provider = dict(content.get("provider", {}))
    if "upstreams" in provider:
        provider["upstreams"] = {
            name: _resolved(upstream, environment, f"provider.upstreams.{name}", read_secret)
            for name, upstream in provider["upstreams"].items()
        }
    fields |= _resolved(provider, environment, "provider", read_secret)
    return {"schema": _version(fields), **fields} if fields else {}


def _version(fields: Mapping[str, Any]) -> int:
    """2 when a field or a limit is used that version 1 of the secret's schema lacks."""
    newer_key = any(set(key) - {"id", "sha256"} for key in fields.get("client_keys", ()))
    newer_model = any("upstream" in model for model in fields.get("models", {}).values())
    return 2 if set(fields) - _SCHEMA_1 or newer_key or newer_model else 1


def _resolved(
    origin: Mapping[str, Any], environment: EnvironmentFile, where: str, read_secret: ReadSecret
) -> dict[str, Any]:
    if "api_key" not in origin:
        return dict(origin)
    value = resolve(origin["api_key"], environment.path.parent, f"{environment.path}: {where}.api_key", read_secret)
    return {**origin, "api_key": value}


def resolve(reference: Mapping[str, str], folder: Path, where: str, read_secret: ReadSecret) -> str:
    """The value that a reference names, without surrounding blanks. Raises Refused, naming `where`."""
    if "env" in reference:
        value = os.environ.get(reference["env"], "")
        source = f"the environment variable {reference['env']}"
    elif "file" in reference:
        value, source = _file(folder / reference["file"], where), reference["file"]
    else:
        value, source = read_secret(reference["secretsmanager"]), f"the secret {reference['secretsmanager']}"
        if "field" in reference:
            value = _field(value, reference["field"], f"{where}: {source}")
    if not value.strip():
        raise Refused(f"{where}: {source} is not set or empty")
    return value.strip()


def _file(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise Refused(f"{where}: {path} cannot be read: {cause}") from None


def _field(text: str, name: str, where: str) -> str:
    try:
        value = json.loads(text)[name]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{where} is no JSON object with the field {name}") from None
    return str(value)
