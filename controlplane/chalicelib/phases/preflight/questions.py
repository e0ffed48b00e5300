"""How the grants of a role become few requests to IAM's simulator, and what its decisions mean for each grant.

A request takes lists and IAM decides on every action with every resource, so grants of one role share a request as long
as these pairs stay few and no condition key would need two values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.aws.identity import Decision

from .grants import Grant, Missing, concrete

# AWS publishes no limit for these lists. PMapper, an auditing tool, saw larger requests refused and sends 20 resources
# at a time (https://github.com/nccgroup/PMapper/pull/6); pairs are bounded by what one page of an answer holds.
MAX_RESOURCES = 20
MAX_PAIRS = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """One request: what `grants` allow, as lists without repetition. context: condition keys and values."""

    grants: tuple[Grant, ...]
    actions: Sequence[str]
    resources: Sequence[str]
    context: Mapping[str, str] = field(default_factory=dict)

    def halves(self) -> tuple[Question, Question]:
        """The same grants in two smaller requests. Only for a question with several grants."""
        middle = len(self.grants) // 2
        return combined(self.grants[:middle]), combined(self.grants[middle:])


def combined(grants: Iterable[Grant]) -> Question:
    """One request for all of these grants."""
    each = tuple(grants)
    actions = dict.fromkeys(action for grant in each for action in grant.actions)
    resources = dict.fromkeys(concrete(resource) for grant in each for resource in grant.resources)
    context = {key: value for grant in each for key, value in grant.context.items()}
    return Question(each, tuple(actions), tuple(resources), context)


def questions(grants: Iterable[Grant]) -> list[Question]:
    """Few requests that cover all grants of one role, services together."""
    groups: list[list[Grant]] = []
    for grant in sorted(grants, key=lambda grant: min(grant.actions)):
        group = next((group for group in groups if _fits(group, grant)), None)
        if group is None:
            groups.append([grant])
        else:
            group.append(grant)
    return [combined(group) for group in groups]


def _fits(group: Sequence[Grant], grant: Grant) -> bool:
    together = combined([*group, grant])
    return (
        len(together.resources) <= MAX_RESOURCES
        and len(together.actions) * len(together.resources) <= MAX_PAIRS
        and all(together.context[key] == value for each in group for key, value in each.context.items())
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """refused: each action of a grant that IAM refuses on all resources of the grant, or denies explicitly on one of
    them. unanswered: actions on none of whose resources there is a decision: nothing is known of them.

    A statement may name several kinds of resources, and each of its actions fits only some of them.
    """

    refused: tuple[Missing, ...]
    unanswered: tuple[str, ...]


def verdict(question: Question, decisions: Iterable[Decision]) -> Verdict:
    """What IAM's decisions say of the question's grants."""
    decided = {(decision.action.lower(), decision.resource): decision for decision in decisions}
    missing: list[Missing] = []
    unanswered: list[str] = []
    for grant in question.grants:
        resources = [concrete(resource) for resource in grant.resources]
        for action in grant.actions:
            of_action = [decided[pair] for name in resources if (pair := (action.lower(), name)) in decided]
            missing.extend(_missing(grant, of_action))
            if not of_action:
                unanswered.append(action)
    return Verdict(tuple(missing), tuple(unanswered))


def _missing(grant: Grant, decisions: Sequence[Decision]) -> Iterator[Missing]:
    allowed = any(decision.allowed for decision in decisions)
    for decision in decisions:
        if decision.is_explicit or not (allowed or decision.allowed):
            yield Missing(grant.policy, decision.action, decision.resource, decision.decision)
