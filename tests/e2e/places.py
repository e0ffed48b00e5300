"""Every place of an embedded cloud that somebody may read, and the search for text in all of them.

Left out is what must hold the key: Secrets Manager, and the stand-in that plays the provider.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.rolling import Embedded

_GZIP = zlib.MAX_WBITS | 16
Place = tuple[str, bytes]  # where, and what it holds


def spellings(word: str) -> tuple[bytes, ...]:
    """How a word may stand somewhere: as it is, in Base64 at each of its three offsets, in hex, in a URL."""
    raw = word.encode()
    encoded = [base64.b64encode(b"\0" * lead + raw)[-(-lead * 4 // 3) :] for lead in range(3)]
    # The last characters, and the first after an offset, depend on what stands beside the word.
    inside = [text[2:-4] for text in encoded]
    hexadecimal = raw.hex().encode()
    return (raw, *inside, hexadecimal, hexadecimal.upper(), urllib.parse.quote(word, safe="").encode())


def leaks(embedded: Embedded, words: Sequence[str], more: Sequence[Place] = ()) -> list[str]:
    """`<place>: <first letters of the word>` for each place that holds one. more: places of the caller's own."""
    return [
        f"{place}: {word[:12]}…"
        for place, content in [*every(embedded), *more]
        for text in unpacked(content)
        for word in words
        if any(spelling in text for spelling in spellings(word))
    ]


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes, and what is packed in them, to any depth."""
    yield content
    for inner in _packed(content):
        yield from unpacked(inner)


def _packed(content: bytes) -> Iterator[bytes]:
    if content[:2] == b"\x1f\x8b":
        yield _inflated(content, _GZIP)
    elif content[:1] == b"\x78":
        with contextlib.suppress(zlib.error):  # begins as zlib does, and is something else
            yield _inflated(content, zlib.MAX_WBITS)
    elif zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _inflated(content: bytes, window: int) -> bytes:
    """What is packed, whatever follows it."""
    return zlib.decompressobj(window).decompress(content)


def every(embedded: Embedded) -> Iterator[Place]:
    """All places: logs, items, objects, histories, events and queues, functions, stacks, APIs, alarms, rules, what
    describes secrets, pages of the control API, files."""
    yield from _logs(embedded)
    yield from _items(embedded)
    yield from _objects(embedded)
    yield from _histories(embedded)
    yield from _queues(embedded)
    yield from _settings(embedded)
    yield from _apis(embedded)
    yield from _rules(embedded)
    yield from _descriptions_of_secrets(embedded)
    yield from _pages_of_the_api(embedded)
    yield from _files(embedded)


def _listed(client: Any, operation: str, key: str, **given: Any) -> list[Any]:
    return [item for page in client.get_paginator(operation).paginate(**given) for item in page.get(key, [])]


def _text(value: Any) -> bytes:
    """As it is written, not as JSON escapes it."""
    return json.dumps(value, default=_plain, ensure_ascii=False).encode() + b"\n" + repr(value).encode()


def _plain(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _logs(embedded: Embedded) -> Iterator[Place]:
    logs = embedded.boto("logs")
    for group in _listed(logs, "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        for event in _listed(logs, "filter_log_events", "events", logGroupName=name):
            yield f"log {name}", event["message"].encode()


def _items(embedded: Embedded) -> Iterator[Place]:
    tables = embedded.boto("dynamodb")
    for table in _listed(tables, "list_tables", "TableNames"):
        for item in _listed(tables, "scan", "Items", TableName=table):
            yield f"item {table} {item['pk']['S']} {item['sk']['S']}", _text(item)


def _objects(embedded: Embedded) -> Iterator[Place]:
    storage = embedded.boto("s3")
    for bucket in storage.list_buckets()["Buckets"]:
        for entry in _listed(storage, "list_objects_v2", "Contents", Bucket=bucket["Name"]):
            answer = storage.get_object(Bucket=bucket["Name"], Key=entry["Key"])
            name = f"{bucket['Name']}/{entry['Key']}"
            yield f"object {name}", answer["Body"].read()
            yield f"metadata {name}", _text(answer)


def _histories(embedded: Embedded) -> Iterator[Place]:
    machines = embedded.boto("stepfunctions")
    for machine in _listed(machines, "list_state_machines", "stateMachines"):
        for run in _listed(machines, "list_executions", "executions", stateMachineArn=machine["stateMachineArn"]):
            arn = run["executionArn"]
            yield f"execution {run['name']}", _text(machines.describe_execution(executionArn=arn))
            yield (
                f"history {run['name']}",
                _text(_listed(machines, "get_execution_history", "events", executionArn=arn)),
            )


def _queues(embedded: Embedded) -> Iterator[Place]:
    """Messages that nobody has taken; each test that plants something has a queue on the bus of its own."""
    queues = embedded.boto("sqs")
    for url in queues.list_queues().get("QueueUrls", []):
        while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            yield f"queue {url.rpartition('/')[2]}", _text(messages)
            for message in messages:
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _settings(embedded: Embedded) -> Iterator[Place]:
    """What describes resources: settings of functions, stacks with parameters and events, alarms, dashboards."""
    functions, formation, watch = (embedded.boto(name) for name in ("lambda", "cloudformation", "cloudwatch"))
    for function in _listed(functions, "list_functions", "Functions"):
        name = function["FunctionName"]
        versions = _listed(functions, "list_versions_by_function", "Versions", FunctionName=name)
        yield f"function {name}", _text([function, versions])
    for stack in _listed(formation, "describe_stacks", "Stacks"):
        name = stack["StackName"]
        template = formation.get_template(StackName=name)["TemplateBody"]
        yield f"stack {name}", _text([stack, template, _listed(formation, "describe_stack_events", "StackEvents",
                                                               StackName=stack["StackId"])])  # fmt: skip
    yield "alarms", _text(_listed(watch, "describe_alarms", "MetricAlarms"))
    yield "metrics", _text(_listed(watch, "list_metrics", "Metrics"))
    for board in _listed(watch, "list_dashboards", "DashboardEntries"):
        name = board["DashboardName"]
        yield f"dashboard {name}", _text(watch.get_dashboard(DashboardName=name)["DashboardBody"])


def _apis(embedded: Embedded) -> Iterator[Place]:
    """Stages with their variables, resources with their integrations, and the answers of each API itself."""
    gateway = embedded.boto("apigateway")
    for api in _listed(gateway, "get_rest_apis", "items"):
        own = {"restApiId": api["id"]}
        stages, answers = gateway.get_stages(**own)["item"], gateway.get_gateway_responses(**own)["items"]
        yield f"api {api['name']}", _text([api, stages, answers, _listed(gateway, "get_resources", "items", **own)])


def _rules(embedded: Embedded) -> Iterator[Place]:
    """What is sent to whom: rules, subscriptions, schedules."""
    events, topics, schedules = (embedded.boto(name) for name in ("events", "sns", "scheduler"))
    for rule in _listed(events, "list_rules", "Rules"):
        yield f"rule {rule['Name']}", _text([rule, events.list_targets_by_rule(Rule=rule["Name"])["Targets"]])
    for topic in _listed(topics, "list_topics", "Topics"):
        yield f"topic {topic['TopicArn']}", _text(topics.get_topic_attributes(TopicArn=topic["TopicArn"]))
    yield "subscriptions", _text(_listed(topics, "list_subscriptions", "Subscriptions"))
    for schedule in _listed(schedules, "list_schedules", "Schedules"):
        yield f"schedule {schedule['Name']}", _text(schedules.get_schedule(Name=schedule["Name"]))


def _descriptions_of_secrets(embedded: Embedded) -> Iterator[Place]:
    """Names, tags and labels: not the value, which is where it must be."""
    for secret in _listed(embedded.boto("secretsmanager"), "list_secrets", "SecretList"):
        yield f"secret {secret['Name']}", _text(secret)


def _pages_of_the_api(embedded: Embedded) -> Iterator[Place]:
    """Each page of the control API, reports and handoffs among them."""
    client = embedded.client
    paths = ["/health", "/nights", "/openapi.json", "/deployments?limit=100", "/environments"]
    for environment in client.environments():
        name = environment["name"]
        more = ("", "/secret", "/secret/history", "/history?limit=100", "/incidents")
        paths += [f"/environments/{name}{each}" for each in more]
        paths += [f"/environments/{name}/incidents/{each['opened_by']}" for each in client.incidents(name, 100)]
    for deployment in client.deployments(limit=100):
        paths += [f"/deployments/{deployment['id']}{more}" for more in ("", "/report", "/handoff")]
    for path in paths:
        reply = client.call("GET", path, retry=True)
        yield f"page {path}", _text(reply.body) + _text(dict(reply.headers))


def _files(embedded: Embedded) -> Iterator[Place]:
    """What the processes of the cloud have written on this machine, except the emulator's own memory of secrets."""
    folder = _folder(embedded)
    for path in sorted((folder / "logs").glob("*")) if folder else []:
        yield f"file {path.name}", path.read_bytes()


def _folder(embedded: Embedded) -> Path | None:
    root = Path(__file__).resolve().parents[2] / ".local"
    token = embedded.cloud.token
    return next((path.parent for path in root.glob("*/cloud.json") if token in path.read_text()), None)
