"""What an upgrade may not change by itself: boundaries, and the policy of the role that upgrades.

Otherwise who may upload a release and start an upgrade could give the control plane any right in the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN_ROLE = "UpgradeRole"
_POLICIES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")


def needing_a_person(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Logical ids of the resources that differ between the templates and that only a person's own rights can change."""
    old, new = before["Resources"], after["Resources"]
    names = {name for name, each in {**old, **new}.items() if name == OWN_ROLE or each["Type"] in _POLICIES}
    return sorted(name for name in names if old.get(name) != new.get(name))
