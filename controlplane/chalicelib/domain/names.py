"""Names of everything that the product makes, in one place, so that clean-up can look for what deploy made."""

from __future__ import annotations

from dataclasses import dataclass

from .config import ENVIRONMENT_NAME
from .errors import BadRequest

OWNER_TAG = "proxyctl:owner"
ENVIRONMENT_TAG = "proxyctl:environment"
OWNER = "proxyctl"
METRIC_NAMESPACE = "proxyctl"


@dataclass(frozen=True, slots=True)
class Names:
    """What one environment's resources are called."""

    environment: str

    def __post_init__(self) -> None:
        if not ENVIRONMENT_NAME.fullmatch(self.environment):
            raise BadRequest(
                f"environment {self.environment!r} is not a valid name",
                field="environment",
                remedy="Use 1 to 20 lower-case letters, digits and hyphens; begin with a letter, end without a hyphen.",
            )

    @property
    def stack(self) -> str:
        return f"{OWNER}-env-{self.environment}"

    @property
    def function(self) -> str:
        return f"{OWNER}-{self.environment}-proxy"

    def role(self, region: str) -> str:
        """The proxy's execution role. IAM has no regions, so the name carries it."""
        return f"{OWNER}-{self.environment}-proxy-{region}"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.function}"

    @property
    def access_log_group(self) -> str:
        return f"/aws/apigateway/{OWNER}-{self.environment}"

    @property
    def secret(self) -> str:
        return f"{OWNER}/{self.environment}/openai"

    @property
    def webhook_secret(self) -> str:
        return f"{OWNER}/{self.environment}/webhook"

    @property
    def secrets(self) -> tuple[str, str]:
        """All that the environment keeps in Secrets Manager under its own names."""
        return (self.secret, self.webhook_secret)

    @property
    def topic(self) -> str:
        return f"{OWNER}-{self.environment}-alarms"

    @property
    def dashboard(self) -> str:
        return f"{OWNER}-{self.environment}"

    @property
    def baselines_prefix(self) -> str:
        """Where the load test keeps what a good version measured, for the next one to be compared with."""
        return f"load/baselines/{self.environment}/"

    @property
    def artifacts_prefix(self) -> str:
        return f"artifacts/{self.environment}/"

    @property
    def api(self) -> str:
        return f"{OWNER}-{self.environment}"

    @property
    def queries(self) -> str:
        """What the names of the saved Logs Insights queries begin with: a folder in the console."""
        return f"{OWNER}/{self.environment}/"

    def probe(self, deployment_id: str) -> str:
        """A queue that lives for one deployment."""
        return f"{self.probes}{deployment_id}"[:80]

    @property
    def probes(self) -> str:
        """What those queues' names begin with. Environments hold no underscore, so dev's are not dev-2's."""
        return f"{OWNER}_{self.environment}_probe_"

    def alarm(self, what: str) -> str:
        """With "" what all of them begin with; the slash keeps dev's apart from dev-2's."""
        return f"{OWNER}/{self.environment}/{what}"

    @property
    def tags(self) -> dict[str, str]:
        return {OWNER_TAG: OWNER, ENVIRONMENT_TAG: self.environment}
