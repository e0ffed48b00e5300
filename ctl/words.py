"""What people read: text of others made harmless, commands to type, why a deployment failed and what it waits for."""

import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Control and format characters, surrogates, line and paragraph separators: they move cursors and hide text.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: object) -> str:
    """`text` in one line that a terminal shows as it is: whatever would act on it stands there escaped."""
    return "".join(_escaped(sign) if unicodedata.category(sign) in _HARMFUL else sign for sign in str(text))


def clean_lines(text: object) -> str:
    """The same for a text of several lines."""
    return "\n".join(clean(line) for line in str(text).split("\n"))


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def command(executable: str = sys.executable) -> str:
    """How to call this client from here, to be copied into a shell."""
    path, here = Path(executable), Path.cwd()
    shown = os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
    return f"{shown} -m ctl"


def question(deployment: Mapping[str, Any]) -> str:
    """What a deployment that waits for a person asks, with the answers to type; "" when it does not wait."""
    if deployment["status"] != "WAITING_APPROVAL":
        return ""
    until = (deployment.get("approval") or {}).get("until")
    asked = f"{deployment['id']} waits for your approval{f' until {until}' if until else ''}. Type one of"
    answers = (("approve", "users get the new version"), ("abort", "it goes back, users notice nothing"))
    typed = [f"  {command()} {verb} {deployment['id']}   # {what}" for verb, what in answers]
    return clean_lines("\n".join([asked, *typed]))


def note(row: Mapping[str, Any]) -> str:
    """What a phase or step has to say: its error if it has one, else its summary."""
    error = row.get("error")
    if error:
        return clean(f"{error.get('code', 'Error')}: {error.get('message', '')}")
    return clean(row.get("summary") or "")


def failure(deployment: Mapping[str, Any]) -> str:
    """Why a deployment did not succeed, with the remedy, in one or two lines."""
    failed = [row for row in rows(deployment) if row["status"] == "FAILED"]
    # The phase's own error is the cause; what the record says afterwards may only sum up.
    error: Mapping[str, Any] = (failed[0].get("error") if failed else None) or deployment.get("error") or {}
    phase = failed[0]["name"] if failed else deployment.get("current_phase") or "no phase"
    cause = f"{error.get('code', 'unknown')}: {error.get('message', 'no cause recorded')}"
    line = clean(f"{deployment['status']} in {phase}: {cause}")
    remedy = error.get("remedy")
    return f"{line}\n  remedy: {clean(remedy)}" if remedy else line


def rows(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Phases and steps in the order in which they ran; those that have not yet come last."""
    everything = [*deployment.get("phases", []), *deployment.get("steps", [])]
    return sorted(everything, key=lambda row: (row.get("started_at") or "9", row["number"]))
