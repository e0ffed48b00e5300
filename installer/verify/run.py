"""A run from `up` to `down`. A step that fails leaves its rows to NOT RUN; clean-up runs whatever happened."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from ctl.client import ApiError, Client
from installer import deploy
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell
from installer.stack import STACK, Deployer
from installer.target import Target
from installer.verify import judges, verdicts
from installer.verify import upstream as upstreams
from installer.verify.facts import Facts
from installer.verify.rollouts import Rollouts
from installer.verify.steps import Steps
from installer.verify.upstream import Upstream
from installer.verify.verdicts import Outcome, Result

# What a step may end with in an account that is not as it must be. A KeyError is an answer without a field.
_FAILURES = (
    ApiError,
    BotoCoreError,
    ClientError,
    CommandFailed,
    CannotStart,
    OSError,
    TimeoutError,
    http.client.HTTPException,
    KeyError,
)


@dataclass
class Run:
    """One run. upstream: the stand-in; None creates the stub in the account."""

    root: Path
    aws: Target
    upstream: Upstream | None = None
    facts: Facts = field(default_factory=Facts)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    was_installed: bool = False
    steps: Steps | None = None

    def go(self) -> list[Result]:
        """All steps, then the verdicts, one line each."""
        try:
            self._try("up", self._up)
            for name, work in self.steps.in_order() if self.steps else ():
                if name == "deploy" or self.facts.status("deploy") == "SUCCEEDED":
                    self._try(name, work)
        finally:
            removed = self._remove()
        results = [*judges.judged(self.facts, embedded=self.aws.embedded), *judges.steps(self.facts), removed]
        for result in results:
            say(verdicts.line(result))
        say(verdicts.summary(results))
        return results

    def about(self) -> dict[str, object]:
        """What the JSON file says beside the results."""
        return {
            "began_at": self.began_at.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - self.began_at).total_seconds()),
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
        self.was_installed = Deployer(self.aws.client("cloudformation"), progress=tell).find() is not None
        upstream = self.upstream = self.upstream or upstreams.create(self.aws)
        outputs = deploy.up(self.root, self.aws, upstream.faults_url)
        client = Client(deploy.api_url(self.aws, outputs), self.aws.session, self.aws.region)
        client.health()
        before = "; it was installed before, and stays" if self.was_installed else ""
        self.facts.control_plane = f"the control API answers{before}"
        environment = Rollouts.of(client, embedded=self.aws.embedded)
        self.steps = Steps(self.root, self.aws, upstream, environment, self.facts)

    def _remove(self) -> Result:
        """Remove all that the run has created, and say what stays."""
        if self.steps:
            self._try("cleanup", self.steps.clean_up)
        self._try("down", self._down)
        if "down" in self.facts.failures:
            return Result("down", Outcome.FAILED, self.facts.failures["down"])
        if self.was_installed:
            return Result("down", Outcome.NOT_RUN, f"stack {STACK} was there before this run, and stays")
        return Result("down", Outcome.PASSED, "stack, table and bucket are removed")

    def _down(self) -> None:
        if self.upstream and not self.aws.embedded:
            upstreams.delete(self.aws)
        if not self.was_installed:
            deploy.down(self.aws, force=False)
