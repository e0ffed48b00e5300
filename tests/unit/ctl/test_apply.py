"""`apply`: a file is checked, compared field by field, and what differs is rolled in waves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from ctl.__main__ import main
from ctl.environments import files
from ctl.environments.compare import Deployed, compare, fingerprint
from ctl.inputs import Refused
from ctl.shapes import Deployment, Environment
from tests.fakes.control_api import ControlApi

KEY = "sk-test-00000000000000000000"
MISSING = (404, {"error": {"code": "NotFound", "message": "none"}})
DONE = {"status": "SUCCEEDED", "phases": [], "steps": []}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\n{text}")
    return path


def deployed(path: Path, document: dict[str, Any] | None = None) -> Deployed:
    """What the control plane has after this file was applied."""
    (wanted,) = files.load([path])
    live = {"version": "1", "config": json.loads(json.dumps(wanted.config))}
    fields = {name: fingerprint(value) for name, value in (document or {}).items()}
    return Deployed(
        cast(Environment, {"name": wanted.name, "live": live}),
        cast(Deployment, {"id": "d-1", "environment": wanted.name, "status": "SUCCEEDED", "options": wanted.options}),
        {"environment": wanted.name, "fields": fields},
    )


def test_a_file_that_was_applied_differs_in_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "dev", "config: {memory_mb: 256, alarms: {error_rate: 0.5}}\nslo: {p99_ms: 900}\n")
    document = {"schema": 1, "models": {"fast": {"target": "gpt-4o-mini"}}}
    (wanted,) = files.load([path])
    assert not compare(wanted, document, deployed(path, document))


def test_what_differs_is_named_field_by_field(tmp_path: Path) -> None:
    before = deployed(written(tmp_path, "dev", "config: {memory_mb: 256, alarms: {error_rate: 0.5}}\n"), {"models": {}})
    (wanted,) = files.load([written(tmp_path, "dev", "config: {memory_mb: 512}\nload: {rps: 5}\n")])
    difference = compare(wanted, {"schema": 1, "models": {"fast": {"target": "x"}}}, before)
    assert [change.path for change in difference.settings] == [
        "config.alarms.error_rate",
        "config.memory_mb",
        "load.rps",
    ]
    assert "models" in difference.secret


def test_a_field_that_the_file_leaves_out_goes_back_to_its_default(tmp_path: Path) -> None:
    before = deployed(written(tmp_path, "dev", "config: {memory_mb: 256}\n"))
    (wanted,) = files.load([written(tmp_path, "dev", "")])
    ((change,), _) = (compare(wanted, {}, before).settings, None)
    assert (change.path, change.before, change.after) == ("config.memory_mb", 256, 512)


def test_a_field_that_is_not_on_record_had_its_default(tmp_path: Path) -> None:
    path = written(tmp_path, "dev", "")
    before = deployed(path)
    assert before.environment is not None
    for name in ("ttl_hours", "memory_mb"):
        del before.environment["live"]["config"][name]  # type: ignore[index]
    (wanted,) = files.load([path])
    assert not compare(wanted, {}, before)


def test_a_field_of_a_newer_control_plane_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "dev", "")
    before = deployed(path)
    assert before.environment is not None
    before.environment["live"]["config"]["added_later"] = 1  # type: ignore[index]
    (wanted,) = files.load([path])
    assert not compare(wanted, {}, before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config: {memory_md: 1}", "config: unknown field memory_md; did you mean memory_mb?"),
        ("config: {memory_mb: 100}", "config.memory_mb: 100 is less than the minimum of 128"),
        ("config: {memory_mb: 10241}", "10241 is greater than the maximum of 10240"),
        ("load: {rps: lots}", "load.rps: 'lots' is not of type 'number'"),
        ("client_keys: [{id: a, sha256: short}]", "client_keys.0.sha256"),
        ("config: {memory_mb: 256, memory_mb: 512}", "memory_mb stands twice"),
        ("config: [", "is not YAML"),
        ("provider: {api_key: sk-hidden-secret}", "the key itself never stands in a file"),
    ],
)
def test_a_wrong_file_names_its_field(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Refused) as refusal:
        files.load([written(tmp_path, "dev", text)])
    assert says in str(refusal.value)
    assert "sk-hidden" not in str(refusal.value)


def test_bounds_are_inside_the_range(tmp_path: Path) -> None:
    for size in (128, 10_240):
        assert files.load([written(tmp_path, "dev", f"config: {{memory_mb: {size}}}")])[0].config["memory_mb"] == size


def test_anchors_json_and_set_work(tmp_path: Path) -> None:
    path = written(tmp_path, "dev", "x-small: &small {memory_mb: 256}\nconfig: {<<: *small, timeout_s: 20}\n")
    (wanted,) = files.load([path], ["timeout_s=25", "alarms.error_rate=0.5", "slo.p99_ms=null"])
    assert (wanted.config["memory_mb"], wanted.config["timeout_s"]) == (256, 25)
    assert wanted.config["alarms"]["error_rate"] == 0.5
    assert wanted.options["slo"]["p99_ms"] is None
    (tmp_path / "qa.json").write_text('{"name": "qa", "order": 2}')
    assert [item.name for item in files.load([tmp_path])] == ["dev", "qa"]


def test_one_environment_in_two_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "dev", "")
    (tmp_path / "other.yaml").write_text("name: dev\n")
    with pytest.raises(Refused, match="dev stands in two files"):
        files.load([tmp_path])


def apply(api: ControlApi, path: Path, *answers: Any, words: tuple[str, ...] = ("--yes",)) -> int:
    api.answers = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
    return main(["apply", "-f", str(path), *words])


def test_a_new_environment_gets_its_secret_then_its_first_deployment(
    shell: ControlApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    text = "provider: {api_key: {env: MY_KEY}}\nmodels: {fast: {target: gpt-4o-mini}}\n"
    ended = {"id": "d-1", "environment": "dev", **DONE}
    code = apply(
        shell, written(tmp_path, "dev", text), MISSING, MISSING, MISSING, {"version_id": "v"}, {"id": "d-1"}, ended
    )
    assert code == 0
    sent = [(request.method, request.path) for request in shell.requests if request.method != "GET"]
    assert sent == [
        ("PATCH", "/api/environments/dev/secret"),
        ("PUT", "/api/environments/dev/secret"),
        ("POST", "/api/deployments"),
    ]
    assert shell.requests[3].json == {"schema": 1, "api_key": KEY, "models": {"fast": {"target": "gpt-4o-mini"}}}
    output = capsys.readouterr()
    assert "dev: new environment" in output.out
    assert KEY not in output.out + output.err


def test_without_a_key_anywhere_a_new_environment_is_refused_before_anything_is_sent(
    shell: ControlApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(shell, written(tmp_path, "dev", ""), MISSING, MISSING) == 2
    assert "has no secret yet" in capsys.readouterr().err
    assert all(request.method == "GET" for request in shell.requests)


def registered(name: str) -> list[Any]:
    """The answers about an environment that runs with other settings than a file of defaults."""
    live = {"version": "1", "config": {"memory_mb": 256}}
    return [{"name": name, "live": live}, {"deployments": []}, {"environment": name, "fields": {}}]


def test_a_later_wave_waits_for_the_earlier_and_does_not_start_after_a_failure(
    shell: ControlApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "prod", "order: 2\n")
    written(tmp_path, "dev", "order: 1\n")
    failed = {"id": "d-1", "environment": "dev", "status": "ROLLED_BACK", "phases": [], "steps": []}
    assert apply(shell, tmp_path, *registered("dev"), *registered("prod"), {"id": "d-1"}, failed) == 4
    posts = [request.json for request in shell.requests if request.method == "POST"]
    assert [post["environment"] for post in posts] == ["dev"]
    assert "not started: prod" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [("FAILED", 1), ("ROLLED_BACK", 4)])
def test_a_secret_that_was_not_rolled_ends_as_its_deployment_did_and_starts_no_other(
    status: str,
    code: int,
    shell: ControlApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file changes a setting, too: it must not be rolled on the secret of before."""
    monkeypatch.setenv("MY_KEY", KEY)
    path = written(tmp_path, "dev", "provider: {api_key: {env: MY_KEY}}\n")
    rotation = {"id": "d-9", "environment": "dev", "status": status, "phases": [], "steps": []}
    assert apply(shell, path, *registered("dev"), {"version": "v2", "deployment": "d-9"}, rotation) == code
    assert "the settings were not rolled, since the new secret was not" in capsys.readouterr().err
    assert all(request.method in ("GET", "PATCH") for request in shell.requests)


def test_waves_are_rolled_in_order(shell: ControlApi, tmp_path: Path) -> None:
    written(tmp_path, "prod", "order: 2\n")
    written(tmp_path, "dev", "order: 1\n")
    ends = [{"id": "d-1", "environment": "dev", **DONE}, {"id": "d-2", "environment": "prod", **DONE}]
    assert (
        apply(shell, tmp_path, *registered("dev"), *registered("prod"), {"id": "d-1"}, ends[0], {"id": "d-2"}, ends[1])
        == 0
    )
    posts = [request.json["environment"] for request in shell.requests if request.method == "POST"]
    assert posts == ["dev", "prod"]


def test_a_dry_run_changes_nothing_and_no_terminal_is_asked(
    shell: ControlApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "dev", "")
    assert apply(shell, path, *registered("dev"), words=("--dry-run",)) == 0
    assert "~ config.memory_mb: 256 -> 512" in capsys.readouterr().out
    assert apply(shell, path, *registered("dev"), words=()) == 2
    assert "add --yes" in capsys.readouterr().err
    assert all(request.method == "GET" for request in shell.requests)


def test_the_deployment_is_held_to_the_plan_of_its_environment(shell: ControlApi, tmp_path: Path) -> None:
    ended = {"id": "d-1", "environment": "dev", **DONE}
    words = ("--yes", "--expected-plan", "dev=abc")
    assert apply(shell, written(tmp_path, "dev", ""), *registered("dev"), {"id": "d-1"}, ended, words=words) == 0
    (post,) = (request.json for request in shell.requests if request.method == "POST")
    assert post["options"]["expected_plan"] == "abc"


def test_models_and_client_keys_are_compared_by_name_and_no_other_value_is_shown(
    shell: ControlApi, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    text = f"models: {{fast: {{target: x}}}}\nclient_keys: [{{id: web, sha256: {'a' * 64}}}]\n"
    path = written(tmp_path, "dev", text + "provider: {api_key: {env: MY_KEY}}\n")
    *others, _ = registered("dev")
    view = {"environment": "dev", "fields": {"schema": "x"}, "models": ["slow"], "client_keys": []}
    assert apply(shell, path, *others, view, words=("--dry-run",)) == 0
    out = capsys.readouterr().out
    assert "~ secret.models: slow -> fast" in out
    assert "~ secret.client_keys: none -> web" in out
    assert "~ secret.api_key: (not shown)" in out
    assert KEY not in out
