"""`secret set`: a new key alone, or the whole secret. It prints which fields changed, never a value."""

import getpass
import json
import sys
from collections.abc import Iterable
from typing import TextIO

from ctl import exits
from ctl.client import ApiError, Client
from ctl.inputs import Refused, json_object
from ctl.shapes import StoredSecret
from ctl.words import clean


def set_secret(client: Client, environment: str, *, as_json: bool) -> int:
    """A key at the prompt or on standard input replaces the key only; JSON on standard input replaces everything."""
    value = _prompt() if sys.stdin.isatty() else _read(sys.stdin)
    stored = client.put_secret(environment, value) if isinstance(value, dict) else _set_key(environment, value, client)
    if as_json:
        sys.stdout.write(json.dumps(stored, indent=2) + "\n")
    else:
        _print(stored, sys.stdout, sys.stderr)
    return exits.DONE


def _set_key(environment: str, key: str, client: Client) -> StoredSecret:
    try:
        return client.patch_secret(environment, {"api_key": key})
    except ApiError as error:
        if error.status != 404 or error.error.get("code") != "NotFound":
            raise
    return client.put_secret(environment, {"schema": 1, "api_key": key, "models": {}})


def _prompt() -> str:
    try:
        # Never from the arguments: shells store those in their history, and every process list shows them.
        return _key(getpass.getpass("OpenAI API key: "), "the key")
    except EOFError:
        raise Refused("no key was entered") from None


def _read(source: TextIO) -> str | dict[str, object]:
    try:
        text = source.read().strip()
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
    out.write(f"{clean(stored.get('environment', ''))}: version {clean(stored.get('version_id', ''))} is stored\n")
    out.write(f"  changed      {_names(stored.get('changed', []), empty='nothing')}\n")
    out.write(f"  models       {_names(stored.get('models', []))}\n")
    out.write(f"  client keys  {_names(stored.get('client_keys', []))}\n")
    out.write(f"  secret       {clean(stored.get('secret_arn', ''))}\n")
    warning = stored.get("warning")
    if warning:
        err.write(f"proxyctl: warning: {clean(warning)}\n")


def _names(names: Iterable[str], empty: str = "none") -> str:
    return ", ".join(clean(name) for name in names) or empty
