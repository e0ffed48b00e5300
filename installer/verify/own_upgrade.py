"""The run's own control plane rolls itself to a release with another bundle of the proxy, and AWS says what serves."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.aws.stacks import Stack

from ctl.client import Client
from ctl.shapes import Deployment
from installer import bucket
from installer.packaging import control_plane, releases
from installer.stack import STACK
from installer.target import Target
from installer.upgrades import upgrade

_VERSION = re.compile(r":function:(?P<name>[^:\"]+):(?P<version>\d+)")


@dataclass(frozen=True)
class Serving:
    """What AWS says of the control plane. release: that the API answers with; installed: that of the stack. live: the
    version behind the alias of each function; named: that in the rollout's state machine, of those that it calls.
    role: with which CloudFormation works on the stack, "" for the caller's."""

    release: str
    installed: str
    live: Mapping[str, str]
    named: Mapping[str, str]
    role: str = ""

    def problems(self, before: "Serving") -> Iterator[str]:
        """What is not as after an upgrade, one line each."""
        if self.release in (before.release, "") or self.release != self.installed:
            yield f"the API answers as release {self.release!r}, the stack has {self.installed!r}"
        same = sorted(name for name, version in self.live.items() if version == before.live.get(name))
        if same or not self.live:
            yield f"live is on the version before: {', '.join(same) or 'no function'}"
        other = sorted(name for name, version in self.named.items() if version != self.live.get(name))
        if other or not self.named:
            yield f"the state machine names other versions: {', '.join(other) or 'none'}"
        if self.role:
            yield f"a role stays on the stack: {self.role}"


def roll(root: Path, aws: Target, client: Client, parameters: Mapping[str, str], installed: Stack | None) -> Deployment:
    """Upload a release of this checkout with these parameters, and let the control plane roll itself to it."""
    packaged = control_plane.build(root, root / ".local" / "build", aws.platform)
    release = releases.of(aws, packaged, parameters, installed)
    for key, content in packaged.code.items():
        bucket.upload(aws, key, content)
    return upgrade.roll(client, upgrade.upload(aws, packaged, release), allow_older=False)


def serving(aws: Target, client: Client) -> Serving:
    """What serves now."""
    formation, functions = aws.client("cloudformation"), aws.client("lambda")
    stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    names = [
        str(each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    ]
    machine = aws.client("stepfunctions").describe_state_machine(stateMachineArn=outputs["StateMachineArn"])
    return Serving(
        str(client.health().get("release", "")),
        parameters["Release"],
        {name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names},
        versions_in(machine["definition"]),
        stack.get("RoleARN", ""),
    )


def versions_in(definition: str) -> dict[str, str]:
    """The version of each function that a state machine names."""
    return {match["name"]: match["version"] for match in _VERSION.finditer(json.dumps(json.loads(definition)))}
