"""`python -m installer.verify`: estimate, run, verdicts, JSON file."""

import argparse
import os
import sys
from pathlib import Path

from installer import deploy, target
from installer.errors import CannotStart, CommandFailed
from installer.say import say, tell
from installer.target import Target
from installer.verify import estimate, verdicts
from installer.verify.run import Run
from installer.verify.upstream import Upstream
from installer.verify.verdicts import Outcome
from local import state

ROOT = Path(__file__).resolve().parents[2]
_STAND_IN_KEY = "sk-stand-in-0000000000000000000000000000000000000000"


def main(arguments: list[str]) -> int:
    """0 when nothing failed; NOT RUN is no failure."""
    options = _parser().parse_args(arguments)
    try:
        return _verify(options.yes, options.json)
    except CannotStart as refusal:
        tell(f"verify-account: {refusal}")
        return 2
    except CommandFailed as failure:
        tell(f"verify-account: {failure}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make verify-account", description="See once in your account what only an account can show."
    )
    parser.add_argument("--yes", action="store_true", help="begin without asking, whatever it is estimated to cost")
    parser.add_argument("--json", type=Path, default=Path("verify-account.json"), help="where the results go")
    return parser


def _verify(yes: bool, report: Path) -> int:
    aws = target.find()
    upstream = _stand_in(aws) if aws.embedded else None
    say(f"account {aws.account}, {aws.region}, as {aws.caller}")
    for line in ["What this costs at list price:", *estimate.lines()] if not aws.embedded else ["It costs nothing."]:
        say(line)
    if not aws.embedded and not yes:
        confirm()
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1"]))
    run = Run(ROOT, aws, upstream)
    results = deploy.explained(run.go)
    report.write_text(verdicts.report(results, run.about()))
    say(f"written: {report} (without account ids; attach it to an issue)")
    return 1 if any(result.outcome is Outcome.FAILED for result in results) else 0


def confirm() -> None:
    """Ask at the terminal. Raises CannotStart for a no, and without a terminal."""
    if not sys.stdin.isatty():
        raise CannotStart("nothing was begun: there is no terminal to ask; add --yes (make verify-account ARGS=--yes)")
    say("Begin? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CannotStart("nothing was begun")


def _stand_in(aws: Target) -> Upstream:
    """The stand-in of the embedded cloud that `make demo` has started."""
    running = state.load(ROOT / ".local")
    if running is None or running.endpoint != aws.endpoint:
        raise CannotStart(f"no embedded cloud of this checkout runs at {aws.endpoint}; start it with make demo")
    return Upstream(running.upstream, _STAND_IN_KEY, running.faults_url)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
