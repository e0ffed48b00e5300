"""The input of the state machine, and the names of its executions. Pure."""

from __future__ import annotations

from chalicelib.domain.model import Action, Deployment

# Stands in the name of an execution that settles, between the deployment's ID and a number.
SETTLE = "-settle-"
_PERIOD_S = 900
# States in which an execution does nothing any more; None for one that does not exist.
CLOSED = frozenset({None, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


def execution_input(deployment: Deployment) -> dict[str, str]:
    """The input of the state machine: IDs, and what its choices need."""
    return {
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
        "approval": deployment.options.approval,
        "plan": "yes" if deployment.action is Action.PLAN or deployment.options.expected_plan else "no",
    }


def settling_name(id_: str, now: float) -> str:
    """The name of an execution that only ends a deployment, or one of a fleet. id_: its ID; now: epoch seconds.

    One name a quarter of an hour: two calls at once start one execution, and a later call can start another.
    """
    return f"{id_}{SETTLE}{int(now // _PERIOD_S)}"


def deployment_of(execution: str) -> str:
    """The ID of the deployment, or of that of a fleet, that an execution of this name belongs to."""
    return execution.partition(SETTLE)[0]
