"""What a check expects of what was seen, as data, and the judgement on it. No I/O: the probes observe, this decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Facts = Mapping[str, Any]


class Verdict(StrEnum):
    """NOT_RUN is neither good nor bad: it says that nothing was seen, and why."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True, slots=True)
class Expect:
    """One fact and the rule that it must follow. `$name` in a value stands for something known only at run time."""

    fact: str
    rule: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.fact} {_WORDS[self.rule]}{'' if self.value is None else f' {self.value}'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check went. `seen` holds the facts that broke the expectations; `expected` says what they should be."""

    name: str
    verdict: Verdict
    ms: float = 0.0
    reason: str = ""
    expected: Sequence[str] = ()
    seen: Facts | None = None
    request_id: str = ""

    def as_evidence(self) -> dict[str, Any]:
        """Small enough for a record: details only where something is wrong."""
        told: dict[str, Any] = {"name": self.name, "verdict": self.verdict.value, "ms": round(self.ms, 1)}
        if self.reason:
            told["reason"] = self.reason
        if self.verdict is Verdict.FAILED:
            told |= {"expected": list(self.expected), "request_id": self.request_id}
        return told


def find(facts: Facts, path: str) -> Any:
    """The value at `json.error.code` or `headers.retry-after`; None when there is none."""
    found: Any = facts
    for part in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, Sequence) and not isinstance(found, (str, bytes)) and part.isdigit():
            found = found[int(part)] if int(part) < len(found) else None
        else:
            return None
    return found


def judge(name: str, expects: Sequence[Expect], facts: Facts) -> Outcome:
    """PASSED when every expectation holds; else FAILED, naming each that does not and what was seen instead."""
    broken = [(expect, find(facts, expect.fact)) for expect in expects]
    broken = [(expect, seen) for expect, seen in broken if not _RULES[expect.rule](seen, expect.value)]
    ms, request_id = float(facts.get("ms", 0.0)), str(facts.get("request_id", ""))
    if not broken:
        return Outcome(name, Verdict.PASSED, ms, request_id=request_id)
    return Outcome(
        name,
        Verdict.FAILED,
        ms,
        reason="; ".join(f"{expect.fact} is {_short(seen)}" for expect, seen in broken),
        expected=[str(expect) for expect, _ in broken],
        seen=facts,
        request_id=request_id,
    )


def not_run(name: str, why: str) -> Outcome:
    """What could not be seen says so; it never counts as passed."""
    return Outcome(name, Verdict.NOT_RUN, reason=why)


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with every string `$name`, at any depth, replaced by what is known under that name."""
    if isinstance(value, str) and value.startswith("$"):
        return known.get(value[1:])
    if isinstance(value, Mapping):
        return {key: filled(item, known) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, known) for item in value)
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _number(seen: Any) -> bool:
    return isinstance(seen, (int, float)) and not isinstance(seen, bool)


def _near(seen: Any, value: Any) -> bool:
    target, share = value
    return _number(seen) and abs(seen - target) <= share * target


def _holds(seen: Any, value: Any) -> bool:
    """Every wanted word occurs: in a text whatever its case, in a list as an item."""
    wanted = value if isinstance(value, (list, tuple)) else (value,)
    if isinstance(seen, str):
        return all(str(word).lower() in seen.lower() for word in wanted)
    return isinstance(seen, (list, tuple)) and all(item in seen for item in wanted)


_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": lambda seen, value: type(seen) is type(value) and seen == value,
    "one_of": lambda seen, value: seen in value,
    "at_least": lambda seen, value: _number(seen) and seen >= value,
    "at_most": lambda seen, value: _number(seen) and seen <= value,
    "near": _near,
    "present": lambda seen, _: seen not in (None, "", [], {}),
    "holds": _holds,
    "matches": lambda seen, value: isinstance(seen, str) and re.search(value, seen) is not None,
}

_WORDS = {
    "is": "is",
    "one_of": "is one of",
    "at_least": "is at least",
    "at_most": "is at most",
    "near": "is near (value, share)",
    "present": "is there",
    "holds": "holds",
    "matches": "matches",
}
