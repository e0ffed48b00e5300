"""What an existing stack means for a deployment: its owner, its state, and which of its names must be free."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.names import OWNER_TAG
from chalicelib.phases.preflight import ownership


def stack(status: str, *, reason: str = "", owner: str = "proxyctl") -> Stack:
    return Stack("proxyctl-env-dev", "id", status, reason, tags={OWNER_TAG: owner})


@pytest.mark.parametrize(
    ("existing", "creates", "is_complete"),
    [
        (None, True, False),
        (stack("REVIEW_IN_PROGRESS"), True, False),
        (stack("UPDATE_COMPLETE"), False, True),
        (stack("ROLLBACK_COMPLETE"), False, False),
        (stack("IMPORT_ROLLBACK_FAILED"), False, False),
    ],
)
def test_names_must_be_free_before_a_creation_and_resources_exist_in_a_complete_stack(
    existing: Stack | None, creates: bool, is_complete: bool
) -> None:
    assert ownership.creates(existing) is creates
    assert ownership.is_complete(existing) is is_complete


@pytest.mark.parametrize(
    ("existing", "message"),
    [
        (stack("IMPORT_ROLLBACK_FAILED"), "is in IMPORT_ROLLBACK_FAILED: no reason given"),
        (stack("IMPORT_ROLLBACK_FAILED", reason="a bucket"), "is in IMPORT_ROLLBACK_FAILED: a bucket"),
        (stack("ROLLBACK_COMPLETE"), "is in ROLLBACK_COMPLETE; deploy_stack settles it first (delete)"),
        (stack("UPDATE_COMPLETE", owner=""), "exists and is not ours (its tag proxyctl:owner is missing)"),
        (stack("UPDATE_COMPLETE", owner="ann"), "exists and is not ours (its tag proxyctl:owner is ann)"),
    ],
)
def test_a_stack_that_is_not_ready_or_not_ours_is_named(existing: Stack, message: str) -> None:
    (finding,) = ownership.stack(existing)
    assert finding.message == f"stack proxyctl-env-dev {message}"


@pytest.mark.parametrize("existing", [None, stack("UPDATE_COMPLETE"), stack("REVIEW_IN_PROGRESS", owner="ann")])
def test_a_missing_a_complete_and_an_empty_stack_are_fine(existing: Stack | None) -> None:
    assert list(ownership.stack(existing)) == []
