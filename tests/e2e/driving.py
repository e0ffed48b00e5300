"""Drives single phases against an embedded cloud, each under a role with the policy that it has in production.

The control plane's Lambdas and state machine are left out: what a phase may do is seen here call by call. Every call of
boto3's is written down, so that a statement that no phase needs can be told from one that is missed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

import boto3
import yaml
from chalicelib import wiring
from chalicelib.adapters import session
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.model import Action, Applied, Environment
from chalicelib.domain.options import Options
from chalicelib.engine import policies, registry
from chalicelib.engine.phase import Phase, Request, Result, Results, Status
from chalicelib.engine.policies import role_of
from chalicelib.ports import Aws

from installer import environment, gaps
from installer.packaging import bundle
from installer.packaging.template import Template
from local import cloud, emulator, strict
from local.state import Cloud, Keys
from tests.fakes.table import make_table

ROOT = Path(__file__).resolve().parents[2]
POLICIES = policies.documents()
DEPLOY = (
    "preflight",
    "prepare_secret",
    "package_artifact",
    "deploy_stack",
    "configure_monitoring",
    "release_code",
    "clean_up",
)
_LONGEST_S = 120


@dataclass(frozen=True)
class Ran:
    """How a phase ended; evidence as the record has it."""

    status: Status
    summary: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class RecordedCall:
    """One call of an AWS API: who made it, which operation, with what."""

    phase: str
    service: str
    operation: str
    params: Mapping[str, Any]


@dataclass
class Driver:
    """One embedded cloud with a bucket, a bundle and the roles; remembers what each environment has applied."""

    cloud: Cloud
    bundle: bytes
    bundle_key: str = "bundles/test.zip"
    calls: list[RecordedCall] = field(default_factory=list)
    applied: dict[str, dict[str, Applied]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict, repr=False)
    serial: int = 0

    @property
    def bucket(self) -> str:
        return f"proxyctl-{self.cloud.account}-{self.cloud.region}"

    def operator(self, service: str) -> Any:
        """A boto3 client that may do everything."""
        if service not in self.clients:
            self.clients[service] = emulator.client(
                service, self.cloud.endpoint, self.cloud.region, self.cloud.operator
            )
        return self.clients[service]

    def prepare(self) -> None:
        """Table, bucket, the bundle in it, and a role for each policy, in a stack of the control plane's name."""
        make_table(self.operator("dynamodb"))
        s3 = self.operator("s3")
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": self.cloud.region})
        s3.put_object(Bucket=self.bucket, Key=self.bundle_key, Body=self.bundle)
        roles = json.dumps(gaps.widened(cast(Template, roles_template(self.cloud.account)))).encode()
        s3.put_object(Bucket=self.bucket, Key="controlplane/roles.json", Body=roles)
        formation = self.operator("cloudformation")
        formation.create_stack(
            StackName="proxyctl",
            TemplateURL=f"{self.cloud.endpoint}/{self.bucket}/controlplane/roles.json",
            Parameters=[{"ParameterKey": "BucketName", "ParameterValue": self.bucket}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        formation.get_waiter("stack_create_complete").wait(
            StackName="proxyctl", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def store_secret(self, environment: str, document: Mapping[str, Any] | None = None) -> str:
        """Returns the ARN."""
        manager = self.operator("secretsmanager")
        text = json.dumps(document or good_secret(self.cloud))
        name = f"proxyctl/{environment}/openai"
        try:
            arn: str = manager.create_secret(Name=name, SecretString=text)["ARN"]
        except manager.exceptions.ResourceExistsException:
            arn = manager.put_secret_value(SecretId=name, SecretString=text)["ARN"]
        return arn

    def deploy(self, environment: str, config: Config | None = None, **options: Any) -> dict[str, Ran]:
        """Phases 1 to 6 and 12 in their order, with fingerprints, as the runner does."""
        return self._run(environment, Action.DEPLOY, DEPLOY, config or Config(), Options(**options))

    def roll(self, environment: str, config: Config | None = None, **options: Any) -> dict[str, Ran]:
        """The phases that act on the way to a candidate, 2 to 6."""
        return self._run(environment, Action.DEPLOY, DEPLOY[1:-1], config or Config(), Options(**options))

    def clean_up(self, environment: str, **options: Any) -> Ran:
        answer = self._run(environment, Action.CLEANUP, ("clean_up",), Config(), Options(**options))
        self.applied.pop(environment, None)
        return answer["clean_up"]

    def phase(
        self,
        name: str,
        environment: str,
        config: Config | None = None,
        *,
        action: Action = Action.DEPLOY,
        **options: Any,
    ) -> Ran:
        """One phase, with what the others have applied."""
        return self._run(environment, action, (name,), config or Config(), Options(**options))[name]

    def _run(
        self, environment: str, action: Action, names: tuple[str, ...], config: Config, options: Options
    ) -> dict[str, Ran]:
        self.serial += 1
        deployment = f"d-test-{self.serial}"
        applied = self.applied.setdefault(environment, {})
        results: dict[str, Mapping[str, Any]] = {name: item.evidence for name, item in applied.items()}
        ended: dict[str, Ran] = {}
        for name in names:
            base = self.environments.get(environment, Environment(environment))
            request = Request(
                deployment_id=deployment,
                environment=dataclasses.replace(base, applied=dict(applied)),
                action=action,
                config=config,
                options=options,
                now=datetime.now(UTC),
                started_at=datetime.now(UTC),
                seed=deployment,
                results=Results(results),
            )
            ended[name] = self._run_phase(name, request)
            results = {**results, name: ended[name].evidence}
        return ended

    def _run_phase(self, name: str, request: Request) -> Ran:
        phase = registry.load(name)
        applied = self.applied[request.environment.name]
        with self.role(name) as home:
            aws = home.at(request.config.target, name)
            skips = phase.fingerprint is not None and request.action is Action.DEPLOY
            before = applied.get(name) if skips and not request.options.force else None
            if before and _fingerprint(phase, name, before.evidence, request, aws) == before.fingerprint:
                return Ran(Status.SKIPPED, "nothing changed", before.evidence)
            applied.pop(name, None)
            ran = _to_the_end(name, phase, request, aws)
            if skips:
                fingerprint = _fingerprint(phase, name, ran.evidence, request, aws)
                applied[name] = Applied(fingerprint, request.deployment_id, "2026-01-01T00:00:00", ran.evidence)
        return ran

    @contextmanager
    def without(self, phase: str, sid: str) -> Iterator[None]:
        """The phase's role, for a while, without one statement of its policy."""
        iam, role = self.operator("iam"), self._role_arn(phase).rpartition("/")[2]
        before = iam.get_role_policy(RoleName=role, PolicyName="phase")["PolicyDocument"]
        less = {**before, "Statement": [entry for entry in before["Statement"] if entry.get("Sid") != sid]}
        assert less != before
        self._put_policy(role, less)
        try:
            yield
        finally:
            self._put_policy(role, before)

    def _put_policy(self, role: str, document: Mapping[str, Any]) -> None:
        """Change a role's policy, and wait until it acts."""
        policy = json.dumps(document)
        self.operator("iam").put_role_policy(RoleName=role, PolicyName="phase", PolicyDocument=policy)
        sleep(self.cloud.switches.role_s)

    def break_stack(self, environment: str, state: str) -> None:
        """Leave the environment's stack as a failed creation, or a crash, would."""
        formation, name = self.operator("cloudformation"), f"proxyctl-env-{environment}"
        tags = [{"Key": "proxyctl:owner", "Value": "proxyctl"}]
        if state in ("REVIEW_IN_PROGRESS", "a change set left over"):
            body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
            formation.create_change_set(
                StackName=name, ChangeSetName="proxyctl-d-crashed", ChangeSetType="CREATE", TemplateBody=body, Tags=tags
            )
            formation.describe_change_set(StackName=name, ChangeSetName="proxyctl-d-crashed")
            if state == "REVIEW_IN_PROGRESS":
                formation.delete_change_set(StackName=name, ChangeSetName="proxyctl-d-crashed")
            return
        broken = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": "nobody"}}
        body = json.dumps({"Resources": {"Broken": broken}})
        keep = {"OnFailure": "DO_NOTHING" if state == "CREATE_FAILED" else "ROLLBACK"}
        formation.create_stack(StackName=name, TemplateBody=body, Tags=tags, **keep)
        deadline = monotonic() + 30
        while formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != state:
            assert monotonic() < deadline, formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            sleep(0.2)

    @contextmanager
    def role(self, phase: str) -> Iterator[Aws]:
        """The ports, with the credentials that the phase's Lambda would have; every call is written down."""
        arn = self._role_arn(phase)
        created = self.operator("sts").assume_role(RoleArn=arn, RoleSessionName=phase.replace("_", "-"))["Credentials"]
        keys = Keys(created["AccessKeyId"], created["SecretAccessKey"])
        variables = self._variables(keys, created["SessionToken"])
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        session.client.cache_clear()
        boto3.DEFAULT_SESSION = None
        boto3.setup_default_session()
        boto3.DEFAULT_SESSION.events.register("provide-client-params", self._recorder(phase))
        try:
            yield wiring._Aws()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
            session.client.cache_clear()
            boto3.DEFAULT_SESSION = None

    def _recorder(self, phase: str) -> Any:
        def note(params: Mapping[str, Any], model: Any, **_other: Any) -> None:
            self.calls.append(RecordedCall(phase, model.service_model.endpoint_prefix, model.name, params))

        return note

    def _role_arn(self, phase: str) -> str:
        answer = self.operator("cloudformation").describe_stack_resource(
            StackName="proxyctl", LogicalResourceId=role_of(phase)
        )
        return f"arn:aws:iam::{self.cloud.account}:role/{answer['StackResourceDetail']['PhysicalResourceId']}"

    def _variables(self, keys: Keys, token: str) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": self.cloud.region,
            "AWS_DEFAULT_REGION": self.cloud.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "ACCOUNT_ID": self.cloud.account,
            "TABLE_NAME": "proxyctl",
            "BUCKET_NAME": self.bucket,
            "BUNDLE_KEY": self.bundle_key,
            "STATE_MACHINE_ARN": f"arn:aws:states:{self.cloud.region}:{self.cloud.account}:stateMachine:rollout",
            "PROXY_RUNTIME": "provided.al2023",
            "RESPONSE_MODE": "buffered",
        }


def _fingerprint(phase: Phase, name: str, evidence: Mapping[str, Any], request: Request, aws: Aws) -> str:
    assert phase.fingerprint is not None
    informed = dataclasses.replace(request, results=Results({**request.results.recorded, name: evidence}))
    return phase.fingerprint(informed, aws)


def _to_the_end(name: str, phase: Phase, request: Request, aws: Aws) -> Ran:
    """Calls the phase until it has ended, as the state machine does; its cursor goes through JSON as in DynamoDB."""
    deadline = monotonic() + _LONGEST_S
    started = request.started_at
    while True:
        result: Result[object] = phase.run(request, aws)
        if result.status is not Status.IN_PROGRESS:
            return Ran(result.status, result.summary, json.loads(json.dumps(encode(result.evidence))))
        assert monotonic() < deadline, f"{name} has not ended: {result.summary}"
        sleep(min(result.poll_after_s, 2))
        now = max(datetime.now(UTC), started + timedelta(milliseconds=1))
        cursor = json.loads(json.dumps(encode(result.cursor)))
        request = dataclasses.replace(request, cursor=cursor, waits=result.waits, now=now)


def roles_template(account: str) -> dict[str, Any]:
    """One role a policy, with the logical ids that Chalice gives them; the test itself may assume them."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    own = yaml.safe_load((ROOT / "statemachine" / "resources.yaml").read_text())["Resources"]
    named = {"RoleName": own["ChangeStacksRole"]["Properties"]["RoleName"]}
    roles = {
        role_of(stem): {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "phase", "PolicyDocument": document}],
                **(named if stem == policies.CHANGE_STACKS else {}),
            },
        }
        for stem, document in POLICIES.items()
    }
    shared = {name: own[name] for name in ("EnvironmentBoundary", "EnvironmentGuard")}
    return {"Parameters": {"BucketName": {"Type": "String"}}, "Resources": {**roles, **shared}}


def good_secret(cloud: Cloud) -> dict[str, Any]:
    return {
        "schema": 1,
        "api_key": "sk-abcdefghijklmnopqrst",
        "base_url": cloud.upstream,
        "models": {"fast": {"target": "gpt-4o-mini"}},
    }


@contextmanager
def own_cloud(purpose: str) -> Iterator[Driver]:
    """A strict cloud without a control plane, with the roles of all phases."""
    environment.ensure(ROOT, environment.EMULATOR)
    (ROOT / ".local").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"e2e-{os.getpid()}-{purpose}-", dir=ROOT / ".local") as folder:
        site = cloud.Site.of(ROOT, Path(folder))
        try:
            driver = Driver(cloud.start(site, switches=strict.EVERYDAY)[0], build_bundle())
            driver.prepare()
            yield driver
        finally:
            cloud.stop(site.folder)


def build_bundle() -> bytes:
    """The proxy's bundle of this checkout, as bootstrap.py uploads it."""
    return bundle.build(ROOT, ROOT / ".local" / "build").content
