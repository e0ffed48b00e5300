"""The command line as a page: every command with its arguments and options, from what `--help` prints."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from ctl import exits
from ctl.app import app


def page(note: str) -> str:
    """The whole page, Markdown. note: how it was made."""
    parts = [
        f"# Commands\n\n{note}\n",
        "[The command line](../cli.md) explains them; `proxyctl COMMAND --help` prints the same.\n",
        "\n## Exit codes\n\n| code | meaning |\n|---|---|\n",
        *(f"| {code} | {text} |\n" for code, text in exits.TABLE.items()),
        *(_section(name, command) for name, command in _commands(app, ())),
    ]
    return "".join(parts)


def _commands(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """(full name, command) of each command that does something, in the order of `--help`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))
        elif command is not None and not command.hidden:
            yield " ".join((*above, name)), command


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"proxyctl {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    text = cleandoc(command.help or "").replace("\b\n", "").strip()
    rows = [_option(option, context) for option in command.get_params(context) if isinstance(option, click.Option)]
    table = f"\n| option | |\n|---|---|\n{''.join(rows)}" if rows else ""
    return f"\n## {name}\n\n`proxyctl {name} {usage}`\n\n{text}\n{table}"


def _option(option: click.Option, context: click.Context) -> str:
    names, text = option.get_help_record(context) or (" ".join(option.opts), option.help or "")
    return f"| `{names.replace('|', '/')}` | {' '.join(text.split()).replace('|', '/')} |\n"
