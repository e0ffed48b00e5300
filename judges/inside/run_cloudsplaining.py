"""Runs in the judges' own environment: policy documents by owner on stdin; cloudsplaining's rules, and what it finds in
these documents, on stdout (JSON)."""

import json
import logging
import sys
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument
from cloudsplaining.shared import constants


def findings(owner: str, document: Any) -> list[str]:
    """`owner: what`, of actions that no resource and no condition restricts."""
    policy = PolicyDocument(document)
    methods = [entry["type"] for entry in policy.allows_privilege_escalation]
    lists = {
        "returns credentials": policy.credentials_exposure,
        "may be read without limit": policy.allows_data_exfiltration_actions,
        "changes permissions without limit": policy.permissions_management_without_constraints,
        "all actions of a service": policy.service_wildcard,
    }
    named = [f"{what}: {action}" for what, actions in lists.items() for action in actions]
    return [f"{owner}: {text}" for text in (*methods, *named)]


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    documents = json.load(sys.stdin)
    answer = {
        "methods": constants.PRIVILEGE_ESCALATION_METHODS,
        "credentials": constants.ACTIONS_THAT_RETURN_CREDENTIALS,
        "findings": [text for owner, document in documents.items() for text in findings(owner, document)],
    }
    json.dump(answer, sys.stdout)
