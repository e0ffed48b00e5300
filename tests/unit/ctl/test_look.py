"""`watch`, `compare`, `config`, `open`, `plan --markdown`, and what a person sees before an approval."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ctl.__main__ import main
from ctl.shapes import Deployment, Environment
from ctl.view import approval, markdown
from tests.fakes.control_api import ControlApi


def run(shell: ControlApi, line: str, *answers: Any) -> int:
    shell.answers = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
    return main(line.split())


def deployment(id_: str = "d-1", status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"id": id_, "environment": "dev", "action": "deploy", "status": status, "phases": [], "steps": [], **more}


def test_watch_takes_the_running_deployment_before_the_newest(shell: ControlApi) -> None:
    listed = {"deployments": [deployment("d-3"), deployment("d-2", "RUNNING"), deployment("d-1")]}
    assert run(shell, "watch dev", listed, deployment("d-2")) == 0
    assert shell.requests[1].path == "/api/deployments/d-2"


def test_watch_without_a_running_one_shows_the_newest_with_its_code(shell: ControlApi) -> None:
    assert run(shell, "watch", {"deployments": [deployment("d-3", "FAILED")]}, deployment("d-3", "FAILED")) == 1


def test_watch_of_nothing_is_refused(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "watch dev", {"deployments": []}) == 2
    assert "there is no deployment of dev yet" in capsys.readouterr().err


def loaded(p99: float) -> list[dict[str, Any]]:
    return [{"number": 9, "name": "load_test", "status": "SUCCEEDED", "evidence": {"response_ms": {"p99": p99}}}]


def test_compare_names_settings_options_and_results(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    first = deployment("d-1", config={"memory_mb": 256}, options={"reason": "a"}, phases=loaded(40))
    second = deployment("d-2", config={"memory_mb": 512}, options={"reason": "b"}, phases=loaded(30))
    assert run(shell, "compare d-1 d-2", first, second) == 0
    text = capsys.readouterr().out
    assert "~ memory_mb: 256 -> 512" in text
    assert "~ p99 ms: 40 -> 30" in text
    assert "options: the same" in text
    assert run(shell, "compare d-1 d-2 --json", first, second) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == [{"path": "memory_mb", "before": 256, "after": 512}]


LIVE = {"version": "4", "config": {"memory_mb": 256, "alarms": {"error_rate": 0.01}}}


def test_settings_are_shown_with_the_names_that_set_takes(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, "config show dev", {"name": "dev", "live": LIVE}) == 0
    assert capsys.readouterr().out == "alarms.error_rate: 0.01\nmemory_mb: 256\n"


def test_settings_are_compared_with_the_release_before(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    previous = {"version": "3", "config": {"memory_mb": 128, "alarms": {"error_rate": 0.01}}}
    assert run(shell, "config diff dev", {"name": "dev", "live": LIVE}, {"name": "dev", "previous": previous}) == 0
    assert capsys.readouterr().out == "~ memory_mb: 128 -> 256\n"


def test_a_page_is_printed_or_its_choices(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"name": "dev", "links": {"logs": "https://x/logs", "bad": "javascript:alert(1)"}}
    assert run(shell, "open dev logs --print", environment) == 0
    assert capsys.readouterr().out == "https://x/logs\n"
    assert run(shell, "open dev nowhere --print", environment) == 2
    assert "it has bad, logs, report" in capsys.readouterr().err
    assert run(shell, "open dev bad --print", environment) == 2


PLAN = {
    "digest": "ab" * 32,
    "text": "~ deploy_stack: would run",
    "plan": [{"phase": "deploy_stack", "would": "run", "details": {"changes": ["Modify <b>|x @team"]}}],
}


def planned(status: str = "SUCCEEDED") -> dict[str, Any]:
    return deployment(status=status, steps=[{"number": 0, "name": "make_plan", "status": status, "evidence": PLAN}])


def test_a_plan_as_markdown_is_marked_with_its_digest_and_escapes_what_comes_from_outside(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, "plan dev --markdown", {"id": "d-1"}, planned()) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == f"<!-- proxyctl-plan environment=dev digest={'ab' * 32} -->"
    assert "| deploy_stack | **will run** | changes: Modify &lt;b>\\|x &#64;team |" in text


def test_a_plan_that_failed_says_why() -> None:
    failed = cast(Deployment, deployment(status="FAILED", error={"code": "Denied", "message": "no ``` here"}))
    page = markdown.page(failed)
    assert "The plan failed." in page
    assert page.count("```") == 2


def test_set_goes_into_config_or_options(shell: ControlApi) -> None:
    assert (
        run(shell, "deploy dev --no-follow --set memory_mb=1024 --set load.rps=5 --set webhook=null", {"id": "d"}) == 0
    )
    assert shell.requests[0].json["config"] == {"memory_mb": 1024, "webhook": None}
    assert shell.requests[0].json["options"] == {"load": {"rps": 5}}


@pytest.mark.parametrize("line", ["--set memory_mb", "--set =1", "--set a=1 --set a=2", "--set a.b=1 --set a=2"])
def test_a_setting_that_is_none_is_refused(shell: ControlApi, line: str) -> None:
    assert run(shell, f"deploy dev {line}") == 2
    assert not shell.requests


def test_before_an_approval_a_person_sees_what_users_get() -> None:
    release = {"number": 6, "name": "release_code", "status": "SUCCEEDED", "evidence": {"version": "5"}}
    waiting = cast(Deployment, deployment(config={"memory_mb": 512}, phases=[release], options={"reason": "cheaper"}))
    environment = cast(Environment, {"name": "dev", "live": {"version": "4", "config": {"memory_mb": 256}}})
    text = "\n".join(line for line, _ in approval.page(waiting, environment))
    for part in ("dev: version 5 instead of 4", "reason: cheaper", "config: ~ memory_mb: 256 -> 512", "release_code"):
        assert part in text
