"""`logs`: lines of CloudWatch Logs of the proxy and the control plane, merged by time."""

import heapq
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from ctl.inputs import Refused
from ctl.words import clean

CONTROL_PLANE = "/proxyctl/controlplane"
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 5.0
# What a log holds of the proxy's own words for people.
_WORDS = ("level", "message", "method", "path", "status", "model", "duration_ms", "error")


@dataclass(frozen=True, slots=True)
class Query:
    """since_s: how far back. request_id, deployment: the text that each line must hold; "" for every line."""

    environment: str
    since_s: int
    request_id: str = ""
    deployment: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """The control plane's log is about every environment, so it is read only for one deployment."""
        proxy = f"/aws/lambda/proxyctl-{self.environment}-proxy"
        return (proxy, CONTROL_PLANE) if self.deployment else (proxy,)

    @property
    def pattern(self) -> str:
        """CloudWatch's filter pattern. Raises Refused for an id that would be more than one word of it."""
        text = self.request_id or self.deployment
        if (text and not re.fullmatch(r"[\x21-\x7e]{1,200}", text)) or '"' in text:
            raise Refused(f"{clean(text)} is no id: it must be one word of printable ASCII without quotes")
        return f'"{text}"' if text else ""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """at_ms: Unix time, ms. id: CloudWatch's, unique."""

    at_ms: int
    id: str
    group: str
    message: str


def duration(text: str) -> int:
    """Seconds of `15m`. Raises Refused."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Refused(f"--since {text} is no time; write for example 30s, 15m, 2h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def tail(query: Query, proxy: BaseClient, control_plane: BaseClient, *, follows: bool) -> Iterator[Line]:
    """The lines so far; with `follows` also those that come, without end. Raises Refused for a missing log.

    proxy, control_plane: clients of CloudWatch Logs where the environment is, and where the control plane is.
    """
    pattern, since_ms = query.pattern, int((time.time() - query.since_s) * 1_000)
    shown: set[str] = set()
    pause_s = _FIRST_PAUSE_S
    while True:
        newest = since_ms
        fresh = 0
        clients = {group: control_plane if group == CONTROL_PLANE else proxy for group in query.groups}
        logs = (_read(group, pattern, since_ms, client, query) for group, client in clients.items())
        for line in heapq.merge(*logs):
            newest = max(newest, line.at_ms)
            if line.id not in shown:
                shown.add(line.id)
                fresh += 1
                yield line
        if not follows:
            return
        # Lines of one time may arrive one after the other, and a little late.
        since_ms = max(since_ms, newest - 10_000)
        pause_s = _FIRST_PAUSE_S if fresh else min(pause_s * 1.5, _LAST_PAUSE_S)
        time.sleep(pause_s)


def _read(group: str, pattern: str, since_ms: int, client: BaseClient, query: Query) -> Iterator[Line]:
    arguments: dict[str, Any] = {"logGroupName": group, "startTime": since_ms}
    if pattern:
        arguments["filterPattern"] = pattern
    try:
        for page in client.get_paginator("filter_log_events").paginate(**arguments):
            for event in page["events"]:
                yield Line(event["timestamp"], _id_of(event), group, event["message"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            raise Refused(f"there is no log {group}: does environment {query.environment} exist?") from None
        raise Refused(f"the log {group} cannot be read: {code}: {error.response['Error'].get('Message')}") from None


def _id_of(event: Mapping[str, Any]) -> str:
    """CloudWatch's own id; without one (the embedded cloud sends none) what tells two lines apart."""
    return str(event.get("eventId") or f"{event.get('logStreamName', '')} {event['timestamp']} {event['message']}")


def text(line: Line) -> str:
    """`10:00:01.250 proxy  INFO GET /v1/models 200 …`; a line that is no JSON as it is."""
    at = datetime.fromtimestamp(line.at_ms / 1_000, UTC).strftime("%H:%M:%S.%f")[:-3]
    source = "control" if line.group == CONTROL_PLANE else "proxy"
    return f"{at} {source:<8}{clean(_message(line.message.rstrip()))}"


def _message(message: str) -> str:
    try:
        fields = json.loads(message)
    except ValueError:
        return message
    if not isinstance(fields, dict):
        return message
    words = [str(fields[name]) for name in _WORDS if fields.get(name) not in (None, "")]
    request_id = fields.get("request_id")
    return "  ".join(words + ([f"request {request_id}"] if request_id else [])) if words else message


def as_json(line: Line) -> str:
    """The line as one JSON object."""
    at = datetime.fromtimestamp(line.at_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    try:
        message = json.loads(line.message)
    except ValueError:
        message = line.message.rstrip()
    return json.dumps({"at": at, "log": line.group, "message": message})
