"""Published versions and aliases of the control plane's functions (docs/decisions/801).

Each upgrade publishes a version of every function. The state machines name versions, so that an execution keeps the
code that it began with; everything else (the API, the stream, queues, rules, schedules) calls the alias `live`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LIVE, CANDIDATE = "live", "candidate"
Template = dict[str, Any]  # CloudFormation's, as parsed JSON
_LENGTH = 12  # hex digits of a release and of a publication
_FUNCTION = "AWS::Serverless::Function"
_STATE_MACHINE, _ROLE = "AWS::StepFunctions::StateMachine", "AWS::IAM::Role"
_CALLERS = ("AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule")
_SCHEDULE, _API = "AWS::Scheduler::Schedule", "AWS::Serverless::Api"


def release_of(template: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """A digest of all that a version of a function consists of: code, settings, and the values of its variables."""
    text = json.dumps([template, dict(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def publication_of(deployment_id: str) -> str:
    """The publication of an upgrade: another for each, the same for each call of one."""
    return hashlib.sha256(deployment_id.encode()).hexdigest()[:_LENGTH]


def kept(template: Mapping[str, Any], present: Mapping[str, str]) -> dict[str, str]:
    """The stack's present values of the template's parameters: somebody may have set them, and an update that names no
    value would put the default back."""
    return {name: value for name, value in present.items() if name in template.get("Parameters", {})}


def functions(template: Mapping[str, Any]) -> list[str]:
    """The logical ids of the functions, sorted."""
    return sorted(name for name, each in template["Resources"].items() if each["Type"] == _FUNCTION)


def version_id(function: str, publication: str) -> str:
    """The logical id of the version that a publication adds to a function."""
    return f"{function}Version{publication}"


def alias_id(function: str) -> str:
    """The logical id of a function's alias `live`."""
    return f"{function}Live"


def published(template: Mapping[str, Any], publication: str) -> Template:
    """The template with a version of each function and its alias, and with every caller pointed at one of them.

    publication: hex digits that no earlier publication had. CloudFormation refuses a version of an unchanged function;
    the parameter `Publication` is a variable of each, so that every publication changes every function.
    """
    versioned: Template = json.loads(json.dumps(template))
    resources, names = versioned["Resources"], functions(versioned)
    by_alias = {name: {"Ref": alias_id(name)} for name in names}
    by_version = {name: {"Ref": version_id(name, publication)} for name in names}
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == _STATE_MACHINE:
            properties["DefinitionSubstitutions"] = _pointed(properties.get("DefinitionSubstitutions", {}), by_version)
        elif resource["Type"] == _ROLE:
            properties["Policies"] = _with_versions(properties.get("Policies", []), names)
        elif resource["Type"] in (*_CALLERS, _SCHEDULE):
            resource["Properties"] = _pointed(properties, by_alias)
        elif resource["Type"] == _API:
            resource["Properties"] = _aliased(properties, names)
    for name in names:
        resources[version_id(name, publication)] = _version(name)
        resources[alias_id(name)] = _alias(name, version_id(name, publication))
    return versioned


def _version(function: str) -> Template:
    # Retained: executions that began with it go on with it. `retire_versions` deletes it when none can any more.
    return {
        "Type": "AWS::Lambda::Version",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"FunctionName": {"Ref": function}},
    }


def _alias(function: str, version: str) -> Template:
    number = {"Fn::GetAtt": [version, "Version"]}
    properties = {"FunctionName": {"Ref": function}, "FunctionVersion": number, "Name": LIVE}
    return {"Type": "AWS::Lambda::Alias", "Properties": properties}


def _pointed(value: Any, targets: Mapping[str, object]) -> Any:
    """`value` with each reference to a function replaced by its target."""
    if isinstance(value, dict):
        name = _function_in(value)
        return targets[name] if name in targets else {key: _pointed(item, targets) for key, item in value.items()}
    return [_pointed(item, targets) for item in value] if isinstance(value, list) else value


def _function_in(value: Mapping[str, Any]) -> str:
    """The logical id in `{Ref: X}` or `{Fn::GetAtt: [X, Arn]}`, "" in anything else."""
    if list(value) == ["Ref"]:
        return str(value["Ref"])
    attribute = value.get("Fn::GetAtt")
    return str(attribute[0]) if len(value) == 1 and isinstance(attribute, list) and attribute[1:] == ["Arn"] else ""


def _aliased(value: Any, names: list[str]) -> Any:
    """`value` with each `${Function.Arn}` in a text replaced by the alias."""
    if isinstance(value, dict):
        return {key: _aliased(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_aliased(item, names) for item in value]
    if isinstance(value, str) and "${" in value:
        for name in names:
            value = value.replace(f"${{{name}.Arn}}", f"${{{alias_id(name)}}}")
    return value


def _with_versions(value: Any, names: list[str]) -> Any:
    """Policies in which who may call a function may call its versions and aliases, too."""
    if isinstance(value, dict):
        return {
            key: _resources(item, names) if key == "Resource" else _with_versions(item, names)
            for key, item in value.items()
        }
    return [_with_versions(item, names) for item in value] if isinstance(value, list) else value


def _resources(value: Any, names: list[str]) -> Any:
    listed = value if isinstance(value, list) else [value]
    called = [_function_in(item) for item in listed if isinstance(item, dict)]
    more = [{"Fn::Sub": f"${{{name}.Arn}}:*"} for name in called if name in names]
    return [*listed, *more] if more else value
