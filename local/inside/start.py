"""Starts MiniStack with the corrections, and with the switches that the environment names.

Run by the emulator's interpreter, with the checkout as first argument; nothing of the checkout stays on its path, so
that a Lambda cannot import from it.
"""

import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local import strict
from local.inside import (
    addresses,
    alarms,
    apis,
    attributes,
    buckets,
    error_names,
    gateway_responses,
    maps,
    queues,
    rates,
    topics,
    workers,
)
from local.inside.calls import Call, Refusal, Reply
from local.inside.iam import conditions, resources, roles, simulation
from local.strict import Strict

Handler = Callable[..., Awaitable[Reply]]


class Around(Protocol):
    """Answers itself or lets the emulator answer."""

    async def around(self, call: Call, answer: Callable[[], Awaitable[Reply]]) -> Reply: ...


@dataclass
class Gate:
    """What stands before the services: refusals before a call, refusals in place of an answer, other answers."""

    before: list[Callable[[Call], Refusal | None]] = field(default_factory=list)
    after: list[Callable[[Call, Reply], Refusal | None]] = field(default_factory=list)
    around: dict[str, Around] = field(default_factory=dict)

    def wrap(self, service: str, handler: Handler) -> Handler:
        """The service's handler behind this gate."""

        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Reply:
            call = Call(
                service, _action(service, method, path, headers, body, query), method, path, headers, body, query
            )

            async def answer() -> Reply:
                return await handler(method, path, headers, body, query)

            refusal = next((refused for check in self.before if (refused := check(call))), None)
            if refusal:
                return _formatted(call, refusal)
            around = self.around.get(service)
            reply = await (around.around(call, answer) if around else answer())
            refusal = next((refused for check in self.after if (refused := check(call, reply))), None)
            return _formatted(call, refusal) if refusal else reply

        return handle


def _action(service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> str:
    from ministack.core.iam_actions import extract_iam_action

    return extract_iam_action(service, method, path, headers, body, query) or ""


def _formatted(call: Call, refusal: Refusal) -> Reply:
    """The error in the protocol of the request."""
    from ministack.core.iam_actions import access_denied_response
    from ministack.core.responses import new_uuid

    _, headers, body = access_denied_response(
        call.service,
        call.action,
        "",
        new_uuid(),
        error_code=refusal.code,
        message=refusal.message,
        headers=dict(call.headers),
    )
    return refusal.status, headers, b"" if call.method == "HEAD" else body


class Throttle:
    """Holds callers to the published rates; the root keys, with which the pump works, are exempt."""

    def __init__(self, exempt: str) -> None:
        self._buckets, self._exempt = rates.Buckets(), exempt

    def check(self, call: Call) -> Refusal | None:
        """The API's own error when its bucket is empty."""
        rate = rates.rate_of(call.action)
        if rate is None or _access_key(call) == self._exempt:
            return None
        return None if self._buckets.draw(rate, time.monotonic()) else rate.refusal


def _access_key(call: Call) -> str:
    from ministack.core.router import extract_access_key_id

    return str(extract_access_key_id(dict(call.headers), dict(call.query)) or "")


def _may_not_list(call: Call, bucket: str) -> bool:
    from ministack.core.iam_evaluator import enforce

    arn = f"arn:aws:s3:::{bucket}"
    return enforce(_access_key(call), "s3:ListBucket", "s3", "", resource_arn=arn) is not None


def _check_passed_role(call: Call) -> Refusal | None:
    from ministack.core.iam_evaluator import enforce

    # An upload's body is megabytes that are no parameters: not parsed for a service that takes no role.
    may_pass = call.action.partition(":")[0] in conditions.PASSED_TO
    passed = conditions.passed_role(call.action, {**call.query, **call.params}) if may_pass else None
    if passed is None:
        return None
    role, context = passed
    if enforce(_access_key(call), "iam:PassRole", "iam", "", resource_arn=role, service_context=context) is None:
        return None
    return Refusal(403, "AccessDenied", f"The caller is not authorized to perform: iam:PassRole on resource: {role}")


def _authorise_as_aws(actions: Any, *, wildcard_only: bool) -> None:
    """Decide on the action and the resource that AWS decides on. wildcard_only: also `*` for actions without any."""
    original, named = actions.extract_iam_action, actions.extract_resource_arn

    def action_of(*request: Any) -> str | None:
        action = original(*request)
        return action and resources.authorised_as(action)

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        region: str,
        account: str,
    ) -> str:
        action = action_of(service, method, path, headers, body, query) or ""
        params = {**query, **Call(service, action, method, path, headers, body, query).params}
        arn = named(service, method, path, headers, body, query, region, account)
        arn = resources.resource(action, arn, params, region, account)
        return resources.on_everything(action, arn) if wildcard_only else arn

    actions.extract_iam_action, actions.extract_resource_arn = action_of, extract


def install(switches: Strict, root_key: str) -> None:
    """Correct the emulator in this process, and make it as strict as `switches` say."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, lambda_runtime
    from ministack.core.responses import get_account_id
    from ministack.services import (
        apigateway_v1,
        cloudwatch,
        eventbridge,
        iam,
        lambda_svc,
        sns,
        sqs,
        stepfunctions,
        tagging,
        waf,
    )
    from ministack.services.cloudformation import provisioners

    alarms.install(cloudwatch)
    apis.install(apigateway_v1)
    error_names.install(lambda_svc)
    workers.install(lambda_svc)
    workers.end_replaced(lambda_svc, lambda_runtime)
    gateway_responses.install(apigateway_v1)
    maps.install(stepfunctions)
    conditions.install(iam_actions, iam)
    simulation.judge_each_resource(iam)
    conditions.bind_roles(provisioners, iam)
    conditions.inherit_tags(tagging, apigateway_v1)
    addresses.associate(provisioners, waf)
    addresses.inherit_tags(tagging, apigateway_v1)
    addresses.answer_everywhere(apigateway_v1)
    addresses.leave_health_to_domains(app)
    conditions.name_roles(iam_evaluator)
    _authorise_as_aws(iam_actions, wildcard_only=switches.iam_resources)
    if not switches.active:
        return
    gate, handlers = Gate(), app.SERVICE_HANDLERS
    if switches.throttling:
        gate.before.append(Throttle(root_key).check)
    if switches.passed_roles:
        gate.before.append(_check_passed_role)
    if switches.message_attributes:
        gate.before.append(attributes.check)
        topics.drop_crowded_messages(sns)
    if switches.conditioned_topics:
        topics.refuse_conditioned_topics(eventbridge, sns)
    if switches.queue_policy_s:
        gate.before.append(queues.LatePolicies(sqs, switches.queue_policy_s).before)
    if switches.queue_name_s:
        gate.before.append(queues.TakenNames(switches.queue_name_s).before)
    if switches.role_s:
        gate.before.append(roles.LateRoles(iam_evaluator, get_account_id, switches.role_s).before)
    if switches.iam_read_s:
        gate.around["iam"] = roles.StaleReads(handlers["iam"], switches.iam_read_s)
    if switches.bucket_list_s:
        gate.around["s3"] = buckets.StaleBucketList(handlers["s3"], switches.bucket_list_s)
    if switches.missing_keys:
        gate.after.append(buckets.MissingKeys(_may_not_list).after)
    for service, handler in list(handlers.items()):
        handlers[service] = gate.wrap(service, handler)


def main() -> None:
    """Install, then serve until SIGTERM."""
    switches = strict.decode(os.environ.pop(strict.VARIABLE, ""))
    sys.path.remove(sys.argv.pop())
    install(switches, os.environ["AWS_ACCESS_KEY_ID"])
    from ministack.app import main as serve

    serve()
