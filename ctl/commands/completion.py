"""`completion`: the script that lets a shell complete commands and options."""

import sys

import click
from click.shell_completion import get_completion_class

from ctl import exits

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the completion script of bash, zsh or fish.

    \b
    bash, zsh:  eval "$(proxyctl completion bash)"
    fish:       proxyctl completion fish | source
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(f"click completes {shell}")
    sys.stdout.write(kind(context.find_root().command, {}, "proxyctl", "_PROXYCTL_COMPLETE").source() + "\n")
    return exits.DONE
