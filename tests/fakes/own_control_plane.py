"""The control plane's own stack in memory, as an upgrade meets it: templates, versions, aliases, API, table format.

CloudFormation's part is honest: a change set takes its template from the bucket, and only its execution changes what
functions, aliases, state machine and API answer.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from chalicelib.domain.aws.functions import Alias, FunctionConfig, Invocation, Version
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.stacks import Change, ChangeSet, Stack, StackEvent, StackResource
from chalicelib.domain.aws.table_items import FormatState, Item, Write
from chalicelib.domain.codec import encode
from chalicelib.domain.described.effects import CONFIG_FIELDS
from chalicelib.domain.errors import NotFound
from chalicelib.domain.settings import Settings
from chalicelib.ports import Aws
from chalicelib.upgrade import manifest, self_test, versions
from chalicelib.upgrade.formats.migrate import MIGRATE
from chalicelib.upgrade.formats.table_format import FORMAT

from tests.fakes import settings
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.records import FakeRecords

NAMES = ("APIHandler", "LoadTest", "Sweep", "Upgrade")
BUCKET = settings().bucket


def template(mark: str, names: Sequence[str] = NAMES) -> dict[str, Any]:
    """A control plane with few functions, before versions are published."""
    functions = {
        name: {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": f"s3://{BUCKET}/controlplane/{mark}.zip",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        }
        for name in names
    }
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionSubstitutions": {f"{name}Arn": {"Fn::GetAtt": [name, "Arn"]} for name in names}},
    }
    statement = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": [{"Fn::GetAtt": [name, "Arn"]} for name in names],
    }
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"Policies": [{"PolicyName": "invoke", "PolicyDocument": {"Statement": [statement]}}]},
    }
    resources = {**functions, "StateMachine": machine, "Role": role, "Table": {"Type": "AWS::DynamoDB::Table"}}
    return {"Parameters": {}, "Outputs": {"Stage": {"Value": {"Ref": "Stage"}}}, "Resources": resources}


@dataclass
class OwnControlPlane:
    """breaks: logical ids whose candidate fails its self-test. fails: purposes of change sets that CloudFormation rolls
    back. serves: whether the self-test of the state machine succeeds. looks: how many times a stack is seen in progress
    after an execution."""

    settings: Settings = field(default_factory=settings)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    records: FakeRecords = field(default_factory=FakeRecords)
    breaks: set[str] = field(default_factory=set)
    fails: set[str] = field(default_factory=set)
    serves: bool = True
    looks: int = 1
    state: FormatState = field(default_factory=lambda: FormatState(FORMAT))
    items: list[dict[str, Any]] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    status_: str = "UPDATE_COMPLETE"
    numbers: dict[str, int] = field(default_factory=dict)
    published: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    pointed: dict[str, dict[str, int]] = field(default_factory=dict)
    sets: dict[str, tuple[ChangeSet, dict[str, Any], dict[str, str]]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    tagged: dict[str, str] = field(default_factory=dict)
    began: list[str] = field(default_factory=list)
    _looks_left: int = 0

    def install(self, mark: str, version: str = "1.0.0", names: Sequence[str] = NAMES) -> None:
        """As `up --direct` installs a release."""
        publication = hashlib.sha256(mark.encode()).hexdigest()[:12]
        parameters = {"Release": f"r-{mark}", "Version": version, "Publication": publication, "Stage": "live"}
        self._apply(versions.published(template(mark, names), publication), parameters)

    def upload(
        self, mark: str, version: str = "1.1.0", change: Callable[[Any], None] = lambda _: None, **more: Any
    ) -> str:
        """A release as `bootstrap.py upgrade` uploads it; its manifest's key."""
        body = template(mark)
        change(body)
        text, code = json.dumps(body).encode(), f"zip of {mark}".encode()
        key = f"controlplane/template-{mark}.json"
        document = {
            "release": f"r-{mark}",
            "version": version,
            "table_format": FORMAT,
            "config_fields": list(CONFIG_FIELDS),
            "template": key,
            "template_sha256": hashlib.sha256(text).hexdigest(),
            "code": {f"controlplane/{mark}.zip": hashlib.sha256(code).hexdigest()},
            "parameters": {"Release": f"r-{mark}", "Version": version, "Stage": "live"},
        } | more
        content = json.dumps(document).encode()
        self.artifacts.objects |= {key: text, f"controlplane/{mark}.zip": code, manifest.key_of(content): content}
        return manifest.key_of(content)

    def as_aws(self) -> Aws:
        return cast(Aws, self)

    @property
    def serving(self) -> str:
        """The release behind the API's alias."""
        return self._live("APIHandler")["RELEASE"]

    def _live(self, name: str) -> dict[str, str]:
        return self.published[name][self.pointed[name]["live"]]

    # stacks: this object is every port that an upgrade uses.
    @property
    def stacks(self) -> OwnControlPlane:
        return self

    @property
    def functions(self) -> OwnControlPlane:
        return self

    @property
    def executions(self) -> OwnControlPlane:
        return self

    @property
    def endpoint(self) -> OwnControlPlane:
        return self

    @property
    def table_format(self) -> OwnControlPlane:
        return self

    def find(self, stack: str) -> Stack:
        status = self.status_
        if self._looks_left:
            self._looks_left, status = self._looks_left - 1, "UPDATE_IN_PROGRESS"
        return Stack(
            stack, "arn:stack", status, outputs={"RestAPIId": "api1"}, parameters=self.parameters, tags=self.tags
        )

    def template(self, stack: str) -> str:
        return json.dumps(self.body)

    def resources(self, stack: str) -> Sequence[StackResource]:
        return [
            StackResource(name, name, "AWS::Lambda::Function", "CREATE_COMPLETE")
            for name in versions.functions(self.body)
        ]

    def events(self, stack_id: str, *, after: str = "") -> Sequence[StackEvent]:
        return []

    def create_change_set(self, stack: str, name: str, **given: Any) -> ChangeSet:
        self.tagged = dict(given["tags"])
        key = given["template_url"].partition(".amazonaws.com/")[2]
        body = json.loads(self.artifacts.get(key))
        names = sorted({*self.body["Resources"], *body["Resources"]})
        changes = [
            Change(each, "", "Modify")
            for each in names
            if self.body["Resources"].get(each) != body["Resources"].get(each)
        ]
        change_set = ChangeSet(f"arn:{name}", name, "CREATE_COMPLETE", execution="AVAILABLE", changes=changes)
        self.sets[change_set.id] = (change_set, body, dict(given["parameters"]))
        return change_set

    def change_set(self, stack: str, name: str) -> ChangeSet:
        if name not in self.sets:
            raise NotFound(f"there is no change set {name}")
        return self.sets[name][0]

    def change_sets(self, stack: str) -> Sequence[ChangeSet]:
        return [each[0] for each in self.sets.values()]

    def delete_change_set(self, stack: str, name: str) -> None:
        self.sets = {key: each for key, each in self.sets.items() if each[0].name != name}

    def execute(self, stack: str, change_set_id: str, token: str) -> None:
        change_set, body, parameters = self.sets.pop(change_set_id)
        self._looks_left = self.looks
        if any(f"-{purpose}-" in change_set.name for purpose in self.fails):
            self.status_ = "UPDATE_ROLLBACK_COMPLETE"
            return
        self.status_ = "UPDATE_COMPLETE"
        self._apply(body, parameters)

    def _apply(self, body: dict[str, Any], parameters: Mapping[str, str]) -> None:
        before = self.body.get("Resources", {})
        self.body, self.parameters = copy.deepcopy(body), dict(parameters)
        values = {name: parameters[name.capitalize()] for name in ("release", "publication")}
        variables = {name.upper(): value for name, value in values.items()}
        for logical_id, each in body["Resources"].items():
            if each["Type"] == "AWS::Lambda::Version" and logical_id not in before:
                self._publish(each["Properties"]["FunctionName"]["Ref"], logical_id, variables)
        for each in body["Resources"].values():
            if each["Type"] == "AWS::Lambda::Alias":
                properties = each["Properties"]
                number = self.numbers[properties["FunctionVersion"]["Fn::GetAtt"][0]]
                self.pointed.setdefault(properties["FunctionName"]["Ref"], {})[properties["Name"]] = number

    def _publish(self, name: str, logical_id: str, variables: dict[str, str]) -> None:
        earlier = self.published.setdefault(name, {})
        assert variables not in earlier.values(), "CloudFormation refuses a version of an unchanged function"
        self.numbers[logical_id] = len(earlier) + 1
        uri = self.body["Resources"][name]["Properties"]["CodeUri"]
        earlier[len(earlier) + 1] = {**variables, "code": uri.rpartition("/")[2].removesuffix(".zip")}

    def config(self, function: str, qualifier: str) -> FunctionConfig:
        variables = self.published[function][self.pointed[function][qualifier]]
        digest = hashlib.sha256(f"zip of {variables['code']}".encode()).digest()
        return FunctionConfig(base64.b64encode(digest).decode(), 512, 60, variables, "python3.11")

    def versions(self, function: str) -> Sequence[Version]:
        return [Version(str(number), "") for number in self.published[function]]

    def aliases(self, function: str) -> Mapping[str, Alias]:
        return {name: Alias(name, str(number)) for name, number in self.pointed[function].items()}

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invocation:
        release = self.published[function][self.pointed[function][qualifier]]["RELEASE"]
        if function in self.breaks and qualifier == "candidate":
            return Invocation(b'{"errorType": "ImportError", "errorMessage": "no such module"}', "", "Unhandled", 1.0)
        if MIGRATE in event:
            self.state = FormatState(event[MIGRATE]["to"])
            return Invocation(
                json.dumps({"done": True, "format": self.state.format, "changed": 7}).encode(), "", "", 1.0
            )
        if self_test.KEY in event:
            test = self_test.answer(str(event[self_test.KEY]), replace(self.settings, release=release))
            return Invocation(json.dumps(encode(test)).encode(), "", "", 1.0)
        body = json.dumps({"status": "ok", "release": release})
        return Invocation(json.dumps({"statusCode": 200, "body": body}).encode(), "", "", 1.0)

    def start(self, name: str, given: Mapping[str, Any]) -> str:
        self.began.append(name)
        return f"arn:execution:{name}"

    def status(self, arn: str) -> str | None:
        return "SUCCEEDED" if self.serves else "FAILED"

    def call(self, method: str, url: str, *, signed: bool, timeout_s: float) -> Reply:
        assert signed
        return Reply(200, {}, json.dumps({"release": self.serving}).encode(), 1.0, 1.0, "")

    def read(self) -> FormatState:
        return self.state

    def write(self, state: FormatState) -> None:
        self.state = state

    def page(self, after: str, limit: int) -> tuple[Sequence[Item], str]:
        left = sorted((item for item in self.items if _place(item) > after), key=_place)
        return copy.deepcopy(left[:limit]), _place(left[limit - 1]) if len(left) > limit else ""

    def change(self, writes: Sequence[Write]) -> None:
        for write in writes:
            ((kind, what),) = write.items()
            getattr(self, f"_{kind.lower()}")(what)

    def _put(self, what: Any) -> None:
        self._delete({"Key": {name: what["Item"][name] for name in ("pk", "sk")}})
        self.items.append(dict(what["Item"]))

    def _delete(self, what: Any) -> None:
        self.items = [item for item in self.items if {name: item[name] for name in ("pk", "sk")} != what["Key"]]

    def _update(self, what: Any) -> None:
        for item in self.items:
            if {name: item[name] for name in ("pk", "sk")} == what["Key"]:
                verb, _, rest = what["UpdateExpression"].partition(" ")
                for part in rest.split(", "):
                    name = what["ExpressionAttributeNames"][part.partition(" ")[0]]
                    item.pop(name, None)
                    if verb == "SET":
                        item[name] = what["ExpressionAttributeValues"][part.rpartition(" ")[2]]


def _place(item: Mapping[str, Any]) -> str:
    return f"{item['pk']['S']} {item['sk']['S']}"
