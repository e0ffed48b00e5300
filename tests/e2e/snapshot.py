"""Everything that an embedded cloud holds, as one comparable value: asked of its services, as an operator would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What changes by itself, or only says when something was asked.
_VOLATILE = frozenset(
    {"ResponseMetadata", "LastAccessedDate", "storedBytes", "StateUpdatedTimestamp", "StateTransitionedTimestamp"}
)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in sorted(value.items()) if key not in _VOLATILE}
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=repr)
    return str(value) if not isinstance(value, str | int | float | bool | type(None)) else value


def _pages(client: Any, operation: str, key: str, **given: Any) -> list[Any]:
    return [item for page in client.get_paginator(operation).paginate(**given) for item in page.get(key, [])]


def take(boto: Callable[[str], Any], bucket: str) -> dict[str, Any]:
    """By kind of resource; two are equal exactly when nothing was made, changed or removed in between."""
    functions, gateway, logs = boto("lambda"), boto("apigateway"), boto("logs")
    names = [entry["FunctionName"] for entry in _pages(functions, "list_functions", "Functions")]
    apis = _pages(gateway, "get_rest_apis", "items")
    groups = _pages(logs, "describe_log_groups", "logGroups")
    sqs, sns = boto("sqs"), boto("sns")
    return _plain(  # type: ignore[no-any-return]
        {
            "stacks": [
                stack
                for stack in _pages(boto("cloudformation"), "describe_stacks", "Stacks")
                if stack["StackStatus"] != "DELETE_COMPLETE"
            ],
            "functions": [functions.get_function(FunctionName=name)["Configuration"] for name in names],
            "versions": [_pages(functions, "list_versions_by_function", "Versions", FunctionName=n) for n in names],
            "aliases": [_pages(functions, "list_aliases", "Aliases", FunctionName=name) for name in names],
            "apis": apis,
            "stages": [gateway.get_stages(restApiId=api["id"])["item"] for api in apis],
            "deployments": [gateway.get_deployments(restApiId=api["id"])["items"] for api in apis],
            "roles": _pages(boto("iam"), "list_roles", "Roles"),
            "log groups": groups,
            "filters": [
                logs.describe_metric_filters(logGroupName=group["logGroupName"])["metricFilters"] for group in groups
            ],
            "alarms": _pages(boto("cloudwatch"), "describe_alarms", "MetricAlarms"),
            "dashboards": [
                boto("cloudwatch").get_dashboard(DashboardName=entry["DashboardName"])
                for entry in _pages(boto("cloudwatch"), "list_dashboards", "DashboardEntries")
            ],
            "topics": _pages(sns, "list_topics", "Topics"),
            "subscriptions": _pages(sns, "list_subscriptions", "Subscriptions"),
            "queues": sqs.list_queues().get("QueueUrls", []),
            "secrets": _pages(boto("secretsmanager"), "list_secrets", "SecretList"),
            "objects": [
                (entry["Key"], entry["ETag"])
                for entry in _pages(boto("s3"), "list_objects_v2", "Contents", Bucket=bucket)
            ],
        }
    )


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The kinds of resources of which something differs."""
    return {kind for kind in before if before[kind] != after[kind]}
