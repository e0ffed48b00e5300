"""The command line: all commands in the order in which `--help` lists them."""

import click

from ctl import __version__, exits
from ctl.commands import answer, apply, console, doctor, fleet, look, read, secret, settings, start, view
from ctl.commands.completion import completion

_EPILOG = f"""\b
Exit codes:
{exits.help_text()}

CONTROL_API_URL, AWS_REGION and credentials come from the environment, as for the AWS CLI; for the cloud of `make demo`:
. .local/env
"""


class InOrder(click.Group):
    """Lists its commands as they were added, not by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(
    cls=InOrder, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="proxyctl")
def app() -> None:
    """Roll an OpenAI-compatible proxy through AWS: start rollouts, follow them, read records."""


for _command in (
    *start.COMMANDS,
    *answer.COMMANDS,
    *view.COMMANDS,
    *read.COMMANDS,
    *look.COMMANDS,
    *settings.COMMANDS,
    apply.apply,
    fleet.fleet,
    secret.secret,
    doctor.doctor,
    console.console,
    completion,
):
    app.add_command(_command)
