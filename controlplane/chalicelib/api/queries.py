"""Query parameters: unknown ones are refused by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chalicelib.domain.errors import BadRequest

from .answers import Call

_WORDS = {"true": True, "false": False}


def refuse_unknown(call: Call, names: Collection[str]) -> None:
    """Raises BadRequest for the first parameter, in order of names, that is not one of `names`."""
    for name in sorted(call.query):
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise BadRequest(f"unknown query parameter {name}", field=name, remedy=f"Parameters: {known}.")


def read_flags(call: Call, flags: Sequence[str], texts: Sequence[str] = ()) -> tuple[dict[str, bool], dict[str, str]]:
    """The values of flags (`true` or `false`, default false) and of texts (default "")."""
    refuse_unknown(call, (*flags, *texts))
    return {name: _flag(call, name) for name in flags}, {name: call.query.get(name, "") for name in texts}


def _flag(call: Call, name: str) -> bool:
    text = call.query.get(name, "false")
    if text not in _WORDS:
        raise BadRequest(f"{name} is {text[:80]!r}", field=name, remedy=f"{name}=true, or leave it out.")
    return _WORDS[text]
