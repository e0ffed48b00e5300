"""Every recorded call before an independent IAM evaluator: iam-simulate (npm), with AWS's service authorization data.

A call must be allowed there exactly where the recorded cloud allowed it; statements that decided nothing are listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from chalicelib.engine import policies
from chalicelib.engine.policies import CHANGE_STACKS

from judges import documents, exceptions, formation, node_tools
from judges.calls import Need, Place
from judges.documents import Sources

# The evaluator takes what stands before the first slash of a resource for its type, in which no wildcard counts. In an
# ARN of execute-api it is the API's id: ours is put in on both sides.
_ANY_API = "anyapi1234"


@dataclass(frozen=True)
class Judged:
    """What the evaluator says of a need. statements: the Sids that decided. error: why it could not judge."""

    need: Need
    verdict: str
    statements: tuple[str, ...]
    error: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the call would be allowed."""
        return self.verdict == "Allowed"

    def __str__(self) -> str:
        need = self.need
        cloud = "allowed" if need.allowed else "denied"
        said = self.error or self.verdict
        return f"{need.stem}: {need.action} on {need.resource}: {cloud} by the recorded cloud, {said} by iam-simulate"


def judge(needs: Sequence[Need], place: Place, sources: Sources | None = None) -> list[Judged]:
    """Ask about all of them. Raises node_tools.NodeIsMissing."""
    sources = sources or documents.read()
    general = [replace(need, resource=_with_any_api(need.resource)) for need in needs]
    payload = {
        "account": place.account,
        "policies": {stem: _resolved(_whole(stem, sources), place) for stem in sources.policies},
        "needs": [
            {"stem": need.stem, "action": need.action, "resource": need.resource, "context": dict(need.context)}
            for need in general
        ],
    }
    answers = node_tools.run("simulate", payload)
    return [
        Judged(need, answer.get("verdict", ""), tuple(answer.get("statements", ())), answer.get("error", ""))
        for need, answer in zip(needs, answers, strict=True)
    ]


def of_targets(sources: Sources | None = None) -> Sources:
    """The same, with the policies that the functions' roles have in a target."""
    return replace(sources or documents.read(), policies=policies.target_documents())


def _whole(stem: str, sources: Sources) -> Mapping[str, Any]:
    """The policy with the statements that the control plane's template attaches to its role."""
    every = documents.of_template("resources.yaml", sources.resources)
    attached = [each.body["Statement"] for each in every if policies.role_of(stem) in each.roles]
    policy = sources.policies[stem]
    return {**policy, "Statement": [*policy["Statement"], *chain.from_iterable(attached)]}


def _resolved(policy: Mapping[str, Any], place: Place) -> Any:
    text = json.dumps(documents.resolved(policy, {}))
    here, there = "123456789012", place.account
    text = (
        text.replace("eu-central-1", place.region)
        .replace(here, there)
        .replace(f"execute-api:{place.region}:{there}:*/", _api_prefix(place))
        .replace(f"execute-api:{place.region}:{there}:{documents.VARIABLES['RestAPI']}/", _api_prefix(place))
    )
    return json.loads(text)


def _api_prefix(place: Place) -> str:
    return f"execute-api:{place.region}:{place.account}:{_ANY_API}/"


def _with_any_api(resource: str) -> str:
    head, separator, path = resource.partition("/")
    return f"{head.rpartition(':')[0]}:{_ANY_API}/{path}" if ":execute-api:" in head and separator else resource


def disagreements(judged: Iterable[Judged]) -> list[str]:
    """One line for each need that the evaluator judges otherwise than the cloud, or cannot judge."""
    return sorted({str(each) for each in judged if each.error or each.allowed != each.need.allowed})


def unused(judged: Iterable[Judged], sources: Sources | None = None) -> list[str]:
    """`stem/Sid` of each Allow statement that decided nothing."""
    used = {(each.need.stem, sid) for each in judged for sid in each.statements}
    every = (sources or documents.read()).policies
    held = {(stem, str(each.get("Sid"))) for stem, policy in every.items() for each in policy["Statement"]}
    return sorted(f"{stem}/{sid}" for stem, sid in held - used)


def silent(needs: Iterable[Need], sources: Sources | None = None) -> list[str]:
    """Lambdas of which no call was recorded, beside what others do in their name."""
    lambdas = set((sources or documents.read()).policies) - {CHANGE_STACKS}
    return sorted(lambdas - {need.stem for need in needs})


def in_their_name(place: Place, sources: Sources | None = None) -> list[Need]:
    """What AWS does with a role's permissions without a call of the Lambda's: CloudFormation's handlers, Lambda's log
    lines, and the poller of an event source."""
    sources = sources or documents.read()
    log = place.arn("logs", "log-group:/proxyctl/controlplane:log-stream:2026/11/26/a")
    lines = [Need(stem, "logs:PutLogEvents", log) for stem in sources.policies if stem != CHANGE_STACKS]
    stream = place.arn("dynamodb", "table/proxyctl/stream/2026-11-26T00:00:00.000")
    actions = ("DescribeStream", "GetRecords", "GetShardIterator")
    polled = [Need("tell", f"dynamodb:{action}", stream) for action in actions]
    polled.append(Need("tell", "dynamodb:ListStreams", "*"))
    # The event source mapping hands on what the Lambda could not take.
    polled.append(Need("tell", "sqs:SendMessage", place.arn("sqs", "proxyctl-EventsDeadLetters-1A2B3C")))
    return [*lines, *polled, *_formed(place, sources)]


def _formed(place: Place, sources: Sources) -> list[Need]:
    accepted = exceptions.load("formation")
    types = formation.types_of(sources.proxy)
    formed = []
    for caller in formation.CALLERS:
        for name in caller.types or types:
            for handler in caller.handlers:
                for action in formation.permissions(name, handler):
                    text = f"{caller.policy}: {name} {handler}: {action}"
                    if exceptions.judge([text], accepted).open or _granted(caller.policy, action, name, sources):
                        formed.append(_formed_need(caller.policy, action, name, place))
    return sorted(set(formed), key=lambda need: (need.stem, need.action, need.resource))


def _granted(stem: str, action: str, name: str, sources: Sources) -> bool:
    document = documents.Document(stem, "identity", documents.resolved(sources.policies[stem], {}))
    return formation.grants(document, action, formation.sample(name, action))


def _formed_need(stem: str, action: str, name: str, place: Place) -> Need:
    resource = formation.sample(name, action).replace("123456789012", place.account)
    return Need(stem, action, resource, True, _context_of_handler(action, resource, place))


def _context_of_handler(action: str, resource: str, place: Place) -> dict[str, str]:
    """Condition keys of a handler's call. A REST API's tags count for what is in it (API Gateway Developer Guide,
    "Resources that can be tagged"); the stack's tags are on whatever it creates."""
    service = action.partition(":")[0]
    if action == "iam:PassRole":
        return {"iam:PassedToService": "lambda.amazonaws.com"}
    if action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        return {"iam:PermissionsBoundary": place.boundary, "iam:PolicyARN": place.guard}
    if action == "route53:ChangeResourceRecordSets":
        return {"route53:ChangeResourceRecordSetsRecordTypes": "A"}
    if action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        return {"iam:PermissionsBoundary": place.boundary}
    if service == "apigateway":
        kind = "RequestTag" if resource.endswith(("/restapis", "/domainnames")) else "ResourceTag"
        return {f"aws:{kind}/proxyctl:environment": "dev"}
    return {}
