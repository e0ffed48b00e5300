"""`secret set`, `show`, `history` and `rollback`. They print names, fingerprints and versions, never a value."""

import getpass
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from ctl import exits
from ctl.client import ApiError, Client
from ctl.inputs import BYTE_ORDER_MARK, Refused, json_object
from ctl.rolling import follow
from ctl.shapes import SecretView, StoredSecret
from ctl.words import clean


@dataclass(frozen=True)
class How:
    """How a changed secret is to be rolled. now: at once and unchecked; wait: behind a running deployment. target:
    config.target of an environment that is new, as JSON; "" for one that exists, or at home."""

    now: bool = False
    wait: bool = False
    reason: str = ""
    no_follow: bool = False
    as_json: bool = False
    target: str = ""

    @property
    def query(self) -> dict[str, str]:
        flags = {name: "true" for name in ("now", "wait") if getattr(self, name)}
        texts = {name: value for name in ("reason", "target") if (value := getattr(self, name))}
        return flags | texts


def set_secret(client: Client, environment: str, how: How) -> int:
    """A key at the prompt or on standard input replaces the key only; JSON on standard input replaces everything."""
    value = _prompt() if sys.stdin.isatty() else _read(sys.stdin)
    if isinstance(value, dict):
        stored = client.put_secret(environment, value, how.query)
    else:
        stored = _set_key(environment, value, how.query, client)
    return _finish(stored, how, client)


def _set_key(environment: str, key: str, query: Mapping[str, str], client: Client) -> StoredSecret:
    try:
        return client.patch_secret(environment, {"api_key": key}, query)
    except ApiError as error:
        if error.status != 404 or error.error.get("code") != "NotFound":
            raise
    # Only where there is still none: a whole document would take models and client keys away from another's.
    return client.put_secret(environment, {"schema": 1, "api_key": key, "models": {}}, query, only_new=True)


def _finish(stored: StoredSecret, how: How, client: Client) -> int:
    """Print what was stored, and follow the deployment that rolls it to its end."""
    if how.as_json:
        sys.stdout.write(json.dumps(stored, indent=2) + "\n")
    else:
        _print(stored, sys.stdout, sys.stderr)
    deployment = stored.get("deployment")
    if deployment is None or how.no_follow or how.as_json:
        return exits.DONE
    return follow(client, deployment)


def show(client: Client, environment: str, *, as_json: bool) -> int:
    """`secret show`: fields and fingerprints of their values, never a value."""
    secret = client.secret(environment)
    if as_json:
        sys.stdout.write(json.dumps(secret, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{clean(line)}\n" for line in _shown(secret))
    return exits.DONE


def _shown(secret: SecretView) -> Iterator[str]:
    yield f"{secret.get('secret_arn', '')}"
    if secret.get("adopted"):
        yield "  adopted: its owner stores and rotates it"
    if secret.get("scheduled_for_deletion"):
        yield "  scheduled for deletion; `secret set` cancels that"
    if version := secret.get("version_id"):
        yield f"  version      {version}, stored {secret.get('stored_at', '?')}"
    if pending := secret.get("pending_version_id"):
        yield f"  pending      {pending}, which only the candidate reads"
    if problem := secret.get("problem"):
        yield f"  problem      {problem}"
    for name, fingerprint in secret.get("fields", {}).items():
        yield f"  {name:<12} sha256 {fingerprint}"
    if secret.get("fields"):
        yield f"  models: {_names(secret.get('models', []))}; client keys: {_names(secret.get('client_keys', []))}"


def history(client: Client, environment: str, *, as_json: bool) -> int:
    """`secret history`: the versions that can be gone back to, newest first."""
    versions = client.secret_versions(environment)
    if as_json:
        sys.stdout.write(json.dumps(versions, indent=2) + "\n")
        return exits.DONE
    for version in versions:
        marks = [
            mark for mark, holds in (("current", version.get("current")), ("pending", version.get("pending"))) if holds
        ]
        by = ", ".join(version.get("deployments", [])) or "no release"
        line = f"{version['version_id']}  {version.get('stored_at') or '?'}  {' '.join(marks) or '-'}  {by}"
        sys.stdout.write(f"{clean(line)}\n")
    return exits.DONE


def roll_back(client: Client, environment: str, version: str | None, how: How) -> int:
    """`secret rollback`: an earlier version, checked on the candidate as any other; the code stays."""
    return _finish(client.roll_back_secret(environment, version, how.query), how, client)


def _prompt() -> str:
    try:
        # Never from the arguments: shells store those in their history, and every process list shows them.
        return _key(getpass.getpass("OpenAI API key: "), "the key")
    except EOFError:
        raise Refused("no key was entered") from None


def _read(source: TextIO) -> str | dict[str, object]:
    try:
        text = source.read().removeprefix(BYTE_ORDER_MARK).strip()
    except UnicodeDecodeError:
        raise Refused("standard input is not UTF-8 text") from None
    if text[:1] in ("{", "[", '"'):
        return json_object("standard input", text)
    return _key(text, "standard input")


def _key(text: str, where: str) -> str:
    """The key without surrounding blanks. Raises Refused without quoting the text, which may be most of a key."""
    key = text.strip()
    if not key:
        raise Refused(f"{where} is empty; enter the key, or on standard input the whole secret as a JSON object")
    if key.startswith("@"):
        raise Refused(f"{where} begins with @; to read a file, type `secret set … < file`")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Refused(f"{where} is neither a key (one word of printable ASCII) nor a JSON object")
    return key


def _print(stored: StoredSecret, out: TextIO, err: TextIO) -> None:
    version = clean(stored.get("version_id", ""))
    out.write(f"{clean(stored.get('environment', ''))}: version {version} is stored{_what_follows(stored)}\n")
    out.write(f"  changed      {_names(stored.get('changed', []), empty='nothing')}\n")
    out.write(f"  models       {_names(stored.get('models', []))}\n")
    out.write(f"  client keys  {_names(stored.get('client_keys', []))}\n")
    out.write(f"  secret       {clean(stored.get('secret_arn', ''))}\n")
    warning = stored.get("warning")
    if warning:
        err.write(f"proxyctl: warning: {clean(warning)}\n")


def _what_follows(stored: StoredSecret) -> str:
    within_s = stored.get("users_have_it_within_s")
    if stored.get("state") == "ROLLING":
        return f"; {clean(stored.get('deployment', ''))} checks it, then users have it within {within_s} s"
    if stored.get("state") == "LIVE":
        return f"; unchecked, users have it within {within_s} s"
    return ""


def _names(names: Iterable[str], empty: str = "none") -> str:
    return ", ".join(clean(name) for name in names) or empty
