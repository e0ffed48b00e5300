"""`secret set`: a new key alone, or the whole secret; told is what was changed, never a value."""

import argparse
import getpass
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from ctl.client import ApiError, Client
from ctl.given import Refused, json_object
from ctl.words import clean


def set_secret(asked: argparse.Namespace, client: Client) -> int:
    """A key at the prompt or on standard input changes the key only; JSON on standard input replaces everything."""
    given = _prompted() if sys.stdin.isatty() else _read(sys.stdin)
    if isinstance(given, dict):
        told = client.put_secret(asked.environment, given)
    else:
        told = _set_key(asked.environment, given, client)
    _tell(told, sys.stdout, sys.stderr)
    return 0


def _set_key(environment: str, key: str, client: Client) -> dict[str, Any]:
    try:
        return client.patch_secret(environment, {"api_key": key})
    except ApiError as error:
        if error.status != 404 or error.error.get("code") != "NotFound":
            raise
    return client.put_secret(environment, {"schema": 1, "api_key": key, "models": {}})


def _prompted() -> str:
    try:
        # Never from the arguments: they stand in the shell's history and in every process list.
        return _key(getpass.getpass("OpenAI API key: "), "the key")
    except EOFError:
        raise Refused("no key was given") from None


def _read(source: TextIO) -> str | dict[str, Any]:
    try:
        text = source.read().strip()
    except UnicodeDecodeError:
        raise Refused("standard input is not UTF-8 text") from None
    if text[:1] in ("{", "[", '"'):
        return json_object("standard input", text)
    return _key(text, "standard input")


def _key(text: str, where: str) -> str:
    key = text.strip()
    if not key:
        raise Refused(f"{where} is empty; give the key, or on standard input the whole secret as a JSON object")
    if key.startswith("@"):
        raise Refused(f"{where} begins with @; a file is given as `secret set … < file`")
    # What is wrong is told without the text: it may be most of a key.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Refused(f"{where} is no key (one word of printable ASCII), and no JSON object")
    return key


def _tell(told: Mapping[str, Any], out: TextIO, err: TextIO) -> None:
    out.write(f"{clean(told.get('environment', ''))}: version {clean(told.get('version_id', ''))} is stored\n")
    out.write(f"  changed      {_names(told.get('changed'), none='nothing')}\n")
    out.write(f"  models       {_names(told.get('models'))}\n")
    out.write(f"  client keys  {_names(told.get('client_keys'))}\n")
    out.write(f"  secret       {clean(told.get('secret_arn', ''))}\n")
    if told.get("warning"):
        err.write(f"proxyctl: warning: {clean(told['warning'])}\n")


def _names(names: Any, none: str = "none") -> str:
    return ", ".join(clean(name) for name in names or []) or none
