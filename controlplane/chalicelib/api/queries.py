"""Query parameters: unknown ones are refused by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chalicelib.domain.errors import BadRequest, not_longer
from chalicelib.domain.options import LONGEST_REASON

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class SecretQuery:
    """How a changed secret is to be rolled. now: at once and unchecked; wait: behind a running deployment."""

    now: bool
    wait: bool
    reason: str

    @property
    def if_busy(self) -> str:
        """The value of options.if_busy."""
        return "wait" if self.wait else "reject"


def secret_query(query: Mapping[str, str]) -> SecretQuery:
    """Raises BadRequest for an unknown parameter, a flag that is neither true nor false, and too long a reason."""
    refuse_unknown(query, ("now", "reason", "target", "wait"))
    reason = query.get("reason", "")
    not_longer("reason", reason, LONGEST_REASON)
    return SecretQuery(_flag(query, "now"), _flag(query, "wait"), reason)


def refuse_unknown(query: Mapping[str, str], names: Collection[str]) -> None:
    """Raises BadRequest for the first parameter, in order of names, that is not one of `names`."""
    for name in sorted(query):
        if name not in names:
            accepted = ", ".join(sorted(names)) or "none"
            raise BadRequest(f"unknown query parameter {name[:80]}", field=name, remedy=f"Parameters: {accepted}.")


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false")
    if text not in _FLAGS:
        raise BadRequest(f"{name} is {text[:80]!r}", field=name, remedy=f"Send {name}=true, or leave it out.")
    return _FLAGS[text]
