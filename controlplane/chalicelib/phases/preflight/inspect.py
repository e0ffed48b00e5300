"""Reads account, region, quotas, names and the environment's stack, and answers what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.preflight import Finding
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import address, ownership, partitions, quotas


def check(request: Request, aws: Aws) -> list[Finding]:
    """All findings about the surroundings of the deployment; nothing is changed."""
    stack = aws.stacks.find(request.names.stack)
    return [
        *_identity(aws),
        *_concurrency(request, aws),
        *_gateway(request, aws),
        *ownership.stack(stack),
        *_names(stack, request, aws),
        *_function(stack, request, aws),
        *_webhook(request, aws),
        *_domain(stack, request, aws),
        *_waf(request, aws),
        *_partition(request, aws),
    ]


def _identity(aws: Aws) -> Iterator[Finding]:
    caller, settings = aws.identity.caller(), aws.settings
    if caller.account != settings.account:
        yield Finding(
            "identity",
            f"these credentials belong to account {caller.account}, the control plane to {settings.account}",
            "Run bootstrap.py up in the right account.",
        )
    partition = caller.arn.split(":")[1]
    if partition != settings.partition:
        yield Finding(
            "identity",
            f"these credentials belong to partition {partition}, the control plane to {settings.partition}",
            "Run bootstrap.py up in the right partition.",
        )
    # A bucket with a name of the customer's own was looked at when it was chosen.
    own = settings.bucket.startswith(f"proxyctl-{settings.account}-")
    if own and not settings.bucket.endswith(f"-{settings.region}"):
        yield Finding(
            "region",
            f"the bucket {settings.bucket} is not in region {settings.region}",
            "Lambda takes code from its own region only: run bootstrap.py up in this region.",
        )


def _concurrency(request: Request, aws: Aws) -> Iterator[Finding]:
    reserve, live = request.config.reserved_concurrency, request.environment.live
    if reserve is not None and live:
        # The account's unreserved concurrency excludes what the function has reserved already.
        reserve = max(0, reserve - int(live.config.get("reserved_concurrency") or 0))
    yield from quotas.concurrency(aws.functions.limits(), request.options.load, reserve)


def _gateway(request: Request, aws: Aws) -> Iterator[Finding]:
    account = aws.gateway.account()
    if not account.log_role:
        yield Finding(
            "api_gateway",
            "the account has no CloudWatch role for API Gateway, so there will be no access log",
            "Once per account and region: create a role with AmazonAPIGatewayPushToCloudWatchLogs, then aws apigateway"
            " update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN",
            blocks=False,
        )
    yield from quotas.throttle(account, request.config.throttle)
    mode = request.config.response_mode or aws.settings.response_mode
    yield from quotas.time_limit(mode, request.config.time_limit_s(mode))


def _webhook(request: Request, aws: Aws) -> Iterator[Finding]:
    name = request.names.webhook_secret
    info = aws.secrets.find(name) if request.config.webhook else None
    if request.config.webhook and (info is None or info.doomed or not info.current):
        reason = _lack(info)
        yield Finding(
            "webhook",
            f"config.webhook is set without a signing key ({reason} {name}), so nothing will be sent",
            f"aws secretsmanager create-secret --name {name} --secret-string KEY",
            blocks=False,
            field="config.webhook",
        )


def _domain(stack: Stack | None, request: Request, aws: Aws) -> Iterator[Finding]:
    wanted, place = request.config.domain, _place(aws)
    if wanted is None:
        return
    zone, before = wanted.hosted_zone_id, stack.parameters if stack else {}
    certificate = aws.certificates.find(wanted.certificate_arn) if place.holds(wanted.certificate_arn) else None
    standing = address.Standing(
        certificate,
        aws.gateway.domain(wanted.name),
        aws.zones.find(zone) if zone else None,
        aws.zones.records(zone, wanted.name) if zone and aws.zones.find(zone) else (),
        owns=(before.get("DomainName"), before.get("HostedZoneId", "")) == (wanted.name, zone or ""),
    )
    yield from address.certificate(wanted, standing, place, request.now)
    yield from address.owner(wanted, standing, request.environment.name)
    yield from address.zone(wanted, standing)


def _waf(request: Request, aws: Aws) -> Iterator[Finding]:
    wanted, place = request.config.waf, _place(aws)
    if wanted is not None:
        exists = place.holds(wanted.web_acl_arn) and aws.firewall.exists(wanted.web_acl_arn)
        yield from address.web_acl(wanted, exists, place)


def _partition(request: Request, aws: Aws) -> Iterator[Finding]:
    mode = request.config.response_mode or aws.settings.response_mode
    has_domain = request.config.domain is not None
    return partitions.findings(aws.settings.partition, streams=mode == "stream", has_domain=has_domain)


def _place(aws: Aws) -> address.Place:
    return address.Place(aws.settings.account, aws.settings.region)


def _lack(info: SecretInfo | None) -> str:
    if info is None:
        return "there is no secret"
    return "its deletion is scheduled:" if info.doomed else "it has no value:"


def _function(stack: Stack | None, request: Request, aws: Aws) -> Iterator[Finding]:
    if stack and ownership.is_complete(stack) and not _function_exists(request, aws):
        yield ownership.function_missing(stack.name, request.names.function)


def _names(stack: Stack | None, request: Request, aws: Aws) -> Iterator[Finding]:
    """The creation of a stack fails half way when a resource of the same name exists outside of it."""
    if ownership.creates(stack):
        yield from ownership.taken(_existing(request, aws))


def _existing(request: Request, aws: Aws) -> Iterator[str]:
    names = request.names
    if _function_exists(request, aws):
        yield f"function {names.function}"
    for prefix in (names.log_group, names.access_log_group):
        yield from (f"log group {group.name}" for group in aws.logs.groups(prefix) if group.name == prefix)
    role = names.role(aws.settings.region)
    if aws.identity.role_arn(role):
        yield f"role {role}"


def _function_exists(request: Request, aws: Aws) -> bool:
    try:
        aws.functions.config(request.names.function)
    except NotFound:
        return False
    return True
