"""Account, region, quotas, names and the stack as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound
from chalicelib.domain.names import OWNER, OWNER_TAG, Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack import state
from chalicelib.stack.state import Move

from . import findings
from .findings import Finding

# Until the load test has measured it, an answer is taken to last so long.
_REQUEST_S = 2.0
_BUFFERED_LIMIT_S = 29


def check(request: Request, aws: Aws) -> list[Finding]:
    stack = aws.stacks.find(Names(request.environment.name).stack)
    return [
        *_identity(aws),
        *_quotas(request, aws),
        *_gateway(request, aws),
        *_stack(stack),
        *_names(stack, request, aws),
        *_removed(stack, request, aws),
        *_webhook(request, aws),
    ]


def _identity(aws: Aws) -> Iterator[Finding]:
    caller = aws.identity.caller()
    if caller.account != aws.settings.account:
        yield Finding(
            "identity",
            f"these credentials are of account {caller.account}, the control plane is of {aws.settings.account}",
            "Run bootstrap.py up in the account that is meant.",
        )
    partition = caller.arn.split(":")[1]
    if partition != aws.settings.partition:
        yield Finding(
            "identity",
            f"these credentials are of partition {partition}, the control plane is of {aws.settings.partition}",
            "Run bootstrap.py up in the partition that is meant.",
        )
    if not aws.settings.bucket.endswith(f"-{aws.settings.region}"):
        yield Finding(
            "region",
            f"the bucket {aws.settings.bucket} is not of region {aws.settings.region}",
            "Lambda takes code from its own region only: run bootstrap.py up in this region.",
        )


def _quotas(request: Request, aws: Aws) -> Iterator[Finding]:
    limits, load = aws.functions.limits(), request.options.load
    # What the function has reserved already is not taken twice.
    reserve = request.config.reserved_concurrency
    if reserve is not None and request.environment.live:
        reserve = max(0, reserve - int(request.environment.live.config.get("reserved_concurrency") or 0))
    yield from findings.concurrency(
        limits.total,
        limits.unreserved,
        load_rps=load.rps,
        request_s=_REQUEST_S,
        workers=load.workers,
        reserve=reserve,
    )


def _gateway(request: Request, aws: Aws) -> Iterator[Finding]:
    account, throttle = aws.gateway.account(), request.config.throttle
    if not account.log_role:
        yield Finding(
            "api_gateway",
            "the account has no CloudWatch role for API Gateway, so there will be no access log",
            "Once per account and region: make a role with AmazonAPIGatewayPushToCloudWatchLogs, then aws apigateway"
            " update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN",
            blocks=False,
        )
    if throttle.rate_per_s > account.rate_per_s or throttle.burst > account.burst:
        yield Finding(
            "api_gateway",
            f"config.throttle ({throttle.rate_per_s:g}/s, burst {throttle.burst}) is above the account's own"
            f" ({account.rate_per_s:g}/s, burst {account.burst}), which acts first",
            "Lower it, or ask for more (Service Quotas, API Gateway).",
            blocks=False,
            field="config.throttle",
        )
    mode = request.config.response_mode or aws.settings.response_mode
    if mode == "buffered" and request.config.timeout_s > _BUFFERED_LIMIT_S:
        yield Finding(
            "api_gateway",
            f"config.timeout_s is {request.config.timeout_s}; API Gateway cuts them at {_BUFFERED_LIMIT_S} s",
            "Stream (config.response_mode stream), or lower it.",
            blocks=False,
            field="config.timeout_s",
        )


def _webhook(request: Request, aws: Aws) -> Iterator[Finding]:
    name = Names(request.environment.name).webhook_secret
    if request.config.webhook and aws.secrets.find(name) is None:
        yield Finding(
            "webhook",
            f"config.webhook is set and its signing key is not: no secret {name}, so that nothing will be sent",
            f"aws secretsmanager create-secret --name {name} --secret-string KEY",
            blocks=False,
            field="config.webhook",
        )


def _stack(stack: Stack | None) -> Iterator[Finding]:
    if stack is None:
        return
    move = state.next_move(stack.status)
    if move is Move.REFUSE:
        yield Finding(
            "stack",
            f"stack {stack.name} is in {stack.status}: {stack.reason or 'no reason given'}",
            "Bring it to a *_COMPLETE state in the CloudFormation console.",
        )
    elif move is not Move.UPDATE and stack.status != "REVIEW_IN_PROGRESS":
        yield Finding(
            "stack",
            f"stack {stack.name} is in {stack.status}; deploy_stack will deal with it ({move.value.lower()})",
            "Nothing to do.",
            blocks=False,
        )
    owner = stack.tags.get(OWNER_TAG)
    if stack.status != "REVIEW_IN_PROGRESS" and owner != OWNER:
        yield Finding(
            "names",
            f"stack {stack.name} exists, and is not ours (its tag {OWNER_TAG} is {owner or 'missing'})",
            "Choose another name for the environment.",
            field="environment",
        )


def _removed(stack: Stack | None, request: Request, aws: Aws) -> Iterator[Finding]:
    """CloudFormation does not make again what someone deleted behind its back."""
    if stack is None or state.next_move(stack.status) is not Move.UPDATE:
        return
    name = Names(request.environment.name).function
    try:
        aws.functions.config(name)
    except NotFound:
        yield Finding(
            "stack",
            f"stack {stack.name} stands, and its function {name} was deleted by hand",
            "POST /deployments with action cleanup (the secret stays), then deploy again.",
        )


def _names(stack: Stack | None, request: Request, aws: Aws) -> Iterator[Finding]:
    """What the stack is to make must not be there from someone else, or its creation fails half way."""
    if stack is not None and state.next_move(stack.status) is not Move.CREATE:
        return
    names = Names(request.environment.name)
    taken = []
    try:
        aws.functions.config(names.function)
        taken.append(f"function {names.function}")
    except NotFound:
        pass  # free, as it should be
    for prefix in (names.log_group, names.access_log_group):
        taken += [f"log group {group.name}" for group in aws.logs.groups(prefix) if group.name == prefix]
    role = names.role(aws.settings.region)
    if aws.identity.role_arn(role):
        taken.append(f"role {role}")
    for what in taken:
        yield Finding(
            "names",
            f"{what} exists already, outside of any stack of ours",
            "Remove it (action cleanup does, for what is ours), or choose another environment name.",
            field="environment",
        )
