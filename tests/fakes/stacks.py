"""`ports.stacks` in memory: change sets are scripted, and a stack walks through the states that a test gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.stacks import ChangeSet, Detection, ResourceDrift, Stack, StackEvent, StackResource
from chalicelib.domain.errors import AwsCallFailed, Conflict

from .missing import gone

EMPTY = ChangeSet("id", "name", "FAILED", "The submitted information didn't contain changes.", "UNAVAILABLE")


_NONE = ""


class FakeStacks:
    """`answers` are the change sets that asking brings, one a question (the last for ever); `walks` the states that
    a stack is seen in, look by look, after an operation: execute, delete or continue. With `applies`, an execution
    gives the stack the parameters, the snapshots and their outputs of the last template."""

    def __init__(self) -> None:
        self.standing: dict[str, Stack] = {}
        self.owned: dict[str, list[StackResource]] = {}
        self.past_events: list[StackEvent] = []
        self.answers: list[ChangeSet] = [EMPTY]
        self.walks: dict[str, list[str]] = {}
        self.planned: dict[str, ChangeSet] = {}
        self.given: dict[str, Mapping[str, str | None]] = {}
        self.templates: list[str] = []
        self.did: list[str] = []
        self.roles: list[str] = []  # with which CloudFormation was asked to work
        self.parameters: Sequence[str] | AwsCallFailed = ()
        self.drifted: list[ResourceDrift] = []
        self.detections = [Detection("DETECTION_COMPLETE")]  # look by look, the last for ever
        self.applies = False
        self._walking: list[str] = []

    def add(self, name: str, status: str = "UPDATE_COMPLETE", **other: object) -> Stack:
        outputs = {"ApiId": "api1", "StageName": "api", "ApiUrl": "https://api1.example/api"}
        stack = Stack(name, f"arn:stack/{name}/1", status, outputs=outputs)
        self.standing[name] = replace(stack, **other)  # type: ignore[arg-type]
        return self.standing[name]

    def _name(self, stack: str) -> str:
        return stack.split("/")[1] if stack.startswith("arn:") else stack

    def find(self, stack: str) -> Stack | None:
        name = self._name(stack)
        result = self.standing.get(name)
        if result and self._walking:
            result = replace(result, status=self._walking.pop(0))
            self.standing[name] = result
        if result and result.status == "DELETE_COMPLETE" and not stack.startswith("arn:"):
            return None
        return result

    def resources(self, stack: str) -> Sequence[StackResource]:
        if stack not in self.owned and stack not in self.standing:
            raise gone(f"stack {stack} does not exist")
        return self.owned.get(stack, [])

    def events(self, stack_id: str, *, after: str = "") -> Sequence[StackEvent]:
        ids = [event.id for event in self.past_events]
        return self.past_events[ids.index(after) + 1 :] if after in ids else list(self.past_events)

    def validate(self, template: str) -> Sequence[str]:
        if isinstance(self.parameters, AwsCallFailed):
            raise self.parameters
        return self.parameters

    def create_change_set(
        self,
        stack: str,
        name: str,
        *,
        template: str | None,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        creates: bool,
        description: str = "",
        role_arn: str = "",
    ) -> ChangeSet:
        if name in self.planned:
            raise Conflict(f"stack {stack} has a change set {name} already", code="ChangeSetExists")
        status = self.standing[stack].status if stack in self.standing else _NONE
        if creates and status not in (_NONE, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
            raise Conflict(f"stack {stack} was created meanwhile", code="StackMoved")
        if not creates and status.endswith("_IN_PROGRESS"):
            raise Conflict(f"stack {stack} is in {status}", code="StackMoved")
        self.roles.append(role_arn)
        self.did.append("create change set" if creates else "update change set")
        self.templates.append(template or "the previous one")
        self.given[stack] = parameters
        if creates:
            self.add(stack, "REVIEW_IN_PROGRESS", tags=tags)
        return self._answer(name, f"arn:{name}", description, self.standing[stack].id)

    def _answer(self, name: str, identifier: str, description: str, stack_id: str) -> ChangeSet:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.planned[name] = replace(answer, id=identifier, name=name, description=description, stack_id=stack_id)
        return self.planned[name]

    def change_set(self, stack: str, name: str) -> ChangeSet:
        for created in self.planned.values():
            if name in (created.name, created.id):
                return self._answer(created.name, created.id, created.description, created.stack_id)
        raise gone(f"there is no change set {name}")

    def change_sets(self, stack: str) -> Sequence[ChangeSet]:
        return list(self.planned.values())

    def delete_change_set(self, stack: str, name: str) -> None:
        self.did.append(f"delete change set {name}")
        self.planned.pop(name, None)

    def execute(self, stack: str, change_set_id: str, token: str) -> None:
        self._start("execute")
        self.planned = {name: created for name, created in self.planned.items() if created.id != change_set_id}
        if self.applies:
            self._apply(stack)

    def _apply(self, stack: str) -> None:
        text, before = self.templates[-1], self.standing[stack]
        given = {name: value for name, value in self.given[stack].items() if value is not None}
        outputs = dict(re.findall(r"^  (Snapshot|CandidateSnapshot):\n    Value: (\w+)$", text, re.MULTILINE))
        self.standing[stack] = replace(
            before, parameters={**before.parameters, **given}, outputs={**before.outputs, **outputs}
        )
        snapshots = re.findall(r"^  (ApiDeployment\w+):$", text, re.MULTILINE)
        self.owned[stack] = [
            StackResource(name, name.lower(), "AWS::ApiGateway::Deployment", "CREATE_COMPLETE") for name in snapshots
        ]

    def continue_rollback(self, stack: str, token: str, *, role_arn: str) -> None:
        self.roles.append(role_arn)
        self._start("continue")

    def detect_drift(self, stack: str) -> str:
        self.did.append("detect drift")
        return "detection-1"

    def detection(self, detection_id: str) -> Detection:
        return self.detections.pop(0) if len(self.detections) > 1 else self.detections[0]

    def drifts(self, stack: str) -> Sequence[ResourceDrift]:
        return list(self.drifted)

    def protect(self, stack: str, on: bool) -> None:
        self.did.append(f"protect {on}")
        self.standing[stack] = replace(self.standing[stack], protected=on)

    def delete(self, stack: str, token: str, *, role_arn: str) -> None:
        self.roles.append(role_arn)
        self._start("delete")

    def _start(self, operation: str) -> None:
        self.did.append(operation)
        self._walking = list(self.walks.get(operation, []))
