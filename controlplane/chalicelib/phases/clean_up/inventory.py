"""Resources that an environment has in AWS: their kinds, their names, and the commands that remove them by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from chalicelib.domain.evidence.clean_up import Leftover


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. kind: stack, function, …; name: as its service's commands take it, or its ARN when it was found by
    tag. found_by: `name` or `tag`."""

    kind: str
    name: str
    found_by: str = "name"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


# The command that removes a resource of each kind; the name is filled in and the region added.
_COMMANDS = {
    "stack": "aws cloudformation delete-stack --stack-name {name}",
    "function": "aws lambda delete-function --function-name {name}",
    "version": "aws lambda delete-function --function-name {name}",
    "domain": "aws apigateway delete-domain-name --domain-name {name}",
    "api": "aws apigateway delete-rest-api --rest-api-id {name}",
    "role": "aws iam list-role-policies --role-name {name}; # delete them; aws iam delete-role --role-name {name}",
    "log group": "aws logs delete-log-group --log-group-name {name}",
    "alarm": "aws cloudwatch delete-alarms --alarm-names {name}",
    "dashboard": "aws cloudwatch delete-dashboards --dashboard-names {name}",
    "topic": "aws sns delete-topic --topic-arn {name}",
    "queue": "aws sqs delete-queue --queue-url {name}",
    "query": "aws logs delete-query-definition --query-definition-id {name}",
    "secret": "aws secretsmanager delete-secret --secret-id {name} --recovery-window-in-days 7",
    "object": "aws s3 rm s3://{name}",
}
_UNTAG = "aws resourcegroupstaggingapi untag-resources --resource-arn-list {name} # after removing it in its console"


# The commands of these kinds take the part of the ARN after this marker; all others take the ARN itself.
_NAMED_AFTER = {
    "stack": ":stack/",
    "function": ":function:",
    "domain": "/domainnames/",
    "api": "/restapis/",
    "role": ":role/",
    "log group": ":log-group:",
    "alarm": ":alarm:",
    "dashboard": ":dashboard/",
}


def command(resource: Resource, region: str) -> str:
    """The AWS CLI command, with the region, that removes the resource."""
    name, marker = resource.name, _NAMED_AFTER.get(resource.kind, "")
    if marker and marker in name:
        name = name.partition(marker)[2]
        name = name.partition("/")[0] if resource.kind in ("stack", "api") else name
    if resource.kind == "queue" and name.startswith("arn:"):
        queue = name.rpartition(":")[2]
        name = f'"$(aws --region {region} sqs get-queue-url --queue-name {queue} --output text)"'
    text = _COMMANDS.get(resource.kind, _UNTAG).format(name=name)
    return text.replace("aws ", f"aws --region {region} ", 1)


def leftovers(resources: Iterable[Resource], region: str) -> tuple[Leftover, ...]:
    """The resources as evidence, each with the command that removes it."""
    return tuple(Leftover(item.kind, item.name, item.found_by, command(item, region)) for item in resources)


# Kind of a resource by a part of its ARN; the first match counts.
_KINDS = (
    (":cloudformation:", "stack"),
    (":lambda:", "function"),
    ("::/domainnames/", "domain"),
    (":apigateway:", "api"),
    (":role/", "role"),
    (":log-group:", "log group"),
    (":alarm:", "alarm"),
    (":dashboard/", "dashboard"),
    (":sns:", "topic"),
    (":sqs:", "queue"),
    (":secretsmanager:", "secret"),
    (":s3:", "object"),
)


def of_arn(arn: str) -> Resource:
    """A resource that was found by tag. Its kind is `resource` when no service of `_KINDS` matches."""
    kind = next((kind for part, kind in _KINDS if part in arn), "resource")
    return Resource(kind, arn, "tag")


def merged(by_name: Sequence[Resource], by_tag: Sequence[Resource]) -> list[Resource]:
    """Each resource once. A resource that was found both ways counts as found by name."""
    names = [item.name for item in by_name]
    extra = [item for item in by_tag if not any(_is_same(item.name, name) for name in names)]
    return [*by_name, *extra]


def _is_same(arn: str, name: str) -> bool:
    last = name.rstrip("/").rsplit("/", 1)[-1] if name.startswith(("https://", "http://")) else name
    return arn == name or arn.endswith((f":{last}", f"/{last}")) or f"/{last}/" in arn


def is_expected(resource: Resource, expected: Collection[str]) -> bool:
    """Whether a resource is among the expected names and physical ids; "" matches nothing.

    Secrets Manager ends a secret's ARN with "-" and six characters of its own.
    """
    if resource.name in expected:
        return True
    names = [name for name in expected if name]
    return any(_is_same(resource.name, name) or f":secret:{name}-" in resource.name for name in names)


def digest_of(key: str) -> str:
    """The digest (hex) in the key of an artifact or of its SBOM."""
    return key.rpartition("/")[2].partition(".")[0]
