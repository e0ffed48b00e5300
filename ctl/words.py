"""Text for people: escaped text from outside, commands to type, why a deployment failed, what it waits for."""

import os
import sys
import unicodedata
from pathlib import Path

from ctl.remedies import in_flags
from ctl.shapes import Deployment, Error, Row

# Control and format characters, surrogates, line and paragraph separators: they move cursors and hide text.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: object) -> str:
    """`text` in one line, with everything escaped that would act on a terminal."""
    return "".join(_escaped(char) if unicodedata.category(char) in _HARMFUL else char for char in str(text))


def clean_lines(text: object) -> str:
    """The same for text of several lines."""
    return "\n".join(clean(line) for line in str(text).split("\n"))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def counted(count: object, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def command(executable: str = sys.executable, program: str = sys.argv[0]) -> str:
    """How to call this client from the current folder, to be copied into a shell."""
    if Path(program).name == "proxyctl":
        return "proxyctl"
    path, here = Path(executable), Path.cwd()
    shown = os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
    return f"{shown} -m ctl"


def question(deployment: Deployment) -> str:
    """What a deployment in WAITING_APPROVAL asks, with the commands that answer it; "" in any other state."""
    if deployment["status"] != "WAITING_APPROVAL":
        return ""
    until = (deployment.get("approval") or {}).get("until")
    head = f"{deployment['id']} waits for your approval{f' until {until}' if until else ''}. Type one of"
    answers = (("approve", "users get the new version"), ("abort", "roll back; users notice nothing"))
    lines = [f"  {command()} {verb} {deployment['id']}   # {effect}" for verb, effect in answers]
    return clean_lines("\n".join([head, *lines]))


def note(row: Row) -> str:
    """The text of a phase or step: its error if it has one, otherwise its summary."""
    error = row.get("error")
    if error:
        return clean(f"{error.get('code', 'Error')}: {error.get('message', '')}")
    return clean(in_flags(row.get("summary") or ""))


def failure(deployment: Deployment) -> str:
    """Why a deployment did not succeed, with the remedy, in one or two lines."""
    failed = [row for row in rows(deployment) if row["status"] == "FAILED"]
    # The phase's own error is the cause; the deployment's may only summarize it.
    error: Error = (failed[0].get("error") if failed else None) or deployment.get("error") or {}
    phase = failed[0]["name"] if failed else deployment.get("current_phase") or "no phase"
    cause = f"{error.get('code', 'unknown')}: {error.get('message', 'no cause recorded')}"
    line = clean(f"{deployment['status']} in {phase}: {cause}")
    remedy = error.get("remedy")
    return f"{line}\n  remedy: {clean(in_flags(remedy))}" if remedy else line


def rows(deployment: Deployment) -> list[Row]:
    """Phases and steps in the order in which they ran; those that have not run come last."""
    unordered = [*deployment.get("phases", []), *deployment.get("steps", [])]
    return sorted(unordered, key=lambda row: (row.get("started_at") or "9", row["number"]))
