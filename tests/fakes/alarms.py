"""`ports.alarms` in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chalicelib.domain.aws.alarms import Alarm, AlarmState


class FakeAlarms:
    def __init__(self) -> None:
        self.defined: dict[str, Alarm] = {}
        self.states: dict[str, str] = {}
        self.boards: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.silenced: set[str] = set()
        self.tags: dict[str, dict[str, str]] = {}
        self.notify: Callable[[str, str, str], None] = lambda _name, _state, _reason: None

    def find(self, prefix: str) -> Sequence[AlarmState]:
        return [
            AlarmState(
                name,
                f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}",
                state,
                self.reasons.get(name, ""),
                self.defined.get(name),
                name not in self.silenced,
            )
            for name, state in sorted(self.states.items())
            if name.startswith(prefix)
        ]

    def ringing(self, prefix: str) -> Sequence[str]:
        return [alarm.name for alarm in self.find(prefix) if alarm.state == "ALARM"]

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        self.tags[arn] = dict(tags)

    def put(self, alarm: Alarm, tags: Mapping[str, str]) -> None:
        self.defined[alarm.name] = alarm
        self.silenced.discard(alarm.name)
        self.states.setdefault(alarm.name, "INSUFFICIENT_DATA")

    def set_state(self, name: str, state: str, reason: str) -> None:
        if self.states.get(name) != state:  # only a change of state tells
            self.notify(name, state, reason)
        self.states[name], self.reasons[name] = state, reason

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self.defined.pop(name, None)
            self.states.pop(name, None)

    def dashboard(self, name: str) -> str | None:
        return self.boards.get(name)

    def put_dashboard(self, name: str, body: str) -> None:
        self.boards[name] = body

    def delete_dashboards(self, names: Sequence[str]) -> None:
        for name in names:
            self.boards.pop(name, None)
