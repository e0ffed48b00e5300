"""What a check expects of the facts of an answer, and the verdict on them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from chalicelib.domain.evidence.checks import CheckRow, Expectation

Facts = Mapping[str, object]
_LONGEST = 160  # characters of a value in a reason
_RECORDED = 80  # characters of a value beside its expectation


class CheckVerdict(StrEnum):
    """NOT_RUN is neither good nor bad: nothing was observed, and the outcome says why."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True, slots=True)
class Expect:
    """One fact and the rule for it. fact: a path such as `json.error.code`; `$name` in `value` is a target variable."""

    fact: str
    rule: str
    value: object = None

    def __str__(self) -> str:
        return f"{self.fact} {_WORDS[self.rule]}{'' if self.value is None else f' {self.value}'}"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """How one check ended. expected: the expectations that were not met; ms: of its request.

    cause: the wrong status and the server's message, `status 502: …`; "" when the status was right.
    expectations: all of them with their actual values.
    """

    name: str
    verdict: CheckVerdict
    ms: float = 0.0
    reason: str = ""
    expected: Sequence[str] = ()
    request_id: str = ""
    cause: str = ""
    expectations: tuple[Expectation, ...] = ()

    def as_row(self) -> CheckRow:
        """For the record: unmet expectations and request ID only of a failed check."""
        row = CheckRow(
            self.name,
            self.verdict.value,
            round(self.ms, 1),
            self.reason or None,
            expectations=self.expectations or None,
        )
        if self.verdict is not CheckVerdict.FAILED:
            return row
        return replace(row, expected=tuple(self.expected), request_id=self.request_id)


def find(facts: Facts, path: str) -> object:
    """The value at `json.error.code` or `headers.retry-after`; None when there is none."""
    value: object = facts
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value


def judge(name: str, expects: Sequence[Expect], facts: Facts) -> CheckOutcome:
    """PASSED when every expectation is met; otherwise FAILED with each that is not and the actual value.

    After a wrong status the facts that are absent because of it are left out of the reason.
    """
    values = [(expect, find(facts, expect.fact)) for expect in expects]
    broken = [(expect, value) for expect, value in values if not _is_met(expect, value)]
    recorded = tuple(Expectation(str(each), _short(value, _RECORDED), _is_met(each, value)) for each, value in values)
    ms, request_id = float(cast(float, facts.get("ms", 0.0))), str(facts.get("request_id", ""))
    if not broken:
        return CheckOutcome(name, CheckVerdict.PASSED, ms, request_id=request_id, expectations=recorded)
    wrong_status = any(expect.fact == "status" for expect, _ in broken)
    relevant = [(expect, value) for expect, value in broken if not wrong_status or value is not None]
    return CheckOutcome(
        name,
        CheckVerdict.FAILED,
        ms,
        reason="; ".join(f"{expect.fact} is {_short(value)}" for expect, value in relevant)
        + (f" ({_message(facts)})" if wrong_status and _message(facts) else ""),
        expected=[str(expect) for expect, _ in broken],
        request_id=request_id,
        cause=_cause(facts) if wrong_status else "",
        expectations=recorded,
    )


def _is_met(expect: Expect, value: object) -> bool:
    return _RULES[expect.rule](value, expect.value)


def _cause(facts: Facts) -> str:
    status = facts.get("status")
    where = f"status {status}" if status else "no answer"
    return f"{where}: {_message(facts)}" if _message(facts) else where


def _message(facts: Facts) -> str:
    """What the server, or the client's library, said of the error; "" for nothing."""
    for path in ("message", "json.error.message", "error"):
        if message := find(facts, path):
            return str(message)
    return ""


def not_run(name: str, why: str) -> CheckOutcome:
    """The outcome of a check that could not be run; it never counts as passed."""
    return CheckOutcome(name, CheckVerdict.NOT_RUN, reason=why)


def filled(value: object, variables: Mapping[str, object]) -> object:
    """`value` with every string `$name`, at any depth, replaced by that variable; None for one that is not set."""
    if isinstance(value, str) and value.startswith("$"):
        return variables.get(value[1:])
    if isinstance(value, Mapping):
        return {key: filled(item, variables) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, variables) for item in value)
    return value


def _short(value: object, longest: int = _LONGEST) -> str:
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _number(actual: object) -> float | None:
    is_number = isinstance(actual, (int, float)) and not isinstance(actual, bool)
    return cast(float, actual) if is_number else None


def _is(actual: object, value: object) -> bool:
    return type(actual) is type(value) and actual == value


def _one_of(actual: object, value: object) -> bool:
    return actual in cast(Sequence[object], value)


def _at_least(actual: object, value: object) -> bool:
    number = _number(actual)
    return number is not None and number >= cast(float, value)


def _at_most(actual: object, value: object) -> bool:
    number = _number(actual)
    return number is not None and number <= cast(float, value)


def _near(actual: object, value: object) -> bool:
    """value: the target and the share of it by which the actual number may differ."""
    target, share = cast(tuple[float, float], value)
    number = _number(actual)
    return number is not None and abs(number - target) <= share * target


def _present(actual: object, _: object) -> bool:
    return actual not in (None, "", [], {})


def _holds(actual: object, value: object) -> bool:
    """Every wanted word occurs: in a text in any case, in a list as an item."""
    words = value if isinstance(value, (list, tuple)) else (value,)
    if isinstance(actual, str):
        return all(str(word).lower() in actual.lower() for word in words)
    return isinstance(actual, (list, tuple)) and all(word in actual for word in words)


def _matches(actual: object, value: object) -> bool:
    return isinstance(actual, str) and re.search(str(value), actual) is not None


_RULES: Mapping[str, Callable[[object, object], bool]] = {
    "is": _is,
    "one_of": _one_of,
    "at_least": _at_least,
    "at_most": _at_most,
    "near": _near,
    "present": _present,
    "holds": _holds,
    "matches": _matches,
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
