"""SQS acts late: a policy set after creation, and the name of a deleted queue."""

import json
import time
from typing import Any

from local.inside.calls import Call, Refusal
from local.inside.ledger import Ledger

_RECENTLY = (
    "You must wait {seconds:.0f} seconds after deleting a queue before you can create another with the same name."
)


class LatePolicies:
    """Deliveries see the policy that a queue had `delay_s` ago; one given at creation acts at once."""

    def __init__(self, sqs: Any, delay_s: float, now: Any = time.time) -> None:
        self._sqs, self._now = sqs, now
        self._ledger: Ledger[str] = Ledger(delay_s)
        self._allows = sqs.queue_policy_allows
        sqs.queue_policy_allows = self.allows

    def before(self, call: Call) -> Refusal | None:
        """Remember the policy that SetQueueAttributes replaces."""
        if call.action == "sqs:SetQueueAttributes" and "Policy" in (call.params.get("Attributes") or {}):
            queue = self._sqs._queues.get(self._sqs._queue_url(call.text("QueueUrl").rpartition("/")[2]))
            if queue:
                attributes = queue["attributes"]
                self._ledger.record(attributes["QueueArn"], attributes.get("Policy", ""), self._now())
        return None

    def allows(self, queue_arn: str, *arguments: Any, **named: Any) -> bool:
        """As the emulator's function of the same purpose, with the policy that acts now."""
        former = self._ledger.former(queue_arn, self._now())
        if former is None:
            return bool(self._allows(queue_arn, *arguments, **named))
        attributes = self._sqs._queue_by_arn(queue_arn)["attributes"]
        newest = attributes.get("Policy", "")
        attributes["Policy"] = former[0]
        try:
            return bool(self._allows(queue_arn, *arguments, **named))
        finally:
            attributes["Policy"] = newest


class TakenNames:
    """A queue cannot be created `delay_s` after one of the same name was deleted."""

    def __init__(self, delay_s: float, now: Any = time.time) -> None:
        self._delay_s, self._now = delay_s, now
        self._deleted: dict[str, float] = {}

    def before(self, call: Call) -> Refusal | None:
        """Note deletions, refuse creations that come too early."""
        if call.action == "sqs:DeleteQueue":
            self._deleted[call.text("QueueUrl").rpartition("/")[2]] = self._now()
        if call.action != "sqs:CreateQueue":
            return None
        free_at = self._deleted.get(call.text("QueueName"), -self._delay_s) + self._delay_s
        if self._now() >= free_at:
            return None
        message = _RECENTLY.format(seconds=self._delay_s)
        return Refusal(400, "AWS.SimpleQueueService.QueueDeletedRecently", message)


def conditioned(policy: str) -> bool:
    """Whether a topic's policy lets EventBridge publish under a Condition only, or not at all."""
    statements = json.loads(policy or "{}").get("Statement", [])
    rows = [statements] if isinstance(statements, dict) else statements
    return not any(_admits_eventbridge(row) and not row.get("Condition") for row in rows)


def _admits_eventbridge(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    named = [services] if isinstance(services, str) else services
    return statement.get("Effect") == "Allow" and (principal == "*" or "events.amazonaws.com" in named)
