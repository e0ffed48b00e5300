"""The formats of the table, and what gives an item the shape of the next or of the one before.

A version reads its own format and the one before, since rollouts of the earlier version still write while it serves,
and it writes its own. An upgrade migrates forward when nothing can go back any more; a downgrade migrates back before
the older version serves. A migration can be stopped anywhere and begun again: an item that has the shape already has
nothing to change. It sets and removes single attributes, so that no write of a rollout is lost.

1. Records in the indices: META of deployments and environments has `listed`, `listed_all`, `at`.
2. An item LISTED beside each record is in the indices instead (decision 008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.domain.aws.table_items import Item, Write

FORMAT = 2
_PLACE = ("listed", "listed_all", "at")
_COPIED = (*_PLACE, "status", "environment", "action", "created_at", "expires")


@dataclass(frozen=True, slots=True)
class Migration:
    """to: the format that `forward` leads to and `back` comes from. Both answer the writes that one item needs."""

    to: int
    forward: Callable[[Item], Sequence[Write]]
    back: Callable[[Item], Sequence[Write]]


def _list_beside(item: Item) -> Sequence[Write]:
    if item["sk"] != {"S": "META"} or "listed_all" not in item:
        return ()
    names = _COPIED if "listed" in item else _PLACE
    beside = {"pk": item["pk"], "sk": {"S": "LISTED"}, **{name: item[name] for name in names if name in item}}
    left = [name for name in _PLACE if name in item]
    return (
        {"Put": {"Item": beside}},
        {
            "Update": {
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": "REMOVE " + ", ".join(f"#{name}" for name in left),
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": {f"#{name}": name for name in left},
            }
        },
    )


def _list_itself(item: Item) -> Sequence[Write]:
    if item["sk"] != {"S": "LISTED"}:
        return ()
    places = [name for name in _PLACE if name in item]
    return (
        {
            "Update": {
                "Key": {"pk": item["pk"], "sk": {"S": "META"}},
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in places),
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": {f"#{name}": name for name in places},
                "ExpressionAttributeValues": {f":{name}": item[name] for name in places},
            }
        },
        {"Delete": {"Key": {"pk": item["pk"], "sk": item["sk"]}}},
    )


MIGRATIONS: tuple[Migration, ...] = (Migration(2, _list_beside, _list_itself),)


def steps(present: int, wanted: int) -> Sequence[Callable[[Item], Sequence[Write]]]:
    """What an item goes through from one format to another, in order; empty when they are the same."""
    if wanted > present:
        return [each.forward for each in MIGRATIONS if present < each.to <= wanted]
    return [each.back for each in reversed(MIGRATIONS) if wanted < each.to <= present]


def knows(wanted: int) -> bool:
    """Whether this version can give the table that format."""
    return 1 <= wanted <= FORMAT
