"""Phase 5: alarms, their topic, dashboard, saved queries and metric filters; then each alarm is fired, and its
notification seen to arrive, and set back; then one request is followed through the logs.

They are made here and not in the stack: a threshold changes in a second, and the stack stays as it is.
"""

from __future__ import annotations

from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.monitoring import apply, dashboard, fire
from chalicelib.ports import Aws

from . import correlate


def fingerprint(request: Request, aws: Aws) -> str:
    """Everything that is made here, and which of it is there."""
    names = Names(request.environment.name)
    return fingerprint_of(
        list(apply.definitions(request, "the topic")),
        apply.dashboard_body(request, aws, []),
        [*dashboard.queries(names), *dashboard.filters(names)],
        list(request.config.notify),
        request.config.log_retention_days,
        request.results["deploy_stack"]["stack_id"],
        sorted(alarm.name for alarm in aws.alarms.find(names.alarm(""))),
    )


def run(request: Request, aws: Aws) -> Result:
    step = request.cursor.get("step")
    if step == "listen":
        return fire.listen(request, aws)
    if step == "correlate":
        return correlate.correlate(request, aws)
    return fire.fire(apply.everything(request, aws), request, aws)


PHASE = Definition(run, dict, fingerprint=fingerprint)
