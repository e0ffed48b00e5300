"""Lambda behind `ports.functions`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from chalicelib.domain.aws.functions import (
    Alias,
    ConcurrencyLimits,
    FunctionConfig,
    FunctionSettings,
    Invocation,
    Permission,
    Version,
)
from chalicelib.domain.errors import AwsCallFailed, Conflict, NotFound

from .session import HOME, Session


def _version(answer: Mapping[str, Any]) -> Version:
    variables = answer.get("Environment", {}).get("Variables", {})
    return Version(
        answer["Version"],
        answer["CodeSha256"],
        answer.get("Description", ""),
        variables.get("ARTIFACT_DIGEST", ""),
        _iso(answer.get("LastModified", "")),
    )


def _iso(at: str) -> str:
    """Lambda writes the time zone as `+0000`; records have `+00:00`."""
    return f"{at[:-5]}+00:00" if at.endswith("+0000") else at


def _permission(statement: Mapping[str, Any]) -> Permission:
    principal = statement.get("Principal", "")
    service = principal.get("Service", "") if isinstance(principal, dict) else str(principal)
    conditions = statement.get("Condition", {})
    sources = [source for operator in conditions.values() for source in operator.values()]
    return Permission(statement.get("Sid", ""), service, str(sources[0]) if sources else "")


@contextmanager
def _of_function(name: str) -> Iterator[None]:
    """Calls about the function as a whole. Their NotFound says that it is gone, and how it comes back."""
    try:
        yield
    except NotFound as error:
        raise NotFound(
            f"function {name} does not exist ({error.message})",
            code="FunctionGone",
            field=name,
            remedy="If someone deleted it, its versions went with it. Deploy again: deploy_stack makes it again.",
            evidence=error.evidence,
        ) from error


class LambdaFunctions:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def config(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        if qualifier:
            answer = self._session.call(
                "lambda", "get_function_configuration", FunctionName=function, Qualifier=qualifier
            )
        else:
            with _of_function(function):
                answer = self._session.call("lambda", "get_function_configuration", FunctionName=function)
        return FunctionConfig(
            code_sha256=answer["CodeSha256"],
            memory_mb=answer["MemorySize"],
            timeout_s=answer["Timeout"],
            environment=answer.get("Environment", {}).get("Variables", {}),
            runtime=answer.get("Runtime", ""),
            state=answer.get("State", "Active"),
            update_status=answer.get("LastUpdateStatus", "Successful"),
            update_reason=answer.get("LastUpdateStatusReason", ""),
            arn=answer["FunctionArn"],
            role=answer.get("Role", ""),
        )

    def versions(self, function: str) -> Sequence[Version]:
        with _of_function(function):
            entries = self._session.pages("lambda", "list_versions_by_function", "Versions", FunctionName=function)
        published = [_version(item) for item in entries if item["Version"] != "$LATEST"]
        return sorted(published, key=lambda version: int(version.number))

    def aliases(self, function: str) -> Mapping[str, Alias]:
        with _of_function(function):
            entries = self._session.pages("lambda", "list_aliases", "Aliases", FunctionName=function)
        return {
            item["Name"]: Alias(
                item["Name"],
                item["FunctionVersion"],
                dict((item.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}),
                item.get("RevisionId", ""),
            )
            for item in entries
        }

    def point(self, function: str, alias: Alias, *, revision: str = "") -> None:
        # An empty map removes the weights; leaving the key out would keep them.
        wanted: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}}
        if revision:
            wanted["RevisionId"] = revision
        try:
            self._session.call(
                "lambda",
                "update_alias",
                FunctionName=function,
                Name=alias.name,
                FunctionVersion=alias.version,
                **wanted,
            )
        except AwsCallFailed as error:
            if error.aws_code != "PreconditionFailedException":
                raise
            raise Conflict(
                f"alias {alias.name} of {function} was moved by someone else in this very moment",
                code="AliasMoved",
                remedy="See who else moves aliases, then send the request again.",
            ) from error

    def create_alias(self, function: str, alias: Alias) -> None:
        try:
            self._session.call(
                "lambda", "create_alias", FunctionName=function, Name=alias.name, FunctionVersion=alias.version
            )
        except AwsCallFailed as error:
            if error.aws_code != "ResourceConflictException":
                raise

    def permissions(self, function: str, alias: str) -> Sequence[Permission]:
        try:
            policy = self._session.call("lambda", "get_policy", FunctionName=function, Qualifier=alias)["Policy"]
        except NotFound:
            return ()
        return [_permission(statement) for statement in json.loads(policy)["Statement"]]

    def permit(self, function: str, alias: str, permission: Permission) -> None:
        try:
            self._session.call(
                "lambda",
                "add_permission",
                FunctionName=function,
                Qualifier=alias,
                StatementId=permission.statement_id,
                Action="lambda:InvokeFunction",
                Principal=permission.principal,
                SourceArn=permission.source_arn,
            )
        except AwsCallFailed as error:
            if error.aws_code != "ResourceConflictException":
                raise

    def update_code(self, function: str, *, bucket: str, key: str) -> None:
        with _of_function(function):
            self._session.call("lambda", "update_function_code", FunctionName=function, S3Bucket=bucket, S3Key=key)

    def update_settings(self, function: str, settings: FunctionSettings) -> None:
        with _of_function(function):
            self._session.call(
                "lambda",
                "update_function_configuration",
                FunctionName=function,
                MemorySize=settings.memory_mb,
                Timeout=settings.timeout_s,
                Environment={"Variables": dict(settings.environment)},
            )

    def publish(self, function: str, *, code_sha256: str, description: str) -> Version:
        with _of_function(function):
            answer = self._session.call(
                "lambda", "publish_version", FunctionName=function, CodeSha256=code_sha256, Description=description
            )
        return _version(answer)

    def delete_version(self, function: str, version: str) -> None:
        try:
            self._session.call("lambda", "delete_function", FunctionName=function, Qualifier=version)
        except NotFound:
            return

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invocation:
        began = time.perf_counter()
        answer = self._session.call(
            "lambda",
            "invoke",
            FunctionName=function,
            Qualifier=qualifier,
            Payload=json.dumps(event).encode(),
            LogType="Tail",
        )
        payload = answer["Payload"].read()
        ms = (time.perf_counter() - began) * 1_000
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        return Invocation(payload, log, answer.get("FunctionError", ""), ms)

    def limits(self) -> ConcurrencyLimits:
        answer = self._session.call("lambda", "get_account_settings")["AccountLimit"]
        return ConcurrencyLimits(answer["ConcurrentExecutions"], answer["UnreservedConcurrentExecutions"])
