"""The action's scripts, run by bash with a `gh` and a `proxyctl` that write down how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DIGEST = "ab" * 32
MARK = "<!-- proxyctl-plans -->"
PLAN = f"<!-- proxyctl-plan environment=prod digest={DIGEST} -->"


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\nprintf \'%s\\n\' "{name} $*" >> "{folder}/calls"\n{body}\n')
    path.chmod(0o755)


def run(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "FILES": str(folder / "environments"),
        "GITHUB_SHA": "c0ffee",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **variables,
    }
    command = ["bash", str(ROOT / "ci" / script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    for name in ("a.yaml", "b.json", "notes.txt"):
        (tmp_path / "environments" / name).write_text("")
    return tmp_path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize(("registered", "method"), [("", "POST"), ("77", "PATCH")])
def test_a_plan_makes_one_comment_and_replaces_it_later(folder: Path, registered: str, method: str) -> None:
    program(folder, "proxyctl", "echo plan-of-$3")
    program(folder, "gh", f"case \"$*\" in *--paginate*) echo '{registered}';; esac")
    assert run(folder, "plan.sh", PULL_REQUEST="5").returncode == 0
    plans = [call for call in calls(folder) if call.startswith("proxyctl")]
    assert [call.split()[3].rpartition("/")[2] for call in plans] == ["a.yaml", "b.json"]
    assert sum(f"--method {method}" in call for call in calls(folder)) == 1
    assert (folder / "summary").read_text().startswith(MARK)


def test_a_plan_that_fails_is_commented_and_fails_the_job(folder: Path) -> None:
    program(folder, "proxyctl", "exit 3")
    program(folder, "gh", "")
    assert run(folder, "plan.sh", PULL_REQUEST="5").returncode == 3
    assert any("--method POST" in call for call in calls(folder))


def gh(folder: Path, comment: str) -> None:
    (folder / "comment").write_text(comment)
    program(folder, "gh", f'case "$*" in */pulls*) echo 5;; *comments*) cat "{folder}/comment";; esac')


def test_an_apply_is_held_to_the_plan_of_the_merged_pull_request(folder: Path) -> None:
    gh(folder, f"{MARK}\n{PLAN}\n### Plan\n")
    program(folder, "proxyctl", "exit 0")
    assert run(folder, "apply.sh").returncode == 0
    (call,) = (call for call in calls(folder) if call.startswith("proxyctl"))
    assert f"--expected-plan prod={DIGEST}" in call
    assert call.count("--file") == 2
    assert any('.user.login == "github-actions[bot]"' in call for call in calls(folder))


@pytest.mark.parametrize("comment", ["", f"{MARK}\nno digest", f"{MARK}\n  {PLAN}", f"{MARK}\n{PLAN[:-9]} -->"])
def test_without_a_plan_nothing_is_applied(folder: Path, comment: str) -> None:
    gh(folder, comment)
    program(folder, "proxyctl", "exit 0")
    assert run(folder, "apply.sh").returncode == 2
    assert not any(call.startswith("proxyctl") for call in calls(folder))


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (3, 3), (4, 4), (5, 0)])
def test_an_apply_ends_as_proxyctl_does_but_an_approval_is_no_failure(folder: Path, code: int, ends: int) -> None:
    gh(folder, f"{MARK}\n{PLAN}\n")
    program(folder, "proxyctl", f"exit {code}")
    assert run(folder, "apply.sh").returncode == ends
