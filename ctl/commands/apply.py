"""`apply`: environments as files."""

from pathlib import Path

import click

from ctl.client import Client
from ctl.commands.shared import changes, set_option, yes_option


@click.command()
@click.option("-f", "--file", "paths", multiple=True, required=True, type=click.Path(path_type=Path), metavar="PATH",
              help="An environment's file (YAML or JSON), or a folder of them. May be repeated.")  # fmt: skip
@set_option
@click.option("--only", multiple=True, metavar="NAME", help="Only this environment. May be repeated.")
@click.option("--reason", metavar="TEXT", help="Why, for the record.")
@click.option("--expected-plan", "plans", multiple=True, metavar="NAME=DIGEST",
              help="Refuse to roll NAME unless `plan` still prints this digest. May be repeated.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what differs and change nothing.")
@click.option("--wait", is_flag=True, help="Wait in line where an environment is busy.")
@yes_option
@click.option("--json", "as_json", is_flag=True, help="JSON: the differences, then a line for each event.")
@changes
def apply(
    client: Client,
    paths: tuple[Path, ...],
    settings: tuple[str, ...],
    only: tuple[str, ...],
    reason: str | None,
    plans: tuple[str, ...],
    dry_run: bool,
    wait: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Roll what differs from environment files, after showing it.

    It shows what differs field by field, then asks.

    Environments of the same `order` are rolled together; the next order follows when all of them have succeeded.
    """
    # Late: the YAML and schema libraries take a moment that other commands need not spend.
    from ctl.environments import applying

    return applying.run(
        client,
        paths,
        settings=settings,
        only=only,
        reason=reason,
        plans=applying.expected_plans(plans),
        dry_run=dry_run,
        yes=yes,
        waits=wait,
        json_lines=as_json,
    )
