"""What the strict cloud refuses and delays, as AWS does and the emulator does not: one switch a behaviour.

docs/fidelity.md names the source of each. Standard library only: the emulator's process reads this module, too.
"""

import json
from dataclasses import asdict, dataclass, replace

VARIABLE = "PROXYCTL_STRICT"


@dataclass(frozen=True)
class Strict:
    """False and 0 are off. Names that end in `_s` are delays in seconds."""

    iam_resources: bool = False
    """An action for which AWS's service authorization data name no resource type is granted by a `*` only."""
    passed_roles: bool = False
    """A role that a call hands to CloudFormation or Lambda needs iam:PassRole."""
    missing_keys: bool = False
    """A missing S3 object is AccessDenied for a caller without s3:ListBucket."""
    message_attributes: bool = False
    """SNS and SQS validate message attributes, and raw delivery to SQS drops messages with more than ten."""
    conditioned_topics: bool = False
    """EventBridge delivers to an SNS topic only if a statement without Condition lets it publish."""
    throttling: bool = False
    """Control-plane APIs answer at their published rates only."""
    concurrent_executions: int = 0
    """Lambda executions at once in this account, such as 10 in a new one; 0 leaves it to the machine's memory."""
    queue_policy_s: float = 0
    """A queue policy that is set after the queue was created acts this late."""
    queue_name_s: float = 0
    """The name of a deleted queue is free again after this time."""
    role_s: float = 0
    """Changes of a role's policies act this late."""
    iam_read_s: float = 0
    """IAM reads answer with the former state for this long after a write."""
    bucket_list_s: float = 0
    """ListBuckets answers with the former list for this long after a bucket was created or deleted."""

    @property
    def active(self) -> bool:
        """Whether any switch is on."""
        return self != OFF

    def scaled(self, factor: float) -> "Strict":
        """The same with all delays multiplied by `factor`."""
        delays = {name: value * factor for name, value in asdict(self).items() if name.endswith("_s")}
        return replace(self, **delays)

    def encode(self) -> str:
        """For the environment variable VARIABLE."""
        return json.dumps(asdict(self))


OFF = Strict()
# The longest delays that AWS publishes; IAM publishes none ("eventual consistency"), so it gets a minute as well.
WORST = Strict(
    iam_resources=True,
    passed_roles=True,
    missing_keys=True,
    message_attributes=True,
    conditioned_topics=True,
    throttling=True,
    queue_policy_s=60,
    queue_name_s=60,
    role_s=60,
    iam_read_s=60,
    bucket_list_s=60,
)
NEW_ACCOUNT = Strict(concurrent_executions=10)
# For the end-to-end tests: everything refused as in WORST, and delays that are long enough to be noticed.
EVERYDAY = WORST.scaled(1 / 30)


def decode(text: str) -> Strict:
    """The reverse of `encode`; "" is OFF. Raises ValueError or TypeError for anything else."""
    return Strict(**json.loads(text)) if text else OFF
