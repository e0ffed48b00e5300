"""Which resources are gone although the search by tag lists them: GetResources also lists what was tagged once, for a
while. What the search by name looks for and does not find does not exist. Pure.

Source: Resource Groups Tagging API Reference, GetResources ("tagged or previously tagged").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from chalicelib.domain.names import Names

from .inventory import Resource

_AFTER = {
    "stack": ":stack/",
    "function": ":function:",
    "role": ":role/",
    "log group": ":log-group:",
    "alarm": ":alarm:",
    "dashboard": ":dashboard/",
    "secret": ":secret:",
    "domain": "/domainnames/",
    "api": "/restapis/",
}
_SUFFIX = len("-AbCdEf")  # that Secrets Manager puts after a secret's name


def split(
    resources: Iterable[Resource], names: Names, region: str, api_ids: Collection[str]
) -> tuple[list[Resource], list[Resource]]:
    """(there, gone). A resource that was found by name is there.

    api_ids: of all REST APIs in the region, since an API's ARN has no name, and the custom domains that exist.
    """
    listed = list(resources)
    named = {(item.kind, item.name) for item in listed if item.found_by == "name"}
    gone = [
        item
        for item in listed
        if item.found_by == "tag"
        and (item.kind, _name(item)) not in named
        and _would_be_found(item, names, region, api_ids)
    ]
    return [item for item in listed if item not in gone], gone


def _would_be_found(item: Resource, names: Names, region: str, api_ids: Collection[str]) -> bool:
    """Whether the search by name would have found a resource that the search by tag lists."""
    name = _name(item)
    if item.kind in ("api", "domain"):
        return name.partition("/")[0] not in api_ids
    if item.kind in ("alarm", "queue"):
        return name.startswith({"alarm": names.alarm(""), "queue": names.probes}[item.kind])
    return name in _searched(names, region).get(item.kind, ())


def _name(item: Resource) -> str:
    """The part of the ARN that the search by name compares."""
    name = item.name.partition(_AFTER[item.kind])[2] if item.kind in _AFTER else item.name.rpartition(":")[2]
    if item.kind == "secret":
        return name[:-_SUFFIX]
    if item.kind == "stack":
        return name.partition("/")[0]
    return name.partition(":")[0] if item.kind in ("function", "log group") else name


def _searched(names: Names, region: str) -> dict[str, Sequence[str]]:
    return {
        "stack": (names.stack,),
        "function": (names.function,),
        "role": names.roles(region),
        "log group": (names.log_group, names.access_log_group),
        "topic": (names.topic,),
        "secret": names.secrets,
    }
