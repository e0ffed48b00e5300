"""The reference pages say what the code does: each is made from it, and names everything that is there."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.described import schemas
from chalicelib.domain.names import METRIC_NAMESPACE, Names
from chalicelib.monitoring import reference as alarms
from chalicelib.monitoring.alarms import definitions

from ctl import exits
from ctl.app import app
from installer.dev import error_codes, reference

ROOT = reference.ROOT
REMEDY = "run python -m installer.dev.reference (PYTHONPATH=.:controlplane)"


@pytest.mark.parametrize("path", list(reference.pages()), ids=lambda path: path.name)
def test_a_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == reference.pages()[path], REMEDY


def test_the_page_of_alarms_is_up_to_date() -> None:
    assert (reference.FOLDER / "alarms.md").read_text() == alarms.markdown(), REMEDY
    assert reference.PRINTED[reference.FOLDER / "alarms.md"] == alarms.__name__


@pytest.mark.parametrize("field", list(schemas.fields()), ids=lambda field: field.path)
def test_every_field_is_there_with_its_default_its_range_and_its_effect(field: schemas.Field) -> None:
    name = field.path.partition(".")[2]
    section = reference.configuration().partition(f"## {field.path.partition('.')[0]}\n")[2].partition("\n## ")[0]
    (row,) = re.findall(rf"^\| \**`{re.escape(name)}`\** \|.*$", section, re.M)
    assert row.endswith(f"| {field.effect} |")
    if field.part is None and field.default is not dataclasses.MISSING:
        assert f"| `{json.dumps(field.default)}` |" in row
    if field.range:
        assert f"{field.range[0]:,} to {field.range[1]:,}" in row


def test_every_error_is_explained() -> None:
    rows = reference.errors().splitlines()
    codes = {raised.code for raised in error_codes.read()}
    assert len(codes) > 80
    for code in codes:
        (row,) = (line for line in rows if line.startswith(f"| `{code}` |"))
        assert len(row.split("|")[3].strip()) > 10, row


def test_a_class_of_errors_that_the_page_does_not_know_is_seen() -> None:
    text = (error_codes.ROOT / "domain" / "errors.py").read_text()
    assert set(re.findall(r"^class (\w+)\(RolloutError\)", text, re.M)) == set(error_codes.KINDS)


def test_what_is_known_at_run_time_only_stands_as_a_gap(tmp_path: Path) -> None:
    source = 'raise Conflict(f"{name} is busy", code="Busy", remedy="Wait." if late else "Go.")\nraise Unrelated("x")\n'
    (tmp_path / "module.py").write_text(source)
    assert error_codes.read(tmp_path) == [error_codes.Raised("Busy", "Conflict", "… is busy", "Wait. / Go.")]


def test_every_metric_of_the_proxy_is_there_with_its_unit() -> None:
    sources = "".join((ROOT / "proxy" / name).read_text() for name in ("log_line.py", "telemetry.py"))
    written = dict(re.findall(r'"(\w+)"\]?(?::| =) \("(Count|Milliseconds)"', sources))
    assert written == {name: unit for name, (unit, _) in alarms.METRICS.items()}


def test_every_metric_of_the_proxys_that_an_alarm_reads_is_one_that_it_writes() -> None:
    read = {
        metric.name
        for alarm in definitions(Names("e"), AlarmThresholds(), stage="s", topic_arn="t")
        for metric in alarm.metrics.values()
        if metric.namespace == METRIC_NAMESPACE
    }
    assert read <= set(alarms.METRICS)


def test_the_exit_codes_are_the_same_in_the_help_and_in_both_pages() -> None:
    rows = [f"| {code} | {text} |" for code, text in exits.TABLE.items()]
    for page in (ROOT / "docs" / "cli.md", reference.FOLDER / "commands.md"):
        assert re.findall(r"^\| \d \| .* \|$", page.read_text(), re.M) == rows
    for code, text in exits.TABLE.items():
        assert f"  {code}  {text}" in str(app.epilog)


def test_every_command_is_there() -> None:
    page = (reference.FOLDER / "commands.md").read_text()
    visible = {name: command for name, command in app.commands.items() if not command.hidden}
    assert len(visible) > 20
    for name, command in visible.items():
        assert f"\n## {name}" in page
        assert (command.help or "x").splitlines()[0] in page or hasattr(command, "commands")


def test_every_change_that_an_event_tells_of_is_documented() -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    sources = [path.read_text() for path in error_codes.ROOT.rglob("*.py")]
    kinds = {kind for text in sources for kind in re.findall(r'"((?:deployment|incident)\.[a-z_]+)"', text)}
    assert len(kinds) >= 5
    for kind in kinds:
        assert f"`{kind.partition('.')[2]}`" in page, kind


def test_the_site_is_built_without_a_broken_link_or_anchor(tmp_path: Path) -> None:
    """A page that no other page and no menu leads to is a warning, too, and every warning is an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    variables = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reference" / "configuration.html").exists()
