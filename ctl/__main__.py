"""`proxyctl`, `python -m ctl`: runs one command and turns every error into one line and an exit code."""

import os
import sys
from collections.abc import Sequence

import click
from botocore.exceptions import BotoCoreError

from ctl import exits
from ctl.app import app
from ctl.commands.shared import PipeClosed
from ctl.inputs import Refused
from ctl.session import Connection
from ctl.signed import ApiError
from ctl.view import pages
from ctl.words import clean, command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`exits.TABLE`)."""
    try:
        code = app.main(_words(arguments), prog_name=command(), standalone_mode=False, obj=Connection())
    except click.UsageError as usage:
        usage.show()
        return exits.USAGE
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except ApiError as failed:
        return _say(failed, exits.of_error(failed))
    except TimeoutError as late:
        return _say(late, exits.FAILED)
    except (Refused, click.ClickException) as refusal:
        return _say(refusal, exits.USAGE)
    except BotoCoreError as problem:
        return _say(f"cannot use these AWS credentials: {problem}", exits.USAGE)
    except PipeClosed as closed:
        # The interpreter's flush at exit must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return closed.code
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\nproxyctl: stopped; a deployment that was started runs on\n")
        return exits.INTERRUPTED
    return int(code or 0)


def _words(arguments: Sequence[str] | None) -> list[str]:
    """The command line; `help up` is `up --help`, and a line without a command asks for help."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return [*words[1:2], "--help"] if words[:1] == ["help"] else words


def _say(why: object, code: int) -> int:
    pages.put([(f"proxyctl: {clean(why)}", "")], sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
