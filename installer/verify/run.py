"""The steps of a run, in order. One that fails leaves its rows to NOT RUN; clean-up runs whatever happened."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ctl.client import ApiError, Client
from installer import deploy
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell
from installer.stack import STACK, Deployer
from installer.target import Target
from installer.verify import judges, looks, planted, rollouts, streaming, verdicts
from installer.verify import upstream as upstreams
from installer.verify.facts import Facts
from installer.verify.rollouts import Rollouts
from installer.verify.upstream import Upstream
from installer.verify.verdicts import Outcome, Result

_FAILURES = (
    ApiError,
    BotoCoreError,
    ClientError,
    CommandFailed,
    CannotStart,
    OSError,
    TimeoutError,
    WaiterError,
    http.client.HTTPException,
    KeyError,
)
_SHIFT_CONFIG = {"memory_mb": 640, "throttle": {"rate_per_s": 40, "burst": 80}}
_POLICY = "verify-account-drift"


@dataclass
class Run:
    """One run. keep_control_plane: it was there before, so that `down` is none of this run's business."""

    root: Path
    aws: Target
    upstream: Upstream | None = None
    keep_control_plane: bool = False

    def __post_init__(self) -> None:
        self.facts = Facts()
        self._began = datetime.now(UTC)

    def go(self) -> list[Result]:
        """All steps, then the verdicts, one line each."""
        try:
            self._try("up", self._up)
            if "up" not in self.facts.failures:
                self._rollouts()
        finally:
            down = self._end()
        results = [*judges.judged(self.facts, embedded=self.aws.embedded), *judges.steps(self.facts), down]
        for result in results:
            say(verdicts.line(result))
        say(verdicts.summary(results))
        return results

    def about(self) -> dict[str, object]:
        """What the JSON file says beside the results."""
        return {
            "began_at": self._began.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - self._began).total_seconds()),
            "region": self.aws.region,
            "partition": self.aws.partition,
            "embedded": self.aws.embedded,
            "artifact_digest": self.facts.artifact_digest,
            "failures": self.facts.failures,
        }

    def _try(self, step: str, work: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            work()
        except _FAILURES as problem:
            cause = problem.describe() if isinstance(problem, ApiError) else f"{type(problem).__name__}: {problem}"
            self.facts.failures[step] = cause
            tell(f"  {step}: {cause}")
        tell(f"{step}: {time.monotonic() - began:.0f} s")

    def _up(self) -> None:
        self.keep_control_plane = Deployer(self.aws.client("cloudformation"), progress=tell).find() is not None
        if self.upstream is None:
            self.upstream = upstreams.create(self.aws)
        outputs = deploy.up(self.root, self.aws, self.upstream.faults_url)
        url = deploy.api_url(self.aws, outputs)
        client = Client(url, self.aws.session, self.aws.region)
        client.health()
        self.facts.control_plane = "the control API answers" + (
            "; it was installed before, and stays" if self.keep_control_plane else ""
        )
        self.rollouts = Rollouts.of(client, embedded=self.aws.embedded)
        self.outputs: dict[str, str] = {}

    def _rollouts(self) -> None:
        for step, work in (
            ("deploy", self._deploy),
            ("stream", self._stream),
            ("no-body", self._no_body),
            ("clean", self._revalidate_clean),
            ("shift", self._shift),
            ("rollback", self._roll_back),
            ("bad", self._bad),
            ("header", self._header),
            ("drifted", self._drift),
            ("revisions", self._revisions),
            ("metrics", self._metrics),
        ):
            if step == "deploy" or self.facts.status("deploy") == "SUCCEEDED":
                self._try(step, work)

    def _deploy(self) -> None:
        assert self.upstream
        self.rollouts.put_secret(self.upstream)
        deployment = self.facts.deployments["deploy"] = self.rollouts.deploy()
        self.outputs = rollouts.evidence_of(deployment, "deploy_stack").get("outputs", {})
        self.facts.artifact_digest = str(rollouts.evidence_of(deployment, "package_artifact").get("digest", ""))
        links = self.rollouts.client.environment(self.rollouts.environment).get("links", {})
        self.facts.base_url = links.get("base_url", "")
        self.facts.api_url = self.facts.base_url.removesuffix("/v1")

    def _stream(self) -> None:
        self.facts.stream = streaming.watch(self.facts.base_url, self.rollouts.client_key, rollouts.MODEL)

    def _no_body(self) -> None:
        url, key = self.facts.base_url, self.rollouts.client_key
        self.facts.no_body["HEAD"] = streaming.answer_time("HEAD", url, key)
        self.facts.no_body["OPTIONS"] = streaming.answer_time("OPTIONS", url, key, "https://app.example")

    def _revalidate_clean(self) -> None:
        self.facts.deployments["clean"] = self.rollouts.run("revalidate")

    def _shift(self) -> None:
        before = looks.stage_rate(self.aws, self.outputs)
        self.facts.deployments["shift"] = self.rollouts.deploy(_SHIFT_CONFIG, (10, 50, 100))
        self.facts.stage_rates = (before, looks.stage_rate(self.aws, self.outputs), -1.0)

    def _roll_back(self) -> None:
        self.facts.deployments["rollback"] = self.rollouts.run("rollback")
        if self.facts.stage_rates:
            self.facts.stage_rates = (*self.facts.stage_rates[:2], looks.stage_rate(self.aws, self.outputs))

    def _bad(self) -> None:
        with planted.bad_release(self.root, self.aws):
            self.facts.deployments["bad"] = self.rollouts.deploy({"memory_mb": 704})
        arn = self.facts.deployments["bad"].get("execution_arn", "")
        self.facts.errors = looks.error_names(self.aws, arn)

    def _header(self) -> None:
        if self.aws.embedded:
            return
        config = {"compatibility": {"request_id_header": True}}
        self.facts.deployments["header"] = self.rollouts.deploy(config)
        self.facts.forbidden_headers = looks.forbidden_headers(self.facts.api_url)

    def _drift(self) -> None:
        if self.aws.embedded:
            return
        role, iam = f"proxyctl-{self.rollouts.environment}-proxy-{self.aws.region}", self.aws.client("iam")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(document))
        try:
            self.facts.deployments["drifted"] = self.rollouts.run("revalidate")
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=_POLICY)

    def _revisions(self) -> None:
        self.facts.revisions = looks.revisions(self.aws, self._function)

    def _metrics(self) -> None:
        group = f"/aws/lambda/{self._function}"
        self.facts.exit_errors = looks.log_lines(self.aws, group, '"Runtime.ExitError"')
        if self.aws.embedded:
            return
        self.facts.init_lines = looks.log_lines(self.aws, group, '"Init Duration"')
        shifted = self.facts.evidence("shift", "shift_traffic")
        versions = (str(shifted.get("from_version") or ""), str(shifted.get("version") or ""))
        if all(versions):
            self.facts.invocations = looks.invocations(self.aws, self._function, versions)
        self.facts.counts["emf"] = looks.emf_metrics(self.aws, self.rollouts.environment)
        stage = {"ApiName": f"proxyctl-{self.rollouts.environment}", "Stage": self.outputs.get("StageName", "api")}
        dimensions = stage | {"Resource": "/{proxy+}", "Method": "ANY"}
        self.facts.counts["gateway"] = looks.total(self.aws, "AWS/ApiGateway", "Count", dimensions)

    @property
    def _function(self) -> str:
        return f"proxyctl-{self.rollouts.environment}-proxy"

    def _end(self) -> Result:
        """Remove all that the run has made; what stays is said."""
        if hasattr(self, "rollouts"):
            self._try("cleanup", self._clean_up)
        self._try("down", self._down)
        if "down" in self.facts.failures:
            return Result("down", Outcome.FAILED, self.facts.failures["down"])
        if self.keep_control_plane:
            return Result("down", Outcome.NOT_RUN, f"stack {STACK} was there before this run, and stays")
        return Result("down", Outcome.PASSED, "stack, table and bucket are removed")

    def _clean_up(self) -> None:
        options = {"remove_secret": True, "secret_recovery_days": 0}
        self.facts.deployments["cleanup"] = self.rollouts.run("cleanup", options=options)
        self.facts.left = tuple(looks.leftovers(self.aws, self.rollouts.environment))

    def _down(self) -> None:
        if self.upstream and not self.aws.embedded:
            upstreams.delete(self.aws)
        if not self.keep_control_plane:
            deploy.down(self.aws, force=False)
