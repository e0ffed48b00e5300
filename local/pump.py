"""The metrics pump: does for the embedded cloud what CloudWatch does by itself.

1. EMF lines in the log groups become metrics (MiniStack only stores the lines).
2. Alarms get evaluated (MiniStack evaluates them only when someone calls PutMetricData), so the pump puts a heartbeat.

Runs as `python -m local.pump FOLDER BEGINS_MS` and ends when the emulator's process is gone.
"""

import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from local import emf, emulator, places, processes, state
from local.state import Cloud

GROUPS = "/aws/lambda/proxyctl-"
HEARTBEAT_S = 10.0
PAUSE_MIN_S = 0.5
PAUSE_MAX_S = 4.0
# Lambda's log lines arrive late and out of order: read back this far, and skip the lines that were read before.
LOOK_BACK_MS = 15_000
# Stream, time, text, and the count of equal lines up to this one: MiniStack gives Lambda's lines no eventId.
EventKey = tuple[str, int, str, int]
LIFETIME_S = 7 * 24 * 3600

log = logging.getLogger("pump")


class LogEvent(TypedDict):
    """What the pump reads of one event of filter_log_events. timestamp: Unix time, ms."""

    timestamp: int
    message: str
    logStreamName: NotRequired[str]


@dataclass
class Cursor:
    """The position in one log group. read: the time of every line within the look-back that was read."""

    newest_ms: int = 0
    read: dict[EventKey, int] = field(default_factory=dict)

    @property
    def since_ms(self) -> int:
        """Where to start reading the next time."""
        return max(0, self.newest_ms - LOOK_BACK_MS)

    def fresh(self, events: Sequence[LogEvent]) -> list[str]:
        """The messages not read before, which count as read now. `events`: all since `since_ms`, not only a page."""
        equal_lines: Counter[tuple[str, int, str]] = Counter()
        messages: list[str] = []
        for event in events:
            line = (event.get("logStreamName", ""), event["timestamp"], event["message"])
            equal_lines[line] += 1
            if self._advance((*line, equal_lines[line])):
                messages.append(event["message"])
        self.read = {key: at for key, at in self.read.items() if at >= self.since_ms}
        return messages

    def _advance(self, key: EventKey) -> bool:
        """Mark a line as read; False when it was read before."""
        if key in self.read:
            return False
        self.read[key] = at = key[1]
        self.newest_ms = max(self.newest_ms, at)
        return True


class Pump:
    """One cloud's log groups and metrics. begins_ms: Unix time (ms) before which lines are skipped, since the pump
    before this one has moved them.
    """

    def __init__(self, logs: BaseClient, metrics: BaseClient, begins_ms: int = 0) -> None:
        self._logs, self._metrics, self._begins_ms = logs, metrics, begins_ms
        self._cursors: dict[str, Cursor] = {}

    def move(self) -> int:
        """Move the new lines of every group; returns how many metric entries were put."""
        moved = 0
        for page in self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=GROUPS):
            for group in page["logGroups"]:
                moved += self._move_group(str(group["logGroupName"]))
        return moved

    def _move_group(self, group: str) -> int:
        cursor = self._cursors.setdefault(group, Cursor(self._begins_ms + LOOK_BACK_MS if self._begins_ms else 0))
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=cursor.since_ms)
        events: list[LogEvent] = [event for page in pages for event in page["events"]]
        moved = 0
        for namespace, entries in emf.batches(cursor.fresh(events)):
            self._metrics.put_metric_data(Namespace=namespace, MetricData=entries)
            moved += len(entries)
        return moved

    def beat(self) -> None:
        """Have every alarm evaluated, also those on metrics that the emulator records itself."""
        self._metrics.put_metric_data(
            Namespace="proxyctl/embedded", MetricData=[{"MetricName": "Heartbeat", "Value": 1.0, "Unit": "Count"}]
        )


def main(folder: Path, begins_ms: int) -> int:
    """Pump until the cloud of this folder is gone; lines logged before `begins_ms` are skipped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    cloud = state.load(folder)
    if cloud is None:
        log.error("no cloud in %s", folder)
        return 1
    _run(Pumps(folder, cloud, begins_ms), cloud)
    log.info("the cloud is gone")
    return 0


class Pumps:
    """A pump for the cloud's own account and region, and for each that `places` has."""

    def __init__(self, folder: Path, cloud: Cloud, begins_ms: int) -> None:
        self._folder, self._cloud, self._begins_ms = folder, cloud, begins_ms
        self._pumps: dict[places.Place, Pump] = {}

    def move(self) -> int:
        """Move the new lines of every place; returns how many metric entries were put."""
        return sum(pump.move() for pump in self._all())

    def beat(self) -> None:
        """Have the alarms of every place evaluated."""
        for pump in self._all():
            pump.beat()

    def _all(self) -> list[Pump]:
        for place in ((self._cloud.account, self._cloud.region), *places.others(self._folder)):
            if place not in self._pumps:
                self._pumps[place] = Pump(
                    self._client("logs", place), self._client("cloudwatch", place), self._begins_ms
                )
        return list(self._pumps.values())

    def _client(self, service: str, place: places.Place) -> BaseClient:
        account, region = place
        return emulator.client(service, self._cloud.endpoint, region, places.root_of(account, self._cloud))


def _run(pump: Pump | Pumps, cloud: Cloud) -> None:
    host = next(process for process in cloud.processes if process.name == "emulator")
    deadline, next_beat, pause_s = time.monotonic() + LIFETIME_S, 0.0, PAUSE_MIN_S
    while processes.is_alive(host) and time.monotonic() < deadline:
        is_beat_due = time.monotonic() >= next_beat
        next_beat = time.monotonic() + HEARTBEAT_S if is_beat_due else next_beat
        # Quiet clouds are read less and less often.
        pause_s = PAUSE_MIN_S if _turn(pump, with_beat=is_beat_due) else min(pause_s * 1.4, PAUSE_MAX_S)
        time.sleep(pause_s)


def _turn(pump: Pump | Pumps, *, with_beat: bool) -> int:
    """One round; returns how many metric entries it moved."""
    moved = 0
    try:
        moved = pump.move()
        if with_beat:
            pump.beat()
    except (BotoCoreError, ClientError) as error:  # a log group deleted between two calls, an emulator that is ending
        log.warning("%s", error)
    return moved


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
