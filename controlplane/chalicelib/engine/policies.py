"""What each Lambda may do, read from the rooms: `policy.json` beside a phase's code, `policies/` in lifecycle.

A policy names statements that several functions share in `Use`; `statements.json` beside this module holds them once.
Only the standard library, because the installer reads the policies before any dependency is installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib.domain.aws.targets import ROLE_PREFIX, STACK

PACKAGE = Path(__file__).resolve().parent.parent
_VERSION = "2012-10-17"
# Roles outside of `phases/` and `lifecycle/`: folder by the stem of the function's name. `change_stacks` is no
# function: it is the role with which CloudFormation changes the stacks of environments.
CHANGE_STACKS = "change_stacks"
UPGRADE = "upgrade"
# Of the control plane itself, wherever the environments are.
_HOME_SERVICES = frozenset({"dynamodb", "events", "states"})
_AT_HOME = (
    *(f":s3:::${{BucketName}}/{prefix}" for prefix in ("bundles", "load", "nightly", "reports")),
    ":log-group:/proxyctl/controlplane",
    ":proxyctl-EventsDeadLetters-",
    ":proxyctl-WebhookRetries-",
)
# Services that a customer's KMS key is used through: they encrypt what they keep in the name of the caller.
_ENCRYPTING = frozenset({"dynamodb", "s3", "secretsmanager", "sqs"})
# The project's own boundaries, as policies name them: an installation may name another one (`bounded_by`).
_BOUNDARY = re.compile(
    r"arn:\$\{AWS::Partition}:iam::\$\{AWS::AccountId}:policy/proxyctl-[a-z]+-boundary-\$\{AWS::Region}"
)
_OTHERS = {"api": "api", "load_worker": "load", CHANGE_STACKS: "stack", UPGRADE: "upgrade"}


def files(package: Path = PACKAGE) -> dict[str, Path]:
    """The policy file of every function, by the stem of the function's name, sorted by it.

    package: the folder `chalicelib`.
    """
    phases = {path.parent.name: path for path in package.glob("phases/*/policy.json")}
    lifecycle = {path.stem: path for path in package.glob("lifecycle/policies/*.json")}
    others = {stem: package / folder / "policy.json" for stem, folder in _OTHERS.items()}
    return dict(sorted((phases | lifecycle | others).items()))


def documents(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """Complete IAM policy documents by the stem of the function's name.

    Raises KeyError naming a shared statement that does not exist.
    """
    shared = json.loads((package / "engine" / "statements.json").read_text())
    every = {stem: document(json.loads(path.read_text()), shared) for stem, path in files(package).items()}
    return {stem: _with_targets(stem, each) for stem, each in every.items()}


def target_documents(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """What each function may do in a target, by the same stems: its policy without what concerns the control plane
    itself. Functions that do nothing there are left out."""
    shared = json.loads((package / "engine" / "statements.json").read_text())
    every = {stem: document(json.loads(path.read_text()), shared) for stem, path in files(package).items()}
    narrowed = {stem: {**each, "Statement": in_target(each["Statement"])} for stem, each in every.items()}
    return {stem: each for stem, each in narrowed.items() if each["Statement"] and stem != UPGRADE}


def _with_targets(stem: str, policy: dict[str, Any]) -> dict[str, Any]:
    """The policy of a function, which may also assume its own role in targets, where it has anything to do there."""
    if stem in (CHANGE_STACKS, UPGRADE) or not in_target(policy["Statement"]):
        return policy
    return {**policy, "Statement": [*policy["Statement"], assumes(stem)]}


def assumes(stem: str) -> dict[str, Any]:
    """The statement with which a function assumes the role of its own name in any target, with an external ID."""
    role = f"arn:${{AWS::Partition}}:iam::*:role/{ROLE_PREFIX}*-{stem.replace('_', '-')}"
    return {
        "Sid": "ActInTargets",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": {"Fn::Sub": role},
        "Condition": {"StringLike": {"sts:ExternalId": "??*"}},
    }


def uses_key(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The statement with which a role works where a KMS key of the customer's (`${KmsKeyArn}`) encrypts; None for a
    role that uses nothing that the key encrypts.

    statements: the role's own. Only through the services that it uses, so that nobody decrypts with the key itself.
    """
    actions = [action for statement in statements for action in _listed(statement["Action"])]
    services = sorted({action.partition(":")[0] for action in actions} & _ENCRYPTING)
    if not services:
        return None
    via = [{"Fn::Sub": f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}"} for service in services]
    return {
        "Sid": "UseTheKey",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": {"Fn::Sub": "${KmsKeyArn}"},
        "Condition": {"StringEquals": {"kms:ViaService": via}},
    }


def bounded_by(value: Any, boundary: Callable[[Any], Any]) -> Any:
    """`value`, a part of a template, with each name of a boundary of the project's own as `boundary` answers for it."""
    if isinstance(value, Mapping):
        if len(value) == 1 and _BOUNDARY.fullmatch(str(value.get("Fn::Sub"))):
            return boundary(value)
        return {key: bounded_by(item, boundary) for key, item in value.items()}
    if isinstance(value, list):
        return [bounded_by(item, boundary) for item in value]
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def in_target(statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The statements about what environments consist of."""
    return [narrowed for statement in statements if (narrowed := _in_target(statement))]


def _in_target(statement: Mapping[str, Any]) -> dict[str, Any] | None:
    services = {action.partition(":")[0] for action in statement["Action"]}
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    rest = [_moved(resource) for resource in resources if not any(part in _text(resource) for part in _AT_HOME)]
    if services & _HOME_SERVICES or not rest:
        return None
    return {**statement, "Resource": rest if len(rest) > 1 else rest[0]}


def _text(resource: Any) -> str:
    return str(resource["Fn::Sub"] if isinstance(resource, Mapping) else resource)


def _moved(resource: Any) -> Any:
    """The stack that holds the functions' roles has another name in a target."""
    text = _text(resource)
    return {"Fn::Sub": text.replace(":stack/proxyctl/", f":stack/{STACK}/")} if "${" in text else resource


def of_rollouts(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """The documents of all roles that work on environments: preflight asks about these. An upgrade of the control plane
    shows by itself what its role lacks."""
    return {stem: body for stem, body in documents(package).items() if stem != UPGRADE}


def document(policy: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """`policy` as IAM takes it: the statements of `Use` from `shared`, then its own.

    shared: statement by its Sid, without the Sid. Raises KeyError for a name that `shared` lacks.
    """
    used = [{"Sid": sid, **shared[sid]} for sid in policy.get("Use", ())]
    return {"Version": _VERSION, "Statement": [*used, *policy["Statement"]]}


def role_of(policy: str) -> str:
    """The logical id of the role that Chalice creates for a policy file: `LoadTestRole` for `load_test`,
    `ApiHandlerRole` for `api`."""
    return "ApiHandlerRole" if policy == "api" else "".join(part.capitalize() for part in policy.split("_")) + "Role"
