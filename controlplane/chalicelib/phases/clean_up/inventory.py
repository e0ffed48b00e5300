"""What an environment leaves in AWS, as a list of things, each with the command that removes it by hand."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thing:
    """One resource that was found. kind: stack, function, …; name: what its service calls it."""

    kind: str
    name: str
    found_by: str = "name"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


# How each kind is removed by hand; `{name}` is filled in, and the region added.
_COMMANDS = {
    "stack": "aws cloudformation delete-stack --stack-name {name}",
    "function": "aws lambda delete-function --function-name {name}",
    "version": "aws lambda delete-function --function-name {name}",
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
_UNKNOWN = "aws resourcegroupstaggingapi untag-resources --resource-arn-list {name} # after removing it in its console"


# What a command takes of an ARN: the part after this. Topics, secrets and all others take the ARN itself.
_NAMED_AFTER = {
    "stack": ":stack/",
    "function": ":function:",
    "api": "/restapis/",
    "role": ":role/",
    "log group": ":log-group:",
    "alarm": ":alarm:",
    "dashboard": ":dashboard/",
}


def command(thing: Thing, region: str) -> str:
    """What to type to remove it."""
    name, marker = thing.name, _NAMED_AFTER.get(thing.kind, "")
    if marker and marker in name:
        name = name.partition(marker)[2]
        name = name.partition("/")[0] if thing.kind in ("stack", "api") else name
    if thing.kind == "queue" and name.startswith("arn:"):
        queue = name.rpartition(":")[2]
        name = f'"$(aws --region {region} sqs get-queue-url --queue-name {queue} --output text)"'
    text = _COMMANDS.get(thing.kind, _UNKNOWN).format(name=name)
    return text.replace("aws ", f"aws --region {region} ", 1)


def listed(things: Iterable[Thing], region: str) -> list[dict[str, str]]:
    """For the record: what is left, how it was found, and the command that removes it."""
    return [
        {"kind": one.kind, "name": one.name, "found_by": one.found_by, "command": command(one, region)}
        for one in things
    ]


_KINDS = (
    (":cloudformation:", "stack"),
    (":lambda:", "function"),
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


def of_arn(arn: str) -> Thing:
    """What the tagging API calls by its ARN, in our words; its ARN is its name."""
    kind = next((kind for part, kind in _KINDS if part in arn), "resource")
    return Thing(kind, arn, "tag")


def merged(by_name: Sequence[Thing], by_tag: Sequence[Thing]) -> list[Thing]:
    """Each thing once: one found both ways counts as found by name, which is what its command needs."""
    names = [thing.name for thing in by_name]
    extra = [thing for thing in by_tag if not any(_same(thing.name, name) for name in names)]
    return [*by_name, *extra]


def _same(arn: str, name: str) -> bool:
    last = name.rstrip("/").rsplit("/", 1)[-1] if name.startswith(("https://", "http://")) else name
    return arn == name or arn.endswith((f":{last}", f"/{last}")) or f"/{last}/" in arn


def is_known(thing: Thing, known: Collection[str]) -> bool:
    """Whether a thing found by name or by ARN is one of those names or physical ids. Secrets' ARNs end in "-" and six
    characters of Secrets Manager's own."""
    if thing.name in known:
        return True
    named = [name for name in known if name]
    return any(_same(thing.name, name) or f":secret:{name}-" in thing.name for name in named)


def hex_of(code_sha256: str) -> str:
    """Lambda's base64 of a digest, in the hexadecimal that artifacts are named by."""
    return base64.b64decode(code_sha256).hex()


def digest_of(key: str) -> str:
    """The digest in an artifact's or an SBOM's key."""
    return key.rpartition("/")[2].partition(".")[0]
