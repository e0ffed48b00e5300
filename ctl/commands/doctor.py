"""`doctor`."""

import dataclasses
from collections.abc import Iterator, Sequence

import click

from ctl import exits, reading
from ctl.commands.shared import json_option
from ctl.diagnosis.doctor import Check, examine
from ctl.view.styles import Line
from ctl.words import clean

_MARKS = {True: ("ok  ", "green"), False: ("FAIL", "bold red"), None: ("–   ", "dim")}


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check credentials, region, API and versions, with remedies."""
    checks = examine()
    reading.put({"checks": [dataclasses.asdict(check) for check in checks]}, _page(checks), as_json=as_json)
    return exits.FAILED if any(check.ok is False for check in checks) else exits.DONE


def _page(checks: Sequence[Check]) -> Iterator[Line]:
    for check in checks:
        mark, style = _MARKS[check.ok]
        remedy = f"  -> {check.remedy}" if check.remedy else ""
        yield clean(f"{mark} {check.name:<16} {check.text}{remedy}"), style
