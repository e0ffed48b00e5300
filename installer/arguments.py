"""The command line of bootstrap.py: commands, options, help texts. Standard library only.

argparse exits on a wrong command line and prints the usage above the error. This parser raises CannotStart instead, so
that every refusal is one line on standard error and exit code 2.
"""

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NoReturn

from installer.errors import CannotStart

_PORTS = range(1024, 65_536)
_HELP = ("-h", "--help")

COMMANDS = {
    "demo": "the whole way on this machine: embedded cloud, control plane, one rollout, one chat call",
    "stop": "end what demo started, and nothing else",
    "up": "install or upgrade the control plane; credentials and region as for the AWS CLI",
    "upgrade": "let the installed control plane upgrade itself to this checkout",
    "status": "show the control plane, its version and its environments",
    "down": "remove the control plane; refused while environments exist",
    "target": "prepare this account and region for environments of a control plane elsewhere, and print config.target",
    "setup": "create the Python environments only",
}
_EPILOG = """\
exit codes: 0 done; 1 something that ran has failed, its cause is printed; 2 it could not start (usage, credentials,
a taken port, too old a Python).
"""


@dataclass(frozen=True)
class Options:
    """A parsed command line. port: None lets the embedded cloud choose; 1024 to 65535 otherwise."""

    command: str
    port: int | None = None
    strict: bool = False
    force: bool = False
    dev: bool = False
    direct: bool = False
    to_older: bool = False
    home: str | None = None
    external_id: str | None = None
    remove: bool = False
    boundary: str | None = None
    tag: Sequence[str] | None = None
    kms_key: str | None = None
    bucket: str | None = None


class HelpPrinted(Exception):
    """The command line asked for help, and the help is on standard output."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise CannotStart(f"{message}; see {self.prog} --help")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpPrinted(message or str(status))


def parser() -> argparse.ArgumentParser:
    """The parser; the namespace that it fills has the fields of Options."""
    top = _Parser(
        prog="bootstrap.py",
        description="Installs, upgrades and removes the control plane; demo does it all on this machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    added = {
        name: commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        for name, text in COMMANDS.items()
    }
    added["demo"].add_argument(
        "--port", type=_port, metavar="N", help="the embedded cloud listens on this port (default: a free one)"
    )
    added["demo"].add_argument(
        "--strict", action="store_true", help="the embedded cloud refuses and delays what AWS does (docs/fidelity.md)"
    )
    added["up"].add_argument(
        "--direct", action="store_true", help="with your own rights, also where the control plane could upgrade itself"
    )
    for name in ("up", "upgrade"):
        added[name].add_argument("--to-older", action="store_true", help="also to a version before the installed one")
    _add_choices(added["up"])
    _add_bucket(added["down"], "your bucket, when a removal was broken off after the stack")
    added["down"].add_argument("--force", action="store_true", help="leave the environments that exist to themselves")
    _add_target(added["target"])
    added["setup"].add_argument(
        "--dev", action="store_true", help="with the tools that `make test` and `make check` use"
    )
    return top


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--home", metavar="ACCOUNT", help="the control plane's account; once is enough")
    command.add_argument(
        "--external-id", metavar="ID", help="what the control plane has to send to assume the roles (default: random)"
    )
    _add_choices(command)
    command.add_argument("--remove", action="store_true", help="remove the target; refused while environments exist")
    command.add_argument("--force", action="store_true", help="with --remove: leave environments to themselves")


def _add_choices(command: argparse.ArgumentParser) -> None:
    """What the installation remembers: without an option it stays, an empty value takes it away."""
    command.add_argument(
        "--boundary", metavar="ARN", help="a permissions boundary of your own for every role; '' removes it"
    )
    command.add_argument(
        "--tag", action="append", metavar="KEY=VALUE", help="a tag of your own on all that can be tagged; repeatable"
    )
    command.add_argument(
        "--kms-key", metavar="ARN", help="a KMS key of your own for all that is kept; '' is AWS's own keys"
    )
    _add_bucket(command, "a bucket of your own; it is never emptied or deleted")


def _add_bucket(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--bucket", metavar="NAME", help=text)


def parse(arguments: Sequence[str]) -> Options:
    """The options of a command line. Raises CannotStart for a wrong one, HelpPrinted after `--help`."""
    # `help up` is `up --help`, as in git.
    words = [*arguments[1:2], "--help"] if arguments[:1] == ["help"] else list(arguments)
    if words and words[0] not in (*COMMANDS, *_HELP):
        kind = "option" if words[0].startswith("-") else "command"
        raise CannotStart(_unknown(kind, words[0], [*COMMANDS, *_HELP]))
    namespace, unparsed = parser().parse_known_args(words)
    options = Options(**vars(namespace))
    rest = [word for word in unparsed if word != "--"]  # argparse leaves the separator in, where no argument follows it
    if rest:
        raise CannotStart(f"{options.command}: {_unexpected(rest[0], options.command)}")
    return options


def options_of(command: str) -> list[str]:
    """The options that a command takes, `--help` aside."""
    # vars(): argparse has no public way to list a subparser's options; the parsed namespace names them all.
    names = vars(parser().parse_args([command]))
    return [
        f"--{field.name.replace('_', '-')}"
        for field in fields(Options)
        if field.name in names and field.name != "command"
    ]


def _unexpected(word: str, command: str) -> str:
    if not word.startswith("--"):
        return f"unexpected argument {word!r}"
    return _unknown("option", word.partition("=")[0], [*options_of(command), "--help"])


def _unknown(kind: str, word: str, choices: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, choices, n=1)
    hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(choices)}"
    return f"unknown {kind} {word!r}: {hint}"


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from {_PORTS.start} to {_PORTS.stop - 1}")
    return number
