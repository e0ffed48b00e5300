"""Routes and task handlers: no logic. Written out, because Chalice finds handlers by the names of their functions."""

from __future__ import annotations

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
    from chalicelib.api.spending import costs
    from chalicelib.lifecycle import night, publish_events, sweep
    from chalicelib.load import drive
    from chalicelib.upgrade import self_test, task
else:
    _API = "answers control deployments environments health nights openapi secret_versions secrets"
    _OTHERS = {"lifecycle": "night publish_events sweep", "load": "drive", "upgrade": "self_test task"}
    globals().update(lazy.load_rooms({"api": _API, "api.past": "incidents", "api.spending": "costs", **_OTHERS}))

app = Chalice(app_name="proxyctl")
app.register_middleware(lambda event, go_on: self_test.answer_or(event, go_on, aws), "pure_lambda")
iam = IAMAuthorizer()
# Chalice would refuse another type than JSON itself, in another shape of error than ours (`ApiCall.json`).
ANY_TYPE = ["*/*"]


def _respond(route: answers.Route, **path: str) -> Response:
    answer = answers.respond(route, answers.call_of(app.current_request, path), aws(), utc_now)
    return Response(answer.body, {**answer.headers}, answer.status)


@app.route("/deployments", methods=["POST"], authorizer=iam, content_types=ANY_TYPE)
def post_deployments() -> Response:
    return _respond(deployments.start)


@app.route("/deployments", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_deployments() -> Response:
    return _respond(deployments.index)


@app.route("/deployments/{id}", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_deployment(id: str) -> Response:
    return _respond(deployments.show, id=id)


@app.route("/deployments/{id}/report", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_report(id: str) -> Response:
    return _respond(deployments.report, id=id)


@app.route("/deployments/{id}/handoff", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_handoff(id: str) -> Response:
    return _respond(deployments.handoff, id=id)


@app.route("/deployments/{id}/abort", methods=["POST"], authorizer=iam, content_types=ANY_TYPE)
def post_abort(id: str) -> Response:
    return _respond(control.abort, id=id)


@app.route("/deployments/{id}/approve", methods=["POST"], authorizer=iam, content_types=ANY_TYPE)
def post_approve(id: str) -> Response:
    return _respond(control.approve, id=id)


@app.route("/deployments/{id}/resume", methods=["POST"], authorizer=iam, content_types=ANY_TYPE)
def post_resume(id: str) -> Response:
    return _respond(control.resume, id=id)


@app.route("/environments", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_environments() -> Response:
    return _respond(environments.index)


@app.route("/environments/{name}", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_environment(name: str) -> Response:
    return _respond(environments.show, name=name)


@app.route("/environments/{name}/history", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_history(name: str) -> Response:
    return _respond(environments.history, name=name)


@app.route("/environments/{name}/costs", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_costs(name: str) -> Response:
    return _respond(costs.show, name=name)


@app.route("/environments/{name}/incidents", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_incidents(name: str) -> Response:
    return _respond(incidents.index, name=name)


@app.route("/environments/{name}/incidents/{id}", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_incident(name: str, id: str) -> Response:
    return _respond(incidents.show, name=name, id=id)


@app.route("/environments/{name}/secret", methods=["PUT"], authorizer=iam, content_types=ANY_TYPE)
def put_secret(name: str) -> Response:
    return _respond(secrets.put, name=name)


@app.route("/environments/{name}/secret", methods=["PATCH"], authorizer=iam, content_types=ANY_TYPE)
def patch_secret(name: str) -> Response:
    return _respond(secrets.patch, name=name)


@app.route("/environments/{name}/secret", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_secret(name: str) -> Response:
    return _respond(secret_versions.show, name=name)


@app.route("/environments/{name}/secret/history", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_secret_history(name: str) -> Response:
    return _respond(secret_versions.history, name=name)


@app.route("/environments/{name}/secret/rollback", methods=["POST"], authorizer=iam, content_types=ANY_TYPE)
def post_secret_rollback(name: str) -> Response:
    return _respond(secret_versions.rollback, name=name)


@app.route("/nights", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_nights() -> Response:
    return _respond(nights.index)


@app.route("/health", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_health() -> Response:
    return _respond(health.show)


@app.route("/openapi.json", methods=["GET"], authorizer=iam, content_types=ANY_TYPE)
def get_openapi() -> Response:
    return _respond(openapi.show)


@app.lambda_function(name="ListEnvironments")
def list_environments_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.list_environments(event, aws(), utc_now)


@app.lambda_function(name="RevalidateEnvironment")
def revalidate_environment_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.revalidate_environment(event, aws(), utc_now)


@app.lambda_function(name="SummarizeNight")
def summarize_night_task(event: dict[str, object], context: object) -> dict[str, object]:
    return night.summarize_night(event, aws(), utc_now)


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
