"""CloudWatch Logs behind `ports.logs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.logs import LogGroup, LogLine
from chalicelib.domain.errors import AwsCallFailed, NotFound
from chalicelib.ports.logs import MetricFilter, SavedQuery

from .session import HOME, Session


class CloudWatchLogs:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def groups(self, prefix: str) -> Sequence[LogGroup]:
        entries = self._session.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        return [
            LogGroup(item["logGroupName"], item["arn"].removesuffix(":*"), item.get("retentionInDays"))
            for item in entries
        ]

    def create_group(self, group: str, tags: Mapping[str, str], key: str = "") -> None:
        encryption = {"kmsKeyId": key} if key else {}
        try:
            self._session.call("logs", "create_log_group", logGroupName=group, tags=dict(tags), **encryption)
        except AwsCallFailed as error:
            if error.aws_code != "ResourceAlreadyExistsException":
                raise

    def set_retention(self, group: str, days: int) -> None:
        self._session.call("logs", "put_retention_policy", logGroupName=group, retentionInDays=days)

    def delete_group(self, group: str) -> None:
        try:
            self._session.call("logs", "delete_log_group", logGroupName=group)
        except NotFound:
            return

    def filters(self, group: str) -> Sequence[MetricFilter]:
        try:
            entries = self._session.pages("logs", "describe_metric_filters", "metricFilters", logGroupName=group)
        except NotFound:
            return []
        return [
            MetricFilter(
                name=item["filterName"],
                group=item["logGroupName"],
                pattern=item.get("filterPattern", ""),
                metric=transformation["metricName"],
                namespace=transformation["metricNamespace"],
                value=transformation["metricValue"],
            )
            for item in entries
            for transformation in item["metricTransformations"][:1]
        ]

    def put_filter(self, wanted: MetricFilter) -> None:
        self._session.call(
            "logs",
            "put_metric_filter",
            logGroupName=wanted.group,
            filterName=wanted.name,
            filterPattern=wanted.pattern,
            metricTransformations=[
                {
                    "metricName": wanted.metric,
                    "metricNamespace": wanted.namespace,
                    "metricValue": wanted.value,
                    # Zero, not nothing, where a line does not match: sums stay sums.
                    "defaultValue": 0.0,
                }
            ],
        )

    def delete_filter(self, group: str, name: str) -> None:
        try:
            self._session.call("logs", "delete_metric_filter", logGroupName=group, filterName=name)
        except NotFound:
            return

    def keeps_queries(self) -> bool:
        try:
            self._session.call("logs", "describe_query_definitions", maxResults=1)
        except AwsCallFailed as error:
            # The emulator's word for an action that it does not have; AWS has no such error for this one.
            if error.aws_code == "InvalidOperationException":
                return False
            raise
        return True

    def queries(self, prefix: str) -> Sequence[SavedQuery]:
        entries: list[SavedQuery] = []
        token: dict[str, str] = {}
        while True:
            answer = self._session.call("logs", "describe_query_definitions", queryDefinitionNamePrefix=prefix, **token)
            entries.extend(
                SavedQuery(
                    item["name"], tuple(item.get("logGroupNames", [])), item["queryString"], item["queryDefinitionId"]
                )
                for item in answer.get("queryDefinitions", [])
            )
            if not answer.get("nextToken"):
                return entries
            token = {"nextToken": answer["nextToken"]}

    def put_query(self, wanted: SavedQuery) -> None:
        existing = {"queryDefinitionId": wanted.id} if wanted.id else {}
        self._session.call(
            "logs",
            "put_query_definition",
            name=wanted.name,
            queryString=wanted.text,
            logGroupNames=list(wanted.groups),
            **existing,
        )

    def delete_query(self, query_id: str) -> None:
        try:
            self._session.call("logs", "delete_query_definition", queryDefinitionId=query_id)
        except NotFound:
            return

    def search(self, group: str, text: str, since_ms: int) -> Sequence[str]:
        try:
            entries = self._session.pages(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=group,
                filterPattern=f'"{text}"',
                startTime=since_ms,
            )
        except NotFound:
            return []
        return [item["message"] for item in entries]

    def read(self, group: str, text: str, since_ms: int, until_ms: int) -> Iterator[Sequence[LogLine]]:
        pages_of_events = self._session.client("logs").get_paginator("filter_log_events")
        try:
            with self._session.errors("logs:filter_log_events"):
                for page in pages_of_events.paginate(
                    logGroupName=group, filterPattern=f'"{text}"', startTime=since_ms, endTime=until_ms - 1
                ):
                    yield [_line(event) for event in page.get("events", [])]
        except NotFound:
            return

    def tags(self, group_arn: str) -> Mapping[str, str]:
        answer = self._session.call("logs", "list_tags_for_resource", resourceArn=group_arn)
        return dict(answer.get("tags", {}))


def _line(event: Mapping[str, Any]) -> LogLine:
    return LogLine(event["logStreamName"], event["timestamp"], event["message"])
