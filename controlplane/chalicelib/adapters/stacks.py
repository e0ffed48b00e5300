"""CloudFormation behind `ports.stacks`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.stacks import Change, ChangeSet, Detection, ResourceDrift, Stack, StackEvent, StackResource
from chalicelib.domain.errors import AwsCallFailed, Conflict, NotFound

from .session import HOME, Session
from .stack_values import change_of, event_of, stack_of


def _says_missing(error: AwsCallFailed) -> bool:
    """CloudFormation has no error code of its own for a stack that is not there."""
    return error.aws_code == "ValidationError" and "does not exist" in error.message


def _drift(answer: Mapping[str, Any]) -> ResourceDrift:
    return ResourceDrift(
        logical_id=answer["LogicalResourceId"],
        resource_type=answer["ResourceType"],
        status=answer["StackResourceDriftStatus"],
        differences=[
            (item["PropertyPath"], item.get("ExpectedValue", ""), item.get("ActualValue", ""))
            for item in answer.get("PropertyDifferences", [])
        ],
    )


def _template(body: str | None, url: str) -> dict[str, object]:
    if url:
        return {"TemplateURL": url}
    return {"UsePreviousTemplate": True} if body is None else {"TemplateBody": body}


def _has_moved(error: AwsCallFailed) -> bool:
    """Whether the stack was created, or an operation on it begun, since it was looked at. No code of its own either."""
    text = error.message
    is_created = "already exists and cannot be created" in text
    is_busy = "_IN_PROGRESS state and can not be updated" in text
    return error.aws_code == "ValidationError" and (is_created or is_busy)


class CloudFormationStacks:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, stack: str) -> Stack | None:
        try:
            answer = self._session.call("cloudformation", "describe_stacks", StackName=stack)
        except NotFound:
            return None
        except AwsCallFailed as error:
            if _says_missing(error):
                return None
            raise
        return stack_of(answer["Stacks"][0]) if answer["Stacks"] else None

    def resources(self, stack: str) -> Sequence[StackResource]:
        try:
            entries = self._session.pages(
                "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
            )
        except AwsCallFailed as error:
            if _says_missing(error):
                raise NotFound(f"stack {stack} does not exist") from error
            raise
        return [
            StackResource(
                item["LogicalResourceId"],
                item.get("PhysicalResourceId", ""),
                item["ResourceType"],
                item["ResourceStatus"],
            )
            for item in entries
        ]

    def template(self, stack: str) -> str:
        try:
            body = self._session.call("cloudformation", "get_template", StackName=stack, TemplateStage="Original")[
                "TemplateBody"
            ]
        except AwsCallFailed as error:
            if _says_missing(error):
                raise NotFound(f"stack {stack} does not exist") from error
            raise
        # botocore parses a template in JSON.
        return body if isinstance(body, str) else json.dumps(body, sort_keys=True)

    def events(self, stack_id: str, *, after: str = "") -> Sequence[StackEvent]:
        fresh: list[StackEvent] = []
        token: dict[str, str] = {}
        # Newest first, a hundred a page: stop at the one that was seen last, not at the stack's first day.
        while True:
            answer = self._session.call("cloudformation", "describe_stack_events", StackName=stack_id, **token)
            for item in answer["StackEvents"]:
                if item["EventId"] == after:
                    return fresh[::-1]
                fresh.append(event_of(item))
            if not answer.get("NextToken"):
                return fresh[::-1]
            token = {"NextToken": answer["NextToken"]}

    def validate(self, template: str) -> Sequence[str]:
        answer = self._session.call("cloudformation", "validate_template", TemplateBody=template)
        return [item["ParameterKey"] for item in answer.get("Parameters", [])]

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
        template_url: str = "",
    ) -> ChangeSet:
        arguments = [
            {"ParameterKey": key, "UsePreviousValue": True}
            if value is None
            else {"ParameterKey": key, "ParameterValue": value}
            for key, value in parameters.items()
        ]
        by_template = _template(template, template_url)
        # A create that fails leaves nothing behind: a stack in ROLLBACK_COMPLETE could not be deployed to again.
        on_failure = {"OnStackFailure": "DELETE"} if creates else {}
        optional = {"Description": description, "RoleARN": role_arn}
        try:
            answer = self._session.call(
                "cloudformation",
                "create_change_set",
                StackName=stack,
                ChangeSetName=name,
                ChangeSetType="CREATE" if creates else "UPDATE",
                Parameters=arguments,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                Capabilities=["CAPABILITY_NAMED_IAM", *(["CAPABILITY_AUTO_EXPAND"] if template_url else [])],
                **{key: value for key, value in optional.items() if value},
                **by_template,
                **on_failure,
            )
        except AwsCallFailed as error:
            if error.aws_code == "AlreadyExistsException":
                raise Conflict(
                    f"stack {stack} has a change set {name} already",
                    code="ChangeSetExists",
                    remedy="Delete it in the CloudFormation console, or deploy: that deletes it first.",
                ) from error
            if _has_moved(error):
                raise Conflict(error.message, code="StackMoved", remedy="Look at the stack again.") from error
            raise
        return self.change_set(stack, answer["Id"])

    def change_set(self, stack: str, name: str) -> ChangeSet:
        token: dict[str, str] = {}
        changes: list[Change] = []
        while True:
            answer = self._session.call(
                "cloudformation", "describe_change_set", StackName=stack, ChangeSetName=name, **token
            )
            changes.extend(change_of(item) for item in answer.get("Changes", []))
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
        return ChangeSet(
            id=answer["ChangeSetId"],
            name=answer["ChangeSetName"],
            status=answer["Status"],
            reason=answer.get("StatusReason", ""),
            execution=answer.get("ExecutionStatus", ""),
            changes=tuple(changes),
            description=answer.get("Description", ""),
            stack_id=answer["StackId"],
        )

    def change_sets(self, stack: str) -> Sequence[ChangeSet]:
        try:
            entries = self._session.pages("cloudformation", "list_change_sets", "Summaries", StackName=stack)
        except NotFound:
            return []
        except AwsCallFailed as error:
            if _says_missing(error):
                return []
            raise
        return [
            ChangeSet(
                item["ChangeSetId"],
                item["ChangeSetName"],
                item["Status"],
                item.get("StatusReason", ""),
                item.get("ExecutionStatus", ""),
            )
            for item in entries
            if not item.get("ExecutionStatus", "").startswith("EXECUTE_")
        ]

    def delete_change_set(self, stack: str, name: str) -> None:
        self._session.call("cloudformation", "delete_change_set", StackName=stack, ChangeSetName=name)

    def execute(self, stack: str, change_set_id: str, token: str) -> None:
        self._session.call(
            "cloudformation",
            "execute_change_set",
            StackName=stack,
            ChangeSetName=change_set_id,
            ClientRequestToken=token,
        )

    def continue_rollback(self, stack: str, token: str, *, role_arn: str) -> None:
        role = {"RoleARN": role_arn} if role_arn else {}
        self._session.call(
            "cloudformation", "continue_update_rollback", StackName=stack, ClientRequestToken=token, **role
        )

    def detect_drift(self, stack: str) -> str:
        detection: str = self._session.call("cloudformation", "detect_stack_drift", StackName=stack)[
            "StackDriftDetectionId"
        ]
        return detection

    def detection(self, detection_id: str) -> Detection:
        answer = self._session.call(
            "cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=detection_id
        )
        return Detection(answer["DetectionStatus"], answer.get("DetectionStatusReason", ""))

    def drifts(self, stack: str) -> Sequence[ResourceDrift]:
        entries: list[ResourceDrift] = []
        token: dict[str, str] = {}
        while True:
            answer = self._session.call(
                "cloudformation",
                "describe_stack_resource_drifts",
                StackName=stack,
                StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
                **token,
            )
            entries.extend(_drift(item) for item in answer.get("StackResourceDrifts", []))
            if not answer.get("NextToken"):
                return entries
            token = {"NextToken": answer["NextToken"]}

    def protect(self, stack: str, on: bool) -> None:
        self._session.call(
            "cloudformation", "update_termination_protection", StackName=stack, EnableTerminationProtection=on
        )

    def delete(self, stack: str, token: str, *, role_arn: str) -> None:
        self._session.call(
            "cloudformation", "delete_stack", StackName=stack, ClientRequestToken=token, RoleARN=role_arn
        )
