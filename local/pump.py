"""The metrics pump: does for the embedded cloud what CloudWatch does by itself.

1. EMF lines in the log groups become metrics (MiniStack stores the lines only).
2. Alarms get evaluated (MiniStack does so only when someone calls PutMetricData), so a beat is put now and then.

Runs as `python -m local.pump FOLDER BEGINS_MS` and ends when the emulator's process is gone.
"""

import logging
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import emf, emulator, processes, state

GROUPS = "/aws/lambda/proxyctl-"
BEAT_S = 10.0
PAUSE_MIN_S = 0.5
PAUSE_MAX_S = 4.0
# Lambda's log lines arrive late and out of order: look back this far, and know the lines already seen.
LOOK_BACK_MS = 15_000
# Stream, time, text, and the how-manieth of its like: MiniStack gives Lambda's lines no eventId.
EventKey = tuple[str, int, str, int]
LIFETIME_S = 7 * 24 * 3600

log = logging.getLogger("pump")


@dataclass
class Cursor:
    """Where reading of one log group stands."""

    newest_ms: int = 0
    seen: dict[EventKey, int] = field(default_factory=dict)

    @property
    def since_ms(self) -> int:
        """From where on to read again."""
        return max(0, self.newest_ms - LOOK_BACK_MS)

    def fresh(self, events: list[dict[str, Any]]) -> list[str]:
        """The messages not seen before; remembers them. `events`: all since `since_ms`, not a page of them."""
        twins: Counter[tuple[str, int, str]] = Counter()
        new: list[str] = []
        for event in events:
            at = int(event["timestamp"])
            plain = (str(event.get("logStreamName", "")), at, str(event["message"]))
            twins[plain] += 1
            key = (*plain, twins[plain])
            if key not in self.seen:
                self.seen[key] = at
                self.newest_ms = max(self.newest_ms, at)
                new.append(plain[2])
        self.seen = {key: at for key, at in self.seen.items() if at >= self.since_ms}
        return new


class Pump:
    """One cloud's log groups and metrics. What was written before `begins_ms` (Unix time, ms) is left alone: a pump
    that takes another's place would count twice what that one had moved.
    """

    def __init__(self, logs: Any, metrics: Any, begins_ms: int = 0) -> None:
        self._logs, self._metrics, self._begins_ms = logs, metrics, begins_ms
        self._cursors: dict[str, Cursor] = {}

    def turn(self) -> int:
        """Move what is new; answers how many metric entries were put."""
        moved = 0
        for page in self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=GROUPS):
            for group in page["logGroups"]:
                moved += self._move(str(group["logGroupName"]))
        return moved

    def _move(self, group: str) -> int:
        cursor = self._cursors.setdefault(group, Cursor(self._begins_ms + LOOK_BACK_MS if self._begins_ms else 0))
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=cursor.since_ms)
        events = [event for page in pages for event in page["events"]]
        moved = 0
        for namespace, found in emf.batches(cursor.fresh(events)):
            self._metrics.put_metric_data(Namespace=namespace, MetricData=found)
            moved += len(found)
        return moved

    def beat(self) -> None:
        """Have every alarm evaluated, also those on metrics that the emulator records itself."""
        self._metrics.put_metric_data(
            Namespace="proxyctl/embedded", MetricData=[{"MetricName": "Beat", "Value": 1.0, "Unit": "Count"}]
        )


def main(folder: Path, begins_ms: int) -> int:
    """Pump until the cloud of this folder has gone; what was logged before `begins_ms` is not moved."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    cloud = state.load(folder)
    if cloud is None:
        log.error("no cloud in %s", folder)
        return 1
    logs, metrics = (
        emulator.client(service, cloud.endpoint, cloud.region, cloud.operator) for service in ("logs", "cloudwatch")
    )
    pump = Pump(logs, metrics, begins_ms)
    host = next(process for process in cloud.processes if process.name == "emulator")
    deadline, next_beat, pause_s = time.monotonic() + LIFETIME_S, 0.0, PAUSE_MIN_S
    while processes.is_alive(host) and time.monotonic() < deadline:
        moved = 0
        try:
            moved = pump.turn()
            if time.monotonic() >= next_beat:
                pump.beat()
                next_beat = time.monotonic() + BEAT_S
        except (
            BotoCoreError,
            ClientError,
        ) as error:  # a log group deleted between two calls, an emulator going down
            log.warning("%s", error)
        # Quiet clouds are asked less and less often.
        pause_s = PAUSE_MIN_S if moved else min(pause_s * 1.4, PAUSE_MAX_S)
        time.sleep(pause_s)
    log.info("the cloud has gone")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
