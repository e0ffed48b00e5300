"""The steps of a run on its environment, once the control plane answers. Each adds to the facts what it has seen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installer import deploy
from installer.errors import CannotStart, CommandFailed
from installer.packaging.bundle import Bundle
from installer.target import Target
from installer.upgrades import bundles
from installer.verify import looks, own_upgrade, planted, rollouts, streaming
from installer.verify.facts import Facts
from installer.verify.rollouts import Rollouts
from installer.verify.upstream import Upstream

_SHIFT_CONFIG = {"memory_mb": 640, "throttle": {"rate_per_s": 40, "burst": 80}}
_POLICY = "verify-account-drift"
_ORIGIN = "https://app.example"


@dataclass
class Steps:
    """outputs: of the environment's stack, once it is deployed."""

    root: Path
    aws: Target
    upstream: Upstream
    rollouts: Rollouts
    facts: Facts
    outputs: Mapping[str, str] = field(default_factory=dict)

    def in_order(self) -> list[tuple[str, Callable[[], None]]]:
        """Name and work of each step; those that the embedded cloud cannot show are left out there."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("deploy", self.deploy),
            ("stream", self.stream),
            ("no-body", self.no_body),
            ("clean", self.revalidate),
            ("shift", self.shift),
            ("rollback", self.roll_back),
            ("bad", self.bad_release),
            ("header", self.request_id_header),
            ("drifted", self.drift),
            ("revisions", self.revisions),
            ("log", self.log),
            ("metrics", self.metrics),
        ]
        hidden = {"header", "drifted", "metrics"} if self.aws.embedded else set()
        return [(name, work) for name, work in steps if name not in hidden]

    def deploy(self) -> None:
        """All twelve phases on a new environment."""
        self.rollouts.put_secret(self.upstream)
        deployment = self.facts.deployments["deploy"] = self.rollouts.deploy()
        self.outputs = rollouts.evidence_of(deployment, "deploy_stack").get("outputs", {})
        self.facts.artifact_digest = str(rollouts.evidence_of(deployment, "package_artifact").get("digest", ""))
        links = self.rollouts.client.environment(self.rollouts.environment).get("links", {})
        self.facts.base_url = links.get("base_url", "")

    def stream(self) -> None:
        """A streamed answer, watched piece by piece."""
        self.facts.stream = streaming.watch(self.facts.base_url, self.rollouts.client_key, rollouts.MODEL)

    def no_body(self) -> None:
        """Answers without a body."""
        url, key = self.facts.base_url, self.rollouts.client_key
        self.facts.no_body["HEAD"] = streaming.answer_time("HEAD", url, key)
        self.facts.no_body["OPTIONS"] = streaming.answer_time("OPTIONS", url, key, _ORIGIN)

    def revalidate(self) -> None:
        """A check of what was just deployed."""
        self.facts.deployments["clean"] = self.rollouts.run("revalidate")

    def shift(self) -> None:
        """Another release with other settings, in three steps."""
        before = looks.stage_rate(self.aws, self.outputs)
        self.facts.deployments["shift"] = self.rollouts.deploy(_SHIFT_CONFIG, (10, 50, 100))
        self.facts.stage_rates = (before, looks.stage_rate(self.aws, self.outputs), -1.0)

    def roll_back(self) -> None:
        """Back to the first release and its settings."""
        self.facts.deployments["rollback"] = self.rollouts.run("rollback")
        if self.facts.stage_rates:
            self.facts.stage_rates = (*self.facts.stage_rates[:2], looks.stage_rate(self.aws, self.outputs))

    def bad_release(self) -> None:
        """A release that is well and answers 500 to every call of a model."""
        with planted.bad_release(self.root, self.aws, self._roll_itself):
            deployment = self.facts.deployments["bad"] = self.rollouts.deploy({"memory_mb": 704})
        self.facts.errors = looks.error_names(self.aws, deployment.get("execution_arn", ""))

    def _roll_itself(self, bundled: Bundle) -> None:
        """The control plane upgrades itself to a release with that bundle; where it fails, a person's rights do it."""
        client, installed = self.rollouts.client, deploy.installed_stack(self.aws)
        parameters = deploy.parameters_of(self.aws, bundled, None, installed)
        before = own_upgrade.serving(self.aws, client)
        try:
            self.facts.deployments["upgrade"] = own_upgrade.roll(self.root, self.aws, client, parameters, installed)
            problems = own_upgrade.serving(self.aws, client).problems(before)
            self.facts.upgrades = (*self.facts.upgrades, *problems, "")
        except (CommandFailed, CannotStart) as problem:
            self.facts.upgrades = (*self.facts.upgrades, str(problem))
            bundles.hold(self.aws, bundled.key)

    def request_id_header(self) -> None:
        """A stack whose gateway responses map `context.requestId` into a header."""
        config = {"compatibility": {"request_id_header": True}}
        self.facts.deployments["header"] = self.rollouts.deploy(config)
        self.facts.forbidden_headers = looks.forbidden_headers(self.facts.base_url.removesuffix("/v1"))

    def drift(self) -> None:
        """A revalidation while the proxy's role has another policy."""
        role, iam = f"proxyctl-{self.rollouts.environment}-proxy-{self.aws.region}", self.aws.client("iam")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(document))
        try:
            self.facts.deployments["drifted"] = self.rollouts.run("revalidate")
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=_POLICY)

    def revisions(self) -> None:
        """RevisionIds of an alias that is set to what it is."""
        self.facts.revisions = looks.revisions(self.aws, self._function)

    def log(self) -> None:
        """What Lambda itself wrote into the proxy's log."""
        group = f"/aws/lambda/{self._function}"
        self.facts.exit_errors = looks.log_lines(self.aws, group, '"Runtime.ExitError"')
        self.facts.init_lines = looks.log_lines(self.aws, group, '"Init Duration"')

    def metrics(self) -> None:
        """Metrics of the shift, of API Gateway, and from EMF lines."""
        shifted = self.facts.evidence("shift", "shift_traffic")
        versions = (str(shifted.get("from_version") or ""), str(shifted.get("version") or ""))
        if all(versions):
            self.facts.invocations = looks.invocations(self.aws, self._function, versions)
        self.facts.counts["emf"] = looks.emf_metrics(self.aws, self.rollouts.environment)
        dimensions = {"ApiName": f"proxyctl-{self.rollouts.environment}", "Stage": self.outputs.get("StageName", "api")}
        self.facts.counts["gateway"] = looks.total(self.aws, "AWS/ApiGateway", "Count", dimensions)

    def clean_up(self) -> None:
        """Remove the environment and its secret, and look for what is left."""
        options = {"remove_secret": True, "secret_recovery_days": 0}
        self.facts.deployments["cleanup"] = self.rollouts.run("cleanup", options=options)
        self.facts.left = tuple(looks.leftovers(self.aws, self.rollouts.environment))

    @property
    def _function(self) -> str:
        return f"proxyctl-{self.rollouts.environment}-proxy"
