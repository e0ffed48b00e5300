"""The body of POST /fleets/{name}/deployments, checked before anything is recorded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from chalicelib.domain.errors import BadRequest, Ranges, within
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options

from .model import Gate, OnFailure

MOST_WAVES, MOST_MEMBERS = 20, 1_000
LONGEST_SOAKS_S = 5 * 86_400  # of all waves: an execution of Step Functions has 25,000 events
ACTIONS = (Action.DEPLOY, Action.PROMOTE, Action.PLAN, Action.REVALIDATE, Action.ROLLBACK)
# Options of one environment, which make no sense for several.
_OF_ONE = ("rollback_to", "secret_version", "secret_base", "expected_plan", "drill_of", "sabotage", "bundle")


@dataclass(frozen=True, slots=True)
class FleetStart:
    """waves: names of environments, each once; a wave begins when the one before has passed its gate.

    action, from, config, options, replace, create: as of POST /deployments, for every environment. A busy environment
    is waited for unless options.if_busy says otherwise. on_failure: what becomes of environments that were rolled
    when a wave fails. at_once: how many are rolled at the same time. max_cost_usd: refuse when the load tests of all
    environments may cost more (`options.max_cost_usd` each).
    """

    KEYS: ClassVar[Mapping[str, str]] = {"from_": "from"}
    RANGES: ClassVar[Ranges] = {"at_once": (1, 40), "max_cost_usd": (0, 1_000_000)}

    waves: tuple[tuple[str, ...], ...]
    action: Action = Action.DEPLOY
    from_: str | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    replace: bool = False
    create: bool = False
    gate: Gate = field(default_factory=Gate)
    on_failure: OnFailure = "roll_back"
    at_once: int = 10
    max_cost_usd: float = 100.0

    def __post_init__(self) -> None:
        for name, (low, high) in self.RANGES.items():
            within(name, getattr(self, name), low, high)

    @property
    def environments(self) -> list[str]:
        """Every environment, wave by wave."""
        return [name for wave in self.waves for name in wave]


def check(start: FleetStart, options: Options) -> None:
    """Raises BadRequest naming the field: what is wrong with the waves, the action, the options or the cost."""
    _check_waves(start)
    if start.action not in ACTIONS:
        one_of = ", ".join(action.value for action in ACTIONS)
        raise _wrong("action", f"a fleet takes no action {start.action.value}", f"One of {one_of}.")
    for name in _OF_ONE:
        if name in start.options:
            raise _wrong(f"options.{name}", f"options.{name} is of one environment", "Leave it out.")
    if start.from_ in start.environments:
        wave = next(number for number, names in enumerate(start.waves, 1) if start.from_ in names)
        message = f"environment {start.from_} is promoted from, and is itself in wave {wave}"
        raise _wrong("from", message, "Take it out of the waves: what passed there is what they get.")
    soaks_s = start.gate.soak_s * (len(start.waves) - 1)
    if soaks_s > LONGEST_SOAKS_S:
        message = f"the soaks of {len(start.waves)} waves take {soaks_s} s; they may take {LONGEST_SOAKS_S} s together"
        raise _wrong("gate.soak_s", message, "Lower it, or take fewer waves.")
    _check_cost(start, options)


def _check_waves(start: FleetStart) -> None:
    names = start.environments
    if not start.waves or len(start.waves) > MOST_WAVES:
        message = f"there are {len(start.waves)} waves; there may be 1 to {MOST_WAVES}"
        raise _wrong("waves", message, 'For example [["canary"], ["eu", "us"], ["rest"]].')
    for number, wave in enumerate(start.waves, 1):
        if not wave:
            raise _wrong(f"waves[{number - 1}]", f"wave {number} is empty", "Leave it out.")
    if len(names) > MOST_MEMBERS:
        message = f"the waves have {len(names)} environments; they may have {MOST_MEMBERS}"
        raise _wrong("waves", message, "Roll them as several fleets.")
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise _wrong("waves", f"named more than once: {', '.join(twice[:5])}", "Name each environment once.")
    for name in names:
        _check_name(name)


def _check_name(name: str) -> None:
    try:
        Names(name)
    except BadRequest as error:
        raise BadRequest(error.message, field="waves", remedy=error.remedy) from error


def _check_cost(start: FleetStart, options: Options) -> None:
    loads = start.action in (Action.DEPLOY, Action.PROMOTE, Action.REVALIDATE)
    most = len(start.environments) * options.max_cost_usd if loads else 0.0
    if most > start.max_cost_usd:
        raise _wrong(
            "max_cost_usd",
            f"the load tests of {len(start.environments)} environments may cost {most:g} USD "
            f"({options.max_cost_usd:g} each), above {start.max_cost_usd:g}",
            "Lower options.max_cost_usd, or raise max_cost_usd.",
        )


def refuse_unknown_members(start: FleetStart, existing: Collection[str]) -> None:
    """Raises BadRequest for environments that do not exist, unless `create` says that they are new."""
    unknown = [name for name in start.environments if name not in existing]
    creates = start.create and start.action in (Action.DEPLOY, Action.PROMOTE, Action.PLAN)
    if unknown and not creates:
        raise _wrong(
            "waves",
            f"there is no environment {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}",
            "Correct the name; create: true makes new environments.",
        )


def _wrong(field_: str, message: str, remedy: str) -> BadRequest:
    return BadRequest(message, field=field_, remedy=remedy)
