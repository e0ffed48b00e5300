"""The names of all resources that the product creates, so that clean-up searches under the names that deploy used."""

from __future__ import annotations

from dataclasses import dataclass

from .config import ENVIRONMENT_NAME
from .errors import BadRequest

OWNER_TAG = "proxyctl:owner"
ENVIRONMENT_TAG = "proxyctl:environment"
OWNER = "proxyctl"
CANDIDATE = "candidate"  # alias of the function
METRIC_NAMESPACE = "proxyctl"
# A role that someone deleted comes back under the next name: what a function version stored is encrypted for the role
# itself, so that a role of the same name could not run it either.
ROLE_MARKS = ("", *(f"_{number}" for number in range(2, 10)))


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one environment's resources. Raises BadRequest for an invalid environment name."""

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

    def role(self, region: str, mark: str = "") -> str:
        """The proxy's execution role. IAM is global, so the name contains the region.

        mark: one of `ROLE_MARKS`, parameter `RoleMark` of the stack. Environment names have no underscore.
        """
        return f"{OWNER}-{self.environment}{mark}-proxy-{region}"

    def roles(self, region: str) -> tuple[str, ...]:
        """Every name that the execution role may have."""
        return tuple(self.role(region, mark) for mark in ROLE_MARKS)

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
        """All of the environment's own secrets in Secrets Manager."""
        return (self.secret, self.webhook_secret)

    @property
    def topic(self) -> str:
        return f"{OWNER}-{self.environment}-alarms"

    @property
    def dashboard(self) -> str:
        """One for all environments, because every dashboard from the fourth on costs $3 a month."""
        return OWNER

    @property
    def baselines_prefix(self) -> str:
        """S3 prefix of load test results of good versions, which later versions are compared with."""
        return f"load/baselines/{self.environment}/"

    @property
    def artifacts_prefix(self) -> str:
        return f"artifacts/{self.environment}/"

    @property
    def api(self) -> str:
        return f"{OWNER}-{self.environment}"

    @property
    def queries(self) -> str:
        """Prefix of the names of saved Logs Insights queries; it shows as a folder in the console."""
        return f"{OWNER}/{self.environment}/"

    def probe(self, deployment_id: str) -> str:
        """The test queue of one deployment."""
        return f"{self.probes}{deployment_id}"[:80]

    @property
    def probes(self) -> str:
        """Prefix of the test queues' names. Environment names have no underscore: that of dev does not match dev-2."""
        return f"{OWNER}_{self.environment}_probe_"

    def alarm(self, what: str) -> str:
        """The alarm's name; with "" the prefix of all. The slash keeps dev's prefix from matching dev-2's."""
        return f"{OWNER}/{self.environment}/{what}"

    @property
    def tags(self) -> dict[str, str]:
        return {OWNER_TAG: OWNER, ENVIRONMENT_TAG: self.environment}
