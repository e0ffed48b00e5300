"""Words for the person at the terminal: answers go to standard output, remarks to standard error."""

import sys


def say(line: str = "") -> None:
    """One line of the answer; flushed at once, since who follows a rollout reads along."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(line: str) -> None:
    """One remark beside the answer: progress, refusals, causes."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
