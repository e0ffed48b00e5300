"""Routes, one task handler a phase, and those of the night, the sweeper and fleets: no logic here.

The task handlers are written out because Chalice finds them by the function's own name: a loop would give all of them
one. It finds a view by its path, so the routes are a table.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from chalice.app import Chalice, IAMAuthorizer, Response
from chalicelib import lazy
from chalicelib.engine import runner
from chalicelib.wiring import aws, utc_now

if TYPE_CHECKING:
    # isort: off
    from chalicelib.api import answers, control, deployments, environments, health, nights, openapi
    from chalicelib.api import secret_versions, secrets
    from chalicelib.api.past import incidents
    from chalicelib.api.fleets import fleet_deployments, fleets
    from chalicelib.api.spending import costs
    from chalicelib.lifecycle import night, publish_events, sweep
    from chalicelib.lifecycle.fleets import advance, member
    from chalicelib.load import drive
    from chalicelib.upgrade import self_test, task
else:
    _API = "answers control deployments environments health nights openapi secret_versions secrets past.incidents"
    _API += " fleets.fleet_deployments fleets.fleets spending.costs"
    _LIFECYCLE = "night publish_events sweep fleets.advance fleets.member"
    for _room, _names in (("api", _API), ("lifecycle", _LIFECYCLE), ("load", "drive"), ("upgrade", "self_test task")):
        globals().update({n.rpartition(".")[2]: lazy.load(f"chalicelib.{_room}.{n}") for n in _names.split()})

app = Chalice(app_name="proxyctl")
app.register_middleware(lambda event, go_on: self_test.answer_or(event, go_on, aws), "pure_lambda")
iam = IAMAuthorizer()
# Chalice would refuse another type than JSON itself, in another shape of error than ours (`ApiCall.json`).
ANY_TYPE = ["*/*"]


def _respond(route: answers.Route, **path: str) -> Response:
    answer = answers.respond(route, answers.call_of(app.current_request, path), aws(), utc_now)
    return Response(answer.body, {**answer.headers}, answer.status)


# By name: each module is loaded with the first call of one of its routes.
_ROUTES = (
    ("/deployments", "POST", deployments, "start"),
    ("/deployments", "GET", deployments, "index"),
    ("/deployments/{id}", "GET", deployments, "show"),
    ("/deployments/{id}/report", "GET", deployments, "report"),
    ("/deployments/{id}/handoff", "GET", deployments, "handoff"),
    ("/deployments/{id}/abort", "POST", control, "abort"),
    ("/deployments/{id}/approve", "POST", control, "approve"),
    ("/deployments/{id}/resume", "POST", control, "resume"),
    ("/environments", "GET", environments, "index"),
    ("/environments/{name}", "GET", environments, "show"),
    ("/environments/{name}/history", "GET", environments, "history"),
    ("/environments/{name}/costs", "GET", costs, "show"),
    ("/environments/{name}/incidents", "GET", incidents, "index"),
    ("/environments/{name}/incidents/{id}", "GET", incidents, "show"),
    ("/environments/{name}/secret", "PUT", secrets, "put"),
    ("/environments/{name}/secret", "PATCH", secrets, "patch"),
    ("/environments/{name}/secret", "GET", secret_versions, "show"),
    ("/environments/{name}/secret/history", "GET", secret_versions, "history"),
    ("/environments/{name}/secret/rollback", "POST", secret_versions, "rollback"),
    ("/nights", "GET", nights, "index"),
    ("/fleets", "GET", fleets, "index"),
    ("/fleets/{name}", "GET", fleets, "show"),
    ("/fleets/{name}/deployments", "POST", fleet_deployments, "start"),
    ("/fleets/{name}/deployments", "GET", fleet_deployments, "index"),
    ("/fleets/{name}/deployments/{id}", "GET", fleet_deployments, "show"),
    ("/fleets/{name}/deployments/{id}/report", "GET", fleet_deployments, "report"),
    ("/fleets/{name}/deployments/{id}/abort", "POST", fleet_deployments, "abort"),
    ("/fleets/{name}/deployments/{id}/approve", "POST", fleet_deployments, "approve"),
    ("/health", "GET", health, "show"),
    ("/openapi.json", "GET", openapi, "show"),
)


def _view(module: ModuleType, name: str) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return _respond(getattr(module, name), **path)

    return view


for _path, _method, _module, _name in _ROUTES:
    app.route(_path, methods=[_method], authorizer=iam, content_types=ANY_TYPE)(_view(_module, _name))


@app.lambda_function(name="ListEnvironments")
def list_environments_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.list_environments(event, aws(), utc_now)


@app.lambda_function(name="RevalidateEnvironment")
def revalidate_environment_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.revalidate_environment(event, aws(), utc_now)


@app.lambda_function(name="SummarizeNight")
def summarize_night_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.summarize_night(event, aws(), utc_now)


@app.lambda_function(name="AdvanceFleet")
def advance_fleet_task(event: dict[str, object], context: object) -> dict[str, object]:
    return advance.advance_fleet(event, aws(), utc_now)


@app.lambda_function(name="RollMember")
def roll_member_task(event: dict[str, object], context: object) -> dict[str, object]:
    return member.roll_member(event, aws(), utc_now)


@app.lambda_function(name="Sweep")
def sweep_task(event: dict[str, object], context: object) -> dict[str, object]:
    return sweep.sweep(event, aws(), utc_now)


@app.lambda_function(name="Tell")
def tell_task(event: dict[str, object], context: object) -> dict[str, object]:
    return publish_events.publish(event, aws(), utc_now)


@app.lambda_function(name="AcquireLock")
def acquire_lock_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("acquire_lock", event, aws(), utc_now)


@app.lambda_function(name="SkipUnchanged")
def skip_unchanged_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("skip_unchanged", event, aws(), utc_now)


@app.lambda_function(name="Preflight")
def preflight_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("preflight", event, aws(), utc_now)


@app.lambda_function(name="MakePlan")
def make_plan_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("make_plan", event, aws(), utc_now)


@app.lambda_function(name="CheckDrift")
def check_drift_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("check_drift", event, aws(), utc_now)


@app.lambda_function(name="PrepareSecret")
def prepare_secret_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("prepare_secret", event, aws(), utc_now)


@app.lambda_function(name="PackageArtifact")
def package_artifact_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("package_artifact", event, aws(), utc_now)


@app.lambda_function(name="DeployStack")
def deploy_stack_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("deploy_stack", event, aws(), utc_now)


@app.lambda_function(name="ConfigureMonitoring")
def configure_monitoring_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("configure_monitoring", event, aws(), utc_now)


@app.lambda_function(name="ReleaseCode")
def release_code_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("release_code", event, aws(), utc_now)


@app.lambda_function(name="ValidateEndpoints")
def validate_endpoints_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("validate_endpoints", event, aws(), utc_now)


@app.lambda_function(name="ValidateErrors")
def validate_errors_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("validate_errors", event, aws(), utc_now)


@app.lambda_function(name="LoadTest")
def load_test_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("load_test", event, aws(), utc_now)


@app.lambda_function(name="LoadWorker")
def load_worker_task(event: dict[str, object], context: object) -> dict[str, object]:
    return drive.run(event, aws())


@app.lambda_function(name="AwaitApproval")
def await_approval_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("await_approval", event, aws(), utc_now)


@app.lambda_function(name="ShiftTraffic")
def shift_traffic_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("shift_traffic", event, aws(), utc_now)


@app.lambda_function(name="ApplySettings")
def apply_settings_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("apply_settings", event, aws(), utc_now)


@app.lambda_function(name="Bake")
def bake_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("bake", event, aws(), utc_now)


@app.lambda_function(name="WriteHandoff")
def write_handoff_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("write_handoff", event, aws(), utc_now)


@app.lambda_function(name="VerifyIdempotency")
def verify_idempotency_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("verify_idempotency", event, aws(), utc_now)


@app.lambda_function(name="CleanUp")
def clean_up_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("clean_up", event, aws(), utc_now)


@app.lambda_function(name="RunDrill")
def run_drill_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("run_drill", event, aws(), utc_now)


@app.lambda_function(name="RollBack")
def roll_back_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("roll_back", event, aws(), utc_now)


@app.lambda_function(name="RestoreSettings")
def restore_settings_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("restore_settings", event, aws(), utc_now)


@app.lambda_function(name="RecordOutcome")
def record_outcome_task(event: dict[str, object], context: object) -> dict[str, object]:
    return runner.run("record_outcome", event, aws(), utc_now)


@app.lambda_function(name="Upgrade")
def upgrade_task(event: dict[str, object], context: object) -> dict[str, object]:
    return task.run(event, aws(), utc_now, runner.run)
