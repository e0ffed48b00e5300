"""The command line of bootstrap.py: what it accepts, and the one line that refuses anything else."""

from __future__ import annotations

import itertools

import pytest

from installer.arguments import COMMANDS, HelpPrinted, Options, options_of, parse
from installer.errors import CannotStart


def refusal(*arguments: str) -> str:
    with pytest.raises(CannotStart) as raised:
        parse(arguments)
    return str(raised.value)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs_without_options(command: str) -> None:
    assert parse([command]) == Options(command)


@pytest.mark.parametrize("words", [["--port", "9000"], ["--port=9000"], ["--port=8000", "--port=9000"]])
def test_the_port_follows_a_space_or_an_equals_sign_and_the_last_one_counts(words: list[str]) -> None:
    assert parse(["demo", *words]) == Options("demo", port=9000)


@pytest.mark.parametrize(("port", "allowed"), [(1023, False), (1024, True), (65535, True), (65536, False)])
def test_ports_from_1024_to_65535_are_allowed(port: int, allowed: bool) -> None:
    if allowed:
        assert parse(["demo", f"--port={port}"]).port == port
    else:
        assert f"'{port}' is not a port number from 1024 to 65535" in refusal("demo", f"--port={port}")


@pytest.mark.parametrize("text", ["", "x", "9_000", " 9000", "+9000", "9000.0", "٩٠٠٠", "-1"])
def test_a_port_is_decimal_digits_only(text: str) -> None:
    assert "argument --port" in refusal("demo", f"--port={text}")


def test_flags_belong_to_one_command_each() -> None:
    assert parse(["down", "--force"]).force
    assert parse(["demo", "--strict"]).strict
    assert "unknown option '--strict'" in refusal("up", "--strict")
    assert parse(["setup", "--dev"]).dev
    assert "unknown option '--force'" in refusal("up", "--force")
    assert "unknown option '--dev'" in refusal("demo", "--dev")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["launch"], "unknown command 'launch': choose from demo, stop, up, upgrade, status, down, target, setup"),
        (["dmeo"], "unknown command 'dmeo': did you mean demo?"),
        (["stauts", "--help"], "did you mean status?"),
        (["--verbose"], "unknown option '--verbose'"),
        (
            ["up", "--fast"],
            "up: unknown option '--fast': choose from --",
        ),
        (["down", "--forse"], "down: unknown option '--forse': did you mean --force?"),
        (["demo", "--pot=9000"], "demo: unknown option '--pot': did you mean --port?"),
        (["demo", "--por", "9000"], "did you mean --port?"),
        (["demo", "--port"], "argument --port: expected one argument; see bootstrap.py demo --help"),
        (["down", "--force=yes"], "argument --force: ignored explicit argument 'yes'"),
        (["stop", "now"], "stop: unexpected argument 'now'"),
        (["stop", "--", "now"], "stop: unexpected argument 'now'"),
        ([""], "unknown command ''"),
    ],
)
def test_a_wrong_command_line_is_refused_by_name_with_a_remedy(words: list[str], named: str) -> None:
    message = refusal(*words)
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["help"], ["up", "-h"], ["help", "up"], ["demo", "-h", "--port=1"]]
)
def test_help_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HelpPrinted):
        parse(words)
    assert capsys.readouterr().out.startswith("usage: bootstrap.py")


def test_help_of_a_command_names_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(HelpPrinted):
            parse([command, "--help"])
        out = capsys.readouterr().out
        assert all(option in out for option in options_of(command))


def test_a_separator_without_arguments_changes_nothing() -> None:
    assert parse(["down", "--force", "--"]) == Options("down", force=True)


WORDS = ["".join(letters) for length in range(5) for letters in itertools.product("-=hf", repeat=length)]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_word_after_a_command_is_ignored(command: str) -> None:
    """Each is an option of the command, asks for help, or is refused in one line."""
    accepted, asks_help = [], []
    for word in WORDS:
        try:
            accepted.append((word, parse([command, word])))
        except HelpPrinted:
            asks_help.append(word)
        except CannotStart:
            continue
    assert accepted == [("--", Options(command))]
    assert all(word.startswith("-h") for word in asks_help)


def test_every_other_first_word_is_refused() -> None:
    for word in WORDS:
        if word != "-h":
            assert f"{word!r}" in refusal(word)
