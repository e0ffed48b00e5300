"""Options that several commands have, and how a command gets its client."""

import functools
import sys
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import click

from ctl import exits
from ctl.client import Client
from ctl.session import Connection

P = ParamSpec("P")
Command = Callable[P, int]


class PipeClosed(Exception):
    """The reader of the output has closed the pipe; `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the pipe is closed, exit code {code}")
        self.code = code


json_option = click.option("--json", "as_json", is_flag=True, help="The API's answer as JSON.")
follow_json = click.option("--json", "as_json", is_flag=True, help="JSON: with --follow a line for each event.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="One setting, e.g. memory_mb=1024, alarms.error_rate=0.02, options.load.rps=50. May be repeated.",
)  # fmt: skip


def changes(run: Callable[Concatenate[Client, P], int]) -> Callable[P, int]:
    """The command gets the client as its first argument."""
    return _with_client(run, reads=False)


def reads(run: Callable[Concatenate[Client, P], int]) -> Callable[P, int]:
    """The same for a command that changes nothing: a closed pipe is no failure of it."""
    return _with_client(run, reads=True)


def _with_client(run: Callable[Concatenate[Client, P], int], *, reads: bool) -> Callable[P, int]:
    @functools.wraps(run)
    def command(*arguments: P.args, **options: P.kwargs) -> int:
        connection = click.get_current_context().find_object(Connection)
        if connection is None:
            raise AssertionError("main() passes the connection")
        try:
            code = run(connection.client, *arguments, **options)
            sys.stdout.flush()
        except BrokenPipeError:
            # For a command that changes something, the outcome was not printed. click would end the process itself.
            raise PipeClosed(exits.DONE if reads else exits.PIPE_CLOSED) from None
        return code

    return command
