"""Writes down the calls that the control plane's Lambdas make, for `judges/calls.py`.

Python imports a module of this name by itself. The emulator has this folder on its PYTHONPATH when PROXYCTL_CALLS_FILE
is set, and its Lambdas inherit both; the proxy, which must start fast, is left alone. A call is one JSON line:
function, service, operation, the parameters that name a resource, HTTP method and path, error code ("" for an answer),
and the parameters that are beyond AWS's limits; region and account of a call that an assumed role makes elsewhere.
PROXYCTL_EVERY_CALL writes equal calls as often as they are made, for the bench that counts them.
"""

import json
import os
from typing import Any

import request_limits as limits  # type: ignore[import-not-found]  # beside this file, on PYTHONPATH

_FILE = os.environ.get("PROXYCTL_CALLS_FILE", "")
_EVERY = bool(os.environ.get("PROXYCTL_EVERY_CALL"))
_FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
# fmt: off
_NAMING = frozenset({
    "AlarmName", "AlarmNamePrefix", "AlarmNames", "Bucket", "ChangeSetName", "DashboardName", "DashboardNames",
    "Delete", "EventBusName", "ExternalId", "FunctionName", "IndexName", "Key", "KeyId", "Name", "PolicySourceArn",
    "Prefix", "Qualifier", "QueueName", "QueueNamePrefix", "QueueUrl", "RequestItems", "RoleARN", "RoleArn", "RoleName",
    "S3Bucket", "S3Key", "PermissionsBoundary",
    "SecretId", "StackName", "StackDriftDetectionId", "SubscriptionArn", "TableName", "Tagging", "Tags",
    "TopicArn", "TransactItems", "executionArn", "logGroupName", "logGroupNamePrefix", "resourceArn",
    "restApiId", "stageName", "stateMachineArn", "tags",
})
# fmt: on
_written: set[str] = set()
# Account of each role that was assumed, by the access key of its session.
_assumed: dict[str, str] = {}


def _write(
    service: str,
    operation: str,
    params: Any,
    http: dict[str, str],
    code: str = "",
    beyond: Any = (),
    elsewhere: dict[str, str] | None = None,
) -> None:
    """One line, once a process unless every call is wanted: a load test signs thousands of equal requests."""
    entry = {"function": _FUNCTION, "service": service, "operation": operation, "params": params, "http": http}
    line = json.dumps(entry | {"code": code, "beyond": list(beyond)} | (elsewhere or {}), sort_keys=True, default=str)
    if _EVERY or line not in _written:
        _written.add(line)
        with open(_FILE, "a", encoding="utf-8") as file:  # noqa: PTH123 - nothing imported that a Lambda may not need
            file.write(line + "\n")


def _keep(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    context["proxyctl_beyond"] = list(limits.violations(model.input_shape, params))
    context["proxyctl_params"] = {name: _named(name, params[name]) for name in _NAMING & set(params)}


def _elsewhere(access_key: str, region: str) -> dict[str, str]:
    return {"account": _assumed[access_key], "region": region} if access_key in _assumed else {}


def _signing(request: Any, region_name: str, request_signer: Any, **_: Any) -> None:
    credentials = request_signer._credentials
    if credentials is not None:
        key = credentials.get_frozen_credentials().access_key
        request.context["proxyctl_elsewhere"] = _elsewhere(key, region_name)


def _remember(operation: str, parsed: Any) -> None:
    if operation == "AssumeRole" and "Credentials" in parsed:
        _assumed[parsed["Credentials"]["AccessKeyId"]] = parsed["AssumedRoleUser"]["Arn"].split(":")[4]


def _named(name: str, value: Any) -> Any:
    if name == "TransactItems":
        return [{kind: item["TableName"] for kind, item in entry.items()} for entry in value]
    if name == "RequestItems":
        return sorted(value)
    if name == "Delete":
        return [entry["Key"] for entry in value["Objects"]]
    return value


def _answered(parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    http = {"method": model.http.get("method", ""), "path": model.http.get("requestUri", "")}
    code = str(parsed.get("Error", {}).get("Code", ""))
    params, beyond = context.get("proxyctl_params", {}), context.get("proxyctl_beyond", [])
    _remember(model.name, parsed)
    place = context.get("proxyctl_elsewhere")
    _write(model.service_model.signing_name, model.name, params, http, code, beyond, place)


def _record() -> None:
    import botocore.auth
    import botocore.handlers

    botocore.handlers.BUILTIN_HANDLERS.append(("before-parameter-build", _keep))
    botocore.handlers.BUILTIN_HANDLERS.append(("before-sign", _signing))
    botocore.handlers.BUILTIN_HANDLERS.append(("after-call", _answered))
    sign = botocore.auth.SigV4Auth.add_auth

    def add_auth(self: Any, request: Any) -> Any:
        # Requests to the candidate are signed by hand; botocore's own calls come by the events above.
        if self._service_name == "execute-api":
            place = _elsewhere(self.credentials.access_key, self._region_name)
            http = {"method": request.method, "path": request.url}
            _write("execute-api", "Invoke", {}, http, elsewhere=place)
        return sign(self, request)

    botocore.auth.SigV4Auth.add_auth = add_auth


if _FILE and _FUNCTION and not _FUNCTION.endswith("-proxy"):
    _record()
